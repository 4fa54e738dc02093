"""The recipes are what they are said to be, and every epoch's random numbers follow from the seed alone."""

import math
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

import torch
from cnn_samples import RECIPE

from cnn.draws import Draws
from cnn.recipes import LEAST_UPDATES, RECIPES, Recipe
from cnn.train import moved

CPU = torch.device("cpu")


def test_the_original_recipe_is_the_described_one() -> None:
    """SGD 0.01, momentum 0.9, batch 128, 18 epochs, dropout 0.1, and nothing else."""
    assert RECIPES["original"] == Recipe("original", RECIPES["original"].summary, 18, 128, 0.01, 0.9, dropout=0.1)
    assert not RECIPES["original"].augments
    assert RECIPES["accurate"].epochs == 18
    # No more updates than 18 epochs of 50,000 images have.
    assert RECIPES["accurate"].updates(18, 60_000) <= 7_038
    assert all(name == recipe.name for name, recipe in RECIPES.items())


def test_one_cycle_rises_and_falls_to_zero() -> None:
    """From a tenth to the whole in the warm-up, then down; a recipe without warm-up stays where it is."""
    rates = [RECIPE.learning_rate_at(done / 100) for done in range(101)]
    assert rates[0] == pytest.approx(RECIPE.learning_rate / 10)
    assert max(rates) == rates[30] == RECIPE.learning_rate
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert {RECIPES["original"].learning_rate_at(done) for done in (0, 0.5, 1)} == {0.01}


def test_draws_follow_from_seed_and_epoch() -> None:
    """The same again; others for another epoch or seed."""
    drawn = [
        Draws.of(RECIPE, torch.zeros(50), seed, epoch, CPU).order.tolist()
        for seed, epoch in ((1, 1), (1, 1), (1, 2), (2, 1))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] != drawn[3] != drawn[0]
    assert sorted(drawn[0]) == list(range(50))


def test_later_epochs_take_the_hardest_and_others_by_chance() -> None:
    """As many as the recipe says, none twice; among equal losses the earlier images; the order is mixed."""
    recipe = replace(RECIPE, kept=0.3, hardest=0.5)
    losses = torch.arange(1000).remainder(250).float()
    first, again, later = (Draws.of(recipe, losses, 1, epoch, CPU).order for epoch in (2, 2, 3))
    assert torch.equal(first, again)
    for order in (first, later):
        assert len(order) == len(set(order.tolist())) == 300
        hard = (losses[order] >= 250 - 37) | ((losses[order] == 250 - 38) & (order < 500))
        assert hard.sum() == 4 * 37 + 2
        assert 40 < hard[:150].sum() < 110
    others = [set(order.tolist()) - set(range(213, 250)) for order in (first, later)]
    assert others[0] != others[1]
    assert sorted(Draws.of(recipe, losses, 1, 1, CPU).order.tolist()) == list(range(1000))


def test_masks_drop_the_asked_part_and_keep_the_mean() -> None:
    """Each mask is 0 or 1 / (1 - p); a recipe without dropout has none."""
    draws = Draws.of(RECIPE, torch.zeros(2000), 1, 1, CPU)
    masks = draws.layer_masks(slice(0, 2000))
    assert [mask.shape[1] for mask in masks] == [12, 16, 20, 28, 24]
    every = torch.cat(masks, dim=1)
    assert sorted(set(every.flatten().tolist())) == pytest.approx([0, 1 / 0.9])
    assert every.mean().item() == pytest.approx(1, abs=0.01)
    assert Draws.of(RECIPES["fast"], torch.zeros(10), 1, 1, CPU).layer_masks(slice(0, 10)) == ()


def test_augmentation_stays_within_its_limits() -> None:
    """Each limit alone moves a corner no further than it says, and the middle only by the shift."""
    plain = Recipe("", "", epochs=1, batch=10, learning_rate=0.1)
    for recipe, corner in (
        (replace(plain, shift=2.0), 2.0),
        (replace(plain, scale=0.1), 1.4),
        (replace(plain, shear=0.1), 1.4),
        (replace(plain, rotation=10.0), 14 * (1 - math.cos(math.radians(10)) + math.sin(math.radians(10)))),
    ):
        affine = Draws.of(recipe, torch.zeros(500), 1, 1, CPU).affine
        assert affine is not None
        at_corner = (affine @ torch.tensor([1.0, 1.0, 1.0]) - 1) * 14
        at_middle = affine[:, :, 2].abs().max().item() * 14
        assert corner * 0.9 < at_corner.abs().max().item() <= corner + 1e-4
        assert at_middle == (pytest.approx(2.0, abs=0.05) if recipe.shift else 0)


def test_the_last_epochs_may_be_plain() -> None:
    """As large a part of them as the recipe says, to the nearest epoch; their images are not changed."""
    recipe = replace(RECIPE, epochs=10, plain=0.3)
    assert [recipe.in_epoch(epoch).augments for epoch in range(1, 11)] == 7 * [True] + 3 * [False]
    assert Draws.of(recipe, torch.zeros(5), 1, 7, CPU).affine is not None
    assert Draws.of(recipe, torch.zeros(5), 1, 8, CPU).affine is None
    assert recipe.in_epoch(8) == replace(
        RECIPE, epochs=10, plain=0.3, smoothing=0, rotation=0, shift=0, scale=0, shear=0
    )
    assert replace(recipe, epochs=1).in_epoch(1).augments and replace(recipe, plain=0.0).in_epoch(10).augments
    accurate = RECIPES["accurate"]
    assert [epoch for epoch in range(1, 19) if not accurate.in_epoch(epoch).augments] == [17, 18]


def test_nothing_is_moved_by_the_identity() -> None:
    """And a shift of one pixel is a shift of one pixel, with nothing coming in."""
    image = torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    identity = torch.eye(2, 3)[None]
    assert torch.allclose(moved(image, identity)[:, 0], image.float(), atol=1e-2)
    left = identity.clone()
    left[0, 0, 2] = 2 / 28
    shifted = moved(image, left)[0, 0]
    assert torch.allclose(shifted[:, :-1], image[0, :, 1:].float(), atol=1e-2)
    assert shifted[:, -1].abs().max() < 1e-2


def test_few_images_are_trained_on_for_more_epochs() -> None:
    """Every recipe makes at least LEAST_UPDATES updates of scikit-learn's digits, and its own epochs of MNIST."""
    for recipe in RECIPES.values():
        assert recipe.fitted(60_000) == recipe
        few, updates = recipe.fitted(1437), math.ceil(1437 / recipe.batch)
        assert few.epochs == max(recipe.epochs, math.ceil(LEAST_UPDATES / updates))
        assert few.images_in(few.epochs, 1437) == 1437
