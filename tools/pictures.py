"""Make the README's pictures from a workbook: `python tools/pictures.py output/backprop.xlsx docs`.

With Chromium at hand, the picture of a hand-out too: the first pages of the default template's, as a browser prints it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from PIL import Image, ImageChops
from render import render, tab_names

from sheetgen import build
from sheetgen.handout.files import write_handout
from sheetgen.lessons.exercise import one_run
from sheetgen.spec import DEFAULT_TEMPLATE, load
from sheetgen.tabs.plan import make_plan
from sheetgen.tabs.state import CHOICE_ROW, STEP_ROW
from sheetgen.tabs.workbook import complete, fill_book
from sheetgen.xlsx import package

MARGIN = 24
WIDTH = 1400


@dataclass(frozen=True)
class Moment:
    """A template's workbook in which a run and a step are chosen on Network."""

    template: str
    run: str
    step: int

    def write(self, path: Path) -> None:
        """Write it."""
        book = fill_book(make_plan(load(self.template)))
        [network] = [tab for tab in book.tabs if tab.ws.title == "Network"]
        for row, choice in ((CHOICE_ROW, self.run), (STEP_ROW, self.step)):
            network.put(row, 2, choice, "choice")
        complete(book)
        package.save(book, path)


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the tab, the printed page (zero-based), and the part of its height that is kept.

    With an area, that is printed in place of the tab's own print area; with a moment, it is of that workbook.
    """

    name: str
    tab: str
    page: int = 0
    part: float = 1.0
    dpi: int = 150
    area: str | None = None
    moment: Moment | None = None


PICTURES = (
    Picture("network", "Network", part=0.64),
    Picture("derivation", "Derivation", part=0.62),
    Picture("training", "lr 0.5", area="$A$1:$Q$21"),
    Picture("compare", "Compare"),
    Picture("map", "Map", part=0.7, moment=Moment("xor", "lr 2", 600)),
    Picture("landscape", "Landscape", part=0.66, moment=Moment("xor", "lr 2", 20)),
    Picture("epochs", "CNN epochs", part=0.8),
    Picture("draw", "Draw", part=0.65, dpi=160),
    Picture("layers", "Layers", part=0.42, dpi=330),
)

# The lessons of shared weights: the template, and the part of a tab that is drawn or told.
LESSONS = (
    ("conv", Picture("conv_network", "Network", area="$D$4:$Y$31")),
    ("conv", Picture("conv_derivation", "Derivation", area="$A$66:$E$101")),
    ("rnn", Picture("rnn_network", "Network", area="$D$4:$Y$27")),
    ("rnn", Picture("rnn_derivation", "Derivation", area="$A$64:$E$95")),
    ("attention", Picture("attention_network", "Network", area="$D$4:$Y$25")),
    ("attention", Picture("attention_derivation", "Derivation", area="$A$128:$E$150")),
    ("normalisation", Picture("normalisation_network", "Network", area="$D$4:$Y$30")),
    ("normalisation", Picture("normalisation_derivation", "Derivation", area="$A$70:$E$92")),
)


def trim(picture: Image.Image) -> Image.Image:
    """Without the white around it, but for a margin."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    if box is None:
        return picture
    left, top, right, bottom = box
    right, bottom = min(right + MARGIN, picture.width), min(bottom + MARGIN, picture.height)
    return picture.crop((max(left - MARGIN, 0), max(top - MARGIN, 0), right, bottom))


def make(workbook: Path, folder: Path, picture: Picture) -> Path:
    """Render the tab, leave out the page's footer and the rest of its height, trim, and scale to the width."""
    with tempfile.TemporaryDirectory() as scratch:
        if picture.moment:
            workbook = Path(scratch, "moment.xlsx")
            picture.moment.write(workbook)
        pages = render(workbook, Path(scratch), tab=picture.tab, area=picture.area, dpi=picture.dpi)
        with Image.open(pages[picture.page]) as opened:
            page = opened.convert("RGB")
    body = page.crop((0, 0, page.width, round(page.height * 0.94 * picture.part)))
    body = trim(body)
    if body.width > WIDTH:
        body = body.resize((WIDTH, round(body.height * WIDTH / body.width)), Image.Resampling.LANCZOS)
    return save(body, folder / f"{picture.name}.png", heat=picture.moment is not None)


def save(picture: Image.Image, target: Path, *, heat: bool = False) -> Path:
    """Write the picture, in few colours unless it has a heat map, which needs them all."""
    (picture if heat else picture.quantize(256, Image.Quantize.MAXCOVERAGE)).save(target, optimize=True)
    return target


def make_handout(folder: Path, chromium: str) -> Path:
    """The first two pages of a hand-out side by side."""
    with tempfile.TemporaryDirectory() as scratch:
        page, pdf = Path(scratch, "handout.html"), Path(scratch, "handout.pdf")
        write_handout(one_run(load(DEFAULT_TEMPLATE)), page)
        quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        command = [chromium, *quiet, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        subprocess.run(["pdftoppm", "-r", "110", "-l", "2", "-png", str(pdf), f"{scratch}/page"], check=True)
        pages = [Image.open(one).convert("RGB") for one in sorted(Path(scratch).glob("page*.png"))]
    both = Image.new("RGB", (sum(one.width for one in pages), pages[0].height), "white")
    for number, one in enumerate(pages):
        both.paste(one, (number * one.width, 0))
    both = trim(both)
    return save(
        both.resize((WIDTH, round(both.height * WIDTH / both.width)), Image.Resampling.LANCZOS), folder / "handout.png"
    )


def make_lessons(folder: Path, only: Sequence[str] | None) -> Iterator[Path]:
    """The pictures of LESSONS, each from its template's workbook."""
    asked = [lesson for lesson in LESSONS if not only or lesson[1].name in only]
    for template, lessons in groupby(asked, key=itemgetter(0)):
        with tempfile.TemporaryDirectory() as scratch:
            workbook = Path(scratch, "lesson.xlsx")
            build(load(template), workbook)
            for _, picture in lessons:
                yield make(workbook, folder, picture)


def main(argv: Sequence[str] | None = None) -> int:
    """Make every picture whose tab the workbook has, and print its path."""
    parser = argparse.ArgumentParser(description="Make the README's pictures from a workbook.")
    parser.add_argument("workbook", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", help="names of pictures")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    tabs = tab_names(options.workbook)
    for picture in PICTURES:
        if (picture.moment or picture.tab in tabs) and (not options.only or picture.name in options.only):
            print(make(options.workbook, options.folder, picture))
    for path in make_lessons(options.folder, options.only):
        print(path)
    chromium = shutil.which("chromium")
    if chromium and (not options.only or "handout" in options.only):
        print(make_handout(options.folder, chromium))
    return 0


if __name__ == "__main__":
    sys.exit(main())
