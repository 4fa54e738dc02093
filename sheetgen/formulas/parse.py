"""Formula text -> tree. What it does not know is named, never guessed.

openpyxl's tokenizer is not used: it tells operators from operands, but takes A1:B2, a name and a misspelt name for the
same kind of thing, reads what is no formula without complaint, and takes ten times as long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from sheetgen.errors import ERRORS, ExcelError
from sheetgen.formulas.tree import (
    LEVEL_OF,
    Array,
    Call,
    Constant,
    Corner,
    Name,
    Node,
    Number,
    Omitted,
    Percent,
    Reference,
    Sign,
    height,
    operation,
)
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_ROWS, column_number

__all__ = ["FormulaError", "parse", "parse_reference"]

# Excel nests functions 64 deep; what is deeper was not made by hand, and would overflow Python's stack.
DEEPEST = 100

_PLAIN_TAB = r"[^\W\d][\w.]*"
_TAB = rf"(?:'(?P<quoted>(?:[^']|'')+)'!|(?P<plain>{_PLAIN_TAB})!)"
_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
_AREA = rf"{_CELL}:{_CELL}|\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}|\$?[0-9]{{1,7}}:\$?[0-9]{{1,7}}|{_CELL}"
_TOKEN = re.compile(
    rf"""[ \n\r\t]*(?:
      {_TAB}?(?:
          (?P<area>{_AREA})(?![\w.?\\(!:\[])
        | (?P<error>{"|".join(map(re.escape, ERRORS))})
        | (?P<name>[^\W\d][\w.?\\]*+)(?![ ]*\(|[!:\[])
      )
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])
    | "(?P<text>(?:[^"]|"")*)"
    | (?:_(?:xlfn|XLFN)\.)?(?P<call>[A-Za-z][A-Za-z0-9_.]*)[ ]*\(
    | (?P<operator><=|>=|<>|[-+*/^&=<>%(),;{{}}])
    )[ \n\r\t]*""",
    re.VERBOSE,
)
_CORNER = re.compile(r"(\$?)([A-Za-z]{0,3})(\$?)([0-9]*)")
_NO_TAB = re.compile(r"[][:*?/\\]")
_END = ("end", "the end", "", -1)

Token = tuple[str, str, str, int]
"""Its kind, its text, the tab before it, and where it begins."""


class FormulaError(ValueError):
    """A formula that cannot be read, or that uses what is not known here; str() says what and where."""


@lru_cache(maxsize=65_536)
def parse(text: str) -> Node:
    """The tree of a formula, with or without its leading "=". FormulaError names what it does not know.

    >>> parse("=-A$1^2")
    Operation(operators=('^',), operands=(Sign(sign='-', operand=Reference(tab=None, first=Corner(row=1, \
column=1, row_fixed=True, column_fixed=False), last=None)), Number(text='2')))
    """
    reader = _Reader(text)
    tree = reader.expression()
    if reader.kind != "end":
        raise reader.refuse()
    if len(text) > DEEPEST and height(tree) > DEEPEST:
        raise FormulaError(f"brackets, signs and operators are nested more than {DEEPEST} deep")
    return tree


def parse_reference(text: str) -> Reference | None:
    """The cells that a text such as 'lr 1'!$B$8:$B$75 means; None if it means anything else."""
    try:
        tree = parse(text)
    except FormulaError:
        return None
    return tree if isinstance(tree, Reference) else None


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 1 if text.startswith("=") else 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None and not text[at:].strip(" \n\r\t"):
            break
        if match is None:
            raise FormulaError(f"{text[at : at + 20].strip()!r} at character {at + 1} is not understood")
        tab = match["plain"] or (match["quoted"] or "").replace("''", "'")
        if _NO_TAB.search(tab):
            raise FormulaError(f"{tab!r} at character {at + 1} is not the title of a tab of this workbook")
        kind = match.lastgroup or ""
        found.append((kind, match[kind], tab, match.start(kind)))
        at = match.end()
    return found


def _corner(text: str) -> Corner | None:
    """The corner; None if it lies beyond the sheet, where a cell's address is a name."""
    match = _CORNER.fullmatch(text)
    assert match
    column, row = column_number(match[2]), int(match[4] or 0)
    if column > MAX_COLUMNS or row > MAX_ROWS or (match[4] and not row):
        return None
    row_fixed = match[3] or (not column and match[1])
    return Corner(row or None, column or None, row_fixed == "$", bool(column) and match[1] == "$")


def _folded(operators: Sequence[str], operands: Sequence[Node]) -> Node:
    """Operands and the operators between them as one tree, made from the tightest operators to the loosest."""
    for level in sorted({LEVEL_OF[one] for one in operators}, reverse=True):
        left_operators: list[str] = []
        left_operands: list[Node] = []
        run, signs = [operands[0]], list[str]()
        for sign, operand in zip(operators, operands[1:], strict=True):
            if LEVEL_OF[sign] == level:
                run.append(operand)
                signs.append(sign)
                continue
            left_operators.append(sign)
            left_operands.append(operation(signs, run))
            run, signs = [operand], []
        operators, operands = left_operators, [*left_operands, operation(signs, run)]
    return operands[0]


class _Reader:
    """The tokens of a formula, read one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._step()

    def _step(self) -> None:
        token = self._tokens[self._next] if self._next < len(self._tokens) else _END
        self._next += 1
        self.kind, self.text, self._tab, self._at = token

    def refuse(self, wanted: str = "") -> FormulaError:
        """The error for the token at hand."""
        where = "at its end" if self.kind == "end" else f"at character {self._at + 1}"
        found = "something is missing" if self.kind == "end" else f"{self.text!r} is not understood"
        return FormulaError(f"{found} {where}{wanted}")

    def _is(self, operator: str) -> bool:
        return self.kind == "operator" and self.text == operator

    def _take(self, operator: str) -> None:
        if not self._is(operator):
            raise self.refuse(f"; {operator!r} is expected")
        self._step()

    def expression(self) -> Node:
        """Operands and the operators between them."""
        operands, operators = [self._operand()], list[str]()
        while self.kind == "operator" and self.text in LEVEL_OF:
            operators.append(self.text)
            self._step()
            operands.append(self._operand())
        return _folded(operators, operands)

    def _operand(self) -> Node:
        """Something with signs before it and percent signs behind it."""
        signs = []
        while self._is("-") or self._is("+"):
            signs.append(self.text)
            self._step()
        node = self._atom()
        for sign in reversed(signs):
            node = Sign(sign, node)
        while self._is("%"):
            node = Percent(node)
            self._step()
        return node

    def _atom(self) -> Node:
        kind, text = self.kind, self.text
        node: Node
        if kind == "operator" and text in "({":
            self._step()
            return self._array() if text == "{" else self._bracketed()
        if kind == "call":
            self._step()
            return Call(text.upper(), self._arguments())
        if kind == "area":
            node = self._reference()
        elif kind == "name":
            node = self._name()
        elif kind == "number":
            node = self._number()
        elif kind == "text":
            node = Constant(text.replace('""', '"'))
        elif kind == "error":
            node = Constant(ExcelError(text))
        else:
            raise self.refuse()
        self._step()
        return node

    def _name(self) -> Node:
        if self.text.upper() in ("TRUE", "FALSE"):
            if self._tab:
                raise self.refuse("; a tab has no truth values")
            return Constant(self.text.upper() == "TRUE")
        return Name(self._tab or None, self.text)

    def _number(self) -> Node:
        if float(self.text) == math.inf:
            raise self.refuse("; the largest number is about 1.8E+308")
        return Number(self.text)

    def _reference(self) -> Node:
        first, _, last = self.text.partition(":")
        corners = _corner(first), _corner(last) if last else None
        if corners[0] is None or (last and corners[1] is None):
            if last or "$" in first:
                raise self.refuse("; a sheet has 16384 columns and 1048576 rows")
            return Name(self._tab or None, self.text)
        return Reference(self._tab or None, corners[0], corners[1])

    def _bracketed(self) -> Node:
        self._deeper()
        node = self.expression()
        self._take(")")
        self._depth -= 1
        return node

    def _arguments(self) -> tuple[Node, ...]:
        self._deeper()
        arguments: list[Node] = []
        if not self._is(")"):
            arguments.append(self._argument())
            while self._is(","):
                self._step()
                arguments.append(self._argument())
        self._take(")")
        self._depth -= 1
        return tuple(arguments)

    def _argument(self) -> Node:
        return Omitted() if self._is(",") or self._is(")") else self.expression()

    def _array(self) -> Node:
        rows = [self._row()]
        while self._is(";"):
            self._step()
            rows.append(self._row())
        self._take("}")
        if len({len(row) for row in rows}) > 1:
            raise FormulaError("the rows of an array in braces are not equally long")
        return Array(tuple(rows))

    def _row(self) -> tuple[Node, ...]:
        row = [self._constant()]
        while self._is(","):
            self._step()
            row.append(self._constant())
        return tuple(row)

    def _constant(self) -> Node:
        """A constant of an array, a number perhaps with a sign."""
        sign = self.text if self._is("-") or self._is("+") else ""
        if sign:
            self._step()
        if self.kind not in (("number",) if sign else ("number", "text", "error", "name")):
            raise self.refuse("; an array in braces holds constants only")
        node = self._atom()
        if isinstance(node, Name):
            raise FormulaError(f"{node.name!r} in braces: an array holds constants only")
        return Sign(sign, node) if sign else node

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaError(f"brackets are nested more than {DEEPEST} deep")
