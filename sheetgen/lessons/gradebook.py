"""The grades of a class: as a workbook whose points can be changed, as a table for other programs, and as lines."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count as counting
from pathlib import Path

from sheetgen.build import write
from sheetgen.errors import OutputError
from sheetgen.lessons.graded import RIGHT, Graded
from sheetgen.xlsx.book import Book, Content, Tab
from sheetgen.xlsx.cells import MAX_TEXT, Formula, column_letters
from sheetgen.xlsx.charts import reference
from sheetgen.xlsx.files import cannot_write, replacing
from sheetgen.xlsx.formats import COUNT, NONE, PERCENT, WHOLE
from sheetgen.xlsx.formats import MEAN as MEAN_FORMAT
from sheetgen.xlsx.page import Page, count, heading, height_of
from sheetgen.xlsx.style import furnish, verdict_rules

__all__ = ["NAME", "check_place", "summary_lines", "write_gradebook"]

GRADES, BLANKS = "Grades", "Blanks"
NAME = "grades"
"""The name of a cell, by which a workbook of grades is known from a submission."""
ABSENT, NO_VERDICT = "—", "no verdict"
HINT, HEADER, POINTS, MEAN, TOP = 3, 4, 5, 6, 7
LEARNER_WIDTH, BLANK_WIDTH = 22.0, 10.0
TOTALS, TOTAL_WIDTHS = ("right of all", "points", "percent", "reasons", "file"), (9.0, 10.0, 10.0, 56.0, 24.0)
BLANKS_WIDTHS = (24, 10, 10, 12, 74, 12)
# A row is no higher for a reason of many lines, which the cell holds all the same; nor is the head, which is frozen.
LEAST, HIGHEST, HIGHEST_HEAD = 19.0, 98.0, 82.0
ON_A_PAGE = 12
"""Of more blanks than this, a page as wide as the table would be too small to read."""
MISTAKES, SAID, LONGEST = 8, 5, 160
COMMANDS = ("=", "+", "-", "@", "\t", "\r", "\n")

Look = tuple[Content, str, str | None]


@dataclass(frozen=True)
class _Row:
    """A submission as it is shown: of each blank verdict and mistake, none of what has no grade; reasons, a line each.

    `own`: it is of the exercise that most are of, or of none that is known.
    """

    learner: str
    file: str
    own: bool
    trouble: bool
    marks: Mapping[str, tuple[str, str]]
    reasons: Sequence[str]

    @property
    def has_grade(self) -> bool:
        """Whether its marks count."""
        return self.own and not self.trouble

    @property
    def right(self) -> int:
        """How many blanks are right."""
        return sum(verdict == RIGHT for verdict, _ in self.marks.values())


@dataclass(frozen=True)
class _Class:
    """All rows in the order of the submissions, and the blanks that most of them share."""

    exercise: str
    rows: Sequence[_Row]

    @property
    def blanks(self) -> list[str]:
        """Their names, in the exercise's order."""
        return list(dict.fromkeys(blank for row in self.rows for blank in row.marks))

    @property
    def found(self) -> str:
        """How many submissions there are, and how many of them have no grade."""
        others = sum(not row.own for row in self.rows)
        said = f"{count(len(self.rows), 'submission')}, {sum(row.trouble for row in self.rows):,} not graded"
        return f"{said}, {others:,} of another exercise" if others else said

    def mistakes(self, blanks: Sequence[str]) -> Counter[str]:
        """How often each mistake was made in some blanks."""
        marks = (row.marks[blank] for blank in blanks for row in self.rows if blank in row.marks)
        return Counter(mistake or verdict for verdict, mistake in marks if verdict != RIGHT)


def check_place(path: Path) -> None:
    """OutputError if no grades can be written there, which is better known before many files are graded."""
    kind = path.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise OutputError(f"{path}: ends in {kind or 'nothing'!r}; grades are written as .xlsx or .csv: {path}.xlsx")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; create it or choose another place")


def write_gradebook(path: Path, graded: Sequence[Graded]) -> None:
    """Write the grades as .xlsx or .csv, atomically; OutputError if the place cannot be written or must not be."""
    check_place(path)
    if os.path.realpath(path) in {os.path.realpath(one.path) for one in graded}:
        raise OutputError(f"{path}: is one of the submissions; name another file for the grades")
    if path.suffix.lower() == ".csv":
        _write_csv(path, _class_of(graded))
        return
    book, learners = Book(), _class_of(graded)
    _fill_grades(book.add(GRADES), learners)
    book.tabs[0].define(NAME, "$A$1")
    _fill_blanks(book.add(BLANKS), learners)
    write(book, path, title=GRADES)


def summary_lines(graded: Sequence[Graded]) -> list[str]:
    """What the terminal prints: a line for each submission, and what they have in common."""
    learners = _class_of(graded)
    of = len(learners.blanks)
    table = [(f"{row.right}/{of}" if row.has_grade else NONE, row.learner, row.file) for row in learners.rows]
    widths = [max(map(len, texts)) for texts in zip(*table, strict=True)]
    lines = []
    for row, texts in zip(learners.rows, table, strict=True):
        mark, learner, file = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
        reason = next(iter(row.reasons), "")
        shown = reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1]}…"
        lines.append(f"{mark}  {learner}  {file}  {shown}".rstrip())
    lines.append(learners.found)
    rights = [row.right for row in learners.rows if row.has_grade]
    if rights and of:
        mean = sum(rights) / len(rights)
        lines.append(f"mean: {mean:.1f} of {of} right, {mean / of:.0%}")
    mistakes = learners.mistakes(learners.blanks).most_common(SAID)
    return lines + [f"{number:,} × {words[:LONGEST]}" for words, number in mistakes]


def _class_of(graded: Sequence[Graded]) -> _Class:
    exercises = Counter(one.exercise for one in graded if not one.trouble)
    exercise = next((name for name, _ in exercises.most_common(1)), "")
    return _Class(_line(exercise), [_row(one, one.trouble != "" or one.exercise == exercise) for one in graded])


def _row(one: Graded, own: bool) -> _Row:
    marks: dict[str, tuple[str, str]] = {}
    for mark in one.marks if own and not one.trouble else ():
        names = (_line(mark.blank) + (f" ({number})" if number > 1 else "") for number in counting(1))
        name = next(name for name in names if name not in marks)
        marks[name] = _line(mark.verdict) or NO_VERDICT, _line(mark.mistake)
    reasons = [*(mark.reason for mark in one.marks), *one.notes]
    if not own:
        of = f"{one.right} of {len(one.marks)} right"
        reasons.insert(0, f"another exercise: {one.exercise or 'an unknown one'} ({of})")
    lines = filter(None, map(_line, [one.trouble] if one.trouble else reasons))
    return _Row(_line(one.learner), _line(one.file or one.path.name), own, one.trouble != "", marks, list(lines))


def _line(text: str) -> str:
    """The text in one line, as much as a cell holds, without what a terminal obeys or a file cannot hold.

    Excel counts characters beyond the first 65,536 of Unicode, such as most emoji, twice.

    >>> _line("Zoë" + chr(27) + "[2J\\n(2nd try)")
    'Zoë [2J (2nd try)'
    """
    line = " ".join(re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", " ", text).split())
    units = line.encode("utf-16-le")
    return line if len(units) <= 2 * MAX_TEXT else units[: 2 * MAX_TEXT - 2].decode("utf-16-le", "ignore") + "…"


def _fill_grades(tab: Tab, learners: _Class) -> None:
    blanks = learners.blanks
    furnish(
        tab.ws,
        title=GRADES,
        subtitle=_line(": ".join(filter(None, (learners.exercise, learners.found)))),
        widths=[LEARNER_WIDTH, *[BLANK_WIDTH] * len(blanks), *TOTAL_WIDTHS],
        freeze=f"B{TOP}",
        repeat_rows=f"{HEADER}:{POINTS}",
        tab_color="verdict",
        fit_width=len(blanks) <= ON_A_PAGE,
        repeat_first=True,
    )
    if blanks:
        tab.put(
            HINT, 1, "The yellow cells say what each blank is worth: change them, and every total follows.", "muted"
        )
    height = max(34.0, *(height_of(blank, BLANK_WIDTH - 2) for blank in ("", *blanks)))
    tab.header(HEADER, 1, ["learner", *blanks, *TOTALS], min(height, HIGHEST_HEAD))
    own, others = ([row for row in learners.rows if row.own is wanted] for wanted in (True, False))
    bottom = TOP + len(own) - 1
    _fill_head(tab, len(blanks), bottom)
    for place, row in enumerate(own, TOP):
        _fill_row(tab, row, blanks, place)
    if blanks:
        cells = f"B{TOP}:{column_letters(1 + len(blanks))}{bottom}"
        verdict_rules(tab.ws, cells, f'B{TOP}="{RIGHT}"', f'AND(B{TOP}<>"{RIGHT}",B{TOP}<>"{ABSENT}")')
    if others:
        heading(tab, bottom + 2, 1 + len(blanks) + len(TOTALS), "Of another exercise: no points")
    for place, row in enumerate(others, bottom + 3):
        _fill_row(tab, row, blanks, place)


def _fill_head(tab: Tab, blanks: int, bottom: int) -> None:
    """What each blank is worth, and all of them together; the mean of those who have a grade."""
    worth = f"B{POINTS}:{column_letters(1 + blanks)}{POINTS}"
    whole = Formula(f"=SUM({worth})") if blanks else 0
    inputs: list[Look] = [(1, "input", None)] * blanks
    tab.put_row(POINTS, 1, ("points", "label", None), *inputs, (blanks, "verdict", WHOLE), (whole, "result", None))
    if not blanks:
        return
    error = "Type a number that is not below 0."
    tab.allow(worth, error, type="decimal", operator="greaterThanOrEqual", formula1="0")
    totals = [f"{letter}{TOP}:{letter}{bottom}" for letter in map(column_letters, range(blanks + 2, blanks + 5))]
    graded = f"COUNT({totals[2]})"
    means = [Formula(f'=IF({graded}=0,"{NONE}",SUM({cells})/{graded})') for cells in totals]
    looks = (means[0], "verdict", MEAN_FORMAT), (means[1], "result", MEAN_FORMAT), (means[2], "verdict", PERCENT)
    tab.put_row(MEAN, 1, ("mean", "label", None), *[(None, "label", None)] * blanks, *looks)


def _fill_row(tab: Tab, row: _Row, blanks: Sequence[str], place: int) -> None:
    """A submission: without a grade it has 0 points, and of another exercise none."""
    end, points = column_letters(1 + len(blanks)), column_letters(3 + len(blanks))
    own, worth, whole = f"B{place}:{end}{place}", f"B${POINTS}:{end}${POINTS}", f"{points}${POINTS}"
    totals: list[Content] = [0, 0, NONE] if row.own else [NONE] * 3
    if blanks and row.own:
        # What is typed and is no number counts as 0 here, as it does in SUM.
        totals[0] = Formula(f'=COUNTIF({own},"{RIGHT}")')
        totals[1] = Formula(f'=SUMPRODUCT(({own}="{RIGHT}")*1,{worth})')
    if blanks and row.has_grade:
        totals[2] = Formula(f'=IF({whole}=0,"{NONE}",{points}{place}/{whole})')
    verdicts = [row.marks[blank][0] if blank in row.marks else ABSENT for blank in blanks]
    texts = row.learner, _line("; ".join(row.reasons)), row.file
    looks: list[Look] = [(text, "verdict", None) for text in verdicts]
    looks += [(totals[0], "verdict", WHOLE), (totals[1], "result", None), (totals[2], "verdict", PERCENT)]
    tab.put_row(place, 1, (texts[0], "boxed", None), *looks, *((text, "boxed", None) for text in texts[1:]))
    widths = LEARNER_WIDTH, *TOTAL_WIDTHS[3:], *[BLANK_WIDTH] * len(blanks)
    heights = (height_of(text, width) for text, width in zip((*texts, *verdicts), widths, strict=True))
    tab.ws.row_dimensions[place].height = min(max(LEAST, *heights), HIGHEST)


def _fill_blanks(tab: Tab, learners: _Class) -> None:
    """How many got each blank right, and what the others did, most frequent first."""
    subtitle = "How many got each blank right, and the most frequent mistakes of the others."
    furnish(tab.ws, title=BLANKS, subtitle=subtitle, widths=BLANKS_WIDTHS, freeze=f"B{HEADER + 1}",
            repeat_rows=f"{HEADER}:{HEADER}", tab_color="verdict")  # fmt: skip
    page = Page(tab, BLANKS_WIDTHS, HEADER)
    page.header("blank", "right", "of", "share", "mistakes", "how often")
    blanks = learners.blanks
    if not blanks:
        page.text("No submission has a grade.")
    bottom = TOP + sum(row.own for row in learners.rows) - 1
    for letter, blank in zip(map(column_letters, counting(2)), blanks, strict=False):
        cells, row = reference(GRADES, f"{letter}{TOP}:{letter}{bottom}"), page.row
        right, of = f'=COUNTIF({cells},"{RIGHT}")', f'=COUNTIF({cells},"<>{ABSENT}")'
        left: list[Look] = [(blank, "boxed", None), (Formula(right), "formula", WHOLE), (Formula(of), "formula", WHOLE)]
        left.append((Formula(f'=IF(C{row}=0,"{NONE}",B{row}/C{row})'), "verdict", PERCENT))
        mistakes = learners.mistakes([blank]).most_common(MISTAKES)
        for words, number in mistakes or [(NONE, 0)]:
            height = max(LEAST, height_of(words, BLANKS_WIDTHS[4]), height_of(blank, BLANKS_WIDTHS[0]))
            tab.ws.row_dimensions[page.row].height = min(height, HIGHEST)
            page.cells(*left, (words, "boxed", None), (number, "formula", COUNT))
            left, blank = [(None, "boxed", None)] * 4, ""


def _write_csv(path: Path, learners: _Class) -> None:
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: is no ordinary file; name one that ends in .csv")
    blanks, text = learners.blanks, io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["learner", "file", "right", "of", "percent", *map(_harmless, blanks), "reasons"])
    for row in learners.rows:
        share = round(100 * row.right / len(blanks), 2) if row.has_grade and blanks else ""
        numbers = (row.right, len(blanks), share) if row.own else ("", "", "")
        verdicts = (row.marks.get(blank, ("", ""))[0] for blank in blanks)
        texts = (row.learner, row.file, *verdicts, _line("; ".join(row.reasons)))
        learner, file, *others = map(_harmless, texts)
        table.writerow([learner, file, *numbers, *others])
    try:
        with replacing(target, ".sheetgen-*.tmp") as draft:
            # By the mark at the beginning Excel knows UTF-8; without it, it reads two letters for an ü.
            draft.write(text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise cannot_write(path, error) from error


def _harmless(text: str) -> str:
    """The text, which a spreadsheet would run as a formula or command if it began as one: learners choose names.

    >>> _harmless("=HYPERLINK(1)"), _harmless("Ada")
    ("'=HYPERLINK(1)", 'Ada')
    """
    return f"'{text}" if text.startswith(COMMANDS) else text
