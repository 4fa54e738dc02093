"""What a grade is: a learner's file, and a mark for each blank or planted mistake of the exercise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["RIGHT", "Graded", "Mark"]

RIGHT = "right"


@dataclass(frozen=True)
class Mark:
    """One blank: a verdict of a word or a few, `RIGHT` or what is missing; why, in a line; and the kind of mistake.

    `mistake` is the reason without addresses and numbers of this file, so that files with the same mistake share it.
    """

    blank: str
    verdict: str
    reason: str = ""
    mistake: str = ""


@dataclass(frozen=True)
class Graded:
    """A submission: whose it is, its marks in the exercise's order, and, if it could not be graded, why.

    `exercise` says in a few words which exercise it is: submissions of one exercise share it. `notes` are findings that
    belong to no blank, such as a new mistake.
    """

    path: Path
    learner: str
    exercise: str = ""
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""
    file: str = ""
    """The file as it is shown, "" for its name."""

    @property
    def right(self) -> int:
        """How many marks are right."""
        return sum(mark.verdict == RIGHT for mark in self.marks)
