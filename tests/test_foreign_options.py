"""`sheetgen check`: what its options refuse, what folders and odd names do, and that a line is a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import Handmade, Layout, write
from test_foreign_command import RIGHT, WRONG

from sheetgen.check.foreign.findings import examine
from sheetgen.cli import main

SMALL = Handmade()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A right workbook."""
    return write(tmp_path / "mine.xlsx", SMALL)


def linked(path: Path) -> Path:
    link = path.with_name("link.xlsx")
    link.symlink_to(path)
    return link


def hard_linked(path: Path) -> Path:
    link = path.with_name("hard.xlsx")
    link.hardlink_to(path)
    return link


def roundabout(path: Path) -> Path:
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


def relative(path: Path) -> Path:
    return Path(os.path.relpath(path))


WAYS: list[Callable[[Path], Path]] = [Path, linked, hard_linked, roundabout, relative]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("option", ["--marked", "--solution"])
def test_the_workbook_itself_is_not_written_over(
    option: str, way: Callable[[Path], Path], mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By whatever path; nothing is judged before that is known."""
    before, place = mine.read_bytes(), way(mine)
    assert main(("check", str(mine), option, str(place))) == 1
    out, err = capsys.readouterr()
    what = {"--marked": "the marked copy", "--solution": "the solution"}[option]
    assert err == f"sheetgen: {place}: is the workbook that is checked; name another file for {what}\n"
    assert out == ""
    assert mine.read_bytes() == before


@pytest.mark.parametrize("exists", [False, True])
def test_the_solution_is_not_written_over_the_marked_copy(
    exists: bool, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written then."""
    copy = tmp_path / "copy.xlsx"
    if exists:
        copy.write_bytes(mine.read_bytes())
    before = sorted(tmp_path.iterdir())
    for place in (copy, roundabout(copy)):
        assert main(("check", str(mine), "--marked", str(copy), "--solution", str(place))) == 1
        assert capsys.readouterr().err == f"sheetgen: {place}: is the marked copy; name another file for the solution\n"
    (tmp_path / "sub").rmdir()
    assert sorted(tmp_path.iterdir()) == before
    assert not exists or copy.read_bytes() == mine.read_bytes()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "latin-1"])
@pytest.mark.parametrize("several", [False, True])
def test_json_is_json_in_every_encoding(encoding: str, several: bool, tmp_path: Path) -> None:
    """A pipe on Windows takes the letters of one alphabet, and of no other."""
    path = write(tmp_path / "Übung ∂ 😀.xlsx", SMALL)
    command = [sys.executable, "-m", "sheetgen", "check", "--json", str(path), *([str(path)] if several else [])]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=False, timeout=60
    )
    found = json.loads(done.stdout.decode(encoding))
    assert (found[1] if several else found)["file"] == str(path)
    assert ("😀".encode() in done.stdout) == (encoding == "utf-8")


OTHERS = {
    "xor": "is a 2-3-1 one (4 samples, 2 inputs, 1 output)",
    "relu_regression": "is a 1-4-1 one (9 samples, 1 input, 1 output)",
    "softmax_three_classes": "is a 2-3-3 one (6 samples, 2 inputs, 3 outputs)",
}


@pytest.mark.parametrize("spec", OTHERS)
def test_a_spec_of_another_network_is_refused(spec: str, mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what each has."""
    assert main(("check", str(mine), "--spec", spec)) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert f"the network of --spec {OTHERS[spec]}, and the table is of a 2-2-2 one" in line
    assert "has columns that this one has not: t1, t2, i1, i2, h1, a_h1, h2, a_h2, …" in line


def test_a_spec_may_say_what_a_stray_label_hides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns that no network has, with those of its inputs, are helpers."""
    path = write(tmp_path / "stray.xlsx", replace(SMALL, extra={"i3": "{i1}", "E3": "{E1}"}))
    assert main(("check", str(path), "--spec", "erav2")) == 0
    assert "27 of 27 columns" in capsys.readouterr().out


@pytest.mark.parametrize("others", [(), (".",)])
def test_an_empty_name_is_refused(others: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """It would be the current folder."""
    assert main(("check", "", *others)) == 1
    out, err = capsys.readouterr()
    assert err.startswith("sheetgen: command line: a FILE is an empty name")
    assert (out, err.count("\n")) == ("", 1)


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that cannot be read, as root can read any."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    scandir = os.scandir

    def refused(path: str = ".") -> Iterator[os.DirEntry[str]]:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    yield folder
    folder.chmod(0o700)


def test_a_folder_that_cannot_be_read_is_told(
    closed: Path, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone in a line; within another folder it is one that was not read."""
    assert main(("check", str(closed))) == 1
    assert capsys.readouterr().err.startswith(f"sheetgen: {closed}: cannot be read: Permission denied; ")
    assert main(("check", str(tmp_path))) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"not read  {closed}: cannot be read: ")
    assert lines[1].startswith(f"right   {mine} ")
    assert lines[2] == "2 files: 1 right, 1 not read"


def test_files_that_a_folder_does_not_let_look_at_are_told(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its list can be read, and nothing in it."""

    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    assert main(("check", str(mine.parent))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 files: 1 right"


def test_a_mac_s_companions_are_no_workbooks(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are beside every file on a disk that is not a Mac's own."""
    (tmp_path / "._mine.xlsx").write_bytes(b"\0\5\x16\7")
    assert main(("check", str(tmp_path))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 files: 1 right"
    mine.unlink()
    assert main(("check", str(tmp_path))) == 1
    assert "has no workbook in it" in capsys.readouterr().err


def test_a_line_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is in a formula, or in the file's name."""
    broken = WRONG.formulas["∂E/∂w3"].replace("+(", "\n +\r\n(")
    path = write(tmp_path / "my\nwork.xlsx", replace(RIGHT, formulas={**WRONG.formulas, "∂E/∂w3": broken}))
    copy, solution = tmp_path / "the\ncopy.xlsx", tmp_path / "the\nsolution.xlsx"
    assert main(("check", str(path), "--marked", str(copy), "--solution", str(solution))) == 1
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["my", "starts", "wrong", "J33", "wrong", "right"]
    assert "*N33  + (T33" in out
    assert [line.split()[0] for line in err.splitlines()] == ["marked", "wrote"]


def test_of_several_tables_it_is_said_whose_the_solution_is(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the first's."""
    two = write(tmp_path / "two.xlsx", SMALL, replace(SMALL, rate=0.5, layout=Layout(tab="Half")))
    assert main(("check", str(two), "--solution", str(tmp_path / "solution.xlsx"))) == 0
    wrote, of = capsys.readouterr().err.splitlines()
    assert wrote.startswith("wrote ")
    assert of == "of        tab Sheet1, rows 33 to 44; the workbook has 2 tables"
    assert main(("check", str(mine), "--solution", str(tmp_path / "solution.xlsx"))) == 0
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_inputs_and_targets_are_none_of_the_columns_that_are_counted(tmp_path: Path) -> None:
    """As many can be wrong as there are: not one is right then, and not four less."""
    data: dict[tuple[str, int], str | float | bool] = {(name, 5): "?" for name in ("t1", "t2", "i1", "i2")}
    assert last_line(write(tmp_path / "data.xlsx", replace(SMALL, cells=data))).startswith("right   27 of 27 columns")
    every: dict[tuple[str, int], str | float | bool] = {
        (name, 2 + at % 8): "?" for at, name in enumerate(SMALL.layout.order)
    }
    found = write(tmp_path / "all.xlsx", replace(SMALL, cells=every))
    assert len(examine(found).tables[0].findings) == 31
    assert last_line(found).startswith("right   0 of 27 columns")


def last_line(path: Path) -> str:
    return examine(path).lines()[-1]
