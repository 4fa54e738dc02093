"""Hand-outs as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sheetgen.handout.content import make
from sheetgen.handout.document import Document
from sheetgen.handout.markdown import Markdown
from sheetgen.handout.notation import MARK, Writer
from sheetgen.handout.web import WebPage
from sheetgen.spec.structure import Spec
from sheetgen.xlsx.files import Kind, cannot_write, place_for, replacing

__all__ = ["check_place", "write_handout"]

_WRITERS: Mapping[str, type[Writer]] = {".html": WebPage, ".tex": Document, ".md": Markdown}
# How far into a file its mark is looked for.
_HEAD = 400


def check_place(path: Path) -> None:
    """OutputError if no hand-out can be written there, or if what is there is none."""
    place_for(path, Kind("hand-out", tuple(_WRITERS), "handout.html", _is_handout))


def write_handout(spec: Spec, path: Path, *, blank: bool = False) -> int:
    """Write the hand-out of a spec's first run, atomically; how many bytes. Its kind is what the path ends in.

    OutputError if the place cannot be written or must not be; the file that was there is then as it was.
    """
    check_place(path)
    content = _WRITERS[path.suffix.lower()]().page(make(spec, blank=blank)).encode()
    try:
        with replacing(path.resolve(), ".sheetgen-*.tmp") as file:
            file.write(content)
    except OSError as error:
        raise cannot_write(path, error) from error
    return len(content)


def _is_handout(path: Path) -> bool:
    """Whether a file is a hand-out of sheetgen, or is empty."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return not head or MARK.encode() in head
