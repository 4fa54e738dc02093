"""The CNN epochs tab: what every epoch measured, in charts and a table, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from openpyxl.chart import ScatterChart
from openpyxl.chart.marker import Marker
from openpyxl.utils import quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from cnn.run import Epoch
from cnn.tabs.cards import NONE, Card, note, put_cards
from cnn.tabs.facts import Facts
from sheetgen.book import Book, Tab
from sheetgen.cells import Formula, Value
from sheetgen.charts import Series, place, reference, scatter, tick
from sheetgen.style import MUTED, SHORT, STEP, apply, furnish

__all__ = ["NEVER", "TARGET", "TITLE", "Landmarks", "fill"]

TITLE = "CNN epochs"
TARGET = "cnn_target"
TARGETS = {"mnist": 0.994, "digits": 0.97}
NEVER = "never"

RESULTS, REACHED, CHARTS, NOTE, GROUPS, HEADER, TOP = 4, 7, 10, 27, 28, 29, 30
CHART_BOTTOM = NOTE - 2
ONE_PAGE = 40
"""How many epochs are printed on one page; with more, each page repeats the header."""
WIDTHS = [13.0] * 11
LEARNING = "[<0.0001]0.0E+00;0.0000"
ACCURACY, SECONDS, PER_SECOND = "0.00%", "#,##0.0", "#,##0"
MEASURED = (
    ("epoch", STEP),
    ("train loss", SHORT),
    ("train accuracy", ACCURACY),
    ("test loss", SHORT),
    ("test accuracy", ACCURACY),
    ("learning rate at its end", LEARNING),
    ("seconds", SECONDS),
)
COMPUTED = (
    ("test error rate", ACCURACY),
    ("seconds so far", SECONDS),
    ("training images per second", PER_SECOND),
    ("reaches the target in epoch", STEP),
)
REMARK = (
    "Losses are means in nats. The training figures are means over the epoch's batches as the network saw them, "
    "changed at random and with dropout where the recipe says so; the test figures are of the whole test set after the "
    "epoch. Seconds are those of training and testing."
)
# Accuracies are fractions of whole images, whose last bit depends on the device that divided.
SLACK, SLACK_TEXT = 1e-9, "1E-9"


@dataclass(frozen=True)
class Landmarks:
    """The last epoch's test accuracy: the cell, for formulas of other tabs, and its value."""

    accuracy: Formula


def fill(book: Book, facts: Facts) -> Landmarks:
    """Add the tab, with the defined name of the target accuracy."""
    tab = book.add(TITLE)
    short = len(facts.run.epochs) <= ONE_PAGE
    furnish(
        tab.ws,
        title=f"{TITLE}: {facts.run.dataset}",
        subtitle=facts.subtitle,
        widths=WIDTHS,
        tab_color="training",
        fit_height=short,
        repeat_rows=None if short else f"{GROUPS}:{HEADER}",
    )
    table = _Table(facts)
    put_cards(tab, RESULTS, _results(table))
    put_cards(tab, REACHED, _reached(table))
    apply(tab.put(REACHED + 1, 4, "← type another target, and what stands beside it follows"), "muted")
    _name_target(book, tab)
    _fill_table(tab, table)
    note(tab, NOTE, (1, len(WIDTHS)), REMARK, height=30)
    _draw(tab, table)
    return Landmarks(Formula(f"={reference(TITLE, f'B{RESULTS + 1}')}", facts.run.epochs[-1].test_accuracy))


@dataclass(frozen=True)
class _Table:
    """The epochs, and where their numbers stand."""

    facts: Facts

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        return self.facts.run.epochs

    @property
    def bottom(self) -> int:
        return TOP + len(self.epochs) - 1

    @property
    def target(self) -> float:
        """What stands in the target's cell at first."""
        return TARGETS[self.facts.run.config["dataset"]]

    def column(self, letter: str) -> str:
        return f"{letter}{TOP}:{letter}{self.bottom}"

    def series(self, name: str, letter: str, numbers: Sequence[float]) -> Series:
        """A line over the epochs."""
        xs = [one.epoch for one in self.epochs]
        x_ref, y_ref = (reference(TITLE, self.column(column)) for column in ("A", letter))
        return Series(name, x_ref, y_ref, xs, numbers)


def _results(table: _Table) -> list[Card]:
    """The last epoch, the best one, and the time of all."""
    last, row = table.bottom, RESULTS + 1
    epoch, accuracy, seconds = table.column("A"), table.column("E"), table.column("G")
    end, best = table.epochs[-1], max(table.epochs, key=lambda one: one.test_accuracy)
    tests, trained = table.facts.test_images, table.facts.train_images
    error, total = 1 - end.test_accuracy, sum(one.seconds for one in table.epochs)
    rate: Value = end.epoch * trained / total if total > 0 else NONE
    misread = math.floor(error * tests + 0.5)
    return [
        Card("last epoch", Formula(f"=A{last}", end.epoch), STEP),
        Card("its test accuracy", Formula(f"=E{last}", end.test_accuracy), ACCURACY),
        Card("its error rate", Formula(f"=1-B{row}", error), ACCURACY),
        Card("test images misread", Formula(f"=ROUND(C{row}*H{row},0)", misread), PER_SECOND),
        Card("best epoch", Formula(f"=INDEX({epoch},MATCH(MAX({accuracy}),{accuracy},0))", best.epoch), STEP),
        Card("its test accuracy", Formula(f"=MAX({accuracy})", best.test_accuracy), ACCURACY),
        Card("training images", trained, PER_SECOND, "formula"),
        Card("test images", tests, PER_SECOND, "formula"),
        Card("seconds in all", Formula(f"=SUM({seconds})", total), SECONDS),
        Card("training images per second", Formula(f'=IF(I{row}>0,A{row}*G{row}/I{row},"{NONE}")', rate), PER_SECOND),
    ]


def _reached(table: _Table) -> list[Card]:
    """The target, the first epoch that reached it, and the time until then."""
    row, marks = REACHED + 1, table.column("K")
    first = next((one.epoch for one in table.epochs if _mark(one, table.target) != NONE), None)
    until = list(accumulate(one.seconds for one in table.epochs))
    epoch: Value = NEVER if first is None else first
    seconds: Value = NEVER if first is None else until[first - 1]
    return [
        Card("target test accuracy", table.target, ACCURACY, "input"),
        Card("first reached in epoch", Formula(f'=IF(COUNT({marks})=0,"{NEVER}",MIN({marks}))', epoch), STEP),
        Card(
            "seconds until then",
            Formula(f'=IF(ISNUMBER(B{row}),INDEX({table.column("I")},B{row}),"{NEVER}")', seconds),
            SECONDS,
        ),
    ]


def _mark(one: Epoch, target: float) -> Value:
    """The epoch, if it reaches the target."""
    return one.epoch if one.test_accuracy >= target - SLACK else NONE


def _name_target(book: Book, tab: Tab) -> None:
    """The target's name, and what may be typed there."""
    cell = f"A{REACHED + 1}"
    book.wb.defined_names[TARGET] = DefinedName(TARGET, attr_text=f"{quote_sheetname(TITLE)}!$A${REACHED + 1}")
    rule = DataValidation(
        type="custom",
        formula1=f"AND(ISNUMBER({cell}),{cell}>0,{cell}<=1)",
        showErrorMessage=True,
        errorTitle="Not allowed here",
        error="Type an accuracy: more than 0 %, at most 100 %.",
    )
    rule.add(cell)
    tab.ws.add_data_validation(rule)


def _fill_table(tab: Tab, table: _Table) -> None:
    """A row per epoch: what was measured as numbers, the rest as formulas of them."""
    for head, first, last in (("measured by the run", 1, 7), ("computed here", 8, len(WIDTHS))):
        for column in range(first, last + 1):
            apply(tab.put(GROUPS, column, head if column == first else None), "group")
        tab.ws.merge_cells(start_row=GROUPS, end_row=GROUPS, start_column=first, end_column=last)
    columns = (*MEASURED, *COMPUTED)
    for column, (name, _) in enumerate(columns, 1):
        apply(tab.put(HEADER, column, name), "header")
    tab.ws.row_dimensions[HEADER].height = 32
    trained = table.facts.train_images
    until = accumulate(one.seconds for one in table.epochs)
    for row, (one, so_far) in enumerate(zip(table.epochs, until, strict=True), TOP):
        rate: Value = trained / one.seconds if one.seconds > 0 else NONE
        computed = (
            Formula(f"=1-E{row}", 1 - one.test_accuracy),
            Formula(f"=I{row - 1}+G{row}" if row > TOP else f"=G{row}", so_far),
            Formula(f'=IF(G{row}>0,G${RESULTS + 1}/G{row},"{NONE}")', rate),
            Formula(f'=IF(E{row}>={TARGET}-{SLACK_TEXT},A{row},"{NONE}")', _mark(one, table.target)),
        )
        for column, content in enumerate((*vars(one).values(), *computed), 1):
            role = "label" if column == 1 else "formula"
            apply(tab.put(row, column, content), role, columns[column - 1][1])


def _draw(tab: Tab, table: _Table) -> None:
    """Loss, accuracy and learning rate, side by side."""
    charts = (
        (_loss(table), "A", "D"),
        (_accuracy(tab, table), "E", "H"),
        (_learning_rate(table), "I", "K"),
    )
    for chart, left, right in charts:
        place(tab.ws, chart, f"{left}{CHARTS}", f"{right}{CHART_BOTTOM}")


def _end(table: _Table) -> float | None:
    """Where the epochs' axis ends: one dot stands in its middle."""
    return 2.0 if len(table.epochs) == 1 else None


def _loss(table: _Table) -> ScatterChart:
    """The losses, on a logarithmic axis if all are above zero."""
    train = [one.train_loss for one in table.epochs]
    test = [one.test_loss for one in table.epochs]
    return scatter(
        "Loss",
        "epoch",
        "nats",
        [table.series("train", "B", train), table.series("test", "D", test)],
        log_y=min(*train, *test) > 0,
        x_max=_end(table),
        y_format="General",
        legend="b",
    )


def _accuracy(tab: Tab, table: _Table) -> ScatterChart:
    """The accuracies and the target; the target's line is drawn from cells behind the chart."""
    train = [one.train_accuracy for one in table.epochs]
    test = [one.test_accuracy for one in table.epochs]
    ends = (0.0, float(table.epochs[-1].epoch))
    behind = CHARTS + 3
    for row, (end, formula) in enumerate(zip(ends, ("=0", f"=A{table.bottom}"), strict=True), behind):
        apply(tab.put(row, 6, Formula(formula, end)), "muted")
        apply(tab.put(row, 7, Formula(f"={TARGET}", table.target)), "muted")
    x_ref, y_ref = (reference(TITLE, f"{letter}{behind}:{letter}{behind + 1}") for letter in "FG")
    target = Series("target", x_ref, y_ref, ends, [table.target] * 2, MUTED, "sysDash", 1.25)
    lowest = min(*train, *test, table.target)
    unit = tick(max(1 - lowest, 0.001), 6)
    chart = scatter(
        "Accuracy",
        "epoch",
        "fraction read correctly",
        [table.series("train", "C", train), table.series("test", "E", test), target],
        y_min=max(0.0, round(1 - unit * math.ceil((1 - lowest) / unit + 1e-9), 9)),
        y_max=1.0,
        x_max=_end(table),
        y_format="0%" if unit >= 0.01 else "0.0%" if unit >= 0.001 else "0.00%",
        legend="b",
    )
    chart.y_axis.majorUnit = unit
    chart.series[2].marker = Marker(symbol="none")
    return chart


def _learning_rate(table: _Table) -> ScatterChart:
    rates = [one.learning_rate for one in table.epochs]
    one = table.series("learning rate", "F", rates)
    look = "General" if max(rates) >= 0.001 else "0E+00"
    axis = "at the epoch's end"
    return scatter("Learning rate", "epoch", axis, [one], y_min=0.0, x_max=_end(table), legend=None, y_format=look)
