"""The tab Layers: every feature map as a picture made of cells, one strip for each step, and the answer at the end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnn.layers import CLASSES, CONVOLUTIONS, KERNEL, SIDE
from cnn.live import DRAW, LAYERS
from cnn.live.forward import Pass
from cnn.live.geometry import (
    GRID_TOP,
    HEADINGS_TOP,
    MAPS_TOP,
    NARROWEST_STRIP,
    SEEN_LEFT,
    STRIP_GAP,
    Area,
    Strip,
    address,
    strips,
)
from cnn.live.look import Painter, set_columns, set_rows
from cnn.live.network import Array, Trained
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.style import furnish

PIXELS = 8
ANSWER_SIDE = 20

HOW_TO_READ = (
    "Each little picture is one feature map, and every pixel of it is a live formula: click one and read it.",
    "A pixel of “conv” multiplies 3×3 windows of all the maps to its left with its kernel (tab Kernels), adds them "
    "up with the bias, cuts at 0 (ReLU), and then scales and shifts (batch-norm).",
    "A pixel of “pool” is the largest of 2×2.",
    "Dark is the least value of its map, bright the largest. Scroll down for more maps.",
)


def fill(book: Book, trained: Trained, run: Pass) -> tuple[str, str]:
    """Add the tab; its title and what it shows."""
    painter = Painter(book.add(LAYERS))
    every = strips()
    furnish(
        painter.ws,
        title="Layers: what the network makes of the digit",
        subtitle=f"Trained on {trained.dataset}. Choose or paint a digit on tab {DRAW}; every pixel here follows.",
        landscape=False,
        fit_height=True,
        freeze=f"A{MAPS_TOP - 1}",
        tab_color="training",
    )
    bottom = max(strip.whole.bottom for strip in every)
    right = every[-1].left + NARROWEST_STRIP + STRIP_GAP
    painter.squares(1, right + 2 * ANSWER_SIDE, MAPS_TOP - 1, bottom - MAPS_TOP + 2, PIXELS)
    set_rows(painter.ws, 3, 1, PIXELS)
    for strip, before, maps in zip(every, (None, *every[:-1]), run.maps, strict=True):
        _headings(painter, strip)
        _maps(painter, strip, before, maps[0])
    painter.name("last_maps", every[-1].whole)
    _how_to_read(painter, every[0])
    _verdict(painter, right)
    width = column_letters(right + ANSWER_SIDE + 5)
    painter.ws.print_area = f"A1:{width}{bottom + 1}"
    return LAYERS, f"{sum(s.channels for s in every)} feature maps of the chosen digit as pictures made of live cells"


def _headings(painter: Painter, strip: Strip) -> None:
    what = {"input": "normalised", "conv": "3×3, ReLU, norm", "pool": "2×2 max"}[strip.kind]
    for down, (text, look) in enumerate(((strip.title, "strip"), (strip.shape, "shape"), (what, "shape"))):
        painter.put(HEADINGS_TOP + down, strip.left, text, look)


def _maps(painter: Painter, strip: Strip, before: Strip | None, maps: Array) -> None:
    for channel in range(strip.channels):
        area = strip.map(channel)
        texts = _TEXTS[strip.kind](strip, before, channel)
        values = maps[channel].ravel().tolist()
        places = np.ndindex(strip.side, strip.side)
        for (row, column), text, value in zip(places, texts, values, strict=True):
            painter.put(area.top + row, area.left + column, Formula(text, value), "pixel")
        if strip.kind == "conv":
            painter.tab.share(area.top, area.left, area.bottom, area.right)
        painter.heat(area)


def _input_texts(strip: Strip, before: Strip | None, channel: int) -> Iterator[str]:
    for row, column in np.ndindex(SIDE, SIDE):
        yield f"=({DRAW}!{address(GRID_TOP + row, SEEN_LEFT + column)}-pixel_mean)/pixel_std"


def _convolution_texts(strip: Strip, before: Strip | None, channel: int) -> Iterator[str]:
    assert before is not None
    padding = CONVOLUTIONS[strip.convolution - 1].padding
    label = f"{strip.convolution}_{channel + 1}"
    for row, column in np.ndindex(strip.side, strip.side):
        window = before.window(row - padding, column - padding, KERNEL).ref
        yield f"=scale{label}*MAX(0,bias{label}+SUMPRODUCT({window},kernel{label}))+shift{label}"


def _pool_texts(strip: Strip, before: Strip | None, channel: int) -> Iterator[str]:
    assert before is not None
    source = before.map(channel)
    for row, column in np.ndindex(strip.side, strip.side):
        yield f"=MAX({Area(source.top + 2 * row, source.left + 2 * column, 2, 2).ref})"


_TEXTS = {"input": _input_texts, "conv": _convolution_texts, "pool": _pool_texts}


def _how_to_read(painter: Painter, strip: Strip) -> None:
    """A column of text below the single map of the input."""
    top = MAPS_TOP + SIDE + 4
    for text in HOW_TO_READ:
        lines = len(text) // 30 + 1
        rows = 5 * lines // 2 + 1
        painter.merge(Area(top, strip.left, rows, SIDE), text, "panel_text")
        top += rows + 1


def _verdict(painter: Painter, left: int) -> None:
    """The ten probabilities as squares, and the answer."""
    for down, (text, look) in enumerate((("linear", "strip"), ("108 → 10", "shape"), ("softmax", "shape"))):
        painter.put(HEADINGS_TOP + down, left, text, look)
    for digit in range(CLASSES):
        top = MAPS_TOP + 2 * digit
        painter.merge(Area(top, left, 2, 2), digit, "small_digit")
        painter.merge(Area(top, left + 2, 2, 2), Formula(f"=INDEX(probabilities,{digit + 1})"), "pixel")
    painter.heat(Area(MAPS_TOP, left + 2, 2 * CLASSES, 2), fixed=True)
    painter.put(HEADINGS_TOP, left + 7, "answer", "strip")
    answer = Area(MAPS_TOP, left + 7, ANSWER_SIDE, ANSWER_SIDE - 2)
    painter.merge(answer, Formula("=answer"), "small_answer")
    set_columns(painter.ws, left, 1, PIXELS)
