"""Workbooks as people make them by hand: the labels, layouts and formulas of many, and the mistakes that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import xlsxwriter

from sheetgen.errors import ExcelError
from sheetgen.formulas.sheet import Copy, Sheet, Workbook
from sheetgen.xlsx.cells import column_letters

Formulas = dict[str, str]
"""Symbol -> a formula of its own row's symbols, {w1}; of the row before, {w1<}; of a cell that stays, {rate}."""

GRADIENTS: Formulas = {
    "∂E/∂w1": "(({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{w5}+({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{w7})*{a_h1}*(1-{a_h1})*{i1}",
    "∂E/∂w2": "(({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{w5}+({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{w7})*{a_h1}*(1-{a_h1})*{i2}",
    "∂E/∂w3": "(({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{w6}+({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{w8})*{a_h2}*(1-{a_h2})*{i1}",
    "∂E/∂w4": "(({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{w6}+({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{w8})*{a_h2}*(1-{a_h2})*{i2}",
    "∂E/∂w5": "({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{a_h1}",
    "∂E/∂w6": "({a_o1}-{t1})*{a_o1}*(1-{a_o1})*{a_h2}",
    "∂E/∂w7": "({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{a_h1}",
    "∂E/∂w8": "({a_o2}-{t2})*{a_o2}*(1-{a_o2})*{a_h2}",
}
FORWARD: Formulas = {
    "h1": "{w1}*{i1}+{w2}*{i2}",
    "h2": "{w3}*{i1}+{w4}*{i2}",
    "a_h1": "1/(1+EXP(-{h1}))",
    "a_h2": "1/(1+EXP(-{h2}))",
    "o1": "{w5}*{a_h1}+{w6}*{a_h2}",
    "o2": "{w7}*{a_h1}+{w8}*{a_h2}",
    "a_o1": "1/(1+EXP(-{o1}))",
    "a_o2": "1/(1+EXP(-{o2}))",
    "E1": "0.5*({t1}-{a_o1})^2",
    "E2": "0.5*({t2}-{a_o2})^2",
    "E_total": "{E1}+{E2}",
}
CONSTANT: Formulas = {name: f"{{{name}<}}" for name in ("t1", "t2", "i1", "i2")}
UPDATES: Formulas = {f"w{k}": f"{{w{k}<}}-{{rate}}*{{∂E/∂w{k}<}}" for k in range(1, 9)}
STARTS: Mapping[str, float] = {
    "t1": 0.5, "t2": 0.5, "i1": 0.05, "i2": 0.1, "w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3,
    "w5": 0.4, "w6": 0.45, "w7": 0.5, "w8": 0.55,
}  # fmt: skip
ORDER = [
    "t1",
    "t2",
    "i1",
    "i2",
    "w1",
    "w2",
    "w3",
    "w4",
    "h1",
    "a_h1",
    "h2",
    "a_h2",
    "w5",
    "w6",
    "w7",
    "w8",
    "o1",
    "a_o1",
    "o2",
    "a_o2",
    "E1",
    "E2",
    "E_total",
    "∂E/∂w1",
    "∂E/∂w2",
    "∂E/∂w3",
    "∂E/∂w4",
    "∂E/∂w5",
    "∂E/∂w6",
    "∂E/∂w7",
    "∂E/∂w8",
]


@dataclass(frozen=True)
class Layout:
    """Where a table stands on its tab, how its columns are called, and where its rate is."""

    left: int = 1
    header: int = 32
    rows: int = 12
    order: Sequence[str] = tuple(ORDER)
    label: Callable[[str], str] = str
    step: str = ""
    rate_label: tuple[int, int] | None = (2, 3)
    rate_at: tuple[int, int] = (2, 4)
    rate_text: str | None = None
    block: tuple[int, int] | None = None
    pasted: int = 0
    tab: str = "Sheet1"
    texts: Mapping[tuple[int, int], str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Handmade:
    """Formulas, first numbers, a rate and a layout; `cells` are typed over, by symbol and row, at the end.

    Values are stored as those of `stored`, if it is given.
    """

    formulas: Formulas = field(default_factory=lambda: {**CONSTANT, **UPDATES, **FORWARD, **GRADIENTS})
    starts: Mapping[str, float] = field(default_factory=lambda: dict(STARTS))
    rate: float = 1.0
    layout: Layout = Layout()
    extra: Formulas = field(default_factory=dict)
    cells: Mapping[tuple[str, int], str | float | bool] = field(default_factory=dict)
    stored: Handmade | None = None

    def changed(self, **formulas: str) -> Handmade:
        """With other formulas; keys as in g1 for ∂E/∂w1."""
        found = {re.sub(r"^g(\d+)$", r"∂E/∂w\1", name): text for name, text in formulas.items()}
        return replace(self, formulas={**self.formulas, **found})

    def column(self, symbol: str) -> int:
        """The column of a symbol."""
        names = [*([self.layout.step] if self.layout.step else []), *self.layout.order, *self.extra]
        return self.layout.left + names.index(symbol)

    def place(self, symbol: str, row: int = 0) -> str:
        """A cell's address, by symbol and step."""
        return f"{column_letters(self.column(symbol))}{self.layout.header + 1 + row}"

    def formula(self, text: str, row: int) -> str:
        """A formula of symbols as one of cells."""

        def cell(found: re.Match[str]) -> str:
            name = found[1]
            if name == "rate":
                at = self.layout.rate_at
                return self.layout.rate_text or f"${column_letters(at[1])}${at[0]}"
            back = len(name) - len(name.rstrip("<"))
            return self.place(name.rstrip("<"), row - back)

        return re.sub(r"\{([^{}]*)\}", cell, text)


def values_of(tab: str, cells: Mapping[tuple[int, int], str | float | bool]) -> Mapping[tuple[int, int], object]:
    """Every cell's value, the formulas' computed."""
    sheet = Sheet()
    for place, content in cells.items():
        if isinstance(content, str) and content.startswith("="):
            sheet.values[place] = None
            sheet.formulas[place] = Copy(content[1:])
        else:
            sheet.values[place] = content
    Workbook({tab: sheet}, {}).compute()
    return sheet.values


def cells_of(made: Handmade) -> dict[tuple[int, int], str | float | bool]:
    """What is typed into each cell of the tab."""
    layout = made.layout
    cells: dict[tuple[int, int], str | float | bool] = dict(layout.texts)
    names = [*layout.order, *made.extra]
    if layout.step:
        cells[layout.header, layout.left] = layout.step
    for name in names:
        cells[layout.header, made.column(name)] = layout.label(name) if name in layout.order else name
    if layout.rate_text is None:
        cells[layout.rate_at] = made.rate
    if layout.rate_label:
        cells[layout.rate_label] = "η ="
    for row in range(layout.rows):
        if layout.step:
            cells[layout.header + 1 + row, layout.left] = float(row)
        for name in names:
            place = layout.header + 1 + row, made.column(name)
            text = made.extra.get(name) or made.formulas.get(name, "")
            if row == 0 and name in made.starts:
                cells[place] = made.starts[name]
                if layout.block:
                    at = layout.block[0] + list(made.starts).index(name), layout.block[1]
                    cells[at] = made.starts[name]
                    cells[place] = f"={column_letters(at[1])}{at[0]}"
            else:
                cells[place] = f"={made.formula(text, row)}"
    for (name, row), content in made.cells.items():
        if isinstance(content, str) and content.startswith("="):
            content = made.formula(content, row)
        cells[layout.header + 1 + row, made.column(name)] = content
    return cells


def write(path: Path, *made: Handmade) -> Path:
    """A workbook with a tab for each, values stored beside formulas as a spreadsheet program does."""
    with xlsxwriter.Workbook(path) as book:
        for one in made:
            sheet, cells = book.add_worksheet(one.layout.tab), cells_of(one)
            values = values_of(one.layout.tab, cells_of(one.stored) if one.stored else cells)
            for (row, column), content in cells.items():
                place = row - 1, column - 1
                if isinstance(content, str) and content.startswith("="):
                    value = values.get((row, column), 0)
                    if one.layout.pasted and row > one.layout.header and isinstance(value, float):
                        sheet.write_number(*place, float(f"{value:.{one.layout.pasted}g}"))
                    else:
                        sheet.write_formula(
                            *place, content, None, value if not isinstance(value, ExcelError) else str(value)
                        )
                elif isinstance(content, bool):
                    sheet.write_boolean(*place, content)
                elif isinstance(content, str):
                    sheet.write_string(*place, content)
                else:
                    sheet.write_number(*place, content)
    return path
