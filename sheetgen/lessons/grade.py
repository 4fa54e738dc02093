"""A submission graded: recalculated with its own numbers and with others, each cell beside what its own row says.

A column is right if every row of it follows, whatever stands on Inputs. What belongs in a cell is computed from the
learner's own cells before it, so that a mistake counts once. Nothing of the file is executed but by the engine.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from sympy import Expr, Symbol

from sheetgen.check.engines import Change, Engine, variants
from sheetgen.check.foreign.book import Book, Cell, Place, address, formula_of, read_book
from sheetgen.check.foreign.findings import Finding, findings_of
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.translate import network_of
from sheetgen.check.origin import Input, read_origin
from sheetgen.errors import CheckError, ExcelError, SheetgenError
from sheetgen.formulas.parse import FormulaError, parse, parse_reference
from sheetgen.formulas.tree import Reference, walk
from sheetgen.lessons import judge
from sheetgen.lessons.bugs import plant
from sheetgen.lessons.exercise import FORMAT, Exercise, blankable
from sheetgen.lessons.graded import RIGHT, Graded, Mark
from sheetgen.maths.algebra import before
from sheetgen.maths.derive import Equations, derive
from sheetgen.maths.printer import python
from sheetgen.maths.steps import FUNCTIONS
from sheetgen.spec.structure import Optimizer, Spec
from sheetgen.tabs.layout import setting_name
from sheetgen.xlsx.cells import Value, is_number
from sheetgen.xlsx.reader import place, read_names

__all__ = ["EMPTY", "HALF", "JUDGED", "NUMBERS", "TYPED", "WRONG", "grade"]

EMPTY, TYPED, HALF, WRONG = "empty", "typed, not a formula", "not filled down", "wrong"
NUMBERS, JUDGED = "right for these numbers only", "not its own"
MENDED, THERE = "mended", "not mended"
OTHERS = 3
"""How many times other numbers are typed into Inputs."""
CLOSE, AT_LEAST = 1e-9, 1e-13
NOT_AN_EXERCISE = "is no exercise of sheetgen: it has no cell named exercise. Hand in the file that was handed out"
# The part of the columns' names that a row of heads has at least.
NAMED = 0.5


@dataclass(frozen=True)
class _Place:
    """Where the training table of a submission stands: its tab, the head, each column and the row of each step."""

    tab: str
    head: int
    columns: Mapping[str, int]
    rows: Sequence[int]


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
    """The marks of a submission. What keeps it from being graded is told in `trouble`; nothing is raised."""
    learner = path.stem
    try:
        submission = _Submission(path, engine)
        learner = submission.exercise.learner or learner
        return _graded(submission, learner)
    except SheetgenError as error:
        return Graded(path, learner, trouble=str(error).removeprefix(f"{path}: "))
    except RecursionError:
        return Graded(path, learner, trouble="has formulas that are nested too deep to be read")


def _read_exercise(path: Path, book: Book, where: Reference, spec: Spec | None) -> Exercise:
    """The exercise that a file says it is; CheckError if it cannot be read."""
    text = book.tabs.get(where.tab or "", {}).get((where.first.row or 0, where.first.column or 0))
    try:
        return _exercise(json.loads(str(text.value if text is not None else "")), spec)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CheckError(f"{path}: what it says of its exercise cannot be read; hand in another copy") from None


def _exercise(content: Any, spec: Spec | None) -> Exercise:
    """ValueError, TypeError or KeyError for what no exercise says of itself."""
    if spec is None or content["exercise"] != FORMAT or len(spec.runs) != 1:
        raise ValueError(content)
    known = {column.symbol.name for column in blankable(derive(spec, spec.runs[0].optimizer))}
    columns = tuple(map(str, content["columns"]))
    bugs, seed = int(content["bugs"]), int(content["seed"])
    if not columns or not known.issuperset(columns) or not 0 <= bugs <= len(known):
        raise ValueError(content)
    return Exercise(spec, columns, bugs, seed, 0, str(content["learner"])[:200])


class _Submission:
    """A file, read and recalculated."""

    def __init__(self, path: Path, engine: Engine) -> None:
        where = parse_reference(read_names(path).get("exercise", ""))
        if where is None or where.tab is None:
            raise CheckError(f"{path}: {NOT_AN_EXERCISE}")
        origin = read_origin(path, headers=False)
        self.path, self.engine = path, engine
        self.book: Book = read_book(path, without=judge.TAB)
        self.exercise = _read_exercise(path, self.book, where, origin.spec)
        self.equations: Equations = self.exercise.equations
        self.inputs: Mapping[str, Sequence[Input]] = origin.inputs
        self.place = self._find()

    @cached_property
    def names(self) -> list[str]:
        """The columns' names in the table's order."""
        return [column.symbol.name for column in self.equations.columns]

    def _find(self) -> _Place:
        """By the names of the columns, wherever they stand; the rows are those below the head."""
        wanted = set(self.names)
        best: tuple[int, str, int, dict[str, int]] = (0, "", 0, {})
        for tab, cells in self.book.tabs.items():
            heads: dict[int, dict[str, int]] = {}
            for (row, column), cell in cells.items():
                if cell.value in wanted:
                    heads.setdefault(row, {}).setdefault(str(cell.value), column)
            for row, columns in heads.items():
                if len(columns) > best[0]:
                    best = len(columns), tab, row, columns
        count, tab, head, columns = best
        missing = [name for name in self.names if name not in columns]
        if count < NAMED * len(wanted):
            raise CheckError(f"{self.path}: its training table is not found; it has the columns {self.names[0]} to …")
        if missing:
            some = ", ".join(missing[:5])
            raise CheckError(f"{self.path}: {tab} has no column {some}; give the columns their names back")
        return _Place(tab, head, columns, self._rows(tab, head, columns["step"]))

    def _rows(self, tab: str, head: int, column: int) -> Sequence[int]:
        """The rows of the steps, by what the step's own cells say, or else one below the other."""
        cells = self.book.tabs[tab]
        steps = self.exercise.spec.steps + 1
        found: dict[int, int] = {}
        for row in sorted(row for row, at in cells if at == column and row > head):
            value = cells[row, column].value
            if is_number(value) and value == int(value):
                found.setdefault(int(value), row)
        if all(step in found for step in range(steps)):
            return [found[step] for step in range(steps)]
        return range(head + 1, head + 1 + steps)

    @cached_property
    def sets(self) -> list[dict[Symbol, Any]]:
        """The numbers of Inputs in each recalculation; first its own."""
        own: dict[Symbol, Any] = {}
        for name, cells in self.inputs.items():
            values = tuple(float(one.content) if is_number(one.content) else math.nan for one in cells)
            own[Symbol(name)] = values if len(values) > 1 else values[0]
        return [own, *(_others(self.exercise.spec, own, number) for number in range(OTHERS))]

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
        computed = variants(self.path, self.engine, self.place.tab, changes)
        typed = {where: cell.value for where, cell in self.book.tabs[self.place.tab].items() if cell.text is None}
        return [{**typed, **{place(where): value for where, value in one.items()}} for one in computed]

    def column(self, symbol: Symbol, kind: str) -> list[_Cell]:
        """The cells of a column that counts."""
        number, at = self.place.columns[symbol.name], self.names.index(symbol.name)
        first = 1 if kind in ("parameter", "state") else 0
        cells = self.book.tabs[self.place.tab]
        found = []
        for step in range(first, len(self.place.rows)):
            where = self.place.rows[step], number
            there = [values.get(where) for values in self.values]
            belongs = [expected[step][at] for expected in self.expected]
            right = tuple(_close(one, other) for one, other in zip(there, belongs, strict=True))
            found.append(_Cell(step, where, cells.get(where), right, there[0], belongs[0]))
        return found

    @cached_property
    def expected(self) -> list[list[list[float | None]]]:
        """What each cell should be, by set, step and column, from the learner's own cells; None if those are none."""
        counted = frozenset(self.exercise.columns)
        starts, fills = _functions(self.equations, counted)
        numbers = [self.place.columns[name] for name in self.names]
        made = []
        for known, values in zip(self.sets, self.values, strict=True):
            given = [known[symbol] for symbol in _given(self.equations)]
            rows: list[list[float | None]] = []
            above: list[Any] = []
            for step, row in enumerate(self.place.rows):
                here = [_operand(values.get((row, number))) for number in numbers]
                rows.append([
                    None if function is None else _called(function, here, above, given)
                    for function in (fills if step else starts)
                ])  # fmt: skip
                above = here
            made.append(rows)
        return made

    @cached_property
    def findings(self) -> Mapping[int, Finding]:
        """What check says of the table, by column; nothing where it does not judge such a network."""
        spec = self.exercise.spec
        sgd = Optimizer("sgd", (), "sgd")
        one = replace(spec, optimizers=(sgd,), batch="full")
        if spec.batch == "online":
            one = replace(one, inputs=spec.inputs[:1], targets=spec.targets[:1])
        columns = {name: self.place.columns[name] for name in self.names}
        head, rows = self.place.head, self.place.rows
        labels = {column: name for name, column in columns.items()}
        table = Table(self.place.tab, head, rows[0], rows[-1], columns, {}, labels)
        found: dict[int, Finding] = {}
        try:
            for finding in findings_of(self.book, table, network_of(one)):
                for _, column in finding.places:
                    found.setdefault(column, finding)
        except (SheetgenError, FormulaError, RecursionError):
            return found
        return found


def _graded(one: _Submission, learner: str) -> Graded:
    exercise = one.exercise
    kinds = {column.symbol: column.kind for column in exercise.counted}
    marks = {symbol: _mark(one, symbol, one.column(symbol, kind)) for symbol, kind in kinds.items()}
    if not exercise.bugs:
        return Graded(one.path, learner, _words(exercise), tuple(marks.values()))
    bugs = plant(exercise)
    shown, planted = [], set[Symbol]()
    for number, bug in enumerate(bugs, 1):
        planted |= bug.columns.keys()
        left = [marks[symbol] for symbol in bug.columns if marks[symbol].verdict != RIGHT]
        names = ", ".join(symbol.name for symbol in bug.columns)
        if not left:
            shown.append(Mark(f"bug {number}", RIGHT, "", ""))
        else:
            shown.append(Mark(f"bug {number}", THERE, f"{names}: {left[0].reason or bug.words}", bug.words))
    new = [mark for symbol, mark in marks.items() if symbol not in planted and mark.verdict != RIGHT]
    notes = tuple(f"new mistake: {mark.reason or mark.verdict}" for mark in new)
    return Graded(one.path, learner, _words(exercise), tuple(shown), notes)


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
    judged = next((cell for cell in cells if cell.cell is not None and _looks_at_judge(cell.cell)), None)
    if judged is not None:
        return Mark(name, JUDGED, f"{name}: {address(judged.place)} takes its number from tab Judge", "looks at Judge")
    first = next((cell for cell in cells if not all(cell.right)), None)
    if first is None:
        return Mark(name, RIGHT)
    verdict, why, mistake = _why(one, cells, first)
    return Mark(name, verdict, f"{name}: {address(first.place)} {why}", mistake)


def _why(one: _Submission, cells: Sequence[_Cell], first: _Cell) -> tuple[str, str, str]:
    """The verdict, why in words, and the kind of mistake."""
    before_it = [cell for cell in cells if cell.step < first.step]
    if _is_empty(first.cell):
        if before_it and all(_is_empty(cell.cell) for cell in cells if cell.step >= first.step):
            return HALF, f"and below are empty; {len(before_it)} of {len(cells)} rows are right", "not filled down"
        return HALF, "is empty", "cells left empty"
    assert first.cell is not None
    typed = first.cell.text is None
    if typed and is_number(first.cell.value):
        if first.right[0]:
            return TYPED, "is typed, and does not follow when Inputs changes", "typed, not a formula"
        return WRONG, f"is typed: {_said(first)}", "a wrong number is typed"
    if typed:
        return WRONG, f"is the text {str(first.cell.value)[:40]!r}", "a text where a formula belongs"
    if first.right[0] and any(cell.right[0] for cell in cells):
        return NUMBERS, f"is {formula_of(first.cell)[:120]}, which does not follow Inputs", "follows not all of Inputs"
    if first.expected is None:
        return WRONG, "cannot be judged: a cell that it should look at has no number", "cells before it have no number"
    finding = one.findings.get(first.place[1])
    if finding is not None and finding.why:
        belongs = f": {finding.expected[:120]}" if finding.expected else ""
        return WRONG, f"is {finding.found[:120]}; {finding.why}{belongs}", finding.why
    return WRONG, f"is {formula_of(first.cell)[:120]}; {_said(first)}", "another formula belongs there"


def _said(cell: _Cell) -> str:
    found = f"{cell.found:.6g}" if is_number(cell.found) else str(cell.found)[:20]
    return f"{found} instead of {cell.expected:.6g}" if cell.expected is not None else found


def _is_empty(cell: Cell | None) -> bool:
    return cell is None or (cell.text is None and cell.value in (None, ""))


def _looks_at_judge(cell: Cell) -> bool:
    return cell.text is not None and judge.TAB.casefold() in cell.text.casefold() and _names_judge(cell.text)


@lru_cache(maxsize=1_024)
def _names_judge(text: str) -> bool:
    try:
        found = [node for node in walk(parse(text)) if isinstance(node, Reference)]
    except FormulaError:
        return False
    return any(node.tab is not None and node.tab.casefold() == judge.TAB.casefold() for node in found)


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
def _functions(equations: Equations, counted: frozenset[str]) -> tuple[list[Function | None], list[Function | None]]:
    """For each column that counts, what row 0 and later rows should have: of this row, the one above and Inputs."""
    columns = [column.symbol for column in equations.columns]
    given = _given(equations)
    names = {symbol: f"c[{at}]" for at, symbol in enumerate(columns)}
    names |= {before(symbol): f"p[{at}]" for at, symbol in enumerate(columns)}
    names |= {symbol: f"k[{at}]" for at, symbol in enumerate(given)}
    names |= {letter: names[_setting(equations, option)] for letter, option in equations.settings.items()}

    def function(expr: Expr) -> Function:
        made: Function = eval(f"lambda c, p, k: {python(expr, names)}", dict(FUNCTIONS))  # our own text
        return made

    def all_of(expressions: Iterator[tuple[Symbol, Expr]]) -> list[Function | None]:
        return [function(expr) if symbol.name in counted else None for symbol, expr in expressions]

    return (
        all_of((column.symbol, column.start) for column in equations.columns),
        all_of((column.symbol, column.fill) for column in equations.columns),
    )


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
