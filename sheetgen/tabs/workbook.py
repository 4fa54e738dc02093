"""Plan -> book: the tabs filled in the order in which they need each other, and every formula given its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sheetgen.formulas import Workbook
from sheetgen.formulas.sheet import Copy, Sheet, Table
from sheetgen.formulas.values import plain
from sheetgen.tabs import compare, derivation, gradient_check, inputs, landscape, network, plane, run, start, test
from sheetgen.tabs.plan import Plan
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.copies import relative

__all__ = ["complete", "fill_book"]


def fill_book(plan: Plan, extra: Callable[[Book], Sequence[tuple[str, str]]] | None = None) -> Book:
    """The workbook of a plan, without the values of its formulas; `extra` is as in build."""
    book = Book()
    tested = [test.TAB] if plan.spec.test_inputs else []
    first, last = ("Start", "Inputs", "Network", "Derivation"), (*tested, "Compare", "Gradient check")
    missing = {one.TITLE: one.left_out(plan) for one in (plane, landscape)}
    drawn = {one.TITLE: one for one in (plane, landscape) if not missing[one.TITLE]}
    # What stands behind a picture comes before it: so it is computed first.
    pictures = [name for title in drawn for name in (f"{title} passes", title)]
    tabs = {title: book.add(title) for title in (*first, *(one.run.label for one in plan.trainings), *last, *pictures)}
    inputs.fill(tabs["Inputs"], plan)
    chosen = network.fill(tabs["Network"], plan)
    derivation.fill(tabs["Derivation"], plan, chosen)
    for one in plan.trainings:
        run.fill(tabs[one.run.label], plan, one)
    scores = test.fill(tabs[test.TAB], plan) if tested else []
    runs = compare.fill(tabs["Compare"], plan, scores)
    checks = gradient_check.fill(tabs["Gradient check"], plan, chosen)
    for title, one_of in drawn.items():
        one_of.fill(tabs[title], tabs[f"{title} passes"], plan, chosen)
    others = extra(book) if extra else ()
    start.fill(tabs["Start"], plan, checks, runs, others, list(drawn), list(missing.values()))
    return book


def complete(book: Book) -> None:
    """Give every formula that has no value yet the one that its text evaluates to.

    CircularError names the cells of formulas that need each other, FormulaError what a formula has that is not known.
    """
    sheets = {tab.ws.title: _sheet(tab) for tab in book.tabs}
    names = {name: str(defined.attr_text) for name, defined in book.wb.defined_names.items()}
    Workbook(sheets, names).compute()
    for tab in book.tabs:
        values = sheets[tab.ws.title].values
        tab.stored |= {place: values[place] for place, value in tab.stored.items() if value is None}


def _sheet(tab: Tab) -> Sheet:
    """The tab as `formulas` sees it."""
    sheet = Sheet()
    cells: Mapping[tuple[int, int], Any] = tab.ws._cells
    alike: dict[str, tuple[str, int, int]] = {}  # a formula like one before is a copy of it, and need not be read again
    for place, cell in cells.items():
        if cell.data_type == "f":
            sheet.values[place] = tab.stored[place]
            if place in tab.copies:
                text, right = tab.copies[place]
                sheet.formulas[place] = Copy(text, 0, right)
            elif tab.stored[place] is None:
                text, row, column = alike.setdefault(relative(cell._value, *place), (cell._value, *place))
                sheet.formulas[place] = Copy(text, place[0] - row, place[1] - column)
        elif cell._value is not None:
            sheet.values[place] = plain(cell._value)
    block = tab.block
    if block:
        sheet.table = Table(block.top, block.rows, *(block.texts if block.pending else ()))
    return sheet
