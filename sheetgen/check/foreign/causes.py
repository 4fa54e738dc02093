"""Why a cell is wrong: the smallest change of its formula that makes it right, and that change in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from sheetgen.check.foreign.book import Cell, Place, formula_of
from sheetgen.check.foreign.data import data_names
from sheetgen.check.foreign.edits import Edit, factors, operators, references_in, regrouped, summands, swapped, turned
from sheetgen.check.foreign.judged import Judged, Wrong, close, stored_numbers
from sheetgen.check.foreign.labels import RATE, STEP
from sheetgen.check.foreign.meant import code_of
from sheetgen.check.foreign.network import expanded
from sheetgen.check.foreign.rates import ENOUGH, the_one
from sheetgen.errors import ExcelError
from sheetgen.formulas.evaluate import Code
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Corner, Node, Number, Operation, Reference, moved
from sheetgen.xlsx.cells import column_letters

__all__ = ["Cause", "Causes", "address_of"]

_TERM = re.compile(r"\{[^{}]*\}(?:\*\{[^{}]*\})?")
_COLON = re.compile(r":\$?[A-Za-z]{1,3}\$?\d+:")
COUNTS = {1: "", 2: ", twice"}
MOST_PAIRS = 8_000
"""Pairs of changes that are tried for a formula that no single change mends."""
MOST_TRIES = 40_000
"""Formulas that are tried for a workbook in all; what is still to be explained then is told as it is."""
MOST_HELPERS = 30
"""Columns beside the symbols', such as factors of the chain rule, that are looked at."""
PAIR_SEARCHES = 3
"""Formulas of a table for which pairs are tried."""


@dataclass(frozen=True)
class Cause:
    """Why, in words; the formula that belongs into the cell, with "="; and the cell, which may be a helper's."""

    why: str
    expected: str
    place: Place
    found: str
    pattern: tuple[object, ...] = ()


class Causes:
    """What is wrong with the cells of one table."""

    def __init__(self, judged: Judged) -> None:
        self.judged, self.view, self.table = judged, judged.view, judged.table
        self.network = judged.network
        self._searches = 0
        self._rate, self._rate_place = judged.rate, judged.rate_place

    def of(self, wrong: Wrong) -> Cause:
        """The cause of a wrong cell."""
        self._rate, self._rate_place = self.judged.rate_of(wrong.symbol, wrong.place[0])
        cell = self.view.book.tabs[self.table.tab].get(wrong.place)
        belongs = self.belongs(wrong.symbol, wrong.place)
        if cell is None or cell.text is None:
            return Cause(self._of_number(wrong, cell), belongs, wrong.place, _shown_value(cell))
        try:
            tree = moved(parse(cell.text), cell.down, cell.right)
        except FormulaError:
            colon = "a colon stands where a comma belongs" if _COLON.search(cell.text) else ""
            return Cause(colon or self._of_kind(wrong), belongs, wrong.place, formula_of(cell))
        found = formula_of(cell)
        if wrong.kind not in ("differs", "truth", "error", "text"):
            return Cause(self._of_kind(wrong), belongs, wrong.place, found)
        for search in (self._update, self._single, self._copy, self._more, self._helper, self._pairs):
            cause = search(wrong, tree)
            if cause is not None:
                place = cause.place if cause.place[0] else wrong.place
                return replace(cause, found=cause.found or found, expected=cause.expected or belongs, place=place)
        return Cause(self._of_kind(wrong), belongs, wrong.place, found)

    def is_small(self, wrong: Wrong) -> bool:
        """Whether one change of a wrong cell's formula makes it right, or it is right in another column."""
        cell = self.view.book.tabs[self.table.tab][wrong.place]
        tree = moved(parse(cell.text or ""), cell.down, cell.right)
        return (self._single(wrong, tree) or self._copy(wrong, tree)) is not None

    def belongs(self, symbol: str, place: Place) -> str:
        """The formula of a symbol, in the workbook's own cells."""
        row, weight = place[0], symbol in self.network.weights
        if symbol[0] in "it" or (weight and row == self.table.first_row):
            return f"={column_letters(place[1])}{row - 1}" if row > self.table.first_row else "a number"
        seen, of = self.network.source_of(symbol, row)
        known = {
            name: f"{column_letters(column)}{of}"
            for name, column in self.table.columns.items()
            if name != symbol or weight
        }
        known[RATE] = self.rate_text
        for name in self.network.weights:
            known.setdefault(name, name)
            if weight or symbol.endswith("⁺"):
                known.pop(f"{name}⁺", None)
            elif of < self.table.last_row and name in self.table.columns:
                known.setdefault(f"{name}⁺", f"{column_letters(self.table.columns[name])}{of + 1}")
        equations = self.network.equations
        if seen not in equations:
            return ""
        return f"={expanded(equations[seen], equations, {**self._data, **known})}"

    @cached_property
    def _data(self) -> dict[str, str]:
        """Inputs and targets that have no column, as their numbers; by name where those are not known."""
        numbers = {name: f"{value:.15g}" for name, value in self.judged.fixed.items()}
        return {name: numbers.get(name, name) for name in data_names(self.network)}

    @property
    def rate_text(self) -> str:
        """The rate as updates name it: its cell, anchored, or the number."""
        if self._rate_place is None:
            return "η" if self._rate is None else f"{self._rate:g}"
        tab, (row, column) = self._rate_place
        return address_of(tab, (row, column), self.table.tab, fixed=True)

    @property
    def _rate_node(self) -> Node | None:
        if self._rate_place is None:
            return None
        return parse(self.rate_text)

    def _right(self, tree: Node, wrong: Wrong) -> bool:
        self.view.effort.tries += 1
        if self.view.effort.tries > MOST_TRIES:
            return False
        try:
            return self._gives(code_of(tree), wrong, wrong.symbol)
        except FormulaError:
            return False

    def _gives(self, tried: Code, wrong: Wrong, symbol: str) -> bool:
        for draw in self.judged.draws_of(wrong.symbol):
            try:
                value = self.view.try_code(tried, wrong.place, draw)
            except FormulaError:
                return False
            if not close(value, self.judged.expected(symbol, draw, wrong.place[0])):
                return False
        return True

    def _update(self, wrong: Wrong, tree: Node) -> Cause | None:
        """An update with another cell where the rate belongs, or another multiple of the gradient than the others."""
        name, usual = wrong.symbol.rstrip("⁺"), self._rate
        if name not in self.network.weights:
            return None
        node = self._rate_node or Number(f"{usual or 0:.15g}")
        for there in references_in(tree) if usual is not None else ():
            tried = next(swapped(tree, there, node))
            if there != node and self._right(tried.tree, wrong):
                if self._rate_node is not None:
                    return self._edited(wrong, tried)
                why = f"{self._cell_words(there)} stands where the rate belongs, {usual:.9g}"
                row = there.first.row or 0
                circle = row >= wrong.place[0] and self._symbol_at(there)
                late = ": it needs this cell first, in a circle" if circle else ""
                return Cause(f"{why}{late}", f"={show(tried.tree)}", wrong.place, "", ("rate cell",))
        rate = self._implied(wrong, tree, name)
        if rate is None or (usual is not None and close(-rate, usual)):
            return None
        if abs(rate) < 1e-9:
            return self._told("the update changes nothing: it has no rate and gradient, or they are 0", "nothing")
        others = "" if usual is None else f"; the others have {usual:.9g}"
        return self._told(f"the update implies the rate {rate:.9g}{others}", "rate", rate)

    def _implied(self, wrong: Wrong, tree: Node, name: str) -> float | None:
        """What an update takes away, over the gradient, if that is one number."""
        offset, implied = 0 if wrong.symbol.endswith("⁺") else -1, list[float]()
        for draw in self.judged.draws_of(wrong.symbol):
            state = draw.state(offset)
            if not state[f"∂E/∂{name}"] or len(implied) == ENOUGH:
                continue
            value = self.view.try_code(code_of(tree), wrong.place, draw)
            if not isinstance(value, float):
                return None
            implied.append((state[name] - value) / state[f"∂E/∂{name}"])
        return the_one(implied)

    def _told(self, why: str, *pattern: object) -> Cause:
        return Cause(why, "", (0, 0), "", pattern)

    def _single(self, wrong: Wrong, tree: Node) -> Cause | None:
        edit = next((one for one in self._edits(wrong, tree) if self._right(one.tree, wrong)), None)
        if edit is None:
            return None
        below = self._turned_below(wrong, tree) if edit.kind == "sign" else None
        return below or self._edited(wrong, edit)

    def _edits(self, wrong: Wrong, tree: Node) -> Iterator[Edit]:
        """A formula with one thing in it changed, likely ones first."""
        return chain(
            self._swaps(wrong, tree, every=False),
            turned(tree),
            operators(tree, self._numbers),
            regrouped(tree),
            self._swaps(wrong, tree, every=True),
        )

    @cached_property
    def _numbers(self) -> list[str]:
        outputs = self.network.units[-1]
        return list(dict.fromkeys(["0.5", "1", "2", "0", f"{1 / outputs:g}", str(outputs)]))

    def _swaps(self, wrong: Wrong, tree: Node, *, every: bool) -> Iterator[Edit]:
        """Other cells in place of one: those of its kind, or all others."""
        for there in references_in(tree):
            if there.last is None and there.first.column is not None:
                for belongs, alike in self._candidates(wrong, there):
                    if alike != every:
                        yield from swapped(tree, there, belongs)

    def _candidates(self, wrong: Wrong, there: Reference) -> Iterator[tuple[Node, bool]]:
        row = wrong.place[0] - (wrong.symbol in self.network.weights)
        symbol = self._symbol_at(there)
        for name, column in self.table.columns.items():
            if name in (STEP, RATE):
                continue
            for at in {row, there.first.row} if name == symbol else {row}:
                corner = replace(
                    there.first, column=column, row=at, row_fixed=there.first.row_fixed and at == there.first.row
                )
                node = Reference(None, corner)
                if node != there and (at, column) != wrong.place:
                    yield node, bool(symbol) and _kind(name) in _ALIKE.get(_kind(symbol), (_kind(symbol),))
        for column in self._helper_columns:
            node = Reference(None, replace(there.first, column=column, row=row, row_fixed=False))
            if node != there and (row, column) != wrong.place:
                yield node, column == there.first.column or not symbol
        if self._rate_node is not None and self._rate_node != there:
            yield self._rate_node, not symbol

    def _symbol_at(self, node: Reference) -> str:
        inside = (node.tab in (None, self.table.tab)) and node.first.row in self.table.rows
        return self.view.symbols.get(node.first.column or 0, "") if inside else ""

    def _copy(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A formula that is right in another column."""
        tried = code_of(tree)
        for name in self.table.columns:
            same = _kind(name) == _kind(wrong.symbol) or (name[0] == "E" and wrong.symbol[0] == "E")
            if name != wrong.symbol and same and name in self.network.equations and self._gives(tried, wrong, name):
                return self._told(f"it is the formula of {self.called(name)}", "copy", name)
        if wrong.symbol in self.network.weights:
            for name in self.network.weights:
                if name != wrong.symbol and self._gives(tried, wrong, name):
                    return self._told(f"it is the update of {self.called(name)}", "copy", name)
        return None

    def _more(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A factor more or less, or a path that is missing."""
        edits = chain(factors(tree, self._factors(wrong)), summands(tree, self._summands(wrong)))
        return next((self._edited(wrong, edit) for edit in edits if self._right(edit.tree, wrong)), None)

    def _summands(self, wrong: Wrong) -> list[tuple[str, Node]]:
        """What a sum for this cell is made of: paths back, products of weights, losses."""
        network, row = self.network, wrong.place[0]
        cells = {name: f"{column_letters(column)}{row}" for name, column in self.table.columns.items()}
        known = {**self._data, **{name: name for name in network.weights}, **cells, RATE: self.rate_text}
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

    def _factors(self, wrong: Wrong) -> list[tuple[str, Node]]:
        row = wrong.place[0] - (wrong.symbol in self.network.weights)
        cells = {
            name: f"{column_letters(column)}{row}"
            for name, column in self.table.columns.items()
            if name not in (STEP, RATE) and (row, column) != wrong.place
        }
        found = [(f"{cell} ({self.called(name)})", cell) for name, cell in cells.items()]
        for layer in range(1, self.network.depth + 1):
            for mark in self.network.sample_marks():
                for unit in range(self.network.units[layer]):
                    slope = self.network.slope(layer, unit, mark)
                    out = self.network.out(layer, unit, mark)
                    if slope and out in cells:
                        found.append(
                            (
                                f"{slope.replace(f'{{{out}}}', cells[out])}, the slope of {out}",
                                slope.replace(f"{{{out}}}", cells[out]),
                            )
                        )
                    if out in cells:
                        found.append((f"(1-{cells[out]})", f"(1-{cells[out]})"))
        found += [(text, text) for text in ("2", "0.5", f"{1 / self.network.units[-1]:g}", str(self.network.units[-1]))]
        if self._rate_node is not None:
            found.append((f"{self.rate_text} (the rate)", self.rate_text))
        return [(name, parse(text)) for name, text in found]

    def _pairs(self, wrong: Wrong, tree: Node) -> Cause | None:
        """Two changes at once."""
        self._searches += 1
        if self._searches > PAIR_SEARCHES:
            return None
        tried = 0
        for first in chain(self._swaps(wrong, tree, every=False), operators(tree, self._numbers), regrouped(tree)):
            for second in chain(self._swaps(wrong, first.tree, every=False), operators(first.tree, self._numbers)):
                tried += 1
                if tried > MOST_PAIRS:
                    return None
                if self._right(second.tree, wrong):
                    why = f"{self._words(wrong, first)}; and {self._words(wrong, second)}"
                    return Cause(why, f"={show(second.tree)}", wrong.place, "", ("pair", why))
        return None

    def _helper(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A mistake in a column that is none of the network's, and that this formula takes part of its work from."""

        def every(own: Node) -> Iterator[Edit]:
            yield from chain(self._edits(wrong, own), factors(own, self._factors(wrong)))

        return self._turned_below(wrong, tree) or self._below(wrong, tree, every)

    def _turned_below(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A difference the other way round, which looks like a sign in the columns that take it from there."""
        return self._below(wrong, tree, _turned_difference)

    def _below(self, wrong: Wrong, tree: Node, edits_of: Callable[[Node], Iterator[Edit]]) -> Cause | None:
        tab, outer = self.table.tab, code_of(tree)
        for place, own, found in self._helpers_of(tree):
            for edit in edits_of(own):
                self.view.effort.tries += 1
                if self.view.effort.tries > MOST_TRIES:
                    return None
                self.view.instead[tab, place] = code_of(edit.tree)
                try:
                    if self._gives(outer, wrong, wrong.symbol):
                        why = f"{self._words(wrong, edit)}, so that {self.called(wrong.symbol)} is wrong"
                        return Cause(why, f"={show(edit.tree)}", place, found, ("helper", why))
                finally:
                    self.view.instead.clear()
        return None

    def _helpers_of(self, tree: Node) -> Iterator[tuple[Place, Node, str]]:
        """The cells of the table that a formula goes through and that are no symbol's: place, formula, and its text."""
        cells = self.view.book.tabs[self.table.tab]
        trees, seen = [tree], set[Place]()
        for one in trees:
            for there in references_in(one):
                place = (there.first.row or 0, there.first.column or 0)
                cell = cells.get(place)
                inside = there.tab in (None, self.table.tab) and place[0] in self.table.rows and there.last is None
                if self._symbol_at(there) or not inside or place in seen or cell is None or cell.text is None:
                    continue
                seen.add(place)
                with suppress(FormulaError):
                    own = moved(parse(cell.text), cell.down, cell.right)
                    trees.append(own)
                    yield place, own, formula_of(cell)
                if len(seen) == MOST_HELPERS:
                    return

    @cached_property
    def _helper_columns(self) -> list[int]:
        """The columns of the table that have formulas and are no symbol's."""
        cells, row = self.view.book.tabs[self.table.tab], self.table.rows[len(self.table.rows) // 2]
        known = self.table.columns.values()
        found = [at for (of, at), cell in cells.items() if of == row and cell.text is not None and at not in known]
        return sorted(found)[:MOST_HELPERS]

    def _edited(self, wrong: Wrong, edit: Edit) -> Cause:
        pattern: tuple[object, ...] = (edit.kind, self._name_of(edit.there), self._name_of(edit.belongs), edit.times)
        if off := self._rows_off(edit.there, edit.belongs):
            moves = isinstance(edit.there, Reference) and not edit.there.first.row_fixed
            pattern = ("rows", self._name_of(edit.belongs), off if moves else "fixed")
        elif edit.belongs == self._rate_node:
            pattern = ("rate cell",)
        return Cause(self._words(wrong, edit), f"={show(edit.tree)}", wrong.place, "", pattern)

    def _name_of(self, part: object) -> object:
        if isinstance(part, Reference):
            return self._symbol_at(part) or show(part)
        if isinstance(part, Operation):
            return tuple(self._name_of(one) for one in part.operands)
        return part

    def _words(self, wrong: Wrong, edit: Edit) -> str:
        if edit.kind == "cell":
            assert isinstance(edit.there, Reference)
            return self._words_of_cells(
                wrong, edit.there, edit.belongs, COUNTS.get(edit.times, f", {edit.times} times")
            )
        if edit.kind == "operator":
            return f"{edit.there} stands where {edit.belongs} belongs"
        if edit.kind == "sign":
            return (
                "a minus is missing"
                if edit.belongs == "-"
                else f"a {'minus' if edit.there == '-' else 'plus'} is too many"
            )
        if edit.kind == "difference":
            return f"{show(edit.there)} stands where {show(edit.belongs)} belongs"  # type: ignore[arg-type]
        if edit.kind == "brackets":
            return "brackets are missing, or stand elsewhere"
        if edit.kind.startswith("missing"):
            return f"the {edit.kind[8:]} {edit.belongs} is missing"
        if edit.kind.startswith("extra"):
            return f"the {edit.kind[6:]} {self._cell_words(edit.there)} is too much"
        return f"{edit.there} stands where {edit.belongs} belongs"

    def _words_of_cells(self, wrong: Wrong, there: Reference, belongs: object, times: str) -> str:
        assert isinstance(belongs, Reference)
        if belongs == self._rate_node:
            slides = not there.first.row_fixed and there.first.column == belongs.first.column
            how = ": without $ it slides down" if slides else ""
            return f"{self._cell_words(there)} stands where the rate {self.rate_text} belongs{times}{how}"
        before, after = self._symbol_at(there), self._symbol_at(belongs)
        if off := self._rows_off(there, belongs):
            rows = f"{abs(off)} row{'s' if abs(off) > 1 else ''} {'below' if off > 0 else 'above'}"
            return f"{show(there)} is {rows} {self._cell_words(belongs)}, which belongs there{times}"
        text = f"{self._cell_words(there)} stands where {self._cell_words(belongs)} belongs{times}"
        return f"{text}: the weights are transposed" if self._transposed(wrong, before, after) else text

    def _rows_off(self, there: object, belongs: object) -> int:
        """How many rows further down a cell of the column that belongs there is named."""
        if not (isinstance(there, Reference) and isinstance(belongs, Reference)) or there.tab != belongs.tab:
            return 0
        same = there.first.column == belongs.first.column and belongs.first.row in self.table.rows
        return (there.first.row or 0) - (belongs.first.row or 0) if same else 0

    def _transposed(self, wrong: Wrong, before: str, after: str) -> bool:
        if not (wrong.symbol.startswith("∂E/∂") and before[:1] == after[:1] == "w"):
            return False
        network = self.network
        for layer in range(2, network.depth + 1):
            for unit in range(network.units[layer]):
                for source in range(network.units[layer - 1]):
                    square = source < network.units[layer] and unit < network.units[layer - 1]
                    pair = network.weight(layer, unit, source), square and network.weight(layer, source, unit)
                    if pair == (after, before):
                        return True
        return False

    def _cell_words(self, part: object) -> str:
        if not isinstance(part, Reference):
            return show(part) if not isinstance(part, (str, type(None))) else str(part)  # type: ignore[arg-type]
        symbol = self._symbol_at(part)
        if not symbol and part.tab is None and part.first.row in self.table.rows:
            label = " ".join(self.table.labels.get(part.first.column or 0, "").split())
            return f"{show(part)} ({label})" if label else show(part)
        return f"{show(part)} ({self.called(symbol)})" if symbol else show(part)

    def called(self, symbol: str) -> str:
        """What the table calls a symbol, or the symbol."""
        column = self.table.columns.get(symbol)
        return symbol if column is None else " ".join(self.table.labels[column].split())

    def _of_kind(self, wrong: Wrong) -> str:
        kind, _, detail = wrong.kind.partition(": ")
        return {
            "differs": "another formula belongs there",
            "truth": "it gives a truth value where a number belongs",
            "error": "it gives an error",
            "text": "it gives a text where a number belongs",
            "stored": "the number stored beside it is not what it gives: recalculate the workbook (F9) and look again",
            "unread": f"it cannot be judged: {detail}",
        }.get(kind, kind)

    def _of_number(self, wrong: Wrong, cell: Cell | None) -> str:
        if wrong.kind == "empty" or cell is None:
            return "it is empty"
        if wrong.kind == "data":
            return f"the other rows of {self.called(wrong.symbol)} have another number"
        if wrong.kind == "series":
            return f"{self.called(wrong.symbol)} grows from row to row, as a series that is filled down; it should stay"
        if wrong.kind == "truth":
            return "a truth value stands where a number belongs"
        if wrong.kind in ("error", "text"):
            return f"{'an error' if wrong.kind == 'error' else 'a text'} stands where a number belongs"
        if wrong.symbol in self.network.weights:
            return self._of_typed_weight(wrong, cell)
        return "a typed number, and not the one that the numbers beside it give"

    def _of_typed_weight(self, wrong: Wrong, cell: Cell) -> str:
        before = stored_numbers(self.view, wrong.place[0] - 1)
        slope = before.get(f"∂E/∂{wrong.symbol}")
        if slope and wrong.symbol in before and isinstance(cell.value, (int, float)):
            rate = (before[wrong.symbol] - cell.value) / slope
            if abs(rate) < 1e-12:
                return "the update changes nothing: the number of the row above stands there again"
            usual = f"; the others have {self._rate:.6g}" if self._rate is not None else ""
            return f"a typed number, which implies the rate {rate:.6g}{usual}"
        return "a typed number, and not the one that the row above gives"


_ALIKE: dict[str, tuple[str, ...]] = {
    "a_h": ("a_h", "h", "i"), "h": ("a_h", "h"), "a_o": ("a_o", "o"), "o": ("a_o", "o"), "i": ("i", "a_h"),
}  # fmt: skip


def _turned_difference(tree: Node) -> Iterator[Edit]:
    """The other way round, if the whole formula is a difference of two cells."""
    if isinstance(tree, Operation) and all(isinstance(one, Reference) for one in tree.operands):
        yield from turned(tree)


def _kind(symbol: str) -> str:
    return symbol.partition("[")[0].rstrip("0123456789_⁺")


def address_of(tab: str, place: Place, here: str, *, fixed: bool = False) -> str:
    """A cell as a formula of the tab `here` names it."""
    return show(Reference(None if tab == here else tab, Corner(*place, fixed, fixed)))


def _shown_value(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return ""
    return str(cell.value) if isinstance(cell.value, (str, ExcelError)) else repr(cell.value)
