"""Formulas that write a formula's text with live numbers in place of its symbols, alike in every program and locale."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Symbol

from sheetgen.maths.printer import text
from sheetgen.tabs.state import State
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters
from sheetgen.xlsx.formats import WHOLE
from sheetgen.xlsx.page import NO_NUMBER

__all__ = ["DIGITS", "Numbers", "number_words"]

# Significant digits of a number in a text.
DIGITS = 4
# The heads of the list, and how many characters of a formula its end takes.
LIST = ("symbol or cell", "power", "digits", "behind", f"to {DIGITS} digits")
ROOM = 20
# A symbol in a text to be split: no printer prints this character.
_MARK = "\x01"


@dataclass
class Numbers:
    """The numbers of the chosen moment as texts: a list beside a tab's own columns, a row for each in use."""

    tab: Tab
    chosen: State
    top: int
    column: int
    places: dict[str, str] = field(default_factory=dict)

    def formula(self, expr: Expr, result: str) -> Formula | None:
        """The expression in numbers and what a cell says it is, as a text; None where that would be too long."""
        symbols = sorted(expr.free_symbols & self.chosen.cells.keys(), key=str)
        pieces = text(expr, {symbol: f"{_MARK}{place}{_MARK}" for place, symbol in enumerate(symbols)}).split(_MARK)
        parts = []
        for place, piece in enumerate(pieces):
            if place % 2:
                cell = self._symbol(symbols[int(piece)])
                alone = pieces[place - 1].endswith("(") and pieces[place + 1].startswith(")")
                parts.append(f'IF(LEFT({cell})="(",MID({cell},2,LEN({cell})-2),{cell})' if alone else cell)
            elif piece:
                parts.append(f'"{piece}"')
        if not symbols or sum(map(len, parts)) + len(parts) + ROOM > MAX_FORMULA:
            return None
        return Formula(f'={"&".join(parts)}&" = "&{self._words(result, result)}')

    def _symbol(self, symbol: Symbol) -> str:
        """The cell that has the symbol's number as a text, a negative one in brackets; written when first asked for."""
        return self._words(symbol.name, self.chosen.cells[symbol], "(−", ")")

    def _words(self, name: str, cell: str, before: str = "−", after: str = "") -> str:
        if name not in self.places:
            row = self.top + 1 + len(self.places)
            if not self.places:
                self.tab.header(self.top, self.column, LIST)
            self.tab.put(row, self.column, name, "symbol")
            for place, formula in enumerate(number_words(cell, row, self.column + 1, before, after), self.column + 1):
                self.tab.put(row, place, Formula(formula), "formula", WHOLE)
            self.places[name] = f"${column_letters(self.column + len(LIST) - 1)}${row}"
        return self.places[name]


def number_words(cell: str, row: int, column: int, before: str = "−", after: str = "") -> tuple[str, ...]:
    """Four formula texts for neighbouring cells from (row, column) on; the last is the cell's number in words.

    That is to 4 significant digits, a negative one between two texts. The others are its power of ten, its digits as a
    whole number, and how many of them stand behind the decimal sign. Whole numbers alone are joined to text, with the
    locale's own sign between: a format in TEXT would have one locale's, and Gnumeric writes 0.3581 with all the digits
    of its longer numbers. Programs write numbers below 0.0001 in different ways: those, and large ones, have their
    power of ten set apart. To compare with 0 would not do, for IronCalc takes what is below 2.2E-16 for 0; but only
    0 divided by its size is an error.

    >>> number_words("A1", 2, 2)[1]
    '=IFERROR(ROUND(ABS(A1)/10^$B$2*1000,0),0)'
    """
    power, digits, behind = (f"${column_letters(column + place)}${row}" for place in range(3))
    nines = (10 - 5 * 10**-DIGITS) / 10  # what is at least this rounds up to the next power
    within = f"AND({power}>=-4,{power}<6)"
    zeros = "+".join(f"(MOD({digits},{10**place})=0)" for place in range(1, DIGITS))
    sign = f"{cell}/ABS({cell})<0"
    fraction = f'MID(0.5&"",2,1)&LEFT(RIGHT("0000000"&{digits},{behind}),{behind}-({zeros}))'
    whole = f'INT({digits}/10^{behind})&IF(MOD({digits},10^{behind})=0,"",{fraction})'
    number = f'IF({behind}<=0,{digits}*10^-{behind},{whole})&IF({within},"","E"&{power})'
    end = f'&IF({sign},"{after}","")' if after else ""
    return (
        f"=IFERROR(INT(LOG10(ABS({cell})/{nines:.15g})),0)",
        f"=IFERROR(ROUND(ABS({cell})/10^{power}*{10 ** (DIGITS - 1)},0),0)",
        f"={DIGITS - 1}-IF({within},{power},0)",
        f'=IF(ISNUMBER({cell}),IFERROR(IF({sign},"{before}","")&{number}{end},"0"),"{NO_NUMBER}")',
    )
