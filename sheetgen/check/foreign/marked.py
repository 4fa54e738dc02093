"""A copy of a stranger's workbook with its wrong cells filled and a sheet of findings; every other byte as it was.

openpyxl would lose what it does not know, so the parts are edited: a fill and the looks that need it are added to the
styles, the wrong cells get those looks, and a sheet is added to the list of sheets.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from sheetgen.check.foreign.book import Place, address
from sheetgen.check.foreign.told import Foreign
from sheetgen.errors import CheckError
from sheetgen.xlsx.archive import book_part, open_workbook, relations, sheet_parts
from sheetgen.xlsx.files import cannot_write, replacing
from sheetgen.xlsx.package import place_for

__all__ = ["TITLE", "write_marked"]

TITLE = "Findings"
FILL = "FFFFC7CE"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
HEADINGS = ("cell", "column", "rows", "what stands there", "what belongs there", "value", "should be", "why")
WIDTHS = (16, 14, 12, 70, 70, 14, 14, 60)


def write_marked(found: Foreign, out: Path) -> None:
    """Write the copy. OutputError if the place cannot be written, CheckError if a part cannot be edited."""
    target = place_for(out)
    if target == found.path.resolve():
        raise CheckError(f"{out}: is the workbook that is checked; name another file for the marked copy")
    places = _places(found)
    with open_workbook(found.path) as source:
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


def _places(found: Foreign) -> dict[str, set[Place]]:
    places: dict[str, set[Place]] = {}
    for table in found.tables:
        for finding in table.findings:
            places.setdefault(table.table.tab, set()).update(finding.places)
    return places


def _changed(source: zipfile.ZipFile, found: Foreign, places: Mapping[str, set[Place]]) -> Iterator[tuple[str, bytes]]:
    """The parts that are other ones in the copy."""
    book = book_part(source)
    links = relations(source, book)
    styles = next(target for _, kind, target in links if kind.endswith("/styles"))
    look = _Looks(source.read(styles).decode())
    for tab, part in sheet_parts(source):
        if tab in places:
            yield part, _marked(source.read(part).decode(), places[tab], look).encode()
    yield styles, look.text().encode()
    titles = {title.casefold() for title, _ in sheet_parts(source)}
    title = next(name for name in (TITLE, *(f"{TITLE} {k}" for k in range(2, 99))) if name.casefold() not in titles)
    sheet = "xl/worksheets/sheetgen-findings.xml"
    yield sheet, _sheet(found).encode()
    name = f"{book.rpartition('/')[0]}/_rels/{book.rpartition('/')[2]}.rels"
    yield name, _with_relation(source.read(name).decode(), f"/{sheet}").encode()
    yield book, _with_sheet(source.read(book).decode(), title).encode()
    yield "[Content_Types].xml", _with_type(source.read("[Content_Types].xml").decode(), f"/{sheet}").encode()


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
            look = re.sub(r'\s(?:fillId|applyFill)="[^"]*"', "", self._looks[number])
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
    """A sheet's part with those cells filled."""
    wanted = {address(place) for place in places}

    def changed(found: re.Match[str]) -> str:
        tag = found[0]
        where = re.search(r"""\sr=["']([A-Z]+[0-9]+)["']""", tag)
        if where is None or where[1] not in wanted:
            return tag
        style = re.search(r"""\ss=["'](\d+)["']""", tag)
        number = look.filled(int(style[1]) if style else 0)
        if style:
            return tag.replace(style[0], f' s="{number}"')
        return re.sub(r"(\s*/?>)$", rf' s="{number}"\1', tag)

    return re.sub(rf"<{_prefix(text)}c\s[^<>]*>", changed, text)


def _with_relation(text: str, part: str) -> str:
    p = _prefix(text)
    link = f'<{p}Relationship Id="sheetgenFindings" Type="{_OFFICE}/worksheet" Target="{part}"/>'
    return _before_end(text, f"{p}Relationships", link)


def _with_type(text: str, part: str) -> str:
    p = _prefix(text)
    return _before_end(text, f"{p}Types", f'<{p}Override PartName="{part}" ContentType="{_SHEET_TYPE}"/>')


def _with_sheet(text: str, title: str) -> str:
    p = _prefix(text)
    numbers = [int(one) for one in re.findall(r"""\bsheetId=["'](\d+)["']""", text)]
    number = max(numbers, default=0) + 1
    sheet = f'<{p}sheet xmlns:r="{_OFFICE}" name="{title}" sheetId="{number}" r:id="sheetgenFindings"/>'
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
