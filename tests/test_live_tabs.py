"""The tabs Draw, Layers and Kernels as they stand in the file."""

import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from live_runs import live_run, live_weights
from referees import complaints, misread
from xlsx_lint import lint

from cnn.live.geometry import kernel_blocks, strips
from cnn.live.tabs import add_live_tabs
from cnn.run import RunError, read_run
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import column_letters
from sheetgen.xlsx.copies import relative
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import read_formulas

MOST_BYTES, MOST_SECONDS = 1_200_000, 6.0


def write(run: Path, path: Path) -> Path:
    """The workbook of the live tabs alone."""
    book = Book()
    add_live_tabs(book, read_run(run))
    complete(book)
    save(book, path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with random weights."""
    return live_run(tmp_path_factory.mktemp("live") / "run")


@pytest.fixture(scope="module")
def path(run: Path) -> Path:
    """Its workbook."""
    return write(run, run.parent / "live.xlsx")


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    """The workbook as openpyxl reads it."""
    return openpyxl.load_workbook(path)


def test_it_is_small_and_quick(run: Path, tmp_path: Path) -> None:
    """At most 1.2 MB; at most 6 s of this process's time, which a busy machine does not change."""
    start = time.process_time()
    size = write(run, tmp_path / "live.xlsx").stat().st_size
    assert time.process_time() - start < MOST_SECONDS
    assert size < MOST_BYTES


def test_two_builds_are_the_same_bytes(run: Path, path: Path, tmp_path: Path) -> None:
    """As for every workbook."""
    assert write(run, tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_nothing_is_wrong_with_the_file(path: Path) -> None:
    """The linter, and every bit of every number in three readers."""
    assert lint(path) == []
    assert misread(path) == []


def test_the_schema_validator_agrees(path: Path, ooxml_validator: Path) -> None:
    """Microsoft's own."""
    assert complaints(ooxml_validator, path) == []


def test_it_says_what_it_was_trained_on(book: Any, tmp_path: Path) -> None:
    """A run on scikit-learn's digits is not called MNIST anywhere."""
    assert "MNIST" in book["Draw"]["A1"].value
    other = write(live_run(tmp_path / "digits", "digits"), tmp_path / "digits.xlsx")
    with zipfile.ZipFile(other) as archive:
        texts = archive.read("xl/sharedStrings.xml").decode()
    assert "scikit-learn digits" in texts
    assert "MNIST" not in texts


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(RunError, match="make one with"):
        add_live_tabs(Book(), read_run(tmp_path))


def test_the_names_are_the_promised_cells(book: Any) -> None:
    """28×28 grids, ten logits and probabilities, one answer, one choice."""
    sizes = {}
    for name in ("digit_choice", "paint", "seen", "logits", "probabilities", "answer"):
        (tab, ref), *_ = book.defined_names[name].destinations
        cells = book[tab][ref.replace("$", "")]
        sizes[name] = tab, (len(cells), len(cells[0])) if isinstance(cells, tuple) else (1, 1)
    shapes = {"paint": (28, 28), "seen": (28, 28), "logits": (10, 1), "probabilities": (10, 1)}
    assert sizes == {name: ("Draw", shapes.get(name, (1, 1))) for name in sizes}


def test_all_but_the_grid_and_the_choice_is_protected(book: Any) -> None:
    """Without a password."""
    for sheet in book:
        assert sheet.protection.sheet
        assert not sheet.protection.password
    unlocked = {cell.coordinate for sheet in book for row in sheet for cell in row if not cell.protection.locked}
    grid = {cell.coordinate for row in book["Draw"]["B8:AC35"] for cell in row}
    assert grid <= unlocked
    assert {re.sub(r"[A-Z]+", "", cell) for cell in unlocked - grid} == {"4"}
    assert len(grid) == 784


def test_a_pixel_of_a_layer_is_one_short_formula(book: Any, path: Path) -> None:
    """The same for every pixel of a map, with the names of its channel."""
    longest = max((cell for cell in read_formulas(path) if cell.tab == "Layers"), key=lambda cell: len(cell.text or ""))
    assert len(longest.text or "") < 80
    cell = strips()[2].map(15)
    text = book["Layers"].cell(cell.top, cell.left).value
    assert text == "=scale2_16*MAX(0,bias2_16+SUMPRODUCT(AH7:AJ328,kernel2_16))+shift2_16"


def test_a_map_stores_its_formula_once(run: Path, path: Path) -> None:
    """Every pixel has what the first one has when it is filled to there, and the file says so: engines read one."""
    book = Book()
    add_live_tabs(book, read_run(run))
    [layers] = [tab for tab in book.tabs if tab.ws.title == "Layers"]
    maps = sum(strip.channels for strip in strips() if strip.kind == "conv")
    assert len(set(layers.shared.values())) == maps == 112
    for place, (top, left, _, _) in layers.shared.items():
        texts = [(str(layers.ws.cell(*one).value), *one) for one in (place, (top, left))]
        assert relative(*texts[0]) == relative(*texts[1])
        assert "!" not in texts[0][0]
    found = {cell.address: cell for cell in read_formulas(path, "Layers")}
    assert sum(cell.origin is not None for cell in found.values()) == len(layers.shared) - maps
    last = strips()[1].map(0)
    address = f"{column_letters(last.right)}{last.bottom}"
    assert found[address].formula == layers.ws[address].value != found[address].text


def test_every_trained_number_is_there_exactly(path: Path) -> None:
    """19,822 of them, and the batch-norms' statistics, as float32 gave them."""
    sheet = openpyxl.load_workbook(path, data_only=True)["Kernels"]
    weights = live_weights()
    taps = [weights[f"conv{number}.weight"] for number in range(1, 7)]
    taps.append(weights["linear.weight"].reshape(10, 12, 3, 3))
    count = 0
    for block, weight in zip(kernel_blocks(), taps, strict=True):
        for output, channel in np.ndindex(*weight.shape[:2]):
            area = block.taps(output, channel)
            found = [[sheet.cell(area.top + y, area.left + x).value for x in range(3)] for y in range(3)]
            np.testing.assert_array_equal(found, weight[output, channel].astype(float))
            count += 9
    names = ("conv{}.bias", "norm{}.weight", "norm{}.bias", "norm{}.running_mean", "norm{}.running_var")
    for column, name in enumerate(names, 3):
        expected = np.concatenate([weights[name.format(number)] for number in range(1, 7)])
        listed = [sheet.cell(row, column).value for row in range(6, 6 + len(expected))]
        np.testing.assert_array_equal(listed, expected.astype(float))
        count += len(expected) if column < 6 else 0
    assert count + 10 == 19_822


def test_padding_and_gaps_between_the_taps_are_empty(book: Any) -> None:
    """A text or a number there would enter the sums."""
    sheet = book["Layers"]
    filled = {(row, column) for strip in strips() for channel in range(strip.channels)
              for row, column in _cells(strip.map(channel))}  # fmt: skip
    for strip in strips()[:-1]:
        around = strip.window(-1, -1, 3) if strip.across == 1 else None
        if around is None or strip.side < 14:
            continue
        for row in range(around.top, strip.whole.bottom + 2):
            for column in range(strip.left - 1, strip.left + strip.side + 1):
                assert (row, column) in filled or sheet.cell(row, column).value is None
    kernels = book["Kernels"]
    for block in kernel_blocks():
        pairs = np.ndindex(block.count, block.reads.channels)
        taps = {place for output, channel in pairs for place in _cells(block.taps(output, channel))}
        for place in _cells(block.whole):
            assert (kernels.cell(*place).value is not None) == (place in taps)


def _cells(area: Any) -> list[tuple[int, int]]:
    return [(row, column) for row in range(area.top, area.bottom + 1) for column in range(area.left, area.right + 1)]


def test_writing_needs_no_torch(run: Path) -> None:
    """Nor scikit-learn."""
    code = (
        "import sys; from pathlib import Path\n"
        "from sheetgen.xlsx.book import Book; from cnn.live.tabs import add_live_tabs; from cnn.run import read_run\n"
        f"add_live_tabs(Book(), read_run(Path({str(run)!r})))\n"
        "print({'torch', 'torchvision', 'sklearn'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "set()\n"
