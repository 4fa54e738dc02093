"""Sections on paper, as LibreOffice prints them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sheetgen.check.office import PDF, convert
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.package import save
from sheetgen.xlsx.page import Page
from sheetgen.xlsx.style import furnish

WIDTHS = (26, 78, 18, 18, 14)
# Rows of each section. A page holds some 70; the seventh section is longer than one.
LENGTHS = (30, 20, 14, 14, 30, 30, 100, 5, 60, 8, 40, 1)


def pages(tmp_path: Path, breaks: bool) -> list[str]:
    """The text of each page."""
    book = Book()
    tab = book.add("Long")
    furnish(tab.ws, title="Long", subtitle="Many sections.", widths=WIDTHS, landscape=False)
    page = Page(tab, WIDTHS, 4)
    for number, length in enumerate(LENGTHS):
        page.heading(f"Section {number} begins")
        for row in range(length):
            words = f"row {row}" if row < length - 1 else f"Section {number} ends"
            page.cells((words, "symbol", None), ("w1·i1 + w2·i2", "expression", None))
    if breaks:
        page.break_pages()
    complete(book)
    save(book, tmp_path / "long.xlsx")
    [pdf] = convert([tmp_path / "long.xlsx"], tmp_path / "pdf", PDF, recalculate=False)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return text.split("\f")[:-1]


def test_a_section_that_fits_a_page_is_not_cut(tmp_path: Path, soffice: Path) -> None:
    """And no heading stands at a page's foot, without its rows."""
    found = pages(tmp_path, breaks=True)
    for number, length in enumerate(LENGTHS):
        [begins] = [place for place, text in enumerate(found) if f"Section {number} begins" in text]
        [ends] = [place for place, text in enumerate(found) if f"Section {number} ends" in text]
        assert begins == ends or length > 70
        assert length < 4 or "row 2" in found[begins].split(f"Section {number} begins")[1]


def test_left_alone_it_would_be_cut(tmp_path: Path, soffice: Path) -> None:
    """Without the breaks, a section of this tab lies on two pages: the test above can fail."""
    found = pages(tmp_path, breaks=False)
    cut = [n for n in range(len(LENGTHS)) if not any(f"n {n} begins" in t and f"n {n} ends" in t for t in found)]
    assert len(cut) > 1
