"""Where everything stands on the tabs Draw, Layers and Kernels: rows, columns and the references made of them.

A convolution is one SUMPRODUCT because the maps that it reads stand in one strip, one below the other with an empty
row between them, and its kernels stand with the same distance between the taps of one map and of the next: one range
of three columns then covers every map, and what lies between the taps is multiplied by empty cells, which count as 0.
The empty rows and columns around a map are its zero padding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnn.layers import CLASSES, CONVOLUTIONS, KERNEL, SIDE, Convolution
from sheetgen.xlsx.cells import column_letters

# Layers
MAPS_TOP = 8
HEADINGS_TOP = 4
FIRST_STRIP = 3
STRIP_GAP = 4
NARROWEST_STRIP = 8
# A strip that no convolution reads may have its maps side by side, which keeps the tab short.
MAPS_ACROSS = 2

# Kernels
TABLE_TOP = 6
# Below the rows that stay in sight: each layer has its own heading.
KERNELS_TOP = TABLE_TOP + 3
TABLE_COLUMNS = ("layer", "channel", "bias", "weight γ", "bias β", "mean", "variance", "scale", "shift")
KERNELS_LEFT = len(TABLE_COLUMNS) + 3
KERNEL_PITCH = KERNEL + 1
DIGIT_PITCH = SIDE + 1

# Draw: the grid to paint on, what the network sees, and below them the page in numbers, with an empty frame
GRID_TOP = 8
PAINT_LEFT = 2
SEEN_LEFT = PAINT_LEFT + SIDE + 3
PANEL_LEFT = SEEN_LEFT + SIDE + 2
PAGE_TOP = GRID_TOP + SIDE + 6


@dataclass(frozen=True)
class Area:
    """A rectangle of cells; rows and columns are one-based.

    >>> Area(8, 2, 28, 28).ref, Area(8, 2, 28, 28).absolute
    ('B8:AC35', '$B$8:$AC$35')
    """

    top: int
    left: int
    rows: int
    columns: int

    @property
    def ref(self) -> str:
        """The relative reference."""
        return f"{address(self.top, self.left)}:{address(self.bottom, self.right)}"

    @property
    def bottom(self) -> int:
        """The last row."""
        return self.top + self.rows - 1

    @property
    def right(self) -> int:
        """The last column."""
        return self.left + self.columns - 1

    @property
    def absolute(self) -> str:
        """The reference that a defined name needs, without its tab."""
        first = f"${column_letters(self.left)}${self.top}"
        return first if self.rows == self.columns == 1 else f"{first}:${column_letters(self.right)}${self.bottom}"


def address(row: int, column: int) -> str:
    """The address of a cell.

    >>> address(8, 28)
    'AB8'
    """
    return f"{column_letters(column)}{row}"


@dataclass(frozen=True)
class Strip:
    """The maps of one step of the network, on the tab Layers; `convolution` is the number of the one it belongs to.

    kind is "input", "conv" or "pool"; left is the column of the first map's first pixel.
    """

    kind: str
    convolution: int
    channels: int
    side: int
    across: int
    left: int

    @property
    def pitch(self) -> int:
        """From one map to the next, in cells."""
        return self.side + 1

    @property
    def width(self) -> int:
        """How many columns it covers."""
        return self.across * self.pitch - 1

    @property
    def height(self) -> int:
        """How many rows it covers."""
        return -(-self.channels // self.across) * self.pitch - 1

    @property
    def title(self) -> str:
        """Its heading.

        >>> strips()[3].title
        'pool 2'
        """
        return self.kind if self.kind == "input" else f"{self.kind} {self.convolution}"

    @property
    def shape(self) -> str:
        """Its number of maps and their size.

        >>> strips()[3].shape
        '16 × 14×14'
        """
        return f"{self.channels} × {self.side}×{self.side}"

    def map(self, channel: int) -> Area:
        """The cells of a map; channel counts from 0."""
        down, right = divmod(channel, self.across)
        return Area(MAPS_TOP + down * self.pitch, self.left + right * self.pitch, self.side, self.side)

    def window(self, row: int, column: int, size: int) -> Area:
        """`size` columns from this row of the first map to the end of the same window of the last one.

        row and column count from 0 at the first pixel; -1 is the padding.
        """
        assert self.across == 1
        rows = (self.channels - 1) * self.pitch + size
        return Area(MAPS_TOP + row, self.left + column, rows, size)

    @property
    def whole(self) -> Area:
        """All of its maps, with the empty rows between them."""
        return Area(MAPS_TOP, self.left, self.height, self.width)


def strips() -> tuple[Strip, ...]:
    """The strips in the order of computation, from left to right.

    >>> [(s.title, s.channels, s.side) for s in strips()][:4]
    [('input', 1, 28), ('conv 1', 12, 28), ('conv 2', 16, 28), ('pool 2', 16, 14)]
    """
    made: list[Strip] = []
    for kind, number, channels, side, across in _steps(CONVOLUTIONS):
        before = made[-1] if made else None
        left = before.left + max(before.width, NARROWEST_STRIP) + STRIP_GAP if before else FIRST_STRIP
        made.append(Strip(kind, number, channels, side, across, left))
    return tuple(made)


def _steps(convolutions: Iterable[Convolution]) -> Iterable[tuple[str, int, int, int, int]]:
    side = SIDE
    yield "input", 0, 1, side, 1
    for number, layer in enumerate(convolutions, 1):
        side += 2 * layer.padding - KERNEL + 1
        yield "conv", number, layer.outputs, side, MAPS_ACROSS if layer.pool else 1
        if layer.pool:
            side //= 2
            yield "pool", number, layer.outputs, side, 1


@dataclass(frozen=True)
class KernelBlock:
    """The kernels of one layer, on the tab Kernels: side by side, each with the pitch of the maps that it reads."""

    title: str
    name: str
    count: int
    reads: Strip
    size: int
    top: int
    first: int

    @property
    def height(self) -> int:
        """How many rows the kernels cover."""
        return (self.reads.channels - 1) * self.reads.pitch + self.size

    @property
    def whole(self) -> Area:
        """The cells of all the kernels."""
        return Area(self.top, KERNELS_LEFT, self.height, self.count * KERNEL_PITCH - 1)

    def kernel(self, output: int) -> Area:
        """The cells of one kernel; output counts from 0."""
        return Area(self.top, KERNELS_LEFT + output * KERNEL_PITCH, self.height, self.size)

    def taps(self, output: int, channel: int) -> Area:
        """The cells of a kernel that weigh one map."""
        kernel = self.kernel(output)
        return Area(self.top + channel * self.reads.pitch, kernel.left, self.size, self.size)

    def label(self, output: int) -> str:
        """What the kernel's names end with: digits count from 0, channels from 1."""
        return f"{self.name}_{output + self.first}"


def kernel_blocks() -> tuple[KernelBlock, ...]:
    """The kernels of the convolutions and of the linear layer, from top to bottom.

    >>> [(block.title, block.label(0), block.height) for block in kernel_blocks()][::3]
    [('conv 1', '1_1', 3), ('conv 4', '4_1', 288), ('linear', 'linear_0', 47)]
    """
    made: list[KernelBlock] = []
    sources = readable_strips()
    top = KERNELS_TOP
    for number, (layer, reads) in enumerate(zip(CONVOLUTIONS, sources, strict=False), 1):
        made.append(KernelBlock(f"conv {number}", str(number), layer.outputs, reads, KERNEL, top, 1))
        top += made[-1].height + 4
    last = sources[-1]
    made.append(KernelBlock("linear", "linear", CLASSES, last, last.side, top, 0))
    return tuple(made)


def readable_strips() -> tuple[Strip, ...]:
    """What each convolution reads, and last what the linear layer reads."""
    pooled = {strip.convolution for strip in strips() if strip.kind == "pool"}
    return tuple(s for s in strips() if not (s.kind == "conv" and s.convolution in pooled))


DIGITS_LEFT = KERNELS_LEFT + max(block.whole.columns for block in kernel_blocks()) + 3


def digit_area(count: int) -> Area:
    """The strip of a blank page and `count` digits, on the tab Kernels."""
    return Area(KERNELS_TOP, DIGITS_LEFT, (count + 1) * DIGIT_PITCH, SIDE)
