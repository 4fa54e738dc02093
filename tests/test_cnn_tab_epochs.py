"""The CNN epochs tab: what follows from the measurements, also when the target is changed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import ironcalc
import pytest
from cnn_runs import make_epochs, make_run
from openpyxl import load_workbook
from referees import stored

from cnn.export import export
from cnn.run import Epoch
from cnn.tabs.epochs import NEVER, TARGET, TITLE

TARGETS = {"mnist": 0.994, "digits": 0.97}


def write(folder: Path, epochs: tuple[Epoch, ...], **config: Any) -> Path:
    """The workbook of a run with these epochs."""
    export(make_run(folder / "run", epochs=epochs, **config), folder / "run.xlsx")
    return folder / "run.xlsx"


def accurate(*accuracies: float) -> tuple[Epoch, ...]:
    """Epochs with these test accuracies, of 10 s each."""
    return tuple(
        replace(one, test_accuracy=accuracy, seconds=10.0)
        for one, accuracy in zip(make_epochs(len(accuracies)), accuracies, strict=True)
    )


def test_best_is_the_first_of_the_best_and_last_is_the_last(tmp_path: Path) -> None:
    """Each with its accuracy; the error rate and the misread images are of the last."""
    cells = stored(write(tmp_path, accurate(0.98, 0.9945, 0.9945, 0.993)))
    found = [cells[TITLE, f"{letter}5"] for letter in "ABCDEF"]
    assert found == [4, 0.993, pytest.approx(0.007), 70, 2, 0.9945]
    assert cells[TITLE, "I5"] == 40
    assert cells[TITLE, "J5"] == (60_000 + 3 * 18_000) / 40
    assert [cells[TITLE, f"K{row}"] for row in (30, 31)] == [6_000, 1_800]


@pytest.mark.parametrize("dataset", TARGETS)
def test_target_of_the_data_set(dataset: str, tmp_path: Path) -> None:
    """The last digit of a device's division does not matter."""
    target = TARGETS[dataset]
    cells = stored(write(tmp_path, accurate(target - 1e-4, target - 1e-16, 1 - 60 / 10_000), dataset=dataset))
    assert (cells[TITLE, "B8"], cells[TITLE, "C8"]) == (2, 20)


def test_target_can_be_changed(tmp_path: Path) -> None:
    """Through an engine: the first epoch that reaches it, and the time until then; or never."""
    path = write(tmp_path, accurate(0.97, 0.98, 0.975, 0.99))
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    names = [one["name"] for one in model.get_defined_name_list()]
    assert [name for name in names if not name.startswith(("sum_of_", "sheetgen_version"))] == [TARGET]
    for target, epoch, seconds in ((0.97, 1, 10), (0.978, 2, 20), (0.98, 2, 20), (0.99, 4, 40), (0.991, NEVER, NEVER)):
        model.set_user_input(0, 8, 1, repr(target))
        model.evaluate()
        assert [model.get_cell_value(0, 8, column) for column in (2, 3)] == [epoch, seconds]


def test_measurements_stand_as_they_were_written(tmp_path: Path) -> None:
    """Every bit of every number, in the order of metrics.jsonl."""
    epochs = make_epochs(5)
    sheet: Any = load_workbook(write(tmp_path, epochs))[TITLE]
    rows = [tuple(cell.value for cell in row) for row in sheet["A30:H34"]]
    assert rows == [tuple(vars(one).values()) for one in epochs]


def test_loss_of_zero_has_no_logarithm(tmp_path: Path) -> None:
    """The chart of the loss is linear then."""
    [one] = make_epochs(1)
    for loss, logarithmic in ((0.0, False), (0.1, True)):
        folder = tmp_path / str(loss)
        folder.mkdir()
        with zipfile.ZipFile(write(folder, (replace(one, test_loss=loss),))) as archive:
            assert (b"logBase" in archive.read("xl/charts/chart1.xml")) == logarithmic
