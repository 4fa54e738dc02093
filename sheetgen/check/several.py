"""Many workbooks, on every processor."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sheetgen.check import check
from sheetgen.errors import VERSION, CheckError, SheetgenError

if TYPE_CHECKING:
    from sheetgen.check.engines import Engine
    from sheetgen.spec.structure import Spec

__all__ = ["Verdict", "check_several", "each"]

FEW = 4
"""Files that are looked at in this process, which starts at once."""
INTERRUPTED = 130
BROKE_OFF = "makes the program that reads it break off; open it in a spreadsheet program and save it again"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Verdict:
    """What is said of one workbook of many: in a word, in a line, and as `--json` prints it."""

    kind: Literal["right", "wrong", "not read"]
    line: str
    content: Mapping[str, Any]


def check_several(paths: Sequence[Path], engine: Engine | None = None, spec: Spec | None = None) -> Iterator[Verdict]:
    """A verdict on each workbook, in their order, as soon as it is known; `engine` and `spec` as in `check`."""
    return each(
        partial(_verdict, engine=engine, spec=spec), paths, lambda path: _not_read(path, f"{path}: {BROKE_OFF}")
    )


def each(work: Callable[[Path], Result], paths: Sequence[Path], broken: Callable[[Path], Result]) -> Iterator[Result]:
    """What a function gives for each path, in their order, computed in several processes.

    A file that ends the process it is read in is tried again alone; `broken` says what is given if it does so again.
    """
    if len(paths) < FEW:
        yield from map(work, paths)
        return
    with _pool(min(len(paths), os.cpu_count() or 1)) as pool:
        futures = [pool.submit(_interruptible, work, path) for path in paths]
        try:
            for path, future in zip(paths, futures, strict=True):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield _alone(work, path, broken)
        finally:  # not one by one, which a pool that breaks off at that moment does not expect
            pool.shutdown(wait=False, cancel_futures=True)


def _alone(work: Callable[[Path], Result], path: Path, broken: Callable[[Path], Result]) -> Result:
    with _pool(1) as pool:
        future: Future[Result] = pool.submit(_interruptible, work, path)
        try:
            return future.result()
        except BrokenProcessPool:
            return broken(path)


def _pool(count: int) -> ProcessPoolExecutor:
    """Processes that do not heed Ctrl-C while they wait, when nothing of theirs would catch it."""
    return ProcessPoolExecutor(count, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))


def _interruptible(work: Callable[[Path], Result], path: Path) -> Result:
    """The work, broken off by Ctrl-C; its process ends then, so that it begins no other."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(path)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _verdict(path: Path, engine: Engine | None, spec: Spec | None) -> Verdict:
    try:
        report = check(path, engine, spec=spec)
    except CheckError as error:
        return _not_read(path, str(error))
    except SheetgenError:  # of the options, and so of every file
        raise
    except Exception as error:
        kind = type(error).__name__
        what = f"{path}: could not be judged by this version, {VERSION} ({kind}), which is a mistake of sheetgen's"
        return _not_read(path, f"{what}; sheetgen check of this file alone shows where, to be reported")
    return Verdict("right" if report.ok else "wrong", report.line(), report.json())


def _not_read(path: Path, why: str) -> Verdict:
    return Verdict("not read", f"not read  {why}", {"file": str(path), "ok": False, "error": why})
