"""Updates that are more than a rate times the gradient: momentum and the like, and weights that shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sheetgen.check.foreign.book import Book, Place, address, formula_of
from sheetgen.check.foreign.draws import Draw
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.refer import references
from sheetgen.check.foreign.view import View
from sheetgen.formulas.parse import FormulaError

__all__ = ["another_optimizer"]

FITS = 1e-7
SHOWN = 80
"""Characters of a formula."""
DEEPEST = 5
"""Cells from an update to one that remembers the rows above."""


def another_optimizer(
    view: View, network: Network, rates: Mapping[tuple[str, int], float | None], draws: Sequence[Draw]
) -> str:
    """Why updates are not judged, if most are of an optimizer that remembers earlier rows or shrinks weights; or "".

    `rates` are those that updates imply, None where it is no number; `draws` are for updates.
    """
    table = view.table
    row = next((one for one in table.rows[2:] if any((name, one) in rates for name in network.weights)), None)
    if row is None:
        return ""
    names = [name for name in network.weights if (name, row) in rates]
    odd = [name for name in names if rates[name, row] is None]
    told = [text for name in odd if (text := _told(view, name, row) or _shrinks(view, name, row, draws))]
    if len(told) <= len(names) / 2:
        return ""
    return (
        f"the updates are not judged, for they are not those of plain gradient descent, weight − rate · gradient: "
        f"{told[0]}"
    )


def _told(view: View, name: str, row: int) -> str:
    place = row, view.table.columns[name]
    cell = view.book.tabs[view.table.tab][place]
    here = f"{address(place)} {formula_of(cell)[:SHOWN]}"
    named = list(references(cell, view.table.tab, view.book))
    last = (view.table.tab, (row - 1, place[1])) in named
    for tab, where in named:
        if last and tab == view.table.tab and where[1] == place[1] and view.table.first_row <= where[0] < row - 1:
            return f"{here} looks at {address(where)}, the weight of an earlier row, as with momentum"
    for where in _remembering(view.book, view.table.tab, place, set(), DEEPEST):
        if where[1] not in view.table.columns.values():
            return f"{here} takes {address(where)}, which adds to what stands above it, as with momentum or Adam"
    return ""


def _shrinks(view: View, name: str, row: int, draws: Sequence[Draw]) -> str:
    """Of an update that takes the gradient from a part of the weight."""
    place = row, view.table.columns[name]
    cell = view.book.tabs[view.table.tab][place]
    rows: list[tuple[float, float, float]] = []
    for draw in draws:
        try:
            value = view.compute(cell, place, draw)
        except FormulaError:
            return ""
        if not isinstance(value, float):
            return ""
        before = draw.state(-1)
        rows.append((before[name], before[f"∂E/∂{name}"], value))
    (w, g, value), (w2, g2, value2), *others = rows
    below = w * g2 - w2 * g
    if not below:
        return ""
    part, rate = (value * g2 - value2 * g) / below, (value * w2 - value2 * w) / below
    fits = all(abs(part * a - rate * b - c) <= FITS * max(abs(c), abs(a)) for a, b, c in others)
    if not fits or not rate or abs(part - 1) <= FITS:
        return ""
    return f"{address(place)} {formula_of(cell)[:SHOWN]} keeps {part:.6g} of the weight itself, as with weight decay"


def _remembering(book: Book, tab: str, place: Place, seen: set[Place], depth: int) -> Iterator[Place]:
    """Cells that a formula needs, and whose formulas look at their own column in a row above."""
    cell = book.tabs[tab].get(place)
    if cell is None or cell.text is None or place in seen or not depth:
        return
    seen.add(place)
    for other, where in references(cell, tab, book):
        if other != tab:
            continue
        if where[1] == place[1] and where[0] < place[0]:
            yield place
        else:
            yield from _remembering(book, tab, where, seen, depth - 1)
