"""Many submissions graded, on every processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from sheetgen.check.engines import Engine
from sheetgen.errors import CheckError
from sheetgen.lessons.grade import grade
from sheetgen.lessons.graded import Graded

__all__ = ["find_submissions", "grade_all"]

# What people hand in; what is no .xlsx is a submission all the same, and told so.
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".fods", ".numbers", ".csv", ".gsheet", ".zip", ".pdf")
FEW = 4
"""Files that are graded in this process, which starts at once."""
BROKE_OFF = "makes the program that grades it break off; open it and save it again, or hand in another copy"


def find_submissions(paths: Sequence[Path], output: Path | None) -> list[Path]:
    """The files that are named, and those in folders; not the grades themselves. CheckError if there is none."""
    found = [one for path in paths for one in _inside(path) if output is None or one.resolve() != output.resolve()]
    if not found:
        raise CheckError(f"{paths[0]}: has no workbook in it, no .xlsx; name the folder of the submissions")
    return list(dict.fromkeys(found))


def _inside(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for one in sorted(path.rglob("*")):
        if one.suffix.lower() in SUFFIXES and one.is_file() and not one.name.startswith(("~$", ".")):
            yield one


def grade_all(
    paths: Sequence[Path], engine: Engine = "ironcalc", progress: Callable[[int], object] = int
) -> list[Graded]:
    """The grades, in the order of the paths; `progress` gets 1 after each. A file that breaks the grader is told."""
    if len(paths) < FEW:
        return [_told(grade(path, engine), progress) for path in paths]
    made: dict[Path, Graded] = {}
    again: list[Path] = []
    with ProcessPoolExecutor(min(len(paths), os.cpu_count() or 1)) as pool:
        futures = {path: pool.submit(grade, path, engine) for path in paths}
        try:
            for path, future in futures.items():
                try:
                    made[path] = _told(future.result(), progress)
                except BrokenProcessPool:
                    again.append(path)
        finally:
            for future in futures.values():
                future.cancel()
    for path in again:
        made[path] = _told(_alone(path, engine), progress)
    return [made[path] for path in paths]


def _alone(path: Path, engine: Engine) -> Graded:
    """A file in a process of its own, since one of some broke theirs."""
    with ProcessPoolExecutor(1) as pool:
        future: Future[Graded] = pool.submit(grade, path, engine)
        try:
            return future.result()
        except BrokenProcessPool:
            return Graded(path, path.stem, trouble=BROKE_OFF)


def _told(graded: Graded, progress: Callable[[int], object]) -> Graded:
    progress(1)
    return graded
