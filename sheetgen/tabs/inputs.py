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
from sheetgen.spec.structure import Spec
from sheetgen.tabs.layout import setting_name
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.words import OPTIONS, parameter_path
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import MAX_TEXT, Formula
from sheetgen.xlsx.page import heading, note
from sheetgen.xlsx.style import furnish

TAB = "Inputs"
TOP = 5
ANY = Range()
# first columns of the three blocks: training, weights, data
TRAINING, WEIGHTS, DATA = 1, 5, 9
# Over so many columns the lines of a spec are printed.
TEXT_COLUMNS = 12
# Of the resolved spec, over the columns left of the data, a line has so many characters if it can.
SPEC_WIDTH = 100
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
# A column of its own for each, and together as wide as what stands above and below them.
PASS_WIDTH, ORDER_WIDTH = 7.0, 14.0

H_STEP = Entry("h_step", 1e-5, "step h, on tab Gradient check", POSITIVE)


def fill(tab: Tab, plan: Plan, exercise: str = "") -> None:
    """The tab and the defined names of its cells.

    An exercise has not every tab, and says in the text `exercise` what it is; that stands beside the spec.
    """
    spec = plan.spec
    typed = len(spec.inputs[0]) + len(spec.targets[0])
    scaled = [3, *[13] * len(spec.inputs[0])] if spec.scale else []
    columns = DATA + typed + len(scaled)
    passes = len(order(spec)[0]) if spec.shuffle is not None else 0
    ordered = [3, *[max(PASS_WIDTH, ORDER_WIDTH / passes)] * passes] if passes else []
    furnish(
        tab.ws,
        title="Inputs",
        subtitle="Yellow cells are yours to change; every tab of the exercise follows at once.",
        widths=[_name_width(plan), 13, 27, 3, 15, 13, 16, 3] + [11] * (typed + 1) + scaled + ordered,
        freeze=f"A{TOP}",
        tab_color="inputs",
    )
    bottom = _list(tab, TRAINING, "Training", list(_training_entries(plan, bool(exercise))))
    bottom = max(bottom, _list(tab, WEIGHTS, "Initial weights", [_weight(plan, p) for p in plan.network.parameters]))
    bottom = max(bottom, _data(tab, plan))
    right = get_column_letter(max(columns, DATA + TEXT_COLUMNS - 1))
    printed = columns
    if spec.shuffle is not None:
        _order(tab, plan, columns + 2)
        printed = columns if passes > PRINTED_PASSES else columns + 1 + passes
    bottom = max(bottom, tab.ws.max_row) if printed > columns else bottom
    written = _spec_text(tab, plan, bottom + 2)
    # The resolved spec, a number a line, is for programs, and is not printed.
    text = f",{get_column_letter(DATA)}{bottom + 2}:{right}{written}" if written else ""
    tab.ws.print_area = f"A1:{get_column_letter(printed)}{bottom}{text}"
    if exercise:
        note(tab, bottom + 3, (1, 7), exercise, width=SPEC_WIDTH)
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
        validate(tab, f"{letter}{rows[0]}:{letter}{rows[-1]}", allowed)
    return TOP + 1 + len(entries)


def _data(tab: Tab, plan: Plan) -> int:
    """The samples, and what is made of their inputs if they are scaled; the last row."""
    spec = plan.spec
    typed = "x" if spec.scale else "i"
    sizes = ((typed, len(spec.inputs[0])), ("t", len(spec.targets[0])))
    names = [f"{letter}_{number}" for letter, size in sizes for number in range(1, size + 1)]
    heading(tab, TOP, len(names) + 1, f"Data: inputs {typed} and targets t", DATA)
    last = TOP + 1 + len(spec.inputs)
    shown = [f"{name}\n{meaning}" for name, meaning in zip(names, spec.names, strict=True)] if spec.names else names
    tab.header(TOP + 1, DATA, ("sample", *shown), 32 if spec.names else None)
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
    validate(tab, f"{first}{TOP + 2}:{split}{last}", ANY)
    validate(tab, f"{after}{TOP + 2}:{final}{last}", allowed_targets(spec))
    if not spec.scale:
        return last
    _scaled(tab, plan, DATA + len(names) + 2)
    return last + 2


# scale -> the two numbers below a column of inputs: their names, and their formulas of its cells and the first of them
_SPREAD = {
    "standard": (("mean", "AVERAGE({0})"), ("deviation", "SQRT(SUMPRODUCT(({0}-{1})*({0}-{1}))/{2})")),
    "minmax": (("minimum", "MIN({0})"), ("maximum", "MAX({0})")),
}
SCALED = {"standard": "({x}-{0})/{1}", "minmax": "({x}-{0})/({1}-{0})"}
"""What a scaled input is, of itself and the two numbers."""


def allowed_targets(spec: Spec) -> Range:
    """The targets that the loss takes."""
    return LOSSES[spec.loss].targets


def spread_cells(spec: Spec, number: int) -> tuple[str, str]:
    """The cells, without their tab, of the two numbers that the zero-based input is scaled by."""
    letter, last = get_column_letter(DATA + 1 + number), TOP + 1 + len(spec.inputs)
    return f"${letter}${last + 1}", f"${letter}${last + 2}"


def _scaled(tab: Tab, plan: Plan, column: int) -> None:
    """The inputs as the network takes them, from this column on; below the typed ones, what they are scaled by."""
    spec = plan.spec
    count, last = len(spec.inputs), TOP + 1 + len(spec.inputs)
    heading(tab, TOP, len(spec.inputs[0]), f"Inputs i of the network: scaled, {spec.scale}", column)
    tab.header(TOP + 1, column, [f"i_{number}" for number in range(1, len(spec.inputs[0]) + 1)])
    for row, (label, _) in enumerate(_SPREAD[spec.scale], last + 1):
        tab.put(row, DATA, label, "label")
    for number in range(len(spec.inputs[0])):
        place, typed = column + number, get_column_letter(DATA + 1 + number)
        letter, cells = get_column_letter(place), f"{typed}{TOP + 2}:{typed}{last}"
        low, high = spread_cells(spec, number)
        for row, (_, formula) in enumerate(_SPREAD[spec.scale], last + 1):
            tab.put(row, DATA + 1 + number, Formula("=" + formula.format(cells, low, count)), "result", formats.RATE)
        for row in range(TOP + 2, last + 1):
            text = SCALED[spec.scale].format(low, high, x=f"{typed}{row}")
            tab.put(row, place, Formula(f"={text}"), "formula", formats.VALUE)
        tab.define(f"i_{number + 1}", f"${letter}${TOP + 2}:${letter}${last}")


def _order(tab: Tab, plan: Plan, column: int) -> None:
    """Which sample has which place in each pass, drawn by the spec's seed; not typed, so not yellow."""
    rows = order(plan.spec)
    passes = len(rows[0])
    heading(tab, TOP, passes, "Order", column)
    tab.header(TOP + 1, column, [f"pass {number}" for number in range(1, passes + 1)])
    for row, numbers in enumerate(rows, TOP + 2):
        tab.put_row(row, column, *((number, "label", None) for number in numbers))
    tab.put(TOP + 2 + len(rows), column, f"by seed {plan.spec.shuffle}", "muted")
    first, last = get_column_letter(column), get_column_letter(column + passes - 1)
    tab.define("order", f"${first}${TOP + 2}:${last}${TOP + 1 + len(rows)}")


def _spec_text(tab: Tab, plan: Plan, row: int) -> int:
    """The spec as text, a line a row: the workbook can be checked and written again from itself alone.

    Beside it stands what its author wrote, comments included, for people; the last row of that, 0 without it.
    """
    spec = plan.spec
    heading(tab, row, 7, "Spec, every number resolved: this text is what sheetgen check reads")
    lines = dump(spec, SPEC_WIDTH).removesuffix("\n").split("\n")
    for at, text in enumerate(lines, row + 2):
        tab.put(at, 1, text, "muted")
    tab.define("spec", f"$A${row + 2}:$A${row + 1 + len(lines)}")
    if not spec.source:
        return 0
    heading(tab, row, 7, "Spec, as its author wrote it", DATA)
    written = parse(spec.source, TAB, spec.folder)
    names = [one.name for one in fields(spec) if one.compare and getattr(spec, one.name) != getattr(written, one.name)]
    if names:
        tab.put(row + 1, DATA, f"Built with other {', '.join(names)}: see the text on the left.", "muted")
    shown = list(_shown(spec.source))
    for at, text in enumerate(shown, row + 2):
        tab.put(at, DATA, text, "muted")
    return row + 1 + len(shown)


def _shown(source: str) -> Iterator[str]:
    """The lines of a text, those that no cell can hold in pieces, and of a very long text the beginning."""
    lines = [line.removesuffix("\r") for line in source.removesuffix("\n").split("\n")]
    for line in lines[:SHOWN]:
        yield from (line[at : at + PIECE] for at in range(0, len(line) or 1, PIECE))
    if len(lines) > SHOWN:
        yield f"… and {len(lines) - SHOWN} more lines"


def validate(tab: Tab, cells: str, allowed: Range) -> None:
    """Refuse what is typed unless it is a number within the range; `cells` is a range like B7:B12."""
    first = cells.split(":")[0]
    low = f",{first}{'>' if allowed.open_low else '>='}{allowed.low:g}" if math.isfinite(allowed.low) else ""
    high = f",{first}{'<' if allowed.open_high else '<='}{allowed.high:g}" if math.isfinite(allowed.high) else ""
    whole = f",{first}=INT({first})" if allowed.whole else ""
    tab.allow(cells, f"Type a number: {allowed}.", type="custom", formula1=f"AND(ISNUMBER({first}){low}{high}{whole})")
