"""Specs as text, for tests to change."""

from __future__ import annotations

from dataclasses import replace

from sheetgen.spec import load, override
from sheetgen.spec.structure import Spec

SEED = """\
title = "seed"
learning_rates = [0.1, 2]
steps = 67

[data]
inputs  = [[0.05, 0.10]]
targets = [[0.50, 0.50]]

[network]
loss = "half_squared_error"

[[network.layers]]
units = 2
activation = "sigmoid"
weights = [[0.15, 0.20], [0.25, 0.30]]

[[network.layers]]
units = 2
activation = "sigmoid"
weights = [[0.40, 0.45], [0.50, 0.55]]
"""

CLASSES = """\
learning_rates = [0.1]
steps = 5

[data]
inputs  = [[1, 2], [3, 4]]
targets = [[0.25, 0.75], [1, 0]]

[network]
loss = "cross_entropy"

[[network.layers]]
units = 2
activation = "softmax"
weights = "random"
"""


def changed(old: str, new: str, text: str = SEED) -> str:
    """The text with its only `old` replaced."""
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    return text.replace(old, new)


def repr_toml(text: str) -> str:
    """The text as a TOML string."""
    return '"' + "".join(f"\\U{ord(char):08X}" for char in text) + '"'


def few_steps(name: str, steps: int = 40, *, pictures: bool = True) -> Spec:
    """A template with at most so many updates, for more add rows and no kinds of formulas; the default one whole."""
    spec = load(name)
    if name == "erav2":
        return spec
    kept = tuple(one for one in spec.published if one.step <= steps)
    return replace(spec, steps=min(spec.steps, steps), published=kept, pictures=pictures)


def plain(name: str, rates: list[float] | None = None, steps: int | None = None) -> Spec:
    """A template without Map and Landscape, for tests that look at other tabs: it is built and checked in a third."""
    return replace(override(load(name), rates, steps), pictures=False)
