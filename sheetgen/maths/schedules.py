"""What each schedule makes of the learning rate, in sympy: one row each, as torch.optim.lr_scheduler defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Expr, Min, Mod, Piecewise, Symbol

from sheetgen.maths.algebra import before, chain, cos_pi, total
from sheetgen.maths.rules import RATE, STEP
from sheetgen.spec.structure import Schedule

__all__ = ["RATE_NOW", "SCHEDULES", "SETTINGS", "rate_formulas"]

RATE_NOW = Symbol("rate")
"""The column of the rate of a row, with which its update is made."""

# option of torch.optim.lr_scheduler -> the letter that stands for it in formulas
SETTINGS: Mapping[str, Symbol] = {
    "step_size": Symbol("k"),
    "gamma": Symbol("γ"),
    "T_max": Symbol("T"),
    "eta_min": Symbol("η_min"),
    "total_steps": Symbol("N"),
    "pct_start": Symbol("p"),
    "div_factor": Symbol("d"),
    "final_div_factor": Symbol("f"),
    "decay": Symbol("ρ"),
}
SIZE, GAMMA, HALF, LEAST, STEPS, SHARE, DIVISOR, LAST_DIVISOR, DECAY = SETTINGS.values()

Anneal = Callable[[Expr, Expr, Expr], Expr]
# anneal_strategy -> the way from one rate to another, of which the third argument has gone by
_WAYS: Mapping[str, Anneal] = {
    "cos": lambda start, end, gone: total(end, chain(start - end, 1 + cos_pi(gone)) / 2),
    "linear": lambda start, end, gone: total(start, chain(end - start, gone)),
}


def _one_cycle(way: Anneal) -> Expr:
    """Up to η and down again; beyond the last step, which torch refuses, the rate stays."""
    now = Min(STEP, STEPS - 1, evaluate=False)
    turn, lowest = SHARE * STEPS - 1, RATE / DIVISOR
    up = way(lowest, RATE, now / turn)
    down = way(RATE, lowest / LAST_DIVISOR, (now - turn) / (STEPS - 1 - turn))
    return Piecewise((up, now <= turn), (down, True))


_ABOVE = before(RATE_NOW)
# name -> its definition as a reader knows it, and the rate of row 0 and of every later row
SCHEDULES: Mapping[str, tuple[str, Callable[[Schedule], tuple[Expr, Expr]]]] = {
    "step": (
        "η·γ^⌊step/k⌋: times γ after every k steps",
        lambda schedule: (RATE, Piecewise((chain(_ABOVE, GAMMA), Mod(STEP, SIZE) < 1), (_ABOVE, True))),
    ),
    "exponential": ("η·γ^step: times γ after every step", lambda schedule: (RATE, chain(_ABOVE, GAMMA))),
    "cosine": (
        "η_min + (η − η_min)·(1 + cos(π·step/T))/2",
        lambda schedule: _alike(total(LEAST, chain(RATE - LEAST, 1 + cos_pi(STEP / HALF)) / 2)),
    ),
    "one_cycle": (
        "from η/d up to η until step p·N − 1, then down to η/(d·f) at step N − 1",
        lambda schedule: _alike(_one_cycle(_WAYS[schedule.anneal_strategy])),
    ),
    "inverse_time": ("η/(1 + ρ·step)", lambda schedule: _alike(RATE / (1 + DECAY * STEP))),
}


def _alike(expr: Expr) -> tuple[Expr, Expr]:
    return expr, expr


def rate_formulas(schedule: Schedule) -> tuple[Expr, Expr]:
    """The rate of row 0, and of every later row."""
    return SCHEDULES[schedule.name][1](schedule)
