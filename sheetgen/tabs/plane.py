"""The Map tab: what the network answers over the plane of its two inputs, or over the line of its one."""

from __future__ import annotations

from collections.abc import Iterator

from sheetgen.maths.rules import STEP
from sheetgen.tabs import plane_passes
from sheetgen.tabs.panel import Cell, edges, line
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.plane_passes import CHOSEN, CLASS, CODE, HIGH, LOW, MAX_CELLS, Passes
from sheetgen.tabs.state import State
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Book, Tab
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.charts import HUES, Series, place, scatter
from sheetgen.xlsx.heat import format_where, grid_size, mark_where, outline_where, scale
from sheetgen.xlsx.page import note
from sheetgen.xlsx.style import furnish

__all__ = ["TITLE", "fill", "left_out"]

TITLE = "Map"
PANEL = (20.0, 13.0, 13.0, 2.0, 9.0)
CELL_WIDTH, CELL_HEIGHT = 1.5, 8.5
GRID_TOP, GRID_LEFT = 4, 6
TABLE_WIDTH = 10.0
ZOOM = 85
CURVE_ROWS, CURVE_COLUMNS = 24, 9
# Lines of the panel, each as high as two rows of the grid.
OUTPUT, DECISION, HEAD, FROM, TO, RUN, LEGEND = range(7)
# Where the decision between two answers is, by the last layer's activation.
HALF = ("sigmoid", "softmax")
ABOVE, BELOW = "●", "○"
# Classes whose samples are marked: a cell has room for one digit.
MARKED = 9


def left_out(plan: Plan) -> str:
    """Why the workbook has no such tab; "" if it has one."""
    if not plan.spec.pictures:
        return f"Tab {TITLE} is left out: the spec says pictures = false."
    if not plan.spec.plain:
        return f"Tab {TITLE} is left out: it draws linear layers whose data is used as it is, all of it or in turns."
    inputs = len(plan.spec.inputs[0])
    if inputs > 2:
        return f"Tab {TITLE} is left out: it is for networks with one or two inputs, and this one has {inputs}."
    # The tab is not needed to count.
    if Passes(plan, State({}), Book().add(TITLE)).cells > MAX_CELLS:
        return f"Tab {TITLE} is left out: its forward passes would take more than {MAX_CELLS:,} cells."
    return ""


def fill(tab: Tab, behind: Tab, plan: Plan, chosen: State) -> None:
    """The tab, and the hidden one with its passes."""
    passes = Passes(plan, chosen, behind)
    around = [*PANEL, *[CELL_WIDTH] * passes.side, 2.0] if passes.plane else [*PANEL[:4], *[9.0] * CURVE_COLUMNS, 2.0]
    furnish(
        tab.ws,
        title=TITLE,
        subtitle="What the network answers, whatever its input is, with the weights of the rate and step chosen on tab "
        "Network.",
        widths=[*around, *[TABLE_WIDTH] * (3 + len(passes.one.inputs))],
        tab_color="explain",
        fit_height=True,
        zoom=ZOOM if passes.plane else 100,
    )
    height = 2 if passes.plane else 1
    choice, decision, typed = _panel(tab, passes, height)
    plane_passes.fill(passes, choice, decision, typed)
    if passes.plane:
        _grid(tab, passes, decision)
    else:
        _curve(tab, passes)
    _samples(tab, passes, height)
    last = len(around) + 3 + len(passes.one.inputs)
    row = GRID_TOP + (passes.side + 2 if passes.plane else CURVE_ROWS + 1)
    for text in _texts(passes):
        note(tab, row, (1, last), text, width=150)
        row += 1


def _row(number: int, height: int) -> int:
    return GRID_TOP + number * height


def _panel(tab: Tab, passes: Passes, height: int) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """What can be chosen, and where: what is shown, the decision, and the ends of the range of each direction."""
    plan, one = passes.plan, passes.one
    shown = passes.shown[-1] if passes.classes else passes.shown[0]
    names: tuple[Cell, ...] = tuple((symbol.name.removesuffix("[1]"), "header", None) for symbol in one.inputs)
    open_cells: tuple[Cell, ...] = ((None, "input", formats.RATE),) * len(one.inputs)
    several = len(plan.spec.optimizers) > 1
    run = Formula("=chosen_run" if several else "=chosen_rate")
    step = Formula(f"={passes.chosen.cells[STEP]}")
    at = 0.5 if plan.spec.layers[-1].activation in HALF else 0.0
    lines: tuple[tuple[int, str, tuple[Cell, ...]], ...] = (
        (OUTPUT, "shown", ((one.label(shown), "choice", None),)),
        (DECISION, "decision at", ((at, "input", formats.RATE),)),
        (HEAD, "", names),
        (FROM, "from (or empty)", open_cells),
        (TO, "to (or empty)", open_cells),
        (RUN, "optimizer, step" if several else "learning rate, step",
         ((run, "formula", formats.RATE), (step, "formula", formats.WHOLE))),
    )  # fmt: skip
    for number, label, contents in lines:
        line(tab, _row(number, height), _row(number + 1, height) - 1, label, contents)
    cells = {number: f"B{_row(number, height)}" for number in (OUTPUT, DECISION)}
    tab.offer(cells[OUTPUT], "map_outputs")
    row = _row(LEGEND, height)
    tab.merge(row, 1, 3, _legend(passes), "note", bottom=row + 4 * height - 1)
    typed = tuple(
        (f"{TITLE}!${letter}${_row(FROM, height)}", f"{TITLE}!${letter}${_row(TO, height)}")
        for letter in "BC"[: len(one.inputs)]
    )
    choice, decision = (f"{TITLE}!$B${_row(number, height)}" for number in (OUTPUT, DECISION))
    return choice, decision, typed


def _legend(passes: Passes) -> str:
    if not passes.plane:
        return "The line is what the network answers, the dots are the samples' targets."
    if passes.classes:
        marked = "Each sample" if len(passes.one.outputs) <= MARKED else f"Each sample of classes 1 to {MARKED}"
        return f"{marked} is marked with its class. Bright is a large number; lines part the answers."
    return (
        f"{ABOVE} sample with a target at or above the decision, {BELOW} below it. Bright is a large answer; the line "
        "is where the answer passes the decision."
    )


def _grid(tab: Tab, passes: Passes, decision: str) -> None:
    """The answers, the first input growing to the right and the second one upwards."""
    side, tab_of = passes.side, passes.tab.ws.title
    cells = grid_size(tab.ws, GRID_TOP, GRID_LEFT, side, side, (CELL_WIDTH, CELL_HEIGHT))
    left, bottom = column_letters(GRID_LEFT), GRID_TOP + side - 1
    chosen = f"'{tab_of}'!${passes.beside(CHOSEN + 2)}${plane_passes.TOP}"
    for row in range(side):
        here = f"COLUMNS(${left}{GRID_TOP + row}:{left}{GRID_TOP + row})"
        parts = ",".join(f"INDEX({passes.grid_row(symbol, side - 1 - row)},{here})" for symbol in passes.shown)
        tab.fill_right(GRID_TOP + row, GRID_LEFT, side, Formula(f'=IFERROR(CHOOSE({chosen},{parts}),"")'), "spot")
    first = f"{left}{GRID_TOP}"
    number = f"100*ROWS({first}:{left}${bottom})+COLUMNS(${first}:{first})"
    dark = f"{first}<map_mean"
    marks = (
        {number + 1: str(number + 1) for number in range(len(passes.one.outputs))}
        if passes.classes
        else {1: ABOVE, 2: BELOW}
    )
    for code, mark in list(marks.items())[:MARKED]:
        mark_where(tab.ws, cells, mark, f"COUNTIF(map_marks,{CODE * code}+{number})>0", dark)
    _outline(tab, passes, cells, decision)
    scale(tab.ws, cells, (("min", None), ("percentile", 50), ("max", None)))
    means = f"{left}{GRID_TOP}:{column_letters(GRID_LEFT + side - 1)}{bottom}"
    passes.tab.put(plane_passes.TOP + 1, len(passes.columns) + 2 + CHOSEN + 2,
                   Formula(f"=IFERROR(AVERAGE({TITLE}!{means}),0)"), "formula", formats.VALUE)  # fmt: skip
    passes.tab.define("map_mean", f"${passes.beside(CHOSEN + 2)}${plane_passes.TOP + 1}")
    ends = [f"'{tab_of}'!{passes.end(direction, which)}" for direction in (0, 1) for which in (LOW, HIGH)]
    x_name, y_name = (f"{letter}{_row(HEAD, 2)}" for letter in "BC")
    edges(tab, GRID_TOP, GRID_LEFT, side, (x_name, y_name), (ends[0], ends[1], ends[2], ends[3]))


def _outline(tab: Tab, passes: Passes, cells: str, decision: str) -> None:
    """The line between cells whose answers lie on two sides of the decision, or in two classes."""
    side = passes.side
    own = decision.split("!")[1]
    shown = f"$B${_row(OUTPUT, 2)}"
    first, last = column_letters(GRID_LEFT), column_letters(GRID_LEFT + side - 1)
    bottom = GRID_TOP + side - 1
    here, right, below = f"{first}{GRID_TOP}", f"{column_letters(GRID_LEFT + 1)}{GRID_TOP}", f"{first}{GRID_TOP + 1}"

    def apart(other: str, inside: str) -> str:
        sides = f"({here}>={own})<>({other}>={own})"
        if passes.classes:
            sides = f'IF({shown}="{CLASS}",{here}<>{other},{sides})'
        return f"AND({inside},{sides})"

    outline_where(
        tab.ws, cells,
        apart(right, f"COLUMNS({here}:${last}{GRID_TOP})>1"), apart(below, f"ROWS({here}:{first}${bottom})>1"),
    )  # fmt: skip


def _curve(tab: Tab, passes: Passes) -> None:
    """The answers over the one input, and the targets."""
    x, y = passes.curve()
    at, target = passes.targets()
    series = [
        Series("answer", x.ref, y.ref, x, y, HUES[0], width=2.25, dots=False),
        Series("target", at.ref, target.ref, at, target, HUES[8], dots=True),
    ]
    chart = scatter("What the network answers", "input i1", "output", series, legend="b", free_x=True)
    last = column_letters(len(PANEL) - 1 + CURVE_COLUMNS)
    words = "The network's answer over its one input, and the targets of the samples."
    place(tab.ws, chart, f"{column_letters(len(PANEL))}{GRID_TOP}", f"{last}{GRID_TOP + CURVE_ROWS - 1}", words)


def _samples(tab: Tab, passes: Passes, height: int) -> None:
    """Every sample, as many as there is room for, with its target and the answer."""
    one, sheet = passes.one, passes.tab.ws.title
    left = GRID_LEFT + passes.side + 1 if passes.plane else len(PANEL) + CURVE_COLUMNS + 1
    room = (passes.side // 2 if passes.plane else CURVE_ROWS) - 1
    labels = ["sample", *(one.label(symbol) for symbol in one.inputs), "target", "answer"]
    for column, label in enumerate(labels, left):
        tab.merge(GRID_TOP, column, column, label, "header", bottom=GRID_TOP + height - 1)
    chosen = f"'{sheet}'!${passes.beside(CHOSEN + 2)}${plane_passes.TOP}"
    shown = min(passes.samples, room - (passes.samples > room))
    for sample in range(shown):
        parts = ",".join(passes.cell(symbol, sample) for symbol in passes.shown)
        target = f"'{sheet}'!${passes.beside(plane_passes.SAMPLES + 1)}${plane_passes.TOP + sample}"
        contents: list[Cell] = [(sample + 1, "label", formats.WHOLE)]
        contents += [(Formula(f"={passes.cell(symbol, sample)}"), "formula", formats.RATE) for symbol in one.inputs]
        contents += [(Formula(f"={target}"), "formula", formats.RATE)]
        contents += [(Formula(f"=CHOOSE({chosen},{parts})"), "result", formats.SHORT)]
        top = _row(sample + 1, height)
        for column, (content, role, look) in enumerate(contents, left):
            tab.merge(top, column, column, content, role, number_format=look, bottom=top + height - 1)
    if passes.classes:
        answers = f"{column_letters(left + len(labels) - 1)}{{}}"
        cells = f"{answers.format(_row(1, height))}:{answers.format(_row(shown + 1, height) - 1)}"
        format_where(tab.ws, cells, formats.WHOLE, f'$B${_row(OUTPUT, height)}="{CLASS}"')
    if shown < len(passes.plan.spec.inputs):
        text = f"… and {len(passes.plan.spec.inputs) - shown} more"
        tab.merge(_row(shown + 1, height), left, left + 2, text, "muted", bottom=_row(shown + 2, height) - 1)


def _texts(passes: Passes) -> Iterator[str]:
    what = "Every cell is a forward pass" if passes.plane else "Every point of the line is a forward pass"
    yield (
        f"{what}: the hidden tab {plane_passes.TAB} has one a row. From and to may be left empty: then the range holds "
        "the data, with a margin. Choose another rate or step on tab Network, and watch the answers change."
    )
