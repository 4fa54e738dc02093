"""The CNN layers tab: sizes, parameters and receptive fields as formulas, beside the run's own tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnn.layers import CLASSES, CONVOLUTIONS, KERNEL, SIDE
from cnn.tabs import LAYERS
from cnn.tabs.facts import Facts
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Book, Content, Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.page import AGREES, DIFFERS, judge, note, put_cards
from sheetgen.xlsx.style import furnish

__all__ = ["TITLE", "fill"]

TITLE = LAYERS
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
class LayerRow:
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


def layers() -> Iterator[LayerRow]:
    """The rows in order of computation, without that of the image."""
    for place, one in enumerate(CONVOLUTIONS, 1):
        yield LayerRow(f"conv{place}", "conv", "convolution, then ReLU", one.outputs, KERNEL, 1, one.padding)
        yield LayerRow(f"norm{place}", "norm", "batch normalisation")
        if one.pool:
            yield LayerRow(f"pool{place}", "pool", f"maximum of {POOL}×{POOL}", None, POOL, POOL, 0)
    yield LayerRow("linear", "linear", "linear, over whole maps", CLASSES, None, 1, 0)


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
    for head, first, last in GROUPS_OF:
        tab.merge(GROUPS, first, last, head, "group")
    tab.header(HEADER, 1, LABELS, 48)
    _image(tab)
    rows = list(layers())
    for row, layer in enumerate(rows, TOP + 1):
        _row(tab, facts, row, layer)
    bottom = TOP + len(rows)
    _totals(tab, bottom)
    _cards(tab, bottom)
    judge(tab, f"R{TOP + 1}:R{bottom + 1}", AGREES, DIFFERS)
    judge(tab, f"C{RESULTS + 1}", AGREES, DIFFERS)
    for row, (remark, height) in enumerate(zip(REMARKS, (16, 30, 30), strict=True), bottom + 3):
        note(tab, row, (1, len(WIDTHS)), remark, height=height)


def _image(tab: Tab) -> None:
    """The row of what comes in."""
    contents: dict[str, Content] = {
        "A": "image", "B": "pixels, normalised", "D": 1, "H": SIDE, "I": Formula(f"=D{TOP}*H{TOP}^2"), "N": 1, "O": 1,
    }  # fmt: skip
    for column, letter in enumerate(LETTERS, 1):
        tab.put(TOP, column, contents.get(letter), "label" if letter in "AB" else "formula", formats.COUNT)


def _row(tab: Tab, facts: Facts, row: int, layer: LayerRow) -> None:
    """A layer's row; what is typed is yellow."""
    before = row - 1
    normal, trained = layer.kind == "norm", bool(layer.tensors)
    size = f"=H{before}" if normal else f"=INT((H{before}+2*G{row}-E{row})/F{row})+1"
    contents: tuple[Content, ...] = (
        layer.name,
        layer.work,
        Formula(f"=D{before}"),
        Formula(f"=C{row}") if layer.outputs is None else layer.outputs,
        Formula(f"=H{before}") if layer.kind == "linear" else layer.kernel,
        layer.stride,
        layer.padding,
        Formula(size),
        Formula(f"=D{row}*H{row}^2"),
        Formula(f"=D{row}" if normal else f"=C{row}*D{row}*E{row}^2") if trained else 0,
        Formula(f"=D{row}") if trained else 0,
        Formula(f"=J{row}+K{row}"),
        Formula(f"=J{row}*H{row}^2"),
        Formula(f"=N{before}" if normal else f"=N{before}*F{row}"),
        Formula(f"=O{before}" if normal else f"=O{before}+(E{row}-1)*N{before}"),
        _shapes(facts, layer),
        sum(int(facts.run.weights[name].size) for name in layer.tensors),
        Formula(_verdict(row)),
    )
    for column, (letter, content) in enumerate(zip(LETTERS, contents, strict=True), 1):
        typed = letter in TYPED and isinstance(content, int)
        role = "input" if typed else ROLES.get(letter, "formula")
        tab.put(row, column, content, role, formats.WHOLE if letter == "G" else formats.COUNT)
        if typed:
            low, high = map(str, TYPED[letter])
            message = f"Type a whole number from {low} to {high}."
            tab.allow(f"{letter}{row}", message, type="whole", operator="between", formula1=low, formula2=high)


def _shapes(facts: Facts, layer: LayerRow) -> str:
    """The shapes of its tensors, as in "12×1×3×3 and 12"."""
    return " and ".join("×".join(map(str, facts.run.weights[name].shape)) for name in layer.tensors)


def _verdict(row: int) -> str:
    """Whether a row's computed parameters are as many as the run's tensors have."""
    return f'=IF(L{row}=Q{row},"{AGREES}","{DIFFERS}")'


def _totals(tab: Tab, bottom: int) -> None:
    """The row of sums."""
    row = bottom + 1
    for column, letter in enumerate(LETTERS, 1):
        if letter in "JKLMQ":
            tab.put(row, column, Formula(f"=SUM({letter}{TOP + 1}:{letter}{bottom})"), "result", formats.COUNT)
        else:
            tab.put(row, column, "in all" if letter == "A" else None, "label")
    tab.put(row, 18, Formula(_verdict(row)), "verdict")


def _cards(tab: Tab, bottom: int) -> None:
    """What to look at first."""
    total, checks = bottom + 1, f"R{TOP + 1}:R{bottom + 1}"
    last = bottom - 2  # before the last batch normalisation and the linear layer
    verdict = f'=IF(COUNTIF({checks},"{AGREES}")={bottom + 1 - TOP},"{AGREES}","{DIFFERS}")'
    cards = (
        ("parameters", Formula(f"=L{total}"), formats.COUNT, "result"),
        ("numbers in the run's trained tensors", Formula(f"=Q{total}"), formats.COUNT, "result"),
        ("layer by layer", Formula(verdict), None, "verdict"),
        ("receptive field", Formula(f"=O{last}"), formats.WHOLE, "result"),
    )
    put_cards(tab, RESULTS, cards)
