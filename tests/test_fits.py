"""Nothing is cut: numbers within their columns, as LibreOffice prints them, and texts within their rows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sheetgen.check.office import PDF, convert
from sheetgen.spec import parse
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.workbook import complete, fill_book
from sheetgen.xlsx.package import save

LARGE = """
learning_rates = [0.1]
steps = 3
pictures = false
[data]
inputs = [[0.1, 1016], [0.5, 992], [0.7, 1000]]
targets = [[1], [0], [1]]
{scale}
[network]
loss = "mse"
layers = [{{units = 1, activation = "sigmoid", weights = "random"}}]
"""


@pytest.mark.libreoffice
@pytest.mark.parametrize(("scale", "shown"), [("", "1016"), ('scale = "standard"', "1.336306210")])
def test_data_fits_its_columns(tmp_path: Path, soffice: Path, scale: str, shown: str) -> None:
    """Inputs above 1000 are shown as they are, and scaled ones with the nine decimals that LibreOffice gives them."""
    book = fill_book(make_plan(parse(LARGE.format(scale=scale), "test")))
    for tab in book.tabs:
        tab.ws.print_area = "A8:J11" if tab.ws.title == "lr 0.1" else "A1"
    complete(book)
    save(book, tmp_path / "book.xlsx")
    [pdf] = convert([tmp_path / "book.xlsx"], tmp_path / "pdf", PDF, recalculate=False)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    assert shown in text
    assert "###" not in text
