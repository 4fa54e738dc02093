"""What operators give for two values, and signs and % for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sheetgen.errors import ExcelError
from sheetgen.formulas.functions import power
from sheetgen.formulas.values import DIV0, Failure, Scalar, compare, finite, number, ordered, text

__all__ = ["OPERATORS", "hundredth", "negative", "same"]


def negative(value: Scalar) -> float:
    """A - before it."""
    return -number(value)


def same(value: Scalar) -> Scalar:
    """A + before it: the value itself, if it is no error."""
    if isinstance(value, ExcelError):
        raise Failure(value)
    return value


def hundredth(value: Scalar) -> float:
    """A % behind it."""
    return number(value) / 100


def _add(left: Scalar, right: Scalar) -> float:
    return finite(number(left) + number(right))


def _subtract(left: Scalar, right: Scalar) -> float:
    return finite(number(left) - number(right))


def _multiply(left: Scalar, right: Scalar) -> float:
    return finite(number(left) * number(right))


def _divide(left: Scalar, right: Scalar) -> float:
    over, under = number(left), number(right)
    if under == 0:
        raise Failure(DIV0)
    return finite(over / under)


OPERATORS: Mapping[str, Callable[[Scalar, Scalar], Scalar]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "^": lambda left, right: power(number(left), number(right)),
    "&": lambda left, right: text(left) + text(right),
    "=": lambda left, right: compare(left, right) == 0,
    "<>": lambda left, right: compare(left, right) != 0,
    "<": lambda left, right: ordered(left, right) < 0,
    ">": lambda left, right: ordered(left, right) > 0,
    "<=": lambda left, right: ordered(left, right) <= 0,
    ">=": lambda left, right: ordered(left, right) >= 0,
}
