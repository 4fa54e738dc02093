"""What a workbook says of itself: the spec that it was built from, and the numbers that its Inputs tab has now."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

from sheetgen.check.engines import Recalculated
from sheetgen.errors import CheckError, SpecError
from sheetgen.spec import parse
from sheetgen.spec.catalog import OPTIMIZERS
from sheetgen.spec.structure import Layer, Matrix, Run, Spec
from sheetgen.tabs.layout import HEADER_ROW, setting_name
from sheetgen.xlsx.cells import column_letters
from sheetgen.xlsx.package import CREATOR, WRITTEN
from sheetgen.xlsx.reader import open_workbook, sheet_parts

__all__ = ["Origin", "read_origin", "spec_now"]

_PROPERTIES = "docProps/core.xml"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_MODIFIED = "{http://purl.org/dc/terms/}modified"


@dataclass(frozen=True)
class Input:
    """A cell of the Inputs tab and what is typed into it; a user may have put a formula there."""

    tab: str
    address: str
    content: object
    is_formula: bool


@dataclass(frozen=True)
class Origin:
    """The spec (None in a workbook of a trained network only), the named input cells, and every training tab's header.

    `as_built` is false where another program saved the workbook after it was built.
    """

    spec: Spec | None
    inputs: Mapping[str, tuple[Input, ...]]
    headers: Mapping[str, tuple[str, ...]]
    as_built: bool


def read_origin(path: Path) -> Origin:
    """CheckError, in one line, if the file is no workbook, is damaged, or was not written by sheetgen."""
    with open_workbook(path) as archive:
        sheet_parts(archive)
        creator, modified = _properties(archive)
        with path.open("rb") as file, warnings.catch_warnings():
            # openpyxl warns of what another program added and it would lose; nothing is saved here.
            warnings.simplefilter("ignore")
            book = load_workbook(file, read_only=True)
            names = {name: list(defined.destinations) for name, defined in book.defined_names.items()}
            if "spec" not in names:
                if creator != CREATOR:
                    raise CheckError(f"{path}: was not written by sheetgen; name a workbook that sheetgen build wrote")
                return Origin(None, {}, {}, modified == WRITTEN.isoformat() + "Z")
            cells = _inputs(book, names)
            lines = [str(cell.content or "") for cell in cells.pop("spec")]
            spec = _parsed("\n".join(lines), path)
            headers = {run.label: _header(book, run.label, path) for run in spec.runs}
    return Origin(spec, cells, headers, modified == WRITTEN.isoformat() + "Z")


def spec_now(origin: Origin, recalculated: Recalculated, path: Path) -> tuple[Spec, tuple[Run, ...]]:
    """The spec with the numbers that stand on Inputs, and its runs under the names of their tabs.

    CheckError where a cell holds no number.
    """
    spec = origin.spec
    assert spec is not None

    def column(name: str) -> list[float]:
        return [_number(cell, recalculated, path) for cell in origin.inputs[name]]

    def table(letter: str, width: int) -> Matrix:
        return tuple(zip(*(column(f"{letter}_{place + 1}") for place in range(width)), strict=True))

    now = replace(
        spec,
        inputs=table("i", len(spec.inputs[0])),
        targets=table("t", len(spec.targets[0])),
        layers=tuple(_layers(spec.layers, lambda name: column(name)[0])),
    )
    runs = []
    for run in spec.runs:
        [rate] = column(setting_name(spec, run, "learning_rate"))
        options = {option: setting_name(spec, run, option) for option in OPTIMIZERS[run.optimizer.name]}
        values = {option: column(name)[0] for option, name in options.items() if name in origin.inputs}
        changed = tuple((option, values.get(option, value)) for option, value in run.optimizer.options)
        runs.append(Run(run.label, rate, replace(run.optimizer, options=changed)))
    return now, tuple(runs)


def _properties(archive: zipfile.ZipFile) -> tuple[str, str]:
    """Who created the workbook, and when it was last modified."""
    if _PROPERTIES not in archive.namelist():
        return "", ""
    properties = ElementTree.fromstring(archive.read(_PROPERTIES))
    return properties.findtext(_CREATOR, ""), properties.findtext(_MODIFIED, "")


def _inputs(book: Any, names: Mapping[str, list[tuple[str, str]]]) -> dict[str, tuple[Input, ...]]:
    """The cells behind every name that means cells of the tab that holds the spec."""
    [(tab, _)] = names["spec"]
    rows = [[(cell.value, cell.data_type == "f") for cell in row] for row in book[tab].iter_rows()]
    return {
        name: tuple(_cells(rows, tab, places[0][1]))
        for name, places in names.items()
        if len(places) == 1 and places[0][0] == tab
    }


def _cells(rows: list[list[tuple[object, bool]]], tab: str, cells: str) -> Iterator[Input]:
    left, top, right, bottom = range_boundaries(cells)
    for row in range(top or 1, (bottom or 1) + 1):
        for column in range(left or 1, (right or 1) + 1):
            inside = row <= len(rows) and column <= len(rows[row - 1])
            content = rows[row - 1][column - 1] if inside else (None, False)
            yield Input(tab, f"{column_letters(column)}{row}", *content)


def _parsed(text: str, path: Path) -> Spec:
    try:
        return parse(text, f"{path}: the spec on its tab Inputs")
    except SpecError as error:
        raise CheckError(str(error)) from None


def _header(book: Any, tab: str, path: Path) -> tuple[str, ...]:
    """The names of a training table's columns, from column A to the first empty cell."""
    if tab not in book.sheetnames:
        found = f"has no tab {tab!r}, which its spec asks for; its tabs are {', '.join(book.sheetnames)}"
        raise CheckError(f"{path}: {found}. Give the tab its name back.")
    names: list[str] = []
    for row in book[tab].iter_rows(min_row=HEADER_ROW, max_row=HEADER_ROW, values_only=True):
        for value in row:
            if value is None:
                break
            names.append(str(value))
    return tuple(names)


def _layers(layers: tuple[Layer, ...], value: Any) -> Iterator[Layer]:
    """The layers with the weights and biases that Inputs has, numbered through the network."""
    weights = biases = 0
    for layer in layers:
        rows = []
        for row in layer.weights:
            rows.append(tuple(value(f"w_{weights + k + 1}") for k in range(len(row))))
            weights += len(row)
        bias = layer.bias
        if bias is not None:
            bias = tuple(value(f"b_{biases + k + 1}") for k in range(len(bias)))
            biases += len(bias)
        yield replace(layer, weights=tuple(rows), bias=bias)


def _number(cell: Input, recalculated: Recalculated, path: Path) -> float:
    """The cell's number; an empty cell counts as 0, as it does in formulas."""
    value = recalculated[cell.tab, cell.address] if cell.is_formula else cell.content
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        found = f"{cell.tab}!{cell.address} is {value!r}; a number is expected"
        raise CheckError(f"{path}: {found}. Type one and save the workbook.")
    return float(value)
