"""What a formula is made of. A tree is what its text means: brackets that change nothing are not in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sheetgen.errors import ExcelError
from sheetgen.xlsx.cells import column_letters

__all__ = [
    "LEVELS",
    "LEVEL_OF",
    "Array",
    "Call",
    "Constant",
    "Corner",
    "Name",
    "Node",
    "Number",
    "Omitted",
    "Operation",
    "Percent",
    "Reference",
    "Sign",
    "height",
    "moved",
    "operation",
    "rebuilt",
    "walk",
]

# Binary operators from the loosest to the tightest; those of a level are taken from left to right. A sign binds
# tighter than all of them: -2^2 is 4, and 2^3^2 is 64.
LEVELS = (("=", "<>", "<=", ">=", "<", ">"), ("&",), ("+", "-"), ("*", "/"), ("^",))
LEVEL_OF = {operator: level for level, operators in enumerate(LEVELS) for operator in operators}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written, such as 0.5 or 1E-14."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a truth value or an error."""

    value: str | bool | ExcelError


@dataclass(frozen=True, slots=True)
class Omitted:
    """An argument that is left out, as in IF(A1,,2)."""


@dataclass(frozen=True, slots=True)
class Corner:
    """One end of a reference; without a row it is a whole column, without a column a whole row. $ fixes it."""

    row: int | None
    column: int | None
    row_fixed: bool = False
    column_fixed: bool = False

    def __str__(self) -> str:
        """The corner in A1 notation.

        >>> str(Corner(8, 28, row_fixed=True)), str(Corner(None, 2, column_fixed=True))
        ('AB$8', '$B')
        """
        letters = "" if self.column is None else ("$" if self.column_fixed else "") + column_letters(self.column)
        return letters + ("" if self.row is None else f"{'$' if self.row_fixed else ''}{self.row}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A cell, or the cells between two corners; without a tab, on the formula's own."""

    tab: str | None
    first: Corner
    last: Corner | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A defined name, of the workbook or (with a tab) of a tab."""

    tab: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, in capitals, and its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """A + or - before something."""

    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Percent:
    """A % behind something."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands with binary operators of one level between them, from left to right: a sum of 500 terms is flat."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """Constants in rows, such as {1,2;3,4}."""

    rows: tuple[tuple[Node, ...], ...]


Node = Number | Constant | Omitted | Reference | Name | Call | Sign | Percent | Operation | Array


def operation(operators: Sequence[str], operands: Sequence[Node]) -> Node:
    """The operation; (a+b)+c is a+b+c, since operators of a level are taken from left to right; one operand is itself.

    >>> operation((), [Number("1")])
    Number(text='1')
    """
    first = operands[0]
    if not operators:
        return first
    if isinstance(first, Operation) and LEVEL_OF[first.operators[0]] == LEVEL_OF[operators[0]]:
        return Operation((*first.operators, *operators), (*first.operands, *operands[1:]))
    return Operation(tuple(operators), tuple(operands))


def moved(tree: Node, down: int, right: int) -> Node:
    """The formula as it is when its cell is moved."""
    if isinstance(tree, Reference):
        last = None if tree.last is None else _corner(tree.last, down, right)
        return replace(tree, first=_corner(tree.first, down, right), last=last)
    return rebuilt(tree, lambda one: moved(one, down, right))


def _corner(corner: Corner, down: int, right: int) -> Corner:
    row = corner.row if corner.row is None or corner.row_fixed else max(1, corner.row + down)
    column = corner.column if corner.column is None or corner.column_fixed else max(1, corner.column + right)
    return replace(corner, row=row, column=column)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with each of its parts changed; one that has none as it is."""
    if isinstance(node, Operation):
        return operation(node.operators, [change(one) for one in node.operands])
    if isinstance(node, Call):
        return Call(node.name, tuple(change(one) for one in node.arguments))
    if isinstance(node, (Sign, Percent)):
        return replace(node, operand=change(node.operand))
    if isinstance(node, Array):
        return Array(tuple(tuple(change(one) for one in row) for row in node.rows))
    return node


def height(tree: Node) -> int:
    """How many nodes stand within each other, at the deepest place; a number alone is 1 high."""
    layers, layer = 0, [tree]
    while layer:
        layers, layer = layers + 1, [part for node in layer for part in _parts(node)]
    return layers


def walk(tree: Node) -> Iterator[Node]:
    """Every node, in no order that matters."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack += _parts(node)


def _parts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Operation):
        return node.operands
    if isinstance(node, Call):
        return node.arguments
    return (node.operand,) if isinstance(node, (Sign, Percent)) else ()
