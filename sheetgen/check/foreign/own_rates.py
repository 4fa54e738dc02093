"""Tables in which each weight has a rate of its own, in a cell that is labelled as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sheetgen.check.foreign.book import Cell, Place
from sheetgen.check.foreign.judged import Judged, Key, RatePlace
from sheetgen.check.foreign.labels import is_rate, symbol_of
from sheetgen.check.foreign.refer import references
from sheetgen.xlsx.cells import is_number

__all__ = ["own_rates"]

FEWEST = 3
"""Weights that have rates of their own, for all to have."""
Where = tuple[str, Place]


def own_rates(judged: Judged) -> tuple[dict[Key, tuple[float, RatePlace]], str]:
    """The rate of each update and where it stands, if most weights take one from a cell of their own; or why not told.

    A weight whose update takes another's has the rate that stands as the others' do: in cells at equal distances.
    """
    taken = {name: there for name in judged.network.weights if (there := _taken(judged, name)) is not None}
    uses = Counter(taken.values())
    alone = [name for name, there in taken.items() if uses[there] == 1]
    trained = list(dict.fromkeys(name for name, _ in judged.rates))
    if len(alone) < FEWEST or len(alone) <= len(trained) / 2:
        return {}, ""
    places = _in_line(judged, taken) or taken
    if len(set(places.values())) < len(trained):
        names = ", ".join(name for name in trained if name not in places or uses[taken.get(name, ("", (0, 0)))] > 1)
        return {}, f"most weights have a rate of their own, and which one {names} should have cannot be told"
    found: dict[Key, tuple[float, RatePlace]] = {}
    for name, row in judged.rates:
        tab, place = places[name]
        value = judged.view.book.tabs[tab][place].value
        assert is_number(value)
        found[name, row] = float(value), (tab, place)
    return found, ""


def _taken(judged: Judged, name: str) -> Where | None:
    """The labelled rate outside the table that most updates of a weight name, if they name one at all."""
    table, tabs = judged.table, judged.view.book.tabs
    rows = [row for symbol, row in judged.rates if symbol == name]
    counts: Counter[Where] = Counter()
    for row in rows:
        cell = tabs[table.tab][row, table.columns[name]]
        for tab, where in set(references(cell, table.tab, judged.view.book)):
            if tab != table.tab or not table.first_row <= where[0] <= table.last_row:
                counts[tab, where] += _is_rate_of(tabs.get(tab, {}), where, name)
    [(place, count), *_] = counts.most_common(1) or [(("", (0, 0)), 0)]
    return place if count > len(rows) / 2 else None


def _is_rate_of(cells: Mapping[Place, Cell], place: Place, name: str) -> bool:
    """Whether a cell has a rate: a number labelled so, or by the weight's name in a row or column that is."""
    here, (row, column) = cells.get(place), place
    if here is None or not is_number(here.value) or here.value <= 0:
        return False
    beside = [cells[one].value for one in ((row, column - 1), (row, column - 2), (row - 1, column)) if one in cells]
    if any(map(is_rate, beside)):
        return True
    ahead = [(row, one) for one in range(1, column)] + [(one, column) for one in range(1, row)]
    return name in map(symbol_of, beside) and any(is_rate(cells[one].value) for one in ahead if one in cells)


def _in_line(judged: Judged, taken: Mapping[str, Where]) -> dict[str, Where]:
    """A cell for each weight, at equal distances, if most weights take the one that is theirs; or none."""
    names = list(dict.fromkeys(name for name, _ in judged.rates))
    [(tab, _), *_] = Counter(tab for tab, _ in taken.values()).most_common(1)
    known = {at: taken[name][1] for at, name in enumerate(names) if name in taken and taken[name][0] == tab}
    steps = Counter(_apart(known[at], known[at + 1]) for at in known if at + 1 in known)
    [(step, _), *_] = steps.most_common(1) or [((0, 0), 0)]
    starts = Counter((row - at * step[0], column - at * step[1]) for at, (row, column) in known.items())
    [(start, count), *_] = starts.most_common(1)
    line = [(start[0] + at * step[0], start[1] + at * step[1]) for at in range(len(names))]
    cells = judged.view.book.tabs[tab]
    if count <= len(names) / 2 or not all(place in cells and is_number(cells[place].value) for place in line):
        return {}
    return {name: (tab, place) for name, place in zip(names, line, strict=True)}


def _apart(one: Place, other: Place) -> Place:
    return other[0] - one[0], other[1] - one[1]
