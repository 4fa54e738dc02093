"""Files of a run folder, replaced in one move, and one-line errors for what the disk can do to them."""

from pathlib import Path

from sheetgen.errors import SheetgenError
from sheetgen.xlsx.files import cannot_write, read_ordinary, replacing

__all__ = ["make_folder", "read_bytes", "replace"]

# The largest, MNIST's training images, has 47,040,016.
MOST_BYTES = 64 << 20


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
    try:
        with replacing(path, f".{path.name}*.draft") as file:
            file.write(content)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_bytes(path: Path, error_class: type[SheetgenError], most: int = MOST_BYTES) -> bytes:
    """The bytes of the file; an error of the given class if it cannot be read, has more, or is no ordinary file."""
    try:
        return read_ordinary(path, most)
    except FileNotFoundError as error:
        raise error_class(f"{path}: there is no such file") from error
    except OSError as error:
        raise error_class(f"{path}: cannot be read: {error.strerror or error}") from error
