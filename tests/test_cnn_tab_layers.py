"""The CNN layers tab: 19,822 parameters and the receptive fields, from formulas, as the tensors have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ironcalc
import pytest
from cnn_runs import make_run
from openpyxl import load_workbook
from referees import stored

from cnn.export import export
from cnn.layers import parameter_shapes
from cnn.tabs.layers import TITLE, TOP, layers
from sheetgen.xlsx.page import AGREES, DIFFERS

ROWS = {layer.name: row for row, layer in enumerate(layers(), TOP + 1)}
SHEET = 1


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of a run."""
    folder = tmp_path_factory.mktemp("workbook")
    export(make_run(folder / "run"), folder / "run.xlsx")
    return folder / "run.xlsx"


def test_parameters_and_receptive_fields(workbook: Path) -> None:
    """19,822 in all, and 3, 5, 6, 10, 14, 16, 24, 32 after the convolutions and pools."""
    cells = stored(workbook)
    assert (cells[TITLE, "A5"], cells[TITLE, "B5"], cells[TITLE, "C5"], cells[TITLE, "D5"]) == (
        19_822,
        19_822,
        AGREES,
        32,
    )
    seeing = [row for name, row in ROWS.items() if name.startswith(("conv", "pool"))]
    assert [cells[TITLE, f"O{row}"] for row in seeing] == [3, 5, 6, 10, 14, 16, 24, 32]
    assert [cells[TITLE, f"H{row}"] for row in seeing] == [28, 28, 14, 14, 14, 7, 5, 3]
    assert [cells[TITLE, f"N{row}"] for row in seeing] == [1, 1, 2, 2, 2, 4, 4, 4]


def test_rows_agree_with_the_tensors_of_the_network(workbook: Path) -> None:
    """Layer by layer; running statistics are not parameters."""
    cells = stored(workbook)
    for name, row in ROWS.items():
        shapes = [shape for tensor, shape in parameter_shapes().items() if tensor in (f"{name}.weight", f"{name}.bias")]
        assert cells[TITLE, f"L{row}"] == sum(_size(shape) for shape in shapes)
        assert cells[TITLE, f"R{row}"] == AGREES
    sheet: Any = load_workbook(workbook)[TITLE]
    assert sum(sheet[f"Q{row}"].value for row in ROWS.values()) == 19_822
    assert sheet[f"P{ROWS['conv2']}"].value == "16×12×3×3 and 16"


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total


def test_changing_a_kernel_changes_what_follows(workbook: Path) -> None:
    """Through an engine: the first kernel made 5 wide sees 5 pixels and no longer has the run's tensors."""
    model = ironcalc.load_from_xlsx(str(workbook), "en", "UTC", "en")
    row = ROWS["conv1"]
    model.set_user_input(SHEET, row, 5, "5")
    model.evaluate()
    values = {letter: model.get_cell_value(SHEET, row, column) for column, letter in enumerate("ABCDEFGHIJKLMNOPQR", 1)}
    assert (values["H"], values["L"], values["O"], values["R"]) == (26, 12 * 25 + 12, 5, DIFFERS)
    assert model.get_cell_value(SHEET, 5, 3) == DIFFERS
