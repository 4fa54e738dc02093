"""A run with random weights that keep every layer alive, and pages to try it on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cnn_runs import CONFIG, make_confusion, make_epochs, make_report
from numpy.typing import NDArray

from cnn.layers import parameter_shapes
from cnn.live.forward import FULL_INK, Pass, ink_of_picture
from cnn.live.network import Array
from cnn.model import DigitNetwork
from cnn.run import Writer


def live_weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights under which the signal neither dies nor explodes, so that a wrong cell changes the logits."""
    draw = np.random.default_rng(seed)
    weights = {}
    for name, shape in parameter_shapes().items():
        numbers = draw.normal(size=shape)
        if len(shape) > 1:
            numbers *= np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith("var"):
            numbers = 0.5 + 0.3 * np.abs(numbers)
        elif name.startswith("norm") and name.endswith(".weight"):
            numbers = 1 + 0.3 * numbers
        else:
            numbers *= 0.2
        weights[name] = numbers.astype(np.float32)
    return weights


def live_run(folder: Path, dataset: str = "mnist", images: NDArray[np.uint8] | None = None) -> Path:
    """The folder, with a run in it of such weights; its sample digits are the images if given."""
    folder.mkdir(parents=True)
    writer = Writer(folder, CONFIG | {"dataset": dataset})
    report = make_report(make_confusion(10_000, 60))
    if images is not None:
        report = replace(report, sample_images=images)
    writer.tensors("weights", live_weights(), 5)
    writer.tensors("report", vars(report), 5)
    writer.metrics(make_epochs(5))
    return folder


def mnist_test(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The first images and labels of MNIST's test set; skips where MNIST_ROOT does not name it."""
    folder = Path(os.environ.get("MNIST_ROOT", "")) / "MNIST" / "raw"
    path = folder / "t10k-images-idx3-ubyte"
    if "MNIST_ROOT" not in os.environ or not path.is_file():
        pytest.skip("the environment variable MNIST_ROOT names no folder that has MNIST")
    images = np.frombuffer(path.read_bytes(), np.uint8, offset=16, count=count * 784).reshape(-1, 28, 28)
    labels = np.frombuffer((folder / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8, count=count)
    return images.copy(), labels.astype(np.int64)


def strokes() -> list[NDArray[np.float64]]:
    """Grids as a person types them, 0 to 9 and NaN for an empty cell: off centre, at an edge, half way, too large."""
    made = [np.full((28, 28), np.nan) for _ in range(5)]
    made[0][1:12, 2:4] = 9  # a one, high and far left
    made[1][15:27, 20] = 7
    made[1][15, 20:27] = 5
    made[2][10:14, 27] = 9  # at the edge
    made[3][4:6, 4:6] = 3  # its centre lies half way between pixels
    made[4][5:20, 6:9] = 12.5  # pasted, beyond 9 and below 0
    made[4][2, 2] = -4
    return made


def ink_of_paint(paint: NDArray[Any]) -> Array:
    """What was typed, 0 to 9, as ink from 0 to 1; what lies outside is brought to the nearer end."""
    ink: Array = np.clip(np.asarray(paint, dtype=np.float64), 0, FULL_INK) / FULL_INK
    return ink


def answers(run: Pass) -> list[int | str]:
    """The digit of each page's largest logit, the first of equal ones; "?" for a blank page."""
    best = np.argmax(run.logits, axis=1)
    return [int(digit) if page.any() else "?" for digit, page in zip(best, run.seen, strict=True)]


def probabilities(run: Pass, page: int = 0) -> list[float]:
    """Softmax of a page's logits."""
    shares = np.exp(run.logits[page] - run.logits[page].max())
    return [float(share) for share in shares / shares.sum()]


def page_of(image: NDArray[np.uint8] | None, paint: NDArray[np.float64] | None) -> Array:
    """The page (28, 28) that the chosen digit and the painted cells make."""
    page = np.zeros((28, 28)) if image is None else ink_of_picture(image)
    if paint is not None:
        page = np.where(np.isnan(paint), page, ink_of_paint(np.nan_to_num(paint)))
    return page


def centred(page: Array) -> Array:
    """The page moved so that its centre of mass is at pixel 14, counted from 0; written without the code under test."""
    total = float(page.sum())
    if total == 0:
        return page
    moved = np.zeros((28, 28))
    places = [(y, x) for y in range(28) for x in range(28) if page[y, x]]
    down, right = (round_half_away(14 - sum(page[p] * p[axis] for p in places) / total) for axis in (0, 1))
    for y, x in places:
        if 0 <= y + down < 28 and 0 <= x + right < 28:
            moved[y + down, x + right] = page[y, x]
    return moved


def round_half_away(number: float) -> int:
    """As ROUND does; a half is taken for one within rounding errors."""
    size = int(abs(number) + 0.5 + 1e-10)
    return size if number >= 0 else -size


def torch_maps(weights: dict[str, Any], seen: Array) -> tuple[list[Array], Array]:
    """Every strip's maps and the logits as PyTorch computes them in float64 from pages (n, 28, 28) of ink."""
    network = DigitNetwork().double().eval()
    network.load({name: torch.from_numpy(np.asarray(value, np.float64)) for name, value in weights.items()})
    maps = [torch.from_numpy((seen - 0.1307) / 0.3081)[:, None]]
    with torch.no_grad():
        for place in range(1, 7):
            convolution, norm = network.get_submodule(f"conv{place}"), network.get_submodule(f"norm{place}")
            maps.append(norm(torch.relu(convolution(maps[-1]))))
            if place in (2, 4):
                maps.append(torch.max_pool2d(maps[-1], 2))
        logits = network(maps[0])
    return [one.numpy() for one in maps], logits.numpy()
