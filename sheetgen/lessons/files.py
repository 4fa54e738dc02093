"""Exercises as files: one and its solution, or one for each name of a class."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from sheetgen.build import Summary, write
from sheetgen.errors import SheetgenError
from sheetgen.lessons.exercise import Exercise
from sheetgen.lessons.workbook import fill_exercise
from sheetgen.xlsx.package import place_for

__all__ = ["read_names", "seed_of", "write_class", "write_exercise"]

MOST_NAMES, LONGEST, BYTES = 5_000, 80, 200
# Names that Windows keeps for devices.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def write_exercise(exercise: Exercise, path: Path, key: Path | None = None) -> Summary:
    """Write the exercise and, if wanted, its solution; what was written. Errors are those of `build`."""
    if key is not None and key.resolve() == path.resolve():
        raise SheetgenError(f"{path}: is asked for as the exercise and as its solution; name two files")
    if key is not None:
        place_for(key)
    summary = write(fill_exercise(exercise), path, title=exercise.spec.title)
    if key is not None:
        write(fill_exercise(exercise, solved=True), key, title=f"{exercise.spec.title}: the solution"[:200])
    return summary


def write_class(
    make: Callable[[str], Exercise], names: Sequence[str], folder: Path, keys: Path | None = None,
    progress: Callable[[int], object] = int,
) -> list[Path]:  # fmt: skip
    """An exercise for each name, in a folder, and the solutions in another; `progress` gets 1 after each."""
    paths = [folder / f"{_file_name(name)}.xlsx" for name in names]
    if keys is not None and keys.resolve() == folder.resolve():
        raise SheetgenError(f"{folder}: is asked for as the folder of the exercises and of the solutions; name two")
    there = next((path for path in paths if path.exists()), None)
    if there is not None:
        raise SheetgenError(f"{there}: is there already, and somebody may have filled it in; name a new folder")
    for one in (folder, *([keys] if keys else [])):
        try:
            one.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SheetgenError(f"{one}: cannot be made a folder: {error.strerror}; name another place") from None
    for name, path in zip(names, paths, strict=True):
        try:
            exercise = make(name)
        except SheetgenError as error:
            raise SheetgenError(f"{name}: {error}") from None
        write_exercise(exercise, path, None if keys is None else keys / f"{path.stem} solution.xlsx")
        progress(1)
    return paths


def seed_of(name: str, seed: int | None) -> int:
    """The seed of a learner's numbers; another seed of the class gives everybody others."""
    return int.from_bytes(hashlib.sha256(f"{seed or 0} {name}".encode()).digest()[:4])


def read_names(path: Path) -> list[str]:
    """The names of a class, a line each; empty lines are left out. SheetgenError, in one line, if it has none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SheetgenError(f"{path}: is no text in UTF-8; save the list of names as such") from None
    except OSError as error:
        raise SheetgenError(f"{path}: cannot be read: {error.strerror}; name a text file, a name a line") from None
    names = [unicodedata.normalize("NFC", " ".join(line.split())) for line in lines if line.strip()]
    if not 1 <= len(names) <= MOST_NAMES:
        raise SheetgenError(f"{path}: has {len(names):,} names; 1 to {MOST_NAMES:,} are expected, a name a line")
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > LONGEST or len(name.encode()) > BYTES or any(unicodedata.category(c) == "Cc" for c in name):
            allowed = f"at most {LONGEST} characters, and {BYTES} bytes in UTF-8"
            raise SheetgenError(f"{path}: {name[:LONGEST]!r} is no name; {allowed}, as text in UTF-8")
        other = seen.setdefault(_file_name(name).casefold(), name)
        if other is not name:
            raise SheetgenError(f"{path}: {name!r} and {other!r} would have one file; tell them apart")
    return names


def _file_name(name: str) -> str:
    """The name with what some file systems do not take as an underscore.

    >>> _file_name("Ada L. Lovelace"), _file_name("a/b:c"), _file_name("con")
    ('Ada L. Lovelace', 'a_b_c', 'con_')
    """
    safe = re.sub(r'[<>:"/\\|?*]', "_", name).strip(" .") or "_"
    return f"{safe}_" if _DEVICES.fullmatch(safe) else safe
