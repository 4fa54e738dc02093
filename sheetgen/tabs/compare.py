"""The Compare tab: every run's loss in one chart, and in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sheetgen.errors import ExcelError
from sheetgen.maths.rules import RATE
from sheetgen.tabs.plan import Plan, Training
from sheetgen.tabs.test import Score
from sheetgen.tabs.words import rate_words
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.charts import Live, Series, place, reference, scatter
from sheetgen.xlsx.page import NO_NUMBER, judge, note
from sheetgen.xlsx.style import furnish

__all__ = ["CONVERGING", "DIVERGED", "NEVER", "REACHED", "UNMOVED", "Landmarks", "RunCells", "fill"]

THRESHOLD_ROW, HEADER, TOP = 4, 6, 7
WIDTHS = (22, 17, 17, 16, 22, 25, 25)
CHART_ROWS = 22
DIVERGED, REACHED, CONVERGING, UNMOVED = "diverged", "below the threshold", "converging", "no progress"
NEVER = "never"
# Where the highest loss is this many times the first, the linear chart is cut, and at how many times.
CUT_BEYOND, CUT_AT = 10.0, 3.0
# Line widths in points; the losses of single samples zigzag.
THICK, THIN = 1.75, 0.75


@dataclass(frozen=True)
class RunCells:
    """A run's label, final loss and verdict, as formulas that show them on another tab."""

    label: Formula
    loss: Formula
    verdict: Formula


@dataclass(frozen=True)
class Landmarks:
    """Every run in order, and what their final losses are called."""

    runs: tuple[RunCells, ...]
    loss_label: str


def fill(tab: Tab, plan: Plan, scores: Sequence[Score] = ()) -> Landmarks:
    """The tab: the table, and under it the losses on a linear and on a logarithmic axis; `scores` are of tab Test."""
    furnish(
        tab.ws,
        title="Compare",
        subtitle=f"The loss of every {_kind(plan)} over {plan.spec.steps} updates, from the same initial weights.",
        widths=[*WIDTHS, *([16, 16] if scores else ())],
        tab_color="verdict",
        fit_height=True,
    )
    tab.put(THRESHOLD_ROW, 1, "threshold", "header")
    tab.put(THRESHOLD_ROW, 2, Formula("=threshold"), "result", formats.RATE)
    tab.put(THRESHOLD_ROW, 3, "← set on tab Inputs", "muted")
    tab.header(HEADER, 1, _labels(plan), 32)
    runs = tuple(_run(tab, plan, training, row) for row, training in enumerate(plan.trainings, TOP))
    for row, score in enumerate(scores, TOP):
        _scored(tab, score, row)
    bottom = TOP + len(runs) - 1
    judge(tab, f"G{TOP}:G{bottom}", REACHED, DIVERGED)
    row = bottom + 2
    notes: list[Formula | str] = [*_notes(plan), *_cut_note(plan, bottom)]
    for content in notes:
        note(tab, row, (1, len(WIDTHS)), content, width=sum(WIDTHS))
        row += 1
    _charts(tab, plan, row + 1)
    return Landmarks(runs, _labels(plan)[2])


def _kind(plan: Plan) -> str:
    return "optimizer" if len(plan.spec.optimizers) > 1 else "learning rate"


def _window(plan: Plan) -> int:
    """How many steps the first and the last loss are the mean of: one pass through the samples."""
    return min(plan.spec.turns, plan.spec.steps + 1)


def _labels(plan: Plan) -> tuple[str, ...]:
    count = _window(plan)
    pattern = "{} loss" if count == 1 else f"mean loss of the {{}} {count} steps"
    first, last = pattern.format("first"), pattern.format("last")
    return _kind(plan), first, last, "last / first", "lowest loss", "first step below the threshold", "verdict"


def _run(tab: Tab, plan: Plan, training: Training, row: int) -> RunCells:
    """The row of a run. Diverged: the loss left the range of numbers, or ended higher than it started."""
    cells = training.table.column(plan.network.total)
    first, last = _ends(plan, training)
    verdict = (
        f'=IF(COUNT({cells})<{training.table.rows},"{DIVERGED}",IF(C{row}>B{row},"{DIVERGED}",'
        f'IF(C{row}<threshold,"{REACHED}",IF(C{row}<B{row},"{CONVERGING}","{UNMOVED}"))))'
    )
    # An engine that cannot look along an array says so, instead of "never".
    first_below = f"SUMPRODUCT(MATCH(TRUE,{cells}<threshold,0))-1"
    below = f'=IF(COUNTIF({cells},"<"&threshold)=0,"{NEVER}",{first_below})'
    tab.put_row(
        row,
        1,
        (_label(plan, training), "label", None),
        (first, "formula", formats.LOSS),
        (last, "result", formats.LOSS),
        (Formula(f'=IFERROR(C{row}/B{row},"{NO_NUMBER}")'), "formula", formats.RATIO),
        (Formula(f'=IFERROR(MIN({cells}),"{NO_NUMBER}")'), "formula", formats.LOSS),
        (Formula(below), "formula", formats.WHOLE),
        (Formula(verdict), "verdict", None),
    )
    return RunCells(*(Formula(f"={reference(tab.ws.title, f'{letter}{row}')}") for letter in "ACG"))


def _scored(tab: Tab, score: Score, row: int) -> None:
    """What the run makes of the samples of tab Test, in two columns after the others."""
    tab.put(HEADER, 8, "test loss", "header")
    tab.put(row, 8, score.loss, "result", formats.LOSS)
    if score.accuracy:
        tab.put(HEADER, 9, "test accuracy", "header")
        tab.put(row, 9, score.accuracy, "result", formats.PERCENT)


def _label(plan: Plan, training: Training) -> Formula | str:
    """The optimizer's label, or "lr " and the rate now."""
    if len(plan.spec.optimizers) > 1:
        return training.run.label
    return Formula(f'="lr "&{rate_words(training.table.setting(RATE))}')


def _ends(plan: Plan, training: Training) -> tuple[Formula, Formula]:
    """The first and the last loss, each the mean over a window of steps."""
    total, count, table = plan.network.total, _window(plan), training.table
    if count == 1:
        return Formula(f"={table.cell(total, 0)}"), Formula(f"={table.cell(total, plan.spec.steps)}")
    letter, tab = table.letters[total], table.tab
    first = reference(tab, f"{letter}{table.top}:{letter}{table.top + count - 1}")
    last = reference(tab, f"{letter}{table.bottom - count + 1}:{letter}{table.bottom}")
    return Formula(f"=AVERAGE({first})"), Formula(f"=AVERAGE({last})")


def _notes(plan: Plan) -> Iterator[str]:
    count = _window(plan)
    if plan.spec.turns > 1:
        alone = "one sample" if plan.spec.batch_size == 1 else f"its {plan.spec.batch_size} samples"
        yield (
            f"batch = {plan.spec.batch}: the loss of a step is that of {alone}, so it rises and falls with the "
            f"samples. The first and the last loss here are therefore the mean over {count} steps."
        )
    yield (
        f"{DIVERGED}: the loss, or a number on the way to it, left the range of numbers (PyTorch may go on with "
        f"infinity there), or the loss ended higher than it started. {REACHED}: the last loss is below it. "
        f"{CONVERGING}: it ended lower than it started."
    )


def _cut(plan: Plan) -> float | None:
    """Where the linear chart ends, if a loss rises far beyond the first."""
    every = [
        loss
        for training in plan.trainings
        for loss in training.series(plan.network.total)
        if not isinstance(loss, ExcelError)
    ]
    starts = [training.value(plan.network.total, 0) for training in plan.trainings]
    highest = max((float(start) for start in starts if not isinstance(start, ExcelError)), default=0.0)
    return float(f"{CUT_AT * highest:.1g}") if highest > 0 and max(every) > CUT_BEYOND * highest else None


def _cut_note(plan: Plan, bottom: int) -> Iterator[Formula]:
    """What the linear chart leaves out, if it is cut; it follows the numbers."""
    cut = _cut(plan)
    if cut is not None:
        above = f'COUNTIF(B{TOP}:B{bottom},">{cut!r}")'
        ends = f"The linear chart ends at {cut!r}: a loss rises far beyond the first. The logarithmic chart shows all. "
        yield Formula(f'="{ends}"&IF({above}=0,"","Runs that begin above it: "&{above}&".")')


def _charts(tab: Tab, plan: Plan, row: int) -> None:
    """The losses over the steps, linear on the left and logarithmic on the right."""
    series = [_series(tab, plan, training, at) for at, training in enumerate(plan.trainings, TOP)]
    every = f"every {_kind(plan)}"
    linear = scatter(f"E_total of {every}", "step", "E_total", series, y_min=0.0, y_max=_cut(plan), legend="b")
    place(tab.ws, linear, f"A{row}", f"D{row + CHART_ROWS - 1}", _words(plan, "linear"))
    log = scatter(f"E_total of {every}, logarithmic", "step", "E_total", series, log_y=True, legend="b")
    place(tab.ws, log, f"E{row}", f"G{row + CHART_ROWS - 1}", _words(plan, "logarithmic"))


def _words(plan: Plan, axis: str) -> str:
    runs = ", ".join(training.run.label for training in plan.trainings)
    return f"Lines of the loss E_total over {plan.spec.steps} updates on a {axis} axis, one for each of {runs}."


def _series(tab: Tab, plan: Plan, training: Training, row: int) -> Series:
    line = training.line(plan.network.total)
    width = THIN if _window(plan) > 1 else THICK
    return Series(Live(tab, f"A{row}"), line.x_ref, line.y_ref, line.xs, line.ys, width=width)
