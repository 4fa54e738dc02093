"""A run folder is read without torch, and what is damaged or foreign in it is named in one line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen[cnn]'")

from cnn_samples import config, tiny_data, trained

from cnn.layers import parameter_shapes
from cnn.run import RunError, Writer, read_run
from sheetgen.errors import OutputError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole run; do not change it."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    trained(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_what_was_written_is_read(whole: Path) -> None:
    """Epochs, weights by name and shape, and a report that adds up."""
    run = read_run(whole)
    assert run.finished
    assert run.dataset == "scikit-learn digits"
    assert [epoch.epoch for epoch in run.epochs] == [1, 2]
    assert {name: array.shape for name, array in run.weights.items()} == parameter_shapes()
    assert {array.dtype for array in run.weights.values()} == {np.dtype(np.float32)}
    report, last = run.report, run.epochs[-1]
    assert report.confusion.sum() == 30
    assert report.confusion.trace() / 30 == pytest.approx(last.test_accuracy)
    assert report.sample_labels.tolist() == [digit for digit in range(10) for _ in range(2)]
    images = tiny_data().test_images.numpy()
    assert np.array_equal(report.sample_images, images[report.sample_index])
    assert np.array_equal(report.mistake_images, images[report.mistake_index])
    assert (np.diff(report.mistake_probability) <= 0).all()
    assert (report.mistake_truth != report.mistake_answer).all()


def test_reading_needs_no_torch(whole: Path) -> None:
    """Nor does it import the libraries that only training needs."""
    code = (
        "import sys; from pathlib import Path; from cnn.run import read_run;"
        f"read_run(Path({str(whole)!r})); print({{'torch', 'sklearn', 'openpyxl'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_metrics_have_exactly_the_documented_names(whole: Path) -> None:
    """In the documented order, one JSON object per line."""
    figures = [f"{part}_{name}" for part in ("train", "test") for name in ("loss", "accuracy")]
    names = ["epoch", *figures, "learning_rate", "seconds"]
    lines = (whole / "metrics.jsonl").read_text().splitlines()
    assert [list(json.loads(line)) for line in lines] == [names, names]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _write(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text)

    return write


def _one_epoch_less(path: Path) -> None:
    path.write_text(path.read_text().splitlines(keepends=True)[0])


def _other_seed(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "seed": 4}))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("config.json", Path.unlink, "is not the folder of a run: it has no config.json"),
        ("config.json", _write("{"), "config.json: is damaged"),
        ("config.json", _write('{"format": "else"}'), "is not of a run that cnn has written"),
        ("config.json", _write('{"format": "sheetgen-cnn-run", "version": 2}'), "version is 2"),
        ("config.json", _write('{"format": "sheetgen-cnn-run", "version": 1}'), "dataset or epochs is missing"),
        ("config.json", _other_seed, "belongs to another run than config.json"),
        ("metrics.jsonl", Path.unlink, "metrics.jsonl: there is no such file"),
        ("metrics.jsonl", _cut, "metrics.jsonl: line 2 is damaged"),
        ("metrics.jsonl", _write('{"epoch": 1}\n'), "line 1 is damaged: it must have exactly epoch, train_loss"),
        ("metrics.jsonl", _write(""), "no epoch is finished yet"),
        ("metrics.jsonl", _one_epoch_less, "is of epoch 2, metrics.jsonl ends at epoch 1"),
        ("weights.safetensors", Path.unlink, "weights.safetensors: there is no such file"),
        ("weights.safetensors", _cut, "weights.safetensors: is damaged"),
        ("weights.safetensors", _flip, "its numbers are not those that were written"),
        ("weights.safetensors", _write("no"), "weights.safetensors: is damaged"),
        ("report.safetensors", _flip, "report.safetensors: is damaged"),
    ],
)
def test_damage_is_named(folder: Path, name: str, damage: Callable[[Path], None], said: str) -> None:
    """In one line that names the file."""
    damage(folder / name)
    with pytest.raises(RunError) as caught:
        read_run(folder)
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", ['"epoch": 7', '"train_loss": NaN', '"train_loss": "x"', '"train_loss": true'])
def test_metrics_that_are_no_metrics_are_refused(folder: Path, change: str) -> None:
    """An epoch out of order, and what is no finite number."""
    path = folder / "metrics.jsonl"
    name = change.split(":")[0]
    first, second = path.read_text().splitlines()
    changed = ", ".join(change if pair.startswith(name) else pair for pair in second.strip("{}").split(", "))
    path.write_text(f"{first}\n{{{changed}}}\n")
    with pytest.raises(RunError, match="line 2 is damaged"):
        read_run(folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    """Also where they are whole and of this run."""
    weights = dict(read_run(folder).weights)
    weights["conv2.bias"] = weights["conv2.bias"][:-1]
    Writer(folder, config()).tensors("weights", weights, 2)
    with pytest.raises(RunError, match=r"conv2\.bias has shape \(15,\), the network's is \(16,\)"):
        read_run(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the command that would make it."""
    with pytest.raises(RunError, match="there is no such folder; make one with: python -m cnn train"):
        read_run(tmp_path / "nowhere")


def test_the_same_run_gives_the_same_bytes(whole: Path, folder: Path) -> None:
    """Writing what was read changes nothing."""
    run = read_run(whole)
    writer = Writer(folder, config())
    writer.tensors("weights", run.weights, 2)
    writer.tensors("report", vars(run.report), 2)
    writer.metrics(run.epochs)
    for path in whole.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_a_full_disk_is_one_line_and_leaves_the_file(folder: Path) -> None:
    """/dev/full stands for it: the draft cannot be written."""
    before = (folder / "metrics.jsonl").read_bytes()
    (folder / ".metrics.jsonl.draft").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"metrics\.jsonl: cannot be written: the disk is full; free some"):
        Writer(folder, config()).metrics(read_run(folder).epochs)
    assert (folder / "metrics.jsonl").read_bytes() == before
