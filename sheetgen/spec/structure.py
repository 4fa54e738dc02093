"""The frozen values that a spec is: layers, optimizers, runs, and the whole."""

from dataclasses import dataclass, field

__all__ = ["Layer", "Matrix", "Optimizer", "Published", "Run", "Spec", "rate_label"]

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Layer:
    """One fully connected layer; `weights` has shape (units, inputs) and `bias` (units,), as in torch.nn.Linear.

    `bias` is None for a layer without one. `negative_slope` matters to leaky_relu only.
    """

    units: int
    activation: str
    weights: Matrix
    bias: tuple[float, ...] | None = None
    train_bias: bool = True
    negative_slope: float = 0.01


@dataclass(frozen=True)
class Optimizer:
    """An update rule with every option filled in, in the catalog's order (betas as beta1 and beta2).

    Without `decay_bias` its weight decay leaves the biases alone.
    """

    name: str
    options: tuple[tuple[str, float], ...]
    label: str
    decay_bias: bool = True

    def option(self, name: str) -> float:
        """The option's value; KeyError if this optimizer has no such option."""
        return dict(self.options)[name]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes from step to step: its options in the catalog's order.

    `anneal_strategy` matters to one_cycle only.
    """

    name: str
    options: tuple[tuple[str, float], ...]
    anneal_strategy: str = "cos"

    def option(self, name: str) -> float:
        """The option's value; KeyError if this schedule has no such option."""
        return dict(self.options)[name]


@dataclass(frozen=True)
class Published:
    """A number that a book or page prints for `symbol` after `step` updates, shown beside ours."""

    symbol: str
    step: int
    value: float
    note: str = ""


@dataclass(frozen=True)
class Run:
    """One training tab, named `label`."""

    label: str
    rate: float
    optimizer: Optimizer


@dataclass(frozen=True)
class Spec:
    """A network, its data and how it is trained; every number resolved.

    `inputs` has shape (samples, inputs), `targets` (samples, outputs). The state after k updates is step k, so a
    run has steps + 1 rows. `batch` is "full" (every sample in each update), "online" (sample: step mod samples) or
    how many samples take their turn in an update, in their order or, with the seed `shuffle`, in one drawn for each
    pass (see order);
    `updates` is "simultaneous" or "output_first" (the last layer moves before the other gradients are taken).
    The loss is the mean over samples or, with `reduction` "sum", the sum, as in torch.
    Without a `schedule` the rate stays.
    `names` are those of inputs and targets, if they have any. `scale` says what is made of the inputs before the
    network takes them: nothing, "standard" (mean 0 and standard deviation 1 over the samples) or "minmax" (0 to 1).
    The samples of `test_inputs` and `test_targets` are not trained with.
    `source` is the TOML as its author wrote it, if it was read from any, and `folder` where; equal specs may differ.
    """

    title: str
    about: str
    learning_rates: tuple[float, ...]
    steps: int
    inputs: Matrix
    targets: Matrix
    loss: str
    layers: tuple[Layer, ...]
    batch: str | int
    updates: str
    optimizers: tuple[Optimizer, ...]
    threshold: float
    published: tuple[Published, ...]
    reduction: str = "mean"
    schedule: Schedule | None = None
    shuffle: int | None = None
    names: tuple[str, ...] = ()
    scale: str = ""
    test_inputs: Matrix = ()
    test_targets: Matrix = ()
    source: str = field(default="", compare=False, repr=False)
    folder: str = field(default="", compare=False, repr=False)

    @property
    def batch_size(self) -> int:
        """How many samples an update takes, which is how many a row of a training table has."""
        if isinstance(self.batch, int):
            return self.batch
        return 1 if self.batch == "online" else len(self.inputs)

    @property
    def turns(self) -> int:
        """How many updates a pass through the samples takes."""
        return len(self.inputs) // self.batch_size

    @property
    def runs(self) -> tuple[Run, ...]:
        """One run per learning rate or, with several optimizers (then there is one rate), one per optimizer."""
        if len(self.optimizers) > 1:
            return tuple(Run(one.label, self.learning_rates[0], one) for one in self.optimizers)
        return tuple(Run(rate_label(rate), rate, self.optimizers[0]) for rate in self.learning_rates)


def rate_label(rate: float) -> str:
    """The tab name of a learning rate, which has the 15 digits that Excel shows.

    >>> rate_label(0.1), rate_label(2.0), rate_label(1e-05), rate_label(0.1 + 0.2)
    ('lr 0.1', 'lr 2', 'lr 1e-05', 'lr 0.3')
    """
    return f"lr {rate:.15g}"
