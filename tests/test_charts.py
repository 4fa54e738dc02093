"""Charts as they reach the file: every rule that Excel and previewers need."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import Workbook

from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import MAX_SERIES, Formula
from sheetgen.xlsx.charts import HUES, Live, Series, chart_xml, look, place, reference, scatter, tick
from sheetgen.xlsx.package import save
from sheetgen.xlsx.shapes import Canvas, Stroke

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def line(ys: Sequence[Any], name: str | Live = "E_total", **more: Any) -> Series:
    last = 7 + len(ys)
    x_ref, y_ref = reference("lr 0.1", f"A8:A{last}"), reference("lr 0.1", f"X8:X{last}")
    return Series(name, x_ref, y_ref, list(range(len(ys))), ys, **more)


def xml(*series: Series, title: str | Live | None = "E_total", **options: Any) -> ElementTree.Element:
    chart: Any = scatter(title, "step", "loss", series, **options)
    return ElementTree.fromstring(chart_xml(chart))


def axes(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """The two value axes by position."""
    found = {}
    for axis in root.iter(f"{C}valAx"):
        position = axis.find(f"{C}axPos")
        assert position is not None
        found[position.attrib["val"]] = axis
    return found


def value(parent: ElementTree.Element, path: str) -> str:
    found = parent.find("/".join(C + step for step in path.split("/")))
    assert found is not None, path
    return found.attrib["val"]


def test_what_must_always_be_said_is_said() -> None:
    """No rounded corners, no overlays, no smoothing, a style, axes shown at the bottom and the left."""
    root = xml(line([3.0, 2.0, 1.0, 0.5]))
    assert value(root, "roundedCorners") == "0"
    assert value(root, "chart/plotArea/scatterChart/scatterStyle") == "lineMarker"
    assert {e.attrib["val"] for e in root.iter(f"{C}overlay")} == {"0"}
    assert len(list(root.iter(f"{C}overlay"))) == 4
    assert value(root, "chart/plotArea/scatterChart/ser/smooth") == "0"
    assert value(root, "chart/plotArea/scatterChart/ser/marker/symbol") == "none"
    assert set(axes(root)) == {"b", "l"}
    for axis in axes(root).values():
        assert value(axis, "delete") == "0"
        assert (value(axis, "crosses"), value(axis, "tickLblPos")) == ("min", "low")
        assert "".join(t.text or "" for t in axis.iter(f"{A}t")) in ("step", "loss")


def test_cache_holds_the_numbers_to_the_last_digit_and_gaps_for_the_rest() -> None:
    """ptCount is the range's size; errors, blanks and what is not finite are left out at their places."""
    ys = [0.1 + 0.2, "#NUM!", None, math.nan, math.inf, 1e-300]
    root = xml(line(ys))
    cache = root.find(f".//{C}yVal/{C}numRef/{C}numCache")
    assert cache is not None
    assert value(cache, "ptCount") == "6"
    points = [(pt.attrib["idx"], pt[0].text) for pt in cache.iter(f"{C}pt")]
    assert points == [("0", "0.30000000000000004"), ("5", "1e-300")]
    assert root.findtext(f".//{C}yVal/{C}numRef/{C}f") == "'lr 0.1'!$X$8:$X$13"


def test_numbers_that_do_not_fit_their_range_are_refused() -> None:
    good = line([1.0, 2.0])
    with pytest.raises(ValueError, match="2 cells, but 3 numbers"):
        xml(Series("a", good.x_ref, good.y_ref, good.xs, [1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="not absolute"):
        xml(Series("a", "A8:A9", good.y_ref, good.xs, good.ys))


def test_titles_and_names_can_follow_cells() -> None:
    """An absolute reference with its sheet, and the text of now, so that a previewer shows it too."""
    book = Book()
    run, inputs = book.add("it's"), book.add("Inputs")
    inputs.put(4, 2, "rate 0.1")
    run.put(1, 1, Formula('="lr "&0.1'))
    series = line([1.0, 2.0], name=Live(inputs, "B4"))
    chart: Any = scatter(Live(run, "A1"), "step", "loss", [series])
    complete(book)
    root = ElementTree.fromstring(chart_xml(chart))
    refs = {e.findtext(f"{C}f"): e.findtext(f"{C}strCache/{C}pt/{C}v") for e in root.iter(f"{C}strRef")}
    assert refs == {"'it''s'!$A$1": "lr 0.1", "'Inputs'!$B$4": "rate 0.1"}


@pytest.mark.parametrize(("count", "symbol"), [(1, "circle"), (3, "circle"), (4, "none")])
def test_few_points_get_dots(count: int, symbol: str) -> None:
    """A line through at most three points would hardly show, and through one not at all."""
    root = xml(line([1.0] * count + ["#NUM!"] * 5))
    assert value(root, "chart/plotArea/scatterChart/ser/marker/symbol") == symbol


@pytest.mark.parametrize(
    ("steps", "last", "unit"),
    [(1, 1, 1), (10, 10, 1), (67, 70, 10), (99, 100, 10), (150, 160, 20), (10000, 10000, 1000)],
)
def test_steps_begin_at_0_with_round_whole_marks(steps: int, last: float, unit: float) -> None:
    axis = axes(xml(line([1.0] * (steps + 1))))["b"]
    found = [float(value(axis, p)) for p in ("scaling/min", "scaling/max", "majorUnit")]
    assert found == [0, last, unit]
    form = axis.find(f"{C}numFmt")
    assert form is not None
    assert (form.attrib["formatCode"], form.attrib["sourceLinked"]) == ("0", "0")


def test_a_log_axis_follows_the_data() -> None:
    """It has no ends of its own, which would hide what other inputs give; nor has the other axis a base."""
    root = xml(line([0.014, 0.0, -5.0, 3e-7]), log_y=True)
    assert value(axes(root)["l"], "scaling/logBase") in ("10", "10.0")
    assert all(axes(root)["l"].find(f"{C}scaling/{C}{end}") is None for end in ("min", "max"))
    assert axes(root)["b"].find(f"{C}scaling/{C}logBase") is None


@pytest.mark.parametrize("span", [1, 2, 7, 10, 11, 67, 99, 101, 1234, 999_999])
def test_tick_is_the_smallest_that_needs_at_most_ten(span: int) -> None:
    unit = tick(span)
    smaller = {1: 0.5, 2: 0.5, 5: 0.4}[int(f"{unit:e}"[0])] * unit
    assert span / unit <= 10 + 1e-9 < span / smaller + 1e-6


def test_every_series_of_a_full_chart_has_a_look_and_one_more_is_refused() -> None:
    """255 is Excel's limit; the first eighty looks all differ."""
    assert len({look(index) for index in range(80)}) == 80
    root = xml(*[line([1.0, 2.0])] * MAX_SERIES)
    assert [value(s, "idx") for s in root.iter(f"{C}ser")] == [str(i) for i in range(255)]
    with pytest.raises(ValueError, match="256 series"):
        xml(*[line([1.0, 2.0])] * 256)


# How a colour is seen without the cones for green, or for red: linear RGB to linear RGB (Machado and others, 2009).
BLIND = {
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def lab(color: str, matrix: Any) -> list[float]:
    """CIELAB of a hex colour as the matrix has it seen."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    seen = [min(1, max(0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in matrix]
    xyz = [sum(a * b for a, b in zip(row, seen, strict=True)) for row in TO_XYZ]
    scaled = [part / white for part, white in zip(xyz, (0.95047, 1, 1.08883), strict=True)]
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in scaled)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


@pytest.mark.parametrize("missing", BLIND)
def test_no_two_colours_are_alike_to_anybody(missing: str) -> None:
    """A difference of 2.3 is just seen; the first seven are of Compare's lines."""
    seen = [lab(hue, BLIND[missing]) for hue in HUES]
    assert min(math.dist(*pair) for pair in combinations(seen[:7], 2)) > 25
    assert min(math.dist(*pair) for pair in combinations(seen, 2)) > 20


def test_neighbours_differ_in_their_dashes() -> None:
    """So that lines are told apart in grey too."""
    dashes = [look(index)[1] for index in range(80)]
    assert all(one != other for one, other in pairwise(dashes))
    assert len(set(dashes[:7])) == 7


def test_no_two_of_forty_lines_differ_by_colour_alone() -> None:
    """By dash or by thickness too; a chart of eight has lines of one thickness."""
    root = xml(*(line([3.0, 2.0, 1.0, 0.5], f"w{index}") for index in range(40)))
    looks = []
    for drawn in root.iterfind(f".//{C}ser/{C}spPr/{A}ln"):
        dash = drawn.find(f"{A}prstDash")
        assert dash is not None
        looks.append((drawn.attrib["w"], dash.attrib["val"]))
    assert len(set(looks)) == len(looks) == 40
    assert len({width for width, _ in looks[:8]}) == 1


def test_a_series_keeps_its_own_color_dash_and_width() -> None:
    root = xml(line([1.0, 2.0, 3.0, 4.0], color="112233", dash="sysDot", width=3.0))
    drawn = root.find(f".//{C}ser/{C}spPr/{A}ln")
    assert drawn is not None
    assert drawn.attrib["w"] == str(3 * 12700)
    assert drawn[0][0].attrib["val"] == "112233"
    dash = drawn.find(f"{A}prstDash")
    assert dash is not None
    assert dash.attrib["val"] == "sysDot"


def test_place_covers_exactly_the_cells() -> None:
    """From the top left of the first cell to the bottom right of the last."""
    ws: Any = Workbook().worksheets[0]
    chart = scatter("t", "x", "y", [line([1.0])])
    place(ws, chart, "C5", "F20", "a line")
    anchor: Any = chart.anchor
    assert (anchor._from.col, anchor._from.row, anchor.to.col, anchor.to.row) == (2, 4, 6, 20)
    assert (anchor._from.colOff, anchor.to.colOff, anchor.to.rowOff) == (0, 0, 0)
    assert ws._charts == [chart]


def test_charts_and_shapes_of_a_tab_reach_the_file_together(tmp_path: Path) -> None:
    """The drawing holds a frame for every chart, then the shapes, each with an id of its own."""
    book = Book()
    tab = book.add("lr 0.1")
    for corner in ("A1", "J1"):
        end = "H20" if corner == "A1" else "R20"
        place(tab.ws, scatter("t", "x", "y", [line([1.0, 2.0])]), corner, end, f"lines at {corner} & beyond")
    Canvas(tab.ws, tab.shapes).ellipse((1, 30, 0, 0), (2, 31, 1, 1), Stroke(), "a circle")
    save(book, tmp_path / "book.xlsx")
    drawing = ElementTree.fromstring(zipfile.ZipFile(tmp_path / "book.xlsx").read("xl/drawings/drawing1.xml"))
    kinds = [[part.tag.split("}")[1] for part in anchor][2] for anchor in drawing]
    assert kinds == ["graphicFrame", "graphicFrame", "sp"]
    ids = [part.attrib["id"] for part in drawing.iter() if part.tag.endswith("}cNvPr")]
    assert len(set(ids)) == 3
    told = [part.attrib["descr"] for part in drawing.iter() if part.tag.endswith("}cNvPr")]
    assert told == ["lines at A1 & beyond", "lines at J1 & beyond", "a circle"]
