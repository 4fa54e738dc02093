"""A worksheet part: everything but its rows as openpyxl writes it, the rows as text, their strings shared."""

# mypy: disable-error-code="attr-defined, call-overload, union-attr"
# The published types of openpyxl leave out most of what its writers share with one another.

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from openpyxl.cell.rich_text import CellRichText
from openpyxl.comments.comment_sheet import CommentRecord
from openpyxl.packaging.relationship import Relationship
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.dimensions import SheetDimension
from openpyxl.worksheet.merge import MergeCell, MergeCells
from openpyxl.worksheet.related import Related
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import tostring

from sheetgen.errors import ExcelError
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import block_xml, cell_xml, column_letters, escape_text, formula_xml, style_xml, value_xml

_EMPTY_ROWS = re.compile(r"<sheetData\s*/>|<sheetData></sheetData>")


class SharedStrings:
    """The texts of all cells, each once, in the order of their first use."""

    def __init__(self) -> None:
        self._indexes: dict[str, int] = {}
        self._uses = 0

    def index(self, text: str | CellRichText) -> int:
        """The zero-based place of the text, which is added if new."""
        self._uses += 1
        item = _runs_xml(text) if isinstance(text, CellRichText) else _text_xml(text)
        return self._indexes.setdefault(item, len(self._indexes))

    def xml(self) -> str:
        """The whole part."""
        items = "".join(f"<si>{item}</si>" for item in self._indexes)
        counts = f'count="{self._uses}" uniqueCount="{len(self._indexes)}"'
        return f'<sst xmlns="{SHEET_MAIN_NS}" {counts}>{items}</sst>'


def _text_xml(text: str) -> str:
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f"<t{space}>{escape_text(text)}</t>"


def _runs_xml(text: CellRichText) -> str:
    runs = []
    for run in text:
        if isinstance(run, str):
            runs.append(f"<r>{_text_xml(run)}</r>")
        else:
            properties = run.font.to_tree("rPr")
            runs.append(f"<r>{_text(tostring(properties))}{_text_xml(run.text)}</r>")
    return "".join(runs)


def _text(xml: str | bytes) -> str:
    """What openpyxl's tostring returns depends on the XML library behind it."""
    return xml if isinstance(xml, str) else xml.decode()


class SheetWriter(WorksheetWriter):
    """A worksheet part: everything but the rows as openpyxl writes it, the rows as text."""

    def __init__(self, tab: Tab, strings: SharedStrings) -> None:
        super().__init__(tab.ws, BytesIO())
        self._tab = tab
        self._strings = strings
        self._own_rows: dict[int, tuple[str, str]] = {}
        self._styles: dict[int, int] = {}
        self._areas: dict[tuple[int, int, int, int], int] = {}

    def frame(self) -> tuple[str, str]:
        """What stands before the rows and after them."""
        try:
            self.write()
        finally:
            # openpyxl's writer is a generator, which complains on stderr if it is left half way.
            self.close()
        head, tail = _EMPTY_ROWS.split(self.out.getvalue().decode(), maxsplit=1)
        return f"{head}<sheetData>", f"</sheetData>{tail}"

    def rows_xml(self) -> Iterator[str]:
        """The <row> elements in chunks; for after frame()."""
        block = self._tab.block
        rows = [(number, *row) for number, row in sorted(self._own_rows.items())]
        if block is None:
            yield _join_rows(rows)
            return
        yield _join_rows(row for row in rows if row[0] < block.top)
        yield from block_xml(block, self._own_rows)
        yield _join_rows(row for row in rows if row[0] > block.bottom)

    def write_rows(self) -> None:
        """An empty <sheetData>; the rows are turned into text now, since their links and comments go into the tail."""
        with self.xf.send(True).element("sheetData"):
            pass
        self.xf.send(None)
        for number, cells in self.rows():
            attributes = "".join(f' {name}="{value}"' for name, value in _row_attributes(self.ws, number))
            self._own_rows[number] = attributes, "".join(map(self._cell_xml, cells))

    def write_dimensions(self) -> None:
        """The used range, block included."""
        places = [place for place, cell in self.ws._cells.items() if cell._value is not None or cell.has_style]
        block = self._tab.block
        if block:
            places += [(block.top, 1), (block.bottom, len(block.columns))]
        rows, columns = zip(*(places or [(1, 1)]), strict=True)
        ref = f"{column_letters(min(columns))}{min(rows)}:{column_letters(max(columns))}{max(rows)}"
        self.xf.send(SheetDimension(ref).to_tree())

    def write_merged_cells(self) -> None:
        """The merged ranges in the order of their places; openpyxl keeps them in a set."""
        ranges = sorted(self.ws.merged_cells.ranges, key=lambda one: (one.min_row, one.min_col))
        if ranges:
            self.xf.send(MergeCells(mergeCell=[MergeCell(one.coord) for one in ranges]).to_tree())

    def write_drawings(self) -> None:
        """The link to the drawing, which openpyxl leaves out where there are only shapes."""
        if self.ws._drawing:
            relation = Relationship(type="drawing", Target="")
            self._rels.append(relation)
            self.xf.send(Related(id=relation.id).to_tree("drawing"))

    def _cell_xml(self, cell: Any) -> str:
        if cell._comment is not None:
            self.ws._comments.append(CommentRecord.from_cell(cell))
        if cell.hyperlink:
            self.ws._hyperlinks.append(cell.hyperlink)
        if cell._value is None and not cell.has_style:
            return ""
        block = self._tab.block
        if block and block.top <= cell.row <= block.bottom and cell.column <= len(block.columns):
            raise ValueError(f"{self.ws.title}!{cell.coordinate} lies in the sheet's block")
        if cell.data_type == "f":
            return self._formula_cell_xml(cell)
        start = f'<c r="{cell.coordinate}"{style_xml(self._style_of(cell))}'
        if cell._value is None:
            return f"{start}/>"
        if cell.data_type == "s":
            return f'{start} t="s"><v>{self._strings.index(cell._value)}</v></c>'
        if cell.data_type not in "nbe":
            raise ValueError(f"{self.ws.title}!{cell.coordinate} has a value of an unknown kind: {cell._value!r}")
        kind, content = value_xml(ExcelError(cell._value) if cell.data_type == "e" else cell._value)
        return f"{start}{kind}><v>{content}</v></c>"

    def _formula_cell_xml(self, cell: Any) -> str:
        place = cell.row, cell.column
        value = self._tab.stored.get(place)
        if value is None or not isinstance(cell._value, str):
            raise ValueError(f"{self.ws.title}!{cell.coordinate} has a formula without a value: {cell._value}")
        return cell_xml(cell.coordinate, self._style_of(cell), self._formula_xml(place, cell._value[1:]), value)

    def _formula_xml(self, place: tuple[int, int], text: str) -> str:
        """Its <f> element; the first of an area has the text of all. A block's columns have the first numbers."""
        area = self._tab.shared.get(place)
        if area is None:
            return formula_xml(text)
        taken = len(self._tab.block.columns) if self._tab.block else 0
        number = self._areas.setdefault(area, taken + len(self._areas))
        top, left, bottom, right = area
        if place != (top, left):
            return f'<f t="shared" si="{number}"/>'
        ref = f"{column_letters(left)}{top}:{column_letters(right)}{bottom}"
        return formula_xml(text, f' t="shared" ref="{ref}" si="{number}"')

    def _style_of(self, cell: Any) -> int:
        """The cell's style id; cells of one look share an object, which is looked up once."""
        key = id(cell._style)
        if key not in self._styles:
            self._styles[key] = cell.style_id
        return self._styles[key]


def _join_rows(rows: Iterable[tuple[int, str, str]]) -> str:
    return "".join(f'<row r="{number}"{attributes}>{cells}</row>' for number, attributes, cells in rows)


def _row_attributes(ws: Any, number: int) -> Iterable[tuple[str, str]]:
    """Height, visibility and style of a row; nothing for one that was never touched."""
    attributes: Iterable[tuple[str, str]] = ws.row_dimensions.get(number, ())
    return attributes
