"""`python -m cnn`: its exit codes, its one-line errors, and what it prints."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

from cnn_samples import tiny_data

from cnn import command
from cnn.cli import main
from cnn.run import read_run
from sheetgen.cli import main as sheetgen_main

TRAIN = ("train", "--dataset", "digits", "--device", "cpu")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever data set is asked for is the tiny one."""
    monkeypatch.setattr(command, "load", lambda name, folder, warn: tiny_data())


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that the command fails with."""
    assert main([str(argument) for argument in arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("cnn: ")
    return line.removeprefix("cnn: ")


@pytest.mark.usefixtures("tiny")
def test_train_writes_a_run_and_says_what_it_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plain line per epoch on stderr, the results on stdout, config.json as documented."""
    assert main([*TRAIN, "-o", str(tmp_path / "new" / "run"), "--epochs", "2", "--seed", "7"]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 3
    assert "scikit-learn digits: 70 training and 30 test images; recipe fast, 2 epochs, seed 7, cpu" in printed.err
    assert re.search(r"^epoch 2/2: train loss \d\.\d+ accuracy [\d.]+%, test loss .* s$", printed.err, re.MULTILINE)
    assert "scikit-learn digits" in printed.out
    assert "most confident mistakes" in printed.out
    assert "MNIST" not in printed.out + printed.err
    config = json.loads((tmp_path / "new" / "run" / "config.json").read_text())
    counts = ["train_images", "test_images"]
    asked = ["recipe", "epochs", "seed", "device", "device_name", "versions"]
    assert list(config) == ["format", "version", "dataset", *counts, "data", *asked]
    assert config["recipe"]["name"] == "fast"
    assert config["recipe"]["epochs"] == config["epochs"] == 2
    assert read_run(tmp_path / "new" / "run").finished


@pytest.mark.usefixtures("tiny")
def test_resume_takes_what_is_not_given_from_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a finished run it trains nothing and says what was reached; on none it begins."""
    begin = [*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1", "--seed", "7", "--recipe", "original", "--resume"]
    assert main(begin) == 0
    first = capsys.readouterr().out
    assert main(["train", "-o", str(tmp_path / "run"), "--resume"]) == 0
    again = capsys.readouterr()
    assert again.out == first
    assert "going on after epoch 1" in again.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seed", "8"), "seed is 7 in its config.json, and 8 now"),
        (("--epochs", "3"), "epochs is 1 in its config.json, and 3 now"),
        (("--recipe", "accurate"), "recipe is 'fast' in its config.json, and 'accurate' now"),
    ],
)
@pytest.mark.usefixtures("tiny")
def test_resume_refuses_another_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """What was asked for then and now is named; the run stays as it was."""
    main([*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1", "--seed", "7"])
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    capsys.readouterr()
    assert said in complaint(capsys, *TRAIN, "-o", tmp_path / "run", "--resume", *options)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.usefixtures("tiny")
def test_resuming_elsewhere_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other processes, threads or versions the last digits differ; with the same nothing is said."""
    begin = [*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1", "--resume"]
    main(begin)
    main(begin)
    assert "warning" not in capsys.readouterr().err
    monkeypatch.setattr("torch.get_num_threads", lambda: 99)
    main(begin)
    assert re.search(r"warning: .*run: begun on .* thread.*, goes on on .*, 99 threads with", capsys.readouterr().err)


@pytest.mark.usefixtures("tiny")
def test_a_run_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is anything else that is in the folder."""
    main([*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1"])
    capsys.readouterr()
    assert "already has a run in it; go on with it by --resume" in complaint(capsys, *TRAIN, "-o", tmp_path / "run")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "letter.txt").write_text("Dear")
    assert "else: is not empty" in complaint(capsys, *TRAIN, "-o", tmp_path / "else")
    resumed = complaint(capsys, *TRAIN, "-o", tmp_path / "else", "--resume")
    assert "is not the folder of a run: it has no config.json" in resumed


@pytest.mark.usefixtures("tiny")
def test_a_damaged_checkpoint_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resuming from half a file is not tried."""
    main([*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1"])
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    capsys.readouterr()
    assert "checkpoint.safetensors: is damaged" in complaint(capsys, *TRAIN, "-o", tmp_path / "run", "--resume")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--recipe", "fsat"), "--recipe is 'fsat'; choose one of: original, fast, accurate. Did you mean 'fast'?"),
        (("--dataset", "cifar"), "--dataset is 'cifar'; choose one of: auto, mnist, digits."),
        (("--device", "tpu"), "--device is 'tpu'; choose one of: auto, cpu, cuda. Did you mean 'cpu'?"),
        (("--epochs", "0"), "--epochs is 0; choose a whole number from 1 to 10,000"),
        (("--epochs", "-3"), "--epochs is -3; choose"),
        (("--seed", "-1"), "--seed is -1; choose a whole number from 0"),
        (("--dataset", "mnist", "--data", "/nowhere/at/all"), "--data: there is no folder /nowhere/at/all; it must"),
        (("--dataset", "digits", "--data", "."), "leave --data out"),
    ],
)
def test_bad_options_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    """What was found, what is allowed; no folder is made."""
    assert said in complaint(capsys, "train", "-o", tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


def test_cuda_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than training on something else."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    said = complaint(capsys, "train", "--dataset", "digits", "-o", tmp_path / "run", "--device", "cuda")
    assert "--device is cuda, and torch finds no CUDA device; choose one of: auto, cpu" in said


@pytest.mark.usefixtures("tiny")
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the folder should be, and a file among the folders above it."""
    (tmp_path / "file").write_text("")
    assert "file: is a file; name a folder for the run" in complaint(capsys, *TRAIN, "-o", tmp_path / "file")
    assert "cannot be written: a part of this path" in complaint(capsys, *TRAIN, "-o", tmp_path / "file" / "run")


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse has it."""
    for arguments in ([], ["fly"], ["train", "--epochs", "many"], ["export"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2


def test_help_imports_nothing_heavy() -> None:
    """Every option of train is in it."""
    code = (
        "import sys; from cnn.cli import main\n"
        "try: main(['train', '--help'])\n"
        "finally: print({'torch', 'numpy', 'sklearn', 'openpyxl', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    for option in ("output", "dataset", "data", "recipe", "epochs", "seed", "device", "resume"):
        assert f"--{option}" in done.stdout


@pytest.mark.parametrize("package", ["torch", "PIL", "sklearn"])
def test_a_missing_package_is_one_line(package: str, tmp_path: Path) -> None:
    """With what installs it, for whoever has sheetgen without its extra."""
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from cnn.cli import main\nsys.exit(main({[*TRAIN, '-o', str(tmp_path / 'run')]!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = f"cnn: training needs the package {package}, which is not installed; install sheetgen with its extra: "
    assert (done.returncode, done.stderr) == (1, f"{expected}pip install 'sheetgen-backprop[cnn]'\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"WORLD_SIZE": "abc"}, "environment: WORLD_SIZE is 'abc'; a whole number from 1 to 10000 is expected"),
        ({"WORLD_SIZE": "0"}, "environment: WORLD_SIZE is '0'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "environment: RANK is '2'; a whole number from 0 to 1 is expected"),
        ({"WORLD_SIZE": "9" * 5000}, "environment: WORLD_SIZE is '999"),
        ({"LOCAL_RANK": "-1"}, "environment: LOCAL_RANK is '-1'"),
        ({"WORLD_SIZE": "2", "RANK": "1"}, "the processes do not find each other"),
    ],
)
def test_an_environment_that_torchrun_did_not_make_is_refused(
    changes: dict[str, str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Naming the variable."""
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert said in complaint(capsys, *TRAIN, "-o", tmp_path / "run")


@pytest.mark.usefixtures("tiny")
def test_a_run_is_not_written_over_by_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever command would write it."""
    run = tmp_path / "run"
    main([*TRAIN, "-o", str(run), "--epochs", "1"])
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    capsys.readouterr()
    assert "config.json: does not end in .xlsx" in complaint(capsys, "export", run, "-o", run / "config.json")
    assert sheetgen_main(["build", "--steps", "1", "--cnn", str(run), "-o", str(run / "config.json")]) == 1
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.usefixtures("tiny")
def test_output_that_nobody_reads_is_no_traceback(tmp_path: Path) -> None:
    """A pager that was left, a full disk, and a terminal without umlauts."""
    run = tmp_path / "rün"
    main([*TRAIN, "-o", str(run), "--epochs", "1"])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONIOENCODING": "ascii"}
    environment.pop("PYTHONUNBUFFERED", None)
    command = f"{shlex.quote(sys.executable)} -m cnn export {shlex.quote(str(run))} -o {tmp_path}/rün.xlsx"
    endings = {
        "| true; exit ${PIPESTATUS[0]}": (1, ""),
        "> /dev/full": (1, "cnn: the output cannot be written: "),
        "": (0, ""),
    }
    for ending, (code, said) in endings.items():
        done = subprocess.run(["bash", "-c", f"{command} {ending}"], capture_output=True, text=True, env=environment)
        assert done.returncode == code
        assert done.stderr.startswith(said) and done.stderr.count("\n") == bool(said)
    assert r"r\xfcn.xlsx" in done.stdout


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")], ids=str
)
def test_an_interrupt_keeps_what_is_finished(number: signal.Signals, word: str, tmp_path: Path) -> None:
    """Ctrl-C, or being asked to end: a line that says how to go on, and a run that can be read."""
    train = [sys.executable, "-m", "cnn", *TRAIN, "--epochs", "900", "-o", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen(train, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch 1/900"):
            assert process.poll() is None
        process.send_signal(number)
        last = process.stderr.read().splitlines()[-1]
        assert process.wait(60) == 128 + number
    assert last == f"cnn: {word}; the finished epochs are kept: go on with the same command and --resume"
    assert read_run(tmp_path / "run").epochs
    assert not read_run(tmp_path / "run").finished
    assert not list((tmp_path / "run").glob(".*"))


def test_the_bar_shows_loss_accuracy_and_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where stderr is a terminal."""
    monkeypatch.setattr(command, "load", lambda name, folder, warn: tiny_data())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main([*TRAIN, "-o", str(tmp_path / "run"), "--epochs", "1"]) == 0
    bar = capsys.readouterr().err
    assert re.search(r"epoch 1/1: +\d+%.*\[\d\d:\d\d<.*loss \d\.\d+, accuracy", bar)
