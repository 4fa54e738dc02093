"""A stranger's workbook -> what is found in it: each table, what it trains, and the wrong cells by column and cause."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sheetgen.check.foreign.book import Book, Place, address, formula_of, read_book
from sheetgen.check.foreign.causes import Cause, Causes
from sheetgen.check.foreign.judge import judge
from sheetgen.check.foreign.judged import Judged, Key, RatePlace, Wrong, stored_numbers
from sheetgen.check.foreign.labels import LOOKED_FOR, RATE, symbol_of
from sheetgen.check.foreign.meant import code_of, written_so
from sheetgen.check.foreign.network import Network
from sheetgen.check.foreign.oddities import oddities
from sheetgen.check.foreign.tables import Table, best_header, find_tables, labels_down
from sheetgen.check.foreign.told import SHOWN, Finding, Foreign, TableReport, cut, loss_words
from sheetgen.check.foreign.view import Effort
from sheetgen.check.foreign.words import address_of
from sheetgen.errors import CheckError
from sheetgen.formulas.parse import FormulaError, parse
from sheetgen.xlsx.cells import column_letters, is_number

__all__ = ["examine", "findings_of"]

SHOWN_LABELS = 12
FEW = 6
"""Labels in a row that are fewer than a table has."""
MOST_FINDINGS = 200
WRITTEN_SO = {
    "ROUND": "{count} round ({first}): judged as if they did not",
    "e": "{count} have a typed number for e ({first}): judged as EXP, which has all digits",
}
NO_VALUES = (
    "stored  no value is stored beside any formula, or 0 beside all, as by a program that does not calculate: only "
    "formulas were judged"
)


def examine(path: Path, network: Network | None = None) -> Foreign:
    """Find and judge every training table. CheckError, in one line, if there is none or the file cannot be read."""
    book = read_book(path)
    tables = find_tables(book)
    if not tables:
        raise CheckError(f"{path}: {_nothing_found(book)}")
    reports = []
    effort = Effort()
    for table in tables:
        if table.trouble:
            reports.append(TableReport(table, None, None, "", (), (), 0, 0, trouble=table.trouble))
            continue
        try:
            judged = judge(book, table, network, effort, alone=len(tables) == 1)
            if judged.trains or len(tables) == 1:
                reports.append(_report(judged))
        except CheckError as error:
            told = f"{error}. Labels are read as in {LOOKED_FOR}; --spec SPEC says what network it is"
            reports.append(TableReport(table, None, None, "", (), (), 0, 0, trouble=told))
    return Foreign(path, tuple(reports), note="" if book.has_values else NO_VALUES)


def findings_of(book: Book, table: Table, network: Network) -> tuple[Finding, ...]:
    """What is wrong in a table of that network."""
    return _report(judge(book, table, network)).findings


def _nothing_found(book: Book) -> str:
    how = "Write one row of labels above one row per step, or let sheetgen build write the workbook"
    best, down = best_header(book), labels_down(book)
    looked = f"no training table was found: it is looked for by labels such as {LOOKED_FOR}"
    if down is not None and (best is None or len(best[2]) < FEW):
        where = f"column {column_letters(down[1])} of {down[0]}"
        return (
            f"the labels stand below each other in {where}, one step per column; a table is read with one row of "
            "labels and one row per step. Copy it, paste it with Transpose (Paste Special) on a new tab, and check that"
        )
    if best is None:
        return f"{looked}; no tab has a row of them. {how}."
    tab, row, labels = best
    shown = ", ".join(repr(one) for one in labels[:SHOWN_LABELS]) + (", …" if len(labels) > SHOWN_LABELS else "")
    return f"{looked}; nearest comes row {row} of {tab}: {shown}. {how}."


def _report(judged: Judged) -> TableReport:
    table, place = judged.table, judged.rate_place
    causes = Causes(judged)
    if odd := _not_understood(judged, causes):
        return TableReport(table, None, None, "", (), (), 0, 0, trouble=odd)
    findings = [*_convention(judged, causes), *_findings(judged, causes), *oddities(judged, causes.words)]
    numbers = {**judged.fixed, **stored_numbers(judged.view, table.first_row)}
    names = [name for name in numbers if name[0] in "it"] + [name for name in judged.network.weights if name in numbers]
    cell = ("" if place[0] == table.tab else f"{place[0]}!") + address(place[1]) if place else ""
    weights = () if judged.trouble else judged.network.weights
    columns = sum(1 for name in table.columns if name in judged.network.equations or name in weights)
    return TableReport(
        table, judged.network, judged.rate, cell, tuple((name, numbers[name]) for name in names), tuple(findings),
        columns, judged.compared, _losses(judged, numbers), judged.trouble, tuple(_notes(judged)),
    )  # fmt: skip


def _not_understood(judged: Judged, causes: Causes) -> str:
    """Why nothing is judged, if most of the nets and activations are not those of any network that is known; or ""."""
    table, network = judged.table, judged.network
    forward = [name for name in table.columns if re.match(r"(a_)?[ho]\d", name)]
    odd = {
        wrong.symbol: wrong for wrong in reversed(judged.wrong) if wrong.kind == "differs" and wrong.symbol in forward
    }
    half = len(forward) / 2
    if len(odd) <= half or len([one for one in odd.values() if not causes.is_small(one)]) <= half:
        return ""
    first = min(odd.values(), key=lambda one: one.place)
    cell = judged.view.book.tabs[table.tab][first.place]
    size, expected = "-".join(map(str, network.units)), cut(causes.words.belongs(first.symbol, first.place))
    return (
        f"it is not judged, for most of its nets and activations are not those of a {size} network of dense layers: "
        f"{address(first.place)} ({causes.words.called(first.symbol)}) is {cut(formula_of(cell))}, where {expected} "
        f"was expected. Labels are read as in {LOOKED_FOR}; --spec SPEC says what network it is"
    )


def _notes(judged: Judged) -> Iterator[str]:
    """How labels and formulas are taken that say something else, and rates that differ from most."""
    table = judged.table
    yield from filter(None, [table.note, table.around])
    labels = [table.labels[column] for name, column in table.columns.items() if name.startswith("a_")]
    if nets := [label for label in labels if not symbol_of(label).startswith("a_")]:
        yield f"{', '.join(nets)}: taken for activations, which no column is labelled as and these have"
    for kind, (place, count) in _written_so(judged).items():
        first = f"first in {address(place)}" if count > 1 else f"in {address(place)}"
        yield WRITTEN_SO[kind].format(count=f"{count:,} formulas" if count > 1 else "a formula", first=first)
    column = table.columns.get(RATE)
    by_rate = _by_rate(judged)
    if of_rows := [one for one in by_rate if column and one[1] and one[1][1][1] == column]:
        yield f"each step has the rate of its row in column {column_letters(column or 1)}"
    for (rate, where), keys in ((one, keys) for one, keys in by_rate.items() if one not in of_rows):
        names, rows = list(dict.fromkeys(name for name, _ in keys)), sorted({row for _, row in keys})
        cell = "" if where is None else f" ({address_of(*where, table.tab)})"
        yield f"the rate of {', '.join(names)} is {rate:.9g}{cell} in rows {rows[0]} to {rows[-1]}"
    yield from filter(None, [_texts(judged), _unread(judged)])


def _written_so(judged: Judged) -> dict[str, tuple[Place, int]]:
    """What formulas of the table have that is not taken as it stands, the first place of each and how many have it."""
    found: dict[str, tuple[Place, int]] = {}
    cells = judged.view.book.tabs[judged.table.tab]
    for column in judged.table.columns.values():
        for row in judged.table.rows:
            cell = cells.get((row, column))
            kind = written_so(cell.text) if cell is not None and cell.text is not None else ""
            if kind:
                place, count = found.get(kind, ((row, column), 0))
                found[kind] = min(place, (row, column)), count + 1
    return found


def _by_rate(judged: Judged) -> dict[tuple[float, RatePlace], list[Key]]:
    found: dict[tuple[float, RatePlace], list[Key]] = {}
    for key, rate in judged.other_rates.items():
        found.setdefault(rate, []).append(key)
    return found


def _texts(judged: Judged) -> str:
    """Inputs that are texts."""
    if not judged.texts:
        return ""
    first, count = address(judged.texts[0]), len(judged.texts)
    what = f"{first} holds its number" if count == 1 else f"{count:,} cells hold their numbers (first {first})"
    return f"{what} as a text: + and * take it for a number, but SUM, SUMPRODUCT and charts do not; type it again"


def _unread(judged: Judged) -> str:
    """Formulas that are judged by their stored numbers alone."""
    if not judged.unread:
        return ""
    place, why = next(iter(judged.unread.items()))
    count = len(judged.unread)
    what = "a formula" if count == 1 else f"{count:,} formulas"
    return f"{what} cannot be read (first {address(place)}: {why[:SHOWN]}); the stored numbers are right"


def _findings(judged: Judged, causes: Causes) -> list[Finding]:
    """The wrong cells by their column and what is wrong with them."""
    groups: dict[tuple[str, str, str], list[Wrong]] = {}
    cells = judged.view.book.tabs[judged.table.tab]
    for wrong in judged.wrong:
        cell = cells.get(wrong.place)
        form = cell.text if cell is not None and cell.text is not None else ""
        groups.setdefault((wrong.symbol, wrong.kind, form), []).append(wrong)
    found: dict[tuple[str, str, str], tuple[Cause, list[Wrong]]] = {}
    for group in list(groups.values())[:MOST_FINDINGS]:
        cause = causes.of(group[0])
        helper = cells.get(cause.place) if cause.place != group[0].place else None
        key = (
            ("", helper.text or "", column_letters(cause.place[1]))
            if helper
            else (group[0].symbol, str(cause.pattern or cause.why), "")
        )
        rows = {one.place[0] for one in found.setdefault(key, (cause, []))[1]}
        found[key][1].extend(one for one in group if one.place[0] not in rows)
    all_found = [
        _finding(judged, causes, cause, sorted(group, key=lambda one: one.place)) for cause, group in found.values()
    ]
    return sorted(all_found, key=lambda one: one.places[0])


def _finding(judged: Judged, causes: Causes, cause: Cause, group: list[Wrong]) -> Finding:
    first = group[0]
    down = cause.place[0] - first.place[0]
    rows = [one.place[0] + down for one in group]
    helper = cause.place != first.place
    value, should = _values_of_helper(judged, cause) if helper else _values(judged, first)
    column = _label(judged.table, cause.place[1]) if helper else causes.words.called(first.symbol)
    places = tuple((row, cause.place[1]) for row in rows)
    return Finding(
        address(cause.place), column, (rows[0], rows[-1]), len(rows), cause.found, cause.expected, value, should,
        cause.why, cause.pattern, places,
    )  # fmt: skip


def _label(table: Table, column: int) -> str:
    return table.labels.get(column, "a helper column")


def _values_of_helper(judged: Judged, cause: Cause) -> tuple[float | None, float | None]:
    """The number that stands in a helper's cell, and the one that the right formula gives."""
    cell = judged.view.book.tabs[judged.table.tab][cause.place]
    with suppress(FormulaError):
        should = judged.view.try_code(code_of(parse(cause.expected)), cause.place, None)
        value = float(cell.value) if is_number(cell.value) else None
        return value, should if isinstance(should, float) else None
    return None, None


def _values(judged: Judged, wrong: Wrong) -> tuple[float | None, float | None]:
    """The number that stands in a cell, and the one that the numbers beside it give."""
    cell = judged.view.book.tabs[judged.table.tab].get(wrong.place)
    value = cell.value if cell is not None else None
    number = float(value) if is_number(value) else None
    if cell is not None and cell.text is not None and number is None:
        try:
            computed = judged.view.compute(cell, wrong.place, None)
        except FormulaError:
            computed = None
        number = computed if isinstance(computed, float) else None
    name, row = judged.network.source_of(wrong.symbol, wrong.place[0])
    rate = judged.rate_of(wrong.symbol, wrong.place[0])[0]
    given = {**judged.fixed, **stored_numbers(judged.view, row), RATE: math.nan if rate is None else rate}
    given.pop(name, None)
    should = judged.machine.run(given).get(name, math.nan)
    return number, None if math.isnan(should) else should


def _convention(judged: Judged, causes: Causes) -> Iterator[Finding]:
    """The loss column is of one loss, and the gradients are of another."""
    network, table = judged.network, judged.table
    if (network.loss, network.factor) == (network.gradient_loss, abs(network.gradient_factor)):
        return
    names = [f"E{k + 1}{mark}" for mark in network.sample_marks() for k in range(network.units[-1])]
    halves = {"half_squared_error": ("squared_error", 0.5)}
    parts = halves.get(network.loss, (network.loss, 1.0))
    slopes = halves.get(network.gradient_loss, (network.gradient_loss, 1.0))
    alike = parts == (slopes[0], slopes[1] * abs(network.gradient_factor))
    symbol = next((one for one in (*(() if alike else names), "E_total") if one in table.columns), None)
    if symbol is None:
        return
    place = (table.first_row, table.columns[symbol])
    one, other = (
        loss_words(network, network.loss, network.factor),
        loss_words(network, network.gradient_loss, abs(network.gradient_factor)),
    )
    why = f"the loss is {one}, and the gradients are those of {other}: one of them belongs to another exercise"
    if network.gradient_loss == "binary_cross_entropy" and network.activations[-1] == "sigmoid":
        why += " (or the slope of the outputs, a_o·(1 − a_o), is missing in every gradient)"
    cell = judged.view.book.tabs[table.tab].get(place)
    found = "" if cell is None or cell.text is None else formula_of(cell)
    rows = table.rows
    yield Finding(
        address(place), causes.words.called(symbol), (rows[0], rows[-1]), len(rows), found, "", None, None, why,
        ("convention",), tuple((row, place[1]) for row in rows),
    )  # fmt: skip


def _losses(judged: Judged, start: dict[str, float]) -> tuple[float, float, int] | None:
    """The loss in the last row that has one, what it is if every cell is right, and the updates up to there."""
    network, table = judged.network, judged.table
    if "E_total" not in table.columns or judged.rate is None:
        return None
    last = next((row for row in reversed(table.rows) if "E_total" in stored_numbers(judged.view, row)), None)
    if last is None:
        return None
    stored = stored_numbers(judged.view, last)["E_total"]
    if not judged.wrong or judged.other_rates:
        return stored, stored, last - table.first_row
    fixed = {name: value for name, value in start.items() if name[0] in "it"} | {RATE: judged.rate}
    weights = {name: start.get(name, math.nan) for name in network.weights}
    state = judged.machine.run({**fixed, **weights})
    for row in range(table.first_row + 1, last + 1):
        if judged.in_turn:
            fixed |= {name: value for name, value in stored_numbers(judged.view, row).items() if name[0] in "it"}
        state = judged.machine.run({**fixed, **{name: state[f"{name}⁺"] for name in network.weights}})
    right = state["E_total"]
    return None if math.isnan(right) else (stored, right, last - table.first_row)
