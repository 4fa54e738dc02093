"""A workbook without what an engine need not compute, so that it computes every cell once.

IronCalc colours cells by their conditional formats as soon as it has loaded them, for which it evaluates the workbook,
and then it is asked to evaluate it. Nothing that a cell holds is touched.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sheetgen.xlsx.archive import open_workbook, sheet_parts
from sheetgen.xlsx.files import scratch

__all__ = ["without_formats"]

# Larger workbooks, in bytes of their parts, are left as they are: the copy is not packed.
LARGE = 128 << 20
_END = re.compile(rb"</(?:[\w.-]+:)?sheetData\s*>")
_OPENS = re.compile(rb"<(?:[\w.-]+:)?conditionalFormatting[\s>]")
_CLOSES = re.compile(rb"</(?:[\w.-]+:)?conditionalFormatting\s*>")


@contextmanager
def without_formats(path: Path) -> Iterator[Path]:
    """A copy for the time being that has no conditional formats; the workbook itself if it has none, or is large.

    CheckError if it cannot be read.
    """
    with scratch("sheetgen-ironcalc-") as folder:
        copy = folder / "book.xlsx"
        yield copy if _copied(path, copy) else path


def _copied(path: Path, copy: Path) -> bool:
    """Whether there is something to leave out, and so a copy."""
    with open_workbook(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGE:
            return False
        sheets = (part for _, part in sheet_parts(archive))
        cut = {part: _cut(data) for part in sheets if _OPENS.search(data := archive.read(part))}
        if cut:
            with zipfile.ZipFile(copy, "w") as bare:
                for name in dict.fromkeys(archive.namelist()):
                    bare.writestr(name, cut[name] if name in cut else archive.read(name))
        return bool(cut)


def _cut(data: bytes) -> bytes:
    """A sheet's part without the conditional formats, which stand behind the rows; as it is if it has comments there.

    >>> _cut(b'<sheetData/></sheetData><a/><conditionalFormatting sqref="A1"><b/></conditionalFormatting><c/>')
    b'<sheetData/></sheetData><a/><c/>'
    """
    end = _END.search(data)
    at = end.end() if end else len(data)
    if data.find(b"<!", at) >= 0:
        return data
    kept = [data[:at]]
    while (start := _OPENS.search(data, at)) and (close := _CLOSES.search(data, start.end())):
        kept.append(data[at : start.start()])
        at = close.end()
    return b"".join([*kept, data[at:]])
