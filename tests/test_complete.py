"""Every formula's stored value comes from its own text, in the order in which they need each other."""

from __future__ import annotations

import zipfile
from pathlib import Path
from threading import Thread

import pytest
from referees import differences, stored

from sheetgen.build import write
from sheetgen.check.engines import recalculate
from sheetgen.formulas import CircularError, FormulaError
from sheetgen.tabs.workbook import complete
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Block, FillDown, Formula
from sheetgen.xlsx.package import save


def small_book() -> Book:
    """Formulas that need later ones, a table of known values, one to be computed, and a name."""
    book = Book()
    first, second = book.add("first"), book.add("it's second")
    first.put(1, 1, Formula("=B2+rate"))
    first.put(2, 2, Formula("=SUM('it''s second'!B3:B6)"))
    first.put(3, 1, 0.5)
    first.put(3, 2, "a text")
    first.put(4, 1, Formula('=B3&" and "&A3'))
    first.put(5, 1, Formula("=1/(A3-0.5)"))
    first.define("rate", "$A$3")
    columns = FillDown("1", "A3+1"), FillDown("first!A3", "B3*2+0*A4")
    second.block = Block(3, columns, [[None, None] for _ in range(4)], pending=True)
    return book


def test_values_are_those_of_an_engine(tmp_path: Path) -> None:
    """IronCalc gives the same, errors and texts included."""
    path = tmp_path / "book.xlsx"
    assert write(small_book(), path).formulas == 12
    values = stored(path)
    assert values["first", "A1"] == 0.5 * (1 + 2 + 4 + 8) + 0.5
    assert values["first", "A4"] == "a text and 0.5"
    assert values["first", "A5"] == "#DIV/0!"
    assert differences(values, recalculate(path)) == []


def test_a_formula_that_has_a_value_keeps_it() -> None:
    """It comes from elsewhere, and what uses it follows it."""
    book = small_book()
    book.tabs[0].put(2, 2, Formula("=SUM('it''s second'!B3:B6)", 7.0))
    complete(book)
    assert book.tabs[0].value(1, 1) == 7.5


def test_formulas_that_need_each_other_are_named() -> None:
    """A mistake of a tab's author: the cells are told."""
    book = Book()
    tab = book.add("loop")
    tab.put(1, 1, Formula("=B1+1"))
    tab.put(1, 2, Formula("=C1"))
    tab.put(1, 3, Formula("=SUM(A1:A3)"))
    with pytest.raises(CircularError, match=r"loop!A1.*loop!B1.*loop!C1"):
        complete(book)


def test_what_is_not_known_is_named() -> None:
    """A function that is not in the table."""
    book = Book()
    book.add("tab").put(1, 1, Formula("=BESSELJ(1,2)"))
    with pytest.raises(FormulaError, match="BESSELJ"):
        complete(book)


def test_a_formula_without_a_value_is_not_written(tmp_path: Path) -> None:
    """The writer refuses a book that is not complete, and leaves no file."""
    book = Book()
    book.add("tab").put(1, 1, Formula("=1+1"))
    with pytest.raises(ValueError, match=r"tab!A1 has a formula without a value"):
        save(book, tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_merged_ranges_stand_in_the_order_of_their_places(tmp_path: Path) -> None:
    """Whatever the order in which they were made, and however a set of them is ordered."""
    rows = [5, 1, 9, 3, 12, 7, 2]
    for name, order in (("one", rows), ("other", rows[::-1])):
        book = Book()
        tab = book.add("tab")
        for row in order:
            tab.merge(row, 2, 4)
            tab.merge(row, 6, 7)
        save(book, tmp_path / f"{name}.xlsx")
    with zipfile.ZipFile(tmp_path / "one.xlsx") as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    places = [f'<mergeCell ref="{cells}" />' for row in sorted(rows) for cells in (f"B{row}:D{row}", f"F{row}:G{row}")]
    assert f'<mergeCells count="14">{"".join(places)}</mergeCells>' in text
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()


def test_a_platform_without_threads_writes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's Python cannot start one."""

    def refused(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    write(small_book(), tmp_path / "with.xlsx")
    monkeypatch.setattr(Thread, "start", refused)
    write(small_book(), tmp_path / "without.xlsx")
    assert (tmp_path / "with.xlsx").read_bytes() == (tmp_path / "without.xlsx").read_bytes()


def test_a_formula_filled_to_the_right_moves_with_its_cell() -> None:
    """Each copy has the text and the value of one that was written there; what is put over it counts."""
    book, plain = Book(), Book()
    tab, other = book.add("tab"), plain.add("tab")
    for one in (tab, other):
        for column in range(1, 5):
            one.put(1, column, column * 1.5)
    tab.fill_right(2, 1, 4, Formula("=A1+$B1*COLUMNS($A$1:A$1)+tab!B$1"), "formula")
    for column, letter in enumerate("ABCD", 1):
        right = "ABCDE"[column]
        other.put(2, column, Formula(f"={letter}1+$B1*COLUMNS($A$1:{letter}$1)+tab!{right}$1"), "formula")
    for one in (tab, other):
        one.put(2, 4, Formula("=A2*2"), "formula")
    complete(book)
    complete(plain)
    for column in range(1, 5):
        assert tab.ws.cell(2, column).value == other.ws.cell(2, column).value
        assert tab.value(2, column) == other.value(2, column)
    assert tab.value(2, 4) == 2 * (1.5 + 3.0 + 3.0)
