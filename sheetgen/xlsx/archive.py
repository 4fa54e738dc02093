"""The archive that a workbook is: its parts, found and read within limits, whoever wrote it.

A small file cannot ask for much memory or time.
"""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from sheetgen.errors import CheckError

__all__ = [
    "CREATOR",
    "MAIN",
    "VERSION_NAME",
    "PartError",
    "book_part",
    "open_workbook",
    "relations",
    "sheet_parts",
    "small_part",
    "whole_part",
]

# Sizes are in bytes, as the archive declares them; zipfile reads no more than that.
MAX_DIRECTORY = 4 << 20  # the archive's list of parts; 60 bytes are one part
MAX_LIST = 8 << 20  # a part that is read as a whole: the tabs and names, what a part refers to
MAX_WHOLE = 4 << 30
# A workbook is refused that is large and hardly anything in its file: zeros in all columns are packed 40 times.
LARGE, MAX_PACKED = 128 << 20, 100

CREATOR = "sheetgen"
"""Who made a workbook that this program wrote, as its properties say."""
VERSION_NAME = "sheetgen_version"
"""The hidden name in which each workbook has the version that wrote it (since 0.2)."""

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "{http://purl.oclc.org/ooxml/"
_OFFICE_DOCUMENT = "/officeDocument"

# The first bytes of what people take for an .xlsx file.
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
# What reading a damaged archive or part raises.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError, EOFError, LookupError, RuntimeError,
    ValueError, SyntaxError, ArithmeticError, MemoryError,
)  # fmt: skip


class PartError(ValueError):
    """What no part of a workbook may be; the text says what it is."""


@contextmanager
def open_workbook(path: Path | str) -> Iterator[zipfile.ZipFile]:
    """The archive of a workbook; whatever its damage raises while it is open becomes a CheckError."""
    try:
        with _ordinary(Path(path)).open("rb") as file:
            _refuse_directory(Path(path), file.seek(0, 2), file)
            with zipfile.ZipFile(file) as archive:
                _refuse_large(Path(path), archive)
                yield archive
    except FileNotFoundError:
        raise CheckError(f"{path}: there is no such file; check the path") from None
    except PartError as error:
        raise CheckError(f"{path}: is damaged: {error}; save it again with the program that made it") from error
    except (*_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which is a place that the file does not have
            raise CheckError(f"{path}: cannot be read: {error.strerror or error}") from error
        raise CheckError(f"{path}: {_what_is_wrong(Path(path))}") from error


def sheet_parts(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Title and part name of every worksheet, in the order of the tabs; PartError if two have one title."""
    book = book_part(archive)
    if small_part(archive, book).tag.startswith(_STRICT):
        raise CheckError(
            f"{archive.filename}: is a Strict Open XML workbook; save it in Excel as “Excel Workbook (*.xlsx)”"
        )
    targets = {name: target for name, kind, target in relations(archive, book) if kind.endswith("/worksheet")}
    sheets = small_part(archive, book).iter(f"{MAIN}sheet")
    found = [(sheet.attrib["name"], targets[sheet.attrib[_ID]]) for sheet in sheets if sheet.attrib[_ID] in targets]
    if len({title for title, _ in found}) < len(found):
        raise PartError("two tabs have one title")
    return found


def book_part(archive: zipfile.ZipFile) -> str:
    """The part that lists tabs and names."""
    [book] = [target for _, kind, target in relations(archive, "") if kind.endswith(_OFFICE_DOCUMENT)]
    return book


def relations(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str, str]]:
    """Id, type and target part of everything that a part (or the package, "") refers to within the archive."""
    owner = PurePosixPath(part)
    links = small_part(archive, str(owner.parent / "_rels" / f"{owner.name}.rels") if part else "_rels/.rels")
    return [
        (link.attrib["Id"], link.attrib["Type"], _target(owner, link.attrib["Target"]))
        for link in links.iter(_RELATION)
        if link.get("TargetMode") != "External"
    ]


def small_part(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    """The XML of a small part."""
    return ElementTree.fromstring(whole_part(archive, part, MAX_LIST))


def whole_part(archive: zipfile.ZipFile, part: str, limit: int) -> bytes:
    """A part's bytes; PartError if they are many, or declare entities, which may grow without end."""
    data = archive.read(part) if archive.getinfo(part).file_size <= limit else b""
    if not data or b"<!DOCTYPE" in data:
        raise PartError(f"{part} is empty, too large, or has a document type")
    return data


def _ordinary(path: Path) -> Path:
    """The path; CheckError if reading it could wait for ever, as a device's or a pipe's."""
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise CheckError(f"{path}: is not an ordinary file; name a workbook")
    return path


def _refuse_directory(path: Path, size: int, file: IO[bytes]) -> None:
    """CheckError if the archive lists more parts than a workbook has; zipfile would read the list as a whole."""
    file.seek(max(0, size - 65_557))
    _, found, end = file.read().rpartition(b"PK\5\6")
    listed = int.from_bytes(end[8:12], "little") if found else 0
    if listed > MAX_DIRECTORY:
        raise _too_much(path, f"its list of parts has {listed:,} bytes", f"{MAX_DIRECTORY:,}")


def _refuse_large(path: Path, archive: zipfile.ZipFile) -> None:
    """CheckError if the parts together are larger than is allowed."""
    whole = sum(part.file_size for part in archive.infolist())
    packed = path.stat().st_size
    if whole > MAX_WHOLE or (whole > LARGE and whole > MAX_PACKED * packed):
        allowed = f"{MAX_WHOLE:,}, and {MAX_PACKED} times the file's {packed:,}"
        raise _too_much(path, f"its parts have {whole:,} bytes", allowed)


def _too_much(path: Path, found: str, allowed: str) -> CheckError:
    return CheckError(f"{path}: {found}; at most {allowed} are read. Build it again with sheetgen build")


def _what_is_wrong(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        more = start + file.read(MAX_LIST)
    if start == _COMPOUND_FILE:
        if "EncryptedPackage".encode("utf-16-le") in more:
            return "is protected by a password; open it in Excel or LibreOffice and save it without one"
        return "is an old .xls workbook; open it in Excel or LibreOffice and save it as .xlsx"
    if start.startswith(b"PK") and b"application/vnd.oasis.opendocument" in more[:200]:
        return "is an OpenDocument file, such as .ods; open it in LibreOffice and save it as .xlsx"
    if start.startswith(b"PK"):
        return "is damaged or truncated, or is no .xlsx workbook; save it again with the program that made it"
    return "is no .xlsx workbook; name one"


def _target(owner: PurePosixPath, target: str) -> str:
    """A part's name from a target that is absolute or relative to its owner's folder."""
    if target.startswith("/"):
        return target[1:]
    names = list(owner.parent.parts)
    for name in target.split("/"):
        if name == "..":
            del names[-1:]
        elif name != ".":
            names.append(name)
    return "/".join(names)
