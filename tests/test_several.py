"""Many workbooks at once: in order, each told, whatever one of them does to the process that reads it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from handmade import Handmade, write

from sheetgen import check
from sheetgen.check.several import FEW, check_several, each
from sheetgen.cli import main
from sheetgen.errors import VERSION, SpecError

PATHS = [Path(str(number)) for number in range(3 * FEW)]


def told(path: Path) -> tuple[Path, int]:
    """A path, and the process that looked at it."""
    return path, os.getpid()


def ends(path: Path, *, which: str) -> tuple[Path, int]:
    """The same, but for one path, which ends the process."""
    if path.name == which:
        os._exit(1)
    return told(path)


def broken(path: Path) -> tuple[Path, int]:
    return path, -1


def test_several_processes_answer_in_order() -> None:
    """Few files are looked at in this process, which starts at once."""
    found = list(each(told, PATHS, broken))
    assert [path for path, _ in found] == PATHS
    assert os.getpid() not in {process for _, process in found}
    assert {process for _, process in each(told, PATHS[: FEW - 1], broken)} == {os.getpid()}


@pytest.mark.parametrize("which", ["0", "5", "11"])
def test_a_file_that_ends_its_process_is_told_and_the_others_are_looked_at(which: str) -> None:
    """Those too that were under way in the same moment."""
    found = list(each(partial(ends, which=which), PATHS, broken))
    assert [path for path, _ in found] == PATHS
    assert [path.name for path, process in found if process == -1] == [which]


def test_the_verdicts_are_those_of_one_file_each(tmp_path: Path) -> None:
    """Right, wrong and not read, in the order in which they are given."""
    right, wrong = Handmade(), Handmade().changed(E1="0.5*({t1}+{a_o1})^2")
    paths = [write(tmp_path / f"{at}.xlsx", one) for at, one in enumerate((wrong, right, right, wrong))]
    (tmp_path / "4.xlsx").write_bytes(b"PK\3\4 cut")
    verdicts = list(check_several([*paths, tmp_path / "4.xlsx"]))
    assert [one.kind for one in verdicts] == ["wrong", "right", "right", "wrong", "not read"]
    alone = [check(path) for path in paths]
    assert [one.content for one in verdicts[:-1]] == [report.json() for report in alone]
    assert [one.line for one in verdicts[:-1]] == [report.line() for report in alone]
    assert verdicts[-1].line.startswith(f"not read  {tmp_path / '4.xlsx'}: ")


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
def test_an_interrupt_ends_all_processes_in_a_line(options: tuple[str, ...], tmp_path: Path) -> None:
    """As Ctrl-C in a terminal, which every process gets."""
    for number in range(60):
        write(tmp_path / f"{number}.xlsx", Handmade())
    command = [sys.executable, "-m", "sheetgen", "check", *options, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        deadline = time.monotonic() + 30
        while len(children.read_text().split()) < min(2, os.cpu_count() or 1):
            assert running.poll() is None and time.monotonic() < deadline, "no process was started"
            time.sleep(0.01)
        time.sleep(0.5)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "sheetgen: interrupted; no file was changed.\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


@pytest.mark.parametrize("count", [FEW - 1, FEW + 1])
def test_a_mistake_of_this_program_s_in_one_file_is_told_and_the_others_are_judged(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its kind; alone the file gives the traceback."""
    paths = [write(tmp_path / f"{number}.xlsx", Handmade()) for number in range(count)]

    def mistaken(path: Path, *_: object, **options: Any) -> object:
        if path.name == "1.xlsx":
            raise KeyError("t1")
        return check(path, **options)

    monkeypatch.setattr(sys.modules["sheetgen.check.several"], "check", mistaken)
    assert main(("check", str(tmp_path))) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(f"not read  {paths[1]}: could not be judged by this version, {VERSION} (KeyError)")
    assert lines[-1] == f"{count} files: {count - 1} right, 1 not read"
    monkeypatch.setattr("sheetgen.check", mistaken)
    with pytest.raises(KeyError):
        main(("check", str(paths[1])))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, SpecError])
def test_what_ends_the_command_ends_it(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt is no mistake, and a wrong option is every file's."""

    def ended(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(sys.modules["sheetgen.check.several"], "check", ended)
    with pytest.raises(error):
        list(check_several([tmp_path / "a.xlsx", tmp_path / "b.xlsx"]))
