"""A trained network as float64 arrays, and the digits that the workbook offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.layers import CONVOLUTIONS, MEAN, STD, parameter_shapes
from cnn.run import Run

Array = NDArray[np.float64]

# torch.nn.BatchNorm2d's default.
EPSILON = 1e-5


@dataclass(frozen=True)
class ConvolutionWeights:
    """A convolution's weight (outputs, inputs, 3, 3) and bias, and its batch-norm's four numbers per channel."""

    weight: Array
    bias: Array
    norm_weight: Array
    norm_bias: Array
    mean: Array
    variance: Array
    padding: int
    pool: bool

    @property
    def scale(self) -> Array:
        """What the batch-norm multiplies with."""
        return self.norm_weight / np.sqrt(self.variance + EPSILON)

    @property
    def shift(self) -> Array:
        """What the batch-norm then adds."""
        return self.norm_bias - self.mean * self.scale


@dataclass(frozen=True)
class Weights:
    """The convolutions in order, and the linear layer: weight (10, 108) and bias."""

    convolutions: tuple[ConvolutionWeights, ...]
    weight: Array
    bias: Array
    pixel_mean: float = MEAN
    pixel_std: float = STD


@dataclass(frozen=True)
class Samples:
    """The digits of the dropdown: images (n, 28, 28) from 0 to 255, what they are, and their places in the test set."""

    images: NDArray[np.uint8]
    labels: tuple[int, ...]
    places: tuple[int, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """What the dropdown calls them."""
        pairs = zip(self.labels, self.places, strict=True)
        return tuple(f"{'an' if label == 8 else 'a'} {label} (test image {place})" for label, place in pairs)


def network(tensors: Mapping[str, NDArray[np.floating]], pixel_mean: float = MEAN, pixel_std: float = STD) -> Weights:
    """The network of a run's weights, named as cnn.layers.parameter_shapes says. KeyError if one is missing."""
    exact = {name: np.asarray(tensors[name], dtype=np.float64) for name in parameter_shapes()}
    convolutions = tuple(
        ConvolutionWeights(
            exact[f"conv{place}.weight"],
            exact[f"conv{place}.bias"],
            exact[f"norm{place}.weight"],
            exact[f"norm{place}.bias"],
            exact[f"norm{place}.running_mean"],
            exact[f"norm{place}.running_var"],
            layer.padding,
            layer.pool,
        )
        for place, layer in enumerate(CONVOLUTIONS, 1)
    )
    return Weights(convolutions, exact["linear.weight"], exact["linear.bias"], pixel_mean, pixel_std)


@dataclass(frozen=True)
class Trained:
    """What the tabs show: the network, digits to try it on, and what it was trained on, with its test accuracy."""

    network: Weights
    samples: Samples
    dataset: str
    accuracy: float
    epochs: int


def trained(run: Run) -> Trained:
    """What the tabs show of a run."""
    report = run.report
    samples = Samples(
        report.sample_images,
        tuple(int(label) for label in report.sample_labels),
        tuple(int(place) for place in report.sample_index),
    )
    return Trained(network(run.weights), samples, run.dataset, run.epochs[-1].test_accuracy, len(run.epochs))
