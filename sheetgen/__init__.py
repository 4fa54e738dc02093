"""Spreadsheets that teach back-propagation: every formula live, every number checked.

The door for programs; each function imports what it needs when it is called:

    from sheetgen import build, check, load

    build(load("xor"), "xor.xlsx")
    assert check("xor.xlsx").ok
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from sheetgen.build import build
from sheetgen.check import check
from sheetgen.errors import VERSION

if TYPE_CHECKING:
    from sheetgen.spec import Spec

__all__ = ["build", "check", "load"]
__version__ = VERSION


def load(name_or_path: str | PathLike[str]) -> Spec:
    """The spec of a template's name, or of the TOML file at a path (it ends in .toml or contains a separator).

    SpecError, in one line, names the first thing that is wrong: where, what was found, what is allowed, what next.
    """
    from sheetgen.spec import load as read

    return read(name_or_path)
