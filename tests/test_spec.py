"""A spec is read as it is written, or refused in one line: where, what was found, what is allowed, what next."""

import math
from pathlib import Path

import pytest
from specs import CLASSES, SEED, changed

from sheetgen.errors import SpecError
from sheetgen.spec import catalog, load, override, parse, template_names, template_text

LAST = 'activation = "sigmoid"\nweights = [[0.40'
HIDDEN = 'activation = "sigmoid"\nweights = [[0.15'


def refusal(text: str) -> str:
    """The one line that refuses the text."""
    with pytest.raises(SpecError) as caught:
        parse(text, "my.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("my.toml: ")
    return message


def test_the_seed_is_read_as_written() -> None:
    """Every number arrives, integers as floats, and what is left out has its default."""
    spec = parse(SEED, "my.toml")
    assert (spec.title, spec.about, spec.steps, spec.threshold) == ("seed", "", 67, 0.01)
    assert spec.learning_rates == (0.1, 2.0)
    assert all(isinstance(rate, float) for rate in spec.learning_rates)
    assert (spec.inputs, spec.targets) == (((0.05, 0.10),), ((0.5, 0.5),))
    assert spec.layers[0].weights == ((0.15, 0.20), (0.25, 0.30))
    assert spec.layers[1].bias is None
    assert (spec.loss, spec.batch, spec.updates) == ("half_squared_error", "full", "simultaneous")
    assert [(run.label, run.rate, run.optimizer.name) for run in spec.runs] == [
        ("lr 0.1", 0.1, "sgd"),
        ("lr 2", 2.0, "sgd"),
    ]


BAD = {
    "syntax": ("steps = 67", "steps = = 67", "line 3, column 9", "invalid value", "must be TOML", "templates erav2"),
    "syntax at the end": ("0.55]]", "0.55]", "line 20, at the end", "unclosed array", "must be TOML", "start from"),
    "huge integer": ("steps = 67", "steps = 1" + "0" * 5000, "somewhere", "digits", "must be TOML", "start from"),
    "nested too deeply": ("steps = 67", "steps = " + "[" * 5000, "somewhere", "nested", "must be TOML", "start from"),
    "unknown key": ("steps =", "step =", "step ", "not a known key", "choose one of", "Did you mean 'steps'?"),
    "strange key": ("steps =", '"a\\nb" = 1\nsteps =', "'a\\nb'", "not a known key", "choose one of", "Remove it."),
    "unknown data key": ("inputs ", "input ", "data.input ", "not a known", "inputs, targets", "'inputs'?"),
    "unknown layer key": ("weights = [[0.40", "wieghts = [[0.40", "layers[1].wieghts", "not", "weights", "'weights'?"),
    "missing key": ("steps = 67\n", "", "steps ", "is missing", "needed", "Add steps."),
    "missing optimizer name": ("[data]", "[training.optimizer]\n[data]", "optimizer.name", "missing", "name", "Add"),
    "loss no text": ('loss = "half_squared_error"', "loss = 1", "network.loss", "is 1", "mse", "in quotes"),
    "title no text": ('"seed"', "5", "title", "is 5", "text is expected", "quotes"),
    "title empty": ('"seed"', '" "', "title", "is empty", "1 to 200", "Write some."),
    "title too long": ('"seed"', f'"{"x" * 201}"', "title", "201 characters", "at most 200", "Shorten"),
    "control character": ('"seed"', '"a\\u0007b"', "title", "U+0007 at position 2", "printable", "Remove it."),
    "line break": ('"seed"', '"a\\nb"', "title", "U+000A", "printable", "Remove it."),
    "activation": (LAST, LAST.replace("sigmoid", "rleu"), "layers[1].activation", "'rleu'", "tanh", "'relu'?"),
    "loss": ("half_squared_error", "half_sqared_eror", "network.loss", "'half_sq", "mse", "'half_squared_error'?"),
    "no samples": ("[[0.05, 0.10]]", "[]", "data.inputs", "is empty", "at least one", "Add one."),
    "no inputs": ("[[0.05, 0.10]]", "[[]]", "data.inputs[0]", "is empty", "at least one", "Add one."),
    "inputs no list": ("[[0.05, 0.10]]", "0.05", "data.inputs", "is 0.05", "a list of", "brackets"),
    "input no number": ("[[0.05, 0.10]]", '[[0.05, "x"]]', "data.inputs[0][1]", "'x'", "a number", "quotes"),
    "input a bool": ("[[0.05, 0.10]]", "[[0.05, true]]", "data.inputs[0][1]", "true", "a number", "Write one."),
    "input nan": ("[[0.05, 0.10]]", "[[nan, 0.10]]", "data.inputs[0][0]", "is nan", "finite", "Change it."),
    "input infinite": ("[[0.05, 0.10]]", "[[-inf, 0.10]]", "data.inputs[0][0]", "is -inf", "finite", "Change it."),
    "input beyond doubles": ("0.05", "1" + "0" * 400, "data.inputs[0][0]", "is 1000", "finite", "Change it."),
    "samples of two sizes": ("[[0.05, 0.10]]", "[[1, 2], [3]]", "data.inputs", "2 x 1", "2 x 2", "Add or remove"),
    "targets per sample": ("[[0.50, 0.50]]", "[[1, 2], [3, 4]]", "data.targets", "2 x 2", "1 x 2", "Add or remove"),
    "targets per unit": ("[[0.50, 0.50]]", "[[1]]", "layers[1].units", "is 2", "per target", "equal"),
    "weights of another shape": ("[0.25, 0.30]]", "[0.25]]", "layers[0].weights", "2 x 1", "2 x 2", "Add or remove"),
    "weights of a missing unit": (", [0.50, 0.55]", "", "layers[1].weights", "1 x 2", "2 x 2", "Add or remove"),
    "weights by name": ("[[0.40, 0.45], [0.50, 0.55]]", '"rand"', "[1].weights", "'rand'", "2 lists of 2", "'random'?"),
    "bias of another length": (LAST, "bias = [1]\n" + LAST, "layers[1].bias", "1 number;", "2 are", "Add or remove"),
    "bias by name": (LAST, 'bias = "zero"\n' + LAST, "layers[1].bias", "'zero'", "random, zeros", "'zeros'?"),
    "bias a bool": (
        LAST,
        "bias = true\n" + LAST,
        "layers[1].bias",
        "is true",
        "zeros, a list of 2 numbers",
        "in quotes",
    ),
    "train_bias alone": (LAST, "train_bias = true\n" + LAST, "[1].train_bias", "without a bias", "only", "remove it"),
    "train_bias no bool": (
        LAST,
        "bias = [1, 2]\ntrain_bias = 0\n" + LAST,
        "train_bias",
        "is 0",
        "true or false",
        "one of the two",
    ),
    "negative_slope": (LAST, "negative_slope = 1\n" + LAST, "negative_slope", "of sigmoid", "leaky_relu", "Remove"),
    "units zero": ("units = 2\n" + LAST, "units = 0\n" + LAST, "[1].units", "is 0", "1 to 16384", "start"),
    "units enormous": (
        'units = 2\nactivation = "sigmoid"\nweights = [[0.15, 0.20], [0.25, 0.30]]',
        'units = 9999\nactivation = "sigmoid"\nweights = "random"',
        "layers[0]",
        "19998 weights",
        "16384",
        "fewer units",
    ),
    "steps zero": ("steps = 67", "steps = 0", "steps", "is 0", "1 to 1048560", "100 is a good start"),
    "steps beyond the rows": ("steps = 67", "steps = 1048561", "steps", "is 1048561", "1048560", "1048576 rows"),
    "steps no whole number": ("steps = 67", "steps = 6.5", "steps", "is 6.5", "a whole number", "start"),
    "steps a bool": ("steps = 67", "steps = true", "steps", "is true", "a whole number", "start"),
    "no rates": ("[0.1, 2]", "[]", "learning_rates", "is empty", "at least one", "Add one."),
    "rate no list": ("[0.1, 2]", "0.1", "learning_rates", "is 0.1", "a list", "brackets"),
    "rate zero": ("[0.1, 2]", "[0.1, 0]", "learning_rates[1]", "is 0", "above 0", "Try 0.1."),
    "rate negative": ("[0.1, 2]", "[-0.1]", "learning_rates[0]", "is -0.1", "above 0", "Try 0.1."),
    "rate nan": ("[0.1, 2]", "[nan]", "learning_rates[0]", "is nan", "above 0", "Try 0.1."),
    "rate infinite": ("[0.1, 2]", "[inf]", "learning_rates[0]", "is inf", "above 0", "Try 0.1."),
    "rate twice": ("[0.1, 2]", "[1, 0.1, 1.0]", "learning_rates[2]", "is 1.0 once more", "its own", "Remove"),
    "rates beyond a chart": ("[0.1, 2]", str([*range(1, 257)]), "learning_rates", "256 rates", "254", "Split"),
    "threshold": ("steps = 67", "steps = 67\nthreshold = 0", "threshold", "is 0", "above 0", "Change it."),
    "seed": ("steps = 67", "steps = 67\nseed = -1", "seed", "is -1", "whole number from 0", "Any such"),
    "batch": ("[data]", '[training]\nbatch = "on-line"\n[data]', "training.batch", "'on-line'", "full", "'online'?"),
    "updates": (
        "[data]",
        '[training]\nupdates = "last"\n[data]',
        "training.updates",
        "'last'",
        "output_first",
        "Write one of these names.",
    ),
    "rates as a text": ("[0.1, 2]", '"0.1"', "learning_rates", "is '0.1'", "a list", "brackets [ ] and without quotes"),
    "steps as a text": ("steps = 67", 'steps = "67"', "steps", "is '67'", "a whole number", "without quotes"),
    "one layer as a table": (
        SEED[SEED.index("[[network") :],
        "[network.layers]\nunits = 2",
        "network.layers",
        "a table",
        "a list of layers",
        "Write [[network.layers]].",
    ),
    "a layer by name": (
        SEED[SEED.index("[[network") :],
        'layers = ["sigmoid"]',
        "network.layers[0]",
        "'sigmoid'",
        "a table is expected",
        "Write [[network.layers]] on",
    ),
    "a key under the wrong head": ("[network]", "[network]\nseed = 3", "network.seed", "not a", "layers", "at the top"),
    "one row of targets": ("[[0.50, 0.50]]", "[[1]]", "[1].units", "has 1 number;", "per target", "equal"),
    "rates of one label": (
        "[0.1, 2]",
        "[0.3, 0.30000000000000004]",
        "rates[1]",
        "beside 0.3",
        "'lr 0.3'",
        "change one",
    ),
    "symbol": (
        "[data]",
        '[[published]]\nsymbol = "w9"\nstep = 0\nvalue = 1\n[data]',
        "published[0].symbol",
        "'w9'",
        "w1 to w8",
        "Correct it.",
    ),
    "published step": (
        "[data]",
        '[[published]]\nsymbol = "w8"\nstep = 68\nvalue = 1\n[data]',
        "published[0].step",
        "is 68",
        "0 to 67",
        "Raise steps",
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_one_line(case: tuple[str, ...]) -> None:
    """The line says where, what was found, what is allowed and what to do next."""
    old, new, *parts = case
    message = refusal(changed(old, new)).removeprefix("my.toml: ")
    for part in parts:
        assert part.lower() in message.lower()
    assert parts[0].lower() in message[: message.index(";")].lower()


OPTIMIZERS = {
    "unknown": ('name = "adma"', "optimizer.name", "'adma'", "adamw", "'adam'?"),
    "no text": ("name = 1", "optimizer.name", "is 1", "adamw", "in quotes"),
    "unknown option": ('name = "adam"\nbeta = [0, 0]', "optimizer.beta ", "not a known", "eps", "called betas = ["),
    "option of another": (
        'name = "sgd"\nmomentum = 0.9',
        "optimizer.momentum",
        "not a known",
        "weight_decay",
        'write name = "momentum"',
    ),
    "betas too large": ('name = "adam"\nbetas = [0.9, 1]', "betas[1]", "is 1", "at least 0 and below 1", "Change"),
    "betas negative": ('name = "adamw"\nbetas = [-0.1, 0]', "betas[0]", "is -0.1", "at least 0 and below 1", "Change"),
    "one beta": ('name = "adam"\nbetas = [0.9]', "optimizer.betas", "1 number;", "2 are expected", "Write [0.9"),
    "betas no list": ('name = "adam"\nbetas = 0.9', "optimizer.betas", "is 0.9", "a list", "brackets"),
    "momentum negative": ('name = "momentum"\nmomentum = -1', "optimizer.momentum", "is -1", "at least 0", "Change"),
    "nesterov without momentum": ('name = "nesterov"\nmomentum = 0', ".momentum", "is 0", "above 0", "Change"),
    "alpha": ('name = "rmsprop"\nalpha = 1.5', "optimizer.alpha", "is 1.5", "below 1", "Change"),
    "eps": ('name = "adagrad"\neps = -1e-10', "optimizer.eps", "is -1e-10", "at least 0", "Change"),
    "weight_decay": ('name = "sgd"\nweight_decay = nan', ".weight_decay", "is nan", "at least 0", "Change"),
    "label of a tab": ('name = "sgd"\nlabel = "compare"', "optimizer.label", "'compare'", "of every workbook", "Add a"),
    "label no tab name": ('name = "sgd"\nlabel = "a/b"', "optimizer.label", "'a/b'", "none of [ ]", "Use letters"),
    "option of others": ('name = "sgd"\nbetas = [0, 0]', "optimizer.betas", "not a known", "label", "of adam, adamw."),
    "label too long": (f'name = "sgd"\nlabel = "{"x" * 32}"', "optimizer.label", "32 char", "at most 31", "Shorten"),
}


@pytest.mark.parametrize("case", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_bad_optimizers_are_refused_in_one_line(case: tuple[str, ...]) -> None:
    """The line says where, what was found, what is allowed and what to do next."""
    table, *parts = case
    message = refusal(changed("[network]", f"[training.optimizer]\n{table}\n\n[network]"))
    for part in parts:
        assert part.lower() in message.lower()


SENSELESS = {
    "no layers": (SEED.split("[[network")[0] + "layers = []", ("network.layers", "is empty", "at least one", "Add")),
    "hidden softmax": (changed(HIDDEN, HIDDEN.replace("sigmoid", "softmax")), ("[0].activation", "a hidden layer")),
    "softmax without its loss": (changed(LAST, LAST.replace("sigmoid", "softmax")), ("[1].activation", "half_squared")),
    "cross_entropy without softmax": (
        changed('"half_squared_error"', '"cross_entropy"'),
        ("[1].activation", "'sigmoid'", "needs 'softmax'"),
    ),
    "binary_cross_entropy without sigmoid": (
        changed(LAST, LAST.replace("sigmoid", "tanh")).replace("half_squared_error", "binary_cross_entropy"),
        ("[1].activation", "'tanh'", "needs 'sigmoid'"),
    ),
    "binary targets outside": (
        changed("[[0.50, 0.50]]", "[[0.5, 1.5]]").replace("half_squared_error", "binary_cross_entropy"),
        ("data.targets[0][1]", "is 1.5", "at least 0 and at most 1"),
    ),
    "class targets outside": (
        changed("[0.25, 0.75]", "[-0.25, 1.25]", CLASSES),
        ("data.targets[0][0]", "is -0.25", "at least 0 and at most 1"),
    ),
    "class targets that miss 1": (
        changed("[0.25, 0.75]", "[0.25, 0.7]", CLASSES),
        ("data.targets[0]", "sums to 0.95", "sum to 1"),
    ),
    "one class": (
        changed("units = 2", "units = 1", CLASSES).replace("[0.25, 0.75], [1, 0]", "[1], [1]"),
        ("layers[0].units", "is 1", "at least 2 classes", "binary_cross_entropy"),
    ),
    "two kinds of optimizers": (
        changed("[network]", '[training]\noptimizer = {name = "sgd"}\noptimizers = [{name = "adam"}]\n[network]'),
        ("training.optimizers", "beside training.optimizer", "only one", "Keep one."),
    ),
    "the same optimizer twice": (
        changed("[0.1]", "[0.1]", CLASSES) + '[training]\noptimizers = [{name = "sgd"}, {name = "sgd", label = "SGD"}]',
        ("optimizers[1].label", "'SGD'", "that of training.optimizers[0]", "label ="),
    ),
    "several optimizers and rates": (
        SEED + '[training]\noptimizers = [{name = "sgd"}, {name = "adam"}]',
        ("learning_rates", "has 2 rates", "exactly one", "Keep one."),
    ),
    "an optimizer by name": (
        SEED + '[training]\noptimizers = ["adam"]',
        ("training.optimizers[0] is 'adam'", "a table with a name", 'Write {name = "adam"}.'),
    ),
    "no optimizers": (SEED + "[training]\noptimizers = []", ("training.optimizers", "is empty", "at least one")),
}


@pytest.mark.parametrize(("text", "parts"), SENSELESS.values(), ids=SENSELESS)
def test_what_makes_no_sense_is_refused_with_the_reason(text: str, parts: tuple[str, ...]) -> None:
    """Parts that are each allowed but do not go together are refused, and the line says why."""
    message = refusal(text)
    for part in parts:
        assert part in message


def test_what_makes_sense_beside_each_refusal_is_read() -> None:
    """Cross-entropy with softmax, and binary cross-entropy with sigmoid, pass the rules that refuse the others."""
    assert parse(CLASSES, "my.toml").layers[0].activation == "softmax"
    assert parse(changed("half_squared_error", "binary_cross_entropy"), "my.toml").loss == "binary_cross_entropy"
    third = changed("[0.25, 0.75]", "[0.3333333333333333, 0.6666666666666667]", CLASSES)
    assert sum(parse(third, "my.toml").targets[0]) == 1


def test_optimizers_have_the_names_and_defaults_of_torch() -> None:
    """Every option that torch.optim shares with the catalog has the same default."""
    torch = pytest.importorskip("torch", reason="torch (the extra [cnn]) is the referee of the defaults")
    parameters = [torch.zeros(1, requires_grad=True)]
    classes = {"sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    classes |= {"adam": "Adam", "adamw": "AdamW"}
    for name, options in catalog.OPTIMIZERS.items():
        defaults = getattr(torch.optim, classes[name])(parameters, lr=0.1).defaults
        for option in options.values():
            default = defaults[option.key] if option.index is None else defaults[option.key][option.index]
            # torch.optim.SGD's momentum is off unless it is asked for; a spec asks for it by the optimizer's name.
            assert option.key == "momentum" or option.default == default, (name, option.key)


def test_several_optimizers_are_runs_of_one_rate() -> None:
    """Each optimizer is a run named by its label, with its options complete and in the catalog's order."""
    text = CLASSES + '[training]\noptimizers = [{name = "adam", betas = [0.5, 0.9]}, {name = "adam", label = "slow"}]'
    runs = parse(text, "my.toml").runs
    assert [(run.label, run.rate) for run in runs] == [("adam", 0.1), ("slow", 0.1)]
    assert runs[0].optimizer.options == (("beta1", 0.5), ("beta2", 0.9), ("eps", 1e-8), ("weight_decay", 0.0))
    assert runs[1].optimizer.option("beta2") == 0.999


def test_random_weights_are_the_seeds() -> None:
    """The same seed draws the same numbers, within torch.nn.Linear's bounds; these must never change."""
    spec = parse(CLASSES + 'bias = "random"', "my.toml")
    assert spec == parse("seed = 1\n" + CLASSES + 'bias = "random"', "my.toml")
    assert spec != parse("seed = 2\n" + CLASSES + 'bias = "random"', "my.toml")
    layer = spec.layers[0]
    assert layer.bias is not None
    drawn = (0.13436424411240122, 0.8474337369372327)  # what random.Random(1) gives first, in every version of Python
    assert layer.weights[0] == tuple(1 / math.sqrt(2) * (2 * number - 1) for number in drawn)
    assert all(abs(number) <= 1 / math.sqrt(2) for number in (*layer.weights[0], *layer.weights[1], *layer.bias))


def test_text_that_begins_with_an_equals_sign_stays_text() -> None:
    """Text is kept character by character."""
    assert parse(changed('"seed"', '"=1+1"'), "my.toml").title == "=1+1"


def test_the_default_template_is_the_seed_exercise() -> None:
    """Template erav2 has the numbers of the exercise that people know."""
    spec, seed = load("erav2"), parse(SEED, "my.toml")
    assert (spec.inputs, spec.targets, spec.layers, spec.steps) == (seed.inputs, seed.targets, seed.layers, 67)
    assert spec.learning_rates == (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)


def test_templates_are_listed_default_first() -> None:
    """All templates are there, and each is commented for a reader."""
    names = template_names()
    assert names[0] == "erav2"
    assert {"mazur", "mazur_output_first", "xor", "and_online", "softmax_three_classes"} <= set(names)
    assert {"relu_regression", "deep", "optimizers"} <= set(names)
    assert all(template_text(name).startswith("# ") for name in names)


def test_the_optimizers_template_has_every_optimizer() -> None:
    """One run for each optimizer of the catalog."""
    assert [run.label for run in load("optimizers").runs] == list(catalog.OPTIMIZERS)


def test_load_reads_a_path_or_a_template(tmp_path: Path) -> None:
    """A name is a template's; what ends in .toml or has a separator is a path, a byte order mark or not."""
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SEED.replace("\n", "\r\n").encode())
    assert load(path) == load(str(path)) == parse(SEED, "my.toml")
    assert load("erav2").title != "seed"


UNREADABLE = {
    "misspelt template": ("erav3", "'erav3' is not a template", "erav2, and_online", "Did you mean 'erav2'?"),
    "empty name": ("", "'' is not a template", "erav2, and_online", "ends in .toml"),
    "missing file": ("absent.toml", "absent.toml: cannot be read", "No such file", "Check the path"),
    "folder": ("./", "cannot be read", "Is a directory", "Check the path"),
    "no UTF-8": ("latin.toml", "latin.toml: byte 9 is not UTF-8", "in UTF-8", "Save it"),
    "UTF-16": ("wide.toml", "wide.toml: byte 0 is not UTF-8", "in UTF-8", "Save it"),
    "a null byte": ("a\0b.toml", "cannot be read", "null byte", "Check the path"),
    "far too long": ("x" * 5000 + ".toml", "cannot be read", "too long", "Check the path"),
}


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE)
def test_load_refuses_what_cannot_be_read(
    case: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the file or template, what is wrong with it, and what to do next."""
    monkeypatch.chdir(tmp_path)
    Path("latin.toml").write_bytes('title = "é"'.encode("latin-1"))
    Path("wide.toml").write_bytes(SEED.encode("utf-16"))
    given_name, *parts = case
    with pytest.raises(SpecError) as caught:
        load(given_name)
    for part in parts:
        assert part in str(caught.value)


def test_override_replaces_rates_and_steps() -> None:
    """Rates and steps given on the command line stand in place of the spec's; nothing given changes nothing."""
    spec = load("mazur")
    assert override(spec) == spec
    shorter = override(spec, [0.1, 1], 1)
    assert (shorter.learning_rates, shorter.steps) == ((0.1, 1.0), 1)
    assert shorter.published == spec.published
    assert [one.step for one in override(spec, steps=1).published] == [0] + [1] * 9


OVERRIDES = {
    "rate": ("erav2", [0.1, -1.0], None, "command line: --rate[1] is -1.0; a number that is above 0"),
    "rate nan": ("erav2", [math.nan], None, "command line: --rate[0] is nan; a number that is above 0"),
    "rate twice": ("erav2", [0.1, 0.1], None, "command line: --rate[1] is 0.1 once more"),
    "rates": ("erav2", [float(k) for k in range(1, 300)], None, "command line: --rate has 299 rates; a workbook"),
    "rates beside optimizers": ("optimizers", [0.1, 0.2], None, "command line: --rate has 2 rates; exactly one"),
    "steps": ("erav2", None, 0, "command line: --steps is 0; a whole number from 1 to 1048560"),
    "steps beyond": ("erav2", None, 2_000_000, "command line: --steps is 2000000; a whole number from 1"),
}


@pytest.mark.parametrize("case", OVERRIDES.values(), ids=OVERRIDES)
def test_override_has_the_rules_of_a_spec(case: tuple[str, list[float] | None, int | None, str]) -> None:
    """What a spec may not say, the command line may not either, in the same words."""
    name, rates, steps, expected = case
    with pytest.raises(SpecError) as caught:
        override(load(name), rates, steps)
    assert str(caught.value).startswith(expected)


def test_the_title_of_a_deep_network_is_short() -> None:
    """The title that the program makes itself is one that it allows."""
    layer = SEED[SEED.index("[[network") :].split("\n\n")[0] + "\n\n"
    text = changed('title = "seed"\n', "").split("[[network")[0] + layer * 100
    assert parse(text, "my.toml").title == "2-2-2-2-2-2-…-2-2-2-2-2 network"
    assert parse(changed('title = "seed"\n', ""), "my.toml").title == "2-2-2 network"
