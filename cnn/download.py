"""Downloads MNIST into a cache folder: with a progress bar, in bounded time, and checked."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from cnn.files import make_folder, replace

__all__ = ["DownloadError", "cache_folder", "download"]

SECONDS = 5.0
"""How long a server may stay silent before it is given up."""
CHUNK = 1 << 16


class DownloadError(Exception):
    """The download failed; str() says why."""


def cache_folder() -> Path:
    """Where downloads are kept: sheetgen/ in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sheetgen"


def download(folder: Path, files: Mapping[str, str]) -> None:
    """Put the files (name -> MD5) into the folder, each from the first of torchvision's mirrors that has it as name.gz.

    DownloadError if one cannot be had; those already there stay.
    """
    from torchvision.datasets import MNIST

    mirrors: list[str] = MNIST.mirrors
    reachable = [mirror for mirror in mirrors if _resolves(urlsplit(mirror).hostname or "")]
    if not reachable:
        raise DownloadError("it cannot be downloaded: no server is reachable")
    make_folder(folder)
    for name, md5 in files.items():
        if not (folder / name).is_file():
            replace(folder / name, _first_of(reachable, name, md5))


def _first_of(mirrors: list[str], name: str, md5: str) -> bytes:
    failures = []
    for mirror in mirrors:
        url = f"{mirror}{name}.gz"
        try:
            content = gzip.decompress(_fetched(url))
        except (OSError, EOFError, ValueError, zlib.error, http.client.HTTPException) as error:
            failures.append(f"{url}: {str(error) or type(error).__name__}")
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
            return content
        failures.append(f"{url}: has not the published MD5")
    raise DownloadError(f"it cannot be downloaded: {failures[0]}")


def _fetched(url: str) -> bytes:
    if not url.startswith("https://"):
        raise OSError("is not https")
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        total = int(answer.headers.get("Content-Length", 0)) or None
        name = url.rsplit("/", 1)[1]
        with tqdm(total=total, desc=name, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
            parts = []
            while part := answer.read(CHUNK):
                parts.append(part)
                bar.update(len(part))
    return b"".join(parts)


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
