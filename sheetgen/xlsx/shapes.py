"""Drawing shapes over cells that leave the cells visible: ellipses, lines and arrows.

A spot is (column, row, across, down): a one-based cell and fractions of its width and height from its top left.
A point is (x, y) in EMU (914,400 to the inch) from the sheet's top left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import DRAWING_NS, SHEET_DRAWING_NS
from openpyxl.xml.functions import fromstring

from sheetgen.xlsx.style import MUTED
from sheetgen.xlsx.units import EMU_PER_PIXEL, EMU_PER_POINT

# Excel's standard column with its padding, 64 pixels in Calibri 11.
DEFAULT_WIDTH = 9.140625
DEFAULT_HEIGHT = 15.0
# openpyxl numbers the charts and pictures of a drawing from 1; no drawing here holds a thousand of them.
FIRST_ID = 1001

Spot = tuple[int, int, float, float]
Point = tuple[float, float]
Marker = tuple[int, int, int, int]


@dataclass
class Grid:
    """Where the sheet's columns and rows lie.

    Widths are Excel's for Calibri 11, whose digits are 7 pixels wide (ECMA-376 part 1, 18.3.1.13). Edges are
    remembered: set the sheet's widths and heights before measuring.
    """

    ws: Worksheet
    _lefts: list[int] = field(default_factory=lambda: [0])
    _tops: list[int] = field(default_factory=lambda: [0])

    def width(self, column: int) -> int:
        """The width of a one-based column."""
        found = self.ws.column_dimensions.get(get_column_letter(column))
        characters = found.width if found is not None else DEFAULT_WIDTH
        return math.floor((256 * characters + math.floor(128 / 7)) / 256 * 7) * EMU_PER_PIXEL

    def height(self, row: int) -> int:
        """The height of a one-based row."""
        found = self.ws.row_dimensions.get(row)
        points = found.height if found is not None and found.height is not None else DEFAULT_HEIGHT
        return round(points * EMU_PER_POINT)

    def left(self, column: int) -> int:
        """The x where a one-based column begins."""
        return _edge(self._lefts, column - 1, self.width)

    def top(self, row: int) -> int:
        """The y where a one-based row begins."""
        return _edge(self._tops, row - 1, self.height)

    def point(self, place: Spot) -> Point:
        """The place as a point."""
        column, row, across, down = place
        return self.left(column) + across * self.width(column), self.top(row) + down * self.height(row)

    def marker(self, point: Point) -> Marker:
        """The zero-based column that holds the point and the offset in it, then the same for the row."""
        return *_cell_at(round(point[0]), self.left), *_cell_at(round(point[1]), self.top)


def _edge(edges: list[int], index: int, size: Callable[[int], int]) -> int:
    """The running sum of sizes at a zero-based index, remembered in edges."""
    while len(edges) <= index:
        edges.append(edges[-1] + size(len(edges)))
    return edges[index]


def _cell_at(position: int, start: Callable[[int], int]) -> tuple[int, int]:
    """The zero-based column or row that holds the position, and the offset in it."""
    number = 1
    while start(number + 1) <= position:
        number += 1
    return number - 1, position - start(number)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse on the sheet."""

    center: Point
    radii: Point

    def toward(self, point: Point, most: float = 90.0) -> Point:
        """Where the straight line from the centre to a point outside crosses the outline, but at most this many degrees
        (of the circle that the ellipse is a stretched picture of) above or below its left or right end."""
        (cx, cy), (rx, ry) = self.center, self.radii
        side = math.copysign(1.0, point[0] - cx)
        angle = math.atan2((point[1] - cy) / ry, abs(point[0] - cx) / rx)
        limit = math.radians(most)
        angle = min(max(angle, -limit), limit)
        return cx + side * rx * math.cos(angle), cy + ry * math.sin(angle)


@dataclass(frozen=True)
class Stroke:
    """How an outline or a line is drawn; width in points."""

    color: str = MUTED
    width: float = 1.0
    dash: str = "solid"

    def xml(self, head: bool) -> str:
        """The `a:ln` element, with an arrow head at the end on request."""
        end = '<a:tailEnd type="triangle" w="med" len="med"/>' if head else ""
        return (
            f'<a:ln w="{round(self.width * EMU_PER_POINT)}"><a:solidFill><a:srgbClr val="{self.color}"/></a:solidFill>'
            f'<a:prstDash val="{self.dash}"/><a:round/>{end}</a:ln>'
        )


@dataclass(frozen=True)
class Anchor:
    """One shape and the cells that it moves and grows with; a connector if kind is a connector's."""

    number: int
    name: str
    words: str
    kind: str
    low: Marker
    high: Marker
    box: tuple[int, int, int, int]
    stroke: Stroke
    flip: tuple[bool, bool] = (False, False)
    head: bool = False

    def to_tree(self) -> Any:
        """The `xdr:twoCellAnchor` element (ECMA-376 part 1, 20.5.2.33)."""
        body = self._connector() if "Connector" in self.kind else self._shape()
        return fromstring(
            f'<xdr:twoCellAnchor xmlns:xdr="{SHEET_DRAWING_NS}" xmlns:a="{DRAWING_NS}" editAs="twoCell">'
            f"<xdr:from>{_marker_xml(self.low)}</xdr:from><xdr:to>{_marker_xml(self.high)}</xdr:to>"
            f"{body}<xdr:clientData/></xdr:twoCellAnchor>"
        )

    def _shape(self) -> str:
        return (
            f'<xdr:sp macro="" textlink=""><xdr:nvSpPr>{self._identity()}<xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr>'
            f"{self._place()}<a:noFill/>{self.stroke.xml(self.head)}</xdr:spPr></xdr:sp>"
        )

    def _connector(self) -> str:
        return (
            f'<xdr:cxnSp macro=""><xdr:nvCxnSpPr>{self._identity()}<xdr:cNvCxnSpPr/></xdr:nvCxnSpPr><xdr:spPr>'
            f"{self._place()}{self.stroke.xml(self.head)}</xdr:spPr></xdr:cxnSp>"
        )

    def _identity(self) -> str:
        return f'<xdr:cNvPr id="{self.number}" name={quoteattr(self.name)} descr={quoteattr(self.words)}/>'

    def _place(self) -> str:
        x, y, cx, cy = self.box
        flips = "".join(f' {name}="1"' for name, on in zip(("flipH", "flipV"), self.flip, strict=True) if on)
        return (
            f'<a:xfrm{flips}><a:off x="{x}" y="{y}"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm>'
            f'<a:prstGeom prst="{self.kind}"><a:avLst/></a:prstGeom>'
        )


def _marker_xml(marker: Marker) -> str:
    names = ("col", "colOff", "row", "rowOff")
    return "".join(f"<xdr:{name}>{number}</xdr:{name}>" for name, number in zip(names, marker, strict=True))


@dataclass
class Canvas:
    """Draws on a sheet by appending to a list of shapes, such as a tab's; words tell a shape to who does not see it."""

    ws: Worksheet
    shapes: list[Any]
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        self.grid = Grid(self.ws)

    def ellipse(self, first: Spot, last: Spot, stroke: Stroke, words: str, name: str = "Ellipse") -> Ellipse:
        """An outline that touches the sides of the box between two places; its geometry."""
        (x0, y0), (x1, y1) = low, high = self.grid.point(first), self.grid.point(last)
        self._add(name, words, "ellipse", low, high, stroke)
        return Ellipse(((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2))

    def line(
        self, start: Point, end: Point, stroke: Stroke, words: str, *, head: bool = False, name: str = "Line"
    ) -> None:
        """A straight connector, with an arrow head at its end on request."""
        low = min(start[0], end[0]), min(start[1], end[1])
        high = max(start[0], end[0]), max(start[1], end[1])
        flip = end[0] < start[0], end[1] < start[1]
        self._add(name, words, "straightConnector1", low, high, stroke, flip=flip, head=head)

    def arrow(self, start: Point, end: Point, stroke: Stroke, words: str, name: str = "Arrow") -> None:
        """A straight connector with a head at its end."""
        self.line(start, end, stroke, words, head=True, name=name)

    def _add(self, name: str, words: str, kind: str, low: Point, high: Point, stroke: Stroke, **more: Any) -> None:
        x, y = round(low[0]), round(low[1])
        box = x, y, round(high[0]) - x, round(high[1]) - y
        number = FIRST_ID + len(self.shapes)
        markers = self.grid.marker(low), self.grid.marker(high)
        self.shapes.append(
            Anchor(number, f"{name} {number - FIRST_ID + 1}", words, kind, *markers, box, stroke, **more)
        )
