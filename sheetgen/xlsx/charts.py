"""The one way charts and their axes are styled. Every series carries the numbers it draws (numCache)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from xml.sax.saxutils import unescape

from openpyxl.chart import ScatterChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, StrData, StrRef, StrVal
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import SeriesLabel, XYSeries
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import (
    CharacterProperties,
    Font,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)
from openpyxl.utils import absolute_coordinate, coordinate_to_tuple, quote_sheetname, range_boundaries
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import Element, tostring

from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_SERIES
from sheetgen.xlsx.shapes import Grid
from sheetgen.xlsx.style import FONT, HAIR, INK, MUTED, NAVY, RULE, WHITE
from sheetgen.xlsx.units import EMU_PER_PIXEL, EMU_PER_POINT

# Ten hues, no two of which are alike for readers who see no red, or no green; the first seven least of all.
HUES = ("1F5FA8", "E07A1F", "1B8A6B", "592B1F", "5DB2E0", "0D4A59", "234BEB", "CCA770", "C2371E", "8181EB")
Dash = Literal["solid", "dash", "sysDot", "dashDot", "lgDash", "sysDash", "lgDashDot", "sysDashDot"]
Side = Literal["r", "b", "t"]
_CACHED = re.compile("(?<=<numCache>)[^<]*")
DASHES: tuple[Dash, ...] = ("solid", "dash", "sysDot", "dashDot", "lgDash", "sysDash", "lgDashDot", "sysDashDot")
# Where lines of one dash come again, how many times as thick they are: enough for forty.
THICKER = (1.0, 0.45, 1.7, 0.7, 1.3, 2.1)


class Cache(NumData):
    """The numbers that a series draws; None, an error text, NaN and infinity are left out.

    openpyxl has an object for every number, which takes most of a build's time, and rounds it to 16 digits, which
    changes a quarter of all doubles. This one writes the elements itself, as a text within its own, which `chart_xml`
    opens: a tree of as many elements would take a third of what is left.
    """

    def __init__(self, numbers: Sequence[float | str | None]) -> None:
        super().__init__()
        self._numbers = numbers

    def to_tree(self, tagname: Any = None, idx: Any = None, namespace: Any = None) -> Any:
        """The numCache element, with what is in it as a text."""
        points = "".join(
            f'<pt idx="{index}"><v>{float(number)!r}</v></pt>'
            for index, number in enumerate(self._numbers)
            if number is not None and not isinstance(number, str) and math.isfinite(number)
        )
        tree = Element(tagname)
        tree.text = f'<formatCode>General</formatCode><ptCount val="{len(self._numbers)}" />{points}'
        return tree


def chart_xml(chart: Any) -> str:
    """A chart's part, its numbers included."""
    written = tostring(chart._write())
    text = written if isinstance(written, str) else written.decode()  # as the XML library behind openpyxl has it
    return _CACHED.sub(lambda found: unescape(found[0]), text)


@dataclass(frozen=True)
class Live:
    """Text that follows a cell of a tab, such as "A7"."""

    tab: Tab
    cell: str

    @property
    def ref(self) -> str:
        """The absolute reference, with its sheet."""
        return reference(self.tab.ws.title, self.cell)

    @property
    def text(self) -> str:
        """What the cell shows; for a formula, once the book is complete."""
        return str(self.tab.value(*coordinate_to_tuple(self.cell)))


@dataclass(frozen=True)
class Shown(Sequence[float | str | None]):
    """What the cells of a tab show when the chart is written, such as "B9:B39", one column: for formulas whose values
    are computed after charts are made."""

    tab: Tab
    cells: str

    @property
    def ref(self) -> str:
        """The absolute reference, with its sheet."""
        return reference(self.tab.ws.title, self.cells)

    def __len__(self) -> int:
        return _size(self.ref)

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < len(self):
            raise IndexError(place)
        row, column = coordinate_to_tuple(self.cells.split(":")[0])
        value = self.tab.value(row + place, column)
        return value if isinstance(value, (int, float, str)) else None


class _TextCache(StrData):
    """The text that a cell shows when the chart is written: formulas are computed after charts are made."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def to_tree(self, tagname: Any = None, idx: Any = None, namespace: Any = None) -> Any:
        """The strCache element."""
        cached = StrData(ptCount=1, pt=[StrVal(idx=0, v=self._live.text)])
        return cached.to_tree(tagname, idx, namespace)


@dataclass(frozen=True)
class Series:
    """One line of a chart. xs and ys are the numbers in the ranges now; None, an error text, NaN and infinity leave
    a gap. Without a colour or dash, its place in the chart chooses them. `dots` asks for dots instead of a line, or for
    none; without it, at most three points have some."""

    name: str | Live
    x_ref: str
    y_ref: str
    xs: Sequence[float | str | None]
    ys: Sequence[float | str | None]
    color: str | None = None
    dash: Dash | None = None
    width: float = 1.75
    dots: bool | None = None


def reference(sheet: str, cells: str) -> str:
    """The absolute, sheet-qualified form of a cell or range.

    >>> reference("lr 0.1", "B8:B75")
    "'lr 0.1'!$B$8:$B$75"
    """
    return f"{quote_sheetname(sheet)}!{absolute_coordinate(cells)}"


def look(index: int) -> tuple[str, Dash]:
    """The colour and dash of the series at a zero-based place: neighbours differ in both, and eighty in one of them.

    >>> look(0), look(11)
    (('1F5FA8', 'solid'), ('E07A1F', 'lgDash'))
    """
    return HUES[index % len(HUES)], DASHES[(index + index // len(HUES)) % len(DASHES)]


@cache
def thickness(index: int) -> float:
    """How many times as thick as the first the series at a place is, so that colour alone tells no two of forty apart.

    >>> thickness(0), thickness(8), thickness(15)
    (1.0, 0.45, 1.7)
    """
    alike = sum(look(other)[1] == look(index)[1] for other in range(index))
    return THICKER[alike % len(THICKER)]


def tick(span: float, most: int = 10) -> float:
    """The smallest of 1, 2, 5 times a power of ten that needs at most that many steps for the span.

    >>> tick(67), tick(5), tick(10001)
    (10.0, 0.5, 2000.0)
    """
    if not span > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(power * m for m in (1.0, 2.0, 5.0, 10.0, 20.0) if span <= power * m * most * (1 + 1e-12))


def _finite(numbers: Iterable[float | str | None]) -> list[float]:
    return [float(n) for n in numbers if n is not None and not isinstance(n, str) and math.isfinite(n)]


def scatter(
    title: str | Live | None,
    x_title: str,
    y_title: str,
    series: Sequence[Series],
    *,
    log_y: bool = False,
    y_min: float | None = None,
    y_max: float | None = None,
    x_max: float | None = None,
    legend: Side | None = "r",
    y_format: str | None = None,
    free_x: bool = False,
) -> ScatterChart:
    """Lines over whole numbers from 0 on, such as steps, with titled axes; with `free_x`, over any numbers.

    The x axis ends on a round number after the last x unless x_max is given; the y axis follows the data where it has
    no y_min or y_max. legend is "r", "b", "t" or None. ValueError for more series than Excel draws.
    """
    if not 1 <= len(series) <= MAX_SERIES:
        raise ValueError(f"{len(series)} series; a chart holds 1 to {MAX_SERIES}")
    chart = ScatterChart(scatterStyle="lineMarker", varyColors=False)
    chart.roundedCorners = False
    chart.display_blanks = "gap"
    chart.graphical_properties = GraphicalProperties(solidFill=WHITE, ln=_line(HAIR, 0.75))
    chart.plot_area.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
    chart.title = None if title is None else _title(title, 13, NAVY, bold=True)
    chart.legend = None if legend is None else _legend(legend)
    for index, one in enumerate(series):
        chart.series.append(_xy(one, index))
    if free_x:
        _style_axis(chart.x_axis, x_title, "General", "b", None)
        chart.x_axis.majorGridlines = None
    else:
        _style_x(chart.x_axis, x_title, series, x_max)
    _style_y(chart.y_axis, y_title, y_format or ("0E+00" if log_y else "General"))
    if log_y:
        chart.y_axis.scaling.logBase = 10
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = y_min, y_max
    return chart


def place(ws: Worksheet, chart: ScatterChart, top_left: str, bottom_right: str, words: str) -> None:
    """Put the chart over the cells top_left to bottom_right inclusive; the words tell it to who does not see it."""
    (row0, col0), (row1, col1) = coordinate_to_tuple(top_left), coordinate_to_tuple(bottom_right)
    _anchor(ws, chart, AnchorMarker(col=col0 - 1, row=row0 - 1), AnchorMarker(col=col1, row=row1), words)


def place_box(ws: Worksheet, chart: ScatterChart, box: tuple[float, float, float, float], words: str) -> None:
    """The same over a rectangle: left, top, right and bottom in pixels from the sheet's top left.

    The sheet's widths and heights must be set.
    """
    grid = Grid(ws)
    left, top, right, bottom = (edge * EMU_PER_PIXEL for edge in box)
    start, end = AnchorMarker(*grid.marker((left, top))), AnchorMarker(*grid.marker((right, bottom)))
    _anchor(ws, chart, start, end, words)


def _anchor(ws: Worksheet, chart: ScatterChart, start: AnchorMarker, end: AnchorMarker, words: str) -> None:
    placed: Any = chart
    placed.anchor = TwoCellAnchor(editAs="oneCell", _from=start, to=end)
    placed.words = words
    ws.add_chart(chart)


def _line(color: str, points: float, dash: Dash = "solid") -> LineProperties:
    return LineProperties(w=round(points * EMU_PER_POINT), solidFill=color, prstDash=dash, cap="rnd")


def _characters(size: float, color: str, bold: bool = False) -> CharacterProperties:
    return CharacterProperties(sz=round(size * 100), b=bold, solidFill=color, latin=Font(typeface=FONT))


def _body(size: float, color: str, bold: bool = False, turn: int | None = None) -> RichText:
    """Text properties for an axis, legend or live title; turn is in 60,000ths of a degree."""
    look_of_text = ParagraphProperties(defRPr=_characters(size, color, bold))
    return RichText(
        bodyPr=RichTextProperties(rot=turn, vert=None if turn is None else "horz"),
        p=[Paragraph(pPr=look_of_text, r=[], endParaRPr=CharacterProperties(lang="en-US"))],
    )


def _title(text: str | Live, size: float, color: str, *, bold: bool = False, turn: int | None = None) -> Title:
    if isinstance(text, Live):
        live = Text(strRef=StrRef(f=text.ref, strCache=_TextCache(text)))
        return Title(tx=live, overlay=False, txPr=_body(size, color, bold, turn))
    rich = _body(size, color, bold, turn)
    look_of_run = _characters(size, color, bold)
    rich.p[0].r = [RegularTextRun(rPr=look_of_run, t=text)]
    rich.p[0].endParaRPr = None
    return Title(tx=Text(rich=rich), overlay=False)


def _legend(position: Side) -> Legend:
    return Legend(legendPos=position, overlay=False, txPr=_body(9, INK))


def _size(ref: str) -> int:
    """The number of cells of a range of one area."""
    col0, row0, col1, row1 = range_boundaries(ref.rsplit("!", 1)[1].replace("$", ""))
    assert col0 is not None and row0 is not None and col1 is not None and row1 is not None
    return (col1 - col0 + 1) * (row1 - row0 + 1)


def _checked(ref: str, numbers: Sequence[float | str | None]) -> NumRef:
    if "!" not in ref or "$" not in ref:
        raise ValueError(f"{ref!r} is not absolute with its sheet; see reference()")
    if _size(ref) != len(numbers):
        raise ValueError(f"{ref} has {_size(ref)} cells, but {len(numbers)} numbers were given for it")
    return NumRef(f=ref, numCache=Cache(numbers))


def _xy(one: Series, index: int) -> XYSeries:
    """The chart's series: a plain line, with dots only where a line would hardly show (at most three points)."""
    hue, dash = look(index)
    color = one.color or hue
    made = XYSeries(idx=index, order=index)
    made.xVal = AxDataSource(numRef=_checked(one.x_ref, one.xs))
    made.yVal = NumDataSource(numRef=_checked(one.y_ref, one.ys))
    made.tx = _label(one.name)
    width = one.width * (1.0 if one.dash else thickness(index))
    line = LineProperties(noFill=True) if one.dots else _line(color, width, one.dash or dash)
    made.spPr = GraphicalProperties(ln=line)
    dotted = len(_finite(one.ys)) <= 3 if one.dots is None else one.dots
    made.marker = _dots(color) if dotted else Marker(symbol="none")
    made.smooth = False
    return made


def _label(name: str | Live) -> SeriesLabel:
    if isinstance(name, str):
        return SeriesLabel(v=name)
    return SeriesLabel(strRef=StrRef(f=name.ref, strCache=_TextCache(name)))


def _dots(color: str) -> Marker:
    return Marker(symbol="circle", size=6, spPr=GraphicalProperties(solidFill=color, ln=_line(color, 0.75)))


def _style_axis(axis: Any, title: str, number_format: str, position: str, turn: int | None) -> None:
    """What both axes share. Each crosses the other at its low end, with labels there, also below zero."""
    axis.delete = False
    axis.axPos = position
    axis.title = _title(title, 10, MUTED, turn=turn)
    axis.number_format = number_format
    axis.numFmt.sourceLinked = False
    axis.majorTickMark, axis.minorTickMark = "out", "none"
    axis.tickLblPos = "low"
    axis.crosses = "min"
    axis.scaling.orientation = "minMax"
    axis.spPr = GraphicalProperties(ln=_line(RULE, 1.0))
    axis.txPr = _body(9, INK)


def _style_x(axis: Any, title: str, series: Sequence[Series], x_max: float | None) -> None:
    _style_axis(axis, title, "0", "b", None)
    axis.majorGridlines = None
    last = max((x for one in series for x in _finite(one.xs)), default=1.0)
    unit = max(tick(last if x_max is None else x_max), 1.0)
    axis.majorUnit = unit
    axis.scaling.min = 0.0
    axis.scaling.max = unit * max(1, math.ceil(last / unit - 1e-9)) if x_max is None else x_max


def _style_y(axis: Any, title: str, number_format: str) -> None:
    _style_axis(axis, title, number_format, "l", -5400000)
    axis.majorGridlines.spPr = GraphicalProperties(ln=_line(HAIR, 0.75))
