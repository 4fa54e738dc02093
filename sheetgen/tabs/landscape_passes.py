"""The hidden tab behind Landscape: a full forward pass a row, with two parameters moved and nothing else.

Pass 0 has the chosen values. Then come the passes of the two slices through that point, and those of the grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from openpyxl.utils import quote_sheetname
from sympy import Symbol

from sheetgen.maths.graph import fused
from sheetgen.maths.network import Equation, Network, Parameter
from sheetgen.maths.printer import excel
from sheetgen.tabs.layout import HEADER_ROW
from sheetgen.tabs.panel import MAX_FUSED, OFF_MIDDLE
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import RUN_ROW, State
from sheetgen.tabs.state import TAB as STATE_TAB
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Block, FillDown, Formula, column_letters
from sheetgen.xlsx.charts import Shown, reference
from sheetgen.xlsx.style import furnish, shorten_large, style_id

__all__ = ["PARAMETERS_NAME", "PATH_NAME", "TAB", "Choice", "Passes", "fill", "side_of"]

TAB = "Landscape passes"
# Points of a side of the grid, as many as the budget of cells allows.
SIDES, MAX_CELLS = (31, 21, 15), 60_000
# Of the path of training, at most so many steps are shown.
MAX_PATH = 40
# How far the tangents reach, in parts of the range, on both sides.
REACH = 0.2
# By how much the automatic range is wider than where training goes, and how wide it is at least, on both sides.
MARGIN, LEAST = 0.5, 0.5
# What training moves a parameter by at most, for the automatic range to show it.
FARTHEST = 20

HEAD_LABELS, HEAD_VALUES, HEADER, TOP = 4, 5, 8, 9
PLACE_X, PLACE_Y, COLUMN_X, COLUMN_Y = (f"${letter}${HEAD_VALUES}" for letter in "ABCD")
# Places of the head that are taken by those; the data stand after them.
DATA = 5
LEAD = ("pass", "horizontal", "vertical")
PATH_NAME, PARAMETERS_NAME = "landscape_path", "landscape_parameters"


@dataclass(frozen=True)
class Choice:
    """The cells of tab Landscape, sheet-qualified, for one direction: the parameter's name, and the ends of the range
    as they are typed; an empty one is chosen from where the runs start and end."""

    name: str
    low: str
    high: str


def side_of(network: Network) -> int:
    """How many points a side of the grid has; 0 if there can be none: too few parameters, or too large a network."""
    if len(network.trained) < 2:
        return 0
    columns = len(LEAD) + len(network.trained) + len(_computed(network))
    return next((side for side in SIDES if side * side * columns <= MAX_CELLS), 0)


def _computed(network: Network) -> tuple[Equation, ...]:
    return fused([one for one in network.forward if one.kind not in ("data", "parameter")], MAX_FUSED)


@dataclass(frozen=True)
class Passes:
    """Where everything stands on the hidden tab."""

    plan: Plan
    chosen: State
    tab: Tab

    @cached_property
    def side(self) -> int:
        """Points of a side of the grid, and of a slice."""
        return side_of(self.plan.network)

    @cached_property
    def fixed(self) -> tuple[Symbol, ...]:
        """What no pass moves: data, and parameters that are not trained."""
        trained = {one.symbol for one in self.trained}
        return tuple(
            one.symbol
            for one in self.plan.network.forward
            if one.kind == "data" or (one.kind == "parameter" and one.symbol not in trained)
        )

    @property
    def trained(self) -> tuple[Parameter, ...]:
        """The parameters that may be moved."""
        return self.plan.network.trained

    @cached_property
    def computed(self) -> tuple[Equation, ...]:
        """What a pass computes, in order of evaluation; E_total is the last."""
        return _computed(self.plan.network)

    @cached_property
    def columns(self) -> tuple[Symbol, ...]:
        """The columns of a pass after LEAD."""
        return (*(one.symbol for one in self.trained), *(one.symbol for one in self.computed))

    @property
    def count(self) -> int:
        """How many passes there are."""
        return 1 + 2 * self.side + self.side**2

    @property
    def loss(self) -> str:
        """The letters of E_total's column."""
        return column_letters(len(LEAD) + len(self.columns))

    def beside(self, place: int) -> str:
        """The letters of a column to the right of the passes."""
        return column_letters(len(LEAD) + len(self.columns) + 1 + place)

    def here(self, cell: str) -> str:
        """The absolute reference to cells of the hidden tab, for other tabs."""
        return reference(TAB, cell)

    def grid_row(self, row: int) -> str:
        """The losses of a row of the grid, counted from below, from left to right."""
        first = TOP + 1 + (2 + row) * self.side
        return self.here(f"{self.loss}{first}:{self.loss}{first + self.side - 1}")

    def slice_of(self, direction: int) -> tuple[Shown, Shown]:
        """The places and losses of the horizontal (0) or vertical (1) slice."""
        first = TOP + 1 + direction * self.side
        letters = (LEAD_LETTERS[direction], self.loss)
        at, loss = (Shown(self.tab, f"{letter}{first}:{letter}{first + self.side - 1}") for letter in letters)
        return at, loss

    def tangent(self, direction: int) -> tuple[Shown, Shown]:
        """The places and heights of the tangent."""
        letters = [self.beside(TANGENT + 2 * direction + place) for place in (0, 1)]
        x, y = (Shown(self.tab, f"{letter}{TOP}:{letter}{TOP + len(TANGENT_AT) - 1}") for letter in letters)
        return x, y

    def touch(self, line: Shown) -> Shown:
        """The middle of a tangent's column, where it touches."""
        letter, middle = line.cells.split(":")[0].rstrip("0123456789"), TOP + len(TANGENT_AT) // 2
        return Shown(self.tab, f"{letter}{middle}:{letter}{middle}")

    def value(self, direction: int, what: int) -> str:
        """The cell with what is known of the parameter of a direction: VALUE or GRADIENT."""
        return f"${self.beside(CHOSEN + direction)}${TOP + what}"


LEAD_LETTERS = "BC"
# Places to the right of the passes: axes and slices; the path; tangents; the parameters; what is chosen of them.
AXES, PATH, TANGENT, LIST, CHOSEN = 1, 6, 11, 16, 20
TANGENT_AT = (-1.0, -0.5, 0.0, 0.5, 1.0)
VALUE, GRADIENT, LOW, HIGH, LEFT, RIGHT = range(6)


def fill(passes: Passes, choices: tuple[Choice, Choice]) -> None:
    """The tab, hidden."""
    tab = passes.tab
    furnish(
        tab.ws,
        title=TAB,
        subtitle="Behind tab Landscape: a full forward pass a row. Pass 0 has the chosen values; nothing but the two "
        "chosen parameters is moved.",
        widths=[10.0] + [14.0] * (len(passes.columns) + 24),
        freeze=f"D{TOP}",
        repeat_rows=f"{HEADER}:{HEADER}",
        tab_color="verdict",
    )
    tab.ws.sheet_state = "hidden"
    _head(passes, choices)
    _block(passes)
    for direction, choice in enumerate(choices):
        _of_choice(passes, direction, choice)
        _axis(passes, direction)
        _tangent(passes, direction)
    _path(passes)
    _parameters(passes)


def _head(passes: Passes, choices: tuple[Choice, Choice]) -> None:
    tab, first = passes.tab, passes.plan.first.table
    width = len(first.equations.columns)
    names = reference(first.tab, f"A{HEADER_ROW}:{column_letters(width)}{HEADER_ROW}")
    listed = passes.beside(LIST)
    own = f"${listed}${TOP}:${listed}${TOP + len(passes.trained) - 1}"
    labels = ("horizontal: place", "vertical: place", "column of its table", "column of its table")
    cells = [f"MATCH({choice.name},{own},0)" for choice in choices]
    cells += [f"MATCH({choice.name},{names},0)" for choice in choices]
    tab.header(HEAD_LABELS, 1, labels, 32)
    tab.put_row(HEAD_VALUES, 1, *((Formula(f"={text}"), "formula", formats.WHOLE) for text in cells))
    tab.header(HEAD_LABELS, DATA, [symbol.name for symbol in passes.fixed])
    tab.put_row(HEAD_VALUES, DATA, *((passes.chosen.formula(s), "formula", formats.RATE) for s in passes.fixed))


def _block(passes: Passes) -> None:
    tab = passes.tab
    tab.put(HEADER - 2, 1, "1: moved horizontally, 2: vertically, 3: as it is", "muted")
    tab.header(HEADER, 1, (*LEAD, *(symbol.name for symbol in passes.columns)))
    columns = tuple(_columns(passes))
    tab.block = Block(TOP, columns, [[None] * len(columns) for _ in range(passes.count)], pending=True)
    shorten_large(tab.ws, f"B{TOP}:{passes.loss}{tab.block.bottom}")


def _columns(passes: Passes) -> Iterator[FillDown]:
    """Each column's formula in pass 0 and in pass 1, which is filled down."""
    tab, side = passes.tab, passes.side
    row, style = TOP + 1, style_id(tab.ws, "formula", formats.VALUE)
    yield FillDown("0", f"A{TOP}+1", style_id(tab.ws, "label", formats.WHOLE))
    for direction, along in enumerate((f"MOD(A{row}-{2 * side + 1},{side})", f"INT((A{row}-{2 * side + 1})/{side})")):
        here = passes.value(direction, VALUE)
        axis, cut = (_list(passes, AXES + 2 * direction + place) for place in (0, 1))
        slices = (f"INDEX({cut},A{row})", here) if direction == 0 else (here, f"INDEX({cut},A{row}-{side})")
        grid = f"INDEX({axis},{along}+1)"
        yield FillDown(here, f"IF(A{row}<={side},{slices[0]},IF(A{row}<={2 * side},{slices[1]},{grid}))", style)
    letters = {symbol: column_letters(place) for place, symbol in enumerate(passes.columns, len(LEAD) + 1)}
    fixed = {s: f"${column_letters(place)}${HEAD_VALUES}" for place, s in enumerate(passes.fixed, DATA)}
    for number, parameter in enumerate(passes.trained, 1):
        letter = letters[parameter.symbol]
        which = Formula(f"=IF({PLACE_X}={number},1,IF({PLACE_Y}={number},2,3))")
        tab.put(HEADER - 1, len(LEAD) + number, which, "muted", formats.WHOLE)
        moved = f"IF({letter}${HEADER - 1}=1,$B{row},IF({letter}${HEADER - 1}=2,$C{row},{letter}${TOP}))"
        yield FillDown(passes.chosen.cells[parameter.symbol], moved, style)
    first, second = (fixed | {s: f"{letter}{at}" for s, letter in letters.items()} for at in (TOP, row))
    fine = style_id(tab.ws, "result", formats.FINE)
    for one in passes.computed:
        texts = excel(one.expr, first), excel(one.expr, second)
        assert max(map(len, texts)) <= MAX_FORMULA, "as in the training table"
        yield FillDown(*texts, fine if one.kind == "total" else style)


def _list(passes: Passes, place: int) -> str:
    """A list of as many numbers as the grid has points in a row, to the right of the passes."""
    letter = passes.beside(place)
    return f"${letter}${TOP}:${letter}${TOP + passes.side - 1}"


def _column(passes: Passes, place: int, label: str, texts: list[str], look: str = formats.VALUE) -> None:
    """A list to the right of the passes."""
    tab, column = passes.tab, len(LEAD) + len(passes.columns) + 1 + place
    tab.put(HEADER, column, label, "header")
    for row, text in enumerate(texts, TOP):
        tab.put(row, column, Formula(f"={text}"), "formula", look)


def _of_choice(passes: Passes, direction: int, choice: Choice) -> None:
    """Of the chosen parameter: value, gradient, the range shown, and how far training moves it in any run."""
    letters = [passes.beside(LIST + place) for place in (1, 2)]
    bottom = TOP + len(passes.trained) - 1
    place = (PLACE_X, PLACE_Y)[direction]
    column = (COLUMN_X, COLUMN_Y)[direction]
    texts = [f"INDEX(${letter}${TOP}:${letter}${bottom},{place})" for letter in letters]
    own, top = passes.beside(CHOSEN + direction), TOP + LEFT
    typed = zip((choice.low, choice.high), (f"{own}{top}", f"{own}{top + 1}"), strict=True)
    texts += [f"IF(ISNUMBER({cell}),{cell},{automatic})" for cell, automatic in typed]
    trainings = passes.plan.trainings
    first, count = TOP + RIGHT + 1, len(trainings) + 1
    ends = f"{own}{first}:{own}{first + count - 1}"
    width = f"MAX({LEAST},{MARGIN}*(MAX({ends})-MIN({ends})))"
    texts += [f"MIN({ends})-{width}", f"MAX({ends})+{width}"]
    start = f"{own}${first}"
    texts.append(f"INDEX({_rows(passes, 0, 0, 0)},1,{column})")
    steps = passes.plan.spec.steps
    for run in range(len(trainings)):
        end = f"INDEX({_rows(passes, run, steps, steps)},1,{column})"
        texts.append(f"IFERROR(IF(ABS({end}-{start})>{FARTHEST},{start},{end}),{start})")
    _column(passes, CHOSEN + direction, LEAD[1 + direction], texts)
    names = (
        "value",
        "gradient",
        "shown from",
        "to",
        "automatic from",
        "to",
        "start",
        *("end of a run" for _ in trainings),
    )
    if direction == 0:
        for row, name in enumerate(names, TOP):
            passes.tab.put(row, len(LEAD) + len(passes.columns) + CHOSEN, name, "label")


def _rows(passes: Passes, run: int, first: int, last: int) -> str:
    """The rows of a run's table from one step to another."""
    table = passes.plan.trainings[run].table
    right = column_letters(len(table.equations.columns))
    return f"{quote_sheetname(table.tab)}!$A${table.top + first}:${right}${table.top + last}"


def _axis(passes: Passes, direction: int) -> None:
    """The places of the grid's points, and of the slice's: of these, the nearest is moved to the chosen value."""
    side, here = passes.side, passes.value(direction, VALUE)
    low, high = passes.value(direction, LOW), passes.value(direction, HIGH)
    letter = passes.beside(AXES + 2 * direction)
    grid = [f"{low}+({high}-{low})*(ROWS({letter}${TOP}:{letter}{row})-1)/{side - 1}" for row in range(TOP, TOP + side)]
    _column(passes, AXES + 2 * direction, f"{LEAD[1 + direction]} axis", grid)
    step = f"({high}-{low})/{side - 1}"
    square = f"{step}*{step}"
    cut = []
    for row in range(TOP, TOP + side):
        apart = f"({letter}{row}-{here})*{step}"
        near = f"AND({apart}>-{0.5 - OFF_MIDDLE}*({square}),{apart}<={0.5 + OFF_MIDDLE}*({square}))"
        cut.append(f"IF({near},{here},{letter}{row})")
    _column(passes, AXES + 2 * direction + 1, f"{LEAD[1 + direction]} slice", cut)


def _tangent(passes: Passes, direction: int) -> None:
    """E + gradient·(w − w here), within the range shown."""
    here, slope = (passes.value(direction, what) for what in (VALUE, GRADIENT))
    low, high = (passes.value(direction, what) for what in (LOW, HIGH))
    letter = passes.beside(TANGENT + 2 * direction)
    reach = f"ABS({high}-{low})*{REACH}"
    at = [f"{here}" if part == 0 else f"{here}+{reach}*{part}" for part in TANGENT_AT]
    _column(passes, TANGENT + 2 * direction, f"{LEAD[1 + direction]} tangent at", at)
    rows = range(TOP, TOP + len(at))
    heights = [f"${passes.loss}${TOP}+{slope}*({letter}{row}-{here})" for row in rows]
    _column(passes, TANGENT + 2 * direction + 1, "its height", heights, formats.FINE)


def _path(passes: Passes) -> None:
    """Steps of the chosen run, where they are, and in which cell of the grid: 100 times its row plus its column."""
    tab, steps = passes.tab, passes.plan.spec.steps
    count = min(steps + 1, MAX_PATH)
    drawn = [at * steps // max(1, count - 1) for at in range(count)]
    column = len(LEAD) + len(passes.columns) + 1 + PATH
    tab.put(HEADER, column, "step", "header")
    for row, step in enumerate(drawn, TOP):
        tab.put(row, column, step, "label", formats.WHOLE)
    run = f"{quote_sheetname(STATE_TAB)}!$B${RUN_ROW}"
    step_at = f"${passes.beside(PATH)}"
    tables = [_rows(passes, number, 0, steps) for number in range(len(passes.plan.trainings))]
    for direction, at in enumerate((COLUMN_X, COLUMN_Y)):
        texts = []
        for row in range(TOP, TOP + count):  # copies, which are read once, unlike references to one row each
            parts = ",".join(f"INDEX({table},{step_at}{row}+1,{at})" for table in tables)
            texts.append(f'IFERROR(CHOOSE({run},{parts}),"")')
        _column(passes, PATH + 1 + direction, f"{LEAD[1 + direction]} path", texts)
    x, y = (passes.beside(PATH + 1 + direction) for direction in (0, 1))
    _column(passes, PATH + 3, "cell", [_cell(passes, f"{x}{row}", f"{y}{row}") for row in range(TOP, TOP + count)])
    letter = passes.beside(PATH + 3)
    here = TOP + count
    tab.put(here, column, "here", "label")
    cell = Formula(f"={_cell(passes, *(passes.value(direction, VALUE) for direction in (0, 1)))}")
    tab.put(here, column + 3, cell, "result", formats.WHOLE)
    tab.define(PATH_NAME, f"${letter}${TOP}:${letter}${here - 1}")
    tab.define("landscape_start", f"${letter}${TOP}")
    tab.define("landscape_here", f"${letter}${here}")
    tab.put(here + 1, column, "mean of the grid", "label")
    losses = f"{passes.loss}{TOP + 1 + 2 * passes.side}:{passes.loss}{TOP + passes.count - 1}"
    tab.put(here + 1, column + 3, Formula(f"=IFERROR(AVERAGE({losses}),0)"), "formula", formats.VALUE)
    tab.define("landscape_mean", f"${letter}${here + 1}")


def _cell(passes: Passes, x: str, y: str) -> str:
    """The number of the grid's cell that a point lies in; 0 if it lies in none."""
    side, places = passes.side, []
    for direction, value in enumerate((x, y)):
        low, high = (passes.value(direction, what) for what in (LOW, HIGH))
        places.append(f"ROUND(({value}-{low})/({high}-{low})*{side - 1}+{OFF_MIDDLE},0)")
    inside = ",".join(f"{place}>=0,{place}<{side}" for place in places)
    return f"IFERROR(IF(AND({inside}),100*{places[1]}+{places[0]}+101,0),0)"


def _parameters(passes: Passes) -> None:
    """Every parameter that can be chosen, with its value and gradient at the chosen rate and step."""
    tab, column = passes.tab, len(LEAD) + len(passes.columns) + 1 + LIST
    tab.header(HEADER, column, ("parameter", "value", "gradient"))
    for row, parameter in enumerate(passes.trained, TOP):
        tab.put_row(
            row, column, (parameter.symbol.name, "symbol", None),
            (passes.chosen.formula(parameter.symbol), "formula", formats.VALUE),
            (passes.chosen.formula(parameter.gradient), "formula", formats.VALUE),
        )  # fmt: skip
    letter = passes.beside(LIST)
    tab.define(PARAMETERS_NAME, f"${letter}${TOP}:${letter}${TOP + len(passes.trained) - 1}")
