"""The Derivation tab: where every gradient comes from, with live values at the chosen rate and step."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from sheetgen.maths.network import Equation
from sheetgen.maths.printer import excel, text
from sheetgen.maths.rules import LOSSES
from sheetgen.maths.story import Path, Story, tell
from sheetgen.tabs import derivation_shared
from sheetgen.tabs.numbers import Numbers
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import State
from sheetgen.tabs.words import ACTIVATION_WORDS, parameter_path, schedule_words, update_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Content, Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters
from sheetgen.xlsx.page import Page, height_of, judge_zero
from sheetgen.xlsx.style import furnish

WIDTHS = (26, 78, 18, 18, 14)
# To the right of what is printed stands how each number is written in the lines with numbers.
LIST_AT, LIST_WIDTHS = 7, (14, 8, 8, 8, 14)
VALUE_AT, TABLE_AT, DIFFERENCE_AT = 3, 4, 5
# In characters of the default font; the expressions are larger and stand in from the edge.
EXPRESSION_WIDTH, NUMBERS_WIDTH, ONE_LINE = 66.0, 72.0, 19.0
LONGEST_TEXT = 400
# Characters of a symbol's number, or a little more.
NUMBER_LENGTH = 8
# The difference of two ways to compute a gradient is shown to this many decimals, relative to the gradient.
DECIMALS = 14


def fill(tab: Tab, plan: Plan, chosen: State, blanks: Collection[Symbol] = ()) -> None:
    """The tab: forward pass, then each gradient, last layer first; but nothing that tells a blank of an exercise."""
    kinds = {column.kind for column in plan.first.table.equations.columns if column.symbol in blanks}
    furnish(
        tab.ws,
        title="Derivation",
        subtitle="Each gradient from the chain rule, in symbols and, for the chosen rate and step, in numbers.",
        widths=(*WIDTHS, 3, *LIST_WIDTHS),
        tab_color="explain",
        landscape=False,
    )
    writer = _Lines(tab, WIDTHS, 4, gap=0, chosen=chosen, numbers=Numbers(tab, chosen, 4, LIST_AT))
    _forward(writer, plan, blanks)
    if kinds & {"delta", "gradient"}:
        writer.heading("The gradients")
        writer.text("They are yours to find.")
    elif not plan.spec.dense:
        derivation_shared.fill(writer, plan)
    elif plan.network.closed is None:
        _by_delta(writer, plan)
    else:
        for story in tell(plan.network):
            _story(writer, plan, story)
    if not kinds & {"parameter", "next", "state"}:
        _update_rule(writer, plan)
    writer.break_pages()
    tab.ws.print_area = f"A1:{column_letters(len(WIDTHS))}{writer.row - 1}"


@dataclass
class _Lines(Page):
    """A page whose lines are a name, its formula as text and its value."""

    chosen: State = field(kw_only=True)
    numbers: Numbers = field(kw_only=True)

    def line(self, name: str, shown: str, value: Formula | None, role: str = "formula") -> int:
        """The row of a line."""
        cells: list[tuple[Content, str, str | None]] = [(name, "symbol", None), (_cut(shown), "expression", None)]
        height = height_of(_cut(shown), EXPRESSION_WIDTH)
        if height > ONE_LINE:
            self.tab.ws.row_dimensions[self.row].height = height
        return self.cells(*cells, *([(value, role, formats.VALUE)] if value else []))

    def worked(self, name: str, expr: Expr, value: Formula | None, role: str = "formula") -> int:
        """A line and, below it, the same with the numbers of the chosen moment; the row of the first."""
        shown = text(expr)
        row = self.line(name, shown, value, role)
        alone = expr.is_Symbol or len(shown) > LONGEST_TEXT
        numbers = None if alone or value is None else self.numbers.formula(expr, f"C{row}")
        if numbers:
            length = len(text(expr, dict.fromkeys(expr.free_symbols, "0" * NUMBER_LENGTH))) + NUMBER_LENGTH
            height = height_of("0" * length, NUMBERS_WIDTH)
            if height > ONE_LINE:
                self.tab.ws.row_dimensions[self.row].height = height
            self.cells((None, "symbol", None), (numbers, "numbers", None), (None, "formula", None))
        return row

    def value(self, expr: Expr) -> Formula | None:
        """The expression as a live formula on the chosen values; None where it is too long to be one."""
        formula = f"={excel(expr, self.chosen.cells)}"
        return Formula(formula) if len(formula) <= MAX_FORMULA else None

    def compared(self, symbol: Symbol, expr: Expr) -> None:
        """A formula evaluated here, beside the training table's own number."""
        value = self.value(expr)
        row = self.worked(symbol.name, expr, value)
        self.tab.put(row, TABLE_AT, self.chosen.formula(symbol), "formula", formats.VALUE)
        if value is not None:
            self.difference(row, DIFFERENCE_AT, f"C{row}", f"D{row}")

    def difference(self, row: int, column: int, left: str, right: str) -> None:
        """The difference of two cells, relative to the second."""
        formula = Formula(f"=ROUND(({left}-{right})/MAX(1,ABS({right})),{DECIMALS})")
        cell = self.tab.put(row, column, formula, "result", formats.ZERO)
        judge_zero(self.tab, cell.coordinate)


def _forward(writer: _Lines, plan: Plan, blanks: Collection[Symbol]) -> None:
    """Net inputs, activations and losses, for the first sample of a row."""
    writer.heading("The forward pass")
    for activation in dict.fromkeys(layer.activation for layer in plan.spec.layers if layer.active):
        writer.text(ACTIVATION_WORDS[activation])
    writer.text(f"Loss: {LOSSES[plan.spec.loss].text}")
    if plan.network.samples > 1:
        first = "sample 1" if plan.spec.turns == 1 else "the first sample of a row"
        writer.text(f"[1] marks the columns of {first}; the other samples have the same formulas.")
    writer.header("symbol", "formula", "value")
    for equation in _first_sample(plan):
        name, value = equation.symbol.name, writer.chosen.formula(equation.symbol)
        if equation.symbol in blanks:
            writer.line(name, "yours to find", value)
        else:
            writer.worked(name, equation.expr, value)


def _first_sample(plan: Plan) -> Iterator[Equation]:
    for equation in plan.network.forward:
        name = equation.symbol.name
        if equation.kind not in ("data", "parameter") and (name.endswith("[1]") or "[" not in name):
            yield equation


def _story(writer: _Lines, plan: Plan, story: Story) -> None:
    """One gradient: the paths in words and symbols, every factor, the product, the closed form, the difference."""
    parameter = story.parameter
    name = parameter.symbol.name
    writer.heading(f"∂E_total/∂{name}: {parameter_path(plan.spec, parameter)}")
    writer.text(_in_words(story))
    chains = [" · ".join(factor.name for factor in path.factors) for path in story.paths]
    writer.text(f"∂E_total/∂{name} = " + "  +  ".join(chains), "equation")
    writer.header("factor", "formula", "value")
    if len(story.paths) == 1:
        product = _factors(writer, story.paths[0], "product")
    else:
        shares = [_path(writer, path) for path in story.paths]
        formula = "=" + "+".join(f"C{row}" for row in shares)
        product = writer.line("sum of the paths", text(story.sum), Formula(formula), "result")
    closed = (plan.network.closed or {})[parameter.symbol]
    row = writer.worked("closed form", closed, writer.value(closed), "result")
    below = writer.line("difference", f"of the two, to {DECIMALS} decimals", None)
    writer.difference(below, VALUE_AT, f"C{product}", f"C{row}")


def _path(writer: _Lines, path: Path) -> int:
    writer.group(f"through {_through(path)}", 3)
    return _factors(writer, path, "share of this path")


def _through(path: Path) -> str:
    """The nodes on the way, from the parameter to the loss."""
    return " → ".join(factor.of.name for factor in reversed(path.factors))


def _factors(writer: _Lines, path: Path, label: str) -> int:
    """The factors of a path and their product; the product's row."""
    rows = [writer.worked(f.name, f.expr, writer.value(f.expr)) for f in path.factors]
    product = Formula("=" + "*".join(f"C{row}" for row in rows))
    return writer.line(label, text(path.product), product, "result")


def _in_words(story: Story) -> str:
    name = story.parameter.symbol.name
    if story.unreached:
        reached = " and ".join(dict.fromkeys(path.loss.name for path in story.paths))
        others = ", ".join(part.name for part in story.unreached)
        zeros = ", ".join(f"∂{part.name}/∂{name} = 0" for part in story.unreached)
        return f"{name} reaches the loss only through {reached}. {others} does not depend on {name}, so {zeros}."
    if len(story.paths) == 1:
        return f"{name} reaches the loss along one path."
    ends = [path.loss.name for path in story.paths]
    if len(set(ends)) == len(ends):
        return f"{name} reaches {' and '.join(ends)}: the paths add up."
    return f"{name} reaches the loss along {len(ends)} paths, which add up."


def _by_delta(writer: _Lines, plan: Plan) -> None:
    """δ of every unit, then every gradient in terms of δ: bounded however large the network is."""
    network = plan.network
    writer.heading("Backwards: δ of every unit")
    writer.text(
        "δ of a unit is ∂E/∂(its net input), E being the loss of one sample. In the last layer it comes from the "
        "loss; in any other, from the δ of the units that it feeds: each times the weight in between, added up, times "
        "the slope of the unit's own activation."
    )
    labels = ("symbol", "formula", "value", "in the table", "difference")
    writer.header(*labels)
    for symbol, expr in network.delta.items():
        writer.compared(symbol, expr)
    writer.heading("Every gradient")
    mean = f", {_added(plan)} over the {network.samples} samples" if network.samples > 1 else ""
    writer.text(
        "The chain rule: ∂E/∂w = ∂E/∂(net input of the unit that w enters) · ∂(net input)/∂w = its δ · the value that "
        f"w multiplies{mean}. A bias multiplies 1."
    )
    writer.header(*labels)
    for parameter in sorted(network.trained, key=lambda p: -p.layer):
        writer.compared(parameter.gradient, network.gradient[parameter.symbol])


def _added(plan: Plan) -> str:
    return "summed" if plan.spec.reduction == "sum" else "averaged"


def _update_rule(writer: _Lines, plan: Plan) -> None:
    writer.heading("The update")
    for optimizer in dict.fromkeys(plan.spec.optimizers):
        writer.text(f"{optimizer.label}: {update_words(plan.spec, optimizer)}, where g is the gradient and η the rate.")
    if plan.spec.schedule:
        writer.text(f"In each row η is its own rate. {schedule_words(plan.spec)}; the η in it is the learning rate.")
    if plan.spec.updates == "output_first":
        writer.text(
            "updates = output_first: the last layer moves first, and the other gradients use its new weights (marked "
            "′). They are then not the gradient of the loss at any one point."
        )


def _cut(shown: str) -> str:
    return shown if len(shown) <= LONGEST_TEXT else shown[: LONGEST_TEXT - 2] + " …"
