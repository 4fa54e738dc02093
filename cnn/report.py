"""A network's answers on the test set -> what is reported of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnn.layers import CLASSES
from cnn.run import Report

__all__ = ["MISTAKES", "SAMPLES", "report"]

MISTAKES = 50
SAMPLES = 2
"""Pictures of each digit that are kept for showing."""


def report(images: NDArray[np.uint8], labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Report:
    """The report of the probabilities (n, 10) that the network gives to the test images."""
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    mistakes = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    samples = np.concatenate([_first_read(labels, answers, digit) for digit in range(CLASSES)])
    return Report(
        confusion=confusion,
        mistake_images=images[mistakes],
        mistake_index=mistakes,
        mistake_truth=labels[mistakes],
        mistake_answer=answers[mistakes],
        mistake_probability=confidence[mistakes],
        sample_images=images[samples],
        sample_index=samples,
        sample_labels=labels[samples],
    )


def _first_read(labels: NDArray[np.int64], answers: NDArray[np.int64], digit: int) -> NDArray[np.int64]:
    """The places of the digit's first SAMPLES images that are read correctly; where they are too few, others of it."""
    places = np.flatnonzero(labels == digit)
    first_correct = np.argsort(answers[places] != digit, kind="stable")
    return np.sort(places[first_correct[:SAMPLES]])
