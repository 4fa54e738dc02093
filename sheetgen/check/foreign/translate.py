"""Between a spec, as sheetgen build reads it, and the network that a table of a stranger's workbook trains."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from sheetgen.check.foreign.network import ACTIVATIONS, Network
from sheetgen.check.foreign.told import Foreign
from sheetgen.errors import CheckError, SpecError
from sheetgen.spec.structure import Layer, Matrix, Optimizer, Spec

__all__ = ["network_of", "solution_of"]

# The loss of a spec -> what it is here, and whether it is the mean over the outputs; all are means over samples.
LOSSES: Mapping[str, tuple[str, bool]] = {
    "half_squared_error": ("half_squared_error", False),
    "mse": ("squared_error", True),
    "binary_cross_entropy": ("binary_cross_entropy", True),
    "cross_entropy": ("cross_entropy", False),
}


def network_of(spec: Spec) -> Network:
    """The network of a spec; SpecError for an optimizer, batch or schedule that is not judged in strangers' tables."""
    if any(one.name != "sgd" for one in spec.optimizers) or spec.batch != "full" or spec.schedule:
        found = f"{spec.optimizers[0].name}, batch {spec.batch!r}"
        found += f", schedule {spec.schedule.name!r}" if spec.schedule else ""
        allowed = 'a table of another hand is judged as one of sgd with batch "full" and one rate'
        raise SpecError(f"--spec: it trains with {found}; {allowed}")
    if not spec.dense:
        kinds = ", ".join(dict.fromkeys(layer.kind for layer in spec.layers))
        raise SpecError(
            f"--spec: its layers are of the kinds {kinds}; a table of another hand is judged as linear ones"
        )
    units = (len(spec.inputs[0]), *(layer.units for layer in spec.layers))
    loss, mean = LOSSES[spec.loss]
    factor = 1.0 if spec.reduction == "sum" else 1 / (len(spec.inputs) * (units[-1] if mean else 1))
    biases = tuple("own" if layer.bias is not None else "" for layer in spec.layers)
    return Network(
        units, biases, len(spec.inputs), (False,) * len(spec.layers), tuple(layer.activation for layer in spec.layers),
        loss, factor, loss, factor, spec.updates == "output_first",
    )  # fmt: skip


def solution_of(found: Foreign) -> Spec:
    """The spec of the first table that was read. CheckError if sheetgen build cannot build such a network."""
    reports = [one for one in found.tables if one.network is not None]
    if not reports:
        raise CheckError(f"{found.path}: no network was found in it, so there is no solution to write")
    report = reports[0]
    network, numbers = report.network, dict(report.starts)
    assert network is not None
    loss = _loss(network, found)
    missing = [name for name in _needed(network) if name not in numbers]
    if missing or report.rate is None:
        raise CheckError(
            f"{found.path}: no number was found for {', '.join(missing) or 'the rate'}; no solution is written"
        )
    layers = tuple(_layer(network, layer, numbers) for layer in range(1, network.depth + 1))
    marks = network.sample_marks()

    def rows(letter: str, size: int) -> Matrix:
        return tuple(tuple(numbers[f"{letter}{k + 1}{mark}"] for k in range(size)) for mark in marks)

    size = "-".join(map(str, network.units))
    table = report.table
    return Spec(
        title=f"{size} network of {found.path.name}"[:120],
        about=f"From {table.tab}, rows {table.first_row} to {table.last_row}.",
        learning_rates=(report.rate,),
        steps=max(1, table.last_row - table.first_row),
        inputs=rows("i", network.units[0]),
        targets=rows("t", network.units[-1]),
        loss=loss,
        layers=layers,
        batch="full",
        updates="output_first" if network.output_first else "simultaneous",
        optimizers=(Optimizer("sgd", (("weight_decay", 0.0),), "sgd"),),
        threshold=0.001,
        published=(),
    )


def _loss(network: Network, found: Foreign) -> str:
    for name, (loss, mean) in LOSSES.items():
        factor = 1 / (network.samples * (network.units[-1] if mean else 1))
        if (network.gradient_loss, abs(network.gradient_factor)) == (loss, factor):
            return name
    raise CheckError(
        f"{found.path}: its gradients are of a loss that sheetgen build has not; it has {', '.join(LOSSES)}"
    )


def _needed(network: Network) -> list[str]:
    data = product((("i", network.units[0]), ("t", network.units[-1])), network.sample_marks())
    return [*(f"{letter}{k + 1}{mark}" for (letter, size), mark in data for k in range(size)), *network.weights]


def _layer(network: Network, layer: int, numbers: Mapping[str, float]) -> Layer:
    units, sources = network.units[layer], network.units[layer - 1]
    name = network.activations[layer - 1]
    assert name in ACTIVATIONS
    weights = tuple(tuple(numbers[network.weight(layer, unit, k)] for k in range(sources)) for unit in range(units))
    biases = [network.bias(layer, unit) for unit in range(units)]
    return Layer(units, name, weights, tuple(numbers[one] for one in biases) if all(biases) else None)
