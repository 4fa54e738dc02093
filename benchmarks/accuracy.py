"""Trains recipes on MNIST with several seeds and prints the accuracy after the last epoch: the README's table.

    python benchmarks/accuracy.py --data DIR                                     every recipe, seeds 0, 1 and 2
    python benchmarks/accuracy.py --data DIR --recipes accurate --seeds 0
    python benchmarks/accuracy.py --data DIR --recipes fast --held-out --set epochs=3 learning_rate=0.1
    python benchmarks/accuracy.py --data DIR --recipes fast --also epochs=4 kept=1 smoothing=0      and as it was before

With --also, each seed is trained a second time with those numbers, turn by turn, and the means are compared. CPU
seconds are those of this process, training and test; another load on the machine changes them less than the wall's.

With --held-out, which is how the recipes' numbers were chosen, it trains on the first 50,000 training images and reads
the other 10,000; the test set is not looked at.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from cnn.data import Data, load
from cnn.recipes import RECIPES, Recipe
from cnn.team import Team, device_name, gathered
from cnn.train import Trainer

KEPT = 50_000
WORDS = ("name", "summary")


def main() -> int:
    """Print a line per seed and one per recipe."""
    parser = argparse.ArgumentParser(description="Measure what recipes reach on MNIST.")
    parser.add_argument("--data", type=Path, default=os.environ.get("MNIST_ROOT"), help="(default: $MNIST_ROOT)")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=tuple(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--set", nargs="+", default=(), metavar="NAME=NUMBER", help="in place of the recipe's")
    parser.add_argument("--also", nargs="+", default=(), metavar="NAME=NUMBER", help="a second way, turn by turn")
    parser.add_argument("--held-out", action="store_true", help="measure on a part of the training set")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder that has MNIST/raw/ with --data or MNIST_ROOT")
    ways = [arguments.set, *([arguments.also] if arguments.also else [])]
    turns = [[changed(RECIPES[name], way) for way in ways] for name in arguments.recipes]
    data = load("mnist", Path(arguments.data), print)
    if arguments.held_out:
        images, labels, *_ = data.tensors()
        data = Data("mnist", images[:KEPT], labels[:KEPT], images[KEPT:], labels[KEPT:])
    with gathered(arguments.device) as team:
        print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(team)}")
        print(f"read: {len(data.test_images):,} {'held-out training' if arguments.held_out else 'test'} images")
        for recipes in turns:
            results = [[trained(data, recipe, seed, team) for recipe in recipes] for seed in arguments.seeds]
            for recipe, way, found in zip(recipes, ways, zip(*results, strict=True), strict=True):
                accuracies, seconds = zip(*found, strict=True)
                reached = f"mean {statistics.mean(accuracies):.3%}, least {min(accuracies):.2%}"
                print(f"{' '.join([recipe.name, *way])}: {reached}, {statistics.mean(seconds):.1f} CPU s", flush=True)
    return 0


def trained(data: Data, recipe: Recipe, seed: int, team: Team) -> tuple[float, float]:
    """Train with this seed, print how it went, and return the accuracy after the last epoch and the CPU seconds."""
    begun = time.process_time()
    trainer = Trainer(data, recipe, seed, team)
    while len(trainer.epochs) < recipe.epochs:
        trainer.train_epoch()
    last = trainer.epochs[-1]
    seconds = time.process_time() - begun
    reached = f"{last.test_accuracy:.2%}, loss {last.test_loss:.4f}"
    print(f"  {recipe.name} seed {seed}: epoch {last.epoch} {reached}; {seconds:.1f} CPU s", flush=True)
    return last.test_accuracy, seconds


def changed(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with these numbers ("name=number") in place of its own."""
    known = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    kinds = {name: float if value is None else type(value) for name, value in known.items() if name not in WORDS}
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, number = setting.partition("=")
        try:
            values[name] = kinds[name](float(number))
        except (KeyError, ValueError):
            sys.exit(f"--set: {setting!r}: write NAME=NUMBER; the names are: {', '.join(kinds)}")
    return replace(recipe, **values)


if __name__ == "__main__":
    sys.exit(main())
