"""The parts of a workbook, written into an archive; openpyxl's own writer wherever it does what is wanted."""

# mypy: disable-error-code="attr-defined, call-overload, misc, no-untyped-call"
# The published types of openpyxl leave out most of what its writers share with one another.

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from itertools import chain
from typing import IO, Any

from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.packaging.extended import ExtendedProperties
from openpyxl.packaging.manifest import Override
from openpyxl.packaging.relationship import Relationship
from openpyxl.styles.stylesheet import write_stylesheet
from openpyxl.workbook._writer import WorkbookWriter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.writer.theme import theme_xml
from openpyxl.xml.constants import (
    ARC_APP,
    ARC_CORE,
    ARC_ROOT_RELS,
    ARC_SHARED_STRINGS,
    ARC_STYLE,
    ARC_THEME,
    ARC_WORKBOOK,
    ARC_WORKBOOK_RELS,
    SHARED_STRINGS,
)
from openpyxl.xml.functions import tostring

from sheetgen.xlsx.book import Book, Shape
from sheetgen.xlsx.cells import Block
from sheetgen.xlsx.charts import chart_xml
from sheetgen.xlsx.worksheet import SharedStrings, SheetWriter

# CT_Font of the schema that the Open XML SDK checks is a sequence; openpyxl writes another order.
FONT_ORDER = (
    *("b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign"),
    *("sz", "color", "name", "family", "charset", "scheme"),
)

Pour = Callable[[IO[bytes], Iterable[str]], None]
"""Writes chunks of text into an open part."""


class Drawing(SpreadsheetDrawing):
    """A drawing part: charts, images, and after them, in front, the shapes in their own order."""

    __elements__ = SpreadsheetDrawing.__elements__  # openpyxl gives a subclass none

    def __init__(self, ws: Any, shapes: Iterable[Shape]) -> None:
        super().__init__()
        self.charts, self.images, self.shapes = ws._charts, ws._images, list(shapes)

    def __bool__(self) -> bool:
        return bool(self.charts or self.images or self.shapes)

    def __hash__(self) -> int:
        return id(self)

    def _chart_frame(self, idx: int) -> Any:
        """The frame of the chart of this number, from 1 on, with its alternative text."""
        frame: Any = super()._chart_frame(idx)
        frame.nvGraphicFramePr.cNvPr.descr = self.charts[idx - 1].words
        return frame

    def _write(self) -> Any:
        """The XML; ids run through charts, images and shapes."""
        tree = super()._write()
        number = len(self.charts) + len(self.images)
        for shape in self.shapes:
            anchor = shape.to_tree()
            for element in anchor.iter():
                if element.tag.rpartition("}")[2] == "cNvPr":
                    number += 1
                    element.set("id", str(number))
            tree.append(anchor)
        return tree


class PackageWriter(ExcelWriter):
    """All the parts of a book, written into an open archive; pour writes a sheet's rows."""

    def __init__(self, book: Book, archive: zipfile.ZipFile, pour: Pour) -> None:
        super().__init__(book.wb, archive)
        self._tabs = {tab.ws.title: tab for tab in book.tabs}
        self._strings = SharedStrings()
        self._pour = pour

    def write_data(self) -> None:
        """Write every part."""
        self._add(ARC_APP, ExtendedProperties().to_tree())
        self._add(ARC_CORE, self.workbook.properties.to_tree())
        self._archive.writestr(ARC_THEME, theme_xml)
        self._write_worksheets()
        self._write_images()
        self._write_charts()
        self._archive.writestr(ARC_SHARED_STRINGS, self._strings.xml())
        self.manifest.Override.append(Override(f"/{ARC_SHARED_STRINGS}", SHARED_STRINGS))
        self._add(ARC_STYLE, _with_fonts_in_order(write_stylesheet(self.workbook)))
        writer = WorkbookWriter(self.workbook)
        self._archive.writestr(ARC_ROOT_RELS, writer.write_root_rels())
        self._archive.writestr(ARC_WORKBOOK, writer.write())
        writer.rels.append(Relationship(type="sharedStrings", Target="sharedStrings.xml"))
        self._archive.writestr(ARC_WORKBOOK_RELS, writer.write_rels())
        self.manifest._write(self._archive, self.workbook)

    def write_worksheet(self, ws: Any) -> None:
        """Write one worksheet part; openpyxl's writer calls this and writes what the sheet refers to."""
        tab = self._tabs[ws.title]
        ws._drawing = Drawing(ws, tab.shapes)
        writer = SheetWriter(tab, self._strings)
        head, tail = writer.frame()
        with self._archive.open(ws.path[1:], "w", force_zip64=_is_huge(tab.block)) as part:
            self._pour(part, chain([head], writer.rows_xml(), [tail]))
        ws._rels = writer._rels
        self.manifest.append(ws)

    def _write_charts(self) -> None:
        """Write the charts of all sheets."""
        for chart in self._charts:
            self._archive.writestr(chart.path[1:], chart_xml(chart))
            self.manifest.append(chart)

    def _write_comment(self, ws: Any) -> None:
        """Write a sheet's comments; IronCalc finds them only by a path relative to the sheet."""
        super()._write_comment(ws)
        for relation in ws._rels:
            if relation.Target.startswith("/xl/comments/"):
                relation.Target = relation.Target.replace("/xl/", "../")

    def _add(self, path: str, tree: Any) -> None:
        self._archive.writestr(path, tostring(tree))


def _with_fonts_in_order(stylesheet: Any) -> Any:
    for font in stylesheet.iter("font"):
        font[:] = sorted(font, key=lambda child: FONT_ORDER.index(child.tag))
    return stylesheet


def _is_huge(block: Block | None) -> bool:
    """Whether the part may exceed the 2 GiB of a plain zip entry; a cell takes about 60 bytes."""
    return block is not None and block.cells * 80 > 2**31
