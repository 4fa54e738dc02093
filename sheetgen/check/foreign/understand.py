"""What a table means: of the ways to read its labels and its data, the one under which most cells are right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from sheetgen.check.foreign.book import Book, Place
from sheetgen.check.foreign.data import data_names, implied_data, labelled_data
from sheetgen.check.foreign.draws import Draw, new_draws
from sheetgen.check.foreign.infer import infer, sizes_of, textbook
from sheetgen.check.foreign.judged import PLACEHOLDER, close, machine_of, typed_right
from sheetgen.check.foreign.labels import RATE, STEP
from sheetgen.check.foreign.lag import lagged
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.readings import readings
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.view import Effort, View
from sheetgen.errors import CheckError
from sheetgen.formulas.parse import FormulaError

__all__ = ["Read", "Score", "best_reading", "with_data"]

SHOWN = 8
"""Columns that a line names."""


@dataclass(frozen=True)
class Read:
    """A table with a meaning of its labels: its network, the data that has no column, and how many cells are right."""

    view: View
    network: Network
    fixed: Mapping[str, float]
    right: int = 0
    count: int = 0

    @property
    def wrong(self) -> int:
        """How many are not."""
        return self.count - self.right


def best_reading(book: Book, table: Table, effort: Effort) -> Read:
    """The first meaning of the labels under which most cells are right. CheckError if none gives a network."""
    best: Read | None = None
    trouble: CheckError | None = None
    for reading in readings(lagged(book, table)):
        try:
            tried = with_data(book, reading, None, effort)
        except CheckError as error:
            trouble = trouble or error
            continue
        if best is None or tried.right > best.right:
            best = tried
        if tried.right == tried.count:
            break
    if best is None:
        assert trouble is not None
        raise trouble
    return best


def with_data(book: Book, table: Table, given: Network | None, effort: Effort) -> Read:
    """A table's network, the one given or the one that most of its formulas compute."""
    start = given or sizes_of(table)
    if given is not None:
        _refuse_other_sizes(table, given)
    table = replace(table, columns={name: column for name, column in table.columns.items() if _part(start, name)})
    view = View(book, table, effort)
    fixed = dict(labelled_data(book, table))
    missing = [name for name in data_names(start) if name not in table.columns and name not in fixed]
    ways = implied_data(view, given or textbook(start), missing) if missing and start.samples == 1 else [{}]
    if not ways:
        raise CheckError(
            f"it has no column for {', '.join(missing)}, and no labelled number: write a column for each, or its name "
            "beside the cell that has it"
        )
    best: Read | None = None
    for way in ways:
        known = {**fixed, **way}
        score = Score(view, known, PLACEHOLDER)
        network = given or infer(start, score, lambda symbol: symbol in table.columns, score.offset)
        right, count = score(network, network.equations)
        if best is None or right > best.right:
            best = Read(view, network, known, right, count)
    assert best is not None
    for other, gone in _others(best) if given is None else ():
        with suppress(CheckError):
            tried = with_data(book, other, given, effort)
            if tried.wrong <= best.wrong - gone:
                return tried
    return best


def _refuse_other_sizes(table: Table, given: Network) -> None:
    """CheckError if the labels are clearly those of another network than the one that is given."""
    names = {*data_names(given), *given.equations, *given.weights}
    data = [name for name in table.columns if re.match(r"[it]\d", name)]
    try:
        own = sizes_of(table)
    except CheckError:
        own = None
    strange = [name for name in data if name not in names and _part(given, name)]
    if not strange and (own is None or (own.units, own.samples) == (given.units, given.samples)):
        return
    strange = [name for name in table.columns if name not in (*names, RATE, STEP)]
    said = f", and has columns that this one has not: {', '.join(strange[:SHOWN])}" if strange else ""
    more = ", …" if len(strange) > SHOWN else ""
    labels = "is of another one" if own is None else f"is of {_size(own)}"
    raise CheckError(f"the network of --spec is {_size(given)}, and the table {labels} by its labels{said}{more}")


def _size(network: Network) -> str:
    counts = (network.samples, "sample"), (network.units[0], "input"), (network.units[-1], "output")
    size = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts)
    return f"a {'-'.join(map(str, network.units))} one ({size})"


def _others(read: Read) -> Iterator[tuple[Table, int]]:
    """The table with columns taken for something else, if not one of their cells is what they are labelled as.

    A layer's δ may be other factors, and losses may be differences: a table without them, and how many wrong cells that
    leaves out. The whole loss may be the next column that is labelled so: there must be one wrong cell less.
    """
    table, score = read.view.table, Score(read.view, read.fixed, PLACEHOLDER)
    for kind in (r"δ_h.*", r"δ_o.*", r"E\d.*"):
        names = {name for name in table.columns if re.fullmatch(kind, name)}
        right, count = score(read.network, names)
        if count and not right:
            yield replace(table, columns={name: at for name, at in table.columns.items() if name not in names}), count
    loss = next((column for column, symbol in sorted(table.extra.items()) if symbol == "E_total"), None)
    if loss is not None and not score(read.network, ["E_total"])[0]:
        extra = {column: symbol for column, symbol in table.extra.items() if column != loss}
        yield replace(table, columns={**table.columns, "E_total": loss}, extra=extra), 1


def _part(network: Network, symbol: str) -> bool:
    """Whether a network has that symbol; another column is a helper, whatever it is called."""
    found = re.match(r"[itE]\d", symbol)
    if not found:
        return True
    units = network.units[0] if symbol[0] == "i" else network.units[-1]
    return int(re.sub(r"\D.*", "", symbol[1:])) <= units


class Score:
    """How many of some symbols' cells are right in a row in the middle of a network's table."""

    def __init__(self, view: View, fixed: Mapping[str, float], rate: float) -> None:
        self.view, self.fixed, self.rate = view, fixed, rate
        rows = view.table.rows
        middle = [rows[at] for at in sorted({1, len(rows) // 2, len(rows) - 2}) if 0 < at < len(rows)]
        self.rows = middle or rows[:1]
        self.draws = lru_cache(maxsize=200)(self._draws)

    def _draws(self, network: Network) -> list[Draw]:
        own, before = new_draws(machine_of(network), self.fixed, self.rate, range(2))
        return before if self.view.table.lagged else own

    def __call__(self, network: Network, symbols: Iterable[str], beaten: int = -1) -> tuple[int, int]:
        """And how many there are at all; once it cannot be more than are `beaten`, no further ones are looked at."""
        columns = self.view.table.columns
        places = [(name, (row, columns[name])) for row in self.rows for name in symbols if name in columns]
        right = 0
        for seen, (name, place) in enumerate(places):
            if right + len(places) - seen <= beaten:
                break
            right += self._right(network, name, place)
        return right, len(places)

    def offset(self, network: Network, name: str) -> float | None:
        """What a symbol's cell has more than the network says, if it is one number other than 0."""
        table = self.view.table
        cell = self.view.book.tabs[table.tab].get((self.rows[0], table.columns.get(name, 0)))
        if cell is None or cell.text is None:
            return None
        found = []
        for draw in self.draws(network):
            try:
                value = self.view.compute(cell, (self.rows[0], table.columns[name]), draw)
            except FormulaError:
                return None
            if not isinstance(value, float):
                return None
            found.append(float(f"{value - draw.state(0)[name]:.12g}"))
        return found[0] if abs(found[0]) > 1e-9 and close(found[1], found[0]) else None

    def _right(self, network: Network, name: str, place: Place) -> bool:
        cell = self.view.book.tabs[self.view.table.tab].get(place)
        if cell is None:
            return False
        if cell.text is None:
            return typed_right(self.view, machine_of(network), self.fixed, name, place)
        try:
            return all(close(self.view.compute(cell, place, draw), draw.state(0)[name]) for draw in self.draws(network))
        except FormulaError:
            return False
