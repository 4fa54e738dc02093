"""One value of a TOML document at a time: checked, converted, or refused with the place where it stands."""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sheetgen.errors import SpecError
from sheetgen.spec.advice import advice, home
from sheetgen.spec.catalog import FINITE, Range
from sheetgen.spec.structure import Matrix

_UNQUOTED = "Write it without quotes."


@dataclass(frozen=True)
class Place:
    """Where a value stands: the file (or the command line) and the path of keys in it; "" for a field of a form."""

    origin: str
    path: str = ""

    def __truediv__(self, key: str | int) -> "Place":
        """The place one key, or one zero-based index, further.

        >>> (Place("xor.toml") / "layers" / 1 / "bias").path
        'layers[1].bias'
        """
        if isinstance(key, int):
            return Place(self.origin, f"{self.path}[{key}]")
        name = key if re.fullmatch(r"[\w-]{1,60}", key) else show(key)
        return Place(self.origin, f"{self.path}.{name}" if self.path else name)

    def refuse(self, found: str, allowed: str, then: str = "") -> SpecError:
        """The error, in one line.

        >>> str(Place("xor.toml", "steps").refuse("is 0", "at least 1 is needed", "Try 100."))
        'xor.toml: steps is 0; at least 1 is needed. Try 100.'
        """
        where = f"{self.origin}: {self.path}" if self.origin else self.path
        return SpecError(f"{where} {found}; {allowed}. {then}".rstrip())


def show(value: object) -> str:
    """The value as a user wrote it, cut to one short line.

    >>> show("a" * 99), show(True), show([1, 2])
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'", 'true', '[1, 2]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:36] + "...")
    if isinstance(value, Mapping):
        return "a table"
    try:
        shown = repr(value)
    except ValueError:
        return "a whole number of thousands of digits"
    return shown if len(shown) <= 40 else shown[:36] + "..."


def count(number: int, noun: str) -> str:
    """
    >>> count(1, "number"), count(2, "number")
    ('1 number', '2 numbers')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(
    place: Place, value: object, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, object]:
    """The table, once all its keys are known and none that is required is missing."""
    if not isinstance(value, Mapping):
        head = f"[{place.path}]" if place.path[-1:] != "]" else f"[[{place.path.partition('[')[0]}]]"
        raise place.refuse(f"is {show(value)}", "a table is expected", f"Write {head} on a line of its own.")
    known = [*required, *optional]
    for key in value:
        if key not in known:
            then = advice(place.path, key, known) or home(place.path, key) or "Remove it."
            raise (place / str(key)).refuse("is not a known key", f"choose one of: {', '.join(known)}", then)
    for key in required:
        if key not in value:
            raise (place / key).refuse("is missing", f"these keys are needed: {', '.join(required)}", f"Add {key}.")
    return value


def items(place: Place, value: object, expected: str) -> list[object]:
    """The list, which has at least one item; `expected` says of what."""
    if not isinstance(value, list):
        then = f"Write it in brackets [ ]{' and without quotes' if isinstance(value, str) else ''}."
        if isinstance(value, Mapping) and expected.startswith(("layers", "tables")):
            then = f"Write [[{place.path}]]."
        raise place.refuse(f"is {show(value)}", f"a list of {expected} is expected", then)
    if not value:
        raise place.refuse("is empty", f"a list of at least one of {expected} is expected", "Add one.")
    return value


def number(place: Place, value: object, allowed: Range = FINITE, then: str = "") -> float:
    """The value as a float; true and false are no numbers."""
    rule = f"a number that is {allowed} is expected"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.refuse(f"is {show(value)}", rule, _UNQUOTED if isinstance(value, str) else then or "Write one.")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if real not in allowed:
        raise place.refuse(f"is {show(value)}", rule, then or "Change it.")
    return real


def whole(place: Place, value: object, low: int, high: int, then: str) -> int:
    """The value as an int between low and high, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        then = _UNQUOTED if isinstance(value, str) else then
        raise place.refuse(f"is {show(value)}", f"a whole number from {low} to {high} is expected", then)
    return value


def flag(place: Place, value: object) -> bool:
    """The value, which is true or false."""
    if not isinstance(value, bool):
        then = _UNQUOTED if isinstance(value, str) else "Write one of the two."
        raise place.refuse(f"is {show(value)}", "true or false is expected", then)
    return value


def choice(place: Place, value: object, known: Collection[str], *otherwise: str) -> str:
    """The value, which is one of the known names; `otherwise` says what else could have stood there."""
    if isinstance(value, str) and value in known:
        return value
    then = "Write one of these names in quotes."
    if isinstance(value, str):
        then = advice(place.path, value, known) or "Write one of these names."
    raise place.refuse(f"is {show(value)}", f"choose one of: {', '.join([*known, *otherwise])}", then)


def text(place: Place, value: object, longest: int, *, lines: bool = False, empty: bool = False) -> str:
    """Text without control characters, which no workbook can hold; `lines` allows tabs and line breaks of any kind."""
    if not isinstance(value, str):
        raise place.refuse(f"is {show(value)}", "text is expected", "Write it in quotes.")
    if lines:
        value = re.sub("[\u2028\u2029]", "\n", value)
    for at, char in enumerate(value):
        if _unprintable(char) and not (lines and char in "\n\t"):
            found = f"has the control character U+{ord(char):04X} at position {at + 1}"
            raise place.refuse(found, "printable text is expected", "Remove it.")
    if len(value) > longest:
        raise place.refuse(f"has {len(value)} characters", f"at most {longest} are allowed", "Shorten it.")
    if not value.strip() and not empty:
        raise place.refuse("is empty", f"text of 1 to {longest} characters is expected", "Write some.")
    return value


def _unprintable(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") or char in "\ufffe\uffff"


def vector(place: Place, value: object, length: int, per: str) -> tuple[float, ...]:
    """A list of `length` numbers; `per` names what each stands for."""
    numbers = items(place, value, "numbers")
    if len(numbers) != length:
        rule = f"{length} {'is' if length == 1 else 'are'} expected, one per {per}"
        raise place.refuse(f"has {count(len(numbers), 'number')}", rule, "Add or remove numbers.")
    return tuple(number(place / at, one) for at, one in enumerate(numbers))


def matrix(place: Place, value: object, shape: tuple[int | None, int | None], per: tuple[str, str]) -> Matrix:
    """Rows of numbers of the shape (rows, columns); a size of None is free, but every row is as long as the first.

    `per` names what a row and a column stand for.
    """
    rows = items(place, value, "lists of numbers")
    lists = [items(place / at, row, "numbers") for at, row in enumerate(rows)]
    height, width = shape[0] or len(rows), shape[1] or len(lists[0])
    for at, row in enumerate(lists):
        if len(rows) != height or len(row) != width:
            found = f"has the shape {len(rows)} x {len(row)}" + (f" in row [{at}]" if at else "")
            rule = f"{height} x {width} is expected (a row per {per[0]}, a number per {per[1]})"
            raise place.refuse(found, rule, "Add or remove numbers.")
    return tuple(vector(place / at, row, width, per[1]) for at, row in enumerate(rows))
