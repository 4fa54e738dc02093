"""Forward passes in cells: one with the chosen values, and two for each parameter, in which only that one is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Symbol

from sheetgen.errors import SpecError
from sheetgen.maths.network import Equation, Parameter
from sheetgen.maths.printer import excel
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Block, FillDown, column_letters
from sheetgen.xlsx.page import heading
from sheetgen.xlsx.style import color_where, shorten_large, style_id

__all__ = ["MAX_CELLS", "Passes", "fill"]

# Above this, not every parameter is moved.
MAX_CELLS = 250_000
# Columns before those of the network: the row's number, the parameter that is moved, and by how much.
LEAD = ("pass", "moved", "by")
COLUMN_WIDTH, FINE_WIDTH = 14.0, 18.0
FORMATS = {"error": formats.FINE, "total": formats.FINE}


@dataclass(frozen=True)
class Passes:
    """The passes around the chosen values: pass 0 moves nothing; 2k + 1 moves `moved[k]` by +h, 2k + 2 by −h."""

    plan: Plan
    chosen: State

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The columns of a pass, in order of evaluation: data, parameters, units, errors; E_total is the last."""
        return self.plan.network.forward

    @cached_property
    def moved(self) -> tuple[Parameter, ...]:
        """Every trained parameter or, in a large network, as many as MAX_CELLS allows, evenly spread to the last."""
        trained = self.plan.network.trained
        count = min(len(trained), max(1, MAX_CELLS // (2 * (len(LEAD) + len(self.equations)))))
        return tuple(trained[-1 - place * len(trained) // count] for place in reversed(range(count)))

    @property
    def cells_of_all(self) -> int:
        """How many cells it would take to move every trained parameter."""
        return 2 * len(self.plan.network.trained) * (len(LEAD) + len(self.equations))

    @property
    def loss_column(self) -> str:
        """The letters of E_total's column."""
        return column_letters(len(LEAD) + len(self.equations))


def fill(tab: Tab, passes: Passes, top: int, h_name: str, moved: str) -> None:
    """The passes as a block from row `top`, with headings in the three rows above it.

    `h_name` is the defined name of h, `moved` the range that lists the names of the moved parameters.
    """
    columns = list(_columns(tab, passes, top, h_name, moved))
    _headings(tab, passes, top, len(columns))
    count = 1 + 2 * len(passes.moved)
    tab.block = Block(top, tuple(columns), [[None] * len(columns) for _ in range(count)], pending=True)
    for place, equation in enumerate(passes.equations, len(LEAD) + 1):
        wide = FINE_WIDTH if equation.kind in FORMATS else COLUMN_WIDTH
        dimension = tab.ws.column_dimensions[column_letters(place)]
        dimension.width = max(dimension.width if dimension.customWidth else 0, wide)
    first, last, bottom = column_letters(len(LEAD) + 1), column_letters(len(columns)), tab.block.bottom
    color_where(tab.ws, f"{first}{top}:{last}{bottom}", "group", f"$B{top}={first}${top - 1}")
    shorten_large(tab.ws, f"{first}{top}:{last}{bottom}")


def _headings(tab: Tab, passes: Passes, top: int, columns: int) -> None:
    heading(tab, top - 3, 10, "The forward passes")
    text = "Row 0 has the chosen values. In every other row the marked parameter is moved; nothing else is changed."
    tab.put(top - 2, 1, text, "muted")
    labels = (*LEAD, *(equation.symbol.name for equation in passes.equations))
    assert len(labels) == columns
    tab.header(top - 1, 1, labels)


def _columns(tab: Tab, passes: Passes, top: int, h_name: str, moved: str) -> Iterator[FillDown]:
    """Each column's formula in row 0 and in row 1, which is filled down."""
    text, step = style_id(tab.ws, "symbol"), style_id(tab.ws, "label", formats.WHOLE)
    yield FillDown("0", f"A{top}+1", step)
    yield FillDown('"none"', f"INDEX({moved},INT((A{top + 1}+1)/2))", text)
    yield FillDown("0", f"IF(MOD(A{top + 1},2)=1,{h_name},-{h_name})", style_id(tab.ws, "formula", formats.RATE))
    letters = {e.symbol: column_letters(place) for place, e in enumerate(passes.equations, len(LEAD) + 1)}
    first, second = ({s: f"{letter}{row}" for s, letter in letters.items()} for row in (top, top + 1))
    for equation in passes.equations:
        style = _style(tab, equation)
        given = f"{letters[equation.symbol]}${top}"
        if equation.kind == "data":
            yield FillDown(passes.chosen.cells[equation.symbol], given, style)
        elif equation.kind == "parameter":
            is_moved = f"$B{top + 1}={letters[equation.symbol]}${top - 1}"
            yield FillDown(passes.chosen.cells[equation.symbol], f"{given}+IF({is_moved},$C{top + 1},0)", style)
        else:
            yield FillDown(_printed(equation, first), _printed(equation, second), style)


def _printed(equation: Equation, names: Mapping[Symbol, str]) -> str:
    formula = excel(equation.expr, names)
    if len(formula) > MAX_FORMULA:
        raise SpecError(
            f"Gradient check: the formula of {equation.symbol.name} would have {len(formula)} characters; Excel allows "
            f"{MAX_FORMULA}. Use fewer units, inputs or samples"
        )
    return formula


def _style(tab: Tab, equation: Equation) -> int:
    plain = formats.RATE if equation.kind == "data" else formats.VALUE
    return style_id(tab.ws, "result" if equation.kind == "total" else "formula", FORMATS.get(equation.kind, plain))
