"""The tabs of a run as a workbook: valid, confirmed by other engines, the same each time, and no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cnn_runs import CONFIG, make_confusion, make_epochs, make_report, make_run, make_weights
from edits import poison
from openpyxl import load_workbook
from referees import complaints, differences, misread, stored

from cnn.cli import main as cnn_main
from cnn.export import add_tabs, export
from cnn.run import Epoch, Writer
from sheetgen.build import build
from sheetgen.check import check
from sheetgen.check.engines import recalculate
from sheetgen.cli import main
from sheetgen.errors import OutputError, SheetgenError
from sheetgen.spec import load
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save

TITLES = ("CNN epochs", "CNN layers", "CNN mistakes")
PERFECT = np.diag([40, 40, 40, 40, 40, 40, 40, 40, 40, 0]).astype(np.int64)


def perfect(folder: Path) -> Path:
    """One epoch on digits; all are read, none is a 9, so that there is nothing to divide by."""
    [one] = make_epochs(1)
    return make_run(
        folder,
        dataset="digits",
        train_images=1437,
        test_images=360,
        epochs=(replace(one, test_accuracy=1.0, seconds=0.0),),
        confusion=PERFECT,
    )


def hopeless(folder: Path) -> Path:
    """Two epochs, after which every image is taken for a 3; the target is never reached."""
    confusion = np.zeros((10, 10), np.int64)
    confusion[:, 3] = 100
    two = (_at(1, 0.2), _at(2, 0.1))
    return make_run(folder, test_images=1000, epochs=two, confusion=confusion)


def _at(epoch: int, accuracy: float) -> Epoch:
    return Epoch(epoch, 2.3, accuracy, 2.3, accuracy, 0.1, 3.0, 60_000)


def long_run(folder: Path) -> Path:
    """More epochs than one page has."""
    return make_run(folder, epochs=make_epochs(60))


RUNS: Mapping[str, Callable[[Path], Path]] = {
    "five epochs": make_run,
    "perfect": perfect,
    "hopeless": hopeless,
    "long": long_run,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of five epochs."""
    return make_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module", params=RUNS)
def workbook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of each run."""
    folder = tmp_path_factory.mktemp("workbook")
    export(RUNS[request.param](folder / "run"), folder / "run.xlsx")
    return folder / "run.xlsx"


def test_no_validator_or_linter_complains(workbook: Path, ooxml_validator: Path) -> None:
    """Microsoft's Open XML SDK and the project's own linter find nothing."""
    assert complaints(ooxml_validator, workbook) == []


def test_every_reader_reads_every_number(workbook: Path) -> None:
    """pandas, calamine and openpyxl(data_only) read what is stored."""
    assert misread(workbook) == []


@pytest.mark.parametrize("engine", ["ironcalc", pytest.param("libreoffice", marks=[pytest.mark.libreoffice])])
def test_engines_confirm_every_stored_value(
    engine: Any, workbook: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """After poisoning: what an engine answers, it has calculated."""
    if engine == "libreoffice":
        request.getfixturevalue("soffice")
    poisoned = tmp_path / "poisoned.xlsx"
    assert poison(workbook, poisoned) == len(stored(workbook)) > 200
    assert differences(stored(workbook), recalculate(poisoned, engine)) == []


def test_no_cell_shows_an_error(workbook: Path) -> None:
    """Where there is nothing to divide by, a dash stands."""
    assert [value for value in stored(workbook).values() if str(value).startswith("#")] == []


def test_same_run_same_bytes(run: Path, tmp_path: Path) -> None:
    """Two exports are the same file."""
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    export(run, first)
    export(run, second)
    assert first.read_bytes() == second.read_bytes()


def test_book_with_pictures_can_be_saved_twice(run: Path, tmp_path: Path) -> None:
    """openpyxl's own images are spent by the first time."""
    book = Book()
    add_tabs(book, run)
    complete(book)
    for number in (1, 2):
        save(book, tmp_path / f"{number}.xlsx")
    assert differences(stored(tmp_path / "1.xlsx"), stored(tmp_path / "2.xlsx")) == []


def test_summary_tells_what_was_written(run: Path, tmp_path: Path) -> None:
    """Path, tabs, formulas and size."""
    path = tmp_path / "run.xlsx"
    summary = export(run, path)
    assert summary.tabs == TITLES
    assert summary.formulas == len(stored(path))
    assert (summary.path, summary.bytes) == (path, path.stat().st_size)


def test_every_tab_names_its_data_set(tmp_path: Path) -> None:
    """Digits are never called MNIST, and MNIST is called so."""
    runs = (
        (make_run(tmp_path / "a"), "MNIST", "scikit-learn"),
        (perfect(tmp_path / "b"), "scikit-learn digits", "MNIST"),
    )
    for run, name, other in runs:
        book = Book()
        described = add_tabs(book, run)
        for tab in book.tabs:
            assert str(tab.ws["A1"].value) == f"{tab.ws.title}: {name}"
            assert not any(other in str(cell.value) for row in tab.ws.iter_rows() for cell in row)
        assert [title for title, _ in described] == list(TITLES)
        assert not any(other in text for _, text in described)


def test_tabs_follow_those_of_a_spec(run: Path, tmp_path: Path) -> None:
    """`sheetgen build --cnn` appends them, Start links to each, and `check` confirms the whole."""
    path = tmp_path / "both.xlsx"
    summary = build(replace(load("erav2"), steps=2, published=()), path, extra=lambda book: add_tabs(book, run))
    assert summary.tabs[-3:] == TITLES
    start: Any = load_workbook(path)["Start"]
    targets = [cell.hyperlink.location for row in start for cell in row if cell.hyperlink]
    assert targets[-3:] == [f"'{title}'!A1" for title in TITLES]
    assert check(path).ok


def test_command_lines(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both commands write the tabs and say so."""
    one, both = tmp_path / "one.xlsx", tmp_path / "both.xlsx"
    assert cnn_main(["export", str(run), "-o", str(one)]) == 0
    assert ", ".join(TITLES) in capsys.readouterr().out
    assert main(["build", "--steps", "2", "--rate", "0.5", "--cnn", str(run), "-o", str(both)]) == 0
    assert ", ".join(TITLES) in capsys.readouterr().out


def test_exporting_imports_no_torch(run: Path, tmp_path: Path) -> None:
    """In a fresh interpreter."""
    code = (
        "import sys; from pathlib import Path; from cnn.export import export; "
        f"export(Path({str(run)!r}), Path({str(tmp_path / 'run.xlsx')!r})); "
        "assert not {'torch', 'torchvision', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_extra_is_one_line(run: Path, tmp_path: Path) -> None:
    """Without Pillow: what is missing and how to install it."""
    code = (
        "import sys; sys.modules['PIL'] = None; from cnn.cli import main; "
        f"sys.exit(main(['export', {str(run)!r}, '-o', {str(tmp_path / 'run.xlsx')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sheetgen-backprop[cnn]" in done.stderr


def test_unfinished_run_says_so(tmp_path: Path) -> None:
    """Three of five epochs."""
    book = Book()
    add_tabs(book, make_run(tmp_path / "run", epochs=make_epochs(3)))
    assert all("3 of 5 epochs" in str(tab.ws["A2"].value) for tab in book.tabs)


def test_place_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    """As for every workbook."""
    with pytest.raises(OutputError, match="no folder"):
        export(run, tmp_path / "nowhere" / "run.xlsx")


def _changed(folder: Path, **config: Any) -> None:
    """A run whose files belong together, but whose config.json has other content."""
    shutil.rmtree(folder)
    make_run(folder, epochs=make_epochs(5), confusion=make_confusion(10_000, 60), **config)


def _with_epoch(folder: Path, **changes: Any) -> None:
    shutil.rmtree(folder)
    *others, last = make_epochs(5)
    make_run(folder, epochs=(*others, replace(last, **changes)), confusion=make_confusion(10_000, 60))


def _with_report(folder: Path, **changes: Any) -> None:
    shutil.rmtree(folder)
    make_run(folder, report=replace(make_report(make_confusion(10_000, 60)), **changes))


def _file_instead(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no run")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(content)


def _other_weights(folder: Path) -> None:
    """Weights of another network in a file that is whole."""
    weights = make_weights()
    weights["conv1.weight"] = weights["conv1.weight"][:6]
    Writer(folder, CONFIG).tensors("weights", weights, 5)


BAD: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "no such folder"),
    "a file": (_file_instead, "folder"),
    "no run": (lambda f: (f / "config.json").unlink(), "config.json"),
    "foreign config": (lambda f: (f / "config.json").write_text("{}"), "not of a run"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "damaged"),
    "no metrics": (lambda f: (f / "metrics.jsonl").unlink(), "no such file"),
    "empty metrics": (lambda f: (f / "metrics.jsonl").write_text(""), "no epoch is finished"),
    "broken metrics": (lambda f: (f / "metrics.jsonl").write_text('{"epoch": 1'), "line 1"),
    "no weights": (lambda f: (f / "weights.safetensors").unlink(), "no such file"),
    "cut weights": (lambda f: (f / "weights.safetensors").write_bytes(b"12345678"), "damaged"),
    "flipped weights": (lambda f: _flip(f / "weights.safetensors"), "damaged"),
    "other weights": (_other_weights, "conv1.weight"),
    "flipped report": (lambda f: _flip(f / "report.safetensors"), "damaged"),
    "too accurate": (lambda f: _with_epoch(f, test_accuracy=1.5), "test_accuracy is 1.5"),
    "negative seconds": (lambda f: _with_epoch(f, seconds=-1.0), "line 5"),
    "no training images": (lambda f: _changed(f, train_images=0), "train_images"),
    "unnamed recipe": (lambda f: _changed(f, recipe={}), "recipe.name"),
    "no versions": (lambda f: _changed(f, versions=None), "versions"),
    "true seed": (lambda f: _changed(f, seed=True), "seed"),
    "other test set": (lambda f: _changed(f, test_images=9_000), "9,000"),
    "small pictures": (lambda f: _with_report(f, mistake_images=np.zeros((50, 8, 8), np.uint8)), "mistake_images"),
    "an eleventh digit": (lambda f: _with_report(f, mistake_answer=np.full(50, 10)), "digit"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_run_is_one_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, one line that names the place, and the output stays as it was."""
    folder, out = make_run(tmp_path / "run"), tmp_path / "out.xlsx"
    spoil, expected = BAD[case]
    spoil(folder)
    out.write_text("earlier")
    assert cnn_main(["export", str(folder), "-o", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert expected in said
    assert str(folder) in said
    with pytest.raises(SheetgenError):
        add_tabs(Book(), folder)
    assert out.read_text() == "earlier"


def test_pictures_are_in_the_file_with_words(run: Path, tmp_path: Path) -> None:
    """Fifty of them, each with what it is for readers who do not see it."""
    path = tmp_path / "run.xlsx"
    export(run, path)
    with zipfile.ZipFile(path) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("xl/media/")]
        drawings = "".join(archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/drawings/drawing"))
    assert len(pictures) == 50
    assert drawings.count('descr="a ') == 50


def test_config_of_a_run_is_json(run: Path) -> None:
    """The run that these tests make is one that cnn.run reads."""
    assert json.loads((run / "config.json").read_text()) == CONFIG
