"""`check` on random networks: no false alarm on any scale and with any option, and a planted difference is found."""

from __future__ import annotations

import os
import random
import re
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from portions import portions
from referees import asked as check

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.check.rounding import Rounding
from sheetgen.spec import Spec, dump, parse
from sheetgen.spec.catalog import ACTIVATIONS, BATCHES, LOSSES, OPTIMIZERS, UPDATES
from sheetgen.xlsx.cells import number_text
from sheetgen.xlsx.reader import FormulaCell, read_formulas, sheet_parts

# Up to this one the networks are tried: one takes 0.6 s. `SHEETGEN_NETWORKS=3000 pytest -m exhaustive` tries more.
ALL = int(os.environ.get("SHEETGEN_NETWORKS", "240"))
PLANTED, PER_CASE = 1e-9, 40
HIDDEN = tuple(name for name in ACTIVATIONS if name != "softmax")
SLOPES = (0.01, 0.2, 0.3333333333333333, 1e-5, 0.0, 1.0, -0.5)
OPTIONS = {
    "weight_decay": (0.0, 0.01, 0.3333333333333333), "momentum": (0.0, 0.5, 0.9, 1.0), "alpha": (0.0, 0.5, 0.99),
    "eps": (0.0, 1e-10, 1e-8, 0.1), "lr_decay": (0.0, 0.1), "initial_accumulator_value": (0.0, 0.1, 10.0),
    "dampening": (0.0, 0.1, 0.5), "beta1": (0.0, 0.5, 0.9), "beta2": (0.0, 0.9, 0.999),
}  # fmt: skip


def random_spec(seed: int) -> Spec:
    """A small network; its weights, inputs, targets and rate each have a scale of their own from 1e-12 to 1e12."""
    draw = random.Random(seed)
    ordinary = draw.random() < 0.5

    def scale() -> float:
        return float(10.0 ** (draw.uniform(-2, 1) if ordinary else draw.uniform(-12, 12)))

    def numbers(count: int, size: float) -> list[float]:
        ways = (lambda: draw.uniform(-1, 1), lambda: draw.randint(-8, 8) / 8, lambda: 0.1 * draw.randint(-9, 9))
        return [draw.choice(ways)() * size for _ in range(count)]

    inputs, samples = draw.randint(1, 3), draw.choice((1, 1, 2, 4))
    units = [draw.randint(1, 4) for _ in range(draw.choice((1, 2, 2, 3)))]
    loss = draw.choice(sorted(LOSSES))
    units[-1] = max(units[-1], 2 if LOSSES[loss].sums_to_one else 1)
    last = LOSSES[loss].activation or draw.choice(HIDDEN)
    weights, data, goal = scale(), scale(), scale()
    layers = []
    for place, (count, fan_in) in enumerate(zip(units, [inputs, *units], strict=False)):
        activation = last if place == len(units) - 1 else draw.choice(HIDDEN)
        rows = [numbers(fan_in, weights) for _ in range(count)]
        layers += ["[[network.layers]]", f"units = {count}", f'activation = "{activation}"', f"weights = {rows}"]
        if activation == "leaky_relu":
            layers.append(f"negative_slope = {draw.choice(SLOPES)}")
        if draw.random() < 0.5:
            layers += [f"bias = {numbers(count, weights)}", f"train_bias = {draw.choice(('true', 'false'))}"]
    if LOSSES[loss].activation:
        shares = [[draw.randint(0, 8) for _ in range(units[-1])] for _ in range(samples)]
        targets = [[one / sum(row) for one in row] if any(row) else [1.0] + [0.0] * (len(row) - 1) for row in shares]
    else:
        targets = [numbers(units[-1], goal) for _ in range(samples)]
    name = draw.choice(sorted(OPTIMIZERS))
    options = {
        key: draw.choice([value for value in OPTIONS[key] if value in option.allowed])
        for key, option in OPTIMIZERS[name].items()
        if draw.random() < 0.5
    }
    given = [key for key in ("beta1", "beta2") if key in OPTIMIZERS[name]]
    betas = {key: options.pop(key, OPTIMIZERS[name][key].default) for key in given}
    lines = [f"{key} = {value}" for key, value in options.items()]
    rates = {scale() for _ in range(draw.choice((1, 1, 2)))} | {draw.choice((0.1, 0.3333333333333333, 1e-5))}
    return parse(
        "\n".join(
            [
                f"learning_rates = {sorted(rates)}",
                f"steps = {draw.randint(1, 12)}\npictures = false",
                f"[data]\ninputs = {[numbers(inputs, data) for _ in range(samples)]}\ntargets = {targets}",
                f'[network]\nloss = "{loss}"',
                *layers,
                f'[training]\nbatch = "{draw.choice(BATCHES)}"',
                f'updates = "{draw.choice(UPDATES)}"',
                f'[training.optimizer]\nname = "{name}"',
                *lines,
                f"betas = {list(betas.values())}" if betas else "",
            ]
        ),
        f"random network {seed}",
    )


@pytest.fixture
def checked(request: pytest.FixtureRequest, tmp_path: Path, torch: ModuleType) -> list[tuple[Spec, Path]]:
    """The workbooks of some random networks."""
    found = []
    for seed in request.param:
        spec, path = random_spec(seed), tmp_path / f"{seed}.xlsx"
        build(spec, path)
        found.append((spec, path))
    return found


@pytest.mark.parametrize("checked", portions(8, 40, ALL, 40), indirect=True)
def test_a_fresh_workbook_is_confirmed_and_a_planted_difference_found(checked: list[tuple[Spec, Path]]) -> None:
    """IronCalc and PyTorch agree on every network; a difference of 1e-9 in any of its cells is no rounding."""
    for spec, path in checked:
        report = check(path)
        assert report.ok, f"{report.failure}\n{dump(spec)}"
        draw = random.Random(str(path.name))
        recalculated = recalculate(path)
        rounding = Rounding(path, recalculated, as_built=True)
        numbers = [cell for cell in read_formulas(path) if is_large_enough(cell)]
        for cell in draw.sample(numbers, min(PER_CASE, len(numbers))):
            value = recalculated[cell.tab, cell.address]
            for planted in (moved(cell, PLANTED), moved(cell, -PLANTED)):
                assert not rounding.explains(cell, planted, value), (path.name, cell, value)


@pytest.mark.parametrize("seed", range(0, 24, 4))
def test_a_planted_difference_in_the_file_is_found(seed: int, tmp_path: Path, torch: ModuleType) -> None:
    """The check names the very cell."""
    path, changed = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    build(random_spec(seed), path)
    cell = random.Random(seed).choice([cell for cell in read_formulas(path) if is_large_enough(cell)])
    plant(path, changed, cell, moved(cell, PLANTED))
    assert f": {cell.tab}!{cell.address} (" in check(changed).comparisons[0].failure


@pytest.mark.libreoffice
@pytest.mark.parametrize("checked", portions(3, 8, min(ALL, 200), 32), indirect=True)
def test_a_fresh_workbook_is_confirmed_by_libreoffice(checked: list[tuple[Spec, Path]], soffice: Path) -> None:
    """Its sums, its exp and its differences that it takes for 0 are rounding, and nothing else."""
    for spec, path in checked:
        report = check(path, "libreoffice")
        assert report.ok, f"{report.failure}\n{dump(spec)}"


def is_large_enough(cell: FormulaCell) -> bool:
    """Whether it holds a number that can be moved by a part of itself."""
    return isinstance(cell.value, float) and abs(cell.value) > 1e-290


def moved(cell: FormulaCell, part: float) -> float:
    """The cell's number, off by a part of itself."""
    assert isinstance(cell.value, float)
    return cell.value * (1 + part)


def plant(path: Path, out: Path, cell: FormulaCell, value: float) -> None:
    """A copy with another number stored in a cell."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        part = dict(sheet_parts(source))[cell.tab]
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == part:
                pattern = rf'(<c r="{cell.address}"(?:(?!</c>).)*<v>)[^<]*'
                text, count = re.subn(pattern, rf"\g<1>{number_text(value)}", data.decode())
                assert count == 1
                data = text.encode()
            copy.writestr(entry.filename, data)
