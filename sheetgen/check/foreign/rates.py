"""The rate of a table: what each update implies, what most have, where it stands, and others that are meant."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from sheetgen.check.foreign.book import Cell, Place
from sheetgen.check.foreign.draws import Draw, State
from sheetgen.check.foreign.judged import KEPT, PLACEHOLDER, Judged, Key, RatePlace, Rates, half_unit, stored_numbers
from sheetgen.check.foreign.labels import RATE, is_rate
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.refer import references
from sheetgen.check.foreign.view import View
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.tree import Number, walk
from sheetgen.xlsx.cells import is_number

__all__ = ["ENOUGH", "has_rate_of_row", "other_rates", "place_of", "the_one", "with_rate_found"]

ENOUGH = 2
"""Draws that tell whether a rate is one number."""


def with_rate_found(view: View, network: Network, fixed: Mapping[str, float]) -> tuple[Judged, Rates]:
    """A table of that network with the rate that its updates have, and what each of them implies."""
    judged = Judged(view, network, None, None, fixed)
    rates = implied_rates(judged)
    judged.rate = _usual(rates)
    if judged.rate is None:
        judged.rate, judged.rate_place = _named_by_most(judged, rates)
    if judged.rate is None:
        judged.rate = _rate_of_numbers(judged)
    del judged.__dict__["draws"]
    return judged, rates


def implied_rates(judged: Judged) -> Rates:
    """The rate that each update implies, by weight and row: what it takes away, over the gradient."""
    found: dict[tuple[str, int], float | None] = {}
    table, view = judged.table, judged.view
    own, before = judged.draws
    for name in judged.network.weights:
        for symbol, draws, offset, rows in ((name, before, -1, table.rows[1:]), (f"{name}⁺", own, 0, table.rows)):
            if symbol not in table.columns:
                continue
            for row in rows:
                place = (row, table.columns[symbol])
                cell = view.book.tabs[table.tab].get(place)
                if cell is None or cell.text is None:
                    continue
                implied = _implied(view, cell, place, [(draw, draw.state(offset)) for draw in draws], name)
                found[symbol, row] = implied if implied is None else implied * judged.network.downhill
    return found


def _implied(view: View, cell: Cell, place: Place, draws: Iterable[tuple[Draw, State]], name: str) -> float | None:
    """What an update takes away, over the gradient, in two draws in which that is not 0."""
    implied: list[float] = []
    for draw, state in draws:
        slope = state[f"∂E/∂{name}"]
        if not slope or len(implied) == ENOUGH:
            continue
        try:
            value = view.compute(cell, place, draw)
        except FormulaError:
            return None
        if not isinstance(value, float):
            return None
        implied.append((state[name] - value) / slope)
    return the_one(implied)


def the_one(implied: list[float]) -> float | None:
    """The rate that two draws imply, if it is one number."""
    same = len(implied) == ENOUGH and abs(implied[0] - implied[1]) <= 1e-7 * max(abs(implied[0]), 1e-3)
    return implied[0] if same else None


def _usual(rates: Rates) -> float | None:
    """The rate that most updates have, of the first row if most of that row have one: from there on it may slide away.

    Updates that pass on what another column has, or change nothing, do not count.
    """
    known = {
        key: float(f"{one:.{KEPT}g}")
        for key, one in rates.items()
        if one is not None and abs(one) > 1e-12 and abs(one - PLACEHOLDER) > 1e-9
    }
    if not known:
        passed_on = any(one is not None and abs(one - PLACEHOLDER) <= 1e-9 for one in rates.values())
        return PLACEHOLDER if passed_on else None
    top = min(row for _, row in rates)
    of_first = [rate for (_, row), rate in known.items() if row == top]
    [(first, count), *_] = Counter(of_first).most_common(1) or [(0.0, 0)]
    if count > sum(row == top for _, row in rates) / 2:
        return first
    return Counter(known.values()).most_common(1)[0][0]


def _named_by_most(judged: Judged, rates: Rates) -> tuple[float | None, RatePlace]:
    """The one number outside the table that most updates name, where none of them is right."""
    table, book = judged.table, judged.view.book
    counts: Counter[tuple[str, Place]] = Counter()
    for symbol, row in rates:
        cell = book.tabs[table.tab][row, table.columns[symbol]]
        for tab, where in set(references(cell, table.tab, book)):
            there = book.tabs.get(tab, {}).get(where)
            outside = tab != table.tab or where[0] not in table.rows
            if outside and there is not None and there.text is None and is_number(there.value):
                counts[tab, where] += 1
    [(place, count), *_] = counts.most_common(1) or [(("", (0, 0)), 0)]
    if count <= len(rates) / 2 or not counts:
        return None, None
    value = book.tabs[place[0]][place[1]].value
    return (float(value), place) if is_number(value) else (None, None)


def _rate_of_numbers(judged: Judged) -> float | None:
    """The rate that stored weights imply, as exactly as their digits tell; a number that stands outside, if it fits."""
    table, cells = judged.table, judged.view.book.tabs[judged.table.tab]
    best, slack = None, math.inf
    for row in table.rows[1:]:
        before, after = stored_numbers(judged.view, row - 1), stored_numbers(judged.view, row)
        for name in judged.network.weights:
            slope = before.get(f"∂E/∂{name}")
            if slope and name in before and name in after:
                error = 2 * half_unit(after[name]) / abs(slope)
                if error < slack:
                    best, slack = judged.network.downhill * (before[name] - after[name]) / slope, error
    if best is None or slack > abs(best):
        return None
    typed = (one.value for (row, _), one in cells.items() if row not in table.rows and one.text is None)
    near = [one for one in typed if isinstance(one, (int, float)) and abs(one - best) <= slack + 1e-6 * abs(best)]
    return float(near[0]) if near else float(f"{best:.{max(1, min(KEPT, round(-math.log10(slack / abs(best)))))}g}")


def place_of(judged: Judged, keys: Iterable[Key], wanted: float | None) -> RatePlace:
    """The cell outside the table that most of these updates take that rate from; None if it is in the formulas."""
    table, view, book = judged.table, judged.view, judged.view.book
    counts: Counter[tuple[str, Place]] = Counter()
    rows = table.rows
    for symbol, row in keys:
        rate = judged.rates[symbol, row]
        if rate is None or wanted is None or not _same(rate, wanted):
            continue
        cell = book.tabs[table.tab][row, table.columns[symbol]]
        for tab, where in references(cell, table.tab, book):
            if tab == table.tab and where[1] in view.symbols and where[0] in rows:
                continue
            value = book.tabs.get(tab, {}).get(where)
            if value is not None and is_number(value.value) and _same(float(value.value), wanted):
                counts[tab, where] += 1
    return counts.most_common(1)[0][0] if counts else None


def other_rates(judged: Judged) -> Iterator[tuple[Key, tuple[float, RatePlace]]]:
    """Rates that are not the table's, but those of most updates of a layer in a row, and meant to be rates."""
    network, table = judged.network, judged.table
    layers = [network.of_layer(layer) for layer in range(1, network.depth + 1)]
    for names, row in product(layers, table.rows[1:]):
        there = {(name, row): judged.rates[name, row] for name in names if (name, row) in judged.rates}
        known = Counter(float(f"{one:.{KEPT}g}") for one in there.values() if one)
        [(rate, count), *_] = known.most_common(1) or [(0.0, 0)]
        if judged.rate is None or count <= max(1, len(there) / 2) or _same(rate, judged.rate):
            continue
        first = next(key for key, one in there.items() if one and _same(one, rate))
        rate = there[first] or rate
        if _meant_as_rate(judged, first, rate):
            place = place_of(judged, there, rate)
            yield from ((key, (rate, place)) for key in there)


def has_rate_of_row(judged: Judged, symbol: str, row: int) -> bool:
    """Whether an update takes the rate that stands in a column of the table, in its row or in the one above."""
    column, implied = judged.table.columns.get(RATE), judged.rates.get((symbol, row))
    if column is None or implied is None:
        return False
    cells = judged.view.book.tabs[judged.table.tab]
    there = [cells.get((one, column)) for one in (row - 1, row)]
    values = [one.value for one in there if one is not None and isinstance(one.value, (int, float))]
    return any(abs(implied - value) <= 1e-7 * abs(value) for value in values)


def _meant_as_rate(judged: Judged, key: Key, rate: float) -> bool:
    """Whether an update takes its rate from a number that is labelled as one, or has it typed into its formula."""
    table, tabs = judged.table, judged.view.book.tabs
    cell = tabs[table.tab][key[1], table.columns[key[0]]]
    outside = 0
    for tab, (row, column) in references(cell, table.tab, judged.view.book):
        if tab == table.tab and row in table.rows and column in judged.view.symbols:
            continue
        if tab == table.tab and column == table.columns.get(RATE) and row in table.rows:
            return True
        outside += 1
        cells = tabs.get(tab, {})
        there = cells.get((row, column))
        if there is None or not is_number(there.value) or not _same(float(there.value), rate):
            continue
        beside = [cells.get(place) for place in ((row, column - 1), (row, column - 2), (row - 1, column))]
        if any(one is not None and is_rate(one.value) for one in beside):
            return True
    try:
        typed = [float(node.text) for node in walk(parse(cell.text or "")) if isinstance(node, Number)]
    except FormulaError:
        return False
    return not outside and any(_same(one, rate) for one in typed)


def _same(rate: float, other: float) -> bool:
    """Whether two rates are one, to the digits by which rates are told apart."""
    return math.isclose(rate, other, rel_tol=10.0 ** (1 - KEPT))
