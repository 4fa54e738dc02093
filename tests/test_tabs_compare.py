"""The Compare tab: what its table says of losses that fall, rise, stand still and leave the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from edits import edit_and_recalculate
from referees import calamine_cells, differences, stored
from specs import plain

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.spec import parse
from sheetgen.tabs.compare import CONVERGING, DIVERGED, NEVER, REACHED, TOP, UNMOVED
from sheetgen.tabs.plan import make_plan
from sheetgen.xlsx.page import NO_NUMBER

TAB = "Compare"
LABEL, FIRST, LAST, RATIO, LOWEST, BELOW, VERDICT = "ABCDEFG"

# One identity unit, loss ½(0 − w)²: each update multiplies w by 1 − rate.
LINEAR = """
learning_rates = {rates}
steps = {steps}
threshold = 0.01
[data]
inputs = [[1.0]]
targets = [[0.0]]
[network]
loss = "half_squared_error"
[[network.layers]]
units = 1
activation = "identity"
weights = [[1.0]]
"""


def linear(path: Path, rates: list[float], steps: int = 8) -> Path:
    build(parse(LINEAR.format(rates=rates, steps=steps), "test"), path)
    return path


def column(cells: Any, letter: str, rows: int) -> list[Any]:
    return [cells[TAB, f"{letter}{row}"] for row in range(TOP, TOP + rows)]


def test_losses_that_are_known(tmp_path: Path) -> None:
    """Halved, kept (rate 2 turns w into −w), doubled; ½·0.25ᵏ is below 0.01 from step 3 on."""
    path = linear(tmp_path / "book.xlsx", [0.5, 2.0, 3.0])
    cells = stored(path)
    assert column(cells, LABEL, 3) == ["lr 0.5", "lr 2", "lr 3"]
    assert column(cells, FIRST, 3) == [0.5] * 3
    assert column(cells, LAST, 3) == [0.5 * 0.25**8, 0.5, 0.5 * 4**8]
    assert column(cells, RATIO, 3) == [0.25**8, 1.0, 4.0**8]
    assert column(cells, LOWEST, 3) == [0.5 * 0.25**8, 0.5, 0.5]
    assert column(cells, BELOW, 3) == [3, NEVER, NEVER]
    assert column(cells, VERDICT, 3) == [REACHED, UNMOVED, DIVERGED]
    assert differences(cells, recalculate(path)) == []


def test_a_loss_that_leaves_the_numbers_has_diverged(tmp_path: Path) -> None:
    """The table shows the error, and a word where a number cannot be."""
    path = linear(tmp_path / "book.xlsx", [1e5], steps=40)
    cells = stored(path)
    assert column(cells, VERDICT, 1) == [DIVERGED]
    assert column(cells, LAST, 1)[0] == "#NUM!"
    assert column(cells, RATIO, 1) + column(cells, LOWEST, 1) == [NO_NUMBER] * 2
    assert column(cells, BELOW, 1) == [NEVER]
    assert differences(cells, recalculate(path)) == []


def test_the_table_follows_threshold_and_rate(tmp_path: Path) -> None:
    """Typed into Inputs, through IronCalc."""
    path = linear(tmp_path / "book.xlsx", [0.5, 0.25])
    names = {value: address for (tab, address), value in calamine_cells(path).items() if tab == "Inputs"}
    threshold, rate = (("Inputs", names[name].replace("A", "B")) for name in ("threshold", "rate_2"))
    cells = edit_and_recalculate(path, {threshold: 1e-9, rate: 0.1})
    assert cells[TAB, "B4"] == 1e-9
    assert column(cells, LABEL, 2) == ["lr 0.5", "lr 0.1"]
    assert column(cells, VERDICT, 2) == [CONVERGING] * 2
    assert column(cells, BELOW, 2) == [NEVER] * 2
    assert column(cells, LAST, 2)[1] == pytest.approx(0.5 * 0.81**8, rel=1e-12)
    assert edit_and_recalculate(path, {threshold: 0.6})[TAB, f"{BELOW}{TOP}"] == 0


def test_online_losses_are_means_over_a_pass(tmp_path: Path) -> None:
    """A single sample's loss would say little of the others."""
    spec = plain("and_online", steps=42)
    path = tmp_path / "book.xlsx"
    build(spec, path)
    plan, cells = make_plan(spec), stored(path)
    for row, training in enumerate(plan.trainings, TOP):
        losses = [float(loss) for loss in training.series(plan.network.total)]
        assert cells[TAB, f"{FIRST}{row}"] == pytest.approx(sum(losses[:4]) / 4, rel=1e-15)
        assert cells[TAB, f"{LAST}{row}"] == pytest.approx(sum(losses[-4:]) / 4, rel=1e-15)
    texts = [str(value) for (tab, _), value in calamine_cells(path).items() if tab == TAB]
    assert "mean loss of the last 4 steps" in texts
    assert any(text.startswith("batch = online") for text in texts)
    assert differences(cells, recalculate(path)) == []


def test_optimizers_are_called_by_their_labels(tmp_path: Path) -> None:
    spec = plain("optimizers", steps=3)
    path = tmp_path / "book.xlsx"
    build(spec, path)
    cells = calamine_cells(path)
    assert [cells[TAB, f"A{TOP + at}"] for at in range(len(spec.optimizers))] == [o.label for o in spec.optimizers]
    assert cells[TAB, f"A{TOP - 1}"] == "optimizer"


def test_both_charts_draw_every_run(tmp_path: Path) -> None:
    """From its own tab, under the label in the table; the second on a logarithmic axis."""
    path = linear(tmp_path / "book.xlsx", [0.5, 0.25])
    with ZipFile(path) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")]
    every = [chart for chart in charts if "Compare" in chart]
    assert len(every) == 2
    assert sum("<c:logBase" in chart or "<logBase" in chart for chart in every) == 1
    for chart in every:
        for number, tab in enumerate(("'lr 0.5'", "'lr 0.25'")):
            assert f"{tab}!$A$8:$A$16" in chart
            assert f"Compare'!$A${TOP + number}" in chart


@pytest.mark.libreoffice
def test_libreoffice_agrees(tmp_path: Path, soffice: Path) -> None:
    path = linear(tmp_path / "book.xlsx", [0.5, 2.0, 3.0, 1e5], steps=40)
    assert differences(stored(path), recalculate(path, "libreoffice")) == []
