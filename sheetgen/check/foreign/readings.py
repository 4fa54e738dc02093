"""Other meanings that the labels of a table may have: h1 may be an activation, and one of two w3 the missing w4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

from sheetgen.check.foreign.named import numbered_deltas, slopes_of_units
from sheetgen.check.foreign.tables import Table
from sheetgen.xlsx.cells import column_letters

__all__ = ["readings"]

# Of the same count: every weight has a gradient, every unit an activation, every output a target and a loss.
_ALIKE = (("w", "∂E/∂w"), ("b", "∂E/∂b"), ("h", "a_h"), ("o", "a_o", "t", "E"), ("i",))


def readings(table: Table) -> list[Table]:
    """The table as its labels say first, then as else they may be meant."""
    found = []
    for columns, note in _completed(table):
        here = replace(table, columns=columns, note=note)
        found += [here, *_activated(here), *_otherwise(here)]
    return found


def _otherwise(table: Table) -> Iterator[Table]:
    """Words that mean one thing as often as another: the order of δ1 to δ3, ∂E/∂o1, y, and what has a total's label."""
    columns = table.columns
    deltas = [column for _, column in sorted(numbered_deltas(table.labels).items())]
    symbols = [symbol for symbol, column in columns.items() if column in deltas and symbol[0] == "δ"]
    symbols.sort(key=lambda one: (one[2] == "h", one))
    if symbols and len(symbols) == len(deltas):
        yield replace(table, columns={**columns, **dict(zip(symbols, deltas, strict=True))})
    slopes = slopes_of_units(table.labels)
    if kept := {symbol: column for symbol, column in columns.items() if column not in slopes}:
        yield from [replace(table, columns=kept)] * (len(kept) < len(columns))
    if "a_o1" not in columns and "t2" not in columns and _called(table, "t1") == "y":
        yield replace(table, columns={"a_o1" if one == "t1" else one: column for one, column in columns.items()})
    if totals := [column for column, symbol in table.extra.items() if symbol == "E_total"]:
        yield replace(table, columns={**columns, "E_total": max(totals)})


def _called(table: Table, symbol: str) -> str:
    return table.labels.get(table.columns.get(symbol, 0), "").strip().casefold()


def _activated(table: Table) -> Iterator[Table]:
    """Nets as activations, where no column is labelled as these."""
    units = {found[0] for symbol in table.columns if (found := re.match(r"h\d+(?=_\d)|[ho](?=\d)", symbol))}
    layers = sorted(kind for kind in units if not any(one.startswith(f"a_{kind}") for one in table.columns))
    for chosen in product((True, False), repeat=len(layers)):
        kinds = tuple(kind for kind, one in zip(layers, chosen, strict=True) if one)
        if kinds:
            pattern = re.compile(rf"(?:{'|'.join(kinds)})[_\d\[\]]+")
            yield replace(
                table,
                columns={
                    f"a_{symbol}" if pattern.fullmatch(symbol) else symbol: column
                    for symbol, column in table.columns.items()
                },
            )


def _completed(table: Table) -> list[tuple[dict[str, int], str]]:
    """With the columns that repeat a label as those that are missing, if there are as many; else as they are.

    Of two columns with one label, either may be the one that is missing.
    """
    columns, notes = dict(table.columns), list[str]()
    turned: list[tuple[dict[str, int], str]] = []
    for name, twin, column in _missing(table):
        columns[name] = column
        notes.append(_note(table, twin, name, column))
        turned.append(({name: table.columns[twin], twin: column}, _note(table, twin, name, table.columns[twin])))
    found = [(columns, "; ".join(notes))]
    return [*found, ({**columns, **turned[0][0]}, turned[0][1])] if len(turned) == 1 else found


def _missing(table: Table) -> Iterator[tuple[str, str, int]]:
    """A symbol that no column has, one that several have, and the column that may be the missing one's."""
    for kinds in _ALIKE:
        there = {kind: _numbers(kind, table.columns) for kind in kinds}
        most = max((max(some) for some in there.values() if some), default=0)
        for kind, numbers in there.items():
            again = [column for column, symbol in sorted(table.extra.items()) if _numbers(kind, [symbol])]
            missing = sorted(set(range(1, most + 1)) - numbers)
            if len(again) == len(missing):
                for column, number in zip(again, missing, strict=True):
                    yield f"{kind}{number}", table.extra[column], column


def _numbers(kind: str, symbols: Iterable[str]) -> set[int]:
    return {int(found[1]) for one in symbols if (found := re.fullmatch(rf"{kind}(\d+)", one))}


def _note(table: Table, twin: str, name: str, column: int) -> str:
    label = " ".join(table.labels[column].split())
    return f"{label} is written above {_letters(table, twin)}: {column_letters(column)} is taken for {name}"


def _letters(table: Table, symbol: str) -> str:
    places = [table.columns[symbol], *(column for column, one in table.extra.items() if one == symbol)]
    return " and ".join(map(column_letters, sorted(places)))
