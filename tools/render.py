"""Pictures of a workbook's printed pages: `python tools/render.py FILE.xlsx OUTDIR [--tab NAME] [--dpi N]`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl

from sheetgen.check.office import PDF, convert


def tab_names(source: Path) -> list[str]:
    """The workbook's tabs in order."""
    return list(openpyxl.load_workbook(source, read_only=True).sheetnames)


def page_names(names: Sequence[str], stem: str, pages: Sequence[Path]) -> list[str]:
    """The pictures' file names: the tab's name when every tab has one page, else the workbook's name and a number."""
    if len(names) == len(pages):  # a tab that is longer than a page would shift the names
        return [f"{name.replace(' ', '-').lower()}.png" for name in names]
    return [f"{stem}-{number:02d}.png" for number in range(1, len(pages) + 1)]


def show_only(workbook_xml: str, wanted: int, area: str | None = None) -> str:
    """The text of xl/workbook.xml with every sheet but the wanted one (zero-based) hidden.

    What it prints is the area, such as $A$1:$P$20, in place of its own print area.
    """
    # LibreOffice prints the print area of a sheet even if the sheet is hidden
    areas = re.compile(r'<definedName name="_xlnm.Print_Area" localSheetId="(\d+)"[^>]*>.*?</definedName>')
    workbook_xml = areas.sub(lambda own: own[0] if int(own[1]) == wanted else "", workbook_xml)
    if area is not None:
        workbook_xml = re.sub(r"(_xlnm.Print_Area[^>]*>[^<]*?!)[^<]*", lambda own: own[1] + area, workbook_xml)
    texts = re.split(r"(?=<sheet )", re.sub(r'(<sheet [^>]*?) state="\w+"', r"\1", workbook_xml))
    hidden = [
        text if number == wanted else text.replace("<sheet ", '<sheet state="hidden" ', 1)
        for number, text in enumerate(texts[1:])
    ]
    return re.sub(r'(firstSheet|activeTab)="\d+"', rf'\1="{wanted}"', texts[0] + "".join(hidden))


def copy_with_only(source: Path, tab: str, target: Path, area: str | None = None) -> None:
    """Write a copy of the workbook to target in which only this tab prints, or this area of it."""
    names = tab_names(source)
    if tab not in names:
        raise SystemExit(f"{source}: no tab {tab!r}; it has: {', '.join(names)}")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            if part == "xl/workbook.xml":
                data = show_only(data.decode(), names.index(tab), area).encode()
            new.writestr(part, data)


def render(
    source: Path, folder: Path, *, tab: str | None = None, area: str | None = None, dpi: int = 110
) -> list[Path]:
    """The PNG files written to the folder, one per printed page. LibreOffice runs with a profile of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        book = room / source.name
        if tab is None:
            shutil.copyfile(source, book)
        else:
            copy_with_only(source, tab, book, area)
        [pdf] = convert([book], room / "out", PDF, recalculate=False)
        subprocess.run(["pdftoppm", "-r", str(dpi), "-png", str(pdf), str(room / "page")], check=True)
        pages = sorted(room.glob("page-*.png"))
        names = [tab] if tab is not None else tab_names(source)
        return [
            Path(shutil.move(page, folder / name))
            for page, name in zip(pages, page_names(names, source.stem, pages), strict=True)
        ]


def main(argv: Sequence[str] | None = None) -> int:
    """Render and print the pictures' paths."""
    parser = argparse.ArgumentParser(description="Render a workbook's tabs to PNG files with LibreOffice.")
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tab", help="only this tab")
    parser.add_argument("--area", help="of a tab that has a print area, print this in its place, such as $A$1:$P$20")
    parser.add_argument("--dpi", type=int, default=110)
    args = parser.parse_args(argv)
    for picture in render(args.file, args.folder, tab=args.tab, area=args.area, dpi=args.dpi):
        print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
