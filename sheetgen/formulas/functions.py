"""The functions that formulas may call: one table, name -> function.

Each is a plain function of Excel's values, and raises Failure with an error value. `scalars` take one value an
argument (of an array, each in turn); `wholes` take arrays and cells as they are. What decides which of its arguments
to look at (IF, IFERROR, CHOOSE, INDEX) or wants cells instead of their values (ROW, COLUMN) stands in `evaluate`.
Where versions of Excel differ, or what Excel does is written down nowhere, FormulaError says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from itertools import chain

from sheetgen.errors import ExcelError
from sheetgen.formulas.criteria import criterion, wildcards
from sheetgen.formulas.parse import FormulaError
from sheetgen.formulas.values import (
    DIV0,
    NA,
    NUM,
    VALUE,
    Area,
    Failure,
    Grid,
    Scalar,
    Whole,
    filled,
    finite,
    flat,
    grid,
    number,
    order,
    text,
    truth,
)

__all__ = ["FUNCTIONS", "Function", "power"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function and how many arguments it takes.

    `whole`: it takes arrays and cells as they are. `array`: its arguments are computed as in an array formula.
    `sees_errors`: an error among its arguments does not end the formula. `singles`: the places of those arguments of
    a function of wholes that are one value each. `cells`: its first argument must be cells.
    """

    call: Callable[..., Whole]
    least: int
    most: int
    whole: bool = False
    array: bool = False
    sees_errors: bool = False
    singles: tuple[int, ...] = ()
    cells: bool = False


# What MOD divides must be less than so many times its divisor, in Excel to 2007.
LARGEST_QUOTIENT = 2.0**27
# Of smaller exponents, nobody can tell whether they are odd roots.
_LEAST_ROOT = 2.0**-50


def _of_number(function: Callable[[float], float]) -> Callable[[Scalar], float]:
    def call(value: Scalar) -> float:
        try:
            return finite(function(number(value)))
        except (OverflowError, ValueError):
            raise Failure(NUM) from None

    return call


def power(base: float, exponent: float) -> float:
    """base ^ exponent; of a negative number also the odd roots, such as (-8)^(1/3)."""
    if base == 0 and exponent <= 0:
        raise Failure(DIV0 if exponent else NUM)
    try:
        result = base**exponent
    except OverflowError:
        raise Failure(NUM) from None
    if not isinstance(result, complex):
        return finite(result)
    root = round(1 / exponent) if abs(exponent) > _LEAST_ROOT else 0
    if root % 2 == 0 or 1 / root != exponent:
        raise Failure(NUM)
    return -power(-base, exponent)


def _log(value: Scalar, base: Scalar = 10.0) -> float:
    x = number(value)
    if base == 10.0:
        return _of_number(math.log10)(x)
    below = _of_number(math.log)(base)
    if below == 0:
        raise Failure(DIV0)
    return _of_number(math.log)(x) / below


def _mod(value: Scalar, by: Scalar) -> float:
    left, right = number(value), number(by)
    if right == 0:
        raise Failure(DIV0)
    quotient = left / right
    if abs(quotient) >= LARGEST_QUOTIENT:
        raise FormulaError(
            f"MOD({left!r},{right!r}): versions of Excel differ where the first is 2^27 times the second"
        )
    return left - right * math.floor(quotient)


def _rounded(mode: str) -> Callable[..., float]:
    def call(value: Scalar, digits: Scalar = 0.0) -> float:
        """By the 15 digits that Excel shows: 2.675 to two digits is 2.68, and SQRT(3)^2 rounded down is 3."""
        exact = Decimal(f"{number(value):.15g}")
        places = math.trunc(number(digits))
        if -places > exact.adjusted() + 1 and (mode != ROUND_UP or not exact):
            return 0.0
        if places > _MOST_DIGITS:
            return float(exact)
        if places < -_MOST_DIGITS:
            raise Failure(NUM)
        return finite(float(exact.quantize(Decimal(1).scaleb(-places), mode, _WIDE))) + 0.0  # Excel has no -0

    return call


# More digits than a float has before or behind the point.
_MOST_DIGITS = 400
_WIDE = Context(prec=2 * _MOST_DIGITS)


def _int(value: Scalar) -> float:
    """The whole number not above the 15 digits that Excel shows."""
    x = number(value)
    return x if x.is_integer() else float(math.floor(float(f"{x:.15g}")))


def _search(what: Scalar, within: Scalar, start: Scalar = 1.0) -> float:
    """Where a text, with ? and *, first stands in another, counted from 1; case does not count."""
    sought, inside, first = text(what), text(within), math.trunc(number(start))
    if not 1 <= first <= len(inside):
        raise Failure(VALUE)
    found = re.compile(wildcards(sought), re.IGNORECASE | re.DOTALL).search(inside, first - 1)
    if found is None:
        raise Failure(VALUE)
    return float(found.start() + 1)


def _mid(value: Scalar, start: Scalar, count: Scalar) -> str:
    """So many characters of a text, from one that counts from 1."""
    first, many = math.trunc(number(start)), math.trunc(number(count))
    if first < 1 or many < 0:
        raise Failure(VALUE)
    return text(value)[first - 1 : first - 1 + many]


def _left(value: Scalar, count: Scalar = 1.0) -> str:
    return _mid(value, 1.0, count)


def _right(value: Scalar, count: Scalar = 1.0) -> str:
    whole, many = text(value), math.trunc(number(count))
    return _mid(whole, float(max(1, len(whole) - many + 1)), count)


def _numbers(arguments: tuple[Whole, ...]) -> Iterator[float]:
    """The numbers among the values: of cells and arrays only what is a number, of other arguments what can be one."""
    for argument in arguments:
        if not isinstance(argument, (Area, list)):
            yield number(argument)
            continue
        for row in filled(argument):
            for value in row:
                if type(value) is float:
                    yield value
                elif isinstance(value, ExcelError):
                    raise Failure(value)


def _sum(*arguments: Whole) -> float:
    total = 0.0
    for value in _numbers(arguments):
        total += value
    return finite(total)


def _product(*arguments: Whole) -> float:
    result, none = 1.0, True
    for value in _numbers(arguments):
        result, none = result * value, False
    return 0.0 if none else finite(result)


def _average(*arguments: Whole) -> float:
    values = list(_numbers(arguments))
    if not values:
        raise Failure(DIV0)
    return finite(_sum([list(values)])) / len(values)


def _sign(value: Scalar) -> float:
    x = number(value)
    return float((x > 0) - (x < 0))


def _sumsq(*arguments: Whole) -> float:
    return _sum([[value * value for value in _numbers(arguments)] or [0.0]])


def _count(*arguments: Whole) -> float:
    count = 0
    for argument in arguments:
        if isinstance(argument, (Area, list)):
            count += sum(type(value) is float for value in flat(argument))
            continue
        try:
            number(argument)
            count += 1
        except Failure:
            pass
    return float(count)


def _counta(*arguments: Whole) -> float:
    return float(sum(value is not None for argument in arguments for value in flat(argument)))


def _logical(join: Callable[[list[bool]], bool]) -> Callable[..., bool]:
    def call(*arguments: Whole) -> bool:
        values: list[bool] = []
        for argument in arguments:
            whole = isinstance(argument, (Area, list))
            for value in flat(argument):
                if isinstance(value, ExcelError):
                    raise Failure(value)
                if not whole or isinstance(value, (bool, float)):
                    values.append(truth(value))
        if not values:
            raise Failure(VALUE)
        return join(values)

    return call


def _sumproduct(*arguments: Whole) -> float:
    """What is no number counts as 0."""
    if len({_shape(argument) for argument in arguments}) > 1:
        raise Failure(VALUE)
    first, *others = _aligned([filled(argument) for argument in arguments])
    terms = [one if type(one) is float else _no_number(one) for one in first]
    for values in others:
        pairs = zip(terms, values, strict=True)
        terms = [term * (one if type(one) is float else _no_number(one)) for term, one in pairs]
    total = 0.0
    for term in terms:
        total += term
    return finite(total)


def _aligned(grids: list[Grid]) -> list[list[Scalar]]:
    """The values of arrays of one shape, place by place; of whole columns, not all are filled to the same row."""
    if len({_shape(one) for one in grids}) > 1:
        height, width = (max(sizes) for sizes in zip(*map(_shape, grids), strict=True))
        empty: list[Scalar] = [None] * width
        grids = [[(row + empty)[:width] for row in [*one, *[empty] * height][:height]] for one in grids]
    return [list(chain.from_iterable(one)) for one in grids]


def _no_number(value: Scalar) -> float:
    if isinstance(value, ExcelError):
        raise Failure(value)
    return 0.0


def _shape(value: Whole) -> tuple[int, int]:
    if isinstance(value, Area):
        return value.height, value.width
    return (len(value), len(value[0])) if isinstance(value, list) else (1, 1)


def _countif(cells: Whole, wanted: Scalar) -> float:
    meets = criterion(wanted)
    height, width = _shape(cells)
    values = list(flat(cells))
    return float(sum(map(meets, values)) + (height * width - len(values)) * meets(None))


def _plain_text(value: Scalar) -> bool:
    return isinstance(value, str) and not isinstance(value, ExcelError)


def _match(wanted: Scalar, cells: Whole, kind: Scalar = 1.0) -> float:
    """The place of a value in a row or column: of the first equal one (0), the last not above it (1), or below (-1)."""
    for value in (wanted, cells):
        if isinstance(value, ExcelError):
            raise Failure(value)
    if wanted is None:
        raise FormulaError("MATCH looks for an empty cell's content, which is not known here")
    if min(_shape(cells)) > 1:
        raise Failure(NA)
    direction = number(kind)
    values = list(flat(cells))
    if direction == 0:
        return _first_equal(wanted, values)
    best = 0
    for place, value in enumerate(values, 1):
        if type(value) is type(wanted):
            if order(value, wanted) * direction > 0:
                break
            best = place
    if not best:
        raise Failure(NA)
    return float(best)


def _first_equal(wanted: Scalar, values: list[Scalar]) -> float:
    if isinstance(wanted, str):
        pattern = re.compile(wildcards(wanted), re.IGNORECASE | re.DOTALL)
        places = (n for n, v in enumerate(values, 1) if isinstance(v, str) and _plain_text(v) and pattern.fullmatch(v))
    else:
        places = (n for n, v in enumerate(values, 1) if type(v) is type(wanted) and v == wanted)
    place = next(places, None)
    if place is None:
        raise Failure(NA)
    return float(place)


def _mmult(left: Whole, right: Whole) -> Grid:
    a, b = _all_numbers(left), _all_numbers(right)
    if len(a[0]) != len(b):
        raise Failure(VALUE)
    columns = list(zip(*b, strict=True))
    return [[_sumproduct([list(row)], [list(column)]) for column in columns] for row in a]


def _all_numbers(value: Whole) -> list[list[float]]:
    rows = grid(value)
    for one in (one for row in rows for one in row):
        if isinstance(one, ExcelError):
            raise Failure(one)
        if type(one) is not float:
            raise Failure(VALUE)
    return rows  # type: ignore[return-value]


def _transpose(value: Whole) -> Grid:
    return [list(row) for row in zip(*grid(value), strict=True)]


def _is(test: Callable[[Scalar], bool]) -> Function:
    return Function(test, 1, 1, sees_errors=True)


def _scalars(**rows: tuple[Callable[..., Whole], int, int]) -> dict[str, Function]:
    return {name: Function(*row) for name, row in rows.items()}


def _wholes(**functions: Callable[..., Whole]) -> dict[str, Function]:
    return {name: Function(function, 1, 255, whole=True) for name, function in functions.items()}


_OF_NUMBERS: Mapping[str, Callable[[float], float]] = {
    "ABS": abs, "COS": math.cos, "COSH": math.cosh, "EXP": math.exp, "LN": math.log, "LOG10": math.log10,
    "SIN": math.sin, "SINH": math.sinh, "SQRT": math.sqrt, "TAN": math.tan, "TANH": math.tanh,
}  # fmt: skip
FUNCTIONS: Mapping[str, Function] = {
    **{name: Function(_of_number(function), 1, 1) for name, function in _OF_NUMBERS.items()},
    **_scalars(
        INT=(_int, 1, 1),
        LEFT=(_left, 1, 2),
        LEN=(lambda value: float(len(text(value))), 1, 1),
        LOG=(_log, 1, 2),
        MID=(_mid, 3, 3),
        MOD=(_mod, 2, 2),
        NOT=(lambda value: not truth(value), 1, 1),
        PI=(lambda: math.pi, 0, 0),
        POWER=(lambda base, exponent: power(number(base), number(exponent)), 2, 2),
        RIGHT=(_right, 1, 2),
        ROUND=(_rounded(ROUND_HALF_UP), 2, 2),
        ROUNDDOWN=(_rounded(ROUND_DOWN), 2, 2),
        ROUNDUP=(_rounded(ROUND_UP), 2, 2),
        SEARCH=(_search, 2, 3),
        SIGN=(_sign, 1, 1),
        TRUE=(lambda: True, 0, 0),
        FALSE=(lambda: False, 0, 0),
        NA=(lambda: NA, 0, 0),
    ),
    "ISBLANK": _is(lambda value: value is None),
    "ISERROR": _is(lambda value: isinstance(value, ExcelError)),
    "ISNUMBER": _is(lambda value: type(value) is float),
    "ISTEXT": _is(_plain_text),
    **_wholes(
        AND=_logical(all),
        AVERAGE=_average,
        MAX=lambda *values: max(_numbers(values), default=0.0),
        MIN=lambda *values: min(_numbers(values), default=0.0),
        OR=_logical(any),
        PRODUCT=_product,
        SUM=_sum,
        SUMSQ=_sumsq,
    ),
    "COUNT": Function(_count, 1, 255, whole=True, sees_errors=True),
    "COUNTA": Function(_counta, 1, 255, whole=True, sees_errors=True),
    "COUNTIF": Function(_countif, 2, 2, whole=True, singles=(1,), cells=True, sees_errors=True),
    "MATCH": Function(_match, 2, 3, whole=True, singles=(0, 2)),
    "MMULT": Function(_mmult, 2, 2, whole=True, array=True),
    "SUMPRODUCT": Function(_sumproduct, 1, 255, whole=True, array=True),
    "TRANSPOSE": Function(_transpose, 1, 1, whole=True, array=True),
}  # fmt: skip
