"""Many submissions graded, on every processor."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sheetgen.check.engines import Engine
from sheetgen.check.several import each
from sheetgen.errors import CheckError
from sheetgen.lessons.grade import grade
from sheetgen.lessons.gradebook import NAME
from sheetgen.lessons.graded import Graded
from sheetgen.xlsx.reader import read_names

__all__ = ["find_submissions", "grade_all"]

# What people hand in; what is no .xlsx is a submission all the same, and told so.
SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".fods", ".numbers", ".gsheet", ".zip", ".pdf")
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
    graded = []
    for one in each(partial(grade, engine=engine), paths, _broken):
        graded.append(one)
        progress(1)
    return _told_apart(graded)


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


def _broken(path: Path) -> Graded:
    return Graded(path, path.stem, trouble=BROKE_OFF)
