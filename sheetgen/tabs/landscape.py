"""The Landscape tab: E_total over two parameters, at the chosen rate and step, with slices and their tangents."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Symbol

from sheetgen.errors import ExcelError
from sheetgen.maths.network import Parameter
from sheetgen.maths.rules import STEP
from sheetgen.tabs import landscape_passes
from sheetgen.tabs.landscape_passes import GRADIENT, HIGH, LOW, PARAMETERS_NAME, VALUE, Choice, Passes
from sheetgen.tabs.panel import Cell, edges, line
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.charts import HUES, Series, place, scatter
from sheetgen.xlsx.heat import grid_size, mark_where, scale
from sheetgen.xlsx.page import judge_zero, note
from sheetgen.xlsx.style import color_where, furnish

__all__ = ["TITLE", "fill", "left_out"]

TITLE = "Landscape"
PANEL = (20.0, 13.0, 13.0, 2.0, 9.0)
CELL_WIDTH, SIDE_HEIGHT = 1.9, 349.0
GRID_TOP, GRID_LEFT = 4, 6
CHARTS, CHART_WIDTH = 8, 9.0
ZOOM = 85
# Lines of the panel, each as high as one or two rows of the grid.
HEAD, NAME, HERE, SLOPE, FROM, TO, LOSS, APART, RUN, LEGEND = range(10)
SMALL = 16
HERE_MARK, START_MARK, PATH_MARK = "◆", "○", "•"


def left_out(plan: Plan) -> str:
    """Why the workbook has no such tab; "" if it has one."""
    if not plan.spec.pictures:
        return f"Tab {TITLE} is left out: the spec says pictures = false."
    if not plan.spec.plain:
        return f"Tab {TITLE} is left out: it draws linear layers whose data is used as it is, all of it or in turns."
    if landscape_passes.side_of(plan.network):
        return ""
    if len(plan.network.trained) < 2:
        return f"Tab {TITLE} is left out: it needs two trained parameters."
    return f"Tab {TITLE} is left out: its forward passes would take more than {landscape_passes.MAX_CELLS:,} cells."


def fill(tab: Tab, behind: Tab, plan: Plan, chosen: State) -> None:
    """The tab, and the hidden one with its passes."""
    passes = Passes(plan, chosen, behind)
    side = passes.side
    furnish(
        tab.ws,
        title=TITLE,
        subtitle="The loss around the weights of the rate and step chosen on tab Network, if two parameters are moved. "
        "Choose others in the yellow cells.",
        widths=[*PANEL, *[CELL_WIDTH] * side, 2.0, *[CHART_WIDTH] * CHARTS],
        tab_color="explain",
        fit_height=True,
        zoom=ZOOM,
    )
    _grid(tab, passes)
    choices = _panel(tab, passes)
    landscape_passes.fill(passes, choices)
    _charts(tab, passes)


def _grid(tab: Tab, passes: Passes) -> None:
    """The losses, the horizontal parameter growing to the right and the vertical one upwards."""
    side = passes.side
    cells = grid_size(tab.ws, GRID_TOP, GRID_LEFT, side, side, (CELL_WIDTH * 31 / side, SIDE_HEIGHT / side))
    left, bottom = column_letters(GRID_LEFT), GRID_TOP + side - 1
    for row in range(side):
        here = f"${left}{GRID_TOP + row}:{left}{GRID_TOP + row}"
        formula = Formula(f'=IFERROR(INDEX({passes.grid_row(side - 1 - row)},COLUMNS({here})),"")')
        tab.fill_right(GRID_TOP + row, GRID_LEFT, side, formula, "spot")
    first = f"{left}{GRID_TOP}"
    number = f"(100*ROWS({first}:{left}${bottom})+COLUMNS(${first}:{first}))"
    dark = f"{first}<landscape_mean"
    for mark, where in (
        (HERE_MARK, f"{number}=landscape_here"),
        (START_MARK, f"{number}=landscape_start"),
        (PATH_MARK, f"COUNTIF({landscape_passes.PATH_NAME},{number})>0"),
    ):
        mark_where(tab.ws, cells, mark, where, dark)
    scale(tab.ws, cells, (("min", None), ("percentile", 50), ("max", None)))
    ends = [passes.here(passes.value(direction, end).replace("$", "")) for direction in (0, 1) for end in (LOW, HIGH)]
    x_name, y_name = (f"{letter}{_row(side, NAME)}" for letter in "BC")
    edges(tab, GRID_TOP, GRID_LEFT, side, (x_name, y_name), (ends[0], ends[1], ends[2], ends[3]))


def _row(side: int, line: int) -> int:
    """The first of the rows that a line of the panel takes, beside a grid of so many rows."""
    return GRID_TOP + line * (2 if side > SMALL else 1)


def _panel(tab: Tab, passes: Passes) -> tuple[Choice, Choice]:
    """What can be chosen, on the left, and what is known of the point; where the choices stand."""
    plan, side = passes.plan, passes.side
    first, second = _most_moved(plan)
    several = len(plan.spec.optimizers) > 1
    values, slopes = (
        [Formula(f"={passes.here(passes.value(direction, what).replace('$', ''))}") for direction in (0, 1)]
        for what in (VALUE, GRADIENT)
    )
    loss = passes.here(f"{passes.loss}{landscape_passes.TOP}")
    training = passes.chosen.cells[plan.network.total]
    run = Formula("=chosen_run" if several else "=chosen_rate")
    lines: tuple[tuple[int, str, tuple[Cell, ...]], ...] = (
        (HEAD, "", (("horizontal", "header", None), ("vertical", "header", None))),
        (NAME, "parameter", tuple((one.symbol.name, "choice", None) for one in (first, second))),
        (HERE, "value here", tuple((one, "formula", formats.VALUE) for one in values)),
        (SLOPE, "gradient here", tuple((one, "result", formats.VALUE) for one in slopes)),
        (FROM, "from (or empty)", ((None, "input", formats.RATE), (None, "input", formats.RATE))),
        (TO, "to (or empty)", ((None, "input", formats.RATE), (None, "input", formats.RATE))),
        (LOSS, "E_total here", ((Formula(f"={loss}"), "result", formats.FINE),)),
        (APART, "less that of training", ((Formula(f"={loss}-{training}"), "formula", formats.ZERO),)),
        (RUN, "optimizer, step" if several else "learning rate, step",
         ((run, "formula", formats.RATE), (Formula(f"={passes.chosen.cells[STEP]}"), "formula", formats.WHOLE))),
    )  # fmt: skip
    for number, label, contents in lines:
        line(tab, _row(side, number), _row(side, number + 1) - 1, label, contents)
    judge_zero(tab, f"B{_row(side, APART)}", f"1E-12*MAX(1,ABS(B{_row(side, LOSS)}))")
    text = f"{HERE_MARK} here   {START_MARK} start   {PATH_MARK} steps of the run. Dark is a low loss."
    row, last = _row(side, LEGEND), GRID_TOP + side - 1
    tab.merge(row, 1, 3, text, "note", bottom=last)
    names = [f"{letter}{_row(side, NAME)}" for letter in "BC"]
    for cell in names:
        tab.offer(cell, PARAMETERS_NAME)
    color_where(tab.ws, f"{names[0]}:{names[1]}", "bad", f"$B${names[0][1:]}=$C${names[0][1:]}")
    _notes(tab, plan, passes)
    rows = [_row(side, line) for line in (NAME, FROM, TO)]
    horizontal, vertical = (Choice(*(f"{tab.ws.title}!${letter}${row}" for row in rows)) for letter in "BC")
    return horizontal, vertical


def _notes(tab: Tab, plan: Plan, passes: Passes) -> None:
    """What the picture does not say, below it."""
    width = sum(PANEL) + CELL_WIDTH * 31 + CHARTS * CHART_WIDTH
    for row, text in enumerate(_texts(plan), GRID_TOP + passes.side + 2):
        note(tab, row, (1, GRID_LEFT + passes.side + CHARTS), text, width=width)


def _texts(plan: Plan) -> Iterator[str]:
    yield (
        "Every cell is a full forward pass: the hidden tab Landscape passes has one a row. From and to may be left "
        "empty: then the range holds the start and the end of every run. In the charts, the dashed tangent has the "
        "slope that back-propagation gives: it must touch the curve."
    )
    if plan.spec.updates == "output_first":
        yield (
            "updates = output_first: the hidden layers' gradients are taken through output weights that have already "
            "moved. They are not the slope at this point, and their tangents cross the curve at a small angle."
        )
    if plan.spec.batch == "online" and len(plan.spec.inputs) > 1:
        yield "batch = online: E_total is the loss of the one sample that the chosen step uses."


def _most_moved(plan: Plan) -> tuple[Parameter, Parameter]:
    """The parameter that training moves most, and of those of other units again the one that it moves most."""
    order = sorted(plan.network.trained, key=lambda one: -_moved(plan, one.symbol))
    first = order[0]
    others = [one for one in order if (one.layer, one.unit) != (first.layer, first.unit)]
    return first, (others or order[1:])[0]


def _moved(plan: Plan, symbol: Symbol) -> float:
    """How far the runs move a parameter at most, to three digits, so that the last bits do not decide."""
    found = [0.0]
    for one in plan.trainings:
        ends = [one.value(symbol, step) for step in (0, plan.spec.steps)]
        if not any(isinstance(end, ExcelError) for end in ends):
            found.append(abs(float(ends[1]) - float(ends[0])))
    return float(f"{max((far for far in found if far <= landscape_passes.FARTHEST), default=0.0):.3g}")


def _charts(tab: Tab, passes: Passes) -> None:
    """The slices through the point, and the tangents that the gradient predicts."""
    left = GRID_LEFT + passes.side + 1
    rows = passes.side // 2
    for direction, (title, axis) in enumerate(
        (
            ("Slice from left to right, with its tangent", "horizontal parameter"),
            ("Slice from below to above, with its tangent", "vertical parameter"),
        )
    ):
        x, loss = passes.slice_of(direction)
        at, height = passes.tangent(direction)
        point, top_of = passes.touch(at), passes.touch(height)
        series = [
            Series("E_total", x.ref, loss.ref, x, loss, HUES[0], dots=False),
            Series("tangent by the gradient", at.ref, height.ref, at, height, HUES[1], "dash", 2.25, dots=False),
            Series("here", point.ref, top_of.ref, point, top_of, HUES[8], dots=True),
        ]
        chart = scatter(title, axis, "E_total", series, legend=None, free_x=True)
        top = GRID_TOP + direction * (passes.side - rows)
        place(
            tab.ws, chart, f"{column_letters(left + 1)}{top}",
            f"{column_letters(left + CHARTS)}{top + rows - 1}",
            f"{title}: E_total along the {axis}, through the point of the chosen step.",
        )  # fmt: skip
