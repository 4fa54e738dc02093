"""The data sets: MNIST from a folder or downloaded, or scikit-learn's digits, which need neither."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cnn.download import DownloadError, cache_folder, download
from cnn.files import read_bytes
from cnn.layers import SIDE
from sheetgen.errors import SheetgenError

__all__ = ["Data", "DataError", "load"]

# file -> the MD5 of the published file once decompressed.
MNIST_FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}

DIGIT_TESTS = 360
"""How many of scikit-learn's 1,797 digits are the test set."""
INK = 20
"""Side of the square that MNIST's digits are scaled to fit."""


class DataError(SheetgenError):
    """The data set is not there or is damaged."""


@dataclass(frozen=True)
class Data:
    """A data set: its name ("mnist" or "digits"), images (n, 28, 28) uint8 with ink 255, and labels (n,) int64."""

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @classmethod
    def empty(cls, name: str, shapes: Sequence[torch.Size]) -> Data:
        """A data set to be filled, with tensors() of these shapes."""
        kinds = 2 * (torch.uint8, torch.int64)
        return cls(name, *(torch.empty(shape, dtype=kind) for shape, kind in zip(shapes, kinds, strict=True)))

    def to(self, device: torch.device) -> Data:
        """The same on the device."""
        return Data(self.name, *(tensor.to(device) for tensor in self.tensors()))

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Training images and labels, then test images and labels."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels

    def digest(self) -> str:
        """The SHA-256 of all images and labels."""
        total = hashlib.sha256()
        for tensor in self.tensors():
            total.update(tensor.cpu().numpy().tobytes())
        return total.hexdigest()


def load(name: str, folder: Path | None, warn: Callable[[str], object]) -> Data:
    """The data set called "mnist", "digits" or "auto": MNIST if it can be had, else digits, telling warn why.

    MNIST is in the folder, laid out as torchvision does (MNIST/raw/ in it); None is the folder that the environment
    variable MNIST_ROOT names, else a download. DataError if what was asked for is missing or damaged.
    """
    if name == "digits":
        if folder is not None:
            raise DataError("command line: --data is given, but the digits come with scikit-learn; leave --data out")
        return _digits()
    if folder is not None:
        return _mnist(folder, "--data")
    try:
        return _mnist_of_environment()
    except _MissingError as error:
        if name == "mnist":
            raise
        warn(f"no MNIST: {error}; training on scikit-learn's digits instead")
        return _digits()


class _MissingError(DataError):
    """MNIST is not there, which "auto" puts up with."""


def _mnist_of_environment() -> Data:
    named = os.environ.get("MNIST_ROOT")
    if named:
        return _mnist(Path(named), "MNIST_ROOT")
    folder = cache_folder()
    if not all((_raw(folder) / name).is_file() for name in MNIST_FILES):
        try:
            download(_raw(folder), MNIST_FILES)
        except DownloadError as error:
            raise _MissingError(f"{error}; name a folder that has it with --data or MNIST_ROOT") from error
    return _mnist(folder, "the cache")


def _mnist(folder: Path, origin: str) -> Data:
    """MNIST from the folder, each file checked; origin says in messages who named the folder."""
    raw = _raw(folder)
    for name, md5 in MNIST_FILES.items():
        path = raw / name
        if not path.is_file():
            missing = f"{origin}: there is no {f'file {path}' if folder.is_dir() else f'folder {folder}'}"
            raise _MissingError(f"{missing}; it must hold {raw}/ with {', '.join(MNIST_FILES)}")
        content = read_bytes(path, DataError)
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            found = f"{path}: is damaged or not MNIST's: its {len(content):,} bytes have not the published MD5 {md5}"
            raise DataError(f"{found}; delete it and copy or download it again")
    from torchvision.datasets import MNIST

    train, test = (MNIST(str(folder), train=part, download=False) for part in (True, False))
    return Data("mnist", train.data, train.targets, test.data, test.targets)


def _raw(folder: Path) -> Path:
    return folder / "MNIST" / "raw"


def _digits() -> Data:
    """scikit-learn's digits as MNIST-like images, split by a fixed seed with each digit's part in both."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    images = np.stack([_like_mnist(image) for image in bunch.images])
    parts = train_test_split(images, bunch.target, test_size=DIGIT_TESTS, stratify=bunch.target, random_state=0)
    train_images, test_images, train_labels, test_labels = (torch.from_numpy(part) for part in parts)
    return Data("digits", train_images, train_labels.long(), test_images, test_labels.long())


def _like_mnist(digit: NDArray[np.float64]) -> NDArray[np.uint8]:
    """An 8×8 digit with ink 16 as 28×28 with ink 255: 20×20, its centre of mass in the middle, as MNIST was made.

    LeCun and others, "Gradient-based learning applied to document recognition" (1998), section III A.
    """
    bytes_ = np.round(digit * (255 / 16)).astype(np.uint8)
    small = np.asarray(Image.fromarray(bytes_).resize((INK, INK), Image.Resampling.BICUBIC))
    corner = [_centred(small.sum(axis=1 - axis, dtype=np.int64)) for axis in (0, 1)]
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[corner[0] : corner[0] + INK, corner[1] : corner[1] + INK] = small
    return image


def _centred(weights: NDArray[np.int64]) -> int:
    """Where the 20 rows or columns with this much ink begin so that their centre of mass is in the middle of 28."""
    centre = float((weights * np.arange(INK)).sum() / weights.sum())
    return min(max(round(SIDE / 2 - centre), 0), SIDE - INK)
