"""The door for programs: load, build and check, whatever else of the package is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sheetgen
from sheetgen import build, check, load
from sheetgen.errors import CheckError, OutputError, SpecError
from sheetgen.spec import override


def test_a_template_is_built_and_confirmed(tmp_path: Path) -> None:
    """A path may be a text; what was written and what was found is told."""
    path = tmp_path / "lesson.xlsx"
    summary = build(override(load("erav2"), steps=3), str(path))
    assert summary.path == path and summary.bytes == path.stat().st_size
    report = check(str(path))
    assert report.ok and report.failure == ""
    assert report.lines()[-1] == "all agree"
    assert sum(one["cells"] for one in report.json()["comparisons"]) > summary.formulas


def test_what_a_user_can_cause_is_raised_as_one_line(tmp_path: Path) -> None:
    """By the errors that the docstrings name."""
    with pytest.raises(SpecError, match="'xro' is not a template"):
        load("xro")
    with pytest.raises(OutputError, match="no folder"):
        build(override(load("erav2"), steps=3), tmp_path / "nowhere" / "book.xlsx")
    with pytest.raises(CheckError, match="no such file"):
        check(tmp_path / "missing.xlsx")


@pytest.mark.parametrize("name", sheetgen.__all__)
def test_everything_at_the_door_says_what_it_raises(name: str) -> None:
    """And what it returns, in its first sentence."""
    text = getattr(sheetgen, name).__doc__
    assert text and "Error" in text


def test_the_functions_stay_functions() -> None:
    """Modules of the same names are imported first and last; nothing heavy comes with the door."""
    code = (
        "import sheetgen.build, sheetgen.check.report, sys; from sheetgen import build, check\n"
        "assert callable(build) and callable(check)\n"
        "import sheetgen.tabs.workbook, sheetgen.check.engines; from sheetgen import build, check\n"
        "assert callable(build) and callable(check)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    light = "import sys, sheetgen; print({'sympy', 'openpyxl', 'torch', 'ironcalc', 'tqdm'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", light], capture_output=True, text=True).stdout == "set()\n"
