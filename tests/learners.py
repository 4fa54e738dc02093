"""Learners: an exercise opened in IronCalc, formulas typed into it, its marks read, and the file handed in."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ironcalc
import openpyxl
from handmade import Handmade, Layout

from sheetgen.formulas import parse
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import Node, Operation, rebuilt
from sheetgen.lessons.exercise import Exercise
from sheetgen.tabs.layout import HEADER_ROW, TABLE_TOP, Table, plan_table
from sheetgen.tabs.run import MARK_ROW
from sheetgen.xlsx.copies import moved_text

Contents = Mapping[tuple[str, int], str | float | bool]
"""What is typed, by column and step."""

# The 2-2-2 exercise's own layout, for the formulas of tests.handmade.
SHEET = Layout(header=HEADER_ROW, step="step", rate_at=(4, 2), rows=68)

_FORMS: tuple[Callable[[str], str], ...] = (
    lambda one: one,
    lambda one: f"({one})",
    lambda one: f"0+({one})",
    lambda one: f"({one})*1",
    lambda one: f"({one})/1",
    lambda one: f"-(-({one}))",
    lambda one: f"SUM({one})",
    lambda one: f"PRODUCT(1,{one})",
    lambda one: f"IF(TRUE,{one},0)",
    lambda one: f"POWER({one},1)",
    lambda one: f"MAX({one})",
    lambda one: f"({one})^1",
    lambda one: f"({one})-0",
    lambda one: f"2*({one})/2",
    lambda one: f"SUMPRODUCT({one},1)",
    lambda one: f"AVERAGE({one},{one})",
    lambda one: f"MIN({one},{one})",
    lambda one: f"({one})+(1-1)",
    lambda one: f"1*({one})",
    lambda one: f"({one})*2^0",
)


def form(text: str, number: int) -> str:
    """A formula (without "=") in other words: factors and terms in another order, and something around it."""
    draw = random.Random(number)
    return _FORMS[number % len(_FORMS)](show(_shuffled(parse(text), draw)))


def _shuffled(node: Node, draw: random.Random) -> Node:
    if isinstance(node, Operation) and {*node.operators} in ({"*"}, {"+"}):
        operands = [_shuffled(one, draw) for one in node.operands]
        draw.shuffle(operands)
        return Operation(node.operators, tuple(operands))
    return rebuilt(node, lambda one: _shuffled(one, draw))


def table_of(exercise: Exercise) -> Table:
    """Where the exercise's training table stands."""
    return plan_table(exercise.spec, exercise.spec.runs[0])


def answers(exercise: Exercise, write: Callable[[str, int], str] = lambda text, step: text) -> dict[Any, str]:
    """The right formula of every cell that counts, rewritten by `write`, which gets its text and its step."""
    table, counted = table_of(exercise), {column.symbol: column.kind for column in exercise.counted}
    found = {}
    for column, start, fill in table.formulas():
        if column.symbol not in counted:
            continue
        first = column.kind in ("parameter", "state")
        for step in range(first, table.rows):
            text = start if step == 0 else moved_text(fill, step - 1, 0)
            found[column.symbol.name, step] = f"={write(text, step)}"
    return found


def of_handmade(made: Handmade, names: Iterator[str] | list[str]) -> dict[Any, str | float | bool]:
    """The formulas of a hand-made table in the cells of the default exercise; the first row's weights are given."""
    found: dict[Any, str | float | bool] = {}
    for name in names:
        text = made.formulas[name]
        for step in range(name in made.starts, SHEET.rows):
            found[name, step] = f"={Handmade(layout=SHEET).formula(text, step)}"
    for (name, step), content in made.cells.items():
        found[name, step] = content
    return found


class Desk:
    """An exercise in IronCalc."""

    def __init__(self, path: Path, exercise: Exercise) -> None:
        self.model: Any = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
        self.table = table_of(exercise)
        self.exercise = exercise
        self.sheets = {one["name"]: at for at, one in enumerate(self.model.get_worksheets_properties())}
        self.sheet = self.sheets[self.table.tab]
        self.columns = {symbol.name: place + 1 for symbol, place in self.table.places.items()}

    def write(self, contents: Contents) -> Desk:
        """Type into cells, and compute; itself."""
        for (name, step), content in contents.items():
            place = self.sheet, TABLE_TOP + step, self.columns[name]
            if isinstance(content, bool):
                self.model.update_cell_with_bool(*place, content)
            elif isinstance(content, (int, float)):
                self.model.update_cell_with_number(*place, float(content))
            else:
                self.model.set_user_input(*place, content)
        self.model.evaluate()
        return self

    def type_inputs(self, draw: random.Random) -> Desk:
        """Other numbers on Inputs: every weight and every input a little off."""
        for name in self.model.get_defined_name_list():
            tab, _, cells = name["formula"].partition("!")
            if name["name"][0] not in "iw" or name["name"][1] != "_":
                continue
            first, _, last = cells.replace("$", "").partition(":")
            column = ironcalc.column_number_from_name(first.rstrip("0123456789"))
            rows = [int(one.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for one in (first, last or first)]
            for row in range(rows[0], rows[1] + 1):
                sheet = self.sheets[tab]
                value = self.model.get_cell_value(sheet, row, column) * draw.uniform(0.8, 1.2) + 0.01
                self.model.update_cell_with_number(sheet, row, column, value)
        self.model.evaluate()
        return self

    def marks(self) -> dict[str, str]:
        """What stands above each column that counts."""
        names = [column.symbol.name for column in self.exercise.counted]
        return {name: self.model.get_cell_value(self.sheet, MARK_ROW, self.columns[name]) for name in names}

    def on_start(self, label: str) -> list[Any]:
        """What stands on Start in the row of a label."""
        sheet = self.sheets["Start"]
        row = next(row for row in range(1, 99) if self.model.get_cell_value(sheet, row, 1) == label)
        return [self.model.get_cell_value(sheet, row, column) for column in range(2, 7)]

    def hand_in(self, path: Path) -> Path:
        """Saved by IronCalc."""
        path.unlink(missing_ok=True)
        self.model.save_to_xlsx(str(path))
        return path


def fill_with_openpyxl(path: Path, out: Path, exercise: Exercise, contents: Contents) -> Path:
    """The exercise with cells filled and saved without any values."""
    book = opened(path)
    table = table_of(exercise)
    columns = {symbol.name: place + 1 for symbol, place in table.places.items()}
    for (name, step), content in contents.items():
        book[table.tab].cell(TABLE_TOP + step, columns[name]).value = content
    book.save(out)
    return out


def opened(path: Path, *, values: bool = False) -> Any:
    """A workbook in openpyxl, which warns of what it does not keep."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(path, data_only=values)
