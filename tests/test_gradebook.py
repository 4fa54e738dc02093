"""The grades of a class: what other programs read in the workbook and in the table, and what the terminal prints."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import ironcalc
import pytest
from edits import edit_and_recalculate
from openpyxl import load_workbook
from referees import complaints, differences, misread, openpyxl_cells, stored
from xlsx_lint import lint

from sheetgen.check.engines import Engine, recalculate
from sheetgen.errors import OutputError, SheetgenError
from sheetgen.lessons.gradebook import BLANKS, GRADES, MEAN, POINTS, TOP, summary_lines, write_gradebook
from sheetgen.lessons.graded import RIGHT, Graded, Mark
from sheetgen.xlsx.cells import MAX_TEXT, column_letters

WRONG = Mark("δ_o1", "not right", "δ_o1: K4 has the other sign", "the sign is turned round")
EMPTY = Mark("∂E/∂w1", "empty", "∂E/∂w1 is empty")


def right(blank: str) -> Mark:
    return Mark(blank, RIGHT)


ADA = Graded(Path("in/ada.xlsx"), "Ada", "xor", (right("net_h1"), right("δ_o1"), right("∂E/∂w1")))
BOB = Graded(Path("in/bob.xlsx"), "=Bob", "xor", (right("net_h1"), WRONG, EMPTY), ("a new mistake",))
CAT = Graded(Path("in/cat.xlsx"), "Cat", trouble="in/cat.xlsx: is no workbook; save it as .xlsx")
DAN = Graded(Path("in/dan.xlsx"), "Dan", "xor", (right("net_h1"), WRONG, right("∂E/∂w1")))
EVE = Graded(Path("in/eve.xlsx"), "Eve", "and", (right("a"), Mark("b", "empty")))
CLASS = (ADA, EVE, BOB, CAT, DAN)
# By column: three blanks in B to D, then right, points, percent, reasons, file.
ROWS = dict(zip(("Ada", "=Bob", "Cat", "Dan"), range(TOP, TOP + 4), strict=True))
EVES_ROW = TOP + 6


def written(folder: Path, graded: tuple[Graded, ...], name: str = "grades.xlsx") -> Path:
    path = folder / name
    write_gradebook(path, graded)
    return path


def row_of(cells: Any, row: int, letters: str) -> list[Any]:
    return [cells[GRADES, f"{letter}{row}"] for letter in letters]


def large(learners: int, blanks: int) -> tuple[Graded, ...]:
    """A class in which learner n has the blank k right where n·k is even."""
    names = [f"w{k}" for k in range(blanks)]
    return tuple(
        Graded(
            Path(f"{n}.xlsx"),
            "The same name",
            "xor",
            tuple(Mark(name, "not right" if n * k % 2 else RIGHT) for k, name in enumerate(names)),
        )
        for n in range(learners)
    )


def test_what_the_grades_are(tmp_path: Path) -> None:
    """As a reader finds them and IronCalc computes them; what begins with = is text, and totals are formulas."""
    path = written(tmp_path, CLASS)
    read, computed = openpyxl_cells(path), recalculate(path)
    assert row_of(read, TOP - 3, "ABCDEFGHI") == [
        *("learner", "net_h1", "δ_o1", "∂E/∂w1", "right of all", "points", "percent", "reasons", "file")
    ]
    assert {name: read[GRADES, f"A{row}"] for name, row in ROWS.items()} == {name: name for name in ROWS}
    assert load_workbook(path)[GRADES][f"A{TOP + 1}"].data_type == "s"
    assert row_of(read, ROWS["=Bob"], "BCD") == ["right", "not right", "empty"]
    assert read[GRADES, f"H{TOP + 1}"] == "δ_o1: K4 has the other sign; ∂E/∂w1 is empty; a new mistake"
    assert read[GRADES, f"I{TOP + 1}"] == "bob.xlsx"
    assert row_of(computed, POINTS, "BCDEF") == [1, 1, 1, 3, 3]
    for name, points in (("Ada", 3), ("=Bob", 1), ("Dan", 2)):
        assert row_of(computed, ROWS[name], "EFG") == [points, points, pytest.approx(points / 3)]
    assert row_of(computed, MEAN, "EFG") == [2, 2, pytest.approx(2 / 3)]
    assert {f"{letter}{row}" for letter in "EF" for row in ROWS.values()} <= {a for tab, a in computed if tab == GRADES}


def test_what_is_not_graded_has_no_points(tmp_path: Path) -> None:
    """A file in trouble has 0 and stands among the others; one of another exercise stands below, without any."""
    read = openpyxl_cells(written(tmp_path, CLASS))
    assert row_of(read, ROWS["Cat"], "BCDEFG") == ["—", "—", "—", 0, 0, "–"]
    assert read[GRADES, f"H{ROWS['Cat']}"] == CAT.trouble
    assert "another exercise" in read[GRADES, f"A{EVES_ROW - 1}"]
    assert row_of(read, EVES_ROW, "ABCDEFG") == ["Eve", "—", "—", "—", "–", "–", "–"]
    assert read[GRADES, f"H{EVES_ROW}"] == "another exercise: and (1 of 2 right)"


def test_points_are_for_the_teacher_to_change(tmp_path: Path) -> None:
    """Typed over in IronCalc, every total follows; the cells alone are open."""
    path = written(tmp_path, CLASS)
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.set_user_input(0, POINTS, 3, "2.5")
    model.set_user_input(0, POINTS, 4, "0.5")
    model.evaluate()
    points = [model.get_cell_value(0, row, 6) for row in (POINTS, *ROWS.values())]
    assert points == [4, 4, 1, 0, 1.5]
    assert [model.get_cell_value(0, row, 7) for row in ROWS.values()] == [1, 0.25, "–", 0.375]
    assert model.get_cell_value(0, MEAN, 6) == pytest.approx(6.5 / 3)
    sheet = load_workbook(path)[GRADES]
    opened = [cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked]
    assert sheet.protection.sheet
    assert opened == [f"{letter}{POINTS}" for letter in "BCD"]


@pytest.mark.parametrize(("typed", "points", "share"), [("none", [2, 2], 1), (0, [2, 2], 1)])
def test_a_blank_that_is_worth_nothing(tmp_path: Path, typed: str | int, points: list[int], share: int) -> None:
    """A word counts as 0, in a learner's points as in those of all."""
    path = written(tmp_path, CLASS)
    cells = edit_and_recalculate(path, {(GRADES, f"C{POINTS}"): typed})
    assert [cells[GRADES, f"F{POINTS}"], cells[GRADES, f"F{TOP}"]] == points
    assert cells[GRADES, f"G{ROWS['Dan']}"] == share


def test_no_points_at_all_are_no_error(tmp_path: Path) -> None:
    """There is nothing to divide by."""
    cells = edit_and_recalculate(written(tmp_path, CLASS), {(GRADES, f"{letter}{POINTS}"): 0 for letter in "BCD"})
    assert row_of(cells, TOP, "EFG") == [3, 0, "–"]
    assert row_of(cells, MEAN, "EFG") == ["–"] * 3


def test_the_blanks_and_their_mistakes(tmp_path: Path) -> None:
    """How many had it right, of those who have a grade; what the others did, most frequent first, eight at most."""
    many = [Mark("x", "not right", mistake=f"mistake {k}") for k in range(10)]
    often = [Graded(Path(f"{k}.xlsx"), f"{k}", "one", (mark,)) for k, mark in enumerate([right("x"), *many, many[7]])]
    cases: list[tuple[tuple[Graded, ...], list[tuple[Any, ...]]]] = [
        (CLASS, [("net_h1", 3, 3, "–", 0), ("δ_o1", 1, 3, WRONG.mistake, 2), ("∂E/∂w1", 2, 3, "empty", 1)]),
        (tuple(often), [("x", 1, 12, "mistake 7", 2), *((None, None, None, f"mistake {k}", 1) for k in range(7))]),
    ]
    for graded, expected in cases:
        path = written(tmp_path, graded)
        read, computed = openpyxl_cells(path), recalculate(path)
        found = [[read.get((BLANKS, f"{letter}{row}")) for letter in "ABCEF"] for row in range(5, 5 + len(expected))]
        assert found == [list(row) for row in expected]
        assert (BLANKS, f"E{5 + len(expected)}") not in read
        assert computed[BLANKS, "D5"] == pytest.approx(expected[0][1] / expected[0][2])


HOSTILE = (
    Graded(Path("a\udcff.xlsx"), "\x1b[2J\tZoë 🦊\r\n", "xor", (Mark("=x", "=1+1", "🦊" * 20_000),)),
    Graded(Path("b" * 200), "", "xor", (Mark("=x", "", "\ud800\ufffe"), Mark("=x", RIGHT, "r" * 40_000))),
    Graded(Path("c.xlsx"), "L" * 40_000, "", trouble="t" * 40_000),
)
SIZES = {
    "class": CLASS,
    "none": (),
    "trouble": (CAT,),
    "one": (Graded(Path("a.xlsx"), "Ada", "xor", (right("x"),)),),
    "no marks": (Graded(Path("a.xlsx"), "Ada", "xor"),),
    "hostile": HOSTILE,
    "long": large(300, 5),
    "wide": large(5, 60),
}


@pytest.mark.parametrize("size", SIZES)
def test_every_class_makes_a_valid_workbook(tmp_path: Path, size: str, ooxml_validator: Path) -> None:
    """The Open XML SDK and the linter find nothing, and IronCalc and three readers agree with what is stored."""
    path = written(tmp_path, SIZES[size])
    assert complaints(ooxml_validator, path) == []
    assert misread(path) == []
    assert differences(stored(path), recalculate(path)) == []
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    assert written(tmp_path, SIZES[size]).read_bytes() == before


@pytest.mark.libreoffice
@pytest.mark.parametrize("size", ["class", "one"])
def test_libreoffice_agrees(tmp_path: Path, soffice: Path, size: str) -> None:
    """ "not right" is not counted as right."""
    path = written(tmp_path, SIZES[size])
    engine: Engine = "libreoffice"
    assert differences(stored(path), recalculate(path, engine)) == []


def test_a_large_class(tmp_path: Path) -> None:
    """300 learners of one name and 60 blanks: a row each, and the points that each should have."""
    path = written(tmp_path, large(300, 60))
    assert lint(path) == []
    computed = recalculate(path)
    points = column_letters(1 + 60 + 2)
    assert [computed[GRADES, f"{points}{TOP + n}"] for n in range(300)] == [
        60 if n % 2 == 0 else 30 for n in range(300)
    ]
    assert [computed[BLANKS, f"B{5 + k}"] for k in range(60)] == [300 if k % 2 == 0 else 150 for k in range(60)]


def test_two_blanks_of_one_name_have_columns_of_their_own(tmp_path: Path) -> None:
    """The second is called so; a text that is longer than a cell is cut, and what a file cannot hold left out."""
    read = openpyxl_cells(written(tmp_path, HOSTILE))
    assert row_of(read, TOP - 3, "BCD") == ["=x", "=x (2)", "right of all"]
    assert row_of(read, TOP, "ABC") == ["[2J Zoë 🦊", "=1+1", "—"]
    assert row_of(read, TOP + 1, "BC") == ["no verdict", "right"]
    for place, row in (("G", TOP), ("G", TOP + 1), ("A", TOP + 2), ("G", TOP + 2)):
        text = read[GRADES, f"{place}{row}"]
        assert len(text.encode("utf-16-le")) // 2 in (MAX_TEXT - 1, MAX_TEXT)
        assert text.endswith("…")


def test_the_table_for_other_programs(tmp_path: Path) -> None:
    """UTF-8 with a mark that Excel knows; a name that would be a formula gets an apostrophe."""
    path = written(tmp_path, CLASS, "grades.CSV")
    assert path.read_bytes().startswith(b"\xef\xbb\xbflearner,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["learner", "file", "right", "of", "percent", "net_h1", "δ_o1", "∂E/∂w1", "reasons"],
        ["Ada", "ada.xlsx", "3", "3", "100.0", "right", "right", "right", ""],
        ["Eve", "eve.xlsx", "", "", "", "", "", "", "another exercise: and (1 of 2 right)"],
        ["'=Bob", "bob.xlsx", "1", "3", "33.33", "right", "not right", "empty", "; ".join(
            ("δ_o1: K4 has the other sign", "∂E/∂w1 is empty", "a new mistake"),
        )],
        ["Cat", "cat.xlsx", "0", "3", "", "", "", "", CAT.trouble],
        ["Dan", "dan.xlsx", "2", "3", "66.67", "right", "not right", "right", WRONG.reason],
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n@", " ="])
def test_no_cell_of_the_table_is_a_formula(tmp_path: Path, start: str) -> None:
    """Wherever a learner's text stands: in a name, a file, a blank, a verdict, a reason."""
    mark = Mark(f"{start}blank", f"{start}verdict", f"{start}reason")
    path = written(tmp_path, (Graded(Path(f"{start}file.xlsx"), f"{start}name", "xor", (mark,)),), "grades.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        [head, row] = csv.reader(file)
    for text in (head[5], row[0], row[1], row[5], row[6]):
        assert text.startswith(f"'{start.strip()}")


@pytest.mark.parametrize("size", SIZES)
def test_every_class_makes_a_table(tmp_path: Path, size: str) -> None:
    """A row for each, as wide as the head."""
    with written(tmp_path, SIZES[size], "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + len(SIZES[size])
    assert len(set(map(len, rows))) == 1


def test_what_the_terminal_prints() -> None:
    assert summary_lines(CLASS) == [
        "3/3  Ada   ada.xlsx",
        "–    Eve   eve.xlsx  another exercise: and (1 of 2 right)",
        "1/3  =Bob  bob.xlsx  δ_o1: K4 has the other sign",
        "–    Cat   cat.xlsx  in/cat.xlsx: is no workbook; save it as .xlsx",
        "2/3  Dan   dan.xlsx  δ_o1: K4 has the other sign",
        "5 submissions, 1 not graded, 1 of another exercise",
        "mean: 2.0 of 3 right, 67%",
        "2 × the sign is turned round",
        "1 × empty",
    ]
    assert summary_lines(()) == ["0 submissions, 0 not graded"]
    assert summary_lines((CAT,))[-1] == "1 submission, 1 not graded"


def test_the_terminal_is_not_commanded() -> None:
    """No control characters, one line each, and no reason without end."""
    for line in summary_lines(HOSTILE[:2]):
        assert line.isprintable()
        assert len(line) < 500


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("grades.ods", r"grades.ods: ends in '.ods'; grades are written as .xlsx or .csv: .*grades.ods.xlsx"),
        ("grades", "ends in 'nothing'"),
        ("there/grades.csv", "there is no folder"),
        ("there/grades.xlsx", "there is no folder"),
        ("folder.csv", "is no ordinary file"),
        ("bob.xlsx", "is one of the submissions"),
        ("bob.csv", "is one of the submissions"),
        ("closed.csv", "cannot be written: it is read-only"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(tmp_path: Path, name: str, said: str) -> None:
    """And whatever stood there is left alone."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "closed.csv").write_text("kept")
    (tmp_path / "closed.csv").chmod(0o444)
    before = sorted(tmp_path.iterdir())
    graded = [Graded(tmp_path / submission, "Bob", "xor") for submission in ("bob.xlsx", "bob.csv")]
    with pytest.raises(OutputError, match=said) as caught:
        write_gradebook(tmp_path / name, graded)
    assert isinstance(caught.value, SheetgenError)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "closed.csv").read_text() == "kept"
