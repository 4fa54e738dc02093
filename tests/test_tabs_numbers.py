"""The lines of Derivation with numbers in place of symbols: right, alike in every program, and of the chosen moment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from gnumeric import recalculate_in_gnumeric
from referees import differences, stored
from specs import plain

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.cli import main
from sheetgen.spec import load
from sheetgen.tabs.numbers import number_words
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.package import save

VALUES = (
    0, 0.5, -0.5, 1, 0.606477732206728, -0.01288081863162825, 0.00012345678, 0.0001, 0.00009999, 0.000099996, 1e-5,
    -1.23456e-5, 9.99949e-9, 9.9999e-9, 1e-30, -1e-30, 9999.4, 9999.6, 123456, 999949, 999960, -1234567,
    6.02214076e23, 1e150, 0.1 + 0.2, 0.35806406413478065, 0.38851, 0.05, 1.5, 10.05, 99.996,
    1 / 3, 2 / 3, 0.99994, 0.99996,
)  # fmt: skip
FUNCTIONS = {
    "exp": math.exp, "ln": math.log, "tanh": math.tanh, "max": max, "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
}  # fmt: skip


def words(value: float) -> str:
    """The number to four digits, by Python's own format."""
    mantissa, _, exponent = f"{abs(value):.3e}".partition("e")
    sign = "−" if value < 0 else ""
    if value and not 1e-4 <= float(f"{mantissa}e{exponent}") < 1e6:
        return f"{sign}{float(mantissa):g}E{int(exponent)}"
    return f"{sign}{float(f'{mantissa}e{exponent}'):.15g}"


def written(path: Path) -> None:
    """A workbook of VALUES in column A and their words in column B."""
    book = Book()
    tab = book.add("Numbers")
    for row, value in enumerate(VALUES, 1):
        tab.put(row, 1, value)
    tab.put(len(VALUES) + 1, 1, "text")
    for row in range(1, len(VALUES) + 2):
        for column, formula in enumerate(number_words(f"A{row}", row, 2), 2):
            tab.put(row, column, Formula(formula))
    complete(book)
    save(book, path)


def test_a_number_has_four_digits_however_large_it_is(tmp_path: Path) -> None:
    """As Python writes it; what is no number says so."""
    path = tmp_path / "numbers.xlsx"
    written(path)
    found = [row[4] for row in openpyxl.load_workbook(path, data_only=True)["Numbers"].iter_rows(values_only=True)]
    assert found == [*map(words, VALUES), "no number"]


def test_every_program_writes_a_number_alike(tmp_path: Path, soffice: Path, ssconvert: Path) -> None:
    """IronCalc, LibreOffice and Gnumeric recalculate the same texts."""
    path = tmp_path / "numbers.xlsx"
    written(path)
    for engine in ("ironcalc", "libreoffice"):
        assert differences(stored(path), recalculate(path, engine)) == []
    assert differences(stored(path), recalculate_in_gnumeric(path)) == []


def line(text: str) -> tuple[float, float]:
    """What stands left and right of the sign of equality, evaluated in Python."""
    left, right = text.rsplit(" = ", 1)
    python = left.replace("·", "*").replace("−", "-").replace("²", "**2").replace(", else", " else")
    return float(eval(python, dict(FUNCTIONS))), float(right.replace("−", "-"))


def test_a_line_with_numbers_gives_its_result(tmp_path: Path) -> None:
    """Worked out in Python, each line comes near to its result, which is the value beside the symbols."""
    path = tmp_path / "book.xlsx"
    build(load("erav2"), path)
    rows = list(openpyxl.load_workbook(path, data_only=True)["Derivation"].iter_rows(values_only=True))
    found = 0
    for before, row in pairwise(rows):
        if row[0] is None and isinstance(row[1], str):
            left, right = line(row[1])
            assert left == pytest.approx(right, rel=5e-3), row[1]
            assert right == pytest.approx(before[2], rel=5.1e-4)
            found += 1
    assert found > 50
    texts = [str(row[1]) for row in rows]
    assert "(0.6065 − 0.5)·0.6065·(1 − 0.6065)·0.5069 = 0.01288" in texts


def test_another_moment_has_other_numbers(tmp_path: Path) -> None:
    """Another rate and step chosen on Network, and the lines follow; nothing is formatted by a locale's format."""
    path = tmp_path / "book.xlsx"
    build(plain("erav2", None, 20), path)
    book = openpyxl.load_workbook(path)
    assert not [c for r in book["Derivation"].iter_rows() for c in r if "TEXT(" in str(c.value)]
    book["Network"]["B4"], book["Network"]["B5"] = "lr 2", 20
    book.save(tmp_path / "other.xlsx")
    cells: Mapping[Any, Any] = recalculate(tmp_path / "other.xlsx")
    values = {place: value for (tab, place), value in cells.items() if tab == "Derivation"}
    lines = [(at, text) for at, text in values.items() if at[0] == "B" and " = " in str(text)]
    assert len(lines) > 50
    for at, text in lines:
        beside = values.get(f"C{int(at[1:]) - 1}")
        left, right = line(str(text))
        assert left == pytest.approx(right, rel=2e-2, abs=2e-6), text
        assert right == pytest.approx(beside, rel=5.1e-4)
    assert not any("0.6065 −" in str(text) for _, text in lines)


def test_a_function_of_a_negative_number_has_one_pair_of_brackets(tmp_path: Path) -> None:
    """Its own; elsewhere a negative number stands in brackets."""
    path = tmp_path / "book.xlsx"
    build(plain("normalisation", [0.5], 1), path)
    rows = openpyxl.load_workbook(path, data_only=True)["Derivation"].iter_rows(values_only=True)
    texts = [str(row[1]) for row in rows]
    assert "tanh(−0.06319) = −0.06311" in texts
    assert "ln(1 + exp(−0.7818)) − 1·(−0.7818) = 1.159" in texts
    assert not any(re.search(r"[a-z]\(\(−[^()]*\)\)", text) for text in texts)


def test_an_exercise_shows_no_numbers_of_what_is_to_be_found(tmp_path: Path) -> None:
    """Neither below a blank of the forward pass nor of any gradient."""
    path = tmp_path / "exercise.xlsx"
    assert main(("exercise", "--blank", "a_h1", "∂E/∂w5", "-o", str(path))) == 0
    rows = list(openpyxl.load_workbook(path, data_only=True)["Derivation"].iter_rows(values_only=True))
    told = {row[0]: (row[1], below[0], below[1]) for row, below in pairwise(rows) if row[0]}
    assert told["a_h1"][:2] == ("yours to find", "h2")
    assert told["h1"][1:] == (None, "0.15·0.05 + 0.2·0.1 = 0.0275")
    assert not [name for name in told if str(name).startswith(("∂", "closed form"))]
