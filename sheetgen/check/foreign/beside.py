"""What an engine makes of a stranger's workbook, beside the values that are stored in it."""

from __future__ import annotations

from dataclasses import replace

from tqdm import tqdm

from sheetgen.check.engines import NAMES, Engine, recalculate
from sheetgen.check.foreign.told import Foreign
from sheetgen.check.rounding import difference
from sheetgen.errors import ExcelError
from sheetgen.xlsx.reader import read_formulas

__all__ = ["recalculated"]

ALIKE = 1e-9
"""The largest relative difference that is not told; some programs store ten digits."""


def recalculated(found: Foreign, engine: Engine, progress: bool) -> Foreign:
    """With a line about how many formulas the engine gives another value than is stored. CheckError if it fails."""
    with tqdm(desc="recalculating", unit=" cells", disable=not progress, leave=False) as bar:
        values = recalculate(found.path, engine, bar.update)
    count, errors, first = 0, 0, ""
    cells = 0
    for cell in read_formulas(found.path):
        cells += 1
        value = values[cell.tab, cell.address]
        if cell.value is None or difference(cell.value, value, 0.0) <= ALIKE:
            continue
        count += 1
        # IronCalc has an error of its own for circles, #CIRC!
        errors += isinstance(value, ExcelError) or (isinstance(value, str) and value.startswith("#"))
        first = first or f"{cell.tab}!{cell.address} is stored as {cell.value} and recalculated as {value}"
    said = f"{count:,} differ from what is stored ({errors:,} are errors); first {first}" if count else "as stored"
    return replace(found, beside=f"{NAMES[engine]}  {cells:,} formulas recalculated: {said}")
