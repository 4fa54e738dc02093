"""`check` on strangers' tables of other networks, and of formulas edited or rewritten at random."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter
from handmade import Handmade, Layout, write
from mutations import edits, rewritten
from portions import portions
from specs import plain

from sheetgen.build import build
from sheetgen.check.foreign.book import Book, formula_of, read_book
from sheetgen.check.foreign.draws import Machine
from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.told import Foreign
from sheetgen.errors import ExcelError
from sheetgen.formulas.sheet import CircularError, Copy, Sheet, Workbook
from sheetgen.spec import Spec, load, template_names
from sheetgen.spec import parse as parse_spec
from sheetgen.xlsx.cells import column_letters

HEAD = "learning_rates = [0.5]\nsteps = 8\n"
NETWORKS = {
    "2-3-1, tanh": (
        "[data]\ninputs = [[0.3, -0.8]]\ntargets = [[0.25]]\n[network]\nloss = \"mse\"\n"
        '[[network.layers]]\nunits = 3\nactivation = "tanh"\nweights = "random"\n'
        '[[network.layers]]\nunits = 1\nactivation = "tanh"\nweights = "random"\n'
    ),
    "3-4-2 with biases": (
        "[data]\ninputs = [[0.3, -0.8, 0.5]]\ntargets = [[0.25, 0.75]]\n[network]\nloss = \"half_squared_error\"\n"
        '[[network.layers]]\nunits = 4\nactivation = "sigmoid"\nweights = "random"\nbias = "random"\n'
        '[[network.layers]]\nunits = 2\nactivation = "sigmoid"\nweights = "random"\nbias = "random"\n'
    ),
    "relu": (
        "[data]\ninputs = [[0.3, 0.8]]\ntargets = [[0.25]]\n[network]\nloss = \"mse\"\n"
        '[[network.layers]]\nunits = 3\nactivation = "relu"\nweights = "random"\nbias = "random"\n'
        '[[network.layers]]\nunits = 1\nactivation = "identity"\nweights = "random"\nbias = "random"\n'
    ),
    "softmax": (
        "[data]\ninputs = [[0.3, 0.8]]\ntargets = [[0, 1, 0]]\n[network]\nloss = \"cross_entropy\"\n"
        '[[network.layers]]\nunits = 2\nactivation = "tanh"\nweights = "random"\n'
        '[[network.layers]]\nunits = 3\nactivation = "softmax"\nweights = "random"\n'
    ),
    "two hidden layers": (
        "[data]\ninputs = [[0.3, 0.8]]\ntargets = [[0.4]]\n[network]\nloss = \"half_squared_error\"\n"
        '[[network.layers]]\nunits = 2\nactivation = "sigmoid"\nweights = "random"\n'
        '[[network.layers]]\nunits = 2\nactivation = "tanh"\nweights = "random"\n'
        '[[network.layers]]\nunits = 1\nactivation = "sigmoid"\nweights = "random"\n'
    ),
    "three samples in a row": (
        "[data]\ninputs = [[0.3, 0.8], [0.1, -0.4], [0.9, 0.2]]\ntargets = [[0.4], [0.6], [0.3]]\n"
        '[network]\nloss = "half_squared_error"\n'
        '[[network.layers]]\nunits = 2\nactivation = "sigmoid"\nweights = "random"\nbias = "zeros"\n'
        '[[network.layers]]\nunits = 1\nactivation = "sigmoid"\nweights = "random"\nbias = "zeros"\n'
    ),
}  # fmt: skip
UNLIKE_SGD = ("deep", "iris", "optimizers")
Cells = dict[tuple[int, int], str | float | bool]


def table_of(spec: Spec, folder: Path) -> tuple[Book, str]:
    """The workbook that sheetgen builds, as cells, and its first training tab: sympy derived every formula of it."""
    build(replace(spec, pictures=False), folder / "built.xlsx")
    return read_book(folder / "built.xlsx"), spec.runs[0].label


def copied(book: Book, tab: str, folder: Path, edits: Mapping[tuple[int, int], str] | None = None) -> Foreign:
    """What is said of Inputs and a training tab in a workbook of another program, with some formulas edited."""
    sheets, contents = {}, {}
    for title in ("Inputs", tab):
        sheet, cells = Sheet(), Cells()
        for place, cell in book.tabs[title].items():
            content = cell.value if cell.text is None else formula_of(cell)
            if title == tab and edits and place in edits:
                content = edits[place]
            assert content is not None
            cells[place] = content
            is_formula = isinstance(content, str) and content.startswith("=")
            sheet.values[place] = None if is_formula else content
            if is_formula:
                sheet.formulas[place] = Copy(str(content)[1:])
        sheets[title], contents[title] = sheet, cells
    names = {name: text for name, text in book.names.items() if text.startswith("Inputs!")}
    Workbook(sheets, names).compute()
    path = folder / "copied.xlsx"
    with xlsxwriter.Workbook(path) as out:
        for title, cells in contents.items():
            page = out.add_worksheet(title)
            for place, content in cells.items():
                at = place[0] - 1, place[1] - 1
                if isinstance(content, str) and content.startswith("="):
                    value = sheets[title].values[place]
                    page.write_formula(*at, content, None, str(value) if isinstance(value, ExcelError) else value)
                elif isinstance(content, str):
                    page.write_string(*at, content)
                else:
                    page.write(*at, content)
        for name, text in names.items():
            out.define_name(name, f"={text}")
    return examine(path)


@pytest.mark.parametrize("name", [one for one in template_names() if one not in UNLIKE_SGD and load(one).dense])
def test_what_sympy_derives_is_what_is_judged_by(name: str, tmp_path: Path) -> None:
    """The training tab of every template, as a stranger's: no finding, and every column was compared."""
    spec = plain(name, None, 6)
    book, tab = table_of(spec, tmp_path)
    found = copied(book, tab, tmp_path)
    assert found.ok, found.lines()
    [table] = found.tables
    assert table.rate == spec.runs[0].rate
    assert table.network is not None and table.network.units[0] == len(spec.inputs[0])
    assert table.compared > 6 * table.columns


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (at % 3 > 0)) for at, one in enumerate(NETWORKS)]
)
def test_mistakes_in_other_networks_are_found(name: str, tmp_path: Path) -> None:
    """A column's formula with another symbol in it: named, with its first cell, and nothing else."""
    book, tab = table_of(parse_spec(HEAD + NETWORKS[name], name), tmp_path)
    right = copied(book, tab, tmp_path)
    assert right.ok, right.lines()
    table = right.tables[0].table
    draw = random.Random(name)
    columns = {
        symbol: column
        for symbol, column in table.columns.items()
        if symbol not in ("step", "η") and symbol[0] not in "ti"
    }
    tried = 0
    while tried < 6:
        symbol, other = draw.sample(sorted(columns), 2)
        first = table.first_row + (symbol[0] in "wb")
        cell = book.tabs[tab][first, columns[symbol]]
        inside = [one for one in re.findall(r"[A-Z]{1,3}\d+", formula_of(cell)) if one[-1].isdigit()]
        if cell.text is None or not inside:
            continue
        there = draw.choice(inside)
        edits = {}
        for row in range(first, table.last_row + 1):
            text = formula_of(book.tabs[tab][row, columns[symbol]])
            down = int(re.sub(r"\D", "", there)) + row - first
            old, new = re.sub(r"\d+", str(down), there), f"{column_letters(columns[other])}{down}"
            edits[row, columns[symbol]] = re.sub(rf"\b{old}\b", new, text)
        try:
            found = copied(book, tab, tmp_path, edits)
        except CircularError:
            continue
        tried += 1
        if all(formula_of(book.tabs[tab][place]) == text for place, text in edits.items()):
            continue
        findings = found.tables[0].findings
        assert [one.cell for one in findings] == [f"{column_letters(columns[symbol])}{first}"], (
            symbol,
            there,
            other,
            found.lines(),
        )


@pytest.mark.parametrize("loss", ["half_squared_error", "squared_error", "binary_cross_entropy"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "identity", "relu", "leaky_relu"])
def test_gradients_are_those_of_central_differences(activation: str, loss: str) -> None:
    """Which know no chain rule."""
    last = "sigmoid" if loss.startswith("binary") else activation
    network = Network((2, 3, 2), ("own", "shared"), 2, (True, False), (activation, last), loss, 0.5, loss, 0.5)
    machine = Machine(network)
    draw = random.Random(f"{activation} {loss}")
    given = {f"{letter}{k}[{s}]": draw.uniform(0.1, 0.9) for letter in "it" for k in (1, 2) for s in (1, 2)}
    given |= {name: draw.uniform(-1, 1) for name in network.weights} | {"η": 0.1}
    state, step = machine.run(given), 1e-6
    for name in network.weights:
        up, down = (machine.run({**given, name: given[name] + sign * step})["E_total"] for sign in (1, -1))
        assert math.isclose(state[f"∂E/∂{name}"], (up - down) / (2 * step), rel_tol=1e-6, abs_tol=1e-9), name


ROWS = 20
MADE = Handmade(layout=Layout(rows=ROWS))


@pytest.mark.parametrize("seeds", portions(60, 150, 2_250, 300))
def test_a_random_edit_is_found_where_it_is(seeds: range, tmp_path: Path) -> None:
    """Of those that change a value, at least 99 of 100 are found, and the cell that is named is the edited one."""
    missed = []
    tried = [one for seed in seeds for one in edits(MADE, random.Random(seed), 1) if one.changes]
    assert len(tried) > len(seeds) / 3
    for one in tried:
        findings = examine(write(tmp_path / "edited.xlsx", one.made)).tables[0].findings
        if [finding.cell for finding in findings] != [one.address]:
            missed.append((one.address, one.text, [(finding.cell, finding.why) for finding in findings]))
    assert len(missed) <= len(tried) / 100, missed


@pytest.mark.parametrize("seeds", portions(12, 40, 1_000, 240))
def test_another_way_to_write_it_is_right(seeds: range, tmp_path: Path) -> None:
    """Every formula of the table rewritten at random, in each of its rows: no finding."""
    changed = 0
    for seed in seeds:
        draw = random.Random(seed)
        cells: dict[tuple[str, int], str | float | bool] = {}
        for symbol in MADE.layout.order:
            for row in range(symbol in MADE.starts, ROWS):
                text = f"={MADE.formula(MADE.formulas[symbol], row)}"
                cells[symbol, row] = rewritten(text, draw)
                changed += cells[symbol, row] != text
        found = examine(write(tmp_path / "rewritten.xlsx", Handmade(layout=MADE.layout, cells=cells)))
        assert found.ok, (seed, found.lines())
    assert changed > 200 * len(seeds)
