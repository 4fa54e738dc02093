"""What the tabs call the kinds of layers beside the fully connected one, and the places of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sheetgen.maths.building import Parameter, layer_prefix
from sheetgen.spec.structure import Layer, Shape, Spec

__all__ = ["SENTENCES", "layer_words", "parameter_words", "shape_text", "unit_name"]

# kind -> what it does and what goes back through it, for Derivation
SENTENCES: Mapping[str, str] = {
    "conv2d": "A conv2d slides each kernel over the map: the same weights everywhere. So the gradient of a weight is "
    "the sum over its places, of δ there times the number that the weight multiplies there.",
    "conv1d": "A conv1d slides each kernel along the sequence: the same weights at every place. So the gradient of a "
    "weight is the sum over its places, of δ there times the number that the weight multiplies there.",
    "max_pool2d": "A max_pool2d keeps the largest number of each window; the column which says where it stood, by rows "
    "from 1. δ goes back to that number alone, and of equal ones to the first, as in PyTorch: [which = 2] is 1 or 0.",
    "avg_pool2d": "An avg_pool2d takes the mean of each window, so each number of a window of n gets δ/n.",
    "flatten": "A flatten changes nothing: the maps stand in one row, the first map first, row by row.",
    "rnn": "An rnn reads the sequence step by step with the same weights: a net input takes the step's inputs and "
    "the states of the step before. So δ of a step comes from what it feeds, the next step through weights_hh too, "
    "and the gradient of a weight is the sum over the steps.",
    "attention": "An attention makes a query q, a key k and a value v of every position, with the same weights. A "
    "score s is a query times a key, over √d_k (times √2/2 is over √2); the shares α of a position are the softmax "
    "of its scores, from which the largest is subtracted first, so that nothing overflows; a context is the values, "
    "each by its share. δ comes back in the same parts: from a context to the shares and the values, from a share to "
    "all scores of its position (it grows by α − α·α with its own, and shrinks by α times theirs with the others), "
    "from a score to its query and its key. The gradient of a weight is the sum over the positions.",
    "layer_norm": "A layer_norm takes the mean from the numbers of a position and divides by their standard deviation, "
    "then has a weight and a bias for each feature. Whatever moves one number moves mean and std too, so δ goes back "
    "on three ways: straight, through the mean and through the std. What all numbers have in common does not reach "
    "the loss. The gradient of a weight is the sum over the positions.",
    "batch_norm": "A batch_norm takes the mean of each channel, over all samples of the row, and divides by the "
    "standard deviation over them: so each sample's loss depends on the other samples. δ of a number is here the "
    "derivative of the sum of their losses. It goes back on three ways: straight, through the mean and through the "
    "std. The gradient of a weight is the sum over the places of its channel.",
    "residual": "A residual adds an earlier layer to the one before it, number by number, so δ goes back to both "
    "unchanged; in the earlier layer it adds to what comes through the layers between.",
}

_QKV: Mapping[str, str] = {"weights_q": "query", "weights_k": "key", "weights_v": "value"}
_RNN: Mapping[str, str] = {"weights_ih": "input", "weights_hh": "past"}
# kind -> where the entry of a tensor stands, from its name and its one-based index
_INDEXED: Mapping[str, Callable[[str, tuple[int, ...]], str]] = {
    "conv1d": lambda name, at: f"kernel {at[0]}: {_by(at[1:])}" if name == "weights" else f"bias, kernel {at[0]}",
    "conv2d": lambda name, at: f"kernel {at[0]}: {_by(at[1:])}" if name == "weights" else f"bias, kernel {at[0]}",
    "rnn": lambda name, at: f"{_RNN[name]} {at[1]} → {at[0]}" if len(at) == 2 else f"{name} {at[0]}",
    "attention": lambda name, at: f"feature {at[1]} → {_QKV[name]} {at[0]}",
    "layer_norm": lambda name, at: f"{name} of feature {at[0]}",
    "batch_norm": lambda name, at: f"{name} of channel {at[0]}",
}


def _by(index: tuple[int, ...]) -> str:
    return ",".join(map(str, index))


def shape_text(shape: Shape) -> str:
    """
    >>> shape_text((1, 4, 4)), shape_text((3,))
    ('1 × 4 × 4', '3')
    """
    return " × ".join(map(str, shape))


def layer_words(layer: Layer) -> str:
    """A layer in a few words, such as: conv2d of 2 kernels 3 × 3 (relu)."""
    activation = f" ({layer.activation})" if layer.active else ""
    if layer.kind == "linear":
        return f"{layer.units} units{activation}" if layer.units > 1 else f"1 unit{activation}"
    if layer.kind in ("conv1d", "conv2d"):
        kernels = layer.tensors[0].shape[0]
        size = shape_text(layer.sizes("kernel_size"))
        return f"{layer.kind} of {kernels} kernel{'s' if kernels > 1 else ''} {size}{activation}"
    if layer.kind in ("max_pool2d", "avg_pool2d"):
        return f"{layer.kind} {shape_text(layer.sizes('kernel_size'))}"
    if layer.kind == "rnn":
        units = layer.tensors[0].shape[0]
        return f"rnn of {units} unit{'s' if units > 1 else ''} over {layer.taken[0]} steps{activation}"
    if layer.kind == "attention":
        after = {"mean": ", then their mean", "last": ", the last one asks", "none": ""}[str(layer.option("pooling"))]
        return f"attention of {layer.taken[0]} positions, d_k = {layer.option('d_k')}{after}"
    if layer.kind == "residual":
        return f"residual: layer {int(str(layer.option('from'))) + 1} is added"
    return layer.kind


def parameter_words(spec: Spec, parameter: Parameter) -> str:
    """Where a parameter stands, such as: kernel 1: 1,2,3 (channel, row and column)."""
    layer = spec.layers[parameter.layer]
    index = tuple(one + 1 for one in parameter.index)
    if layer.kind != "linear":
        return _INDEXED[layer.kind](parameter.tensor, index)
    unit = f"{layer_prefix(len(spec.layers), parameter.layer)}{index[0]}"
    return (
        f"bias of {unit}"
        if parameter.source is None
        else f"{unit_name(spec, parameter.layer, parameter.source)} → {unit}"
    )


def unit_name(spec: Spec, layer: int, source: int) -> str:
    """The name of the number at a place of what feeds a layer: an input, or a unit of the last layer that has units."""
    at = layer - 1
    while at >= 0 and spec.layers[at].kind == "flatten":
        at -= 1
    if at < 0:
        return f"i{source + 1}"
    fed = spec.layers[at]
    shape = fed.given or (fed.units,)
    if fed.kind == "rnn" and len(shape) == 1:
        return f"{layer_prefix(len(spec.layers), at)}{fed.taken[0]},{source + 1}"
    index: list[int] = []
    for size in reversed(shape):
        index.insert(0, source % size + 1)
        source //= size
    return f"{layer_prefix(len(spec.layers), at)}{_by(tuple(index))}"
