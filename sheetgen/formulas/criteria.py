"""What COUNTIF counts, and what ? and * in a text stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sheetgen.errors import ERRORS, ExcelError
from sheetgen.formulas.parse import FormulaError
from sheetgen.formulas.values import Failure, Scalar, number, ordered

__all__ = ["criterion", "typed", "wildcards"]

_CRITERION = re.compile(r"(<=|>=|<>|=|<|>)?(.*)", re.DOTALL)
_ORDERS: Mapping[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    ">": lambda sign: sign > 0,
    "<=": lambda sign: sign <= 0,
    ">=": lambda sign: sign >= 0,
}


def criterion(wanted: Scalar) -> Callable[[Scalar], bool]:
    """Whether a value meets a criterion such as 5, "agrees", ">0.5" or "a*"; an empty cell as criterion is 0."""
    sign, operand = "", wanted
    if isinstance(wanted, str) and not isinstance(wanted, ExcelError):
        match = _CRITERION.fullmatch(wanted)
        assert match
        sign, operand = match[1] or "", typed(match[2])
    operand = 0.0 if operand is None else operand
    if sign in _ORDERS:
        if operand == "":
            raise FormulaError(f"the criterion {wanted!r} is not known here")
        meets = _ORDERS[sign]
        return lambda value: type(value) is type(operand) and meets(ordered(value, operand))
    equal = _nothing(sign) if operand == "" else _equal(operand)
    return equal if sign != "<>" else lambda value: not equal(value)


def typed(entry: str) -> Scalar:
    """What a cell holds once this is typed in it."""
    if entry.upper() in ("TRUE", "FALSE"):
        return entry.upper() == "TRUE"
    if entry in ERRORS:
        return ExcelError(entry)
    try:
        return number(entry)
    except Failure:
        return entry


def _nothing(sign: str) -> Callable[[Scalar], bool]:
    """What "", "=" and "<>" look for: an empty cell, and without a sign an empty text too."""
    return lambda value: value is None or (value == "" and not sign)


def _equal(operand: Scalar) -> Callable[[Scalar], bool]:
    """Whether a value is what a criterion names; a text may be the text of its number."""
    if type(operand) is str:
        pattern = re.compile(wildcards(operand), re.IGNORECASE | re.DOTALL)
        return lambda value: type(value) is str and pattern.fullmatch(value) is not None
    read = typed if type(operand) is float else _as_it_is

    def equal(value: Scalar) -> bool:
        found = read(value) if type(value) is str else value
        return type(found) is type(operand) and found == operand

    return equal


def _as_it_is(value: str) -> Scalar:
    return value


def wildcards(pattern: str) -> str:
    """The regular expression of a text with ? and *; ~ before one of them means the character itself."""
    parts = re.findall(r"~[?*~]|.", pattern, re.DOTALL)
    return "".join({"?": ".", "*": ".*"}.get(part) or re.escape(part[-1]) for part in parts)
