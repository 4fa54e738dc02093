"""A workbook confirmed or refuted by programs that share no code with this one."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetgen.check.engines import Engine
    from sheetgen.check.report import Report

__all__ = ["check"]


def check(path: str | PathLike[str], engine: Engine = "ironcalc", *, progress: bool = False) -> Report:
    """Recalculate a workbook that this program wrote and, if PyTorch is installed, train its network again.

    The report's `ok` says whether every referee agrees, its `failure` names the first cell that differs, and `lines()`
    is what the command prints. `progress` shows bars on stderr. CheckError, in one line, if the file is no workbook,
    is damaged or was not written by sheetgen, or if the engine ("ironcalc" or "libreoffice") fails.
    """
    from sheetgen.check.report import report

    return report(Path(path), engine, progress)
