"""Findings that no equation of the network gives: what is unlike the rest of its row, or of its column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sheetgen.check.foreign.book import Cell, Place, address, formula_of
from sheetgen.check.foreign.judged import Judged
from sheetgen.check.foreign.meant import rounded_to
from sheetgen.check.foreign.tables import odd_repeats
from sheetgen.check.foreign.told import Finding
from sheetgen.check.foreign.words import Words
from sheetgen.formulas.parse import FormulaError
from sheetgen.xlsx.cells import is_number

__all__ = ["oddities"]


def oddities(judged: Judged, words: Words) -> Iterator[Finding]:
    """One finding a cell."""
    table = judged.table
    cells = judged.view.book.tabs[table.tab]
    for symbol, place in odd_repeats(cells, table):
        last = table.last_row, place[1]
        why = f"this row has the numbers of row {last[0]} again, but not here"
        usual = Cell(None, address(last))
        yield _finding(judged, words.called(symbol), place, usual, why, "repeat")
    for symbol, column in table.columns.items():
        digits = {row: rounded_to(cell.text or "") for row in table.rows if (cell := cells.get((row, column)))}
        [(most, count), *_] = Counter(digits.values()).most_common(1) or [((), 0)]
        if not most or 2 * count <= len(digits):
            continue
        model = next(row for row, found in digits.items() if found == most)
        for row in (row for row, found in digits.items() if found and found != most):
            like = cells[model, column]
            usual = Cell(None, like.text, like.down + row - model, like.right)
            said, others = (", ".join(f"{one:g}" for one in each) for each in (digits[row], most))
            why = f"rounds to {said} digits, and {count} other cells of the column to {others}"
            yield _finding(judged, words.called(symbol), (row, column), usual, why, "digits")


def _finding(judged: Judged, column: str, place: Place, usual: Cell, why: str, kind: str) -> Finding:
    """A cell that should have another formula."""
    cell = judged.view.book.tabs[judged.table.tab].get(place)
    found = "" if cell is None else formula_of(cell) if cell.text is not None else repr(cell.value)
    value = float(cell.value) if cell is not None and is_number(cell.value) else None
    try:
        should = judged.view.compute(usual, place, None)
    except FormulaError:
        should = None
    return Finding(
        address(place), column, (place[0], place[0]), 1, found, formula_of(usual), value,
        should if isinstance(should, float) else None, why, (kind,), (place,),
    )  # fmt: skip
