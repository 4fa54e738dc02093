"""The network of part two as a PyTorch module, and the one thing that data-parallel training changes in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from cnn.layers import CONVOLUTIONS, KERNEL, MEAN, STD, parameter_shapes

__all__ = ["Network", "normalised"]


def normalised(images: Tensor) -> Tensor:
    """Pixels 0 to 255, (n, 28, 28) or (n, 1, 28, 28), as the network sees them: float32, (n, 1, 28, 28)."""
    return images.reshape(-1, 1, *images.shape[-2:]).float().sub_(255 * MEAN).div_(255 * STD)


class Network(nn.Module):
    """Six convolutions and a linear layer; 19,822 trainable parameters.

    The names of its tensors are those of cnn.layers.parameter_shapes().
    """

    def __init__(self) -> None:
        super().__init__()
        for place, layer in enumerate(CONVOLUTIONS, start=1):
            convolution = nn.Conv2d(layer.inputs, layer.outputs, KERNEL, padding=layer.padding)
            self.add_module(f"conv{place}", convolution)
            self.add_module(f"norm{place}", BatchNorm(layer.outputs))
        classes, inputs = parameter_shapes()["linear.weight"]
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Logits (n, 10) of normalised images (n, 1, 28, 28).

        masks, one (n, channels) for each convolution that has dropout, multiply the layer's maps: 0 drops a map and
        1 / (1 - p) keeps it. They are arguments rather than drawn here so that they do not depend on how a batch is
        shared between processes. Without masks nothing is dropped.
        """
        waiting = iter(masks)
        maps = images
        for place, layer in enumerate(CONVOLUTIONS, start=1):
            maps = self.get_submodule(f"norm{place}")(functional.relu(self.get_submodule(f"conv{place}")(maps)))
            if layer.pool:
                maps = functional.max_pool2d(maps, 2)
            if masks and layer.dropout:
                maps = maps * next(waiting)[:, :, None, None]
        logits: Tensor = self.linear(maps.flatten(1))
        return logits

    def weights(self) -> dict[str, Tensor]:
        """Every tensor of parameter_shapes(), contiguous and on the CPU."""
        state = self.state_dict()
        return {name: state[name].detach().cpu().contiguous().clone() for name in parameter_shapes()}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take every tensor of parameter_shapes() from weights; anything else in weights is ignored."""
        self.load_state_dict({name: weights[name] for name in parameter_shapes()}, strict=False)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose statistics are those of the whole batch, also when processes share it.

    torch's SyncBatchNorm does the same but on CUDA alone.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """The maps (n, channels, height, width), normalised per channel."""
        if not (self.training and dist.is_initialized()):
            return super().forward(maps)
        statistics = _shared_statistics(maps)
        self._remember(statistics)
        deviation = (statistics.variance + self.eps).sqrt()
        scale = self.weight / deviation
        shift = self.bias - statistics.mean * scale
        return maps * scale[:, None, None] + shift[:, None, None]

    def _remember(self, statistics: _Statistics) -> None:
        """Move the running statistics, as torch does: with the variance of a sample, n - 1 below the line."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        with torch.no_grad():
            sample = statistics.variance * (statistics.count / (statistics.count - 1))
            self.running_mean.lerp_(statistics.mean, self.momentum)
            self.running_var.lerp_(sample, self.momentum)


@dataclass(frozen=True)
class _Statistics:
    """Mean and variance per channel over all processes, and how many pixels a channel has there."""

    mean: Tensor
    variance: Tensor
    count: Tensor


def _shared_statistics(maps: Tensor) -> _Statistics:
    here = maps.new_full((1,), maps.numel() / maps.shape[1])
    totals = _Sum.apply(torch.cat((maps.sum((0, 2, 3)), here)))
    count = totals[-1].detach()
    mean = totals[:-1] / count
    squares = (maps - mean[:, None, None]).square().sum((0, 2, 3))
    return _Statistics(mean, _Sum.apply(squares) / count, count)


class _Sum(torch.autograd.Function):
    """The sum of every process's tensor; what each receives from behind is the sum of all gradients."""

    @staticmethod
    def forward(ctx: object, tensor: Tensor) -> Tensor:
        return _all_reduced(tensor)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return _all_reduced(gradients[0])


def _all_reduced(tensor: Tensor) -> Tensor:
    total = tensor.detach().clone()
    dist.all_reduce(total)
    return total
