"""Tables whose rows begin with the step's new weights: the forward pass takes the weights of the row above."""

from __future__ import annotations

import re
from dataclasses import replace

from sheetgen.check.foreign.book import Book
from sheetgen.check.foreign.refer import references
from sheetgen.check.foreign.tables import WEIGHT, Table

__all__ = ["lagged"]

MOSTLY = 0.75
"""The part of the weights in net inputs that stand in the row above, where that is meant."""
_NET = re.compile(r"(?:a_)?[ho]\d.*")


def lagged(book: Book, table: Table) -> Table:
    """The table with its weights called new ones, if its net inputs take those of the row above; else as it is."""
    row = table.rows[len(table.rows) // 2]
    weights = {column for name, column in table.columns.items() if WEIGHT.fullmatch(name)}
    if any(name.endswith("⁺") for name in table.columns):
        return table
    cells, above, all_named = book.tabs[table.tab], 0, 0
    for name, column in table.columns.items():
        cell = cells.get((row, column))
        if _NET.fullmatch(name) and cell is not None and cell.text is not None:
            rows = [at for tab, (at, of) in references(cell, table.tab, book) if tab == table.tab and of in weights]
            above += sum(at == row - 1 for at in rows)
            all_named += len(rows)
    if not all_named or above < MOSTLY * all_named:
        return table
    columns = {f"{name}⁺" if WEIGHT.fullmatch(name) else name: at for name, at in table.columns.items()}
    return replace(table, columns=columns)
