"""Small networks of every kind of layer: what a test needs to try them all, one at a time or stacked."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sheetgen.spec import Spec, parse
from sheetgen.spec.catalog import LOSSES

RNN = 'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"'


def attention(size: int, pooling: str = "mean") -> str:
    """An attention with drawn weights."""
    weights = "".join(f'\nweights_{letter} = "random"' for letter in "qkv")
    return f'kind = "attention"\nd_k = {size}\npooling = "{pooling}"{weights}'


# name -> the shape of a sample, and the layers before the last one
STACKS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "conv2d": ((2, 3, 3), ('kind = "conv2d"\nout_channels = 2\nkernel_size = 2\nweights = "random"\nbias = "random"',)),
    "conv2d wide": (
        (1, 4, 3),
        ('kind = "conv2d"\nout_channels = 2\nkernel_size = [3, 2]\nstride = [2, 1]\npadding = 1\nweights = "random"',),
    ),
    "conv1d": (
        (4, 2),
        ('kind = "conv1d"\nout_channels = 3\nkernel_size = 2\npadding = 1\nweights = "random"\nbias = "random"',),
    ),
    "max_pool2d": ((2, 3, 3), ('kind = "max_pool2d"\nkernel_size = 2\nstride = 1',)),
    "avg_pool2d": ((1, 4, 4), ('kind = "avg_pool2d"\nkernel_size = [2, 3]\nstride = 1',)),
    "flatten": ((1, 2, 2), ('kind = "flatten"',)),
    "rnn": (
        (3, 2),
        (
            'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\n'
            'bias_ih = "random"\nbias_hh = "random"',
        ),
    ),
    "rnn sequences": (
        (3, 1),
        ('kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\nreturn_sequences = true',),
    ),
    "conv, pool, flatten": (
        (1, 4, 4),
        (
            'kind = "conv2d"\nout_channels = 2\nkernel_size = 3\npadding = 1\nweights = "random"\nbias = "random"',
            'kind = "max_pool2d"\nkernel_size = 2',
            'kind = "flatten"',
        ),
    ),
    "rnn on rnn": (
        (3, 2),
        (
            'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\nreturn_sequences = true',
            'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\nbias_hh = "zeros"',
        ),
    ),
    "attention": ((3, 2), (attention(2),)),
    "attention, last": ((3, 2), (attention(3, "last"),)),
    "attention, none": ((2, 2), (attention(2, "none"),)),
    "layer_norm": ((3,), ('units = 3\nactivation = "tanh"\nweights = "random"', 'kind = "layer_norm"\neps = 0.01')),
    "layer_norm of a sequence": ((2, 3), ('kind = "layer_norm"\nweight = [1.5, 0.5, -1]\nbias = [0, 0.25, 0.5]', RNN)),
    "batch_norm": ((3,), ('units = 2\nactivation = "tanh"\nweights = "random"', 'kind = "batch_norm"')),
    "batch_norm of maps": (
        (1, 2, 3),
        ('kind = "conv2d"\nout_channels = 2\nkernel_size = 2\nweights = "random"', 'kind = "batch_norm"\neps = 0.1'),
    ),
    "batch_norm of a sequence": ((2, 2), ('kind = "batch_norm"\nweight = [2, 0.5]', RNN)),
    "attention, residual, norm": (
        (2, 2),
        (
            'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\nreturn_sequences = true',
            attention(2, "none"),
            'kind = "residual"\nfrom = 0',
            'kind = "layer_norm"\neps = 0.01',
        ),
    ),
    "linear, then": (
        (1, 2, 2),
        ('units = 3\nactivation = "tanh"\nweights = "random"\nbias = "random"', 'kind = "flatten"'),
    ),
}


def kinds_spec(
    shape: Sequence[int],
    layers: Sequence[str],
    loss: str = "mse",
    activation: str = "",
    batch: str = "full",
    updates: str = "simultaneous",
    optimizers: Sequence[str] = ("sgd",),
    samples: int = 2,
    steps: int = 30,
    seed: int = 1,
) -> Spec:
    """The spec of these layers and a linear one of two units, with drawn data; `activation` is that of a layer that has
    one."""
    draw = random.Random(seed)
    size = 1
    for side in shape:
        size *= side
    inputs = [[draw.randint(-64, 64) / 64 for _ in range(size)] for _ in range(samples)]
    targets = [[share / 64, 1 - share / 64] for share in (draw.randint(0, 64) for _ in range(samples))]
    chosen = [f'{one}\nactivation = "{activation}"' if activation and _chooses(one) else one for one in layers]
    last = LOSSES[loss].activation or "identity"
    blocks = [*chosen, f'units = 2\nactivation = "{last}"\nweights = "random"\nbias = "random"']
    shaped = f"shape = {list(shape)}\n" if len(shape) > 1 else ""
    return parse(
        f"seed = {seed}\nlearning_rates = [0.01]\nsteps = {steps}\n"
        f"[data]\n{shaped}inputs = {inputs}\ntargets = {targets}\n"
        f'[network]\nloss = "{loss}"\n'
        + "\n".join(f"[[network.layers]]\n{block}" for block in blocks)
        + f'\n[training]\nbatch = "{batch}"\nupdates = "{updates}"\n'
        + "\n".join(f'[[training.optimizers]]\nname = "{name}"' for name in optimizers),
        "test",
    )


def _chooses(block: str) -> bool:
    return any(f'kind = "{kind}"' in block for kind in ("conv1d", "conv2d", "rnn"))
