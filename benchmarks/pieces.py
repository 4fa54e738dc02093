"""Times pieces of the training beside what torch and torchvision have for them: why cnn has its own.

    python benchmarks/pieces.py [--data DIR] [--runs N]                              augmentation
    torchrun --nproc-per-node 2 benchmarks/pieces.py [--data DIR] [--runs N]         sharing a batch, too

Both ways of a piece take turns, so that whatever else the machine does slows both alike. Batch normalisation is in
benchmarks/update.py, and how memory is kept in benchmarks/memory.py.
"""

from __future__ import annotations

import argparse
import copy
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torchvision.transforms import InterpolationMode, v2

from cnn.data import Data, load
from cnn.draws import Draws
from cnn.model import DigitNetwork, normalised
from cnn.recipes import RECIPES
from cnn.team import Team, device_name, gathered
from cnn.train import moved


def main() -> int:
    """Print a line per way of each piece."""
    parser = argparse.ArgumentParser(description="Time pieces of the training beside the libraries'.")
    parser.add_argument("--data", type=Path, help="MNIST's folder (default: $MNIST_ROOT, else scikit-learn's digits)")
    parser.add_argument("--runs", type=int, default=30, help="of each way (default: %(default)s)")
    arguments = parser.parse_args()
    data = load("auto", arguments.data, lambda warning: print(warning, file=sys.stderr))
    with gathered("cpu") as team:
        if team.leads:
            print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(team)}")
        compare("augmentation of a batch", augmenting(data), arguments.runs, team)
        if team.size > 1:
            compare("an update, shared", sharing(data, team), arguments.runs, team)
    return 0


def augmenting(data: Data) -> Mapping[str, Callable[[], object]]:
    """Each image of a batch turned, sheared, scaled and moved by numbers of its own, in cnn's way and torchvision's."""
    recipe = RECIPES["fast"]
    images = data.train_images[: recipe.batch]
    affine = Draws.of(recipe, torch.zeros(len(images)), 0, 1, torch.device("cpu")).affine
    assert affine is not None
    # It draws once for a whole batch, so each image is given to it alone; of tensors it knows no cubics.
    sizes = (1 - recipe.scale, 1 + recipe.scale)
    shifts, shear = 2 * (recipe.shift / images.shape[-1],), recipe.shear * 180 / torch.pi
    change = v2.RandomAffine(recipe.rotation, shifts, sizes, shear, interpolation=InterpolationMode.BILINEAR)
    return {
        "cnn.train.moved": lambda: moved(images, affine),
        "transforms.v2.RandomAffine, image by image": lambda: [change(image[None]) for image in images],
    }


def sharing(data: Data, team: Team) -> Mapping[str, Callable[[], object]]:
    """One update's gradients, summed over the processes by Team and by DistributedDataParallel."""
    mine = team.share(slice(0, RECIPES["fast"].batch))
    images, labels = normalised(data.train_images[mine]), data.train_labels[mine]
    torch.manual_seed(0)
    network = DigitNetwork().to(memory_format=torch.channels_last).train()
    # Its name from torch 2.14 on, forward_sync_buffers, is not known to the versions before.
    warnings.simplefilter("ignore", FutureWarning)
    other = DistributedDataParallel(copy.deepcopy(network), broadcast_buffers=False, gradient_as_bucket_view=True)

    def loss_of(logits: Tensor) -> Tensor:
        return functional.cross_entropy(logits, labels)

    def by_team() -> None:
        network.zero_grad()
        torch.autograd.backward(loss_of(network(images)))
        team.add(parameter.grad for parameter in network.parameters() if parameter.grad is not None)

    def by_library() -> None:
        other.zero_grad()
        torch.autograd.backward(loss_of(other(images)))

    return {"cnn.team.Team": by_team, "DistributedDataParallel": by_library}


def compare(piece: str, ways: Mapping[str, Callable[[], object]], runs: int, team: Team) -> None:
    """Time the ways turn by turn and let the process that leads print the medians."""
    milliseconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs + 3):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            milliseconds[name].append((time.perf_counter() - begun) * 1e3)
    medians = {name: statistics.median(found[3:]) for name, found in milliseconds.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items() if team.leads else ():
        print(f"  {piece:<26} {name:<44} {median:7.1f} ms  {median / first:5.2f}×", flush=True)


if __name__ == "__main__":
    sys.exit(main())
