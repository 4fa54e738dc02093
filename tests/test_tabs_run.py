"""What a training tab shows on its first screen, and what the workbook prints."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl.utils import range_boundaries

from cnn.live.tabs import add_live_tabs
from sheetgen.build import build
from sheetgen.check.office import PDF, convert
from sheetgen.lessons.exercise import make_exercise
from sheetgen.lessons.workbook import fill_exercise
from sheetgen.spec import load, override, template_names
from sheetgen.tabs.layout import GROUP_ROW, HEADER_ROW, TABLE_TOP
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.run import MARK_ROW
from sheetgen.tabs.workbook import fill_book
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.shapes import Grid
from sheetgen.xlsx.units import EMU_PER_PIXEL, PAGE_HEIGHT, PAGE_WIDTH

# What Excel shows of a sheet on a screen of 1366×768, in pixels; and rows of a table that are worth the name.
ACROSS, DOWN, ROWS = 1306, 488, 11


class Box(NamedTuple):
    """A rectangle on a sheet, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


QUICK = ("erav2", "and_online", "optimizers")
EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in template_names()]


@lru_cache
def short(name: str) -> Book:
    return fill_book(make_plan(override(load(name), steps=3)))


def box_of(grid: Grid, start: Any, end: Any) -> Box:
    """Between two markers of an anchor."""
    corners = [(grid.left(m.col + 1) + m.colOff, grid.top(m.row + 1) + m.rowOff) for m in (start, end)]
    return Box(*(edge / EMU_PER_PIXEL for corner in corners for edge in corner))


def chart_boxes(tab: Tab) -> list[Box]:
    grid, ws = Grid(tab.ws), tab.ws
    charts: list[Any] = ws._charts  # type: ignore[attr-defined]
    return [box_of(grid, chart.anchor._from, chart.anchor.to) for chart in charts]


def filled_boxes(tab: Tab) -> list[Box]:
    """Where contents stand: merged cells whole, long text as far as it runs over its neighbours."""
    grid, found = Grid(tab.ws), []
    merged = {str(one.coord).split(":")[0]: one for one in tab.ws.merged_cells.ranges}
    for row in tab.ws.iter_rows():
        for cell in row:
            if cell.value is None:
                continue
            one = merged.get(cell.coordinate)
            right, bottom = (one.max_col, one.max_row) if one else (cell.column, cell.row)
            ends = grid.left(cell.column), grid.top(cell.row), grid.left(right + 1), grid.top(bottom + 1)
            found.append(Box(*(end / EMU_PER_PIXEL for end in ends)))
    return found


def overlap(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return across > 0 and down > 0


def check_first_screen(tab: Tab) -> None:
    """Both charts and eleven rows of the table are on it, and no chart covers what a cell shows."""
    grid = Grid(tab.ws)
    first, second = sorted(chart_boxes(tab), key=lambda box: (box.top, box.left))[:2]
    assert first.right <= second.left
    assert second.right <= ACROSS
    for one in (first, second):
        assert one.right - one.left >= 300
        assert one.bottom - one.top >= 150
        assert one.bottom <= grid.top(MARK_ROW) / EMU_PER_PIXEL
        assert [cell for cell in filled_boxes(tab) if overlap(one, cell)] == []
    assert tab.ws.freeze_panes == f"B{TABLE_TOP}"
    assert grid.top(HEADER_ROW + ROWS + 1) / EMU_PER_PIXEL <= DOWN
    # the text of the head: its cell is as wide as the first chart leaves it, and high enough for its lines
    lead = next(one for one in tab.ws.merged_cells.ranges if str(one.coord).startswith("B2:"))
    width = (grid.left(lead.max_col + 1) - grid.left(2)) / EMU_PER_PIXEL
    lines = -(-len(str(tab.ws["B2"].value)) * 6.2 // width)
    assert lines * 20 <= grid.height(2) / EMU_PER_PIXEL


@pytest.mark.parametrize("name", EVERY)
def test_loss_and_weights_are_on_the_first_screen(name: str) -> None:
    book = short(name)
    runs = [tab for tab in book.tabs if tab.ws.cell(HEADER_ROW, 1).value == "step"]
    assert runs
    for tab in runs:
        check_first_screen(tab)


def test_an_exercise_has_its_marks_below_the_charts() -> None:
    book = fill_exercise(make_exercise(load("erav2"), rate=0.5))
    [tab] = [tab for tab in book.tabs if tab.ws.title == "lr 0.5"]
    assert [cell.column for cell in tab.ws[MARK_ROW] if cell.value is not None] != []
    check_first_screen(tab)
    assert GROUP_ROW == MARK_ROW + 1


@pytest.mark.parametrize("name", ["erav2", "optimizers", pytest.param("deep", marks=pytest.mark.slow)])
def test_the_network_fits_the_screen(name: str) -> None:
    """From the first input to E_total, zoomed out to half at most."""
    [tab] = [tab for tab in short(name).tabs if tab.ws.title == "Network"]
    grid, zoom = Grid(tab.ws), tab.ws.sheet_view.zoomScale or 100
    right = max(grid.left(shape.high[0] + 1) + shape.high[1] for shape in tab.shapes)  # type: ignore[attr-defined]
    assert zoom >= 50
    assert right / EMU_PER_PIXEL * zoom / 100 <= (ACROSS if name != "deep" else 1.1 * ACROSS)
    if name == "erav2":
        bottom = max(grid.top(shape.high[2] + 1) + shape.high[3] for shape in tab.shapes)  # type: ignore[attr-defined]
        assert bottom / EMU_PER_PIXEL * zoom / 100 <= DOWN


@pytest.mark.parametrize("name", EVERY)
def test_a_page_shows_the_whole_picture_and_what_fits_of_the_list(name: str) -> None:
    """The outlines with their pens; of the default's list all, of a longer one as many rows as there is room for."""
    [tab] = [tab for tab in short(name).tabs if tab.ws.title == "Network"]
    grid = Grid(tab.ws)
    _, _, right, bottom = range_boundaries(str(tab.ws.print_area).rpartition("!")[2])
    assert right and bottom
    width = grid.left(right + 1) / EMU_PER_PIXEL
    ends = [grid.left(shape.high[0] + 1) + shape.high[1] for shape in tab.shapes]  # type: ignore[attr-defined]
    assert max(ends, default=0) / EMU_PER_PIXEL + 2 < width, "half a pen would be cut off"
    height = PAGE_HEIGHT * max(1, width / PAGE_WIDTH)
    lowest = max(row for row, column in tab.ws._cells if column >= 4)
    if bottom < tab.ws.max_row:
        assert name != "erav2"
        assert bottom == lowest or grid.top(bottom + 1) / EMU_PER_PIXEL <= height < grid.top(bottom + 2) / EMU_PER_PIXEL


def test_the_gradient_check_fits_the_screen() -> None:
    """The default workbook's, to its last verdict."""
    [tab] = [tab for tab in short("erav2").tabs if tab.ws.title == "Gradient check"]
    grid = Grid(tab.ws)
    last = max(cell.row for cell in tab.ws["A"] if str(cell.value) == "w8")
    assert grid.left(11) / EMU_PER_PIXEL <= ACROSS
    assert grid.top(last + 1) / EMU_PER_PIXEL <= DOWN
    assert tab.ws.sheet_view.zoomScale == 100


def test_a_page_shows_the_first_some_and_the_last_rows() -> None:
    """Of the loss, the weights and their gradients, where they fit; each cell is one of the table."""
    plan = make_plan(load("erav2"))
    tab = next(tab for tab in fill_book(plan).tabs if tab.ws.title == "lr 1")
    area = str(tab.ws.print_area).rpartition("!")[2].replace("$", "")
    rows = [[cell.value for cell in row] for row in tab.ws[area]]
    names = {f"={letter}": symbol.name for symbol, letter in plan.first.table.letters.items()}
    head = next(at for at, row in enumerate(rows) if row[0] == f"=A{HEADER_ROW}")
    shown = [names[str(label).removesuffix(str(HEADER_ROW))] for label in rows[head]]
    assert shown[:3] == ["step", "E_total", "w1"]
    assert shown[-1] == "∂E/∂w8"
    steps = [int(str(row[0])[2:]) - TABLE_TOP for row in rows[head + 1 :]]
    assert steps[0] == 0
    assert steps[-1] == plan.spec.steps
    assert len({after - before for before, after in pairwise(steps[:-1])}) == 1
    for step, row in zip(steps, rows[head + 1 :], strict=True):
        assert row == [f"{str(label).removesuffix(str(HEADER_ROW))}{TABLE_TOP + step}" for label in rows[head]]


def pages(workbook: Path, folder: Path) -> dict[str, int]:
    """How many pages LibreOffice prints of each tab, by the footers; no number is cut, and none is an error."""
    [pdf] = convert([workbook], folder / "pdf", PDF, recalculate=False)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    found: dict[str, int] = {}
    assert "###" not in text
    assert "Err:" not in text
    for page in text.split("\f")[:-1]:
        footer = next(line for line in reversed(page.splitlines()) if line.strip())
        tab = re.split(r"\s{3,}", footer.strip())[0]
        found[tab] = found.get(tab, 0) + 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", template_names())
def test_it_prints_on_few_pages(name: str, tmp_path: Path, soffice: Path) -> None:
    """A training tab and Network on one, and a check of a few gradients; fewer steps make no fewer pages."""
    spec = load(name)
    path = tmp_path / "book.xlsx"
    build(override(spec, steps=min(spec.steps, 80)), path)
    found = pages(path, tmp_path)
    assert {one.label: found[one.label] for one in spec.runs} == {one.label: 1 for one in spec.runs}
    assert found["Network"] == found["Compare"] == 1
    assert found["Gradient check"] == (2 if name == "deep" else 1)
    assert sum(found.values()) <= (20 if name == "erav2" else 40)


@pytest.mark.slow
def test_the_live_digit_network_prints_its_pictures_only(tmp_path: Path, soffice: Path) -> None:
    from live_runs import live_run

    from cnn.run import read_run

    path = tmp_path / "book.xlsx"
    run = live_run(tmp_path / "run")
    build(override(load("mazur"), steps=2), path, extra=lambda book: add_live_tabs(book, read_run(run)))
    found = pages(path, tmp_path)
    assert (found["Draw"], found["Layers"], found.get("Kernels")) == (1, 1, None)
