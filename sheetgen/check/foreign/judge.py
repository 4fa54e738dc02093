"""Which cells of a table are not what their own row says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from sheetgen.check.foreign.book import Book, Cell, Place
from sheetgen.check.foreign.infer import infer, infer_order, sizes_of
from sheetgen.check.foreign.labels import RATE, STEP, symbol_of
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.tables import Table
from sheetgen.check.foreign.view import Draw, Effort, Machine, View, new_draws
from sheetgen.errors import ExcelError
from sheetgen.formulas.parse import FormulaError, parse, parse_reference
from sheetgen.formulas.tree import Name, Reference, walk
from sheetgen.formulas.values import Scalar
from sheetgen.xlsx.cells import is_number

__all__ = ["Judged", "Wrong", "close", "half_unit", "judge", "stored_numbers", "the_one"]

DRAWS = 4
CLOSE = 1e-9
"""Of the larger number: two formulas that mean the same differ by rounding alone, which is a millionth of this."""
KEPT = 9
"""Digits of a rate by which rates are told apart."""
PLACEHOLDER = 0.37


Rates = Mapping[tuple[str, int], float | None]
"""The rate that an update implies, by weight and row; None if it is not one number."""


@dataclass(frozen=True)
class Wrong:
    """A cell that is not what its row says: a formula that gives something else, or a number that is."""

    symbol: str
    place: Place
    kind: str


@dataclass
class Judged:
    """A table, the network that it is taken for, the rate and where it stands, and the cells that are wrong."""

    view: View
    network: Network
    rate: float | None
    rate_place: tuple[str, Place] | None
    fixed: Mapping[str, float]
    rates: Rates = field(default_factory=dict)
    unread: dict[Place, str] = field(default_factory=dict)
    compared: int = 0
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def table(self) -> Table:
        """Where it stands."""
        return self.view.table

    @property
    def trains(self) -> bool:
        """Whether the table has anything of training: a gradient, or weights that are updated."""
        return self.rate is not None or any(name.startswith("∂E/∂") for name in self.table.columns)

    @cached_property
    def frozen(self) -> set[str]:
        """Weights that are not trained: none of their cells has another number than the row above, and no gradient."""
        names = [name for name in self.network.weights if f"∂E/∂{name}" not in self.table.columns]
        return {name for name in names if self._stays(name)}

    def _stays(self, name: str) -> bool:
        column, cells = self.table.columns.get(name), self.view.book.tabs[self.table.tab]
        if column is None:
            return True
        values = {cell.value for row in self.table.rows if (cell := cells.get((row, column))) is not None}
        return len(values) == 1

    @cached_property
    def machine(self) -> Machine:
        """The network's equations."""
        return _machine(self.network)

    @cached_property
    def draws(self) -> tuple[list[Draw], list[Draw]]:
        """Numbers to judge by: for formulas of their own row, and for updates."""
        return new_draws(self.machine, self.fixed, PLACEHOLDER if self.rate is None else self.rate, DRAWS)

    def draws_of(self, symbol: str) -> list[Draw]:
        """Those for a symbol's formulas."""
        return self.draws[symbol in self.network.weights]

    def expected(self, symbol: str, draw: Draw) -> float:
        """What a symbol's cell shows in a draw."""
        return draw.state(0)[symbol]


def close(found: Scalar, expected: float) -> bool:
    """Whether a value is the expected number, but for rounding."""
    if not isinstance(found, float) or math.isnan(expected):
        return False
    return abs(found - expected) <= CLOSE * max(abs(found), abs(expected), 1e-6)


def judge(book: Book, table: Table, given: Network | None = None, effort: Effort | None = None) -> Judged:
    """Find the network and the rate, and compare every cell.

    CheckError, which names no file, if the labels do not fit together, or it costs too much.
    """
    view = View(book, table, effort)
    fixed = dict(_outside(book, table))
    if given is None:
        score = _Score(view, fixed, PLACEHOLDER)
        network = infer(sizes_of(table), score, lambda symbol: symbol in table.columns, score.offset)
    else:
        network = given
    judged, rates = _with_rate_found(view, network, fixed)
    if given is None and judged.rate is not None:
        ordered = infer_order(network, _Score(view, fixed, judged.rate))
        if ordered != network:
            judged, rates = _with_rate_found(view, ordered, fixed)
    if judged.rate is not None and judged.rate * judged.network.gradient_factor < 0:
        # Against the gradient is down: what adds it, or has it the other way round alone, is wrong.
        network = replace(judged.network, gradient_factor=abs(judged.network.gradient_factor))
        judged, rates = _with_rate_found(view, network, fixed)
        judged.rate = None if judged.rate is None else abs(judged.rate)
        judged.__dict__.pop("draws", None)
    judged.rates = rates
    judged.rate_place = _place_of_rate(judged, rates)
    judged.wrong = sorted(_wrong_cells(judged), key=lambda one: (one.place[0], one.place[1]))
    return judged


def _with_rate_found(view: View, network: Network, fixed: Mapping[str, float]) -> tuple[Judged, Rates]:
    judged = Judged(view, network, None, None, fixed)
    rates = _rates(judged)
    judged.rate = _usual(rates)
    if judged.rate is None:
        judged.rate = _rate_of_numbers(judged)
    del judged.__dict__["draws"]
    return judged, rates


@lru_cache(maxsize=64)
def _machine(network: Network) -> Machine:
    return Machine(network)


class _Score:
    """How many of some symbols' cells are right in a row in the middle of a network's table."""

    def __init__(self, view: View, fixed: Mapping[str, float], rate: float) -> None:
        self.view, self.fixed, self.rate = view, fixed, rate
        rows = view.table.rows
        middle = [rows[at] for at in sorted({1, len(rows) // 2, len(rows) - 2}) if 0 < at < len(rows)]
        self.rows = middle or rows[:1]
        self.draws = lru_cache(maxsize=200)(self._draws)

    def _draws(self, network: Network) -> list[Draw]:
        return new_draws(_machine(network), self.fixed, self.rate, 2)[0]

    def __call__(self, network: Network, symbols: Iterable[str]) -> tuple[int, int]:
        """And how many there are at all."""
        columns = self.view.table.columns
        places = [(name, (row, columns[name])) for row in self.rows for name in symbols if name in columns]
        return sum(self._right(network, name, place) for name, place in places), len(places)

    def offset(self, network: Network, name: str) -> float | None:
        """What a symbol's cell has more than the network says, if it is one number other than 0."""
        table = self.view.table
        cell = self.view.book.tabs[table.tab].get((self.rows[0], table.columns.get(name, 0)))
        if cell is None or cell.text is None:
            return None
        found = []
        for draw in self.draws(network):
            try:
                value = self.view.compute(cell, (self.rows[0], table.columns[name]), draw)
            except FormulaError:
                return None
            if not isinstance(value, float):
                return None
            found.append(float(f"{value - draw.state(0)[name]:.12g}"))
        return found[0] if abs(found[0]) > 1e-9 and close(found[1], found[0]) else None

    def _right(self, network: Network, name: str, place: Place) -> bool:
        cell = self.view.book.tabs[self.view.table.tab].get(place)
        if cell is None:
            return False
        if cell.text is None:
            return _typed_right(self.view, _machine(network), self.fixed, name, place)
        try:
            return all(close(self.view.compute(cell, place, draw), draw.state(0)[name]) for draw in self.draws(network))
        except FormulaError:
            return False


def _outside(book: Book, table: Table) -> Iterator[tuple[str, float]]:
    """Inputs and targets that have no column: a labelled number elsewhere on the tab, beside or below its label."""
    cells = book.tabs[table.tab]
    for (row, column), cell in cells.items():
        symbol = symbol_of(cell.value) if cell.text is None else ""
        if (
            symbol[:1] not in ("i", "t")
            or symbol in table.columns
            or row in range(table.header_row, table.last_row + 1)
        ):
            continue
        for place in ((row, column + 1), (row + 1, column)):
            number = cells.get(place)
            if number is not None and is_number(number.value):
                yield symbol, float(number.value)
                break


def _rates(judged: Judged) -> Rates:
    """The rate that each update implies, by weight and row: what it takes away, over the gradient."""
    found: dict[tuple[str, int], float | None] = {}
    table, view = judged.table, judged.view
    own, before = judged.draws
    for name in judged.network.weights:
        for symbol, draws, offset, rows in ((name, before, -1, table.rows[1:]), (f"{name}⁺", own, 0, table.rows)):
            if symbol not in table.columns:
                continue
            for row in rows:
                place = (row, table.columns[symbol])
                cell = view.book.tabs[table.tab].get(place)
                if cell is None or cell.text is None:
                    continue
                implied = []
                for draw in draws[:2]:
                    state = draw.state(offset)
                    try:
                        value = view.compute(cell, place, draw)
                    except FormulaError:
                        value = None
                    if not isinstance(value, float):
                        break
                    slope = state[f"∂E/∂{name}"]
                    if not slope:
                        break
                    implied.append((state[name] - value) / slope)
                found[symbol, row] = the_one(implied)
    return found


def the_one(implied: list[float]) -> float | None:
    """The rate that two draws imply, if it is one number."""
    same = len(implied) == 2 and abs(implied[0] - implied[1]) <= 1e-7 * max(abs(implied[0]), 1e-3)
    return implied[0] if same else None


def _usual(rates: Rates) -> float | None:
    """The rate that most updates have, of the first row if most of that row have one: from there on it may slide away.

    Updates that pass on what another column has, or change nothing, do not count.
    """
    known = {
        key: float(f"{one:.{KEPT}g}")
        for key, one in rates.items()
        if one is not None and abs(one) > 1e-12 and abs(one - PLACEHOLDER) > 1e-9
    }
    if not known:
        passed_on = any(one is not None and abs(one - PLACEHOLDER) <= 1e-9 for one in rates.values())
        return PLACEHOLDER if passed_on else None
    top = min(row for _, row in rates)
    of_first = [rate for (_, row), rate in known.items() if row == top]
    [(first, count), *_] = Counter(of_first).most_common(1) or [(0.0, 0)]
    if count > sum(row == top for _, row in rates) / 2:
        return first
    return Counter(known.values()).most_common(1)[0][0]


def _rate_of_numbers(judged: Judged) -> float | None:
    """The rate that stored weights imply, as exactly as their digits tell; a number that stands outside, if it fits."""
    table, cells = judged.table, judged.view.book.tabs[judged.table.tab]
    best, slack = None, math.inf
    for row in table.rows[1:]:
        before, after = stored_numbers(judged.view, row - 1), stored_numbers(judged.view, row)
        for name in judged.network.weights:
            slope = before.get(f"∂E/∂{name}")
            if slope and name in before and name in after:
                error = 2 * half_unit(after[name]) / abs(slope)
                if error < slack:
                    best, slack = (before[name] - after[name]) / slope, error
    if best is None or slack > abs(best):
        return None
    typed = (one.value for (row, _), one in cells.items() if row not in table.rows and one.text is None)
    near = [one for one in typed if isinstance(one, (int, float)) and abs(one - best) <= slack + 1e-6 * abs(best)]
    return float(near[0]) if near else float(f"{best:.{max(1, min(KEPT, round(-math.log10(slack / abs(best)))))}g}")


def _place_of_rate(judged: Judged, rates: Rates) -> tuple[str, Place] | None:
    """The cell that the right updates take their rate from, or the number beside a label for it."""
    table, view, book = judged.table, judged.view, judged.view.book
    counts: Counter[tuple[str, Place]] = Counter()
    for (symbol, row), rate in rates.items():
        if rate is None or judged.rate is None or not close(rate, judged.rate):
            continue
        place = (row, table.columns[symbol])
        cell = book.tabs[table.tab][place]
        for tab, where in references(cell, table.tab, judged.view.book):
            inside = tab == table.tab and where[0] in table.rows and where[1] in view.symbols
            value = book.tabs.get(tab, {}).get(where)
            if (
                not inside
                and value is not None
                and isinstance(value.value, (int, float))
                and close(float(value.value), judged.rate)
            ):
                counts[tab, where] += 1
    return counts.most_common(1)[0][0] if counts else None


@lru_cache(maxsize=4_096)
def _references(text: str) -> tuple[Reference | Name, ...]:
    return tuple(node for node in walk(parse(text)) if isinstance(node, (Reference, Name)))


def references(cell: Cell, tab: str, book: Book, *, ranges: bool = False) -> Iterator[tuple[str, Place]]:
    """The single cells that a formula names, or that its names mean; with `ranges`, the first cells of ranges too."""
    assert cell.text is not None
    for found in _references(cell.text):
        node = parse_reference(book.names.get(found.name.casefold(), "")) if isinstance(found, Name) else found
        if node is None or (node.last is not None and not ranges):
            continue
        row, column = node.first.row, node.first.column
        if row is not None and column is not None:
            yield (
                node.tab or tab,
                (
                    row if node.first.row_fixed else row + cell.down,
                    column if node.first.column_fixed else column + cell.right,
                ),
            )


def _wrong_cells(judged: Judged) -> Iterator[Wrong]:
    table, cells = judged.table, judged.view.book.tabs[judged.table.tab]
    for symbol, column in table.columns.items():
        verdicts: dict[tuple[str | None, int], str] = {}
        for row in table.rows:
            cell = cells.get((row, column))
            kind = _kind(judged, symbol, (row, column), cell, verdicts)
            if kind is None:
                continue
            judged.compared += 1
            if kind:
                yield Wrong(symbol, (row, column), kind)


def _kind(
    judged: Judged, symbol: str, place: Place, cell: Cell | None, verdicts: dict[tuple[str | None, int], str]
) -> str | None:
    """How a cell is wrong; "" if it is right, None if there is nothing to judge."""
    table = judged.table
    first = place[0] == table.first_row
    is_weight = symbol in judged.network.weights
    if is_weight and symbol in judged.frozen:
        return None
    if cell is None or (cell.value is None and cell.text is None):
        unfinished = place[0] == table.last_row and not is_weight
        return "empty" if symbol in judged.network.equations and not unfinished else None
    if symbol in (RATE, STEP) or (is_weight and first):
        return None
    data = symbol[0] in "it"
    if not (data or is_weight or symbol in judged.network.equations):
        return None
    if cell.text is None:
        return _typed(judged, symbol, place, cell)
    key = cell.text, int(first)
    if key not in verdicts:
        verdict, outside = _formula(judged, symbol, place, cell)
        if not outside:
            verdicts[key] = verdict
    else:
        verdict = verdicts[key]
    return verdict or _stored(judged, place, cell)


def _formula(judged: Judged, symbol: str, place: Place, cell: Cell) -> tuple[str, bool]:
    """The verdict on a formula, and whether it looks at cells outside the symbols' columns, as other rows may not."""
    view, outside = judged.view, False
    for draw in judged.draws_of(symbol):
        try:
            value = view.compute(cell, place, draw)
        except FormulaError as error:
            # What cannot be read can still be right by its number.
            right = _typed_right(view, judged.machine, _with_rate(judged), symbol, place)
            if right:
                judged.unread.setdefault(place, str(error))
            return "" if right else f"unread: {error}", True
        outside |= view.outside
        if symbol[0] in "it" and (place[0] == judged.table.first_row or _from_elsewhere(judged, place, cell)):
            return "", True
        if isinstance(value, bool):
            return "truth", outside
        if isinstance(value, str):
            return "error" if isinstance(value, ExcelError) else "text", outside
        if not close(value, judged.expected(symbol, draw)):
            return "" if _has_rate_of_its_row(judged, symbol, place) else "differs", True
    return "", outside


def _has_rate_of_its_row(judged: Judged, symbol: str, place: Place) -> bool:
    """Whether an update takes the rate that stands in a column of the table, in its row or in the one above."""
    column, implied = judged.table.columns.get(RATE), judged.rates.get((symbol, place[0]))
    if column is None or implied is None:
        return False
    cells = judged.view.book.tabs[judged.table.tab]
    there = [cells.get((row, column)) for row in (place[0] - 1, place[0])]
    values = [one.value for one in there if one is not None and isinstance(one.value, (int, float))]
    return any(abs(implied - value) <= 1e-7 * abs(value) for value in values)


def _from_elsewhere(judged: Judged, place: Place, cell: Cell) -> bool:
    """Whether a formula takes its number from cells that are filled and no part of the table."""
    table, tabs = judged.table, judged.view.book.tabs
    named = list(references(cell, table.tab, judged.view.book, ranges=True))
    columns = judged.view.symbols
    beside = [tab != table.tab or where[1] not in columns or where[0] < table.header_row for tab, where in named]
    return bool(named) and all(beside) and all(where in tabs.get(tab, {}) for tab, where in named)


def _typed(judged: Judged, symbol: str, place: Place, cell: Cell) -> str | None:
    """The verdict on what is typed: to half a unit of its last digit, as its row's stored numbers say."""
    if isinstance(cell.value, bool):
        return "truth"
    if isinstance(cell.value, str):
        return "error" if isinstance(cell.value, ExcelError) else "text"
    if symbol[0] in "it":
        return _same_data(judged, symbol, place, cell)
    return "" if _typed_right(judged.view, judged.machine, _with_rate(judged), symbol, place) else "typed"


def _same_data(judged: Judged, symbol: str, place: Place, cell: Cell) -> str | None:
    """Typed inputs may be other ones in each row; one that stands out is a slip."""
    cells, table = judged.view.book.tabs[judged.table.tab], judged.table
    column = table.columns[symbol]
    counts = Counter(
        one.value for row in table.rows if (one := cells.get((row, column))) is not None and one.text is None
    )
    usual, count = counts.most_common(1)[0]
    return "" if cell.value == usual or count <= len(table.rows) / 2 else "data"


def _with_rate(judged: Judged) -> dict[str, float]:
    return {**judged.fixed, RATE: PLACEHOLDER if judged.rate is None else judged.rate}


def stored_numbers(view: View, row: int) -> dict[str, float]:
    """The numbers that a row's symbols have in the file."""
    cells = view.book.tabs[view.table.tab]
    found = {symbol: cells.get((row, column)) for symbol, column in view.table.columns.items()}
    return {symbol: float(cell.value) for symbol, cell in found.items() if cell is not None and is_number(cell.value)}


def _typed_right(view: View, machine: Machine, fixed: Mapping[str, float], symbol: str, place: Place) -> bool:
    """Whether a number is what the stored numbers beside it give, if each is rounded in its last digit."""
    network = machine.network
    name, row = network.source_of(symbol, place[0])
    stored = {**fixed, **stored_numbers(view, row)}
    value = view.book.tabs[view.table.tab][place].value
    if not is_number(value):
        return False
    stored.pop(name, None)
    expected = machine.run(stored).get(name, math.nan)
    if math.isnan(expected):
        return False
    allowed = half_unit(float(value)) * 1.01 + 1e-12 * abs(expected)
    if abs(value - expected) <= allowed:
        return True
    first = row == view.table.first_row
    for other, number in stored.items():
        if other[0] in "itη" or other in fixed or (first and other in network.weights):
            continue  # what was typed to begin with is what it is
        moved = machine.run({**stored, other: number + half_unit(number)}).get(name, math.nan)
        allowed += abs(moved - expected)
    return abs(value - expected) <= allowed


def half_unit(value: float) -> float:
    """Half a unit of a number's last digit, as it is written."""
    text = repr(value)
    digits, _, power = text.partition("e")
    decimals = len(digits.partition(".")[2]) if not digits.endswith(".0") else 0
    return (
        0.5 * 10.0 ** (int(power or 0) - decimals)
        if len(digits.replace(".", "").lstrip("-0")) < 16
        else abs(value) * 2e-16
    )


def _stored(judged: Judged, place: Place, cell: Cell) -> str:
    """Whether the number stored beside a right formula is what the formula gives for the stored numbers it looks at."""
    if cell.value is None:
        return ""
    try:
        value = judged.view.compute(cell, place, None)
    except FormulaError:
        return ""
    if isinstance(cell.value, (bool, str)):
        # An error that comes from another cell is that cell's.
        return "stored" if isinstance(value, float) else ""
    if not isinstance(value, float):
        return "" if isinstance(value, ExcelError) else "stored"
    if abs(value - cell.value) <= CLOSE * max(abs(value), abs(cell.value), 1e-3):
        return ""
    return "" if _rounded(judged, place, cell, value) else "stored"


def _rounded(judged: Judged, place: Place, cell: Cell, value: float) -> bool:
    """Whether programs that store some ten digits explain a difference."""
    assert isinstance(cell.value, (int, float))
    largest = max((abs(one) for one in stored_numbers(judged.view, place[0]).values()), default=1.0)
    return abs(value - cell.value) <= 1e-7 * max(abs(value), abs(cell.value)) + 1e-9 * min(largest, 1.0)
