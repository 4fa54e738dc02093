"""A stranger's formula as it is meant: a rounded number is that number, and 2.718 to a power is e to it."""

from __future__ import annotations

import math
from functools import lru_cache

from sheetgen.formulas.evaluate import Code, code
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.tree import Call, Node, Number, Operation, Sign, rebuilt, walk

__all__ = ["code_of", "is_e", "meant_code", "rounded_to", "stored_code", "written_so"]

FEWEST_DIGITS = 2
"""What is rounded to fewer is another number."""
NEAR_E = 2e-3
"""How far a typed e may be from e: 2.72 is it, 2.71 and 2.7 are not."""
_E = Call("EXP", (Number("1"),))


def is_e(value: float) -> bool:
    """Whether a number is e, with as many digits as somebody typed."""
    return abs(value - math.e) < NEAR_E


def meant(tree: Node) -> Node:
    """The formula without ROUND, with EXP(1) for a typed e under a power, in functions that are known here."""
    tree = rebuilt(tree, meant)
    way = _way(tree)
    if way == "ROUND" and isinstance(tree, Call):
        return tree.arguments[0]
    if way == "e" and isinstance(tree, Operation):
        return Operation(tree.operators, (_E, *tree.operands[1:]))
    if way == "e" and isinstance(tree, Call):
        return Call(tree.name, (_E, *tree.arguments[1:]))
    return _known(tree)


@lru_cache(maxsize=65_536)
def written_so(text: str) -> str:
    """What of a formula is not taken as it stands: "ROUND", "e"; "" if all is, or it is no formula."""
    try:
        tree = parse(text)
    except FormulaError:
        return ""
    return next(filter(None, map(_way, walk(tree))), "")


@lru_cache(maxsize=65_536)
def rounded_to(text: str) -> tuple[float, ...]:
    """To how many digits a formula's parts are rounded, from left to right, where that is not taken as it stands."""
    try:
        tree = parse(text)
    except FormulaError:
        return ()
    return tuple(_digits(node) for node in walk(tree) if isinstance(node, Call) and _way(node) == "ROUND")


def _way(node: Node) -> str:
    """What of a node itself is not taken as it stands."""
    if isinstance(node, Call) and node.name == "ROUND" and _digits(node) >= FEWEST_DIGITS:
        return "ROUND"
    if isinstance(node, Operation) and node.operators[0] == "^" and _is_e(node.operands[0]):
        return "e"
    if isinstance(node, Call) and node.name == "POWER" and node.arguments and _is_e(node.arguments[0]):
        return "e"
    return ""


def code_of(tree: Node) -> Code:
    """What computes a formula as it is meant. FormulaError names what is not known."""
    return code(meant(tree))


@lru_cache(maxsize=65_536)
def meant_code(text: str) -> Code:
    """The same for a text."""
    return code_of(parse(text))


@lru_cache(maxsize=65_536)
def stored_code(text: str) -> Code:
    """What computes a formula as it stands, as a spreadsheet program did."""
    return code(_all_known(parse(text)))


def _all_known(tree: Node) -> Node:
    return _known(rebuilt(tree, _all_known))


def _known(tree: Node) -> Node:
    """SUMXMY2 in other words."""
    if isinstance(tree, Call) and tree.name == "SUMXMY2" and len(tree.arguments) == 2:
        square = Operation(("^",), (Operation(("-",), tree.arguments), Number("2")))
        return Call("SUMPRODUCT", (square,))
    return tree


def _digits(call: Call) -> float:
    digits = call.arguments[1] if len(call.arguments) > 1 else None
    return float(digits.text) if isinstance(digits, Number) else 0.0


def _is_e(node: Node) -> bool:
    while isinstance(node, Sign) and node.sign == "+":
        node = node.operand
    return isinstance(node, Number) and is_e(float(node.text)) and float(node.text) != math.e
