"""Exercises: right formulas in any form are right, wrong ones are not, and no answer can be read."""

from __future__ import annotations

import json
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from handmade import Handmade
from learners import Desk, answers, fill_with_openpyxl, form, of_handmade, table_of
from portions import EXHAUSTIVE, SLOW
from referees import complaints
from specs import few_steps
from sympy import Symbol
from test_foreign_mistakes import MISTAKES
from xlsx_lint import lint

from sheetgen.check.engines import recalculate
from sheetgen.cli import main
from sheetgen.errors import SpecError
from sheetgen.formulas import parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Call, Node, Operation, Reference, Sign, rebuilt, walk
from sheetgen.lessons import judge
from sheetgen.lessons.bugs import plant
from sheetgen.lessons.exercise import GROUPS, Exercise, blankable, make_exercise
from sheetgen.lessons.files import write_exercise
from sheetgen.lessons.grade import grade
from sheetgen.maths.printer import text as words
from sheetgen.spec import load, template_names
from sheetgen.tabs.layout import TABLE_TOP
from sheetgen.tabs.run import EMPTY, MARK_ROW, NOT_YET, RIGHT
from sheetgen.xlsx.cells import column_letters
from sheetgen.xlsx.copies import moved_text
from sheetgen.xlsx.reader import place, read_formulas, read_names, read_typed

# Other kinds of layers than the linear one are refused, and data that is scaled or split for a test:
# tests/test_kinds.py, tests/test_data_file.py.
TEMPLATES = tuple(name for name in template_names() if load(name).dense and name != "iris")
FORMS = 20
# The others have many cells, or are like these.
QUICK, OTHERS = ("and_online", "erav2", "optimizers"), ("softmax_three_classes", "xor")
MARKS = {name: () if name in QUICK else SLOW if name in OTHERS else EXHAUSTIVE for name in TEMPLATES}
ALL = [pytest.param(name, marks=marks) for name, marks in MARKS.items()]
SLOW_IN_LIBREOFFICE = [
    pytest.param(name, marks=marks or (SLOW if name != "erav2" else ())) for name, marks in MARKS.items()
]


def written(folder: Path, name: str = "erav2", **asked: object) -> tuple[Exercise, Path]:
    """An exercise of a template, and its file."""
    exercise = make_exercise(few_steps(name), **asked)  # type: ignore[arg-type]
    path = folder / "exercise.xlsx"
    write_exercise(exercise, path)
    return exercise, path


@pytest.mark.parametrize("name", ALL)
def test_right_formulas_in_any_form_are_right(name: str, tmp_path: Path) -> None:
    """Every column blank, twenty forms of each formula: all marks are right, and stay so with other inputs."""
    exercise, path = written(tmp_path, name, blank=["all"])
    desk = Desk(path, exercise)
    assert {*desk.marks().values()} == {EMPTY}
    right = answers(exercise, lambda text, step: form(text, step % FORMS))
    assert all(len({form(one, k) for k in range(FORMS)}) == FORMS for one in ("A1+A2", "A1"))
    marks = desk.write(right).marks()
    assert {mark.split(":")[0] for mark in marks.values()} == {RIGHT}, marks
    count = len(exercise.columns)
    assert desk.on_start("columns right")[3] == f"{count} of {count}"
    graded = grade(desk.hand_in(tmp_path / "in.xlsx"))
    assert (graded.trouble, graded.right) == ("", count), [one for one in graded.marks if one.verdict != RIGHT]
    assert desk.type_inputs(random.Random(name)).marks() == marks


@pytest.mark.parametrize("name", SLOW_IN_LIBREOFFICE)
def test_right_formulas_are_right_in_libreoffice(name: str, soffice: Path, tmp_path: Path) -> None:
    """The same, and full points by LibreOffice."""
    exercise, path = written(tmp_path, name, blank=["all"])
    right = answers(exercise, lambda text, step: form(text, step % FORMS))
    filled = fill_with_openpyxl(path, tmp_path / "in.xlsx", exercise, right)
    values = recalculate(filled, "libreoffice")
    table = table_of(exercise)
    for column in exercise.counted:
        place = f"{column_letters(table.places[column.symbol] + 1)}{MARK_ROW}"
        assert str(values[table.tab, place]).startswith(RIGHT), column.symbol
    if name in QUICK:
        graded = grade(filled, "libreoffice")
        assert (graded.trouble, graded.right) == ("", len(exercise.columns)), graded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exercise, Path]:
    """The default exercise with every column blank, and numbers that tell t1 from t2."""
    return written(tmp_path_factory.mktemp("whole"), blank=["all"], rate=1.0, seed=1)


@pytest.mark.parametrize(
    "mistake", [pytest.param(one, marks=[pytest.mark.slow] * (at % 3 > 0)) for at, one in enumerate(MISTAKES)]
)
def test_a_mistake_is_not_right_and_is_named(mistake: str, whole: tuple[Exercise, Path], tmp_path: Path) -> None:
    """Each kind that people make: the marks of its columns are not right, and the grade's reason says why."""
    exercise, path = whole
    make, symbols, pattern = MISTAKES[mistake]
    desk = Desk(path, exercise).write(of_handmade(make(Handmade()), list(exercise.columns)))
    marks = desk.marks()
    assert all(marks[symbol].startswith(NOT_YET) for symbol in symbols), marks
    graded = grade(desk.hand_in(tmp_path / "in.xlsx"))
    wrong = {mark.blank: mark for mark in graded.marks if mark.verdict != RIGHT}
    assert {*wrong} == {*symbols}, wrong
    assert re.search(pattern, wrong[symbols[0]].mistake), wrong
    assert column_letters(desk.columns[symbols[0]]) in wrong[symbols[0]].reason


RATES = {
    "7: half anchored": ("$B4", r"rate|slides|B5|anchor"),
    "10: not anchored": ("B4", r"rate|slides|B5|C5|anchor"),
    "8: a cell of the table": ("$F$12", r"a circle of formulas"),
}


@pytest.mark.parametrize("mistake", RATES)
def test_a_rate_that_slides_or_goes_round_is_named(mistake: str, tmp_path: Path) -> None:
    """In the updates, which are blank: their marks are not right, and the reason speaks of the rate."""
    exercise, path = written(tmp_path, blank=["updates"], seed=1, rate=2.0)
    rate, pattern = RATES[mistake]
    contents = {
        (name, step): f"={moved_text(text[1:].replace('$B$4', rate), step - 1, 0)}"
        for name, text in ((name, answers(exercise)[name, 1]) for name in exercise.columns)
        for step in range(1, 68)
    }
    desk = Desk(path, exercise).write(contents)
    assert all(not mark.startswith(RIGHT) for mark in desk.marks().values())
    wrong = grade(desk.hand_in(tmp_path / "in.xlsx")).marks
    assert all(mark.verdict != RIGHT for mark in wrong)
    assert any(re.search(pattern, mark.mistake) for mark in wrong), wrong


@pytest.mark.parametrize("seed", range(6))
def test_a_mark_turns_when_a_formula_does_not_follow(seed: int, tmp_path: Path) -> None:
    """What is right for the numbers of today alone: its mark turns, or was never right."""
    exercise, path = written(tmp_path)
    desk = Desk(path, exercise).write(answers(exercise))
    name, step = random.Random(seed).choice(exercise.columns), random.Random(seed).choice((0, 1, 30, 67))
    value = desk.model.get_cell_value(desk.sheet, 8 + step, desk.columns[name])
    desk.write({(name, step): value})
    assert desk.marks()[name].startswith(RIGHT)
    marks = desk.type_inputs(random.Random(seed)).marks()
    assert marks.pop(name) == f"{NOT_YET}: 67 of 68"
    assert {mark.split(":")[0] for mark in marks.values()} == {RIGHT}


def canonical(node: Node) -> Node:
    """A formula with factors and terms in one order, and numbers in one spelling."""
    node = rebuilt(node, canonical)
    if isinstance(node, Operation) and {*node.operators} in ({"*"}, {"+"}):
        return Operation(node.operators, tuple(sorted(node.operands, key=show)))
    return node


def parts_of(node: Node) -> Iterator[Node]:
    """Every part of a formula that is more than a cell or a number."""
    for one in walk(node):
        if isinstance(one, (Operation, Call, Sign)):
            yield canonical(one)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("asked", [{"blank": ["gradients"]}, {"blank": ["all"]}, {"bugs": 3}], ids=str)
def test_no_answer_can_be_read(name: str, asked: dict[str, object], tmp_path: Path) -> None:
    """Not in a formula of any tab, as it is or as a part, nor a name, a text, or the cache of a chart.

    Of the table, and of what judges it, the first two rows are looked at: the others are those, filled down.
    """
    exercise, path = written(tmp_path, name, **asked)
    table = table_of(exercise)
    hidden = {column.symbol for column in exercise.counted}
    if exercise.bugs:
        hidden = {symbol for bug in plant(exercise) for symbol in bug.columns}
    right: dict[str, str] = {}
    shown: set[str] = set()
    closed = exercise.equations.network.closed or {}
    for column, start, fill in table.formulas():
        if column.symbol in hidden:
            texts = (fill,) if column.kind in ("parameter", "state") else (start, fill)
            right |= {show(qualified(canonical(parse(one)), table.tab)): column.symbol.name for one in texts}
            shown |= {words(one) for one in (column.fill, closed.get(column.symbol)) if one is not None and one.args}
    assert right and shown
    rows = {table.tab: range(TABLE_TOP, TABLE_TOP + 2), "Judge": range(judge.TOP, judge.TOP + 2)}
    cells = [cell for cell in read_formulas(path) if cell.tab not in rows or place(cell.address)[0] in rows[cell.tab]]
    trees = {(cell.tab, cell.address): parse(cell.formula[1:]) for cell in cells}
    copies = {where: qualified(tree, where[0]) for where, tree in trees.items() if isinstance(tree, Reference)}
    for (tab, address), tree in trees.items():
        if tab == table.tab:
            column_there = place(address)[1] - 1
            if column_there < len(table.places):
                name_there = exercise.equations.columns[column_there].symbol.name
                assert right.get(show(qualified(canonical(tree), tab))) != name_there, address
            continue
        for part in parts_of(tree):
            for one in (part, resolved(part, tab, copies)):
                assert show(canonical(qualified(one, tab))) not in right, (tab, address, show(one))
    texts_there = [str(cell.value) for cell in read_typed(path)] + list(read_names(path).values())
    for answer in shown:
        assert not [one for one in texts_there if answer in one], answer
    if {column.kind for column in exercise.counted} & {"gradient", "delta"} and not exercise.bugs:
        with zipfile.ZipFile(path) as archive:
            charts = b"".join(archive.read(one) for one in archive.namelist() if "chart" in one).decode()
        assert "v>" in charts and not any(f"v>{loss}</" in charts for loss in _losses(exercise)[1:])


def _losses(exercise: Exercise) -> list[float]:
    from sheetgen.maths.steps import trace

    table = table_of(exercise)
    place = table.places[Symbol("E_total")]
    return [float(row[place]) for row in trace(table.equations, exercise.spec.runs[0])]


def qualified(tree: Node, tab: str) -> Node:
    """With every reference to a cell on its tab, and none anchored."""
    if isinstance(tree, Reference):
        first = tree.first.__class__(tree.first.row, tree.first.column, False, False)
        last = tree.last and tree.last.__class__(tree.last.row, tree.last.column, False, False)
        return Reference(tree.tab or tab, first, last)
    return rebuilt(tree, lambda one: qualified(one, tab))


def resolved(tree: Node, tab: str, copies: dict[tuple[str, str], Node]) -> Node:
    """With what a cell copies in place of the cell."""
    if isinstance(tree, Reference):
        if tree.last is None and tree.first.row is not None and tree.first.column is not None:
            return copies.get((tree.tab or tab, f"{column_letters(tree.first.column)}{tree.first.row}"), tree)
        return tree
    return rebuilt(tree, lambda one: resolved(one, tab, copies))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("asked", [{"blank": ["all"]}, {"bugs": 2}], ids=str)
def test_files_are_valid(name: str, asked: dict[str, object], ooxml_validator: Path, tmp_path: Path) -> None:
    """By the Open XML SDK, by our own lint and by other readers; stored values are those that IronCalc computes."""
    _, path = written(tmp_path, name, **asked)
    assert lint(path) == []
    assert complaints(ooxml_validator, path) == []
    values = recalculate(path)
    for cell in read_formulas(path):
        found = values[cell.tab, cell.address]
        if isinstance(cell.value, float) and isinstance(found, float):
            assert abs(cell.value - found) <= 1e-9 * max(1, abs(found)), (cell.tab, cell.address, cell.value, found)
        else:
            assert str(cell.value or "") == str(found or "") or {cell.value, found} <= {0, None, ""}, cell


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        *((name, seed) for name in QUICK for seed in range(2)),
        *(pytest.param(name, 2, marks=marks or SLOW) for name, marks in MARKS.items()),
    ],
)
def test_bugs_change_numbers_and_can_be_mended(name: str, seed: int, tmp_path: Path) -> None:
    """Each makes its columns wrong; a solution has them all right."""
    exercise = make_exercise(few_steps(name), bugs=2 + seed, seed=seed)
    bugs = plant(exercise)
    path, key = tmp_path / "bugs.xlsx", tmp_path / "key.xlsx"
    write_exercise(exercise, path, key)
    columns = [symbol for bug in bugs for symbol in bug.columns]
    assert len({*columns}) == len(columns)
    graded, solved = grade(path), grade(key)
    assert [mark.verdict for mark in graded.marks] == ["not mended"] * len(bugs) + [RIGHT]
    assert [mark.verdict for mark in solved.marks] == [RIGHT] * (len(bugs) + 1)
    assert not graded.notes and not solved.notes
    start = Desk(path, exercise).on_start("columns right")[3]
    assert int(str(start).split()[0]) <= len(exercise.columns) - len(columns)
    assert Desk(key, exercise).on_start("columns right")[3] == f"{len(exercise.columns)} of {len(exercise.columns)}"


def test_numbers_of_a_seed_are_its_own() -> None:
    """Other numbers for another seed, the same for the same; whole numbers stay, as in a truth table."""
    one, same, other = (make_exercise(load("erav2"), seed=seed).spec for seed in (1, 1, 2))
    assert one == same != other
    assert make_exercise(load("xor"), seed=5).spec.inputs == load("xor").inputs
    assert make_exercise(load("xor"), seed=5).spec.layers != load("xor").layers
    assert make_exercise(load("erav2")).spec.layers == load("erav2").layers


def test_blanks_are_asked_for_by_group_or_name() -> None:
    """Groups, symbols as people write them, every sample of a symbol; what has no column is refused with what has."""
    every = {column.symbol.name for column in blankable(make_exercise(load("erav2")).equations)}
    groups = [make_exercise(load("erav2"), blank=[group]).columns for group in GROUPS]
    assert sorted(name for group in groups for name in group) == sorted(every)
    assert make_exercise(load("erav2"), blank=["dE/dw3", "a_h1"]).columns == ("a_h1", "∂E/∂w3")
    assert len(make_exercise(load("xor"), blank=["a_h1"]).columns) == 4
    with pytest.raises(SpecError, match=r"--blank: 'w9' has no column here; allowed are forward, loss"):
        make_exercise(load("erav2"), blank=["w9"])


def test_hints_open_one_after_the_other(tmp_path: Path) -> None:
    """Nothing is shown before a level is typed, and no more than it."""
    exercise, path = written(tmp_path, hints=2)
    desk = Desk(path, exercise)
    sheet = desk.sheets["Hints"]

    def shown() -> list[str]:
        return [one for row in range(5, 21) if (one := desk.model.get_cell_value(sheet, row, 3))]

    assert shown() == []
    desk.model.update_cell_with_number(sheet, 5, 2, 1)
    desk.model.evaluate()
    assert len(shown()) == 1 and "w1 (i1 → h1)" in shown()[0]
    desk.model.update_cell_with_number(sheet, 5, 2, 3)
    desk.model.evaluate()
    assert len(shown()) == 2 and "∂E_total/∂w1 = ∂E1/∂a_o1" in shown()[1]
    without = make_exercise(load("erav2"), hints=0)
    write_exercise(without, path)
    assert "Hints" not in {cell.tab for cell in read_typed(path)}


def test_numbers_that_are_alike_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The default exercise has t1 = t2: a mark cannot tell one from the other there, and a grade can."""
    exercise, path = written(tmp_path)
    contents = of_handmade(MISTAKES["6: t1 for t2"][0](Handmade()), list(exercise.columns))
    desk = Desk(path, exercise).write(contents)
    assert desk.marks()["∂E/∂w2"].startswith(RIGHT)
    wrong = [mark for mark in grade(desk.hand_in(tmp_path / "in.xlsx")).marks if mark.verdict != RIGHT]
    assert [mark.blank for mark in wrong] == ["∂E/∂w2"]
    assert main(["exercise", "-o", str(path)]) == 0
    assert "t1 and t2 are equal: a mark cannot tell them apart" in capsys.readouterr().out
    assert main(["exercise", "--seed", "1", "-o", str(path)]) == 0
    assert "are equal" not in capsys.readouterr().out


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    """Spec, blanks, and bugs by their seed alone."""
    exercise, path = written(tmp_path, bugs=2, seed=9, learner="Ada")
    name = read_names(path)["exercise"].partition("!")[2].replace("$", "")
    [text] = [cell.value for cell in read_typed(path, "Inputs") if cell.address == name]
    content = json.loads(str(text))
    assert (content["bugs"], content["seed"], content["learner"]) == (2, 9, "Ada")
    assert not {symbol.name for bug in plant(exercise) for symbol in bug.columns} - {*content["columns"]}
