"""A workbook recalculated by a program that shares no code with this one: IronCalc or LibreOffice."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from sheetgen.cells import ERRORS, ExcelError, Value, escape_text, number_text
from sheetgen.errors import CheckError
from sheetgen.reader import FORMULA_CELL, FormulaCell, open_workbook, place, read_formulas, sheet_parts

__all__ = ["Engine", "FormulaCell", "Recalculated", "edit_and_recalculate", "poison", "read_formulas", "recalculate"]

Engine = Literal["ironcalc", "libreoffice"]
Place = tuple[str, str]
"""A tab's title and a cell's address in it."""

POISON = 999
# Ten times what a million formulas take.
LIBREOFFICE_SECONDS = 600.0
SOFFICE = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")

# OOXMLRecalcMode 0: always recalculate on load; otherwise LibreOffice shows the values that it finds in the file.
_ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
_KIND = re.compile(r'\s*\bt="[^"]*"')


class Recalculated(Mapping[Place, Value | None]):
    """The values of a workbook's formula cells by (tab, address), errors as ExcelError; None for an empty result.

    IronCalc's are looked up one by one, so that a million of them are not held twice.
    """

    def __init__(self, path: Path, look_up: Callable[[Place], Value | None]) -> None:
        self._path = path
        self._look_up = look_up

    def __getitem__(self, place: Place) -> Value | None:
        return self._look_up(place)

    def __iter__(self) -> Iterator[Place]:
        return ((cell.tab, cell.address) for cell in read_formulas(self._path))

    def __len__(self) -> int:
        return sum(1 for _ in read_formulas(self._path))


def recalculate(path: Path | str, engine: Engine = "ironcalc") -> Recalculated:
    """Every formula's value as the engine computes it, the stored values set aside.

    CheckError if the file cannot be read, or the engine is missing, fails or does not answer.
    """
    return edit_and_recalculate(path, {}, engine)


def edit_and_recalculate(path: Path | str, edits: Mapping[Place, Value], engine: Engine = "ironcalc") -> Recalculated:
    """The same after typing values into cells that the file has; the file itself is left alone."""
    with open_workbook(path) as archive:
        titles = [title for title, _ in sheet_parts(archive)]
    for title, address in edits:
        if title not in titles:
            raise CheckError(f"{path}: has no tab {title!r} with a cell {address}; its tabs are {', '.join(titles)}")
    return _ENGINES[engine](Path(path), titles, edits)


def poison(path: Path | str, out: Path | str) -> int:
    """Copy a workbook with 999 in place of every formula's stored value; how many there were.

    An engine that then gives other values has recalculated.
    """
    count = 0

    def poisoned(cell: re.Match[str]) -> str:
        nonlocal count
        count += 1
        formula = f"<f{cell[2]}/>" if cell[3] is None else f"<f{cell[2]}>{cell[3]}</f>"
        return f"<c {_KIND.sub('', cell[1])}>{formula}<v>{POISON}</v>"

    _copy(Path(path), Path(out), lambda _, xml: FORMULA_CELL.sub(poisoned, xml))
    return count


def _copy(path: Path, out: Path, change: Callable[[str, str], str]) -> None:
    """Copy a workbook, each sheet's XML changed by a function of its title and text."""
    with open_workbook(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        titles = {part: title for title, part in sheet_parts(source)}
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename in titles:
                data = change(titles[entry.filename], data.decode()).encode()
            copy.writestr(entry.filename, data)


def _with_ironcalc(path: Path, titles: list[str], edits: Mapping[Place, Value]) -> Recalculated:
    model = _ironcalc_model(path)
    for (title, address), value in edits.items():
        _type_into(model, (titles.index(title), *place(address)), value)
    model.evaluate()
    sheets = {title: index for index, title in enumerate(titles)}

    def look_up(where: Place) -> Value | None:
        cell = sheets[where[0]], *place(where[1])
        value: Value | None = model.get_cell_value(*cell)
        if isinstance(value, str) and value in ERRORS and "Error" in str(model.get_cell_type(*cell)):
            return ExcelError(value)
        return value

    return Recalculated(path, look_up)


def _ironcalc_model(path: Path) -> Any:
    try:
        import ironcalc
    except ImportError:
        raise CheckError("IronCalc is not installed; run: pip install ironcalc (or use --engine libreoffice)") from None
    try:
        return ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    except BaseException as error:
        # A panic of IronCalc's Rust code arrives as an exception that is no Exception.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise CheckError(f"{path}: IronCalc cannot open it: {error}; try --engine libreoffice") from error
        raise


def _type_into(model: Any, cell: tuple[int, int, int], value: Value) -> None:
    if isinstance(value, bool):
        model.update_cell_with_bool(*cell, value)
    elif isinstance(value, str):
        model.update_cell_with_text(*cell, value)
    else:
        model.update_cell_with_number(*cell, float(value))


def _with_libreoffice(path: Path, titles: list[str], edits: Mapping[Place, Value]) -> Recalculated:
    values: dict[str, dict[str, Value | None]] = {title: {} for title in titles}
    with tempfile.TemporaryDirectory(prefix="sheetgen-") as folder:
        source, results = Path(folder, "in", "book.xlsx"), Path(folder, "out")
        source.parent.mkdir()
        _copy(path, source, lambda title, xml: _edited(path, title, xml, edits))
        _convert(source, results, Path(folder, "profile"), path)
        for cell in read_formulas(results / "book.xlsx"):
            values[cell.tab][cell.address] = cell.value
    return Recalculated(path, lambda where: values[where[0]][where[1]])


def _edited(path: Path, title: str, xml: str, edits: Mapping[Place, Value]) -> str:
    for (tab, address), value in edits.items():
        if tab == title:
            cell = re.compile(rf'<c\b(?=[^>]*\br="{address}")([^>]*?)(?:/>|>.*?</c>)', re.DOTALL)
            xml, found = cell.subn(lambda match, value=value: _typed_cell(match[1], value), xml)  # type: ignore[misc]
            if not found:
                raise CheckError(f"{path}: {tab}!{address} is an empty cell; only a filled one can be changed")
    return xml


def _typed_cell(attributes: str, value: Value) -> str:
    attributes = _KIND.sub("", attributes)
    if isinstance(value, bool):
        return f'<c{attributes} t="b"><v>{value:d}</v></c>'
    if isinstance(value, str):
        return f'<c{attributes} t="inlineStr"><is><t xml:space="preserve">{escape_text(value)}</t></is></c>'
    return f"<c{attributes}><v>{number_text(value)}</v></c>"


def _convert(source: Path, results: Path, profile: Path, shown: Path) -> None:
    """Let LibreOffice open a workbook, recalculate it and save it in another folder."""
    program = next(filter(None, map(shutil.which, SOFFICE)), None)
    if program is None:
        raise CheckError("LibreOffice is not installed (no soffice on the PATH); install it or use --engine ironcalc")
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(_ALWAYS_RECALCULATE, encoding="utf-8")
    command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--convert-to"]
    said = _run([*command, "xlsx:Calc MS Excel 2007 XML", "--outdir", str(results), str(source)], shown)
    if not (results / source.name).exists():
        lines = [line for line in said.splitlines() if line.strip() and "javaldx" not in line]
        raise CheckError(f"{shown}: LibreOffice did not open it: {lines[-1] if lines else 'it gave no reason'}")


def _run(command: list[str], shown: Path) -> str:
    """What the program printed; CheckError, and no process left, if it takes too long."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            return process.communicate(timeout=LIBREOFFICE_SECONDS)[0]
        except subprocess.TimeoutExpired:
            limit = f"{LIBREOFFICE_SECONDS:g} s"
            raise CheckError(f"{shown}: LibreOffice did not finish within {limit}; use --engine ironcalc") from None
        finally:
            # soffice starts another process, which outlives it if only the first one is ended.
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


_ENGINES: dict[str, Callable[[Path, list[str], Mapping[Place, Value]], Recalculated]] = {
    "ironcalc": _with_ironcalc,
    "libreoffice": _with_libreoffice,
}
