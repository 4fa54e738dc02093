"""Spec -> workbook on disk: plans the tabs, fills them in the order in which they need each other, and saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sheetgen.book import Book
from sheetgen.cells import ExcelError
from sheetgen.layout import Plan, make_plan
from sheetgen.model import Spec
from sheetgen.package import save
from sheetgen.tabs import compare, derivation, gradient_check, inputs, network, start, training

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


Extra = Callable[[Book], Sequence[tuple[str, str]]]
"""Adds tabs at the end of a book; returns the title of each, with one line of what it shows."""


def build(spec: Spec, path: Path, *, extra: Extra | None = None, progress: bool = False) -> Summary:
    """Write the workbook of a spec, atomically, with the tabs that `extra` adds."""
    with _bar(spec, "training", progress) as step:
        plan = make_plan(spec, step)
    book = fill_book(plan, extra)
    with _bar(spec, "writing", progress, book.formulas) as step:
        save(book, path, step)
    losses = tuple((t.run.label, _last(t.value(plan.network.total, spec.steps))) for t in plan.trainings)
    titles = tuple(tab.ws.title for tab in book.tabs)
    return Summary(path, titles, book.formulas, losses, path.stat().st_size)


def fill_book(plan: Plan, extra: Extra | None = None) -> Book:
    """The workbook of a plan, ready to be saved."""
    book = Book()
    first, last = ("Start", "Inputs", "Network", "Derivation"), ("Compare", "Gradient check")
    tabs = {title: book.add(title) for title in (*first, *(one.run.label for one in plan.trainings), *last)}
    inputs.fill(tabs["Inputs"], plan)
    chosen = network.fill(tabs["Network"], plan)
    derivation.fill(tabs["Derivation"], plan, chosen)
    for one in plan.trainings:
        training.fill(tabs[one.run.label], plan, one)
    runs = compare.fill(tabs["Compare"], plan)
    checks = gradient_check.fill(tabs["Gradient check"], plan, chosen)
    others = extra(book) if extra else ()
    start.fill(tabs["Start"], plan, checks, runs, others)
    return book


def _last(loss: float | ExcelError) -> float | str:
    return "diverged" if isinstance(loss, ExcelError) else loss


@contextmanager
def _bar(spec: Spec, what: str, wanted: bool, total: int | None = None) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr for long work, or nothing."""
    count = total or len(spec.runs) * (spec.steps + 1)
    if not wanted or (total is not None and total < PROGRESS_CELLS):
        yield lambda done: None
        return
    from tqdm import tqdm  # takes a twentieth of a small build's time, and a small build shows no progress

    with tqdm(total=count, desc=what, unit=" cells" if total else " rows", leave=False) as bar:
        yield bar.update
