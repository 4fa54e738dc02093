"""Trains recipes on MNIST with several seeds and prints the accuracy after the last epoch: the README's table.

    python benchmarks/accuracy.py --data DIR                                     every recipe, seeds 0, 1 and 2
    python benchmarks/accuracy.py --data DIR --recipes accurate --seeds 0
    python benchmarks/accuracy.py --data DIR --recipes fast --held-out --set epochs=3 learning_rate=0.1

With --held-out, which is how the recipes' numbers were chosen, it trains on the first 50,000 training images and reads
the other 10,000; the test set is not looked at.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
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
    parser.add_argument("--held-out", action="store_true", help="measure on a part of the training set")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder that has MNIST/raw/ with --data or MNIST_ROOT")
    recipes = [changed(RECIPES[name], arguments.set) for name in arguments.recipes]
    data = load("mnist", Path(arguments.data), print)
    if arguments.held_out:
        images, labels, *_ = data.tensors()
        data = Data("mnist", images[:KEPT], labels[:KEPT], images[KEPT:], labels[KEPT:])
    with gathered(arguments.device) as team:
        print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(team.device)}")
        print(f"read: {len(data.test_images):,} {'held-out training' if arguments.held_out else 'test'} images")
        for recipe in recipes:
            accuracies = [accuracy(data, recipe, seed, team) for seed in arguments.seeds]
            what = " ".join([recipe.name, *arguments.set])
            print(f"{what}: mean {statistics.mean(accuracies):.3%}, least {min(accuracies):.2%}", flush=True)
    return 0


def accuracy(data: Data, recipe: Recipe, seed: int, team: Team) -> float:
    """Train with this seed, print how it went, and return the accuracy after the last epoch."""
    trainer = Trainer(data, recipe, seed, team)
    while len(trainer.epochs) < recipe.epochs:
        trainer.train_epoch()
    last = trainer.epochs[-1]
    seconds = statistics.median(epoch.seconds for epoch in trainer.epochs)
    reached = f"{last.test_accuracy:.2%}, loss {last.test_loss:.4f}"
    print(f"  {recipe.name} seed {seed}: epoch {last.epoch} {reached}; {seconds:.1f} s an epoch", flush=True)
    return last.test_accuracy


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
