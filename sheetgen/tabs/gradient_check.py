"""The Gradient check tab: every gradient beside a central difference of the loss, at the chosen rate and step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openpyxl.utils import quote_sheetname
from sympy import Abs, Max, Symbol

from sheetgen.maths.algebra import chain, total
from sheetgen.maths.network import Parameter
from sheetgen.maths.printer import excel
from sheetgen.maths.rules import STEP
from sheetgen.tabs import forward_passes
from sheetgen.tabs.forward_passes import MAX_CELLS, Passes
from sheetgen.tabs.inputs import H_STEP
from sheetgen.tabs.plan import Plan
from sheetgen.tabs.state import PLACE_ROW, RUN_ROW, TAB, State
from sheetgen.tabs.words import parameter_path
from sheetgen.xlsx import formats
from sheetgen.xlsx.book import Tab
from sheetgen.xlsx.cells import Formula
from sheetgen.xlsx.page import AGREES, DIFFERS, NO_NUMBER, judge, judge_zero, note
from sheetgen.xlsx.style import furnish, verdict_rules

__all__ = ["KINK", "NOT_A_GRADIENT", "Landmarks", "fill"]

TEXT_ROW, HEAD_LABELS, HEAD_VALUES, VERDICT_ROW, HEADER, TOP = 3, 5, 6, 8, 10, 11
LABELS = (
    "parameter", "where", "value w", "E(w + h)", "E(w − h)", "central difference", "gradient by the chain rule",
    "difference", "tolerance", "verdict",
)  # fmt: skip
WIDTHS = (15, 17, 14, 19, 19, 17, 17, 13, 13, 17)
KINK, NOT_A_GRADIENT = "at a kink", "not a gradient"
# Activations whose slope jumps somewhere.
KINKED = ("relu", "leaky_relu", "softplus")
# Kinds of layers whose slope jumps: where another number of a window becomes the largest.
KINKED_KINDS = ("max_pool2d",)

NOWHERE = "no number: here training has left the range of numbers"
NO_CHOICE = "no such run or step: choose again on tab Network"

E, PLUS, MINUS, CENTRAL, SLOPE, AWAY, ALLOWED, H = map(Symbol, ("E", "E₊", "E₋", "c", "g", "d", "tolerance", "h"))
CENTRAL_DIFFERENCE = (PLUS - MINUS) / (2 * H)
# h times the difference of the slopes to the right and to the left
BEND = Abs(total(PLUS, -2 * E, MINUS))
# In the templates' smooth networks no central difference is off by more than 3e-11·max(1, E) at h = 1e-5: rounding,
# since E has 16 digits and is divided by 2h. What is of order h² grows with the square of the inputs.
TOLERANCE = total(chain(H, Abs(SLOPE)), chain(Max(1, E), total(10 * H**2, 1e-14 / H)))
TOLERANCE_TEXT = "h·|gradient| + max(1, E)·(10·h² + 10⁻¹⁴/h)"


# So many parameters are printed on one page, if smaller.
ONE_PAGE = 36


@dataclass(frozen=True)
class Landmarks:
    """The overall verdict and the largest difference, as formulas that show them on another tab; the good verdict."""

    verdict: Formula
    largest: Formula
    good: str


def fill(tab: Tab, plan: Plan, chosen: State) -> Landmarks:
    """The tab: its head, a row for each parameter and, below them, the forward passes."""
    passes = Passes(plan, chosen)
    short = len(passes.moved) <= ONE_PAGE
    furnish(
        tab.ws,
        title="Gradient check",
        subtitle="Is what the chain rule gives the slope of the loss? At the rate and step chosen on the Network tab.",
        widths=WIDTHS,
        fit_height=short,
        repeat_rows=None if short else f"{HEADER}:{HEADER}",
        tab_color="verdict",
    )
    notes = list(_notes(plan, passes))
    bottom = TOP + len(passes.moved) - 1
    top = bottom + len(notes) + 6
    note(tab, TEXT_ROW, (1, len(LABELS)), _explanation(), role="text", width=sum(WIDTHS))
    _head(tab, plan, passes, top)
    tab.header(HEADER, 1, LABELS, 32)
    for number in range(len(passes.moved)):
        _check(tab, plan, passes, number, top)
    judge(tab, f"J{TOP}:J{bottom}", AGREES, DIFFERS)
    for row, text in enumerate(notes, bottom + 2):
        note(tab, row, (1, len(LABELS)), text, width=sum(WIDTHS))
    forward_passes.fill(tab, passes, top, H_STEP.name, f"$A${TOP}:$A${bottom}")
    tab.ws.print_area = f"A1:J{bottom + 1 + len(notes)}"
    return _overall(tab, plan, passes)


def _explanation() -> str:
    return (
        "Each parameter in turn is moved by +h and by −h, nothing else is changed, and the whole forward pass is "
        "computed again in the rows at the bottom of this tab. The slope between the two, (E(w + h) − E(w − h)) / 2h, "
        "knows nothing of the chain rule. It must be the gradient all the same."
    )


def _head(tab: Tab, plan: Plan, passes: Passes, top: int) -> None:
    """Where the check is made, and that pass 0 ends at the loss that the training tab has there."""
    several = len(plan.spec.optimizers) > 1
    chosen, loss = passes.chosen, plan.network.total
    head = (
        ("optimizer" if several else "learning rate", "=chosen_run" if several else "=chosen_rate", formats.RATE),
        ("step", f"={chosen.cells[STEP]}", formats.WHOLE),
        ("h", f"={H_STEP.name}", formats.RATE),
        ("E_total of pass 0", f"={passes.loss_column}{top}", formats.FINE),
        ("E_total of training", f"={chosen.cells[loss]}", formats.FINE),
        ("difference", f"=D{HEAD_VALUES}-E{HEAD_VALUES}", formats.ZERO),
    )
    tab.header(HEAD_LABELS, 1, [label for label, _, _ in head])
    tab.put_row(HEAD_VALUES, 1, *((Formula(text), "result", look) for _, text, look in head))
    judge_zero(tab, f"F{HEAD_VALUES}", f"1E-12*MAX(1,ABS(E{HEAD_VALUES}))")


def _check(tab: Tab, plan: Plan, passes: Passes, number: int, top: int) -> None:
    """The row of a parameter."""
    row, parameter, chosen = TOP + number, passes.moved[number], passes.chosen
    loss = passes.loss_column
    letters = {PLUS: "D", MINUS: "E", CENTRAL: "F", SLOPE: "G", AWAY: "H", ALLOWED: "I"}
    cells = {symbol: f"{letter}{row}" for symbol, letter in letters.items()}
    cells |= {E: f"${loss}${top}", H: H_STEP.name}
    is_gradient = _is_gradient(plan, parameter)
    tab.put_row(
        row,
        1,
        (parameter.symbol.name, "symbol", None),
        (parameter_path(plan.spec, parameter), "label", None),
        (chosen.formula(parameter.symbol), "formula", formats.VALUE),
        (Formula(f"={loss}{top + 2 * number + 1}"), "formula", formats.FINE),
        (Formula(f"={loss}{top + 2 * number + 2}"), "formula", formats.FINE),
        (Formula(f"={excel(CENTRAL_DIFFERENCE, cells)}"), "result", formats.VALUE),
        (chosen.formula(parameter.gradient), "result", formats.VALUE),
        (Formula(f"={excel(CENTRAL - SLOPE, cells)}"), "formula", formats.DIFFERENCE),
        (Formula(f"={excel(TOLERANCE, cells)}"), "formula", formats.DIFFERENCE),
        (Formula(_verdict(plan, cells)) if is_gradient else NOT_A_GRADIENT, "verdict", None),
    )


def _is_gradient(plan: Plan, parameter: Parameter) -> bool:
    """With updates = output_first, a hidden layer's column mixes old and new weights."""
    return plan.spec.updates != "output_first" or parameter.layer == len(plan.spec.layers) - 1


def _mean(plan: Plan) -> str:
    return "sum" if plan.spec.reduction == "sum" else "mean"


def _has_kinks(plan: Plan) -> bool:
    return any(layer.activation in KINKED or layer.kind in KINKED_KINDS for layer in plan.spec.layers)


def _verdict(plan: Plan, cells: Mapping[Symbol, str]) -> str:
    away, allowed = cells[AWAY], cells[ALLOWED]
    otherwise = f'"{DIFFERS}"'
    if _has_kinks(plan):
        otherwise = f'IF({excel(BEND, cells)}>={cells[H]}*ABS({away}),"{KINK}",{otherwise})'
    return f'=IF(COUNT({away},{allowed})<2,"{NO_NUMBER}",IF(ABS({away})<={allowed},"{AGREES}",{otherwise}))'


def _overall(tab: Tab, plan: Plan, passes: Passes) -> Landmarks:
    """The verdict on all the rows that have one (they are the last ones), and their largest difference."""
    judged = sum(_is_gradient(plan, parameter) for parameter in passes.moved)
    bottom = TOP + len(passes.moved) - 1
    verdicts = f"$J${bottom - judged + 1}:$J${bottom}"
    differ, lost, bend = (f'COUNTIF({verdicts},"{one}")' for one in (DIFFERS, NO_NUMBER, KINK))
    good, bad = _all_agree(plan, passes), f" of {judged} gradients differ from central differences"
    agree = f'"{good}"' + (f'&IF({bend}>0,"; at a kink: "&{bend},"")' if _has_kinks(plan) else "")
    missing = f"COUNT({TAB}!$B${RUN_ROW}:$B${PLACE_ROW})<2"
    verdict = Formula(f'=IF({missing},"{NO_CHOICE}",IF({lost}>0,"{NOWHERE}",IF({differ}>0,{differ}&"{bad}",{agree})))')
    tab.merge(VERDICT_ROW, 1, 6, verdict, "verdict")
    tab.put(VERDICT_ROW, 7, "largest difference", "header")
    tab.put(VERDICT_ROW, 8, _largest(tab, plan, passes, judged), "result", formats.DIFFERENCE)
    tab.ws.row_dimensions[VERDICT_ROW].height = 22
    verdict_rules(tab.ws, f"A{VERDICT_ROW}:F{VERDICT_ROW}", f"{differ}+{lost}=0", f"OR({differ}>0,{missing})")
    sheet = quote_sheetname(tab.ws.title)
    return Landmarks(Formula(f"={sheet}!$A${VERDICT_ROW}"), Formula(f"={sheet}!$H${VERDICT_ROW}"), good)


def _largest(tab: Tab, plan: Plan, passes: Passes, judged: int) -> Formula:
    """The largest difference in size; kinks are left out by a column beside the table."""
    bottom = TOP + len(passes.moved) - 1
    cells = f"$H${bottom - judged + 1}:$H${bottom}"
    if _has_kinks(plan):
        # One formula would have to compute an array, which Gnumeric does not do within MAX.
        tab.put(HEADER, len(LABELS) + 1, "without kinks", "muted")
        for row in range(TOP, bottom + 1):
            tab.put(row, len(LABELS) + 1, Formula(f'=IF(J{row}="{KINK}",0,H{row})'), "muted", formats.DIFFERENCE)
        cells = cells.replace("H", "K")
    return Formula(f'=IFERROR(MAX(MAX({cells}),-MIN({cells})),"{NO_NUMBER}")')


def _all_agree(plan: Plan, passes: Passes) -> str:
    which = "all gradients"
    if plan.spec.updates == "output_first":
        which += " of the last layer"
    if len(passes.moved) < len(plan.network.trained):
        which += " that are checked"
    rest = "; the others are not gradients of E" if plan.spec.updates == "output_first" else ""
    return f"{which} agree with central differences{rest}"


def _notes(plan: Plan, passes: Passes) -> Iterator[str]:
    """What a reader should know of this network's check, a paragraph each."""
    spec, trained = plan.spec, plan.network.trained
    yield (
        f"Tolerance: {TOLERANCE_TEXT}. A central difference is off by h²/6 times the third derivative of E, and by the "
        "rounding of E, which has 16 digits, divided by 2h. A wrong gradient is off by far more."
    )
    if spec.updates == "output_first":
        yield (
            "updates = output_first: the gradients of the hidden layers are taken through output weights that have "
            "already moved. They are not the gradient of the loss at any one point, so they differ from its slope here."
        )
    if _has_kinks(plan):
        yield (
            f"{KINK}: a net input passes the bend of its activation between w − h and w + h. The loss has one slope on "
            "the left and another on the right; the central difference lies between them, the gradient may be either. "
            "A net input that is 0 but for rounding, as 0.1·3 − 0.3, is above 0 to PyTorch and 0 to LibreOffice."
        )
    if spec.batch == "online" and len(spec.inputs) > 1:
        yield "batch = online: E is the loss of the one sample that the chosen step uses."
    elif spec.turns > 1:
        yield (
            f"batch = {spec.batch}: E is the {_mean(plan)} over the {spec.batch} samples that the chosen step uses; "
            "[k] marks the columns of the k-th of them."
        )
    elif len(spec.inputs) > 1:
        yield f"E is the {_mean(plan)} over the {len(spec.inputs)} samples; [k] marks the columns of sample k."
    if len(passes.moved) < len(trained):
        yield (
            f"{len(passes.moved)} of {len(trained)} parameters are checked, evenly spread: this tab keeps to "
            f"{MAX_CELLS:,} cells, and a check of all would take {passes.cells_of_all:,}."
        )
