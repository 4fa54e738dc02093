"""Gnumeric as one more engine: a workbook recalculated and saved by its converter."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from referees import calamine_cells


def recalculate_in_gnumeric(path: Path) -> dict[tuple[str, str], Any]:
    """Every filled cell after recalculation; errors are blanks to the reader. The file itself is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "gnumeric.xlsx")
        command = ["ssconvert", "--recalc", str(path), str(out)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return calamine_cells(out)
