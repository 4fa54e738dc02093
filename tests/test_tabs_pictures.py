"""Map, Landscape and Try an input, beside PyTorch, after an engine recalculated them with other choices and numbers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl
import pytest
from edits import edit_and_recalculate
from portions import EXHAUSTIVE
from referees import complaints, stored

from sheetgen.build import build
from sheetgen.check.engines import Engine, Recalculated
from sheetgen.lessons.exercise import make_exercise
from sheetgen.lessons.workbook import fill_exercise
from sheetgen.spec import load, parse
from sheetgen.spec.structure import Spec
from sheetgen.tabs import landscape, landscape_passes, plane, plane_passes
from sheetgen.tabs.landscape_passes import SIDES
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.state import CHOICE_ROW, STEP_ROW
from sheetgen.tabs.workbook import fill_book
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import column_letters

RUN, STEP = ("Network", f"B{CHOICE_ROW}"), ("Network", f"B{STEP_ROW}")
TEMPLATES = [
    "erav2", "relu_regression",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("xor", "softmax_three_classes")),
    *(pytest.param(name, marks=EXHAUSTIVE) for name in (
        "and_online", "deep", "mazur", "mazur_output_first", "optimizers"
    )),
]  # fmt: skip
AWAY = 1e-10


class Net:
    """A spec's network in PyTorch, its parameters by the names that they have in the workbook."""

    def __init__(self, torch: ModuleType, spec: Spec, values: Mapping[str, float]) -> None:
        self.torch, self.spec = torch, spec
        self.values = {
            name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in values.items()
        }
        self.activations = {
            "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "identity": lambda x: x,
            "softplus": torch.nn.functional.softplus,
        }  # fmt: skip

    def outputs(self, inputs: Sequence[Sequence[float]]) -> tuple[Any, Any]:
        """Net inputs and answers of the last layer, each (samples, outputs)."""
        torch, weight, bias = self.torch, 0, 0
        x = torch.tensor(inputs, dtype=torch.float64)
        net = x
        for layer in self.spec.layers:
            rows = []
            for row in layer.weights:
                rows.append(torch.stack([self.values[f"w{weight + k + 1}"] for k in range(len(row))]))
                weight += len(row)
            net = x @ torch.stack(rows).T
            if layer.bias is not None:
                net = net + torch.stack([self.values[f"b{bias + k + 1}"] for k in range(layer.units)])
                bias += layer.units
            if layer.activation == "softmax":
                x = torch.softmax(net, 1)
            elif layer.activation == "leaky_relu":
                x = torch.nn.functional.leaky_relu(net, layer.negative_slope)
            else:
                x = self.activations[layer.activation](net)
        return net, x

    def loss(self, step: int) -> Any:
        """E_total, of the step's sample or of all."""
        functional = self.torch.nn.functional
        at = [step % len(self.spec.inputs)] if self.spec.batch == "online" else range(len(self.spec.inputs))
        targets = self.torch.tensor([self.spec.targets[k] for k in at], dtype=self.torch.float64)
        net, out = self.outputs([self.spec.inputs[k] for k in at])
        return {
            "half_squared_error": lambda: ((out - targets) ** 2).sum() / 2 / len(targets),
            "mse": lambda: functional.mse_loss(out, targets),
            "binary_cross_entropy": lambda: functional.binary_cross_entropy_with_logits(net, targets) * len(targets[0]),
            "cross_entropy": lambda: functional.cross_entropy(net, targets),
        }[self.spec.loss]()


def built(tmp_path: Path, template: str) -> tuple[Spec, Path]:
    spec = load(template)
    spec = replace(spec, steps=12, published=(), learning_rates=spec.learning_rates[-2:])
    path = tmp_path / "book.xlsx"
    build(spec, path)
    return spec, path


def values_of(spec: Spec, cells: Recalculated, step: int) -> dict[str, float]:
    """The parameters after some updates of the last run."""
    training = make_plan(spec).trainings[-1]
    names = [one.symbol for one in training.table.equations.network.parameters]
    return {
        symbol.name: number(cells, training.run.label, f"{training.table.letters[symbol]}{training.table.top + step}")
        for symbol in names
    }


def number(cells: Recalculated, tab: str, address: str) -> float:
    value = cells[tab, address]
    assert isinstance(value, (int, float)), (tab, address, value)
    return float(value)


def column(cells: Recalculated, tab: str, letter: str, rows: range) -> list[float]:
    return [number(cells, tab, f"{letter}{row}") for row in rows]


def edits(path: Path, spec: Spec, step: int) -> dict[tuple[str, str], Any]:
    """The last run at a step, and other data, weights and rates: whatever is typed on Inputs."""
    book = openpyxl.load_workbook(path)
    changes: dict[tuple[str, str], Any] = {RUN: spec.runs[-1].label, STEP: float(step)}
    for name in ("w_1", "w_2", "i_1", f"rate_{len(spec.learning_rates)}"):
        cells = book.defined_names[name].attr_text.split("!")[1].replace("$", "").split(":")
        value: Any = book["Inputs"][cells[0]].value
        changes["Inputs", cells[0]] = value * 1.1 + 0.01
    return changes


def now(spec: Spec, changes: Mapping[tuple[str, str], Any], path: Path) -> Spec:
    """The spec with the first sample's first input as it was typed."""
    book = openpyxl.load_workbook(path)
    first = book.defined_names["i_1"].attr_text.split("!")[1].replace("$", "").split(":")[0]
    (_, *rest), *others = spec.inputs
    return replace(spec, inputs=((changes["Inputs", first], *rest), *others))


def check_landscape(
    torch: ModuleType, spec: Spec, cells: Recalculated, step: int, draw: random.Random, chosen: Sequence[str]
) -> None:
    """Random passes have PyTorch's loss; the tangents have the slope of autograd and the height of the loss."""
    plan = make_plan(spec)
    side = landscape_passes.side_of(plan.network)
    assert side in SIDES
    tab = Book().add(landscape_passes.TAB)
    passes = landscape_passes.Passes(plan, None, tab)  # type: ignore[arg-type]
    base = values_of(spec, cells, step)
    rows = [landscape_passes.TOP, *(landscape_passes.TOP + draw.randrange(1, passes.count) for _ in range(12))]
    for row in rows:
        moved = [number(cells, tab.ws.title, f"{letter}{row}") for letter in "BC"]
        loss = float(Net(torch, spec, base | dict(zip(chosen, moved, strict=True))).loss(step).detach())
        assert number(cells, tab.ws.title, f"{passes.loss}{row}") == pytest.approx(loss, rel=AWAY, abs=AWAY)
    net = Net(torch, spec, base)
    loss = net.loss(step)
    loss.backward()
    for direction, name in enumerate(chosen):
        at, height = (column(cells, tab.ws.title, *_lines(shown.cells)) for shown in passes.tangent(direction))
        slope = float(net.values[name].grad)
        assert height[2] == pytest.approx(float(loss.detach()), rel=AWAY, abs=AWAY)
        assert at[2] == pytest.approx(base[name], rel=AWAY)
        if spec.updates == "simultaneous" or name in ("w5", "w6", "w7", "w8"):
            assert (height[4] - height[0]) / (at[4] - at[0]) == pytest.approx(slope, rel=1e-8, abs=AWAY)
        xs, ys = (column(cells, tab.ws.title, *_lines(shown.cells)) for shown in passes.slice_of(direction))
        assert ys[xs.index(at[2])] == height[2]  # it touches
    below, left = landscape.GRID_TOP + side - 1, landscape.GRID_LEFT
    picture = [
        number(cells, "Landscape", f"{column_letters(left + x)}{below - y}")
        for x, y in ((0, 0), (3, 1), (side - 1, side - 1))
    ]
    first = landscape_passes.TOP + 1 + 2 * side
    behind = [number(cells, tab.ws.title, f"{passes.loss}{first + at}") for at in (0, side + 3, side * side - 1)]
    assert picture == behind


def _lines(cells: str) -> tuple[str, range]:
    first, last = cells.split(":")
    letter = first.rstrip("0123456789")
    return letter, range(int(first[len(letter) :]), int(last[len(letter) :]) + 1)


def check_map(torch: ModuleType, spec: Spec, cells: Recalculated, step: int, draw: random.Random) -> None:
    """Random passes, those of the samples too, have PyTorch's answers."""
    plan = make_plan(spec)
    tab = Book().add(plane_passes.TAB)
    passes = plane_passes.Passes(plan, None, tab)  # type: ignore[arg-type]
    net = Net(torch, spec, values_of(spec, cells, step))
    count = len(spec.inputs)
    for row in [*range(min(count, 3)), *(draw.randrange(passes.count) for _ in range(12))]:
        place = plane_passes.TOP + row
        inputs = [number(cells, tab.ws.title, f"{passes.letters(one)}{place}") for one in passes.one.inputs]
        if row < count:
            assert inputs == pytest.approx(list(spec.inputs[row]))
        answers = [number(cells, tab.ws.title, f"{passes.letters(one)}{place}") for one in passes.one.outputs]
        assert answers == pytest.approx(net.outputs([inputs])[1][0].tolist(), rel=AWAY, abs=AWAY)


def try_cells(path: Path) -> tuple[list[str], list[str]]:
    """Where an input is typed on Network, and where the answer stands."""
    sheet: Any = openpyxl.load_workbook(path)["Network"]
    place = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "type here")
    typed, answers = [], []
    for row in sheet.iter_rows(min_row=place.row + 1):
        for cell in row:
            if cell.column == place.column and not cell.protection.locked and cell.value is not None:
                typed.append(cell.coordinate)
            elif cell.column > place.column and cell.number_format.startswith('"a_o'):
                answers.append(cell.coordinate)
    return typed, answers


def confirm(torch: ModuleType, template: str, tmp_path: Path, engine: Engine) -> None:
    """All three, with other choices and numbers than those that the workbook was built with."""
    spec, path = built(tmp_path, template)
    draw, step = random.Random(template), spec.steps - 3
    changes = edits(path, spec, step)
    typed, answers = try_cells(path)
    tried = [round(draw.uniform(-2, 2), 3) for _ in typed]
    changes |= {("Network", cell): value for cell, value in zip(typed, tried, strict=True)}
    cells = edit_and_recalculate(path, changes, engine)
    spec = now(spec, changes, path)
    sheet: Any = openpyxl.load_workbook(path)["Landscape"]
    row = landscape._row(landscape_passes.side_of(make_plan(spec).network), landscape.NAME)
    check_landscape(torch, spec, cells, step, draw, [sheet[f"{letter}{row}"].value for letter in "BC"])
    check_map(torch, spec, cells, step, draw)
    net = Net(torch, spec, values_of(spec, cells, step))
    given = [number(cells, "Network", cell) for cell in answers]
    assert given == pytest.approx(net.outputs([tried])[1][0].tolist(), rel=AWAY, abs=AWAY)
    before = stored(path)
    for tab in ("Map", "Landscape"):  # what is shown is not what was stored
        assert sum(before[place] != cells[place] for place in before if place[0] == tab) > 10
    assert [before["Network", cell] for cell in answers] != given


@pytest.mark.parametrize("template", TEMPLATES)
def test_pytorch_agrees_where_ironcalc_recalculates(torch: ModuleType, tmp_path: Path, template: str) -> None:
    """At random places to 1e-10, at another rate and step, with other data and weights."""
    confirm(torch, template, tmp_path, "ironcalc")


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.parametrize(
    "template",
    ["softmax_three_classes", *(pytest.param(name, marks=EXHAUSTIVE) for name in ("erav2", "relu_regression"))],
)
def test_pytorch_agrees_where_libreoffice_recalculates(
    torch: ModuleType, tmp_path: Path, template: str, soffice: Path
) -> None:
    confirm(torch, template, tmp_path, "libreoffice")


def test_a_typed_range_and_other_parameters_are_shown(tmp_path: Path, ooxml_validator: Path) -> None:
    """An end of a range is what is typed, else from the runs; a parameter that is chosen is the one that is moved."""
    _, path = built(tmp_path, "erav2")
    assert complaints(ooxml_validator, path) == []
    name, low = (f"B{landscape._row(31, line)}" for line in (landscape.NAME, landscape.FROM))
    cells = edit_and_recalculate(path, {("Landscape", name): "w3", ("Landscape", low): -4.0})
    axis = [cells[landscape_passes.TAB, f"B{row}"] for row in (72, 102)]
    assert axis[0] == -4.0
    assert float(axis[1] or 0) > 0.25
    header = next(
        c for c in openpyxl.load_workbook(path)[landscape_passes.TAB][landscape_passes.HEADER] if c.value == "w3"
    )
    moved = cells[landscape_passes.TAB, f"{header.column_letter}72"]
    assert moved == -4.0


def test_the_picture_shows_the_sample_that_is_chosen(tmp_path: Path) -> None:
    """xor's third sample is (1, 0), with target 1."""
    _, path = built(tmp_path, "xor")
    sheet: Any = openpyxl.load_workbook(path)["Network"]
    cell = openpyxl.load_workbook(path).defined_names["chosen_sample"].attr_text.split("!")[1].replace("$", "")
    cells = edit_and_recalculate(path, {("Network", cell): 3.0})
    shown = {
        one.number_format.split(" = ")[0].strip('"'): cells["Network", one.coordinate]
        for row in sheet.iter_rows()
        for one in row
        if isinstance(one.value, str) and one.value.startswith("=CHOOSE(chosen_sample")
    }
    assert (shown["i1"], shown["i2"], shown["t1"]) == (1, 0, 1)


WIDE = """
learning_rates = [0.1]
steps = 2
[data]
inputs = [[{inputs}]]
targets = [[0.5]]
[network]
loss = "mse"
[[network.layers]]
units = {units}
activation = "tanh"
weights = "random"
[[network.layers]]
units = 1
activation = "identity"
weights = "random"
"""


def test_what_is_left_out_is_said_on_start() -> None:
    """Three inputs have no plane; a network of many columns has fewer points, and one of very many has no landscape."""
    three = make_plan(parse(WIDE.format(inputs="1, 2, 3", units=2), "test"))
    titles = [tab.ws.title for tab in fill_book(three).tabs]
    assert "Map" not in titles
    assert "Landscape" in titles
    start = fill_book(three).tabs[0].ws
    said = [cell.value for row in start.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert any("Map is left out" in text for text in said)
    sides = []
    for units in (2, 15, 150):
        sides.append(
            landscape_passes.side_of(make_plan(parse(WIDE.format(inputs="1, 2", units=units), "test")).network)
        )
    assert sides[0] == 31
    assert 0 < sides[1] < 31
    assert sides[2] == 0
    wide = make_plan(parse(WIDE.format(inputs="1, 2", units=150), "test"))
    assert "left out" in landscape.left_out(wide)
    assert "left out" in plane.left_out(wide)


@pytest.mark.parametrize(("classes", "marked"), [(3, 3), (12, 9)])
def test_the_map_says_which_classes_are_marked(classes: int, marked: int) -> None:
    """One digit fits a cell; where there are more classes, the legend tells that the others have no mark."""
    rows = [[0, 1], [1, 0]]
    targets = [[float(one == sample) for one in range(classes)] for sample in range(2)]
    text = (
        f"learning_rates = [0.1]\nsteps = 1\n[data]\ninputs = {rows}\ntargets = {targets}\n[network]\n"
        f'loss = "cross_entropy"\nlayers = [{{units = {classes}, activation = "softmax", weights = "random"}}]\n'
    )
    [tab] = [one for one in fill_book(make_plan(parse(text, "test"))).tabs if one.ws.title == plane.TITLE]
    words = [cell.value for row in tab.ws.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert any("Each sample of classes 1 to 9 is marked" in one for one in words) == (marked < classes)
    rules = [
        rule for group in tab.ws.conditional_formatting for rule in group.rules if "map_marks" in str(rule.formula)
    ]
    assert len(rules) == 2 * marked


def test_an_exercise_gives_nothing_away() -> None:
    """It has neither tab, nor the formulas of a forward pass on Network."""
    book = fill_exercise(make_exercise(load("erav2")))
    titles = {tab.ws.title for tab in book.tabs}
    assert not titles & {"Map", "Landscape", plane_passes.TAB, landscape_passes.TAB}
    network = next(tab for tab in book.tabs if tab.ws.title == "Network")
    assert not any("EXP(" in str(cell.value) for row in network.ws.iter_rows() for cell in row)
