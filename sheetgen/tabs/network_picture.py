"""The picture of a layered network: cells that carry live numbers, and a transparent drawing of nodes and arrows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from openpyxl.utils import get_column_letter

from sheetgen.xlsx import style
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.shapes import Canvas, Ellipse, Point, Stroke

MAX_LABELLED = 6
MAX_SHOWN = 12
FEW = 4

# A node is a column of text between two narrow ones. Programs differ by 6 % in the width that they give a column, and
# an arrow that starts inside a column is off by that much: the narrow columns keep it below two pixels.
NODE_SIDE, NODE_WIDTH = 3.0, 14.0
# On paper the last outline needs room for its own pen, half of which lies outside its cells.
MARGIN = 0.75
# What follows a symbol takes at most so many characters, as in " = -1.2E-05", with what a cell keeps free.
NUMBER_WIDTH = 12.0
LABEL_WIDTH = 12.0
AFTER_LABEL = 5.0
NARROWEST, WIDEST = 7.0, 34.0
ROW_HEIGHT = 18.0

LINE_COLOR = "93A1B0"
# How far from its side a line may leave or reach a node, in degrees; flat where it could cross the nodes next to it.
STEEP, FLAT = 60.0, 25.0
EDGE = Stroke(LINE_COLOR, 1.25)
THIN_EDGE = Stroke("C2CCD6", 0.5)


@dataclass(frozen=True)
class Node:
    """One unit: lines of a symbol and its live number, below a small title where that makes the rows an odd number,
    so that the middle of every node is the middle of a row."""

    title: str
    lines: tuple[tuple[str, Formula], ...]

    @property
    def height(self) -> int:
        """The rows that its text takes."""
        return len(self.lines) + 1 - len(self.lines) % 2


@dataclass(frozen=True)
class Rank:
    """The units of one column of the picture, from top to bottom, and the colour of their outlines."""

    title: str
    nodes: tuple[Node, ...]
    color: str


@dataclass(frozen=True)
class Edge:
    """An arrow from a unit of one layer (zero-based) to a unit of the next; label and number only where there is one
    to show, such as a weight."""

    layer: int
    source: int
    target: int
    label: str = ""
    number: Formula | None = None


@dataclass(frozen=True)
class Picture:
    """Where a picture ended up, and what it left out: the last row and column, the hidden units of each layer, and the
    columns that hold the layers' numbers."""

    bottom: int
    right: int
    hidden: tuple[int, ...]
    columns: tuple[int, ...]


def shown(count: int) -> int:
    """How many of a layer's units are drawn; if not all, one place is left for '⋮'.

    >>> shown(12), shown(13)
    (12, 11)
    """
    return count if count <= MAX_SHOWN else MAX_SHOWN - 1


def numbered(label: str, digits: str = "0.0000") -> str:
    """A number format that writes the symbol before the number, and the sign between them.

    >>> numbered("w1")
    '"w1 = "0.0000;"w1 = "-0.0000'
    """
    symbol = f'"{label.replace(chr(34), "")} = "'
    return f"{symbol}{digits};{symbol}-{digits}"


def slot(rows: int, count: int, index: int, height: int) -> int:
    """The zero-based first row of something of this height in the middle of one of count equal parts of the rows.

    >>> [slot(15, 2, index, 5) for index in (0, 1)]
    [1, 9]
    """
    return math.floor(_top(rows, count, index, height) + 0.5)


def _top(rows: int, count: int, index: int, height: int) -> float:
    return ((2 * index + 1) * rows / count - height) / 2


def label_rows(sources: Sequence[float], targets: Sequence[float]) -> list[int]:
    """The zero-based rows of the labels, by target and then source, for units whose middles lie at these heights.

    The labels stand at the part T / (T + 1) of the way to T targets: there, straight lines between evenly spaced units
    pass at even distances. Each gets a row of its own.

    >>> label_rows([3.5, 11.5], [3.5, 11.5])
    [3, 6, 8, 11]
    """
    part = len(targets) / (len(targets) + 1)
    rows: list[int] = []
    for target in targets:
        for source in sources:
            row = math.floor((1 - part) * source + part * target + 1e-9)
            rows.append(max(row, rows[-1] + 1) if rows else row)
    return rows


def draw(tab: Tab, top: int, left: int, layers: Sequence[Rank], edges: Sequence[Edge]) -> Picture:
    """Lay the network out from the one-based row and column on, one row of layer titles first; sets the widths of its
    columns and the heights of its rows. Edges of units that are not shown are left out."""
    sheet = _Sheet(tab, top, left, layers, edges)
    nodes = sheet.nodes()
    for edge in edges:
        ends = nodes.get((edge.layer, edge.source)), nodes.get((edge.layer + 1, edge.target))
        if ends[0] is not None and ends[1] is not None:
            sheet.edge(edge, ends[0], ends[1])
    hidden = tuple(len(layer.nodes) - shown(len(layer.nodes)) for layer in layers)
    return Picture(sheet.bottom, sheet.columns[-1] + 1, hidden, sheet.columns)


class _Sheet:
    """The picture's place on the sheet."""

    def __init__(self, tab: Tab, top: int, left: int, layers: Sequence[Rank], edges: Sequence[Edge]) -> None:
        self.tab, self.layers, self.edges = tab, layers, edges
        self.first_row = top + 1
        with_number = {edge.layer for edge in edges if edge.number is not None}
        self.labelled = frozenset(
            gap
            for gap, pair in enumerate(pairwise(layers))
            if gap in with_number and all(len(layer.nodes) <= MAX_LABELLED for layer in pair)
        )
        self.columns = self._set_columns(left)
        self.rows = self._row_count()
        self.bottom = top + self.rows
        for row in range(self.first_row, self.bottom + 1):
            tab.ws.row_dimensions[row].height = ROW_HEIGHT
        self.canvas = Canvas(tab.ws, tab.shapes)

    def _gap(self, index: int) -> tuple[float, ...]:
        """The widths of the columns between a layer and the next; lines need room where many cross."""
        targets = len(self.layers[index + 1].nodes)
        if index in self.labelled:
            # The labels' middle at T / (T + 1) of the way, so that a line hardly bends at its label.
            label = max([LABEL_WIDTH, *(len(one.label) + NUMBER_WIDTH - 2 for one in self.edges if one.layer == index)])
            before = targets * (label + AFTER_LABEL) - (targets + 1) * label / 2
            return min(max(before, NARROWEST), WIDEST), label, AFTER_LABEL
        busy = max(self._places(layer) for layer in self.layers[index : index + 2])
        return (min(NARROWEST if busy <= 2 else 4.0 * busy, WIDEST),)

    def _set_columns(self, left: int) -> tuple[int, ...]:
        """The columns that hold the layers' text, one-based."""
        columns = []
        for index, layer in enumerate(self.layers):
            columns.append(left + 1)
            longest = max(len(label) for node in layer.nodes for label, _ in node.lines)
            text = max(NODE_WIDTH, longest + NUMBER_WIDTH, float(len(layer.title)))
            widths = (NODE_SIDE, text, NODE_SIDE, *(self._gap(index) if index + 1 < len(self.layers) else (MARGIN,)))
            for width in widths:
                self.tab.ws.column_dimensions[get_column_letter(left)].width = width
                left += 1
        return tuple(columns)

    def _places(self, layer: Rank) -> int:
        return min(len(layer.nodes), MAX_SHOWN)

    def _height(self, layer: Rank) -> int:
        """The rows of a node's outline: one above and one below its text."""
        return max(node.height for node in layer.nodes) + 2

    def _row_count(self) -> int:
        """Rows enough for every layer and every column of labels: an odd number, so that a single unit stands in the
        middle row, and of the next few the one where the others stand closest to the middle of their parts."""
        tallest = max(self._places(layer) for layer in self.layers)
        space = 3 if tallest <= FEW else 1
        needed = [self._places(layer) * (self._height(layer) + space) for layer in self.layers]
        needed += [len(self.layers[gap].nodes) * (len(self.layers[gap + 1].nodes) + 1) for gap in self.labelled]
        least = max(needed) | 1
        return min(range(least, least + 8, 2), key=lambda rows: (self._off_center(rows), rows))

    def _off_center(self, rows: int) -> float:
        tops = (
            _top(rows, self._places(layer), index, self._height(layer))
            for layer in self.layers
            for index in range(self._places(layer))
        )
        return sum(abs(top - round(top)) for top in tops)

    def _middles(self, layer: Rank) -> list[float]:
        """How many rows down the middle of each unit lies."""
        places, height = self._places(layer), self._height(layer)
        return [slot(self.rows, places, index, height) + height / 2 for index in range(places)]

    def nodes(self) -> Mapping[tuple[int, int], Ellipse]:
        """Write and outline every shown unit; their outlines by layer and unit."""
        outlines = {}
        for place, (layer, column) in enumerate(zip(self.layers, self.columns, strict=True)):
            self.tab.put(self.first_row - 1, column, layer.title, "node_title")
            height, places = self._height(layer), self._places(layer)
            for index, node in enumerate(layer.nodes[: shown(len(layer.nodes))]):
                row = self.first_row + slot(self.rows, places, index, height)
                self._text(node, row + (height - node.height) // 2, column)
                outlines[place, index] = self.canvas.ellipse(
                    (column - 1, row, 0, 0), (column + 1, row + height - 1, 1, 1), Stroke(layer.color, 2.0),
                    f"{node.title}: {', '.join(label for label, _ in node.lines)}", "Node",
                )  # fmt: skip
            if len(layer.nodes) > MAX_SHOWN:
                row = self.first_row + slot(self.rows, places, places - 1, 1)
                more = f"⋮  {len(layer.nodes) - shown(len(layer.nodes))} more"
                self.tab.put(row, column, more, "node_title")
        return outlines

    def _text(self, node: Node, row: int, column: int) -> None:
        if node.height > len(node.lines):
            self.tab.put(row, column, node.title, "node_title")
            row += 1
        for offset, (label, number) in enumerate(node.lines):
            self._number(row + offset, column, label, number, "node")

    def _number(self, row: int, column: int, label: str, number: Formula, role: str) -> None:
        cell = self.tab.put(row, column, number, role, numbered(label))
        style.shorten_extreme(self.tab.ws, cell.coordinate, numbered(label, "0.0E+00"))

    def edge(self, edge: Edge, source: Ellipse, target: Ellipse) -> None:
        """An arrow, broken by the cell with its number where numbers are shown."""
        pair = self.layers[edge.layer : edge.layer + 2]
        ends_of = (layer.nodes[place].title for layer, place in zip(pair, (edge.source, edge.target), strict=True))
        words = f"{edge.label or 'arrow'}: {' → '.join(ends_of)}"
        out, into = (STEEP if len(layer.nodes) <= 2 else FLAT for layer in pair)
        if edge.layer not in self.labelled:
            stroke = THIN_EDGE if max(len(layer.nodes) for layer in pair) > MAX_LABELLED else EDGE
            ends = source.toward(target.center, out), target.toward(source.center, into)
            self.canvas.arrow(*ends, stroke, words)
        elif edge.number is not None:
            before, after = self._label(edge, edge.number)
            self.canvas.line(source.toward(before, out), before, EDGE, words)
            self.canvas.arrow(after, target.toward(after, STEEP), EDGE, words)

    def _label(self, edge: Edge, number: Formula) -> tuple[Point, Point]:
        """Write the number into the gap's label column; the middles of the cell's left and right side."""
        sources, targets = (self._middles(layer) for layer in self.layers[edge.layer : edge.layer + 2])
        row = self.first_row + label_rows(sources, targets)[edge.target * len(sources) + edge.source]
        column = self.columns[edge.layer] + 3
        self._number(row, column, edge.label, number, "edge")
        return self.canvas.grid.point((column, row, 0, 0.5)), self.canvas.grid.point((column, row, 1, 0.5))
