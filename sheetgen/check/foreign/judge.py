"""Which cells of a table are not what their own row says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from sheetgen.check.foreign.book import Book, Cell, Place
from sheetgen.check.foreign.draws import Draw
from sheetgen.check.foreign.infer import infer_order
from sheetgen.check.foreign.judged import PLACEHOLDER, Judged, Wrong, close, typed_right
from sheetgen.check.foreign.labels import RATE, STEP
from sheetgen.check.foreign.lag import lagged
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.optimizers import another_optimizer
from sheetgen.check.foreign.own_rates import own_rates
from sheetgen.check.foreign.rates import has_rate_of_row, other_rates, place_of, with_rate_found
from sheetgen.check.foreign.refer import references
from sheetgen.check.foreign.stored import Stored
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.understand import Score, best_reading, with_data
from sheetgen.check.foreign.view import Effort, View
from sheetgen.errors import ExcelError
from sheetgen.formulas.parse import FormulaError

__all__ = ["judge"]

SAMPLED = 8
"""In so many parts of a table it is looked whether its weights are updated."""


def judge(
    book: Book, table: Table, given: Network | None = None, effort: Effort | None = None, *, alone: bool = True
) -> Judged:
    """Find the network and the rate, and compare every cell; not where other tables may be meant, and this trains none.

    CheckError, which names no file, if the labels do not fit together, or it costs too much.
    """
    effort = effort or Effort()
    read = best_reading(book, table, effort) if given is None else with_data(book, lagged(book, table), given, effort)
    view, network, fixed = read.view, read.network, read.fixed
    judged = Judged(view, network, None, None, fixed)
    if not (alone or _may_train(judged)):
        return judged
    judged, rates = with_rate_found(view, network, fixed)
    if given is None and judged.rate is not None:
        ordered = infer_order(network, Score(view, fixed, judged.rate))
        if ordered != network:
            judged, rates = with_rate_found(view, ordered, fixed)
    if judged.rate is not None and judged.rate < 0:
        # Against the gradient is down: what adds it, or has it the other way round alone, is wrong.
        network = _downhill(view, judged.network, fixed)
        judged, rates = with_rate_found(view, network, fixed)
        judged.rate = None if judged.rate is None else abs(judged.rate)
        judged.__dict__.pop("draws", None)
    judged.rates = rates
    judged.rate_place = place_of(judged, rates, judged.rate) or judged.rate_place
    own, unclear = own_rates(judged)
    judged.other_rates = own or dict(other_rates(judged))
    judged.trouble = another_optimizer(judged.view, judged.network, rates, judged.draws[1]) or unclear
    if judged.trouble:
        judged.rate = judged.rate_place = None
    judged.wrong = sorted(_wrong_cells(judged), key=lambda one: (one.place[0], one.place[1]))
    return judged


def _downhill(view: View, network: Network, fixed: Mapping[str, float]) -> Network:
    """Of a network whose updates go uphill, gradients the other way round if as many cells have them so, or not so."""
    score = Score(view, fixed, PLACEHOLDER)
    upright, turned = (replace(network, gradient_factor=sign * abs(network.gradient_factor)) for sign in (1, -1))
    more = score(turned, turned.equations)[0] >= score(upright, upright.equations)[0]
    return turned if more and network.downhill > 0 else upright


def _may_train(judged: Judged) -> bool:
    """Whether there are gradients, or weights that are typed or made of what stands in the row above."""
    table, network = judged.table, judged.network
    cells, count = judged.view.book.tabs[table.tab], len(table.rows)
    if judged.trains or any(f"{name}⁺" in table.columns for name in network.weights):
        return True
    draw = Draw(judged.machine, judged.draws[0][0].given, {}, 0)
    for name in {*network.weights} & table.columns.keys():
        for row in {table.rows[at * (count - 1) // SAMPLED] for at in range(2, SAMPLED + 1)}:
            cell = cells.get((row, table.columns[name]))
            if cell is not None and cell.text is None:
                return True
            with suppress(FormulaError):
                if cell is not None:
                    judged.view.compute(cell, (row, table.columns[name]), draw)
    return -1 in draw.looked_at


def _wrong_cells(judged: Judged) -> Iterator[Wrong]:
    table, cells = judged.table, judged.view.book.tabs[judged.table.tab]
    stored = Stored(judged.view)
    for symbol, column in table.columns.items():
        verdicts: dict[tuple[object, ...], str] = {}
        for row in table.rows:
            cell = cells.get((row, column))
            kind = _kind(judged, symbol, (row, column), cell, verdicts, stored)
            if kind is None:
                continue
            judged.compared += 1
            if kind:
                yield Wrong(symbol, (row, column), kind)


def _kind(
    judged: Judged, symbol: str, place: Place, cell: Cell | None, verdicts: dict[tuple[object, ...], str],
    stored: Stored,
) -> str | None:  # fmt: skip
    """How a cell is wrong; "" if it is right, None if there is nothing to judge."""
    table = judged.table
    first = place[0] == table.first_row
    is_weight = symbol in judged.network.weights
    if is_weight and (symbol in judged.frozen or judged.trouble):
        return None
    if cell is None or (cell.value is None and cell.text is None):
        unfinished = place[0] == table.last_row and not is_weight
        return "empty" if symbol in judged.network.equations and not unfinished else None
    if symbol in (RATE, STEP) or (is_weight and first):
        return None
    data = symbol[0] in "it"
    if not (data or is_weight or symbol in judged.network.equations):
        return None
    if cell.text is None:
        return _typed(judged, symbol, place, cell)
    key = cell.text, int(first), judged.other_rates.get((symbol, place[0]))
    if key not in verdicts:
        verdict, outside = _formula(judged, symbol, place, cell)
        if not outside:
            verdicts[key] = verdict
    else:
        verdict = verdicts[key]
    return verdict or ("" if stored.is_right(place, cell) else "stored")


def _formula(judged: Judged, symbol: str, place: Place, cell: Cell) -> tuple[str, bool]:
    """The verdict on a formula, and whether it looks at cells outside the symbols' columns, as other rows may not."""
    view, outside = judged.view, False
    for draw in judged.draws_of(symbol):
        try:
            value = view.compute(cell, place, draw)
        except FormulaError as error:
            # What cannot be read can still be right by its number; data is what it is.
            given = judged.given(symbol, place[0])
            right = symbol[0] in "it" or typed_right(view, judged.machine, given, symbol, place)
            if right:
                judged.unread.setdefault(place, str(error))
            return "" if right else f"unread: {error}", True
        outside |= view.outside
        if symbol[0] in "it" and (place[0] == judged.table.first_row or _from_elsewhere(judged, place, cell)):
            return "", True
        if isinstance(value, bool):
            return "truth", outside
        if isinstance(value, str):
            return "error" if isinstance(value, ExcelError) else "text", outside
        if not close(value, judged.expected(symbol, draw, place[0])):
            return "" if has_rate_of_row(judged, symbol, place[0]) else "differs", True
    return "", outside


def _from_elsewhere(judged: Judged, place: Place, cell: Cell) -> bool:
    """Whether a formula takes its number from cells that are filled and no part of the table."""
    table, tabs = judged.table, judged.view.book.tabs
    named = list(references(cell, table.tab, judged.view.book, ranges=True))
    columns = judged.view.symbols
    beside = [tab != table.tab or where[1] not in columns or where[0] < table.header_row for tab, where in named]
    return bool(named) and all(beside) and all(where in tabs.get(tab, {}) for tab, where in named)


def _typed(judged: Judged, symbol: str, place: Place, cell: Cell) -> str | None:
    """The verdict on what is typed: to half a unit of its last digit, as its row's stored numbers say."""
    if isinstance(cell.value, bool):
        return "truth"
    if isinstance(cell.value, str):
        if symbol[0] in "it" and _is_number_text(cell.value):
            judged.texts.append(place)
            return ""
        return "error" if isinstance(cell.value, ExcelError) else "text"
    if symbol[0] in "it":
        return _same_data(judged, symbol, place, cell)
    given, exact = judged.given(symbol, place[0]), place[0] > judged.table.first_row and symbol in judged.computed
    return "" if typed_right(judged.view, judged.machine, given, symbol, place, exact=exact) else "typed"


def _is_number_text(text: str) -> bool:
    """Whether a text is one that + and * take for a number."""
    with suppress(ValueError):
        return math.isfinite(float(text)) and "_" not in text
    return False


def _same_data(judged: Judged, symbol: str, place: Place, cell: Cell) -> str | None:
    """Typed inputs may be other ones in each row; one that stands out is a slip, and so is a filled series, or another
    number among copies of the row above."""
    column = judged.typed_data
    if symbol in judged.copied and place[0] > judged.table.first_row:
        above = judged.view.book.tabs[judged.table.tab].get((place[0] - 1, place[1]))
        return "data" if above is not None and above.value != cell.value else ""
    usual, count = Counter(column[symbol].values()).most_common(1)[0]
    if cell.value != usual and count == len(column[symbol]) - 1 > 1:
        others = [set(values.values()) for name, values in column.items() if name != symbol]
        return "data" if all(len(values) == 1 for values in others) else ""
    return "series" if place[0] > judged.table.first_row and symbol in judged.series else ""
