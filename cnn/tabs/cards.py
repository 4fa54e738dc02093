"""What to look at first: a row of labels over a row of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheetgen.book import Tab
from sheetgen.cells import Formula
from sheetgen.style import apply

__all__ = ["COUNT", "NONE", "Card", "count_text", "note", "put_cards"]

NONE = "–"
"""What a cell shows where there is nothing to divide by."""
COUNT = f'#,##0;-#,##0;"{NONE}"'
LABEL_HEIGHT, VALUE_HEIGHT = 32.0, 21.0


@dataclass(frozen=True)
class Card:
    """A label, what stands under it, its role and its number format."""

    label: str
    content: Formula | float | str
    number_format: str = "General"
    role: str = "result"


def put_cards(tab: Tab, row: int, cards: Sequence[Card]) -> None:
    """The cards from column A on: labels in the row, values in the next."""
    for column, card in enumerate(cards, 1):
        apply(tab.put(row, column, card.label), "header")
        apply(tab.put(row + 1, column, card.content), card.role, card.number_format)
    tab.ws.row_dimensions[row].height = LABEL_HEIGHT
    tab.ws.row_dimensions[row + 1].height = VALUE_HEIGHT


def note(tab: Tab, row: int, columns: tuple[int, int], text: str, *, height: float) -> None:
    """A remark across these columns, first and last."""
    first, last = columns
    tab.ws.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
    apply(tab.put(row, first, text), "note")
    tab.ws.row_dimensions[row].height = height


def count_text(number: int, noun: str) -> str:
    """
    >>> count_text(1, "mistake"), count_text(2000, "mistake")
    ('1 mistake', '2,000 mistakes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
