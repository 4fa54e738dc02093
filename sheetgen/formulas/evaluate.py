"""Tree -> value, by Excel's rules: a tree becomes a function of where it stands, built once for all its copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sheetgen.errors import ExcelError
from sheetgen.formulas.functions import FUNCTIONS, Function
from sheetgen.formulas.operators import OPERATORS, hundredth, negative, same
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.places import At, Code, absolute, name, reference
from sheetgen.formulas.tree import (
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
from sheetgen.formulas.values import NA, REF, VALUE, Area, Failure, Grid, Scalar, Whole, grid, number, spread, truth

__all__ = ["At", "Code", "code", "compiled", "evaluate", "meaning"]


def evaluate(formula: Code, at: At) -> Scalar:
    """What a cell with this formula shows: 0 for an empty cell, of an array the first value."""
    try:
        value = formula(at)
        if isinstance(value, (Area, list)):
            value = value[0][0] if isinstance(value, list) else value.crossing(at.row, at.column)
    except Failure as failure:
        return failure.error
    return 0.0 if value is None else value


def _crossed(value: Whole, at: At) -> Scalar:
    """The one value that an operator or a function of single values takes: of cells, that in its own row or column."""
    return value.crossing(at.row, at.column) if isinstance(value, Area) else _alone(value)


def _alone(value: Whole) -> Scalar:
    if isinstance(value, (Area, list)):
        rows = grid(value)
        if len(rows) > 1 or len(rows[0]) > 1:
            raise FormulaError("several values where Excel takes one, unless it is an array formula")
        return rows[0][0]
    return value


@lru_cache(maxsize=65_536)
def compiled(text: str) -> Code:
    """The function that computes a formula. FormulaError names what it does not know."""
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
        return reference(node, cells)
    if isinstance(node, Name):
        return name(node, cells)
    if isinstance(node, Operation):
        return _operation(node, array)
    if isinstance(node, Sign):
        return _each(negative if node.sign == "-" else same, (node.operand,), array)
    if isinstance(node, Percent):
        return _each(hundredth, (node.operand,), array)
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


def _constant(node: Node) -> Scalar:
    value = _whole(node, False)(None)  # type: ignore[arg-type]
    assert not isinstance(value, (list, Area))
    return value


def _each(function: Callable[..., Any], nodes: tuple[Node, ...], array: bool) -> Code:
    """A function of single values."""
    if array:
        parts = [_whole(node, True) for node in nodes]
        return lambda at: spread(function, *[part(at) for part in parts])
    return _in_order(function, [_single(node) for node in nodes])


def meaning(tree: Node) -> Code:
    """What a defined name stands for: cells stay cells, even a single one. FormulaError for cells that would move."""
    absolute(tree)
    return _whole(tree, False, cells=True)


def _operation(node: Operation, array: bool) -> Code:
    parts = [_whole(one, True) if array else _single(one) for one in node.operands]
    first, *others = parts
    steps = list(zip((OPERATORS[one] for one in node.operators), others, strict=True))

    if array:

        def arrays(at: At) -> Whole:
            result = first(at)
            for function, part in steps:
                result = spread(function, result, part(at))
            return result

        return arrays
    if len(steps) == 1:
        [(only, second)] = steps

        def pair(at: At) -> Whole:
            left = first(at)
            try:
                right = second(at)
            except Failure as failure:
                right = failure.error
            return only(left, right)  # type: ignore[arg-type]

        return pair

    def scalars(at: At) -> Whole:
        result: Any = first(at)
        for function, part in steps:
            try:
                right = part(at)
            except Failure as failure:
                right = failure.error
            result = function(result, right)  # type: ignore[arg-type]
        return result  # type: ignore[no-any-return]

    return scalars


def _call(node: Call, array: bool, cells: bool) -> Code:
    special = SPECIAL.get(node.name)
    if special is not None:
        least, most, build = special
        _check_count(node, least, most)
        return build(node.arguments, array, cells)
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise FormulaError(f"the function {node.name} is not known here")
    _check_count(node, function.least, function.most)
    if function.whole:
        return _of_wholes(function, node, array)
    return _each(function.call, node.arguments, array) if not function.sees_errors else _seeing(function, node, array)


def _check_count(node: Call, least: int, most: int) -> None:
    if not least <= len(node.arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise FormulaError(f"{node.name} has {len(node.arguments)} arguments; it takes {wanted}")


def _of_wholes(function: Function, node: Call, array: bool) -> Code:
    call, singles = function.call, function.singles
    parts = []
    for place, one in enumerate(node.arguments):
        if place in singles:
            part = _whole(one, True) if array else _single(one)
        elif isinstance(one, Omitted):
            raise FormulaError(f"{node.name} with an argument left out is not known here")
        else:
            part = _whole(one, array or function.array, cells=True)
        parts.append(_guarded(part) if function.sees_errors else part)
    if not singles:
        return _in_order(call, parts)

    def value(at: At) -> Whole:
        arguments = [part(at) for part in parts]
        if function.cells and not isinstance(arguments[0], Area):
            raise _no_cells(node.name, arguments[0])
        places = [place for place in singles if place < len(parts)]

        def of_each(*values: Scalar) -> Whole:
            given = dict(zip(places, values, strict=True))
            return call(*[given.get(place, argument) for place, argument in enumerate(arguments)])

        return spread(of_each, *[arguments[place] for place in places])  # type: ignore[arg-type]

    return value


def _in_order(call: Callable[..., Whole], parts: list[Code]) -> Code:
    """The function of the parts; of several errors, the first in the order of the arguments counts."""
    if len(parts) == 1:
        [one] = parts
        return lambda at: call(one(at))
    guarded = [_guarded(part) for part in parts]

    def value(at: At) -> Whole:
        arguments: list[Whole] = []
        try:
            for part in parts:
                arguments.append(part(at))
        except Failure as failure:
            arguments.append(failure.error)
            arguments += [part(at) for part in guarded[len(arguments) :]]
        return call(*arguments)

    return value


def _no_cells(name: str, value: Whole) -> Exception:
    return Failure(value) if isinstance(value, ExcelError) else FormulaError(f"{name} takes cells, and not a value")


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


def _one(node: Node, array: bool) -> Code:
    """What gives one value. Excel takes an array there only in an array formula, not within SUMPRODUCT."""
    if not array:
        return _single(node)
    part = _whole(node, True)
    return lambda at: _alone(part(at))


def _if(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    condition = _one(nodes[0], array)
    then = _branch(nodes[1], array, cells)
    otherwise: Code = _branch(nodes[2], array, cells) if len(nodes) == 3 else lambda at: False

    def value(at: At) -> Whole:
        chosen: Any = condition(at)
        return then(at) if (chosen if chosen is True or chosen is False else truth(chosen)) else otherwise(at)

    return value


def _branch(node: Node, array: bool, cells: bool) -> Code:
    """What IF and CHOOSE give; an argument left out is 0."""
    if isinstance(node, Omitted):
        return lambda at: 0.0
    return _whole(node, array, cells)


def _if_error(is_meant: Callable[[ExcelError], bool]) -> Callable[[tuple[Node, ...], bool, bool], Code]:
    """IFERROR or IFNA."""

    def build(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
        first, second = _guarded(_one(nodes[0], array)), _branch(nodes[1], array, False)

        def value(at: At) -> Whole:
            found = first(at)
            return second(at) if isinstance(found, ExcelError) and is_meant(found) else found

        return value

    return build


def _choose(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    which = _one(nodes[0], array)
    branches = [_branch(node, array, cells) for node in nodes[1:]]

    def value(at: At) -> Whole:
        place = int(number(which(at)))  # type: ignore[arg-type]
        if not 1 <= place <= len(branches):
            raise Failure(VALUE)
        return branches[place - 1](at)

    return value


def _index(nodes: tuple[Node, ...], array: bool, cells: bool) -> Code:
    whole = _whole(nodes[0], array, cells=True)
    places = [_one(node, array) for node in nodes[1:]]

    def value(at: At) -> Whole:
        found = whole(at)
        if not isinstance(found, (Area, list)):
            found = [[same(found)]]
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
            return found.at(row, column) if row and column and not cells else found.part(row, column)
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
                raise _no_cells("ROW or COLUMN", area)
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
            rows = grid(same(found) if not isinstance(found, list) else found)
            return float(of(len(rows), len(rows[0])))

        return value

    return build


# name -> least and most arguments, and what builds its code from them
SPECIAL: Mapping[str, tuple[int, int, Callable[[tuple[Node, ...], bool, bool], Code]]] = {
    "CHOOSE": (2, 255, _choose),
    "COLUMN": (0, 1, _place(lambda row, column: column)),
    "COLUMNS": (1, 1, _size(lambda height, width: width)),
    "IF": (2, 3, _if),
    "IFERROR": (2, 2, _if_error(lambda error: True)),
    "IFNA": (2, 2, _if_error(lambda error: error == NA)),
    "INDEX": (2, 3, _index),
    "ROW": (0, 1, _place(lambda row, column: row)),
    "ROWS": (1, 1, _size(lambda height, width: height)),
}
