"""The CNN layers tab: sizes, parameters and receptive fields as formulas, beside the run's own tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openpyxl.worksheet.datavalidation import DataValidation

from cnn.layers import CLASSES, CONVOLUTIONS, KERNEL, SIDE
from cnn.tabs.cards import COUNT, Card, note, put_cards
from cnn.tabs.facts import Facts
from sheetgen.book import Book, Tab
from sheetgen.cells import Formula
from sheetgen.style import STEP, apply, furnish, verdict_rules

__all__ = ["AGREES", "DIFFERS", "TITLE", "fill"]

TITLE = "CNN layers"
AGREES, DIFFERS = "agrees", "differs"
POOL = 2

RESULTS, GROUPS, HEADER, TOP = 4, 7, 8, 9
WIDTHS = [15, 27, *[10] * 5, 10, 11, 11, 11, 12, 14, 9, 11, 29, 11, 11]
GROUPS_OF = (
    ("what the layer is", 1, 7),
    ("what comes out", 8, 9),
    ("parameters", 10, 12),
    ("work", 13, 13),
    ("in pixels of the image", 14, 15),
    ("the run's own tensors", 16, 18),
)
LABELS = (
    *("layer", "what it does", "maps in", "maps out", "kernel", "stride", "padding", "height, width", "numbers"),
    *("weights", "biases", "together", "multiplications per image", "jump", "receptive field"),
    *("in weights.safetensors", "numbers", "check"),
)
LETTERS = "ABCDEFGHIJKLMNOPQR"
ROLES = {"A": "label", "B": "label", "P": "label", "R": "verdict"}
# Column letter -> the whole numbers that may be typed there.
TYPED = {"D": (1, 1000), "E": (1, SIDE), "F": (1, SIDE), "G": (0, SIDE)}
REMARKS = (
    "Change a yellow number and all sizes, counts and receptive fields follow; the check then differs, because the "
    "trained tensors stay as they are.",
    "Height and width: (height before + 2 · padding − kernel) / stride, rounded down, + 1.   Jump: how many pixels of "
    "the image lie between two neighbours of a map = jump before · stride.   Receptive field: how many pixels wide the "
    "part of the image is that one number of a map can see = field before + (kernel − 1) · jump before.",
    "The linear layer takes whole maps, which is a convolution with a kernel of their size; log-softmax follows it. In "
    "training, dropout of whole maps follows every group but the last; it has no parameters. Batch normalisation also "
    "keeps a running mean and variance per map, which are measured, not trained, and not counted here.",
)


@dataclass(frozen=True)
class Layer:
    """A row: its name and work, the numbers typed (None: follows from other cells) and the tensors it has in a run."""

    name: str
    kind: str
    work: str
    outputs: int | None = None
    kernel: int | None = None
    stride: int | None = None
    padding: int | None = None

    @property
    def tensors(self) -> tuple[str, ...]:
        """The names of its trained tensors."""
        return (f"{self.name}.weight", f"{self.name}.bias") if self.kind in ("conv", "norm", "linear") else ()


@dataclass(frozen=True)
class State:
    """What a row's formulas evaluate to."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    padding: int
    side: int
    weights: int
    biases: int
    jump: int
    field: int

    @property
    def parameters(self) -> int:
        """Weights and biases together."""
        return self.weights + self.biases


IMAGE = State(0, 1, 1, 1, 0, SIDE, 0, 0, 1, 1)


def layers() -> Iterator[Layer]:
    """The rows in order of computation, without that of the image."""
    for place, one in enumerate(CONVOLUTIONS, 1):
        yield Layer(f"conv{place}", "conv", "convolution, then ReLU", one.outputs, KERNEL, 1, one.padding)
        yield Layer(f"norm{place}", "norm", "batch normalisation")
        if one.pool:
            yield Layer(f"pool{place}", "pool", f"maximum of {POOL}×{POOL}", None, POOL, POOL, 0)
    yield Layer("linear", "linear", "linear, over whole maps", CLASSES, None, 1, 0)


def after(layer: Layer, before: State) -> State:
    """The numbers of a layer's row, from those of the row before."""
    outputs = before.outputs if layer.outputs is None else layer.outputs
    if layer.kind == "norm":
        return State(outputs, outputs, 1, 1, 0, before.side, outputs, outputs, before.jump, before.field)
    kernel = before.side if layer.kernel is None else layer.kernel
    stride, padding = layer.stride or 1, layer.padding or 0
    trained = layer.kind != "pool"
    return State(
        before.outputs,
        outputs,
        kernel,
        stride,
        padding,
        (before.side + 2 * padding - kernel) // stride + 1,
        before.outputs * outputs * kernel**2 if trained else 0,
        outputs if trained else 0,
        before.jump * stride,
        before.field + (kernel - 1) * before.jump,
    )


def fill(book: Book, facts: Facts) -> None:
    """Add the tab."""
    tab = book.add(TITLE)
    furnish(
        tab.ws,
        title=f"{TITLE}: {facts.run.dataset}",
        subtitle=facts.subtitle,
        widths=WIDTHS,
        tab_color="explain",
        freeze=f"B{TOP}",
        fit_height=True,
    )
    _header(tab)
    _image(tab)
    states, counts = [IMAGE], [0]
    for row, layer in enumerate(layers(), TOP + 1):
        states.append(after(layer, states[-1]))
        counts.append(sum(int(facts.run.weights[name].size) for name in layer.tensors))
        _row(tab, facts, row, layer, states[-1], counts[-1])
    bottom = TOP + len(states) - 1
    _totals(tab, bottom, states, counts)
    _cards(tab, bottom, states, counts)
    verdict_rules(tab.ws, f"R{TOP + 1}:R{bottom + 1}", f'R{TOP + 1}="{AGREES}"', f'R{TOP + 1}="{DIFFERS}"')
    verdict_rules(tab.ws, f"C{RESULTS + 1}", f'C{RESULTS + 1}="{AGREES}"', f'C{RESULTS + 1}="{DIFFERS}"')
    for row, (remark, height) in enumerate(zip(REMARKS, (16, 30, 30), strict=True), bottom + 3):
        note(tab, row, (1, len(WIDTHS)), remark, height=height)


def _header(tab: Tab) -> None:
    for head, first, last in GROUPS_OF:
        for column in range(first, last + 1):
            apply(tab.put(GROUPS, column, head if column == first else None), "group")
        if last > first:
            tab.ws.merge_cells(start_row=GROUPS, end_row=GROUPS, start_column=first, end_column=last)
    for column, label in enumerate(LABELS, 1):
        apply(tab.put(HEADER, column, label), "header")
    tab.ws.row_dimensions[HEADER].height = 48


def _image(tab: Tab) -> None:
    """The row of what comes in."""
    numbers = Formula(f"=D{TOP}*H{TOP}^2", SIDE**2)
    contents: dict[str, Formula | int | str] = {
        "A": "image",
        "B": "pixels, normalised",
        "D": 1,
        "H": SIDE,
        "I": numbers,
        "N": 1,
        "O": 1,
    }
    for column, letter in enumerate(LETTERS, 1):
        apply(tab.put(TOP, column, contents.get(letter)), "label" if letter in "AB" else "formula", COUNT)


def _row(tab: Tab, facts: Facts, row: int, layer: Layer, now: State, count: int) -> None:
    """A layer's row; what is typed is yellow."""
    before = row - 1
    normal = layer.kind == "norm"
    trained = bool(layer.tensors)
    size = f"=H{before}" if normal else f"=INT((H{before}+2*G{row}-E{row})/F{row})+1"
    weights = f"=D{row}" if normal else f"=C{row}*D{row}*E{row}^2"
    jump = f"=N{before}" if normal else f"=N{before}*F{row}"
    field = f"=O{before}" if normal else f"=O{before}+(E{row}-1)*N{before}"
    kernel = Formula(f"=H{before}", now.kernel) if layer.kind == "linear" else layer.kernel
    contents = (
        layer.name,
        layer.work,
        Formula(f"=D{before}", now.inputs),
        Formula(f"=C{row}", now.outputs) if layer.outputs is None else layer.outputs,
        kernel,
        layer.stride,
        layer.padding,
        Formula(size, now.side),
        Formula(f"=D{row}*H{row}^2", now.outputs * now.side**2),
        Formula(weights, now.weights) if trained else 0,
        Formula(f"=D{row}", now.biases) if trained else 0,
        Formula(f"=J{row}+K{row}", now.parameters),
        Formula(f"=J{row}*H{row}^2", now.weights * now.side**2),
        Formula(jump, now.jump),
        Formula(field, now.field),
        _shapes(facts, layer),
        count,
        Formula(f'=IF(L{row}=Q{row},"{AGREES}","{DIFFERS}")', _verdict(now.parameters, count)),
    )
    for column, (letter, content) in enumerate(zip(LETTERS, contents, strict=True), 1):
        typed = letter in TYPED and isinstance(content, int)
        role = "input" if typed else ROLES.get(letter, "formula")
        apply(tab.put(row, column, content), role, STEP if letter == "G" else COUNT)
        if typed:
            _validate(tab, f"{letter}{row}", *TYPED[letter])


def _shapes(facts: Facts, layer: Layer) -> str:
    """The shapes of its tensors, as in "12×1×3×3 and 12"."""
    return " and ".join("×".join(map(str, facts.run.weights[name].shape)) for name in layer.tensors)


def _verdict(computed: int, found: int) -> str:
    return AGREES if computed == found else DIFFERS


def _validate(tab: Tab, cell: str, low: int, high: int) -> None:
    """Refuse what is typed unless it is a whole number from low to high."""
    rule = DataValidation(
        type="whole",
        operator="between",
        formula1=str(low),
        formula2=str(high),
        showErrorMessage=True,
        errorTitle="Not allowed here",
        error=f"Type a whole number from {low} to {high}.",
    )
    rule.add(cell)
    tab.ws.add_data_validation(rule)


def _totals(tab: Tab, bottom: int, states: list[State], counts: list[int]) -> None:
    """The row of sums."""
    row = bottom + 1
    sums = {
        "J": sum(one.weights for one in states),
        "K": sum(one.biases for one in states),
        "L": sum(one.parameters for one in states),
        "M": sum(one.weights * one.side**2 for one in states),
        "Q": sum(counts),
    }
    for column, letter in enumerate(LETTERS, 1):
        if letter in sums:
            formula = Formula(f"=SUM({letter}{TOP + 1}:{letter}{bottom})", sums[letter])
            apply(tab.put(row, column, formula), "result", COUNT)
        else:
            apply(tab.put(row, column, "in all" if letter == "A" else None), "label")
    verdict = Formula(f'=IF(L{row}=Q{row},"{AGREES}","{DIFFERS}")', _verdict(sums["L"], sums["Q"]))
    apply(tab.put(row, 18, verdict), "verdict")


def _cards(tab: Tab, bottom: int, states: list[State], counts: list[int]) -> None:
    """What to look at first."""
    total, checks = bottom + 1, f"R{TOP + 1}:R{bottom + 1}"
    rows = bottom + 1 - TOP
    parameters, found = sum(one.parameters for one in states), sum(counts)
    same = all(one.parameters == count for one, count in zip(states, counts, strict=True))
    last = bottom - 2  # before the last batch normalisation and the linear layer
    verdict = Formula(f'=IF(COUNTIF({checks},"{AGREES}")={rows},"{AGREES}","{DIFFERS}")', AGREES if same else DIFFERS)
    cards = (
        Card("parameters", Formula(f"=L{total}", parameters), COUNT),
        Card("numbers in the run's trained tensors", Formula(f"=Q{total}", found), COUNT),
        Card("layer by layer", verdict, role="verdict"),
        Card("receptive field", Formula(f"=O{last}", states[last - TOP].field), STEP),
    )
    put_cards(tab, RESULTS, cards)
