"""How to train: every recipe is a row of one table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

__all__ = ["LEAST_UPDATES", "RECIPES", "Recipe"]

LEAST_UPDATES = 144
"""What a training needs, however few images there are. Of scikit-learn's digits, `fast` then reads 99.44 to 99.72 %
(seeds 0 to 3), in 14 s on two cores: python -m cnn train --dataset digits --seed N."""


@dataclass(frozen=True)
class Recipe:
    """Every number of a way to train; SGD with momentum on the mean negative log-likelihood of a batch.

    The augmentation is drawn anew for each image and epoch, each figure evenly from -limit to limit.
    """

    name: str
    summary: str
    epochs: int
    batch: int
    learning_rate: float
    """The highest one."""
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    """Of the weights of convolutions and of the linear layer; biases and batch normalisation have none."""
    warm_up: float | None = None
    """The part of all updates in which the learning rate rises; it then falls to zero. None: it is constant."""
    dropout: float = 0.1
    rotation: float = 0.0
    """Limit in degrees."""
    shift: float = 0.0
    """Limit in pixels, along each axis."""
    scale: float = 0.0
    """Limit of the factor's distance from 1, along each axis."""
    shear: float = 0.0
    """Limit of the pixels that a row moves per row away from the middle."""
    plain: float = 0.0
    """The part of the epochs, at the end, whose images and targets are as they are: as those of the test set."""
    smoothing: float = 0.0
    """The part of each target that is spread evenly over the ten digits: torch's label_smoothing."""
    kept: float = 1.0
    """The part of the images that each epoch but the first trains on."""
    hardest: float = 0.0
    """The part of those that had the largest loss when last trained on; the others are drawn evenly."""

    def in_epoch(self, epoch: int) -> Recipe:
        """The recipe as it is followed in this epoch, of which the first is 1: the last may be plain.

        >>> recipe = Recipe("", "", epochs=3, batch=100, learning_rate=0.1, plain=0.4, smoothing=0.1, shift=2.0)
        >>> [(one.smoothing, one.augments) for one in map(recipe.in_epoch, (1, 2, 3))]
        [(0.1, True), (0.1, True), (0.0, False)]
        """
        if epoch <= self.epochs - round(self.epochs * self.plain):
            return self
        return replace(self, smoothing=0.0, rotation=0.0, shift=0.0, scale=0.0, shear=0.0)

    @property
    def augments(self) -> bool:
        """Whether images are changed."""
        return any((self.rotation, self.shift, self.scale, self.shear))

    def images_in(self, epoch: int, images: int) -> int:
        """How many of so many training images this epoch trains on.

        >>> recipe = Recipe("", "", epochs=3, batch=100, learning_rate=0.1, kept=0.3)
        >>> [recipe.images_in(epoch, 955) for epoch in (1, 2, 3)]
        [955, 287, 287]
        """
        return images if epoch == 1 else math.ceil(images * self.kept)

    def updates(self, epochs: int, images: int) -> int:
        """How many updates the first epochs take, with so many training images.

        >>> recipe = Recipe("", "", epochs=3, batch=100, learning_rate=0.1, kept=0.3)
        >>> [recipe.updates(epochs, 955) for epochs in (0, 1, 2, 3)]
        [0, 10, 13, 16]
        """
        first, later = (math.ceil(self.images_in(epoch, images) / self.batch) for epoch in (1, 2))
        return first + (epochs - 1) * later if epochs else 0

    def fitted(self, images: int) -> Recipe:
        """The recipe for so many training images: with few, as many epochs of all of them as LEAST_UPDATES takes.

        >>> recipe = Recipe("", "", epochs=4, batch=100, learning_rate=0.1, kept=0.5)
        >>> [(one.epochs, one.kept) for one in map(recipe.fitted, (60_000, 9_600, 950))]
        [(4, 0.5), (4, 0.5), (24, 1.0)]
        """
        if self.updates(self.epochs, images) >= LEAST_UPDATES:
            return self
        epochs = math.ceil(LEAST_UPDATES / math.ceil(images / self.batch))
        return replace(self, epochs=max(self.epochs, epochs), kept=1.0, hardest=0.0)

    def learning_rate_at(self, done: float) -> float:
        """The learning rate when this part (0 to 1) of all updates is done: a rising line, then half a cosine wave.

        Without a state, which torch's OneCycleLR has, so that a resumed run needs only to know where it is.

        >>> recipe = Recipe("", "", epochs=1, batch=1, learning_rate=0.4, warm_up=0.25)
        >>> [round(recipe.learning_rate_at(done), 3) for done in (0, 0.125, 0.25, 0.625, 1)]
        [0.04, 0.22, 0.4, 0.2, 0.0]
        """
        if self.warm_up is None:
            return self.learning_rate
        if done < self.warm_up:
            return self.learning_rate * (0.1 + 0.9 * done / self.warm_up)
        return self.learning_rate * (1 + math.cos(math.pi * (done - self.warm_up) / (1 - self.warm_up))) / 2


_FAST = Recipe(
    "fast", "99.4 % in as little time as possible", epochs=4, batch=128, learning_rate=0.2, nesterov=True,
    weight_decay=1e-3, warm_up=0.35, dropout=0.0, rotation=5.0, shift=1.0, scale=0.05, shear=0.05,
    plain=0.2, smoothing=0.05, kept=0.25, hardest=0.5,
)  # fmt: skip
_ALL = (
    Recipe("original", "as the network was first trained", epochs=18, batch=128, learning_rate=0.01),
    _FAST,
    replace(
        _FAST, name="accurate", summary="the best that this network reads in 18 epochs", epochs=18, weight_decay=2e-4,
        warm_up=0.2, rotation=7.5, shift=1.5, scale=0.075, shear=0.075, plain=0.1, kept=0.5,
    ),
)  # fmt: skip
RECIPES = {recipe.name: recipe for recipe in _ALL}
