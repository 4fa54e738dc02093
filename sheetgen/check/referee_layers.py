"""PyTorch's counterpart of each kind of layer, and the names that its numbers have in a training tab.

It shares no code with what writes the workbook. Tensors are (samples, *shape); torch is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from sheetgen.spec.structure import Layer

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FORWARD", "Passed", "activate", "names_of", "residual"]


@dataclass
class Passed:
    """What a layer did: numbers by their names, those among them whose gradient is asked for, and what comes out.

    Each entry of `nets` and `shown` is the names of one sample's numbers and a tensor (samples, …) of as many.
    """

    out: Tensor
    nets: list[tuple[list[str], Tensor]] = field(default_factory=list)
    shown: list[tuple[list[str], Tensor]] = field(default_factory=list)


def names_of(prefix: str, shape: Sequence[int]) -> list[str]:
    """The names of the numbers of a shape: the prefix and the one-based place in each of its axes.

    >>> names_of("h", (2,)), names_of("h1_", (1, 2))
    (['h1', 'h2'], ['h1_1,1', 'h1_1,2'])
    """
    return [prefix + ",".join(str(one + 1) for one in index) for index in product(*map(range, shape))]


def activate(layer: Layer, net: Tensor) -> Tensor:
    """The activation of net inputs."""
    import torch
    from torch.nn import functional

    functions: Mapping[str, Callable[[Tensor], Tensor]] = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": functional.relu,
        "leaky_relu": lambda x: functional.leaky_relu(x, layer.negative_slope),
        "softplus": functional.softplus,
        "identity": lambda x: x * 1,
        "softmax": lambda x: functional.softmax(x, dim=1),
    }
    return functions[layer.activation](net)


Tensors = Mapping[str, "Tensor"]
Wiggle = Callable[["Tensor"], "Tensor"]


def _active(layer: Layer, prefix: str, net: Tensor, wiggle: Wiggle) -> Passed:
    """Net inputs of the layer's shape, and their activations."""
    out = activate(layer, net) + wiggle(net)
    names = names_of(prefix, net.shape[1:])
    shown = [(names, net), ([f"a_{name}" for name in names], out)]
    return Passed(out, [(names, net)], shown)


def _linear(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    from torch.nn import functional

    net = functional.linear(value.flatten(1), tensors["weights"], tensors.get("bias"))
    return _active(layer, prefix, net, wiggle)


def _conv2d(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    from torch.nn import functional

    stride, padding = layer.sizes("stride"), layer.sizes("padding")
    net = functional.conv2d(value, tensors["weights"], tensors.get("bias"), stride=stride, padding=padding)
    return _active(layer, prefix, net, wiggle)


def _conv1d(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """torch's sequences are (channels, length)."""
    from torch.nn import functional

    stride, padding = layer.sizes("stride"), layer.sizes("padding")
    sequence = value.transpose(1, 2)
    net = functional.conv1d(sequence, tensors["weights"], tensors.get("bias"), stride=stride, padding=padding)
    return _active(layer, prefix, net.transpose(1, 2), wiggle)


def _max_pool2d(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """Which of a window is the largest, counted from 1, comes from torch's own indices into the map."""
    from torch.nn import functional

    kernel, stride = layer.sizes("kernel_size"), layer.sizes("stride")
    net, places = functional.max_pool2d(value, kernel, stride, return_indices=True)
    names = names_of(prefix, net.shape[1:])
    width = value.shape[3]
    tops = places.new_tensor([at * stride[0] for at in range(net.shape[2])]).reshape(-1, 1)
    lefts = places.new_tensor([at * stride[1] for at in range(net.shape[3])])
    which = (places // width - tops) * kernel[1] + places % width - lefts + 1
    return Passed(net + wiggle(net), [(names, net)], [(names, net), ([f"which_{name}" for name in names], which)])


def _avg_pool2d(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    from torch.nn import functional

    net = functional.avg_pool2d(value, layer.sizes("kernel_size"), layer.sizes("stride"))
    names = names_of(prefix, net.shape[1:])
    return Passed(net + wiggle(net), [(names, net)], [(names, net)])


def _flatten(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    return Passed(value.flatten(1))


def _rnn(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """torch.nn.RNN's formula, step by step: the net inputs within it are what a tab shows."""
    import torch
    from torch.nn import functional

    state, states, passed = value.new_zeros(len(value), len(tensors["weights_hh"])), [], Passed(value)
    for step in range(value.shape[1]):
        net = functional.linear(value[:, step], tensors["weights_ih"], tensors.get("bias_ih"))
        net = net + functional.linear(state, tensors["weights_hh"], tensors.get("bias_hh"))
        state = activate(layer, net) + wiggle(net)
        states.append(state)
        names = [f"{prefix}{step + 1},{unit + 1}" for unit in range(net.shape[1])]
        passed.nets.append((names, net))
        passed.shown += [(names, net), ([f"a_{name}" for name in names], state)]
    passed.out = torch.stack(states, 1) if layer.option("return_sequences") else state
    return passed


def _attention(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """The formula of scaled_dot_product_attention, part by part; of the last position alone, one query."""
    last, pooled = layer.option("pooling") == "last", layer.option("pooling") == "mean"
    passed = Passed(value)

    def shown(letter: str, tensor: Tensor, first: int = 0) -> Tensor:
        before = [f"{letter}_{prefix}{at + 1}," for at in range(first, first + tensor.shape[1])]
        names = [f"{one}{place + 1}" for one in before for place in range(tensor.shape[2])]
        passed.nets.append((names, tensor))
        passed.shown.append((names, tensor))
        return tensor

    first = value.shape[1] - 1 if last else 0
    queries = shown("q", value[:, first:] @ tensors["weights_q"].T, first)
    keys, values = (shown(letter, value @ tensors[f"weights_{letter}"].T) for letter in "kv")
    scores = shown("s", queries @ keys.transpose(1, 2) / keys.shape[2] ** 0.5, first)
    largest = scores.max(dim=2, keepdim=True).values
    ends = [f"s_{prefix}{at + 1}" for at in range(first, value.shape[1])]
    passed.shown.append(([f"max_{end}" for end in ends], largest))
    passed.shown.append(([f"Σexp_{end}" for end in ends], (scores - largest).exp().sum(dim=2)))
    contexts = shown("α", scores.softmax(dim=2) + wiggle(scores), first) @ values
    if pooled:
        contexts = shown("c", contexts).mean(dim=1)
    passed.out = contexts[:, 0] if last else contexts
    names = names_of(prefix, passed.out.shape[1:])
    passed.nets.append((names, passed.out))
    passed.shown.append((names, passed.out))
    return passed


def _layer_norm(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """torch.nn.LayerNorm's formula: its mean and standard deviation are what a tab shows."""
    groups = names_of(prefix, value.shape[1:-1]) if value.ndim > 2 else [prefix.removesuffix("_")]
    return _norm(layer, value, (value.ndim - 1,), groups, tensors["weight"], tensors["bias"], prefix, wiggle)


def _batch_norm(layer: Layer, tensors: Tensors, prefix: str, value: Tensor, wiggle: Wiggle) -> Passed:
    """torch.nn.BatchNorm1d's and 2d's formula in training; one mean for all samples."""
    channel = 1 if value.ndim != 3 else 2
    axes = tuple(axis for axis in range(value.ndim) if axis != channel)
    shape = [1 if axis in axes else -1 for axis in range(value.ndim)]
    weight, bias = tensors["weight"].reshape(shape), tensors["bias"].reshape(shape)
    return _norm(layer, value, axes, names_of(prefix, (value.shape[channel],)), weight, bias, prefix, wiggle)


def _norm(
    layer: Layer,
    value: Tensor,
    axes: tuple[int, ...],
    groups: list[str],
    weight: Tensor,
    bias: Tensor,
    prefix: str,
    wiggle: Wiggle,
) -> Passed:
    mean = value.mean(dim=axes, keepdim=True)
    # autograd's own way back through the variance, whose mean is no other node
    variance = value.var(dim=axes, correction=0, keepdim=True)
    deviation = (variance + float(layer.option("eps"))).sqrt()  # type: ignore[arg-type]
    normal = (value - mean) / deviation
    out = normal * weight + bias + wiggle(normal)
    names = names_of(prefix, value.shape[1:])
    spread = [([f"{part}_{group}" for group in groups], one) for part, one in (("mean", mean), ("std", deviation))]
    of_groups = [([f"var_{group}" for group in groups], variance), ([f"n_{name}" for name in names], normal)]
    return Passed(out, [*spread, (names, out)], [*spread, *of_groups, (names, out)])


def residual(prefix: str, value: Tensor, earlier: Tensor, wiggle: Wiggle) -> Passed:
    """Two layers' numbers, added."""
    net = value + earlier
    names = names_of(prefix, net.shape[1:])
    return Passed(net + wiggle(net), [(names, net)], [(names, net)])


# kind -> the layer, its tensors by name, the prefix of its names, its input, the nudge of a slope -> what it did
FORWARD: Mapping[str, Callable[[Layer, Tensors, str, Tensor, Wiggle], Passed]] = {
    "linear": _linear,
    "conv1d": _conv1d,
    "conv2d": _conv2d,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "flatten": _flatten,
    "rnn": _rnn,
    "attention": _attention,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
}
