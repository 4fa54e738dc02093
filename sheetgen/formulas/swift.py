"""A column of numbers as a function of Python: the formulas of long tables, computed some ten times faster.

It gives what `evaluate` gives or, where anything but finite numbers turns up on the way, nothing: then `evaluate` is
asked. The numbers of a row and of the row above it must be floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from sheetgen.formulas.functions import FUNCTIONS
from sheetgen.formulas.parse import parse
from sheetgen.formulas.tree import Call, Node, Number, Operation, Reference, Sign
from sheetgen.formulas.values import compare

__all__ = ["Place", "Swift", "swift"]

Place = tuple[int, int]
Swift = Callable[[Sequence[float], Sequence[float]], float]
"""The value in a row, of that row's numbers and of those above."""

# What an infinite number would turn into a finite one again is stopped: Excel has none.
_FUNCTIONS: Mapping[str, str] = {"EXP": "exp", "LN": "log", "SQRT": "sqrt", "TANH": "tanh"}
_SCALARS = ("INT", "MOD", "ROUND")
_COMPARISONS: Mapping[str, str] = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


class _Other(Exception):  # noqa: N818 - it is no error
    """A formula has what is not written here."""


def swift(text: str, row: int, columns: int, value_of: Callable[[Place], object]) -> Swift | None:
    """The function of a formula that is filled down, as it stands in that row of a table of so many columns.

    It may name cells of its own row, of the one above, and fixed ones, whose values it asks for now. None for a formula
    that has more, or a fixed cell that holds no finite number.
    """
    writer = _Writer(row, columns, value_of)
    try:
        written = writer.number(parse(text))
    except _Other:
        return None
    names: dict[str, Callable[..., object]] = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh}
    names |= {name: FUNCTIONS[name].call for name in _SCALARS}
    scope = {**names, "finite": _finite, "divide": _divide, "compare": compare, "pick": _pick, **writer.fixed}
    # of names and numbers written above, whatever the formula says
    made: Swift = eval(f"lambda row, above: {written}", scope)
    return made


def _finite(value: float) -> float:
    if value - value == 0.0:
        return value
    raise OverflowError


def _divide(over: float, under: float) -> float:
    return over / _finite(under)


def _pick(values: Sequence[float], place: float) -> float:
    if not 1 <= place < len(values) + 1:
        raise OverflowError
    return values[int(place) - 1]


class _Writer:
    """Writes a tree as an expression of Python."""

    def __init__(self, row: int, columns: int, value_of: Callable[[Place], object]) -> None:
        self.row, self.columns, self.value_of = row, columns, value_of
        self.fixed: dict[str, object] = {}

    def number(self, node: Node) -> str:
        """What gives a number."""
        if isinstance(node, Number):
            return repr(float(node.text))
        if isinstance(node, Reference):
            return self._cell(node)
        if isinstance(node, Sign):
            return f"(-{self.number(node.operand)})" if node.sign == "-" else self.number(node.operand)
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, Call):
            return self._call(node)
        raise _Other

    def _cell(self, node: Reference) -> str:
        place = node.first
        if node.tab is not None or node.last is not None or place.row is None or place.column is None:
            raise _Other
        if place.row_fixed:
            name = f"fixed_{place.row}_{place.column}"
            value = self.value_of((place.row, place.column))
            if type(value) is not float:
                raise _Other
            self.fixed[name] = value
            return name
        if place.row not in (self.row, self.row - 1) or place.column > self.columns:
            raise _Other
        return f"{'row' if place.row == self.row else 'above'}[{place.column - 1}]"

    def _operation(self, node: Operation) -> str:
        written, *others = map(self.number, node.operands)
        for operator, other in zip(node.operators, others, strict=True):
            if operator == "/":
                written = f"divide({written}, {other})"
            elif operator in "+-*":
                written = f"({written} {operator} {other})"
            else:
                raise _Other
        return written

    def _condition(self, node: Node) -> str:
        if not isinstance(node, Operation) or len(node.operators) != 1 or node.operators[0] not in _COMPARISONS:
            raise _Other
        left, right = map(self.number, node.operands)
        return f"compare(finite({left}), finite({right})) {_COMPARISONS[node.operators[0]]} 0"

    def _call(self, node: Call) -> str:
        name, arguments = node.name, node.arguments
        if name in _FUNCTIONS and len(arguments) == 1:
            return f"{_FUNCTIONS[name]}(finite({self.number(arguments[0])}))"
        if name == "ABS" and len(arguments) == 1:
            return f"abs({self.number(arguments[0])})"
        if name in ("MAX", "MIN") and len(arguments) > 1:
            return f"{name.lower()}({', '.join(f'finite({self.number(one)})' for one in arguments)})"
        if name == "IF" and len(arguments) == 3:
            condition, then, otherwise = arguments
            return f"({self.number(then)} if {self._condition(condition)} else {self.number(otherwise)})"
        if name == "INDEX" and len(arguments) == 2:
            return f"pick({self._list(arguments[0])}, {self.number(arguments[1])})"
        if name in _SCALARS:
            written = (f"finite({self.number(one)})" for one in arguments)
            return f"{name}({', '.join(written)})"
        raise _Other

    def _list(self, node: Node) -> str:
        """Fixed cells below one another."""
        if not isinstance(node, Reference) or node.tab is not None or node.last is None:
            raise _Other
        first, last = node.first, node.last
        if not (first.row_fixed and last.row_fixed and first.row and last.row and first.column):
            raise _Other
        if first.column != last.column:
            raise _Other
        name = f"list_{first.row}_{last.row}_{first.column}"
        values = tuple(self.value_of((row, first.column)) for row in range(first.row, last.row + 1))
        if not all(type(value) is float for value in values):
            raise _Other
        self.fixed[name] = values
        return name
