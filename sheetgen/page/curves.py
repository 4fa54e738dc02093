"""The losses of every run as a picture, drawn from the numbers before a workbook is opened: SVG and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sheetgen.errors import ExcelError
from sheetgen.tabs.plan import Plan
from sheetgen.xlsx.charts import look, tick

__all__ = ["Curve", "curves_of", "legend", "picture"]

WIDTH, HEIGHT = 480, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 460, 12, 238
# DrawingML's dashes, as the charts of the workbook have them, in widths of the line.
DASH = {"solid": "", "dash": "4 3", "sysDot": "1 1", "dashDot": "4 3 1 3", "lgDash": "8 3", "sysDash": "3 1"}
DASH |= {"lgDashDot": "8 3 1 3", "sysDashDot": "3 1 1 1"}
MOST_TICKS = 6


@dataclass(frozen=True)
class Curve:
    """A run's label and its loss at each of the steps; an error of Excel where it left the range of numbers."""

    label: str
    steps: Sequence[float]
    losses: Sequence[float | ExcelError]

    @property
    def end(self) -> str:
        """The last loss as the command prints it."""
        last = self.losses[-1]
        return "diverged" if isinstance(last, ExcelError) else f"{last:.9g}"

    @property
    def points(self) -> list[tuple[float, float]]:
        """The step and the loss wherever there is a number."""
        return [(x, float(y)) for x, y in zip(self.steps, self.losses, strict=True) if not isinstance(y, ExcelError)]


def curves_of(plan: Plan) -> list[Curve]:
    """Every run's loss at the steps that the workbook's charts draw."""
    lines = [(one.run.label, one.line(plan.network.total)) for one in plan.trainings]
    return [Curve(label, line.xs, line.ys) for label, line in lines]


def picture(curves: Sequence[Curve]) -> str:
    """An SVG of all curves above the steps, logarithmic if every loss is above 0.

    >>> picture([Curve("lr 1", [0, 1], [0.1, 0.01])]).count("<polyline")
    1
    """
    points = [point for curve in curves for point in curve.points]
    logarithmic = all(y > 0 for _, y in points)
    heights = [math.log10(y) if logarithmic else y for _, y in points] or [0.0]
    last = max((x for x, _ in points), default=0) or 1
    marks = _decades(heights) if logarithmic else _marks(min(0.0, *heights), max(heights))
    low, high = min(*marks, *heights), max(*marks, *heights)

    def across(x: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * x / last:.1f}"

    def up(height: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * (height - low) / ((high - low) or 1):.1f}"

    said = "; ".join(f"{curve.label}: {curve.end}" for curve in curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="13" fill="#333"><title>{escape(f"Loss after {last:,.0f} updates: {said}")}</title>'
    ]
    for mark in marks:
        text = f"{10**mark:.0e}".replace("e-0", "e-").replace("e+0", "e+") if logarithmic else f"{mark:.6g}"
        parts.append(f'<path d="M{LEFT} {up(mark)}H{RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(mark)}" dy="4" text-anchor="end">{text}</text>')
    for mark in _marks(0, last):
        parts.append(f'<text x="{across(mark)}" y="{BOTTOM + 17}" text-anchor="middle">{mark:,.6g}</text>')
    scale = "loss, logarithmic" if logarithmic else "loss"
    parts.append(f'<text x="{(LEFT + RIGHT) // 2}" y="{HEIGHT - 6}" text-anchor="middle">updates; {scale}</text>')
    for at, curve in enumerate(curves):
        drawn = " ".join(f"{across(x)},{up(math.log10(y) if logarithmic else y)}" for x, y in curve.points)
        parts.append(f'<polyline fill="none" points="{drawn}" {_stroke(at)}/>')
    return "".join([*parts, "</svg>"])


def legend(curves: Sequence[Curve]) -> str:
    """An HTML list of the curves' looks, labels and last losses."""
    items = [
        f'<li><svg viewBox="0 0 24 8" aria-hidden="true"><path d="M0 4H24" {_stroke(at)}/></svg>'
        f"{escape(curve.label)}: {escape(curve.end)}</li>"
        for at, curve in enumerate(curves)
    ]
    return f"<ul>{''.join(items)}</ul>"


def _stroke(at: int) -> str:
    colour, dash = look(at)
    dashed = f' stroke-dasharray="{DASH[dash]}"' if DASH[dash] else ""
    return f'stroke="#{colour}" stroke-width="2"{dashed}'


def _decades(heights: Sequence[float]) -> list[float]:
    """Powers of ten around the heights, at most so many."""
    first, last = math.floor(min(heights)), math.ceil(max(heights))
    stride = max(1, -(-(last - first) // MOST_TICKS))
    return [float(one) for one in range(first, max(last, first + 1) + 1, stride)]


def _marks(low: float, high: float) -> list[float]:
    """Round numbers from low to high."""
    step = tick((high - low) or 1.0, MOST_TICKS)
    return [step * k for k in range(math.floor(low / step), math.floor(high / step) + 1)]
