"""What a formula may be mended with: other cells, numbers, factors and summands, likely ones first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from sheetgen.check.foreign.edits import Edit, operators, references_in, regrouped, swapped, turned
from sheetgen.check.foreign.judged import Judged, Wrong
from sheetgen.check.foreign.labels import RATE, STEP
from sheetgen.check.foreign.network import expanded
from sheetgen.check.foreign.words import Words
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.tree import Corner, Node, Reference
from sheetgen.xlsx.cells import column_letters

__all__ = ["MOST_HELPERS", "Changes", "kind_of"]

_TERM = re.compile(r"\{[^{}]*\}(?:\*\{[^{}]*\})?")
MOST_HELPERS = 30
"""Columns beside the symbols', such as factors of the chain rule, that are looked at."""
_ALIKE: dict[str, tuple[str, ...]] = {
    "a_h": ("a_h", "h", "i"), "h": ("a_h", "h"), "a_o": ("a_o", "o"), "o": ("a_o", "o"), "i": ("i", "a_h"),
}  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """Of the formulas of one table."""

    judged: Judged

    def edits(self, words: Words, wrong: Wrong, tree: Node) -> Iterator[Edit]:
        """A formula with one thing in it changed, likely ones first."""
        return chain(
            self.swaps(words, wrong, tree, every=False),
            turned(tree),
            operators(tree, self.numbers),
            regrouped(tree),
            self.swaps(words, wrong, tree, every=True),
        )

    @cached_property
    def numbers(self) -> list[str]:
        """The numbers that formulas of such a network have."""
        outputs = self.judged.network.units[-1]
        return list(dict.fromkeys(["0.5", "1", "2", "0", f"{1 / outputs:g}", str(outputs)]))

    def swaps(self, words: Words, wrong: Wrong, tree: Node, *, every: bool) -> Iterator[Edit]:
        """Other cells in place of one: those of its kind, or all others."""
        for there in references_in(tree):
            if there.last is None and there.first.column is not None:
                for belongs, alike in self._candidates(words, wrong, there):
                    if alike != every:
                        yield from swapped(tree, there, belongs)

    def _candidates(self, words: Words, wrong: Wrong, there: Reference) -> Iterator[tuple[Node, bool]]:
        row = wrong.place[0] - (wrong.symbol in self.judged.network.weights)
        symbol = words.symbol_at(there)
        for name, column in self.judged.table.columns.items():
            if name in (STEP, RATE):
                continue
            if (row, column) in self.judged.view.blank:
                yield Reference(None, Corner(self.judged.table.first_row, column, True, True)), name == symbol
            for at in {row, there.first.row} if name == symbol or name.endswith("⁺") else {row}:
                corner = replace(
                    there.first, column=column, row=at, row_fixed=there.first.row_fixed and at == there.first.row
                )
                node = Reference(None, corner)
                if node != there and (at, column) != wrong.place:
                    yield node, bool(symbol) and kind_of(name) in _ALIKE.get(kind_of(symbol), (kind_of(symbol),))
        for column in self._helper_columns:
            node = Reference(None, replace(there.first, column=column, row=row, row_fixed=False))
            if node != there and (row, column) != wrong.place:
                yield node, column == there.first.column or not symbol
        if words.rate_node is not None and words.rate_node != there:
            yield words.rate_node, not symbol

    def summands(self, words: Words, wrong: Wrong) -> list[tuple[str, Node]]:
        """What a sum for this cell is made of: paths back, products of weights, losses."""
        network, row = self.judged.network, wrong.place[0]
        cells = {name: f"{column_letters(column)}{row}" for name, column in self.judged.table.columns.items()}
        known = {**words.data, **{name: name for name in network.weights}, **cells, RATE: words.rate_text}
        texts = [network.equations.get(wrong.symbol, "")]
        if wrong.symbol.startswith("∂E/∂"):
            texts = [network.paths(layer, unit, mark) for layer in range(1, network.depth)
                     for unit in range(network.units[layer]) for mark in network.sample_marks()]  # fmt: skip
        found = []
        for term in (part for text in texts for part in text.split("+") if _TERM.fullmatch(part)):
            shown = expanded(
                term, network.equations, {name: cell for name, cell in known.items() if name != wrong.symbol}
            )
            with suppress(FormulaError):
                found.append((shown, parse(shown)))
        return found

    def factors(self, words: Words, wrong: Wrong) -> list[tuple[str, Node]]:
        """What a product for this cell may lack or have too much: cells, slopes, numbers, the rate."""
        network, outputs = self.judged.network, self.judged.network.units[-1]
        row = wrong.place[0] - (wrong.symbol in self.judged.network.weights)
        cells = {
            name: f"{column_letters(column)}{row}"
            for name, column in self.judged.table.columns.items()
            if name not in (STEP, RATE) and (row, column) != wrong.place
        }
        found = [(f"{cell} ({words.called(name)})", cell) for name, cell in cells.items()]
        for layer in range(1, network.depth + 1):
            for mark in network.sample_marks():
                for unit in range(network.units[layer]):
                    slope, out = network.slope(layer, unit, mark), network.out(layer, unit, mark)
                    if slope and out in cells:
                        own = slope.replace(f"{{{out}}}", cells[out])
                        found.append((f"{own}, the slope of {out}", own))
                    if out in cells:
                        found.append((f"(1-{cells[out]})", f"(1-{cells[out]})"))
        found += [(text, text) for text in ("2", "0.5", f"{1 / outputs:g}", str(outputs))]
        if words.rate_node is not None:
            found.append((f"{words.rate_text} (the rate)", words.rate_text))
        return [(name, parse(text)) for name, text in found]

    @cached_property
    def _helper_columns(self) -> list[int]:
        """The columns of the table that have formulas and are no symbol's."""
        table = self.judged.table
        cells, row, known = (
            self.judged.view.book.tabs[table.tab],
            table.rows[len(table.rows) // 2],
            table.columns.values(),
        )
        found = [at for (of, at), cell in cells.items() if of == row and cell.text is not None and at not in known]
        return sorted(found)[:MOST_HELPERS]


def kind_of(symbol: str) -> str:
    """A symbol without its numbers: w3 and w4 are of one kind."""
    return symbol.partition("[")[0].rstrip("0123456789_⁺")
