"""Mini-batches: a row holds the samples of its batch, in their order or in one drawn for each pass."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from referees import asked as check
from specs import SEED, changed
from workbooks import Choice, write_tables

from sheetgen.errors import SpecError
from sheetgen.maths.derive import derive
from sheetgen.maths.steps import trace
from sheetgen.spec import Spec, catalog, dump, override, parse
from sheetgen.spec.order import order


def batched(choice: Choice, batch: str) -> Spec:
    """The choice's spec with another batch, as TOML has it."""
    return parse(changed('batch = "full"', f"batch = {batch}", dump(choice.spec)), "test")


CASES = [
    ("2", "half_squared_error", "tanh", "simultaneous", ("sgd", "adam")),
    ("3", "mse", "identity", "output_first", ("momentum",)),
    ("2\nshuffle = true", "cross_entropy", "softmax", "simultaneous", ("adamw",)),
    ("3\nshuffle = true", "binary_cross_entropy", "sigmoid", "output_first", ("sgd",)),
    ('"online"\nshuffle = true', "half_squared_error", "sigmoid", "simultaneous", ("rmsprop",)),
]


@pytest.mark.parametrize(("batch", "loss", "last", "updates", "optimizers"), CASES)
def test_every_number_is_pytorchs(
    batch: str, loss: str, last: str, updates: str, optimizers: tuple[str, ...], tmp_path: Path, torch: ModuleType
) -> None:
    """Every number of every row to 1e-10 after 30 steps, and recalculated to 1e-12."""
    choice = Choice("tanh", last, loss, "trained", "full", updates, optimizers, samples=6, steps=30, rate=0.05)
    spec = batched(choice, batch)
    assert parse(dump(spec), "test") == spec
    report = check(write_tables(spec, tmp_path / "a.xlsx"))
    assert report.ok, f"{report.failure}\n{dump(spec)}"
    engine, pytorch = report.comparisons
    assert engine.largest <= 1e-12
    assert pytorch.largest <= 1e-10


def samples_of(spec: Spec) -> list[list[int]]:
    """Which samples each row takes, found by their data alone."""
    equations = derive(spec, spec.optimizers[0])
    places = {column.symbol.name: place for place, column in enumerate(equations.columns)}
    rows = trace(equations, spec.runs[0])
    found = []
    for row in rows:
        data = [
            tuple(float(row[places[symbol.name]]) for symbol in one)
            for pair in zip(equations.network.inputs, equations.network.targets, strict=True)
            for one in [(*pair[0], *pair[1])]
        ]
        known = [(*i, *t) for i, t in zip(spec.inputs, spec.targets, strict=True)]
        found.append([known.index(one) + 1 for one in data])
    return found


def test_batches_take_turns_in_order() -> None:
    """And a table is as wide as its batch."""
    spec = batched(Choice(samples=6, steps=4), "2")
    assert samples_of(spec) == [[1, 2], [3, 4], [5, 6], [1, 2], [3, 4]]
    full, online = Choice(samples=6).spec, Choice(samples=6, batch="online").spec
    width = {
        name: len(derive(one, one.optimizers[0]).columns) for name, one in (("6", full), ("1", online), ("2", spec))
    }
    assert width["1"] < width["2"] < width["6"] / 2


@pytest.mark.parametrize("batch", ["2", "3", '"online"'])
def test_shuffled_every_pass_has_every_sample_once(batch: str) -> None:
    """In an order of its own, which is what stands in the column and on tab Inputs; another seed draws another."""
    spec = batched(Choice(samples=6, steps=29), f"{batch}\nshuffle = true")
    taken = [number for row in samples_of(spec) for number in row]
    passes = [taken[at : at + 6] for at in range(0, len(taken), 6)]
    assert all(sorted(one) == [1, 2, 3, 4, 5, 6] for one in passes if len(one) == 6)
    assert len({*map(tuple, passes)}) > len(passes) / 2
    columns = [list(column) for column in zip(*order(spec), strict=True)]
    assert [number for column in columns for number in column][: len(taken)] == taken
    other = parse(changed("seed = 1\n", "seed = 2\n", dump(spec)), "test")
    assert order(other) != order(spec)
    assert order(override(spec, steps=60))[0][: len(columns)] == order(spec)[0]


def test_one_and_all_are_what_they_are_called() -> None:
    """A batch of 1 is online, and one of all samples full."""
    assert (batched(Choice(samples=6), "1").batch, batched(Choice(samples=6), "6").batch) == ("online", "full")
    assert catalog.BATCHES == ("full", "online")


BAD = {
    "batch = 4": ("training.batch is 4", "divides the 6 samples: 1, 2, 3, 6", "Take one of these."),
    "batch = 0": ("training.batch is 0", "1, 2, 3, 6", "Take one of these."),
    "batch = 2.0": ("training.batch is 2.0", "full, online, a whole number that divides the 6 samples", "Write one"),
    'batch = "mini"': ("training.batch is 'mini'", "full, online, a whole number", "batch = 10"),
    "batch_size = 2": ("training.batch_size is not a known key", "It is called batch here"),
    "shuffle = true": ("training.shuffle is true", "takes all samples", "training.batch = 2"),
    "batch = 2\nshuffle = 1": ("training.shuffle is 1", "true or false", "Write one of the two."),
}


@pytest.mark.parametrize("lines", BAD)
def test_what_is_wrong_is_told_in_one_line(lines: str) -> None:
    """Where, what was found, what is allowed, what next."""
    text = changed('batch = "full"', lines, dump(Choice(samples=6).spec))
    with pytest.raises(SpecError) as caught:
        parse(text, "my.toml")
    assert "\n" not in str(caught.value)
    for part in BAD[lines]:
        assert part in str(caught.value)


def test_more_passes_than_there_is_room_for_are_refused() -> None:
    """In a spec, and with --steps."""
    text = changed("steps = 67", "steps = 40000", SEED)
    text = changed("[[0.05, 0.10]]", "[[1, 2], [3, 4]]", changed("[[0.50, 0.50]]", "[[0, 0], [1, 1]]", text))
    spec = parse(changed("[network]", '[training]\nbatch = "online"\n[network]', text), "test")
    assert spec.batch_size == 1
    shuffled = changed("[network]", '[training]\nbatch = "online"\nshuffle = true\n[network]', text)
    with pytest.raises(SpecError, match=r"training.shuffle needs the order of 2 samples in 20001 passes; .* steps"):
        parse(shuffled, "test")
    small = parse(changed("steps = 40000", "steps = 9", shuffled), "test")
    with pytest.raises(SpecError, match="--steps needs the order of 2 samples in 20001 passes"):
        override(small, steps=40000)
