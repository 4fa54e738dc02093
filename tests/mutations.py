"""Formulas of a handmade table edited at random, and what an edit changes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from handmade import Handmade, cells_of, values_of

from sheetgen.formulas import FormulaError, parse
from sheetgen.formulas.sheet import CircularError
from sheetgen.xlsx.cells import column_letters

KINDS = ("symbol", "sign", "bracket", "reference", "constant")
CHANGED = 1e-9
"""Of the larger value: what an edit changes by less is no mistake."""


@dataclass(frozen=True)
class Edit:
    """A table with one formula edited: where, the text, and whether that changes the cell's value."""

    made: Handmade
    address: str
    text: str
    changes: bool


def edited(text: str, draw: random.Random, made: Handmade) -> str:
    """A formula with one thing in it changed, which may be none any more."""
    kind = draw.choice(KINDS)
    if kind in ("symbol", "reference"):
        found = draw.choice(list(re.finditer(r"(\$?[A-Z]{1,2})(\$?)(\d+)", text)) or [re.match("", text)])
        if not found or not found[0]:
            return text
        letters, fixed, row = found.groups()
        if kind == "symbol":
            letters = column_letters(made.column(draw.choice(list(made.layout.order))))
        else:
            row = str(max(1, int(row) + draw.choice((-2, -1, 1, 2))))
        return text[: found.start()] + letters + fixed + row + text[found.end() :]
    pattern, others = {
        "sign": (r"[-+*/]", "+-*/"), "bracket": (r"[()]", ("",)),
        "constant": (r"(?<![A-Z$\d.])\d+(?:\.\d+)?(?![\d.])", ("0.5", "2", "3", "0.1", "1.0001")),
    }[kind]  # fmt: skip
    places = list(re.finditer(pattern, text))
    if not places:
        return text
    at = draw.choice(places)
    text = text[: at.start()] + draw.choice(others) + text[at.end() :]
    if kind == "bracket":
        to = draw.randrange(1, len(text) + 1)
        text = text[:to] + at[0] + text[to:]
    return text


def edits(made: Handmade, draw: random.Random, tries: int, change: Callable[..., str] = edited) -> Iterator[Edit]:
    """What comes of so many tries at one random formula of a table, those left out that nobody can read or compute."""
    plain = made.stored or made
    cells, computed = cells_of(made), cells_of(plain)
    base = values_of(made.layout.tab, computed)
    for _ in range(tries):
        symbol = draw.choice(made.layout.order)
        row = draw.randrange(symbol in made.starts, made.layout.rows)
        place = made.layout.header + 1 + row, made.column(symbol)
        old = str(cells[place])
        new = change(old, draw, made)
        before = base[place]
        if not old.startswith("=") or old != str(computed[place]) or not isinstance(before, float):
            continue
        try:
            if parse(new) == parse(old):
                continue
            value = values_of(made.layout.tab, {**computed, place: new})[place]
        except (FormulaError, CircularError):
            continue
        same = isinstance(value, float) and abs(value - before) <= CHANGED * max(abs(value), abs(before))
        whole = replace(made, cells={**made.cells, (symbol, row): new})
        if made.stored:
            whole = replace(whole, stored=replace(plain, cells={**plain.cells, (symbol, row): new}))
        yield Edit(whole, made.place(symbol, row), new, not same)


def rewritten(text: str, draw: random.Random, made: Handmade | None = None) -> str:
    """A formula in other words: more brackets, powers for products, halves for a division, terms turned round."""
    ways: tuple[Callable[[str], str], ...] = (
        lambda one: f"=({one[1:]})",
        lambda one: f"=1*{one[1:]}" if "+" not in one and "-" not in one.replace("(1-", "") else f"=+{one[1:]}",
        lambda one: re.sub(r"\(([A-Z]+\d+-[A-Z]+\d+)\)\^2", r"(\1)*(\1)", one),
        lambda one: re.sub(r"0\.5\*(\([^()]*\)\^2)", r"\1/2", one),
        lambda one: re.sub(r"0\.5\*\(([^()]*)\)\^2", r"POWER(\1,2)/2", one),
        lambda one: re.sub(r"([A-Z]+\d+)\*\(1-\1\)", r"(\1-\1^2)", one),
        lambda one: re.sub(r"\(([A-Z]+\d+)-([A-Z]+\d+)\)\*", r"(-(\2-\1))*", one),
        lambda one: re.sub(r"([A-Z]+)(\d+)", r"$\1\2", one, count=1),
        lambda one: re.sub(r"1/\(1\+EXP\(-([A-Z]+\d+)\)\)", r"EXP(\1)/(EXP(\1)+1)", one),
        lambda one: re.sub(r"1/\(1\+EXP\(-([A-Z]+\d+)\)\)", r"(1+EXP(-\1))^-1", one),
        lambda one: re.sub(r"^=([A-Z]+\d+)\*([A-Z]+\d+)\+([A-Z]+\d+)\*([A-Z]+\d+)$", r"=\4*\3+\2*\1", one),
        lambda one: re.sub(r"^=([A-Z]+\d+)\+([A-Z]+\d+)$", r"=SUM(\1,\2)", one),
    )
    for way in draw.sample(ways, 4):
        text = way(text)
    return text
