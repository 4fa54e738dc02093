"""The command line: exit codes, what goes to stdout and what to stderr, and files left alone."""

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from specs import plain

from sheetgen.build import forecast
from sheetgen.cli import main
from sheetgen.errors import SheetgenError
from sheetgen.spec import dump, load, template_names, template_text
from sheetgen.tabs.layout import plan_table

# What --help and --version must not import: each takes longer than the answer.
HEAVY = ("sympy", "openpyxl", "torch", "ironcalc", "numpy", "tomllib", "tqdm")


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


@pytest.mark.parametrize(
    "arguments", [("--help",), ("build", "--help"), ("check", "--help"), ("handout", "--help"), ("templates", "--help")]
)
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


@pytest.mark.parametrize("rates", [("0.5", "1", "xor"), ("0,5",), ("0.5,1",)], ids=" ".join)
def test_rates_that_are_none_say_how_to_separate(rates: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """By spaces, after the spec."""
    with pytest.raises(SystemExit):
        main(("build", "--rate", *rates))
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{rates[-1]!r} is no number; rates are separated by spaces, and a SPEC comes before them" in said
    assert said.endswith("as in: sheetgen build xor --rate 0.5 1")


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
    "it is no workbook": (lambda folder: folder / "thesis.docx", "does not end in .xlsx"),
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
    expected += ", Map passes, Map, Landscape passes, Landscape"
    assert lines["tabs"] == expected
    assert int(lines["formulas"].replace(",", "")) > 2 * 4 * 32
    assert "loss after 3 updates" in out
    assert [line.split()[:2] for line in out.splitlines()[-2:]] == [["lr", "0.5"], ["lr", "2"]]


def test_a_spec_is_not_written_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nor anything else that is no workbook."""
    path = tmp_path / "mine.toml"
    path.write_text(template_text("xor"), encoding="utf-8")
    assert "mine.toml: does not end in .xlsx" in refused(("build", str(path), "-o", str(path)), capsys)
    assert path.read_text(encoding="utf-8") == template_text("xor")


def test_another_workbook_in_its_place_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its title; a workbook that is built once more is not another."""
    monkeypatch.chdir(tmp_path)
    for title in ("one", "other"):
        text = dump(replace(plain("erav2", [0.5], 2), title=title))
        (tmp_path / f"{title}.toml").write_text(text, encoding="utf-8")

    def replaced(title: str) -> list[str]:
        assert main(("build", f"{title}.toml")) == 0
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("replaced")]

    assert replaced("one") == replaced("one") == []
    assert replaced("other") == ["replaced  the workbook “one”"]
    load_workbook(tmp_path / "backprop.xlsx").save(tmp_path / "backprop.xlsx")
    assert replaced("other") == []
    book = Workbook()
    book.save(tmp_path / "backprop.xlsx")
    assert replaced("other") == ["replaced  a workbook that another program made"]
    (tmp_path / "backprop.xlsx").write_bytes(b"PK cut")
    assert replaced("other") == ["replaced  a damaged workbook"]


def test_a_long_build_says_so_before_it_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it will be, on stderr; then it goes on."""

    def interrupted(*_: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["sheetgen.build"], "build", interrupted)
    assert main(("build", "--steps", "1048560", "-o", str(tmp_path / "a.xlsx"))) == 130
    first, second = capsys.readouterr().err.splitlines()
    expected = (
        "about 8.4 min: 200,000,000 cells, 1,200 MB as a file and 8,100 MB of memory; fewer steps make it smaller."
    )
    assert first == f"sheetgen: this takes {expected}"
    assert second.startswith("sheetgen: interrupted")


@pytest.mark.parametrize("name", template_names())
def test_a_forecast_counts_the_cells_there_are(name: str) -> None:
    """No column too many, or it would refuse what can be built, and hardly one too few; and templates are short."""
    spec = load(name)
    assert forecast(spec) == ""
    long = replace(spec, steps=10**9)
    found = re.search(r": ([\d,]+) cells", forecast(long))
    assert found is not None
    exact = sum(len(plan_table(long, run).equations.columns) for run in long.runs) * 10**9
    assert 0.8 * exact < float(found[1].replace(",", "")) < 1.02 * exact


def test_what_no_sheet_holds_is_refused_before_anything_is_derived(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,200 weights fit, but not with two states of each."""
    path = tmp_path / "large.toml"
    layer = '[[network.layers]]\nunits = 7\nactivation = "sigmoid"\nweights = "random"\n'
    data = f"[data]\ninputs = [{[0.1] * 600}]\ntargets = [{[0.5] * 7}]\n"
    text = f'learning_rates = [0.1]\nsteps = 1\n{data}[network]\nloss = "half_squared_error"\n{layer}'
    path.write_text(text + '[training.optimizer]\nname = "adam"\n', encoding="utf-8")
    monkeypatch.setattr("sheetgen.maths.derive.derive_network", lambda *_: pytest.fail("it derives"))
    said = refused(("build", str(path), "-o", str(tmp_path / "a.xlsx")), capsys)
    assert "lr 0.1: the table would have at least 17,4" in said
    assert "columns; Excel allows 16384. Use fewer units, inputs or samples" in said


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


# What a shell can do with the output -> exit code, and what is said on stderr if it can be said.
LOST = "sheetgen: standard output is closed; what belongs there is lost. Redirect it, perhaps to a file."
FULL = f"sheetgen: the output cannot be written: {os.strerror(errno.ENOSPC)}; choose another place"
UNKNOWN = "sheetgen: 'nope' is not a template"
OUTPUT = {
    "templates mazur > /dev/full": (1, FULL),
    "--help > /dev/full": (1, FULL),
    "templates mazur >&-": (1, LOST),
    "templates mazur <&- >&-": (1, LOST),
    "templates nope >&-": (1, UNKNOWN),
    "templates nope 2> /dev/full": (1, ""),
    "templates nope 2>&-": (1, ""),
    "templates nope <&- >&- 2>&-": (1, ""),
    "2> /dev/full": (2, ""),
    "templates mazur | true; exit ${PIPESTATUS[0]}": (1, ""),
    "--help | true; exit ${PIPESTATUS[0]}": (1, ""),
}


@pytest.mark.parametrize("line", OUTPUT)
def test_output_that_cannot_be_written_is_one_line(line: str) -> None:
    """Or none, where a reader has seen enough or nobody could read it; never a traceback."""
    code, said = OUTPUT[line]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = f"{shlex.quote(sys.executable)} -m sheetgen {line}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == code
    assert done.stderr.count("\n") == bool(said)
    assert done.stderr.startswith(said)


def test_a_workbook_is_whole_though_nobody_hears_of_it(tmp_path: Path) -> None:
    """The draft does not become the standard output that is closed."""
    command = f"{shlex.quote(sys.executable)} -m sheetgen build --steps 2 -o a.xlsx >&- 2>&- <&-"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    assert subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, timeout=60).returncode == 1
    assert zipfile.ZipFile(tmp_path / "a.xlsx").testzip() is None


def test_a_terminal_without_umlauts_is_no_reason_to_fail(tmp_path: Path) -> None:
    """What it cannot show is escaped, on stdout and on stderr."""
    path = tmp_path / "Übung.xlsx"
    done = run_apart("build", "--steps", "2", "-o", str(path), PYTHONIOENCODING="ascii:strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\xdcbung.xlsx" in done.stdout
    done = run_apart("build", "Übung", PYTHONIOENCODING="ascii:strict")
    assert done.returncode == 1
    assert done.stderr.startswith(r"sheetgen: '\xdcbung' is not a template")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (MemoryError(), "there is not enough memory for this; ask for less, such as fewer --steps"),
        (OSError(errno.EMFILE, "Too many open files", "a place"), "a place: Too many open files; choose"),
    ],
)
def test_trouble_with_the_machine_is_one_line(
    trouble: Exception, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it comes from."""

    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr("sheetgen.spec.load", fail)
    assert said in refused(("build",), capsys)


def test_signals_are_left_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    """For a program that calls the command; in another thread, where they cannot be heeded, too."""
    hook = sys.unraisablehook
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(("templates",))))
    thread.start()
    thread.join()
    assert [main(("templates",)), *codes] == [0, 0]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)] == before
    assert sys.unraisablehook is hook


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")], ids=str
)
def test_an_interrupt_in_a_destructor_is_not_lost(
    number: signal.Signals, word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python drops what is raised there; and a destructor that fails on what is half made says nothing."""

    class HalfMade:
        def __del__(self) -> None:
            signal.raise_signal(number)

    class Broken:
        def __del__(self) -> None:
            raise AttributeError("half made")

    def interrupted(*_: object) -> None:
        one = Broken()
        HalfMade()
        for seconds in [0.01] * 1_000:
            time.sleep(seconds)
        del one

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    monkeypatch.setattr("sheetgen.spec.load", interrupted)
    assert main(("build",)) == 128 + number
    assert capsys.readouterr().err == f"sheetgen: {word}; no file was changed.\n"
    assert told == []


def test_a_destructor_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """If nothing was interrupted, it is a bug."""

    class Broken:
        def __del__(self) -> None:
            raise AttributeError("a bug")

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(str(what.exc_value)))
    monkeypatch.setattr("sheetgen.spec.load", lambda *_: pytest.fail(str(Broken())))
    with pytest.raises(pytest.fail.Exception):
        main(("build",))
    assert told == ["a bug"]


@pytest.mark.parametrize(
    ("package", "module"), [("sheetgen", "argparse"), ("sheetgen", "cli"), ("cnn", "argparse"), ("cnn", "errors")]
)
def test_an_interrupt_while_it_starts_is_one_line(package: str, module: str) -> None:
    """Ctrl-C as a module of the command is being imported."""
    code = f"""
import runpy, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name.rpartition(".")[2] == {module!r}:
            raise KeyboardInterrupt
sys.modules.pop("argparse", None)
sys.meta_path.insert(0, Interrupt())
sys.argv = [{package!r}, "--help"]
runpy.run_module({package!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{package}: interrupted.\n")


def test_python_m_sheetgen_is_the_command() -> None:
    """Exit codes pass through."""
    assert run_apart("templates", "deep").returncode == 0
    done = run_apart("templates", "depe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sheetgen: 'depe' is not a template")
