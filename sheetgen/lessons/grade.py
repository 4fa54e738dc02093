"""A submission graded: recalculated with its own numbers and with others, each cell beside what its own row says.

A column is right if every row of it follows, whatever stands on Inputs, and without the tab that judges it. What
belongs in a cell is computed from the learner's own cells before it, so that a mistake counts once; what was given in
the table is taken as it was given. Nothing of the file is executed but by the engine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from sympy import Symbol

from sheetgen.check.engines import Change, Engine, variants
from sheetgen.check.foreign.book import Book, Cell, Place, address, formula_of, read_book
from sheetgen.check.foreign.findings import findings_of
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.told import Finding
from sheetgen.check.foreign.translate import network_of
from sheetgen.check.origin import Input, read_origin
from sheetgen.errors import CheckError, ExcelError, SheetgenError
from sheetgen.formulas.parse import FormulaError, parse_reference
from sheetgen.formulas.tree import Reference
from sheetgen.lessons import judge
from sheetgen.lessons.bugs import plant
from sheetgen.lessons.exercise import STARTS, Exercise
from sheetgen.lessons.graded import RIGHT, Graded, Mark
from sheetgen.lessons.workbook import HEAD
from sheetgen.maths.algebra import before
from sheetgen.maths.derive import Equations
from sheetgen.maths.printer import python
from sheetgen.maths.rules import averages
from sheetgen.maths.steps import FUNCTIONS
from sheetgen.spec.order import order
from sheetgen.spec.structure import Optimizer, Spec
from sheetgen.tabs.layout import TABLE_TOP, plan_table, setting_name
from sheetgen.xlsx.cells import Value, is_number
from sheetgen.xlsx.copies import moved_text
from sheetgen.xlsx.reader import place, read_names

__all__ = ["EMPTY", "GAPS", "HALF", "JUDGED", "NUMBERS", "TYPED", "WRONG", "grade"]

EMPTY, TYPED, HALF, WRONG = "empty", "typed, not a formula", "not filled down", "wrong"
GAPS = "incomplete"
NUMBERS, JUDGED = "right for these numbers only", "not its own"
THERE, NEW = "not mended", "new mistake"
NO_NEW = "no new mistake"
OTHERS = 3
"""How many times other numbers are typed into Inputs."""
CLOSE, AT_LEAST = 1e-9, 1e-13
NEXT = "hand in the exercise that was handed out, saved as .xlsx"
OTHER_ENGINE = "try --engine libreoffice"
SHOWN = 120
OWN_TABS = ("Start", "Hints")
"""Tabs of an exercise that show what its judge says."""
GONE = ExcelError("#REF!")
"""What a formula shows that looks at a tab which is not there."""


@dataclass(frozen=True)
class _Cell:
    """A cell of a column that counts: its step, its place, what stands there, and whether it is right with each set."""

    step: int
    place: Place
    cell: Cell | None
    right: tuple[bool, ...]
    found: object
    expected: float | None


def grade(path: Path, engine: Engine = "ironcalc") -> Graded:
    """The marks of a submission. What keeps it from being graded is told in `trouble`; nothing is raised.

    What IronCalc cannot read is given to LibreOffice, if that is there.
    """
    try:
        return _graded(path, engine)
    except SheetgenError as error:
        cause = str(error)
    except Exception as error:  # whatever a file makes happen, the others of the class are graded
        cause = f"{path}: cannot be graded: {type(error).__name__}: {error}"
    if engine == "ironcalc" and OTHER_ENGINE in cause:
        other = grade(path, "libreoffice")
        if not other.trouble:
            return other
    # What a teacher can do about a file is none of what the errors of other commands advise.
    cause = cause.removeprefix(f"{path}: ").partition(";")[0].partition(". ")[0]
    return Graded(path, path.stem, trouble=f"{cause}; {NEXT}")


class _Submission:
    """A file, read and recalculated."""

    def __init__(self, path: Path, engine: Engine) -> None:
        names = read_names(path)
        record, head = (parse_reference(names.get(name, "")) for name in ("exercise", HEAD))
        hidden = parse_reference(names.get(judge.NAME, ""))
        if record is None or head is None or hidden is None or "spec" not in names:
            raise CheckError(f"{path}: is no exercise of sheetgen, or lost the names of its cells")
        self.path, self.engine, self.hidden = path, engine, hidden.tab or ""
        origin = read_origin(path, headers=False)
        self.book: Book = read_book(path, without=self.hidden)
        text = self.book.tabs.get(record.tab or "", {}).get((record.first.row or 0, record.first.column or 0))
        try:
            assert origin.spec is not None
            self.exercise = Exercise.from_record(str(text.value if text is not None else ""), origin.spec)
        except ValueError:
            raise CheckError(f"{path}: what it says of its exercise, or its spec, was changed") from None
        self._check_size(head)
        self.equations: Equations = self.exercise.equations
        self.inputs: Mapping[str, Sequence[Input]] = origin.inputs
        for cells in self.inputs.values():
            for one in cells:
                if not is_number(one.content) and not one.is_formula and one.content is not None:
                    raise CheckError(f"{path}: {one.tab}!{one.address} is {one.content!r}, and a number is needed")
        self.tab, self.head, self.columns = self._find(head)

    def _check_size(self, head: Reference) -> None:
        """CheckError if the tab has far less cells than the spec asks for, which takes long to derive."""
        spec = self.exercise.spec
        weights = sum(len(row) for layer in spec.layers for row in layer.weights)
        if len(self.book.tabs.get(head.tab or "", {})) < weights + spec.steps:
            raise CheckError(f"{self.path}: its table is much smaller than its spec says")

    @cached_property
    def names(self) -> list[str]:
        """The columns' names in the table's order."""
        return [column.symbol.name for column in self.equations.columns]

    def _find(self, named: Reference) -> tuple[str, int, Mapping[str, int]]:
        """The tab, the row of the head, and each column by its name there: in the row that is named, or else nearest.

        Not every program moves a name when rows are inserted.
        """
        tab, row = named.tab or "", named.first.row or 0
        heads: dict[int, dict[str, int]] = {row: {}}
        for (down, column), cell in sorted(self.book.tabs.get(tab, {}).items()):
            if isinstance(cell.value, str):
                heads.setdefault(down, {}).setdefault(cell.value, column)
        whole = [down for down, columns in heads.items() if columns.keys() >= {*self.names}]
        if not whole:
            missing = [name for name in self.names if name not in heads[row]]
            some = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            raise CheckError(f"{self.path}: row {row} of {tab} has no column {some}")
        head = min(whole, key=lambda down: abs(down - row))
        return tab, head, {name: heads[head][name] for name in self.names}

    @cached_property
    def rows(self) -> Sequence[int]:
        """The row of each step, by what the step's own cells say."""
        column = self.columns["step"]
        steps = self.exercise.spec.steps + 1
        found: dict[int, int] = {}
        for row in sorted(row for row, at in self.values[0] if at == column and row > self.head):
            value = self.values[0][row, column]
            if is_number(value) and value == int(value):
                found.setdefault(int(value), row)
        lost = next((step for step in range(steps) if step not in found), None)
        if lost is not None:
            raise CheckError(f"{self.path}: {self.tab} has no row of step {lost}")
        return [found[step] for step in range(steps)]

    @cached_property
    def sets(self) -> list[dict[Symbol, Any]]:
        """The numbers of Inputs in each recalculation; first its own."""
        own: dict[Symbol, Any] = {}
        for name, cells in self.inputs.items():
            values = tuple(map(self._number, cells))
            own[Symbol(name)] = values if len(values) > 1 else values[0]
        if self.exercise.spec.shuffle is not None:
            own[Symbol("order")] = order(self.exercise.spec)
        return [own, *(_others(self.exercise.spec, own, number) for number in range(OTHERS))]

    def _number(self, one: Input) -> float:
        """What a cell of Inputs holds; 0 if it is empty, and of a formula the number that is stored beside it."""
        if one.content is None and not one.is_formula:
            return 0.0
        stored = self.book.tabs.get(one.tab, {}).get(place(one.address))
        value = stored.value if one.is_formula and stored is not None else one.content
        return float(value) if is_number(value) else math.nan

    @cached_property
    def values(self) -> list[dict[Place, object]]:
        """The numbers of the table's tab in each."""
        changes: list[list[Change]] = [[]]
        for numbers in self.sets[1:]:
            changes.append([
                (one.tab, *place(one.address), value)
                for name, cells in self.inputs.items()
                for one, value in zip(cells, _as_tuple(numbers[Symbol(name)]), strict=True)
            ])  # fmt: skip
        computed = variants(self.path, self.engine, self.tab, changes, without=self.hidden)
        typed = {where: cell.value for where, cell in self.book.tabs[self.tab].items() if cell.text is None}
        return [{**typed, **{place(where): value for where, value in one.items()}} for one in computed]

    def column(self, symbol: Symbol, kind: str) -> list[_Cell]:
        """The cells of a column that counts."""
        number, at = self.columns[symbol.name], self.names.index(symbol.name)
        first = int(kind in STARTS)
        cells = self.book.tabs[self.tab]
        found = []
        for step in range(first, len(self.rows)):
            where = self.rows[step], number
            there = [values.get(where) for values in self.values]
            belongs = [expected[step][at] for expected in self.expected]
            right = tuple(_close(one, other) for one, other in zip(there, belongs, strict=True))
            found.append(_Cell(step, where, cells.get(where), right, there[0], belongs[0]))
        return found

    @cached_property
    def expected(self) -> list[list[list[float | None]]]:
        """What each cell should be, by set, step and column; None where a cell that it looks at has no number.

        A cell that counts should be what the learner's own cells before it make it; one that was given, what it was.
        """
        counted = [name in self.exercise.columns for name in self.names]
        starts, fills = _functions(self.equations)
        numbers = [self.columns[name] for name in self.names]
        kept = [column.kind in STARTS for column in self.equations.columns]
        made = []
        for known, values in zip(self.sets, self.values, strict=True):
            given = [known[symbol] for symbol in _given(self.equations)]
            rows: list[list[float | None]] = []
            above: list[Any] = []
            for step, row in enumerate(self.rows):
                here: list[Any] = [_operand(values.get((row, number))) for number in numbers]
                should: list[float | None] = [None] * len(numbers)
                for at in self.equations.order:
                    should[at] = _called((fills if step else starts)[at], here, above, given)
                    if not counted[at] or (kept[at] and step == 0):
                        here[at] = math.nan if should[at] is None else should[at]
                rows.append(should)
                above = here
            made.append(rows)
        return made

    @cached_property
    def looks_at_judge(self) -> bool:
        """Whether a formula that the exercise has not written looks at the tab that judges it."""
        hidden = self.hidden.casefold()
        return any(
            cell.text is not None and hidden in cell.text.casefold()
            for tab, cells in self.book.tabs.items()
            if tab not in OWN_TABS
            for (row, _), cell in cells.items()
            if tab != self.tab or row > self.head
        )

    def changed(self) -> str:
        """The first given cell that is not what was handed out; "" if there is none."""
        for at, name in enumerate(self.names):
            if name in self.exercise.columns:
                continue
            for step, row in enumerate(self.rows):
                where = row, self.columns[name]
                pairs = zip(self.values, self.expected, strict=True)
                if not all(expected[step][at] is None or _close(values.get(where), expected[step][at])
                           for values, expected in pairs):  # fmt: skip
                    return f"{address(where)} ({name}) is not what was handed out"
        return ""

    def answer(self, where: Place) -> str:
        """The formula that belongs in a cell of the table; "" if the table is not where it was handed out."""
        texts = _texts(self.exercise)
        at = where[1] - 1
        own = [self.columns[name] for name in self.names] == list(range(1, len(self.names) + 1))
        if self.tab != self.exercise.spec.runs[0].label or not own or self.rows[0] != TABLE_TOP:
            return ""
        start, fill = texts[at]
        return f"={start if where[0] == TABLE_TOP else moved_text(fill, where[0] - TABLE_TOP - 1, 0)}"

    @cached_property
    def findings(self) -> Mapping[Place, Finding] | None:
        """What check says of the table, by cell; None where it does not judge such a network."""
        spec = self.exercise.spec
        samples = spec.batch_size
        if samples > 1 and averages(spec) and len(spec.targets[0]) > 1:
            return None  # its δ has the one mean and its gradients the other, which check does not know
        sgd = Optimizer("sgd", (), "sgd")
        one = replace(spec, optimizers=(sgd,), batch="full")
        one = replace(one, inputs=spec.inputs[:samples], targets=spec.targets[:samples], shuffle=None, schedule=None)
        labels = {column: name for name, column in self.columns.items()}
        table = Table(self.tab, self.head, self.rows[0], self.rows[-1], self.columns, {}, labels)
        found: dict[Place, Finding] = {}
        try:
            for finding in findings_of(self.book, table, replace(network_of(one), factor_in_delta=samples == 1)):
                for where in finding.places:
                    found.setdefault(where, finding)
        except (SheetgenError, FormulaError, RecursionError):
            return None
        return found


def _graded(path: Path, engine: Engine) -> Graded:
    one = _Submission(path, engine)
    exercise = one.exercise
    learner = exercise.learner or path.stem
    kinds = {column.symbol: column.kind for column in exercise.counted}
    marks = {symbol: _mark(one, symbol, one.column(symbol, kind)) for symbol, kind in kinds.items()}
    notes = tuple(filter(None, [one.changed()]))
    if not exercise.bugs:
        return Graded(path, learner, _words(exercise), tuple(marks.values()), notes)
    shown, planted = [], set[Symbol]()
    for number, bug in enumerate(plant(exercise), 1):
        planted |= bug.columns.keys()
        left = [marks[symbol] for symbol in bug.columns if marks[symbol].verdict != RIGHT]
        verdict = (THERE, left[0].reason, bug.words) if left else (RIGHT,)
        shown.append(Mark(f"bug {number}", *verdict))
    new = [mark for symbol, mark in marks.items() if symbol not in planted and mark.verdict != RIGHT]
    verdict = (NEW, "; ".join(f"new mistake: {mark.reason}" for mark in new), NEW) if new else (RIGHT,)
    return Graded(path, learner, _words(exercise), (*shown, Mark(NO_NEW, *verdict)), notes)


def _words(exercise: Exercise) -> str:
    """What submissions of one exercise share, whatever their numbers."""
    spec = exercise.spec
    sizes = "-".join(map(str, (len(spec.inputs[0]), *(layer.units for layer in spec.layers))))
    what = f"{exercise.bugs} bugs" if exercise.bugs else f"blank {', '.join(exercise.columns)}"
    acts = ", ".join(dict.fromkeys(layer.activation for layer in spec.layers))
    return f"{sizes} {acts}, {spec.loss}, {spec.steps} steps, {what}"


def _mark(one: _Submission, symbol: Symbol, cells: Sequence[_Cell]) -> Mark:
    """The verdict on a column, by its first cell that is not right."""
    name = symbol.name
    if all(_is_empty(cell.cell) for cell in cells):
        return Mark(name, EMPTY, f"{name}: empty", "left empty")
    first = next((cell for cell in cells if not all(cell.right)), None)
    if first is None or _right_but_for_errors(one, cells):
        return Mark(name, RIGHT)
    verdict, why, mistake = _why(one, cells, first)
    return Mark(name, verdict, f"{name}: {address(first.place)} {why}", mistake)


def _right_but_for_errors(one: _Submission, cells: Sequence[_Cell]) -> bool:
    """Whether a column has no number only because another has an error: then its formulas are judged by themselves."""
    wrong = [cell for cell in cells if not all(cell.right)]
    if any(cell.cell is None or cell.cell.text is None or cell.expected is not None for cell in wrong):
        return False
    return one.findings is not None and not any(cell.place in one.findings for cell in wrong)


def _why(one: _Submission, cells: Sequence[_Cell], first: _Cell) -> tuple[str, str, str]:
    """The verdict, why in words, and the kind of mistake."""
    if _is_empty(first.cell):
        before_it = [cell for cell in cells if cell.step < first.step]
        if before_it and all(_is_empty(cell.cell) for cell in cells if cell.step >= first.step):
            below = "is empty" if first is cells[-1] else "and below are empty"
            return HALF, f"{below}; {len(before_it)} of {len(cells)} rows are right", "not filled down"
        return GAPS, f"(step {first.step}) is empty", "cells left empty"
    assert first.cell is not None
    typed = first.cell.text is None
    if typed and is_number(first.cell.value):
        if first.right[0]:
            return TYPED, "is typed, and does not follow when Inputs changes", "typed, not a formula"
        return WRONG, f"is typed: {_said(first)}", "a wrong number is typed"
    if typed:
        return WRONG, f"is the text {str(first.cell.value)[:40]!r}", "a text where a formula belongs"
    formula = formula_of(first.cell)[:SHOWN]
    if first.found == GONE and (is_number(first.cell.value) or one.looks_at_judge):
        return JUDGED, f"is {formula}, which takes its number from the tab that judges it", "looks at what judges it"
    if first.found == "#CIRC!":
        why = "which goes round in a circle: it needs its own value"
        return WRONG, f"is {formula}, {why}; {one.answer(first.place)[:SHOWN]} belongs there", "a circle of formulas"
    if first.right[0]:
        return NUMBERS, f"is {formula}, which does not follow Inputs", "does not follow Inputs"
    if first.expected is None:
        return WRONG, f"is {formula}; a cell that it should look at has no number", "cells before it have no number"
    finding = (one.findings or {}).get(first.place)
    belongs = f"; {one.answer(first.place)[:SHOWN]} belongs there"
    if finding is not None and finding.why and "cannot be judged" not in finding.why:
        return WRONG, f"is {formula}; {finding.why}{belongs}", finding.why
    if isinstance(first.found, str):
        return WRONG, f"is {formula}, which gives {str(first.found)[:40]!r}{belongs}", "it gives no number"
    return WRONG, f"is {formula}; {_said(first)}{belongs}", "another formula belongs there"


def _said(cell: _Cell) -> str:
    found = f"{cell.found:.6g}" if is_number(cell.found) else str(cell.found)[:20]
    return f"{found} instead of {cell.expected:.6g}" if cell.expected is not None else found


def _is_empty(cell: Cell | None) -> bool:
    return cell is None or (cell.text is None and cell.value in (None, ""))


def _close(found: object, expected: float | None) -> bool:
    if not is_number(found) or expected is None:
        return False
    return abs(found - expected) <= CLOSE * max(abs(found), abs(expected)) + AT_LEAST


def _as_tuple(value: Any) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _operand(value: Value | object | None) -> float:
    """What a formula computes with: 0 for an empty cell, and nan for what is no number."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, ExcelError)) or not isinstance(value, (int, float)):
        return float(value) if isinstance(value, bool) else math.nan
    return float(value)


Function = Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], float]


def _called(function: Function, here: Sequence[Any], above: Sequence[Any], given: Sequence[Any]) -> float | None:
    try:
        value = function(here, above, given)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return value if math.isfinite(value) else None


def _given(equations: Equations) -> tuple[Symbol, ...]:
    """The cells of Inputs that the columns name, in some order."""
    symbols = {s for column in equations.columns for expr in (column.start, column.fill) for s in expr.free_symbols}
    own = {column.symbol for column in equations.columns} | {before(column.symbol) for column in equations.columns}
    return tuple(sorted(symbols - own - equations.settings.keys(), key=str)) + tuple(
        _setting(equations, option) for option in equations.settings.values()
    )


def _setting(equations: Equations, option: str) -> Symbol:
    spec = equations.network.spec
    return Symbol(setting_name(spec, spec.runs[0], option))


@lru_cache(maxsize=16)
def _texts(exercise: Exercise) -> list[tuple[str, str]]:
    """The formulas of row 0 and of row 1 of each column, as they are right."""
    return [(start, fill) for _, start, fill in plan_table(exercise.spec, exercise.spec.runs[0]).formulas()]


@lru_cache(maxsize=16)
def _functions(equations: Equations) -> tuple[list[Function], list[Function]]:
    """For each column what row 0 and every later row should have: of this row, the one above and Inputs."""
    columns = [column.symbol for column in equations.columns]
    given = _given(equations)
    names = {symbol: f"c[{at}]" for at, symbol in enumerate(columns)}
    names |= {before(symbol): f"p[{at}]" for at, symbol in enumerate(columns)}
    names |= {symbol: f"k[{at}]" for at, symbol in enumerate(given)}
    names |= {letter: names[_setting(equations, option)] for letter, option in equations.settings.items()}
    lines = [
        f"[{','.join(f'lambda c, p, k: {python(expr, names)}' for expr in expressions)}]"
        for expressions in zip(*((column.start, column.fill) for column in equations.columns), strict=True)
    ]
    starts, fills = (eval(line, dict(FUNCTIONS)) for line in lines)  # our own text, printed from sympy expressions
    return starts, fills


def _others(spec: Spec, own: Mapping[Symbol, Any], number: int) -> dict[Symbol, Any]:
    """Other numbers for Inputs: ordinary ones, whatever the exercise has."""
    draw = random.Random(f"sheetgen grade {number}")
    classes = spec.loss == "cross_entropy"

    def other(name: str) -> float:
        if name.startswith("rate"):
            return draw.uniform(0.05, 0.4)
        if name[0] == "t" and name[1] == "_":
            return draw.uniform(0.15, 0.85)
        if name[0] in "iwb" and name[1] == "_":
            return draw.choice((-1, 1)) * draw.uniform(0.3, 1.2)
        return math.nan

    made: dict[Symbol, Any] = {}
    for symbol, value in own.items():
        drawn = tuple(other(symbol.name) for _ in _as_tuple(value))
        kept = tuple(old if math.isnan(new) else new for old, new in zip(_as_tuple(value), drawn, strict=True))
        made[symbol] = kept if isinstance(value, tuple) else kept[0]
    if classes:
        targets = [symbol for symbol in made if symbol.name.startswith("t_")]
        sums = [sum(column) for column in zip(*(_as_tuple(made[one]) for one in targets), strict=True)]
        for one in targets:
            shares = tuple(value / total for value, total in zip(_as_tuple(made[one]), sums, strict=True))
            made[one] = shares if isinstance(made[one], tuple) else shares[0]
    return made
