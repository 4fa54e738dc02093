"""Spec -> workbook on disk. Imports what it needs when it is called, so that `sheetgen --help` answers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from sheetgen.errors import ExcelError, SpecError

if TYPE_CHECKING:
    from sheetgen.spec import Spec
    from sheetgen.xlsx.book import Book

    Extra = Callable[[Book], Sequence[tuple[str, str]]]

Bars = Callable[[str, int, str], AbstractContextManager[Callable[[int], object]]]
"""Of what is done, how much there is and its unit: what gets how much was done since its last call."""

__all__ = ["Bars", "Summary", "build", "forecast", "write"]

# Work below this many cells is done before a progress bar could be read.
PROGRESS_CELLS = 200_000

# What builds take, roughly: a column's equations; a cell's training and writing, its room in memory and in the file.
COLUMN_SECONDS, CELL_SECONDS, CELL_MEMORY, CELL_BYTES = 4e-3, 2.5e-6, 40, 6


@dataclass(frozen=True)
class Summary:
    """What was written: the path, the tabs in order, how many formulas, each run's last loss, the file's bytes.

    `replaced` says what workbook stood there, "" if none did or it was this one's earlier version.
    """

    path: Path
    tabs: tuple[str, ...]
    formulas: int
    final_losses: tuple[tuple[str, float | str], ...]
    bytes: int
    replaced: str = ""

    def lines(self) -> list[str]:
        """What the commands print of it."""
        return [
            f"wrote     {self.path} ({self.bytes:,} bytes)",
            *([f"replaced  {self.replaced}"] if self.replaced else ()),
            f"tabs      {', '.join(self.tabs)}",
            f"formulas  {self.formulas:,}",
        ]


def forecast(spec: Spec) -> str:
    """What a build of more than a minute will be, in one line; "" for a shorter one.

    SpecError if the spec asks for more columns than a sheet has, which takes long to find out from the equations.
    """
    from sheetgen.maths.rules import OPTIMIZERS
    from sheetgen.spec.kinds import columns
    from sheetgen.xlsx.cells import MAX_COLUMNS

    samples = spec.batch_size
    units = sum(map(columns, spec.layers)) - (
        sum(layer.units for layer in spec.layers) if spec.dense and samples == 1 else 0
    )
    weights = sum(layer.count("w") for layer in spec.layers)
    fixed, trained = (sum(one.count("b") for one in spec.layers if one.train_bias is how) for how in (False, True))
    of_a_sample = len(spec.inputs[0]) + 2 * len(spec.targets[0]) + units
    cells = most = 0
    for run in spec.runs:
        states = len(OPTIMIZERS[run.optimizer.name].states)
        width = 2 + samples * of_a_sample + fixed + (weights + trained) * (2 + states)
        if width > MAX_COLUMNS:
            found = f"{run.label}: the table would have at least {width:,} columns; Excel allows {MAX_COLUMNS}"
            raise SpecError(f'{found}. Use fewer units, inputs or samples, or batch = "online".')
        most = max(most, width)
        cells += width * (spec.steps + 1)
    seconds = most * COLUMN_SECONDS + cells * CELL_SECONDS
    if seconds < 60:
        return ""
    sizes = f"{_rough(cells * CELL_BYTES / 1e6)} MB as a file and {_rough(cells * CELL_MEMORY / 1e6)} MB of memory"
    return f"this takes about {_rough(seconds / 60)} min: {_rough(cells)} cells, {sizes}; fewer steps make it smaller."


def _rough(number: float) -> str:
    """A number to two digits.

    >>> _rough(1234567), _rough(3.14)
    ('1,200,000', '3.1')
    """
    return f"{float(f'{number:.2g}'):,g}" if number < 1e5 else f"{float(f'{number:.2g}'):,.0f}"


def build(
    spec: Spec, path: str | PathLike[str], *, extra: Extra | None = None, progress: Bars | bool = False
) -> Summary:
    """Write the workbook of a spec, atomically; what was written.

    `extra` adds tabs at the end of the book, and returns the title of each with one line of what it shows.
    `progress` shows bars on stderr for long work, or those that it makes. SpecError if the spec asks for more than a
    workbook holds, OutputError if the place cannot be written; the file that was there is then as it was.
    """
    from sheetgen.tabs.plan import make_plan
    from sheetgen.tabs.workbook import fill_book
    from sheetgen.xlsx.book import uncollected
    from sheetgen.xlsx.package import place_for

    place_for(path)
    forecast(spec)
    with uncollected():
        with _bar("training", progress, len(spec.runs) * (spec.steps + 1), " rows") as step:
            plan = make_plan(spec, step)
        ends = [(one.run.label, one.value(plan.network.total, spec.steps)) for one in plan.trainings]
        losses = [(label, "diverged" if isinstance(loss, ExcelError) else loss) for label, loss in ends]
        return write(fill_book(plan, extra), path, losses, title=spec.title, progress=progress)


def write(
    book: Book, path: str | PathLike[str], losses: Sequence[tuple[str, float | str]] = (), *,
    title: str | None = None, progress: Bars | bool = False,
) -> Summary:  # fmt: skip
    """Compute the formulas of a book that have no value yet, and write it, as build does; what was written."""
    from sheetgen.tabs.workbook import complete
    from sheetgen.xlsx.package import described, save

    complete(book)
    book.wb.properties.title = title
    before = described(path)
    with _bar("writing", book.formulas >= PROGRESS_CELLS and progress, book.formulas, " cells") as step:
        save(book, path, step)
    titles = tuple(tab.ws.title for tab in book.tabs)
    replaced = before if before and before != described(path) else ""
    return Summary(Path(path), titles, book.formulas, tuple(losses), Path(path).stat().st_size, replaced)


@contextmanager
def _bar(what: str, wanted: Bars | bool, total: int, unit: str) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr, another, or nothing."""
    if callable(wanted):
        with wanted(what, total, unit) as step:
            yield step
        return
    if not wanted:
        yield lambda done: None
        return
    from tqdm import tqdm  # takes a twentieth of a small build's time, and a small build shows no progress

    with tqdm(total=total, desc=what, unit=unit, leave=False) as bar:
        yield bar.update
