"""Why a cell is wrong: the smallest change of its formula that makes it right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from sheetgen.check.foreign.book import Cell, Place, formula_of
from sheetgen.check.foreign.changes import MOST_HELPERS, Changes, kind_of
from sheetgen.check.foreign.edits import Edit, factors, operators, references_in, regrouped, summands, swapped, turned
from sheetgen.check.foreign.judged import Judged, Wrong, close
from sheetgen.check.foreign.meant import code_of
from sheetgen.check.foreign.rates import ENOUGH, the_one
from sheetgen.check.foreign.words import Words
from sheetgen.errors import ExcelError
from sheetgen.formulas.evaluate import Code
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Node, Number, Operation, Reference, moved

__all__ = ["Cause", "Causes"]

_COLON = re.compile(r":\$?[A-Za-z]{1,3}\$?\d+:")
MOST_PAIRS = 8_000
"""Pairs of changes that are tried for a formula that no single change mends."""
MOST_TRIES = 40_000
"""Formulas that are tried for a workbook in all; what is still to be explained then is told as it is."""
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
        self.words, self.changes = Words(judged, judged.rate, judged.rate_place), Changes(judged)

    def of(self, wrong: Wrong) -> Cause:
        """The cause of a wrong cell."""
        self.words = Words(self.judged, *self.judged.rate_of(wrong.symbol, wrong.place[0]))
        cell = self.view.book.tabs[self.table.tab].get(wrong.place)
        belongs = self.words.belongs(wrong.symbol, wrong.place)
        if cell is None or cell.text is None:
            return Cause(self.words.of_number(wrong, cell), belongs, wrong.place, _shown_value(cell))
        try:
            tree = moved(parse(cell.text), cell.down, cell.right)
        except FormulaError:
            colon = "a colon stands where a comma belongs" if _COLON.search(cell.text) else ""
            return Cause(colon or self.words.of_kind(wrong), belongs, wrong.place, formula_of(cell))
        found = formula_of(cell)
        if wrong.kind not in ("differs", "truth", "error", "text"):
            return Cause(self.words.of_kind(wrong), belongs, wrong.place, found)
        for search in (self._alike, self._update, self._single, self._copy, self._more, self._helper, self._pairs):
            cause = search(wrong, tree)
            if cause is not None:
                place = cause.place if cause.place[0] else wrong.place
                return replace(cause, found=cause.found or found, expected=cause.expected or belongs, place=place)
        return Cause(self.words.of_kind(wrong), belongs, wrong.place, found)

    def is_small(self, wrong: Wrong) -> bool:
        """Whether one change of a wrong cell's formula makes it right, or it is right in another column."""
        cell = self.view.book.tabs[self.table.tab][wrong.place]
        tree = moved(parse(cell.text or ""), cell.down, cell.right)
        return (self._single(wrong, tree) or self._copy(wrong, tree)) is not None

    def _right(self, tree: Node, wrong: Wrong) -> bool:
        self.view.effort.tries += 1
        if self.view.effort.tries > MOST_TRIES:
            return False
        try:
            return self._gives(code_of(tree), wrong, wrong.symbol)
        except FormulaError:
            return False

    def _gives(self, tried: Code, wrong: Wrong, symbol: str) -> bool:
        row = wrong.place[0]
        for proof in (False, True):
            for draw in self.judged.draws_of(wrong.symbol, proof=proof):
                try:
                    value = self.view.try_code(tried, wrong.place, draw)
                except FormulaError:
                    return False
                if not close(value, self.judged.expected(symbol, draw, row)):
                    return False
        return True

    def _alike(self, wrong: Wrong, tree: Node) -> Cause | None:
        """An update like others that are right: what it takes from a column beside the network's is wrong."""
        cells, row = self.view.book.tabs[self.table.tab], wrong.place[0]
        text = cells[wrong.place].text
        bad = {one.symbol for one in self.judged.wrong if one.place[0] == row}
        others = [self.table.columns[name] for name in self.network.weights if name in self.table.columns.keys() - bad]
        if wrong.symbol not in self.network.weights or not any(
            (row, at) in cells and cells[row, at].text == text for at in others
        ):
            return None
        return self._helper(wrong, tree) or self._gradient(wrong, tree)

    def _gradient(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A column beside the network's that should have a weight's gradient, or what is added to it, and has not."""
        cells, gradient = self.view.book.tabs[self.table.tab], f"∂E/∂{wrong.symbol}"
        for place in self._named(tree):
            slope = self.words.belongs(gradient, place).removeprefix("=")
            change = f"-{self.words.rate_text}*({slope})"
            for belongs, what in ((slope, gradient), (change, f"the change of {wrong.symbol}")):
                if self._mended(wrong, code_of(tree), place, belongs):
                    cell = cells[place]
                    why = f"it is not {what}, which {self.words.called(wrong.symbol)} takes from here"
                    found = formula_of(cell) if cell.text is not None else _shown_value(cell)
                    return Cause(why, f"={belongs}", place, found, ("helper", why))
        return None

    def _mended(self, wrong: Wrong, outer: Code, place: Place, inside: str | Node) -> bool:
        """Whether a formula gives what it should, with another one in a cell of the table that it goes through."""
        try:
            self.view.instead[self.table.tab, place] = code_of(parse(inside) if isinstance(inside, str) else inside)
            return self._gives(outer, wrong, wrong.symbol)
        except FormulaError:
            return False
        finally:
            self.view.instead.clear()

    def _named(self, tree: Node) -> list[Place]:
        """The cells of the table that a formula names and that are no symbol's, those that others go through first."""
        cells, found = self.view.book.tabs[self.table.tab], dict[Place, None]()
        for one in (tree, *(own for _, own, _ in self._helpers_of(tree))):
            for there in references_in(one):
                place = (there.first.row or 0, there.first.column or 0)
                if place in cells and place[0] in self.table.rows and not self.words.symbol_at(there):
                    found[place] = None
        return list(reversed(found))

    def _update(self, wrong: Wrong, tree: Node) -> Cause | None:
        """An update with another cell where the rate belongs, or another multiple of the gradient than the others."""
        name, usual = wrong.symbol.rstrip("⁺"), self.words.rate
        if name not in self.network.weights:
            return None
        node = self.words.rate_node or Number(f"{usual or 0:.15g}")
        for there in references_in(tree) if usual is not None else ():
            tried = next(swapped(tree, there, node))
            if there != node and self._right(tried.tree, wrong):
                if self.words.rate_node is not None:
                    return self._edited(wrong, tried)
                why = f"{self.words.of_part(there)} stands where the rate belongs, {usual:.9g}"
                row = there.first.row or 0
                circle = row >= wrong.place[0] and self.words.symbol_at(there)
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
        found = the_one(implied)
        return found if found is None else found * self.network.downhill

    def _told(self, why: str, *pattern: object) -> Cause:
        return Cause(why, "", (0, 0), "", pattern)

    def _single(self, wrong: Wrong, tree: Node) -> Cause | None:
        edit = next((one for one in self.changes.edits(self.words, wrong, tree) if self._right(one.tree, wrong)), None)
        if edit is None:
            return None
        below = self._turned_below(wrong, tree) if edit.kind in ("sign", "difference") else None
        return below or self._edited(wrong, edit)

    def _copy(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A formula that is right in another column."""
        tried = code_of(tree)
        for name in self.table.columns:
            same = kind_of(name) == kind_of(wrong.symbol) or (name[0] == "E" and wrong.symbol[0] == "E")
            if name != wrong.symbol and same and name in self.network.equations and self._gives(tried, wrong, name):
                return self._told(f"it is the formula of {self.words.called(name)}", "copy", name)
        if wrong.symbol in self.network.weights:
            for name in self.network.weights:
                if name != wrong.symbol and self._gives(tried, wrong, name):
                    return self._told(f"it is the update of {self.words.called(name)}", "copy", name)
        return None

    def _more(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A factor more or less, or a path that is missing."""
        words, changes = self.words, self.changes
        edits = chain(factors(tree, changes.factors(words, wrong)), summands(tree, changes.summands(words, wrong)))
        return next((self._edited(wrong, edit) for edit in edits if self._right(edit.tree, wrong)), None)

    def _pairs(self, wrong: Wrong, tree: Node) -> Cause | None:
        """Two changes at once."""
        self._searches += 1
        if self._searches > PAIR_SEARCHES:
            return None
        tried = 0
        for first in chain(self._likely(wrong, tree), regrouped(tree)):
            for second in self._likely(wrong, first.tree):
                tried += 1
                if tried > MOST_PAIRS:
                    return None
                if self._right(second.tree, wrong):
                    why = f"{self.words.of_edit(wrong, first)}; and {self.words.of_edit(wrong, second)}"
                    return Cause(why, f"={show(second.tree)}", wrong.place, "", ("pair", why))
        return None

    def _likely(self, wrong: Wrong, tree: Node) -> Iterator[Edit]:
        return chain(self.changes.swaps(self.words, wrong, tree, every=False), operators(tree, self.changes.numbers))

    def _helper(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A mistake in a column that is none of the network's, and that this formula takes part of its work from."""

        def every(own: Node) -> Iterator[Edit]:
            yield from self.changes.edits(self.words, wrong, own)
            yield from factors(own, self.changes.factors(self.words, wrong))

        return self._turned_below(wrong, tree) or self._below(wrong, tree, every)

    def _turned_below(self, wrong: Wrong, tree: Node) -> Cause | None:
        """A difference the other way round, which looks like a sign in the columns that take it from there."""
        return self._below(wrong, tree, _turned_difference)

    def _below(self, wrong: Wrong, tree: Node, edits_of: Callable[[Node], Iterator[Edit]]) -> Cause | None:
        outer = code_of(tree)
        for place, own, found in self._helpers_of(tree):
            for edit in edits_of(own):
                self.view.effort.tries += 1
                if self.view.effort.tries > MOST_TRIES:
                    return None
                if self._mended(wrong, outer, place, edit.tree):
                    why = f"{self.words.of_edit(wrong, edit)}, so that {self.words.called(wrong.symbol)} is wrong"
                    return Cause(why, f"={show(edit.tree)}", place, found, ("helper", why))
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
                if self.words.symbol_at(there) or not inside or place in seen or cell is None or cell.text is None:
                    continue
                seen.add(place)
                with suppress(FormulaError):
                    own = moved(parse(cell.text), cell.down, cell.right)
                    trees.append(own)
                    yield place, own, formula_of(cell)
                if len(seen) == MOST_HELPERS:
                    return

    def _edited(self, wrong: Wrong, edit: Edit) -> Cause:
        there, belongs = self.words.name_of(edit.there), self.words.name_of(edit.belongs)
        pattern: tuple[object, ...] = (edit.kind, there, belongs, edit.times)
        if off := self.words.rows_off(edit.there, edit.belongs):
            moves = isinstance(edit.there, Reference) and not edit.there.first.row_fixed
            pattern = ("rows", belongs, off if moves else "fixed")
        elif edit.belongs == self.words.rate_node:
            pattern = ("rate cell",)
        return Cause(self.words.of_edit(wrong, edit), f"={show(edit.tree)}", wrong.place, "", pattern)


def _turned_difference(tree: Node) -> Iterator[Edit]:
    """The other way round, if the whole formula is a difference of two cells."""
    if isinstance(tree, Operation) and all(isinstance(one, Reference) for one in tree.operands):
        yield from turned(tree)


def _shown_value(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return ""
    return str(cell.value) if isinstance(cell.value, (str, ExcelError)) else repr(cell.value)
