"""The Start tab: links, verdicts, published numbers, and text that stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from edits import edit_and_recalculate
from referees import calamine_cells, complaints, differences, stored

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.spec import load, override, parse
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.page import AGREES, DIFFERS

TAB = "Start"

SPEC = """
title = "=1+1"
about = "=2+2"
learning_rates = [0.1]
steps = 2
[data]
inputs = [[1.0]]
targets = [[0.0]]
[network]
loss = "half_squared_error"
[[network.layers]]
units = 1
activation = "identity"
weights = [[1.0]]
[[published]]
symbol = "w1"
step = 1
value = {value}
note = "=3+3"
"""


def written(path: Path, template: str, steps: int = 3) -> Path:
    build(override(load(template), steps=steps), path)
    return path


def row_of(path: Path, text: str) -> int:
    cells = calamine_cells(path)
    return next(row for row in range(1, 200) if cells.get((TAB, f"A{row}")) == text)


def test_every_tab_has_a_link_and_a_line(tmp_path: Path) -> None:
    """In the order of the tabs; tabs added by others too, hidden ones not."""

    def extra(book: Book) -> list[tuple[str, str]]:
        book.add("More's")
        return [("More's", "what it shows")]

    path = tmp_path / "book.xlsx"
    build(override(load("erav2"), steps=2), path, extra=extra)
    book = openpyxl.load_workbook(path)
    links: list[Any] = [cell for row in book[TAB].iter_rows() for cell in row if cell.hyperlink]
    seen = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    assert [cell.value for cell in links] == seen[1:]
    quoted = [title.replace("'", "''") for title in seen[1:]]
    assert [cell.hyperlink.location.replace("'", "") for cell in links] == [
        f"{title.replace(chr(39), '')}!A1" for title in quoted
    ]
    assert all(cell.hyperlink.target is None for cell in links)
    assert all(book[TAB].cell(cell.row, 2).value for cell in links)


def test_verdicts_follow_the_other_tabs(tmp_path: Path) -> None:
    """The gradient check and every run's last loss."""
    path = written(tmp_path / "book.xlsx", "erav2")
    cells = stored(path)
    gradients, runs = row_of(path, "gradients"), row_of(path, "run") + 1
    assert cells[TAB, f"B{gradients}"] == "all gradients agree with central differences"
    assert cells[TAB, f"E{gradients}"] == cells["Gradient check", "H8"]
    for place, rate in enumerate(("0.1", "0.2", "0.5", "0.8", "1", "2")):
        assert cells[TAB, f"A{runs + place}"] == f"lr {rate}"
        assert cells[TAB, f"B{runs + place}"] == cells["Compare", f"C{7 + place}"]
    inputs = {text: address for (tab, address), text in calamine_cells(path).items() if tab == "Inputs"}
    live = edit_and_recalculate(path, {("Inputs", inputs["rate_1"].replace("A", "B")): 0.00003})
    assert live[TAB, f"A{runs}"] == "lr 3e-5"
    assert str(live[TAB, f"B{row_of(path, 'Derivation') + 1}"]).startswith("learning rate 3e-5: ")


@pytest.mark.parametrize(("template", "differing"), [("mazur", ["E_total 1"]), ("mazur_output_first", [])])
def test_published_numbers_are_judged_to_their_last_digit(tmp_path: Path, template: str, differing: list[str]) -> None:
    """Of the widely read example, the simultaneous rule gives all but one; the other rule is told by its own list."""
    path = written(tmp_path / "book.xlsx", template, 5)
    cells, spec = calamine_cells(path), override(load(template), steps=5)
    top = row_of(path, "quantity") + 1
    found = []
    for row, one in enumerate(spec.published, top):
        assert cells[TAB, f"C{row}"] == one.value
        if cells[TAB, f"F{row}"] == DIFFERS:
            found.append(f"{one.symbol} {one.step}")
            assert one.note
        else:
            assert cells[TAB, f"F{row}"] == AGREES
    if differing:
        assert found == differing
    assert differences(stored(path), recalculate(path)) == []


@pytest.mark.parametrize(("value", "verdict"), [(0.9, AGREES), (0.94, DIFFERS), (0.8, DIFFERS), (1.0, AGREES)])
def test_a_number_agrees_within_half_its_last_digit(tmp_path: Path, value: float, verdict: str) -> None:
    """w1 is 0.9 after one update, 1 to no digits; a spec's text that begins with = stays text."""
    path = tmp_path / "book.xlsx"
    build(parse(SPEC.format(value=value), "test"), path)
    cells = calamine_cells(path)
    row = row_of(path, "quantity") + 1
    assert cells[TAB, f"F{row}"] == verdict
    assert (cells[TAB, "A1"], cells[TAB, f"G{row}"]) == ("=1+1", "=3+3")
    assert "=2+2" in cells.values()
    assert not {(TAB, "A1"), (TAB, f"G{row}")} & set(stored(path))


def test_without_published_numbers_there_is_no_table(tmp_path: Path) -> None:
    path = written(tmp_path / "book.xlsx", "erav2")
    assert (TAB, "quantity") not in {(tab, value) for (tab, _), value in calamine_cells(path).items()}


def test_the_workbook_is_valid(tmp_path: Path, ooxml_validator: Path) -> None:
    assert complaints(ooxml_validator, written(tmp_path / "book.xlsx", "mazur")) == []
