"""The packages of the extra [cnn], which only this part needs, and the line for one that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sheetgen.errors import SheetgenError

__all__ = ["needing_the_extra"]

PACKAGES = ("numpy", "PIL", "safetensors", "sklearn", "torch", "torchvision")


@contextmanager
def needing_the_extra(what: str) -> Iterator[None]:
    """SheetgenError, beginning with what needs it, where a package of the extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        missing = f"{what} the package {package}, which is not installed"
        raise SheetgenError(
            f"{missing}; install sheetgen with its extra: pip install 'sheetgen-backprop[cnn]'"
        ) from error
