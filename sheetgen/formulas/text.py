"""Tree -> formula text, with the brackets that it needs and no others."""

from __future__ import annotations

import re

from sheetgen.errors import ExcelError
from sheetgen.formulas.tree import (
    LEVEL_OF,
    LEVELS,
    Array,
    Call,
    Constant,
    Name,
    Node,
    Number,
    Omitted,
    Operation,
    Percent,
    Reference,
    Sign,
)

__all__ = ["show"]

_PLAIN_TAB = re.compile(r"[^\W\d][\w]*")
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[RrCc][0-9]*(?:[Cc][0-9]*)?")
# How tightly a node holds together; what stands in it must hold at least as tightly.
_SIGNED, _PERCENT, _ATOM = len(LEVELS), len(LEVELS) + 1, len(LEVELS) + 2


def show(tree: Node) -> str:
    """The text of a tree, without "=": parse(show(tree)) == tree.

    >>> from sheetgen.formulas.parse import parse
    >>> show(parse("=(((a_1)+ 2)*(b_1%))"))
    '(a_1+2)*b_1%'
    """
    return _shown(tree)[0]


def _shown(node: Node) -> tuple[str, int]:
    """The text, and how tightly it holds together."""
    if isinstance(node, Operation):
        return _operation(node)
    if isinstance(node, Sign):
        # -(5%) is not -5%, which is (-5)%
        return node.sign + _within(node.operand, _ATOM, also=Sign), _SIGNED
    if isinstance(node, Percent):
        return _within(node.operand, _SIGNED) + "%", _PERCENT
    if isinstance(node, Call):
        return f"{node.name}({','.join(map(show, node.arguments))})", _ATOM
    return _leaf(node), _ATOM


def _leaf(node: Node) -> str:
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Constant):
        return _constant(node.value)
    if isinstance(node, Reference):
        return _owner(node.tab) + str(node.first) + ("" if node.last is None else f":{node.last}")
    if isinstance(node, Name):
        return _owner(node.tab) + node.name
    if isinstance(node, Array):
        return "{" + ";".join(",".join(map(show, row)) for row in node.rows) + "}"
    assert isinstance(node, Omitted)
    return ""


def _operation(node: Operation) -> tuple[str, int]:
    level = LEVEL_OF[node.operators[0]]
    first, *others = node.operands
    parts = [_within(first, level)]
    for operator, operand in zip(node.operators, others, strict=True):
        parts += [operator, _within(operand, level + 1)]
    return "".join(parts), level


def _within(node: Node, least: int, also: type | None = None) -> str:
    text, holds = _shown(node)
    return text if holds >= least or (also is not None and isinstance(node, also)) else f"({text})"


def _constant(value: str | bool | ExcelError) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, ExcelError) else '"' + value.replace('"', '""') + '"'


def _owner(tab: str | None) -> str:
    """The tab before a reference, in quotes where it needs them."""
    if tab is None:
        return ""
    if _PLAIN_TAB.fullmatch(tab) and not _LIKE_A_CELL.fullmatch(tab) and tab.upper() not in ("TRUE", "FALSE"):
        return f"{tab}!"
    return "'" + tab.replace("'", "''") + "'!"
