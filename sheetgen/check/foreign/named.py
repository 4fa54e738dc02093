"""What labels mean by what stands beside them: y is the target where none is labelled, o an activation beside net_o."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from sheetgen.check.foreign.labels import GRADIENT, RATE, simplified, symbol_of, without_remark

__all__ = ["named", "numbered", "numbered_deltas", "slopes_of_units"]

Meanings = dict[int, str]
"""Column -> symbol; "" for one that has none."""

_BARE = re.compile(r"(?:h|o|hidden|output)\d+|o")
_OF_Y = re.compile(r"y(?:o|out|output)?\d+")
_UNIT_SLOPE = re.compile(rf"(?:{GRADIENT})(h|o)(\d+)")
# Of units that are numbered through: those of hidden layers, then those of the output.
_NUMBERED = (
    ("", re.compile(r"(?:z|net|netinput|s|sum)(\d+)")),
    ("a_", re.compile(r"(?:a|act|activation|σz|σnet|fz)(\d+)")),
    ("δ_", re.compile(rf"(?:δ|delta|d|errorsignal)(\d+)|{GRADIENT}(?:z|net)(\d+)")),
)
# What a label of a single output means, if nothing else has that meaning; in this order.
_SINGLE = (
    ("t1", re.compile(r"label|class|d|true|groundtruth")),
    ("o1", re.compile(r"z|net|netinput|s|sum")),
    ("a_o1", re.compile(r"a|out|output|σz|σnet|sigmoidz|fz")),
    ("t1", re.compile(r"y|actual|actualvalue|actualoutput")),
    ("a_o1", re.compile(r"y|actual|actualoutput")),
    ("b1", re.compile(r"b|bias|θ|theta")),
    ("∂E/∂b1", re.compile(rf"{GRADIENT}(?:b|bias|θ|theta)")),
    ("δ_o1", re.compile(rf"δ|delta|errorsignal|errorterm|{GRADIENT}(?:z|net)")),
)


def named(meant: Meanings, labels: Mapping[int, str]) -> Meanings:
    """What columns mean; `meant` is what each label means by itself, `labels` are of columns with numbers."""
    found = dict(meant)
    for step in (_by_index, _outputs, _beside_nets, _units, _targets, _singles, _slopes, _second_weights):
        for column, symbol in list(step(found, labels)):
            found[column] = symbol
    return found


def _plain(label: str) -> str:
    """A label without its remark, in small letters, its signs as they are."""
    text = unicodedata.normalize("NFKC", without_remark(label)).casefold()
    return re.sub(r"[\s_{}()$^:=]+", "", text)


def _is(pattern: re.Pattern[str], label: str) -> re.Match[str] | None:
    return pattern.fullmatch(_plain(label)) or pattern.fullmatch(simplified(without_remark(label)))


def _by_index(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Where weights are called w[1], what stands in brackets numbers everything, and no sample."""
    if any(re.fullmatch(r"\s*w\s*\[\d+\]\s*", label, re.IGNORECASE) for label in labels.values()):
        for column, label in labels.items():
            yield column, symbol_of(re.sub(r"\[(\d+)\]\s*$", r"\1", label)) or meant[column]


def _outputs(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """y1 beside a target t1, and y_o1 beside an activation y_h1, are outputs."""
    called = {
        column: symbol for column, symbol in meant.items() if symbol[:1] == "t" and _is(_OF_Y, labels.get(column, ""))
    }
    others = {symbol for column, symbol in meant.items() if column not in called}
    beside = any(re.fullmatch(r"yh\d+", _plain(label)) for label in labels.values())
    if beside or {*called.values()} <= others:
        yield from (
            (column, f"a_o{symbol[1:]}") for column, symbol in called.items() if f"a_o{symbol[1:]}" not in others
        )


def _beside_nets(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Of two columns for a net, that which is called h1 or o alone is the activation, if there is no other."""
    for column, symbol in meant.items():
        again = [one for one, other in meant.items() if other == symbol and not _is(_BARE, labels.get(one, ""))]
        if again and f"a_{symbol}" not in meant.values() and _is(_BARE, labels.get(column, "")):
            yield column, f"a_{symbol}"


def _most(meant: Meanings, pattern: str) -> int:
    return max((int(found[1]) for one in meant.values() if (found := re.fullmatch(pattern, one))), default=0)


def _units(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Units that are numbered through, hidden ones first; or those of the output alone, if the others are there."""
    if any(re.match(r"(?:a_)?h\d+_", symbol) for symbol in meant.values()):
        return  # more hidden layers than one
    hidden, outputs = _most(meant, r"(?:a_)?h(\d+)"), _most(meant, r"(?:t|(?:a_)?o)(\d+)") or 1
    there = {part: _with_numbers(pattern, labels) for part, pattern in _NUMBERED}
    hidden = hidden or max((max(some) for some in there.values() if some), default=outputs) - outputs
    units = [*(f"h{k + 1}" for k in range(hidden)), *(f"o{k + 1}" for k in range(outputs))]
    for part, columns in there.items():
        numbers = sorted(columns)
        if any(symbol.startswith(f"{part}o") for symbol in meant.values()):
            continue
        latin = any(re.fullmatch(r"d\d+", _plain(labels[column])) for column in columns.values())
        if latin and not (_most(meant, r"t(\d+)") and len(numbers) > outputs):
            continue  # what is desired, or a difference
        if numbers == [*range(1, outputs + 1)] and (f"{part}h1" in meant.values() or not hidden or part == "δ_"):
            yield from ((columns[k], f"{part}o{k}") for k in numbers)
        elif numbers in ([*range(1, len(units) + 1)], [*range(hidden + 1, len(units) + 1)]):
            yield from ((columns[k], part + units[k - 1]) for k in numbers)


def numbered_deltas(labels: Mapping[int, str]) -> dict[int, int]:
    """The columns of δ that are numbered through, by number: which units come first is not said."""
    return _with_numbers(_NUMBERED[-1][1], labels)


def _with_numbers(pattern: re.Pattern[str], labels: Mapping[int, str]) -> dict[int, int]:
    found = ((column, _is(pattern, label)) for column, label in labels.items())
    return {int(next(filter(None, one.groups()))): column for column, one in found if one}


def _targets(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """d1 and d2 are what is desired of two outputs, if nothing else is."""
    there = {
        int(found[1]): column for column, label in labels.items() if (found := re.fullmatch(r"d(\d+)", _plain(label)))
    }
    outputs = _most(meant, r"(?:a_)?o(\d+)")
    if not _most(meant, r"t(\d+)") and sorted(there) == [*range(1, outputs + 1)]:
        yield from ((column, f"t{number}") for number, column in there.items())


def _singles(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Of a single output, and of what there is one of at all."""
    if max(_most(meant, r"(?:t|(?:a_)?o|E)(\d+)"), 1) > 1:
        return
    found = dict(meant)
    for symbol, pattern in _SINGLE:
        if symbol in found.values() or (symbol == "b1" and any(one[:1] == "b" for one in found.values())):
            continue
        if symbol == "a_o1" and "o1" not in found.values():
            continue
        free = [column for column, label in labels.items() if found[column] in ("", RATE) and _is(pattern, label)]
        if symbol == "t1":
            free = [one for one in free if _plain(labels[one]) not in ("δ", "delta")]
        for column in free[:1]:
            found[column] = symbol
            yield column, symbol


def slopes_of_units(labels: Mapping[int, str]) -> dict[int, str]:
    """Columns that are called ∂E/∂o1: of a net, or else of an activation."""
    found = {column: _is(_UNIT_SLOPE, label) for column, label in labels.items() if "/" in label}
    return {column: f"δ_{one[1]}{one[2]}" for column, one in found.items() if one}


def _slopes(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """∂E/∂o1 is δ where o1 is a net, and its activation is called otherwise."""
    for column, symbol in slopes_of_units(labels).items():
        if not meant[column] and symbol not in meant.values() and f"a_{symbol[2:]}" in meant.values():
            yield column, symbol


def _second_weights(meant: Meanings, labels: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """v1 to v4 are the output's weights, if w1 to w4 are those of the hidden units alone."""
    inputs, hidden, outputs = (
        _most(meant, pattern) for pattern in (r"i(\d+)", r"(?:a_)?h(\d+)", r"(?:t|(?:a_)?o)(\d+)")
    )
    first = _most(meant, r"w(\d+)")
    for pattern, symbol in ((r"v(\d+)", "w{}"), (rf"{GRADIENT}v(\d+)", "∂E/∂w{}")):
        there = _with_numbers(re.compile(pattern), labels)
        if first == inputs * hidden and sorted(there) == [*range(1, hidden * outputs + 1)]:
            yield from ((column, symbol.format(first + number)) for number, column in there.items())


_MATRIX = re.compile(r"w[1-9][1-9]")
_OF_UNIT = re.compile(r"b_\w+")
_OF_LAYER = re.compile(r"w_[ho]\d+")


def numbered(meant: Meanings) -> Meanings:
    """Biases that are called by their unit, and weights by row and column, with the numbers that they have in order."""
    parameters = [symbol.rstrip("⁺").removeprefix("∂E/∂") for symbol in meant.values()]
    names: dict[str, str] = {}
    biases = [one for one in dict.fromkeys(parameters) if re.fullmatch(r"b(?:_\w+|\d+)", one)]
    if any(map(_OF_UNIT.fullmatch, biases)):
        mixed = not all(map(_OF_UNIT.fullmatch, biases))
        names = {one: f"b{k}" for k, one in enumerate(biases if mixed else sorted(biases, key=_in_order), 1)}
    weights = [symbol for symbol in meant.values() if re.fullmatch(r"w\d+", symbol)]
    layers = [one for one in dict.fromkeys(parameters) if _OF_LAYER.fullmatch(one)]
    if layers and not weights:
        names |= {one: f"w{k}" for k, one in enumerate(sorted(layers, key=_in_order), 1)}
    elif weights and all(map(_MATRIX.fullmatch, weights)):
        names |= {one: f"w{k}" for k, one in enumerate(dict.fromkeys(weights), 1)}

    def renamed(symbol: str) -> str:
        name = symbol.rstrip("⁺").removeprefix("∂E/∂")
        return symbol.replace(name, names[name]) if name in names else symbol

    return {column: renamed(symbol) for column, symbol in meant.items()}


def _in_order(name: str) -> list[tuple[str, int]]:
    """Names by their letters, and their numbers as numbers."""
    return [(letters, int(number or 0)) for letters, number in re.findall(r"(\D+)(\d*)", name)]
