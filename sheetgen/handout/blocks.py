"""What a hand-out is made of: sections of sentences, formulas and tables, in no notation yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from sheetgen.errors import ExcelError
from sheetgen.maths.network import Network

__all__ = ["Block", "Formula", "Formulas", "Handout", "Number", "Part", "Picture", "Section", "Shown", "Table", "Text"]


@dataclass(frozen=True)
class Shown:
    """An expression; a symbol in `numbers` is shown as its number."""

    expr: Expr
    numbers: Mapping[Symbol, float | ExcelError] = field(default_factory=dict)


@dataclass(frozen=True)
class Number:
    """A number, to some significant digits."""

    value: float | ExcelError
    digits: int


@dataclass(frozen=True)
class Formula:
    """A left side and what it equals, one after the other; None is a line to write on."""

    left: Expr
    rights: tuple[Shown | Number | None, ...]
    relation: str = "="


Part = str | Shown | Number | Formula | None
"""A piece of a sentence or of a table; None is a line to write on."""


@dataclass(frozen=True)
class Text:
    """A sentence with mathematics in it."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Formulas:
    """Formulas, a line each."""

    lines: tuple[Formula, ...]


@dataclass(frozen=True)
class Table:
    """A head and rows of as many cells."""

    head: tuple[Part, ...]
    rows: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Picture:
    """The network, drawn, and the table that says the same where nothing is drawn."""

    network: Network
    table: Table


Block = Text | Formulas | Table | Picture


@dataclass(frozen=True)
class Section:
    """A title with mathematics in it, and what stands under it; one of level 3 is a part of the one before."""

    title: tuple[Part, ...]
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True)
class Handout:
    """A page to print."""

    title: str
    sections: tuple[Section, ...]
