"""The same training by PyTorch in float64: autograd for the gradients, torch.optim for the updates.

It shares no code with what writes the workbook: every number comes from torch, under the name that its column has
there. torch is imported only when a training starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sheetgen.check.referee_layers import FORWARD, Passed, residual
from sheetgen.spec.order import order
from sheetgen.spec.structure import Layer, Run, Schedule, Spec
from sheetgen.spec.structure import Tensor as Start

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["one_thread", "retrain"]

# name -> class in torch.optim, the arguments that make it this optimizer, and its states by the letter of their columns
_OPTIMIZERS: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, str]]] = {
    "sgd": ("SGD", {}, {}),
    "momentum": ("SGD", {}, {"v": "momentum_buffer"}),
    "nesterov": ("SGD", {"nesterov": True}, {"v": "momentum_buffer"}),
    "rmsprop": ("RMSprop", {}, {"s": "square_avg"}),
    "adagrad": ("Adagrad", {}, {"s": "sum"}),
    "adam": ("Adam", {}, {"m": "exp_avg", "v": "exp_avg_sq"}),
    "adamw": ("AdamW", {}, {"m": "exp_avg", "v": "exp_avg_sq"}),
}


@dataclass
class _Forward:
    """One forward pass over samples: what every layer did, and the loss."""

    passed: list[Passed] = field(default_factory=list)
    parts: Tensor = field(init=False)
    loss: Tensor = field(init=False)

    def nets(self, layers: Sequence[int]) -> list[tuple[list[str], Tensor]]:
        """Of some layers, the numbers whose gradients are δ."""
        return [net for at in layers for net in self.passed[at].nets]


def retrain(spec: Spec, run: Run, nudge: float = 0.0, pattern: int = 0) -> Iterator[dict[str, float]]:
    """The numbers of each step, step 0 first, by the names of a training tab's columns.

    They are all that a training tab may show: data, parameters, net inputs, activations, losses, δ, gradients and
    the optimizer's states; with updates = "output_first" also the last layer's values after the update, as w5′.
    Numbers that left the range of floats are inf or nan. ValueError if torch.optim refuses an option.

    With a `nudge`, every parameter is moved by that part of itself (or of 1, if it is smaller) before each step, some
    up and some down, 2**pattern of them in turn, and so is every slope of an activation and of the loss, which may be
    the small difference of two numbers near 1: what that changes tells how much this training amplifies rounding.
    """
    trainer = _Trainer(spec, run, nudge, pattern)
    for step in range(spec.steps + 1):
        trainer.nudge()
        yield trainer.step(step)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread: with tensors this small, several of them only wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Trainer:
    """The parameters as tensors, and the optimizers that move them: one, or one each for hidden and last layers."""

    def __init__(self, spec: Spec, run: Run, nudge: float, pattern: int) -> None:
        import torch

        self._nudge = nudge
        self._pattern = pattern
        self._spec = spec
        self._run = run
        self._inputs = _scaled(spec.scale, torch.tensor(spec.inputs, dtype=torch.float64))
        self._shape = spec.shape or (len(spec.inputs[0]),)
        self._targets = torch.tensor(spec.targets, dtype=torch.float64)
        self._tensors = [{one.name: _parameter(one) for one in layer.parameters} for layer in spec.layers]
        self._names = _names(spec.layers)
        last = len(spec.layers) - 1
        groups = [range(last), range(last, last + 1)] if spec.updates == "output_first" else [range(last + 1)]
        self._groups = [group for group in groups if self._trained(group)]
        self._optimizers = [_optimizer(run, *self._kinds(group)) for group in self._groups]
        schedule = spec.schedule
        self._schedulers = [_scheduler(schedule, run, one) for one in self._optimizers] if schedule else []

    def _trained(self, layers: Sequence[int]) -> list[Tensor]:
        weights, biases = self._kinds(layers)
        return weights + biases

    def _kinds(self, layers: Sequence[int]) -> tuple[list[Tensor], list[Tensor]]:
        """The weights and the biases that are trained."""
        trained = [pair for at in layers for pair in self._tensors[at].items() if pair[1].requires_grad]
        weights = [tensor for name, tensor in trained if _letter(name) == "w"]
        return weights, [tensor for name, tensor in trained if _letter(name) == "b"]

    def step(self, step: int) -> dict[str, float]:
        """The numbers before the update, which is then made."""
        import torch

        used = self._samples(step)
        inputs, targets = self._inputs[used], self._targets[used]
        forward = self._forward(inputs, targets)
        row: dict[str, float] = {"step": float(step), "E_total": forward.loss.item()}
        if self._schedulers:
            row["rate"] = float(self._optimizers[0].param_groups[0]["lr"])
        row |= _per_sample(["s"], torch.tensor([[number + 1] for number in used]))
        for letter, table in (("i", inputs), ("t", targets), ("E", forward.parts)):
            row |= _per_sample([f"{letter}{place + 1}" for place in range(table.shape[1])], table)
        for passed in forward.passed:
            for names, shown in passed.shown:
                row |= _per_sample(names, shown)
        row |= _softmax_scale(forward.nets([len(self._spec.layers) - 1])[0][1])
        row |= self._parameters_now() | self._states(step)
        if self._spec.updates == "output_first":
            deltas, after = self._update_output_first(forward, step)
            row |= after
        else:
            deltas = self._update_together(forward)
        for scheduler in self._schedulers if step + 1 < self._ends else ():
            scheduler.step()
        for names, delta in deltas:
            counted = delta * (len(used) if self._spec.reduction == "mean" else 1)
            row |= _per_sample([f"δ_{name}" for name in names], counted)
        return row | self._gradients()

    def _samples(self, step: int) -> list[int]:
        """Which samples the update takes: their pass has its order, and in it they follow each other."""
        size, count = self._spec.batch_size, len(self._inputs)
        passes, first = divmod(step * size, count)
        if self._spec.shuffle is None:
            return list(range(first, first + size))
        return [order(self._spec)[place][passes] - 1 for place in range(first, first + size)]

    @property
    def _ends(self) -> int:
        """The step whose rate is no other than the one before: with as many steps as rows, OneCycleLR has none left."""
        schedule = self._spec.schedule
        last = schedule and schedule.name == "one_cycle" and schedule.option("total_steps") == self._spec.steps
        return self._spec.steps + (0 if last else 1)

    def nudge(self) -> None:
        """Move every parameter a little."""
        import torch

        with torch.no_grad():
            for _, tensor in self._named() if self._nudge else ():
                tensor += self._alternating(tensor) * tensor.abs().clamp(min=1)

    def _alternating(self, like: Tensor) -> Tensor:
        """The nudge, up and down by the pattern, in the shape of a tensor."""
        import torch

        return self._nudge * (1.0 - 2.0 * ((torch.arange(like.numel()) >> self._pattern) % 2)).reshape(like.shape)

    def _forward(self, inputs: Tensor, targets: Tensor) -> _Forward:

        forward = _Forward()
        # The gradient of a layer that trains nothing is asked for too.
        value = inputs.reshape(len(inputs), *self._shape).clone().requires_grad_()
        for at, (layer, tensors) in enumerate(zip(self._spec.layers, self._tensors, strict=True)):
            prefix = _prefix(len(self._spec.layers), at)
            if layer.kind == "residual":
                earlier = forward.passed[int(str(layer.option("from")))].out
                forward.passed.append(residual(prefix, value, earlier, self._wiggle))
            else:
                forward.passed.append(FORWARD[layer.kind](layer, tensors, prefix, value, self._wiggle))
            value = forward.passed[-1].out
        [(_, net)] = forward.passed[-1].nets
        forward.parts, loss = _loss(self._spec, net, value, targets)
        forward.loss = loss + self._wiggle(net).sum() / len(targets)
        return forward

    def _wiggle(self, net: Tensor) -> Tensor:
        """Not a number, for it is 0, but the slope that autograd finds of it: the nudge."""
        return self._alternating(net) * (net - net.detach()) if self._nudge else net.new_zeros(())

    def _update_together(self, forward: _Forward) -> list[tuple[list[str], Tensor]]:
        """Autograd's gradients and one step of the optimizer; returns the gradients of the net inputs."""
        every = range(len(self._spec.layers))
        trained, nets = self._trained(every), forward.nets(every)
        found = _gradients(forward.loss, [*trained, *(net for _, net in nets)])
        for tensor, gradient in zip(trained, found, strict=False):
            tensor.grad = gradient
        self._optimizers[0].step()
        return [(names, one) for (names, _), one in zip(nets, found[len(trained) :], strict=True)]

    def _update_output_first(
        self, forward: _Forward, step: int
    ) -> tuple[list[tuple[list[str], Tensor]], dict[str, float]]:
        """The last layer moves; its old net inputs' gradients then go back through its new weights."""
        last = len(self._spec.layers) - 1
        output = self._trained([last])
        [(names, net)] = forward.nets([last])
        found = _gradients(forward.loss, [*output, net])
        for tensor, gradient in zip(output, found, strict=False):
            tensor.grad = gradient
        self._optimizers[-1].step()
        deltas = [(names, found[-1])]
        if last:
            back = found[-1].detach() @ self._tensors[last]["weights"].detach()
            hidden, nets = self._trained(range(last)), forward.nets(range(last))
            fed = forward.passed[last - 1].out
            gradients = _gradients(fed, [*hidden, *(one for _, one in nets)], back.reshape(fed.shape))
            for tensor, gradient in zip(hidden, gradients, strict=False):
                tensor.grad = gradient
            found = gradients[len(hidden) :]
            deltas = [*((names, one) for (names, _), one in zip(nets, found, strict=True)), *deltas]
        moved = self._parameters_now([last]) | self._states(step + 1, [last])
        if len(self._optimizers) > 1:
            self._optimizers[0].step()
        return deltas, {f"{name}′": value for name, value in moved.items()}

    def _named(self, layers: Sequence[int] | None = None) -> Iterator[tuple[list[str], Tensor]]:
        """Each parameter tensor with the names of its entries."""
        for at in range(len(self._spec.layers)) if layers is None else layers:
            yield from zip(self._names[at], self._tensors[at].values(), strict=True)

    def _parameters_now(self, layers: Sequence[int] | None = None) -> dict[str, float]:
        return {n: v for names, t in self._named(layers) for n, v in zip(names, _numbers(t), strict=True)}

    def _gradients(self) -> dict[str, float]:
        return {
            f"∂E/∂{name}": value
            for names, tensor in self._named()
            if tensor.grad is not None
            for name, value in zip(names, _numbers(tensor.grad), strict=True)
        }

    def _states(self, step: int, layers: Sequence[int] | None = None) -> dict[str, float]:
        """The optimizer's states after `step` updates; a tensor that was never updated has none, which is 0."""
        letters = _OPTIMIZERS[self._run.optimizer.name][2]
        states = {tensor: state for optimizer in self._optimizers for tensor, state in optimizer.state.items()}
        row: dict[str, float] = {}
        for names, tensor in self._named(layers):
            for letter, key in letters.items():
                state = states.get(tensor, {}).get(key)
                values = [0.0] * len(names) if state is None else _numbers(state)
                row |= {f"{letter}_{name}": value for name, value in zip(names, values, strict=True)}
        options = dict(self._run.optimizer.options)
        return row | {f"β{k}ᵗ": options[f"beta{k}"] ** step for k in (1, 2) if f"beta{k}" in options}


def _scaled(scale: str, raw: Tensor) -> Tensor:
    """The inputs as the network takes them, as scikit-learn's StandardScaler and MinMaxScaler have them."""
    if scale == "standard":
        return (raw - raw.mean(dim=0)) / raw.std(dim=0, correction=0)
    if scale == "minmax":
        low, high = raw.aminmax(dim=0)
        return (raw - low) / (high - low)
    return raw


def _parameter(one: Start) -> Tensor:
    import torch

    values = torch.tensor(one.values, dtype=torch.float64).reshape(one.shape)
    return values.requires_grad_(one.trained)


def _gradients(of: Tensor, by: Sequence[Tensor], weighed: Tensor | None = None) -> list[Tensor]:
    """Autograd's gradients; 0 where nothing leads to."""
    import torch

    return list(torch.autograd.grad(of, by, weighed, retain_graph=True, materialize_grads=True)) if by else []


def _optimizer(run: Run, weights: list[Tensor], biases: list[Tensor]) -> Any:
    import torch

    kind, fixed, _ = _OPTIMIZERS[run.optimizer.name]
    options = dict(run.optimizer.options)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))  # type: ignore[assignment]
    groups: list[dict[str, Any]] = [{"params": weights}]
    if biases:
        groups.append({"params": biases} | ({} if run.optimizer.decay_bias else {"weight_decay": 0.0}))
    optimizer = getattr(torch.optim, kind)(groups, lr=run.rate, **fixed, **options)

    def keep_velocity(*_: Any) -> None:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                velocity = parameter.grad + group["weight_decay"] * parameter.detach()
                optimizer.state[parameter]["momentum_buffer"] = velocity

    if options.get("momentum") == 0:  # SGD then keeps none
        optimizer.register_step_pre_hook(keep_velocity)
    return optimizer


def _scheduler(schedule: Schedule, run: Run, optimizer: Any) -> Any:
    """The schedule by torch; one_cycle without its cycle of the momentum."""
    from torch.optim import lr_scheduler

    options: dict[str, Any] = dict(schedule.options)
    if schedule.name == "inverse_time":
        return lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + options["decay"] * step))
    if schedule.name == "one_cycle":
        options |= {"total_steps": int(options["total_steps"]), "anneal_strategy": schedule.anneal_strategy}
        return lr_scheduler.OneCycleLR(optimizer, max_lr=run.rate, cycle_momentum=False, **options)
    kinds = {"step": "StepLR", "exponential": "ExponentialLR", "cosine": "CosineAnnealingLR"}
    return getattr(lr_scheduler, kinds[schedule.name])(optimizer, **options)


def _loss(spec: Spec, net: Tensor, out: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The parts by sample and output, and the loss, from the last layer's net inputs and activations."""
    from torch.nn import functional

    squares = functional.mse_loss(out, targets, reduction="none")
    logits = functional.binary_cross_entropy_with_logits
    how = spec.reduction
    count = len(targets) if how == "mean" else 1
    losses: Mapping[str, Callable[[], tuple[Tensor, Tensor]]] = {
        "half_squared_error": lambda: (squares / 2, squares.sum() / 2 / count),
        "mse": lambda: (squares, functional.mse_loss(out, targets, reduction=how)),
        "binary_cross_entropy": lambda: (
            logits(net, targets, reduction="none"), logits(net, targets, reduction=how),
        ),
        "cross_entropy": lambda: (
            -targets * functional.log_softmax(net, 1), functional.cross_entropy(net, targets, reduction=how),
        ),
    }  # fmt: skip
    return losses[spec.loss]()


def _names(layers: Sequence[Layer]) -> list[list[list[str]]]:
    """Per layer and tensor the names of its entries, in torch's order; weights and biases are numbered throughout."""
    counts = {"w": 0, "b": 0}
    names = []
    for layer in layers:
        own = []
        for one in layer.parameters:
            letter = _letter(one.name)
            own.append([f"{letter}{counts[letter] + k + 1}" for k in range(len(one.values))])
            counts[letter] += len(one.values)
        names.append(own)
    return names


def _letter(tensor: str) -> str:
    """What the names of a tensor's entries begin with."""
    return "w" if tensor.startswith("weight") else "b"


def _prefix(layers: int, at: int) -> str:
    """What the names of a layer's numbers begin with: o in the last, h in an only hidden one, else h1_, h2_ …"""
    return "o" if at == layers - 1 else "h" if layers == 2 else f"h{at + 1}_"


def _per_sample(names: list[str], table: Tensor) -> dict[str, float]:
    """The entries of a table (samples, …) of as many numbers as names; several samples are numbered, as in h1[2]."""
    rows = table.flatten(1).tolist()
    ends = [f"[{sample + 1}]" for sample in range(len(rows))] if len(rows) > 1 else [""]
    return {n + end: v for end, row in zip(ends, rows, strict=True) for n, v in zip(names, row, strict=True)}


def _softmax_scale(net: Tensor) -> dict[str, float]:
    """The largest net input of the outputs, and the sum of exp(o − largest), for each sample."""
    largest = net.max(dim=1, keepdim=True).values
    return _per_sample(["max_o"], largest) | _per_sample(["Σexp"], (net - largest).exp().sum(dim=1, keepdim=True))


def _numbers(tensor: Tensor) -> list[float]:
    return [float(value) for value in tensor.detach().flatten().tolist()]
