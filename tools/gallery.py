"""Workbooks that are ready to open, and a page that shows them: `python tools/gallery.py output/gallery --cnn RUN`."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

from cnn.export import add_tabs
from sheetgen.build import build
from sheetgen.lessons.exercise import make_exercise
from sheetgen.lessons.files import write_exercise
from sheetgen.page.curves import curves_of, legend, picture
from sheetgen.spec import DEFAULT_TEMPLATE, load, template_names
from sheetgen.tabs.plan import make_plan

DOCS = Path(__file__).parent.parent / "docs"
NETWORK = "network-live.xlsx"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 1200px; margin: auto; padding: 0 12px 24px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 16px; }
h2 { font-size: 1.1rem; margin: 8px 0; }
h1 + p { margin-bottom: 16px; }
article p { margin: 4px 0; }
article { border: 1px solid #8888; border-radius: 6px; padding: 10px 14px; }
article > svg, img { width: 100%; height: 230px; object-fit: cover; object-position: top left; background: #fff; }
ul { list-style: none; padding: 0; font-size: 13px; display: flex; flex-wrap: wrap; gap: 0 12px; }
li svg { width: 24px; height: 8px; margin-right: 4px; }
"""


@dataclass(frozen=True)
class Entry:
    """A workbook of the gallery: its file, what it is in one line, and a picture as HTML."""

    file: str
    title: str
    line: str
    picture: str


def entries(folder: Path, run: Path) -> Iterator[Entry]:
    """Write the workbooks one after the other."""
    first, *others = template_names()
    yield _template(first, folder)
    paths = [folder / f"{DEFAULT_TEMPLATE}-{kind}.xlsx" for kind in ("exercise", "solution")]
    write_exercise(make_exercise(load(DEFAULT_TEMPLATE)), *paths)
    line = "The gradients are yours to write: yellow cells, with marks that say how many rows are right, and hints."
    yield Entry(paths[0].name, "An exercise that judges itself", line, _image("exercise", "marks above the columns"))
    line = "The same workbook with every formula in its place."
    yield Entry(paths[1].name, "Its solution", line, _image("training", "a training table with its charts"))
    build(load(DEFAULT_TEMPLATE), folder / NETWORK, extra=partial(add_tabs, run=run, live=True))
    line = "Draw a digit into the cells, and a trained convolutional network in the cells reads it."
    yield Entry(
        NETWORK, "The first workbook, with a live digit network", line, _image("draw", "a digit and its answer")
    )
    for name in others:
        yield _template(name, folder)


def _template(name: str, folder: Path) -> Entry:
    spec = load(name)
    build(spec, folder / f"{name}.xlsx")
    curves = curves_of(make_plan(spec))
    line = f"{' '.join(spec.about.split()).partition('. ')[0].rstrip('.')}."
    return Entry(f"{name}.xlsx", spec.title, line, picture(curves) + legend(curves))


def _image(name: str, shows: str) -> str:
    return f'<img src="{name}.png" alt="A picture of the workbook: {shows}">'


def fill(folder: Path, run: Path) -> list[Entry]:
    """Fill the folder, which must be new or an earlier gallery."""
    if folder.exists() and not (folder / NETWORK).is_file() and any(folder.iterdir()):
        raise SystemExit(f"gallery: {folder} has something else in it; name another folder, or remove it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = list(entries(folder, run))
    for name in ("exercise", "training", "draw"):
        shutil.copyfile(DOCS / f"{name}.png", folder / f"{name}.png")
    articles = "\n".join(
        f'<article>{one.picture}<h2><a href="{one.file}" download>{escape(one.title)}</a></h2><p>{escape(one.line)}</p>'
        f"<p><small>{one.file}, {(folder / one.file).stat().st_size / 1e6:.1f} MB</small></p></article>"
        for one in made
    )
    (folder / "index.html").write_text(
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>sheetgen: workbooks ready to open</title><style>{STYLE}</style>\n<h1>Workbooks ready to open</h1>\n"
        "<p>Spreadsheets that teach back-propagation: every gradient derived, every formula live. For Excel 2010,\n"
        "LibreOffice 7, Google Sheets or newer, without macros. Excel shows what was downloaded in Protected View:\n"
        "all numbers are there, and Enable Editing lets you change them and see every tab follow.</p>\n"
        f"<main>\n{articles}\n</main></html>\n",
        encoding="utf-8",
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Write the gallery and print its files."""
    parser = argparse.ArgumentParser(description="Write workbooks that are ready to open, and a page that shows them.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cnn", metavar="RUN", type=Path, required=True, help="the folder of a trained network's run")
    options = parser.parse_args(argv)
    for one in fill(options.folder, options.cnn):
        print(options.folder / one.file)
    print(options.folder / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
