"""The network of part two as a PyTorch module, with a batch normalisation that every process of a team shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from cnn.layers import CONVOLUTIONS, KERNEL, MEAN, STD, parameter_shapes

__all__ = ["DigitNetwork", "normalised"]


def normalised(images: Tensor) -> Tensor:
    """Pixels 0 to 255, (n, 28, 28) or (n, 1, 28, 28), as the network sees them: float32, (n, 1, 28, 28)."""
    return images.reshape(-1, 1, *images.shape[-2:]).float().sub(255 * MEAN).div_(255 * STD)


class DigitNetwork(nn.Module):
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
    """Batch normalisation that is exact to float32's rounding, also when processes share a batch.

    In training on a CPU, torch's own (2.14) adds up channels-last maps one after another in float32: the gradients of
    the first convolution come out 5 % away from float64 at the beginning of a training and 1 % after two epochs, and
    these under 0.001 % (benchmarks/update.py). It takes as long; but torch's SyncBatchNorm, for shared batches, works
    on CUDA alone, and two processes shall have the numbers of one.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """The maps (n, channels, height, width), normalised per channel."""
        if not self.training or (maps.is_cuda and not dist.is_initialized()):
            return super().forward(maps)
        normal: Tensor
        normal, mean, variance = _Normalise.apply(maps, self.weight, self.bias, self.eps)
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        return normal


class _Normalise(torch.autograd.Function):
    """Maps, weight, bias, eps -> normalised maps; and, without a gradient, a channel's mean and a sample's variance.

    The gradients are those of Ioffe and Szegedy, "Batch normalization" (2015), section 3, collected by channel. Each
    process centres its maps on its own mean, so that one sum over the processes is enough in each direction.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(maps)
        here = maps.numel() // maps.shape[1]
        near = _by_channel(rows, weight) / max(1, here)
        rows = rows - _wide(near, rows)
        sums = torch.cat((near.double() * here, _by_channel(rows.square(), weight) + near.double().square() * here))
        totals = _all_reduced(torch.cat((sums, sums.new_full((1,), here))))
        count = totals[-1]
        mean, square = (totals[:-1] / count).chunk(2)
        away = (mean - near).to(near)
        variance = (square - mean.square()).clamp_min(0).to(near)
        inverse = (variance + eps).rsqrt()
        normal = torch.addcmul(_wide(bias - away * weight * inverse, rows), rows, _wide(weight * inverse, rows))
        ctx.save_for_backward(rows, away, weight, inverse, count)
        told = near + away, (variance * (count / (count - 1))).to(near)
        ctx.mark_non_differentiable(*told)
        return _maps(normal, maps.shape), *told

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        centred, away, weight, inverse, count = ctx.saved_tensors
        rows = _rows(gradients[0])
        of_bias = _by_channel(rows, weight)
        of_weight = (_by_channel(rows * centred, weight) - away * of_bias) * inverse
        all_bias, all_weight = _all_reduced(torch.cat((of_bias, of_weight))).chunk(2)
        scale, count = weight * inverse, count.to(weight)
        slope = scale * inverse * all_weight / count
        of_maps = torch.addcmul(_wide(away * slope - scale * all_bias / count, rows), rows, _wide(scale, rows))
        of_maps.addcmul_(centred, _wide(-slope, rows))
        return _maps(of_maps, gradients[0].shape), of_weight, of_bias, None


# Rows of whole images are long enough for torch to work on many numbers at once, and a sum down the images and then
# over a row's pixels is of two short sums, which keeps its rounding small.
def _rows(maps: Tensor) -> Tensor:
    """Maps (n, channels, height, width) as (n, height · width · channels); a view of channels-last maps."""
    images, channels, height, width = maps.shape
    return maps.permute(0, 2, 3, 1).reshape(images, height * width * channels)


def _maps(rows: Tensor, shape: torch.Size) -> Tensor:
    """The rows as channels-last maps of this shape (n, channels, height, width)."""
    images, channels, height, width = shape
    return rows.view(images, height, width, channels).permute(0, 3, 1, 2)


def _by_channel(rows: Tensor, like: Tensor) -> Tensor:
    """The sum of each channel over images and pixels: as many numbers as in `like`."""
    return rows.sum(0).view(-1, len(like)).sum(0)


def _wide(channels: Tensor, rows: Tensor) -> Tensor:
    """A number per channel repeated for every pixel of a row."""
    return channels.repeat(rows.shape[1] // len(channels))


def _all_reduced(tensor: Tensor) -> Tensor:
    """The sum of every process's tensor."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor
