"""Grades: what learners hand in, in every state, and what is said of it."""

from __future__ import annotations

import csv
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from edits import edited
from handmade import Handmade
from learners import Desk, answers, fill_with_openpyxl, form, of_handmade, opened
from portions import portions
from specs import few_steps
from test_foreign_mistakes import MISTAKES
from workbooks import save_again

from sheetgen.cli import main
from sheetgen.lessons import grade as grading
from sheetgen.lessons.exercise import Exercise, make_exercise
from sheetgen.lessons.files import write_exercise
from sheetgen.lessons.grade import EMPTY, GAPS, HALF, JUDGED, NEW, NUMBERS, THERE, TYPED, WRONG, grade
from sheetgen.lessons.graded import RIGHT
from sheetgen.lessons.submissions import grade_all
from sheetgen.spec import load
from sheetgen.tabs.layout import HEADER_ROW, TABLE_TOP

GRADIENTS = [f"∂E/∂w{k}" for k in range(1, 9)]
TAB = "lr 2"


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exercise, Path]:
    """The default exercise with numbers of its own."""
    exercise = make_exercise(load("erav2"), seed=1, rate=2.0)
    path = tmp_path_factory.mktemp("out") / "exercise.xlsx"
    write_exercise(exercise, path)
    return exercise, path


@pytest.fixture(scope="module")
def right(handed_out: tuple[Exercise, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, right, as IronCalc saves it."""
    exercise, path = handed_out
    return Desk(path, exercise).write(answers(exercise)).hand_in(tmp_path_factory.mktemp("in") / "right.xlsx")


def verdicts(path: Path) -> list[str]:
    """Of each blank; fails if the file was not graded."""
    graded = grade(path)
    assert not graded.trouble, graded
    return [mark.verdict for mark in graded.marks]


Change = Callable[[Any], None]
"""What somebody does to a right workbook that openpyxl has open."""


def _column(book: Any, name: str) -> Any:
    sheet = book[TAB]
    return next(cell.column for cell in sheet[HEADER_ROW] if cell.value == name)


def _each(book: Any, name: str, content: Callable[[int], object], rows: range = range(68)) -> None:
    for step in rows:
        book[TAB].cell(TABLE_TOP + step, _column(book, name)).value = content(step)


def _notes_in_front(book: Any) -> None:
    sheet = book.create_sheet("notes", 0)
    for place, cell in enumerate(book[TAB][HEADER_ROW], 1):
        sheet.cell(1, place).value = cell.value
        sheet.cell(2, place).value = "my note"


def _copy_in_front(book: Any, content: object = 0) -> None:
    sheet = book.create_sheet("my copy", 0)
    for row in book[TAB].iter_rows(min_row=HEADER_ROW, max_row=75):
        for cell in row:
            sheet.cell(cell.row, cell.column).value = cell.value if cell.row == HEADER_ROW else content


def _numbers_below(book: Any) -> None:
    for step in range(68):
        book[TAB].cell(80 + step, 1).value = step


def _helper_tab(book: Any) -> None:
    """The factor of output 1 on a tab of its own."""
    sheet = book.create_sheet("mine")
    for step in range(68):
        row = TABLE_TOP + step
        sheet.cell(row, 1).value = f"=('{TAB}'!S{row}-'{TAB}'!B{row})*'{TAB}'!S{row}*(1-'{TAB}'!S{row})"
    _each(book, "∂E/∂w5", lambda step: f"=mine!A{TABLE_TOP + step}*K{TABLE_TOP + step}")


HARMLESS: dict[str, Change] = {
    "nothing": lambda book: None,
    "notes in front": _notes_in_front,
    "a copy of the head in front": _copy_in_front,
    "numbers below the table": _numbers_below,
    "a helper tab": _helper_tab,
    "other inputs": lambda book: book["Inputs"].__setitem__("F7", 0.77),
    "a formula in Inputs": lambda book: book["Inputs"].__setitem__("F7", "=0.5+0.2"),
    "hints opened": lambda book: book["Hints"].__setitem__("B5", 3),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_no_harm_costs_nothing(name: str, right: Path, tmp_path: Path) -> None:
    """Saved without values by openpyxl, too."""
    book = opened(right)
    HARMLESS[name](book)
    book.save(tmp_path / "in.xlsx")
    assert verdicts(tmp_path / "in.xlsx") == [RIGHT] * 8


MOVES: dict[str, Callable[[Desk], None]] = {
    "a row above the head": lambda desk: desk.model.insert_rows(desk.sheet, 2, 1),
    "a row below the head": lambda desk: desk.model.insert_rows(desk.sheet, TABLE_TOP + 30, 1),
    "columns within the table": lambda desk: desk.model.insert_columns(desk.sheet, 10, 2),
    "the tab renamed": lambda desk: desk.model.rename_sheet(desk.sheet, "mine"),
    "the judge renamed": lambda desk: desk.model.rename_sheet(desk.sheets["Judge"], "Other"),
}


@pytest.mark.parametrize("name", MOVES)
def test_what_is_moved_is_found(name: str, handed_out: tuple[Exercise, Path], tmp_path: Path) -> None:
    """Rows and columns inserted and tabs renamed as a spreadsheet program does, which moves what refers to them."""
    exercise, path = handed_out
    desk = Desk(path, exercise).write(answers(exercise))
    MOVES[name](desk)
    desk.model.evaluate()
    graded = grade(desk.hand_in(tmp_path / "in.xlsx"))
    assert (graded.trouble, graded.right) == ("", 8), graded


@pytest.mark.slow
def test_a_file_saved_by_libreoffice_is_graded(right: Path, soffice: Path, tmp_path: Path) -> None:
    """And by LibreOffice too."""
    saved = save_again(right, tmp_path)
    assert verdicts(saved) == [RIGHT] * 8
    assert grade(right, "libreoffice").right == 8


def _frozen(book: Any, values: Any) -> None:
    for row in book[TAB].iter_rows(min_row=TABLE_TOP, max_row=75, max_col=32):
        for cell in row:
            cell.value = values[TAB].cell(cell.row, cell.column).value


def _all_zero(book: Any, values: Any) -> None:
    for name in ("t1", "t2", "a_o1", "a_o2", *GRADIENTS):
        _each(book, name, lambda step: 0)


def _with_helper(book: Any, values: Any) -> None:
    sheet = book.create_sheet("mine")
    for step in range(68):
        sheet.cell(TABLE_TOP + step, 1).value = f"=Judge!A{step + 6}*0+1"
    _each(book, "∂E/∂w5", lambda step: f"=S{TABLE_TOP + step}*mine!A{TABLE_TOP + step}")


def _half(book: Any, values: Any) -> None:
    _each(book, "∂E/∂w5", lambda step: None, range(2, 68))


DAMAGE: dict[str, tuple[Callable[[Any, Any], None], list[str]]] = {
    "numbers pasted over all": (_frozen, [TYPED, WRONG]),
    "zeros": (_all_zero, [WRONG]),
    "the judge's cells": (
        lambda book, values: _each(book, "∂E/∂w5", lambda step: f"=Judge!A{step + 6}+X8*0"), [JUDGED],
    ),
    "the judge's cells through another": (_with_helper, [JUDGED]),
    "typed": (lambda book, values: _each(
        book, "∂E/∂w5", lambda step: values[TAB].cell(TABLE_TOP + step, _column(book, "∂E/∂w5")).value), [TYPED]),
    "half": (_half, [HALF]),
    "row 0 missing": (lambda book, values: _each(book, "∂E/∂w5", lambda step: None, range(1)), [GAPS]),
    "empty": (lambda book, values: _each(book, "∂E/∂w5", lambda step: None), [EMPTY]),
    "a wrong last row": (lambda book, values: _each(book, "∂E/∂w5", lambda step: 7, range(67, 68)), [WRONG]),
    "a text": (lambda book, values: _each(book, "∂E/∂w5", lambda step: "later"), [WRONG]),
    "a truth value": (lambda book, values: _each(book, "∂E/∂w5", lambda step: True), [WRONG]),
    "a division by 0": (lambda book, values: _each(book, "∂E/∂w5", lambda step: "=1/0"), [WRONG]),
    "for these numbers": (lambda book, values: _each(
        book, "∂E/∂w5", lambda step: f"={values[TAB].cell(TABLE_TOP + step, _column(book, '∂E/∂w5')).value!r}*1"),
        [NUMBERS]),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_not_right_is_told(name: str, right: Path, tmp_path: Path) -> None:
    """The verdict on ∂E/∂w5; the other columns are right where the table was left alone."""
    damage, allowed = DAMAGE[name]
    book, values = opened(right), opened(right, values=True)
    damage(book, values)
    book.save(tmp_path / "in.xlsx")
    graded = grade(tmp_path / "in.xlsx")
    assert not graded.trouble, graded
    marks = {mark.blank: mark for mark in graded.marks}
    assert marks["∂E/∂w5"].verdict in allowed, marks["∂E/∂w5"]
    if name in ("numbers pasted over all", "zeros"):
        assert graded.right == 0 and graded.notes, graded
    else:
        assert graded.right == 7, graded
        assert "∂E/∂w5: " in marks["∂E/∂w5"].reason


def test_what_belongs_there_is_right(handed_out: tuple[Exercise, Path], tmp_path: Path) -> None:
    """The formula that a reason names is the exercise's own, for several samples too."""
    exercise = make_exercise(few_steps("xor"))
    path = tmp_path / "xor.xlsx"
    write_exercise(exercise, path)
    contents = answers(exercise)
    wrong = {(name, step): text for (name, step), text in contents.items() if name == "∂E/∂w1"}
    changed = {place: f"{text}*2" for place, text in wrong.items()}
    filled = fill_with_openpyxl(path, tmp_path / "in.xlsx", exercise, {**contents, **changed})
    [mark] = [one for one in grade(filled).marks if one.verdict != RIGHT]
    assert mark.blank == "∂E/∂w1" and wrong["∂E/∂w1", 0] in mark.reason, mark


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _changed_text(path: Path, out: Path, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, archive.read(name).replace(old, new))
    return out


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


BROKEN: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "missing": (lambda right, folder: folder / "none.xlsx", "no such file"),
    "empty": (lambda right, folder: _written(folder / "x.xlsx", b""), "is no"),
    "a text": (lambda right, folder: _written(folder / "x.xlsx", b"hello"), "is no"),
    "cut": (lambda right, folder: _written(folder / "x.xlsx", right.read_bytes()[:9_000]), "is no|damaged"),
    "a fifo": (lambda right, folder: _fifo(folder / "x.xlsx"), "ordinary file|cannot be read"),
    "a folder": (lambda right, folder: _folder(folder / "x.xlsx"), "folder|director|ordinary|cannot be read"),
    "the record changed": (
        lambda right, folder: _changed_text(right, folder / "x.xlsx", b"&quot;bugs&quot;: 0", b"&quot;bugs&quot;: 2"),
        "was changed",
    ),
    "the columns changed": (
        lambda right, folder: _changed_text(right, folder / "x.xlsx", "∂E/∂w2".encode(), b"E1"), "was changed",
    ),
    "the spec changed": (
        lambda right, folder: _changed_text(right, folder / "x.xlsx", b"steps = 67", b"steps = 66"), "was changed",
    ),
    "a text in Inputs": (lambda right, folder: edited(right, folder / "x.xlsx", {("Inputs", "F7"): "0,5"}), "'0,5'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_graded_is_a_row(name: str, right: Path, tmp_path: Path) -> None:
    """With what was found; the others are graded."""
    import re

    make, pattern = BROKEN[name]
    broken = make(right, tmp_path)
    graded = grade_all([right, broken])
    assert graded[0].right == 8
    assert re.search(pattern, graded[1].trouble), graded[1].trouble
    assert graded[1].trouble.endswith("hand in the exercise that was handed out, saved as .xlsx")


def test_bugs_are_mended_or_not(tmp_path: Path) -> None:
    """A mended bug, one that is left, and a new mistake, each with its own mark."""
    exercise = make_exercise(load("erav2"), bugs=3, seed=4)
    path, key = tmp_path / "bugs.xlsx", tmp_path / "key.xlsx"
    write_exercise(exercise, path, key)
    from sheetgen.lessons.bugs import plant

    bugs = plant(exercise)
    own = answers(exercise)
    mended = {place: text for place, text in own.items() if place[0] in {s.name for s in bugs[0].columns}}
    new = {("∂E/∂w2", step): "=1" for step in range(68)}
    assert "∂E/∂w2" not in {symbol.name for bug in bugs for symbol in bug.columns}
    graded = grade(fill_with_openpyxl(path, tmp_path / "in.xlsx", exercise, {**mended, **new}))
    assert [mark.verdict for mark in graded.marks] == [RIGHT, THERE, THERE, NEW], graded
    assert "∂E/∂w2" in graded.marks[-1].reason


def test_a_class_is_graded_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exercises for names, one right, one broken; .xlsx and .csv; nothing of a submission is written over."""
    names, folder = tmp_path / "names.txt", tmp_path / "class"
    names.write_text("Ada\nEmmy\n\nSofja\n", encoding="utf-8-sig")
    assert main(["exercise", "--class", str(names), "-o", str(folder), "--key", str(tmp_path / "keys")]) == 0
    assert main(["exercise", "--class", str(names), "-o", str(folder)]) == 1
    assert "is there already" in capsys.readouterr().err
    (folder / "Ada.xlsx").write_bytes((tmp_path / "keys" / "Ada solution.xlsx").read_bytes())
    (folder / "Emmy.xlsx").write_bytes(b"PK")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for kind in ("xlsx", "csv"):
        assert main(["grade", str(folder), "-o", str(folder / f"GRADES.{kind}")]) == 0
        assert main(["grade", str(folder), "-o", str(folder / f"GRADES.{kind}")]) == 0, (
            "earlier grades are no submission"
        )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("8/8  Ada") and "hand in the exercise" in lines[1] and lines[2].startswith("0/8  Sofja")
    rows = list(csv.reader((folder / "GRADES.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row[:4] for row in rows[1:]] == [
        ["Ada", "Ada.xlsx", "8", "8"], ["Emmy", "Emmy.xlsx", "0", "8"], ["Sofja", "Sofja.xlsx", "0", "8"],
    ]  # fmt: skip
    assert main(["grade", str(folder), "-o", str(folder / "Ada.xlsx")]) == 1
    assert "is a submission" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


MISTAKEN = [name for name in MISTAKES if name[0] in "12345" or name.startswith(("6: a copy", "9", "turned"))]


def submission(seed: int, handed: tuple[Exercise, Path], right: Path, folder: Path) -> tuple[Path, list[str] | None]:
    """What a learner hands in, and the verdicts that it deserves; None for what cannot be graded."""
    exercise, path = handed
    draw = random.Random(seed)
    out = folder / f"{seed}.xlsx"
    kind = draw.choice(("columns",) * 6 + ("mistake", "broken"))
    if kind == "broken":
        make, _ = BROKEN[draw.choice(("empty", "a text", "cut", "the record changed"))]
        found = make(right, folder)
        return found.rename(out), None
    contents = dict(answers(exercise, lambda text, step: form(text, draw.randrange(20))))
    if kind == "mistake":
        name = draw.choice(MISTAKEN)
        make_wrong, wrong, _ = MISTAKES[name]
        contents = of_handmade(make_wrong(Handmade()), GRADIENTS)
        expected = [WRONG if one in wrong else RIGHT for one in GRADIENTS]
    else:
        values = Desk(path, exercise).write(answers(exercise))
        expected = []
        for name in GRADIENTS:
            what = draw.choice((RIGHT, RIGHT, TYPED, HALF, EMPTY, GAPS, WRONG))
            expected.append(what)
            until = draw.randrange(1, 67)
            for step in range(68):
                place = name, step
                if what == TYPED:
                    value = values.model.get_cell_value(values.sheet, TABLE_TOP + step, values.columns[name])
                    contents[place] = value
                elif what == EMPTY or (what == HALF and step > until) or (what == GAPS and step == until):
                    contents.pop(place)
                elif what == WRONG and step == until:
                    contents[place] = f"=({contents[place][1:]})*1.001"
    if draw.random() < 0.5:
        return fill_with_openpyxl(path, out, exercise, contents), expected
    return Desk(path, exercise).write(contents).hand_in(out), expected


def test_files_of_one_name_or_one_learner_are_told_apart(tmp_path: Path) -> None:
    """A folder each, as learning platforms have them; and a class-mate's exercise under another name."""
    paths = []
    for folder, learner in (("Ada_1", ""), ("Bob_2", "")):
        path = tmp_path / folder / "exercise.xlsx"
        path.parent.mkdir()
        write_exercise(make_exercise(load("erav2"), learner=learner), path)
        paths.append(path)
    assert [(one.learner, one.file) for one in grade_all(paths)] == [
        ("Ada_1", "Ada_1/exercise.xlsx"), ("Bob_2", "Bob_2/exercise.xlsx"),
    ]  # fmt: skip
    for name in ("Ada", "Bob"):
        write_exercise(make_exercise(load("erav2"), learner="Ada"), tmp_path / f"{name}.xlsx")
    for one in grade_all([tmp_path / "Ada.xlsx", tmp_path / "Bob.xlsx"]):
        assert one.learner == "Ada" and one.notes == ("the exercise of Ada was handed in 2 times",)


LEARNERS = 3


@pytest.mark.parametrize("seeds", portions(1, 3, 200, 197))
def test_generated_classes_get_the_grades_they_deserve(
    seeds: range, handed_out: tuple[Exercise, Path], right: Path, tmp_path: Path
) -> None:
    """Right in other words, typed, half filled, with gaps, wrong, broken: every grade as expected, none aborted."""
    for seed in seeds:
        made = [submission(seed * LEARNERS + at, handed_out, right, tmp_path) for at in range(LEARNERS)]
        for (path, expected), graded in zip(made, grade_all([path for path, _ in made]), strict=True):
            if expected is None:
                assert graded.trouble and not graded.marks, path
            else:
                assert [mark.verdict for mark in graded.marks] == expected, (seed, path, graded)
            path.unlink()


def test_every_verdict_is_shown() -> None:
    """A verdict that no test has met is one that nobody has seen."""
    met = {EMPTY, GAPS, HALF, JUDGED, NEW, NUMBERS, THERE, TYPED, WRONG}
    assert {getattr(grading, name) for name in grading.__all__ if name.isupper()} <= met
