"""The network's forward pass in float64, step by step as the cells compute it.

Sums are taken one term after the other in the order in which a spreadsheet reads a range, so that the values stored
in the file are those of an engine that adds in that order, to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.layers import KERNEL, SIDE
from cnn.live.network import Array, Convolution, Network

# MNIST puts a digit's centre of mass on the middle of its 28×28 field (http://yann.lecun.com/exdb/mnist/), which is
# the corner between pixels 13 and 14: pixel 14 of the page, counted from 0.
CENTRE = 14
# A centre exactly half way between two pixels is to be rounded alike by programs that add in different orders.
CENTRE_DIGITS = 9
FULL_INK = 9
BRIGHTEST = 255


@dataclass(frozen=True)
class Centring:
    """How pages (n, 28, 28) are moved: ink of each row and column (n, 28), and of the page, its centre, the move."""

    row_ink: Array
    column_ink: Array
    ink: Array
    centre_row: Array
    centre_column: Array
    shift_down: Array
    shift_right: Array


@dataclass(frozen=True)
class Pass:
    """What every step gives for n pages: `maps` holds (n, channels, side, side) for each strip of the tab Layers."""

    pages: Array
    centring: Centring
    seen: Array
    maps: tuple[Array, ...]
    logits: Array

    @property
    def answers(self) -> tuple[int | str, ...]:
        """The digit of the largest logit, the first of equal ones; "?" for a blank page."""
        best = np.argmax(self.logits, axis=1)
        return tuple(int(k) if ink else "?" for k, ink in zip(best, self.centring.ink, strict=True))

    def log_sum(self, page: int = 0) -> float:
        """The logarithm of the sum of the exponentials of a page's logits."""
        logits = [float(x) for x in self.logits[page]]
        largest = max(logits)
        total = 0.0
        for logit in logits:
            total += math.exp(logit - largest)
        return largest + math.log(total)

    def probabilities(self, page: int = 0) -> tuple[float, ...]:
        """Softmax of a page's logits."""
        log_sum = self.log_sum(page)
        return tuple(math.exp(float(logit) - log_sum) for logit in self.logits[page])


def ink_of_picture(image: NDArray[Any]) -> Array:
    """A picture from 0 to 255 as ink from 0 to 1."""
    ink: Array = np.asarray(image, dtype=np.float64) / BRIGHTEST
    return ink


def ink_of_paint(paint: NDArray[Any]) -> Array:
    """What was typed, 0 to 9, as ink from 0 to 1; what lies outside is brought to the nearer end."""
    ink: Array = np.clip(np.asarray(paint, dtype=np.float64), 0, FULL_INK) / FULL_INK
    return ink


def forward(network: Network, pages: Array) -> Pass:
    """What the network makes of pages (n, 28, 28) of ink from 0 to 1."""
    centring = centre(pages)
    seen = move(pages, centring.shift_down, centring.shift_right)
    maps = [((seen - network.pixel_mean) / network.pixel_std)[:, np.newaxis]]
    for convolution in network.convolutions:
        maps.append(_convolved(maps[-1], convolution))
        if convolution.pool:
            maps.append(_pooled(maps[-1]))
    return Pass(pages, centring, seen, tuple(maps), _linear(maps[-1], network))


def centre(pages: Array) -> Centring:
    """Where the ink of each page is, and how far it has to go; a blank page stays."""
    row_ink, column_ink = _in_order(pages, 2), _in_order(pages, 1)
    ink = _in_order(row_ink, 1)
    places = np.arange(SIDE, dtype=np.float64)
    blank = ink == 0
    divisor = np.where(blank, 1.0, ink)
    centre_row = np.where(blank, float(CENTRE), _in_order(row_ink * places, 1) / divisor)
    centre_column = np.where(blank, float(CENTRE), _in_order(column_ink * places, 1) / divisor)
    return Centring(row_ink, column_ink, ink, centre_row, centre_column, _move(centre_row), _move(centre_column))


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


def _convolved(maps: Array, convolution: Convolution) -> Array:
    """Convolution, ReLU, batch-norm; by map, then by the kernel's row and column, as the range is read."""
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


def _linear(maps: Array, network: Network) -> Array:
    flat = maps.reshape(len(maps), -1)
    total = np.zeros((len(maps), len(network.bias)))
    for place in range(flat.shape[1]):
        total += flat[:, place, np.newaxis] * network.weight[np.newaxis, :, place]
    return network.bias + total
