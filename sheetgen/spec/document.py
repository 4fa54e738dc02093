"""A TOML document -> Spec: every rule about what a spec may say."""

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from sheetgen.spec import catalog
from sheetgen.spec.advice import advice
from sheetgen.spec.data import read_data
from sheetgen.spec.fields import Place, choice, count, flag, items, matrix, number, show, table, text, vector, whole
from sheetgen.spec.kinds import columns, drawn, kind_of, read_kind, uses
from sheetgen.spec.order import batch_size, check_passes
from sheetgen.spec.schedule import learning_rates, optimizers, schedule, step_count
from sheetgen.spec.structure import Layer, Matrix, Published, Shape, Spec

__all__ = ["read_spec"]

# Targets of cross_entropy are typed in decimals; their sum may miss 1 by what rounding to doubles explains.
_SUM_TOLERANCE = 1e-12


def read_spec(document: object, origin: str, folders: Sequence[Path] = ()) -> Spec:
    """The spec that the parsed TOML document describes; SpecError names the first thing that is wrong.

    A file of data is looked for in the folders.
    """
    root = Place(origin)
    optional = ("title", "about", "seed", "threshold", "training", "published", "pictures")
    top = table(root, document, ("learning_rates", "steps", "data", "network"), optional)
    steps = step_count(root / "steps", top["steps"])
    rates = learning_rates(root / "learning_rates", top["learning_rates"])
    seed = whole(root / "seed", top.get("seed", 1), 0, 2**63 - 1, "Any such number will do.")

    data = read_data(root / "data", top["data"], folders, seed)
    inputs, targets, shape = data.inputs, data.targets, data.shape

    network = table(root / "network", top["network"], ("loss", "layers"), ("reduction",))
    loss = choice(root / "network" / "loss", network["loss"], catalog.LOSSES)
    layers = _layers(root / "network" / "layers", network["layers"], shape or (len(inputs[0]),), seed)
    _check_ends(root, loss, layers, targets, "targets")
    if data.test_targets:
        _check_ends(root, loss, layers, data.test_targets, "test_targets")

    keys = ("batch", "shuffle", "updates", "optimizer", "optimizers", "schedule")
    training = table(root / "training", top.get("training", {}), (), keys)
    batch = batch_size(root / "training" / "batch", training.get("batch", "full"), len(inputs))
    shuffled = _shuffled(root / "training" / "shuffle", training.get("shuffle", False), batch)
    _check_batch_norm(root, layers, len(inputs) if batch == "full" else batch, bool(data.test_inputs))
    _check_size(root, inputs, targets, layers, batch)
    chosen = optimizers(root / "training", training, bool(data.test_inputs))
    if len(chosen) > 1 and len(rates) > 1:
        rule = "exactly one is expected beside several optimizers, which are compared at one rate"
        raise (root / "learning_rates").refuse(f"has {len(rates)} rates", rule, "Keep one.")

    sizes = [str(size) for size in (len(inputs[0]), *(layer.units for layer in layers))]
    title = f"{'-'.join(sizes if len(sizes) <= 12 else [*sizes[:6], '…', *sizes[-5:]])} network"
    spec = Spec(
        title=text(root / "title", top.get("title", title), 200),
        about=text(root / "about", top.get("about", ""), 10_000, lines=True, empty=True).strip(),
        learning_rates=rates,
        steps=steps,
        inputs=inputs,
        targets=targets,
        loss=loss,
        layers=layers,
        batch=batch,
        updates=choice(root / "training" / "updates", training.get("updates", "simultaneous"), catalog.UPDATES),
        optimizers=chosen,
        threshold=number(root / "threshold", top.get("threshold", 0.01), catalog.POSITIVE),
        published=_published(root / "published", top.get("published", []), steps, _symbols(layers)),
        shape=shape,
        shuffle=seed if shuffled else None,
        names=data.names,
        scale=data.scale,
        test_inputs=data.test_inputs,
        test_targets=data.test_targets,
        pictures=flag(root / "pictures", top.get("pictures", True)),
        reduction=choice(root / "network" / "reduction", network.get("reduction", "mean"), catalog.REDUCTIONS),
        schedule=schedule(root / "training" / "schedule", training["schedule"], steps)
        if "schedule" in training
        else None,
    )
    check_passes(root / "training" / "shuffle", spec)
    return spec


def _shuffled(place: Place, value: object, batch: str | int) -> bool:
    """Whether samples take their turns in a drawn order."""
    shuffled = flag(place, value)
    if shuffled and batch == "full":
        rule = "with the full batch every update takes all samples, whatever their order"
        raise place.refuse("is true", rule, "Write a batch such as training.batch = 2, or remove it.")
    return shuffled


def _layers(place: Place, value: object, shape: Shape, seed: int) -> tuple[Layer, ...]:
    draw = random.Random(seed)
    layers: list[Layer] = []
    parameters = 0
    for at, item in enumerate(items(place, value, "layers")):
        kind, taken = kind_of(place / at, item), (layers[-1].given or (layers[-1].units,)) if layers else shape
        most = catalog.MAX_COLUMNS
        if kind != "linear":
            assert isinstance(item, Mapping)
            layers.append(read_kind(place / at, item, kind, taken, layers, draw))
            parameters += layers[-1].count("w")
        else:
            required, optional = ("units", "activation", "weights"), ("bias", "train_bias", "negative_slope", "kind")
            entry = table(place / at, item, required, optional)
            units = whole(place / at / "units", entry["units"], 1, most, "Excel has 16384 columns; 2 is a good start.")
            parameters += units * math.prod(taken)
        if parameters > most:
            found = f"brings the network to {parameters} weights"
            raise (place / at).refuse(found, f"each has a column, and Excel has {most}", "Use fewer units.")
        if kind == "linear":
            layers.append(_layer(place / at, entry, units, math.prod(taken), draw))
    return tuple(layers)


def _layer(place: Place, entry: Mapping[str, object], units: int, fan_in: int, draw: random.Random) -> Layer:
    activation = choice(place / "activation", entry["activation"], catalog.ACTIVATIONS)
    weights = _weights(place / "weights", entry["weights"], units, fan_in, draw)
    bias = _bias(place / "bias", entry["bias"], units, fan_in, draw) if "bias" in entry else None
    if "train_bias" in entry and bias is None:
        rule = "it is allowed in a layer with a bias only"
        raise (place / "train_bias").refuse(
            "stands in a layer without a bias", rule, 'Add bias = "zeros" or remove it.'
        )
    if "negative_slope" in entry and activation != "leaky_relu":
        found = f"stands in a layer of {activation}"
        raise (place / "negative_slope").refuse(found, "it is an option of leaky_relu only", "Remove it.")
    return Layer(
        units,
        activation,
        weights,
        bias,
        train_bias=flag(place / "train_bias", entry.get("train_bias", True)),
        negative_slope=number(place / "negative_slope", entry.get("negative_slope", 0.01)),
    )


def _weights(place: Place, value: object, units: int, fan_in: int, draw: random.Random) -> Matrix:
    if not isinstance(value, list):
        choice(place, value, ("random",), f"{count(units, 'list')} of {count(fan_in, 'number')}")
        return tuple(drawn(draw, fan_in, fan_in) for _ in range(units))
    return matrix(place, value, (units, fan_in), ("unit", "input of the layer"))


def _bias(place: Place, value: object, units: int, fan_in: int, draw: random.Random) -> tuple[float, ...]:
    if not isinstance(value, list):
        zeros = choice(place, value, ("random", "zeros"), f"a list of {count(units, 'number')}") == "zeros"
        return (0.0,) * units if zeros else drawn(draw, units, fan_in)
    return vector(place, value, units, "unit")


def _check_ends(root: Place, loss: str, layers: tuple[Layer, ...], targets: Matrix, key: str) -> None:
    """Refuse a last layer or targets that do not suit the loss, and softmax elsewhere."""
    place, last = root / "network" / "layers", len(layers) - 1
    rule = catalog.LOSSES[loss]
    if layers[last].kind != "linear":
        allowed = "the last layer, which gives the outputs, is linear"
        raise (place / last / "kind").refuse(f"is {layers[last].kind!r}", allowed, "Add a linear layer after it.")
    for at, layer in enumerate(layers):
        if layer.activation == "softmax" and (at != last or loss != "cross_entropy"):
            found = f"is 'softmax' in {'a hidden layer' if at != last else f'a network whose loss is {loss}'}"
            allowed = "softmax is allowed in the last layer, with the loss cross_entropy"
            raise (place / at / "activation").refuse(found, allowed, "Try 'sigmoid'.")
    if rule.activation not in (None, layers[last].activation):
        found = f"is {layers[last].activation!r}"
        allowed = f"the loss {loss} needs {rule.activation!r} in the last layer: {rule.reason}"
        raise (place / last / "activation").refuse(
            found, allowed, f"Write {rule.activation!r}, or change network.loss."
        )
    if rule.sums_to_one and layers[last].units == 1:
        allowed = "cross_entropy needs at least 2 classes: the softmax of one unit is always 1"
        raise (place / last / "units").refuse("is 1", allowed, "For one output use sigmoid and binary_cross_entropy.")
    if len(targets[0]) != layers[last].units:
        found = f"is {layers[last].units}, but a row of data.targets has {count(len(targets[0]), 'number')}"
        raise (place / last / "units").refuse(found, "the last layer has a unit per target", "Make them equal.")
    for at, row in enumerate(targets):
        here = root / "data" / key / at
        for column, target in enumerate(row):
            if target not in rule.targets:
                allowed = f"the loss {loss} needs targets that are {rule.targets}: {rule.reason}"
                raise (here / column).refuse(f"is {target!r}", allowed, "Change it, or change network.loss.")
        if rule.sums_to_one and abs(math.fsum(row) - 1) > _SUM_TOLERANCE:
            allowed = f"the loss {loss} needs rows that sum to 1: {rule.reason}"
            raise here.refuse(f"sums to {math.fsum(row)!r}", allowed, "Change it, or change network.loss.")


def _check_batch_norm(root: Place, layers: tuple[Layer, ...], batch: str | int, tested: bool) -> None:
    """Refuse batches of one sample, and samples of a test, for which no statistics are kept."""
    for at, layer in enumerate(layers):
        here = root / "network" / "layers" / at / "kind"
        if layer.kind == "batch_norm" and batch in ("online", 1):
            rule = "an update of one sample has nothing to compare it with; several in each update are needed"
            raise here.refuse("is 'batch_norm'", rule, 'Write training.batch = "full" or a number, or use layer_norm.')
        if layer.kind == "batch_norm" and tested:
            rule = "a test needs the running statistics that torch keeps, and a sheet keeps none"
            raise here.refuse("is 'batch_norm'", rule, "Remove data.test, or use layer_norm.")


def _check_size(root: Place, inputs: Matrix, targets: Matrix, layers: tuple[Layer, ...], batch: str | int) -> None:
    """Refuse what no training table can hold, before anything is derived.

    The columns of an optimizer's state are not counted here.
    """
    network, outputs = root / "network", len(targets[0])
    samples = batch if isinstance(batch, int) else 1 if batch == "online" else len(inputs)
    units = sum(layer.units for layer in layers)
    weights = sum(layer.count("w") for layer in layers)
    dense = all(layer.kind == "linear" for layer in layers)
    closed = units if dense and samples == 1 and len(layers) <= 2 else 0  # of which δ has no columns
    wide = 2 + 2 * weights + samples * (len(inputs[0]) + 2 * outputs + sum(map(columns, layers)) - closed)
    # a net input sums over a unit's weights, and a hidden unit's delta over the units of the next layer
    sums = [
        max(len(layer.weights[0]), layer.units if at else 0) if layer.kind == "linear" else samples * uses(layer)
        for at, layer in enumerate(layers)
    ]
    named, most = catalog.MAX_NAMED, catalog.MAX_NAMED // max(2, outputs)
    length = "a formula of Excel has at most 8192 characters, which are enough for"
    in_data, found = root / "data" / "inputs", f"has {len(inputs)} samples"
    limits = (
        (in_data, found, len(inputs), catalog.MAX_SAMPLES, f"a workbook holds at most {catalog.MAX_SAMPLES}"),
        (network, f"has {outputs} outputs", outputs, named, f"{length} the sum of {named}"),
        (in_data, found, samples, max(most, 1), f"{length} {most} in each update"),
        *(
            (network / "layers" / at, f"has a sum of {terms} products", terms, named // 2, f"{length} {named // 2}")
            for at, terms in enumerate(sums)
        ),
        (network, f"needs a table of {wide} columns", wide, catalog.MAX_COLUMNS, "Excel has 16384"),
    )
    online = ', or training.batch = "online"' if samples > 1 else ""
    for place, found, amount, allowed, rule in limits:
        if amount > allowed:
            raise place.refuse(found, rule, f"Use fewer units, inputs or samples{online}.")


def _symbols(layers: tuple[Layer, ...]) -> list[str]:
    weights, biases = (sum(layer.count(letter) for layer in layers) for letter in "wb")
    return ["E_total", *(f"w{k + 1}" for k in range(weights)), *(f"b{k + 1}" for k in range(biases))]


def _published(place: Place, value: object, steps: int, symbols: list[str]) -> tuple[Published, ...]:
    if value == []:
        return ()
    published = []
    for at, item in enumerate(items(place, value, "tables with symbol, step and value")):
        here = place / at
        entry = table(here, item, ("symbol", "step", "value"), ("note",))
        if entry["symbol"] not in symbols:
            known = f"choose E_total, w1 to w{sum(name[0] == 'w' for name in symbols)}, or a bias the network has"
            name = str(entry["symbol"])
            then = advice(here.path + ".symbol", name, {name.lower(), "E_total"} & {*symbols}) or "Correct it."
            raise (here / "symbol").refuse(f"is {show(entry['symbol'])}", known, then)
        published.append(
            Published(
                str(entry["symbol"]),
                whole(here / "step", entry["step"], 0, steps, "Raise steps, or leave this number out."),
                number(here / "value", entry["value"]),
                text(here / "note", entry.get("note", ""), 500, empty=True),
            )
        )
    return tuple(published)
