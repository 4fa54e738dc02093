"""The live digit network's numbers once more, by PyTorch in float64, from what its tabs Draw and Kernels hold.

To add up the products of every pixel of every map takes an engine several times as long as all the rest of a workbook.
So what is stored in these pixels is compared with PyTorch's numbers, and an engine takes it as it is, unless one is
asked for by name.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn.cells import CellError, Typed
from cnn.live import DRAW, KERNELS, LAYERS, LONG_SUMS
from sheetgen.check.engines import CellOf, Recalculated
from sheetgen.check.rounding import difference
from sheetgen.xlsx.cells import Value, is_number
from sheetgen.xlsx.reader import Contents, read_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnn.live.geometry import Area

__all__ = ["Pixels", "pixels_of"]


@dataclass(frozen=True)
class Pixels:
    """The numbers stored in the pixels of every map, by tab and address, and the tensors that they are made with."""

    stored: Mapping[CellOf, float]
    weights: Mapping[str, NDArray[Any]]

    def again(self, recalculated: Recalculated) -> Iterator[tuple[CellOf, Value | None, float]]:
        """Each pixel and each logit: its cell, what it holds, and what PyTorch gives there."""
        from cnn.live.draw import LOGITS, SEEN
        from cnn.live.geometry import strips
        from cnn.live.pytorch import forward

        seen = [recalculated[DRAW, address] for address in _addresses(SEEN)]
        maps, logits = forward(self.weights, [float(one) if is_number(one) else math.nan for one in seen])
        for strip, numbers in zip(strips(), maps, strict=True):
            for channel, here in enumerate(numbers):
                for address, number in zip(_addresses(strip.map(channel)), here, strict=True):
                    if (LAYERS, address) in self.stored:
                        yield (LAYERS, address), self.stored[LAYERS, address], number
        for address, number in zip(_addresses(LOGITS), logits, strict=True):
            yield (DRAW, address), recalculated[DRAW, address], number


def pixels_of(path: Path, contents: Contents) -> Pixels | None:
    """The pixels of a workbook that has a live network; None if it has none, or PyTorch is not installed."""
    if not read_names(path).get("last_maps", "").startswith(f"{LAYERS}!") or not all(
        map(importlib.util.find_spec, ("numpy", "torch"))
    ):
        return None
    from cnn.live.geometry import strips
    from cnn.live.kernels import read

    try:
        weights, _ = read(Typed(KERNELS, contents.typed.get(KERNELS, {})))
    except CellError:
        return None  # it is named where the tabs are built again
    here = {cell.address: cell.value for cell in contents.formulas if cell.tab == LAYERS}
    addresses = (a for strip in strips() for channel in range(strip.channels) for a in _addresses(strip.map(channel)))
    stored = {(LAYERS, a): float(here[a]) for a in addresses if is_number(here.get(a))}  # type: ignore[arg-type]
    return Pixels(stored, weights) if stored else None


def is_apart(value: Value | None, number: float, tab: str) -> tuple[float, bool]:
    """How far a cell's value is from PyTorch's number, relative to it or to 1, and whether that is too much."""
    apart = difference(value, number, 1.0)
    return apart, not apart <= LONG_SUMS[tab]


def _addresses(area: Area) -> Iterator[str]:
    from cnn.live.geometry import address

    for row in range(area.top, area.bottom + 1):
        for column in range(area.left, area.right + 1):
            yield address(row, column)
