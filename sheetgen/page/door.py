"""What the page asks for: the commands' work on texts and bytes instead of files, each answer made of plain values.

Everything that a build or a check needs is imported here, when the page loads, and not when it is first asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sheetgen.build import build, forecast
from sheetgen.check import check
from sheetgen.check.foreign.marked import write_marked
from sheetgen.check.foreign.told import Foreign
from sheetgen.check.foreign.translate import solution_of
from sheetgen.check.report import Report
from sheetgen.errors import CheckError, SheetgenError
from sheetgen.lessons.exercise import make_exercise
from sheetgen.lessons.files import write_exercise
from sheetgen.page.curves import curves_of, legend, picture
from sheetgen.page.lines import line_of
from sheetgen.spec import Spec, override, parse
from sheetgen.spec.fields import Place
from sheetgen.tabs.plan import make_plan

__all__ = ["KINDS", "MOST_BYTES", "Wish", "answer", "refused"]

MOST_BYTES = 50_000_000
MOST_DRAWN = 2_000
"""Updates that the picture shows; a longer training is drawn as far as that."""
KINDS = ("workbook", "exercise", "solution")
FIELDS = Place("", "Rates"), Place("", "Updates")

Answer = dict[str, Any]
Say = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Wish:
    """What is typed on the page: a TOML text and the name of its file; rates and steps as texts, "" for the spec's."""

    text: str
    origin: str
    rates: str = ""
    steps: str = ""

    @property
    def spec(self) -> Spec:
        """SpecError, in one line, names the first thing that is wrong."""
        spec = parse(self.text, self.origin)
        rates = [_number(one, float, "Rates") for one in self.rates.replace(",", " ").split()]
        steps = _number(self.steps, int, "Updates") if self.steps.strip() else None
        return override(spec, rates or None, steps, FIELDS)

    @property
    def name(self) -> str:
        """Of a file that is made of it, without its end."""
        return Path(self.origin).stem


def answer(call: str, arguments: Mapping[str, Any], say: Say) -> Answer:
    """What one of CALLS gives; for an error that a user can cause its one line and, in a TOML text, the line there."""
    try:
        return CALLS[call](say, **arguments)
    except SheetgenError as error:
        said = " ".join(str(error).replace(f"{_folder()}{os.sep}", "").split())
        text, origin = arguments.get("text", ""), arguments.get("origin", "")
        return {"error": said, "line": line_of(text, origin, said) if origin else None}
    except MemoryError:
        return {"error": "there is not enough memory for this in a browser; ask for less, or use the command"}


def refused(name: str, size: int) -> str:
    """Why a file of so many bytes is not read, in one line; "" if it is."""
    if size <= MOST_BYTES:
        return ""
    return f"{name}: has {size:,} bytes; at most {MOST_BYTES:,} are read here. The command reads more: sheetgen check"


def _preview(say: Say, **wish: str) -> Answer:
    """The picture of the losses, its legend, and what is to be said of it."""
    spec = Wish(**wish).spec
    drawn = replace(spec, steps=min(spec.steps, MOST_DRAWN), published=())
    curves = curves_of(make_plan(drawn))
    said = f"Loss after {drawn.steps:,} updates" + (f" of {spec.steps:,}" if drawn.steps < spec.steps else "")
    note = forecast(spec)
    return {"title": spec.title, "picture": picture(curves), "legend": legend(curves), "said": said, "note": note}


def _make(say: Say, kind: str, **wish: str) -> Answer:
    """The workbook, the exercise or its solution: the file's name and bytes, and the lines that the command prints."""
    wanted = Wish(**wish)
    name = wanted.name if kind == "workbook" else f"{wanted.name}-{kind}"
    path = _folder() / f"{name}.xlsx"
    path.unlink(missing_ok=True)
    if kind == "workbook":
        summary = build(wanted.spec, path, progress=_bars(say))
    else:
        say(kind, 0, 0)
        exercise = make_exercise(wanted.spec)
        place = path if kind == "exercise" else path.with_stem(f"{wanted.name}-exercise")
        summary = write_exercise(exercise, place, path if kind == "solution" else None)
    lines = replace(summary, path=Path(path.name), bytes=path.stat().st_size).lines()
    return {"name": path.name, "data": path.read_bytes(), "lines": lines[: 1 if kind == "solution" else None]}


def _judge(say: Say, name: str, data: bytes) -> Answer:
    """What is wrong in a workbook: the lines that the command prints, the findings, and what can be made of it."""
    say("checking", 0, 0)
    report = _judged(name, bytes(data))
    found = report.json()
    tables = found.get("tables", ())
    findings = [{**one, "cell": f"{table['sheet']}!{one['cell']}"} for table in tables for one in table["findings"]]
    lines = [line.replace(f"{_folder()}{os.sep}", "") for line in [report.line(), *report.lines()]]
    wrong = bool(findings)
    known = isinstance(report, Foreign) and any(table.network for table in report.tables)
    more = [what for what, there in (("marked", wrong), ("solution", known)) if there]
    return {"ok": report.ok, "lines": lines, "findings": findings, "more": more}


def _beside(say: Say, what: str, name: str, data: bytes) -> Answer:
    """The marked copy of a stranger's workbook, or the workbook of the network that was found in it."""
    report = _judged(name, bytes(data))
    assert isinstance(report, Foreign)
    path = _folder() / f"{report.path.stem}-{what}.xlsx"
    path.unlink(missing_ok=True)
    if what == "marked":
        write_marked(report, path)
    else:
        build(solution_of(report), path, progress=_bars(say))
    return {"name": path.name, "data": path.read_bytes()}


CALLS: Mapping[str, Callable[..., Answer]] = {
    "preview": _preview, "make": _make, "judge": _judge, "beside": _beside,
}  # fmt: skip

_last: dict[tuple[str, bytes], Report | Foreign] = {}


def _judged(name: str, data: bytes) -> Report | Foreign:
    """The report of a file of these bytes; the last one is kept for what is made of it."""
    if (name, data) not in _last:
        path = _folder() / Path(name).name
        path.write_bytes(data)
        _last.clear()
        _last[name, data] = check(path, alone=True)
    return _last[name, data]


@cache
def _room() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="sheetgen-page-")


def _folder() -> Path:
    """Where files are while they are worked on: in a browser, in its memory."""
    return Path(_room().name)


def _bars(say: Say) -> Callable[[str, int, str], Any]:
    """What a build calls instead of showing bars on stderr."""

    @contextmanager
    def bar(what: str, total: int, unit: str) -> Iterator[Callable[[int], object]]:
        done = 0

        def step(more: int) -> None:
            nonlocal done
            done += more
            say(what, done, total)

        say(what, 0, total)
        yield step

    return bar


def _number(text: str, kind: Callable[[str], Any], field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "numbers with spaces between them"
        raise CheckError(
            f"{field} is {text!r}; {wanted} is expected, such as {'100' if kind is int else '0.5 1'}"
        ) from None
