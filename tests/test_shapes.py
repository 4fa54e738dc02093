"""Shapes over cells: their geometry in numbers, and the XML that carries it."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import tostring

from sheetgen.xlsx.shapes import Canvas, Ellipse, Grid, Stroke

XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
PIXEL, POINT = 9525, 12700


@pytest.fixture
def ws() -> Worksheet:
    """Columns of 26, 117, 64 (not set) pixels; rows of 18, 15 (not set) and 30 points."""
    sheet = Workbook().worksheets[0]
    sheet.column_dimensions["A"].width = 3.7109375
    sheet.column_dimensions["B"].width = 16.7109375
    sheet.row_dimensions[1].height = 18
    sheet.row_dimensions[3].height = 30
    return sheet


def element(shape: Any) -> ElementTree.Element:
    return ElementTree.fromstring(tostring(shape.to_tree()))


def corner(root: ElementTree.Element, name: str) -> tuple[int, ...]:
    """(col, colOff, row, rowOff)."""
    found = root.find(f"{XDR}{name}")
    assert found is not None
    assert [e.tag for e in found] == [XDR + part for part in ("col", "colOff", "row", "rowOff")]
    return tuple(int(e.text or "") for e in found)


def test_grid_measures_as_excel_does(ws: Worksheet) -> None:
    """26, 117 and 64 pixels are what Excel shows for these widths in Calibri 11."""
    grid = Grid(ws)
    assert [grid.width(column) // PIXEL for column in (1, 2, 3)] == [26, 117, 64]
    assert [grid.height(row) // POINT for row in (1, 2, 3)] == [18, 15, 30]
    assert (grid.left(1), grid.left(4)) == (0, (26 + 117 + 64) * PIXEL)
    assert grid.top(4) == 63 * POINT
    assert list(ws.column_dimensions) == ["A", "B"]
    assert list(ws.row_dimensions) == [1, 3]


@pytest.mark.parametrize("place", [(1, 1, 0.0, 0.0), (2, 3, 0.5, 0.25), (4, 2, 0.99, 0.0), (3, 1, 0.0, 0.99)])
def test_marker_finds_the_cell_again(ws: Worksheet, place: tuple[int, int, float, float]) -> None:
    """A place becomes a point and the point the same place; offsets stay inside the cell."""
    grid = Grid(ws)
    column, dx, row, dy = grid.marker(grid.point(place))
    assert (column + 1, row + 1) == place[:2]
    assert dx == pytest.approx(place[2] * grid.width(column + 1), abs=1)
    assert dy == pytest.approx(place[3] * grid.height(row + 1), abs=1)
    assert 0 <= dx < grid.width(column + 1)
    assert 0 <= dy < grid.height(row + 1)


def test_the_end_of_a_cell_is_the_start_of_the_next(ws: Worksheet) -> None:
    """No offset as large as its cell: programs clamp those."""
    assert Grid(ws).marker(Grid(ws).point((2, 3, 1, 1))) == (2, 0, 3, 0)


def test_ellipse_lies_around_its_cells_and_hides_none(ws: Worksheet) -> None:
    """From A2's corner to the end of B3, an outline without fill; the geometry returned is the one drawn."""
    shapes: list[Any] = []
    drawn = Canvas(ws, shapes).ellipse((1, 2, 0, 0), (2, 3, 1, 1), Stroke("1B8A6B", 2.0), "of <h>", "h & <1>")
    root = element(shapes[0])
    assert (corner(root, "from"), corner(root, "to")) == ((0, 0, 1, 0), (2, 0, 3, 0))
    looks = root.find(f"{XDR}sp/{XDR}spPr")
    assert looks is not None
    assert [e.tag for e in looks] == [A + part for part in ("xfrm", "prstGeom", "noFill", "ln")]
    assert looks[3].attrib["w"] == "25400"
    assert drawn == Ellipse((143 * PIXEL / 2, 40.5 * POINT), (143 * PIXEL / 2, 22.5 * POINT))
    name = root.find(f"{XDR}sp/{XDR}nvSpPr/{XDR}cNvPr")
    assert name is not None
    assert name.attrib["name"] == "h & <1> 1"


@pytest.mark.parametrize("point", [(500.0, 0.0), (500.0, 90.0), (-300.0, -80.0), (0.0, 400.0)])
def test_toward_is_on_the_outline_and_on_the_way(point: tuple[float, float]) -> None:
    ellipse = Ellipse((10.0, 20.0), (60.0, 30.0))
    x, y = ellipse.toward(point)
    assert ((x - 10) / 60) ** 2 + ((y - 20) / 30) ** 2 == pytest.approx(1)
    dx, dy = point[0] - 10, point[1] - 20
    assert (x - 10) * dy == pytest.approx((y - 20) * dx, abs=1e-6)
    assert (x - 10) * dx + (y - 20) * dy > 0


def test_toward_keeps_to_its_side() -> None:
    """A steep line leaves at the limit, still on the outline and on the side of the point."""
    ellipse = Ellipse((0.0, 0.0), (60.0, 30.0))
    expected = 60 * math.cos(math.radians(25)), 30 * math.sin(math.radians(25))
    assert ellipse.toward((70.0, 5000.0), 25) == pytest.approx(expected)
    assert ellipse.toward((-70.0, -5000.0), 25) == pytest.approx((-expected[0], -expected[1]))


@pytest.mark.parametrize(
    ("end", "flips"),
    [
        ((9.0, 9.0), {}),
        ((9.0, 1.0), {"flipV": "1"}),
        ((1.0, 9.0), {"flipH": "1"}),
        ((1.0, 1.0), {"flipH": "1", "flipV": "1"}),
    ],
)
def test_an_arrow_points_to_its_end(ws: Worksheet, end: tuple[float, float], flips: dict[str, str]) -> None:
    """A box has no direction: going left or up is said by flips, with the head at the end."""
    shapes: list[Any] = []
    start = 5.0 * PIXEL, 5.0 * PIXEL
    Canvas(ws, shapes).arrow(start, (end[0] * PIXEL, end[1] * PIXEL), Stroke(), "an arrow")
    root = element(shapes[0])
    looks = root.find(f"{XDR}cxnSp/{XDR}spPr")
    assert looks is not None
    frame = looks[0]
    assert frame.attrib == flips
    assert frame[0].attrib == {axis: str(round(min(5.0, to) * PIXEL)) for axis, to in zip("xy", end, strict=True)}
    assert frame[1].attrib == {"cx": str(4 * PIXEL), "cy": str(4 * PIXEL)}
    assert [e.tag for e in looks[-1]][-1] == f"{A}tailEnd"


def test_a_line_has_no_head_and_a_flat_one_no_height(ws: Worksheet) -> None:
    shapes: list[Any] = []
    Canvas(ws, shapes).line((0.0, 100.0), (5000.0, 100.0), Stroke(), "a line")
    root = element(shapes[0])
    assert root.find(f".//{A}tailEnd") is None
    size = root.find(f".//{A}ext")
    assert size is not None
    assert size.attrib == {"cx": "5000", "cy": "0"}


def test_shapes_have_numbers_of_their_own(ws: Worksheet) -> None:
    shapes: list[Any] = []
    canvas = Canvas(ws, shapes)
    canvas.ellipse((1, 1, 0, 0), (2, 2, 1, 1), Stroke(dash="sysDash"), "dashed")
    canvas.ellipse((1, 1, 0, 0), (2, 2, 1, 1), Stroke(), "solid")
    kinds = [element(shape).find(f".//{A}prstGeom") for shape in shapes]
    assert [kind.attrib["prst"] for kind in kinds if kind is not None] == ["ellipse"] * 2
    ids = {element(shape).find(f".//{XDR}cNvPr").attrib["id"] for shape in shapes}  # type: ignore[union-attr]
    assert len(ids) == 2
