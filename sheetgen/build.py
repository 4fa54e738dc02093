"""Spec -> workbook on disk. Imports what it needs when it is called, so that `sheetgen --help` answers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from sheetgen.errors import ExcelError

if TYPE_CHECKING:
    from sheetgen.spec import Spec
    from sheetgen.xlsx.book import Book

    Extra = Callable[[Book], Sequence[tuple[str, str]]]

__all__ = ["Summary", "build", "write"]

# Work below this many cells is done before a progress bar could be read.
PROGRESS_CELLS = 200_000


@dataclass(frozen=True)
class Summary:
    """What was written: the path, the tabs in order, how many formulas, each run's last loss, the file's bytes."""

    path: Path
    tabs: tuple[str, ...]
    formulas: int
    final_losses: tuple[tuple[str, float | str], ...]
    bytes: int

    def lines(self) -> list[str]:
        """What the commands print of it."""
        return [
            f"wrote     {self.path} ({self.bytes:,} bytes)",
            f"tabs      {', '.join(self.tabs)}",
            f"formulas  {self.formulas:,}",
        ]


def build(spec: Spec, path: str | PathLike[str], *, extra: Extra | None = None, progress: bool = False) -> Summary:
    """Write the workbook of a spec, atomically; what was written.

    `extra` adds tabs at the end of the book, and returns the title of each with one line of what it shows.
    `progress` shows bars on stderr for long work. SpecError if the spec asks for more than a workbook holds,
    OutputError if the place cannot be written; the file that was there is then as it was.
    """
    from sheetgen.tabs.plan import make_plan
    from sheetgen.tabs.workbook import fill_book

    with _bar("training", progress, len(spec.runs) * (spec.steps + 1), " rows") as step:
        plan = make_plan(spec, step)
    ends = [(one.run.label, one.value(plan.network.total, spec.steps)) for one in plan.trainings]
    losses = [(label, "diverged" if isinstance(loss, ExcelError) else loss) for label, loss in ends]
    return write(fill_book(plan, extra), path, losses, progress=progress)


def write(
    book: Book, path: str | PathLike[str], losses: Sequence[tuple[str, float | str]] = (), *, progress: bool = False
) -> Summary:
    """Compute the formulas of a book that have no value yet, and write it, as build does; what was written."""
    from sheetgen.tabs.workbook import complete
    from sheetgen.xlsx.package import save

    complete(book)
    with _bar("writing", progress and book.formulas >= PROGRESS_CELLS, book.formulas, " cells") as step:
        save(book, path, step)
    titles = tuple(tab.ws.title for tab in book.tabs)
    return Summary(Path(path), titles, book.formulas, tuple(losses), Path(path).stat().st_size)


@contextmanager
def _bar(what: str, wanted: bool, total: int, unit: str) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr, or nothing."""
    if not wanted:
        yield lambda done: None
        return
    from tqdm import tqdm  # takes a twentieth of a small build's time, and a small build shows no progress

    with tqdm(total=total, desc=what, unit=unit, leave=False) as bar:
        yield bar.update
