"""Nothing is cut: numbers within their columns, as LibreOffice prints them, and texts within their rows."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from sheetgen import build
from sheetgen.check.office import PDF, convert
from sheetgen.spec import DEFAULT_TEMPLATE, load, parse, template_names
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


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in template_names() if name != DEFAULT_TEMPLATE]


def printed(path: Path) -> list[str]:
    """The text of each page that LibreOffice prints."""
    [pdf] = convert([path], path.parent / "pdf", PDF, recalculate=False)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return text.removesuffix("\f").split("\f")


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", [DEFAULT_TEMPLATE, *SLOW])
def test_a_template_is_printed_on_few_pages_without_a_number_cut(name: str, tmp_path: Path, soffice: Path) -> None:
    """20 pages at most of the default and 40 of others; the picture on one, and so is a check of a few gradients."""
    build(load(name), tmp_path / "book.xlsx")
    pages = printed(tmp_path / "book.xlsx")
    assert len(pages) <= (20 if name == DEFAULT_TEMPLATE else 40)
    feet = [re.search(r"^ *(\S.*\S) +[0-9]+ / [0-9]+\s*$", page.strip("\n").split("\n")[-1]) for page in pages]
    tabs = Counter(foot[1] if foot else "" for foot in feet)
    assert tabs["Network"] == tabs["Compare"] == 1, tabs
    assert tabs["Gradient check"] == (2 if name == "deep" else 1), tabs
    assert not [page for page in pages if "###" in page or "Err:" in page]


@pytest.mark.libreoffice
@pytest.mark.parametrize(("scale", "shown"), [("", "1016"), ('scale = "standard"', "1.336306210")])
def test_data_fits_its_columns(tmp_path: Path, soffice: Path, scale: str, shown: str) -> None:
    """Inputs above 1000 are shown as they are, and scaled ones with the nine decimals that LibreOffice gives them."""
    book = fill_book(make_plan(parse(LARGE.format(scale=scale), "test")))
    for tab in book.tabs:
        tab.ws.print_area = "A8:J11" if tab.ws.title == "lr 0.1" else "A1"
    complete(book)
    save(book, tmp_path / "book.xlsx")
    text = "".join(printed(tmp_path / "book.xlsx"))
    assert shown in text
    assert "###" not in text
