"""What an exercise is: one run of a spec, with blanks or planted mistakes; made from what a teacher asks for."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, count

from sympy import Expr, Symbol

from sheetgen.check.foreign.labels import symbol_of
from sheetgen.errors import ExcelError, SpecError
from sheetgen.maths.derive import Column, Equations, derive
from sheetgen.maths.rules import OPTIMIZERS
from sheetgen.maths.steps import trace
from sheetgen.spec import dump
from sheetgen.spec.structure import Layer, Matrix, Spec

__all__ = ["GROUPS", "STARTS", "Exercise", "blankable", "drawn", "make_exercise", "one_run", "with_formulas"]

# What `--blank` calls them -> the kinds of columns.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "forward": ("net", "softmax", "out"),
    "loss": ("error", "total"),
    "gradients": ("delta", "gradient"),
    "updates": ("parameter", "next", "state"),
}
STARTS = ("parameter", "state")
"""Kinds of columns whose row 0 is a number to start from."""
ALL = "all"
FORMAT = 1
DIGITS, TRIES = 2, 100
"""Of drawn numbers, after their leading zeros: as somebody would write them."""


@dataclass(frozen=True)
class Exercise:
    """A spec of one run, and the names of the columns that are blank; or, with `bugs`, how many mistakes are planted.

    `columns` are those that count: the blanks or, with bugs, every column that could be wrong. The bugs are drawn by
    `seed`. `hints` is the highest level that opens, `learner` whose exercise it is, if it is somebody's.
    """

    spec: Spec
    columns: tuple[str, ...]
    bugs: int = 0
    seed: int = 1
    hints: int = 3
    learner: str = ""

    @property
    def equations(self) -> Equations:
        """Those of its one run."""
        return derive(self.spec, self.spec.runs[0].optimizer)

    @property
    def counted(self) -> tuple[Column, ...]:
        """The columns that count, in the table's order."""
        return tuple(column for column in self.equations.columns if column.symbol.name in self.columns)

    @property
    def alike(self) -> tuple[tuple[str, str], ...]:
        """Inputs, and targets, that are equal in every sample: a mistake between them changes no number here."""
        spec = self.spec
        columns = [*zip("i" * len(spec.inputs[0]), count(1), zip(*spec.inputs, strict=True), strict=False)]
        columns += zip("t" * len(spec.targets[0]), count(1), zip(*spec.targets, strict=True), strict=False)
        return tuple(
            (f"{letter}{one}", f"{letter}{other}")
            for (letter, one, values), (second, other, others) in combinations(columns, 2)
            if letter == second and values == others
        )

    @property
    def record(self) -> str:
        """What the file says inside of it, beside the spec."""
        content = {
            "exercise": FORMAT, "columns": list(self.columns), "bugs": self.bugs, "seed": self.seed,
            "hints": self.hints, "learner": self.learner,
        }  # fmt: skip
        return json.dumps({**content, "digest": self._digest}, ensure_ascii=False)

    @property
    def _digest(self) -> str:
        """By which a grade sees that the spec or the record was changed, by whatever hand."""
        text = f"{dump(self.spec)} {self.columns} {self.bugs} {self.seed} {self.learner}"
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @classmethod
    def from_record(cls, text: str, spec: Spec) -> Exercise:
        """The exercise of a file with this record and spec; ValueError if they do not belong together."""
        try:
            content = json.loads(text)
            made = cls(
                spec, tuple(map(str, content["columns"])), int(content["bugs"]), int(content["seed"]),
                int(content["hints"]), str(content["learner"]),
            )  # fmt: skip
            known = content["exercise"] == FORMAT and content["digest"] == made._digest
        except (TypeError, KeyError, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from None
        if not known:
            raise ValueError("another digest")
        return made


def make_exercise(
    spec: Spec, *, blank: Sequence[str] = ("gradients",), rate: float | None = None, bugs: int = 0,
    seed: int | None = None, hints: int = 3, learner: str = "",
) -> Exercise:  # fmt: skip
    """An exercise of a spec; with a seed its data and initial weights are drawn anew.

    Without a rate it is the one of the spec's that ends at the lowest loss. SpecError for what cannot be blank.
    """
    if not spec.dense:
        kinds = ", ".join(dict.fromkeys(layer.kind for layer in spec.layers))
        raise SpecError(f"its layers are of the kinds {kinds}; exercises have linear layers only. Choose another spec")
    if spec.scale or spec.test_inputs:
        raise SpecError("exercise: its data is scaled or split for a test, which is not judged; remove scale and test")
    one = one_run(spec, rate)
    if seed is not None:
        one = drawn(one, seed)
    if learner:
        one = replace(one, title=f"{one.title}: {learner}"[:200])
    equations = derive(one, one.runs[0].optimizer)
    names = _names(equations, (ALL,) if bugs else blank)
    return Exercise(one, names, bugs, 1 if seed is None else seed, hints, learner)


def one_run(spec: Spec, rate: float | None = None) -> Spec:
    """The spec with its first optimizer and one rate, and nothing of what its author wrote about its numbers."""
    optimizer = spec.optimizers[0]
    alone = replace(spec, optimizers=(optimizer,), published=(), about="", source="")
    if rate is not None:
        return replace(alone, learning_rates=(rate,))
    if len(spec.learning_rates) == 1:
        return alone
    return replace(alone, learning_rates=(min(spec.learning_rates, key=lambda one: _last_loss(alone, one)),))


def _last_loss(spec: Spec, rate: float) -> float:
    run = replace(spec, learning_rates=(rate,)).runs[0]
    equations = derive(spec, run.optimizer)
    place = [column.symbol for column in equations.columns].index(equations.network.total)
    loss = trace(equations, run)[-1][place]
    return float("inf") if isinstance(loss, ExcelError) else loss


def blankable(equations: Equations) -> tuple[Column, ...]:
    """The columns that can be blank: those whose formula is more than a number that stands elsewhere."""
    rule = OPTIMIZERS[equations.optimizer.name]
    trained = {parameter.symbol for parameter in equations.network.trained}
    kinds = {kind for group in GROUPS.values() for kind in group}
    return tuple(
        column
        for column in equations.columns
        if column.kind in kinds
        and not isinstance(column.fill, Symbol)
        and (column.kind != "parameter" or column.symbol in trained)
        and column.symbol.name.rstrip("′") not in rule.shared
    )


def with_formulas(equations: Equations, changed: Mapping[Symbol, tuple[Expr, Expr]]) -> Equations:
    """The equations with other formulas in some columns, in row 0 and below."""
    columns = []
    for column in equations.columns:
        start, fill = changed.get(column.symbol, (column.start, column.fill))
        columns.append(replace(column, start=start, fill=fill))
    return replace(equations, columns=tuple(columns))


def _names(equations: Equations, blank: Iterable[str]) -> tuple[str, ...]:
    """The names of the columns that somebody asks for, by group or symbol, in the table's order."""
    possible = blankable(equations)
    names = [column.symbol.name for column in possible]
    wanted: set[str] = set()
    for one in blank:
        kinds = {kind for group in GROUPS.values() for kind in group} if one == ALL else GROUPS.get(one, ())
        found = {column.symbol.name for column in possible if column.kind in kinds}
        if not kinds:
            spelt = (one, symbol_of(one))
            found = {name for name in names if name in spelt or name.partition("[")[0] in spelt}
        if not found:
            groups = ", ".join([*GROUPS, ALL])
            shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise SpecError(f"--blank: {one!r} has no column here; allowed are {groups}, or of the symbols {shown}")
        wanted |= found
    return tuple(name for name in names if name in wanted)


def drawn(spec: Spec, seed: int) -> Spec:
    """The spec with other data and initial weights, each within the range of those that it stands among.

    Data of whole numbers only, as a truth table has, and numbers that are all alike stay as they are.
    """
    draw = random.Random(f"sheetgen exercise {seed}")
    inputs = _columns(spec.inputs, draw)
    targets = spec.targets if spec.loss == "cross_entropy" else _columns(spec.targets, draw)
    layers = tuple(_layer(layer, draw) for layer in spec.layers)
    return replace(spec, inputs=inputs, targets=targets, layers=layers)


def _apart(make: Callable[[], Sequence[float]]) -> Sequence[float]:
    """Numbers that differ from each other, if some tries find any: a mistake among equal ones does not show."""
    for _ in range(TRIES):
        found = make()
        if len({*found}) == len(found):
            break
    return found


def _columns(rows: Matrix, draw: random.Random) -> Matrix:
    """Numbers between 0.6 and 1.4 of each: samples keep their order, and targets stay on their side of 0."""
    if all(value == int(value) for row in rows for value in row):
        return rows
    inside = all(0 <= value <= 1 for row in rows for value in row)
    highest = 0.99 if inside else float("inf")

    def other(row: Sequence[float]) -> list[float]:
        return [min(_short(value * (0.6 + 0.8 * draw.random())), highest) for value in row]

    return tuple(tuple(_apart(partial(other, row))) for row in rows)


def _layer(layer: Layer, draw: random.Random) -> Layer:
    def other(values: Sequence[float]) -> list[float]:
        low, high = min(values), max(values)
        room = 0.2 * (high - low)
        return [_short(low - room + (high - low + 2 * room) * draw.random()) for _ in values]

    flat = _apart(partial(other, [value for row in layer.weights for value in row]))
    width = len(layer.weights[0])
    if min(map(min, layer.weights)) == max(map(max, layer.weights)):
        flat = _apart(lambda: [_short(layer.weights[0][0] * (0.5 + draw.random())) for _ in flat])
    weights = tuple(tuple(flat[at : at + width]) for at in range(0, len(flat), width))
    bias = None if layer.bias is None else tuple(layer.bias if len({*layer.bias}) == 1 else other(layer.bias))
    return replace(layer, weights=weights, bias=bias)


def _short(value: float) -> float:
    """A number of few digits; never 0."""
    return float(f"{value:.{DIGITS}g}") or 0.01
