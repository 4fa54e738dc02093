"""A stranger's workbook as cells by tab and place: what is typed, and each formula as a copy of the first like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sheetgen.check.foreign.structured import in_cells
from sheetgen.errors import CheckError
from sheetgen.xlsx.cells import Value, column_letters
from sheetgen.xlsx.copies import moved_text, relative
from sheetgen.xlsx.reader import TypedCell, place, read_cells, read_local_names, read_names, read_tables

__all__ = ["Book", "Cell", "Place", "address", "copied_row", "formula_of", "read_book"]

MOST_CELLS = 1_500_000
LONGEST = 8_192
"""Characters of a formula, as Excel allows."""

_PLAIN = re.compile(r"=([A-Z]{1,3})(\d{1,7})")

Place = tuple[int, int]
"""One-based row and column."""


class Cell(NamedTuple):
    """A cell's stored or typed value and, if it has one, its formula.

    `text` is a formula that is this one when it is moved `down` and `right`; cells filled from each other, or written
    alike, share it.
    """

    value: Value | None
    text: str | None = None
    down: int = 0
    right: int = 0


@dataclass(frozen=True)
class Book:
    """The cells of every tab, and what the names, in small letters, mean; `local` has, by tab, those of a tab alone."""

    path: Path
    tabs: Mapping[str, Mapping[Place, Cell]]
    names: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    has_values: bool = True
    """Whether a value is stored beside some formula, or there are no formulas."""

    def meanings(self, tab: str) -> Mapping[str, str]:
        """What names mean in the formulas of a tab."""
        return {**self.names, **self.local[tab]} if tab in self.local else self.names


def read_book(path: Path, without: str = "") -> Book:
    """CheckError, in one line, if the file is no workbook, is damaged or has more cells than are read.

    The tab `without` is left out.
    """
    tabs: dict[str, dict[Place, Cell]] = {}
    count = 0
    first: dict[tuple[str, str], tuple[str, Place]] = {}
    known: dict[tuple[str, str, str | None], tuple[str, Place]] = {}
    listed = read_tables(path)
    for cell in read_cells(path, without):
        count = _counted(count, path)
        here = place(cell.address)
        if isinstance(cell, TypedCell):
            tabs.setdefault(cell.tab, {})[here] = Cell(cell.value)
            continue
        text = cell.text if len(cell.text) <= LONGEST else "NA()"
        filled = cell.tab, text, cell.origin
        if cell.origin is None or filled not in known:
            start = here if cell.origin is None else place(cell.origin)
            text = in_cells(text, cell.tab, start[0], listed)
            known[filled] = first.setdefault((cell.tab, relative(text, *start)), (text, start))
        text, start = known[filled]
        tabs.setdefault(cell.tab, {})[here] = Cell(cell.value, text, here[0] - start[0], here[1] - start[1])
    local = {tab: _small(names) for tab, names in read_local_names(path).items()}
    stored = [cell.value for cells in tabs.values() for cell in cells.values() if cell.text is not None]
    computed = not stored or any(value not in (None, 0) for value in stored)
    if not computed:  # a program that does not calculate may store 0 everywhere
        tabs = {tab: {at: cell._replace(value=None) if cell.text is not None else cell for at, cell in cells.items()}
                for tab, cells in tabs.items()}  # fmt: skip
    return Book(path, tabs, _small(read_names(path)), local, computed)


def _small(names: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): meaning for name, meaning in names.items()}


def address(where: Place) -> str:
    """A place in A1 notation.

    >>> address((33, 26))
    'Z33'
    """
    return f"{column_letters(where[1])}{where[0]}"


def formula_of(cell: Cell) -> str:
    """A cell's formula as it stands there, beginning with "="."""
    return f"={moved_text(cell.text or '', cell.down, cell.right)}"


def copied_row(cell: Cell | None, where: Place) -> int | None:
    """The row above, of a cell's own column, whose cell its formula names and nothing else; None if there is none."""
    if cell is None or cell.text is None:
        return None
    named = _PLAIN.fullmatch(formula_of(cell).replace("$", ""))
    if named is None or named[1] != column_letters(where[1]) or int(named[2]) >= where[0]:
        return None
    return int(named[2])


def _counted(count: int, path: Path) -> int:
    if count >= MOST_CELLS:
        raise CheckError(
            f"{path}: has more than {MOST_CELLS:,} cells; at most as many are read. Delete some of its tabs."
        )
    return count + 1
