"""The tab Draw: a digit is chosen or painted, centred as the network's training digits are, and read."""

from __future__ import annotations

import numpy as np

from cnn.layers import CLASSES, SIDE
from cnn.live import DRAW
from cnn.live.forward import BRIGHTEST, CENTRE, CENTRE_DIGITS, FULL_INK
from cnn.live.geometry import DIGIT_PITCH, GRID_TOP, PAGE_TOP, PAINT_LEFT, PANEL_LEFT, SEEN_LEFT, Area, address
from cnn.live.look import Painter, set_columns, set_rows
from cnn.live.network import Trained
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.shapes import Grid
from sheetgen.xlsx.style import HIGH, MIDDLE, fit_screen, furnish
from sheetgen.xlsx.units import EMU_PER_PIXEL

PIXELS = 16
BAR_CELLS, BAR_PIXELS = 20, 9
DIGIT, LOGIT, PROBABILITY, BAR = range(PANEL_LEFT, PANEL_LEFT + 4)
PANEL_PIXELS = {DIGIT: 28, LOGIT: 64, PROBABILITY: 72}
CHOICE_ROW, HEADING_ROW, CAPTION_ROW = 4, 4, 5
ANSWER_ROWS = 14
TABLE_TOP = GRID_TOP + ANSWER_ROWS + 3

PAINT = Area(GRID_TOP, PAINT_LEFT, SIDE, SIDE)
SEEN = Area(GRID_TOP, SEEN_LEFT, SIDE, SIDE)
PAGE = Area(PAGE_TOP, PAINT_LEFT, SIDE, SIDE)
FRAMED_PAGE = Area(PAGE_TOP - 1, PAINT_LEFT - 1, SIDE + 2, SIDE + 2)
LOGITS = Area(TABLE_TOP, LOGIT, CLASSES, 1)
PROBABILITIES = Area(TABLE_TOP, PROBABILITY, CLASSES, 1)
ANSWER = Area(GRID_TOP, PANEL_LEFT, ANSWER_ROWS - 2, 3 + BAR_CELLS)
CHOICE = Area(CHOICE_ROW, PAINT_LEFT, 1, 17)
# Beside the page: the ink of each row, its number; below it the same of each column.
ROW_INK, ROW_NUMBER = PAGE.right + 2, PAGE.right + 5
COLUMN_INK, COLUMN_NUMBER = PAGE.bottom + 2, PAGE.bottom + 3
CENTRING_LEFT = SEEN_LEFT + 5

INSTRUCTION = (
    "Choose a digit in the yellow cell, or paint: type 0 (paper) to 9 (full ink) into the left grid. "
    "Delete what you typed, and the chosen digit is back."
)


def fill(book: Book, trained: Trained, chosen: str) -> tuple[str, str]:
    """Add the tab; its title and what it shows."""
    painter = Painter(book.add(DRAW))
    furnish(
        painter.ws,
        title=f"Draw a digit: the network trained on {trained.dataset} reads it",
        subtitle=INSTRUCTION,
        fit_height=True,
        tab_color="start",
    )
    _cells(painter)
    _choice(painter, chosen)
    _paint(painter)
    _seen(painter)
    _page(painter)
    _centring(painter)
    _answer(painter, trained)
    _table(painter)
    painter.ws.print_area = f"A1:{column_letters(BAR + BAR_CELLS)}{GRID_TOP + SIDE + 1}"
    grid = Grid(painter.ws)
    fit_screen(painter.ws, *(edge / EMU_PER_PIXEL for edge in (grid.left(BAR + BAR_CELLS), grid.top(SEEN.bottom + 1))))
    return DRAW, "choose or paint a digit, and the trained network reads it: 38,000 live formulas, no macros"


def _cells(painter: Painter) -> None:
    painter.squares(1, PANEL_LEFT - 1, GRID_TOP, COLUMN_NUMBER - GRID_TOP + 1, PIXELS)
    for column, pixels in PANEL_PIXELS.items():
        set_columns(painter.ws, column, 1, pixels)
    set_columns(painter.ws, BAR, BAR_CELLS, BAR_PIXELS)
    set_columns(painter.ws, BAR + BAR_CELLS, 1, PIXELS)
    for row, pixels in ((3, 10), (CHOICE_ROW, 28), (CAPTION_ROW, 20), (6, 6), (7, 6)):
        set_rows(painter.ws, row, 1, pixels)


def _choice(painter: Painter, chosen: str) -> None:
    painter.merge(CHOICE, chosen, "picker")
    painter.name("digit_choice", Area(CHOICE.top, CHOICE.left, 1, 1))
    painter.tab.offer(address(CHOICE.top, CHOICE.left), "digit_labels", blank=True)


def _paint(painter: Painter) -> None:
    painter.put(CAPTION_ROW, PAINT_LEFT, "your page: type into it", "caption")
    painter.style(PAINT, "paint")
    painter.mirror(PAINT, PAGE.top, PAGE.left)
    painter.name("paint", PAINT)
    message = "Type a number from 0 (paper) to 9 (full ink), or delete."
    painter.tab.allow(
        PAINT.ref, message, title="0 to 9", blank=True, type="decimal", operator="between", formula1="0",
        formula2=str(FULL_INK),
    )  # fmt: skip


def _seen(painter: Painter) -> None:
    """What the network sees; beside and above it, hidden, which row and column of the framed page each comes from."""
    painter.put(HEADING_ROW, SEEN_LEFT, "What the network sees", "panel_heading")
    painter.put(CAPTION_ROW, SEEN_LEFT, Formula(_MOVED), "caption")
    for place in range(SIDE):
        for row, column, name in (
            (GRID_TOP + place, SEEN_LEFT - 1, "shift_down"),
            (GRID_TOP - 1, SEEN_LEFT + place, "shift_right"),
        ):
            painter.put(row, column, Formula(f"=MAX(1,MIN({SIDE + 2},{place + 2}-{name}))"), "hidden")
    ruler = column_letters(SEEN_LEFT - 1)
    for row, column in np.ndindex(SIDE, SIDE):
        top, left = GRID_TOP + row, SEEN_LEFT + column
        text = f"=INDEX(framed_page,${ruler}{top},{column_letters(left)}${GRID_TOP - 1})"
        painter.put(top, left, Formula(text), "pixel")
    painter.heat(SEEN, fixed=True)
    painter.name("seen", SEEN)


_MOVED = (
    '=IF(AND(shift_down=0,shift_right=0),"your page as it is: its ink is centred",'
    '"your page, centred: "&ABS(shift_down)&IF(shift_down<0," up, "," down, ")'
    '&ABS(shift_right)&IF(shift_right<0," left"," right"))'
)


def _page(painter: Painter) -> None:
    """The chosen digit under what was painted, in ink from 0 to 1, inside a frame of empty cells."""
    painter.put(FRAMED_PAGE.top - 2, PAINT_LEFT, "The page in numbers", "panel_heading")
    painter.put(FRAMED_PAGE.top - 1, PAINT_LEFT, "what was painted, else the chosen digit; ink from 0 to 1", "caption")
    for row, column in np.ndindex(SIDE, SIDE):
        typed = address(PAINT.top + row, PAINT.left + column)
        digit = f"INDEX(test_digits,digit_top+{row + 1},{column + 1})/{BRIGHTEST}"
        text = f"=IF(ISNUMBER({typed}),MAX(0,MIN({FULL_INK},{typed}))/{FULL_INK},{digit})"
        painter.put(PAGE.top + row, PAGE.left + column, Formula(text), "pixel")
    painter.heat(PAGE, fixed=True)
    painter.name("framed_page", FRAMED_PAGE)
    for place in range(SIDE):
        row, column = PAGE.top + place, PAGE.left + place
        across = Area(row, PAGE.left, 1, SIDE).ref
        along = Area(PAGE.top, column, SIDE, 1).ref
        painter.merge(Area(row, ROW_INK, 1, 2), Formula(f"=SUM({across})"), "small_number")
        painter.put(row, ROW_NUMBER, place, "small_cell")
        painter.put(COLUMN_INK, column, Formula(f"=SUM({along})"), "hidden")
        painter.put(COLUMN_NUMBER, column, place, "small_cell")
    painter.merge(Area(PAGE.top - 1, ROW_INK, 1, 2), "ink", "small_cell")
    painter.put(PAGE.top - 1, ROW_NUMBER, "row", "small_cell")


def _centring(painter: Painter) -> None:
    """Where the chosen digit is, the centre of mass and the move, a line each."""
    top, left = PAGE.top, CENTRING_LEFT
    painter.put(FRAMED_PAGE.top - 2, left, "Centred by its centre of mass, as the training digits are", "panel_heading")
    rows = Area(PAGE.top, ROW_INK, SIDE, 1).ref, Area(PAGE.top, ROW_NUMBER, SIDE, 1).ref
    columns = Area(COLUMN_INK, PAGE.left, 1, SIDE).ref, Area(COLUMN_NUMBER, PAGE.left, 1, SIDE).ref
    chosen = f"=IFERROR({DIGIT_PITCH}*(MATCH(digit_choice,digit_labels,0)-1),0)"
    lines = (
        ("digit_top", "where the chosen digit begins in test_digits", chosen),
        ("ink", "ink on the page", f"=SUM({rows[0]})"),
        ("centre_row", "centre of mass, row", _centre(*rows)),
        ("centre_column", "centre of mass, column", _centre(*columns)),
        ("shift_down", f"rows to move down, to {CENTRE}", _shift("centre_row")),
        ("shift_right", f"columns to move right, to {CENTRE}", _shift("centre_column")),
        ("log_sum", "logarithm of Σ exp(logit)", _LOG_SUM),
    )
    for row, (name, meaning, text) in enumerate(lines, top):
        painter.merge(Area(row, left, 1, 6), name, "small_cell")
        painter.merge(Area(row, left + 6, 1, 5), Formula(text), "small_formula")
        painter.put(row, left + 12, meaning, "caption")
        painter.name(name, Area(row, left + 6, 1, 1))


# Term by term: Gnumeric does not compute an array of EXP within SUMPRODUCT.
_TERMS = "+".join(f"EXP({address(TABLE_TOP + digit, LOGIT)}-MAX(logits))" for digit in range(CLASSES))
_LOG_SUM = f"=MAX(logits)+LN({_TERMS})"


def _centre(ink: str, numbers: str) -> str:
    return f"=IF(ink=0,{CENTRE},SUMPRODUCT({ink},{numbers})/ink)"


def _shift(centre: str) -> str:
    return f"=ROUND(ROUND({CENTRE}-{centre},{CENTRE_DIGITS}),0)"


def _answer(painter: Painter, trained: Trained) -> None:
    painter.put(HEADING_ROW, PANEL_LEFT, "The answer", "panel_heading")
    about = f"{trained.epochs} epochs on {trained.dataset}, {trained.accuracy:.2%} of its test digits right"
    painter.put(CAPTION_ROW, PANEL_LEFT, about, "caption")
    text = f'=IF(ink=0,"?",INDEX({Area(LOGITS.top, DIGIT, CLASSES, 1).ref},MATCH(MAX(logits),logits,0)))'
    painter.merge(ANSWER, Formula(text), "answer")
    painter.name("answer", Area(ANSWER.top, ANSWER.left, 1, 1))
    below = Area(ANSWER.bottom + 1, ANSWER.left, 2, ANSWER.columns)
    painter.merge(below, Formula("=IF(ink=0,0,MAX(probabilities))"), "sure")


def _table(painter: Painter) -> None:
    """Logits, probabilities, and bars of them: the cells of a bar up to the probability are lit."""
    for column, title in ((DIGIT, ""), (LOGIT, "logit"), (PROBABILITY, "probability")):
        painter.put(TABLE_TOP - 1, column, title, "logit")
    for digit in range(CLASSES):
        row = TABLE_TOP + digit
        logit = f"=bias_linear_{digit}+SUMPRODUCT(last_maps,kernel_linear_{digit})"
        painter.put(row, DIGIT, digit, "digit")
        painter.put(row, LOGIT, Formula(logit), "logit")
        probability = f"=IF(ink=0,0,EXP({address(row, LOGIT)}-log_sum))"
        painter.put(row, PROBABILITY, Formula(probability), "probability")
    bars = Area(TABLE_TOP, BAR, CLASSES, BAR_CELLS)
    painter.style(bars, "bar")
    reached = f"(COLUMN()-{BAR - 0.5})/{BAR_CELLS}"
    probability = f"${column_letters(PROBABILITY)}{TABLE_TOP}"
    painter.light(bars, f"AND({probability}>={reached},{probability}=MAX(probabilities))", MIDDLE)
    painter.light(bars, f"{probability}>={reached}", HIGH)
    painter.name("logits", LOGITS)
    painter.name("probabilities", PROBABILITIES)
