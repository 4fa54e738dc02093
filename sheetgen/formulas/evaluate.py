"""Tree -> value, by Excel's rules: a tree becomes a function of where it stands, built once for all its copies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from sheetgen.errors import ExcelError
from sheetgen.formulas.functions import FUNCTIONS, Function, power
from sheetgen.formulas.parse import FormulaError, corner, parse
from sheetgen.formulas.tree import (
    Array,
    Call,
    Constant,
    Corner,
    Name,
    Node,
    Number,
    Omitted,
    Operation,
    Percent,
    Reference,
    Sign,
)
from sheetgen.formulas.values import (
    DIV0,
    NA,
    NAME,
    REF,
    VALUE,
    Area,
    Failure,
    Grid,
    Scalar,
    Whole,
    compare,
    finite,
    grid,
    number,
    spread,
    text,
    truth,
)
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_ROWS

__all__ = ["At", "Code", "Tab", "code", "compiled", "evaluate", "meaning"]


class Tab(Protocol):
    """The cells of a tab: one by (row, column), or a rectangle; one-based."""

    def __getitem__(self, place: tuple[int, int]) -> Scalar: ...

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        """The values of a rectangle, row by row."""

    @property
    def size(self) -> tuple[int, int]:
        """The last row and column that have something in them."""


@dataclass(slots=True)
class At:
    """Where a formula stands: the tabs and names of its workbook, its cell, and how far that is from the first copy."""

    tabs: Mapping[str, Tab]
    names: Mapping[str, Code]
    tab: str
    row: int
    column: int
    down: int = 0
    right: int = 0


Code = Callable[[At], Whole]
"""What a tree becomes."""


def evaluate(formula: Code, at: At) -> Scalar:
    """What a cell with this formula shows; an empty cell that it points at is 0."""
    try:
        value = _crossed(formula(at), at)
    except Failure as failure:
        return failure.error
    return 0.0 if value is None else value


def _crossed(value: Whole, at: At) -> Scalar:
    """The one value that a cell, or a function of single values, takes."""
    if isinstance(value, Area):
        return value.crossing(at.row, at.column)
    return value[0][0] if isinstance(value, list) else value


_PLAIN_CELL = re.compile("=([A-Z]{1,3}[0-9]{1,7})")


@lru_cache(maxsize=65_536)
def compiled(text: str) -> Code:
    """The function that computes a formula. FormulaError names what it does not know."""
    plain = _PLAIN_CELL.fullmatch(text)
    if plain:  # what a long table's charts draw is thousands of these
        tree = corner(plain[1])
        if tree is not None:
            return _reference(Reference(None, tree), False)
    return code(parse(text))


def code(tree: Node) -> Code:
    """The function that computes a tree; FormulaError for a function that is not known here."""
    return _whole(tree, False)


def _whole(node: Node, array: bool, cells: bool = False) -> Code:
    """What gives the node's value, which may be an array or cells; with `cells`, one cell is given as a cell too.

    With `array`, operators and functions of single values take each value of an array in turn.
    """
    if isinstance(node, Number):
        value = float(node.text)
        return lambda at: value
    if isinstance(node, Constant):
        constant = node.value
        return lambda at: constant
    if isinstance(node, Reference):
        return _reference(node, cells)
    if isinstance(node, Name):
        return _name(node, cells)
    if isinstance(node, Operation):
        return _operation(node, array)
    if isinstance(node, Sign):
        return _each(_negative if node.sign == "-" else _same, (node.operand,), array)
    if isinstance(node, Percent):
        return _each(lambda value: number(value) / 100, (node.operand,), array)
    if isinstance(node, Call):
        return _call(node, array, cells)
    if isinstance(node, Array):
        rows: Grid = [[_constant(one) for one in row] for row in node.rows]
        return lambda at: rows
    assert isinstance(node, Omitted)
    return lambda at: None


def _single(node: Node) -> Code:
    """What gives one value: of cells, the one in the formula's own row or column."""
    inner = _whole(node, False)
    if isinstance(node, (Number, Constant, Operation, Sign, Percent, Omitted)):
        return inner
    if isinstance(node, Reference) and node.last is None:
        return inner
    return lambda at: _crossed(inner(at), at)


def _negative(value: Scalar) -> float:
    return -number(value)


def _same(value: Scalar) -> Scalar:
    if isinstance(value, ExcelError):
        raise Failure(value)
    return value


def _constant(node: Node) -> Scalar:
    value = _whole(node, False)(None)  # type: ignore[arg-type]
    assert not isinstance(value, (list, Area))
    return value


def _each(function: Callable[..., Any], nodes: tuple[Node, ...], array: bool) -> Code:
    """A function of single values."""
    if array:
        parts = [_whole(node, True) for node in nodes]
        return lambda at: spread(function, *[part(at) for part in parts])
    parts = [_single(node) for node in nodes]
    if len(parts) == 1:
        [one] = parts
        return lambda at: function(one(at))
    return lambda at: function(*[part(at) for part in parts])


def _reference(node: Reference, cells: bool) -> Code:
    first, last = node.first, node.last or node.first
    tab, single = node.tab, node.last is None
    if single and not cells:
        assert first.row is not None and first.column is not None
        row, column = first.row, first.column
        if first.row_fixed and first.column_fixed:
            place = row, column
            return lambda at: _tab(at, tab)[place]

        def value(at: At) -> Whole:
            down = row if first.row_fixed else row + at.down
            across = column if first.column_fixed else column + at.right
            if down < 1 or across < 1:
                raise Failure(REF)
            return _tab(at, tab)[down, across]

        return value
    return lambda at: _area(_tab(at, tab), first.moved(at.down, at.right), last.moved(at.down, at.right))


def _tab(at: At, name: str | None) -> Tab:
    try:
        return at.tabs[at.tab if name is None else name]
    except KeyError:
        raise Failure(REF) from None


def _area(tab: Tab, first: Corner, last: Corner) -> Area:
    """The cells between two corners; a whole row or column ends where the tab does."""
    rows, columns = (1, 1) if first.row and first.column else tab.size
    top, bottom = sorted((first.row or 1, last.row or max(rows, 1)))
    left, right = sorted((first.column or 1, last.column or max(columns, 1)))
    if top < 1 or left < 1 or bottom > MAX_ROWS or right > MAX_COLUMNS:
        raise Failure(REF)
    return Area(tab, top, left, bottom, right)


def _name(node: Name, cells: bool) -> Code:
    name = node.name.casefold()

    def value(at: At) -> Whole:
        meaning = at.names.get(name)
        if meaning is None:
            raise Failure(NAME)
        found = meaning(at)
        if isinstance(found, Area) and not cells and found.height == found.width == 1:
            return found.at(1, 1)
        return found

    return value


def meaning(tree: Node) -> Code:
    """What a defined name stands for: cells stay cells, even a single one."""
    return _whole(tree, False, cells=True)


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


_OPERATORS: Mapping[str, Callable[[Scalar, Scalar], Scalar]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "^": lambda left, right: power(number(left), number(right)),
    "&": lambda left, right: text(left) + text(right),
    "=": lambda left, right: compare(left, right) == 0,
    "<>": lambda left, right: compare(left, right) != 0,
    "<": lambda left, right: compare(left, right) < 0,
    ">": lambda left, right: compare(left, right) > 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">=": lambda left, right: compare(left, right) >= 0,
}


def _operation(node: Operation, array: bool) -> Code:
    parts = [_whole(one, True) if array else _single(one) for one in node.operands]
    first, *others = parts
    steps = list(zip((_OPERATORS[one] for one in node.operators), others, strict=True))

    if array:

        def arrays(at: At) -> Whole:
            result = first(at)
            for function, part in steps:
                result = spread(function, result, part(at))
            return result

        return arrays
    if len(steps) == 1:
        [(only, second)] = steps
        return lambda at: only(first(at), second(at))  # type: ignore[arg-type]

    def scalars(at: At) -> Whole:
        result: Any = first(at)
        for function, part in steps:
            result = function(result, part(at))  # type: ignore[arg-type]
        return result  # type: ignore[no-any-return]

    return scalars


def _call(node: Call, array: bool, cells: bool) -> Code:
    special = _SPECIAL.get(node.name)
    if special is not None:
        least, most, build = special
        _check_count(node, least, most)
        return build(node.arguments, array, cells)
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise FormulaError(f"the function {node.name} is not known here")
    _check_count(node, function.least, function.most)
    if function.whole:
        return _of_wholes(function, node.arguments, array)
    return _each(function.call, node.arguments, array) if not function.sees_errors else _seeing(function, node, array)


def _check_count(node: Call, least: int, most: int) -> None:
    if not least <= len(node.arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise FormulaError(f"{node.name} has {len(node.arguments)} arguments; it takes {wanted}")


def _of_wholes(function: Function, nodes: tuple[Node, ...], array: bool) -> Code:
    inside = array or function.array
    parts = [_whole(node, inside, cells=True) for node in nodes]
    call = function.call
    return lambda at: call(*[part(at) for part in parts])


def _seeing(function: Function, node: Call, array: bool) -> Code:
    """A test that an error does not end."""
    part = _guarded(_whole(node.arguments[0], True) if array else _single(node.arguments[0]))
    call: Any = function.call
    return lambda at: spread(call, part(at))


def _guarded(part: Code) -> Code:
    def value(at: At) -> Whole:
        try:
            return part(at)
        except Failure as failure:
            return failure.error

    return value


def _if(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    condition = _whole(nodes[0], True) if array else _single(nodes[0])
    then = _branch(nodes[1], array, cells)
    otherwise: Code = _branch(nodes[2], array, cells) if len(nodes) == 3 else lambda at: False

    def value(at: At) -> Whole:
        chosen = condition(at)
        if isinstance(chosen, (list, Area)):
            return spread(_choose_one, chosen, _guarded(then)(at), _guarded(otherwise)(at))
        return then(at) if (chosen if chosen is True or chosen is False else truth(chosen)) else otherwise(at)

    return value


def _branch(node: Node, array: bool, cells: bool) -> Code:
    """What IF and CHOOSE give; an argument left out is 0."""
    if isinstance(node, Omitted):
        return lambda at: 0.0
    return _whole(node, array, cells)


def _choose_one(condition: Scalar, then: Scalar, otherwise: Scalar) -> Scalar:
    return then if truth(condition) else otherwise


def _iferror(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    first = _guarded(_whole(nodes[0], True) if array else _single(nodes[0]))
    second = _branch(nodes[1], array, False)

    def value(at: At) -> Whole:
        found = first(at)
        if isinstance(found, (list, Area)):
            return spread(lambda one, other: other if isinstance(one, ExcelError) else one, found, second(at))
        return second(at) if isinstance(found, ExcelError) else found

    return value


def _choose(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    which = _single(nodes[0])
    branches = [_branch(node, array, cells) for node in nodes[1:]]

    def value(at: At) -> Whole:
        place = int(number(which(at)))  # type: ignore[arg-type]
        if not 1 <= place <= len(branches):
            raise Failure(VALUE)
        return branches[place - 1](at)

    return value


def _index(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    whole = _whole(nodes[0], array, cells=True)
    places = [_single(node) for node in nodes[1:]]

    def value(at: At) -> Whole:
        found = whole(at)
        if not isinstance(found, (Area, list)):
            found = [[_same(found)]]
        height, width = (found.height, found.width) if isinstance(found, Area) else (len(found), len(found[0]))
        row, *more = (int(number(place(at))) for place in places)  # type: ignore[arg-type]
        if not more and height == 1 and width > 1:
            row, column = 1, row
        else:
            column = more[0] if more else (1 if width == 1 else 0)
        if row < 0 or column < 0:
            raise Failure(VALUE)
        if row > height or column > width:
            raise Failure(REF)
        if isinstance(found, Area):
            part = found.part(row, column)
            return part.at(1, 1) if row and column and not cells else part
        rows = found[row - 1 : row] if row else found
        picked = [one[column - 1 : column] if column else one for one in rows]
        return picked[0][0] if row and column else picked

    return value


def _place(of: Callable[[int, int], int]) -> Callable[[tuple[Node, ...], bool, bool], Code]:
    """ROW or COLUMN: of a reference, or of the formula's own cell."""

    def build(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
        if not nodes:
            return lambda at: float(of(at.row, at.column))
        part = _whole(nodes[0], array, cells=True)

        def value(at: At) -> Whole:
            area = part(at)
            if not isinstance(area, Area):
                raise Failure(VALUE)
            if array and (area.height > 1 or area.width > 1):
                return _places(area, of)
            return float(of(area.top, area.left))

        return value

    return build


def _places(area: Area, of: Callable[[int, int], int]) -> Grid:
    """The row numbers of an area in a column, or the column numbers in a row."""
    if of(1, 0):
        return [[float(row)] for row in range(area.top, area.bottom + 1)]
    return [[float(column) for column in range(area.left, area.right + 1)]]


def _size(of: Callable[[int, int], int]) -> Callable[[tuple[Node, ...], bool, bool], Code]:
    """ROWS or COLUMNS."""

    def build(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
        part = _whole(nodes[0], array, cells=True)

        def value(at: At) -> Whole:
            found = part(at)
            if isinstance(found, Area):
                return float(of(found.height, found.width))
            rows = grid(found)
            return float(of(len(rows), len(rows[0])))

        return value

    return build


def _ifna(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    first, second = _guarded(_single(nodes[0])), _branch(nodes[1], array, False)

    def value(at: At) -> Whole:
        found = first(at)
        return second(at) if isinstance(found, ExcelError) and found == NA else found

    return value


# name -> least and most arguments, and what builds its code from them
_SPECIAL: Mapping[str, tuple[int, int, Callable[[tuple[Node, ...], bool, bool], Code]]] = {
    "CHOOSE": (2, 255, _choose),
    "COLUMN": (0, 1, _place(lambda row, column: column)),
    "COLUMNS": (1, 1, _size(lambda height, width: width)),
    "IF": (2, 3, _if),
    "IFERROR": (2, 2, _iferror),
    "IFNA": (2, 2, _ifna),
    "INDEX": (2, 3, _index),
    "ROW": (0, 1, _place(lambda row, column: row)),
    "ROWS": (1, 1, _size(lambda height, width: height)),
}
