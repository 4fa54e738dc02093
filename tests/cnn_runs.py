"""Run folders that tests make without training: a few numbers drawn from a seed, written by the run's own writer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.layers import parameter_shapes
from cnn.run import FORMAT, Epoch, Report, Writer

CONFIG: dict[str, Any] = {
    "format": FORMAT,
    "version": 1,
    "dataset": "mnist",
    "train_images": 60_000,
    "test_images": 10_000,
    "data": "0" * 64,
    "recipe": {"name": "fast", "epochs": 5},
    "epochs": 5,
    "seed": 7,
    "device": "cpu",
    "device_name": "a processor, 2 threads",
    "versions": {"python": "3.11.2", "torch": "2.15.0", "sheetgen": "0.1.0"},
}


def make_epochs(count: int, tests: int = 10_000, last_wrong: int = 60) -> tuple[Epoch, ...]:
    """Epochs of which each is better than the one before, but for the last."""
    made = []
    for number in range(1, count + 1):
        wrong = round(last_wrong * (0.9 + 2 * math.exp(-number / 2))) if number < count else last_wrong
        made.append(
            Epoch(
                epoch=number,
                train_loss=0.3 / number**1.5 + 0.01,
                train_accuracy=1 - 0.09 / number**1.3,
                test_loss=0.07 / number + 0.015,
                test_accuracy=(tests - min(wrong, tests)) / tests,
                learning_rate=0.1 * (1 - number / count) + 1e-7,
                seconds=21.5 + 0.25 * (number % 3),
                images=60_000 if number == 1 else 18_000,
            )
        )
    return tuple(made)


def make_confusion(tests: int, wrong: int, seed: int = 1) -> NDArray[np.int64]:
    """A confusion matrix of so many tests of which so many are misread."""
    draw = np.random.default_rng(seed)
    confusion = np.diag(np.full(10, tests // 10)).astype(np.int64)
    for _ in range(wrong):
        truth = int(draw.integers(10))
        answer = (truth + int(draw.integers(1, 10))) % 10
        confusion[truth, truth] -= 1
        confusion[truth, answer] += 1
    return confusion


def make_report(confusion: NDArray[np.int64], seed: int = 1, most: int = 50) -> Report:
    """A report with these counts; its pictures are rings, which no digit need be."""
    draw = np.random.default_rng(seed)
    pairs = [(t, a) for t in range(10) for a in range(10) if t != a for _ in range(int(confusion[t, a]))]
    draw.shuffle(pairs)
    pairs = pairs[:most]
    truth, answer = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return Report(
        confusion=confusion,
        mistake_images=np.array([_ring(draw) for _ in pairs], np.uint8).reshape(-1, 28, 28),
        mistake_index=draw.permutation(int(confusion.sum()))[: len(pairs)].astype(np.int64),
        mistake_truth=truth,
        mistake_answer=answer,
        mistake_probability=np.sort(draw.uniform(0.5, 1, len(pairs)))[::-1].copy(),
        sample_images=np.array([_ring(draw) for _ in range(20)], np.uint8),
        sample_index=np.arange(20, dtype=np.int64),
        sample_labels=np.repeat(np.arange(10, dtype=np.int64), 2),
    )


def _ring(draw: np.random.Generator) -> NDArray[np.uint8]:
    y, x = np.mgrid[:28, :28]
    wide, high = draw.uniform(4, 9, 2)
    distance = np.hypot((x - 13.5) / wide, (y - 13.5) / high)
    ink: NDArray[np.uint8] = (255 * np.exp(-(((distance - 1) * 4) ** 2))).astype(np.uint8)
    return ink


def make_weights(seed: int = 1) -> dict[str, NDArray[np.float32]]:
    """Small random weights of the network; the running variances are positive."""
    draw = np.random.default_rng(seed)
    return {
        name: (draw.uniform(0.5, 1.5, shape) if name.endswith("var") else draw.normal(0, 0.1, shape)).astype(np.float32)
        for name, shape in parameter_shapes().items()
    }


def make_run(
    folder: Path,
    *,
    epochs: tuple[Epoch, ...] | None = None,
    confusion: NDArray[np.int64] | None = None,
    report: Report | None = None,
    **config: object,
) -> Path:
    """The folder, with a run in it of 5 epochs that misreads 60 of 10,000 images; each can be given another."""
    whole = CONFIG | config
    tests = int(whole["test_images"])
    if epochs is None:
        epochs = make_epochs(int(whole["epochs"]), tests)
    if confusion is None:
        confusion = make_confusion(tests, round(tests * (1 - epochs[-1].test_accuracy)))
    folder.mkdir(parents=True)
    writer = Writer(folder, whole)
    writer.tensors("weights", make_weights(), len(epochs))
    writer.tensors("report", vars(make_report(confusion) if report is None else report), len(epochs))
    writer.metrics(epochs)
    return folder
