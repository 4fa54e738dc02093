"""Make the README's pictures from a workbook: `python tools/pictures.py output/backprop.xlsx docs`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops
from render import render, tab_names

MARGIN = 24
WIDTH = 1400


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the tab, the printed page (zero-based), and the part of its height that is kept."""

    name: str
    tab: str
    page: int = 0
    part: float = 1.0
    dpi: int = 150


PICTURES = (
    Picture("network", "Network", part=0.46),
    Picture("derivation", "Derivation", part=0.62),
    Picture("training", "lr 0.5", part=0.45),
    Picture("compare", "Compare"),
    Picture("map", "Map", part=0.7),
    Picture("landscape", "Landscape", part=0.66),
    Picture("epochs", "CNN epochs", part=0.58),
    Picture("draw", "Draw", part=0.65, dpi=160),
    Picture("layers", "Layers", part=0.42, dpi=330),
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
        pages = render(workbook, Path(scratch), tab=picture.tab, dpi=picture.dpi)
        with Image.open(pages[picture.page]) as opened:
            page = opened.convert("RGB")
    body = page.crop((0, 0, page.width, round(page.height * 0.94 * picture.part)))
    body = trim(body)
    if body.width > WIDTH:
        body = body.resize((WIDTH, round(body.height * WIDTH / body.width)), Image.Resampling.LANCZOS)
    target = folder / f"{picture.name}.png"
    body.quantize(128).save(target, optimize=True)
    return target


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
        if picture.tab in tabs and (not options.only or picture.name in options.only):
            print(make(options.workbook, options.folder, picture))
    return 0


if __name__ == "__main__":
    sys.exit(main())
