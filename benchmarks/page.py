"""Times the page in headless Chromium beside the command: `python benchmarks/page.py [--page FOLDER] [--runs N]`.

From the click to the whole file of the default template, once the page is loaded; the command's start is included. It
prints how much the browser loads too. Exit code 1 if the median is above the target.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from browser import Page, chromium, opened, serve  # noqa: E402

TARGET = 3.0


def clicked(page: Page) -> float:
    """Seconds from the click to the file."""
    begin = time.perf_counter()
    page.downloaded(page.element("go").click).unlink()
    taken = time.perf_counter() - begin
    page.idle()
    return taken


def commanded(folder: Path) -> float:
    """Seconds of `sheetgen build`."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "sheetgen", "build", "-o", str(folder / "backprop.xlsx")]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> int:
    """Print the sizes and the times."""
    parser = argparse.ArgumentParser(description="Time the page in headless Chromium beside the command.")
    parser.add_argument(
        "--page", metavar="FOLDER", type=Path, default=ROOT / "output" / "page", help="as make page left"
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: %(default)s)")
    options = parser.parse_args(argv)
    tools = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in tools or not (options.page / "files.json").is_file():
        raise SystemExit(f"page: chromium, chromedriver and {options.page} are needed; make page writes the latter")
    browser, driver = (Path(str(one)) for one in tools)
    with tempfile.TemporaryDirectory() as name, serve(options.page) as served:
        scratch = Path(name)
        with chromium(browser, driver, scratch) as chrome:
            begin = time.perf_counter()
            page = opened(chrome, served.address, scratch)
            loaded = time.perf_counter() - begin
            asked = {path.lstrip("/") or "index.html" for _, path in served.asked}
            files = [(options.page / one).read_bytes() for one in asked if (options.page / one).is_file()]
            clicked(page), commanded(scratch)  # a warm-up
            times = [(clicked(page), commanded(scratch)) for _ in range(options.runs)]
            version = chrome.capabilities["browserVersion"]
    here, there = (statistics.median(each) for each in zip(*times, strict=True))
    packed = sum(len(gzip.compress(one, 6)) for one in files)
    print(f"Chromium {version}, medians of {options.runs} runs taking turns")
    whole = sum(map(len, files))
    print(f"transfer         {whole / 1e6:.1f} MB in {len(files)} files; {packed / 1e6:.1f} MB if the server packs")
    print(f"first load       {loaded:.1f} s, to the first picture")
    print(f"click to file    {here:.2f} s (at most {TARGET:.0f} are wanted)")
    print(f"sheetgen build   {there:.2f} s: {here / there:.1f}×")
    return int(here > TARGET)


if __name__ == "__main__":
    sys.exit(main())
