"""A workbook on disk -> its formulas and the values stored beside them, streamed; whichever program wrote it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from html import unescape
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.etree import ElementTree

from sheetgen.errors import ERRORS, CheckError, ExcelError
from sheetgen.xlsx.cells import Value

CHUNK = 1 << 20

# A cell whose first child is a formula: attributes of <c>, attributes of <f>, formula text, stored value. A regular
# expression reads a million cells in about 3 s, an XML parser that calls back into Python in 6 s.
FORMULA_CELL = re.compile(r"<c\s([^>]*)>\s*<f\b([^>]*?)(?:/>|>([^<]*)</f>)(?:\s*<v(?:\s[^>]*)?(?:/>|>([^<]*)</v>))?")
_ATTRIBUTE = re.compile(r'([\w:]+)\s*=\s*"([^"]*)"')
_ADDRESS = re.compile(r'\br="([A-Z]+[0-9]+)"')
_KIND = re.compile(r'\bt="(\w+)"')
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"([A-Z]+)([0-9]+)")

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OFFICE_DOCUMENT = "/officeDocument"

# The first bytes of what people take for an .xlsx file.
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"


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
        from openpyxl.formula.translate import Translator

        return str(Translator(f"={self.text}", self.origin).translate_formula(self.address))


def read_formulas(path: Path | str) -> Iterator[FormulaCell]:
    """Every formula cell, tab by tab, in the order of the file; CheckError if it is no workbook or is damaged."""
    with open_workbook(path) as archive:
        for tab, part in sheet_parts(archive):
            masters: dict[str, tuple[str, str]] = {}
            for text in _rows_of(archive, part):
                for cell, formula, own, stored in FORMULA_CELL.findall(text):
                    yield _formula_cell(tab, cell, formula, own, stored, masters)


@contextmanager
def open_workbook(path: Path | str) -> Iterator[zipfile.ZipFile]:
    """The archive of a workbook; whatever its damage raises while it is open becomes a CheckError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise CheckError(f"{path}: there is no such file; name a workbook that sheetgen build wrote") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, RuntimeError, ValueError, SyntaxError) as error:
        raise CheckError(f"{path}: {_what_is_wrong(Path(path))}; build it again with sheetgen build") from error
    except OSError as error:
        raise CheckError(f"{path}: cannot be read: {error.strerror or error}") from error


def sheet_parts(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Title and part name of every worksheet, in the order of the tabs."""
    [book] = [target for _, kind, target in _relations(archive, "") if kind.endswith(_OFFICE_DOCUMENT)]
    targets = {name: target for name, kind, target in _relations(archive, book) if kind.endswith("/worksheet")}
    sheets = ElementTree.fromstring(archive.read(book)).iter(f"{_MAIN}sheet")
    return [(sheet.attrib["name"], targets[sheet.attrib[_ID]]) for sheet in sheets if sheet.attrib[_ID] in targets]


def place(address: str) -> tuple[int, int]:
    """One-based row and column of an address.

    >>> place("A1"), place("AB30")
    ((1, 1), (30, 28))
    """
    found = _PLACE.fullmatch(address)
    if not found:
        raise ValueError(f"{address!r} is no cell address")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return int(found[2]), column


def _what_is_wrong(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start == _COMPOUND_FILE:
        return "is an old .xls workbook or is protected by a password"
    if start.startswith(b"PK"):
        return "is damaged or truncated, or is no .xlsx workbook"
    return "is no .xlsx workbook"


def _relations(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str, str]]:
    """Id, type and target part of everything that a part (or the package, "") refers to within the archive."""
    owner = PurePosixPath(part)
    links = archive.read(str(owner.parent / "_rels" / f"{owner.name}.rels") if part else "_rels/.rels")
    return [
        (link.attrib["Id"], link.attrib["Type"], _target(owner, link.attrib["Target"]))
        for link in ElementTree.fromstring(links).iter(_RELATION)
        if link.get("TargetMode") != "External"
    ]


def _target(owner: PurePosixPath, target: str) -> str:
    """A part's name from a target that is absolute or relative to its owner's folder."""
    if target.startswith("/"):
        return target[1:]
    names = list(owner.parent.parts)
    for name in target.split("/"):
        if name == "..":
            del names[-1:]
        elif name != ".":
            names.append(name)
    return "/".join(names)


def _rows_of(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    """The part's text in pieces that end between two rows."""
    rest = b""
    with archive.open(part) as file:
        while piece := file.read(CHUNK):
            whole, mark, rest_of_row = (rest + piece).rpartition(b"</row>")
            rest = rest_of_row
            yield (whole + mark).decode()
    yield rest.decode()


def _formula_cell(
    tab: str, cell: str, formula: str, own: str, stored: str, masters: dict[str, tuple[str, str]]
) -> FormulaCell:
    found = _ADDRESS.search(cell)
    kind = _KIND.search(cell) if "t=" in cell else None
    address, text, origin = found[1] if found else "", unescape(own) if "&" in own else own, None
    shared = _shared_index(formula)
    if shared is not None:
        if text:
            masters[shared] = text, address
        else:
            text, origin = masters.get(shared, ("", None))
    return FormulaCell(tab, address, text, origin, _value(kind[1] if kind else "n", stored))


@lru_cache(maxsize=65_536)
def _shared_index(attributes: str) -> str | None:
    """The si of a formula that is filled down, from the attributes of its <f>."""
    found = dict(_ATTRIBUTE.findall(attributes))
    return found["si"] if found.get("t") == "shared" else None


def _value(kind: str, stored: str) -> Value | None:
    if kind == "str":
        return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unescape(stored))
    if not stored:
        return None
    if kind == "b":
        return stored == "1"
    if kind == "e":
        return ExcelError(stored) if stored in ERRORS else stored
    return float(stored)
