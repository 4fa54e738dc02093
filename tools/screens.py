"""Pictures of a workbook's tabs as a small screen first shows them: `python tools/screens.py FILE.xlsx OUTDIR`.

LibreOffice opens the workbook in a display that nobody sees and goes from tab to tab. Debian and Ubuntu: xvfb, openbox,
xdotool and imagemagick.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from sheetgen.check.office import new_profile

SIZE = "1366x768"
# A picture that is the same twice, so far apart, is finished; and how long a program may take to show anything.
STILL, PATIENCE = 0.7, 120.0
# A window that shows a workbook has more colours than this, one that is still empty fewer.
COLORS = 150


def visible_tabs(source: Path) -> list[str]:
    """The tabs that are not hidden, in order."""
    with zipfile.ZipFile(source) as parts:
        sheets = re.findall(r"<sheet [^>]*>", parts.read("xl/workbook.xml").decode())
    return [re.sub(r'.*name="([^"]*)".*', r"\1", one) for one in sheets if "idden" not in one]


@contextmanager
def running(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program that is ended with the block."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def display(size: str) -> Iterator[dict[str, str]]:
    """The environment of programs that shall show their windows, maximized, on a screen of this size."""
    with running(["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24"], stdout=subprocess.PIPE) as server:
        environment = {**os.environ, "DISPLAY": f":{server.stdout.readline().strip()}"}  # type: ignore[union-attr]
        with running(["openbox"], env=environment):
            yield environment


def photograph(target: Path, environment: dict[str, str], other: bytes) -> bytes:
    """What the screen shows once it changes no more, is more than an empty window, and another picture than before."""
    until = time.monotonic() + PATIENCE
    before, now, colors = None, b"", 0
    while (before != now or colors < COLORS or now == other) and time.monotonic() < until:
        time.sleep(STILL)
        subprocess.run(["import", "-window", "root", str(target)], env=environment, check=True)
        with Image.open(target) as picture:
            colors = len(picture.convert("RGB").getcolors(picture.width * picture.height) or ())
            before, now = now, picture.convert("RGB").tobytes()
    return now


def await_window(name: str, environment: dict[str, str]) -> None:
    """Until a window has this in its title."""
    until = time.monotonic() + PATIENCE
    search = ["xdotool", "search", "--onlyvisible", "--name", re.escape(name)]
    while subprocess.run(search, env=environment, capture_output=True).returncode:
        if time.monotonic() > until:
            raise SystemExit(f"{name}: no window within {PATIENCE:.0f} s")
        time.sleep(STILL)


def press(keys: str, environment: dict[str, str]) -> None:
    """As if they were typed."""
    subprocess.run(["xdotool", "key", keys], env=environment, check=True)


def screens(source: Path, folder: Path, size: str = SIZE) -> Iterator[Path]:
    """A PNG file for each visible tab."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, display(size) as environment:
        book = shutil.copyfile(source, Path(scratch, source.name))  # a lock that is left beside a file asks questions
        profile = new_profile(Path(scratch, "profile"), recalculate=False)
        with running(["soffice", profile, "--norestore", "--nologo", "--calc", str(book)], env=environment):
            await_window(source.name, environment)
            before = b""
            for number, tab in enumerate(visible_tabs(source)):
                if number:
                    press("ctrl+Next", environment)
                target = folder / f"{tab.replace(' ', '-').lower()}.png"
                before = photograph(target, environment, before)
                yield target
            press("ctrl+q", environment)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the pictures and print their paths."""
    parser = argparse.ArgumentParser(description="Photograph a workbook's tabs on a small screen.")
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default=SIZE, help=f"of the screen, in pixels: {SIZE}")
    options = parser.parse_args(argv)
    for picture in screens(options.file, options.folder, options.size):
        print(picture, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
