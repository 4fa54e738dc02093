"""The run folder: what training writes and everything else reads. Reading needs no torch and executes nothing.

RUN/
    config.json             what was trained and with what, one JSON object:
                            format "sheetgen-cnn-run", version 1, dataset "mnist" or "digits", train_images, test_images
                            (how many), data (SHA-256 of them all), recipe (its name and every number of it), epochs
                            (asked for), seed, device ("cpu" or "cuda"), device_name, versions (of python, torch and
                            sheetgen)
    metrics.jsonl           a JSON object per finished epoch, the first is epoch 1: epoch, train_loss, train_accuracy,
                            test_loss, test_accuracy, learning_rate (of the epoch's last update), seconds (training
                            and test), images (how many it trained on; runs of earlier versions, which have no such
                            figure, trained on all). Losses are mean cross-entropies in nats, without smoothed targets,
                            and accuracies fractions; the training figures are means over the epoch's images as they
                            were trained on (augmented, with dropout), the test figures are of the whole test set
                            after the epoch
    metrics.sha256          the SHA-256 of metrics.jsonl, as sha256sum writes it; runs of earlier versions have none
    weights.safetensors     the network after the last finished epoch, float32; names and shapes are
                            cnn.layers.parameter_shapes()
    report.safetensors      its answers on the test set; pictures are uint8 with ink 255, the rest is int64:
                            confusion (10, 10)            tests of each truth (row) that got each answer (column)
                            mistake_images (m, 28, 28)    at most 50 wrong answers, the most confident first
                            mistake_index (m,)            their places in the test set
                            mistake_truth, mistake_answer (m,), mistake_probability (m,) float64: of the answer given
                            sample_images (20, 28, 28)    two of each digit, 0 0 1 1 .. 9 9: the first of the test set
                            sample_index, sample_labels (20,)           that the network reads correctly
    checkpoint.safetensors  what --resume needs beside the weights: the optimizer's momentum, the loss that each image
                            had when last trained on (train_images,) and the metrics so far. It is complete by itself,
                            so the other files can be written again from it

Each file is replaced in one move, metrics.jsonl last. The three .safetensors carry in their metadata, under "run", the
JSON of {"epoch": the epoch they are of, "config": the SHA-256 of config.json, "tensors": the SHA-256 of their numbers};
a reader refuses files that are damaged or do not belong together.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cnn.files import read_bytes, replace
from cnn.layers import CLASSES, SIDE, parameter_shapes
from sheetgen.errors import SheetgenError

__all__ = [
    "DATASETS",
    "FORMAT",
    "Epoch",
    "Report",
    "Run",
    "RunError",
    "Tensors",
    "Writer",
    "config_of",
    "epochs_of",
    "metrics_text",
    "read_run",
    "shown",
    "tensors_of",
]

FORMAT, VERSION = "sheetgen-cnn-run", 1
DATASETS = {"mnist": "MNIST", "digits": "scikit-learn digits"}
"""Name of a data set -> what people read; digits are never called MNIST."""

Tensors = Mapping[str, NDArray[Any]]


# name -> type and shape; a letter is a number of pictures, the same wherever it stands.
REPORT: dict[str, tuple[type[np.generic], tuple[int | str, ...]]] = {
    "confusion": (np.int64, (CLASSES, CLASSES)),
    "mistake_images": (np.uint8, ("m", SIDE, SIDE)),
    **dict.fromkeys(("mistake_index", "mistake_truth", "mistake_answer"), (np.int64, ("m",))),
    "mistake_probability": (np.float64, ("m",)),
    "sample_images": (np.uint8, ("s", SIDE, SIDE)),
    **dict.fromkeys(("sample_index", "sample_labels"), (np.int64, ("s",))),
}
MOST_PICTURES = 50
MOST_EPOCHS, MOST_SEED = 10_000, 2**40
MOST_CONFIG, MOST_METRICS = 64 << 10, 8 << 20
"""Bytes; 10,000 epochs have 2.5 million."""


class RunError(SheetgenError):
    """The folder is no run, is damaged, or is not the run that was asked for."""


@dataclass(frozen=True)
class Epoch:
    """A line of metrics.jsonl."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    learning_rate: float
    seconds: float
    images: int


@dataclass(frozen=True)
class Report:
    """The tensors of report.safetensors: in their order, and of the kinds and shapes, of REPORT."""

    confusion: NDArray[np.int64]
    mistake_images: NDArray[np.uint8]
    mistake_index: NDArray[np.int64]
    mistake_truth: NDArray[np.int64]
    mistake_answer: NDArray[np.int64]
    mistake_probability: NDArray[np.float64]
    sample_images: NDArray[np.uint8]
    sample_index: NDArray[np.int64]
    sample_labels: NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """What a run folder holds; config is config.json as it stands there."""

    folder: Path
    config: Mapping[str, Any]
    epochs: tuple[Epoch, ...]
    weights: Mapping[str, NDArray[np.float32]]
    report: Report

    @property
    def dataset(self) -> str:
        """What people read: "MNIST" or "scikit-learn digits"."""
        return DATASETS[self.config["dataset"]]

    @property
    def finished(self) -> bool:
        """Whether every epoch that was asked for is there."""
        return bool(len(self.epochs) == self.config["epochs"])


def read_run(folder: Path) -> Run:
    """The run in the folder, checked; RunError if it is not there, damaged, or has no finished epoch."""
    config = config_of(folder)
    metrics = read_bytes(folder / "metrics.jsonl", RunError, MOST_METRICS)
    epochs = epochs_of(metrics, folder / "metrics.jsonl", config.get("train_images"))
    if not epochs:
        raise RunError(f"{folder}: no epoch is finished yet; continue with: python -m cnn train -o {folder} --resume")
    read = {}
    for name in ("weights", "report"):
        path = folder / f"{name}.safetensors"
        read[name], epoch = tensors_of(path, folder)
        if epoch != len(epochs):
            found = f"{path}: is of epoch {epoch}, metrics.jsonl ends at epoch {len(epochs)}"
            raise RunError(f"{found}; put it right with: python -m cnn train -o {folder} --resume")
    weights = {name: (np.float32, shape) for name, shape in parameter_shapes().items()}
    _require_shapes(read["weights"], weights, folder / "weights.safetensors")
    _require_shapes(read["report"], REPORT, folder / "report.safetensors")
    _require_digest(metrics, folder)
    return Run(folder, config, epochs, read["weights"], Report(**read["report"]))


def config_of(folder: Path) -> dict[str, Any]:
    """config.json of the run in the folder; RunError if the folder is no run."""
    path = folder / "config.json"
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        what = "is not the folder of a run: it has no config.json" if folder.is_dir() else "there is no such folder"
        raise RunError(f"{folder}: {what}; make one with: python -m cnn train -o {folder}") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}; choose another folder") from error
    config = _json(read_bytes(path, RunError, MOST_CONFIG), path)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise RunError(f"{path}: is not of a run that cnn has written; its format is not {FORMAT!r}")
    if config.get("version") != VERSION:
        raise RunError(f"{path}: version is {shown(config.get('version'))}; this sheetgen reads version {VERSION}")
    if config.get("dataset") not in tuple(DATASETS) or not _is_whole(config.get("epochs"), 1, MOST_EPOCHS):
        raise RunError(f"{path}: is damaged: dataset or epochs is missing or unknown; train again into a new folder")
    if not _is_whole(config.get("seed", 0), 0, MOST_SEED):
        raise RunError(f"{path}: is damaged: seed is {shown(config['seed'])}; train again into a new folder")
    return config


def shown(value: object) -> str:
    """The value, whatever a file has there, in a few words."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def epochs_of(text: bytes, path: Path, all_images: object = None) -> tuple[Epoch, ...]:
    """The epochs in the text of a metrics.jsonl; RunError, naming path and line, if a line is not the next epoch.

    Lines of earlier versions do not say how many images were trained on; they were all_images.
    """
    kinds = {field.name: int if field.name in ("epoch", "images") else float for field in fields(Epoch)}
    epochs = []
    for number, line in enumerate(text.splitlines(), start=1):
        found = _json(line, path, f" line {number}")
        if isinstance(found, dict) and list(found) == list(kinds)[:-1]:
            found["images"] = all_images
        if not isinstance(found, dict) or list(found) != list(kinds):
            raise RunError(f"{path}: line {number} is damaged: it must have exactly {', '.join(kinds)}")
        for name, kind in kinds.items():
            if type(found[name]) is not kind or not (kind is int or math.isfinite(found[name])):
                raise RunError(f"{path}: line {number} is damaged: {name} is {shown(found[name])}, not a number")
        if found["epoch"] != number:
            raise RunError(f"{path}: line {number} is damaged: it is of epoch {shown(found['epoch'])}")
        epochs.append(Epoch(**found))
    return tuple(epochs)


def metrics_text(epochs: Sequence[Epoch]) -> bytes:
    """The text of metrics.jsonl."""
    return b"".join(json.dumps(asdict(epoch)).encode() + b"\n" for epoch in epochs)


def tensors_of(path: Path, folder: Path) -> tuple[dict[str, NDArray[Any]], int]:
    """The tensors in a .safetensors file of the run in the folder, and the epoch they are of.

    RunError if the file is missing or damaged, or belongs to another run.
    """
    read_bytes(path, RunError)
    damaged = f"{path}: is damaged"
    again = "copy it again, or train again into a new folder"
    try:
        with safe_open(path, "numpy") as file:
            note = json.loads((file.metadata() or {}).get("run", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise RunError(f"{damaged}: {error}; {again}") from error
    if not isinstance(note, dict) or not _is_whole(note.get("epoch"), 1, MOST_EPOCHS):
        raise RunError(f"{path}: is not of a run that cnn has written; {again}")
    if note.get("tensors") != _digest_of(tensors):
        raise RunError(f"{damaged}: its numbers are not those that were written; {again}")
    if note.get("config") != _config_digest(folder):
        raise RunError(f"{path}: belongs to another run than config.json beside it; {again}")
    return tensors, note["epoch"]


class Writer:
    """Writes the files of a run; the folder and config.json are there once it is made."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self.folder = folder
        if not (folder / "config.json").exists():
            replace(folder / "config.json", json.dumps(config, indent=2).encode() + b"\n")
        self._config = _config_digest(folder)

    def tensors(self, name: str, tensors: Tensors, epoch: int) -> None:
        """Replace name.safetensors."""
        note = {"epoch": epoch, "config": self._config, "tensors": _digest_of(tensors)}
        # safetensors writes memory as it lies, whatever its strides; and several keys of metadata in any order.
        content = save({key: np.ascontiguousarray(array) for key, array in tensors.items()}, {"run": json.dumps(note)})
        replace(self.folder / f"{name}.safetensors", content)

    def metrics(self, epochs: Sequence[Epoch]) -> None:
        """Replace metrics.jsonl and its digest."""
        text = metrics_text(epochs)
        replace(self.folder / "metrics.sha256", f"{hashlib.sha256(text).hexdigest()}  metrics.jsonl\n".encode())
        replace(self.folder / "metrics.jsonl", text)


def _config_digest(folder: Path) -> str:
    return hashlib.sha256(read_bytes(folder / "config.json", RunError)).hexdigest()


def _digest_of(tensors: Tensors) -> str:
    """The SHA-256 of the tensors' names, types, shapes and numbers."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _require_digest(metrics: bytes, folder: Path) -> None:
    """RunError if metrics.jsonl is not the text whose digest was written."""
    path, digest = folder / "metrics.sha256", hashlib.sha256(metrics).hexdigest()
    if os.path.lexists(path) and not read_bytes(path, RunError, MOST_CONFIG).startswith(digest.encode()):
        found = f"{folder / 'metrics.jsonl'}: is damaged: it is not what was written"
        raise RunError(f"{found}; put it right with: python -m cnn train -o {folder} --resume")


def _require_shapes(
    tensors: Tensors, wanted: Mapping[str, tuple[type[np.generic], tuple[int | str, ...]]], path: Path
) -> None:
    """RunError unless these are exactly the tensors that are wanted, of their types and shapes, and finite."""
    sizes: dict[str, int] = {}
    for name in sorted(tensors.keys() | wanted.keys()):
        if name not in tensors or name not in wanted:
            raise RunError(f"{path}: has {'a' if name in tensors else 'no'} tensor {shown(name)}; train again")
        kind, shape = wanted[name]
        array = tensors[name]
        known = tuple(n if isinstance(n, int) else sizes.setdefault(n, array.size and len(array)) for n in shape)
        if array.shape != known or max(sizes.values(), default=0) > MOST_PICTURES:
            raise RunError(f"{path}: {name} has shape {array.shape}, the network's is {known}")
        if array.dtype != kind or not np.isfinite(array).all():
            raise RunError(f"{path}: {name} has {array.dtype} numbers; finite ones of {np.dtype(kind)} are expected")


def _json(text: bytes, path: Path, where: str = "") -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}:{where} is damaged: {shown(str(error))}; train again into a new folder") from error
