"""Spec -> Handout: what stands on the page, worked out with the first run's numbers or left for the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import sympy
from sympy import Expr, Symbol

from sheetgen.errors import ExcelError
from sheetgen.handout.blocks import (
    Block,
    Formula,
    Formulas,
    Handout,
    Number,
    Part,
    Picture,
    Section,
    Shown,
    Table,
    Text,
)  # fmt: skip
from sheetgen.maths.algebra import before, chain, sigmoid, total
from sheetgen.maths.derive import Column, Equations, derive
from sheetgen.maths.network import Network
from sheetgen.maths.rules import OPTIMIZERS
from sheetgen.maths.steps import setting_values, trace
from sheetgen.maths.story import Path, Story, tell
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.words import LOSS_WORDS, parameter_path

__all__ = ["make"]

# So many samples are listed, and a sum over so many is written out with its numbers.
MOST_SAMPLES = 9
# Digits of what is given, of a result, and of a result in a table.
GIVEN, RESULT, LISTED = 10, 6, 4
_FORWARD = ("net", "softmax", "out", "error", "total")
_OF_SAMPLES = ("net", "softmax", "out", "error", "delta")

Values = Mapping[Symbol, float | ExcelError]


def make(spec: Spec, *, blank: bool = False) -> Handout:
    """The hand-out of a spec's first run; with `blank`, a line to write on wherever a result would stand."""
    work = _Work(replace(spec, steps=1, published=()), spec.runs[0], blank)
    name = [Section((), (Text(("Name ", None, " Date ", None)),))] if blank else []
    sections = [*name, work.network_section(), work.given(), work.forward(), *work.gradients(), work.update()]
    return Handout(spec.title, (*sections, *map(work.row, (0, 1))))


@dataclass(frozen=True)
class _Work:
    """A spec of one update, and the sections about it."""

    spec: Spec
    run: Run
    blank: bool

    @cached_property
    def equations(self) -> Equations:
        return derive(self.spec, self.run.optimizer)

    @cached_property
    def network(self) -> Network:
        return self.equations.network

    @cached_property
    def values(self) -> tuple[Values, Values]:
        """What each symbol is at steps 0 and 1; at step 1, those before it too."""
        symbols = [column.symbol for column in self.equations.columns]
        settings = setting_values(self.equations, self.run)
        first, second = (dict(zip(symbols, row, strict=True)) for row in trace(self.equations, self.run))
        earlier = {before(symbol): value for symbol, value in first.items()}
        return settings | first, settings | earlier | second

    @cached_property
    def turns(self) -> bool:
        """Whether each update takes the next of several samples."""
        return self.network.samples == 1 < len(self.spec.inputs)

    def answer(self, expr: Expr) -> Shown | None:
        """An expression that is the reader's to find."""
        return None if self.blank else Shown(expr)

    def network_section(self) -> Section:
        """The drawing, and the loss in words."""
        last = len(self.spec.layers) - 1
        rows: list[tuple[Part, ...]] = [("inputs", str(len(self.spec.inputs[0])), "", "")]
        for place, layer in enumerate(self.spec.layers):
            own = [p.symbol.name for p in self.network.of_layer(place)]
            weights = ", ".join([*_ends(name for name in own if name[0] == "w"), *_ends(n for n in own if n[0] == "b")])
            name = "output" if place == last else f"hidden {place + 1}" if last > 1 else "hidden"
            rows.append((name, str(layer.units), layer.activation, weights))
        table = Table(("layer", "units", "activation", "weights and biases"), tuple(rows))
        loss = Text((f"The loss: {LOSS_WORDS[self.spec.loss]}.",))
        return Section(("The network",), (Picture(self.network, table), loss))

    def given(self) -> Section:
        """The data, the initial weights and the rate."""
        inputs, targets = self.spec.inputs, self.spec.targets
        letters = [(letter, len(rows[0])) for letter, rows in (("i", inputs), ("t", targets))]
        head: tuple[Part, ...] = (
            "sample",
            *(Shown(Symbol(f"{letter}{n + 1}")) for letter, count in letters for n in range(count)),
        )
        rows: list[tuple[Part, ...]] = [
            (str(number), *(Number(value, GIVEN) for value in (*one, *other)))
            for number, (one, other) in enumerate(zip(inputs, targets, strict=True), 1)
        ]
        listed = rows[:MOST_SAMPLES]
        blocks: list[Block] = [Table(head, tuple(listed))]
        if len(rows) > len(listed):
            blocks.append(Text((f"… and {len(rows) - len(listed):,} more samples.",)))
        if self.turns:
            blocks.append(Text(("Each step takes one sample: the first, then the next.",)))
        parameters = [Formula(p.symbol, (Number(p.value, GIVEN),)) for p in self.network.parameters]
        settings = [
            Formula(symbol, (Number(value, GIVEN),))
            for symbol, value in setting_values(self.equations, self.run).items()
        ]
        blocks.append(Text(("Initial weights: ", *_listed(parameters), ".")))
        blocks.append(
            Text(("Learning rate and settings: " if settings[1:] else "Learning rate: ", *_listed(settings), "."))
        )
        return Section(("What is given",), tuple(blocks))

    def forward(self) -> Section:
        """Net inputs, activations and losses in symbols."""
        lines = [
            Formula(equation.symbol, (Shown(equation.expr),))
            for equation in self.network.forward
            if equation.kind in _FORWARD and _of_first(equation.symbol)
        ]
        blocks: list[Block] = []
        if any(layer.activation == "sigmoid" for layer in self.spec.layers):
            x = Symbol("x")
            blocks.append(Formulas((Formula(sigmoid(x), (Shown(1 / (1 + sympy.exp(-x))),)),)))
        if self.network.samples > 1:
            blocks.append(Text(("(1) marks what belongs to sample 1; the other samples have the same formulas.",)))
        return Section(("The forward pass",), (*blocks, Formulas(tuple(lines))))

    def gradients(self) -> Iterator[Section]:
        """The derivation: told path by path or, of a network for which that is long, by δ."""
        if self.network.closed is not None:
            for number, story in enumerate(tell(self.network)):
                if not number:
                    yield Section(("The gradients",), (Text(("The chain rule, last layer first.",)),))
                yield self._story(story, self.network.closed[story.parameter.symbol])
            return
        told = (
            "δ of a unit is the derivative of the loss of one sample with respect to the unit's net input. In the last "
            "layer it comes from the loss; in any other, from the δ of the units that it feeds."
        )
        deltas = {symbol: expr for symbol, expr in self.network.delta.items() if _of_first(symbol)}
        yield Section(("Backwards: δ of every unit",), (Text((told,)), self._answers(deltas)))
        gradients = {p.gradient: self.network.gradient[p.symbol] for p in self.network.trained}
        rule = "The gradient of a weight is the δ of the unit that it enters times the value that it multiplies"
        mean = ", averaged over the samples." if self.network.samples > 1 else "."
        yield Section(("Every gradient",), (Text((rule + mean,)), self._answers(gradients)))

    def _answers(self, expressions: Mapping[Symbol, Expr]) -> Formulas:
        return Formulas(tuple(Formula(symbol, (self.answer(expr),)) for symbol, expr in expressions.items()))

    def _story(self, story: Story, closed: Expr) -> Section:
        parameter = story.parameter
        gradient = Symbol(f"∂E_total/∂{parameter.symbol.name}")
        links = total(*(chain(*(Symbol(factor.name) for factor in path.factors)) for path in story.paths))
        factors = {Symbol(factor.name): factor.expr for path in story.paths for factor in path.factors}
        blocks = (
            Text(tuple(_words(story))),
            Formulas((Formula(gradient, (Shown(links),)),)),
            self._answers(factors),
            Formulas((Formula(gradient, (self.answer(closed),)),)),
        )
        return Section((Shown(parameter.symbol), f": {parameter_path(self.spec, parameter)}"), blocks, level=3)

    def update(self) -> Section:
        """How the parameters move."""
        rule = OPTIMIZERS[self.run.optimizer.name]
        blocks: list[Block] = []
        if rule.states:
            blocks.append(Text((f"{rule.text}, where g is the gradient, w a weight or bias and η the rate.",)))
        else:
            columns = {column.symbol: column for column in self.equations.columns}
            lines = [self._update_of(columns[p.symbol]) for p in self.network.trained[:1]]
            blocks += [Formulas(tuple(lines)), Text(("and so with every other weight and bias.",))]
        if self.spec.updates == "output_first":
            told = "The last layer moves first, and the other gradients use its new weights, which are marked ′."
            blocks.append(Text((told,)))
        return Section(("The update",), tuple(blocks))

    def _update_of(self, column: Column) -> Formula:
        now = {symbol: Symbol(symbol.name.removesuffix("⁻")) for symbol in column.fill.free_symbols}
        return Formula(column.symbol, (Shown(column.fill.xreplace(now)),), "←")

    def row(self, step: int) -> Section:
        """A step worked out: each formula with its numbers, in an order in which each needs only earlier ones."""
        values = self.values[step]
        columns = [self.equations.columns[place] for place in self.equations.order]
        lines = [self._line(column, step, values) for column in columns if self._is_told(column, step)]
        blocks: list[Block] = [Formulas(tuple(lines))]
        if self.network.samples > 1:
            blocks += [Text(("The same for the other samples:",)), self._samples(values)]
        title = "Step 0: with the initial weights" if step == 0 else "Step 1: after one update"
        return Section((title,), tuple(blocks))

    def _is_told(self, column: Column, step: int) -> bool:
        if column.kind == "step" or not _of_first(column.symbol):
            return False
        if column.kind == "data":
            return self.turns
        if column.kind in ("parameter", "state", "shared"):
            return step > 0 and column.fill != column.start
        return True

    def _line(self, column: Column, step: int, values: Values) -> Formula:
        value = values[column.symbol]
        if column.kind == "data":
            return Formula(column.symbol, (Number(value, GIVEN),))
        if self.blank:
            return Formula(column.symbol, (None,))
        expr = column.fill if step else column.start
        adds_samples = column.kind in ("total", "gradient") and self.network.samples > MOST_SAMPLES
        if expr.is_Symbol or adds_samples:
            return Formula(column.symbol, (Number(value, RESULT),))
        return Formula(column.symbol, (Shown(expr, values), Number(value, RESULT)))

    def _samples(self, values: Values) -> Table:
        """What every sample has, a column each."""
        count = min(self.network.samples, MOST_SAMPLES)
        rows = []
        for column in self.equations.columns:
            if column.kind in _OF_SAMPLES and column.symbol.name.endswith("[1]"):
                name = column.symbol.name.removesuffix("[1]")
                symbols = [Symbol(f"{name}[{number}]") for number in range(1, count + 1)]
                cells = [None if self.blank else Number(values[symbol], LISTED) for symbol in symbols]
                rows.append((Shown(Symbol(name)), *cells))
        return Table(("sample", *(str(number) for number in range(1, count + 1))), tuple(rows))


def _of_first(symbol: Symbol) -> bool:
    """Whether the symbol belongs to the first sample, or to all of them."""
    return symbol.name.endswith("[1]") or "[" not in symbol.name


def _ends(names: Iterator[str]) -> list[str]:
    """The first and the last of some names, as in "w1 … w8"."""
    own = list(names)
    return [f"{own[0]} … {own[-1]}" if len(own) > 1 else own[0]] if own else []


def _listed(formulas: list[Formula]) -> Iterator[Part]:
    for number, formula in enumerate(formulas):
        if number:
            yield ", "
        yield formula


def _words(story: Story) -> Iterator[Part]:
    """How a parameter reaches the loss."""
    symbol = story.parameter.symbol
    yield Shown(symbol)
    if story.unreached:
        yield " reaches the loss only through "
        yield Shown(story.paths[0].loss)
        for part in story.unreached:
            yield "; "
            yield Formula(Symbol(f"∂{part.name}/∂{symbol.name}"), (Shown(sympy.Integer(0)),))
        yield "."
    elif len(story.paths) == 1:
        yield " reaches the loss along one path."
    else:
        yield f" reaches the loss along {len(story.paths)} paths, which add up: through "
        for number, path in enumerate(story.paths):
            if number:
                yield ", and through "
            yield from _through(path)
        yield "."


def _through(path: Path) -> Iterator[Part]:
    """The nodes on the way, from the parameter to the loss."""
    for number, factor in enumerate(reversed(path.factors)):
        if number:
            yield " → "
        yield Shown(factor.of)
