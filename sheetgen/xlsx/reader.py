"""A workbook on disk -> its formulas, the values stored beside them and what is typed, streamed; by any writer."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from sheetgen.errors import ERRORS, ExcelError
from sheetgen.xlsx.archive import (
    MAIN,
    PartError,
    book_part,
    open_workbook,
    relations,
    sheet_parts,
    small_part,
    whole_part,
)
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_ROWS, Value, column_letters, column_number

__all__ = [
    "FORMULA_CELL",
    "Contents",
    "FormulaCell",
    "ListTable",
    "Properties",
    "TypedCell",
    "open_workbook",
    "place",
    "read_cells",
    "read_contents",
    "read_formulas",
    "read_local_names",
    "read_names",
    "read_properties",
    "read_tables",
    "read_typed",
    "sheet_parts",
]

CHUNK = 1 << 20
MAX_TEXTS = 64 << 20  # bytes of the texts of all cells
MAX_ROW = 32 << 20  # bytes of a row
MAX_TAG = 4 << 10  # bytes of a tag that is looked at though it lies in two pieces

# A cell whose first child is a formula: attributes of <c>, attributes of <f>, formula text, stored value. A regular
# expression reads a million cells in about 3 s, an XML parser that calls back into Python in 6 s.
FORMULA_CELL = re.compile(r"<c\s([^<>]*)>\s*<f\b([^<>]*?)(?:/>|>([^<]*)</f>)(?:\s*<v(?:\s[^<>]*)?(?:/>|>([^<]*)</v>))?")
# A cell with something typed into it: its attributes, the value, or the text within the cell.
_TYPED_CELL = re.compile(r"<c\s([^<>]*)>\s*(?:<v(?:\s[^<>]*)?>([^<]*)</v>|<is\b[^<>]*>((?:[^<]|<(?!/is>|c\s))*)</is>)")
_TEXT = re.compile(r"<rPh\b.*?</rPh>|<t(?:\s[^<>]*)?>([^<]*)</t>", re.DOTALL)
# What makes a part unlike what the expressions above expect; it is then read by a parser first.
_NO_PLACE = rb"<c(?! r=)(?![^<>]*\sr=)(?:[\s/][^<>]*)?>"
_UNUSUAL = [
    re.compile(one) for one in (rb"<!", rb" =", rb"=\s*'", rb"<[\w.-]+:c[\s/>]", rb"\A(?:\xff\xfe|\xfe\xff)", _NO_PLACE)
]
_END = re.compile(rb"</(?:[\w.-]+:)?worksheet>\s*\Z")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_ADDRESS = re.compile(r'r="([A-Z]{1,3}[1-9][0-9]{0,6})"')
_KIND = re.compile(r'\bt="(\w+)"')
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_COLUMN = f"{MAIN}tableColumn"
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_LETTERS = re.compile("[A-Z]{1,3}")
LONGEST_ROW = 7


class FormulaCell(NamedTuple):
    """A formula and its stored value (None if the file has none).

    text is without "="; for a cell filled down from another, origin is that cell's address and text its formula.
    """

    tab: str
    address: str
    text: str
    origin: str | None
    value: Value | None

    @property
    def formula(self) -> str:
        """The formula as the cell's own, beginning with "="."""
        if self.origin is None:
            return f"={self.text}"
        from openpyxl.formula.tokenizer import TokenizerError
        from openpyxl.formula.translate import Translator, TranslatorError

        try:
            return str(Translator(f"={self.text}", self.origin).translate_formula(self.address))
        except (TokenizerError, TranslatorError, LookupError):  # a formula that nobody can read is shown as it is
            return f"={self.text}"


class TypedCell(NamedTuple):
    """A cell that has no formula, and what is typed into it."""

    tab: str
    address: str
    value: Value | None


class Contents(NamedTuple):
    """All that stands in a workbook: its formula cells as read_formulas has them, and what is typed by row and column.

    `typed` has every tab.
    """

    formulas: tuple[FormulaCell, ...]
    typed: Mapping[str, Mapping[tuple[int, int], Value | None]]


class Properties(NamedTuple):
    """Who created a workbook, when it was last changed, and the application that saved it; "" for what is not said."""

    creator: str
    modified: str
    application: str


class ListTable(NamedTuple):
    """A table of Excel, which formulas name by columns: its tab, its cells, and how many rows are heads and totals."""

    tab: str
    top: int
    left: int
    bottom: int
    columns: tuple[str, ...]
    heads: int
    totals: int


def read_formulas(path: Path | str, only: str | None = None) -> Iterator[FormulaCell]:
    """Every formula cell, tab by tab in the order of the file, or of one tab.

    CheckError if it cannot be read.
    """
    with open_workbook(path) as archive:
        for tab, part in sheet_parts(archive):
            masters: dict[str, tuple[str, str]] = {}
            for text in _rows_of(archive, part) if only in (None, tab) else ():
                yield from _formulas(tab, text, masters)


def read_typed(path: Path | str, only: str | None = None) -> Iterator[TypedCell]:
    """Every cell that has a value but no formula; tabs and CheckError as above."""
    with open_workbook(path) as archive:
        texts = _texts(archive)
        for tab, part in sheet_parts(archive):
            for text in _rows_of(archive, part) if only in (None, tab) else ():
                yield from _typed(tab, text, texts)


def read_cells(path: Path | str, without: str = "", only: str | None = None) -> Iterator[TypedCell | FormulaCell]:
    """Both in one reading: of some rows what is typed, then the formulas; of all tabs but one, or of one.

    CheckError as above.
    """
    with open_workbook(path) as archive:
        texts = _texts(archive)
        for tab, part in sheet_parts(archive):
            masters: dict[str, tuple[str, str]] = {}
            for text in _rows_of(archive, part) if tab != without and only in (None, tab) else ():
                yield from _typed(tab, text, texts)
                yield from _formulas(tab, text, masters)


def read_contents(path: Path | str, only: str | None = None) -> Contents:
    """All of them, or of one tab, for those who ask several times; CheckError as above."""
    with open_workbook(path) as archive:
        typed: dict[str, dict[tuple[int, int], Value | None]] = {tab: {} for tab, _ in sheet_parts(archive)}
    formulas: list[FormulaCell] = []
    for cell in read_cells(path, only=only):
        if isinstance(cell, FormulaCell):
            formulas.append(cell)
        else:
            typed[cell.tab][place(cell.address)] = cell.value
    return Contents(tuple(formulas), typed)


def read_names(path: Path | str) -> dict[str, str]:
    """What each name of the workbook means, as text, such as Inputs!$B$7; CheckError as above."""
    with open_workbook(path) as archive:
        names = small_part(archive, book_part(archive)).iter(f"{MAIN}definedName")
        return {name.attrib["name"]: name.text or "" for name in names if "localSheetId" not in name.attrib}


def read_local_names(path: Path | str) -> dict[str, dict[str, str]]:
    """What each name that only its own tab knows means there, by tab; CheckError as above."""
    with open_workbook(path) as archive:
        book = small_part(archive, book_part(archive))
        titles = [sheet.attrib.get("name", "") for sheet in book.iter(f"{MAIN}sheet")]
        found: dict[str, dict[str, str]] = {}
        for name in book.iter(f"{MAIN}definedName"):
            at = name.attrib.get("localSheetId", "")
            if at.isdecimal() and int(at) < len(titles):
                found.setdefault(titles[int(at)], {})[name.attrib["name"]] = name.text or ""
        return found


def read_tables(path: Path | str) -> dict[str, ListTable]:
    """Excel's tables by their names in small letters; CheckError as above."""
    found: dict[str, ListTable] = {}
    with open_workbook(path) as archive:
        parts = set(archive.namelist())
        for tab, part in sheet_parts(archive):
            folder, _, name = part.rpartition("/")
            if f"{folder}/_rels/{name}.rels" not in parts:
                continue
            for _, kind, target in relations(archive, part):
                if kind.endswith("/table") and target in parts:
                    table = small_part(archive, target)
                    found[table.attrib["displayName"].casefold()] = _list_table(tab, table)
    return found


def _list_table(tab: str, table: Element) -> ListTable:
    first, _, last = table.attrib["ref"].partition(":")
    (top, left), (bottom, _) = place(first), place(last or first)
    columns = tuple(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), one.attrib["name"]) for one in table.iter(_COLUMN))
    heads, totals = (int(table.attrib.get(f"{what}RowCount", count)) for what, count in (("header", 1), ("totals", 0)))
    return ListTable(tab, top, left, bottom, columns, heads, totals)


def read_properties(path: Path | str) -> Properties:
    """What the workbook says of its making; CheckError as above."""
    with open_workbook(path) as archive:
        found = {"creator": "", "modified": "", "Application": ""}
        for part in {"docProps/core.xml", "docProps/app.xml"} & set(archive.namelist()):
            for element in small_part(archive, part).iter():
                name = str(element.tag).rpartition("}")[2]
                if name in found:
                    found[name] = element.text or ""
        return Properties(*found.values())


def place(address: str) -> tuple[int, int]:
    """One-based row and column of an address; PartError if no sheet has it.

    >>> place("A1"), place("AB30")
    ((1, 1), (30, 28))
    """
    letters = address.rstrip("0123456789")
    digits = address[len(letters) :]
    row, column = int(digits) if 0 < len(digits) <= LONGEST_ROW else 0, _column(letters)
    if not (0 < row <= MAX_ROWS and column):
        raise PartError(f"{address!r} is no cell address")
    return row, column


@lru_cache(maxsize=1_024)
def _column(letters: str) -> int:
    """The number of a column; 0 if no sheet has it."""
    number = column_number(letters) if _LETTERS.fullmatch(letters) else 0
    return number if number <= MAX_COLUMNS else 0


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to by number."""
    parts = [target for _, kind, target in relations(archive, book_part(archive)) if kind.endswith("/sharedStrings")]
    if not parts or parts[0] not in archive.namelist():
        return []
    data = b"".join(_plain(iter([whole_part(archive, parts[0], MAX_TEXTS)]), parts[0])).decode()
    return [_text("".join(_TEXT.findall(item))) for item in data.split("<si>")[1:]]


def _rows_of(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The part's text in pieces that end between two rows; PartError at the end of one that breaks off."""
    unusual = _is_unusual(archive, part)
    rest = b""
    for piece in _plain(_pieces(archive, part), part) if unusual else _pieces(archive, part):
        whole, mark, rest_of_row = (rest + piece).rpartition(b"</row>")
        rest = rest_of_row
        if len(rest) > MAX_ROW:
            raise PartError(f"a row of {part} is longer than {MAX_ROW:,} bytes")
        yield (whole + mark).decode()
    yield rest.decode()
    if not (unusual or _END.search(rest[-MAX_TAG:])):
        for _ in _plain(_pieces(archive, part), part):
            pass


def _is_unusual(archive: zipfile.ZipFile, part: str) -> bool:
    rest = b""
    for piece in _pieces(archive, part):
        text = rest + piece
        if any(one.search(text) for one in _UNUSUAL):
            return True
        rest = text[max(text.rfind(b"<"), len(text) - MAX_TAG) :]
    return False


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(part) as file:
        while piece := file.read(CHUNK):
            yield piece


def _plain(pieces: Iterator[bytes], part: str) -> Iterator[bytes]:
    """XML as the expressions above expect it: no prefixes, comments or other encodings, attributes in double quotes.

    Cells that do not say where they stand are told. PartError if it is no XML, or not to the end.
    """
    parser = expat.ParserCreate()
    parts: list[str] = []
    places = _Places()

    def start(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        places.tell(name, attributes)
        found = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        parts.append(f"<{name}{found}>")

    def refuse(*_: object) -> None:
        raise PartError("a part has a document type, which may grow without end")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: parts.append(f"</{name.rpartition(':')[2]}>")
    parser.CharacterDataHandler = lambda text: parts.append(escape(text, quote=False))
    parser.StartDoctypeDeclHandler = refuse
    try:
        for piece in pieces:
            parser.Parse(piece)
            yield "".join(parts).encode()
            parts.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise PartError(f"{part} breaks off, or is no XML ({error})") from error


class _Places:
    """Where the cells of a sheet stand: one that does not say so stands right of the last, in the row below the last.

    These are the first without one before them.
    """

    def __init__(self) -> None:
        self.row = self.column = 0

    def tell(self, name: str, attributes: dict[str, str]) -> None:
        """Count a row or a cell, and add the place of a cell that has none."""
        said = attributes.get("r", "")
        if name == "row":
            self.row, self.column = int(said) if said.isdecimal() else self.row + 1, 0
        elif name == "c":
            found = _PLACE.fullmatch(said)
            self.column = column_number(found[1]) if found else self.column + 1
            if not said:
                attributes["r"] = f"{column_letters(self.column)}{self.row}"


def _typed(tab: str, text: str, texts: list[str]) -> Iterator[TypedCell]:
    """The cells of some rows that have a value but no formula."""
    for cell, stored, inside in _TYPED_CELL.findall(text):
        kind = _kind(cell)
        if kind == "s":
            value: Value | None = texts[int(stored)]
        elif kind == "inlineStr":
            value = _text("".join(_TEXT.findall(inside)))
        else:
            value = _value(kind, stored)
        yield TypedCell(tab, _address(cell), value)


def _formulas(tab: str, text: str, masters: dict[str, tuple[str, str]]) -> Iterator[FormulaCell]:
    """The formula cells of some rows; `masters` has the first of each that is filled down, by its number."""
    for cell, formula, own, stored in FORMULA_CELL.findall(text):
        yield _formula_cell(tab, cell, formula, own, stored, masters)


def _formula_cell(
    tab: str, cell: str, formula: str, own: str, stored: str, masters: dict[str, tuple[str, str]]
) -> FormulaCell:
    address, text, origin = _address(cell), unescape(own) if "&" in own else own, None
    shared = _shared_index(formula)
    if shared is not None:
        if text:
            masters[shared] = text, address
        else:
            text, origin = masters.get(shared, ("", None))
    return FormulaCell(tab, address, text, origin, _value(_kind(cell), stored))


def _address(attributes: str) -> str:
    """Where a cell stands; PartError if that is nowhere on a sheet."""
    found = _ADDRESS.search(attributes)
    address = found[1] if found else dict(_ATTRIBUTE.findall(attributes)).get("r", "")[:20]
    if not found or len(address) > 7 or address[2:3].isalpha():
        place(address)
    return address


def _kind(attributes: str) -> str:
    found = _KIND.search(attributes) if "t" in attributes else None
    return found[1] if found else "n"


@lru_cache(maxsize=65_536)
def _shared_index(attributes: str) -> str | None:
    """The si of a formula that is filled down, from the attributes of its <f>."""
    found = dict(_ATTRIBUTE.findall(attributes))
    return found["si"] if found.get("t") == "shared" else None


def _value(kind: str, stored: str) -> Value | None:
    """A stored value; where a number should be and none is, the text that is found, and that it is no number."""
    if kind == "str":
        return _text(stored)
    if not stored:
        return None
    if kind == "b":
        return stored == "1"
    if kind == "e":
        return ExcelError(stored) if stored in ERRORS else stored
    try:
        number = float(stored)
    except ValueError:
        return f"{stored} (no number)"
    return number if number - number == 0 and "_" not in stored else f"{stored} (no number)"


def _text(stored: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unescape(stored))
