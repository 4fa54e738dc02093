"""`check` on damaged and on hostile files: one line, no traceback, no hang, within 10 s and 1 GB."""

from __future__ import annotations

import io
import os
import random
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from portions import portions
from workbooks import Choice

from sheetgen.build import build
from sheetgen.check import check
from sheetgen.errors import CheckError

ROOT = Path(__file__).parent.parent
SECONDS, MEGABYTES = 10, 1024
# What an XML part may be damaged by: other values of attributes, other names, texts and numbers.
JUNK = (
    "", "0", "-1", "1e999", "nan", "A0", "XFE1", "A99999999999", "s", "str", "e", "b", "shared", "#REF!", "é",
    "_x0041_", "&#0;", "9" * 400, "'", "<", "xl/../..", "array", "$A$1:$XFD$1048576", "t_2",
)  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workbook with every tab."""
    path = tmp_path_factory.mktemp("damage") / "book.xlsx"
    build(Choice(units=(1, 1), samples=1, steps=2).spec, path)
    return path


Parts = dict[str, bytes]


def packed(parts: Parts) -> bytes:
    """The parts as an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def flip(data: bytes, draw: random.Random) -> bytes:
    """Some bytes changed."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 3, 20))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def cut(data: bytes, draw: random.Random) -> bytes:
    """Something left out, or standing twice."""
    start = draw.randrange(len(data))
    end = min(len(data), start + draw.choice((1, 10, 1000, 10**6)))
    return data[:start] + data[end:] if draw.random() < 0.5 else data[:end] + data[start:]


def directory(data: bytes, draw: random.Random) -> bytes:
    """The list of parts at the end changed: sizes, offsets, names, methods."""
    changed = bytearray(data)
    start = data.find(b"PK\1\2")
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(start, len(changed) - 4)
        changed[at : at + 4] = struct.pack("<I", draw.choice((0, 1, 0xFFFFFFFF, draw.randrange(2**32))))
    return bytes(changed)


def in_parts(change: Callable[[Parts, random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    """A damage to what the archive has in it."""

    def damage(data: bytes, draw: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts, draw)
        return packed(parts)

    return damage


def a_part(parts: Parts, draw: random.Random) -> str:
    """One that `check` reads, more often than the others."""
    read = [name for name in parts if re.search(r"workbook|sheet\d|sharedStrings|_rels/\.rels|docProps", name)]
    return draw.choice(read if draw.random() < 0.9 else sorted(parts))


def edit(parts: Parts, draw: random.Random) -> None:
    """An attribute's value, an element's text, or a tag, in the XML of a part."""
    for _ in range(draw.choice((1, 1, 2, 5))):
        name = a_part(parts, draw)
        text = parts[name].decode(errors="replace")
        pattern = draw.choice((r'"[^"<>]*"', r">[^<>]+<", r"<[^<>]+>", r" [\w:]+=", r"<\w+"))
        places = list(re.finditer(pattern, text))
        if places:
            found = draw.choice(places)
            inner = draw.choice((draw.choice(JUNK), draw.choice(places)[0].strip('"<> =')))
            tag = draw.choice(("", f"<{inner}>", "<c", "</row>", "<!--"))
            new = {'"': f'"{inner}"', ">": f">{inner}<", " ": f" {inner}="}.get(found[0][0], tag)
            text = text[: found.start()] + new + text[found.end() :]
        parts[name] = text.encode(errors="replace")


def drop(parts: Parts, draw: random.Random) -> None:
    """A part left out, empty, in another encoding, or with another's content."""
    name = a_part(parts, draw)
    how = draw.randrange(4)
    if how == 0:
        del parts[name]
    elif how == 1:
        parts[name] = draw.choice((b"", b"<a/>", b"<a>" * 5000, b"\xff\xfe<\0a\0/\0>\0"))
    elif how == 2:
        parts[name] = parts[a_part(parts, draw)]
    else:
        parts[name] = parts[name].decode(errors="replace").encode("utf-16")


def scratch(parts: Parts, draw: random.Random) -> None:
    """Bytes of a part, unpacked, changed or left out."""
    name = a_part(parts, draw)
    if parts[name]:
        parts[name] = draw.choice((flip, cut))(parts[name], draw)


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes": flip, "pieces": cut, "directory": directory,
    "XML": in_parts(edit), "more XML": in_parts(edit), "parts": in_parts(drop), "bytes of parts": in_parts(scratch),
}  # fmt: skip


def confirmed_or_told(path: Path) -> str:
    """The one line that a check ends with, or "" where all agree; anything else is raised."""
    try:
        line = check(path).failure
    except CheckError as error:
        line = str(error)
    assert len(" ".join(line.split())) < 3_000
    return line


@pytest.mark.parametrize("seeds", portions(50, 150, 5_000, 250))
def test_a_damaged_workbook_is_told_in_one_line(seeds: range, book: Path, tmp_path: Path, torch: ModuleType) -> None:
    """Or is confirmed, where the damage does not matter; never a traceback, and never longer than a moment."""
    whole = book.read_bytes()
    for seed in seeds:
        draw = random.Random(seed)
        kind = list(DAMAGES)[seed % len(DAMAGES)]
        path = tmp_path / f"{seed}.xlsx"
        path.write_bytes(DAMAGES[kind](whole, draw))
        started = time.monotonic()
        try:
            confirmed_or_told(path)
        except Exception as error:
            raise AssertionError(f"damage {seed} ({kind})") from error
        assert time.monotonic() - started < SECONDS, (seed, kind)
        path.unlink()


# Hostile files: each asks for more than there is, of memory, of time or of both. What the one line then has in it.
SHEET = "xl/worksheets/sheet1.xml"
INPUTS = "xl/worksheets/sheet2.xml"
BOOK, STRINGS = "xl/workbook.xml", "xl/sharedStrings.xml"
NAMES, DEFINED = "</definedNames>", '<definedName name="n_{}">Inputs!$A$1</definedName>'
ROWS = "</sheetData>"


def formula(text: str, address: str = "A900") -> str:
    """A row with one formula."""
    return f'<row r="{address[1:]}"><c r="{address}"><f>{text}</f><v>1</v></c></row>{ROWS}'


def bomb(text: str) -> str:
    """A document type in which an entity is a thousand million others."""
    levels = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY e0 "{text}">{levels}]>'


def replaced(part: str, old: str, new: Callable[[], str]) -> Callable[[Parts], None]:
    """The first `old` in a part replaced."""

    def change(parts: Parts) -> None:
        text = parts[part].decode()
        assert old in text
        parts[part] = text.replace(old, new(), 1).encode()

    return change


def sheet_of(content: Callable[[], str]) -> Callable[[Parts], None]:
    """More rows at the end of the first tab."""
    return replaced(SHEET, ROWS, lambda: content() + ROWS)


def spec_of(pattern: str, new: str) -> Callable[[Parts], None]:
    """The spec that the file carries, changed."""

    def change(parts: Parts) -> None:
        text, count = re.subn(pattern, new, parts[STRINGS].decode(), count=1)
        assert count
        parts[STRINGS] = text.encode()

    return change


def meaning(name: str, cells: str) -> Callable[[Parts], None]:
    """Another meaning of a name."""

    def change(parts: Parts) -> None:
        text, count = re.subn(rf'(<definedName name="{name}"[^>]*>)[^<]*', rf"\g<1>{cells}", parts[BOOK].decode())
        assert count
        parts[BOOK] = text.encode()

    return change


HOSTILE: dict[str, tuple[Callable[[Parts], None], str]] = {
    "a row beyond the sheet": (replaced(SHEET, ROWS, lambda: formula("1", "A9999999")), "'A9999999' is no cell"),
    "a row far beyond the sheet": (replaced(SHEET, ROWS, lambda: formula("1", "A99999999999")), "'A99999999999' is no"),
    "a typed row far beyond": (sheet_of(lambda: '<row r="4000000000"><c r="A4000000000"><v>1</v></c></row>'), "dam"),
    "a column far beyond the sheet": (sheet_of(lambda: '<row r="99"><c r="ZZZZZZ99"><v>1</v></c></row>'), "damaged"),
    "a name of 1e9 cells": (meaning("w_1", "Inputs!$A$1:$XFD$65536"), "w_1 means"),
    "data of 1e9 cells": (meaning("i_1", "Inputs!$A$1:$XFD$65536"), "i_1 means"),
    "a spec of 1e9 cells": (meaning("spec", "Inputs!$A$1:$XFD$65536"), ""),
    "a spec of a column": (meaning("spec", "Inputs!$A:$A"), ""),
    "a sum of 1e9 cells": (replaced(SHEET, ROWS, lambda: formula("SUMPRODUCT(A1:XFD1048576+0)")), ""),
    "a million names": (
        replaced(BOOK, NAMES, lambda: "".join(map(DEFINED.format, range(10**6))) + NAMES),
        "damaged",
    ),
    "ten million texts": (replaced(STRINGS, "</sst>", lambda: "<si><t/></si>" * 10**7 + "</sst>"), "damaged"),
    "a sheet that is packed 1,000 times": (sheet_of(lambda: " " * 300_000_000), "at most"),
    "a row of 100 MB": (sheet_of(lambda: '<row r="900">' + '<c r="A900"><v>1</v></c>' * 4_000_000), "damaged"),
    "cells without an end": (sheet_of(lambda: "<c " * 10_000_000), ""),
    "brackets nested deep": (replaced(SHEET, ROWS, lambda: formula("(" * 200_000 + "1" + ")" * 200_000)), "IronCalc"),
    "functions nested deep": (replaced(SHEET, ROWS, lambda: formula("ABS(" * 50_000 + "1" + ")" * 50_000)), "IronCalc"),
    "signs nested deep": (replaced(SHEET, ROWS, lambda: formula("-" * 500_000 + "1")), "IronCalc"),
    "texts of gigabytes": (
        replaced(SHEET, ROWS, lambda: formula('LEN(REPT(REPT(REPT("abcdefgh",32000),32000),32000))')), "",
    ),
    "texts that double": (
        sheet_of(
            lambda: '<row r="900"><c r="A900"><f>REPT("x",30000)</f></c></row>'
            + "".join(f'<row r="{k}"><c r="A{k}"><f>A{k - 1}&amp;A{k - 1}</f></c></row>' for k in range(901, 960))
        ),
        "",
    ),
    "elements nested deep": (sheet_of(lambda: "<a>" * 300_000 + "</a>" * 300_000), ""),
    "elements nested deep in the book": (replaced(BOOK, NAMES, lambda: NAMES + "<a>" * 300_000 + "</a>" * 300_000), ""),
    "entities in a sheet": (replaced(SHEET, "<worksheet", lambda: bomb("x" * 99) + "<worksheet"), "damaged"),
    "entities in the book": (replaced(BOOK, "<workbook", lambda: bomb("x" * 99) + "<workbook"), "damaged"),
    "entities in texts": (replaced(STRINGS, "<sst", lambda: bomb("x" * 99) + "<sst"), "damaged"),
    "a million steps": (spec_of("steps = 2", "steps = 1000000"), "rows"),
    "too many steps": (spec_of("steps = 2", f"steps = {10**30}"), "steps"),
    "a unit for each column": (spec_of("units = 1", "units = 16000"), "Excel has 16384"),
    "a spec nested deep": (spec_of("steps = 2", "steps = " + "[" * 100_000), "the spec on its tab Inputs"),
    "many parts": (lambda parts: parts.update({f"x/{k}": b"" for k in range(100_000)}), "at most"),
}  # fmt: skip


# A process begins as large as the one that starts it, so a small one starts the check.
JUDGE = """
import resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run([sys.executable, "-m", "sheetgen", "check", sys.argv[1]], stdout=subprocess.DEVNULL)
print(done.returncode, time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def judged(path: Path) -> tuple[int, str, float, float]:
    """Exit code, what is said on stderr, seconds, and megabytes at most, of a check in a process of its own."""
    command = [sys.executable, "-c", JUDGE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    code, seconds, megabytes = done.stdout.split()
    return int(code), done.stderr, float(seconds), float(megabytes)


# Those that take a processor more than about 2 s.
LONG = (
    "a million names", "a row of 100 MB", "a sum of 1e9 cells", "cells without an end", "elements nested deep",
    "elements nested deep in the book", "many parts", "ten million texts", "texts of gigabytes", "texts that double",
)  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in HOSTILE])
def test_a_hostile_workbook_is_refused_in_time(name: str, book: Path, tmp_path: Path) -> None:
    """One line, within 10 s and 1 GB; where nothing is wrong with it, it may be confirmed."""
    change, words = HOSTILE[name]
    with zipfile.ZipFile(book) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    change(parts)
    path = tmp_path / "hostile.xlsx"
    path.write_bytes(packed(parts))
    del parts
    code, said, seconds, megabytes = judged(path)
    assert said.count("\n") == code and code in (0, 1), said
    assert not words or words in said
    assert len(said) < 2_000
    assert (seconds < SECONDS, megabytes < MEGABYTES) == (True, True), (seconds, megabytes)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe that nobody writes to, and a device without an end."""
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "endless.xlsx").symlink_to("/dev/zero")
    for name in ("pipe.xlsx", "endless.xlsx"):
        with pytest.raises(CheckError, match="is not an ordinary file"):
            check(tmp_path / name)
