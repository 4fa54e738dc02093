"""The Start tab: what the workbook is, how to use it, what it found, and the way to every tab."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from sympy import Symbol

from sheetgen.book import Content, Tab
from sheetgen.cells import ExcelError, Formula
from sheetgen.layout import Plan, Training
from sheetgen.model import Published, Spec
from sheetgen.rules import RATE
from sheetgen.style import DIFFERENCE, LOSS, apply, furnish, verdict_rules
from sheetgen.style import STEP as STEP_FORMAT
from sheetgen.tabs import compare, gradient_check
from sheetgen.tabs.words import LOSS_WORDS, rate_text

__all__ = ["AGREES", "DIFFERS", "NO_NUMBER", "fill"]

WIDTHS = (20, 16, 20, 18, 14, 18, 34)
# Letters are narrower than the digit that widths are counted in; a little less than measured, so that no line is cut.
LETTERS_PER_WIDTH = 1.18
LINE_HEIGHT, GAP = 15.5, 6.0
AGREES, DIFFERS, NO_NUMBER = "agrees", "differs", "no number"
# The verdict on the gradients takes a second line beyond this many characters.
ONE_LINE = 45
PUBLISHED_LABELS = ("quantity", "step", "published", "this workbook", "difference", "to its last digit", "note")

HOW = (
    "1.  Change any yellow cell on tab Inputs: every tab is computed again at once.",
    "2.  Choose a run and a step on tab Network: its picture, Derivation and Gradient check show that moment.",
    "3.  Click any cell to see its formula. In the table of a run, row 0 is the start and row 1 is one update; every "
    "later row is row 1 filled down.",
    "4.  To start over, close the file without saving it.",
)
TABS = {
    "Inputs": "every number that you can change: data, initial weights, learning rates, threshold",
    "Network": "the picture of the network, with its values at the rate and step that you choose",
    "Derivation": "where every gradient comes from, factor by factor",
    "Compare": "every run's loss in one chart, and in numbers",
    "Gradient check": "every gradient beside a central difference of the loss",
}
# role, word, meaning
LEGEND = (
    ("input", "input", "yours to change"),
    ("formula", "formula", "computed from the inputs"),
    ("result", "result", "computed too: what to look at first"),
    ("good", "agrees", "a check that is met"),
    ("bad", "differs", "a check that is not met"),
)


def fill(
    tab: Tab,
    plan: Plan,
    checks: gradient_check.Landmarks,
    runs: compare.Landmarks,
    extra: Sequence[tuple[str, str]] = (),
) -> None:
    """The tab; `extra` are further tabs, each a title and one line of what it shows."""
    furnish(
        tab.ws,
        title=plan.spec.title,
        subtitle="Back-propagation in a spreadsheet, all of it in live formulas.",
        widths=WIDTHS,
        tab_color="start",
        landscape=False,
    )
    writer = _Writer(tab, 4)
    writer.heading("What this is")
    for paragraph in (_summary(plan.spec), *_paragraphs(plan.spec.about)):
        writer.text(paragraph)
    writer.heading("How to use it")
    for line in HOW:
        writer.text(line)
    writer.heading("What it found")
    _verdicts(writer, checks, runs)
    if plan.spec.published:
        writer.heading("Beside published numbers")
        _published(writer, plan)
    writer.heading("The tabs")
    for title, description in (*_tabs(plan), *extra):
        writer.link(title, description)
    writer.heading("Colours")
    for role, word, meaning in LEGEND:
        writer.cells((word, role, None), (f"  {meaning}", "muted", None))


@dataclass
class _Writer:
    """Writes row after row."""

    tab: Tab
    row: int

    def heading(self, content: str) -> None:
        """A section's title across the columns, after an empty row."""
        self.row += 1
        for column in range(1, len(WIDTHS) + 1):
            apply(self.tab.put(self.row, column, content if column == 1 else None), "heading")
        self.tab.ws.row_dimensions[self.row].height = 24
        self.tab.ws.row_dimensions[self.row + 1].height = GAP
        self.row += 2

    def text(self, content: str) -> None:
        """A paragraph across the columns."""
        self.merge(1, len(WIDTHS))
        apply(self.tab.put(self.row, 1, content), "text")
        self.tab.ws.row_dimensions[self.row].height = 3 + LINE_HEIGHT * _lines(content, sum(WIDTHS))
        self.row += 1

    def cells(self, *contents: tuple[Content, str, str | None]) -> int:
        """A row of cells from column A on, each a content, role and number format; returns the row."""
        for column, (content, role, number_format) in enumerate(contents, 1):
            apply(self.tab.put(self.row, column, content), role, number_format)
        self.row += 1
        return self.row - 1

    def merge(self, first: int, last: int) -> None:
        """Merge columns of the row that is written next."""
        self.tab.ws.merge_cells(start_row=self.row, end_row=self.row, start_column=first, end_column=last)

    def link(self, title: str, description: Formula | str) -> None:
        """A tab's title that leads there, and what it shows."""
        cell = self.tab.put(self.row, 1, title)
        apply(cell, "link")
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{quote_sheetname(title)}!A1", display=title)
        apply(self.tab.put(self.row, 2, description), "muted")
        self.row += 1


def _lines(content: str, width: float) -> int:
    return max(1, math.ceil(len(content) / (width * LETTERS_PER_WIDTH)))


def _paragraphs(about: str) -> list[str]:
    """The paragraphs of the spec's text, which blank lines part."""
    return [" ".join(part.split()) for part in about.split("\n\n") if part.strip()]


def _summary(spec: Spec) -> str:
    """The network and its training in two sentences."""
    *hidden, last = spec.layers
    parts = [_count(len(spec.inputs[0]), "input")]
    parts += [f"{_count(layer.units, 'hidden unit')} ({layer.activation})" for layer in hidden]
    parts.append(f"{_count(last.units, 'output')} ({last.activation})")
    biased = [layer for layer in spec.layers if layer.bias is not None]
    biases = "no biases" if not biased else "biases" if any(layer.train_bias for layer in biased) else "fixed biases"
    samples = _count(len(spec.inputs), "sample")
    if len(spec.inputs) > 1:
        samples += ", one in each update" if spec.batch == "online" else ", all in each update"
    several = len(spec.optimizers) > 1
    runs = _count(len(spec.runs), "optimizer" if several else "learning rate")
    return (
        f"A network of {' → '.join(parts)} with {biases} learns from {samples}: {_count(spec.steps, 'update')} with "
        f"{runs}. Its loss E_total is {LOSS_WORDS[spec.loss]}."
    )


def _count(number: int, noun: str) -> str:
    """
    >>> _count(1, "input"), _count(2, "input")
    ('1 input', '2 inputs')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _verdicts(writer: _Writer, checks: gradient_check.Landmarks, runs: compare.Landmarks) -> None:
    """The gradient check in one line, and the final loss of every run."""
    writer.merge(2, 4)
    row = writer.cells(("gradients", "label", None), (checks.verdict, "verdict", None))
    apply(writer.tab.put(row, 5, checks.largest), "result", DIFFERENCE)
    apply(writer.tab.put(row, 6, "  is the largest difference"), "muted")
    if len(str(checks.verdict.value)) > ONE_LINE:
        writer.tab.ws.row_dimensions[row].height = 34
    cell = f"$B${row}"
    good, bad = (f'ISNUMBER(SEARCH("{words}",{cell}))' for words in ("agree with", "gradients differ"))
    verdict_rules(writer.tab.ws, f"B{row}:D{row}", good, bad)
    writer.row += 1
    writer.cells(*((label, "header", None) for label in ("run", runs.loss_label, "verdict")))
    for run in runs.runs:
        writer.cells((run.label, "label", None), (run.loss, "result", LOSS), (run.verdict, "verdict", None))
    first, last = writer.row - len(runs.runs), writer.row - 1
    verdict_rules(writer.tab.ws, f"C{first}:C{last}", f'C{first}="{compare.REACHED}"', f'C{first}="{compare.DIVERGED}"')


def _published(writer: _Writer, plan: Plan) -> None:
    """Numbers that a book or page prints, beside those of the first run."""
    writer.text(f"This workbook's numbers are those of tab {plan.first.run.label}.")
    writer.cells(*((label, "header", None) for label in PUBLISHED_LABELS))
    for one in plan.spec.published:
        _published_row(writer, plan, one)
    first, last = writer.row - len(plan.spec.published), writer.row - 1
    verdict_rules(writer.tab.ws, f"F{first}:F{last}", f'F{first}="{AGREES}"', f'F{first}="{DIFFERS}"')


def _published_row(writer: _Writer, plan: Plan, one: Published) -> None:
    """One number: it agrees if ours, rounded to as many digits, is the same."""
    symbol, row, digits = Symbol(one.symbol), writer.row, _decimals(one.value)
    ours = plan.first.value(symbol, one.step)
    half = float(Decimal(5).scaleb(-digits - 1))
    difference = ours if isinstance(ours, ExcelError) else ours - one.value
    verdict = NO_NUMBER if isinstance(difference, ExcelError) else AGREES if abs(difference) <= half else DIFFERS
    number = f"0.{'0' * digits}" if digits else "0"
    judged = f'=IF(ISNUMBER(E{row}),IF(ABS(E{row})<={repr(half).upper()},"{AGREES}","{DIFFERS}"),"{NO_NUMBER}")'
    writer.tab.ws.row_dimensions[row].height = 1 + LINE_HEIGHT * _lines(one.note, WIDTHS[-1])
    writer.cells(
        (one.symbol, "symbol", None),
        (one.step, "formula", STEP_FORMAT),
        (one.value, "formula", number),
        (Formula(f"={plan.first.table.cell(symbol, one.step)}", ours), "result", number),
        (Formula(f"=D{row}-C{row}", difference), "formula", DIFFERENCE),
        (Formula(judged, verdict), "verdict", None),
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


def _tabs(plan: Plan) -> Iterator[tuple[str, Formula | str]]:
    """Every tab after this one, with what it shows."""
    yield from ((title, TABS[title]) for title in ("Inputs", "Network", "Derivation"))
    for training in plan.trainings:
        yield training.run.label, _run_text(plan, training)
    yield from ((title, TABS[title]) for title in ("Compare", "Gradient check"))


def _run_text(plan: Plan, training: Training) -> Formula | str:
    """What a run's tab shows; the learning rate follows its cell."""
    rows = f"{plan.spec.steps + 1} rows, one per step, and charts of the loss and the weights"
    if len(plan.spec.optimizers) > 1:
        return f"optimizer {training.run.label}: {rows}"
    cell = f"{quote_sheetname(training.table.tab)}!{training.table.settings[RATE]}"
    rate = rate_text(training.run.rate)
    return Formula(f'="learning rate "&{cell}&": {rows}"', f"learning rate {rate}: {rows}")
