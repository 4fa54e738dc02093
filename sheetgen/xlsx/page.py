"""What all tabs are written with: headings, paragraphs, tables, cards and verdicts, from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break

from sheetgen.xlsx.book import Content, Tab
from sheetgen.xlsx.style import verdict_rules
from sheetgen.xlsx.units import PIXELS_PER_CHARACTER, PIXELS_PER_POINT, UPRIGHT_HEIGHT, UPRIGHT_WIDTH

__all__ = [
    "AGREES", "DIFFERS", "NO_NUMBER", "Card", "Page", "count", "heading", "height_of", "judge", "judge_zero", "note",
    "put_cards",
]  # fmt: skip

# What a verdict says, and what stands where a formula gives no number.
AGREES, DIFFERS, NO_NUMBER = "agrees", "differs", "no number"

# Letters are narrower than the digit that widths are counted in; a little less than measured, so that no line is cut.
LETTERS_PER_WIDTH = 1.18
LINE_HEIGHT = 15.5
HEADING_HEIGHT, GAP = 24.0, 6.0
# A row that no height was given to, as programs make it for the largest font of a table; how much of a page they agree
# on; and the points of a long section that stay together.
ROW_HEIGHT, SAFE, LEAST_SECTION = 16.0, 0.97, 160.0
LABEL_HEIGHT, CARD_HEIGHT = 32.0, 21.0

Card = tuple[str, Content, str | None, str]
"""A label, what stands under it, its number format and its role."""


@dataclass
class Page:
    """Writes a tab row after row, across columns of these widths (in characters); `row` is written next.

    A heading is followed by a row that is `gap` points high, if it is any.
    """

    tab: Tab
    widths: Sequence[float]
    row: int
    gap: float = GAP
    sections: list[int] = field(default_factory=list, init=False)

    @property
    def columns(self) -> int:
        """How many columns a heading or paragraph covers."""
        return len(self.widths)

    def heading(self, content: str) -> None:
        """A section's title, after an empty row."""
        self.row += 1
        self.sections.append(self.row)
        heading(self.tab, self.row, self.columns, content)
        self.row += 1
        if self.gap:
            self.tab.ws.row_dimensions[self.row].height = self.gap
            self.row += 1

    def text(self, content: str, role: str = "text") -> None:
        """A paragraph."""
        note(self.tab, self.row, (1, self.columns), content, role=role, width=sum(self.widths))
        self.row += 1

    def cells(self, *contents: tuple[Content, str, str | None]) -> int:
        """A row of cells from column A on, each a content, a role and a number format; the row."""
        self.tab.put_row(self.row, 1, *contents)
        self.row += 1
        return self.row - 1

    def header(self, *labels: str) -> None:
        """The head of a table; a label that is longer than its column gets a second line."""
        long = any(len(label) > width for label, width in zip(labels, self.widths, strict=False))
        self.tab.header(self.row, 1, labels, LABEL_HEIGHT if long else None)
        self.row += 1

    def group(self, content: str, columns: int) -> None:
        """A line over some rows of a table."""
        self.cells(*((content if place == 0 else None, "group_left", None) for place in range(columns)))

    def break_pages(self) -> None:
        """Where a section would be cut at the foot of an upright page that is as wide as the columns, begin a new one
        with it, unless it is longer than that: then only where little more than its heading would be left behind."""
        scale = min(1.0, UPRIGHT_WIDTH / (PIXELS_PER_CHARACTER * sum(self.widths)))
        page = SAFE * UPRIGHT_HEIGHT / PIXELS_PER_POINT / scale
        heights = self.tab.ws.row_dimensions
        points = [heights[row].height or ROW_HEIGHT if row in heights else ROW_HEIGHT for row in range(1, self.row)]
        used = sum(points[: self.sections[0] - 1])
        for first, after in pairwise([*self.sections, self.row]):
            height = sum(points[first - 1 : after - 1])
            if used + min(height, LEAST_SECTION if height > page else height) > page:
                self.tab.ws.row_breaks.append(Break(id=first - 1))
                used = 0.0
            used = (used + height) % page

    def link(self, title: str, description: Content) -> None:
        """A tab's title that leads there, and what it shows."""
        cell = self.tab.put(self.row, 1, title, "link")
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{quote_sheetname(title)}!A1", display=title)
        self.tab.put(self.row, 2, description, "muted")
        self.row += 1


def heading(
    tab: Tab, row: int, columns: int, content: str, first: int = 1, height: float = HEADING_HEIGHT
) -> None:  # fmt: skip
    """A section's title across some columns, in a row so many points high."""
    for place in range(columns):
        tab.put(row, first + place, None if place else content, "heading")
    tab.ws.row_dimensions[row].height = height


def note(
    tab: Tab, row: int, columns: tuple[int, int], content: Content, *, role: str = "note", width: float | None = None,
    height: float | None = None,
) -> None:  # fmt: skip
    """A paragraph across these columns, first and last, as high as a width in characters makes it."""
    tab.merge(row, *columns, content, role)
    if height is None and width is not None:
        height = height_of(str(content), width)
    tab.ws.row_dimensions[row].height = height


def height_of(content: str, width: float) -> float:
    """How many points high a row must be for a text that wraps at a width in characters."""
    return 3 + LINE_HEIGHT * max(1, math.ceil(len(content) / (width * LETTERS_PER_WIDTH)))


def put_cards(tab: Tab, row: int, cards: Sequence[Card]) -> None:
    """What to look at first, from column A on: labels in the row, values in the next."""
    tab.header(row, 1, [card[0] for card in cards], LABEL_HEIGHT)
    tab.put_row(row + 1, 1, *((content, role, look) for _, content, look, role in cards))
    tab.ws.row_dimensions[row + 1].height = CARD_HEIGHT


def judge(tab: Tab, cells: str, good: str, bad: str) -> None:
    """Colour the cells of a range as good or bad where they hold these words."""
    first = cells.split(":")[0]
    verdict_rules(tab.ws, cells, f'{first}="{good}"', f'{first}="{bad}"')


def judge_zero(tab: Tab, cell: str, allowed: str = "0") -> None:
    """Colour a number that should be 0: good while its size is at most what is allowed, else bad.

    `allowed` is a formula's text without "=".
    """
    near = f"IF(ISNUMBER({cell}),ABS({cell})<={allowed},FALSE)"
    verdict_rules(tab.ws, cell, near, f"NOT({near})")


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "input"), count(2000, "input")
    ('1 input', '2,000 inputs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
