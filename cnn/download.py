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
    """Put these files of torchvision's MNIST into folder, from the first mirror that has all, or DownloadError."""
    from torchvision.datasets import MNIST

    failures = []
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        for mirror in (one for one in MNIST.mirrors if _resolves(urlsplit(one).hostname or "")):
            make_folder(folder)
            # By itself it gives up where a server breaks off. The class's name is a folder's.
            one = type("MNIST", (MNIST,), {"mirrors": [mirror]})
            try:
                with tempfile.TemporaryDirectory(dir=folder.parent) as new:
                    raw = Path(one(new, download=True).raw_folder)
                    for name in files:
                        (raw / name).replace(folder / name)
                return
            except (OSError, RuntimeError, EOFError, ValueError, HTTPException, zlib.error) as error:
                failures.append(f"{mirror}: {' '.join(str(error).split()) or type(error).__name__}")
    finally:
        socket.setdefaulttimeout(waited)
    raise DownloadError(f"it cannot be downloaded: {failures[0] if failures else 'no server is reachable'}")


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
