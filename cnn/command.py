"""What `python -m cnn train` does between its options and its exit code."""

from __future__ import annotations

import argparse
import difflib
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import sheetgen
from cnn.data import Data, load
from cnn.files import make_folder
from cnn.progress import Progress, summary
from cnn.recipes import RECIPES, Recipe
from cnn.run import DATASETS, FORMAT, MOST_EPOCHS, MOST_SEED, VERSION, RunError, Writer, config_of, read_run
from cnn.team import Team, device_name, gathered
from cnn.train import Trainer, resume
from cnn.train import train as train_network
from sheetgen.errors import SheetgenError

__all__ = ["train"]


def train(arguments: argparse.Namespace) -> None:
    """Train as the options say, write the run folder, and print what was reached."""
    _require_known("--device", arguments.device, ("auto", "cpu", "cuda"))
    _require_known("--dataset", arguments.dataset, ("auto", *DATASETS))
    _require_known("--recipe", arguments.recipe, RECIPES)
    _require_number("--epochs", arguments.epochs, 1, MOST_EPOCHS)
    _require_number("--seed", arguments.seed, 0, MOST_SEED)
    with gathered(arguments.device or "auto") as team:
        config, data = _agreed(arguments, team)
        trainer = Trainer(data, Recipe(**config["recipe"]), config["seed"], team)
        folder = arguments.output
        writer = Writer(folder, config) if team.leads else None
        if writer:
            resume(trainer, folder)
        trainer.follow()
        try:
            with Progress(trainer, shown=team.leads) as progress:
                train_network(trainer, writer, progress.update, progress.finish)
        except KeyboardInterrupt:
            if team.leads:
                raise
            raise SystemExit(1) from None
        if writer:
            print(summary(read_run(folder)))


def _agreed(arguments: argparse.Namespace, team: Team) -> tuple[dict[str, Any], Data]:
    """config.json and the data, prepared by the process that leads; if that fails, all fail and it says why."""
    if team.leads:
        try:
            config, data = _prepared(arguments, team)
        except SheetgenError:
            team.told(None)
            raise
        team.told((config, [tensor.shape for tensor in data.tensors()]))
    else:
        told: tuple[dict[str, Any], list[torch.Size]] | None = team.told(None)
        if told is None:
            raise SystemExit(1)
        config, shapes = told
        data = Data.empty(config["dataset"], shapes)
    data = data.to(team.device)
    team.follow(data.tensors())
    return config, data


def _prepared(arguments: argparse.Namespace, team: Team) -> tuple[dict[str, Any], Data]:
    """config.json of the run and its data. The folder is there afterwards, empty or with this very run in it."""
    folder: Path = arguments.output
    earlier = _earlier(folder, resumed=arguments.resume)
    asked = earlier or {"dataset": "auto", "recipe": {"name": "fast"}, "seed": 0}
    recipe = RECIPES[arguments.recipe or _name_of_recipe(asked, folder)]
    dataset = arguments.dataset or asked["dataset"]
    if earlier and dataset == "auto":
        dataset = earlier["dataset"]
    data = load(dataset, arguments.data, _warn)
    images = len(data.train_images)
    recipe = recipe.fitted(images)
    recipe = replace(recipe, epochs=arguments.epochs or asked.get("epochs") or recipe.epochs)
    config = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": data.name,
        "train_images": images,
        "test_images": len(data.test_images),
        "data": data.digest(),
        "recipe": asdict(recipe),
        "epochs": recipe.epochs,
        "seed": asked.get("seed", 0) if arguments.seed is None else arguments.seed,
        "device": team.device.type,
        "device_name": device_name(team),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "sheetgen": sheetgen.__version__},
    }
    if earlier:
        _require_same(earlier, config, folder)
        then, now = (f"{one.get('device_name')} with {one.get('versions')}" for one in (earlier, config))
        if then != now:
            _warn(
                f"{folder}: begun on {then}, goes on on {now}: numbers will differ a little from an uninterrupted run's"
            )
        return earlier, data
    make_folder(folder)
    return config, data


def _earlier(folder: Path, resumed: bool) -> dict[str, Any] | None:
    """config.json of the run to go on with; None to begin. RunError if the folder has something else in it."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file; name a folder for the run with -o")
    # A draft is what a kill leaves of a file that was being written.
    found = [path for path in folder.iterdir() if path.suffix != ".draft"] if folder.exists() else []
    if not found:
        return None
    if resumed:
        return config_of(folder)
    what = "already has a run in it" if (folder / "config.json").exists() else "is not empty"
    raise RunError(f"{folder}: {what}; go on with it by --resume, or choose another folder with -o")


def _name_of_recipe(config: Mapping[str, Any], folder: Path) -> str:
    recipe = config.get("recipe")
    name = recipe.get("name") if isinstance(recipe, dict) else None
    if name not in tuple(RECIPES):
        raise RunError(f"{folder / 'config.json'}: recipe is {name!r}; this version has: {', '.join(RECIPES)}")
    return str(name)


def _require_same(earlier: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """RunError unless the run in the folder was begun with what is asked for now; its versions may be others."""
    for name in ("dataset", "data", "epochs", "seed", "device", "recipe"):
        then, now = earlier.get(name), config[name]
        if then != now:
            if name == "recipe":
                then, now = _name_of_recipe(earlier, folder), config["recipe"]["name"]
            differ = f"{name} is {then!r} in its config.json, and {now!r} now" if then != now else f"another {name}"
            choices = "ask for the same, choose another folder with -o, or remove this one"
            raise RunError(f"{folder}: cannot go on: {differ}; {choices}")


def _require_known(option: str, value: str | None, known: Iterable[str]) -> None:
    names = tuple(known)
    if value is not None and value not in names:
        close = difflib.get_close_matches(value, names, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SheetgenError(f"command line: {option} is {value!r}; choose one of: {', '.join(names)}.{hint}")


def _require_number(option: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise SheetgenError(f"command line: {option} is {value}; choose a whole number from {least} to {most:,}")


def _warn(message: str) -> None:
    print(f"cnn: warning: {message}", file=sys.stderr)
