"""Whether a workbook says what sheetgen writes for its spec: it is built again, and every formula and text compared.

What a user may change is not compared: cells that are not protected, looks, notes, and what stands where nothing stood.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cnn.cells import CellError
from cnn.export import add_again
from cnn.tabs import EPOCHS
from sheetgen.errors import SheetgenError
from sheetgen.formulas import FormulaError, parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Call, Constant, Name, Node, Number, Reference, moved, rebuilt
from sheetgen.spec.catalog import RESERVED_TABS, TEST_TAB
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.workbook import fill_book
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Value, column_letters
from sheetgen.xlsx.reader import Contents, FormulaCell, place, read_contents, read_names

__all__ = ["Compared", "compare_rebuilt"]

SHOWN = 200
CLOSE = 1e-14
"""How far typed numbers may be apart; LibreOffice writes some with 15 digits."""
Place = tuple[int, int]


@dataclass(frozen=True)
class Compared:
    """How many cells were compared, and the first that differs: its tab and address, what stands and what belongs.

    `note` says why tabs of a digit network were not.
    """

    cells: int
    failure: str = ""
    note: str = ""


class _Written(NamedTuple):
    """A formula as it was written, and how far down its cell is from there; or what is typed."""

    text: str | None
    at: Place
    value: Any = None


def compare_rebuilt(path: Path, spec: Spec | None, contents: Contents | None = None) -> Compared:
    """Build the spec's workbook in thought and compare it with the file, tab by tab.

    `contents` is the file's, where it was read before. The tabs of a digit network are built of the numbers that the
    cells have, and the checksums of these are compared. Without a spec they are all.
    """
    formulas, all_typed = contents or read_contents(path)
    typed = {tab: cells for tab, cells in all_typed.items() if cells}
    filled: dict[str, dict[Place, FormulaCell]] = {}
    for cell in formulas:
        filled.setdefault(cell.tab, {})[place(cell.address)] = cell
    titles = {*filled, *typed}
    runs = spec.runs if spec else ()
    notes: list[str] = []

    def add_digits(book: Book) -> Sequence[tuple[str, str]]:
        try:
            return add_again(book, typed)
        except SheetgenError as error:
            notes.append(f"The digit network's tabs were not compared: {error}")
            return tuple(_other_tabs(typed, titles, runs))

    digits = add_digits if EPOCHS in titles - {run.label for run in runs} else None
    try:
        book = Book()
        if spec is not None:
            # What the author of the spec wrote stands there for people, and is theirs to change.
            book = fill_book(make_plan(replace(spec, source="")), digits)
        elif digits:
            digits(book)
    except CellError as error:
        where, there = error.place, _said(typed.get(error.tab, {}).get(error.place))
        found = filled.get(error.tab, {}).get(where)
        there = f"is {found.formula[:SHOWN]}" if found else there
        return Compared(1, f"{error.tab}!{column_letters(where[1])}{where[0]} {there}; {error.belongs} belongs there")
    count, first = 0, ""
    # Of each kind of protection, as cells have it by number, whether a cell of it may be typed over.
    typed_over = [not protection.locked for protection in book.wb._protections]  # type: ignore[attr-defined]
    for tab in book.tabs:
        title = tab.ws.title
        if title not in titles:
            continue  # who takes a tab away knows it; what looked there is an error
        for where, written in _contents(tab, typed_over):
            count += 1
            if first:
                continue
            found = filled.get(title, {}).get(where)
            differs = _differs(title, where, written, found, typed.get(title, {}).get(where))
            if differs is not None:
                belongs = _shown_formula(title, where, written) if written.text else repr(written.value)
                first = f"{title}!{column_letters(where[1])}{where[0]} {differs}; {belongs[:SHOWN]} belongs there"
    # A number typed over may change labels that are written of it, so it comes first.
    return Compared(count, _summed_otherwise(book, read_names(path)) or first, " ".join(notes))


def _other_tabs(
    typed: Mapping[str, Mapping[Place, Any]], titles: set[str], runs: Sequence[Run]
) -> Iterator[tuple[str, str]]:
    """Tabs of a digit network that the file lists on Start, with what it says of each."""
    start, known = typed.get("Start", {}), {*RESERVED_TABS, TEST_TAB, *(run.label for run in runs)}
    for (row, column), value in sorted(start.items()):
        if column == 1 and isinstance(value, str) and value in titles - known:
            yield value, str(start.get((row, 2), ""))


def _summed_otherwise(book: Book, names: Mapping[str, str]) -> str:
    """The first numbers whose checksum in the file's names is another; a workbook of an old version has none."""
    for tab in book.tabs:
        for name, what in tab.vouched.items():
            if names.get(name, text := str(book.wb.defined_names[name].attr_text)) != text:
                return f"{tab.ws.title}: a number of {what} is not the one that was written; build it again"
    return ""


def _contents(tab: Tab, typed_over: Sequence[bool]) -> Iterator[tuple[Place, _Written]]:
    """What stands in each protected cell of a tab."""
    cells: Mapping[Place, Any] = tab.ws._cells
    for where, cell in cells.items():
        if cell._value in (None, "") or typed_over[cell._style.protectionId]:
            continue
        if cell.data_type == "f":
            first = tab.shared[where][:2] if where in tab.shared else where
            yield where, _Written(str(cells[first]._value)[1:], first)
        else:
            value = cell._value
            yield where, _Written(None, where, value if isinstance(value, (bool, int, float)) else str(value))
    block = tab.block
    if block is not None:
        for row in range(block.top, block.bottom + 1):
            for column, one in enumerate(block.columns, 1):
                text, start = (one.start, block.top) if row == block.top else (one.fill, block.top + 1)
                yield (row, column), _Written(text, (start, column))


def _differs(title: str, where: Place, written: _Written, found: FormulaCell | None, value: Value | None) -> str | None:
    """What stands in a cell, if it is not what was written."""
    if written.text is None:
        if found is not None:
            return f"is {found.formula[:SHOWN]}"
        return None if _same_value(value, written.value) else _said(value)
    if found is None:
        return _said(value)
    start = where if found.origin is None else place(found.origin)
    if (written.text, written.at) == (found.text, start):
        return None
    if _canonical(written.text, title, _apart(where, written.at)) == _canonical(
        found.text, title, _apart(where, start)
    ):
        return None
    return f"is {found.formula[:SHOWN]}"


def _apart(where: Place, start: Place) -> Place:
    return where[0] - start[0], where[1] - start[1]


def _said(value: Value | None) -> str:
    return "is empty" if value is None else f"is {value!r}"


def _same_value(found: Value | None, written: Any) -> bool:
    if isinstance(written, (str, bool)) or isinstance(found, (str, bool)) or found is None:
        return type(found) is type(written) and found == written
    return math.isclose(found, written, rel_tol=CLOSE)


def _shown_formula(title: str, where: Place, written: _Written) -> str:
    address, start = (f"{column_letters(column)}{row}" for row, column in (where, written.at))
    return FormulaCell(title, address, written.text or "", start, None).formula


@lru_cache(maxsize=65_536)
def _canonical(text: str, title: str, moved: Place) -> str:
    """A formula in one way of writing it, as it is when it is moved."""
    try:
        return show(_plain(parse(text), title, *moved))
    except FormulaError:
        return f"{text} {moved}"


def _plain(node: Node, title: str, down: int, right: int) -> Node:
    """The tree with numbers and names in one spelling, and references moved and without the formula's own tab."""
    if isinstance(node, Number):
        return Number(repr(float(node.text)))
    if isinstance(node, Call) and node.name in ("TRUE", "FALSE") and not node.arguments:
        return Constant(node.name == "TRUE")  # as LibreOffice writes it
    if isinstance(node, Name):
        return Name(None, node.name.casefold())
    if isinstance(node, Reference):
        found = moved(node, down, right)
        assert isinstance(found, Reference)
        return Reference(None if found.tab == title else found.tab, found.first, found.last)
    return rebuilt(node, lambda one: _plain(one, title, down, right))
