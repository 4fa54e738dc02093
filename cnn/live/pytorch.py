"""The same forward pass by PyTorch in float64: `check` compares the cells with it, and they share no arithmetic.

torch is imported only when it computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cnn.layers import CONVOLUTIONS, MEAN, SIDE, STD

__all__ = ["forward"]


def forward(weights: Mapping[str, NDArray[Any]], seen: Sequence[float]) -> tuple[list[list[list[float]]], list[float]]:
    """Every map, its pixels row by row, for each strip of tab Layers, and the logits.

    `weights` are the tensors of cnn.layers.parameter_shapes(); `seen` is the ink of a page, 0 to 1, row by row.
    """
    import torch
    from torch.nn import functional

    tensors = {name: torch.from_numpy(weight).double() for name, weight in weights.items()}
    passed = [(torch.tensor(seen, dtype=torch.float64).reshape(1, 1, SIDE, SIDE) - MEAN) / STD]
    for number, layer in enumerate(CONVOLUTIONS, 1):
        weight, bias = tensors[f"conv{number}.weight"], tensors[f"conv{number}.bias"]
        active = functional.relu(functional.conv2d(passed[-1], weight, bias, padding=layer.padding))
        mean, variance, scale, shift = (
            tensors[f"norm{number}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        passed.append(functional.batch_norm(active, mean, variance, scale, shift))
        if layer.pool:
            passed.append(functional.max_pool2d(passed[-1], 2))
    logits = functional.linear(passed[-1].flatten(1), tensors["linear.weight"], tensors["linear.bias"])
    return [maps[0].flatten(1).tolist() for maps in passed], logits[0].tolist()
