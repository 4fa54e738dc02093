"""A copy of a stranger's workbook with its wrong cells filled and a sheet of findings; every other byte as it was.

openpyxl would lose what it does not know, so the parts are edited: a fill and the looks that need it are added to the
styles, the wrong cells get those looks, and a sheet is added to the list of sheets.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

from sheetgen.check.foreign.book import Place, address
from sheetgen.check.foreign.told import Foreign
from sheetgen.errors import CheckError
from sheetgen.xlsx.archive import book_part, open_workbook, relations, sheet_parts, small_part
from sheetgen.xlsx.cells import column_number
from sheetgen.xlsx.files import cannot_write, replacing
from sheetgen.xlsx.package import place_for

__all__ = ["TITLE", "write_marked"]

TITLE = "Findings"
FILL = "FFFFC7CE"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OPEN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = "[Content_Types].xml"
_STYLES = "xl/styles.xml"
_NO_STYLES = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="{_MAIN}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
# The types of a workbook's main part that are no .xlsx's -> what such a workbook is, and how its name ends.
_KINDS = {
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": ("a workbook with macros", ".xlsm"),
    f"{_OPEN}.template.main+xml": ("a template", ".xltx"),
    "application/vnd.ms-excel.template.macroEnabled.main+xml": ("a template with macros", ".xltm"),
}
HEADINGS = ("cell", "column", "rows", "what stands there", "what belongs there", "value", "should be", "why")
WIDTHS = (16, 14, 12, 70, 70, 14, 14, 60)


def write_marked(found: Foreign, out: Path) -> None:
    """Write the copy. OutputError if the place cannot be written, CheckError if a part cannot be edited."""
    places = _places(found)
    with open_workbook(found.path) as source:
        target = _place(source, found, out)
        try:
            changed = dict(_changed(source, found, places))
        except (ValueError, IndexError, KeyError) as error:
            raise CheckError(f"{found.path}: cannot be marked: {error}; look the cells up by hand") from error
        try:
            with replacing(target, ".sheetgen-*.tmp") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as copy:
                for entry in source.infolist():
                    copy.writestr(entry, changed.pop(entry.filename, b"") or source.read(entry))
                for name, data in changed.items():
                    copy.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        except OSError as error:
            raise cannot_write(out, error) from error


def _place(source: zipfile.ZipFile, found: Foreign, out: Path) -> Path:
    """Where the copy is written; errors as above for what must not be, or has not the ending that the kind needs."""
    book = f"/{book_part(source)}"
    types = [element.attrib for element in small_part(source, _TYPES)] if _TYPES in source.namelist() else []
    kinds = [one["ContentType"] for one in types if one.get("PartName") == book or one.get("Extension") == "xml"]
    kind, ending = next((_KINDS[one] for one in kinds if one in _KINDS), ("", ".xlsx"))
    if kind and out.suffix.lower() != ending:
        said = f"{out}: does not end in {ending}, as a copy of {found.path.name} must, which is {kind}"
        raise CheckError(f"{said}; such as marked{ending}")
    target = place_for(out, ending)
    if target == found.path.resolve():
        raise CheckError(f"{out}: is the workbook that is checked; name another file for the marked copy")
    return target


def _places(found: Foreign) -> dict[str, set[Place]]:
    places: dict[str, set[Place]] = {}
    for table in found.tables:
        for finding in table.findings:
            places.setdefault(table.table.tab, set()).update(finding.places)
    return places


def _changed(source: zipfile.ZipFile, found: Foreign, places: Mapping[str, set[Place]]) -> Iterator[tuple[str, bytes]]:
    """The parts that are other ones in the copy."""
    book = book_part(source)
    known = [target for _, kind, target in relations(source, book) if kind.endswith("/styles")]
    styles = known[0] if known else _STYLES
    there = styles in source.namelist()
    look = _Looks(source.read(styles).decode() if there else _NO_STYLES)
    for tab, part in sheet_parts(source):
        if tab in places:
            yield part, _marked(source.read(part).decode(), places[tab], look).encode()
    yield styles, look.text().encode()
    titles = {title.casefold() for title, _ in sheet_parts(source)}
    title = _free(f"{TITLE}{{}}", lambda name: name.casefold() in titles, " ")
    sheet = _free("xl/worksheets/sheetgen-findings{}.xml", lambda part: part in source.namelist())
    yield sheet, _sheet(found).encode()
    name = f"{book.rpartition('/')[0]}/_rels/{book.rpartition('/')[2]}.rels".lstrip("/")
    links, called = _with_relation(source.read(name).decode(), f"/{sheet}", "worksheet")
    yield name, (links if known else _with_relation(links, f"/{styles}", "styles")[0]).encode()
    yield book, _with_sheet(source.read(book).decode(), title, called).encode()
    types = source.read(_TYPES).decode()
    types = _with_type(types, f"/{sheet}", "worksheet")
    yield _TYPES, (types if known and there else _with_type(types, f"/{styles}", "styles")).encode()


def _free(pattern: str, is_taken: Callable[[str], bool], gap: str = "") -> str:
    """A name that is not taken, as by an earlier copy: the pattern's without a number, or with the first one."""
    names = (pattern.format(f"{gap}{k}" if k > 1 else "") for k in count(1))
    return next(name for name in names if not is_taken(name))


class _Looks:
    """The styles of a workbook, with a filled variant of each look that a wrong cell has."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._prefix = _prefix(text)
        fills = self._block("fills")
        self._fill = len(re.findall(rf"<{self._prefix}fill\b", fills))
        self._looks = re.findall(
            rf"<{self._prefix}xf\b[^>]*?(?:/>|>.*?</{self._prefix}xf>)", self._block("cellXfs"), re.DOTALL
        )
        if not self._looks:
            raise ValueError("its styles have no looks of cells")
        self._added: list[str] = []
        self._numbers: dict[int, int] = {}

    def _block(self, name: str) -> str:
        found = re.search(rf"<{self._prefix}{name}\b.*?</{self._prefix}{name}>", self._text, re.DOTALL)
        if found is None:
            raise ValueError(f"its styles have no {name}")
        return found[0]

    def filled(self, number: int) -> int:
        """The number of the same look, filled."""
        if number not in self._numbers:
            look = self._looks[number if number < len(self._looks) else 0]
            look = re.sub(r"""\s(?:fillId|applyFill)=(?:"[^"]*"|'[^']*')""", "", look)
            look = re.sub(rf"<{self._prefix}xf\b", rf'\g<0> fillId="{self._fill}" applyFill="1"', look, count=1)
            self._numbers[number] = len(self._looks) + len(self._added)
            self._added.append(look)
        return self._numbers[number]

    def text(self) -> str:
        """The part."""
        p = self._prefix
        fill = f'<{p}fill><{p}patternFill patternType="solid"><{p}fgColor rgb="{FILL}"/></{p}patternFill></{p}fill>'
        fills, looks = self._block("fills"), self._block("cellXfs")
        text = self._text.replace(fills, _more(fills, f"{p}fills", self._fill + 1, fill))
        return text.replace(
            looks, _more(looks, f"{p}cellXfs", len(self._looks) + len(self._added), "".join(self._added))
        )


def _more(block: str, name: str, count: int, added: str) -> str:
    block = re.sub(rf'(<{name}\b[^>]*?)\scount="\d+"', r"\1", block, count=1)
    block = re.sub(rf"<{name}\b", rf'\g<0> count="{count}"', block, count=1)
    return block.replace(f"</{name}>", f"{added}</{name}>")


def _prefix(text: str) -> str:
    """The prefix of a part's elements, with its colon."""
    found = re.search(r"<(?![?!])((?:[\w.-]+:)?)[\w.-]+", text)
    return found[1] if found else ""


def _marked(text: str, places: set[Place], look: _Looks) -> str:
    """A sheet's part with those cells filled; one that does not say where it stands follows the one before."""
    row = column = 0

    def changed(found: re.Match[str]) -> str:
        nonlocal row, column
        tag = found[0]
        said = _attribute(tag, "r")
        if found[1] == "row":
            row, column = int(said[2]) if said else row + 1, 0
        elif found[1] == "c":
            here = re.fullmatch(r"([A-Z]+)([0-9]+)", said[2]) if said else None
            column = column_number(here[1]) if here else column + 1
            if ((int(here[2]) if here else row), column) in places:
                return _with_look(tag, look)
        return tag

    return re.sub(
        rf"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<{_prefix(text)}(row|c)(?=[\s/>])[^<>]*>", changed, text, flags=re.DOTALL
    )


def _with_look(tag: str, look: _Looks) -> str:
    style = _attribute(tag, "s")
    number = look.filled(int(style[2]) if style else 0)
    if style:
        return tag.replace(style[0], f' s="{number}"')
    return re.sub(r"(\s*/?>)$", rf' s="{number}"\1', tag)


def _attribute(tag: str, name: str) -> re.Match[str] | None:
    """An attribute of a tag; its value is the second group."""
    return re.search(rf"""\s{name}\s*=\s*(["'])(.*?)\1""", tag)


def _with_relation(text: str, part: str, kind: str) -> tuple[str, str]:
    """A list of relations with one more, and the name of that."""
    p = _prefix(text)
    name = _free(f"sheetgen-{kind}{{}}", lambda one: f'"{one}"' in text or f"'{one}'" in text)
    link = f'<{p}Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{part}"/>'
    return _before_end(text, f"{p}Relationships", link), name


def _with_type(text: str, part: str, kind: str) -> str:
    p = _prefix(text)
    if f'PartName="{part}"' in text:
        return text
    return _before_end(text, f"{p}Types", f'<{p}Override PartName="{part}" ContentType="{_OPEN}.{kind}+xml"/>')


def _with_sheet(text: str, title: str, name: str) -> str:
    p = _prefix(text)
    numbers = [int(one) for one in re.findall(r"""\bsheetId=["'](\d+)["']""", text)]
    number = max(numbers, default=0) + 1
    sheet = f'<{p}sheet xmlns:r="{_OFFICE}" name="{title}" sheetId="{number}" r:id="{name}"/>'
    return _before_end(text, f"{p}sheets", sheet)


def _before_end(text: str, name: str, added: str) -> str:
    if f"</{name}>" not in text:
        raise ValueError(f"there is no end of {name}")
    return text.replace(f"</{name}>", f"{added}</{name}>")


def _sheet(found: Foreign) -> str:
    """The sheet of findings, each with a link to its first cell."""
    rows, links = [_row(1, HEADINGS, "<rPr><b/></rPr>")], []
    for table in found.tables:
        for finding in table.findings:
            number = len(rows) + 1
            tab = "'" + table.table.tab.replace("'", "''") + "'"
            target = escape(f"{tab}!{finding.cell}", {'"': "&quot;"})
            links.append(f'<hyperlink ref="A{number}" location="{target}" display="{target}"/>')
            first, last = finding.rows
            where = f"{table.table.tab}!{finding.cell}"
            texts = where, finding.column, f"{first} to {last}", finding.found, finding.expected
            rows.append(_row(number, (*texts, finding.value, finding.should_be, finding.why)))
    widths = "".join(f'<col min="{k}" max="{k}" width="{width}" customWidth="1"/>' for k, width in enumerate(WIDTHS, 1))
    linked = f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_MAIN}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>{''.join(rows)}</sheetData>{linked}"
        '<pageSetup orientation="landscape" fitToHeight="0"/></worksheet>'
    )


def _row(number: int, values: tuple[object, ...], look: str = "") -> str:
    cells = []
    for column, value in enumerate(values, 1):
        where = address((number, column))
        if isinstance(value, float):
            cells.append(f'<c r="{where}"><v>{value!r}</v></c>')
        elif value is not None:
            text = f'<t xml:space="preserve">{escape(str(value))}</t>'
            cells.append(f'<c r="{where}" t="inlineStr"><is>{f"<r>{look}{text}</r>" if look else text}</is></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'
