"""The gallery: every workbook opens, the page names each, and a second build gives the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")
from live_runs import live_run

from sheetgen.spec import template_names

ROOT = Path(__file__).parent.parent


def gallery(folder: Path, run: Path, seed: str) -> subprocess.CompletedProcess[str]:
    """The tool, in a process whose sets have another order."""
    command: list[str | Path] = [sys.executable, ROOT / "tools" / "gallery.py", folder, "--cnn", run]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_gallery_opens_and_is_the_same_again(tmp_path: Path) -> None:
    """Every template's workbook, an exercise, its solution and the live network; links and pictures lead somewhere."""
    run = live_run(tmp_path / "run")
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, seed in ((first, "1"), (second, "2")):
        done = gallery(folder, run, seed)
        assert done.returncode == 0, done.stderr
    names = {path.name for path in first.iterdir()}
    workbooks = {name for name in names if name.endswith(".xlsx")}
    expected = {f"{name}.xlsx" for name in template_names()}
    assert workbooks == expected | {"erav2-exercise.xlsx", "erav2-solution.xlsx", "network-live.xlsx"}
    for name in sorted(names):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    for name in workbooks:
        book = CalamineWorkbook.from_path(str(first / name))
        assert book.sheet_names[0] == "Start"
        assert book.get_sheet_by_name("Start").to_python()
    page = (first / "index.html").read_text(encoding="utf-8")
    no_icon = "data:,"
    assert {*re.findall(r'(?:href|src)="([^"]+)"', page)} == names - {"index.html"} | {no_icon}
    assert page.count("<article>") == len(workbooks)


@pytest.mark.parametrize(("tool", "options"), [("gallery", ("--cnn", "run")), ("assemble", ())])
def test_a_folder_of_other_things_is_left_alone(tool: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing in it is removed."""
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    command: list[str | Path] = [sys.executable, ROOT / "tools" / f"{tool}.py", tmp_path, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{tmp_path} has something else in it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
