"""Copies of workbooks with other stored or typed values, and what an engine then makes of them."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from sheetgen.check.engines import Engine, Recalculated, recalculate
from sheetgen.xlsx.cells import Value, escape_text, number_text
from sheetgen.xlsx.reader import FORMULA_CELL, open_workbook, sheet_parts

POISON = 999
_KIND = re.compile(r'\s*\bt="[^"]*"')


def poison(path: Path, out: Path) -> int:
    """Copy a workbook with 999 in place of every formula's stored value; how many there were.

    An engine that then gives other values has recalculated.
    """
    count = 0

    def poisoned(cell: re.Match[str]) -> str:
        nonlocal count
        count += 1
        formula = f"<f{cell[2]}/>" if cell[3] is None else f"<f{cell[2]}>{cell[3]}</f>"
        return f"<c {_KIND.sub('', cell[1])}>{formula}<v>{POISON}</v>"

    copied(path, out, lambda _, xml: FORMULA_CELL.sub(poisoned, xml))
    return count


def edited(path: Path, out: Path, edits: Mapping[tuple[str, str], Value]) -> Path:
    """A copy with values typed into cells, by tab and address, which must be there, be it only with a style."""
    missing = set(edits)

    def change(title: str, xml: str) -> str:
        def typed(cell: re.Match[str]) -> str:
            missing.discard((title, cell["address"]))
            return _typed_cell(cell["attributes"], edits[title, cell["address"]])

        addresses = "|".join(address for tab, address in edits if tab == title)
        pattern = rf'<c\b(?=[^>]*\br="(?P<address>{addresses})")(?P<attributes>[^>]*?)(?:/>|>.*?</c>)'
        return re.sub(pattern, typed, xml) if addresses else xml

    copied(path, out, change)
    assert not missing, f"{path} has no cells {missing}"
    return out


def edit_and_recalculate(
    path: Path, edits: Mapping[tuple[str, str], Value], engine: Engine = "ironcalc"
) -> Recalculated:
    """What an engine computes after values were typed; the file itself is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        return recalculate(edited(path, Path(folder, "edited.xlsx"), edits), engine)


def _typed_cell(attributes: str, value: Value) -> str:
    attributes = _KIND.sub("", attributes)
    if isinstance(value, bool):
        return f'<c{attributes} t="b"><v>{value:d}</v></c>'
    if isinstance(value, str):
        return f'<c{attributes} t="inlineStr"><is><t xml:space="preserve">{escape_text(value)}</t></is></c>'
    return f"<c{attributes}><v>{number_text(value)}</v></c>"


def copied(path: Path, out: Path, change: Callable[[str, str], str]) -> None:
    """Copy a workbook, each sheet's XML changed by a function of its title and text."""
    with open_workbook(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        titles = {part: title for title, part in sheet_parts(source)}
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename in titles:
                data = change(titles[entry.filename], data.decode()).encode()
            copy.writestr(entry.filename, data)
