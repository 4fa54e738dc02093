"""A workbook confirmed by referees that share no code with it: an engine recalculates it, PyTorch trains it again.

- Every formula and label must be the one that sheetgen writes for the spec in the workbook (see rebuilt).
- Stored and recalculated may differ by 1e-14 of the larger, or by what rounding explains (see rounding). What the tabs
  of the live digit network may differ by, they say themselves (`cnn.live`).
- Workbook and PyTorch may differ by 1e-10 of the largest number that the column has had so far, or by 1e-14, so that a
  number that is nothing but the rounding of two nearly equal ones is compared absolutely: they take sums in another
  order, and a gradient near 0 keeps the error of the large numbers that cancel in it. Some training amplifies rounding
  (a large rate, a kink of relu, Adam on a gradient that is 0 but for rounding). So where that is exceeded, PyTorch
  trains again, its weights moved in their last bits at each step, some up and some down in several patterns, and 16
  times the most that this changes is allowed.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnn.live import LONG_SUMS
from sheetgen.check.engines import NAMES, Engine, Recalculated, recalculate
from sheetgen.check.origin import Origin, read_origin, spec_now
from sheetgen.check.rebuilt import compare_rebuilt
from sheetgen.check.referee_digits import Pixels, is_apart, pixels_of
from sheetgen.check.rounding import HUGE, Rounding, difference
from sheetgen.errors import VERSION, CheckError, ExcelError
from sheetgen.formulas import FormulaError, parse
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.layout import TABLE_TOP, plan_table
from sheetgen.xlsx.book import uncollected
from sheetgen.xlsx.cells import Value, column_letters, is_number
from sheetgen.xlsx.reader import Contents, FormulaCell, place, read_contents, read_formulas

__all__ = ["Comparison", "Report", "report", "report_alone"]


# The largest relative differences allowed; in the second, numbers below SMALL count as if they were that large.
RECALCULATED, RETRAINED, SMALL = 1e-14, 1e-10, 1e-4
AMPLIFIED = 16.0
NUDGE, PATTERNS = 2.0**-50, 3
FORMULA_SHOWN = 300
OURS = "sheetgen"
OTHERS = "every other formula's stored value with its recalculation"


@dataclass(frozen=True)
class Comparison:
    """What one referee was asked, how many cells it compared and the largest relative difference; "" or a failure.

    `rounded` cells, which are not counted in the largest difference, differ by more, but by rounding.
    """

    referee: str
    what: str
    cells: int
    largest: float
    failure: str = ""
    rounded: int = 0


@dataclass(frozen=True)
class Report:
    """The outcome of a check; `note` says why a referee was not asked.

    `rebuilt` compares formulas and labels with those that sheetgen writes for the spec in the workbook.
    """

    comparisons: tuple[Comparison, ...]
    note: str = ""
    path: Path = Path()
    rebuilt: Comparison | None = None

    told = False
    """Whether `lines()` name the first wrong cell, which `failure` does."""

    @property
    def ok(self) -> bool:
        """Whether every referee agrees."""
        return not self.failure

    @property
    def failure(self) -> str:
        """One line about the first cell that differs; "" if none does. What is typed over comes before what follows."""
        return next((one.failure for one in self._ordered() if one.failure), "")

    def _ordered(self) -> list[Comparison]:
        return [*([self.rebuilt] if self.rebuilt else []), *self.comparisons]

    def line(self) -> str:
        """All in a line, for many files."""
        cells = sum(one.cells for one in self.comparisons or self._ordered())
        return f"right   {self.path}   {cells:,} cells" if self.ok else f"wrong   {self.failure}"

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "file": str(self.path), "written_by_sheetgen": True, "ok": self.ok, "failure": self.failure,
            "comparisons": [asdict(one) for one in self._ordered()], "note": self.note,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """A table of the referees, a line each, and whether all agree."""
        rows = [("referee", "what was compared", "cells", "largest difference")]
        rows += [(one.referee, one.what, f"{one.cells:,}", f"{one.largest:.2g}") for one in self.comparisons]
        if self.rebuilt is not None:
            rows.append(
                (OURS, self.rebuilt.what, f"{self.rebuilt.cells:,}", "differs" if self.rebuilt.failure else "the same")
            )
        widths = [max(len(row[place]) for row in rows) for place in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d}" for a, b, c, d in rows]
        wrong = [one.referee for one in self._ordered() if one.failure]
        rounded = sum(one.rounded for one in self.comparisons if not one.failure)
        lines += [f"cells beside these in which rounding explains more: {rounded:,}"] if rounded else []
        return [*lines, *filter(None, [self.note]), f"differs: {', '.join(wrong)}" if wrong else "all agree"]


def report(path: Path, engine: Engine | None = None, progress: bool = False) -> Report:
    """What the referees say of a workbook that this program wrote; see sheetgen.check."""
    with uncollected():
        contents = read_contents(path)
    formulas = contents.formulas
    origin = read_origin(path, contents)
    pixels = None if engine else pixels_of(path, contents)
    engine, given = engine or "ironcalc", pixels.stored if pixels else {}
    with _bar("recalculating", "cells", progress) as bar:
        recalculated = recalculate(path, engine, bar.update, formulas, given)
    rounding = Rounding(path, recalculated, origin.as_built)
    asked = [cell for cell in formulas if (cell.tab, cell.address) not in given] if given else formulas
    comparisons = [_compare_stored(path, origin.spec, asked, recalculated, engine, rounding, progress)]
    if pixels:
        comparisons = [replace(comparisons[0], what=OTHERS), _compare_pixels(path, formulas, pixels, recalculated)]
    if origin.spec is None:
        note = "The workbook carries no spec: nothing to retrain."
        rebuilt, more = _rebuilt(path, origin, contents)
        return Report(tuple(comparisons), _joined(note, more), path, rebuilt)
    spec, runs = spec_now(origin, recalculated, path)
    rebuilt, note = _rebuilt(path, origin, contents)
    if importlib.util.find_spec("torch") is None:
        note = _joined("PyTorch is not installed: not retrained.", note)
        return Report(tuple(comparisons), note, path, rebuilt)
    retraining = _Retraining(path, spec, recalculated, rounding, progress)
    comparisons.append(retraining.compare(runs, [origin.headers[run.label] for run in runs]))
    return Report(tuple(comparisons), note, path, rebuilt)


def report_alone(path: Path) -> Report:
    """What can be said of a workbook that this program wrote where there are no referees, as in a browser."""
    contents = read_contents(path)
    origin = read_origin(path, contents)
    if origin.spec is None:
        raise CheckError(f"{path}: carries no spec, so nothing can be compared without an engine; use sheetgen check")
    rebuilt, note = _rebuilt(path, origin, contents)
    said = "Not recalculated and not retrained: that takes the command, sheetgen check."
    return Report((), _joined(said, note), path, rebuilt)


def _joined(*notes: str) -> str:
    return " ".join(filter(None, notes))


def _rebuilt(path: Path, origin: Origin, contents: Contents) -> tuple[Comparison | None, str]:
    """The workbook and what sheetgen writes, None if that is nothing, and why something was not compared.

    Where it differs and is of an older version, that is said.
    """
    with uncollected():
        again = compare_rebuilt(path, origin.spec, contents)
    failure = f"{path}: {again.failure}" if again.failure else ""
    if failure and origin.version != VERSION:
        found = f"sheetgen {origin.version}" if origin.version else "a version before 0.2"
        failure = f"{failure} (it was written by {found}, and this is {VERSION}: build it again)"
    compared = Comparison(OURS, "every formula and label, as built again", again.cells, 0.0, failure)
    return (compared if again.cells else None), again.note


def _bar(what: str, unit: str, progress: bool, total: int | None = None) -> Any:
    return tqdm(desc=what, unit=f" {unit}", total=total, disable=not progress, leave=False)


def _compare_stored(
    path: Path,
    spec: Spec | None,
    formulas: Iterable[FormulaCell],
    recalculated: Recalculated,
    engine: Engine,
    rounding: Rounding,
    progress: bool,
) -> Comparison:
    """Every formula's stored value with its recalculation."""
    cells, largest, failure, rounded = 0, 0.0, "", 0
    with _bar("comparing", "cells", progress, len(recalculated)) as bar:
        for cell in formulas:
            cells += 1
            bar.update()
            value = recalculated[cell.tab, cell.address]
            long_sum = LONG_SUMS.get(cell.tab, 0.0)
            apart = difference(cell.value, value, 1.0 if long_sum else 0.0)
            if apart > max(long_sum, RECALCULATED) and not failure:
                if rounding.explains(cell, cell.value, value):
                    rounded += 1
                    continue
                what, belongs = _place(cell.tab, cell.address, cell.formula), _belongs(spec, *cell[:2], cell.formula)
                failure = f"{path}: {what} stored {_shown(cell.value)}, recalculated {_shown(value)}{belongs}"
            largest = max(largest, apart)
    if not cells:
        failure = f"{path}: has no formulas, so nothing was compared; build it again with sheetgen build"
    what = "every formula's stored value with its recalculation"
    return Comparison(NAMES[engine], what, cells, largest, failure, rounded)


def _compare_pixels(
    path: Path, formulas: Iterable[FormulaCell], pixels: Pixels, recalculated: Recalculated
) -> Comparison:
    """Every pixel of the digit network's maps, as stored, and every logit."""
    cells, largest, failure = 0, 0.0, ""
    for (tab, address), value, number in pixels.again(recalculated):
        cells += 1
        apart, too_far = is_apart(value, number, tab)
        largest = max(largest, apart)
        if too_far and not failure:
            formula = next(one.formula for one in formulas if (one.tab, one.address) == (tab, address))
            what = _place(tab, address, formula)
            failure = f"{path}: {what} has {_shown(value)}, PyTorch {_shown(number)}"
    return Comparison(_pytorch(), "every pixel and logit of the digit network with torch.nn", cells, largest, failure)


def _pytorch() -> str:
    import torch

    return f"PyTorch {torch.__version__.split('+')[0]}"


@dataclass
class _Retraining:
    """The comparison of every training tab with PyTorch."""

    path: Path
    spec: Spec
    recalculated: Recalculated
    rounding: Rounding
    progress: bool

    def compare(self, runs: tuple[Run, ...], headers: list[tuple[str, ...]]) -> Comparison:
        """All the runs; the failure is the first cell, in the order of tabs and rows, that is not as retrained."""
        from sheetgen.check.referee import one_thread

        rows = len(runs) * (self.spec.steps + 1)
        cells, largest, failure = 0, 0.0, ""
        with one_thread(), _bar("retraining", "rows", self.progress, rows) as bar:
            for run, header in zip(runs, headers, strict=True):
                found = self._compare_run(run, header, bar)
                if found.failure:
                    found = self._compare_run(run, header, bar, nudged=True)
                cells += found.cells
                largest = max(largest, found.largest)
                failure = failure or found.failure
        tabs = "tab" if len(runs) == 1 else "tabs"
        what = f"every number of {len(runs)} training {tabs} with autograd and torch.optim"
        return Comparison(_pytorch(), what, cells, largest, failure)

    def _compare_run(self, run: Run, header: tuple[str, ...], bar: Any, nudged: bool = False) -> Comparison:
        """One tab, row by row; from the first error value on, only that the errors are there is compared.

        With `nudged`, what moving the weights in their last bits changes is allowed too, times AMPLIFIED.
        """
        columns = [(name, column_letters(place)) for place, name in enumerate(header, 1)]
        scale = dict.fromkeys(header, SMALL)
        spread = dict.fromkeys(header, 0.0)
        cells, largest, failure, before = 0, 0.0, "", False
        for step, (row, *moved) in enumerate(self._rows(run, nudged)):
            bar.update(0 if nudged else 1)
            huge = not all(abs(value) < HUGE for value in row.values())
            for name, letters in columns:
                if name not in row:
                    continue
                address, expected = f"{letters}{TABLE_TOP + step}", row[name]
                value = self._value(run.label, address)
                overflown = not (is_number(value) and math.isfinite(expected))
                if overflown and (huge or before):
                    return Comparison("", "", cells, largest, failure)
                cells += 1
                far = math.inf if overflown else abs(float(value or 0) - expected)
                scale[name] = max(scale[name], abs(expected))
                if nudged:
                    spread[name] = max(spread[name], *(abs(expected - one[name]) for one in moved))
                if far > RETRAINED * scale[name] + AMPLIFIED * spread[name] and not failure:
                    failure = self._failure(run.label, address, f"{name} after {step} updates", value, expected)
                largest = max(largest, far / scale[name])
            before = huge
        return Comparison("", "", cells, largest, failure)

    def _value(self, tab: str, address: str) -> Value | None:
        """What the engine computed or, where that differs by rounding that is amplified, what is stored."""
        if (tab, address) in self.rounding.explained:
            return self.rounding.stored(tab, address)
        return self.recalculated[tab, address]

    def _rows(self, run: Run, nudged: bool) -> Iterator[tuple[dict[str, float], ...]]:
        """Each step as retrained and, if `nudged`, as it is if every step moves the weights in their last bits."""
        from sheetgen.check.referee import retrain

        moved = [retrain(self.spec, run, NUDGE, pattern) for pattern in range(PATTERNS)] if nudged else []
        try:
            yield from zip(retrain(self.spec, run), *moved, strict=True)
        except ValueError as error:
            raise CheckError(f"{self.path}: tab {run.label}: PyTorch refuses a number of Inputs: {error}") from error

    def _failure(self, tab: str, address: str, name: str, value: Value | None, expected: float) -> str:
        cells = (cell for cell in read_formulas(self.path, tab) if cell.address == address)
        formula = next((cell.formula for cell in cells), "no formula")
        what, belongs = _place(tab, address, formula), _belongs(self.spec, tab, address, formula)
        return f"{self.path}: {what} is {name}: recalculated {_shown(value)}, retrained {expected!r}{belongs}"


def _place(tab: str, address: str, formula: str) -> str:
    return f"{tab}!{address} ({_cut(formula)})"


def _cut(formula: str) -> str:
    return formula if len(formula) <= FORMULA_SHOWN else formula[:FORMULA_SHOWN] + "…"


def _belongs(spec: Spec | None, tab: str, address: str, formula: str) -> str:
    """The formula that belongs into a cell of a training table, if it has another."""
    row, column = place(address)
    run = next((run for run in spec.runs if run.label == tab), None) if spec else None
    if not (spec and run and TABLE_TOP <= row <= TABLE_TOP + spec.steps):
        return ""
    found = next(islice(plan_table(spec, run).formulas(), column - 1, None), None)
    if found is None:
        return ""
    _, start, fill = found
    second = f"{column_letters(column)}{TABLE_TOP + 1}"
    own = FormulaCell(tab, address, fill, second, None).formula if row > TABLE_TOP else f"={start}"
    with suppress(FormulaError):
        if parse(own) == parse(formula):
            return ""
    return f"; {_cut(own)} belongs there"


def _shown(value: Value | None) -> str:
    return "nothing" if value is None else str(value) if isinstance(value, ExcelError) else repr(value)
