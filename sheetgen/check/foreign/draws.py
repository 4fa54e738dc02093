"""Numbers for the symbols of a network's rows, drawn at random: what formulas are compared on."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from sheetgen.check.foreign.book import Place
from sheetgen.check.foreign.labels import RATE
from sheetgen.check.foreign.network import Network, expanded, symbols_in
from sheetgen.formulas.evaluate import At, Code, compiled, evaluate
from sheetgen.formulas.values import Grid, Scalar
from sheetgen.xlsx.cells import column_letters

__all__ = ["Draw", "Machine", "State", "new_draws"]

State = Mapping[str, float]


class _Row:
    """One row of numbers as a tab."""

    size = (1, 1)

    def __init__(self) -> None:
        self.values: list[Scalar] = []

    def __getitem__(self, place: Place) -> Scalar:
        return self.values[place[1] - 1]

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        return [self.values[left - 1 : right]]


class Machine:
    """A network's equations, computed from inputs, targets, weights and a rate."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._row = _Row()
        places: dict[str, str] = {}

        def known(symbol: str) -> str:
            return places.setdefault(symbol, f"{column_letters(len(places) + 1)}1")

        self._steps: list[tuple[str, int, Code]] = []
        for symbol, text in network.equations.items():
            code = compiled(expanded(text, {}, {name: known(name) for name in symbols_in(text)}))
            known(symbol)
            self._steps.append((symbol, list(places).index(symbol), code))
        self._symbols = list(places)
        self._at = At({"": self._row}, {}, "", 1, 1)

    def run(self, given: State) -> dict[str, float]:
        """Every symbol's number; nan where a formula gives none."""
        values = self._row.values = [given.get(symbol, float("nan")) for symbol in self._symbols]
        for symbol, place, code in self._steps:
            if symbol not in given:
                found = evaluate(code, self._at)
                values[place] = found if isinstance(found, float) else float("nan")
        numbers = (one if isinstance(one, float) else float("nan") for one in values)
        return {**given, **dict(zip(self._symbols, numbers, strict=True))}


@dataclass(frozen=True)
class Draw:
    """Numbers for a step, the one before and the one after, computed when they are asked for.

    Inputs and targets are the same in all, or `elsewhere` gives those of a row so many further down.
    """

    machine: Machine
    given: State
    states: Mapping[int, Callable[[], State]]
    seed: int
    elsewhere: Callable[[int], State] = lambda offset: {}
    _known: dict[int, State] = field(default_factory=dict)

    @property
    def looked_at(self) -> frozenset[int]:
        """How much further down the rows are that were asked for beside those that it was given."""
        return frozenset(self._known.keys() - self.states.keys())

    def state(self, offset: int) -> State:
        """That of a row so many further down."""
        found = self._known.get(offset)
        if found is None:
            found = self._known[offset] = self.states[offset]() if offset in self.states else self._drawn(offset)
        return found

    def _drawn(self, offset: int) -> State:
        given = {**self.given, **self.elsewhere(offset)}
        return self.machine.run(_with_weights(self.machine.network, given, f"{self.seed} {offset}"))


def new_draws(
    machine: Machine, fixed: State, rate: float, seeds: range, in_turn: bool = False
) -> tuple[list[Draw], list[Draw]]:
    """Draws for formulas that look at their own row, and for updates, which look at the row before.

    `fixed` are symbols that have one number in the whole table, since it stands outside; with `in_turn`, each row has
    data of its own.
    """
    pairs = [_new_pair(machine, fixed, rate, seed, in_turn) for seed in seeds]
    return [own for own, _ in pairs], [before for _, before in pairs]


def _new_pair(machine: Machine, fixed: State, rate: float, seed: int, in_turn: bool) -> tuple[Draw, Draw]:
    network = machine.network
    given = {RATE: rate, **_data(network, f"{seed}"), **fixed}

    def elsewhere(offset: int) -> State:
        return {**_data(network, f"{seed} at {offset}"), **fixed} if in_turn else {}

    @cache
    def first() -> State:
        return _signed(machine, _with_weights(network, given, f"{seed} first"), seed)

    @cache
    def second() -> State:
        return machine.run(_after(network, {**given, **elsewhere(1)}, first()))

    def other() -> State:
        return machine.run(_with_weights(network, {**given, **elsewhere(-1)}, f"{seed} other"))

    own = Draw(machine, given, {-1: other, 0: first, 1: second}, seed, elsewhere)
    return own, Draw(machine, given, {-1: first, 0: second}, seed, elsewhere)


def _data(network: Network, seed: str) -> dict[str, float]:
    draw = random.Random(f"data {seed}")
    given: dict[str, float] = {}
    for mark in network.sample_marks():
        given |= {f"i{k + 1}{mark}": draw.uniform(0.3, 1.2) * draw.choice((-1, 1)) for k in range(network.units[0])}
        targets = [draw.uniform(0.15, 0.85) for _ in range(network.units[-1])]
        if network.activations[-1] == "softmax":
            targets = [one / sum(targets) for one in targets]
        given |= {f"t{k + 1}{mark}": one for k, one in enumerate(targets)}
    return given


def _with_weights(network: Network, given: State, seed: str) -> State:
    draw = random.Random(seed)
    return {**given, **{name: draw.uniform(0.3, 1.3) * draw.choice((-1, 1)) for name in network.weights}}


LOUDER = 5.0
# Of the units of a layer, whether a net input is positive in each draw: in the first two each has both signs, and no
# two of four units have always the same, or always other ones, so that a mask of another unit shows.
_POSITIVE = (
    (False, True, False, True),
    (True, False, False, True),
    (False, True, True, True),
    (True, False, True, True),
)


def _signed(machine: Machine, given: State, seed: int) -> State:
    """The numbers of a draw, the weights of a unit turned round where its net input has not the sign that it should."""
    network, weights = machine.network, dict(given)
    state = machine.run(weights)
    for layer in range(1, network.depth + 1):
        # The second turn is for units that share a bias, which stays as it is and must not outweigh the others.
        for factor in (-1.0, LOUDER) if network.biases[layer - 1] == "shared" else (-1.0,):
            for unit in range(network.units[layer]):
                pattern = _POSITIVE[(unit + layer) % len(_POSITIVE)]
                net = state[network.net(layer, unit, network.sample_marks()[0])]
                if (net > 0) != pattern[seed % len(pattern)]:
                    own = {network.weight(layer, unit, source) for source in range(network.units[layer - 1])}
                    alone = network.biases[layer - 1] == "own" or network.units[layer] == 1
                    own |= {network.bias(layer, unit)} - {""} if alone else set()
                    weights |= {name: factor * weights[name] for name in own}
            state = machine.run(weights)
    return state


def _after(network: Network, given: State, state: State) -> State:
    return {**given, **{name: state[f"{name}⁺"] for name in network.weights}}
