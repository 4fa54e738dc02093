"""The live tabs recalculated by IronCalc and LibreOffice, against PyTorch in float64 and the stored values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ironcalc
import numpy as np
import pytest
from edits import edited, poison
from live_runs import centred, live_run, live_weights, mnist_test, page_of, probabilities, strokes, torch_maps
from numpy.typing import NDArray

from cnn.live import DRAW
from cnn.live.draw import ANSWER, CHOICE, LOGITS, PAINT, PROBABILITIES
from cnn.live.forward import forward
from cnn.live.geometry import Area, address, strips
from cnn.live.kernels import BLANK
from cnn.live.network import Trained, trained
from cnn.live.tabs import add_live_tabs
from cnn.run import read_run
from sheetgen.check.office import convert
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import place, read_formulas

pytestmark = pytest.mark.slow

Paint = NDArray[np.float64] | None
Scene = tuple[int | None, Paint]
"""The place of the chosen digit in the dropdown, None for the blank page, and what is painted."""
TOLERANCE = 1e-9
NUMBERS = {"ironcalc": 1e-14, "libreoffice": 1e-10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose sample digits are the first of MNIST's test set, or rings where that is absent."""
    try:
        images = mnist_test(20)[0]
    except pytest.skip.Exception:
        images = None
    return live_run(tmp_path_factory.mktemp("live") / "run", images=images)


@pytest.fixture(scope="module")
def network(folder: Path) -> Trained:
    """Its network and digits."""
    return trained(read_run(folder))


@pytest.fixture(scope="module")
def poisoned(folder: Path) -> Path:
    """Its workbook, every stored value replaced by 999."""
    book = Book()
    add_live_tabs(book, read_run(folder))
    complete(book)
    save(book, folder.parent / "live.xlsx")
    assert poison(folder.parent / "live.xlsx", folder.parent / "poisoned.xlsx") > 39_000
    return folder.parent / "poisoned.xlsx"


def scenes() -> list[Scene]:
    """A blank page, every digit, strokes on blank paper, and a stroke over a digit."""
    over = np.full((28, 28), np.nan)
    over[3:9, 20:26], over[10:18, 10:18] = 9, 0
    return [(None, None), *((k, None) for k in range(20)), *((None, paint) for paint in strokes()), (4, over)]


def expected(network: Trained, scene: Scene) -> tuple[list[Any], list[float]]:
    """Every strip's maps and the logits as PyTorch computes them."""
    choice, paint = scene
    page = page_of(None if choice is None else network.samples.images[choice], paint)
    maps, logits = torch_maps(live_weights(), centred(page)[np.newaxis])
    return [one[0] for one in maps], logits[0].tolist()


def edits(network: Trained, scene: Scene, before: Scene = (None, None)) -> Mapping[str, Any]:
    """What is to be typed on tab Draw, and "" where something is to be deleted, to come from one scene to another."""
    choice, paint = scene
    typed: dict[str, Any] = {}
    for there, grid in ((False, before[1]), (True, paint)):
        if grid is not None:
            for row, column in zip(*np.nonzero(~np.isnan(grid)), strict=True):
                cell = address(PAINT.top + int(row), PAINT.left + int(column))
                typed[cell] = float(grid[row, column]) if there else ""
    return typed | {CHOICE.ref.split(":")[0]: BLANK if choice is None else network.samples.titles[choice]}


def test_ironcalc(network: Trained, poisoned: Path) -> None:
    """Logits on every scene and every map on the last one are PyTorch's; every cell is the stored value's own float."""
    model = ironcalc.load_from_xlsx(str(poisoned), "en", "UTC", "en")
    before: Scene = (None, None)
    for scene in scenes():
        for cell, value in edits(network, scene, before).items():
            model.set_user_input(0, *place(cell), str(value))
        model.evaluate()
        before = scene

        def value(tab: int, row: int, column: int) -> Any:
            return model.get_cell_value(tab, row, column)

        maps, logits = expected(network, scene)
        np.testing.assert_allclose(_column(value, LOGITS), logits, rtol=0, atol=TOLERANCE)
        answer = value(0, ANSWER.top, ANSWER.left)
        assert answer == _answer(scene, logits)
        assert any(_column(value, PROBABILITIES)) == (answer != "?"), "a blank page has no probabilities"
    for strip, theirs in zip(strips(), maps, strict=True):
        for channel in range(strip.channels):
            np.testing.assert_allclose(_grid(value, strip.map(channel)), theirs[channel], rtol=0, atol=TOLERANCE)
    page = page_of(network.samples.images[scene[0]], scene[1])[np.newaxis]
    mirror = forward(network.network, page)
    for strip, ours in zip(strips(), mirror.maps, strict=True):
        for channel in range(strip.channels):
            cells = _grid(value, strip.map(channel))
            np.testing.assert_allclose(cells, ours[0, channel], rtol=NUMBERS["ironcalc"], atol=1e-15)
    np.testing.assert_allclose(_column(value, PROBABILITIES), probabilities(mirror), rtol=1e-12)


@pytest.mark.libreoffice
def test_libreoffice(network: Trained, poisoned: Path, soffice: Path, tmp_path: Path) -> None:
    """Logits on every scene and every map on one are PyTorch's, all files converted by one process."""
    sources = []
    (tmp_path / "in").mkdir()
    for number, scene in enumerate(scenes()):
        sources.append(tmp_path / "in" / f"{number:02d}.xlsx")
        edited(poisoned, sources[-1], {(DRAW, cell): value for cell, value in edits(network, scene).items()})
    convert(sources, tmp_path / "out")
    for source, scene in zip(sources, scenes(), strict=True):
        values = {(c.tab, c.address): c.value for c in read_formulas(tmp_path / "out" / source.name)}
        maps, logits = expected(network, scene)

        def value(tab: int, row: int, column: int, values: Any = values) -> Any:
            return values["Draw" if tab == 0 else "Layers", address(row, column)]

        np.testing.assert_allclose(_column(value, LOGITS), logits, rtol=0, atol=TOLERANCE)
        assert value(0, ANSWER.top, ANSWER.left) == _answer(scene, logits)
        for strip, theirs in zip(strips(), maps, strict=True):
            for channel in range(strip.channels):
                np.testing.assert_allclose(_grid(value, strip.map(channel)), theirs[channel], rtol=0, atol=TOLERANCE)


def test_the_run_is_read_as_it_stands(folder: Path, network: Trained) -> None:
    """The digits of the dropdown are the run's."""
    np.testing.assert_array_equal(network.samples.images, read_run(folder).report.sample_images)


def _answer(scene: Scene, logits: list[float]) -> Any:
    return "?" if scene[0] is None and scene[1] is None else int(np.argmax(logits))


def _column(value: Any, area: Area) -> list[float]:
    return [value(0, row, area.left) for row in range(area.top, area.bottom + 1)]


def _grid(value: Any, area: Area) -> list[list[float]]:
    return [[value(1, y, x) for x in range(area.left, area.right + 1)] for y in range(area.top, area.bottom + 1)]
