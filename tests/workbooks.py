"""Specs and workbooks that tests make: one line of choices -> TOML -> Spec -> a file."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sheetgen.check.office import convert
from sheetgen.spec import Spec, parse
from sheetgen.spec.catalog import OPTIMIZERS
from sheetgen.tabs import inputs
from sheetgen.tabs.layout import HEADER_ROW, SETTING_VALUES, setting_name
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Block, FillDown, Formula
from sheetgen.xlsx.package import save

BIAS = {"none": "", "trained": 'bias = "random"', "fixed": 'bias = "random"\ntrain_bias = false'}


@dataclass(frozen=True)
class Choice:
    """A network to try; every layer has `units` units, and the numbers are drawn by `seed`."""

    hidden: str = "sigmoid"
    last: str = "sigmoid"
    loss: str = "half_squared_error"
    bias: str = "none"
    batch: str = "full"
    updates: str = "simultaneous"
    optimizers: tuple[str, ...] = ("sgd",)
    units: Sequence[int] = (2, 2)
    samples: int = 2
    steps: int = 50
    rate: float = 0.01
    seed: int = 1
    options: str = ""

    @property
    def spec(self) -> Spec:
        """The spec, with data drawn from -1 to 1 and targets that suit every loss."""
        draw = random.Random(self.seed)
        data = [[draw.uniform(-1, 1) for _ in range(2)] for _ in range(self.samples)]
        targets = [_shares(draw, self.units[-1]) for _ in range(self.samples)]
        return spec_of(self, data, targets)


def _shares(draw: random.Random, count: int) -> list[float]:
    """Numbers from 0 to 1 that sum to 1, in 64ths, so that the sum is exact."""
    cuts = sorted(draw.randint(0, 64) for _ in range(count - 1))
    return [(b - a) / 64 for a, b in zip([0, *cuts], [*cuts, 64], strict=True)]


def spec_of(choice: Choice, data: Sequence[Sequence[float]], targets: Sequence[Sequence[float]]) -> Spec:
    """The spec of a choice for given data."""
    activations = [choice.hidden] * (len(choice.units) - 1) + [choice.last]
    layers = "\n".join(
        f'[[network.layers]]\nunits = {units}\nactivation = "{activation}"\nweights = "random"\n{BIAS[choice.bias]}'
        for units, activation in zip(choice.units, activations, strict=True)
    )
    optimizers = "\n".join(f'[[training.optimizers]]\nname = "{name}"\n{choice.options}' for name in choice.optimizers)
    return parse(
        f"seed = {choice.seed}\nlearning_rates = [{choice.rate}]\nsteps = {choice.steps}\npictures = false\n"
        f"[data]\ninputs = {[list(row) for row in data]}\ntargets = {[list(row) for row in targets]}\n"
        f'[network]\nloss = "{choice.loss}"\n{layers}\n'
        f'[training]\nbatch = "{choice.batch}"\nupdates = "{choice.updates}"\n{optimizers}\n',
        "test",
    )


ALL_OPTIMIZERS = tuple(OPTIMIZERS)


def write_tables(spec: Spec, path: Path) -> Path:
    """A workbook of the Inputs tab and the bare training tables, which is all that `check` retrains; quick to write."""
    plan = make_plan(spec)
    book = Book()
    inputs.fill(book.add("Inputs"), plan)
    for one in plan.trainings:
        tab = book.add(one.run.label)
        options = dict(one.run.optimizer.options) | {"learning_rate": one.run.rate}
        options |= dict(spec.schedule.options) if spec.schedule else {}
        for column, option in enumerate(one.table.equations.settings.values(), 2):
            name = setting_name(spec, one.run, option)
            tab.put(SETTING_VALUES, column, Formula(f"={name}", options[option]))
        columns = []
        for number, (column_of, start, fill) in enumerate(one.table.formulas(), 1):
            tab.put(HEADER_ROW, number, column_of.symbol.name)
            columns.append(FillDown(start, fill))
        tab.block = Block(one.table.top, tuple(columns), one.values)
    if spec.scale:
        complete(book)
    save(book, path)
    return path


def change_parts(path: Path, out: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """A copy in which, part by part, every match of a regular expression is replaced; each must match."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename in changes:
                pattern, replacement = changes[entry.filename]
                text, count = re.subn(pattern, replacement, data.decode())
                assert count, f"{entry.filename} has no {pattern}"
                data = text.encode()
            copy.writestr(entry.filename, data)
    return out


def save_again(path: Path, folder: Path) -> Path:
    """The workbook as LibreOffice saves it after recalculating: another program's file with the same content."""
    [result] = convert([path], folder)
    return result
