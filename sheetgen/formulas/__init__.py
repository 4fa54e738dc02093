"""Formula text as a tree: read, printed, and evaluated by Excel's rules."""

from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.formulas.sheet import CircularError, Workbook
from sheetgen.formulas.text import show

__all__ = ["CircularError", "FormulaError", "Workbook", "parse", "show"]
