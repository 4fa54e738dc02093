"""The Test tab: what each run makes, after its last update, of the samples that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Symbol

from sheetgen.errors import SpecError
from sheetgen.maths.network import Equation
from sheetgen.maths.printer import excel
from sheetgen.maths.rules import averages
from sheetgen.spec.catalog import TEST_TAB
from sheetgen.spec.structure import Spec
from sheetgen.tabs import inputs
from sheetgen.tabs.plan import Plan, Training
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_FORMULA, Formula, column_letters
from sheetgen.xlsx.charts import reference
from sheetgen.xlsx.page import heading
from sheetgen.xlsx.style import furnish

__all__ = ["TAB", "TITLE", "Score", "fill", "has_accuracy"]

TAB = TEST_TAB
TITLE = "every run on the samples that it did not learn from"
LOSS_ROW, ACCURACY_ROW, BLOCK_ROW, HEADER, TOP = 4, 5, 6, 7, 8
RIGHT = "right"
PRINT_SCALE = 55


@dataclass(frozen=True)
class Score:
    """The loss of a run on the samples of the test, and which part of them it gets right, for another tab to show."""

    loss: Formula
    accuracy: Formula | None


def has_accuracy(spec: Spec) -> bool:
    """Whether the targets are classes: one output of 1 among several, or a single one of 0 or 1."""
    rows = [*spec.targets, *spec.test_targets]
    if len(rows[0]) == 1:
        return spec.loss == "binary_cross_entropy" and all(row[0] in (0, 1) for row in rows)
    return all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] for row in rows)


def fill(tab: Tab, plan: Plan) -> list[Score]:
    """The tab: the samples, and a forward pass of each with the last weights of every run beside it."""
    spec = plan.spec
    typed = len(spec.inputs[0]) + len(spec.targets[0])
    scaled = len(spec.inputs[0]) if spec.scale else 0
    equations = list(_equations(plan))
    width = len(equations) + has_accuracy(spec)
    furnish(
        tab.ws,
        title="Test",
        subtitle=f"The {len(spec.test_inputs)} samples that no run learns from, with each run's weights after its last "
        "update.",
        widths=[15] + [11] * typed + [13] * scaled + [3] + ([12.5] * width + [3]) * len(plan.trainings),
        freeze=f"B{TOP}",
        tab_color="verdict",
        fit_width=False,
        repeat_first=True,
    )
    tab.ws.page_setup.scale, tab.ws.page_setup.pageOrder = PRINT_SCALE, "overThenDown"
    tab.put(LOSS_ROW, 1, "test loss", "label")
    if has_accuracy(spec):
        tab.put(ACCURACY_ROW, 1, "test accuracy", "label")
    cells = _samples(tab, plan)
    first = typed + scaled + 3
    return [_run(tab, plan, one, equations, cells, first + at * (width + 1)) for at, one in enumerate(plan.trainings)]


def _equations(plan: Plan) -> Iterator[Equation]:
    """A forward pass of one sample: the first of a row."""
    for equation in plan.network.forward:
        name = equation.symbol.name
        if equation.kind not in ("data", "parameter", "total") and (name.endswith("[1]") or "[" not in name):
            yield equation


def _samples(tab: Tab, plan: Plan) -> dict[Symbol, str]:
    """The data of every sample; where a formula finds each symbol of it, as a column."""
    spec, network = plan.spec, plan.network
    count = len(spec.inputs[0])
    letter = "x" if spec.scale else "i"
    labels = [f"{letter}{number}" for number in range(1, count + 1)]
    labels += [f"t{number}" for number in range(1, len(spec.targets[0]) + 1)]
    named = [f"{label}\n{name}" for label, name in zip(labels, spec.names, strict=True)] if spec.names else labels
    scaled = [f"i{number}" for number in range(1, count + 1)] if spec.scale else []
    heading(tab, BLOCK_ROW, len(labels) + 1 + len(scaled), "Samples")
    tab.header(HEADER, 1, ("sample", *named, *scaled), 32 if spec.names else None)
    for row, (given, targets) in enumerate(zip(spec.test_inputs, spec.test_targets, strict=True), TOP):
        tab.put(row, 1, row - TOP + 1, "label")
        for column, value in enumerate((*given, *targets), 2):
            tab.put(row, column, value, "input")
        for number in range(len(scaled)):
            low, high = (reference(inputs.TAB, cell) for cell in inputs.spread_cells(spec, number))
            text = inputs.SCALED[spec.scale].format(low, high, x=f"{column_letters(number + 2)}{row}")
            tab.put(row, len(labels) + 2 + number, Formula(f"={text}"), "formula", formats.VALUE)
    bottom, after = TOP + len(spec.test_inputs) - 1, column_letters(count + 2)
    inputs.validate(tab, f"B{TOP}:{column_letters(count + 1)}{bottom}", inputs.ANY)
    inputs.validate(tab, f"{after}{TOP}:{column_letters(len(labels) + 1)}{bottom}", inputs.allowed_targets(spec))
    start = len(labels) + 2 if scaled else 2
    found = {symbol: column_letters(start + at) for at, symbol in enumerate(network.inputs[0])}
    return found | {symbol: column_letters(count + 2 + at) for at, symbol in enumerate(network.targets[0])}


def _run(
    tab: Tab, plan: Plan, training: Training, equations: list[Equation], data: Mapping[Symbol, str], column: int
) -> Score:
    """The forward passes of a run, from this column on."""
    spec, network = plan.spec, plan.network
    labels = [equation.symbol.name.removesuffix("[1]") for equation in equations]
    classes = has_accuracy(spec)
    heading(tab, BLOCK_ROW, len(labels) + classes, training.run.label, column)
    tab.header(HEADER, column, [*labels, *([RIGHT] if classes else [])])
    letters = {equation.symbol: column_letters(at) for at, equation in enumerate(equations, column)}
    fixed = {p.symbol: training.table.cell(p.symbol, spec.steps) for p in network.parameters}
    bottom = TOP + len(spec.test_inputs) - 1
    for row in range(TOP, bottom + 1):
        names = fixed | {symbol: f"{letter}{row}" for symbol, letter in {**data, **letters}.items()}
        for at, equation in enumerate(equations, column):
            text = excel(equation.expr, names)
            if len(text) > MAX_FORMULA:
                raise SpecError(f"{TAB}: the formula of {equation.symbol.name} is too long; use fewer units or inputs")
            look = formats.LOSS if equation.kind == "error" else formats.VALUE
            tab.put(row, at, Formula(f"={text}"), "formula", look)
        if classes:
            tab.put(row, column + len(labels), Formula(f"={_is_right(plan, names)}"), "formula", formats.WHOLE)
    errors = [f"{letters[error]}{TOP}:{letters[error]}{bottom}" for error in network.errors[0]]
    over = 1 if spec.reduction == "sum" else len(spec.test_inputs) * (len(errors) if averages(spec) else 1)
    tab.put(LOSS_ROW, column, Formula(f"=SUM({','.join(errors)})/{over}"), "result", formats.LOSS)
    loss = Formula(f"={reference(TAB, f'{column_letters(column)}{LOSS_ROW}')}")
    if not classes:
        return Score(loss, None)
    marks = column_letters(column + len(labels))
    tab.put(ACCURACY_ROW, column, Formula(f"=AVERAGE({marks}{TOP}:{marks}{bottom})"), "result", formats.PERCENT)
    return Score(loss, Formula(f"={reference(TAB, f'{column_letters(column)}{ACCURACY_ROW}')}"))


def _is_right(plan: Plan, names: Mapping[Symbol, str]) -> str:
    """1 where the largest output is that of the target or, of a single one, on the target's side of one half."""
    outs = [names[unit.out] for unit in plan.network.units[0][-1]]
    targets = [names[target] for target in plan.network.targets[0]]
    if len(outs) == 1:
        return f"IF(({outs[0]}>=0.5)=({targets[0]}>=0.5),1,0)"
    chosen = "+".join(f"{target}*{out}" for target, out in zip(targets, outs, strict=True))
    return f"IF({chosen}>=MAX({','.join(outs)}),1,0)"
