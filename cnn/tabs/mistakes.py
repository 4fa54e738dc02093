"""The CNN mistakes tab: which digits are taken for which, and pictures of the most confident mistakes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openpyxl.drawing.fill import Blip, BlipFillProperties
from openpyxl.drawing.geometry import PresetGeometry2D
from openpyxl.drawing.image import Image
from openpyxl.drawing.picture import PictureFrame
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles.colors import Color
from PIL import Image as Pillow
from PIL import ImageOps

from cnn.cells import Typed
from cnn.layers import CLASSES, SIDE
from cnn.run import MOST_PICTURES
from cnn.tabs import MISTAKES, epochs
from cnn.tabs.facts import Facts
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.formats import NONE
from sheetgen.xlsx.page import AGREES, DIFFERS, Card, heading, judge, note, put_cards
from sheetgen.xlsx.page import count as counted
from sheetgen.xlsx.style import NAVY, WHITE, furnish
from sheetgen.xlsx.units import EMU_PER_PIXEL, PIXELS_PER_CHARACTER, PIXELS_PER_POINT

__all__ = ["TITLE", "fill", "read"]

TITLE = MISTAKES

RESULTS, GROUPS, HEADER, TOP = 4, 7, 8, 9
BOTTOM = TOP + CLASSES - 1
TOTALS, REMARK_ROW = BOTTOM + 1, BOTTOM + 3
PICTURES = REMARK_ROW + 2
FIRST = 2
"""The column of answer 0, and of the first picture of a row."""
IMAGES, RIGHT, RECALL, PRECISION, F1 = range(FIRST + CLASSES, FIRST + CLASSES + 5)
LABELS = ("images", "read correctly", "recall", "precision", "F1")
WIDTH = 11.0
WIDTHS = [15.0, *[WIDTH] * (CLASSES + 5)]
PALE, STRONG = WHITE, "E07A1F"
REMARK = (
    "A row is a digit, a column is the answer that it got; the darker, the more often. Recall: how many of a digit's "
    "images are read correctly. Precision: how many of the images read as this digit are it. F1: their harmonic mean, "
    "2 · correct / (images + answers). The last row has sums, and means over the digits."
)
CAPTIONS = ("truth → answer", "probability", "test image")
ABOUT = (
    "The wrong answers that the network was surest of, the surest first: the truth and its answer, the probability "
    "that it gave this answer, and the image's place in the test set, counted from 0."
)
PERFECT = "There is nothing to show: the network reads every test image correctly."

# A picture's pixel is drawn as 5×5, at half that size on the sheet, so that it is sharp when zoomed or printed.
ENLARGED = 5
SHOWN = SIDE * ENLARGED // 2
ROW_PIXELS = SHOWN + 6
ROWS_PER_BAND = len(CAPTIONS) + 2


class Picture(Image):
    """A PNG over the cell, in its middle, with words for readers who do not see it; it can be written many times."""

    def __init__(self, png: bytes, number: int, row: int, column: int, words: str) -> None:
        super().__init__(io.BytesIO(png))
        self._png = png
        left = round((WIDTH * PIXELS_PER_CHARACTER - SHOWN) / 2)
        top = (ROW_PIXELS - SHOWN) // 2
        corner = AnchorMarker(column - 1, left * EMU_PER_PIXEL, row - 1, top * EMU_PER_PIXEL)
        size = SHOWN * EMU_PER_PIXEL
        placed: Any = self
        placed.anchor = OneCellAnchor(_from=corner, ext=XDRPositiveSize2D(size, size), pic=_frame(number, words))

    def _data(self) -> bytes:
        return self._png


def _frame(number: int, words: str) -> PictureFrame:
    """The frame of the sheet's picture of this number, from 1 on, with an alternative text; openpyxl names the file."""
    frame = PictureFrame(blipFill=BlipFillProperties(blip=Blip(cstate="print")))
    frame.nvPicPr.cNvPr.id = number
    frame.nvPicPr.cNvPr.name, frame.nvPicPr.cNvPr.descr = words, words
    frame.spPr.prstGeom = PresetGeometry2D(prst="rect")
    frame.spPr.ln = None
    return frame


def fill(book: Book, facts: Facts, accuracy: Formula) -> None:
    """Add the tab; `accuracy` shows what the epochs' tab says of the last one."""
    tab = book.add(TITLE)
    furnish(
        tab.ws,
        title=f"{TITLE}: {facts.run.dataset}",
        subtitle=facts.subtitle,
        widths=WIDTHS,
        tab_color="verdict",
        landscape=len(facts.run.report.mistake_truth) <= CLASSES,
        fit_height=True,
    )
    confusion: list[list[int]] = facts.run.report.confusion.tolist()
    _matrix(tab, confusion)
    wrong = sum(map(sum, confusion)) - sum(row[digit] for digit, row in enumerate(confusion))
    put_cards(tab, RESULTS, _cards(accuracy))
    judge(tab, f"I{RESULTS + 1}", AGREES, DIFFERS)
    note(tab, REMARK_ROW, (1, F1), REMARK, height=30)
    _pictures(tab, facts, wrong)


def read(cells: Typed) -> dict[str, NDArray[Any]]:
    """A report's tensors that a tab's cells hold, the pictures blank; CellError where a cell holds no such number."""
    places = [_place_of(number) for number in range(MOST_PICTURES)]
    shown = [(row, column) for row, column in places if any((row + k, column) in cells.cells for k in (1, 2, 3))]
    pairs = [str(cells.cells.get((row + 1, column))).partition(" → ")[::2] for row, column in shown]
    digits = [[int(one) if one.isdecimal() and int(one) < CLASSES else 0 for one in pair] for pair in pairs]
    counts = [[cells.whole(TOP + y, FIRST + x) for x in range(CLASSES)] for y in range(CLASSES)]
    truth, answer = np.array(digits, np.int64).reshape(-1, 2).T
    return {
        "confusion": np.array(counts, np.int64),
        "mistake_images": np.zeros((len(shown), SIDE, SIDE), np.uint8),
        "mistake_index": np.array([cells.whole(row + 3, column) for row, column in shown], np.int64),
        "mistake_truth": truth,
        "mistake_answer": answer,
        "mistake_probability": np.array([cells.number(row + 2, column) for row, column in shown]),
    }


def _place_of(number: int) -> tuple[int, int]:
    """Where a mistake's picture stands; its caption is in the rows below."""
    band, place = divmod(number, CLASSES)
    return PICTURES + 4 + band * ROWS_PER_BAND, FIRST + place


def _divided(part: str, whole: str) -> Formula:
    """A quotient, or a dash where there is nothing to divide by."""
    return Formula(f'=IF({whole}=0,"{NONE}",{part}/({whole}))')


def _matrix(tab: Tab, confusion: list[list[int]]) -> None:
    """The confusion matrix, and beside it what follows for each digit."""
    tab.put(GROUPS, 1, "truth", "group")
    tab.merge(GROUPS, FIRST, IMAGES - 1, "answer of the network", "group")
    tab.merge(GROUPS, IMAGES, F1, "computed here", "group")
    tab.put(HEADER, 1, "digit", "header")
    for digit in range(CLASSES):
        tab.put(HEADER, FIRST + digit, digit, "header", formats.WHOLE)
    tab.header(HEADER, IMAGES, LABELS, 32)
    for digit, counts in enumerate(confusion):
        row = TOP + digit
        tab.ws.row_dimensions[row].height = 20
        tab.put(row, 1, digit, "group", formats.WHOLE)
        for answer, count in enumerate(counts):
            tab.put(row, FIRST + answer, count, "good" if answer == digit else "verdict", '#,##0;-#,##0;"·"')
        _digit(tab, row, FIRST + digit)
        tab.vouch(f"digit {digit}", counts)
    _totals(tab)
    _colour(tab, confusion)


def _digit(tab: Tab, row: int, diagonal: int) -> None:
    """What follows for the digit of a row; its answers stand in the column of its diagonal cell."""
    first, last, own = column_letters(FIRST), column_letters(IMAGES - 1), column_letters(diagonal)
    shown, right, answered = f"{column_letters(IMAGES)}{row}", f"{column_letters(RIGHT)}{row}", f"{own}${TOTALS}"
    tab.put_row(
        row,
        IMAGES,
        (Formula(f"=SUM({first}{row}:{last}{row})"), "formula", formats.THOUSANDS),
        (Formula(f"={own}{row}"), "formula", formats.THOUSANDS),
        (_divided(right, shown), "formula", formats.PERCENT),
        (_divided(right, answered), "formula", formats.PERCENT),
        (_divided(f"2*{right}", f"{shown}+{answered}"), "formula", formats.PERCENT),
    )


def _totals(tab: Tab) -> None:
    """Under the matrix: how often each answer was given, the sums, and the means over the digits."""
    tab.put(TOTALS, 1, "all digits", "group")
    tab.ws.row_dimensions[TOTALS].height = 20
    for column in range(FIRST, F1 + 1):
        cells = f"{column_letters(column)}{TOP}:{column_letters(column)}{BOTTOM}"
        if column >= RECALL:
            tab.put(TOTALS, column, Formula(f'=IFERROR(AVERAGE({cells}),"{NONE}")'), "result", formats.PERCENT)
        else:
            role = "verdict" if column < IMAGES else "formula"
            tab.put(TOTALS, column, Formula(f"=SUM({cells})"), role, formats.THOUSANDS)


def _colour(tab: Tab, confusion: list[list[int]]) -> None:
    """A colour scale over the wrong answers alone, which would not show beside hundreds of times as many right ones."""
    wrong = [
        (TOP + truth, FIRST + answer, count)
        for truth, row in enumerate(confusion)
        for answer, count in enumerate(row)
        if truth != answer
    ]
    cells = " ".join(f"{column_letters(column)}{row}" for row, column, _ in wrong)
    most = max(1, *(count for _, _, count in wrong))
    ends = [FormatObject(type="num", val=0), FormatObject(type="num", val=most)]
    scale = ColorScale(cfvo=ends, color=[Color(rgb=f"FF{PALE}"), Color(rgb=f"FF{STRONG}")])
    tab.ws.conditional_formatting.add(cells, Rule(type="colorScale", colorScale=scale))


def _cards(accuracy: Formula) -> list[Card]:
    """What to look at first."""
    row = RESULTS + 1
    images, right, recall, f1 = map(column_letters, (IMAGES, RIGHT, RECALL, F1))
    recalls = f"{recall}{TOP}:{recall}{BOTTOM}"
    worst = f'=IF(C{row}=0,"{NONE}",INDEX(A{TOP}:A{BOTTOM},MATCH(MIN({recalls}),{recalls},0)))'
    same = f'=IF(ABS(D{row}-H{row})<{epochs.SLACK_TEXT},"{AGREES}","{DIFFERS}")'
    return [
        ("test images", Formula(f"={images}{TOTALS}"), formats.THOUSANDS, "result"),
        ("read correctly", Formula(f"={right}{TOTALS}"), formats.THOUSANDS, "result"),
        ("misread", Formula(f"=A{row}-B{row}"), formats.THOUSANDS, "result"),
        ("accuracy", Formula(f"=B{row}/A{row}"), formats.PERCENT, "result"),
        ("error rate", Formula(f"=C{row}/A{row}"), formats.PERCENT, "result"),
        ("mean F1", Formula(f"={f1}{TOTALS}"), formats.PERCENT, "result"),
        ("digit read worst", Formula(worst), formats.WHOLE, "result"),
        ("as in CNN epochs", accuracy, formats.PERCENT, "formula"),
        ("accuracy", Formula(same), None, "verdict"),
    ]


def _pictures(tab: Tab, facts: Facts, wrong: int) -> None:
    """The mistakes in rows of ten, each under a column of the matrix with its caption below."""
    report = facts.run.report
    count = len(report.mistake_truth)
    title = "No mistakes"
    if count:
        shown = f"The {counted(count, 'most confident mistake')} of {wrong:,}"
        title = shown if count < wrong else counted(count, "mistake")
    heading(tab, PICTURES, F1, title)
    tab.ws.row_dimensions[PICTURES + 1].height = 6
    note(tab, PICTURES + 2, (1, F1), ABOUT if count else PERFECT, height=18)
    for number in range(count):
        top, column = _place_of(number)
        if column == FIRST:
            tab.ws.row_dimensions[top].height = ROW_PIXELS / PIXELS_PER_POINT
            for row, caption in enumerate(CAPTIONS, top + 1):
                tab.put(row, 1, caption, "muted")
        _picture(tab, facts, number, top, column)
    tab.vouch("probabilities of the mistakes", report.mistake_probability.tolist())
    tab.vouch("places of the mistakes", report.mistake_index.tolist())


def _picture(tab: Tab, facts: Facts, number: int, row: int, column: int) -> None:
    """One picture and its caption."""
    report = facts.run.report
    truth, answer = int(report.mistake_truth[number]), int(report.mistake_answer[number])
    png, words = _png(report.mistake_images[number]), f"a {truth}, read as {answer}"
    tab.ws.add_image(Picture(png, number + 1, row, column, words))
    tab.put(row, column, None, "verdict")
    tab.put(row + 1, column, f"{truth} → {answer}", "group")
    tab.put(row + 2, column, float(report.mistake_probability[number]), "node", formats.PERCENT)
    tab.put(row + 3, column, int(report.mistake_index[number]), "node_title", '"#"0')


def _png(image: Any) -> bytes:
    """The picture (28, 28) of ink 0 to 255 enlarged, with dark ink on white."""
    large = Pillow.fromarray(image).resize((SIDE * ENLARGED, SIDE * ENLARGED), Pillow.Resampling.NEAREST)
    content = io.BytesIO()
    ImageOps.colorize(large, black=f"#{WHITE}", white=f"#{NAVY}").save(content, "png")
    return content.getvalue()
