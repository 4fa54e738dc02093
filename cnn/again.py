"""A workbook's cells -> the run that they tell of, so that `check` can write its tabs once more and compare.

The numbers are the cells' own (the tabs vouch for them), and pictures that are no cells are blank.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.cells import CellError, Cells, Typed
from cnn.layers import SIDE, parameter_shapes
from cnn.live import KERNELS, kernels
from cnn.run import DATASETS, Report, Run
from cnn.tabs import epochs, layers, mistakes
from cnn.tabs.facts import Facts

__all__ = ["facts_again"]

SUBTITLE = re.compile(
    r"([\d,]+) training and ([\d,]+) test images of (.+?); recipe (.+?), ([1-9]\d*)(?: of ([1-9]\d*))? epochs?, "
    r"seed (\d+); (.*), PyTorch (.+)\."
)

# No run has a longer one; in any text the expression would look for hours.
LONGEST = 1_000


def facts_again(cells: Cells) -> Facts:
    """What the tabs of a trained network say of its run; CellError where a cell holds no such number."""
    subtitles = (str(cells.get(tab, {}).get((2, 1))) for tab in (epochs.TITLE, layers.TITLE, mistakes.TITLE))
    found = next(filter(None, (SUBTITLE.fullmatch(text) for text in subtitles if len(text) <= LONGEST)), None)
    if found is None:
        raise CellError(epochs.TITLE, (2, 1), "what was trained on what")
    train, test, data, recipe, done, asked, seed, device, torch = found.groups()
    [dataset] = [name for name, shown in DATASETS.items() if shown == data] or ["mnist"]
    config = {"dataset": dataset, "epochs": int(asked or done)}
    measured = epochs.read(Typed(epochs.TITLE, cells.get(epochs.TITLE, {})), int(done))
    weights = {name: np.zeros(shape, np.float32) for name, shape in parameter_shapes().items()}
    samples: dict[str, NDArray[Any]] = {
        "sample_images": np.zeros((0, SIDE, SIDE), np.uint8),
        **dict.fromkeys(("sample_index", "sample_labels"), np.zeros(0, np.int64)),
    }
    if KERNELS in cells:
        weights, samples = kernels.read(Typed(KERNELS, cells[KERNELS]))
    report = Report(**mistakes.read(Typed(mistakes.TITLE, cells.get(mistakes.TITLE, {}))), **samples)
    run = Run(Path(), config, measured, weights, report)
    return Facts(run, _whole(train), _whole(test), recipe, int(seed), device, torch)


def _whole(text: str) -> int:
    return int(text.replace(",", ""))
