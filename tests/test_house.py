"""Imports point down the list of rooms and never up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# room -> the rooms, or single modules, that it may import from; a room is a wing, or a module at the door
MAY_IMPORT: dict[str, set[str]] = {
    "sheetgen.errors": set(),
    "sheetgen.xlsx": {"sheetgen.errors"},
    "sheetgen.spec": {"sheetgen.errors"},
    "sheetgen.formulas": {"sheetgen.errors", "sheetgen.xlsx.cells"},
    "sheetgen.maths": {"sheetgen.errors", "sheetgen.spec", "sheetgen.formulas"},
    "sheetgen.tabs": {"sheetgen.errors", "sheetgen.xlsx", "sheetgen.spec", "sheetgen.formulas", "sheetgen.maths"},
    "sheetgen.check": {
        *("sheetgen.errors", "sheetgen.xlsx", "sheetgen.spec", "sheetgen.formulas", "sheetgen.maths", "sheetgen.tabs"),
        *("cnn.live", "cnn.export", "cnn.cells", "cnn.tabs"),
    },
    "sheetgen.build": {
        *("sheetgen.errors", "sheetgen.xlsx", "sheetgen.spec", "sheetgen.formulas", "sheetgen.maths", "sheetgen.tabs")
    },
    "sheetgen.lessons": {
        *("sheetgen.errors", "sheetgen.xlsx", "sheetgen.spec", "sheetgen.formulas", "sheetgen.maths", "sheetgen.tabs"),
        *("sheetgen.check", "sheetgen.build"),
    },
    "sheetgen.handout": {
        *("sheetgen.errors", "sheetgen.spec", "sheetgen.maths"),
        *("sheetgen.tabs.words", "sheetgen.xlsx.files"),
    },
    "sheetgen.page": {
        *("sheetgen.errors", "sheetgen.xlsx", "sheetgen.spec", "sheetgen.tabs"),
        *("sheetgen.check", "sheetgen.build", "sheetgen.lessons"),
    },
    # the version that a workbook records
    "sheetgen": {"sheetgen.build", "sheetgen.check", "sheetgen.spec", "sheetgen.errors"},
    "sheetgen.cli": {
        *(
            "sheetgen",
            "cnn",
            "sheetgen.errors",
            "sheetgen.spec",
            "sheetgen.build",
            "sheetgen.check",
            "sheetgen.lessons",
        ),
        "sheetgen.handout",
    },
    "sheetgen.__main__": {"sheetgen.cli"},
    "cnn.live": {"cnn", "sheetgen.errors", "sheetgen.xlsx", "sheetgen.build"},
    "cnn": {"cnn.live", "cnn.command", "sheetgen.errors", "sheetgen.xlsx", "sheetgen.build"},
    # the version that a run folder records
    "cnn.command": {"cnn", "sheetgen", "sheetgen.errors"},
}
MODULES_AT_THE_DOOR = 5


def modules() -> dict[str, Path]:
    """Name -> file of every module of the two packages."""
    found = {}
    for path in [*ROOT.glob("sheetgen/**/*.py"), *ROOT.glob("cnn/**/*.py")]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(text: str, known: set[str]) -> Iterator[str]:
    """Every module of the two packages that a text imports, wherever it does."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                # sheetgen.build and sheetgen.check are functions of the package too
                yield inside if inside in known and node.module != "sheetgen" else node.module


def room(module: str) -> str:
    """The room with the longest name that a module lies in."""
    return max((name for name in MAY_IMPORT if module == name or module.startswith(f"{name}.")), key=len)


def wrong(module: str, text: str, known: set[str]) -> list[str]:
    """The imports of a module that its room may not make."""
    here = room(module)
    return [
        f"{module} imports {other}"
        for other in imports(text, known)
        if room(other) != here and not {other, room(other)} & MAY_IMPORT[here]
    ]


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_down(module: str) -> None:
    """No module imports from a room that stands above its own."""
    known = modules()
    assert wrong(module, known[module].read_text(encoding="utf-8"), set(known)) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sheetgen.xlsx.cells", "from sheetgen.tabs.words import KINDS"),
        ("sheetgen.spec.catalog", "from cnn.live import DRAW"),
        ("sheetgen.spec.catalog", "import sheetgen.xlsx.cells"),
        ("sheetgen.maths.rules", "from sheetgen.tabs import layout"),
        ("sheetgen.maths.rules", "def later() -> None:\n    from sheetgen.check.engines import recalculate"),
        ("sheetgen.tabs.start", "from sheetgen.build import build"),
        ("cnn.tabs.epochs", "from sheetgen.maths.rules import LOSSES"),
        ("cnn.live.draw", "from sheetgen.spec import load"),
        ("sheetgen.build", "from sheetgen import check"),
        ("sheetgen.lessons.files", "from sheetgen.page import door"),
    ],
)
def test_an_import_turned_round_is_seen(module: str, line: str) -> None:
    """An import that points up is named, inside a function too."""
    assert wrong(module, line, set(modules()))


def test_the_door_is_small() -> None:
    """The package has few modules of its own beside its wings."""
    assert len(list((ROOT / "sheetgen").glob("*.py"))) <= MODULES_AT_THE_DOOR
