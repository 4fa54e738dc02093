"""The forward pass that the stored values come from, against PyTorch in float64."""

import numpy as np
import pytest
from live_runs import (
    answers,
    centred,
    ink_of_paint,
    live_weights,
    mnist_test,
    page_of,
    probabilities,
    strokes,
    torch_maps,
)

from cnn.live.forward import FULL_INK, forward, ink_of_picture
from cnn.live.network import Array, Samples, network
from cnn.live.pytorch import forward as again

TOLERANCE = 1e-9


def pages() -> Array:
    """A blank page and the strokes."""
    return np.array([page_of(None, paint) for paint in (None, *strokes())])


def test_every_map_and_logit_is_pytorchs() -> None:
    """On a blank page and painted ones, re-centred by other code."""
    weights = live_weights()
    ours = forward(network(weights), pages())
    maps, logits = torch_maps(weights, np.array([centred(page) for page in pages()]))
    assert len(maps) == len(ours.maps) == 9
    for mine, theirs in zip(ours.maps, maps, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(ours.logits, logits, rtol=0, atol=TOLERANCE)
    assert np.ptp(ours.logits, axis=0).min() > 1e-3, "the network answers alike whatever it sees"


def test_what_check_compares_with_is_the_trained_modules() -> None:
    """Every map and logit, on a blank page and painted ones, to the last bits."""
    weights = live_weights()
    for page in (centred(page) for page in pages()):
        found, found_logits = again(weights, page.ravel().tolist())
        maps, logits = torch_maps(weights, page[np.newaxis])
        for mine, theirs in zip(found, maps, strict=True):
            np.testing.assert_allclose(np.array(mine), theirs[0].reshape(len(mine), -1), rtol=0, atol=1e-13)
        np.testing.assert_allclose(found_logits, logits[0], rtol=0, atol=1e-13)


def test_painted_pages_are_centred() -> None:
    """What leaves the page is lost, what is half way goes away from zero, a blank page stays."""
    ours = forward(network(live_weights()), pages())
    np.testing.assert_array_equal(ours.seen, np.array([centred(page) for page in pages()]))
    moves = list(zip(ours.shift_down.tolist(), ours.shift_right.tolist(), strict=True))
    assert moves[0] == (0, 0)
    assert moves[1] == (8, 12)  # rows 1 to 11, columns 2 and 3: 14 - 6, and 14 - 2.5 is rounded up
    assert moves[4] == (10, 10)  # rows 4 and 5: 14 - 4.5


def test_a_blank_page_has_no_answer() -> None:
    """The others do, and their probabilities add up to 1."""
    ours = forward(network(live_weights()), pages())
    assert answers(ours)[0] == "?"
    assert all(isinstance(answer, int) for answer in answers(ours)[1:])
    assert sum(probabilities(ours, 2)) == pytest.approx(1, abs=1e-12)
    assert answers(ours)[2] == int(np.argmax(probabilities(ours, 2)))


def test_paint_beyond_the_scale_is_full_ink_or_none() -> None:
    """A paste is not stopped by the cells' validation."""
    np.testing.assert_array_equal(ink_of_paint(np.array([-3.0, 0, 4.5, 9, 200])), [0, 0, 0.5, 1, 1])


def test_a_weight_that_is_missing_is_named() -> None:
    """Rather than a network with a hole."""
    weights = live_weights()
    del weights["norm3.bias"]
    with pytest.raises(KeyError, match=r"norm3\.bias"):
        network(weights)


def test_the_dropdown_says_an_8() -> None:
    """And a 7."""
    titles = Samples(np.zeros((2, 28, 28), np.uint8), (7, 8), (0, 61)).titles
    assert titles == ("a 7 (test image 0)", "an 8 (test image 61)")


@pytest.mark.slow
def test_a_thousand_mnist_digits_are_read_as_pytorch_reads_them() -> None:
    """Pasted into the grid, on its scale of 0 to 9; MNIST's own centring is ours: none is moved."""
    images, _ = mnist_test(1_000)
    weights = live_weights()
    ours = network(weights)
    for first in range(0, len(images), 100):
        batch = ink_of_paint(ink_of_picture(images[first : first + 100]) * FULL_INK)
        run = forward(ours, batch)
        assert not run.shift_down.any()
        assert not run.shift_right.any()
        _, logits = torch_maps(weights, batch)
        np.testing.assert_allclose(run.logits, logits, rtol=0, atol=TOLERANCE)
        np.testing.assert_array_equal(answers(run), logits.argmax(axis=1))
