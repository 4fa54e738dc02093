"""What a spec may name (activations, losses, optimizers and their options), and the ranges of its numbers."""

import math
from dataclasses import dataclass

# Excel has 1,048,576 rows; a training tab keeps up to 16 of them above its table.
MAX_STEPS = 1_048_576 - 16
# Excel's number of columns; every weight and bias has one on its training tab.
MAX_COLUMNS = 16_384
# Compare draws one series per rate, and an Excel chart holds 255; the Network tab picks a rate's tab by CHOOSE, which
# takes 254.
MAX_RATES = 254
# Tab Inputs has two rows for each, one of its numbers and one of its text.
MAX_SAMPLES = 100_000
# How many columns a formula of 8,192 characters can name, as in A8*B8+...: two characters each beside the letters, of
# which 26 columns have one and 676 two.
MAX_NAMED = 1_784


@dataclass(frozen=True)
class Range:
    """An interval of finite numbers; `open_low` and `open_high` leave the end itself out, `whole` all with decimals."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return math.isfinite(number) and above and below and (not self.whole or number == int(number))

    def __str__(self) -> str:
        """In words.

        >>> str(Range(0, 1, open_high=True)), str(Range(0, open_low=True)), str(Range())
        ('at least 0 and below 1', 'above 0', 'finite')
        """
        low = f"{'above' if self.open_low else 'at least'} {self.low:g}"
        high = f"{'below' if self.open_high else 'at most'} {self.high:g}"
        ends = [text for text, end in ((low, self.low), (high, self.high)) if math.isfinite(end)]
        return ("whole and " if self.whole else "") + (" and ".join(ends) or "finite")


FINITE = Range()
POSITIVE = Range(0, open_low=True)
NON_NEGATIVE = Range(0)
FRACTION = Range(0, 1, open_high=True)
SHARE = Range(0, 1, open_low=True, open_high=True)


@dataclass(frozen=True)
class Option:
    """An optimizer's option: its default and range as in torch.optim, and its key (and index) in the TOML."""

    default: float
    allowed: Range
    key: str
    index: int | None = None


def _options(**rows: tuple[float, Range]) -> dict[str, Option]:
    return {name: Option(default, allowed, name) for name, (default, allowed) in rows.items()}


_BETAS = {"beta1": Option(0.9, FRACTION, "betas", 0), "beta2": Option(0.999, FRACTION, "betas", 1)}

# name -> options, named, defaulted and defined as in torch.optim (momentum and nesterov are torch.optim.SGD).
# torch.optim.RMSprop accepts alpha >= 1, where its running mean of squares turns negative: refused here.
OPTIMIZERS: dict[str, dict[str, Option]] = {
    "sgd": _options(weight_decay=(0.0, NON_NEGATIVE)),
    "momentum": _options(momentum=(0.9, NON_NEGATIVE), dampening=(0.0, FINITE), weight_decay=(0.0, NON_NEGATIVE)),
    "nesterov": _options(momentum=(0.9, POSITIVE), weight_decay=(0.0, NON_NEGATIVE)),
    "rmsprop": _options(alpha=(0.99, FRACTION), eps=(1e-8, NON_NEGATIVE), weight_decay=(0.0, NON_NEGATIVE)),
    "adagrad": _options(
        lr_decay=(0.0, NON_NEGATIVE),
        eps=(1e-10, NON_NEGATIVE),
        initial_accumulator_value=(0.0, NON_NEGATIVE),
        weight_decay=(0.0, NON_NEGATIVE),
    ),
    "adam": _BETAS | _options(eps=(1e-8, NON_NEGATIVE), weight_decay=(0.0, NON_NEGATIVE)),
    "adamw": _BETAS | _options(eps=(1e-8, NON_NEGATIVE), weight_decay=(0.01, NON_NEGATIVE)),
}

# name -> options, named and defined as in torch.optim.lr_scheduler (inverse_time is a LambdaLR), with their defaults;
# None where torch has none. The rate of a run is the one to start from, and the max_lr of one_cycle.
_COUNT = Range(1, whole=True)
SCHEDULES: dict[str, dict[str, tuple[float | None, Range]]] = {
    "step": {"step_size": (None, _COUNT), "gamma": (0.1, NON_NEGATIVE)},
    "exponential": {"gamma": (None, NON_NEGATIVE)},
    "cosine": {"T_max": (None, _COUNT), "eta_min": (0.0, NON_NEGATIVE)},
    "one_cycle": {
        "total_steps": (None, _COUNT),
        "pct_start": (0.3, Range(0, 1)),
        "div_factor": (25.0, POSITIVE),
        "final_div_factor": (1e4, POSITIVE),
    },
    "inverse_time": {"decay": (None, NON_NEGATIVE)},
}
ANNEAL_STRATEGIES = ("cos", "linear")

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "identity", "softmax")


@dataclass(frozen=True)
class Kind:
    """The keys of a kind of layer beside `kind`; of its activations the first is the default, () for none."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    activations: tuple[str, ...] = ()


_ANY = ("identity", *(name for name in ACTIVATIONS if name not in ("identity", "softmax")))
_CONV = Kind(
    ("out_channels", "kernel_size", "weights"), ("stride", "padding", "bias", "activation", "negative_slope"), _ANY
)
_POOL = Kind(("kernel_size",), ("stride",))
_NORM = Kind((), ("eps", "weight", "bias"))

# The kinds of layers beside "linear", whose own keys stand in document.
KINDS: dict[str, Kind] = {
    "conv1d": _CONV,
    "conv2d": _CONV,
    "max_pool2d": _POOL,
    "avg_pool2d": _POOL,
    "flatten": Kind(),
    "rnn": Kind(
        ("units", "weights_ih", "weights_hh"),
        ("bias_ih", "bias_hh", "activation", "return_sequences"),
        ("tanh", "relu"),
    ),
    "attention": Kind(("d_k", "weights_q", "weights_k", "weights_v"), ("pooling",)),
    "layer_norm": _NORM,
    "batch_norm": _NORM,
    "residual": Kind(("from",)),
}
POOLINGS = ("mean", "last", "none")


@dataclass(frozen=True)
class Loss:
    """What a loss asks of the last layer and of the targets."""

    activation: str | None = None
    targets: Range = FINITE
    sums_to_one: bool = False
    reason: str = ""


LOSSES: dict[str, Loss] = {
    "half_squared_error": Loss(),
    "mse": Loss(),
    "binary_cross_entropy": Loss("sigmoid", Range(0, 1), reason="it compares probabilities"),
    "cross_entropy": Loss("softmax", Range(0, 1), True, "it compares distributions over classes"),
}

BATCHES = ("full", "online")
SCALES = ("standard", "minmax")
REDUCTIONS = ("mean", "sum")
UPDATES = ("simultaneous", "output_first")

# Tab names that a run may not take (compared without regard to case); Excel keeps History for itself.
RESERVED_TABS = (
    "Start", "Inputs", "Network", "Derivation", "Compare", "Gradient check", "Map", "Map passes", "Landscape",
    "Landscape passes", "Spec", "History",
)  # fmt: skip
# A tab of those workbooks only whose data is split for a test.
TEST_TAB = "Test"
