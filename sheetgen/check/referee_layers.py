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

__all__ = ["FORWARD", "Passed", "activate", "names_of"]


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


# kind -> the layer, its tensors by name, the prefix of its names, its input, the nudge of a slope -> what it did
FORWARD: Mapping[str, Callable[[Layer, Tensors, str, Tensor, Wiggle], Passed]] = {
    "linear": _linear,
    "conv1d": _conv1d,
    "conv2d": _conv2d,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "flatten": _flatten,
    "rnn": _rnn,
}
