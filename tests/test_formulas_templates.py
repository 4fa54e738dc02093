"""Every formula of every template, and of the live digit network, evaluated from what is typed alone.

IronCalc is the referee, to 1e-12 of a number, or 1e-15: as in `sheetgen.check`, since a number that is nothing but the
rounding of two nearly equal ones (a check's difference, a gradient at the minimum) has no digits of its own.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import specs
from referees import calamine_cells, differences

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.formulas.sheet import Copy, Sheet, Workbook
from sheetgen.formulas.values import Scalar, plain
from sheetgen.spec import template_names
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import open_workbook, place, read_formulas, read_names, sheet_parts

RELATIVE, ABSOLUTE = 1e-12, 1e-15

# The others are proved with their pictures, which are large, by test_tabs_pictures.py.
WITH_PICTURES = ("erav2", "and_online")


def computed(path: Path) -> dict[tuple[str, str], Scalar]:
    """What every formula of a workbook gives here; its stored values are not looked at."""
    with open_workbook(path) as archive:
        sheets = {title: Sheet() for title, _ in sheet_parts(archive)}
    spots: dict[tuple[str, str], tuple[int, int]] = {}
    for cell in read_formulas(path):
        row, column = spots[cell.tab, cell.address] = place(cell.address)
        top, left = place(cell.origin) if cell.origin else (row, column)
        sheets[cell.tab].values[row, column] = None
        sheets[cell.tab].formulas[row, column] = Copy(cell.text, row - top, column - left)
    for (tab, address), value in calamine_cells(path).items():
        if (tab, address) not in spots:
            sheets[tab].values[place(address)] = plain(value)
    Workbook(sheets, read_names(path)).compute()
    return {(tab, address): sheets[tab].values[spot] for (tab, address), spot in spots.items()}


@pytest.mark.parametrize("name", template_names())
def test_every_formula_of_a_template_has_ironcalcs_value(name: str, tmp_path: Path) -> None:
    """Computed from the typed cells, as if nothing were stored."""
    path = tmp_path / "book.xlsx"
    summary = build(specs.few_steps(name, pictures=name in WITH_PICTURES), path)
    found = computed(path)
    assert len(found) == summary.formulas
    assert differences(found, recalculate(path), relative=RELATIVE, absolute=ABSOLUTE) == []


@pytest.mark.slow
def test_every_formula_of_the_live_network_has_ironcalcs_value(tmp_path: Path, torch: ModuleType) -> None:
    """Sums of up to 252 products on tabs Draw, Layers and Kernels, in the order in which IronCalc adds them up."""
    from live_runs import live_run

    from cnn.live.tabs import add_live_tabs
    from cnn.run import read_run

    book, path = Book(), tmp_path / "live.xlsx"
    add_live_tabs(book, read_run(live_run(tmp_path / "run")))
    complete(book)
    save(book, path)
    found = computed(path)
    assert len(found) == book.formulas > 39_000
    assert differences(found, recalculate(path), relative=RELATIVE, absolute=ABSOLUTE) == []
