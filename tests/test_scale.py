"""Long tables: the rules of a small workbook hold, charts stay small, and an interrupted build leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from edits import poison
from referees import complaints, differences, misread, stored

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.spec import load
from sheetgen.spec.structure import Spec
from sheetgen.tabs.plan import MAX_DRAWN, THINNED, make_plan
from sheetgen.tabs.workbook import complete, fill_book
from sheetgen.xlsx.package import save

ROOT = Path(__file__).parent.parent
# A network that has learnt all it can has net inputs, losses and gradients that are nothing but rounding, and the last
# bit of an engine's exp decides about those.
ROUNDING = 1e-13
# Rows that give about this many formulas with 32 columns on six tabs.
SIZES = [
    pytest.param(520, id="100,000"),
    pytest.param(5_208, id="1,000,000", marks=[pytest.mark.slow, pytest.mark.exhaustive]),
]


def long(steps: int) -> Spec:
    """The default template with more steps."""
    return replace(load("erav2"), steps=steps, pictures=False)


@pytest.mark.parametrize("steps", SIZES)
def test_every_rule_holds_at_scale(steps: int, tmp_path: Path, ooxml_validator: Path, soffice: Path) -> None:
    """Validators, readers and both engines, after poisoning."""
    path, poisoned = tmp_path / "long.xlsx", tmp_path / "poisoned.xlsx"
    summary = build(long(steps), path)
    values = stored(path)
    assert summary.formulas == len(values) > steps * 32 * 6
    assert complaints(ooxml_validator, path) == []
    assert misread(path) == []
    assert poison(path, poisoned) == len(values)
    assert differences(values, recalculate(poisoned, "ironcalc"), absolute=ROUNDING) == []
    assert differences(values, recalculate(poisoned, "libreoffice"), absolute=ROUNDING) == []


@pytest.mark.parametrize("rows", [1, MAX_DRAWN - 1, MAX_DRAWN, MAX_DRAWN + 1, 777, 10_000])
def test_a_chart_draws_a_bounded_number_of_points(rows: int) -> None:
    """All rows of a short table; of a long one evenly spaced ones, the first and the last."""
    drawn = make_plan(replace(long(rows), learning_rates=(0.5,))).first.drawn
    assert drawn[0] == 0
    assert drawn[-1] == rows
    assert list(drawn) == sorted(set(drawn))
    if rows < MAX_DRAWN:
        assert len(drawn) == rows + 1
    else:
        assert THINNED // 2 < len(drawn) <= THINNED + 2
        gaps = {b - a for a, b in pairwise(drawn[:-1])}
        assert len(gaps) == 1


def test_chart_parts_do_not_grow_with_the_table(tmp_path: Path) -> None:
    """Ten times the steps, hardly more XML in the charts."""
    sizes = []
    for steps in (1_000, 10_000):
        path = tmp_path / f"{steps}.xlsx"
        build(replace(long(steps), learning_rates=(0.5,)), path)
        with zipfile.ZipFile(path) as archive:
            sizes.append(sum(i.file_size for i in archive.infolist() if i.filename.startswith("xl/charts/")))
    assert sizes[1] < 1.2 * sizes[0]


def test_rows_are_streamed(tmp_path: Path) -> None:
    """Saving four times the rows needs no more memory than saving the few: rows never become objects or one text."""
    peaks = []
    for steps in (2_000, 8_000):
        book = fill_book(make_plan(replace(long(steps), learning_rates=(0.5,))))
        complete(book)
        tracemalloc.start()
        save(book, tmp_path / "streamed.xlsx")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_an_interrupted_build_leaves_the_old_file(tmp_path: Path) -> None:
    """Ctrl-C in the middle of writing: exit 130, one line, the file as it was, nothing beside it."""
    path = tmp_path / "kept.xlsx"
    path.write_bytes(b"PK the old file")
    command = [sys.executable, "-m", "sheetgen", "build", "--steps", "15000", "-o", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and len(list(tmp_path.iterdir())) == 1:
            pass  # until the draft appears beside the file
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().count("\n") == 0
    assert path.read_bytes() == b"PK the old file"
    assert list(tmp_path.iterdir()) == [path]
