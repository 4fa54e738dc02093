"""The network as a drawing in SVG: units in columns, a line for each weight, its name beside it where there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sympy import Symbol

from sheetgen.handout.typeset import named
from sheetgen.maths.network import Network

__all__ = ["draw"]

# Lengths in pixels, of which a page is about 680 wide.
WIDTH, RADIUS, ROOM, EDGE = 660, 17, 62, 34
# More units of a layer are not drawn, and of more weights between two layers none is named.
MOST_DRAWN, MOST_NAMED = 10, 6
HUES = {"input": "#4c78a8", "unit": "#2a9d8f", "error": "#c2543d"}

Point = tuple[float, float]


def draw(network: Network) -> str:
    """An `<svg>` of the network for one sample, from the inputs to the loss."""
    units = network.units[0]
    ranks: list[Sequence[Symbol]] = [network.inputs[0], *([unit.net for unit in layer] for layer in units)]
    ranks += [network.errors[0], [network.total]]
    height = ROOM * max(min(len(rank), MOST_DRAWN) for rank in ranks) + 14
    across = (WIDTH - 2 * EDGE) / (len(ranks) - 1)
    places = [
        [
            (EDGE + across * at, height * (2 * place + 1) / (2 * min(len(rank), MOST_DRAWN)))
            for place in range(len(rank))
        ]
        for at, rank in enumerate(ranks)
    ]
    drawn = [rank[:MOST_DRAWN] for rank in ranks]
    parts = [*_lines(network, places), *_biases(network, places)]
    for at, rank in enumerate(drawn):
        hue = HUES["input" if at == 0 else "error" if at > len(units) else "unit"]
        for place, symbol in enumerate(rank):
            parts += _unit(places[at][place], symbol, hue)
        if len(rank) < len(ranks[at]):
            x, y = places[at][MOST_DRAWN - 1]
            parts.append(_text((x, y + RADIUS + 11), f"… {len(ranks[at]) - MOST_DRAWN} more", "11"))
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg {size} role="img" aria-label="{_said(network)}">{"".join(parts)}</svg>'


def _said(network: Network) -> str:
    """The drawing in words."""
    layers = ", ".join(f"{layer.units} {layer.activation}" for layer in network.spec.layers)
    return f"A network of {len(network.inputs[0])} inputs and layers of {layers} units"


def _lines(network: Network, places: Sequence[Sequence[Point]]) -> Iterator[str]:
    """The weights, and what leads to the loss."""
    layers = network.spec.layers
    for p in network.parameters:
        if p.source is not None and max(p.source, p.unit) < MOST_DRAWN:
            ends = places[p.layer][p.source], places[p.layer + 1][p.unit]
            yield _line(*ends)
            sources = len(places[p.layer])
            if sources * layers[p.layer].units <= MOST_NAMED:
                part = (p.unit + 1) / (layers[p.layer].units + 1) * 0.36 + 0.24 if layers[p.layer].units > 1 else 0.45
                yield _label(_between(*ends, part), p.symbol.name)
    for before, after in list(pairwise(places))[len(layers) :]:
        for place in range(min(len(before), MOST_DRAWN)):
            yield _line(before[place], after[min(place, len(after) - 1)])


def _biases(network: Network, places: Sequence[Sequence[Point]]) -> Iterator[str]:
    for p in network.parameters:
        if p.source is None and p.unit < MOST_DRAWN:
            x, y = places[p.layer + 1][p.unit]
            yield _text((x, y - RADIUS - 5), f"+ {_sub(p.symbol.name)}", "12")


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _line(start: Point, end: Point) -> str:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    (x1, y1), (x2, y2) = (_between(start, end, part) for part in (RADIUS / length, 1 - RADIUS / length))
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#93a1b0"/>'


def _unit(at: Point, symbol: Symbol, hue: str) -> Iterator[str]:
    x, y = at
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="#fff" stroke="{hue}" stroke-width="2"/>'
    yield _text((x, y + 4), _sub(symbol.name), "14")


def _label(at: Point, name: str) -> str:
    x, y = at
    box = f'<rect x="{x - 12:.1f}" y="{y - 9:.1f}" width="24" height="17" fill="#fff"/>'
    return box + _text((x, y + 4), _sub(name), "12")


def _text(at: Point, inside: str, size: str) -> str:
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" text-anchor="middle">{inside}</text>'


def _sub(symbol: str) -> str:
    """A letter and its index, lowered."""
    name = named(symbol)
    return f'<tspan font-style="italic">{name.base}</tspan><tspan dy="4" font-size="9">{name.below}</tspan>'
