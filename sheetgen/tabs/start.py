"""The Start tab: what the workbook is, how to use it, what it found, and the way to every tab."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sympy import Symbol

from sheetgen.maths.rules import RATE
from sheetgen.spec.structure import Published, Spec
from sheetgen.tabs import compare, gradient_check, test
from sheetgen.tabs.kind_words import layer_words
from sheetgen.tabs.plan import Plan, Training
from sheetgen.tabs.words import loss_words, rate_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.page import AGREES, DIFFERS, NO_NUMBER, Page, count, height_of, judge
from sheetgen.xlsx.style import furnish, verdict_rules

__all__ = ["fill", "summary"]

WIDTHS = (20, 16, 20, 18, 14, 18, 34)
# The verdict on the gradients takes a second line beyond this many characters.
ONE_LINE = 45
PUBLISHED_LABELS = ("quantity", "step", "published", "this workbook", "difference", "to its last digit", "note")

HOW = (
    "1.  Change any yellow cell on tab Inputs: every tab is computed again at once.",
    "2.  Choose a run and a step on tab Network: its picture, Derivation and Gradient check show that moment.",
    "3.  Click any cell to see its formula. In the table of a run, row 0 is the start and row 1 is one update; every "
    "later row is row 1 filled down.",
    "4.  Everything but the yellow cells is protected, so that nothing is typed over by accident. Unprotect Sheet, on "
    "Excel's tab Review, opens a tab for changes; there is no password.",
    "5.  To start over, close the file without saving it.",
)
TABS = {
    "Inputs": "every number that you can change: data, initial weights, learning rates, threshold",
    "Network": "the picture of the network, with its values at the rate and step that you choose",
    "Derivation": "where every gradient comes from",
    "Compare": "every run's loss in one chart, and in numbers",
    "Gradient check": "every gradient beside a central difference of the loss",
    "Map": "what the network answers over the plane of its inputs, and the samples on it",
    "Landscape": "the loss over two parameters that you choose, and the path of training in it",
}
# role, word, meaning
LEGEND = (
    ("input", "input", "yours to change"),
    ("formula", "formula", "computed from the inputs"),
    ("result", "result", "computed too: what to look at first"),
    ("good", AGREES, "a check that is met"),
    ("bad", DIFFERS, "a check that is not met"),
)


def fill(
    tab: Tab,
    plan: Plan,
    checks: gradient_check.Landmarks,
    runs: compare.Landmarks,
    extra: Sequence[tuple[str, str]] = (),
    drawn: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> None:
    """The tab; `extra` are further tabs, each a title and one line of what it shows. `drawn` are those of TABS that
    not every workbook has; `left_out` says why others are missing."""
    furnish(
        tab.ws,
        title=plan.spec.title,
        subtitle="Back-propagation in a spreadsheet, all of it in live formulas.",
        widths=WIDTHS,
        tab_color="start",
        landscape=False,
    )
    page = Page(tab, WIDTHS, 4)
    page.heading("What this is")
    for paragraph in (summary(plan.spec), *_paragraphs(plan.spec.about)):
        page.text(paragraph)
    page.heading("How to use it")
    for line in HOW:
        page.text(line)
    page.heading("What it found")
    _verdicts(page, checks, runs)
    if plan.spec.published:
        page.heading("Beside published numbers")
        _published(page, plan)
    page.heading("The tabs")
    _tabs(page, plan, drawn, extra)
    for reason in filter(None, left_out):
        page.text(reason)
    page.heading("Colours")
    for role, word, meaning in LEGEND:
        page.cells((word, role, None), (f"  {meaning}", "muted", None))


def _paragraphs(about: str) -> list[str]:
    """The paragraphs of the spec's text, which blank lines part."""
    return [" ".join(part.split()) for part in about.split("\n\n") if part.strip()]


def summary(spec: Spec) -> str:
    """The network and its training in two sentences."""
    *hidden, last = spec.layers
    parts = [count(len(spec.inputs[0]), "input")]
    parts += [
        f"{count(layer.units, 'hidden unit')} ({layer.activation})" if layer.kind == "linear" else layer_words(layer)
        for layer in hidden
    ]
    parts.append(f"{count(last.units, 'output')} ({last.activation})")
    biased = [layer for layer in spec.layers if layer.count("b")]
    biases = "no biases" if not biased else "biases" if any(layer.train_bias for layer in biased) else "fixed biases"
    samples = count(len(spec.inputs), "sample")
    if len(spec.inputs) > 1:
        samples += f", {_taken(spec)} in each update"
    if spec.test_inputs:
        samples += f" and is tested with {len(spec.test_inputs)} others"
    several = len(spec.optimizers) > 1
    runs = count(len(spec.runs), "optimizer" if several else "learning rate")
    return (
        f"A network of {' → '.join(parts)} with {biases} learns from {samples}: {count(spec.steps, 'update')} with "
        f"{runs}. Its loss E_total is {loss_words(spec)}."
    )


def _taken(spec: Spec) -> str:
    """Which samples an update takes."""
    if spec.turns == 1:
        return "all"
    return ("one" if spec.batch_size == 1 else str(spec.batch)) + ("" if spec.shuffle is None else ", shuffled,")


def _verdicts(page: Page, checks: gradient_check.Landmarks, runs: compare.Landmarks) -> None:
    """The gradient check in one line, and the final loss of every run."""
    tab, row = page.tab, page.row
    tab.put(row, 1, "gradients", "label")
    tab.merge(row, 2, 4, checks.verdict, "verdict")
    tab.put(row, 5, checks.largest, "result", formats.DIFFERENCE)
    tab.put(row, 6, "  is the largest difference", "muted")
    if len(checks.good) > ONE_LINE:
        tab.ws.row_dimensions[row].height = 34
    good, bad = (f'ISNUMBER(SEARCH("{words}",$B${row}))' for words in ("agree with", "differ from"))
    verdict_rules(tab.ws, f"B{row}:D{row}", good, f'OR({bad},$B${row}="{gradient_check.NO_CHOICE}")')
    page.row += 2
    page.header("run", runs.loss_label, "verdict")
    for run in runs.runs:
        page.cells((run.label, "label", None), (run.loss, "result", formats.LOSS), (run.verdict, "verdict", None))
    judge(tab, f"C{page.row - len(runs.runs)}:C{page.row - 1}", compare.REACHED, compare.DIVERGED)


def _published(page: Page, plan: Plan) -> None:
    """Numbers that a book or page prints, beside those of the first run."""
    page.text(f"This workbook's numbers are those of tab {plan.first.run.label}.")
    page.header(*PUBLISHED_LABELS)
    for one in plan.spec.published:
        _published_row(page, plan, one)
    judge(page.tab, f"F{page.row - len(plan.spec.published)}:F{page.row - 1}", AGREES, DIFFERS)


def _published_row(page: Page, plan: Plan, one: Published) -> None:
    """One number: it agrees if ours, rounded to as many digits, is the same."""
    row, digits = page.row, _decimals(one.value)
    half = float(Decimal(5).scaleb(-digits - 1))
    number = f"0.{'0' * digits}" if digits else "0"
    judged = f'=IF(ISNUMBER(E{row}),IF(ABS(E{row})<={repr(half).upper()},"{AGREES}","{DIFFERS}"),"{NO_NUMBER}")'
    page.tab.ws.row_dimensions[row].height = height_of(one.note, WIDTHS[-1]) - 2
    page.cells(
        (one.symbol, "symbol", None),
        (one.step, "formula", formats.WHOLE),
        (one.value, "formula", number),
        (Formula(f"={plan.first.table.cell(Symbol(one.symbol), one.step)}"), "result", number),
        (Formula(f"=D{row}-C{row}"), "formula", formats.DIFFERENCE),
        (Formula(judged), "verdict", None),
        (one.note, "text", None),
    )


def _decimals(value: float) -> int:
    """How many digits stand behind the point.

    >>> _decimals(0.298371109), _decimals(3.51085e-05), _decimals(12.0)
    (9, 10, 0)
    """
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _tabs(page: Page, plan: Plan, drawn: Sequence[str], extra: Sequence[tuple[str, str]]) -> None:
    """Every tab after this one, with what it shows; the names of the runs' tabs are what Network offers to choose."""
    for title in ("Inputs", "Network", "Derivation"):
        page.link(title, TABS[title])
    top = page.row
    for training in plan.trainings:
        page.link(training.run.label, _run_text(plan, training))
    page.tab.define("runs", f"$A${top}:$A${page.row - 1}")
    tested = [(test.TAB, test.TITLE)] if plan.spec.test_inputs else []
    others = ((title, TABS[title]) for title in ("Compare", "Gradient check", *drawn))
    for title, description in (*tested, *others, *extra):
        page.link(title, description)


def _run_text(plan: Plan, training: Training) -> Formula | str:
    """What a run's tab shows; the learning rate follows its cell."""
    rows = f"{plan.spec.steps + 1} rows, one per step, and charts of the loss and the weights"
    if len(plan.spec.optimizers) > 1:
        return f"optimizer {training.run.label}: {rows}"
    return Formula(f'="learning rate "&{rate_words(training.table.setting(RATE))}&": {rows}"')
