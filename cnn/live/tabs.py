"""A run -> the tabs Draw, Layers and Kernels: draw a digit, and the spreadsheet reads it."""

from __future__ import annotations

import numpy as np

from cnn.live import draw, kernels, layers
from cnn.live.forward import forward, ink_of_picture
from cnn.live.network import trained
from cnn.run import Run
from sheetgen.xlsx.book import Book

__all__ = ["add_live_tabs"]


def add_live_tabs(book: Book, run: Run) -> tuple[tuple[str, str], ...]:
    """Add the tabs Draw, Layers and Kernels of a run; the title of each, with what it shows."""
    network = trained(run)
    # The first of its digits is chosen, or a blank page without any.
    first = network.samples.images[:1] if len(network.samples.labels) else np.zeros((1, 28, 28), np.uint8)
    chosen = (*network.samples.titles, kernels.BLANK)[0]
    passed = forward(network.network, ink_of_picture(first))
    return (draw.fill(book, network, chosen), layers.fill(book, network, passed), kernels.fill(book, network))
