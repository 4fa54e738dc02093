"""A run folder -> tabs of a workbook, or a workbook of their own. Nothing here imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnn.extra import needing_the_extra
from cnn.live import DRAW, KERNELS, LAYERS
from cnn.tabs import EPOCHS, MISTAKES
from cnn.tabs import LAYERS as TABLE
from sheetgen.build import Summary, write
from sheetgen.errors import SheetgenError
from sheetgen.xlsx.book import Book

if TYPE_CHECKING:
    from cnn.cells import Cells
    from cnn.tabs.facts import Facts

__all__ = ["add_again", "add_tabs", "export"]


def add_tabs(book: Book, run: Path, *, live: bool = False) -> tuple[tuple[str, str], ...]:
    """Add the tabs of the run in the folder; the title of each, with one line of what it shows.

    With `live`, the trained network as formulas too. SheetgenError if the folder is no run, is damaged, a package of
    the extra [cnn] is missing, or the book has a tab of one of the names.
    """
    with needing_the_extra("a trained network's tabs need"):
        from cnn.run import read_run
        from cnn.tabs.facts import facts_of

        return _add(book, facts_of(read_run(run)), live)


def add_again(book: Book, cells: Cells) -> tuple[tuple[str, str], ...]:
    """Add the tabs of the run that a workbook's cells tell of, as add_tabs does for a folder.

    CellError where a cell does not hold a number that the run has there; SheetgenError as for add_tabs.
    """
    with needing_the_extra("writing a trained network's tabs once more needs"):
        import numpy as np

        from cnn.again import facts_again

        with np.errstate(all="ignore"):  # of what somebody typed
            return _add(book, facts_again(cells), KERNELS in cells)


def _add(book: Book, facts: Facts, live: bool) -> tuple[tuple[str, str], ...]:
    from cnn.tabs import epochs, layers, mistakes

    _refuse_taken(book, (EPOCHS, TABLE, MISTAKES, *((DRAW, LAYERS, KERNELS) if live else ())))
    accuracy = epochs.fill(book, facts)
    layers.fill(book, facts)
    mistakes.fill(book, facts, accuracy)
    data = facts.run.dataset
    described: tuple[tuple[str, str], ...] = (
        (epochs.TITLE, f"a small network learns to read {data}: every epoch's loss and accuracy"),
        (layers.TITLE, "its layers: sizes, parameters and receptive fields, beside its own tensors"),
        (mistakes.TITLE, f"which digit it takes for which on {data}, with pictures"),
    )
    if live:
        from cnn.live.tabs import add_live_tabs

        described = (*described, *add_live_tabs(book, facts.run))
    return described


def export(run: Path, out: Path, live: bool = False) -> Summary:
    """Write the tabs of the run as a workbook of their own, atomically. SheetgenError as for add_tabs and write."""
    book = Book()
    add_tabs(book, run, live=live)
    return write(book, out, title="A network that reads digits")


def _refuse_taken(book: Book, titles: tuple[str, ...]) -> None:
    """SheetgenError where a tab of the book, which an optimizer's label may name, is called like one to be added."""
    for tab in book.tabs:
        if tab.ws.title.casefold() in map(str.casefold, titles):
            found = f"the workbook has a tab {tab.ws.title!r}, and a trained network's tab is called so"
            raise SheetgenError(f"{found}; each tab needs a name of its own. Give that optimizer another label.")
