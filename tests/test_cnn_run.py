"""A run folder is read without torch, and what is damaged or foreign in it is named in one line."""

import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

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
    names = ["epoch", *figures, "learning_rate", "seconds", "images"]
    lines = (whole / "metrics.jsonl").read_text().splitlines()
    assert [list(json.loads(line)) for line in lines] == [names, names]


def test_a_run_of_an_earlier_version_trained_on_all_images(folder: Path) -> None:
    """Its lines do not say how many."""
    path = folder / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["images"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "metrics.sha256").unlink()
    assert [epoch.images for epoch in read_run(folder).epochs] == [70, 70]


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


def test_a_full_disk_is_one_line_and_leaves_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft cannot be written."""
    before = (folder / "metrics.jsonl").read_bytes()

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"metrics\.sha256: cannot be written: the disk is full; free some"):
        Writer(folder, config()).metrics(read_run(folder).epochs)
    assert (folder / "metrics.jsonl").read_bytes() == before
    assert not list(folder.glob(".*"))


def test_a_planted_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Where a draft would be, and in place of the file: what it leads to stays as it was."""
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear")
    (folder / ".metrics.jsonl.draft").symlink_to(letter)
    epochs = read_run(folder).epochs
    (folder / "metrics.jsonl").unlink()
    (folder / "metrics.jsonl").symlink_to(letter)
    Writer(folder, config()).metrics(epochs)
    assert letter.read_text() == "Dear"
    assert not (folder / "metrics.jsonl").is_symlink()


def test_every_flipped_bit_of_the_metrics_is_noticed(folder: Path) -> None:
    """Any of 400, and none of them by another number in the tab. A run of an earlier version has no digest."""
    path = folder / "metrics.jsonl"
    whole = path.read_bytes()
    draw = random.Random(1)
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(RunError):
            read_run(folder)
    path.write_bytes(whole.replace(b'"train_loss": ', b'"train_loss": 1'))
    with pytest.raises(RunError, match=r"metrics\.jsonl: is damaged: it is not what was written; put it right with"):
        read_run(folder)
    (folder / "metrics.sha256").unlink()
    read_run(folder)


def _link_to(target: str) -> Callable[[Path], None]:
    def link(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return link


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _sparse(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 40)


FILES = ["config.json", "metrics.jsonl", "metrics.sha256", "weights.safetensors", "report.safetensors"]
UNLIKE_FILES = {
    "pipe": _pipe,
    "zeros": _link_to("/dev/zero"),
    "terminal": _link_to("/dev/tty"),
    "loop": _link_to("config.json/../config.json"),
    "folder": _folder,
    "tebibyte": _sparse,
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", UNLIKE_FILES.values(), ids=UNLIKE_FILES)
def test_what_is_no_file_of_bounded_size_is_refused(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    """At once, naming it, whatever it is instead."""
    damage(folder / name)
    with pytest.raises(RunError, match=f"{name}: (cannot be read|there is no such file)|run: is not the folder"):
        read_run(folder)


def test_a_folder_that_may_not_be_searched_is_named(folder: Path) -> None:
    """As a file that may not be read is; the administrator may search every folder, so somebody else tries."""
    folder.chmod(0o600)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        with pytest.raises(RunError, match=r"config\.json: cannot be read: Permission denied"):
            read_run(folder)
    finally:
        os.seteuid(before)
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": []}, "dataset or epochs"),
        ({"dataset": {}}, "dataset or epochs"),
        ({"epochs": True}, "dataset or epochs"),
        ({"epochs": 10**400}, "dataset or epochs"),
        ({"seed": "3"}, "seed is '3'"),
        ({"seed": 10**400}, "seed is 1000"),
        ({"version": [1] * 9000}, r"version is \[1, 1"),
    ],
)
def test_a_config_that_cannot_be_is_refused(folder: Path, changes: dict[str, object], said: str) -> None:
    """In a line that stays short."""
    (folder / "config.json").write_text(json.dumps({**config(), **changes}))
    with pytest.raises(RunError, match=said) as caught:
        read_run(folder)
    assert len(str(caught.value)) < 400


NESTED = "[" * 30_000
HOSTILE = {
    "nested config": ("config.json", NESTED),
    "nested metrics": ("metrics.jsonl", NESTED),
    "a digit too many": ("config.json", "1" * 9_000),
    "an epoch of 10^400": ("metrics.jsonl", f'{{"epoch": 1{"0" * 400}}}'),
    "a list": ("config.json", "[]"),
    "no text": ("config.json", "\udcff"),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_json_that_cannot_be_is_refused(folder: Path, case: tuple[str, str]) -> None:
    """Deeper, longer or other than what is written."""
    name, text = case
    if name == "metrics.jsonl" and text != NESTED:
        first = json.loads((folder / name).read_text().splitlines()[0])
        text = json.dumps({**first, "epoch": 10**400})
    (folder / name).write_text(text, errors="surrogateescape")
    with pytest.raises(RunError, match=name) as caught:
        read_run(folder)
    assert len(str(caught.value)) < 400


Tensors = dict[str, Any]
WRONG_TENSORS: dict[str, tuple[str, Callable[[Tensors], object], str]] = {
    "float64": ("weights", lambda t: t.update({"linear.bias": np.zeros(10)}), "linear.bias has float64 numbers"),
    "NaN": ("weights", lambda t: t["linear.bias"].fill(np.nan), "linear.bias has float32 numbers; finite ones"),
    "missing": ("weights", lambda t: t.pop("linear.bias"), "has no tensor 'linear.bias'"),
    "other": ("weights", lambda t: t.update({"x": np.zeros(1)}), "has a tensor 'x'"),
    "one": ("report", lambda t: t.update(mistake_truth=t["mistake_truth"][:1]), "mistake_truth has shape (1,)"),
    "floats": ("report", lambda t: t.update(confusion=t["confusion"] / 2), "confusion has float64 numbers"),
    "fewer": ("report", lambda t: t.update(sample_index=t["sample_index"][1:]), "sample_index has shape (19,)"),
    "many": (
        "report",
        lambda t: t.update({k: np.resize(v, (81, *v.shape[1:])) for k, v in t.items() if "mis" in k}),
        "shape (81",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_TENSORS.values(), ids=WRONG_TENSORS)
def test_tensors_of_another_kind_are_refused(folder: Path, case: tuple[str, Callable[[Tensors], object], str]) -> None:
    """Also where their digest is right."""
    name, change, said = case
    run = read_run(folder)
    tensors = {key: np.array(array) for key, array in (run.weights if name == "weights" else vars(run.report)).items()}
    change(tensors)
    Writer(folder, config()).tensors(name, tensors, 2)
    with pytest.raises(RunError, match=re.escape(said)):
        read_run(folder)


def test_damages_of_any_kind_are_one_line(whole: Path, tmp_path: Path) -> None:
    """Bits flipped, ends cut, noise put in, in every file: refused, or read with the numbers that were written."""
    draw = random.Random(7)
    expected = read_run(whole)
    for turn in range(300):
        folder = Path(shutil.copytree(whole, tmp_path / f"{turn}"))
        path = folder / draw.choice(FILES)
        content = bytearray(path.read_bytes())
        at = draw.randrange(len(content))
        kind = turn % 3
        if kind == 0:
            content[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del content[at:]
        else:
            content[at : at + 9] = draw.randbytes(9)
        path.write_bytes(content)
        try:
            found = read_run(folder)
        except RunError as error:
            said = str(error)
        else:
            said = ""
            assert found.epochs == expected.epochs
            assert all(np.array_equal(found.weights[key], array) for key, array in expected.weights.items())
        assert "\n" not in said and len(said) < 600
