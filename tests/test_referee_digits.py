"""The live digit network beside PyTorch: pixels are compared with its numbers, and an engine is not asked for them."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from edits import copied, edited, poison
from live_runs import live_run, live_weights, strokes
from openpyxl.utils import get_column_letter as letters

from cnn.export import export
from cnn.live import DRAW, KERNELS, LAYERS
from cnn.live.draw import LOGITS, PAINT
from cnn.live.geometry import address, strips
from sheetgen import check
from sheetgen.check.engines import recalculate
from sheetgen.check.office import convert
from sheetgen.check.rebuilt import compare_rebuilt
from sheetgen.check.referee_digits import Pixels, pixels_of
from sheetgen.check.report import Report, report
from sheetgen.xlsx.cells import is_number
from sheetgen.xlsx.reader import read_contents, read_formulas

PIXELS = sum(strip.channels * strip.side**2 for strip in strips())


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network in cells, in a workbook of its own, with an 0 of MNIST's shape chosen."""
    folder = tmp_path_factory.mktemp("live")
    image = np.zeros((20, 28, 28), np.uint8)
    image[:, 6:22, 8:11] = image[:, 6:22, 18:21] = image[:, 6:9, 8:21] = image[:, 19:22, 8:21] = 200
    export(live_run(folder / "run", images=image), folder / "live.xlsx", live=True)
    return folder / "live.xlsx"


def referees(path: Path) -> Report:
    """What `sheetgen check` says, in its own words."""
    found = check(path)
    assert isinstance(found, Report)
    return found


def pixel(strip: int, channel: int, row: int, column: int) -> str:
    """A cell of tab Layers; all count from 0."""
    area = strips()[strip].map(channel)
    return address(area.top + row, area.left + column)


def test_each_cell_has_one_referee(live: Path, torch: ModuleType) -> None:
    """PyTorch for every pixel and the logits, the engine for all formulas that are no pixels; they agree."""
    formulas = sum(1 for _ in read_formulas(live))
    found = referees(live)
    engine, pytorch = found.comparisons
    assert found.ok
    assert (engine.referee, engine.cells) == ("IronCalc", formulas - PIXELS)
    assert engine.what.startswith("every other formula's ")
    assert pytorch.cells == PIXELS + 10
    assert 0 < pytorch.largest < 1e-13


@pytest.mark.parametrize(
    ("strip", "channel", "row", "column"), [(0, 0, 13, 9), (1, 3, 7, 20), (5, 19, 13, 0), (8, 11, 2, 2)]
)
def test_a_wrong_pixel_is_named(
    strip: int, channel: int, row: int, column: int, live: Path, tmp_path: Path, torch: ModuleType
) -> None:
    """Of any strip: its cell, its formula, what it holds and what PyTorch gives, though its formula is right."""
    where = pixel(strip, channel, row, column)
    [cell] = [one for one in read_formulas(live, LAYERS) if one.address == where]
    assert isinstance(cell.value, float)
    wrong = stored_as(live, tmp_path / "wrong.xlsx", where, cell.value + 1e-9)
    found = referees(wrong)
    pytorch = found.comparisons[1]
    assert pytorch.failure.startswith(f"{wrong}: {LAYERS}!{where} ({cell.formula}) has {cell.value + 1e-9!r}, PyTorch ")
    assert not found.ok


def stored_as(path: Path, out: Path, where: str, value: float) -> Path:
    """A copy in which a pixel has another value under its formula."""

    def change(title: str, xml: str) -> str:
        if title != LAYERS:
            return xml
        head, mark, rest = xml.partition(f'r="{where}"')
        assert mark
        before, tag, behind = rest.partition("<v>")
        return f"{head}{mark}{before}{tag}{value!r}</v>{behind.partition('</v>')[2]}"

    copied(path, out, change)
    return out


def test_stale_values_are_no_right_values(live: Path, tmp_path: Path, torch: ModuleType) -> None:
    """All of a digit that is no longer there: the page was painted on by a program that computes nothing."""
    paint = {(DRAW, address(PAINT.top + 3, PAINT.left + column)): 9.0 for column in range(8, 20)}
    stale = edited(live, tmp_path / "stale.xlsx", paint)
    engine, pytorch = referees(stale).comparisons
    assert engine.failure and f"{LAYERS}!" in pytorch.failure


def test_poisoned_pixels_are_wrong(live: Path, tmp_path: Path, torch: ModuleType) -> None:
    """All of them are 999, and the first is named."""
    assert poison(live, tmp_path / "poisoned.xlsx") > PIXELS
    pytorch = referees(tmp_path / "poisoned.xlsx").comparisons[1]
    assert f"{LAYERS}!{pixel(0, 0, 0, 0)} " in pytorch.failure and "has 999.0, PyTorch -0.42" in pytorch.failure


@pytest.mark.slow
@pytest.mark.libreoffice
def test_what_libreoffice_computes_on_a_painted_page_is_confirmed(
    live: Path, tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """Its values, of its own order of sums, on strokes that leave the page's middle."""
    sources = []
    for number, grid in enumerate(strokes()[:2]):
        paint = {
            (DRAW, address(PAINT.top + int(row), PAINT.left + int(column))): float(grid[row, column])
            for row, column in zip(*np.nonzero(~np.isnan(grid)), strict=True)
        }
        sources.append(edited(live, tmp_path / f"{number}.xlsx", paint))
    for source in convert(sources, tmp_path / "out"):
        pytorch = referees(source).comparisons[1]
        assert (pytorch.cells, pytorch.failure) == (PIXELS + 10, "")


def test_a_wrong_logit_is_named(live: Path, tmp_path: Path, torch: ModuleType) -> None:
    """Though every pixel is right: the last layer's weights are others than the logits' formula takes."""
    pixels = pixels_of(live, read_contents(live))
    assert pixels is not None
    recalculated = recalculate(live, given=pixels.stored)
    weights = {name: weight.copy() for name, weight in pixels.weights.items()}
    weights["linear.bias"][4] += 1
    found = list(Pixels(pixels.stored, weights).again(recalculated))
    assert len(found) == PIXELS + 10
    apart = [cell for cell, value, number in found if not (is_number(value) and abs(float(value) - number) < 1e-9)]
    assert apart == [(DRAW, f"{letters(LOGITS.left)}{LOGITS.top + 4}")]


def test_the_numbers_are_those_of_the_cells(live: Path, torch: ModuleType) -> None:
    """Every tensor of the run, read back to the bit."""
    pixels = pixels_of(live, read_contents(live))
    assert pixels is not None and len(pixels.stored) == PIXELS
    for name, weight in live_weights().items():
        np.testing.assert_array_equal(pixels.weights[name], weight)


@pytest.mark.slow
def test_an_engine_that_is_named_computes_all(live: Path, tmp_path: Path, torch: ModuleType) -> None:
    """As it does without PyTorch; and finds a wrong pixel."""
    [engine] = report(live, "ironcalc").comparisons
    assert engine.cells == sum(1 for _ in read_formulas(live)) and not engine.failure
    assert engine.what.startswith("every formula's ")
    wrong = stored_as(live, tmp_path / "wrong.xlsx", pixel(3, 2, 5, 5), 0.5)
    assert f"{LAYERS}!{pixel(3, 2, 5, 5)} " in report(wrong, "ironcalc").failure


def test_without_pytorch_the_engine_computes_all(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given to it."""
    find = importlib.util.find_spec
    missing: Callable[..., object] = lambda name, *rest: None if name == "torch" else find(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", missing)
    assert pixels_of(live, read_contents(live)) is None


def test_a_kernel_that_is_no_number_is_named_elsewhere(live: Path, tmp_path: Path, torch: ModuleType) -> None:
    """Where the tabs are built again, and so the engine computes all."""
    broken = edited(live, tmp_path / "broken.xlsx", {(KERNELS, "L10"): "seven"})
    assert pixels_of(broken, read_contents(broken)) is None
    assert f"{KERNELS}!L10 is 'seven'" in compare_rebuilt(broken, None).failure
