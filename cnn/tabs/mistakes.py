"""The CNN mistakes tab: which digits are taken for which, and pictures of the most confident mistakes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

from cnn.layers import CLASSES, SIDE
from cnn.tabs import epochs
from cnn.tabs.cards import NONE, Card, count_text, note, put_cards
from cnn.tabs.facts import Facts
from sheetgen.book import Book, Tab
from sheetgen.cells import Formula, Value, column_letters
from sheetgen.style import NAVY, STEP, WHITE, apply, furnish, verdict_rules

__all__ = ["AGREES", "DIFFERS", "TITLE", "fill"]

TITLE = "CNN mistakes"
AGREES, DIFFERS = "agrees", "differs"
SHARE, WHOLE = "0.00%", "#,##0"

RESULTS, GROUPS, HEADER, TOP = 4, 7, 8, 9
BOTTOM = TOP + CLASSES - 1
TOTALS, REMARK_ROW = BOTTOM + 1, BOTTOM + 3
PICTURES = REMARK_ROW + 2
FIRST = 2
"""The column of answer 0, and of the first picture of a row."""
IMAGES, RIGHT, RECALL, PRECISION, F1 = range(FIRST + CLASSES, FIRST + CLASSES + 5)
LABELS = {IMAGES: "images", RIGHT: "read correctly", RECALL: "recall", PRECISION: "precision", F1: "F1"}
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
PIXELS_PER_CHARACTER, PIXELS_PER_POINT, EMU_PER_PIXEL = 7, 4 / 3, 9525
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


@dataclass(frozen=True)
class Digit:
    """A digit's row: how often it was shown, read correctly and answered."""

    shown: int
    right: int
    answered: int

    @property
    def recall(self) -> Value:
        """Of those shown, the share read correctly."""
        return _share(self.right, self.shown)

    @property
    def precision(self) -> Value:
        """Of those answered, the share that is right."""
        return _share(self.right, self.answered)

    @property
    def f1(self) -> Value:
        """The harmonic mean of recall and precision."""
        return _share(2 * self.right, self.shown + self.answered)


def fill(book: Book, facts: Facts, measured: epochs.Landmarks) -> None:
    """Add the tab; `measured` is what the epochs' tab says of the last one."""
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
    digits = [Digit(sum(row), row[d], sum(one[d] for one in confusion)) for d, row in enumerate(confusion)]
    _matrix(tab, confusion, digits)
    put_cards(tab, RESULTS, _cards(digits, measured))
    verdict_rules(tab.ws, f"I{RESULTS + 1}", f'I{RESULTS + 1}="{AGREES}"', f'I{RESULTS + 1}="{DIFFERS}"')
    note(tab, REMARK_ROW, (1, F1), REMARK, height=30)
    _pictures(tab, facts)


def _share(part: int, whole: int) -> Value:
    return part / whole if whole else NONE


def _divided(part: str, whole: str, value: Value) -> Formula:
    """A quotient, or a dash where there is nothing to divide by."""
    return Formula(f'=IF({whole}=0,"{NONE}",{part}/({whole}))', value)


def _mean(values: Sequence[Value]) -> Value:
    """The mean of the numbers among them, as AVERAGE takes it."""
    numbers = [float(value) for value in values if not isinstance(value, str)]
    return sum(numbers) / len(numbers) if numbers else NONE


def _matrix(tab: Tab, confusion: list[list[int]], digits: list[Digit]) -> None:
    """The confusion matrix, and beside it what follows for each digit."""
    heads = ((1, 1, "truth"), (FIRST, IMAGES - 1, "answer of the network"), (IMAGES, F1, "computed here"))
    for first, last, head in heads:
        for column in range(first, last + 1):
            apply(tab.put(GROUPS, column, head if column == first else None), "group")
        if last > first:
            tab.ws.merge_cells(start_row=GROUPS, end_row=GROUPS, start_column=first, end_column=last)
    apply(tab.put(HEADER, 1, "digit"), "header")
    for digit in range(CLASSES):
        apply(tab.put(HEADER, FIRST + digit, digit), "header", STEP)
    for column, label in LABELS.items():
        apply(tab.put(HEADER, column, label), "header")
    tab.ws.row_dimensions[HEADER].height = 32
    for digit, (counts, one) in enumerate(zip(confusion, digits, strict=True)):
        row = TOP + digit
        tab.ws.row_dimensions[row].height = 20
        apply(tab.put(row, 1, digit), "group", STEP)
        for answer, count in enumerate(counts):
            look = "good" if answer == digit else "verdict"
            apply(tab.put(row, FIRST + answer, count), look, '#,##0;-#,##0;"·"')
        _digit(tab, row, FIRST + digit, one)
    _totals(tab, confusion, digits)
    _colour(tab, confusion)


def _digit(tab: Tab, row: int, diagonal: int, one: Digit) -> None:
    """What follows for the digit of a row; its answers stand in the column of its diagonal cell."""
    first, last, own = column_letters(FIRST), column_letters(IMAGES - 1), column_letters(diagonal)
    shown, right, answered = f"{column_letters(IMAGES)}{row}", f"{column_letters(RIGHT)}{row}", f"{own}${TOTALS}"
    contents = {
        IMAGES: (Formula(f"=SUM({first}{row}:{last}{row})", one.shown), WHOLE),
        RIGHT: (Formula(f"={own}{row}", one.right), WHOLE),
        RECALL: (_divided(right, shown, one.recall), SHARE),
        PRECISION: (_divided(right, answered, one.precision), SHARE),
        F1: (_divided(f"2*{right}", f"{shown}+{answered}", one.f1), SHARE),
    }
    for place, (formula, number_format) in contents.items():
        apply(tab.put(row, place, formula), "formula", number_format)


def _totals(tab: Tab, confusion: list[list[int]], digits: list[Digit]) -> None:
    """Under the matrix: how often each answer was given, the sums, and the means over the digits."""
    apply(tab.put(TOTALS, 1, "all digits"), "group")
    tab.ws.row_dimensions[TOTALS].height = 20
    sums = [one.answered for one in digits] + [sum(one.shown for one in digits), sum(one.right for one in digits)]
    for column, value in enumerate(sums, FIRST):
        letter = column_letters(column)
        role = "verdict" if column < IMAGES else "formula"
        apply(tab.put(TOTALS, column, Formula(f"=SUM({letter}{TOP}:{letter}{BOTTOM})", value)), role, WHOLE)
    for column, name in ((RECALL, "recall"), (PRECISION, "precision"), (F1, "f1")):
        letter = column_letters(column)
        mean = _mean([getattr(one, name) for one in digits])
        formula = Formula(f'=IFERROR(AVERAGE({letter}{TOP}:{letter}{BOTTOM}),"{NONE}")', mean)
        apply(tab.put(TOTALS, column, formula), "result", SHARE)


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


def _cards(digits: list[Digit], measured: epochs.Landmarks) -> list[Card]:
    """What to look at first."""
    row = RESULTS + 1
    images, right, recall, f1 = (f"{column_letters(column)}" for column in (IMAGES, RIGHT, RECALL, F1))
    shown, correct = sum(one.shown for one in digits), sum(one.right for one in digits)
    recalls = f"{recall}{TOP}:{recall}{BOTTOM}"
    accuracy = correct / shown
    numbers = [one.recall for one in digits if not isinstance(one.recall, str)]
    hardest: Value = [one.recall for one in digits].index(min(numbers)) if correct < shown else NONE
    judged = AGREES if abs(accuracy - float(measured.accuracy.value)) < epochs.SLACK else DIFFERS
    return [
        Card("test images", Formula(f"={images}{TOTALS}", shown), WHOLE),
        Card("read correctly", Formula(f"={right}{TOTALS}", correct), WHOLE),
        Card("misread", Formula(f"=A{row}-B{row}", shown - correct), WHOLE),
        Card("accuracy", Formula(f"=B{row}/A{row}", accuracy), SHARE),
        Card("error rate", Formula(f"=C{row}/A{row}", (shown - correct) / shown), SHARE),
        Card("mean F1", Formula(f"={f1}{TOTALS}", _mean([one.f1 for one in digits])), SHARE),
        Card(
            "digit read worst",
            Formula(f'=IF(C{row}=0,"{NONE}",INDEX(A{TOP}:A{BOTTOM},MATCH(MIN({recalls}),{recalls},0)))', hardest),
            STEP,
        ),
        Card("as in CNN epochs", measured.accuracy, SHARE, "formula"),
        Card(
            "accuracy",
            Formula(f'=IF(ABS(D{row}-H{row})<{epochs.SLACK_TEXT},"{AGREES}","{DIFFERS}")', judged),
            role="verdict",
        ),
    ]


def _pictures(tab: Tab, facts: Facts) -> None:
    """The mistakes in rows of ten, each under a column of the matrix with its caption below."""
    report = facts.run.report
    count, wrong = len(report.mistake_truth), int(report.confusion.sum() - report.confusion.trace())
    heading = (
        "No mistakes"
        if not count
        else f"The {count_text(count, 'most confident mistake')} of {wrong:,}"
        if count < wrong
        else count_text(count, "mistake")
    )
    for column in range(1, F1 + 1):
        apply(tab.put(PICTURES, column, heading if column == 1 else None), "heading")
    tab.ws.row_dimensions[PICTURES].height = 24
    tab.ws.row_dimensions[PICTURES + 1].height = 6
    note(tab, PICTURES + 2, (1, F1), ABOUT if count else PERFECT, height=18)
    for number in range(count):
        band, place = divmod(number, CLASSES)
        top = PICTURES + 4 + band * ROWS_PER_BAND
        if place == 0:
            tab.ws.row_dimensions[top].height = ROW_PIXELS / PIXELS_PER_POINT
            for row, caption in enumerate(CAPTIONS, top + 1):
                apply(tab.put(row, 1, caption), "muted")
        _picture(tab, facts, number, top, FIRST + place)


def _picture(tab: Tab, facts: Facts, number: int, row: int, column: int) -> None:
    """One picture and its caption."""
    report = facts.run.report
    truth, answer = int(report.mistake_truth[number]), int(report.mistake_answer[number])
    png, words = _png(report.mistake_images[number]), f"a {truth}, read as {answer}"
    tab.ws.add_image(Picture(png, number + 1, row, column, words))
    captions: tuple[tuple[str | float, str, str | None], ...] = (
        (f"{truth} → {answer}", "group", None),
        (float(report.mistake_probability[number]), "node", SHARE),
        (int(report.mistake_index[number]), "node_title", '"#"0'),
    )
    apply(tab.put(row, column), "verdict")
    for below, (content, role, number_format) in enumerate(captions, row + 1):
        apply(tab.put(below, column, content), role, number_format)


def _png(image: Any) -> bytes:
    """The picture (28, 28) of ink 0 to 255 enlarged, with dark ink on white."""
    large = Pillow.fromarray(image).resize((SIDE * ENLARGED, SIDE * ENLARGED), Pillow.Resampling.NEAREST)
    content = io.BytesIO()
    ImageOps.colorize(large, black=f"#{WHITE}", white=f"#{NAVY}").save(content, "png")
    return content.getvalue()
