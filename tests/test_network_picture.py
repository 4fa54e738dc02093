"""The layout of the network's picture, in numbers."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import Any

import pytest

from sheetgen.tabs.network_picture import Edge, Node, Rank, draw, label_rows, numbered, shown, slot
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.shapes import Grid

Box = tuple[int, int, int, int]


def network(*sizes: int) -> tuple[Tab, Any]:
    """A fully connected picture with a number on every edge; units have 1, 2 or 3 lines."""
    tab = Book().add("Network")
    layers = [
        Rank(f"layer {place}", tuple(Node("unit", _lines(place % 3 + 1)) for _ in range(size)), "1F5FA8")
        for place, size in enumerate(sizes)
    ]
    edges = [
        Edge(place, source, target, f"w{source}_{target}", Formula("=1/4", 0.25))
        for place in range(len(sizes) - 1)
        for target in range(sizes[place + 1])
        for source in range(sizes[place])
    ]
    return tab, draw(tab, 4, 2, layers, edges)


def _lines(count: int) -> tuple[tuple[str, Formula], ...]:
    return tuple((f"a{index}", Formula("=1/2", 0.5)) for index in range(count))


def boxes(tab: Tab, kind: str) -> list[Box]:
    """Left, top, right, bottom of every shape of the kind."""
    found = [shape.box for shape in tab.shapes if shape.kind == kind]  # type: ignore[attr-defined]
    return [(x, y, x + width, y + height) for x, y, width, height in found]


def numbers(tab: Tab) -> list[Box]:
    """Left, top, right, bottom of every cell with a number."""
    grid = Grid(tab.ws)
    return [(grid.left(c), grid.top(r), grid.left(c + 1), grid.top(r + 1)) for r, c in tab.stored]


def ends(shape: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a connector starts and ends, after its flips."""
    x, y, width, height = shape.box
    xs, ys = ((x, x + width), (y, y + height))
    (x0, x1), (y0, y1) = (xs[::-1] if shape.flip[0] else xs), (ys[::-1] if shape.flip[1] else ys)
    return (x0, y0), (x1, y1)


def apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


SIZES = [(2, 2, 2), (1, 1), (2, 4, 3, 1), (6, 6, 6), (3, 10, 10, 10), (5, 13, 2), (100, 3)]


@pytest.mark.parametrize("sizes", SIZES)
def test_nodes_are_apart_and_each_number_is_inside_one_or_outside_all(sizes: tuple[int, ...]) -> None:
    """No outline crosses another or a number: a node's numbers have all four corners on its inside."""
    tab, picture = network(*sizes)
    nodes = boxes(tab, "ellipse")
    assert len(nodes) == sum(shown(size) for size in sizes)
    assert all(apart(one, other) for one, other in combinations(nodes, 2))
    inside = 0
    for cell in numbers(tab):
        touched = [node for node in nodes if not apart(cell, node)]
        assert len(touched) <= 1
        for x0, y0, x1, y1 in touched:
            inside += 1
            # Text takes the middle of the cell: 10 of its 16 characters, and 60 % of its height.
            dx = (cell[2] - cell[0]) * 10 / 16 / (x1 - x0)
            dy = (abs(cell[1] + cell[3] - y0 - y1) + 0.6 * (cell[3] - cell[1])) / (y1 - y0)
            assert math.hypot(dx, dy) < 1
    assert inside == sum(shown(size) * (place % 3 + 1) for place, size in enumerate(sizes))
    assert picture.hidden == tuple(size - shown(size) for size in sizes)
    assert max(row for row, _ in tab.stored) <= picture.bottom


@pytest.mark.parametrize("sizes", SIZES)
def test_lines_stay_off_the_numbers(sizes: tuple[int, ...]) -> None:
    """No point of a line or arrow lies within a cell that holds a number (its text's half, in a node)."""
    tab, _ = network(*sizes)
    texts = [(x0 + (x1 - x0) / 4, y0 + 1, x1 - (x1 - x0) / 4, y1 - 1) for x0, y0, x1, y1 in numbers(tab)]
    for shape in tab.shapes:
        if shape.kind == "ellipse":  # type: ignore[attr-defined]
            continue
        (x0, y0), (x1, y1) = ends(shape)
        for part in (k / 50 for k in range(51)):
            x, y = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in texts)


@pytest.mark.parametrize("sizes", SIZES)
def test_every_arrow_ends_on_the_outline_of_a_node(sizes: tuple[int, ...]) -> None:
    """Within half a pixel; and there is one arrow for every edge between shown units."""
    tab, _ = network(*sizes)
    nodes = boxes(tab, "ellipse")
    arrows: list[Any] = [shape for shape in tab.shapes if shape.head]  # type: ignore[attr-defined]
    assert len(arrows) == sum(shown(a) * shown(b) for a, b in pairwise(sizes))
    for arrow in arrows:
        x, y = ends(arrow)[1]
        reach = [math.hypot((2 * x - x0 - x1) / (x1 - x0), (2 * y - y0 - y1) / (y1 - y0)) for x0, y0, x1, y1 in nodes]
        assert min(abs(one - 1) for one in reach) < 0.01


def test_numbers_stand_on_edges_only_where_there_is_room() -> None:
    """Six units a side have them, seven have not."""
    for sizes, labels in (((6, 6), 36), ((6, 7), 0), ((7, 6), 0)):
        tab, _ = network(*sizes)
        in_nodes = sizes[0] + 2 * sizes[1]
        assert len(tab.stored) == in_nodes + labels


@pytest.mark.parametrize("sources", range(1, 7))
@pytest.mark.parametrize("targets", range(1, 7))
def test_labels_have_rows_of_their_own_within_the_picture(sources: int, targets: int) -> None:
    rows = max(7 * max(sources, targets), sources * (targets + 1)) | 1
    middles = [[slot(rows, n, index, 3) + 1.5 for index in range(n)] for n in (sources, targets)]
    found = label_rows(*middles)
    assert found == sorted(set(found))
    assert len(found) == sources * targets
    assert found[0] >= 0
    assert found[-1] < rows


def test_a_seed_sized_picture_has_level_straight_edges() -> None:
    """The edges between units of the same place run level, and the picture is the same upside down."""
    assert label_rows([3.5, 11.5], [3.5, 11.5]) == [3, 6, 8, 11]


@pytest.mark.parametrize("label", ['say "w1"', "∂E/∂w1"])
def test_a_format_never_breaks_on_its_symbol(label: str) -> None:
    assert numbered(label).count('"') == 4
