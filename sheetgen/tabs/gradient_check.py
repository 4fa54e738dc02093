"""The Gradient check tab: every gradient beside a central difference of the loss, at the chosen rate and step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from openpyxl.utils import quote_sheetname
from sympy import Abs, Max, Symbol

from sheetgen.algebra import chain, total
from sheetgen.book import Tab
from sheetgen.cells import ExcelError, Formula
from sheetgen.layout import Plan, printed
from sheetgen.network import Parameter
from sheetgen.printer import excel
from sheetgen.rules import STEP
from sheetgen.style import DIFFERENCE, VALUE, apply, furnish, verdict_rules
from sheetgen.style import RATE as RATE_FORMAT
from sheetgen.style import STEP as STEP_FORMAT
from sheetgen.tabs import forward_passes
from sheetgen.tabs.forward_passes import FINE, MAX_CELLS, Passes
from sheetgen.tabs.inputs import H_STEP
from sheetgen.tabs.state import State
from sheetgen.tabs.words import parameter_path
from sheetgen.trace import evaluate

__all__ = ["AGREES", "DIFFERS", "KINK", "NOT_A_GRADIENT", "NO_NUMBER", "Landmarks", "fill"]

TEXT_ROW, HEAD_LABELS, HEAD_VALUES, VERDICT_ROW, HEADER, TOP = 3, 5, 6, 8, 10, 11
LABELS = (
    "parameter", "where", "value w", "E(w + h)", "E(w − h)", "central difference", "gradient by the chain rule",
    "difference", "tolerance", "verdict",
)  # fmt: skip
AGREES, DIFFERS, NO_NUMBER, KINK, NOT_A_GRADIENT = "agrees", "differs", "no number", "at a kink", "not a gradient"
# Activations whose slope jumps somewhere.
KINKED = ("relu", "leaky_relu", "softplus")

NOWHERE = "no number: here training has left the range of numbers"

E, PLUS, MINUS, CENTRAL, SLOPE, AWAY, ALLOWED, H = map(Symbol, ("E", "E₊", "E₋", "c", "g", "d", "tolerance", "h"))
CENTRAL_DIFFERENCE = (PLUS - MINUS) / (2 * H)
# h times the difference of the slopes to the right and to the left
BEND = Abs(total(PLUS, -2 * E, MINUS))
# In the templates' smooth networks no central difference is off by more than 3e-11·max(1, E) at h = 1e-5: rounding,
# since E has 16 digits and is divided by 2h. What is of order h² grows with the square of the inputs.
TOLERANCE = total(chain(H, Abs(SLOPE)), chain(Max(1, E), total(10 * H**2, 1e-14 / H)))
TOLERANCE_TEXT = "h·|gradient| + max(1, E)·(10·h² + 10⁻¹⁴/h)"

Number = float | ExcelError


@dataclass(frozen=True)
class Landmarks:
    """The overall verdict and the largest difference, as formulas that show them on another tab."""

    verdict: Formula
    largest: Formula


def fill(tab: Tab, plan: Plan, chosen: State) -> Landmarks:
    """The tab: its head, a row for each parameter and, below them, the forward passes."""
    furnish(
        tab.ws,
        title="Gradient check",
        subtitle="Is what the chain rule gives the slope of the loss? At the rate and step chosen on the Network tab.",
        widths=[15, 17, 14, 19, 19, 17, 17, 13, 13, 17],
        tab_color="verdict",
    )
    passes = Passes(plan, chosen, H_STEP.value)
    notes = list(_notes(plan, passes))
    bottom = TOP + len(passes.moved) - 1
    top = bottom + len(notes) + 6
    _text(tab, TEXT_ROW, _explanation(), "text")
    _head(tab, plan, passes, top)
    for column, label in enumerate(LABELS, 1):
        apply(tab.put(HEADER, column, label), "header")
    tab.ws.row_dimensions[HEADER].height = 32
    checks = [_check(tab, plan, passes, number, top) for number in range(len(passes.moved))]
    verdict_rules(tab.ws, f"J{TOP}:J{bottom}", f'J{TOP}="{AGREES}"', f'J{TOP}="{DIFFERS}"')
    for row, note in enumerate(notes, bottom + 2):
        _text(tab, row, note, "note")
    forward_passes.fill(tab, passes, top, H_STEP.name, f"$A${TOP}:$A${bottom}")
    tab.ws.print_area = f"A1:J{bottom + 1 + len(notes)}"
    return _overall(tab, plan, passes, checks)


def _explanation() -> str:
    return (
        "Each parameter in turn is moved by +h and by −h, nothing else is changed, and the whole forward pass is "
        "computed again in the rows at the bottom of this tab. The slope between the two, (E(w + h) − E(w − h)) / 2h, "
        "knows nothing of the chain rule. It must be the gradient all the same."
    )


def _text(tab: Tab, row: int, content: str, role: str) -> None:
    """A paragraph across the table."""
    tab.ws.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(LABELS))
    apply(tab.put(row, 1, content), role)
    tab.ws.row_dimensions[row].height = 16 * (1 + len(content) // 185)


def _head(tab: Tab, plan: Plan, passes: Passes, top: int) -> None:
    """Where the check is made, and that pass 0 ends at the loss that the training tab has there."""
    several = len(plan.spec.optimizers) > 1
    run, chosen, loss = plan.first.run, passes.chosen, plan.network.total
    here = passes.loss(0)
    table = chosen.values[loss]
    left, right = Symbol("D"), Symbol("E")
    names = {left: f"D{HEAD_VALUES}", right: f"E{HEAD_VALUES}"}
    away = Formula(printed(left - right, names), evaluate(left - right, {left: here, right: table}))
    choice = Formula("=chosen_optimizer" if several else "=chosen_rate", run.optimizer.label if several else run.rate)
    head = (
        ("optimizer" if several else "learning rate", choice, RATE_FORMAT),
        ("step", chosen.formula(STEP), STEP_FORMAT),
        ("h", Formula(f"={H_STEP.name}", H_STEP.value), RATE_FORMAT),
        ("E_total of pass 0", Formula(f"={passes.loss_column}{top}", here), FINE),
        ("E_total of training", chosen.formula(loss), FINE),
        ("difference", away, DIFFERENCE),
    )
    for column, (label, content, number_format) in enumerate(head, 1):
        apply(tab.put(HEAD_LABELS, column, label), "header")
        apply(tab.put(HEAD_VALUES, column, content), "result", number_format)


def _check(tab: Tab, plan: Plan, passes: Passes, number: int, top: int) -> tuple[str, Number]:
    """The row of a parameter; returns its verdict and its difference."""
    row, parameter, chosen = TOP + number, passes.moved[number], passes.chosen
    plus, minus = 2 * number + 1, 2 * number + 2
    values: dict[Symbol, Number] = {
        E: passes.loss(0), PLUS: passes.loss(plus), MINUS: passes.loss(minus), H: H_STEP.value,
        SLOPE: chosen.values[parameter.gradient],
    }  # fmt: skip
    values |= {CENTRAL: evaluate(CENTRAL_DIFFERENCE, values)}
    values |= {AWAY: evaluate(CENTRAL - SLOPE, values), ALLOWED: evaluate(TOLERANCE, values)}
    letters = {PLUS: "D", MINUS: "E", CENTRAL: "F", SLOPE: "G", AWAY: "H", ALLOWED: "I"}
    cells = {symbol: f"{letter}{row}" for symbol, letter in letters.items()}
    cells |= {E: f"${passes.loss_column}${top}", H: H_STEP.name}
    verdict = _verdict(plan, parameter, values)
    contents: tuple[tuple[Formula | str, str, str | None], ...] = (
        (parameter.symbol.name, "symbol", None),
        (parameter_path(plan.spec, parameter), "label", None),
        (chosen.formula(parameter.symbol), "formula", VALUE),
        (Formula(f"={passes.loss_column}{top + plus}", values[PLUS]), "formula", FINE),
        (Formula(f"={passes.loss_column}{top + minus}", values[MINUS]), "formula", FINE),
        (Formula(printed(CENTRAL_DIFFERENCE, cells), values[CENTRAL]), "result", VALUE),
        (chosen.formula(parameter.gradient), "result", VALUE),
        (Formula(printed(CENTRAL - SLOPE, cells), values[AWAY]), "formula", DIFFERENCE),
        (Formula(printed(TOLERANCE, cells), values[ALLOWED]), "formula", DIFFERENCE),
        (verdict if verdict == NOT_A_GRADIENT else Formula(_verdict_formula(plan, cells), verdict), "verdict", None),
    )
    for column, (content, role, number_format) in enumerate(contents, 1):
        apply(tab.put(row, column, content), role, number_format)
    return verdict, values[AWAY]


def _is_gradient(plan: Plan, parameter: Parameter) -> bool:
    """With updates = output_first, a hidden layer's column mixes old and new weights."""
    return plan.spec.updates != "output_first" or parameter.layer == len(plan.spec.layers) - 1


def _has_kinks(plan: Plan) -> bool:
    return any(layer.activation in KINKED for layer in plan.spec.layers)


def _verdict(plan: Plan, parameter: Parameter, values: Mapping[Symbol, Number]) -> str:
    """What the verdict's formula gives."""
    if not _is_gradient(plan, parameter):
        return NOT_A_GRADIENT
    bend = evaluate(BEND, values)
    away, allowed = values[AWAY], values[ALLOWED]
    if isinstance(away, ExcelError) or isinstance(allowed, ExcelError):
        return NO_NUMBER
    if abs(away) <= allowed:
        return AGREES
    kink = _has_kinks(plan) and not isinstance(bend, ExcelError) and bend >= H_STEP.value * abs(away)
    return KINK if kink else DIFFERS


def _verdict_formula(plan: Plan, cells: Mapping[Symbol, str]) -> str:
    away, allowed = cells[AWAY], cells[ALLOWED]
    otherwise = f'"{DIFFERS}"'
    if _has_kinks(plan):
        otherwise = f'IF({excel(BEND, cells)}>={cells[H]}*ABS({away}),"{KINK}",{otherwise})'
    return f'=IF(COUNT({away},{allowed})<2,"{NO_NUMBER}",IF(ABS({away})<={allowed},"{AGREES}",{otherwise}))'


def _overall(tab: Tab, plan: Plan, passes: Passes, checks: Sequence[tuple[str, Number]]) -> Landmarks:
    """The verdict on all the rows that have one (they are the last ones), and their largest difference."""
    judged = [check for check in checks if check[0] != NOT_A_GRADIENT]
    bottom = TOP + len(checks) - 1
    top = bottom - len(judged) + 1
    verdicts, differences = f"$J${top}:$J${bottom}", f"$H${top}:$H${bottom}"
    verdict = _overall_verdict(plan, passes, judged, verdicts)
    largest = _largest(plan, judged, verdicts, differences)
    tab.ws.merge_cells(start_row=VERDICT_ROW, end_row=VERDICT_ROW, start_column=1, end_column=6)
    apply(tab.put(VERDICT_ROW, 1, verdict), "verdict")
    apply(tab.put(VERDICT_ROW, 7, "largest difference"), "header")
    apply(tab.put(VERDICT_ROW, 8, largest), "result", DIFFERENCE)
    tab.ws.row_dimensions[VERDICT_ROW].height = 22
    differ, lost = (f'COUNTIF({verdicts},"{one}")' for one in (DIFFERS, NO_NUMBER))
    verdict_rules(tab.ws, f"A{VERDICT_ROW}:F{VERDICT_ROW}", f"{differ}+{lost}=0", f"{differ}>0")
    sheet = quote_sheetname(tab.ws.title)
    return Landmarks(
        Formula(f"={sheet}!$A${VERDICT_ROW}", verdict.value), Formula(f"={sheet}!$H${VERDICT_ROW}", largest.value)
    )


def _overall_verdict(plan: Plan, passes: Passes, judged: Sequence[tuple[str, Number]], verdicts: str) -> Formula:
    def count(verdict: str) -> tuple[str, int]:
        return f'COUNTIF({verdicts},"{verdict}")', sum(found == verdict for found, _ in judged)

    (differ, differing), (lost, missing), (bend, bends) = map(count, (DIFFERS, NO_NUMBER, KINK))
    good, bad = _all_agree(plan, passes), f" of {len(judged)} gradients differ from central differences"
    agree = f'"{good}"'
    if _has_kinks(plan):
        agree += f'&IF({bend}>0,"; at a kink: "&{bend},"")'
        good += f"; at a kink: {bends}" if bends else ""
    return Formula(
        f'=IF({lost}>0,"{NOWHERE}",IF({differ}>0,{differ}&"{bad}",{agree}))',
        NOWHERE if missing else f"{differing}{bad}" if differing else good,
    )


def _largest(plan: Plan, judged: Sequence[tuple[str, Number]], verdicts: str, differences: str) -> Formula:
    """The largest difference in size, kinks left out."""
    high, low = f"MAX({differences})", f"MIN({differences})"
    if _has_kinks(plan):
        # ABS of a range, or MAX of an IF, would want array entry
        high, low = (f'SUMPRODUCT({end}(({verdicts}<>"{KINK}")*{differences}))' for end in ("MAX", "MIN"))
    text = f'=IFERROR(MAX({high},-{low}),"{NO_NUMBER}")'
    if any(isinstance(difference, ExcelError) for _, difference in judged):
        return Formula(text, NO_NUMBER)
    return Formula(text, max(abs(float(away)) if verdict != KINK else 0.0 for verdict, away in judged))


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
            "the left and another on the right; the central difference lies between them, the gradient may be either."
        )
    if spec.batch == "online" and len(spec.inputs) > 1:
        yield "batch = online: E is the loss of the one sample that the chosen step uses."
    elif len(spec.inputs) > 1:
        yield f"E is the mean over the {len(spec.inputs)} samples; [k] marks the columns of sample k."
    if len(passes.moved) < len(trained):
        yield (
            f"{len(passes.moved)} of {len(trained)} parameters are checked, evenly spread: this tab keeps to "
            f"{MAX_CELLS:,} cells, and a check of all would take {passes.cells_of_all:,}."
        )
