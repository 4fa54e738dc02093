"""How a mistake and what belongs there are told: cells with what the table calls them, changes, typed numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sheetgen.check.foreign.book import Cell, Place
from sheetgen.check.foreign.data import data_names
from sheetgen.check.foreign.edits import Edit
from sheetgen.check.foreign.judged import Judged, RatePlace, Wrong, stored_numbers
from sheetgen.check.foreign.labels import RATE
from sheetgen.check.foreign.network import expanded
from sheetgen.formulas.parse import parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Corner, Node, Operation, Reference
from sheetgen.xlsx.cells import column_letters

__all__ = ["Words", "address_of"]

COUNTS = {1: "", 2: ", twice"}


@dataclass(frozen=True)
class Words:
    """Of one table, and of the rate that its update, or most, should have and the cell that has it."""

    judged: Judged
    rate: float | None
    rate_place: RatePlace

    def belongs(self, symbol: str, place: Place) -> str:
        """The formula of a symbol, in the workbook's own cells."""
        row, weight = place[0], symbol in self.judged.network.weights
        if symbol[0] in "it" or (weight and row == self.judged.table.first_row):
            return f"={column_letters(place[1])}{row - 1}" if row > self.judged.table.first_row else "a number"
        seen, of = self.judged.network.source_of(symbol, row)
        table, view = self.judged.table, self.judged.view
        known = {
            name: f"${column_letters(column)}${table.first_row}"
            if (of, column) in view.blank
            else f"{column_letters(column)}{of}"
            for name, column in table.columns.items()
            if name != symbol or weight
        }
        known[RATE] = self.rate_text
        if table.lagged:
            new = {name[:-1]: column for name, column in table.columns.items() if name.endswith("⁺")}
            known |= {name: f"{column_letters(column)}{of - 1}" for name, column in new.items()}
        for name in self.judged.network.weights:
            known.setdefault(name, name)
            if weight or symbol.endswith("⁺"):
                known.pop(f"{name}⁺", None)
            elif of < self.judged.table.last_row and name in self.judged.table.columns:
                known.setdefault(f"{name}⁺", f"{column_letters(self.judged.table.columns[name])}{of + 1}")
        equations = self.judged.network.equations
        if seen not in equations:
            return ""
        return f"={expanded(equations[seen], equations, {**self.data, **known})}"

    @cached_property
    def data(self) -> dict[str, str]:
        """Inputs and targets that have no column, as their numbers; by name where those are not known."""
        numbers = {name: f"{value:.15g}" for name, value in self.judged.fixed.items()}
        return {name: numbers.get(name, name) for name in data_names(self.judged.network)}

    @property
    def rate_text(self) -> str:
        """The rate as updates name it: its cell, anchored, or the number."""
        if self.rate_place is None:
            return "η" if self.rate is None else f"{self.rate:g}"
        tab, place = self.rate_place
        table = self.judged.table
        return address_of(tab, place, table.tab, fixed=tab != table.tab or place[0] not in table.rows)

    @property
    def rate_node(self) -> Node | None:
        """The rate's cell as a part of a formula; None if it has none."""
        if self.rate_place is None:
            return None
        return parse(self.rate_text)

    def symbol_at(self, node: Reference) -> str:
        """The symbol of the column that a formula names a cell of; "" outside the table, and where it has none."""
        inside = (node.tab in (None, self.judged.table.tab)) and node.first.row in self.judged.table.rows
        return self.judged.view.symbols.get(node.first.column or 0, "") if inside else ""

    def name_of(self, part: object) -> object:
        """A part of a formula with symbols instead of cells, which is the same in every row."""
        if isinstance(part, Reference):
            return self.symbol_at(part) or show(part)
        if isinstance(part, Operation):
            return tuple(self.name_of(one) for one in part.operands)
        return part

    def of_edit(self, wrong: Wrong, edit: Edit) -> str:
        """What a change says of the formula that it mends."""
        if edit.kind == "cell":
            assert isinstance(edit.there, Reference)
            return self._of_cells(wrong, edit.there, edit.belongs, COUNTS.get(edit.times, f", {edit.times} times"))
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
            return f"the {edit.kind[6:]} {self.of_part(edit.there)} is too much"
        return f"{edit.there} stands where {edit.belongs} belongs"

    def _of_cells(self, wrong: Wrong, there: Reference, belongs: object, times: str) -> str:
        assert isinstance(belongs, Reference)
        if belongs == self.rate_node:
            slides = not there.first.row_fixed and there.first.column == belongs.first.column
            how = ": without $ it slides down" if slides else ""
            return f"{self.of_part(there)} stands where the rate {self.rate_text} belongs{times}{how}"
        before, after = self.symbol_at(there), self.symbol_at(belongs)
        if off := self.rows_off(there, belongs):
            rows = f"{abs(off)} row{'s' if abs(off) > 1 else ''} {'below' if off > 0 else 'above'}"
            return f"{show(there)} is {rows} {self.of_part(belongs)}, which belongs there{times}"
        text = f"{self.of_part(there)} stands where {self.of_part(belongs)} belongs{times}"
        return f"{text}: the weights are transposed" if self._transposed(wrong, before, after) else text

    def rows_off(self, there: object, belongs: object) -> int:
        """How many rows further down a cell of the column that belongs there is named."""
        if not (isinstance(there, Reference) and isinstance(belongs, Reference)) or there.tab != belongs.tab:
            return 0
        same = there.first.column == belongs.first.column and belongs.first.row in self.judged.table.rows
        return (there.first.row or 0) - (belongs.first.row or 0) if same else 0

    def _transposed(self, wrong: Wrong, before: str, after: str) -> bool:
        if not (wrong.symbol.startswith("∂E/∂") and before[:1] == after[:1] == "w"):
            return False
        network = self.judged.network
        for layer in range(2, network.depth + 1):
            for unit in range(network.units[layer]):
                for source in range(network.units[layer - 1]):
                    square = source < network.units[layer] and unit < network.units[layer - 1]
                    pair = network.weight(layer, unit, source), square and network.weight(layer, source, unit)
                    if pair == (after, before):
                        return True
        return False

    def of_part(self, part: object) -> str:
        """A part of a formula, a cell with what the table calls it."""
        if not isinstance(part, Reference):
            return show(part) if not isinstance(part, (str, type(None))) else str(part)  # type: ignore[arg-type]
        symbol = self.symbol_at(part)
        if not symbol and part.tab is None and part.first.row in self.judged.table.rows:
            label = " ".join(self.judged.table.labels.get(part.first.column or 0, "").split())
            return f"{show(part)} ({label})" if label else show(part)
        return f"{show(part)} ({self.called(symbol)})" if symbol else show(part)

    def called(self, symbol: str) -> str:
        """What the table calls a symbol, or the symbol."""
        column = self.judged.table.columns.get(symbol)
        return symbol if column is None else " ".join(self.judged.table.labels[column].split())

    def of_kind(self, wrong: Wrong) -> str:
        """What is wrong with a formula that no change explains."""
        kind, _, detail = wrong.kind.partition(": ")
        return {
            "differs": "another formula belongs there",
            "truth": "it gives a truth value where a number belongs",
            "error": "it gives an error",
            "text": "it gives a text where a number belongs",
            "stored": "the number stored beside it is not what it gives: recalculate the workbook (F9) and look again",
            "unread": f"it cannot be read ({detail}), and its number is not the one that belongs there",
        }.get(kind, kind)

    def of_number(self, wrong: Wrong, cell: Cell | None) -> str:
        """What is wrong with a cell that has no formula."""
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
        if wrong.symbol in self.judged.network.weights:
            return self._of_typed_weight(wrong, cell)
        return "a typed number, and not the one that the numbers beside it give"

    def _of_typed_weight(self, wrong: Wrong, cell: Cell) -> str:
        before = stored_numbers(self.judged.view, wrong.place[0] - 1)
        slope = before.get(f"∂E/∂{wrong.symbol}")
        if slope and wrong.symbol in before and isinstance(cell.value, (int, float)):
            rate = self.judged.network.downhill * (before[wrong.symbol] - cell.value) / slope
            if abs(rate) < 1e-12:
                return "the update changes nothing: the number of the row above stands there again"
            usual = f"; the others have {self.rate:.6g}" if self.rate is not None else ""
            return f"a typed number, which implies the rate {rate:.6g}{usual}"
        return "a typed number, and not the one that the row above gives"


def address_of(tab: str, place: Place, here: str, *, fixed: bool = False) -> str:
    """A cell as a formula of the tab `here` names it."""
    return show(Reference(None if tab == here else tab, Corner(*place, fixed, fixed)))
