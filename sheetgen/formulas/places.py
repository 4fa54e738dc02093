"""Where a formula stands, and the cells and names that it sees from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sheetgen.formulas.parse import FormulaError
from sheetgen.formulas.tree import Name, Node, Reference, walk
from sheetgen.formulas.values import NAME, REF, Area, Cells, Failure, Scalar, Whole
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_ROWS

__all__ = ["At", "Code", "Tab", "absolute", "name", "reference"]


class Tab(Cells, Protocol):
    """The cells of a tab: one by (row, column), or a rectangle; one-based."""

    def __getitem__(self, place: tuple[int, int]) -> Scalar: ...


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


def reference(node: Reference, cells: bool) -> Code:
    """What gives a cell's value or, with `cells` or of several, the cells; #REF! beyond the sheet."""
    tab, first = node.tab, node.first
    if node.last is not None or cells:
        return _area(node)
    assert first.row is not None and first.column is not None
    row, column = first.row, first.column
    row_fixed, column_fixed = first.row_fixed, first.column_fixed
    if row_fixed and column_fixed:
        place = row, column
        return lambda at: _tab(at, tab)[place]

    def value(at: At) -> Whole:
        down = row if row_fixed else row + at.down
        across = column if column_fixed else column + at.right
        if 0 < down <= MAX_ROWS and 0 < across <= MAX_COLUMNS:
            return _tab(at, tab)[down, across]
        raise Failure(REF)

    return value


def _area(node: Reference) -> Code:
    tab, first, last = node.tab, node.first, node.last or node.first
    row_1, move_row_1 = _end(first.row, first.row_fixed, 1)
    row_2, move_row_2 = _end(last.row, last.row_fixed, MAX_ROWS)
    column_1, move_column_1 = _end(first.column, first.column_fixed, 1)
    column_2, move_column_2 = _end(last.column, last.column_fixed, MAX_COLUMNS)

    def area(at: At) -> Area:
        top, bottom = row_1 + move_row_1 * at.down, row_2 + move_row_2 * at.down
        left, right = column_1 + move_column_1 * at.right, column_2 + move_column_2 * at.right
        if top > bottom:
            top, bottom = bottom, top
        if left > right:
            left, right = right, left
        if top < 1 or left < 1 or bottom > MAX_ROWS or right > MAX_COLUMNS:
            raise Failure(REF)
        return Area(_tab(at, tab), top, left, bottom, right)

    return area


def _end(number: int | None, fixed: bool, without: int) -> tuple[int, int]:
    """A corner's row or column, and 1 if it moves with copies; `without` where a whole row or column has none."""
    return (without, 0) if number is None else (number, 0 if fixed else 1)


def _tab(at: At, title: str | None) -> Tab:
    try:
        return at.tabs[at.tab if title is None else title]
    except KeyError:
        return _tab_in_any_case(at, title or at.tab)


def _tab_in_any_case(at: At, title: str) -> Tab:
    found = [tab for other, tab in at.tabs.items() if other.casefold() == title.casefold()]
    if not found:
        raise FormulaError(f"there is no tab {title!r}")
    return found[0]


def name(node: Name, cells: bool) -> Code:
    """What gives what a defined name stands for; with `cells`, a single cell is given as a cell."""
    if node.tab is not None:
        raise FormulaError(f"the name {node.name!r} of the tab {node.tab!r} alone is not known here")
    key = node.name.casefold()

    def value(at: At) -> Whole:
        meaning = at.names.get(key)
        if meaning is None:
            raise Failure(NAME)
        found = meaning(at)
        if isinstance(found, Area) and not cells and found.height == found.width == 1:
            return found.at(1, 1)
        return found

    return value


def absolute(tree: Node) -> None:
    """FormulaError for what a name's meaning must not have: cells that move with the formula, and further names."""
    for node in walk(tree):
        if isinstance(node, Name):
            raise FormulaError(f"a name that means the name {node.name!r} is not known here")
        if isinstance(node, Reference) and not (node.tab and _fixed(node)):
            raise FormulaError("a name that means cells without a tab or without $ is not known here")


def _fixed(node: Reference) -> bool:
    corners = (node.first, node.last or node.first)
    return all((one.row is None or one.row_fixed) and (one.column is None or one.column_fixed) for one in corners)
