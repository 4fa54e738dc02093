"""The CNN epochs tab: what every epoch measured, in charts and a table, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from openpyxl.chart import ScatterChart
from openpyxl.chart.marker import Marker

from cnn.cells import Typed
from cnn.run import Epoch
from cnn.tabs import EPOCHS
from cnn.tabs.facts import Facts
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.charts import Series, place, reference, scatter, tick
from sheetgen.xlsx.formats import NONE
from sheetgen.xlsx.page import Card, note, put_cards
from sheetgen.xlsx.style import MUTED, furnish

__all__ = ["NEVER", "TARGET", "TITLE", "fill", "read"]

TITLE = EPOCHS
TARGET = "cnn_target"
TARGETS = {"mnist": 0.994, "digits": 0.97}
NEVER = "never"

RESULTS, REACHED, CHARTS, NOTE, GROUPS, HEADER, TOP = 4, 7, 10, 27, 28, 29, 30
CHART_BOTTOM = NOTE - 2
ONE_PAGE = 40
"""How many epochs are printed on one page; with more, each page repeats the header."""
WIDTHS = [13.0] * 12
MEASURED = (
    ("epoch", formats.WHOLE),
    ("train loss", formats.SHORT),
    ("train accuracy", formats.PERCENT),
    ("test loss", formats.SHORT),
    ("test accuracy", formats.PERCENT),
    ("learning rate at its end", formats.LEARNING),
    ("seconds", formats.SECONDS),
    ("images trained on", formats.THOUSANDS),
)
COMPUTED = (
    ("test error rate", formats.PERCENT),
    ("seconds so far", formats.SECONDS),
    ("images trained on per second", formats.THOUSANDS),
    ("reaches the target in epoch", formats.WHOLE),
)
REMARK = (
    "Losses are mean cross-entropies in nats, without smoothed targets. The training figures are means over the images "
    "that the epoch trained on, as the network saw them, changed at random and with dropout where the recipe says so; "
    "a recipe may train on a part only, the hardest among them. The test figures are of the whole test set after the "
    "epoch. Seconds are those of training and testing."
)
# Accuracies are fractions of whole images, whose last bit depends on the device that divided.
SLACK_TEXT = "1E-9"


def fill(book: Book, facts: Facts) -> Formula:
    """Add the tab, with the defined name of the target; what shows the last epoch's test accuracy on another tab."""
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
    tab.put(REACHED + 1, 4, "← type another target, and what stands beside it follows", "muted")
    _name_target(tab)
    _fill_table(tab, table)
    note(tab, NOTE, (1, len(WIDTHS)), REMARK, height=30)
    _draw(tab, table)
    return Formula(f"={reference(TITLE, f'B{RESULTS + 1}')}")


def read(cells: Typed, count: int) -> tuple[Epoch, ...]:
    """The epochs in a tab's table; CellError where one holds no number."""
    kinds: list[Callable[[int, int], Any]] = [
        cells.whole if field.name in ("epoch", "images") else cells.number for field in fields(Epoch)
    ]
    rows = range(TOP, TOP + count)
    return tuple(Epoch(*(kind(row, column) for column, kind in enumerate(kinds, 1))) for row in rows)


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
    per_second = f'=IF(I{row}>0,SUM({table.column("H")})/I{row},"{NONE}")'
    return [
        ("last epoch", Formula(f"=A{last}"), formats.WHOLE, "result"),
        ("its test accuracy", Formula(f"=E{last}"), formats.PERCENT, "result"),
        ("its error rate", Formula(f"=1-B{row}"), formats.PERCENT, "result"),
        ("test images misread", Formula(f"=ROUND(C{row}*H{row},0)"), formats.THOUSANDS, "result"),
        ("best epoch", Formula(f"=INDEX({epoch},MATCH(MAX({accuracy}),{accuracy},0))"), formats.WHOLE, "result"),
        ("its test accuracy", Formula(f"=MAX({accuracy})"), formats.PERCENT, "result"),
        ("training images", table.facts.train_images, formats.THOUSANDS, "formula"),
        ("test images", table.facts.test_images, formats.THOUSANDS, "formula"),
        ("seconds in all", Formula(f"=SUM({seconds})"), formats.SECONDS, "result"),
        ("images trained on per second", Formula(per_second), formats.THOUSANDS, "result"),
    ]


def _reached(table: _Table) -> list[Card]:
    """The target, the first epoch that reached it, and the time until then."""
    row, marks = REACHED + 1, table.column("L")
    first = f'=IF(COUNT({marks})=0,"{NEVER}",MIN({marks}))'
    until = f'=IF(ISNUMBER(B{row}),INDEX({table.column("J")},B{row}),"{NEVER}")'
    return [
        ("target test accuracy", table.target, formats.PERCENT, "input"),
        ("first reached in epoch", Formula(first), formats.WHOLE, "result"),
        ("seconds until then", Formula(until), formats.SECONDS, "result"),
    ]


def _name_target(tab: Tab) -> None:
    """The target's name, and what may be typed there."""
    cell = f"A{REACHED + 1}"
    tab.define(TARGET, f"$A${REACHED + 1}")
    possible = f"AND(ISNUMBER({cell}),{cell}>0,{cell}<=1)"
    tab.allow(cell, "Type an accuracy: more than 0 %, at most 100 %.", type="custom", formula1=possible)


def _fill_table(tab: Tab, table: _Table) -> None:
    """A row per epoch: what was measured as numbers, the rest as formulas of them."""
    tab.merge(GROUPS, 1, len(MEASURED), "measured by the run", "group")
    tab.merge(GROUPS, len(MEASURED) + 1, len(WIDTHS), "computed here", "group")
    columns = (*MEASURED, *COMPUTED)
    tab.header(HEADER, 1, [name for name, _ in columns], 32)
    for row, one in enumerate(table.epochs, TOP):
        computed = (
            f"=1-E{row}",
            f"=J{row - 1}+G{row}" if row > TOP else f"=G{row}",
            f'=IF(G{row}>0,H{row}/G{row},"{NONE}")',
            f'=IF(E{row}>={TARGET}-{SLACK_TEXT},A{row},"{NONE}")',
        )
        for column, content in enumerate((*vars(one).values(), *map(Formula, computed)), 1):
            tab.put(row, column, content, "label" if column == 1 else "formula", columns[column - 1][1])
    for (name, _), numbers in zip(
        MEASURED, zip(*(vars(one).values() for one in table.epochs), strict=True), strict=True
    ):
        tab.vouch(name, numbers)


def _draw(tab: Tab, table: _Table) -> None:
    """Loss, accuracy and learning rate, side by side."""
    charts = (
        (_loss(table), "A", "D", "the training loss and the test loss"),
        (_accuracy(tab, table), "E", "H", "the training accuracy, the test accuracy and the target"),
        (_learning_rate(table), "I", "L", "the learning rate"),
    )
    for chart, left, right, what in charts:
        words = f"Lines of {what} over {len(table.epochs)} epochs."
        place(tab.ws, chart, f"{left}{CHARTS}", f"{right}{CHART_BOTTOM}", words)


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
    for row, formula in enumerate(("=0", f"=A{table.bottom}"), behind):
        tab.put(row, 6, Formula(formula), "muted")
        tab.put(row, 7, Formula(f"={TARGET}"), "muted")
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
