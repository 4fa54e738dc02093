"""Files that are replaced: what may be, what is kept of them, and what a process that is ended leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from specs import plain

from sheetgen.build import build
from sheetgen.errors import OutputError
from sheetgen.xlsx import files
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.files import replacing, scratch
from sheetgen.xlsx.package import place_for, save

ROOT = Path(__file__).parent.parent
OLD = b"PK what is left of a workbook"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def saved(path: Path) -> Path:
    """A workbook with an empty tab."""
    book = Book()
    book.add("Inputs")
    save(book, path)
    return path


@pytest.mark.parametrize("name", ["thesis.docx", "out.csv", "lesson.xls", "lesson", "mine.toml", "a.xlsx.zip", ".xlsx"])
@pytest.mark.parametrize("there", [False, True])
def test_a_name_that_is_no_workbooks_is_refused(name: str, there: bool, tmp_path: Path) -> None:
    """Whether there is such a file or not, it is as it was."""
    path = tmp_path / name
    if there:
        path.write_text("precious")
    with pytest.raises(OutputError, match=re.escape(f"{path}: does not end in .xlsx")):
        saved(path)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["precious"] * there


def zipped(name: str) -> Callable[[Path], object]:
    """A zip archive that has one file of a name."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "precious")

    return write


KINDS: dict[str, tuple[Callable[[Path], object], bool]] = {
    "text": (lambda path: path.write_text("precious"), False),
    "old workbook": (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600)), False),
    "document": (zipped("word/document.xml"), False),
    "archive": (zipped("photo.png"), False),
    "workbook": (saved, True),
    "another's workbook": (zipped("xl/workbook.xml"), True),
    "damaged workbook": (lambda path: path.write_bytes(saved(path).read_bytes()[:-300]), True),
    "empty": (Path.touch, True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_workbook_is_replaced(kind: str, tmp_path: Path) -> None:
    """What it is, is told by what is in it; also behind a link, and before anything is computed."""
    make, allowed = KINDS[kind]
    path, link = tmp_path / "lesson.xlsx", tmp_path / "link.xlsx"
    make(path)
    link.symlink_to(path)
    before = path.read_bytes()
    if allowed:
        assert place_for(link) == path
    else:
        for one in (path, link):
            with pytest.raises(OutputError, match="is there already and is no workbook; remove it or choose another"):
                build(plain("erav2", steps=1), one)
    assert path.read_bytes() == before


def test_a_workbook_in_capitals_is_one(tmp_path: Path) -> None:
    """As on an old disk."""
    assert saved(tmp_path / "LESSON.XLSX").is_file()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o666])
def test_permissions_are_kept(mode: int, tmp_path: Path) -> None:
    """Also those that a new file would not get."""
    path = saved(tmp_path / "book.xlsx")
    path.chmod(mode)
    saved(path)
    assert path.stat().st_mode & 0o777 == mode


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    """Even for the administrator, who may write it."""
    path = saved(tmp_path / "book.xlsx")
    path.chmod(0o444)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="cannot be written: it is read-only; allow writing to it; choose another"):
        build(plain("erav2", steps=1), path)
    with pytest.raises(OSError, match="read-only"), replacing(path, ".x*.draft"):
        pytest.fail("it is written")
    assert path.read_bytes() == before


def test_no_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that stands where the draft would is refused, and one that looks abandoned leads to nothing that goes."""
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear")
    (tmp_path / ".sheetgen-1.tmp").symlink_to(letter)
    monkeypatch.setattr("sheetgen.xlsx.files.uuid4", lambda: type("Id", (), {"hex": "1"}))
    with pytest.raises(OutputError, match="File exists"):
        saved(tmp_path / "book.xlsx")
    monkeypatch.undo()
    saved(tmp_path / "book.xlsx")
    assert letter.read_text() == "Dear"


def test_what_looks_abandoned_and_is_no_file_stays(tmp_path: Path) -> None:
    """A pipe would wait for ever, a folder is somebody's."""
    os.mkfifo(tmp_path / ".sheetgen-1.tmp")
    (tmp_path / ".sheetgen-2.tmp").mkdir()
    saved(tmp_path / "book.xlsx")
    assert len(list(tmp_path.iterdir())) == 3


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A build that takes long, once it has begun to write."""
    command = [
        sys.executable,
        "-m",
        "sheetgen",
        "build",
        "--rate",
        "0.5",
        "1",
        "--steps",
        "6000",
        "-o",
        str(folder / "long.xlsx"),
        *arguments,
    ]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(folder.glob(".sheetgen-*.tmp")):
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_build_that_is_asked_to_end_cleans_up(number: signal.Signals, tmp_path: Path) -> None:
    """As after Ctrl-C: one line, the exit code that shells give, and the old file alone."""
    saved(tmp_path / "long.xlsx")
    before = (tmp_path / "long.xlsx").read_bytes()
    with start(tmp_path) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert said == f"sheetgen: ended by {number.name}; no file was changed.\n"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_what_a_kill_left_goes_with_the_next_build(tmp_path: Path) -> None:
    """But not what a running process still writes."""
    with start(tmp_path) as killed:
        killed.kill()
        killed.communicate()
    [left] = tmp_path.iterdir()
    with start(tmp_path) as running:
        running.send_signal(signal.SIGSTOP)
        drafts = {path for path in tmp_path.iterdir() if path != left}
        saved(tmp_path / "book.xlsx")
        assert set(tmp_path.iterdir()) == {*drafts, tmp_path / "book.xlsx"}
        running.send_signal(signal.SIGCONT)
        running.communicate(timeout=60)
    assert running.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "long.xlsx"]


def test_many_at_once_are_all_whole(tmp_path: Path) -> None:
    """Builds that begin together in one folder do not take each other's drafts for abandoned."""
    code = (
        "import sys; from pathlib import Path; from sheetgen.xlsx.files import replacing\n"
        "for turn in range(300):\n"
        "    with replacing(Path(sys.argv[1]), '.sheetgen-*.tmp') as file: file.write(b'whole')\n"
    )
    commands = [[sys.executable, "-c", code, str(tmp_path / f"{number % 2}")] for number in range(4)]
    running = [subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 4
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"] * 2


def test_a_folder_that_a_kill_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in use is not, nor one that another process has just made, nor a file or a link called so."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "ours-left").mkdir()
    (tmp_path / "ours-left" / "book.xlsx").write_bytes(OLD)
    (tmp_path / "ours-file").write_bytes(OLD)
    (tmp_path / "other").mkdir()
    (tmp_path / "ours-link").symlink_to(tmp_path / "other")
    with scratch("ours-") as one:
        assert (tmp_path / "ours-left").exists()
        monkeypatch.setattr(files, "SETTLED", -1.0)
        with scratch("ours-") as other:
            kept = {one, other, *(tmp_path / name for name in ("ours-file", "ours-link", "other"))}
            assert set(tmp_path.iterdir()) == kept
    assert set(tmp_path.iterdir()) == kept - {one, other}


@pytest.mark.parametrize(("ours", "stride"), [((save, replacing), 1), ((zipfile.ZipFile,), 13)], ids=["ours", "zip"])
def test_an_interrupt_at_any_line_leaves_a_whole_file(
    ours: tuple[Any, ...], stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one or the new one, and nothing beside it; zipfile's lines come again with every part."""
    path = tmp_path / "book.xlsx"
    new = saved(path).read_bytes()
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # what is interrupted there is a file left open
    files = {sys.modules[one.__module__].__file__ for one in ours}
    left, before = 0, sys.gettrace()

    def count(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal left
        left -= event == "line"
        if not left:
            sys.settrace(before)
            raise KeyboardInterrupt
        return count if frame.f_code.co_filename in files else None

    for at in range(1, 10_000, stride):
        path.write_bytes(OLD)
        left = at
        sys.settrace(count)
        try:
            saved(path)
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(before)
        assert path.read_bytes() in (OLD, new), at
        assert [*tmp_path.iterdir()] == [path], at
    assert at > 100 * stride


def is_running(process: int) -> bool:
    """Whether there is such a process that has not ended."""
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_libreoffice_ends_with_us(number: signal.Signals, tmp_path: Path) -> None:
    """It, the process that it starts and, unless we are killed, its folder; a program stands in for it."""
    program, temporary, path = tmp_path / "soffice", tmp_path / "tmp", tmp_path / "book.xlsx"
    program.write_text(f"#!/bin/sh\nsleep 60 & echo $! $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pids; wait\n")
    program.chmod(0o755)
    temporary.mkdir()
    build(plain("erav2", steps=1), path)
    environment = {**ENVIRONMENT, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "sheetgen", "check", "--engine", "libreoffice", str(path)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (tmp_path / "pids").exists():
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    if number != signal.SIGKILL:
        assert (process.returncode, said.count("\n")) == (128 + number, 1)
        assert list(temporary.iterdir()) == []
    deadline = time.monotonic() + 5
    while any(is_running(int(one)) for one in (tmp_path / "pids").read_text().split()):
        assert time.monotonic() < deadline, "it is still running"
        time.sleep(0.02)
