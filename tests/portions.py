"""Seeds of generated cases in portions, a test each: a few for every run, more as `slow`, the rest as `exhaustive`."""

from __future__ import annotations

import pytest

SLOW, EXHAUSTIVE = (pytest.mark.slow,), (pytest.mark.slow, pytest.mark.exhaustive)


def portions(few: int, more: int, all_: int, size: int) -> list[object]:
    """The seeds from 0 on: `few` in one portion, those to `more` in another, those to `all_` in portions of `size`."""
    rest = [(range(at, min(at + size, all_)), EXHAUSTIVE) for at in range(more, all_, size)]
    parts = [(range(few), ()), (range(few, more), SLOW), *rest]
    return [pytest.param(seeds, marks=marks, id=f"{seeds[0]}-{seeds[-1]}") for seeds, marks in parts if seeds]
