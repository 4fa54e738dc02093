"""Formulas that write a formula's text with live numbers in place of its symbols, alike in every program and locale."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Symbol

from sheetgen.maths.printer import text
from sheetgen.tabs.state import State
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters
from sheetgen.xlsx.page import NO_NUMBER

__all__ = ["DIGITS", "Numbers", "number_words"]

# Significant digits of a number in a text.
DIGITS = 4
# A symbol in a text to be split: no printer prints this character.
_MARK = "\x01"


@dataclass
class Numbers:
    """The numbers of the chosen moment as texts: a list beside a tab's own columns, a row for each symbol in use."""

    tab: Tab
    chosen: State
    top: int
    column: int
    places: dict[Symbol, str] = field(default_factory=dict)

    def formula(self, expr: Expr, result: str) -> Formula | None:
        """The expression in numbers and what a cell says it is, as a text; None where that would be too long."""
        symbols = sorted(expr.free_symbols & self.chosen.cells.keys(), key=str)
        marked = text(expr, {symbol: f"{_MARK}{place}{_MARK}" for place, symbol in enumerate(symbols)})
        parts = [
            self._place(symbols[int(part)]) if inside % 2 else f'"{part}"'
            for inside, part in enumerate(marked.split(_MARK))
            if part
        ]
        shown = f'={"&".join(parts)}&" = "&{number_words(result)}'
        return Formula(shown) if symbols and len(shown) <= MAX_FORMULA else None

    def _place(self, symbol: Symbol) -> str:
        """The cell that has the symbol's number as a text, written when it is first asked for."""
        if symbol not in self.places:
            row = self.top + 1 + len(self.places)
            if not self.places:
                self.tab.header(self.top, self.column, ("symbol", f"to {DIGITS} digits"))
            self.tab.put(row, self.column, symbol.name, "symbol")
            words = number_words(self.chosen.cells[symbol], "(−", ")")
            self.tab.put(row, self.column + 1, Formula(f"={words}"), "formula")
            self.places[symbol] = f"${column_letters(self.column + 1)}${row}"
        return self.places[symbol]


def number_words(cell: str, before: str = "−", after: str = "") -> str:
    """The formula text of a cell's number in words: to 4 significant digits, a negative one between two texts.

    Rounded numbers are joined to text as they are, for a format in TEXT would have one locale's decimal sign. Programs
    write numbers below 0.0001 in different ways: those, and large ones, have their power of ten set apart. To compare
    with 0 would not do, for IronCalc takes what is below 2.2E-16 for 0; but only 0 divided by its size is an error.

    >>> number_words("A1")[:63]
    'IF(ISNUMBER(A1),IFERROR(IF(A1/ABS(A1)<0,"−","")&IF(AND(ABS(A1)>'
    """
    size, nines = f"ABS({cell})", 10 - 5 * 10**-DIGITS  # what is at least this rounds up to the next power
    exponent = f"INT(LOG10({size}/{nines / 10:.15g}))"
    plain = f"ROUND({size},{DIGITS - 1}-{exponent})"
    apart = f'ROUND({size}/10^{exponent},{DIGITS - 1})&"E"&{exponent}'
    within = f"AND({size}>={nines / 1e5:.9f},{size}<{nines * 1e5:.0f})"
    sign = f"{cell}/{size}<0"
    end = f'&IF({sign},"{after}","")' if after else ""
    shown = f'IFERROR(IF({sign},"{before}","")&IF({within},{plain},{apart}){end},"0")'
    return f'IF(ISNUMBER({cell}),{shown},"{NO_NUMBER}")'
