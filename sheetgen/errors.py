"""The errors a user can cause; anything else is a bug and keeps its traceback."""

__all__ = ["CheckError", "OutputError", "SheetgenError", "SpecError"]


class SheetgenError(Exception):
    """An error a user can cause; str() is the one line shown: where, what was found, what is allowed, what next."""


class SpecError(SheetgenError):
    """The spec, or an option that overrides it, cannot be built."""


class OutputError(SheetgenError):
    """The output file cannot be written."""


class CheckError(SheetgenError):
    """A workbook cannot be checked: it is no workbook, is damaged, or was not written by sheetgen."""
