"""What a spec calls otherwise than the catalog is explained, and only a misspelling is corrected."""

import re
from collections.abc import Collection

import pytest

from sheetgen.spec import catalog
from sheetgen.spec.advice import _KNOWN_ELSEWHERE, _kind, _plain, advice

# what users of PyTorch, Keras and textbooks type, and a part of the answer; None: only the list of what is allowed
ANSWERS: dict[str, dict[str, str | None]] = {
    "network.loss": {
        "mean_squared_error": "'mse'", "MSELoss": "'mse'", "nn.MSELoss()": "'mse'", "sse": "is half of it",
        "mae": "not offered", "L1Loss": "not offered", "huber": "not offered", "rmse": "not offered",
        "bce": "'binary_cross_entropy'", "BCEWithLogitsLoss": "'binary_cross_entropy'",
        "nll_loss": "takes that logarithm itself", "quadratic": "'half_squared_error' sums",
        "categorical_crossentropy": "'cross_entropy'", "CrossEntropyLoss": "Did you mean 'cross_entropy'?",
        "KLDivLoss": "same gradients", "hinge": "not offered", "croos_entropy": "Did you mean 'cross_entropy'?",
        "mre": None, "nonsense": None,
    },
    "network.layers[0].activation": {
        "linear": "'identity'", "elu": "not offered", "gelu": "not offered", "selu": "not offered",
        "SiLU": "not offered", "step": "slope is 0", "LeakyReLU": "Did you mean 'leaky_relu'?", "prelu": "trained",
        "hard_sigmoid": "not offered", "log_softmax": "'softmax'", "sigmod": "Did you mean 'sigmoid'?",
        "tahn": "Did you mean 'tanh'?", "felu": None, "soft": None,
    },
    "network.reduction": {"average": "'mean'", "none": "one number", "maen": "'mean'?"},
    "training.schedule.name": {
        "StepLR": "'step'", "ExponentialLR": "'exponential'", "CosineAnnealingLR": "'cosine'", "OneCycleLR": "'one_c",
        "ReduceLROnPlateau": "not offered", "LambdaLR": "not offered", "one-cycle": "Did you mean 'one_cycle'?",
        "time_based": "'inverse_time'", "cosin": "Did you mean 'cosine'?", "constant": "leave the table out",
    },
    "training.optimizers[1].name": {
        "torch.optim.SGD(lr=0.1)": "Did you mean 'sgd'?", "gradient_descent": "'sgd'", "nag": "'nesterov'",
        "Adamax": "not offered", "nadam": "not offered", "adadelta": "not offered", "LBFGS": "not offered",
        "RMSProp": "Did you mean 'rmsprop'?", "adma": "Did you mean 'adam'?",
    },
}  # fmt: skip
KNOWN: dict[str, Collection[str]] = {
    "network.loss": catalog.LOSSES,
    "network.layers[0].activation": catalog.ACTIVATIONS,
    "training.optimizers[1].name": catalog.OPTIMIZERS,
    "network.reduction": catalog.REDUCTIONS,
    "data.scale": catalog.SCALES,
    "training.schedule.name": catalog.SCHEDULES,
}


@pytest.mark.parametrize(("place", "name"), [(place, name) for place, names in ANSWERS.items() for name in names])
def test_a_name_from_elsewhere_is_explained_and_only_a_misspelling_is_corrected(place: str, name: str) -> None:
    """What is called otherwise here, or not offered, is said so; a name of another meaning is never proposed."""
    expected = ANSWERS[place][name]
    found = advice(place, name, list(KNOWN[place]))
    assert expected in found if expected else not found
    assert "\n" not in found


def test_every_answer_names_what_there_is() -> None:
    """A name in quotes is one of the catalog's; no name is answered twice, and none that is right is answered."""
    names = {*catalog.LOSSES, *catalog.ACTIVATIONS, *catalog.OPTIMIZERS, *catalog.BATCHES, *catalog.UPDATES}
    names |= {"random", "E_total", *catalog.SCHEDULES, *catalog.REDUCTIONS, *catalog.SCALES, *catalog.ANNEAL_STRATEGIES}
    for place, answers in _KNOWN_ELSEWHERE.items():
        known = {_plain(name) for at, names_there in KNOWN.items() if _kind(at) == place for name in names_there}
        given = [name for text in answers.values() for name in text.split()]
        assert len(given) == len(set(given)), place
        assert not {*given} & known, place
        assert given == [_plain(name) for name in given], place
        for text in answers:
            assert {*re.findall(r"'([a-z]\w+)'", text)} <= names, text
