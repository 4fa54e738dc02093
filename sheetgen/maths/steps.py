"""Equations -> the numbers of every step, in float64: the values that are stored beside the formulas.

The equations become one straight-line Python function over floats: with the handful of values that a row of a
small network has, that is several times faster than numpy. A row that leaves the range of floats is evaluated
again column by column, as Excel would: an error spreads to whatever uses it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import CodeType
from typing import Any

from sympy import Expr, Symbol

from sheetgen.errors import ExcelError
from sheetgen.formulas import evaluate as formulas
from sheetgen.formulas.evaluate import At, Code, compiled
from sheetgen.formulas.values import Grid
from sheetgen.maths.algebra import before
from sheetgen.maths.derive import Equations
from sheetgen.maths.network import derive_network
from sheetgen.maths.printer import excel, python
from sheetgen.maths.rules import RATE
from sheetgen.spec.order import order
from sheetgen.spec.structure import Matrix, Run, Spec

__all__ = ["FUNCTIONS", "Row", "evaluate", "given_values", "scaled", "setting_values", "trace"]

Row = tuple["float | ExcelError", ...]


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow, by the same two branches as the formula."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def log1p(u: float) -> float:
    """log(1 + u), by the same arithmetic as the formula."""
    return u if u < 5e-15 else math.log(1 + u) * u / (1 + u - 1)


def logit_loss(x: float, target: float) -> float:
    """log(1 + exp(x)) - target·x without overflow and with all its digits, as the formula has it."""
    return max(x, 0) - target * x + log1p(math.exp(-abs(x)))


def which(largest: float, *others: float) -> int:
    """The one-based place of the first that is not below the largest, as the formula finds it."""
    return next((place for place, one in enumerate(others, 1) if one >= largest), len(others))


def cos_pi(x: float) -> float:
    """cos(π·x), by the same arithmetic as the formula."""
    return math.cos(math.pi * x)


def at(table: Sequence[Any], row: float, column: float = 0) -> Any:
    """The entry of a column, or of a table in a column from 1."""
    return table[int(row) - 1][int(column) - 1] if column else table[int(row) - 1]


FUNCTIONS: Mapping[str, Any] = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "max": max, "min": min, "abs": abs,
    "mod": lambda a, b: a % b, "floor": math.floor, "at": at,
    "sigmoid": sigmoid, "log1p": log1p, "logit_loss": logit_loss, "cos_pi": cos_pi,
    "which": which, "pick": lambda a, b: 1 if a == b else 0,
}  # fmt: skip


def trace(equations: Equations, run: Run, *, progress: Callable[[int], object] | None = None) -> list[Row]:
    """The rows of one run, (steps + 1) tuples with one value per column; `progress` gets the rows added.

    A value that Excel could not show as a number is an ExcelError; training that diverges raises nothing.
    """
    spec = equations.network.spec
    known = given_values(spec) | setting_values(equations, run)
    rows: list[Row] = []
    reported = 0
    for row in _rows(equations, known, spec.steps + 1):
        rows.append(row)
        if progress and len(rows) - reported == 1000:
            progress(1000)
            reported = len(rows)
    if progress:
        progress(len(rows) - reported)
    return rows


def given_values(spec: Spec) -> dict[Symbol, Any]:
    """The cells of Inputs that formulas name: a number, a column with one per sample, or the table of their order."""
    known: dict[Symbol, Any] = {p.given: p.value for p in derive_network(spec).parameters}
    for letter, table in (("i", scaled(spec, spec.inputs)), ("t", spec.targets)):
        for number, column in enumerate(zip(*table, strict=True), 1):
            known[Symbol(f"{letter}_{number}")] = column if len(column) > 1 else column[0]
    if spec.shuffle is not None:
        known[Symbol("order")] = order(spec)
    return known


def scaled(spec: Spec, rows: Matrix) -> Matrix:
    """Inputs as the network takes them: by the spread of those to train with, in the arithmetic of tab Inputs."""
    if not spec.scale:
        return rows
    moves = [_move(spec.scale, column) for column in zip(*spec.inputs, strict=True)]
    return tuple(tuple((x - low) / size for x, (low, size) in zip(row, moves, strict=True)) for row in rows)


def _move(scale: str, column: Sequence[float]) -> tuple[float, float]:
    """What is subtracted from an input, and what it is divided by."""
    if scale == "minmax":
        return min(column), max(column) - min(column)
    mean = _added(column) / len(column)
    return mean, math.sqrt(_added((x - mean) * (x - mean) for x in column) / len(column))


def _added(values: Iterable[float]) -> float:
    """Their sum, one after the other as in a spreadsheet; Python 3.12's sum() makes up for what is rounded off."""
    total = 0.0
    for value in values:
        total += value
    return total


def setting_values(equations: Equations, run: Run) -> dict[Symbol, float]:
    """The numbers in the head of the run's tab: the learning rate, the optimizer's options and the schedule's."""
    schedule = equations.network.spec.schedule
    options = {**dict(run.optimizer.options), **dict(schedule.options if schedule else ())}
    return {s: run.rate if s == RATE else options[name] for s, name in equations.settings.items()}


def _rows(equations: Equations, known: Mapping[Symbol, Any], count: int) -> Iterator[Row]:
    row: Row | None = None
    done = 0
    for row in _fast_rows(equations, known, count):
        yield row
        done += 1
    careful = _Careful(equations, known)
    while done < count:
        row = careful.after(row)
        yield row
        done += 1


def _fast_rows(equations: Equations, known: Mapping[Symbol, Any], count: int) -> Iterator[Row]:
    """Rows as long as every value is a finite float; ends early at the first that is not."""
    symbols = tuple(known)
    space: dict[str, Any] = {**FUNCTIONS, **{f"k{place}": known[symbol] for place, symbol in enumerate(symbols)}}
    exec(_program(equations, symbols), space)  # our own text, printed from sympy expressions
    start, fill = space["start"], space["fill"]
    finite = math.isfinite
    row: Row | None = None
    for _ in range(count):
        try:
            row = start() if row is None else fill(row)
        except (OverflowError, ZeroDivisionError, ValueError):
            return
        if not (finite(sum(row)) or all(map(finite, row))):
            return
        yield row


@lru_cache(maxsize=16)
def _program(equations: Equations, known: tuple[Symbol, ...]) -> CodeType:
    """Two functions of a row: `start()` and `fill(row above)`; the known symbols are the globals k0, k1, …"""
    columns = equations.columns
    names = {symbol: f"k{place}" for place, symbol in enumerate(known)}
    variables = {column.symbol: f"c{place}" for place, column in enumerate(columns)}
    above = {before(symbol): "p" + variable[1:] for symbol, variable in variables.items()}
    every = {**names, **variables, **above}
    result = f"    return ({', '.join(variables.values())},)"

    def body(expressions: Sequence[Expr]) -> list[str]:
        order = equations.order
        return [f"    {variables[columns[at].symbol]} = {python(expressions[at], every)}" for at in order]

    lines = ["def start():", *body([column.start for column in columns]), result, "def fill(row):"]
    lines += [f"    ({', '.join(above.values())},) = row", *body([column.fill for column in columns]), result]
    return compile("\n".join(lines), "<equations>", "exec")


class _Careful:
    """Evaluates a row column by column, with Excel's errors as values."""

    def __init__(self, equations: Equations, known: Mapping[Symbol, Any]) -> None:
        self._equations = equations
        self._known = known

    def after(self, row: Row | None) -> Row:
        columns = self._equations.columns
        values: dict[Symbol, Any] = dict(self._known)
        if row is not None:
            values |= {before(column.symbol): value for column, value in zip(columns, row, strict=True)}
        for at in self._equations.order:
            column = columns[at]
            values[column.symbol] = evaluate(column.start if row is None else column.fill, values)
        return tuple(values[column.symbol] for column in columns)


def evaluate(expr: Expr, values: Mapping[Symbol, Any]) -> float | ExcelError:
    """The expression in float64, by the rules of Excel: an error spreads to whatever uses it."""
    symbols, formula = _formula(expr)
    names = {f"x_{place}": _constant(values[symbol]) for place, symbol in enumerate(symbols)}
    value = formulas.evaluate(formula, At({}, names, "", 1, 1))
    assert isinstance(value, (float, ExcelError))
    return value


def _constant(value: float | ExcelError | tuple[Any, ...]) -> Code:
    """What a name stands for: a value, a column of them, or a table."""
    if isinstance(value, tuple):
        rows: Grid = [[float(one) for one in (row if isinstance(row, tuple) else (row,))] for row in value]
        return lambda at: rows
    single = value if isinstance(value, ExcelError) else float(value)
    return lambda at: single


@cache
def _formula(expr: Expr) -> tuple[tuple[Symbol, ...], Code]:
    symbols = tuple(sorted(expr.free_symbols, key=str))
    return symbols, compiled(excel(expr, {symbol: f"x_{place}" for place, symbol in enumerate(symbols)}))
