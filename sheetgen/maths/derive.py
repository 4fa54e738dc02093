"""Spec -> Equations: the columns of a training tab, each with what row 0 and every later row hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sympy import Expr, Integer, Piecewise, Symbol

from sheetgen.maths import schedules
from sheetgen.maths.algebra import before, chain
from sheetgen.maths.network import Network, Parameter, derive_network, next_value
from sheetgen.maths.rules import DAMPENING, MU, OPTIMIZERS, RATE, SETTINGS, STEP, Rule, used_settings
from sheetgen.maths.schedules import RATE_NOW, rate_formulas
from sheetgen.spec.structure import Optimizer, Spec

__all__ = ["Column", "Equations", "derive"]


@dataclass(frozen=True)
class Column:
    """One column of a training tab: `start` is row 0, `fill` every later row.

    A `fill` may use `before(symbol)`, the same column one row above. `kind` is one of step, rate, data, parameter, net,
    softmax, part, out, error, total, delta, gradient, next, shared, state.
    """

    symbol: Symbol
    start: Expr
    fill: Expr
    kind: str


@dataclass(frozen=True, eq=False)
class Equations:
    """A network trained by one optimizer: its columns in the order in which the tab shows them.

    `settings` maps the letter of each number in the head of the tab (η first) to the option of the optimizer or the
    schedule.
    """

    network: Network
    optimizer: Optimizer
    columns: tuple[Column, ...]
    settings: Mapping[Symbol, str]

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Indexes of `columns` in an order in which each needs only earlier ones of its row."""
        place = {column.symbol: index for index, column in enumerate(self.columns)}
        done: dict[int, None] = {}
        needs = [
            [place[s] for s in (column.start.free_symbols | column.fill.free_symbols) & place.keys()]
            for column in self.columns
        ]
        for index in range(len(self.columns)):
            stack = [index]
            while stack:
                missing = [need for need in needs[stack[-1]] if need not in done]
                if missing:
                    stack += missing
                else:
                    done[stack.pop()] = None
        return tuple(done)


@lru_cache(maxsize=16)
def derive(spec: Spec, optimizer: Optimizer) -> Equations:
    """The columns for one optimizer; the same object for an equal spec and optimizer."""
    network = derive_network(spec)
    rule = OPTIMIZERS[optimizer.name]
    settings = {RATE: "learning_rate"} | {SETTINGS[name]: name for name in used_settings(optimizer.options)}
    schedule = spec.schedule
    if schedule:
        settings |= {schedules.SETTINGS[name]: name for name, _ in schedule.options}
    moved = {p.symbol for p in network.of_layer(len(spec.layers) - 1)} if spec.updates == "output_first" else set()
    update = _Update(rule, frozenset(settings), frozenset(moved), optimizer.decay_bias, RATE_NOW if schedule else RATE)
    columns = [Column(STEP, Integer(0), before(STEP) + 1, "step")]
    columns += [Column(RATE_NOW, *rate_formulas(schedule), "rate")] if schedule else []
    parameters = {parameter.symbol: parameter for parameter in network.parameters}
    for equation in network.forward:
        parameter = parameters.get(equation.symbol)
        fill = update.parameter_fill(parameter) if parameter and parameter.trained else equation.expr
        columns.append(Column(equation.symbol, equation.expr, fill, equation.kind))
    if network.closed is None:
        columns += [Column(symbol, expr, expr, "delta") for symbol, expr in network.delta.items()]
    gradients = network.closed or network.gradient
    columns += [Column(p.gradient, e, e, "gradient") for p in network.trained for e in [gradients[p.symbol]]]
    columns += update.next_columns(network.trained)
    columns += update.state_columns(network.trained)
    return Equations(network, optimizer, tuple(columns), settings)


@dataclass(frozen=True)
class _Update:
    """The rule applied to parameters; those in `moved` are updated within the row (updates = "output_first")."""

    rule: Rule
    settings: frozenset[Symbol]
    moved: frozenset[Symbol]
    decay_bias: bool
    rate: Symbol

    def state(self, name: str, parameter: Parameter) -> Symbol:
        return Symbol(f"{name}_{parameter.symbol.name}")

    def _gradient(self, parameter: Parameter) -> Expr:
        """g with the weight decay that belongs to it."""
        decay = SETTINGS["weight_decay"]
        if self.rule.decoupled or not self._decays(parameter):
            return parameter.gradient
        return parameter.gradient + chain(decay, parameter.symbol)

    def _decays(self, parameter: Parameter) -> bool:
        """Whether weight decay shrinks it: every weight, and a bias if the optimizer says so."""
        is_bias = parameter.symbol.name.startswith("b")
        return SETTINGS["weight_decay"] in self.settings and (self.decay_bias or not is_bias)

    def _next_states(self, parameter: Parameter) -> Iterator[tuple[Symbol, Expr]]:
        gradient = self._gradient(parameter)
        for name, rule in self.rule.states.items():
            symbol = self.state(name, parameter)
            if DAMPENING in self.settings:
                # torch dampens no first gradient, and keeps no velocity of a momentum of 0.
                later = rule(symbol, chain(1 - DAMPENING, gradient))
                yield symbol, Piecewise((later, chain(MU, STEP) > 0), (gradient, True))
            else:
                yield symbol, rule(symbol, gradient)

    def _next_parameter(self, parameter: Parameter) -> Expr:
        """The updated parameter, from this row's values and next_value() of its states."""
        new: dict[str, Expr] = {name: next_value(self.state(name, parameter)) for name in self.rule.states}
        new |= {name: next_value(Symbol(name)) for name in self.rule.shared}
        rate_decay, rate = SETTINGS["lr_decay"], self.rate
        start: Expr = parameter.symbol
        if self.rule.decoupled and self._decays(parameter):
            start = chain(parameter.symbol, 1 - RATE * SETTINGS["weight_decay"])
        expr = self.rule.update(start, self._gradient(parameter), new)
        now = rate / (1 + rate_decay * STEP) if rate_decay in self.settings else rate
        return expr.xreplace({RATE: now})

    def _fill(self, symbol: Symbol, expr: Expr, within_row: bool) -> Expr:
        """The next row's formula for a column whose next value is `expr` in this row's terms."""
        if within_row:
            return before(next_value(symbol))
        fixed = self.settings
        shift = {s: before(s) for s in expr.free_symbols if s not in fixed and not s.name.endswith("′")}
        shift |= {s: Symbol(s.name[:-1]) for s in expr.free_symbols if s.name.endswith("′")}
        return expr.xreplace(shift)

    def parameter_fill(self, parameter: Parameter) -> Expr:
        return self._fill(parameter.symbol, self._next_parameter(parameter), parameter.symbol in self.moved)

    def next_columns(self, trained: tuple[Parameter, ...]) -> Iterator[Column]:
        """The already updated values of the last layer, for the hidden layers' gradients of the same row."""
        moved = [parameter for parameter in trained if parameter.symbol in self.moved]
        for name, factor in self.rule.shared.items() if moved else ():
            yield _same(next_value(Symbol(name)), chain(factor, Symbol(name)))
        for parameter in moved:
            for symbol, expr in self._next_states(parameter):
                yield _same(next_value(symbol), expr)
        for parameter in moved:
            yield _same(next_value(parameter.symbol), self._next_parameter(parameter))

    def state_columns(self, trained: tuple[Parameter, ...]) -> Iterator[Column]:
        for name, factor in self.rule.shared.items():
            symbol = Symbol(name)
            fill = self._fill(symbol, chain(factor, symbol), bool(self.moved))
            yield Column(symbol, Integer(1), fill, "shared")
        for name in self.rule.states:
            start = self.rule.starts.get(name)
            first = start if start in self.settings else Integer(0)
            for parameter in trained:
                symbol = self.state(name, parameter)
                expr = dict(self._next_states(parameter))[symbol]
                yield Column(symbol, first, self._fill(symbol, expr, parameter.symbol in self.moved), "state")


def _same(symbol: Symbol, expr: Expr) -> Column:
    return Column(symbol, expr, expr, "next")
