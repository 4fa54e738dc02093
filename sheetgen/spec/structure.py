"""The frozen values that a spec is: layers, optimizers, runs, and the whole."""

from dataclasses import dataclass, field, replace

__all__ = ["Layer", "Matrix", "Optimizer", "Published", "Run", "Shape", "Spec", "Tensor", "rate_label"]

Matrix = tuple[tuple[float, ...], ...]
Shape = tuple[int, ...]
Setting = str | int | float | bool | Shape


@dataclass(frozen=True)
class Tensor:
    """The start values of one of a layer's parameters, under torch's name, flattened as torch does (the last index
    fastest)."""

    name: str
    shape: Shape
    values: tuple[float, ...]
    trained: bool = True

    @property
    def letter(self) -> str:
        """What its entries are called: w of weights, b of biases.

        >>> Tensor("weights_ih", (1,), (0.5,)).letter, Tensor("bias", (1,), (0.5,)).letter
        ('w', 'b')
        """
        return self.name[0]


@dataclass(frozen=True)
class Layer:
    """One layer of a kind; `units` are the numbers that it gives.

    A linear one is fully connected: `weights` has shape (units, inputs) and `bias` (units,), as in torch.nn.Linear;
    `bias` is None for a layer without one. Other kinds have no such matrix: their parameters are `tensors`, their
    sizes `options`, and they take and give numbers of the shapes `taken` and `given`, flattened as torch does.
    `negative_slope` matters to leaky_relu only.
    """

    units: int
    activation: str
    weights: Matrix = ()
    bias: tuple[float, ...] | None = None
    train_bias: bool = True
    negative_slope: float = 0.01
    kind: str = "linear"
    options: tuple[tuple[str, Setting], ...] = ()
    tensors: tuple[Tensor, ...] = ()
    taken: Shape = ()
    given: Shape = ()

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The start values of every parameter, in the order in which they are numbered."""
        if self.kind != "linear":
            return self.tensors
        shape = (self.units, len(self.weights[0]))
        weights = Tensor("weights", shape, tuple(value for row in self.weights for value in row))
        return (weights, *([Tensor("bias", shape[:1], self.bias, self.train_bias)] if self.bias is not None else ()))

    @property
    def active(self) -> bool:
        """Whether it has net inputs and an activation of them."""
        return self.kind in ("linear", "conv1d", "conv2d", "rnn")

    def count(self, letter: str) -> int:
        """How many weights ("w") or biases ("b") it has."""
        return sum(len(tensor.values) for tensor in self.parameters if tensor.letter == letter)

    def with_parameters(self, parameters: tuple[Tensor, ...]) -> "Layer":
        """The layer with other start values."""
        if self.kind != "linear":
            return replace(self, tensors=parameters)
        weights, *bias = parameters
        width = weights.shape[1]
        rows = tuple(weights.values[at : at + width] for at in range(0, len(weights.values), width))
        return replace(self, weights=rows, bias=bias[0].values if bias else None)

    def sizes(self, name: str) -> Shape:
        """An option that is a size per axis, such as kernel_size."""
        value = dict(self.options)[name]
        assert isinstance(value, tuple)
        return value

    def option(self, name: str) -> Setting:
        """The option's value; KeyError if this kind has no such option."""
        return dict(self.options)[name]


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
    `pictures` is false for a workbook without the tabs Map and Landscape, which are three quarters of a small one.
    `shape` is that of a sample's inputs, () where they are a plain row.
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
    pictures: bool = True
    source: str = field(default="", compare=False, repr=False)
    folder: str = field(default="", compare=False, repr=False)
    shape: Shape = ()

    @property
    def dense(self) -> bool:
        """Whether every layer is fully connected."""
        return all(layer.kind == "linear" for layer in self.layers)

    @property
    def plain(self) -> bool:
        """Whether every layer is fully connected, and reads the data as it was given: all of it, or in turns of one."""
        return self.dense and not self.scale and isinstance(self.batch, str)

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
