"""The CNN mistakes tab: the confusion matrix, and what scikit-learn says of the same answers."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cnn_runs import make_confusion, make_epochs, make_report, make_run
from numpy.typing import NDArray
from openpyxl import load_workbook
from PIL import Image
from referees import stored

from cnn.export import export
from cnn.tabs.mistakes import BOTTOM, ENLARGED, PICTURES, ROWS_PER_BAND, TITLE, TOP, TOTALS
from sheetgen.xlsx.page import AGREES, DIFFERS


def write(folder: Path, confusion: NDArray[np.int64], **choices: Any) -> Path:
    """The workbook of a run with this confusion matrix."""
    run = make_run(folder / "run", confusion=confusion, test_images=int(confusion.sum()), **choices)
    export(run, folder / "run.xlsx")
    return folder / "run.xlsx"


def test_scores_are_scikit_learns(tmp_path: Path) -> None:
    """Precision, recall and F1 of every digit, their means, and the accuracy."""
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    confusion = make_confusion(1000, 300)
    pairs = [(t, a) for t in range(10) for a in range(10) for _ in range(int(confusion[t, a]))]
    truth, answer = zip(*pairs, strict=True)
    precision, recall, f1, shown = metrics.precision_recall_fscore_support(truth, answer)
    cells = stored(write(tmp_path, confusion))
    for letter, expected in (("L", shown), ("N", recall), ("O", precision), ("P", f1)):
        assert [cells[TITLE, f"{letter}{row}"] for row in range(TOP, BOTTOM + 1)] == pytest.approx(list(expected))
    for letter, expected in (("N", recall), ("O", precision), ("P", f1)):
        assert cells[TITLE, f"{letter}{TOTALS}"] == pytest.approx(float(np.mean(expected)))
    assert cells[TITLE, "D5"] == pytest.approx(metrics.accuracy_score(truth, answer))
    assert cells[TITLE, "G5"] == int(np.argmin(recall))


def test_a_digit_never_answered_has_no_precision(tmp_path: Path) -> None:
    """A dash, not an error; the means are of the other digits."""
    confusion = np.diag([100] * 10).astype(np.int64)
    confusion[7] = 0
    confusion[7, 1] = 100
    cells = stored(write(tmp_path, confusion))
    assert (cells[TITLE, f"N{TOP + 7}"], cells[TITLE, f"O{TOP + 7}"], cells[TITLE, f"P{TOP + 7}"]) == (0, "–", 0)
    assert cells[TITLE, f"O{TOTALS}"] == pytest.approx((8 + 0.5) / 9)
    assert cells[TITLE, "G5"] == 7


def test_accuracy_is_compared_with_the_epochs(tmp_path: Path) -> None:
    """The matrix and the last epoch were measured apart: the tab says whether they agree."""
    confusion = make_confusion(10_000, 60)
    for wrong, verdict in ((60, AGREES), (61, DIFFERS)):
        folder = tmp_path / verdict
        folder.mkdir()
        cells = stored(write(folder, confusion, epochs=make_epochs(5, last_wrong=wrong)))
        assert cells[TITLE, "I5"] == verdict


def test_pictures_and_captions_belong_together(tmp_path: Path) -> None:
    """Truth, answer, probability and place stand under each picture, which is the mistake's."""
    confusion = make_confusion(10_000, 60)
    report = make_report(confusion)
    path = write(tmp_path, confusion)
    sheet: Any = load_workbook(path)[TITLE]
    anchors = [picture.anchor._from for picture in sheet._images]
    assert len(anchors) == 50
    for number, anchor in enumerate(anchors):
        row, column = PICTURES + 4 + number // 10 * ROWS_PER_BAND, 2 + number % 10
        assert (anchor.row + 1, anchor.col + 1) == (row, column)
        below = [sheet.cell(row + place, column).value for place in (1, 2, 3)]
        truth, answer = report.mistake_truth[number], report.mistake_answer[number]
        assert below == [f"{truth} → {answer}", report.mistake_probability[number], report.mistake_index[number]]
    with zipfile.ZipFile(path) as archive:
        last = Image.open(io.BytesIO(archive.read("xl/media/image50.png"))).convert("L")
    pixels = np.asarray(last)[::ENLARGED, ::ENLARGED].astype(int)
    assert np.argmin(pixels) == np.argmax(report.mistake_images[49])


def test_colours_are_of_wrong_answers_alone(tmp_path: Path) -> None:
    """The scale leaves the diagonal out and ends at the most frequent mistake."""
    sheet: Any = load_workbook(write(tmp_path, make_confusion(1000, 300)))[TITLE]
    [(cells, rule)] = [
        (area.sqref, rule) for area in sheet.conditional_formatting for rule in area.rules if rule.type == "colorScale"
    ]
    inside = {cell for part in cells.ranges for row in part.rows for cell in row}
    assert len(inside) == 90
    assert not {(TOP + digit, 2 + digit) for digit in range(10)} & inside
    confusion = make_confusion(1000, 300)
    np.fill_diagonal(confusion, 0)
    assert rule.colorScale.cfvo[1].val == confusion.max()
