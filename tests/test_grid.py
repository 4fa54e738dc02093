"""Every combination of activation, loss, bias, batch and optimizer: the formulas, IronCalc and PyTorch agree.

`check` is the judge: it recalculates every cell, and trains every run again with autograd and torch.optim. How far
they may differ stands in its docstring.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from referees import asked as check
from workbooks import ALL_OPTIMIZERS, BIAS, Choice, spec_of, write_tables

from sheetgen.check.report import Report
from sheetgen.errors import ExcelError
from sheetgen.spec import Spec, dump, parse
from sheetgen.spec.catalog import ACTIVATIONS, BATCHES, LOSSES, UPDATES
from sheetgen.xlsx.reader import read_formulas

HIDDEN = tuple(name for name in ACTIVATIONS if name != "softmax")
# The last layer's activation: the one that the loss asks for, or else the hidden layer's own.
PAIRS = [(hidden, loss, rule.activation or hidden) for hidden in HIDDEN for loss, rule in LOSSES.items()]
GRID = list(itertools.product(PAIRS, BIAS, BATCHES))
WITHIN = 1e-10


def confirmed(spec: Spec, path: Path, engine: str = "ironcalc") -> Report:
    """The report of a workbook of the spec, once both referees agree to 1e-10."""
    report = check(write_tables(spec, path), engine)  # type: ignore[arg-type]
    assert report.ok, f"{report.failure}\n{dump(spec)}"
    return report


def case_id(value: object) -> str:
    return "-".join(value) if isinstance(value, tuple) else str(value)


# One of each pair, with another bias and batch each time, is not slow.
EACH = len(BIAS) * len(BATCHES)
SAMPLE = {place for place in range(len(GRID)) if (place + place // EACH) % EACH == 0}
CASES = [
    pytest.param(*case, marks=[pytest.mark.slow] * (place not in SAMPLE), id="-".join(map(case_id, case)))
    for place, case in enumerate(GRID)
]


@pytest.mark.parametrize(("pair", "bias", "batch"), CASES)
def test_every_combination_agrees_with_pytorch_and_ironcalc(
    pair: tuple[str, str, str],
    bias: str,
    batch: str,
    tmp_path: Path,
    torch: ModuleType,
    record_property: Callable[[str, object], None],
) -> None:
    """50 steps of all optimizers side by side: every number within 1e-10 of PyTorch's, and recalculated alike."""
    hidden, loss, last = pair
    spec = Choice(hidden, last, loss, bias, batch, optimizers=ALL_OPTIMIZERS, seed=GRID.index((pair, bias, batch))).spec
    engine, pytorch = confirmed(spec, tmp_path / "a.xlsx").comparisons
    assert engine.largest <= 1e-12
    assert pytorch.largest <= WITHIN
    record_property("combinations", len(ALL_OPTIMIZERS))
    record_property("numbers", pytorch.cells)


@pytest.mark.parametrize(
    ("pair", "batch"),
    [
        pytest.param(pair, BATCHES[at % len(BATCHES)], marks=[pytest.mark.slow] * (at % 5 > 0), id=case_id(pair))
        for at, pair in enumerate(PAIRS)
    ],
)
def test_the_output_first_rule_agrees_for_every_activation_and_loss(
    pair: tuple[str, str, str],
    batch: str,
    tmp_path: Path,
    torch: ModuleType,
    record_property: Callable[[str, object], None],
) -> None:
    """The last layer moves, then the others, with every optimizer and with its own states."""
    hidden, loss, last = pair
    spec = Choice(hidden, last, loss, "trained", batch, "output_first", ALL_OPTIMIZERS, seed=PAIRS.index(pair)).spec
    assert confirmed(spec, tmp_path / "a.xlsx").comparisons[1].largest <= WITHIN
    record_property("combinations", len(ALL_OPTIMIZERS))


@pytest.mark.libreoffice
@pytest.mark.parametrize(
    "place",
    [pytest.param(place, marks=[pytest.mark.slow] * (place % 2)) for place in range(0, len(GRID), len(GRID) // 8 - 1)],
)
def test_a_sample_of_the_grid_agrees_with_libreoffice(
    place: int, tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """LibreOffice recalculates to the stored values, and its values agree with PyTorch's."""
    (hidden, loss, last), bias, batch = GRID[place]
    spec = Choice(hidden, last, loss, bias, batch, optimizers=ALL_OPTIMIZERS, seed=place, steps=20).spec
    confirmed(spec, tmp_path / "a.xlsx", "libreoffice")


EXTREME = [[800.0, -800.0], [-800.0, 800.0], [0.0, 0.0]]
EXTREME_TARGETS = [[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]]


@pytest.mark.parametrize("pair", PAIRS, ids=case_id)
def test_inputs_of_800_give_finite_numbers_where_pytorch_does(
    pair: tuple[str, str, str], tmp_path: Path, torch: ModuleType
) -> None:
    """No #NUM! from an exponential: every cell is a number, and PyTorch's, in IronCalc."""
    spec = extreme(pair)
    confirmed(spec, tmp_path / "a.xlsx")
    assert not any(isinstance(cell.value, ExcelError) for cell in read_formulas(tmp_path / "a.xlsx"))


@pytest.mark.libreoffice
@pytest.mark.parametrize("pair", [PAIRS[place] for place in (0, 5, 10, 15, 16, 21)], ids=case_id)
def test_inputs_of_800_give_the_same_in_libreoffice(
    pair: tuple[str, str, str], tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """LibreOffice is the stricter one: it answers #NUM! for 1/(1+EXP(800)). Each activation and each loss once."""
    confirmed(extreme(pair), tmp_path / "a.xlsx", "libreoffice")


def extreme(pair: tuple[str, str, str]) -> Spec:
    """One small update of a network whose inputs are ±800 and 0, with a bias of 0: net inputs of exactly 0 too."""
    hidden, loss, last = pair
    spec = spec_of(Choice(hidden, last, loss, steps=1, rate=1e-3), EXTREME, EXTREME_TARGETS)
    return parse(dump(spec).replace("activation", "bias = [0.0, 0.0]\nactivation"), "test")


# 64ths: IronCalc takes a number closer to 0 than 2.2e-16 for 0 when it compares, and relu asks whether it is above 0.
numbers = st.integers(-128, 128).map(lambda number: number / 64)
OPTIONS = {
    "sgd": ("weight_decay",),
    "momentum": ("momentum", "weight_decay"),
    "nesterov": ("momentum", "weight_decay"),
    "rmsprop": ("alpha", "weight_decay"),
    "adagrad": ("lr_decay", "initial_accumulator_value", "weight_decay"),
    "adam": ("betas", "weight_decay"),
    "adamw": ("betas", "weight_decay"),
}


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any small network with any options."""
    inputs, samples = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    units = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    if loss == "cross_entropy":
        units[-1] = max(units[-1], 2)
    last = LOSSES[loss].activation or draw(st.sampled_from(HIDDEN))
    layers = []
    for place, (count, fan_in) in enumerate(zip(units, [inputs, *units], strict=False)):
        activation = last if place == len(units) - 1 else draw(st.sampled_from(HIDDEN))
        rows = draw(st.lists(st.lists(numbers, min_size=fan_in, max_size=fan_in), min_size=count, max_size=count))
        layers += ["[[network.layers]]", f"units = {count}", f'activation = "{activation}"', f"weights = {rows}"]
        if activation == "leaky_relu":
            layers.append(f"negative_slope = {draw(st.sampled_from([0.01, 0.2, 1e-5, 0.0, 1.0, -0.5]))}")
        if draw(st.booleans()):
            bias = draw(st.lists(numbers, min_size=count, max_size=count))
            layers += [f"bias = {bias}", f"train_bias = {str(draw(st.booleans())).lower()}"]
    data = draw(st.lists(st.lists(numbers, min_size=inputs, max_size=inputs), min_size=samples, max_size=samples))
    shares = [draw(st.lists(st.integers(0, 8), min_size=units[-1], max_size=units[-1])) for _ in range(samples)]
    targets = [[one / sum(row) for one in row] if any(row) else [1.0] + [0.0] * (len(row) - 1) for row in shares]
    name = draw(st.sampled_from(sorted(OPTIONS)))
    optimizer = [f'name = "{name}"'] + [
        f"{option} = {[draw(values), draw(values)] if option == 'betas' else draw(values)}"
        for option in OPTIONS[name]
        if draw(st.booleans())
        for values in [st.sampled_from([0.1, 0.5, 0.9, 0.99])]
    ]
    return parse(
        "\n".join(
            [
                f"learning_rates = [{draw(st.sampled_from([0.01, 0.1, 0.5]))}]",
                f"steps = {draw(st.integers(1, 12))}",
                f"[data]\ninputs = {data}\ntargets = {targets}",
                f'[network]\nloss = "{loss}"',
                *layers,
                f'[training]\nbatch = "{draw(st.sampled_from(BATCHES))}"',
                f'updates = "{draw(st.sampled_from(UPDATES))}"',
                "[training.optimizer]",
                *optimizer,
            ]
        ),
        "test",
    )


@given(spec=specs())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # The spec in the message is small enough; shrinking it takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_small_network_agrees_with_pytorch_and_ironcalc(spec: Spec, tmp_path: Path, torch: ModuleType) -> None:
    """Up to four layers of up to four units, up to four samples, and every option; kinks and dead units included."""
    confirmed(spec, tmp_path / "a.xlsx")
