"""Files that are either whole or as they were, and the line for what a disk can do to them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sheetgen.errors import OutputError

__all__ = ["cannot_write", "replacing"]

# errno -> what is wrong and what to do about it.
REASONS = {
    errno.EACCES: "no permission to write there; choose another place or change the folder's permissions",
    errno.EPERM: "no permission to write there; choose another place or change the folder's permissions",
    errno.EROFS: "the disk is read-only; choose another place",
    errno.ENOSPC: "the disk is full; free some space or choose another place",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another place",
    errno.EFBIG: "the file is larger than this disk or account allows; choose another place or a smaller file",
    errno.ENOTDIR: "a part of this path is a file, not a folder; choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def replacing(target: Path, draft: Path) -> Iterator[IO[bytes]]:
    """The draft, a new file beside the target, which takes its place at the end.

    It is removed on any exception, an interrupt included, and the target stays as it was.
    """
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error to raise when the disk refused the path."""
    reason = REASONS.get(error.errno or 0, f"{error.strerror or error}; choose another place")
    return OutputError(f"{path}: cannot be written: {reason}")
