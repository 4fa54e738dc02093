"""Every command, spec and program of the README does what the README says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from handmade import write
from test_foreign_command import WRONG

from sheetgen.spec import parse

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANYTHING = "…"


@dataclass(frozen=True)
class Command:
    """A line behind "$ " and the output printed under it."""

    line: str
    output: tuple[str, ...]


def blocks(language: str) -> list[str]:
    """The contents of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(block: str) -> Iterator[Command]:
    """The commands of a console block, in order."""
    line, output = "", list[str]()
    for text in block.splitlines():
        if text.startswith("$ "):
            if line:
                yield Command(line, tuple(output))
            line, output = text[2:], []
        else:
            output.append(text)
    if line:
        yield Command(line, tuple(output))


def pattern(expected: tuple[str, ...]) -> str:
    """A regular expression for the output; an ellipsis stands for anything."""
    return r"\A" + ".*".join(re.escape(part) for part in "\n".join(expected).split(ANYTHING)) + r"\n?\Z"


# Those that train a network take longer.
SHOWN = [
    pytest.param(block, marks=[pytest.mark.slow] * ("cnn train" in block))
    for block in blocks("console")
    if "make " not in block
]


@pytest.mark.parametrize("block", SHOWN)
def test_commands_print_what_the_readme_shows(block: str, tmp_path: Path) -> None:
    """The block's commands run one after the other in an empty folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    write(tmp_path / "homework.xlsx", WRONG)
    for command in commands(block):
        line = command.line
        if line.split()[0] in ("sheetgen", "python"):
            module = ["-m", "sheetgen"] if line.startswith("sheetgen") else []
            line = shlex.join([sys.executable, *module]) + line.removeprefix(line.split()[0])
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == ("homework" in line), f"$ {command.line}\n{done.stdout}{done.stderr}"
        if command.output:
            assert re.match(pattern(command.output), done.stdout, re.DOTALL), f"$ {command.line}\n{done.stdout}"


def test_make_has_the_targets_of_the_readme() -> None:
    """`make -n` knows each; running them here would run the tests within the tests."""
    targets = re.findall(r"^\$ make (\S+)", README, re.MULTILINE)
    assert {"workbook", "test"} <= set(targets)
    for target in targets:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("toml"))
def test_specs_are_valid(block: str) -> None:
    """A spec shown to readers is one that can be built."""
    assert parse(block, "README.md", str(ROOT / "templates")).runs


@pytest.mark.parametrize("block", blocks("python"))
def test_programs_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program shown to readers runs as it is."""
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def test_pictures_exist() -> None:
    """No picture is missing, and each has a description."""
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert pictures
    for text, place in pictures:
        assert text
        assert (ROOT / place).is_file(), place
