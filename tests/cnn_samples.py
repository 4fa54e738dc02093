"""A tiny data set, a tiny recipe and a run of them, for the tests of cnn."""

from pathlib import Path

import torch

from cnn.data import Data
from cnn.recipes import Recipe
from cnn.run import FORMAT, VERSION, Epoch, Writer
from cnn.team import Team
from cnn.train import Trainer, train

RECIPE = Recipe(
    "tiny", "", 2, 32, 0.05, nesterov=True, weight_decay=1e-3, warm_up=0.3, rotation=5, shift=1, scale=0.1, shear=0.1,
    smoothing=0.05, kept=0.6, hardest=0.5,
)  # fmt: skip
CPU = Team(torch.device("cpu"))


def tiny_data() -> Data:
    """70 training and 30 test images: noise with a bright bar whose place says which digit it is."""
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 60, (100, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.arange(100) % 10
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * int(label) : 6 + 2 * int(label), 4:24] = 250
    return Data("digits", images[:70], labels[:70], images[70:], labels[70:])


def config(recipe: Recipe = RECIPE) -> dict[str, object]:
    """As much of a config.json as reading needs."""
    asked = {"dataset": "digits", "epochs": recipe.epochs, "seed": 3, "device": "cpu", "recipe": {"name": recipe.name}}
    return {"format": FORMAT, "version": VERSION, "train_images": 70, "test_images": 30, **asked}


def trainer(recipe: Recipe = RECIPE, seed: int = 3) -> Trainer:
    """A trainer of the tiny data that has not begun."""
    return Trainer(tiny_data(), recipe, seed, CPU)


def trained(folder: Path, recipe: Recipe = RECIPE) -> Trainer:
    """The trainer after it has written a whole run into the folder."""
    folder.mkdir()
    one = trainer(recipe)
    train(one, Writer(folder, config(recipe)), None, lambda _: None)
    return one


def without_seconds(epochs: tuple[Epoch, ...]) -> list[dict[str, float]]:
    """What must be the same in two equal runs."""
    return [{name: value for name, value in vars(epoch).items() if name != "seconds"} for epoch in epochs]
