"""The Inputs tab: the only typed numbers of the workbook, each with a defined name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import groupby

from openpyxl.utils import get_column_letter

from sheetgen.maths.network import Parameter
from sheetgen.spec import dump, parse
from sheetgen.spec.catalog import LOSSES, OPTIMIZERS, POSITIVE, SCHEDULES, Range
from sheetgen.spec.order import order
from sheetgen.tabs.layout import setting_name
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.words import OPTIONS, parameter_path
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_TEXT
from sheetgen.xlsx.page import heading
from sheetgen.xlsx.style import furnish

TAB = "Inputs"
TOP = 5
ANY = Range()
# first columns of the three blocks: training, weights, data
TRAINING, WEIGHTS, DATA = 1, 5, 9
# of the spec as its author wrote it: at most so many lines, and so many characters a cell (Excel counts some twice)
SHOWN, PIECE = 10_000, MAX_TEXT // 2


@dataclass(frozen=True)
class Entry:
    """A named input: its name, number, what it means, and the numbers allowed."""

    name: str
    value: float
    meaning: str
    allowed: Range


# A page is as wide as the tab; the order of more passes is not printed.
PRINTED_PASSES = 30

H_STEP = Entry("h_step", 1e-5, "step h, on tab Gradient check", POSITIVE)


def fill(tab: Tab, plan: Plan, exercise: str = "") -> None:
    """The tab and the defined names of its cells.

    An exercise has not every tab, and says in the text `exercise` what it is; that stands beside the spec.
    """
    spec = plan.spec
    columns = DATA + len(spec.inputs[0]) + len(spec.targets[0])
    passes = len(order(spec)[0]) + 1 if spec.shuffle is not None else 0
    furnish(
        tab.ws,
        title="Inputs",
        subtitle="Yellow cells are yours to change; every tab of the exercise follows at once.",
        widths=[_name_width(plan), 13, 27, 3, 15, 13, 16, 3] + [11] * (columns - DATA + 1) + [5] * passes,
        freeze=f"A{TOP}",
        tab_color="inputs",
    )
    bottom = _list(tab, TRAINING, "Training", list(_training_entries(plan, bool(exercise))))
    bottom = max(bottom, _list(tab, WEIGHTS, "Initial weights", [_weight(plan, p) for p in plan.network.parameters]))
    bottom = max(bottom, _data(tab, plan))
    if spec.shuffle is not None:
        _order(tab, plan, columns + 2)
    _spec_text(tab, plan, bottom + 2)
    if passes > PRINTED_PASSES:
        tab.ws.print_area = f"A1:{get_column_letter(columns)}{tab.ws.max_row}"
    if exercise:
        tab.merge(bottom + 3, 1, 7, exercise, "muted")
        tab.define("exercise", f"$A${bottom + 3}")


def _name_width(plan: Plan) -> int:
    """Of the first column: some options of schedules have long names."""
    schedule = plan.spec.schedule
    return max(15, *(len(option) + 1 for option, _ in schedule.options)) if schedule else 15


def _training_entries(plan: Plan, exercise: bool) -> Iterator[Entry]:
    spec = plan.spec
    for number, rate in enumerate(spec.learning_rates, 1):
        tab = f"learning rate of tab {spec.runs[number - 1].label}" if len(spec.optimizers) == 1 else "learning rate"
        yield Entry(f"rate_{number}", rate, tab, POSITIVE)
    seen = {"learning_rate"}
    if spec.schedule:
        for option, value in spec.schedule.options:
            seen.add(option)
            _, allowed = SCHEDULES[spec.schedule.name][option]
            yield Entry(option, value, f"schedule: {OPTIONS[option]}", allowed)
    for training in plan.trainings:
        options = OPTIMIZERS[training.run.optimizer.name]
        for option in training.table.equations.settings.values():
            name = setting_name(spec, training.run, option)
            if option not in seen and name not in seen:
                seen.add(name)
                value = training.run.optimizer.option(option)
                yield Entry(name, value, f"{training.run.optimizer.label}: {OPTIONS[option]}", options[option].allowed)
    if not exercise:
        yield Entry("threshold", spec.threshold, "loss to reach, on tab Compare", POSITIVE)
        yield H_STEP


def _weight(plan: Plan, parameter: Parameter) -> Entry:
    meaning = parameter_path(plan.spec, parameter) + ("" if parameter.trained else ", not trained")
    return Entry(parameter.given.name, parameter.value, meaning, ANY)


def _list(tab: Tab, column: int, title: str, entries: list[Entry]) -> int:
    """Name, value and meaning of each entry, one a row; returns the last row."""
    heading(tab, TOP, 3, title, column)
    tab.header(TOP + 1, column, ("name", "value", "meaning"))
    for row, entry in enumerate(entries, TOP + 2):
        tab.put_row(
            row, column, (entry.name, "symbol", None), (entry.value, "input", None), (entry.meaning, "label", None)
        )
        tab.define(entry.name, f"${get_column_letter(column + 1)}${row}")
    for allowed, group in groupby(enumerate(entries, TOP + 2), key=lambda numbered: numbered[1].allowed):
        rows = [row for row, _ in group]
        letter = get_column_letter(column + 1)
        _validate(tab, f"{letter}{rows[0]}:{letter}{rows[-1]}", allowed)
    return TOP + 1 + len(entries)


def _data(tab: Tab, plan: Plan) -> int:
    spec = plan.spec
    sizes = (("i", len(spec.inputs[0])), ("t", len(spec.targets[0])))
    names = [f"{letter}_{number}" for letter, size in sizes for number in range(1, size + 1)]
    heading(tab, TOP, len(names) + 1, "Data: inputs i and targets t", DATA)
    last = TOP + 1 + len(spec.inputs)
    tab.header(TOP + 1, DATA, ("sample", *names))
    for column, name in enumerate(names, DATA + 1):
        letter = get_column_letter(column)
        cells = f"${letter}${TOP + 2}" + (f":${letter}${last}" if len(spec.inputs) > 1 else "")
        tab.define(name, cells)
    for row, (inputs, targets) in enumerate(zip(spec.inputs, spec.targets, strict=True), TOP + 2):
        tab.put(row, DATA, row - TOP - 1, "label")
        for column, value in enumerate((*inputs, *targets), DATA + 1):
            tab.put(row, column, value, "input")
    first, final = get_column_letter(DATA + 1), get_column_letter(DATA + len(names))
    split = get_column_letter(DATA + len(spec.inputs[0]))
    after = get_column_letter(DATA + len(spec.inputs[0]) + 1)
    _validate(tab, f"{first}{TOP + 2}:{split}{last}", ANY)
    _validate(tab, f"{after}{TOP + 2}:{final}{last}", LOSSES[spec.loss].targets)
    return last


def _order(tab: Tab, plan: Plan, column: int) -> None:
    """Which sample has which place in each pass, drawn by the spec's seed; not typed, so not yellow."""
    rows = order(plan.spec)
    passes = len(rows[0])
    tab.put(
        TOP, column, f"Order: the sample in each place of pass 1 to {passes}, by seed {plan.spec.shuffle}", "heading"
    )
    tab.header(TOP + 1, column, [str(number) for number in range(1, passes + 1)])
    for row, numbers in enumerate(rows, TOP + 2):
        tab.put_row(row, column, *((number, "label", None) for number in numbers))
    first, last = get_column_letter(column), get_column_letter(column + passes - 1)
    tab.define("order", f"${first}${TOP + 2}:${last}${TOP + 1 + len(rows)}")


def _spec_text(tab: Tab, plan: Plan, row: int) -> None:
    """The spec as text, a line a row: the workbook can be checked and written again from itself alone.

    Beside it stands what its author wrote, comments included, for people.
    """
    spec = plan.spec
    heading(tab, row, 7, "Spec, every number resolved: this text is what sheetgen check reads")
    lines = dump(spec).removesuffix("\n").split("\n")
    for at, text in enumerate(lines, row + 2):
        tab.put(at, 1, text, "muted")
    tab.define("spec", f"$A${row + 2}:$A${row + 1 + len(lines)}")
    if not spec.source:
        return
    heading(tab, row, 7, "Spec, as its author wrote it", DATA)
    written = parse(spec.source, TAB)
    names = [one.name for one in fields(spec) if one.compare and getattr(spec, one.name) != getattr(written, one.name)]
    if names:
        tab.put(row + 1, DATA, f"Built with other {', '.join(names)}: see the text on the left.", "muted")
    for at, text in enumerate(_shown(spec.source), row + 2):
        tab.put(at, DATA, text, "muted")


def _shown(source: str) -> Iterator[str]:
    """The lines of a text, those that no cell can hold in pieces, and of a very long text the beginning."""
    lines = [line.removesuffix("\r") for line in source.removesuffix("\n").split("\n")]
    for line in lines[:SHOWN]:
        yield from (line[at : at + PIECE] for at in range(0, len(line) or 1, PIECE))
    if len(lines) > SHOWN:
        yield f"… and {len(lines) - SHOWN} more lines"


def _validate(tab: Tab, cells: str, allowed: Range) -> None:
    """Refuse what is typed unless it is a number within the range; `cells` is a range like B7:B12."""
    first = cells.split(":")[0]
    low = f",{first}{'>' if allowed.open_low else '>='}{allowed.low:g}" if math.isfinite(allowed.low) else ""
    high = f",{first}{'<' if allowed.open_high else '<='}{allowed.high:g}" if math.isfinite(allowed.high) else ""
    whole = f",{first}=INT({first})" if allowed.whole else ""
    tab.allow(cells, f"Type a number: {allowed}.", type="custom", formula1=f"AND(ISNUMBER({first}){low}{high}{whole})")
