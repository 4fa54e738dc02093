"""The network of part two as data: what each layer is. Imports nothing heavy, so that a reader needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["CLASSES", "CONVOLUTIONS", "DROPOUT", "KERNEL", "MEAN", "SIDE", "STD", "Convolution", "parameter_shapes"]

SIDE = 28
"""Height and width of an image, in pixels."""
CLASSES = 10
KERNEL = 3
"""Height and width of every convolution's kernel; its stride is 1."""
DROPOUT = 0.1
MEAN, STD = 0.1307, 0.3081
"""What the network sees is (pixel / 255 - MEAN) / STD: mean and deviation of MNIST's training pixels."""


@dataclass(frozen=True)
class Convolution:
    """A convolution, then ReLU, batch normalisation, a 2×2 maximum if pool, and dropout of whole channels."""

    inputs: int
    outputs: int
    padding: int
    pool: bool = False
    dropout: bool = True


CONVOLUTIONS = (
    Convolution(1, 12, padding=1),
    Convolution(12, 16, padding=1, pool=True),
    Convolution(16, 20, padding=1),
    Convolution(20, 28, padding=1, pool=True),
    Convolution(28, 24, padding=0),
    Convolution(24, 12, padding=0, dropout=False),
)


def parameter_shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor in weights.safetensors, in the order of computation.

    `conv1` .. `conv6` and `norm1` .. `norm6` are named for their place; `linear` takes the last maps flattened
    channel by channel, each row by row.

    >>> shapes = parameter_shapes()
    >>> shapes["conv1.weight"], shapes["norm6.running_var"], shapes["linear.weight"]
    ((12, 1, 3, 3), (12,), (10, 108))
    """
    return dict(_named_shapes())


def _named_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    side = SIDE
    for place, layer in enumerate(CONVOLUTIONS, start=1):
        yield f"conv{place}.weight", (layer.outputs, layer.inputs, KERNEL, KERNEL)
        yield f"conv{place}.bias", (layer.outputs,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            yield f"norm{place}.{name}", (layer.outputs,)
        side = (side + 2 * layer.padding - KERNEL + 1) // (2 if layer.pool else 1)
    yield "linear.weight", (CLASSES, CONVOLUTIONS[-1].outputs * side * side)
    yield "linear.bias", (CLASSES,)
