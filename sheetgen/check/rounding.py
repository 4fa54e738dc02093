"""Whether two values of a formula differ by rounding: its inputs tell, by how much they are amplified.

The stored values obey the workbook's formulas, and so do the recalculated ones. Where both do, to rounding, at every
cell, they can differ only by rounding that formulas amplify; a value that is wrong does not obey its own formula. So a
cell is judged by itself: its formula is computed from the stored values of the cells that it names, and must give the
stored value, and from the recalculated ones, and must give the recalculated value.

How far apart is rounding, the formula says too: it is computed again with the numbers that it names moved in their last
bits. Engines differ by more in what they compare: IronCalc takes numbers for equal that are closer than 2.2E-16, and
cuts those in a formula to 15 digits; LibreOffice takes two numbers for equal, and their difference for 0, that agree to
48 bits. Each of these is one more way in which the inputs are moved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sheetgen.check.engines import Recalculated
from sheetgen.errors import ExcelError
from sheetgen.formulas import FormulaError, parse
from sheetgen.formulas.evaluate import At, Code, compiled, evaluate, meaning
from sheetgen.formulas.values import Grid, Scalar, plain
from sheetgen.xlsx.cells import MAX_ROWS, Value, is_number
from sheetgen.xlsx.reader import FormulaCell, place, read_formulas, read_names, read_typed

__all__ = ["HUGE", "Rounding", "difference"]

# A number's last bits, and how often what moving them changes may be exceeded.
LAST_BITS, AMPLIFIED = 2.0**-47, 2.0
# How far a stored value of a workbook as built is from its formula's: platforms round exp in their own ways.
EXACT = 1e-14
# How close numbers are that IronCalc takes for equal when it compares them.
ZERO = 2.3e-16
# The square of a larger number is out of the range of floats, and a formula's intermediate result may be too.
HUGE = 1e150
# More inputs of a formula are not moved, and of all formulas together no more are looked at: it would take too long.
MAX_INPUTS, MAX_WORK = 4_096, 300_000_000
# A whole number may be the number of a row there, which is exact.
_COUNTS = re.compile("INDEX|MATCH|CHOOSE|MOD|INT")
_COMPARES = re.compile(r"[<>=]")
_LONG = re.compile(r"(?<![\w.])[0-9.]{16,}(?:[eE][+-]?[0-9]+)?")

Place = tuple[int, int]
Cells = dict[str, dict[Place, Scalar]]


@dataclass
class _Tab:
    """The cells of a tab as a formula sees them: it notes which ones are looked at, and some may be moved."""

    values: dict[Place, Scalar]
    seen: dict[Place, Scalar] = field(default_factory=dict)
    moved: dict[Place, Scalar] = field(default_factory=dict)

    def __getitem__(self, place: Place) -> Scalar:
        if place in self.moved:
            return self.moved[place]
        value = self.seen[place] = self.values.get(place)
        return value

    def rows(self, top: int, left: int, bottom: int, right: int) -> Grid:
        if (bottom - top + 1) * (right - left + 1) > MAX_ROWS:
            raise FormulaError("more cells than a column has")
        return [[self[row, column] for column in range(left, right + 1)] for row in range(top, bottom + 1)]

    @property
    def size(self) -> Place:
        return max((row for row, _ in self.values), default=0), max((column for _, column in self.values), default=0)


class Rounding:
    """The judge of a workbook's cells; it reads all values when it is first asked, and keeps what it explained."""

    def __init__(self, path: Path, recalculated: Recalculated, as_built: bool) -> None:
        self._path = path
        self._recalculated = recalculated
        self._as_built = as_built
        self._work = MAX_WORK
        self.explained: set[tuple[str, str]] = set()

    def explains(self, cell: FormulaCell, stored: Value | None, value: Value | None) -> bool:
        """Whether the stored and the recalculated value of a formula differ by rounding only.

        The stored value of a workbook that is as built was computed from those beside it, and must be theirs but for
        the last bit of functions such as exp, which platforms round in their own ways.
        """
        try:
            explained = self._obeys(cell, stored, self._stored, self._as_built) and self._obeys(cell, value, self._now)
        except FormulaError:  # a formula of another author, which has something that is not known here
            return False
        if explained:
            self.explained.add((cell.tab, cell.address))
        return explained

    def stored(self, tab: str, address: str) -> Value | None:
        """What the workbook stores in a cell."""
        return self._stored.get(tab, {}).get(place(address))

    @cached_property
    def _typed(self) -> Cells:
        return _by_place((cell.tab, cell.address, cell.value) for cell in read_typed(self._path))

    @cached_property
    def _stored(self) -> Cells:
        found = _by_place((cell.tab, cell.address, cell.value) for cell in read_formulas(self._path))
        return _merged(self._typed, found)

    @cached_property
    def _now(self) -> Cells:
        found = _by_place((tab, address, value) for (tab, address), value in self._recalculated.items())
        return _merged(self._typed, found)

    @cached_property
    def _names(self) -> Mapping[str, Code]:
        found = {}
        for name, text in read_names(self._path).items():
            try:
                found[name.casefold()] = meaning(parse(text))
            except FormulaError:
                continue  # a formula that has it then gives #NAME?
        return found

    def _obeys(self, cell: FormulaCell, value: Value | None, cells: Cells, as_built: bool = False) -> bool:
        """Whether a value is what its formula gives; unless the workbook is as built, or what moved inputs give."""
        tabs = {title: _Tab(values) for title, values in cells.items()}
        row, column = place(cell.address)
        top, left = place(cell.origin) if cell.origin else (row, column)
        at = At(tabs, self._names, cell.tab, row, column, row - top, column - left)
        wanted, first = plain(value), evaluate(compiled(f"={cell.text}"), at)
        if as_built:
            return _close(first, wanted, [], EXACT)
        outcomes = list(_moved(cell.text, at, tabs))
        self._work -= len(outcomes) * sum(len(tab.seen) for tab in tabs.values())
        if self._work < 0:
            return False
        inputs = [one for tab in tabs.values() for one in tab.seen.values()]
        if isinstance(first, ExcelError) and any(isinstance(one, float) and abs(one) > HUGE for one in inputs):
            return True  # an engine may calculate on with what is out of range, and come back to a number
        return _close(first, wanted, outcomes, LAST_BITS)


def _moved(text: str, at: At, tabs: Mapping[str, _Tab]) -> Iterator[Scalar]:
    """What the formula gives with its inputs moved, and with what engines make of its own numbers."""
    formula, whole = compiled(f"={text}"), _COUNTS.search(text)
    numbers = [
        (tab, where, value)
        for tab in tabs.values()
        for where, value in tab.seen.items()
        if isinstance(value, float) and not (whole and value.is_integer())
    ]
    if len(numbers) > MAX_INPUTS:
        return
    steps = [(LAST_BITS, 0.0), (-LAST_BITS, 0.0)] + ([(0.0, ZERO), (0.0, -ZERO)] if _COMPARES.search(text) else [])
    # Any two numbers are moved apart by one of these patterns of signs, and together by the first.
    for bit in range(-1, max(0, len(numbers) - 1).bit_length()):
        for relative, absolute in steps:
            for number, (tab, where, value) in enumerate(numbers):
                sign = -1 if bit >= 0 and number >> bit & 1 else 1
                tab.moved[where] = value + sign * (relative * value + absolute)
            yield evaluate(formula, at)
    if _COMPARES.search(text):
        same = -math.inf
        for tab, where, value in sorted(numbers, key=lambda one: one[2]):
            same = same if value - same <= max(ZERO, LAST_BITS * abs(value)) else value
            tab.moved[where] = same
        yield evaluate(formula, at)
    for tab in tabs.values():
        tab.moved.clear()
    if _LONG.search(text):
        yield evaluate(compiled("=" + _LONG.sub(lambda one: f"{float(one[0]):.15g}", text)), at)


def _close(first: Scalar, wanted: Scalar, outcomes: list[Scalar], relative: float) -> bool:
    """Whether a value is the first, or no further from it than AMPLIFIED times what the other outcomes are."""
    if isinstance(first, float) and isinstance(wanted, float):
        spread = sum(abs(one - first) for one in outcomes if isinstance(one, float))
        return abs(wanted - first) <= AMPLIFIED * spread + relative * abs(first)
    return any(difference(one, wanted, 0) == 0 for one in (first, *outcomes))


def difference(stored: Value | None, value: Value | None, scale: float) -> float:
    """How far a value is from the stored one, relative to the larger; infinite for values of different kinds.

    >>> difference(1.0, 1.5, 0), difference(0.0, 1e-18, 1), difference(True, 1, 1), difference(None, "", 1)
    (0.3333333333333333, 1e-18, inf, 0.0)
    >>> difference(ExcelError("#NUM!"), ExcelError("#DIV/0!"), 1)
    0.0
    """
    if isinstance(stored, ExcelError) or isinstance(value, ExcelError):
        # Engines do not agree on which error it is, where several meet.
        return 0.0 if isinstance(stored, ExcelError) and isinstance(value, ExcelError) else math.inf
    if is_number(stored) and is_number(value):
        a, b = float(stored), float(value)
        return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b), scale)
    empty = (None, "")
    same = type(stored) is type(value) and stored == value
    return 0.0 if same or (stored in empty and value in empty) else math.inf


def _by_place(cells: Iterator[tuple[str, str, Value | None]]) -> Cells:
    found: Cells = {}
    for tab, address, value in cells:
        found.setdefault(tab, {})[place(address)] = plain(value)
    return found


def _merged(one: Cells, other: Cells) -> Cells:
    return {tab: {**one.get(tab, {}), **other.get(tab, {})} for tab in {**one, **other}}
