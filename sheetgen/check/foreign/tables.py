"""Where training tables stand: a row of labels, and below it one row per step."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sheetgen.check.foreign.book import Book, Cell, Place, copied_row, formula_of
from sheetgen.check.foreign.labels import LONGEST, RATE, STEP, is_rate, symbol_of
from sheetgen.check.foreign.named import named, numbered
from sheetgen.errors import ExcelError
from sheetgen.xlsx.cells import column_letters, is_number

__all__ = ["WEIGHT", "Table", "best_header", "find_tables", "labels_down", "odd_repeats"]

# A row is a header if it names that many symbols, some of them weights and some gradients or the rest of the network.
FEWEST, FEWEST_WEIGHTS = 6, 2
FILLED = 0.6
"""The part of a table's columns that a row of it has something in."""
MOST_ROWS = 10_000
MOST_TABLES = 60
_CELL_COLUMN = re.compile(r"([A-Z]{1,3})\$?\d")
WEIGHT = re.compile(r"[wb]\d+")
_COPY = re.compile(r"(?:[^()!,]+!)?\$?[A-Z]{1,3}\$?\d+")
MOSTLY = 0.75
"""The part of a row's cells that name cells above them, where that is all that the row does."""
ALIKE = 1e-10
"""The relative difference of numbers that are the same: a program may store one with fewer digits."""
GAP = 2
"""Rows that may stand between the labels and the first step, such as units."""
BLANKS = 3
"""Empty rows, or texts in a row, that may stand within a table."""
GOES_ON = 0.5
"""The part of a row's formulas that are copies of those above, where it is a row of the table."""
FEW_PARTS = 2
APART = (
    "its rows stand apart, with empty rows between them, so that no update can be judged: delete the empty rows "
    "(filter a column for blanks, and delete the rows that are shown) and check it again"
)
Cells = Mapping[Place, Cell]


@dataclass(frozen=True)
class Table:
    """A training table: its tab, rows, and the column of each symbol; `extra` are columns that repeat a symbol.

    `labels` are the texts above the columns, as they are written. A last row that has new weights alone is one of it;
    `repeated` rows behind it, which have its numbers again, are not. `note` says how an odd label is taken, `around`
    what stands above or below, and `trouble` why it cannot be judged.
    """

    tab: str
    header_row: int
    first_row: int
    last_row: int
    columns: Mapping[str, int]
    extra: Mapping[int, str]
    labels: Mapping[int, str]
    repeated: int = 0
    note: str = ""
    around: str = ""
    trouble: str = ""

    @cached_property
    def lagged(self) -> bool:
        """Whether its columns have each step's new weights, and none the ones that it begins with."""
        new = any(name.endswith("⁺") for name in self.columns)
        return new and not any(map(WEIGHT.fullmatch, self.columns))

    @property
    def rows(self) -> range:
        """Its rows, one per step."""
        return range(self.first_row, self.last_row + 1)


def find_tables(book: Book) -> list[Table]:
    """Every training table, tab by tab, from the top and from the left."""
    found: list[Table] = []
    for tab, cells in book.tabs.items():
        taken: list[Table] = []
        for row, labels in _headers(cells):
            for part in _side_by_side(labels):
                inside = any(one.header_row < row <= one.last_row and _overlap(one, part) for one in taken)
                taken += () if inside else _tables(tab, cells, row, part)
        found += taken
    return found[:MOST_TABLES]


def best_header(book: Book) -> tuple[str, int, list[str]] | None:
    """Tab, row and labels of the row that comes nearest to a header; None if no cell is labelled so at all."""
    best: tuple[str, int, list[str]] | None = None
    most = 1
    for tab, cells in book.tabs.items():
        for row, labels in _texts(cells):
            count = sum(1 for text in labels.values() if symbol_of(text) not in ("", STEP))
            if count > most:
                most, best = count, (tab, row, list(labels.values()))
    return best


def labels_down(book: Book) -> tuple[str, int] | None:
    """Tab and column that has enough labels below each other, as where there is one step per column."""
    for tab, cells in book.tabs.items():
        columns: dict[int, set[str]] = {}
        for (_, column), cell in cells.items():
            symbol = symbol_of(cell.value)
            if symbol not in ("", STEP):
                columns.setdefault(column, set()).add(symbol)
        for column, symbols in columns.items():
            if len(symbols) >= FEWEST and sum(one.startswith("w") for one in symbols) >= FEWEST_WEIGHTS:
                return tab, column
    return None


def _overlap(table: Table, part: Mapping[int, str]) -> bool:
    return bool(table.labels.keys() & part.keys())


def _texts(cells: Cells) -> Iterator[tuple[int, dict[int, str]]]:
    rows: dict[int, dict[int, str]] = {}
    for (row, column), cell in cells.items():
        if isinstance(cell.value, str) and cell.value.strip() and len(cell.value) <= LONGEST:
            rows.setdefault(row, {})[column] = cell.value
    for row in sorted(rows):
        yield row, dict(sorted(rows[row].items()))


def _headers(cells: Cells) -> Iterator[tuple[int, dict[int, str]]]:
    for row, labels in _texts(cells):
        symbols = [symbol_of(text) for text in labels.values()]
        weights = sum(one.startswith("w") for one in symbols)
        if sum(one not in ("", STEP) for one in symbols) >= FEWEST and weights >= FEWEST_WEIGHTS:
            yield row, labels


def _side_by_side(labels: Mapping[int, str]) -> list[dict[int, str]]:
    """The labels of each table of a row: another begins where symbols come again, if half of them do."""
    parts: list[dict[int, str]] = [{}]
    seen: set[str] = set()
    columns = list(labels)
    for at, column in enumerate(columns):
        symbol = symbol_of(labels[column])
        if symbol and symbol != STEP and symbol in seen:
            rest = {symbol_of(labels[one]) for one in columns[at:]} - {"", STEP}
            if len(rest & seen) > len(seen) / 2:
                parts.append({})
                seen = set()
        if symbol and symbol != STEP:
            seen.add(symbol)
        parts[-1][column] = labels[column]
    return parts


def _tables(tab: str, cells: Cells, header: int, labels: Mapping[int, str]) -> list[Table]:
    """The table below a row of labels, and one for each further part of it that stands below empty rows."""
    columns, extra = _named(cells, header, labels)
    places = [column for symbol, column in columns.items() if symbol not in (STEP, RATE)]
    if not any(symbol.startswith(("a_", "∂E/", "E")) for symbol in columns):
        return []  # a block of weights
    if len(places) < FEWEST or sum(symbol.startswith("w") for symbol in columns) < FEWEST_WEIGHTS:
        return []
    first = next((row for row in range(header + 1, header + 2 + GAP) if _filled(cells, row, places)), None)
    if first is None or all(_is_copy(cells.get((row, one))) for row in (first, first + 1) for one in places):
        return []  # what shows another table's numbers
    start = Table(tab, header, first, first, columns, extra, labels)
    parts = list(_parts(cells, start, places))
    alone = [one for one in parts if len(one.rows) == 1]
    if len(parts) > FEW_PARTS and len(alone) > len(parts) / 2:
        return [replace(parts[0], last_row=parts[-1].last_row, trouble=APART)]
    return parts


def _parts(cells: Cells, table: Table, places: Sequence[int]) -> Iterator[Table]:
    """The table to its end and, below empty rows, the parts that go on with its formulas."""
    weights = [column for symbol, column in table.columns.items() if symbol.startswith("w") and "⁺" not in symbol]
    changing = [column for _, column in _changing(table.columns) if column in places]
    first: int | None = table.first_row
    around = ""
    while first is not None:
        last = first
        while _filled(cells, last + 1, places) and last - first < MOST_ROWS:
            last += 1
        if last > first + 1 and _is_summary(cells, last, places):
            around = f"{around}; " if around else ""
            around += f"row {last} has other formulas than the rows above it, as a summary has; it is not judged"
            yield replace(table, first_row=first, last_row=last - 1, around=around)
            return
        end = last
        while last > first + 1 and _again(cells, last, changing):
            last -= 1
        if last == end and _new_weights(cells, last + 1, weights, first):
            end = last = last + 1
        below = _below_gap(cells, end, places)
        goes_on = below is not None and _alike(cells, below, last, places) >= GOES_ON
        if below is not None and not goes_on and _filled(cells, below + 1, places):
            around = f"{around}; " if around else ""
            around += f"rows from {below} on, below empty ones, have other formulas, or none; they are not judged"
        yield replace(table, first_row=first, last_row=last, repeated=end - last, around=around)
        first = below if goes_on else None
        around = f"it goes on below empty rows: the update from row {end} to row {first} is not judged"


def _below_gap(cells: Cells, end: int, places: Sequence[int]) -> int | None:
    """The row below some empty ones, or a line of text, that has something in most columns; None if there is none."""
    for row in range(end + 1, end + 2 + BLANKS):
        if _filled(cells, row, places):
            return row if row > end + 1 else None
        if sum(isinstance(cell.value, str) for one in places if (cell := cells.get((row, one)))) > BLANKS:
            return None
    return None


def _filled(cells: Cells, row: int, places: Sequence[int]) -> bool:
    """Whether most of a table's columns have something in a row."""
    return sum(_is_number(cells.get((row, column))) for column in places) >= FILLED * len(places)


def _alike(cells: Cells, row: int, pattern: int, places: Sequence[int]) -> float:
    """The part of a row's formulas that are copies of those of another row."""
    formulas = [(cell, cells.get((pattern, one))) for one in places if (cell := cells.get((row, one))) and cell.text]
    return sum(above is not None and cell.text == above.text for cell, above in formulas) / max(1, len(formulas))


def _is_summary(cells: Cells, row: int, places: Sequence[int]) -> bool:
    """Whether most of a row's cells have formulas of their own column alone, and others than the rows above, which are
    copies of each other."""
    own = [one for one in places if (cell := cells.get((row, one))) and _of_column(cell, one)]
    few = len(own) < FILLED * sum((row, one) in cells for one in places)
    return not few and _alike(cells, row - 1, row - 2, places) >= GOES_ON > _alike(cells, row, row - 1, places)


def _of_column(cell: Cell, column: int) -> bool:
    """Whether a formula names cells of one column and no others."""
    named = _CELL_COLUMN.findall(formula_of(cell)) if cell.text is not None else []
    return {*named} == {column_letters(column)}


def _new_weights(cells: Cells, row: int, weights: Sequence[int], first: int) -> bool:
    """Whether a row below the table has the last weights: numbers, or the formulas of the row above."""
    there = [cells.get((row, column)) for column in weights]
    formulas = any(cell is not None and cell.text for cell in there)
    copies = row <= first + 2 or not formulas or _alike(cells, row, row - 1, weights) >= GOES_ON
    return copies and all(map(_is_number, there))


def _named(cells: Cells, header: int, labels: Mapping[int, str]) -> tuple[dict[str, int], dict[int, str]]:
    """The column of each symbol, and further ones that repeat a symbol."""
    meant: dict[int, str] = {}
    for column, text in labels.items():
        some = any(meant.values())
        meant[column] = symbol_of(text) or (RATE if is_rate(text) and (some or text.strip() not in "hna") else "")
    below = range(header + 1, header + 2 + GAP)
    filled = {
        column: text for column, text in labels.items() if any(_is_number(cells.get((row, column))) for row in below)
    }
    columns: dict[str, int] = {}
    extra: dict[int, str] = {}
    for column, symbol in numbered(named(meant, filled)).items():
        if symbol in columns:
            extra[column] = symbol
        elif symbol:
            columns[symbol] = column
    return columns, extra


def odd_repeats(cells: Cells, table: Table) -> Iterator[tuple[str, Place]]:
    """In rows that have the last one's numbers again, the cells that have not, with their symbols."""
    for row in range(table.last_row + 1, table.last_row + table.repeated + 1):
        for symbol, column in _changing(table.columns):
            place = row, column
            passed_on = (copied_row(cells.get(place), place) or 0) >= table.last_row
            if place in cells and not passed_on and not _same(cells, place, table.last_row):
                yield symbol, place


def _changing(columns: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(symbol, column) for symbol, column in columns.items() if symbol[0] not in "it"]


def _again(cells: Cells, row: int, columns: Sequence[int]) -> bool:
    """Whether a row's cells have the numbers above them again: most of them by naming those cells, or all."""
    others = [one for one in columns if copied_row(cells.get((row, one)), (row, one)) is None]
    copied = len(columns) - len(others)
    return copied >= MOSTLY * len(columns) or all(_same(cells, (row, one), row - 1) for one in others)


def _same(cells: Cells, place: Place, row: int) -> bool:
    """Whether a cell has the number that a row above has there, and not because the same formula, filled down, gives
    it."""
    here, above = cells.get(place), cells.get((row, place[1]))
    if here is None or above is None or not (is_number(here.value) and is_number(above.value)):
        return False
    if not math.isclose(here.value, above.value, rel_tol=ALIKE):
        return False
    return here.text is None or here.text != above.text or here.down == above.down


def _is_copy(cell: Cell | None) -> bool:
    return cell is not None and cell.text is not None and _COPY.fullmatch(cell.text) is not None


def _is_number(cell: Cell | None) -> bool:
    """Whether a cell has a formula or something that should be a number; a text below a table ends it.

    A formula that shows nothing, as where the steps that were asked for are over, is no number.
    """
    if cell is None or cell.text is None:
        return cell is not None and isinstance(cell.value, (int, float))
    return cell.value != "" and not (isinstance(cell.value, ExcelError) and "NA()" in cell.text.upper())
