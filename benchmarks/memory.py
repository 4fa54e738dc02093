"""Times the updates of an epoch of `fast` with freed memory kept and given back: what cnn/memory.py is for.

    python benchmarks/memory.py [--data DIR] [--runs N] [--updates N]

Each run is a process of its own, since memory that is kept once stays kept; the two ways take turns.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import platform
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from cnn.data import load
from cnn.memory import keep_freed_memory
from cnn.recipes import RECIPES
from cnn.team import Team, device_name
from cnn.train import Trainer

WAYS = {"given back": False, "kept": True}


def main() -> int:
    """Print a line per way, then the ratio."""
    parser = argparse.ArgumentParser(description="Time training updates with freed memory kept and given back.")
    parser.add_argument("--data", type=Path, help="MNIST's folder (default: $MNIST_ROOT, else scikit-learn's digits)")
    parser.add_argument("--runs", type=int, default=5, help="of each way (default: %(default)s)")
    parser.add_argument("--updates", type=int, default=60, help="in each run (default: %(default)s)")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {device_name(Team(torch.device('cpu')))}")
    milliseconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(arguments.runs):
        for name, kept in WAYS.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                milliseconds[name].append(pool.apply(measured, (kept, arguments.data, arguments.updates)))
    for name, found in milliseconds.items():
        print(f"  {name:<10} {statistics.median(found):5.1f} ms an update ({min(found):.1f} to {max(found):.1f})")
    slow, quick = (statistics.median(found) for found in milliseconds.values())
    print(f"  {slow / quick:.2f}×")
    return 0


def measured(kept: bool, folder: Path | None, updates: int) -> float:
    """Milliseconds that an update takes in this process."""
    if kept:
        keep_freed_memory()
    data = load("auto", folder, lambda warning: print(warning, file=sys.stderr))
    recipe = RECIPES["fast"]
    few = slice(0, updates * recipe.batch)
    data = replace(data, train_images=data.train_images[few], train_labels=data.train_labels[few])
    trainer = Trainer(data, recipe, 0, Team(torch.device("cpu")))
    done: list[float] = []
    trainer.train_epoch(lambda *_: done.append(time.perf_counter()))
    return (done[-1] - done[0]) * 1e3 / math.ceil(len(data.train_images) / recipe.batch)


if __name__ == "__main__":
    sys.exit(main())
