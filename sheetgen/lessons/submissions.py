"""Many submissions graded, on every processor."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from sheetgen.check.engines import Engine
from sheetgen.errors import CheckError
from sheetgen.lessons.grade import grade
from sheetgen.lessons.gradebook import NAME
from sheetgen.lessons.graded import Graded
from sheetgen.xlsx.reader import read_names

__all__ = ["find_submissions", "grade_all"]

# What people hand in; what is no .xlsx is a submission all the same, and told so.
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".fods", ".numbers", ".gsheet", ".zip", ".pdf")
FEW = 4
"""Files that are graded in this process, which starts at once."""
BROKE_OFF = "makes the program that grades it break off; open it and save it again, or hand in another copy"


def find_submissions(paths: Sequence[Path], output: Path | None) -> list[Path]:
    """The files that are named, and those in folders, but for earlier grades.

    CheckError if there is none, or if the output is one of them.
    """
    found = list(dict.fromkeys(one for path in paths for one in _inside(path)))
    if not found:
        raise CheckError(f"{paths[0]}: has no workbook in it, no .xlsx; name the folder of the submissions")
    for one in found if output is not None else ():
        if os.path.realpath(one) == os.path.realpath(str(output)):
            raise CheckError(f"{one}: is a submission, and would be written over; name another file for the grades")
    return found


def _inside(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for one in sorted(path.rglob("*")):
        if one.suffix.lower() in SUFFIXES and not one.name.startswith(("~$", ".")) and not _are_grades(one):
            yield one


def _are_grades(path: Path) -> bool:
    try:
        return NAME in read_names(path)
    except CheckError:  # it will be told
        return False


def grade_all(
    paths: Sequence[Path], engine: Engine = "ironcalc", progress: Callable[[int], object] = int
) -> list[Graded]:
    """The grades, in the order of the paths; `progress` gets 1 after each. A file that breaks the grader is told."""
    if len(paths) < FEW:
        return _told_apart([_told(grade(path, engine), progress) for path in paths])
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
    return _told_apart([made[path] for path in paths])


def _told_apart(graded: list[Graded]) -> list[Graded]:
    """With the folder of each file before its name, where several are called the same, as learning platforms do.

    An exercise that is somebody's, and comes more than once, is told.
    """
    names = Counter(one.path.name for one in graded)
    learners = Counter(one.learner for one in graded if one.learner != one.path.stem)
    learners += Counter(one.learner for one in graded if one.learner == one.path.stem and one.learner in learners)
    made = []
    for one in graded:
        if learners[one.learner] > 1:
            said = f"the exercise of {one.learner} was handed in {learners[one.learner]} times"
            one = replace(one, notes=(*one.notes, said))
        if names[one.path.name] > 1:
            folder = one.path.resolve().parent.name
            learner = folder if one.learner == one.path.stem else one.learner
            one = replace(one, learner=learner, file=f"{folder}/{one.path.name}")
        made.append(one)
    return made


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
