"""What a workbook says of itself: the spec that it was built from, and the numbers that its Inputs tab has now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

from sheetgen.check.engines import Recalculated
from sheetgen.errors import CheckError, SpecError
from sheetgen.formulas.parse import parse_reference
from sheetgen.maths.derive import derive
from sheetgen.maths.rules import used_settings
from sheetgen.spec import parse
from sheetgen.spec.structure import Layer, Matrix, Run, Spec
from sheetgen.tabs.layout import HEADER_ROW, TABLE_TOP, setting_name
from sheetgen.xlsx.archive import VERSION_NAME
from sheetgen.xlsx.cells import Value, column_letters
from sheetgen.xlsx.package import WRITTEN
from sheetgen.xlsx.reader import Contents, FormulaCell, read_contents, read_names, read_properties

__all__ = ["Origin", "read_origin", "spec_now"]

MAX_SPEC = 4 << 20  # characters
LONGEST_VERSION = 20
Places = Mapping[tuple[int, int], Value | None]
"""Typed values of a tab by row and column."""


@dataclass(frozen=True)
class Input:
    """A cell of the Inputs tab and what is typed into it; a user may have put a formula there."""

    tab: str
    address: str
    content: Value | None
    is_formula: bool


@dataclass(frozen=True)
class Origin:
    """The spec (None in a workbook of a trained network only), the named input cells, and every training tab's header.

    `as_built` is false where another program saved the workbook after it was built. `version` is that of the sheetgen
    that wrote it, "" before 0.2.
    """

    spec: Spec | None
    inputs: Mapping[str, tuple[Input, ...]]
    headers: Mapping[str, tuple[str, ...]]
    as_built: bool
    version: str = ""


def read_origin(path: Path, contents: Contents | None = None, *, headers: bool = True) -> Origin:
    """CheckError, in one line, if the file is no workbook, is damaged, or is not as sheetgen wrote it.

    So it is if a name that its spec asks for does not mean cells of its Inputs tab, or a column is not called as there;
    without `headers` the columns are not looked at. `contents` is the file's, where it was read before.
    """
    made, names = read_properties(path), read_names(path)
    as_built = made.modified == f"{WRITTEN.isoformat()}Z" and "Openpyxl" in made.application
    version = names.get(VERSION_NAME, "").strip('"')[:LONGEST_VERSION]
    if "spec" not in names:
        return Origin(None, {}, {}, as_built, version)
    spec_at = parse_reference(names["spec"])
    formulas, tabs = contents or read_contents(path, None if headers or spec_at is None else spec_at.tab)
    inputs = _Inputs(path, names, tabs, formulas)
    spec = _parsed(inputs.spec_text(), path)
    cells = {name: inputs.cells(name, count) for name, count in _names(spec).items()}
    found = {run.label: _header(spec, run, tabs, path) for run in spec.runs} if headers else {}
    return Origin(spec, cells, found, as_built, version)


def spec_now(origin: Origin, recalculated: Recalculated, path: Path) -> tuple[Spec, tuple[Run, ...]]:
    """The spec with the numbers that stand on Inputs, and its runs under the names of their tabs.

    CheckError where a cell holds no number, or a training tab has not as many rows as the spec asks for.
    """
    spec = origin.spec
    assert spec is not None
    _count_rows(spec, recalculated, path)

    def column(name: str) -> list[float]:
        return [_number(cell, recalculated, path) for cell in origin.inputs[name]]

    def table(letter: str, width: int) -> Matrix:
        return tuple(zip(*(column(f"{letter}_{place + 1}") for place in range(width)), strict=True))

    now = replace(
        spec,
        inputs=table("x" if spec.scale else "i", len(spec.inputs[0])),
        targets=table("t", len(spec.targets[0])),
        layers=tuple(_layers(spec.layers, lambda name: column(name)[0])),
    )
    if spec.schedule:
        options = tuple((option, column(option)[0]) for option in _schedule(spec))
        now = replace(now, schedule=replace(spec.schedule, options=options))
    runs = []
    for run in spec.runs:
        [rate] = column(setting_name(spec, run, "learning_rate"))
        used = {option: column(setting_name(spec, run, option))[0] for option in used_settings(run.optimizer.options)}
        changed = tuple((option, used.get(option, value)) for option, value in run.optimizer.options)
        runs.append(Run(run.label, rate, replace(run.optimizer, options=changed)))
    return now, tuple(runs)


@dataclass
class _Inputs:
    """The cells behind the names of the tab that holds the spec."""

    path: Path
    names: Mapping[str, str]
    tabs: Mapping[str, Places]
    formulas: Sequence[FormulaCell]

    def __post_init__(self) -> None:
        found = parse_reference(self.names["spec"])
        self.tab = (found and found.tab) or ""
        if self.tab not in self.tabs:
            raise self._wrong("spec", "the cells of its spec")
        self._typed = self.tabs[self.tab]
        self._formulas = {cell.address for cell in self.formulas if cell.tab == self.tab}

    def spec_text(self) -> str:
        """The text of the spec, a line a cell, as far down as there are any."""
        top, left, bottom, _ = self._area("spec")
        last = min(bottom, max((row for row, _ in self._typed), default=0))
        text = "\n".join(str(self._typed.get((row, left)) or "") for row in range(top, last + 1))
        if len(text) > MAX_SPEC:
            found = f"{self.path}: the spec on its tab {self.tab} has {len(text):,} characters"
            raise CheckError(f"{found}; at most {MAX_SPEC:,} are read. Build it again with sheetgen build")
        return text

    def cells(self, name: str, count: int) -> tuple[Input, ...]:
        """The cells of a name, one below the other; CheckError if they are not as many."""
        top, left, bottom, right = self._area(name)
        if bottom - top + 1 != count or right != left:
            raise self._wrong(name, f"{count} cells below each other" if count > 1 else "one cell")
        return tuple(self._cell(row, left) for row in range(top, bottom + 1))

    def _cell(self, row: int, column: int) -> Input:
        address = f"{column_letters(column)}{row}"
        return Input(self.tab, address, self._typed.get((row, column)), address in self._formulas)

    def _area(self, name: str) -> tuple[int, int, int, int]:
        found = parse_reference(self.names.get(name, ""))
        first, last = (found.first, found.last or found.first) if found else (None, None)
        if not (found and first and last and found.tab == self.tab):
            raise self._wrong(name, f"cells of {self.tab}")
        return first.row or 1, first.column or 1, last.row or 1, last.column or 1

    def _wrong(self, name: str, expected: str) -> CheckError:
        found = f"the name {name} means {self.names.get(name, 'nothing')!r}; expected: {expected}"
        return CheckError(f"{self.path}: {found}. Give the name its meaning back, or build the workbook again.")


def _names(spec: Spec) -> dict[str, int]:
    """The names that the spec asks for, each with how many cells it means."""
    weights, biases = (sum(layer.count(letter) for layer in spec.layers) for letter in "wb")
    samples = len(spec.inputs)
    sizes = (
        ("x" if spec.scale else "i", len(spec.inputs[0]), samples),
        ("t", len(spec.targets[0]), samples),
        ("w", weights, 1),
    )
    found = {f"{c}_{k + 1}": count for c, size, count in (*sizes, ("b", biases, 1)) for k in range(size)}
    for run in spec.runs:
        for option in ("learning_rate", *used_settings(run.optimizer.options), *_schedule(spec)):
            found[setting_name(spec, run, option)] = 1
    return found


def _schedule(spec: Spec) -> Sequence[str]:
    """The options of the schedule of the rate."""
    return [name for name, _ in spec.schedule.options] if spec.schedule else []


def _parsed(text: str, path: Path) -> Spec:
    try:
        return parse(text, f"{path}: the spec on its tab Inputs")
    except SpecError as error:
        raise CheckError(str(error)) from None


def _header(spec: Spec, run: Run, tabs: Mapping[str, Places], path: Path) -> tuple[str, ...]:
    """The names of a training table's columns; CheckError if there is no such tab, or they are not the spec's."""
    if run.label not in tabs:
        found = f"has no tab {run.label!r}, which its spec asks for; its tabs are {', '.join(tabs)}"
        raise CheckError(f"{path}: {found}. Give the tab its name back.")
    cells = tabs[run.label]
    numbers = takewhile(lambda column: cells.get((HEADER_ROW, column)) is not None, range(1, len(cells) + 2))
    header = [str(cells[HEADER_ROW, column]) for column in numbers]
    if len(header) < sum(name[0] in "wb" and name[1] == "_" for name in _names(spec)):
        # What is far from the spec is told before its equations are derived, which takes time.
        raise CheckError(f"{path}: tab {run.label} has {len(header)} columns; its spec asks for more. Build it again.")
    names = [column.symbol.name for column in derive(spec, run.optimizer).columns]
    for number, (found, expected) in enumerate(zip_longest(header, names, fillvalue="nothing"), 1):
        if found != expected:
            where = f"{path}: {run.label}!{column_letters(number)}{HEADER_ROW}"
            raise CheckError(f"{where} is {found!r}; there the spec has {expected!r}. Give the column its name back.")
    return tuple(header)


def _count_rows(spec: Spec, recalculated: Recalculated, path: Path) -> None:
    """CheckError if a training tab has not the rows that the spec asks for: it could ask for any number of them."""
    last = dict[str, int]()
    for tab, address in recalculated:
        if address[0] == "A" and address[1:].isdecimal():
            last[tab] = max(last.get(tab, 0), int(address[1:]))
    for run in spec.runs:
        rows = max(0, last.get(run.label, 0) - TABLE_TOP + 1)
        if rows != spec.steps + 1:
            found = f"tab {run.label} has {rows:,} rows of formulas; its spec asks for {spec.steps + 1:,}"
            raise CheckError(f"{path}: {found}. Build it again with sheetgen build.")


def _layers(layers: tuple[Layer, ...], value: Any) -> Iterator[Layer]:
    """The layers with the weights and biases that Inputs has, numbered through the network."""
    numbers = {"w": 0, "b": 0}
    for layer in layers:
        tensors = []
        for tensor in layer.parameters:
            first = numbers[tensor.letter]
            numbers[tensor.letter] += len(tensor.values)
            names = (f"{tensor.letter}_{first + k + 1}" for k in range(len(tensor.values)))
            tensors.append(replace(tensor, values=tuple(value(name) for name in names)))
        yield layer.with_parameters(tuple(tensors))


def _number(cell: Input, recalculated: Recalculated, path: Path) -> float:
    """The cell's number; an empty cell counts as 0, as it does in formulas."""
    value = recalculated[cell.tab, cell.address] if cell.is_formula else cell.content
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        found = f"{cell.tab}!{cell.address} is {value!r}; a number is expected"
        raise CheckError(f"{path}: {found}. Type one and save the workbook.")
    return float(value)
