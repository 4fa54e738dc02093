"""A workbook confirmed or refuted by programs that share no code with this one."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from sheetgen.errors import CheckError

if TYPE_CHECKING:
    from sheetgen.check.engines import Engine
    from sheetgen.check.foreign.told import Foreign
    from sheetgen.check.report import Report
    from sheetgen.spec.structure import Spec

__all__ = ["check"]


def check(
    path: str | PathLike[str], engine: Engine | None = None, *, spec: Spec | None = None, progress: bool = False,
    alone: bool = False,
) -> Report | Foreign:  # fmt: skip
    """Judge a workbook.

    One that this program wrote is recalculated by the engine ("ironcalc", the default, or "libreoffice") and, if
    PyTorch is installed, its network is trained again; a live digit network's maps are PyTorch's to confirm where no
    engine is named. In any other every training table is found by its labels, or as
    `spec` says, and each cell compared with what its own row says it should be; an engine recalculates beside it only
    if it is named. What comes back says in `ok` whether all agrees, in `failure` what is the first wrong cell, and in
    `lines()` what the command prints. `progress` shows bars on stderr. With `alone` neither an engine nor PyTorch is
    asked, as in a browser: of this program's own workbooks formulas and labels alone are judged. CheckError, in one
    line, if the file is no workbook, is damaged or has no training table, or if the engine fails.
    """
    if _is_ours(Path(path)):
        from sheetgen.check.report import report, report_alone
        from sheetgen.xlsx.reader import read_names

        if "exercise" in read_names(Path(path)):
            raise CheckError(f"{path}: is an exercise, which judges itself; sheetgen grade {path} says how far it is")
        if alone:
            return report_alone(Path(path))
        return report(Path(path), engine, progress)
    from sheetgen.check.foreign.findings import examine

    network = None
    if spec is not None:
        from sheetgen.check.foreign.translate import network_of

        network = network_of(spec)
    found = examine(Path(path), network)
    if engine is not None:
        from sheetgen.check.foreign.beside import recalculated

        found = recalculated(found, engine, progress)
    return found


def _is_ours(path: Path) -> bool:
    """Whether sheetgen wrote a workbook, perhaps saved by another program since. CheckError if it cannot be read."""
    from sheetgen.xlsx.archive import CREATOR
    from sheetgen.xlsx.reader import read_names, read_properties

    return read_properties(path).creator == CREATOR or {"spec", "w_1"} <= read_names(path).keys()
