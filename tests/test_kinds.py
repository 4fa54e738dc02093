"""Every kind of layer, alone and stacked: IronCalc and PyTorch agree, and bad specs are told in a line."""

from __future__ import annotations

import cProfile
import dataclasses
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kinds import STACKS, attention, kinds_spec
from openpyxl import load_workbook
from test_grid import confirmed
from test_network import at_random, whole
from workbooks import ALL_OPTIMIZERS

from sheetgen import build
from sheetgen.errors import SheetgenError, SpecError
from sheetgen.lessons.exercise import make_exercise
from sheetgen.maths.derive import derive
from sheetgen.maths.network import derive_network
from sheetgen.maths.steps import trace
from sheetgen.spec import Spec, dump, load, parse
from sheetgen.spec.catalog import BATCHES, KINDS, LOSSES, POOLINGS, UPDATES
from sheetgen.spec.structure import Optimizer, Schedule
from sheetgen.tabs.layout import plan_table
from sheetgen.tabs.test import LOSS_ROW
from sheetgen.xlsx.cells import MAX_FORMULA


def activations(stack: str) -> tuple[str, ...]:
    """What the layers of a stack may have as an activation; "" where none has one."""
    chosen = [KINDS[kind].activations for kind in KINDS for one in STACKS[stack][1] if f'kind = "{kind}"' in one]
    return next(filter(None, chosen), ("",))


CASES = [(stack, activation, loss) for stack in STACKS for activation in activations(stack) for loss in LOSSES]
# Each stack once, with another activation and loss each, runs always; the whole grid is slow.
# What a template or another stack shows too is left to the whole grid.
SHOWN_ELSEWHERE = ("attention, last", "layer_norm of a sequence")
SAMPLE = {
    next(at for at, case in enumerate(CASES) if case[0] == stack) + at % 4
    for at, stack in enumerate(STACKS)
    if stack not in SHOWN_ELSEWHERE
}
GRID = [
    pytest.param(at, marks=[] if at in SAMPLE else [pytest.mark.slow, pytest.mark.exhaustive])
    for at in range(len(CASES))
]


def test_every_kind_is_in_the_grid() -> None:
    """A new row of the catalog needs a stack."""
    blocks = [one for _, layers in STACKS.values() for one in layers]
    assert [kind for kind in KINDS if not any(f'kind = "{kind}"' in one for one in blocks)] == []


def batches(layers: Sequence[str]) -> tuple[str, str]:
    """How samples are taken; batch_norm needs several at a time."""
    return ("full", "full") if any("batch_norm" in one for one in layers) else BATCHES


@pytest.mark.parametrize("place", GRID)
def test_every_kind_agrees_with_pytorch_and_ironcalc(
    place: int, tmp_path: Path, torch: ModuleType, record_property: Callable[[str, object], None]
) -> None:
    """30 steps: every number of every row within 1e-10 of PyTorch's, and recalculated to 1e-12."""
    stack, activation, loss = CASES[place]
    shape, layers = STACKS[stack]
    batch, updates = batches(layers)[place % 2], UPDATES[place // 2 % 2]
    optimizers = (ALL_OPTIMIZERS[place % len(ALL_OPTIMIZERS)],)
    spec = kinds_spec(shape, layers, loss, activation, batch, updates, optimizers, seed=place)
    engine, pytorch = confirmed(spec, tmp_path / "a.xlsx").comparisons
    assert engine.largest <= 1e-12
    assert pytorch.largest <= 1e-10
    header = len(plan_table(spec, spec.runs[0]).equations.columns)
    assert pytorch.cells == header * (spec.steps + 1)  # no column is left out
    record_property("stacks", 1)
    record_property("numbers", pytorch.cells)


MOMENTUM = Optimizer(
    "momentum", (("momentum", 0.9), ("dampening", 0.1), ("weight_decay", 0.01)), "momentum", decay_bias=False
)
ADAMW = Optimizer(
    "adamw", (("beta1", 0.9), ("beta2", 0.999), ("eps", 1e-8), ("weight_decay", 0.1)), "adamw", decay_bias=False
)
# stack, loss, what else the training has
TRAINED: dict[str, tuple[str, str, dict[str, object]]] = {
    "conv": (
        "conv, pool, flatten",
        "cross_entropy",
        {
            "shuffle": 3,
            "scale": "minmax",
            "optimizers": (MOMENTUM,),
            "schedule": Schedule("cosine", (("T_max", 20.0), ("eta_min", 0.001))),
        },
    ),
    "rnn": (
        "rnn",
        "mse",
        {"updates": "output_first", "optimizers": (ADAMW,), "schedule": Schedule("exponential", (("gamma", 0.9),))},
    ),
}


def trained_otherwise(name: str) -> Spec:
    """A stack trained by batches of 2 of 6 samples, with the loss summed."""
    stack, loss, others = TRAINED[name]
    spec = kinds_spec(*STACKS[stack], loss, samples=6, steps=20)
    return dataclasses.replace(spec, batch=2, reduction="sum", **others)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TRAINED)
def test_kinds_go_with_batches_sums_and_schedules(name: str, tmp_path: Path, torch: ModuleType) -> None:
    """Every number of every row is PyTorch's, and on Derivation the places of a weight add up to the same gradient."""
    spec = trained_otherwise(name)
    assert parse(dump(spec), "again") == spec
    _, pytorch = confirmed(spec, tmp_path / "a.xlsx").comparisons
    assert pytorch.cells == len(plan_table(spec, spec.runs[0]).equations.columns) * (spec.steps + 1)
    build(spec, tmp_path / "b.xlsx")
    rows = list(load_workbook(tmp_path / "b.xlsx", data_only=True)["Derivation"].iter_rows(values_only=True))
    assert {row[4] for row in rows if isinstance(row[4], float)} == {0.0}
    shown = {str(row[0]): row[2] for row in rows}
    summed = [(row[2], shown[str(row[1])]) for row in rows if row[0] == "sum of the places"]
    assert len(summed) > 3
    assert all(places == pytest.approx(gradient, rel=1e-12, abs=1e-15) for places, gradient in summed)


def test_the_test_of_a_convolution_is_pytorchs(tmp_path: Path, torch: ModuleType) -> None:
    """The loss of samples that were kept apart, by the weights of the last row."""
    spec = kinds_spec(*STACKS["conv, pool, flatten"], "mse", samples=6, steps=10)
    spec = dataclasses.replace(
        spec,
        inputs=spec.inputs[:4],
        targets=spec.targets[:4],
        test_inputs=spec.inputs[4:],
        test_targets=spec.targets[4:],
    )
    build(spec, tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx", data_only=True)
    run, test = (list(book[name].iter_rows(values_only=True)) for name in ("lr 0.01", "Test"))
    last = dict(zip(run[6], run[7 + spec.steps], strict=True))

    def tensor(letter: str, first: int, *shape: int) -> Any:
        count = math.prod(shape)
        return torch.tensor([last[f"{letter}{first + at}"] for at in range(count)], dtype=torch.float64).reshape(shape)

    maps = torch.tensor(spec.test_inputs, dtype=torch.float64).reshape(2, 1, 4, 4)
    maps = torch.nn.functional.conv2d(maps, tensor("w", 1, 2, 1, 3, 3), tensor("b", 1, 2), padding=1)
    flat = torch.nn.functional.max_pool2d(maps, 2).flatten(1)
    out = torch.nn.functional.linear(flat, tensor("w", 19, 2, 8), tensor("b", 3, 2))
    loss = torch.nn.functional.mse_loss(out, torch.tensor(spec.test_targets, dtype=torch.float64)).item()
    assert next(one for one in test[LOSS_ROW - 1][1:] if one is not None) == pytest.approx(loss, rel=1e-12)


@st.composite
def stacks(draw: st.DrawFn) -> Spec:
    """Up to four layers of kinds that suit each other, and a linear one."""
    channels, side = draw(st.integers(1, 2)), draw(st.integers(3, 4))
    layers: list[str] = []
    shape: tuple[int, ...]
    if draw(st.booleans()):
        shape = (channels, side, side)
        for _ in range(draw(st.integers(1, 2))):
            kernel = draw(st.integers(1, 3))
            layers.append(
                f'kind = "conv2d"\nout_channels = {draw(st.integers(1, 2))}\nkernel_size = {kernel}\npadding = 1\n'
                f'weights = "random"\nactivation = "{draw(st.sampled_from(KINDS["conv2d"].activations))}"'
            )
        layers.append(f'kind = "{draw(st.sampled_from(["max_pool2d", "avg_pool2d"]))}"\nkernel_size = 2')
        if draw(st.booleans()):
            layers.append('kind = "batch_norm"\neps = 0.1')
    elif draw(st.booleans()):
        shape = (side, channels)
        layers.append(attention(2, "none"))
        layers.append(draw(st.sampled_from(['kind = "layer_norm"\neps = 0.1', 'kind = "batch_norm"\neps = 0.1'])))
        layers.append('kind = "residual"\nfrom = 0')
        layers.append(attention(2, draw(st.sampled_from(POOLINGS))))
    else:
        shape = (side, channels)
        layers.append('kind = "conv1d"\nout_channels = 2\nkernel_size = 2\nweights = "random"\nactivation = "tanh"')
        layers.append(
            'kind = "rnn"\nunits = 2\nweights_ih = "random"\nweights_hh = "random"\n'
            f"return_sequences = {str(draw(st.booleans())).lower()}"
        )
    if len(layers) < 4 and draw(st.booleans()):
        layers.append('units = 2\nactivation = "sigmoid"\nweights = "random"')
    seed, loss = draw(st.integers(0, 999)), draw(st.sampled_from(sorted(LOSSES)))
    return kinds_spec(shape, layers, loss, batch=draw(st.sampled_from(batches(layers))), steps=8, seed=seed)


@pytest.mark.slow
@given(spec=stacks())
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_stack_agrees_with_pytorch_and_ironcalc(spec: Spec, tmp_path: Path, torch: ModuleType) -> None:
    """Layers of any kinds on each other."""
    confirmed(spec, tmp_path / "a.xlsx")


@pytest.mark.libreoffice
@pytest.mark.parametrize("stack", ["conv, pool, flatten", "rnn", "attention, residual, norm"])
def test_libreoffice_agrees(stack: str, tmp_path: Path, soffice: Path, torch: ModuleType) -> None:
    """LibreOffice recalculates to the stored values, and its values agree with PyTorch's."""
    confirmed(kinds_spec(*STACKS[stack], steps=10), tmp_path / "a.xlsx", "libreoffice")


# Written out, a loss has every path in it: one unit over three steps is enough to see them add up.
SMALL = {
    **{stack: STACKS[stack] for stack in ("conv2d", "conv1d", "avg_pool2d")},
    "attention": ((2, 1), (attention(1),)),
    "layer_norm": ((2,), ('kind = "layer_norm"\neps = 0.5',)),
    "residual": ((2,), (*['units = 1\nactivation = "tanh"\nweights = "random"'] * 2, 'kind = "residual"\nfrom = 0')),
    "rnn": ((3, 1), ('kind = "rnn"\nunits = 1\nweights_ih = "random"\nweights_hh = "random"\nbias_hh = "random"',)),
}


@pytest.mark.parametrize(
    "stack", [pytest.param(one, marks=[pytest.mark.exhaustive] if one == "attention" else []) for one in SMALL]
)
def test_a_shared_weight_has_the_derivative_of_the_whole_loss(stack: str) -> None:
    """sympy.diff of the loss, written out in weights and inputs, at a random point to 30 digits."""
    network = derive_network(kinds_spec(*SMALL[stack], samples=1))
    total = whole(network.total, network)
    draw = random.Random(stack)
    for parameter in draw.sample(network.trained, 3):
        difference = total.diff(parameter.symbol) - whole(network.gradient[parameter.symbol], network)
        assert abs(at_random(difference, stack)) < 1e-30, parameter.symbol


def test_a_tie_goes_to_the_first_as_in_pytorch(tmp_path: Path, torch: ModuleType) -> None:
    """Maps of equal numbers: every window is a tie."""
    spec = kinds_spec((1, 4, 4), ['kind = "max_pool2d"\nkernel_size = 2'], samples=1)
    spec = parse(dump(spec).replace(dump(spec).split("inputs = ")[1].split("targets")[0], f"[{[1.0] * 16}]\n"), "test")
    columns = [column.symbol.name for column in derive(spec, spec.optimizers[0]).columns]
    assert any(name.startswith("which_") for name in columns)
    confirmed(spec, tmp_path / "a.xlsx")


def test_the_grid_of_kinds_is_dumped_and_read_again() -> None:
    """Every number, in the shape that torch gives its tensors."""
    for shape, layers in STACKS.values():
        spec = kinds_spec(shape, layers)
        assert parse(dump(spec), "again") == spec


def products(side: int) -> Spec:
    """A picture of side × side under one kernel of 2 × 2: 4·(side − 1)² products of shared weights."""
    return kinds_spec(
        (1, side, side), [STACKS["conv2d"][1][0].replace("out_channels = 2", "out_channels = 1")], samples=1
    )


def test_400_products_of_shared_weights_are_derived_in_seconds() -> None:
    """At most 2 s, a few times the calls for four times as many, and no formula that Excel cannot hold.

    Calls are the same on every machine; how long the largest takes depends on what else the process holds.
    """
    spent, calls = [], []
    for side in (6, 11, 21):  # 100, 400 and 1,600 products
        spec = products(side)
        profile = cProfile.Profile()
        start = time.process_time()
        profile.runcall(derive, spec, spec.optimizers[0])
        spent.append(time.process_time() - start)
        calls.append(sum(entry.callcount for entry in profile.getstats()))
        assert max(len(fill) for _, _, fill in plan_table(spec, spec.runs[0]).formulas()) <= MAX_FORMULA
    assert spent[1] < 2
    assert 0 < calls[2] < 8 * calls[1], calls


HEAD = "learning_rates = [0.1]\nsteps = 3\n[data]\n{data}\ntargets = [[1], [0]]\n[network]\nloss = 'mse'\n"
LAST = "\n[[network.layers]]\nunits = 1\nactivation = 'sigmoid'\nweights = 'random'\n"
MAPS = f"shape = [1, 3, 3]\ninputs = {[[1] * 9, [0] * 9]}"
STEPS = f"shape = [3, 2]\ninputs = {[[1] * 6, [0] * 6]}"
ROW = "inputs = [[1, 2], [3, 4]]"
CONV = "kind = 'conv2d'\nout_channels = 2\nkernel_size = 2\nweights = 'random'"
RNN = "kind = 'rnn'\nunits = 2\nweights_ih = 'random'\nweights_hh = 'random'"
ATTENTION = "kind = 'attention'\nd_k = 1\nweights_q = 'random'\nweights_k = 'random'\nweights_v = 'random'"
TWO = "".join(f"units = {size}\nactivation = 'tanh'\nweights = 'random'\n[[network.layers]]\n" for size in (3, 2))
RESIDUAL = "kind = 'residual'\n"
# what is wrong -> the data, the layer, and parts of the message: the place, what was found, what is expected
BAD = {
    "shape of the data": ("shape = [1, 3]\ninputs = [[1, 2], [3, 4]]", CONV, "data.shape is [1, 3]", "3 numbers"),
    "one axis": ("shape = [2]\ninputs = [[1, 2], [3, 4]]", CONV, "data.shape", "[channels, height, width] is"),
    "kind": (MAPS, "kind = 'conv3d'", "network.layers[0].kind is 'conv3d'", "conv2d", "Did you mean"),
    "a row": (ROW, CONV, "network.layers[0] takes 2 numbers in a plain row", "conv2d needs", "Add shape = "),
    "a sequence": (STEPS, CONV, "takes numbers of the shape [3, 2]", "[channels, height, width]"),
    "maps for an rnn": (MAPS, RNN, "takes numbers of the shape [1, 3, 3]", "rnn needs", "[length, features]"),
    "maps for conv1d": (MAPS, CONV.replace("2d", "1d"), "[1, 3, 3]", "conv1d needs", "[length, features]"),
    "weights": (MAPS, CONV.replace("'random'", "[[1, 2]]"), "weights has the shape 1 x 2", "2 x 1 x 2 x 2 is"),
    "ragged": (MAPS, CONV.replace("'random'", "[[[[1, 2], [3]]], [[[1, 2], [3, 4]]]]"), "[0][0][1] has 1", "2 are"),
    "weights_hh": (STEPS, RNN.replace("hh = 'random'", "hh = [[1]]"), "weights_hh has the shape 1 x 1", "2 x 2 is"),
    "large kernel": (MAPS, CONV.replace("size = 2", "size = 4"), "kernel_size is [4, 4]", "3 along axis 1", "smaller"),
    "three sizes": (MAPS, CONV.replace("size = 2", "size = [2, 2, 2]"), "kernel_size has 3 numbers", "2 are expected"),
    "no kernel": (MAPS, "kind = 'max_pool2d'", "kernel_size is missing", "kernel_size"),
    "pool of a row": (ROW, "kind = 'avg_pool2d'\nkernel_size = 2", "2 numbers in a plain row", "avg_pool2d needs"),
    "large pool": (MAPS, "kind = 'max_pool2d'\nkernel_size = 4", "kernel_size is [4, 4]", "must fit into 3"),
    "option of another": (MAPS, CONV + "\nunits = 2", "network.layers[0].units is not a known key", "out_channels"),
    "flatten's options": (MAPS, "kind = 'flatten'\nunits = 2", "units is not a known key", "choose one of: kind"),
    "sigmoid rnn": (STEPS, RNN + "\nactivation = 'sigmoid'", "activation is 'sigmoid'", "choose one of: tanh, relu"),
    "return_sequences": (STEPS, RNN + "\nreturn_sequences = 1", "return_sequences is 1", "true or false"),
    "slope": (MAPS, CONV + "\nnegative_slope = 0.1", "negative_slope stands in a layer of identity", "leaky_relu"),
    "attention of a row": (
        ROW, ATTENTION,
        "network.layers[0] takes 2 numbers", "attention needs", "[length, features]",
    ),
    "weights_k": (
        STEPS, ATTENTION.replace("weights_k = 'random'",
        "weights_k = [[1]]"), "weights_k has the shape 1 x 1", "1 x 2 is",
    ),
    "no d_k": (STEPS, ATTENTION.replace("d_k = 1\n", ""), "network.layers[0].d_k is missing", "weights_q"),
    "d_k": (STEPS, ATTENTION.replace("d_k = 1", "d_k = 0"), "d_k is 0", "a whole number from 1"),
    "pooling": (STEPS, ATTENTION + "\npooling = 'max'", "pooling is 'max'", "choose one of: mean, last, none"),
    "norm of maps": (
        MAPS,
        "kind = 'layer_norm'", "takes numbers of the shape [1, 3, 3]", "layer_norm needs", "plain row",
    ),
    "eps": (ROW, "kind = 'layer_norm'\neps = 0", "eps is 0", "above 0"),
    "norm's weight": (ROW, "kind = 'batch_norm'\nweight = [1]", "weight has the shape 1", "2 is expected"),
    "random weight": (ROW, "kind = 'layer_norm'\nweight = 'random'", "weight is 'random'", "ones, a list of 2 numbers"),
    "norm's bias": (ROW, "kind = 'layer_norm'\nbias = 'ones'", "bias is 'ones'", "zeros, a list of 2 numbers"),
    "first residual": (
        ROW,
        "kind = 'residual'\nfrom = 0", "network.layers[0] is layer 0", "at least two layers before",
    ),
    "no from": (ROW, "kind = 'residual'", "network.layers[0].from is missing"),
    "from itself": (ROW, f"{TWO}{RESIDUAL}from = 1", "network.layers[2].from is 1", "a whole number from 0 to 0"),
    "residual of other shapes": (
        ROW,
        f"{TWO}{RESIDUAL}from = 0",
        "layers[2].from is 0",
        "gives 3 numbers",
        "2 numbers in a plain row are expected",
    ),
    "kind of no text": (MAPS, "kind = 2", "network.layers[0].kind is 2", "choose one of: linear, conv1d"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_a_bad_layer_is_told_in_one_line(case: tuple[str, ...]) -> None:
    """Its place, what was found, and what is expected."""
    data, layer, *parts = case
    with pytest.raises(SpecError) as caught:
        parse(HEAD.format(data=data) + f"[[network.layers]]\n{layer}\n" + LAST, "my.toml")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("my.toml: ", *parts):
        assert part in message, message


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('[training]\nbatch = "online"', "an update of one sample"),
        ("[training]\nbatch = 1", "an update of one sample"),
        ("", "a test needs the running statistics"),
    ],
)
def test_batch_norm_needs_the_samples_of_a_row(more: str, what: str, tmp_path: Path) -> None:
    """One sample has no statistics, and those of a test are not kept."""
    data = ROW
    if not more:
        (tmp_path / "a.csv").write_text("x,y,z\n" + "1,2,3\n2,3,4\n4,5,6\n" * 4)
        data = 'file = "a.csv"\ninputs = ["x", "y"]\ntargets = ["z"]\ntest = 0.5'
    text = HEAD.format(data=data) if more else HEAD.format(data=data).replace("targets = [[1], [0]]\n", "")
    with pytest.raises(SpecError, match=rf"network.layers\[0\].kind is 'batch_norm'; {what}") as caught:
        parse(f"{text}[[network.layers]]\nkind = 'batch_norm'\n{LAST}{more}", "my.toml", str(tmp_path))
    assert "\n" not in str(caught.value)


def whole_module(torch: ModuleType, kind: str, spec: Spec) -> Any:
    """torch.nn's own module of a first layer, in training, with the layer's numbers."""
    layer = spec.layers[0]
    tensors = {one.name: torch.tensor(one.values, dtype=torch.float64).reshape(one.shape) for one in layer.tensors}
    size = layer.taken[-1] if len(layer.taken) < 3 else layer.taken[0]
    options = {"dtype": torch.float64}
    if kind == "attention":
        module = torch.nn.MultiheadAttention(size, 1, bias=False, batch_first=True, **options)
        state = {"in_proj_weight": torch.cat(list(tensors.values())), "out_proj.weight": torch.eye(size)}
        module.load_state_dict(state)
        return lambda x: module(x, x, x)[0]
    eps = layer.option("eps")
    if kind == "layer_norm":
        module = torch.nn.LayerNorm(size, eps, **options)
    else:
        module = (torch.nn.BatchNorm2d if len(layer.taken) == 3 else torch.nn.BatchNorm1d)(size, eps, **options)
    module.load_state_dict(tensors, strict=False)
    if len(layer.taken) == 2 and kind == "batch_norm":
        return lambda x: module(x.transpose(1, 2)).transpose(1, 2)
    return module


WHOLE: dict[str, list[tuple[tuple[int, ...], str]]] = {
    "attention": [((3, 2), attention(2, "none"))],
    "layer_norm": [((3,), 'kind = "layer_norm"'), ((2, 3), 'kind = "layer_norm"\neps = 0.1\nbias = [1, 2, 3]')],
    "batch_norm": [
        ((2,), 'kind = "batch_norm"\nweight = [2, -1]'),
        ((2, 3), 'kind = "batch_norm"'),
        ((2, 2, 1), 'kind = "batch_norm"\neps = 0.1\nbias = [1, 2]'),
    ],
}


@pytest.mark.parametrize(("kind", "at"), [(kind, at) for kind, cases in WHOLE.items() for at in range(len(cases))])
def test_a_layer_is_torchs_module(kind: str, at: int, torch: ModuleType) -> None:
    """nn.MultiheadAttention of one head, nn.LayerNorm, nn.BatchNorm1d and 2d give the numbers of row 0."""
    shape, block = WHOLE[kind][at]
    spec = kinds_spec(shape, [block], samples=3, steps=1)
    equations = derive(spec, spec.optimizers[0])
    row = dict(zip((column.symbol for column in equations.columns), trace(equations, spec.runs[0])[0], strict=True))
    inputs = torch.tensor(spec.inputs, dtype=torch.float64).reshape(3, *shape)
    theirs = whole_module(torch, kind, spec)(inputs).detach().flatten(1).tolist()
    for sample, expected in zip(equations.network.units, theirs, strict=True):
        assert [row[unit.out] for unit in sample[0]] == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_last_layer_is_linear() -> None:
    """It gives the outputs, to which the losses are bound."""
    with pytest.raises(SpecError, match=r"network.layers\[0\].kind is 'conv2d'; the last layer.* is linear. Add"):
        parse(HEAD.format(data=MAPS) + f"[[network.layers]]\n{CONV}\n", "my.toml")


@pytest.mark.parametrize("name", ["conv", "rnn", "attention", "normalisation"])
def test_a_lesson_of_shared_weights_learns_and_is_no_exercise_yet(name: str, torch: ModuleType) -> None:
    """The mean loss of the last eight steps is below a third of the first eight's, in PyTorch too."""
    from sheetgen.check.referee import retrain

    spec = load(name)
    for run in spec.runs:
        losses = [row["E_total"] for row in retrain(spec, run)]
        assert sum(losses[-8:]) < sum(losses[:8]) / 3
    with pytest.raises(SheetgenError, match="exercises have linear layers only"):
        make_exercise(spec)
