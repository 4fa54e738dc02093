"""Options of training, each beside PyTorch: dampening, decay_bias, reduction, schedules."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from referees import asked as check
from specs import SEED, changed
from workbooks import ALL_OPTIMIZERS, Choice, write_tables

from sheetgen.check.engines import Engine
from sheetgen.errors import SpecError
from sheetgen.maths import schedules
from sheetgen.spec import Spec, dump, override, parse
from sheetgen.spec.catalog import LOSSES, SCHEDULES

WITHIN, RECALCULATED = 1e-10, 1e-12
UPDATES = ("simultaneous", "output_first")


def confirmed(spec: Spec, path: Path, engine: Engine = "ironcalc") -> None:
    """Every number of every row is PyTorch's to 1e-10, and the engine's to 1e-12; the text of the spec is the spec."""
    assert parse(dump(spec), "test") == spec
    report = check(write_tables(spec, path), engine)
    assert report.ok, f"{report.failure}\n{dump(spec)}"
    recalculated, pytorch = report.comparisons
    assert recalculated.largest <= RECALCULATED
    assert pytorch.largest <= WITHIN


def with_lines(spec: Spec, before: str, lines: str) -> Spec:
    """The spec with lines before the first one that is `before`."""
    head, found, rest = dump(spec).partition(before)
    assert found
    return parse(f"{head}{lines}\n\n{found}{rest}", "test")


OPTIMIZERS = """\
[[training.optimizers]]
name = "momentum"
dampening = 0.25
weight_decay = 0.1
[[training.optimizers]]
name = "momentum"
label = "no momentum"
momentum = 0.0
dampening = 0.25
decay_bias = false
weight_decay = 0.1
"""


@pytest.mark.parametrize("updates", UPDATES)
def test_dampening_and_decay_of_weights_alone_are_torchs(updates: str, tmp_path: Path, torch: ModuleType) -> None:
    """torch dampens no first gradient, and without momentum none; a group of parameters may have no decay."""
    options = "weight_decay = 0.2\ndecay_bias = false"
    others = tuple(name for name in ALL_OPTIMIZERS if name != "momentum")
    choice = Choice("tanh", bias="trained", updates=updates, optimizers=others, options=options, steps=30)
    confirmed(with_lines(choice.spec, "[[training.optimizers]]", OPTIMIZERS), tmp_path / "a.xlsx")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_sum_is_torchs_sum(loss: str, tmp_path: Path, torch: ModuleType) -> None:
    """Over outputs and samples: torch's reduction = "sum" divides by nothing."""
    last = LOSSES[loss].activation or "tanh"
    spec = Choice("sigmoid", last, loss, "trained", samples=3, steps=30).spec
    confirmed(with_lines(spec, "[[network.layers]]", 'reduction = "sum"'), tmp_path / "a.xlsx")


def test_of_one_sample_the_closed_forms_are_of_the_sum() -> None:
    """mse of two outputs: its mean has half the gradients."""
    spec = Choice("sigmoid", "tanh", "mse", samples=1, steps=1).spec
    mean, whole = (
        next(iter(trace_of(one))) for one in (spec, with_lines(spec, "[[network.layers]]", 'reduction = "sum"'))
    )
    assert [2 * value for value in mean] == pytest.approx(whole, rel=1e-14)


def trace_of(spec: Spec) -> list[list[float]]:
    """The loss and the gradients of every row."""
    from sheetgen.maths.derive import derive
    from sheetgen.maths.steps import trace

    equations = derive(spec, spec.optimizers[0])
    kinds = [column.kind in ("total", "gradient") for column in equations.columns]
    rows = trace(equations, spec.runs[0])
    return [[float(value) for value, kept in zip(row, kinds, strict=True) if kept] for row in rows]


SCHEDULED = {
    "step": 'name = "step"\nstep_size = 7\ngamma = 0.5',
    "exponential": 'name = "exponential"\ngamma = 0.95',
    "cosine": 'name = "cosine"\nT_max = 12\neta_min = 0.001',
    "cosine to the end": 'name = "cosine"',
    "one_cycle": 'name = "one_cycle"',
    "one_cycle of more steps": 'name = "one_cycle"\ntotal_steps = 50\nanneal_strategy = "linear"\npct_start = 0.2\n'
    "div_factor = 5\nfinal_div_factor = 3",
    "one_cycle that only falls": 'name = "one_cycle"\npct_start = 0',
    "one_cycle that only rises": 'name = "one_cycle"\npct_start = 1',
    "inverse_time": 'name = "inverse_time"\ndecay = 0.1',
}


@pytest.mark.parametrize("number", range(len(SCHEDULED)), ids=SCHEDULED)
def test_every_schedule_is_torchs(number: int, tmp_path: Path, torch: ModuleType) -> None:
    """The rate of every row and all that follows from it; each optimizer and both orders of updates have their turn."""
    optimizers = (ALL_OPTIMIZERS[number % len(ALL_OPTIMIZERS)], ALL_OPTIMIZERS[(number + 3) % len(ALL_OPTIMIZERS)])
    choice = Choice("tanh", updates=UPDATES[number % 2], optimizers=optimizers, steps=30, rate=0.1)
    lines = f"[training.schedule]\n{[*SCHEDULED.values()][number]}"
    confirmed(with_lines(choice.spec, "[[training.optimizers]]", lines), tmp_path / "a.xlsx")


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", ["step", "one_cycle"])
def test_libreoffice_has_the_same_rates(name: str, tmp_path: Path, soffice: Path, torch: ModuleType) -> None:
    """MOD, INT, COS and PI there; with shuffled batches."""
    choice = Choice("tanh", samples=4, optimizers=("momentum",), steps=30, options="dampening = 0.1")
    text = changed('batch = "full"', "batch = 2\nshuffle = true", dump(choice.spec))
    lines = f"[training.schedule]\n{SCHEDULED[name]}"
    shuffled = with_lines(parse(text, "test"), "[[training.optimizers]]", lines)
    confirmed(shuffled, tmp_path / "a.xlsx", "libreoffice")


def test_every_schedule_has_its_mathematics() -> None:
    """And every option its letter, which no other has."""
    assert schedules.SCHEDULES.keys() == SCHEDULES.keys()
    assert {option for options in SCHEDULES.values() for option in options} == schedules.SETTINGS.keys()
    assert {text.split('"')[1] for text in SCHEDULED.values()} == SCHEDULES.keys()


def test_what_is_not_asked_for_is_not_written() -> None:
    """The text of an older spec is what it was."""
    for key in ("dampening", "decay_bias", "reduction", "schedule"):
        assert key not in dump(parse(SEED, "test"))


def test_a_schedule_that_lasts_as_long_as_training_lasts_so_with_other_steps() -> None:
    """--steps changes its length too; a length of its own stays, if it is enough."""
    head = "[training.schedule]\n"
    for lines, key, expected in (
        ('name = "one_cycle"', "total_steps", 100.0),
        ('name = "cosine"', "T_max", 100.0),
        ('name = "cosine"\nT_max = 30', "T_max", 30.0),
        ('name = "one_cycle"\ntotal_steps = 120', "total_steps", 120.0),
    ):
        found = override(parse(f"{SEED}\n{head}{lines}", "test"), steps=100).schedule
        assert found is not None
        assert found.option(key) == expected
    with pytest.raises(SpecError, match=r"--steps is 100; one_cycle has 80 rates, .* Ask for fewer"):
        override(parse(f'{SEED}\n{head}name = "one_cycle"\ntotal_steps = 80', "test"), steps=100)


BAD = {
    '[training.schedule]\nname = "StepLR"': ("schedule.name is 'StepLR'", "choose one of: step,", "called 'step' here"),
    '[training.schedule]\nname = "step"': ("schedule.step_size is missing", "name, step_size", "Add step_size."),
    '[training.schedule]\nname = "step"\nstep_size = 2.5': ("is 2.5", "whole and at least 1", "Change it."),
    '[training.schedule]\nname = "cosine"\nT_max = 0': ("T_max is 0", "whole and at least 1", "Change it."),
    '[training.schedule]\nname = "exponential"\ngamma = -1': ("gamma is -1", "at least 0", "Change it."),
    '[training.schedule]\nname = "one_cycle"\nmax_lr = 1': (
        "max_lr is not a known key",
        "pct_start",
        "one_cycle rises",
    ),
    '[training.schedule]\nname = "one_cycle"\npct_start = 2': ("pct_start is 2", "at most 1", "Change it."),
    '[training.schedule]\nname = "one_cycle"\ntotal_steps = 9': ("total_steps is 9", "67 updates", "at least 67"),
    '[training.schedule]\nname = "one_cycle"\ntotal_steps = 80\npct_start = 0.0125': ("0.0125", "no step", "Raise it"),
    '[training.schedule]\nname = "one_cycle"\nanneal_strategy = "cosine"': ("anneal_strategy", "cos, linear", "'cos'"),
    '[training.schedule]\nname = "one_cycle"\nthree_phase = true': ("three_phase", "not a known", "not offered"),
    "[training.schedule]\ngamma = 0.9": ("schedule.name is missing", "are needed: name", "Add name."),
    '[training]\nschedule = "cosine"': ("training.schedule is 'cosine'", "a table", 'Write {name = "cosine", …}.'),
    '[training]\nscheduler = "cosine"': (
        "training.scheduler",
        "not a known",
        "a table of its own: [training.schedule]",
    ),
    '[training.optimizer]\nname = "sgd"\ndampening = 1': ("dampening", "not a known", "an option of momentum."),
    '[training.optimizer]\nname = "sgd"\nmomentum = 0.9': ("momentum", "not a known", 'write name = "momentum"'),
    '[training.optimizer]\nname = "sgd"\ndecay_bias = 0': ("decay_bias is 0", "true or false", "one of the two"),
    "[training]\nreduction = 1": ("training.reduction", "not a known key", "It belongs in [network]."),
}


@pytest.mark.parametrize("lines", BAD)
def test_what_is_wrong_is_told_in_one_line(lines: str) -> None:
    """Where, what was found, what is allowed, what next."""
    with pytest.raises(SpecError) as caught:
        parse(changed("[network]", f"{lines}\n\n[network]"), "my.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("my.toml: training.")
    for part in BAD[lines]:
        assert part in message
