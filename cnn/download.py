"""Downloads MNIST into a cache folder: by torchvision, which checks every file, but in bounded time."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import zlib
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from cnn.files import make_folder

__all__ = ["DownloadError", "cache_folder", "download"]

SECONDS = 5.0
"""How long a server may stay silent before it is given up; torchvision would wait for ever."""


class DownloadError(Exception):
    """The download failed; str() says why."""


def cache_folder() -> Path:
    """Where downloads are kept: sheetgen/ in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sheetgen"


def download(folder: Path, files: Iterable[str]) -> None:
    """Put torchvision's MNIST into the folder: these files of it. DownloadError if it cannot be had."""
    from torchvision.datasets import MNIST

    if not any(_resolves(urlsplit(mirror).hostname or "") for mirror in MNIST.mirrors):
        raise DownloadError("it cannot be downloaded: no server is reachable")
    make_folder(folder)
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as new:
            raw = Path(MNIST(new, download=True).raw_folder)
            for name in files:
                (raw / name).replace(folder / name)
    except (OSError, RuntimeError, EOFError, HTTPException, zlib.error) as error:
        raise DownloadError(
            f"it cannot be downloaded: {' '.join(str(error).split()) or type(error).__name__}"
        ) from error
    finally:
        socket.setdefaulttimeout(waited)


def _resolves(host: str) -> bool:
    """Whether the host's name is found in time; looking it up has no time-out of its own, so a thread does it."""
    found = threading.Event()

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, 443)
        except OSError:
            return
        found.set()

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return found.is_set()
