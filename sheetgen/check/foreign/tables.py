"""Where training tables stand: a row of labels, and below it one row per step."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sheetgen.check.foreign.book import Book, Cell, Place, copied_row
from sheetgen.check.foreign.labels import LONGEST, RATE, STEP, is_rate, symbol_of
from sheetgen.check.foreign.named import named, numbered
from sheetgen.xlsx.cells import is_number

__all__ = ["Table", "best_header", "find_tables", "labels_down", "odd_repeats"]

# A row is a header if it names that many symbols, some of them weights and some gradients or the rest of the network.
FEWEST, FEWEST_WEIGHTS = 6, 2
FILLED = 0.6
"""The part of a table's columns that a row of it has something in."""
MOST_ROWS = 10_000
MOST_TABLES = 60
_COPY = re.compile(r"(?:[^()!,]+!)?\$?[A-Z]{1,3}\$?\d+")
MOSTLY = 0.75
"""The part of a row's cells that name cells above them, where that is all that the row does."""
ALIKE = 1e-10
"""The relative difference of numbers that are the same: a program may store one with fewer digits."""
GAP = 2
"""Rows that may stand between the labels and the first step, such as units."""
Cells = Mapping[Place, Cell]


@dataclass(frozen=True)
class Table:
    """A training table: its tab, rows, and the column of each symbol; `extra` are columns that repeat a symbol.

    `labels` are the texts above the columns, as they are written. A last row that has new weights alone is one of it;
    `repeated` rows behind it, which have its numbers again, are not. `note` says how an odd label is taken.
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
                table = _table(tab, cells, row, part)
                inside = any(one.header_row < row <= one.last_row and _overlap(one, part) for one in taken)
                if table is not None and not inside:
                    taken.append(table)
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


def _table(tab: str, cells: Cells, header: int, labels: Mapping[int, str]) -> Table | None:
    columns, extra = _named(cells, header, labels)
    places = [column for symbol, column in columns.items() if symbol not in (STEP, RATE)]
    if not any(symbol.startswith(("a_", "∂E/", "E")) for symbol in columns):
        return None  # a block of weights
    if len(places) < FEWEST or sum(symbol.startswith("w") for symbol in columns) < FEWEST_WEIGHTS:
        return None

    def filled(row: int) -> float:
        return sum(_is_number(cells.get((row, column))) for column in places) / len(places)

    first = next((row for row in range(header + 1, header + 2 + GAP) if filled(row) >= FILLED), None)
    if first is None or all(_is_copy(cells.get((row, one))) for row in (first, first + 1) for one in places):
        return None  # what shows another table's numbers
    last = first
    while filled(last + 1) >= FILLED and last - first < MOST_ROWS:
        last += 1
    weights = [column for symbol, column in columns.items() if symbol.startswith("w") and "⁺" not in symbol]
    end = last
    changing = [column for _, column in _changing(columns) if column in places]
    while last > first + 1 and _again(cells, last, changing):
        last -= 1
    if last < end:
        return Table(tab, header, first, last, columns, extra, labels, end - last)
    if all(_is_number(cells.get((last + 1, column))) for column in weights):
        last += 1
    return Table(tab, header, first, last, columns, extra, labels)


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
    """Whether a cell has a formula or something that should be a number; a text below a table ends it."""
    return cell is not None and (cell.text is not None or isinstance(cell.value, (int, float)))
