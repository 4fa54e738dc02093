"""The Derivation tab: where every gradient comes from, with live values at the chosen rate and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Symbol

from sheetgen.book import Tab
from sheetgen.cells import MAX_FORMULA, Formula, Value
from sheetgen.explain import Path, Story, tell
from sheetgen.layout import Plan, printed
from sheetgen.network import Equation
from sheetgen.printer import text
from sheetgen.rules import LOSSES, OPTIMIZERS
from sheetgen.style import VALUE, apply, furnish
from sheetgen.tabs.state import State
from sheetgen.tabs.words import ACTIVATION_WORDS, parameter_path
from sheetgen.trace import evaluate

NAME, FORMULA, VALUE_AT, TABLE_AT, DIFFERENCE_AT = 1, 2, 3, 4, 5
LONGEST_TEXT = 160
# The difference of two ways to compute a gradient is shown to this many decimals, relative to the gradient.
DECIMALS = 14


@dataclass(frozen=True)
class Landmarks:
    """The cells with differences, and how many gradients are derived."""

    differences: tuple[str, ...]
    gradients: int


def fill(tab: Tab, plan: Plan, chosen: State) -> Landmarks:
    """The tab: forward pass, then each gradient, last layer first."""
    furnish(
        tab.ws,
        title="Derivation",
        subtitle="Each gradient from the chain rule, with its value at the rate and step chosen on the Network tab.",
        widths=[26, 78, 18, 18, 14],
        tab_color="explain",
        landscape=False,
    )
    writer = _Writer(tab, chosen)
    writer.row = 4
    _forward(writer, plan)
    if plan.network.closed is None:
        _by_delta(writer, plan)
    else:
        for story in tell(plan.network):
            _story(writer, plan, story)
    _update_rule(writer, plan)
    return Landmarks(tuple(writer.differences), len(plan.network.trained))


@dataclass
class _Writer:
    """Writes line after line; `differences` are the cells that should be 0."""

    tab: Tab
    chosen: State
    row: int = 1

    def __post_init__(self) -> None:
        self.differences: list[str] = []

    def heading(self, content: str) -> None:
        """A section's title across the columns, after an empty row."""
        self.row += 1
        for column in range(NAME, DIFFERENCE_AT + 1):
            apply(self.tab.put(self.row, column, content if column == NAME else None), "heading")
        self.tab.ws.row_dimensions[self.row].height = 22
        self.row += 1

    def text(self, content: str, role: str = "text") -> None:
        """A paragraph across the columns."""
        self.tab.merge(self.row, NAME, DIFFERENCE_AT)
        apply(self.tab.put(self.row, NAME, content), role)
        lines = 1 + len(content) // 180
        self.tab.ws.row_dimensions[self.row].height = 4 + 16 * lines
        self.row += 1

    def header(self, *labels: str) -> None:
        for column, label in enumerate(labels, NAME):
            apply(self.tab.put(self.row, column, label), "header")
        self.row += 1

    def group(self, content: str, columns: int = 3) -> None:
        for column in range(NAME, NAME + columns):
            apply(self.tab.put(self.row, column, content if column == NAME else None), "group_left")
        self.row += 1

    def line(self, name: str, shown: str, value: Formula | None, role: str = "formula") -> int:
        """A name, its formula as text and its value; returns the row."""
        apply(self.tab.put(self.row, NAME, name), "symbol")
        apply(self.tab.put(self.row, FORMULA, _cut(shown)), "symbol")
        if value is not None:
            apply(self.tab.put(self.row, VALUE_AT, value), role, VALUE)
        self.row += 1
        return self.row - 1

    def value(self, expr: Expr) -> Formula | None:
        """The expression as a live formula on the chosen values; None where it is too long to be one."""
        formula = printed(expr, self.chosen.cells)
        if len(formula) > MAX_FORMULA:
            return None
        return Formula(formula, evaluate(expr, self.chosen.values))

    def cell_value(self, row: int, column: int = VALUE_AT) -> Value:
        return self.tab.stored[row, column]

    def difference(self, left: int, right: int) -> None:
        """The difference of the values in two rows, relative to the second."""
        apply(self.tab.put(self.row, NAME, "difference"), "symbol")
        apply(self.tab.put(self.row, FORMULA, f"of the two, to {DECIMALS} decimals"), "symbol")
        self.put_difference(self.row, VALUE_AT, f"C{left}", f"C{right}", self.cell_value(left), self.cell_value(right))
        self.row += 1

    def put_difference(self, row: int, column: int, left: str, right: str, a: Value, b: Value) -> None:
        value: Value = a if isinstance(a, str) else b if isinstance(b, str) else _difference(a, b)
        formula = Formula(f"=ROUND(({left}-{right})/MAX(1,ABS({right})),{DECIMALS})", value)
        cell = self.tab.put(row, column, formula)
        apply(cell, "result", "0")
        self.differences.append(cell.coordinate)


def _difference(a: float, b: float) -> float:
    return round((a - b) / max(1, abs(b)), DECIMALS)


def _forward(writer: _Writer, plan: Plan) -> None:
    """Net inputs, activations and losses, for the first sample of a row."""
    writer.heading("The forward pass")
    for activation in dict.fromkeys(layer.activation for layer in plan.spec.layers):
        writer.text(ACTIVATION_WORDS[activation])
    writer.text(f"Loss: {LOSSES[plan.spec.loss].text}")
    if plan.network.samples > 1:
        writer.text("[1] marks the columns of sample 1; the other samples have the same formulas.")
    writer.header("symbol", "formula", "value")
    for equation in _first_sample(plan):
        writer.line(equation.symbol.name, text(equation.expr), writer.chosen.formula(equation.symbol))


def _first_sample(plan: Plan) -> Iterator[Equation]:
    for equation in plan.network.forward:
        name = equation.symbol.name
        if equation.kind not in ("data", "parameter") and (name.endswith("[1]") or "[" not in name):
            yield equation


def _story(writer: _Writer, plan: Plan, story: Story) -> None:
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
        product = writer.line("sum of the paths", text(story.sum), Formula(formula, _sum(writer, shares)), "result")
    closed = (plan.network.closed or {})[parameter.symbol]
    value = writer.value(closed)
    assert value is not None
    row = writer.line("closed form", text(closed), value, "result")
    writer.difference(product, row)


def _sum(writer: _Writer, rows: list[int]) -> Value:
    values = [writer.cell_value(row) for row in rows]
    errors = [value for value in values if isinstance(value, str)]
    return errors[0] if errors else sum(float(value) for value in values)


def _path(writer: _Writer, path: Path) -> int:
    writer.group(f"through {_through(path)}")
    return _factors(writer, path, "share of this path")


def _through(path: Path) -> str:
    """The nodes on the way, from the parameter to the loss."""
    return " → ".join(factor.of.name for factor in reversed(path.factors))


def _factors(writer: _Writer, path: Path, label: str) -> int:
    """The factors of a path and their product; the product's row."""
    rows = [writer.line(f.name, text(f.expr), writer.value(f.expr)) for f in path.factors]
    product: Value = 1.0
    for row in rows:
        factor = writer.cell_value(row)
        if isinstance(product, str) or isinstance(factor, str):
            product = product if isinstance(product, str) else factor
        else:
            product *= factor
    formula = Formula("=" + "*".join(f"C{row}" for row in rows), product)
    return writer.line(label, text(path.product), formula, "result")


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


def _by_delta(writer: _Writer, plan: Plan) -> None:
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
        _compared(writer, symbol, expr)
    writer.heading("Every gradient")
    mean = f", averaged over the {network.samples} samples" if network.samples > 1 else ""
    writer.text(
        "The chain rule: ∂E/∂w = ∂E/∂(net input of the unit that w enters) · ∂(net input)/∂w = its δ · the value that "
        f"w multiplies{mean}. A bias multiplies 1."
    )
    writer.header(*labels)
    for parameter in sorted(network.trained, key=lambda p: -p.layer):
        _compared(writer, parameter.gradient, network.gradient[parameter.symbol])


def _compared(writer: _Writer, symbol: Symbol, expr: Expr) -> None:
    """A formula evaluated here, beside the training table's own number."""
    row = writer.line(symbol.name, text(expr), writer.value(expr))
    table = writer.chosen.formula(symbol)
    apply(writer.tab.put(row, TABLE_AT, table), "formula", VALUE)
    if (row, VALUE_AT) in writer.tab.stored:
        writer.put_difference(row, DIFFERENCE_AT, f"C{row}", f"D{row}", writer.cell_value(row), table.value)


def _update_rule(writer: _Writer, plan: Plan) -> None:
    writer.heading("The update")
    for optimizer in dict.fromkeys(plan.spec.optimizers):
        writer.text(f"{optimizer.label}: {OPTIMIZERS[optimizer.name].text}, where g is the gradient and η the rate.")
    if plan.spec.updates == "output_first":
        writer.text(
            "updates = output_first: the last layer moves first, and the other gradients use its new weights (marked "
            "′). They are then not the gradient of the loss at any one point."
        )


def _cut(shown: str) -> str:
    return shown if len(shown) <= LONGEST_TEXT else shown[: LONGEST_TEXT - 2] + " …"
