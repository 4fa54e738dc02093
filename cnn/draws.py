"""Every random number of an epoch, drawn beforehand on the CPU from the seed, the epoch and the images' last losses.

So the numbers are the same on every device and however a batch is shared between processes, and a resumed run needs no
state of a generator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cnn.layers import CONVOLUTIONS, SIDE
from cnn.recipes import Recipe

__all__ = ["Draws"]

_DROPPED = tuple(layer.outputs for layer in CONVOLUTIONS if layer.dropout)


@dataclass(frozen=True)
class Draws:
    """An epoch's training images in order, and for each place in that order its augmentation and dropped maps."""

    order: Tensor
    """(n,) int64: of all images, or of those that the epoch trains on."""
    affine: Tensor | None
    """(n, 2, 3) float32, for torch's affine_grid."""
    masks: Tensor | None
    """(n, channels) float32: the masks of all layers that have dropout, side by side."""

    @classmethod
    def of(cls, recipe: Recipe, losses: Tensor, seed: int, epoch: int, device: torch.device) -> Draws:
        """The draws of this epoch; losses (all images,) are those that each image had when last trained on."""
        generator = torch.Generator().manual_seed((seed << 20) + epoch)
        images = recipe.images_in(epoch, len(losses))
        order = torch.randperm(len(losses), generator=generator)
        if images < len(losses):
            order = _chosen(order, losses.cpu(), images, round(images * recipe.hardest))
            order = order[torch.randperm(images, generator=generator)]
        affine = _affine(recipe, images, generator).to(device) if recipe.in_epoch(epoch).augments else None
        masks = None
        if recipe.dropout:
            kept = torch.rand(images, sum(_DROPPED), generator=generator) >= recipe.dropout
            masks = (kept / (1 - recipe.dropout)).to(device)
        return cls(order.to(device), affine, masks)

    def layer_masks(self, places: slice) -> tuple[Tensor, ...]:
        """The masks of the images at these places, for DigitNetwork; empty where nothing is dropped."""
        return () if self.masks is None else torch.split(self.masks[places], list(_DROPPED), dim=1)


def _chosen(order: Tensor, losses: Tensor, images: int, hardest: int) -> Tensor:
    """So many images: those with the largest losses, the earlier of equal ones, then the first others of the order."""
    hard = losses.argsort(descending=True, stable=True)[:hardest]
    others = order[~torch.isin(order, hard)]
    return torch.cat((hard, others[: images - hardest]))


def _affine(recipe: Recipe, images: int, generator: torch.Generator) -> Tensor:
    """Output coordinates -> input coordinates, both from -1 to 1: turn, shear, scale, then move."""
    limits = torch.tensor((math.radians(recipe.rotation), recipe.shear, *2 * [recipe.scale], *2 * [recipe.shift]))
    angle, shear, width, height, right, down = (
        (torch.rand(images, len(limits), generator=generator) * 2 - 1) * limits
    ).T
    cosine, sine, width, height = angle.cos(), angle.sin(), 1 + width, 1 + height
    rows = (
        width * cosine,
        height * (shear * cosine - sine),
        right * (2 / SIDE),
        width * sine,
        height * (shear * sine + cosine),
        down * (2 / SIDE),
    )
    return torch.stack(rows, dim=1).reshape(images, 2, 3)
