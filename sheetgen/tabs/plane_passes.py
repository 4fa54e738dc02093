"""The hidden tab behind Map: a forward pass of one input a row, with the chosen weights.

First come the samples, then the points of the plane, or of the line if the network has one input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Symbol

from sheetgen.maths.graph import fused
from sheetgen.maths.network import Equation, Network
from sheetgen.maths.printer import excel
from sheetgen.tabs.panel import MAX_FUSED, OFF_MIDDLE
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Block, FillDown, Formula, column_letters
from sheetgen.xlsx.charts import Shown, reference
from sheetgen.xlsx.style import furnish, shorten_large, style_id

__all__ = ["CLASS", "MAX_CELLS", "MAX_SAMPLES", "TAB", "Pass", "Passes", "fill", "pass_of"]

TAB = "Map passes"
SIDE, POINTS = 41, 81
# More cells are not spent on it, nor more samples shown.
MAX_CELLS, MAX_SAMPLES = 80_000, 200
# By how much the automatic range is wider than the data, in parts of them, and where they are all the same.
MARGIN, LEAST = 0.25, 0.5
CLASS = "class"

HEAD_LABELS, HEAD_VALUES, HEADER, TOP = 4, 5, 8, 9
# Places to the right of the passes: axes; samples; what is chosen.
AXES, SAMPLES, CHOSEN = 1, 5, 11
LOW, HIGH = 0, 1
"""Rows of what is chosen."""
CODE = 10_000


@dataclass(frozen=True)
class Pass:
    """The forward pass of one input: its inputs, the parameters it needs, its equations in order, and its outputs."""

    inputs: tuple[Symbol, ...]
    parameters: tuple[Symbol, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Symbol, ...]

    def label(self, symbol: Symbol) -> str:
        """The symbol's name without the number of a sample."""
        return str(symbol.name).removesuffix("[1]")


def pass_of(network: Network) -> Pass:
    """What the outputs of the first sample are made of."""
    equations = {one.symbol: one for one in network.forward}
    outputs = tuple(unit.out for unit in network.units[0][-1])
    needed: set[Symbol] = set()
    stack = list(outputs)
    while stack:
        symbol = stack.pop()
        if symbol not in needed:
            needed.add(symbol)
            if equations[symbol].kind not in ("data", "parameter"):
                stack += equations[symbol].expr.free_symbols
    return Pass(
        network.inputs[0],
        tuple(one.symbol for one in network.forward if one.symbol in needed and one.kind == "parameter"),
        tuple(one for one in network.forward if one.symbol in needed and one.kind not in ("data", "parameter")),
        outputs,
    )


@dataclass(frozen=True)
class Passes:
    """Where everything stands on the hidden tab."""

    plan: Plan
    chosen: State
    tab: Tab

    @cached_property
    def one(self) -> Pass:
        """The pass, its net inputs within the activations: half as many cells."""
        one = pass_of(self.plan.network)
        return replace(one, equations=fused(one.equations, MAX_FUSED))

    @property
    def plane(self) -> bool:
        """Whether there are two inputs, and not one."""
        return len(self.one.inputs) == 2

    @property
    def side(self) -> int:
        """Points along an axis."""
        return SIDE if self.plane else POINTS

    @property
    def samples(self) -> int:
        """How many samples are shown."""
        return min(len(self.plan.spec.inputs), MAX_SAMPLES)

    @property
    def classes(self) -> bool:
        """Whether the outputs are shares of classes, so that the largest one can be shown."""
        return self.plan.spec.layers[-1].activation == "softmax"

    @cached_property
    def columns(self) -> tuple[Symbol, ...]:
        """The columns of a pass after its number."""
        own = (Symbol(CLASS),) if self.classes else ()
        return (*self.one.inputs, *(one.symbol for one in self.one.equations), *own)

    @property
    def shown(self) -> tuple[Symbol, ...]:
        """What can be chosen to be shown: each output, and the class if there are some."""
        return (*self.one.outputs, *([Symbol(CLASS)] if self.classes else []))

    @property
    def count(self) -> int:
        """How many passes there are."""
        return self.samples + (self.side**2 if self.plane else self.side)

    @property
    def cells(self) -> int:
        """How many cells they take."""
        return self.count * (1 + len(self.columns))

    def letters(self, symbol: Symbol) -> str:
        """The letters of a column."""
        return column_letters(self.columns.index(symbol) + 2)

    def beside(self, place: int) -> str:
        """The letters of a column to the right of the passes."""
        return column_letters(len(self.columns) + 2 + place)

    def cell(self, symbol: Symbol, row: int) -> str:
        """A cell of a pass, counted from 0, for other tabs."""
        return reference(TAB, f"{self.letters(symbol)}{TOP + row}")

    def grid_row(self, symbol: Symbol, row: int) -> str:
        """A column's cells for a row of the plane, counted from below, from left to right."""
        first, letter = TOP + self.samples + row * self.side, self.letters(symbol)
        return reference(TAB, f"{letter}{first}:{letter}{first + self.side - 1}")

    def end(self, direction: int, which: int) -> str:
        """The cell with an end of the range shown: LOW or HIGH."""
        return f"${self.beside(CHOSEN + direction)}${TOP + which}"

    def curve(self) -> tuple[Shown, Shown]:
        """The points of a line of inputs, and what is chosen to be shown there."""
        rows = f"{TOP}", f"{TOP + self.side - 1}"
        x, y = (f"{self.beside(AXES + place)}" for place in (0, 2))
        return Shown(self.tab, f"{x}{rows[0]}:{x}{rows[1]}"), Shown(self.tab, f"{y}{rows[0]}:{y}{rows[1]}")

    def targets(self) -> tuple[Shown, Shown]:
        """The inputs of the samples, one each, and their targets."""
        bottom = TOP + self.samples - 1
        x, y = self.letters(self.one.inputs[0]), self.beside(SAMPLES + 1)
        return Shown(self.tab, f"{x}{TOP}:{x}{bottom}"), Shown(self.tab, f"{y}{TOP}:{y}{bottom}")


def fill(passes: Passes, choice: str, decision: str, typed: tuple[tuple[str, str], ...]) -> None:
    """The tab, hidden. `choice`, `decision` and the typed ends of the range of each direction are cells of Map."""
    tab = passes.tab
    furnish(
        tab.ws,
        title=TAB,
        subtitle="Behind tab Map: a forward pass a row, with the weights of the rate and step chosen on tab Network.",
        widths=[14.0] * (len(passes.columns) + 17),
        freeze=f"B{TOP}",
        repeat_rows=f"{HEADER}:{HEADER}",
        tab_color="verdict",
    )
    tab.ws.sheet_state = "hidden"
    parameters = passes.one.parameters
    tab.header(HEAD_LABELS, 1, [symbol.name for symbol in parameters])
    tab.put_row(HEAD_VALUES, 1, *((passes.chosen.formula(s), "formula", formats.VALUE) for s in parameters))
    tab.header(HEADER, 1, ["pass", *(passes.one.label(symbol) for symbol in passes.columns)])
    columns = tuple(_columns(passes))
    tab.block = Block(TOP, columns, [[None] * len(columns) for _ in range(passes.count)], pending=True)
    shorten_large(tab.ws, f"A{TOP}:{column_letters(len(columns))}{tab.block.bottom}")
    for direction, ends in enumerate(typed):
        _range(passes, direction, ends)
    _samples(passes, choice, decision)
    if not passes.plane:
        _shown_curve(passes, choice)
    names = passes.beside(CHOSEN + 3)
    _column(passes, CHOSEN + 3, "can be shown", [f'"{passes.one.label(symbol)}"' for symbol in passes.shown])
    tab.define("map_outputs", f"${names}${TOP}:${names}${TOP + len(passes.shown) - 1}")


def _columns(passes: Passes) -> Iterator[FillDown]:
    """Each column's formula in the first pass and in the second, which is filled down."""
    style = style_id(passes.tab.ws, "formula", formats.VALUE)
    samples, side = passes.samples, passes.side
    typed = style_id(passes.tab.ws, "formula", formats.RATE)
    yield FillDown("1", f"A{TOP}+1", style_id(passes.tab.ws, "label", formats.WHOLE))
    for direction in range(len(passes.one.inputs)):
        letter = passes.beside(AXES + direction)
        axis = f"${letter}${TOP}:${letter}${TOP + side - 1}"
        letter = passes.beside(SAMPLES + 3 + direction)
        inputs = f"${letter}${TOP}:${letter}${TOP + samples - 1}"
        given = f"INDEX({inputs},A{{0}})" if samples > 1 else f"${letter}${TOP}"  # Gnumeric takes no single cell
        along = "INT((A{0}-{1})/{2})" if direction else "MOD(A{0}-{1},{2})"
        start, fill = (
            f"IF(A{row}<={samples},{given.format(row)},INDEX({axis},{along.format(row, samples + 1, side)}+1))"
            for row in (TOP, TOP + 1)
        )
        yield FillDown(start, fill, typed)
    fixed = {s: f"${column_letters(place)}${HEAD_VALUES}" for place, s in enumerate(passes.one.parameters, 1)}
    first, second = (fixed | {s: f"{passes.letters(s)}{row}" for s in passes.columns} for row in (TOP, TOP + 1))
    for one in passes.one.equations:
        last = one.symbol in passes.one.outputs
        own = style_id(passes.tab.ws, "result", formats.VALUE) if last else style
        yield FillDown(excel(one.expr, first), excel(one.expr, second), own)
    if passes.classes:
        ends = [passes.letters(passes.one.outputs[place]) for place in (0, -1)]
        start, fill = ("MATCH(MAX({0}),{0},0)".format(f"{ends[0]}{row}:{ends[1]}{row}") for row in (TOP, TOP + 1))
        yield FillDown(start, fill, style_id(passes.tab.ws, "result", formats.WHOLE))


def _column(passes: Passes, place: int, label: str, texts: list[str], look: str = formats.VALUE) -> None:
    """A list to the right of the passes."""
    tab, column = passes.tab, len(passes.columns) + 2 + place
    tab.put(HEADER, column, label, "header")
    for row, text in enumerate(texts, TOP):
        tab.put(row, column, Formula(f"={text}"), "formula", look)


def _range(passes: Passes, direction: int, typed: tuple[str, str]) -> None:
    """The ends of the range: as typed or, where nothing is, the data with a margin; and the points between."""
    name, side = f"i_{direction + 1}", passes.side
    width = f"IF(MAX({name})>MIN({name}),{MARGIN}*(MAX({name})-MIN({name})),{LEAST})"
    automatic = (f"MIN({name})-{width}", f"MAX({name})+{width}")
    texts = [f"IF(ISNUMBER({cell}),{cell},{text})" for cell, text in zip(typed, automatic, strict=True)]
    _column(passes, CHOSEN + direction, f"shown of i{direction + 1}", texts)
    low, high = (passes.end(direction, which) for which in (LOW, HIGH))
    letter = passes.beside(AXES + direction)
    points = [
        f"{low}+({high}-{low})*(ROWS({letter}${TOP}:{letter}{row})-1)/{side - 1}" for row in range(TOP, TOP + side)
    ]
    _column(passes, AXES + direction, f"axis of i{direction + 1}", points)


def _samples(passes: Passes, choice: str, decision: str) -> None:
    """Of each sample the target of what is shown and, on a plane, what marks it and in which cell it lies."""
    count, several = passes.samples, len(passes.plan.spec.inputs) > 1
    outputs = len(passes.one.outputs)

    def target(output: int, sample: int) -> str:
        return f"INDEX(t_{output + 1},{sample})" if several else f"t_{output + 1}"

    chosen = f"${passes.beside(CHOSEN + 2)}${TOP}"
    listed = passes.beside(CHOSEN + 3)
    _column(
        passes,
        CHOSEN + 2,
        "what is shown",
        [f"MATCH({choice},${listed}${TOP}:${listed}${TOP + len(passes.shown) - 1},0)"],
    )
    targets, marks = [], []
    for sample in range(1, count + 1):
        each = [target(output, sample) for output in range(outputs)]
        largest = _largest(each) if passes.classes else ""
        targets.append(f"CHOOSE({chosen},{','.join([*each, *([largest] if largest else [])])})")
        code = largest or f"IF({passes.beside(SAMPLES + 1)}{TOP + sample - 1}>={decision},1,2)"
        marks.append(code)
    _column(passes, SAMPLES + 1, "target", targets, formats.RATE)
    for direction in range(len(passes.one.inputs)):
        name = f"i_{direction + 1}"
        given = [f"INDEX({name},{sample})" if several else name for sample in range(1, count + 1)]
        _column(passes, SAMPLES + 3 + direction, f"i{direction + 1} of the samples", given, formats.RATE)
    if not passes.plane:
        return
    _column(passes, SAMPLES, "mark", marks, formats.WHOLE)
    mark = passes.beside(SAMPLES)
    rows = range(TOP, TOP + count)
    cells = [f"IFERROR({CODE}*{mark}{row}+{_cell(passes, row)},0)" for row in rows]
    _column(passes, SAMPLES + 2, "cell", cells, formats.WHOLE)
    letter = passes.beside(SAMPLES + 2)
    passes.tab.define("map_marks", f"${letter}${TOP}:${letter}${TOP + count - 1}")


def _largest(texts: list[str]) -> str:
    """The number of the largest of some values."""
    result = str(len(texts))
    for number in range(len(texts) - 1, 0, -1):
        result = f"IF({texts[number - 1]}=MAX({','.join(texts)}),{number},{result})"
    return result


def _cell(passes: Passes, row: int) -> str:
    """100 times the row of the grid's cell, from below, plus its column; far off where a sample is not on it."""
    places = []
    for direction, symbol in enumerate(passes.one.inputs):
        low, high = (passes.end(direction, which) for which in (LOW, HIGH))
        value = f"{passes.letters(symbol)}{row}"
        places.append(f"ROUND(({value}-{low})/({high}-{low})*{passes.side - 1}+{OFF_MIDDLE},0)")
    inside = ",".join(f"{place}>=0,{place}<{passes.side}" for place in places)
    return f"IF(AND({inside}),100*{places[1]}+{places[0]}+101,0)"


def _shown_curve(passes: Passes, choice: str) -> None:
    """What is chosen, along a line of inputs."""
    chosen = f"${passes.beside(CHOSEN + 2)}${TOP}"
    texts = []
    for point in range(passes.side):
        row = TOP + passes.samples + point
        texts.append(f"CHOOSE({chosen},{','.join(f'{passes.letters(symbol)}{row}' for symbol in passes.shown)})")
    _column(passes, AXES + 2, "shown", texts)
