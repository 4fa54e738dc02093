"""LibreOffice without a window: workbooks converted, with a profile of their own, so that nothing else is touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sheetgen.errors import CheckError

__all__ = ["CSV", "PDF", "XLSX", "convert", "new_profile"]

# It takes 15 bytes and 0.4 µs for a byte of the parts, and 0.3 GB and some seconds to start; and what is hostile, more.
LEAST_SECONDS, SECONDS = 60, 4e-6
LEAST_MEMORY, MEMORY = 1 << 30, 25
LARGE = 250 << 20
PROGRAMS = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")
XLSX, PDF, CSV = "xlsx:Calc MS Excel 2007 XML", "pdf", "csv"

# OOXMLRecalcMode 0: always recalculate on load; 1: never, which shows the values that are found in the file.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>{mode}</value></prop></item>
</oor:items>
"""


def new_profile(folder: Path, *, recalculate: bool = True) -> str:
    """The option that gives LibreOffice a new profile in the folder."""
    settings = folder / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS.format(mode=0 if recalculate else 1), encoding="utf-8")
    return f"-env:UserInstallation={folder.as_uri()}"


def convert(
    sources: Sequence[Path], results: Path, to: str = XLSX, *, recalculate: bool = True, shown: Path | None = None,
    size: int = LARGE,
) -> list[Path]:  # fmt: skip
    """Open workbooks and save them in another folder, which is made; the new files. The profile is made beside them.

    It gets the time and memory that workbooks of `size` bytes of XML need. CheckError, about the file `shown`, if
    LibreOffice is missing, does not open one or does not finish.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise CheckError("LibreOffice is not installed (no soffice on the PATH); install it or use --engine ironcalc")
    profile = new_profile(results.with_name(f"{results.name}-profile"), recalculate=recalculate)
    command = [program, profile, "--headless", "--norestore", "--convert-to", to, "--outdir", str(results)]
    said = _run([*command, *map(str, sources)], shown or sources[0], size)
    made = [results / source.with_suffix(f".{to.partition(':')[0]}").name for source in sources]
    if not all(path.exists() for path in made):
        lines = [line for line in said.splitlines() if line.strip() and "javaldx" not in line]
        reason = lines[-1] if lines else "it gave no reason"
        raise CheckError(f"{shown or sources[0]}: LibreOffice did not open it: {reason}")
    return made


def _run(command: list[str], shown: Path, size: int) -> str:
    """What the program printed; CheckError, and no process left, if it takes too long.

    It starts others, which outlive it if it alone is ended, so they are a group. A guard among them reads from a pipe
    that this process holds open, and ends them all when that closes, which it does however this process ends.
    """
    posix = os.name == "posix"  # elsewhere there are no groups, and it alone is ended
    guard, ours = os.pipe()
    seconds, memory = LEAST_SECONDS + SECONDS * size, LEAST_MEMORY + MEMORY * size >> 10
    script = f'ulimit -d {memory} 2>/dev/null; (cat <&{guard}; kill -9 0) >/dev/null 2>&1 & exec "$@"'
    guarded = ["/bin/sh", "-c", script, "sh", *command]
    try:
        with subprocess.Popen(
            guarded if posix else command, pass_fds=[guard] if posix else (), start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as process:  # fmt: skip
            try:
                return process.communicate(timeout=seconds)[0]
            except BaseException as error:
                if posix:
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.communicate()  # until the last of them is gone, which may still write into the folder
                if isinstance(error, subprocess.TimeoutExpired):
                    found = f"{shown}: LibreOffice did not finish within {seconds:,.0f} s"
                    raise CheckError(f"{found}; use --engine ironcalc") from None
                raise
    finally:
        os.close(guard)
        os.close(ours)
