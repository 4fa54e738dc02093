"""Times one update's forward and backward pass in each order, precision and compilation: what cnn/train.py chose from.

    python benchmarks/update.py [--data DIR] [--runs N] [--epochs N] [--device cuda]

Each line also says how far the gradients of the first convolution's weights are from float64's: at the beginning of a
training, or after so many epochs of `fast`. Variants take turns, so
that whatever else the machine does slows all alike. Compiling needs a C++ compiler; without one its line says so.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnn.data import load
from cnn.model import DigitNetwork, normalised
from cnn.recipes import RECIPES
from cnn.team import device_name, gathered
from cnn.train import Trainer

BATCH = 128
WEIGHTS = "conv1.weight"


@dataclass
class Variant:
    """A way to compute the gradients of one batch, and how long it took each time."""

    name: str
    last: bool = True
    """Channels last in memory, else first."""
    own: bool = True
    """cnn's batch normalisation, else torch's."""
    half: bool = False
    """Convolutions in bfloat16."""
    compiled: bool = False
    seconds: list[float] = field(default_factory=list)


VARIANTS = (
    Variant("channels first, torch's batch norm", last=False, own=False),
    Variant("channels last, torch's batch norm", own=False),
    Variant("channels last, cnn's batch norm"),
    Variant("the second in bfloat16", own=False, half=True),
    Variant("the second compiled", own=False, compiled=True),
)


def main() -> int:
    """Print a line per variant."""
    parser = argparse.ArgumentParser(description="Time one update of the digit network in several ways.")
    parser.add_argument("--data", type=Path, help="MNIST's folder (default: $MNIST_ROOT, else scikit-learn's digits)")
    parser.add_argument("--runs", type=int, default=60, help="of each variant (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=0, help="trained before (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    data = load("auto", arguments.data, lambda warning: print(warning, file=sys.stderr))
    with gathered(arguments.device) as team:
        print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(team)}, batch {BATCH}")
        images = normalised(data.train_images[:BATCH]).to(team.device)
        labels = data.train_labels[:BATCH].to(team.device)
        trainer = Trainer(data, RECIPES["fast"], 0, team)
        while len(trainer.epochs) < arguments.epochs:
            trainer.train_epoch()
        network = trainer.network
        passes = {variant.name: gradients(network, variant, images, labels) for variant in VARIANTS}
        exact = gradients(network.double(), VARIANTS[0], images.double(), labels)()
        timed = [variant for variant in VARIANTS if first(variant, passes[variant.name], exact)]
        for _ in range(arguments.runs):
            for variant in timed:
                started = time.perf_counter()
                passes[variant.name]().norm().item()
                variant.seconds.append(time.perf_counter() - started)
        baseline = statistics.median(timed[0].seconds)
        for variant in timed:
            median = statistics.median(variant.seconds)
            print(f"  {variant.name:<36} {median * 1e3:6.1f} ms  {baseline / median:5.2f}×")
    return 0


def gradients(network: DigitNetwork, variant: Variant, images: Tensor, labels: Tensor) -> Callable[[], Tensor]:
    """A function that computes all gradients of the batch as the variant does and returns the first convolution's."""
    network = copy.deepcopy(network).train()
    if not variant.own:
        for name, module in list(network.named_modules()):
            if isinstance(module, nn.BatchNorm2d):
                torchs = nn.BatchNorm2d(module.num_features).to(module.weight)
                torchs.load_state_dict(module.state_dict())
                network.set_submodule(name, torchs)
    network.to(memory_format=torch.channels_last if variant.last else torch.contiguous_format)
    forward: Callable[[Tensor], Tensor] = torch.compile(network) if variant.compiled else network

    def compute() -> Tensor:
        network.zero_grad()
        kind = images.device.type
        with torch.autocast(kind, torch.bfloat16) if variant.half else contextlib.nullcontext():
            logits = forward(images)
        torch.autograd.backward(functional.cross_entropy(logits.to(images.dtype), labels))
        gradient = network.get_parameter(WEIGHTS).grad
        assert gradient is not None
        return gradient

    return compute


def first(variant: Variant, compute: Callable[[], Tensor], exact: Tensor) -> bool:
    """Run it once and print how far its gradients are from float64's; False if this machine cannot run it."""
    started = time.perf_counter()
    try:
        gradient = compute()
    except RuntimeError as error:
        print(f"  {variant.name:<36} not here: {str(error).splitlines()[0]}")
        return False
    away = ((gradient.double() - exact).norm() / exact.norm()).item()
    print(f"  {variant.name:<36} first time {time.perf_counter() - started:5.1f} s, gradients {away:.0e} off")
    for _ in range(3):
        compute()
    return True


if __name__ == "__main__":
    sys.exit(main())
