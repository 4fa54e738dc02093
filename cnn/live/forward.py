"""The network's forward pass in float64, step by step as the cells compute it.

Sums are taken one term after the other in the order in which a spreadsheet reads a range, so that the values stored
in the file are those of an engine that adds in that order, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.layers import KERNEL, SIDE
from cnn.live.network import Array, ConvolutionWeights, Weights

# MNIST puts a digit's centre of mass on the middle of its 28×28 field (http://yann.lecun.com/exdb/mnist/), which is
# the corner between pixels 13 and 14: pixel 14 of the page, counted from 0.
CENTRE = 14
# A centre exactly half way between two pixels is to be rounded alike by programs that add in different orders.
CENTRE_DIGITS = 9
FULL_INK = 9
BRIGHTEST = 255


@dataclass(frozen=True)
class Pass:
    """What n pages (n, 28, 28) become: how many rows and columns each is moved, and what the network then sees.

    `maps` holds (n, channels, side, side) for each strip of the tab Layers.
    """

    shift_down: Array
    shift_right: Array
    seen: Array
    maps: tuple[Array, ...]
    logits: Array


def ink_of_picture(image: NDArray[Any]) -> Array:
    """A picture from 0 to 255 as ink from 0 to 1."""
    ink: Array = np.asarray(image, dtype=np.float64) / BRIGHTEST
    return ink


def forward(network: Weights, pages: Array) -> Pass:
    """What the network makes of pages (n, 28, 28) of ink from 0 to 1."""
    down, right = shifts(pages)
    seen = move(pages, down, right)
    maps = [((seen - network.pixel_mean) / network.pixel_std)[:, np.newaxis]]
    for convolution in network.convolutions:
        maps.append(_convolved(maps[-1], convolution))
        if convolution.pool:
            maps.append(_pooled(maps[-1]))
    return Pass(down, right, seen, tuple(maps), _linear(maps[-1], network))


def shifts(pages: Array) -> tuple[Array, Array]:
    """How many rows down and columns right bring each page's centre of mass to the middle; a blank page stays."""
    row_ink, column_ink = _in_order(pages, 2), _in_order(pages, 1)
    ink = _in_order(row_ink, 1)
    divisor = np.where(ink == 0, 1.0, ink)
    places = np.arange(SIDE, dtype=np.float64)
    down, right = (
        _move(np.where(ink == 0, float(CENTRE), _in_order(part * places, 1) / divisor))
        for part in (row_ink, column_ink)
    )
    return down, right


def move(pages: Array, down: Array, right: Array) -> Array:
    """The pages, each moved by whole pixels; what leaves a page is lost, what enters is blank."""
    moved = np.zeros_like(pages)
    for page, source, dy, dx in zip(moved, pages, down.astype(int), right.astype(int), strict=True):
        into_rows, from_rows = _overlap(dy)
        into_columns, from_columns = _overlap(dx)
        page[into_rows, into_columns] = source[from_rows, from_columns]
    return moved


def _overlap(shift: int) -> tuple[slice, slice]:
    return slice(max(0, shift), SIDE + min(0, shift)), slice(max(0, -shift), SIDE - max(0, shift))


def _move(centres: Array) -> Array:
    """Rounded as spreadsheets do: a half goes away from zero."""
    distance = np.round(CENTRE - centres, CENTRE_DIGITS)
    moves: Array = np.copysign(np.floor(np.abs(distance) + 0.5), distance) + 0.0
    return moves


def _in_order(terms: Array, axis: int) -> Array:
    """The sum along an axis, one term after the other: numpy's own sum adds in pairs."""
    sums: Array = np.add.accumulate(terms, axis=axis).take(-1, axis=axis)
    return sums


def _convolved(maps: Array, convolution: ConvolutionWeights) -> Array:
    """ConvolutionWeights, ReLU, batch-norm; by map, then by the kernel's row and column, as the range is read."""
    padding = convolution.padding
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(maps, around)
    side = padded.shape[2] - KERNEL + 1
    outputs, inputs = convolution.weight.shape[:2]
    total = np.zeros((len(maps), outputs, side, side))
    for channel, row, column in np.ndindex(inputs, KERNEL, KERNEL):
        window = padded[:, channel, np.newaxis, row : row + side, column : column + side]
        total += window * _per_map(convolution.weight[:, channel, row, column])
    active = np.maximum(0.0, _per_map(convolution.bias) + total)
    result: Array = _per_map(convolution.scale) * active + _per_map(convolution.shift)
    return result


def _per_map(numbers: Array) -> Array:
    return numbers[np.newaxis, :, np.newaxis, np.newaxis]


def _pooled(maps: Array) -> Array:
    n, channels, side, _ = maps.shape
    largest: Array = maps.reshape(n, channels, side // 2, 2, side // 2, 2).max(axis=(3, 5))
    return largest


def _linear(maps: Array, network: Weights) -> Array:
    flat = maps.reshape(len(maps), -1)
    total = np.zeros((len(maps), len(network.bias)))
    for place in range(flat.shape[1]):
        total += flat[:, place, np.newaxis] * network.weight[np.newaxis, :, place]
    return network.bias + total
