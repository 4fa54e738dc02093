"""The hidden tab that judges an exercise: live, without the chain rule, and without an answer that could be copied.

A gradient is judged by central differences of the loss: the net input of each unit is moved by h up and down, and the
pass goes on from there to the loss. The net input is linear in a weight w that multiplies x, so that a move by h is one
of w by h/x, and the slope times x is ∂E/∂w. Sums are judged as SUMPRODUCT, activations by another formula for the same
function, and updates by what is left when every term is brought to one side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from openpyxl.utils import quote_sheetname
from sympy import Add, Expr, Symbol

from sheetgen.errors import SpecError
from sheetgen.lessons.exercise import GROUPS, STARTS, Exercise
from sheetgen.maths.algebra import Total, before
from sheetgen.maths.derive import Column
from sheetgen.maths.network import Network, Parameter, Unit, next_value
from sheetgen.maths.printer import excel
from sheetgen.maths.rules import STEP, averages
from sheetgen.tabs.gradient_check import KINKED
from sheetgen.tabs.layout import Table
from sheetgen.tabs.run import EMPTY, NOT_YET, RIGHT
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters, column_number
from sheetgen.xlsx.style import furnish

__all__ = ["TAB", "Verdicts", "fill"]

TAB, NAME = "Judge", "judge"
"""The tab's title, and the name of a cell of it, by which it is found whatever it is called."""
FILLED, COUNT, ROWS, HEADER, TOP = 2, 3, 4, 5, 6
BUDGET = 15_000
"""Cells of the tab, about; of a longer table some rows are judged, evenly spread, the first two and the last too."""
STEP_SIZE = 1e-5
# What the halves of a central difference leave: of the gradient, and of the loss whose digits cancel.
OF_GRADIENT, OF_LOSS = 1e-6, 1e-9
# What another form of the same function, or of the same sum, may differ by.
OF_VALUE, AT_LEAST = 1e-9, 1e-12
ROUNDING = 4e-15

# Other formulas than the table's own for the same function.
FORMS: Mapping[str, str] = {
    "sigmoid": "(1+TANH(({x})/2))/2",
    "tanh": "2/(1+EXP(-2*({x})))-1",
    "relu": "(({x})+ABS({x}))/2",
    "leaky_relu": "((1+{slope})*({x})+(1-{slope})*ABS({x}))/2",
    "softplus": "MAX({x},0)+LN(1+EXP(-ABS({x})))",
    "identity": "1*({x})",
}


@dataclass(frozen=True)
class Verdicts:
    """What the other tabs show: by column the mark, how many rows of it are right, of how many; and columns in all."""

    marks: Mapping[Symbol, Formula]
    words: Mapping[Symbol, Formula]
    right: Mapping[Symbol, Formula]
    of: Mapping[Symbol, int]
    columns_right: Formula


@dataclass
class _Row:
    """The formulas of one judged step, from left to right; "" for a cell that this step has not."""

    number: int
    labels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def put(self, label: str, text: str) -> str:
        """The address of the next cell, which holds the formula."""
        self.labels.append(label)
        self.texts.append(text)
        if len(text) > MAX_FORMULA:
            raise SpecError(f"exercise: the formula that judges {label} is too long; use fewer units or samples")
        return f"{column_letters(len(self.labels))}{self.number}"

    def put_all(self, labels: Sequence[str], texts: Sequence[str]) -> list[str]:
        """The addresses of several."""
        return [self.put(label, text) for label, text in zip(labels, texts, strict=True)]


def fill(tab: Tab, table: Table, exercise: Exercise) -> Verdicts:
    """The tab, hidden; what the others show of it."""
    furnish(tab.ws, tab_color="verdict")
    tab.ws.sheet_state = "hidden"
    tab.define(NAME, "$A$1")
    width = len(_Step(_Row(TOP), table, exercise, 1).judge().row.labels)
    flags: dict[Symbol, list[str]] = {column.symbol: [] for column in exercise.counted}
    steps = _steps(table.rows, width)
    for number, step in enumerate(steps, TOP):
        one = _Step(_Row(number), table, exercise, step).judge()
        for place, text in enumerate(one.row.texts, 1):
            if text:
                tab.put(number, place, Formula(f"={text}"))
        for symbol, cell in one.flags.items():
            flags[symbol].append(cell)
        if step == 0:
            tab.header(HEADER, 1, one.row.labels)
    return _totals(tab, table, flags, width)


def _steps(rows: int, width: int) -> tuple[int, ...]:
    """The steps that are judged."""
    count = max(3, BUDGET // width)
    if rows <= count:
        return tuple(range(rows))
    between = (1 + at * (rows - 2) // (count - 2) for at in range(count - 2))
    return tuple(sorted({0, 1, rows - 1, *between}))


def _totals(tab: Tab, table: Table, flags: Mapping[Symbol, Sequence[str]], width: int) -> Verdicts:
    """What is right of each column, below the head of the tab."""
    quoted, sheet = quote_sheetname(TAB), quote_sheetname(table.tab)
    kinds = {column.symbol: column.kind for column in table.equations.columns}
    marks, words, right = {}, {}, {}
    for symbol, cells in flags.items():
        letter = cells[0].rstrip("0123456789")
        place, letters = column_number(letter), table.letters[symbol]
        first = table.top + (kinds[symbol] in STARTS)
        tab.put(FILLED, place, Formula(f"=COUNTA({sheet}!{letters}{first}:{letters}{table.bottom})"))
        tab.put(COUNT, place, Formula(f"=SUM({cells[0]}:{cells[-1]})"))
        numbers = f"COUNT({sheet}!{letters}{first}:{letters}{table.bottom})={table.bottom - first + 1}"
        tab.put(ROWS, place, Formula(f"=IF(AND({letter}{COUNT}={len(cells)},{numbers}),1,0)"))
        filled, count = (f"{quoted}!${letter}${row}" for row in (FILLED, COUNT))
        rows = table.bottom - first + 1
        some = "" if rows == len(cells) else " judged"
        said = f'IF({quoted}!${letter}${ROWS}=1,"{RIGHT}","{NOT_YET}")'
        words[symbol] = Formula(f'=IF({filled}=0,"{EMPTY}",{said})')
        marks[symbol] = Formula(f'=IF({filled}=0,"{EMPTY}",{said}&": "&{count}&" of {len(cells)}{some}")')
        right[symbol] = Formula(f"={count}")
    whole = Formula(f"=SUM({quoted}!$A${ROWS}:${column_letters(width)}${ROWS})")
    return Verdicts(marks, words, right, {symbol: len(cells) for symbol, cells in flags.items()}, whole)


@dataclass
class _Step:
    """What is judged of one step, and the cells that say 1 where a column is right."""

    row: _Row
    table: Table
    exercise: Exercise
    step: int
    flags: dict[Symbol, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network: Network = self.table.equations.network
        self.spec = self.network.spec
        self.sheet = quote_sheetname(self.table.tab)
        self.copies: dict[Symbol, str] = {}
        self.slopes: dict[tuple[int, int, int], tuple[str, str, str]] = {}
        self.bases: list[list[list[str]]] = []

    def learner(self, symbol: Symbol, back: int = 0) -> str:
        """The cell of the training table, so many rows above."""
        return f"{self.sheet}!{self.table.letters[symbol]}{self.table.top + self.step - back}"

    def judge(self) -> _Step:
        """Write all; itself."""
        counted = {column.symbol: column for column in self.exercise.counted}
        kinds = {column.kind for column in counted.values()}
        self.row.put("step", self.learner(STEP))
        self._copy()
        if kinds & {"net", "softmax", "out", "error", "total"}:
            self._judge_forward(counted)
        if kinds & {"delta", "gradient"}:
            self._passes()
            self._judge_gradients(counted)
        for symbol, column in counted.items():
            if column.kind in GROUPS["updates"]:
                self._judge_update(symbol, column)
        return self

    def _flag(self, symbol: Symbol, away: str, allowed: str) -> None:
        cell = self.learner(symbol)
        right = f"IFERROR(ABS({away})<={allowed},FALSE)"
        self.flags[symbol] = self.row.put(symbol.name, f"IF(ISNUMBER({cell}),IF({right},1,0),0)")

    def _copy(self) -> None:
        """Data and parameters side by side, in the order of the table, so that ranges hold what belongs together."""
        for equation in self.network.forward:
            if equation.kind in ("data", "parameter"):
                self.copies[equation.symbol] = self.row.put(equation.symbol.name, self.learner(equation.symbol))
        if self.spec.updates == "output_first":
            for parameter in self.network.of_layer(len(self.spec.layers) - 1):
                moved = next_value(parameter.symbol)
                there = moved if moved in self.table.letters else parameter.symbol
                self.copies[moved] = self.row.put(moved.name, self.learner(there))

    def _net(self, layer: int, unit: int, feeds: Sequence[str], moved: bool = False) -> str:
        """The formula of a unit's net input: SUMPRODUCT of its weights and what feeds it."""
        own = [p for p in self.network.of_layer(layer) if p.unit == unit]
        cells = [self.copies[next_value(p.symbol) if moved else p.symbol] for p in own]
        weights = [cell for cell, p in zip(cells, own, strict=True) if p.source is not None]
        bias = [cell for cell, p in zip(cells, own, strict=True) if p.source is None]
        return "+".join([f"SUMPRODUCT({_range(weights)},{_range(feeds)})", *bias])

    def _out(self, layer: int, net: str) -> str:
        shape = self.spec.layers[layer]
        return FORMS[shape.activation].format(x=net, slope=repr(shape.negative_slope))

    def _outs(self, layer: int, nets: Sequence[str]) -> list[str]:
        """The formulas of a layer's activations."""
        if self.spec.layers[layer].activation == "softmax":
            return [f"1/({'+'.join(f'EXP({one}-{net})' for one in nets)})" for net in nets]
        return [self._out(layer, net) for net in nets]

    def _judge_forward(self, counted: Mapping[Symbol, Column]) -> None:
        """Each value from those of the learner that stand before it."""
        network = self.network
        for sample, layers in enumerate(network.units):
            feeds = [self.copies[symbol] for symbol in network.inputs[sample]]
            for layer, units in enumerate(layers):
                nets = [self.learner(unit.net) for unit in units]
                for place, unit in enumerate(units):
                    if unit.net in counted:
                        self._close(unit.net, self._net(layer, place, feeds))
                for unit, text in zip(units, self._outs(layer, nets), strict=True):
                    if unit.out in counted:
                        self._close(unit.out, text)
                if layer < len(layers) - 1:
                    outs = [unit.out for unit in units]
                    feeds = self.row.put_all([one.name for one in outs], [self.learner(one) for one in outs])
            self._judge_loss(sample, layers[-1], counted)
        if network.total in counted:
            parts = "".join(f"-{self.learner(error)}" for errors in network.errors for error in errors)
            count = self._over * (len(network.errors[0]) if averages(self.spec) else 1)
            self._flag(network.total, f"{count}*{self.learner(network.total)}{parts}", self._near(network.total))

    def _judge_loss(self, sample: int, units: Sequence[Unit], counted: Mapping[Symbol, Column]) -> None:
        network = self.network
        nets = [self.learner(unit.net) for unit in units]
        highest, scale = (Symbol(f"{name}{units[0].net.name.removeprefix('o1')}") for name in ("max_o", "Σexp"))
        if highest in counted:
            self._close(highest, f"-MIN({','.join(f'-{net}' for net in nets)})")
        if scale in counted:
            self._close(scale, f"({'+'.join(f'EXP({net})' for net in nets)})*EXP(-{self.learner(highest)})")
        targets = [self.copies[symbol] for symbol in network.targets[sample]]
        outs = [self.learner(unit.out) for unit in units]
        for place, error in enumerate(network.errors[sample]):
            if error in counted:
                self._close(error, self._part(place, targets, nets, outs))

    def _part(self, place: int, targets: Sequence[str], nets: Sequence[str], outs: Sequence[str]) -> str:
        """An output's part of the loss."""
        target, net, out = targets[place], nets[place], outs[place]
        return {
            "half_squared_error": f"0.5*ABS({out}-{target})*ABS({out}-{target})",
            "mse": f"ABS({out}-{target})*ABS({out}-{target})",
            "binary_cross_entropy": f"{target}*MAX(-{net},0)+(1-{target})*MAX({net},0)+LN(1+EXP(-ABS({net})))",
            "cross_entropy": f"{target}*LN({'+'.join(f'EXP({one}-{net})' for one in nets)})",
        }[self.spec.loss]

    def _close(self, symbol: Symbol, text: str) -> None:
        self._flag(symbol, f"{self.learner(symbol)}-({text})", self._near(symbol))

    def _near(self, symbol: Symbol) -> str:
        return f"{_number(OF_VALUE)}*ABS({self.learner(symbol)})+{_number(AT_LEAST)}"

    def _passes(self) -> None:
        """For each unit of each sample the loss with its net input moved up and down; the last layer first."""
        for sample, layers in enumerate(self.network.units):
            feeds = [self.copies[symbol] for symbol in self.network.inputs[sample]]
            nets: list[list[str]] = []
            outs: list[list[str]] = []
            for layer, units in enumerate(layers):
                texts = [self._net(layer, place, feeds) for place in range(len(units))]
                nets.append(self.row.put_all([unit.net.name for unit in units], texts))
                feeds = self.row.put_all([unit.out.name for unit in units], self._outs(layer, nets[-1]))
                outs.append(feeds)
            self.bases.append(outs)
            rest = self.row.put("E", self._loss(sample, nets[-1], outs[-1]))
            for layer in reversed(range(len(layers))):
                for place in range(len(layers[layer])):
                    up, down = (self._pass(sample, layer, place, sign, nets, outs) for sign in ("+", "-"))
                    self.slopes[sample, layer, place] = up, down, rest

    def _pass(
        self, sample: int, layer: int, place: int, sign: str, nets: list[list[str]], outs: list[list[str]]
    ) -> str:
        """The cell of the loss after one net input is moved."""
        last = len(nets) - 1
        name = f"{self.network.units[sample][layer][place].net.name}{sign}h"
        moved = [f"{net}{sign}{_number(STEP_SIZE)}" if at == place else net for at, net in enumerate(nets[layer])]
        if layer == last:
            moved = self.row.put_all([name] * len(moved), moved)
            return self.row.put(f"E {name}", self._loss(sample, moved, self._written(name, last, moved)))
        texts = [self._out(layer, f"({moved[place]})") if at == place else out for at, out in enumerate(outs[layer])]
        feeds = self.row.put_all([name] * len(texts), texts)
        early = self.spec.updates == "output_first"
        for here in range(layer + 1, last + 1):
            texts = [self._net(here, unit, feeds, early and here == last) for unit in range(len(nets[here]))]
            moved = self.row.put_all([name] * len(texts), texts)
            if here < last or not early:
                feeds = self._written(name, here, moved)
        if not early:
            return self.row.put(f"E {name}", self._loss(sample, moved, feeds))
        # Through the output's weights as they are after their own update; E depends on its net inputs as it did before.
        slopes = (self.slopes[sample, last, unit] for unit in range(len(moved)))
        terms = [f"({up}-{down})*{net}" for (up, down, _), net in zip(slopes, moved, strict=True)]
        return self.row.put(f"E {name}", f"({'+'.join(terms)})/{_number(2 * STEP_SIZE)}")

    def _written(self, name: str, layer: int, nets: Sequence[str]) -> list[str]:
        """The cells of a layer's activations."""
        return self.row.put_all([name] * len(nets), self._outs(layer, nets))

    def _loss(self, sample: int, nets: Sequence[str], outs: Sequence[str]) -> str:
        targets = [self.copies[symbol] for symbol in self.network.targets[sample]]
        parts = "+".join(self._part(place, targets, nets, outs) for place in range(len(nets)))
        return f"({parts})/{len(nets)}" if averages(self.spec) else parts

    @property
    def _over(self) -> int:
        """What the sum over a row's samples is divided by."""
        return 1 if self.spec.reduction == "sum" else self.network.samples

    def _judge_gradients(self, counted: Mapping[Symbol, Column]) -> None:
        for sample, layers in enumerate(self.network.units):
            for layer, units in enumerate(layers):
                for place, unit in enumerate(units):
                    if unit.delta in counted:
                        self._slope(unit.delta, [(self.slopes[sample, layer, place], "1")], 1)
        for parameter in self.network.trained:
            if parameter.gradient in counted:
                self._slope(parameter.gradient, self._terms(parameter), self._over)

    def _terms(self, parameter: Parameter) -> list[tuple[tuple[str, str, str], str]]:
        """The passes that a parameter's gradient comes from, each with what the parameter multiplies there."""
        return [
            (self.slopes[sample, parameter.layer, parameter.unit], self._source(parameter, sample))
            for sample in range(self.network.samples)
        ]

    def _source(self, parameter: Parameter, sample: int) -> str:
        if parameter.source is None:
            return "1"
        if parameter.layer == 0:
            return self.copies[self.network.inputs[sample][parameter.source]]
        return self.bases[sample][parameter.layer - 1][parameter.source]

    def _slope(self, symbol: Symbol, terms: Sequence[tuple[tuple[str, str, str], str]], count: int) -> None:
        """A central difference beside what the learner has."""
        difference = "+".join(f"({up}-{down})*{x}" for (up, down, _), x in terms)
        learner = self.learner(symbol)
        noise = "+".join(f"(1+ABS({rest}))*ABS({x})" for (_, _, rest), x in terms)
        allowed = f"{_number(OF_GRADIENT)}*ABS({learner})+{_number(OF_LOSS)}*({noise})/{count}"
        if any(layer.activation in KINKED for layer in self.spec.layers):
            bends = "+".join(f"ABS({up}+{down}-2*{rest})*ABS({x})" for (up, down, rest), x in terms)
            allowed += f"+({bends})/{_number(STEP_SIZE)}/{count}"
        self._flag(symbol, f"{learner}-({difference})/({_number(2 * STEP_SIZE)}*{count})", allowed)

    def _judge_update(self, symbol: Symbol, column: Column) -> None:
        """Every term on one side, by the learner's own gradient."""
        within = column.kind == "next"
        if not within and self.step == 0:
            self.row.put(symbol.name, "")
            return
        names = {one.symbol: self.learner(one.symbol) for one in self.table.equations.columns}
        if self.step:
            names |= {before(one): self.learner(one, 1) for one in list(names)}
        names |= {letter: f"{self.sheet}!{cell}" for letter, cell in self.table.settings.items()}
        learner, start = self.learner(symbol), Symbol(symbol.name[:-1]) if within else before(symbol)
        rest = "".join(f"-({excel(term, names)})" for term in _addends(column.fill))
        change = f"ABS({learner}-{names[start]})"
        allowed = f"{_number(OF_VALUE)}*{change}+{_number(ROUNDING)}*(ABS({learner})+ABS({names[start]}))"
        self._flag(symbol, f"{learner}{rest}", allowed)


def _addends(expr: Expr) -> tuple[Expr, ...]:
    return tuple(expr.args) if isinstance(expr, Total) else tuple(Add.make_args(expr))


def _range(cells: Sequence[str]) -> str:
    return cells[0] if len(cells) == 1 else f"{cells[0]}:{cells[-1]}"


def _number(value: float) -> str:
    """A number without an exponent, which one program reads in small letters only."""
    return f"{Decimal(repr(value)):f}"
