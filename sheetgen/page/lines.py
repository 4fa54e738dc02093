"""Where in a TOML text the value stands that an error's line speaks of."""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["line_of"]

# What may be open at the end of a line, and what closes it: texts and arrays of several lines.
CLOSERS = ("", "]", "]]", "]]]", '"""', "'''", '"""]', "''']")


def line_of(text: str, origin: str, error: str) -> int | None:
    """The one-based line of the TOML text that the error, `origin: path …`, is about; None if it names none there.

    >>> line_of("steps = 9\\nlearning_rates = [\\n  1,\\n  -2,\\n]", "a.toml", "a.toml: learning_rates[1] is -2; …")
    4
    >>> line_of("steps = 9\\nsteps = 8", "a.toml", "a.toml: line 2, column 10: Cannot overwrite a value; …")
    2
    """
    said = error.removeprefix(f"{origin}: ")
    if broken := re.match(r"line (\d+), (?:column \d+|at the end): ", said):
        return int(broken[1])
    path = _path(said.split(" ")[0])
    if said == error or path is None:
        return None
    lines = text.splitlines()
    while path:
        found = _first(lines, path)
        if found:
            return found
        path = path[:-1]  # what is missing is missed in the table around it
    return None


def _path(text: str) -> list[str | int] | None:
    if not re.fullmatch(r"[\w-]+(\.[\w-]+|\[\d+\])*", text):
        return None
    return [int(one[1:-1]) if one[0] == "[" else one for one in re.findall(r"[\w-]+|\[\d+\]", text)]


def _first(lines: list[str], path: list[str | int]) -> int | None:
    """The first line after which the document, cut off there and closed, has the path; None if the whole has not."""
    least, most = 1, len(lines) + 1
    while least < most:
        middle = (least + most) // 2
        if _has(lines[:middle], path):
            most = middle
        else:
            least = middle + 1
    return least if least <= len(lines) else None


def _has(lines: list[str], path: list[str | int]) -> bool:
    start = "\n".join(lines)
    for closer in CLOSERS:
        try:
            value: Any = tomllib.loads(f"{start}\n{closer}")
        except (ValueError, RecursionError):
            continue
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return True
    return False
