"""LibreOffice with a workbook open, timed: what an edit of a cell takes until everything that follows it is computed.

It is driven through UNO, where the system's Python has it (Debian: python3-uno; another one is named by the environment
variable UNO_PYTHON). Otherwise a conversion with recalculation can be timed against one without.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sheetgen.check.office import convert, new_profile

__all__ = ["Edit", "conversion", "edit_seconds"]

Edit = tuple[str, str, str | float]
"""A tab, the address of one of its cells, and what is typed there."""

# Runs under the Python that has UNO: prints the seconds of every edit, by the clock and of LibreOffice's processor.
SESSION = """
import json, os, sys, time, uno
from pathlib import Path
from com.sun.star.beans import PropertyValue
url, pipe, edits = sys.argv[1:]

def used():
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program, *given = (process / "cmdline").read_text().split(chr(0))
            if program.endswith("soffice.bin") and any(pipe in one for one in given):
                return sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:13])) / ticks
        except OSError:
            pass
    return float("nan")

ticks = os.sysconf("SC_CLK_TCK")
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(300):
    try:
        context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        break
    except Exception:
        time.sleep(0.2)
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
hidden = PropertyValue()
hidden.Name, hidden.Value = "Hidden", True
book = desktop.loadComponentFromURL(url, "_blank", 0, (hidden,))
book.calculateAll()
for tab, place, content in json.loads(edits):
    cell = book.Sheets.getByName(tab).getCellRangeByName(place)
    start, before = time.perf_counter(), used()
    if isinstance(content, str):
        cell.String = content
    else:
        cell.Value = content
    book.calculate()  # what is not computed yet, if anything
    print(time.perf_counter() - start, used() - before)
book.close(True)
try:
    desktop.terminate()
except Exception:
    pass
"""


def edit_seconds(path: Path, edits: Sequence[Edit]) -> tuple[list[float], list[float]] | None:
    """The seconds that each edit takes, one after the other in one session; None without LibreOffice or UNO.

    By the clock, and of processor time, which a busy machine does not prolong: not numbers where there is no /proc.
    """
    python = os.environ.get("UNO_PYTHON") or "/usr/bin/python3"
    if shutil.which("soffice") is None or shutil.which(python) is None:
        return None
    if subprocess.run([python, "-c", "import uno"], capture_output=True).returncode:
        return None
    with tempfile.TemporaryDirectory() as profile:
        pipe = f"edits{os.getpid()}"
        office = subprocess.Popen(
            ["soffice", new_profile(Path(profile, "profile")), "--headless", "--norestore",
             f"--accept=pipe,name={pipe};urp;"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            command = [python, "-c", SESSION, path.resolve().as_uri(), pipe, json.dumps(edits)]
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
            office.wait(60)
        finally:
            office.terminate()
    numbers = [float(number) for number in said.split()]
    return numbers[::2], numbers[1::2]


def conversion(path: Path, recalculate: bool) -> float:
    """The seconds that LibreOffice takes to load and save a workbook, all recalculated or not."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        convert([path], Path(folder, "out"), recalculate=recalculate)
        return time.perf_counter() - start
