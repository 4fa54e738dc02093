"""Files that are either whole or as they were, and the line for what a disk can do to them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sheetgen.errors import OutputError

__all__ = ["Kind", "cannot_write", "kept_mode", "place_for", "read_ordinary", "replacing", "scratch"]

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, where an open file can be neither removed nor renamed
    fcntl = None

BINARY = getattr(os, "O_BINARY", 0)
CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY

SETTLED = 5.0
"""Seconds after which a folder that is not locked was left."""

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


@dataclass(frozen=True)
class Kind:
    """What is written: how it is called, what its name ends in, an example, and whether a file is one (or is empty)."""

    name: str
    endings: tuple[str, ...]
    example: str
    is_one: Callable[[Path], bool]


def place_for(path: str | os.PathLike[str], kind: Kind) -> Path:
    """Where a file of this path is written, links followed; OutputError if it cannot be written or must not be."""
    shown, target = Path(path), Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode if target.exists() else stat.S_IFREG
        if stat.S_ISDIR(mode):
            raise OutputError(f"{shown}: is a folder; name a file in it, such as {shown / kind.example}")
        if not stat.S_ISREG(mode):
            raise OutputError(f"{shown}: is not an ordinary file; name one that ends in {kind.endings[0]}")
        if shown.suffix.lower() not in kind.endings:
            *others, last = kind.endings
            allowed = f"{', '.join(others)} or {last}" if others else last
            found = f"{shown}: does not end in {allowed}, as a {kind.name}'s name does"
            raise OutputError(f"{found}; such as {shown}{kind.endings[0]}")
        if not target.parent.is_dir():
            raise OutputError(f"{shown}: there is no folder {shown.parent}; create it or choose another place")
        if target.exists() and not kind.is_one(target):
            raise OutputError(f"{shown}: is there already and is no {kind.name}; remove it or choose another name")
        kept_mode(target)
    except OSError as error:
        raise cannot_write(shown, error) from error
    return target


@contextmanager
def replacing(target: Path, drafts: str) -> Iterator[IO[bytes]]:
    """A new file beside the target, which takes its place and its permissions at the end.

    It is called as the pattern `drafts` says, and is removed on any exception, an interrupt included; the target then
    stays as it was. Files called so that a killed process left are removed first. OSError for a read-only target.
    """
    mode = kept_mode(target)
    for left in target.parent.glob(drafts):
        _remove_abandoned(left)
    draft = _named(target, drafts)
    try:
        while (handle := _created(draft, mode)) is None:
            draft = _named(target, drafts)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                draft.chmod(mode)
            if fcntl:
                # As long as it is open it is locked, and no other process takes it for abandoned.
                draft.replace(target)
        if not fcntl:
            draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder for the time being, with this prefix in the system's place for such; removed at the end.

    Folders called so that a killed process left are removed first, unless they are as new as one not locked yet.
    """
    with suppress(OSError):
        for left in list(Path(tempfile.gettempdir()).glob(f"{prefix}*")):
            if fcntl and time.time() - left.lstat().st_ctime > SETTLED:
                _remove_abandoned(left, stat.S_ISDIR, shutil.rmtree)
    with tempfile.TemporaryDirectory(prefix=prefix) as name, _locked(name):
        yield Path(name)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    if not fcntl:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # there are file systems without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def kept_mode(target: Path) -> int | None:
    """The permissions of a file that is to be replaced; None if there is none. OSError if it is read-only."""
    if not target.exists():
        return None
    mode = target.stat().st_mode & 0o777
    if not (mode & 0o222 and os.access(target, os.W_OK)):
        raise OSError("it is read-only; allow writing to it")
    return mode


def _named(target: Path, drafts: str) -> Path:
    """A place beside the target that nobody else has."""
    return target.with_name(drafts.replace("*", uuid4().hex))


def _created(draft: Path, mode: int | None) -> int | None:
    """A new file that no link led to, opened and locked; None if another process took it for abandoned before that."""
    handle = os.open(draft, CREATE, 0o666 if mode is None else mode)
    if fcntl:
        with suppress(OSError):  # there are file systems without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
    if draft.exists():
        return handle
    os.close(handle)
    return None


def _remove_abandoned(
    left: Path, is_kind: Callable[[int], bool] = stat.S_ISREG, remove: Callable[[Path], object] = Path.unlink
) -> None:
    """Remove what a killed process left. A running one has it locked or, where there are no locks, open."""
    with suppress(OSError):
        if not fcntl:
            remove(left)
            return
        handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if is_kind(os.fstat(handle).st_mode):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(left)
        finally:
            os.close(handle)


def read_ordinary(path: Path, most: int) -> bytes:
    """The file's bytes; OSError if there are more than `most`, or if it is a folder, a pipe or a device."""
    with os.fdopen(os.open(path, READ), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not an ordinary file")
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"it has more than {most:,} bytes")
    return content


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error to raise when the disk refused the path."""
    reason = REASONS.get(error.errno or 0, f"{error.strerror or error}; choose another place")
    return OutputError(f"{path}: cannot be written: {reason}")
