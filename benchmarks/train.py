"""Trains MNIST with the original loop and with cnn's recipe `fast`, turn by turn, and prints how their times compare.

    python benchmarks/train.py --data DIR            the whole comparison: up to 18 epochs of the original
    python benchmarks/train.py --data DIR --limit 6000 --epochs 1        a quick try

The original loop is the usual one of a first notebook: torchvision's MNIST behind a DataLoader that converts and
normalises image by image, channels first, float32, SGD 0.01 with momentum 0.9, batch 128. Both are timed with their
test. Epochs take turns, so that whatever else the machine does slows both alike. The original stops at the target, or
after its epochs; fast trains its whole recipe.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

from cnn.data import Data, load
from cnn.recipes import RECIPES
from cnn.team import gathered
from cnn.train import Trainer

EPOCHS = 18


@dataclass
class Loop:
    """What a way to train has done so far: seconds and test accuracy of each epoch."""

    name: str
    seconds: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        """The last epoch in a line."""
        return f"{self.name:<9} epoch {len(self.seconds):>2}  {self.seconds[-1]:6.1f} s  {self.accuracies[-1]:.2%}"

    def reached(self, target: float) -> float | None:
        """Seconds until the first epoch with this accuracy was over; None if none had it."""
        first = next((place for place, accuracy in enumerate(self.accuracies, 1) if accuracy >= target), None)
        return None if first is None else sum(self.seconds[:first])


def main() -> int:
    """Run the comparison and print it; 1 if fast did not reach the target."""
    parser = argparse.ArgumentParser(description="Time the original training loop against cnn's recipe fast.")
    parser.add_argument("--data", type=Path, default=os.environ.get("MNIST_ROOT"), help="(default: $MNIST_ROOT)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="at most, of each (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=60_000, help="training images, to try it out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", type=float, default=0.994, help="test accuracy (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="the DataLoader's processes (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder that has MNIST/raw/ with --data or MNIST_ROOT")
    with gathered(arguments.device) as team:
        name = torch.cuda.get_device_name() if team.device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
        print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}, {name}")
        loops = Loop("original"), Loop("fast")
        turns = zip_longest(original(arguments, team.device, loops[0]), fast(arguments, loops[1]))
        for turn in turns:
            for loop in filter(None, turn):
                print(f"  {loop}", flush=True)
    return compare(*loops, arguments.target)


def original(arguments: argparse.Namespace, device: torch.device, loop: Loop) -> Iterator[Loop]:
    """Train epoch by epoch as notebooks do, noting each in the loop."""
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    torch.manual_seed(arguments.seed)
    train = Subset(MNIST(arguments.data, train=True, transform=prepare), range(arguments.limit))
    options = {"batch_size": 128, "num_workers": arguments.workers, "pin_memory": device.type == "cuda"}
    batches = DataLoader(train, shuffle=True, **options)
    tests = DataLoader(MNIST(arguments.data, train=False, transform=prepare), **options)
    network = as_described().to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    while len(loop.seconds) < arguments.epochs and loop.reached(arguments.target) is None:
        started = time.perf_counter()
        network.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = functional.nll_loss(network(images.to(device)), labels.to(device))
            torch.autograd.backward(loss)
            optimizer.step()
        network.eval()
        with torch.no_grad():
            right = sum(int((network(x.to(device)).argmax(1).cpu() == y).sum()) for x, y in tests)
        loop.seconds.append(time.perf_counter() - started)
        loop.accuracies.append(right / 10_000)
        yield loop


def as_described() -> nn.Sequential:
    """The network in torch's own layers."""
    rows = ((1, 12, 1, False), (12, 16, 1, True), (16, 20, 1, False), (20, 28, 1, True), (28, 24, 0, False))
    layers: list[nn.Module] = []
    for inputs, outputs, padding, pool in rows:
        layers += [nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU(), nn.BatchNorm2d(outputs)]
        layers += [nn.MaxPool2d(2)] * pool + [nn.Dropout2d(0.1)]
    layers += [nn.Conv2d(24, 12, 3), nn.ReLU(), nn.BatchNorm2d(12), nn.Flatten(), nn.Linear(108, 10)]
    return nn.Sequential(*layers, nn.LogSoftmax(dim=1))


def fast(arguments: argparse.Namespace, loop: Loop) -> Iterator[Loop]:
    """Train cnn's recipe epoch by epoch, noting each in the loop."""
    whole = load("mnist", Path(arguments.data), print)
    images, labels, *test = whole.tensors()
    data = Data("mnist", images[: arguments.limit], labels[: arguments.limit], *test)
    with gathered(arguments.device) as team:
        trainer = Trainer(data, RECIPES["fast"], arguments.seed, team)
        for _ in range(min(arguments.epochs, trainer.recipe.epochs)):
            trainer.train_epoch()
            loop.seconds.append(trainer.epochs[-1].seconds)
            loop.accuracies.append(trainer.epochs[-1].test_accuracy)
            yield loop


def compare(slow: Loop, quick: Loop, target: float) -> int:
    """Print both and their ratios; 1 if the second loop did not reach the target."""
    first, second = (statistics.median(loop.seconds) for loop in (slow, quick))
    print(f"seconds per epoch (median): original {first:.1f}, fast {second:.1f}: {first / second:.2f}×")
    took = [loop.reached(target) for loop in (slow, quick)]
    for loop, seconds in zip((slow, quick), took, strict=True):
        epochs = f"{len(loop.seconds)} epochs, {sum(loop.seconds):.0f} s"
        said = f"not in {epochs}" if seconds is None else f"in {seconds:.0f} s"
        print(f"{target:.1%} of the test set: {loop.name} {said}; last epoch {loop.accuracies[-1]:.2%}")
    if took[1] is None:
        return 1
    at_least = "at least " if took[0] is None else ""
    print(f"time to {target:.1%}: {at_least}{(took[0] or sum(slow.seconds)) / took[1]:.1f}×")
    return 0


if __name__ == "__main__":
    sys.exit(main())
