"""The two charts of a training run: the loss and the parameters over the steps."""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl.chart import ScatterChart
from sympy import Symbol

from sheetgen.tabs.plan import Plan, Training
from sheetgen.xlsx.cells import MAX_SERIES
from sheetgen.xlsx.charts import Series, scatter
from sheetgen.xlsx.page import count

__all__ = ["charts"]

# A longer legend would leave little of a small chart.
LEGEND = 10


def charts(plan: Plan, training: Training, *, small: bool) -> Iterator[tuple[ScatterChart, str]]:
    """The charts, each with words for who does not see it.

    Their titles name no rate: LibreOffice does not let a title follow a cell.
    """
    parameters = [one.symbol for one in plan.network.trained][:MAX_SERIES]
    over = f"over {plan.spec.steps} updates, on tab {training.run.label}"
    loss = scatter("E_total", "step", "E_total", [_series(training, plan.network.total)], legend=None)
    yield loss, f"A line of the loss E_total {over}."
    unnamed = len(parameters) == 1 or (small and len(parameters) > LEGEND)
    lines = [_series(training, one) for one in parameters]
    weights = scatter("Weights", "step", "value", lines, legend=None if unnamed else "r")
    yield weights, f"Lines of the {count(len(parameters), 'weight')} {_names(parameters)} {over}."


def _names(symbols: list[Symbol]) -> str:
    """All of a few names, of many the first and the last."""
    names = [symbol.name for symbol in symbols]
    return ", ".join(names) if len(names) <= LEGEND else f"{names[0]} to {names[-1]}"


def _series(training: Training, symbol: Symbol) -> Series:
    line = training.line(symbol)
    return Series(symbol.name, line.x_ref, line.y_ref, line.xs, line.ys)
