"""The errors a user can cause (anything else is a bug and keeps its traceback), and Excel's, which are values."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

__all__ = ["ERRORS", "CheckError", "ExcelError", "OutputError", "SheetgenError", "SpecError", "run_command"]

ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")


class SheetgenError(Exception):
    """An error a user can cause; str() is the one line shown: where, what was found, what is allowed, what next."""


class SpecError(SheetgenError):
    """The spec, or an option that overrides it, cannot be built."""


class OutputError(SheetgenError):
    """The output file cannot be written."""


class CheckError(SheetgenError):
    """A workbook cannot be checked: it is no workbook, is damaged, or was not written by sheetgen."""


def run_command(program: str, action: Callable[[], int | None], kept: str) -> int:
    """A command's exit code: 0 (or what it returns), 1 with one line on stderr, or 130 if it is interrupted.

    `kept` says what an interrupt leaves. A reader that has seen enough of the output (head, a pager) ends it with 1.
    """
    try:
        code = action() or 0
        sys.stdout.flush()
    except SheetgenError as error:
        print(f"{program}:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted; {kept}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # What Python still has buffered must go somewhere, or its last flush would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


class ExcelError(str):
    """An error as the value of a cell, one of ERRORS; ValueError for any other text."""

    __slots__ = ()

    def __new__(cls, name: str) -> ExcelError:
        if name not in ERRORS:
            raise ValueError(f"{name!r} is no error value of Excel; these are: {', '.join(ERRORS)}")
        return super().__new__(cls, name)
