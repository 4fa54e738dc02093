"""Trains MNIST with the original loop and with cnn's recipe `fast`, turn by turn, and prints how their times compare.

    python benchmarks/train.py --data DIR            the whole comparison: up to 18 epochs of the original
    python benchmarks/train.py --data DIR --limit 6000 --epochs 1        a quick try

The original loop is the usual one of a first notebook: torchvision's MNIST behind a DataLoader that converts and
normalises image by image, channels first, float32, SGD 0.01 with momentum 0.9, batch 128. Both are timed with their
test. Each has a process of its own, and their epochs take turns, so that whatever else the machine does slows both
alike; one waits while the other trains. The original stops at the target, or after its epochs; fast trains its whole
recipe. Seconds per epoch are those of all images: an epoch of fast that trains on a fifth of them counts as a fifth.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

from cnn.data import Data, load
from cnn.recipes import RECIPES
from cnn.team import device_name, gathered
from cnn.train import Trainer

EPOCHS = 18
Result = tuple[float, float, float]
"""Seconds and test accuracy of an epoch, and the part of all training images that it trained on."""
Results = Iterator[Result]
"""Epoch by epoch; each is trained when it is asked for."""


@dataclass
class Loop:
    """What a way to train has done so far: seconds and test accuracy of each epoch."""

    name: str
    line: Connection
    """To the process that trains."""
    seconds: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)

    def train_epoch(self) -> bool:
        """Let it train another epoch, and print that; False if it has no more to train."""
        self.line.send(True)
        result = self.line.recv()
        if result is None:
            return False
        seconds, accuracy, part = result
        self.seconds.append(seconds)
        self.accuracies.append(accuracy)
        self.parts.append(part)
        of_all = "" if part == 1 else f" for {part:.0%} of the images"
        print(f"  {self.name:<9} epoch {len(self.seconds):>2}  {seconds:6.1f} s  {accuracy:.2%}{of_all}", flush=True)
        return True

    def pace(self) -> float:
        """Seconds per epoch of all images."""
        return sum(self.seconds) / sum(self.parts)

    def reached(self, target: float) -> float | None:
        """Seconds until the first epoch with this accuracy was over; None if none had it."""
        first = next((place for place, accuracy in enumerate(self.accuracies, 1) if accuracy >= target), None)
        return None if first is None else sum(self.seconds[:first])


def main() -> int:
    """Run the comparison and print it; 1 if fast did not reach the target."""
    parser = argparse.ArgumentParser(description="Time the original training loop against cnn's recipe fast.")
    parser.add_argument("--data", type=Path, default=os.environ.get("MNIST_ROOT"), help="(default: $MNIST_ROOT)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="at most, of each (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=60_000, help="training images, and tests at most, to try it out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", type=float, default=0.994, help="test accuracy (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="the DataLoader's processes (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder that has MNIST/raw/ with --data or MNIST_ROOT")
    with gathered(arguments.device) as team:
        print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(team)}")
    slow, quick = started("original", original, arguments), started("fast", fast, arguments)
    waiting = [slow, quick]
    while waiting:
        waiting = [loop for loop in waiting if loop.train_epoch()]
    return compare(slow, quick, arguments.target)


def started(name: str, way: Callable[[argparse.Namespace], Results], arguments: argparse.Namespace) -> Loop:
    """The loop, in a process of its own that waits to be asked."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    context.Process(target=serve, args=(way, arguments, there), daemon=True).start()
    return Loop(name, here)


def serve(way: Callable[[argparse.Namespace], Results], arguments: argparse.Namespace, line: Connection) -> None:
    """Train an epoch for each message; answer with its result, or None behind the last."""
    results = way(arguments)
    result: Result | None = (0.0, 0.0, 0.0)
    while result is not None:
        line.recv()
        result = next(results, None)
        line.send(result)


def original(arguments: argparse.Namespace) -> Results:
    """Train as notebooks do, until the target is reached."""
    # Not by gathered(), which asks the C library and cuDNN for what cnn wants and a notebook does not.
    cuda = arguments.device == "cuda" or (arguments.device == "auto" and torch.cuda.is_available())
    device = torch.device("cuda" if cuda else "cpu")
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    torch.manual_seed(arguments.seed)
    train = Subset(MNIST(arguments.data, train=True, transform=prepare), range(arguments.limit))
    options = {"batch_size": 128, "num_workers": arguments.workers, "pin_memory": cuda}
    batches = DataLoader(train, shuffle=True, **options)
    read = MNIST(arguments.data, train=False, transform=prepare)
    tests = DataLoader(Subset(read, range(min(arguments.limit, len(read)))), **options)
    network = as_described().to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    for _ in range(arguments.epochs):
        begun = time.perf_counter()
        network.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = functional.nll_loss(network(images.to(device)), labels.to(device))
            torch.autograd.backward(loss)
            optimizer.step()
        network.eval()
        with torch.no_grad():
            right = sum(int((network(x.to(device)).argmax(1).cpu() == y).sum()) for x, y in tests)
        accuracy = right / min(arguments.limit, len(read))
        yield time.perf_counter() - begun, accuracy, 1.0
        if accuracy >= arguments.target:
            return


def as_described() -> nn.Sequential:
    """The network in torch's own layers."""
    rows = ((1, 12, 1, False), (12, 16, 1, True), (16, 20, 1, False), (20, 28, 1, True), (28, 24, 0, False))
    layers: list[nn.Module] = []
    for inputs, outputs, padding, pool in rows:
        layers += [nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU(), nn.BatchNorm2d(outputs)]
        layers += [nn.MaxPool2d(2)] * pool + [nn.Dropout2d(0.1)]
    layers += [nn.Conv2d(24, 12, 3), nn.ReLU(), nn.BatchNorm2d(12), nn.Flatten(), nn.Linear(108, 10)]
    return nn.Sequential(*layers, nn.LogSoftmax(dim=1))


def fast(arguments: argparse.Namespace) -> Results:
    """Train cnn's recipe to its end."""
    whole = load("mnist", Path(arguments.data), print)
    few = slice(0, arguments.limit)
    data = Data("mnist", *(tensor[few] for tensor in whole.tensors()))
    with gathered(arguments.device) as team:
        trainer = Trainer(data, RECIPES["fast"], arguments.seed, team)
        for _ in range(min(arguments.epochs, trainer.recipe.epochs)):
            trainer.train_epoch()
            last = trainer.epochs[-1]
            yield last.seconds, last.test_accuracy, last.images / len(data.train_images)


def compare(slow: Loop, quick: Loop, target: float) -> int:
    """Print both and their ratios; 1 if the second loop did not reach the target."""
    first, second = slow.pace(), quick.pace()
    print(f"seconds per epoch of all images: original {first:.1f}, fast {second:.1f}: {first / second:.2f}×")
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
