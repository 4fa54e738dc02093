"""Forward passes in cells: one with the chosen values, and two for each parameter, in which only that one is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from sympy import Symbol

from sheetgen.book import Tab
from sheetgen.cells import MAX_FORMULA, Block, Column, ExcelError, Value, column_letters
from sheetgen.errors import SpecError
from sheetgen.layout import Plan
from sheetgen.network import Equation, Parameter
from sheetgen.printer import excel
from sheetgen.style import RATE as RATE_FORMAT
from sheetgen.style import ROLES, VALUE, apply, shorten_large, style_id
from sheetgen.style import STEP as STEP_FORMAT
from sheetgen.tabs.state import State
from sheetgen.trace import evaluate

__all__ = ["FINE", "MAX_CELLS", "Passes", "fill"]

# Above this, not every parameter is moved.
MAX_CELLS = 250_000
# Columns before those of the network: the row's number, the parameter that is moved, and by how much.
LEAD = ("pass", "moved", "by")
COLUMN_WIDTH, FINE_WIDTH = 14.0, 18.0
# 12 decimals: E(w + h) and E(w − h) begin alike. A loss is never negative, so a condition cannot lose its sign.
FINE = "[>=1000]0.00000000000E+00;0.000000000000"
FORMATS = {"error": FINE, "total": FINE}
X, BY = Symbol("x"), Symbol("by")

Number = float | ExcelError


@dataclass(frozen=True)
class Passes:
    """The passes around the chosen values with step h: pass 0 moves nothing; 2k + 1 moves `moved[k]` by +h, 2k + 2
    by −h. The sheet row of pass 0 is `top`, once `moved` is known to the caller."""

    plan: Plan
    chosen: State
    h: float

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

    @cached_property
    def rows(self) -> list[tuple[Value, ...]]:
        """The values of every pass, one per column."""
        moves = [(p.symbol, by) for p in self.moved for by in (self.h, -self.h)]
        first = (0, "none", 0, *self._values(None, 0).values())
        return [first] + [(n, s.name, by, *self._values(s, by).values()) for n, (s, by) in enumerate(moves, 1)]

    def _values(self, moved: Symbol | None, by: float) -> dict[Symbol, Number]:
        values: dict[Symbol, Number] = {}
        for equation in self.equations:
            symbol = equation.symbol
            if equation.kind not in ("data", "parameter"):
                values[symbol] = evaluate(equation.expr, values)
            elif symbol == moved:
                values[symbol] = evaluate(X + BY, {X: self.chosen.values[symbol], BY: by})
            else:
                values[symbol] = self.chosen.values[symbol]
        return values

    def loss(self, number: int) -> Number:
        """E_total of a pass."""
        value = self.rows[number][-1]
        assert not isinstance(value, str) or isinstance(value, ExcelError)
        return value

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
    tab.block = Block(top, tuple(columns), passes.rows)
    for place, equation in enumerate(passes.equations, len(LEAD) + 1):
        wide = FINE_WIDTH if equation.kind in FORMATS else COLUMN_WIDTH
        dimension = tab.ws.column_dimensions[column_letters(place)]
        dimension.width = max(dimension.width if dimension.customWidth else 0, wide)
    first, last, bottom = column_letters(len(LEAD) + 1), column_letters(len(columns)), tab.block.bottom
    _mark_moved(tab, f"{first}{top}:{last}{bottom}", f"$B{top}={first}${top - 1}")
    shorten_large(tab.ws, f"{first}{top}:{last}{bottom}")


def _headings(tab: Tab, passes: Passes, top: int, columns: int) -> None:
    for column in range(1, 11):
        title = "The forward passes" if column == 1 else None
        apply(tab.put(top - 3, column, title), "heading")
    note = "Row 0 has the chosen values. In every other row the marked parameter is moved; nothing else is changed."
    apply(tab.put(top - 2, 1, note), "muted")
    labels = (*LEAD, *(equation.symbol.name for equation in passes.equations))
    assert len(labels) == columns
    for column, label in enumerate(labels, 1):
        apply(tab.put(top - 1, column, label), "header")


def _columns(tab: Tab, passes: Passes, top: int, h_name: str, moved: str) -> Iterator[Column]:
    """Each column's formula in row 0 and in row 1, which is filled down."""
    text, step = style_id(tab.ws, "symbol"), style_id(tab.ws, "label", STEP_FORMAT)
    yield Column("0", f"A{top}+1", step)
    yield Column('"none"', f"INDEX({moved},INT((A{top + 1}+1)/2))", text)
    yield Column("0", f"IF(MOD(A{top + 1},2)=1,{h_name},-{h_name})", style_id(tab.ws, "formula", RATE_FORMAT))
    letters = {e.symbol: column_letters(place) for place, e in enumerate(passes.equations, len(LEAD) + 1)}
    first, second = ({s: f"{letter}{row}" for s, letter in letters.items()} for row in (top, top + 1))
    for equation in passes.equations:
        style = _style(tab, equation)
        given = f"{letters[equation.symbol]}${top}"
        if equation.kind == "data":
            yield Column(passes.chosen.cells[equation.symbol], given, style)
        elif equation.kind == "parameter":
            is_moved = f"$B{top + 1}={letters[equation.symbol]}${top - 1}"
            yield Column(passes.chosen.cells[equation.symbol], f"{given}+IF({is_moved},$C{top + 1},0)", style)
        else:
            yield Column(_printed(equation, first), _printed(equation, second), style)


def _printed(equation: Equation, names: Mapping[Symbol, str]) -> str:
    formula = excel(equation.expr, names)
    if len(formula) > MAX_FORMULA:
        raise SpecError(
            f"Gradient check: the formula of {equation.symbol.name} would have {len(formula)} characters; Excel allows "
            f"{MAX_FORMULA}. Use fewer units, inputs or samples"
        )
    return formula


def _style(tab: Tab, equation: Equation) -> int:
    plain = RATE_FORMAT if equation.kind == "data" else VALUE
    return style_id(tab.ws, "result" if equation.kind == "total" else "formula", FORMATS.get(equation.kind, plain))


def _mark_moved(tab: Tab, cells: str, condition: str) -> None:
    """Colour the cells of the range whose condition (relative to its first cell) holds."""
    look = ROLES["group"]
    assert look.fill.fgColor is not None
    fill_color = PatternFill(bgColor=look.fill.fgColor.rgb)
    marked = DifferentialStyle(font=Font(color=look.font.color, bold=True), fill=fill_color)
    tab.ws.conditional_formatting.add(cells, Rule(type="expression", dxf=marked, formula=[condition]))
