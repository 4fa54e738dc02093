"""The kinds of layers beside the fully connected one: what a spec may say of each, and the shapes that come out.

Options have torch.nn's names, defaults and shapes. A sample's numbers are [channels, height, width], or
[length, features] of a sequence, or a plain row; the features of a sequence are torch's channels to conv1d and
batch_norm.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sheetgen.spec import catalog
from sheetgen.spec.fields import Place, choice, flag, items, number, show, table, whole
from sheetgen.spec.structure import Layer, Shape, Tensor

__all__ = ["columns", "drawn", "kind_of", "read_kind", "read_shape", "shape_words", "uses"]

_AXES = {1: "a plain row", 2: "[length, features]", 3: "[channels, height, width]"}


@dataclass(frozen=True)
class _Reading:
    """A layer's table in the TOML: its place, its entries, the shape that it takes, and what came before."""

    place: Place
    entry: Mapping[str, object]
    kind: str
    taken: Shape
    before: Sequence[Layer]
    draw: random.Random

    def axes(self, *allowed: int) -> Shape:
        """The shape taken, which has so many axes."""
        if len(self.taken) not in allowed:
            found = f"takes {shape_words(self.taken)}"
            rule = f"{self.kind} needs numbers of the shape {' or '.join(_AXES[one] for one in allowed)}"
            if self.before:
                raise self.place.refuse(found, rule, "Change the layer before it, or its place.")
            then = f"Add shape = {_AXES[allowed[-1]]} under [data], as numbers."
            raise self.place.refuse(found, rule, then)
        return self.taken

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number, 1 or more."""
        value = self.entry.get(name, default)
        return whole(self.place / name, value, 1, catalog.MAX_COLUMNS, "Write a small one, such as 2.")

    def sizes(self, name: str, axes: int, default: Shape | None = None, low: int = 1) -> Shape:
        """A whole number for each of the axes, or one for all of them."""
        value, here = self.entry.get(name, default), self.place / name
        if isinstance(value, tuple):
            return value
        if not isinstance(value, list):
            return (whole(here, value, low, catalog.MAX_COLUMNS, f"Write one, such as {max(low, 1)}."),) * axes
        if len(value) != axes:
            rule = f"{axes} {'is' if axes == 1 else 'are'} expected, one per axis"
            raise here.refuse(f"has {len(value)} numbers", rule, "Write one number for all axes, or one for each.")
        most = catalog.MAX_COLUMNS
        return tuple(whole(here / at, one, low, most, "Write a small one.") for at, one in enumerate(value))

    def tensor(self, name: str, shape: Shape, fan_in: int) -> Tensor:
        """Numbers of the shape, or how to draw them: uniform between -1/√fan_in and 1/√fan_in, as torch does."""
        value, here = self.entry[name], self.place / name
        count = math.prod(shape)
        if count > catalog.MAX_COLUMNS:
            rule = f"each has a column, and Excel has {catalog.MAX_COLUMNS}"
            raise here.refuse(f"would have {count} numbers", rule, "Use smaller sizes.")
        if isinstance(value, list):
            return Tensor(name, shape, tuple(_nested(here, value, shape)))
        named = ("random", "zeros") if name.startswith("bias") else ("random",)
        if choice(here, value, named, f"lists of the shape {_by(shape)}") == "zeros":
            return Tensor(name, shape, (0.0,) * count)
        return Tensor(name, shape, drawn(self.draw, count, fan_in))

    def tensors(self, *wanted: tuple[str, Shape, int]) -> tuple[Tensor, ...]:
        """Those that the entry has, in the order in which they are numbered."""
        return tuple(self.tensor(*one) for one in wanted if one[0] in self.entry)

    def layer(self, given: Shape, options: Mapping[str, object], tensors: tuple[Tensor, ...] = ()) -> Layer:
        """The layer, with its activation."""
        known = catalog.KINDS[self.kind].activations
        default = known[0] if known else "identity"
        activation = choice(self.place / "activation", self.entry.get("activation", default), known or (default,))
        slope = number(self.place / "negative_slope", self.entry.get("negative_slope", 0.01))
        if "negative_slope" in self.entry and activation != "leaky_relu":
            found = f"stands in a layer of {activation}"
            raise (self.place / "negative_slope").refuse(found, "it is an option of leaky_relu only", "Remove it.")
        return Layer(
            math.prod(given), activation, negative_slope=slope, kind=self.kind, options=tuple(options.items()),  # type: ignore[arg-type]
            tensors=tensors, taken=self.taken, given=given,
        )  # fmt: skip


def read_kind(
    place: Place, value: Mapping[str, object], kind: str, taken: Shape, before: Sequence[Layer], draw: random.Random
) -> Layer:
    """The layer that a table describes, which is of a kind other than linear."""
    rule = catalog.KINDS[kind]
    entry = table(place, value, ("kind", *rule.required), rule.optional)
    return _READERS[kind](_Reading(place, entry, kind, taken, before, draw))


def drawn(draw: random.Random, count: int, fan_in: int) -> tuple[float, ...]:
    """Numbers from torch.nn.Linear's default, uniform between -1/√fan_in and 1/√fan_in.

    Python promises that random() of a seeded generator gives the same numbers in every version, but not that
    uniform() does. They are drawn layer by layer, a layer's weights (unit by unit) before its biases.
    """
    bound = 1 / math.sqrt(fan_in)
    return tuple(bound * (2 * draw.random() - 1) for _ in range(count))


def shape_words(shape: Shape) -> str:
    """A shape for a message.

    >>> shape_words((16,)), shape_words((1, 4, 4))
    ('16 numbers in a plain row', 'numbers of the shape [1, 4, 4]')
    """
    return f"{shape[0]} numbers in a plain row" if len(shape) == 1 else f"numbers of the shape {list(shape)}"


def uses(layer: Layer) -> int:
    """In how many places of a sample the layer uses one weight."""
    if layer.kind in ("conv1d", "conv2d"):
        return layer.units // layer.tensors[0].shape[0]
    return layer.taken[0] if layer.kind in ("rnn", "attention") else max(1, layer.units // max(layer.count("w"), 1))


def columns(layer: Layer) -> int:
    """How many columns of one sample the layer has in a training table, those of δ with them."""
    if layer.kind == "attention":
        length, size, pooling = layer.taken[0], layer.tensors[0].shape[0], layer.option("pooling")
        asking = 1 if pooling == "last" else length
        contexts = asking * size if pooling == "mean" else 0
        linear, scores = (asking + 2 * length) * size, asking * length
        return 2 * (linear + 2 * scores + asking + contexts + layer.units)
    per_unit = {"max_pool2d": 3, "avg_pool2d": 2, "flatten": 0, "residual": 2}.get(layer.kind, 3)
    groups = layer.units // layer.taken[-1] if layer.kind == "layer_norm" else 0
    return 5 * groups + per_unit * layer.units * (layer.taken[0] if _is_unrolled(layer) else 1)


def _is_unrolled(layer: Layer) -> bool:
    """Whether it has units of every step, of which it gives the last ones."""
    return layer.kind == "rnn" and layer.option("return_sequences") is False


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _nested(place: Place, value: list[object], shape: Shape) -> list[float]:
    """The numbers of nested lists, which have this shape, in torch's order."""
    found: list[int] = []
    inner: object = value
    while isinstance(inner, list):
        found.append(len(inner))
        inner = inner[0] if inner else None
    if tuple(found) != shape:
        raise place.refuse(f"has the shape {_by(found)}", f"{_by(shape)} is expected", "Add or remove numbers.")
    return _flattened(place, value, shape)


def _flattened(place: Place, value: object, shape: Shape) -> list[float]:
    if not shape:
        return [number(place, value)]
    inside = items(place, value, "numbers" if len(shape) == 1 else "lists")
    if len(inside) != shape[0]:
        raise place.refuse(f"has {len(inside)} entries", f"{shape[0]} are expected", "Add or remove some.")
    return [one for at, item in enumerate(inside) for one in _flattened(place / at, item, shape[1:])]


def _slid(reading: _Reading, sides: Shape, kernel: Shape, stride: Shape, padding: Shape) -> Shape:
    """How many places a window has along each side."""
    for at, (side, size, pad) in enumerate(zip(sides, kernel, padding, strict=True)):
        if size > side + 2 * pad:
            found = f"is {size}" if len(kernel) == 1 else f"is {list(kernel)}"
            rule = f"the window must fit into {side + 2 * pad} along axis {at + 1} of {shape_words(reading.taken)}"
            raise (reading.place / "kernel_size").refuse(found, rule, "Make it smaller, or add padding.")
    return tuple((s + 2 * p - k) // t + 1 for s, k, t, p in zip(sides, kernel, stride, padding, strict=True))


def _conv(reading: _Reading) -> Layer:
    """torch.nn.Conv1d and Conv2d, without dilation and groups."""
    flat = reading.kind == "conv1d"
    shape = reading.axes(2 if flat else 3)
    channels, sides = (shape[1], shape[:1]) if flat else (shape[0], shape[1:])
    out, kernel = reading.count("out_channels"), reading.sizes("kernel_size", len(sides))
    stride = reading.sizes("stride", len(sides), (1,) * len(sides))
    padding = reading.sizes("padding", len(sides), (0,) * len(sides), low=0)
    places = _slid(reading, sides, kernel, stride, padding)
    fan_in = channels * math.prod(kernel)
    tensors = reading.tensors(("weights", (out, channels, *kernel), fan_in), ("bias", (out,), fan_in))
    options = {"out_channels": out, "kernel_size": kernel, "stride": stride, "padding": padding}
    return reading.layer((*places, out) if flat else (out, *places), options, tensors)


def _pool(reading: _Reading) -> Layer:
    """torch.nn.MaxPool2d and AvgPool2d, without padding."""
    channels, *sides = reading.axes(3)
    kernel = reading.sizes("kernel_size", 2)
    stride = reading.sizes("stride", 2, kernel)
    places = _slid(reading, tuple(sides), kernel, stride, (0, 0))
    return reading.layer((channels, *places), {"kernel_size": kernel, "stride": stride})


def _flatten(reading: _Reading) -> Layer:
    """torch.nn.Flatten."""
    return reading.layer((math.prod(reading.taken),), {})


def _rnn(reading: _Reading) -> Layer:
    """torch.nn.RNN of one layer, one direction, that starts from 0."""
    length, features = reading.axes(2)
    units = reading.count("units")
    tensors = reading.tensors(
        ("weights_ih", (units, features), units),
        ("weights_hh", (units, units), units),
        ("bias_ih", (units,), units),
        ("bias_hh", (units,), units),
    )
    whole_sequence = flag(reading.place / "return_sequences", reading.entry.get("return_sequences", False))
    given = (length, units) if whole_sequence else (units,)
    return reading.layer(given, {"units": units, "return_sequences": whole_sequence}, tensors)


def _attention(reading: _Reading) -> Layer:
    """One head of attention, without biases, over a sequence."""
    length, features = reading.axes(2)
    size = reading.count("d_k")
    names = ("weights_q", "weights_k", "weights_v")
    tensors = reading.tensors(*((name, (size, features), features) for name in names))
    pooling = choice(reading.place / "pooling", reading.entry.get("pooling", "mean"), catalog.POOLINGS)
    given = (length, size) if pooling == "none" else (size,)
    return reading.layer(given, {"d_k": size, "pooling": pooling}, tensors)


def _norm(reading: _Reading, features: int) -> Layer:
    """A weight and a bias for each feature or channel, 1 and 0 at the start as in torch."""
    eps = number(reading.place / "eps", reading.entry.get("eps", 1e-5), catalog.POSITIVE, "torch has 1e-5.")
    tensors = []
    for name, start, value in (("weight", "ones", 1.0), ("bias", "zeros", 0.0)):
        found = reading.entry.get(name, start)
        if isinstance(found, list):
            tensors.append(reading.tensor(name, (features,), features))
        else:
            choice(reading.place / name, found, (start,), f"a list of {features} numbers")
            tensors.append(Tensor(name, (features,), (value,) * features))
    return reading.layer(reading.taken, {"eps": eps}, tuple(tensors))


def _layer_norm(reading: _Reading) -> Layer:
    """torch.nn.LayerNorm(features): of a row, or of each position of a sequence; a picture has no such axis."""
    return _norm(reading, reading.axes(2, 1)[-1])


def _batch_norm(reading: _Reading) -> Layer:
    """torch.nn.BatchNorm1d or, of maps, BatchNorm2d."""
    shape = reading.axes(1, 2, 3)
    return _norm(reading, shape[0] if len(shape) == 3 else shape[-1])


def _residual(reading: _Reading) -> Layer:
    """The layer before plus an earlier one, which has the same shape."""
    here, at = reading.place / "from", len(reading.before)
    if at < 2:
        then = "Put it after two other layers, or remove it."
        raise reading.place.refuse(f"is layer {at}", "a residual adds one of at least two layers before it", then)
    source = whole(
        here, reading.entry["from"], 0, at - 2, "The first layer is 0; the layer just before is added anyway."
    )
    earlier = reading.before[source]
    shape = earlier.given or (earlier.units,)
    if shape != reading.taken:
        found = f"is {source}, and network.layers[{source}] gives {shape_words(shape)}"
        raise here.refuse(
            found, f"{shape_words(reading.taken)} are expected, as the layer before gives", "Make them equal."
        )
    return reading.layer(shape, {"from": source})


_READERS: Mapping[str, Callable[[_Reading], Layer]] = {
    "conv1d": _conv,
    "conv2d": _conv,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "flatten": _flatten,
    "rnn": _rnn,
    "attention": _attention,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "residual": _residual,
}


def kind_of(place: Place, entry: object) -> str:
    """The kind that a layer's table names; linear if it names none."""
    if not isinstance(entry, Mapping) or "kind" not in entry:
        return "linear"
    return choice(place / "kind", entry["kind"], ("linear", *catalog.KINDS))


def read_shape(place: Place, value: object, inputs: int) -> Shape:
    """The shape of a sample's inputs, of which there are as many as it has places."""
    sizes = items(place, value, "2 or 3 whole numbers")
    if len(sizes) not in (2, 3):
        rule = f"{_AXES[2]} or {_AXES[3]} is expected"
        raise place.refuse(f"is {show(value)}", rule, "For a plain row remove it.")
    shape = tuple(whole(place / at, one, 1, catalog.MAX_COLUMNS, "Write one.") for at, one in enumerate(sizes))
    if math.prod(shape) != inputs:
        found = f"is {show(value)}, which is {math.prod(shape)} numbers"
        raise place.refuse(found, f"a row of data.inputs has {inputs}", "Make them equal.")
    return shape
