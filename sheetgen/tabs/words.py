"""What the tabs call things, for a reader."""

from collections.abc import Mapping

from sheetgen.maths.network import Parameter, layer_prefix
from sheetgen.maths.rules import OPTIMIZERS, used_settings
from sheetgen.maths.schedules import SCHEDULES
from sheetgen.spec.structure import Optimizer, Spec
from sheetgen.tabs.kind_words import parameter_words

# kind of column -> the group it stands under
KINDS: Mapping[str, str] = {
    "step": "",
    "rate": "",
    "data": "data",
    "parameter": "weights",
    "net": "units",
    "softmax": "units",
    "part": "units",
    "out": "units",
    "error": "loss",
    "total": "loss",
    "delta": "δ = ∂E/∂net",
    "gradient": "gradients",
    "next": "already updated",
    "shared": "optimizer state",
    "state": "optimizer state",
}

# option of torch.optim or its lr_scheduler -> its name in words
OPTIONS: Mapping[str, str] = {
    "learning_rate": "learning rate",
    "momentum": "momentum",
    "dampening": "dampening",
    "alpha": "alpha",
    "beta1": "beta 1",
    "beta2": "beta 2",
    "eps": "eps",
    "weight_decay": "weight decay",
    "lr_decay": "rate decay",
    "initial_accumulator_value": "start of the sum",
    "step_size": "step size",
    "gamma": "gamma",
    "T_max": "steps down",
    "eta_min": "lowest rate",
    "total_steps": "steps in all",
    "pct_start": "rising share",
    "div_factor": "first divisor",
    "final_div_factor": "last divisor",
    "decay": "decay",
}

LOSS_WORDS: Mapping[str, str] = {
    "half_squared_error": "half the squared error, summed over the outputs",
    "mse": "mean squared error",
    "binary_cross_entropy": "binary cross-entropy",
    "cross_entropy": "cross-entropy",
}


def loss_words(spec: Spec) -> str:
    """What the loss of a row is."""
    words = LOSS_WORDS[spec.loss]
    if spec.reduction == "mean":
        return words
    alone = words.removeprefix("mean ").removesuffix(", summed over the outputs")
    return f"{alone}, summed over outputs and samples"


def update_words(spec: Spec, optimizer: Optimizer) -> str:
    """The rule by which an optimizer moves a parameter, and what the spec asks for beside it."""
    parts = [OPTIMIZERS[optimizer.name].text]
    if "dampening" in used_settings(optimizer.options):
        parts.append("from the second update on with (1 − τ)·g in place of g in v")
    if not optimizer.decay_bias:
        parts.append("weight decay for weights only")
    if spec.schedule:
        parts.append("η is the rate of the row")
    return ";  ".join(parts)


def schedule_words(spec: Spec) -> str:
    """How the rate of a row comes about; "" where it stays."""
    return f"rate: {SCHEDULES[spec.schedule.name][0]}" if spec.schedule else ""


def rate_words(cell: str) -> str:
    """The formula text of a learning rate in words: to 9 decimals or 7 digits, so that every program writes it alike.

    >>> rate_words("$B$4")[:50]
    'IF(AND($B$4>=0.0001,$B$4<1000000),ROUND($B$4,9),RO'
    """
    exponent = f"INT(ROUND(LOG10({cell}),9))"
    return f'IF(AND({cell}>=0.0001,{cell}<1000000),ROUND({cell},9),ROUND({cell}/10^{exponent},6)&"e"&{exponent})'


ACTIVATION_WORDS: Mapping[str, str] = {
    "sigmoid": "sigmoid(x) = 1/(1 + exp(−x)); its slope is a·(1 − a), where a is its value. The cells compute "
    "exp(x)/(1 + exp(x)) for x < 0: the same number, and it cannot overflow.",
    "tanh": "tanh(x) = (exp(x) − exp(−x))/(exp(x) + exp(−x)); its slope is 1 − a², where a is its value.",
    "relu": "relu(x) = x for x > 0, else 0; its slope is 1 for x > 0, else 0 (at 0 too, as in PyTorch).",
    "leaky_relu": "leaky_relu(x) = x for x > 0, else a small slope times x (at 0 that slope, as in PyTorch).",
    "softplus": "softplus(x) = ln(1 + exp(x)), and x itself beyond 20, as in PyTorch; its slope is sigmoid(x).",
    "identity": "identity(x) = x; its slope is 1.",
    "softmax": "softmax: a_ok = exp(ok)/Σ exp(oj). The largest oj is subtracted first: the same number, and nothing "
    "overflows.",
}


def parameter_path(spec: Spec, parameter: Parameter) -> str:
    """Where a parameter stands: "h1 → o1", or "bias of h1"."""
    if not spec.dense:
        return parameter_words(spec, parameter)
    layers = len(spec.layers)
    unit = f"{layer_prefix(layers, parameter.layer)}{parameter.unit + 1}"
    if parameter.source is None:
        return f"bias of {unit}"
    prefix = "i" if parameter.layer == 0 else layer_prefix(layers, parameter.layer - 1)
    return f"{prefix}{parameter.source + 1} → {unit}"
