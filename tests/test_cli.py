"""The command line: exit codes, what goes to stdout and what to stderr, and files left alone."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sheetgen.cli import main
from sheetgen.errors import SheetgenError
from sheetgen.spec import template_names, template_text

# What --help and --version must not import: each takes longer than the answer.
HEAVY = ("sympy", "openpyxl", "torch", "ironcalc", "numpy", "tomllib", "tomli_w", "tqdm")


def run_apart(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m sheetgen` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "sheetgen", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [("--help",), ("build", "--help"), ("check", "--help"), ("templates", "--help")])
def test_every_command_has_help(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to stdout, with exit code 0."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    assert (caught.value.code, err) == (0, "")
    assert out.startswith("usage: sheetgen")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    """They answer at once because they import none of what the commands need."""
    program = f"""
import sys
from sheetgen.cli import main
try:
    main([{option!r}])
except SystemExit as end:
    assert end.code == 0
print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


WRONG_USAGE = [
    (),
    ("biuld",),
    ("build", "--stesp", "3"),
    ("build", "--steps", "ten"),
    ("build", "--rate", "fast"),
    ("build", "--rate"),
    ("check",),
    ("check", "x.xlsx", "--engine", "excel"),
    ("templates", "xor", "deep"),
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Usage and the reason go to stderr, nothing to stdout."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    assert err.startswith("usage: sheetgen")


def test_templates_lists_names_and_titles(capsys: pytest.CaptureFixture[str]) -> None:
    """One template a line, the default first."""
    assert main(("templates",)) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == list(template_names())
    assert out.startswith("erav2 ")
    assert "Back-propagation by hand" in out
    assert err == ""


def test_templates_prints_one_to_start_from(capsys: pytest.CaptureFixture[str]) -> None:
    """The text is the template's, comments included."""
    assert main(("templates", "xor")) == 0
    assert capsys.readouterr() == (template_text("xor"), "")


def test_templates_is_utf8_in_any_locale() -> None:
    """TOML is UTF-8; a terminal's encoding does not change what is redirected to a file."""
    done = run_apart("templates", "optimizers", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, template_text("optimizers"), "")


def refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr of a command that exits with 1."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sheetgen: ")
    assert err.count("\n") == 1
    return err


REFUSED = {
    "template": (("templates", "xro"), "'xro' is not a template; choose one of: erav2", "Did you mean 'xor'?"),
    "spec": (("build", "xro"), "'xro' is not a template; choose one of: erav2", "Did you mean 'xor'?"),
    "file": (("build", "no.toml"), "no.toml: cannot be read", "Check the path"),
    "rate": (("build", "--rate", "0.1", "-1"), "command line: --rate[1] is -1.0; a number that is above 0", "Try 0.1."),
    "rate nan": (("build", "--rate", "nan"), "command line: --rate[0] is nan; a number", "Try 0.1."),
    "rate twice": (("build", "--rate", "1", "--rate", "1"), "--rate[1] is 1.0 once more; each", "Remove or change"),
    "steps": (("build", "--steps", "0"), "--steps is 0; a whole number from 1 to 1048560", "100 is a good start"),
    "live": (("build", "--live"), "command line: --live is given without --cnn", "Add --cnn RUN"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_bad_input_exits_with_1_and_writes_nothing(
    case: tuple[tuple[str, ...], str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line on stderr, no file, and an existing output as it was."""
    monkeypatch.chdir(tmp_path)
    arguments, *parts = case
    message = refused(arguments, capsys)
    for part in parts:
        assert part in message
    assert list(tmp_path.iterdir()) == []
    if arguments[0] == "build":
        output = tmp_path / "backprop.xlsx"
        output.write_bytes(b"precious")
        refused(arguments, capsys)
        assert output.read_bytes() == b"precious"


def test_a_message_stays_one_line_whatever_the_file_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    """A line break in a path does not break the line on stderr."""
    assert "a b.toml: cannot be read" in refused(("build", "a\nb.toml"), capsys)


def test_a_bad_spec_is_refused_where_it_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The line names the file and the path of keys, what was found, what is allowed, and the nearest known name."""
    path = tmp_path / "xor.toml"
    path.write_text(template_text("xor").replace('"tanh"', '"tahn"'), encoding="utf-8")
    expected = "network.layers[0].activation is 'tahn'; choose one of: sigmoid, tanh, relu, leaky_relu, softplus"
    message = refused(("build", str(path), "-o", str(tmp_path / "xor.xlsx")), capsys)
    assert message.startswith(f"sheetgen: {path}: {expected}")
    assert message.endswith("Did you mean 'tanh'?\n")
    assert not (tmp_path / "xor.xlsx").exists()


OUTPUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "the folder is missing": (lambda folder: folder / "absent" / "a.xlsx", "absent"),
    "it is a folder": (lambda folder: folder, "folder"),
}


@pytest.mark.parametrize("case", OUTPUTS.values(), ids=OUTPUTS)
def test_an_output_that_cannot_be_written_is_refused(
    case: tuple[Callable[[Path], Path], str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The line names the path; nothing is left beside it."""
    output = case[0](tmp_path)
    message = refused(("build", "--steps", "1", "--rate", "1", "-o", str(output)), capsys)
    assert str(output) in message
    assert case[1] in message
    assert list(tmp_path.iterdir()) == []


def test_build_writes_the_workbook_and_says_what_is_in_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Path, tabs, number of formulas and each rate's last loss on stdout; the default file is in this folder."""
    monkeypatch.chdir(tmp_path)
    assert main(("build", "--rate", "0.5", "2", "--steps", "3")) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["backprop.xlsx"]
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["wrote"].startswith("backprop.xlsx (")
    expected = "Start, Inputs, Network, Derivation, lr 0.5, lr 2, Compare, Gradient check"
    assert lines["tabs"] == expected
    assert int(lines["formulas"].replace(",", "")) > 2 * 4 * 32
    assert "loss after 3 updates" in out
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["lr", "0.5"], ["lr", "2"]]


def test_build_then_check_agrees(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A workbook just written recalculates to its stored values."""
    path = str(tmp_path / "a.xlsx")
    assert main(("build", "mazur", "--steps", "2", "-o", path)) == 0
    assert main(("check", path)) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 cut short"], ids=["empty", "text", "truncated"])
def test_check_refuses_what_is_no_workbook(content: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The line names the file."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert str(path) in refused(("check", str(path)), capsys)


def test_check_refuses_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the file."""
    assert "absent.xlsx" in refused(("check", "absent.xlsx"), capsys)


def test_an_interrupted_build_exits_with_130(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is one line on stderr, and the output is as it was."""

    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["sheetgen.build"], "build", interrupted)
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"precious")
    assert main(("build", "-o", str(path))) == 130
    assert capsys.readouterr() == ("", "sheetgen: interrupted; no file was changed.\n")
    assert path.read_bytes() == b"precious"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the errors a user can cause become one line."""

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sheetgen.spec.load", broken)
    assert not issubclass(ZeroDivisionError, SheetgenError)
    with pytest.raises(ZeroDivisionError):
        main(("build",))


def test_a_closed_pipe_is_no_traceback() -> None:
    """A reader of stdout that has seen enough gets no complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "sheetgen", "templates", "mazur"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_python_m_sheetgen_is_the_command() -> None:
    """Exit codes pass through."""
    assert run_apart("templates", "deep").returncode == 0
    done = run_apart("templates", "depe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sheetgen: 'depe' is not a template")
