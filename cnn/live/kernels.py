"""The tab Kernels: every number that was trained, and the digits of the dropdown."""

from __future__ import annotations

import re
from itertools import count, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.cells import Typed
from cnn.layers import SIDE, parameter_shapes
from cnn.live import KERNELS
from cnn.live.geometry import (
    DIGIT_PITCH,
    DIGITS_LEFT,
    KERNELS_LEFT,
    TABLE_COLUMNS,
    TABLE_TOP,
    Area,
    KernelBlock,
    digit_area,
    kernel_blocks,
)
from cnn.live.look import Painter, set_columns, set_rows
from cnn.live.network import EPSILON, Array, ConvolutionWeights, Samples, Trained, Weights
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.style import furnish, leave_unprinted

PIXELS = 16
BLANK = "Blank page"
NUMBERS = ("conv{}.bias", "norm{}.weight", "norm{}.bias", "norm{}.running_mean", "norm{}.running_var")
"""The tensors in the table, from its third column on."""
SETTINGS = 3
SAMPLE = re.compile(r"an? (\d) \(test image (\d+)\)")
TABLE_WIDTHS = (62, 52, 72, 72, 72, 72, 72, 80, 80)


def fill(book: Book, trained: Trained) -> tuple[str, str]:
    """Add the tab; its title and what it shows."""
    painter = Painter(book.add(KERNELS))
    network, blocks = trained.network, kernel_blocks()
    trained_numbers = f"the {_count(network):,} trained numbers"
    furnish(
        painter.ws,
        title=f"Kernels: {trained_numbers}",
        subtitle="Red is positive, blue negative, white 0; click a tap to read it. Each kernel stands in the rows "
        "of the maps that it reads on tab Layers, so one SUMPRODUCT covers them all.",
        fit_width=True,
        freeze=f"A{TABLE_TOP}",
        tab_color="inputs",
    )
    digits = digit_area(len(trained.samples.labels))
    last = max(digits.bottom, blocks[-1].whole.bottom)
    for column, pixels in enumerate(TABLE_WIDTHS, 1):
        set_columns(painter.ws, column, 1, pixels)
    first = len(TABLE_COLUMNS) + 1
    painter.squares(first, digits.right - first + 2, TABLE_TOP, last - TABLE_TOP + 1, PIXELS)
    set_rows(painter.ws, 3, 3, PIXELS)
    row = _norms(painter, network, blocks)
    row = _linear(painter, network, blocks[-1], row + 1)
    row = _settings(painter, network, row + 1)
    row = _choices(painter, trained.samples, row + 1)
    weights = [convolution.weight for convolution in network.convolutions]
    last_side = blocks[-1].reads.side
    weights.append(network.weight.reshape(len(network.bias), -1, last_side, last_side))
    for block, weight in zip(blocks, weights, strict=True):
        _kernels(painter, block, weight)
    _digits(painter, trained.samples)
    leave_unprinted(painter.ws, max(last, row) + 2)
    return KERNELS, f"{trained_numbers} of the network that tab Layers computes with"


def read(cells: Typed) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[Any]]]:
    """The tensors of a network and of a report's samples that a tab's cells hold.

    CellError where a cell holds no such number.
    """
    found: dict[str, Array] = {}
    *convolutions, linear = kernel_blocks()
    row = TABLE_TOP
    for block in convolutions:
        columns = np.array(cells.area(row, 3, block.count, len(NUMBERS))).T
        found |= dict(zip((name.format(block.name) for name in NUMBERS), columns, strict=True))
        found[f"conv{block.name}.weight"] = _read_kernels(cells, block)
        row += block.count
    found["linear.bias"] = np.array(cells.area(row + 2, 3, linear.count, 1))
    found["linear.weight"] = _read_kernels(cells, linear)
    shapes = parameter_shapes()
    weights = {name: found[name].reshape(shape).astype(np.float32) for name, shape in shapes.items()}
    return weights, _read_samples(cells, row + 2 + linear.count + 1 + SETTINGS + 2)


def _read_kernels(cells: Typed, block: KernelBlock) -> Array:
    """A layer's taps, in the order of its tensor."""
    areas = [block.taps(output, channel) for output in range(block.count) for channel in range(block.reads.channels)]
    return np.array([cells.area(one.top, one.left, one.rows, one.columns) for one in areas])


def _read_samples(cells: Typed, top: int) -> dict[str, NDArray[Any]]:
    """The digits of the dropdown; its first choice, the blank page, stands in row `top`."""
    titles = takewhile(lambda title: title is not None, (cells.cells.get((row, 1)) for row in count(top + 1)))
    chosen = [SAMPLE.fullmatch(str(title)) for title in titles]
    area = digit_area(len(chosen))
    images = [
        [
            [cells.whole(area.top + number * DIGIT_PITCH + y, area.left + x, 255) for x in range(SIDE)]
            for y in range(SIDE)
        ]
        for number in range(1, len(chosen) + 1)
    ]
    pairs = [[int(number) for number in found.groups()] if found else [0, 0] for found in chosen]
    labels, places = np.array(pairs, np.int64).reshape(-1, 2).T
    pictures = np.array(images, np.uint8).reshape(-1, SIDE, SIDE)
    return {"sample_images": pictures, "sample_labels": labels, "sample_index": places}


def _count(network: Weights) -> int:
    """The trainable parameters; a batch-norm's mean and variance are none."""
    sizes = (part.size for c in network.convolutions for part in (c.weight, c.bias, c.norm_weight, c.norm_bias))
    return sum(sizes) + network.weight.size + network.bias.size


def _norms(painter: Painter, network: Weights, blocks: tuple[KernelBlock, ...]) -> int:
    """The table of biases and batch-norms; the row below it."""
    for column, title in enumerate(TABLE_COLUMNS, 1):
        painter.put(TABLE_TOP - 1, column, title, "small_header")
    row = TABLE_TOP
    for convolution, block in zip(network.convolutions, blocks, strict=False):
        for output in range(block.count):
            _norm(painter, row, block, output, convolution)
            row += 1
        norms = (convolution.norm_weight, convolution.norm_bias, convolution.mean, convolution.variance)
        painter.tab.vouch(f"{block.title}'s biases and norms", np.concatenate((convolution.bias, *norms)).tolist())
    return row


def _norm(painter: Painter, row: int, block: KernelBlock, output: int, convolution: ConvolutionWeights) -> None:
    painter.put(row, 1, block.title, "small_cell")
    painter.put(row, 2, output + block.first, "small_cell")
    numbers = (convolution.bias, convolution.norm_weight, convolution.norm_bias, convolution.mean, convolution.variance)
    for column, number in enumerate(numbers, 3):
        painter.put(row, column, float(number[output]), "small_value")
    painter.put(row, 8, Formula(f"=D{row}/SQRT(G{row}+norm_epsilon)"), "small_formula")
    painter.put(row, 9, Formula(f"=E{row}-F{row}*H{row}"), "small_formula")
    label = block.label(output)
    for name, column in (("bias", 3), ("scale", 8), ("shift", 9)):
        painter.name(f"{name}{label}", Area(row, column, 1, 1))


def _linear(painter: Painter, network: Weights, block: KernelBlock, top: int) -> int:
    for column, title in enumerate(("layer", "digit", "bias"), 1):
        painter.put(top, column, title, "small_header")
    for digit, bias in enumerate(network.bias):
        row = top + 1 + digit
        painter.put(row, 1, block.title, "small_cell")
        painter.put(row, 2, digit, "small_cell")
        painter.put(row, 3, float(bias), "small_value")
        painter.name(f"bias_{block.label(digit)}", Area(row, 3, 1, 1))
    painter.tab.vouch(f"{block.title}'s biases", network.bias.tolist())
    return top + 1 + len(network.bias)


def _settings(painter: Painter, network: Weights, top: int) -> int:
    """Numbers that were not trained."""
    settings = (
        ("pixel_mean", "mean of a training pixel", network.pixel_mean),
        ("pixel_std", "its standard deviation", network.pixel_std),
        ("norm_epsilon", "added to each variance", EPSILON),
    )
    for row, (name, meaning, value) in enumerate(settings, top):
        painter.merge(Area(row, 1, 1, 2), name, "small_cell")
        painter.put(row, 3, value, "small_value")
        painter.put(row, 4, meaning, "caption")
        painter.name(name, Area(row, 3, 1, 1))
    return top + len(settings)


def _choices(painter: Painter, samples: Samples, top: int) -> int:
    """The list of the dropdown; the row below it."""
    painter.merge(Area(top, 1, 1, 3), "choices on tab Draw", "small_header")
    titles = (BLANK, *samples.titles)
    for row, title in enumerate(titles, top + 1):
        painter.merge(Area(row, 1, 1, 3), title, "small_cell")
    painter.name("digit_labels", Area(top + 1, 1, len(titles), 1))
    return top + 1 + len(titles)


def _kernels(painter: Painter, block: KernelBlock, weight: Array) -> None:
    """One layer's kernels; weight (outputs, inputs, size, size)."""
    many = f"{block.count} kernels of {block.reads.channels} × {block.size}×{block.size}"
    painter.put(block.top - 3, KERNELS_LEFT, f"{block.title}: {many}, over {block.reads.title}", "panel_heading")
    for output in range(block.count):
        kernel = block.kernel(output)
        label = block.label(output)
        painter.put(block.top - 1, kernel.left + 1, output + block.first, "small_digit")
        for channel in range(block.reads.channels):
            taps = block.taps(output, channel)
            for row, column in np.ndindex(block.size, block.size):
                value = float(weight[output, channel, row, column])
                painter.put(taps.top + row, taps.left + column, value, "tap")
        painter.name(f"kernel{'_' if block.first == 0 else ''}{label}", kernel)
    painter.signed_heat(block.whole)
    painter.tab.vouch(f"{block.title}'s kernels", weight.ravel().tolist())


def _digits(painter: Painter, samples: Samples) -> None:
    """The strip that the page takes its digit from; its first picture is blank."""
    area = digit_area(len(samples.labels))
    painter.name("test_digits", area)
    painter.put(area.top - 3, DIGITS_LEFT, "digits of the dropdown, 0 to 255", "panel_heading")
    painter.style(Area(area.top, area.left, DIGIT_PITCH - 1, area.columns), "pixel")
    painter.tab.vouch("the digits", samples.images.ravel().tolist())
    for number, image in enumerate(samples.images.tolist(), 1):
        top = area.top + number * DIGIT_PITCH
        for row, pixels in enumerate(image):
            for column, pixel in enumerate(pixels):
                painter.put(top + row, area.left + column, pixel, "pixel")
        painter.heat(Area(top, area.left, DIGIT_PITCH - 1, area.columns))
