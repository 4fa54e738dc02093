"""TOML -> frozen Spec, and back: files, templates and the options that override them."""

import dataclasses
import re
import tomllib
from collections.abc import Sequence
from os import PathLike, sep
from pathlib import Path
from textwrap import wrap

from sheetgen.errors import SpecError
from sheetgen.spec import catalog
from sheetgen.spec.advice import nearest
from sheetgen.spec.document import read_spec
from sheetgen.spec.fields import Place
from sheetgen.spec.order import check_passes
from sheetgen.spec.schedule import fitted, learning_rates, step_count
from sheetgen.spec.structure import Layer, Optimizer, Schedule, Shape, Spec

__all__ = ["DEFAULT_TEMPLATE", "dump", "load", "override", "parse", "template_names", "template_text"]

OPTIONS = Place("command line", "--rate"), Place("command line", "--steps")
"""Where the command is asked for other rates and steps."""

DEFAULT_TEMPLATE = "erav2"


def parse(text: str, origin: str, folder: str = "") -> Spec:
    """The spec that the TOML text describes; `origin` is what error messages call it.

    A file of data is looked for in the folder, and then among the templates; without a folder it is refused.
    """
    then = f"Correct it, or start from: sheetgen templates {DEFAULT_TEMPLATE}"
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        where, problem = _syntax(text, error)
        raise SpecError(f"{origin}: {where}: {problem}; the file must be TOML. {then}") from None
    folders = [Path(folder), _templates()] if folder else []
    return dataclasses.replace(read_spec(document, origin, folders), source=text, folder=folder)


def _syntax(text: str, error: Exception) -> tuple[str, str]:
    """Where a TOML document is broken, and how."""
    found = re.fullmatch(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
    if isinstance(error, RecursionError):
        return "somewhere", "brackets are nested too deeply"
    if not found:
        return "somewhere", str(error).split("\n")[0]
    problem, line, column = found.groups()
    last = text.rstrip().count("\n") + 1
    return f"line {line}, column {column}" if line else f"line {last}, at the end", problem


def dump(spec: Spec, width: int | None = None) -> str:
    """Canonical TOML with every number resolved: parse(dump(spec), origin) == spec.

    A file's data stands in it. Its lines, which end in a line feed, have no more characters than a cell can hold; with
    a width, a longer text is broken between words into lines of so many characters.
    """
    top = {key: getattr(spec, key) for key in ("title", "about", "learning_rates", "steps", "threshold")}
    top |= _unless({"pictures": spec.pictures}, {"pictures": True})
    if spec.shuffle is not None:
        top["seed"] = spec.shuffle
    tables = [
        ("", top),
        ("[data]", _data_table(spec)),
        ("[network]", {"loss": spec.loss} | _unless({"reduction": spec.reduction}, {"reduction": "mean"})),
        *(("[[network.layers]]", _layer_table(layer)) for layer in spec.layers),
        (
            "[training]",
            {"batch": spec.batch, **({} if spec.shuffle is None else {"shuffle": True}), "updates": spec.updates},
        ),
        *((("[training.schedule]", _schedule_table(spec.schedule)),) if spec.schedule else ()),
        *(("[[training.optimizers]]", _optimizer_table(one)) for one in spec.optimizers),
        *(("[[published]]", dataclasses.asdict(one)) for one in spec.published),
    ]
    blocks = (
        "\n".join([head, *(f"{key} = {_broken(_toml(value), width)}" for key, value in table.items())])
        for head, table in tables
    )
    return "\n\n".join(blocks).lstrip() + "\n"


# Beside what TOML asks for, what ends a line in some programs, and _x0041_, which in a file is another way to write A.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED = re.compile('[\\\\"\t\n\u2028\u2029]|_(?=x[0-9A-Fa-f]+_)')


def _toml(value: object) -> str:
    """The value as TOML: a list of lists has a list a line, and a long list several lines.

    >>> _toml("a\\tb"), _toml((0.5, 1e-05)), _toml(True), _toml(((1.0,), (2.0,)))
    ('"a\\\\tb"', '[0.5, 1e-05]', 'true', '[\\n    [1.0],\\n    [2.0],\\n]')
    """
    if isinstance(value, str):
        return '"' + _ESCAPED.sub(lambda found: _ESCAPES.get(found[0], r"\u005F"), value) + '"'
    if not isinstance(value, tuple):
        return repr(value).lower()
    if isinstance(value[0], tuple) and isinstance(value[0][0], tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value[0], tuple):
        return "[\n" + "".join(f"    {_toml(row)},\n" for row in value) + "]"
    if isinstance(value[0], str):
        return "[\n" + "".join(f"    {_toml(one)},\n" for one in value) + "]"
    return "\n        ".join(wrap(f"[{', '.join(map(repr, value))}]", 100, break_on_hyphens=False))


def _broken(text: str, width: int | None) -> str:
    """A value as TOML, on several lines if it is a text longer than a width; a backslash at a line's end joins them."""
    if width is None or len(text) <= width or text[0] != '"':
        return text
    lines = [""]
    for word in re.split("(?<= )(?! )", text[1:-1]):  # a line that began with blanks would lose them
        if lines[-1] and len(lines[-1]) + len(word) > width - 2:
            lines.append("")
        lines[-1] += word
    return '"""' + ("" if lines[0].startswith(" ") else "\\\n") + "\\\n".join(lines) + '"""'


def _layer_table(layer: Layer) -> dict[str, object]:
    if layer.kind != "linear":
        return _kind_table(layer)
    entry: dict[str, object] = {"units": layer.units, "activation": layer.activation, "weights": layer.weights}
    if layer.bias is not None:
        entry |= {"bias": layer.bias, "train_bias": layer.train_bias}
    if layer.activation == "leaky_relu":
        entry["negative_slope"] = layer.negative_slope
    return entry


def _kind_table(layer: Layer) -> dict[str, object]:
    entry = {"kind": layer.kind} | dict(layer.options)
    if catalog.KINDS[layer.kind].activations:
        entry["activation"] = layer.activation
    if layer.activation == "leaky_relu":
        entry["negative_slope"] = layer.negative_slope
    return entry | {one.name: _nested(one.values, one.shape) for one in layer.tensors}


def _nested(values: tuple[float, ...], shape: Shape) -> object:
    """The numbers as lists within lists.

    >>> _nested((1.0, 2.0, 3.0, 4.0), (2, 1, 2))
    (((1.0, 2.0),), ((3.0, 4.0),))
    """
    if len(shape) == 1:
        return values
    size = len(values) // shape[0]
    return tuple(_nested(values[at : at + size], shape[1:]) for at in range(0, len(values), size))


def _data_table(spec: Spec) -> dict[str, object]:
    """The samples, and what not every spec says of them."""
    keys = ("shape", "inputs", "targets", "names", "scale", "test_inputs", "test_targets")
    return {key: value for key in keys if (value := getattr(spec, key))}


def _schedule_table(schedule: Schedule) -> dict[str, object]:
    way = {"anneal_strategy": schedule.anneal_strategy} if schedule.name == "one_cycle" else {}
    return {"name": schedule.name, **dict(schedule.options), **way}


# Options that are younger than workbooks whose text stays as it is.
_WRITTEN_IF_USED = ("dampening",)


def _optimizer_table(optimizer: Optimizer) -> dict[str, object]:
    entry: dict[str, object] = {"name": optimizer.name, "label": optimizer.label}
    options = catalog.OPTIMIZERS[optimizer.name]
    for name, option in options.items():
        if name in _WRITTEN_IF_USED and optimizer.option(name) == option.default:
            continue
        together = tuple(optimizer.option(one) for one, other in options.items() if other.key == option.key)
        entry[option.key] = optimizer.option(name) if option.index is None else together
    return entry | _unless({"decay_bias": optimizer.decay_bias}, {"decay_bias": True})


def _unless(entry: dict[str, object], default: dict[str, object]) -> dict[str, object]:
    """The entries that are not as they are by default."""
    return {key: value for key, value in entry.items() if value != default[key]}


def load(name_or_path: str | PathLike[str]) -> Spec:
    """The spec of a template's name, or of a path (it ends in .toml or contains a separator)."""
    given = str(name_or_path)
    if isinstance(name_or_path, PathLike) or given.endswith(".toml") or "/" in given or sep in given:
        return parse(_read(Path(given)), given, str(Path(given).parent))
    return parse(_template(given), f"templates/{given}.toml", str(_templates()))


def override(
    spec: Spec, rates: Sequence[float] | None = None, steps: int | None = None, asked: tuple[Place, Place] = OPTIONS
) -> Spec:
    """The spec with other rates or steps, as the options --rate and --steps ask, under the rules of a spec.

    Published numbers of later steps than the last are left out: nothing of ours stands beside them. `asked` is where
    rates and steps were typed, for the error.
    """
    at_rates, at_steps = asked
    if rates is not None:
        if len(spec.optimizers) > 1 and len(rates) > 1:
            rule = "exactly one is expected, because this spec compares several optimizers"
            raise at_rates.refuse(f"has {len(rates)} rates", rule, "Keep one.")
        spec = dataclasses.replace(spec, learning_rates=learning_rates(at_rates, list(rates)))
    if steps is not None:
        last = step_count(at_steps, steps)
        spec = dataclasses.replace(spec, schedule=fitted(at_steps, spec.schedule, spec.steps, last))
        published = tuple(one for one in spec.published if one.step <= last)
        spec = dataclasses.replace(spec, steps=last, published=published)
        check_passes(at_steps, spec)
    return spec


def _read(path: Path) -> str:
    origin, then = str(path), "Check the path; `sheetgen templates` lists the specs that come with it"
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is not UTF-8"
        raise SpecError(f"{origin}: {found}; a spec is TOML, in UTF-8. Save it with that encoding.") from None
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError(f"{origin}: cannot be read ({problem}); a readable TOML file is expected. {then}.") from None


def _templates() -> Path:
    """The folder of templates: inside the package when it was installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def template_names() -> tuple[str, ...]:
    """The names of the templates, the default first and the rest in alphabetical order."""
    names = sorted(path.stem for path in _templates().glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_TEMPLATE))


_DATA_FILE = re.compile(r"^file *=", re.MULTILINE)


def template_text(name: str) -> str:
    """The template's TOML, comments included; SpecError if there is none of that name.

    Of one whose data stands in a file beside it, the spec with that data in it, which needs no other file.
    """
    text = _template(name)
    return f"# Template {name}, with the data of its file.\n\n{dump(load(name))}" if _DATA_FILE.search(text) else text


def _template(name: str) -> str:
    names = template_names()
    if name not in names:
        then = nearest(name, names) or "For a file of yours, give a path that ends in .toml."
        raise SpecError(f"{name!r} is not a template; choose one of: {', '.join(names)}. {then}")
    return (_templates() / f"{name}.toml").read_text(encoding="utf-8")
