"""Files of a run folder, replaced in one move, and one-line errors for what the disk can do to them."""

from pathlib import Path

from sheetgen.errors import SheetgenError
from sheetgen.xlsx.files import cannot_write, replacing

__all__ = ["make_folder", "read_bytes", "replace"]


def make_folder(folder: Path) -> None:
    """Create the folder and those above it; OutputError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def replace(path: Path, content: bytes) -> None:
    """Give the file this content in one move; on any exception it stays as it was.

    OutputError if it cannot be written.
    """
    # The same name each time, so that what a kill leaves behind is overwritten, not collected.
    draft = path.with_name(f".{path.name}.draft")
    try:
        with replacing(path, draft) as file:
            file.write(content)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_bytes(path: Path, error_class: type[SheetgenError], size: int = -1) -> bytes:
    """The first size bytes of the file, or all; an error of the given class if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        raise error_class(f"{path}: there is no such file") from error
    except OSError as error:
        raise error_class(f"{path}: cannot be read: {error.strerror}") from error
