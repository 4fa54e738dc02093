"""A workbook confirmed by referees that share no code with it: an engine recalculates it, PyTorch trains it again.

Both measure a difference relative to the numbers compared, but at least to a least scale, so that a number that is
nothing but the rounding of two nearly equal ones (a difference that should be 0, a gradient at the minimum) is
compared absolutely:

- Stored and recalculated may differ by 1e-12 of the larger, or by 1e-15: engines round alike but for the last bit of
  functions such as exp, and LibreOffice shows the difference of two numbers that agree to 48 bits as 0. Where another
  program saved the file after it was built, 1e-9 of the larger, or 1e-9: such programs keep 15 digits of a number,
  and the noise of the central differences of tab Gradient check is as large as 1e-11 anyway. What the tabs of
  the live digit network may differ by, they say themselves (`cnn.live`).
- Workbook and PyTorch may differ by 1e-10 of the largest number that the column has had so far, or by 1e-14: they take
  sums in another order, and a gradient near 0 keeps the error of the large numbers that cancel in it. Some training
  amplifies rounding (a large rate, a kink of relu, Adam on a gradient that is 0 but for rounding). So where that is
  exceeded, PyTorch trains once more, its weights moved in their last bits at each step, and 16 times what that changes
  is allowed.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnn.live import LONG_SUMS
from sheetgen.check.engines import Engine, Recalculated, recalculate
from sheetgen.check.origin import read_origin, spec_now
from sheetgen.errors import CheckError, ExcelError
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.layout import TABLE_TOP
from sheetgen.xlsx.cells import Value, column_letters
from sheetgen.xlsx.reader import read_formulas

__all__ = ["Comparison", "Report", "report"]


@dataclass(frozen=True)
class Tolerance:
    """The largest relative difference allowed; numbers smaller than `scale` are compared as if they were that large."""

    relative: float
    scale: float


AS_BUILT, SAVED_AGAIN, RETRAINED = Tolerance(1e-12, 1e-3), Tolerance(1e-9, 1.0), Tolerance(1e-10, 1e-4)
AMPLIFIED = 16.0
NUDGE = 2.0**-50
# The square of a larger number is out of the range of floats, and a formula's intermediate result may be too.
HUGE = 1e150
FORMULA_SHOWN = 300
NAMES = {"ironcalc": "IronCalc", "libreoffice": "LibreOffice"}


@dataclass(frozen=True)
class Comparison:
    """What one referee was asked, how many cells it compared and the largest relative difference; "" or a failure."""

    referee: str
    what: str
    cells: int
    largest: float
    failure: str = ""


@dataclass(frozen=True)
class Report:
    """The outcome of a check; `note` says why a referee was not asked."""

    comparisons: tuple[Comparison, ...]
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether every referee agrees."""
        return not self.failure

    @property
    def failure(self) -> str:
        """One line about the first cell that differs; "" if none does."""
        return next((one.failure for one in self.comparisons if one.failure), "")

    def lines(self) -> list[str]:
        """A table of the referees, a line each."""
        rows = [("referee", "what was compared", "cells", "largest difference")]
        rows += [(one.referee, one.what, f"{one.cells:,}", f"{one.largest:.2g}") for one in self.comparisons]
        widths = [max(len(row[place]) for row in rows) for place in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d}" for a, b, c, d in rows]
        return [*lines, self.note] if self.note else lines


def report(path: Path, engine: Engine, progress: bool) -> Report:
    """What the referees say of a workbook; see sheetgen.check."""
    origin = read_origin(path)
    recalculated = recalculate(path, engine)
    allowed = AS_BUILT if origin.as_built else SAVED_AGAIN
    comparisons = [_compare_stored(path, recalculated, engine, allowed, progress)]
    if origin.spec is None:
        return Report(tuple(comparisons), "The workbook carries no spec: nothing to retrain.")
    if importlib.util.find_spec("torch") is None:
        return Report(tuple(comparisons), "PyTorch is not installed: not retrained.")
    spec, runs = spec_now(origin, recalculated, path)
    retraining = _Retraining(path, spec, recalculated, progress)
    comparisons.append(retraining.compare(runs, [origin.headers[run.label] for run in runs]))
    return Report(tuple(comparisons))


def _compare_stored(
    path: Path, recalculated: Recalculated, engine: Engine, allowed: Tolerance, progress: bool
) -> Comparison:
    """Every formula's stored value with its recalculation."""
    cells, largest, failure = 0, 0.0, ""
    cell_by_cell = tqdm(read_formulas(path), "comparing", unit=" cells", disable=not progress, leave=False)
    for cell in cell_by_cell:
        cells += 1
        value = recalculated[cell.tab, cell.address]
        limit = max(allowed, Tolerance(LONG_SUMS.get(cell.tab, 0.0), 1.0), key=lambda one: one.relative)
        difference = _difference(cell.value, value, limit.scale)
        if difference > limit.relative and not failure:
            stored, now = _shown(cell.value), _shown(value)
            failure = f"{path}: {_place(cell.tab, cell.address, cell.formula)} stored {stored}, recalculated {now}"
        largest = max(largest, difference)
    return Comparison(NAMES[engine], "every formula's stored value with its recalculation", cells, largest, failure)


def _difference(stored: Value | None, value: Value | None, scale: float) -> float:
    """How far a value is from the stored one, relative to the larger; infinite for values of different kinds.

    >>> _difference(1.0, 1.5, 1e-3), _difference(0.0, 1e-18, 1e-3), _difference(True, 1, 1), _difference(None, "", 1)
    (0.3333333333333333, 1e-15, inf, 0.0)
    >>> _difference(ExcelError("#NUM!"), ExcelError("#DIV/0!"), 1)
    0.0
    """
    if isinstance(stored, ExcelError) or isinstance(value, ExcelError):
        # Engines do not agree on which error it is, where several meet.
        return 0.0 if isinstance(stored, ExcelError) and isinstance(value, ExcelError) else math.inf
    if _is_number(stored) and _is_number(value):
        assert stored is not None and value is not None
        a, b = float(stored), float(value)
        return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b), scale)
    empty = (None, "")
    same = type(stored) is type(value) and stored == value
    return 0.0 if same or (stored in empty and value in empty) else math.inf


def _is_number(value: Value | None) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class _Retraining:
    """The comparison of every training tab with PyTorch."""

    path: Path
    spec: Spec
    recalculated: Recalculated
    progress: bool

    def compare(self, runs: tuple[Run, ...], headers: list[tuple[str, ...]]) -> Comparison:
        """All the runs; the failure is the first cell, in the order of tabs and rows, that is not as retrained."""
        import torch

        from sheetgen.check.referee import one_thread

        rows = len(runs) * (self.spec.steps + 1)
        cells, largest, failure = 0, 0.0, ""
        bar = tqdm(total=rows, desc="retraining", unit=" rows", disable=not self.progress, leave=False)
        with one_thread(), bar:
            for run, header in zip(runs, headers, strict=True):
                found = self._compare_run(run, header, bar)
                if found.failure:
                    found = self._compare_run(run, header, bar, nudged=True)
                cells += found.cells
                largest = max(largest, found.largest)
                failure = failure or found.failure
        tabs = "tab" if len(runs) == 1 else "tabs"
        what = f"every number of {len(runs)} training {tabs} with autograd and torch.optim"
        return Comparison(f"PyTorch {torch.__version__.split('+')[0]}", what, cells, largest, failure)

    def _compare_run(self, run: Run, header: tuple[str, ...], bar: Any, nudged: bool = False) -> Comparison:
        """One tab, row by row; from the first error value on, only that the errors are there is compared.

        With `nudged`, what moving the weights in their last bits changes is allowed too, times AMPLIFIED.
        """
        columns = [(name, column_letters(place)) for place, name in enumerate(header, 1)]
        scale = dict.fromkeys(header, RETRAINED.scale)
        spread = dict.fromkeys(header, 0.0)
        cells, largest, failure, before = 0, 0.0, "", False
        for step, (row, moved) in enumerate(self._rows(run, nudged)):
            bar.update(0 if nudged else 1)
            huge = not all(abs(value) < HUGE for value in row.values())
            for name, letters in columns:
                if name not in row:
                    continue
                address, expected = f"{letters}{TABLE_TOP + step}", row[name]
                value = self.recalculated[run.label, address]
                overflown = not (_is_number(value) and math.isfinite(expected))
                if overflown and (huge or before):
                    return Comparison("", "", cells, largest, failure)
                cells += 1
                far = math.inf if overflown else abs(float(value or 0) - expected)
                scale[name] = max(scale[name], abs(expected))
                if nudged:
                    spread[name] = max(spread[name], abs(expected - moved[name]))
                if far > RETRAINED.relative * scale[name] + AMPLIFIED * spread[name] and not failure:
                    failure = self._failure(run.label, address, f"{name} after {step} updates", value, expected)
                largest = max(largest, far / scale[name])
            before = huge
        return Comparison("", "", cells, largest, failure)

    def _rows(self, run: Run, nudged: bool) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
        """Each step as retrained, and the same if every step moves the weights in their last bits, if `nudged`."""
        from sheetgen.check.referee import retrain

        try:
            if nudged:
                yield from zip(retrain(self.spec, run), retrain(self.spec, run, NUDGE), strict=True)
            else:
                yield from ((row, row) for row in retrain(self.spec, run))
        except ValueError as error:
            raise CheckError(f"{self.path}: tab {run.label}: PyTorch refuses a number of Inputs: {error}") from error

    def _failure(self, tab: str, address: str, name: str, value: Value | None, expected: float) -> str:
        cells = (cell for cell in read_formulas(self.path) if (cell.tab, cell.address) == (tab, address))
        formula = next((cell.formula for cell in cells), "no formula")
        what = _place(tab, address, formula)
        return f"{self.path}: {what} is {name}: recalculated {_shown(value)}, retrained {expected!r}"


def _place(tab: str, address: str, formula: str) -> str:
    shown = formula if len(formula) <= FORMULA_SHOWN else formula[:FORMULA_SHOWN] + "…"
    return f"{tab}!{address} ({shown})"


def _shown(value: Value | None) -> str:
    return "nothing" if value is None else str(value) if isinstance(value, ExcelError) else repr(value)
