"""What each activation, loss and optimizer is, in sympy: one row each.

Adding one is a row here, a row of its options in `catalog`, and the grid of tests picks it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import Expr, Integer, Piecewise, Symbol, exp, sqrt, tanh

from sheetgen.maths.algebra import chain, log1p, logit_loss, logsumexp, sigmoid, total
from sheetgen.spec.structure import Spec

# torch.nn.Softplus is linear beyond this (its argument `threshold`).
SOFTPLUS_THRESHOLD = 20

# name -> the activation of the net input x. At 0, relu and leaky_relu have PyTorch's derivative: that of the
# side x <= 0. softmax is not here: it needs the whole layer (see derive).
ACTIVATIONS: Mapping[str, Callable[[Expr, Mapping[str, float]], Expr]] = {
    "sigmoid": lambda x, options: sigmoid(x),
    "tanh": lambda x, options: tanh(x),
    "relu": lambda x, options: Piecewise((x, x > 0), (Integer(0), True)),
    "leaky_relu": lambda x, options: Piecewise((x, x > 0), (sympy.Float(options["negative_slope"]) * x, True)),
    "softplus": lambda x, options: Piecewise((x, x > SOFTPLUS_THRESHOLD), (log1p(exp(x)), True)),
    "identity": lambda x, options: x,
}


@dataclass(frozen=True)
class Loss:
    """One loss: `of_activation(t, a)` or, where that is stable only from the logits, `of_nets(t, nets, k)`.

    Either is the part of output k; the loss of a sample is their sum or, where `mean` is true and the spec's reduction
    is "mean", their mean.
    `text` is the definition as a reader knows it.
    """

    text: str
    mean: bool = False
    of_activation: Callable[[Expr, Expr], Expr] | None = None
    of_nets: Callable[[Expr, Sequence[Expr], int], Expr] | None = None


LOSSES: Mapping[str, Loss] = {
    "half_squared_error": Loss("Ek = ½·(tk − a_ok)²", of_activation=lambda t, a: (t - a) ** 2 / 2),
    "mse": Loss("Ek = (tk − a_ok)²", mean=True, of_activation=lambda t, a: (t - a) ** 2),
    "binary_cross_entropy": Loss(
        "Ek = −(tk·ln a_ok + (1 − tk)·ln(1 − a_ok)) = ln(1 + exp(ok)) − tk·ok",
        mean=True,
        of_nets=lambda t, nets, k: logit_loss(nets[k], t),
    ),
    "cross_entropy": Loss(
        "Ek = −tk·ln a_ok = tk·(ln Σ exp(oj) − ok)", of_nets=lambda t, nets, k: chain(t, logsumexp(*nets) - nets[k])
    ),
}


RATE = Symbol("η")
STEP = Symbol("step")
# option of torch.optim -> the letter that stands for it in formulas
SETTINGS: Mapping[str, Symbol] = {
    "momentum": Symbol("μ"),
    "dampening": Symbol("τ"),
    "alpha": Symbol("α"),
    "beta1": Symbol("β1"),
    "beta2": Symbol("β2"),
    "eps": Symbol("ε"),
    "weight_decay": Symbol("λ"),
    "lr_decay": Symbol("κ"),
    "initial_accumulator_value": Symbol("G0"),
}
MU, DAMPENING, ALPHA, BETA1, BETA2, EPS, DECAY, RATE_DECAY, START_SUM = SETTINGS.values()
# options that add a term only when they are not zero
OPTIONAL_SETTINGS = ("dampening", "weight_decay", "lr_decay", "initial_accumulator_value")

States = Mapping[str, Expr]


@dataclass(frozen=True)
class Rule:
    """One optimizer's update of a parameter p whose gradient is g, as torch.optim defines it.

    `states` maps each state's name to its next value, from its value so far and g; `update(p, g, new)` gives the
    next p from the *next* states. `shared` maps the name of a running product, common to all parameters and 1 at
    the start, to its factor. `starts` gives the states that do not start at 0. `decoupled` weight decay shrinks p
    itself instead of adding to g.
    """

    text: str
    update: Callable[[Expr, Expr, States], Expr]
    states: Mapping[str, Callable[[Expr, Expr], Expr]] = field(default_factory=dict)
    starts: Mapping[str, Symbol] = field(default_factory=dict)
    shared: Mapping[str, Symbol] = field(default_factory=dict)
    decoupled: bool = False


def _adam(text: str, *, decoupled: bool) -> Rule:
    """Kingma and Ba 2015, algorithm 1, with ε where torch.optim.Adam adds it: after the bias correction."""
    return Rule(
        text,
        states={
            "m": lambda m, g: total(chain(BETA1, m), chain(1 - BETA1, g)),
            "v": lambda v, g: total(chain(BETA2, v), chain(1 - BETA2, g, g)),
        },
        update=lambda p, g, new: (
            p - chain(RATE, new["m"]) / (1 - new["β1ᵗ"]) / total(sqrt(new["v"] / (1 - new["β2ᵗ"])), EPS)
        ),
        shared={"β1ᵗ": BETA1, "β2ᵗ": BETA2},
        decoupled=decoupled,
    )


_VELOCITY = {"v": lambda v, g: total(chain(MU, v), g)}
OPTIMIZERS: Mapping[str, Rule] = {
    "sgd": Rule("w ← w − η·g", update=lambda p, g, new: p - chain(RATE, g)),
    "momentum": Rule("v ← μ·v + g,  w ← w − η·v", states=_VELOCITY, update=lambda p, g, new: p - chain(RATE, new["v"])),
    "nesterov": Rule(
        "v ← μ·v + g,  w ← w − η·(g + μ·v)",
        states=_VELOCITY,
        update=lambda p, g, new: p - chain(RATE, total(g, chain(MU, new["v"]))),
    ),
    "rmsprop": Rule(
        "s ← α·s + (1 − α)·g²,  w ← w − η·g / (√s + ε)",
        states={"s": lambda s, g: total(chain(ALPHA, s), chain(1 - ALPHA, g, g))},
        update=lambda p, g, new: p - chain(RATE, g) / total(sqrt(new["s"]), EPS),
    ),
    "adagrad": Rule(
        "s ← s + g²,  w ← w − η·g / (√s + ε)",
        states={"s": lambda s, g: total(s, chain(g, g))},
        update=lambda p, g, new: p - chain(RATE, g) / total(sqrt(new["s"]), EPS),
        starts={"s": START_SUM},
    ),
    "adam": _adam(
        "m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²,  w ← w − η·m/(1 − β1ᵗ) / (√(v/(1 − β2ᵗ)) + ε)", decoupled=False
    ),
    "adamw": _adam(
        "m ← β1·m + (1 − β1)·g,  v ← β2·v + (1 − β2)·g²,  w ← w·(1 − η·λ) − η·m/(1 − β1ᵗ) / (√(v/(1 − β2ᵗ)) + ε)",
        decoupled=True,
    ),
}


def averages(spec: Spec) -> bool:
    """Whether the loss of a sample is the mean over its outputs, and not their sum."""
    return LOSSES[spec.loss].mean and spec.reduction == "mean"


def used_settings(options: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """The options that occur in the formulas: all but the terms switched off by a zero."""
    return tuple(name for name, value in options if value or name not in OPTIONAL_SETTINGS)
