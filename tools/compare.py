"""What two workbooks say differently, whatever their bytes: `python tools/compare.py A.xlsx B.xlsx [--limit N]`.

Not compared: how parts, styles and relationships are numbered, content types, and what follows from the cells anyway:
a sheet's dimension and its rows' spans.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import itertools
import posixpath
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
CORE = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
CODES = {0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 49: "@"}
LOOKS = ("number format", "font", "fill", "border", "alignment", "protection", "named style")
# texts, quoted tabs and brackets, which stay; then cells, whole columns and whole rows
REFERENCE = re.compile(
    r"""("[^"]*"|'[^']*'|\[[^]]*])|(?<![\w.$])(?:"""
    r"\$?[A-Z]{1,3}\$?[0-9]+(?![\w.(!])|\$?[A-Z]{1,3}:\$?[A-Z]{1,3}(?![\w.(!])|\$?[0-9]+:\$?[0-9]+(?![\w.]))"
)

Difference = tuple[str, str]
Link = tuple[
    str, str
]  # the relationship's type, without what most begin with, and the part or address that it leads to
Place = tuple[int, int]  # row and column
Style = tuple[tuple[str, str], ...]


class Formula(NamedTuple):
    """A formula as it stands in the file, how far its cell is from where it stands, and its other attributes."""

    text: str
    down: int = 0
    right: int = 0
    extra: str = ""


class Cell(NamedTuple):
    """What a cell holds."""

    formula: Formula | None
    kind: str
    value: str | None
    style: Style


@dataclass
class Sheet:
    """A tab taken apart: settings under their name, sets whose order does not count, cells, and the rest."""

    root: Element
    drawing: str | None
    settings: dict[str, str] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)
    cells: dict[Place, Cell] = field(default_factory=dict)


def words(element: Element) -> str:
    """The element's own text, without the whitespace that only lays out its children."""
    own = element.text or ""
    return own if own.strip() or not len(element) else ""


def attributes(items: Mapping[str, str], *hidden: str) -> str:
    """The attributes in alphabetical order, but for the hidden ones."""
    return " ".join(f"{key}={quoteattr(items[key])}" for key in sorted(items) if key not in hidden)


def told(element: Element | None) -> str:
    """The element's content in one form: equal content gives equal text."""
    if element is None:
        return ""
    inside = escape(words(element)) + "".join(map(told, element))
    return f"<{' '.join(filter(None, (element.tag, attributes(element.attrib))))}>{inside}</>"


def take(root: Element, tag: str) -> list[Element]:
    """The elements inside the root's children of this tag, which the root loses."""
    blocks = root.findall(MAIN + tag)
    for block in blocks:
        root.remove(block)
    return [item for block in blocks for item in block]


def numbered(elements: Iterable[Element]) -> dict[tuple[str, int], Element]:
    """The elements under their tag and their number among those of the same tag."""
    found: dict[tuple[str, int], Element] = {}
    counts: Counter[str] = Counter()
    for item in elements:
        counts[item.tag] += 1
        found[item.tag, counts[item.tag]] = item
    return found


def tree_differences(left: Element, right: Element, path: str = "") -> Iterator[str]:
    """Every difference between two elements, each after its path."""
    if left.tag != right.tag:
        yield f"{path}: {shown(left.tag, right.tag)}"
    yield from (f"{path} {line}".lstrip() for line in keyed(left.attrib, right.attrib))
    if words(left) != words(right):
        yield f"{path}: {shown(words(left), words(right))}"
    lefts, rights = numbered(left), numbered(right)
    for tag, number in {**lefts, **rights}:
        a, b = lefts.get((tag, number)), rights.get((tag, number))
        inner = f"{path}/{tag.rpartition('}')[2]}".lstrip("/") + f"[{number}]" * (number > 1)
        if a is None or b is None:
            yield f"{inner}: {shown(told(a) or None, told(b) or None)}"
        else:
            yield from tree_differences(a, b, inner)
    if lefts.keys() == rights.keys() and list(lefts) != list(rights):
        yield f"{path} order: ".lstrip() + shown(*(" ".join(tag for tag, _ in found) for found in (lefts, rights)))


def shown(*texts: str | None) -> str:
    """The texts on one line, cut to where they begin to differ."""
    lines = ["(none)" if text is None else re.sub(r"\{(http|urn)[^{}]*\}", "", text) or '""' for text in texts]
    lines = [re.sub(r"[^\S ]", lambda space: repr(space[0])[1:-1], line) for line in lines]
    start = max(0, len(posixpath.commonprefix(lines)) - 30) if max(map(len, lines)) > 120 else 0
    return " | ".join("…" * (start > 0) + line[start : start + 120] + "…" * (len(line) > start + 120) for line in lines)


def keyed(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[str]:
    """What the two sides have under the same key, where it differs."""
    keys = (key for key in {**left, **right} if left.get(key) != right.get(key))
    return (f"{key.rpartition('}')[2]}: {shown(left.get(key), right.get(key))}" for key in keys)


def unordered(left: Iterable[str], right: Iterable[str]) -> Iterator[str]:
    """What only one side has, whatever the order."""
    a, b = Counter(left), Counter(right)
    return (shown(*pair) for pair in itertools.zip_longest((a - b).elements(), (b - a).elements()))


@functools.cache
def column(name: str) -> int:
    """The column's number: 28 for AB."""
    return functools.reduce(lambda total, letter: 26 * total + ord(letter) - 64, name, 0)


def letters(number: int) -> str:
    """The column's letters: AB for 28."""
    return letters((number - 1) // 26) + chr(65 + (number - 1) % 26) if number else ""


def place_of(address: str) -> Place:
    """The row and column of an address."""
    name = address.rstrip("0123456789")
    return int(address[len(name) :]), column(name)


def moved(formula: Formula | None) -> str | None:
    """The formula as its own cell has it: its relative references moved by the cell's distance."""
    if formula is None:
        return None
    text, down, right, extra = formula

    def step(part: re.Match[str]) -> str:
        if part[1]:
            return part[0]
        if part[2].isdigit():
            return str((int(part[2]) - 1 + down) % 1048576 + 1)
        return letters((column(part[2]) - 1 + right) % 16384 + 1)

    def reference(found: re.Match[str]) -> str:
        return found[0] if found[1] else re.sub(r"(\$?)([A-Z]+|[0-9]+)", step, found[0])

    return f"={REFERENCE.sub(reference, text) if down or right else text} {extra}".rstrip(" ")


class Book:
    """An opened workbook; it remembers which parts were read and which cell styles were met."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive, self.names, self.used = archive, set(archive.namelist()), set[Style]()
        self.seen = {"[Content_Types].xml", "_rels/.rels"}
        kinds = dict(self.links("").values())
        self.core = kinds.get(CORE, "")
        self.root, _ = self.resolved(kinds["officeDocument"])
        kinds = dict(self.links(kinds["officeDocument"]).values())
        sheets = {item.get("name", ""): item for item in take(self.root, "sheets")}
        self.states = {title: item.get("state", "visible") for title, item in sheets.items()}
        self.tabs = {title: item.get(LINK + "id", "") for title, item in sheets.items()}
        self.texts = [text_of(item) for item in self.read(kinds["sharedStrings"])] if "sharedStrings" in kinds else []
        self.looks = self.read(kinds["styles"]) if "styles" in kinds else Element("styleSheet")
        self.styles, self.dxfs = read_styles(self.looks)
        self.blank = Cell(None, "n", None, self.styles[0])

    def rels(self, part: str) -> str:
        """The name of the part that has this part's relationships."""
        folder, name = posixpath.split(part)
        return posixpath.join(folder, "_rels", f"{name}.rels")

    def read(self, part: str) -> Element:
        """The part's root element."""
        self.seen |= {part, self.rels(part)}
        return ElementTree.fromstring(self.archive.read(part))

    def links(self, part: str) -> dict[str, Link]:
        """The part's relationships under their ids."""
        found: dict[str, Link] = {}
        rels = self.rels(part)
        for item in ElementTree.fromstring(self.archive.read(rels)) if rels in self.names else ():
            target = item.get("Target", "")
            if item.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target)).lstrip("/")
            found[item.get("Id", "")] = (item.get("Type", "").removeprefix(f"{LINK[1:-1]}/"), target)
        return found

    def resolved(self, part: str) -> tuple[Element, list[str]]:
        """The part's root, with what a relationship leads to in place of its id, and its charts and drawings."""
        root, links, inner = self.read(part), self.links(part), []
        for element in root.iter():
            for key in [key for key, value in element.items() if key.startswith(LINK) and value in links]:
                kind, target = links[element.attrib[key]]
                if kind in ("chart", "drawing"):
                    inner.append(target)
                    self.seen |= {target, self.rels(target)}
                    target = kind
                elif kind == "image" and target in self.names:
                    self.seen.add(target)
                    target = f"image {hashlib.sha256(self.archive.read(target)).hexdigest()}"
                element.set(key, target)
        return root, inner


def text_of(item: Element) -> str:
    """A shared or inline string: its text, or its whole content where it has more than that."""
    for text in item.iter(MAIN + "t"):
        if (text.text or "") == (text.text or "").strip():
            text.attrib.pop(SPACE, None)
    only = item[0].text or "" if [child.tag for child in item] == [MAIN + "t"] else None
    return only if only is not None and (only == only.strip() or SPACE in item[0].attrib) else told(item)


def read_styles(root: Element) -> tuple[list[Style], list[str]]:
    """The cell styles, by what they look like, and the differential styles; the root loses both.

    A border's side that has no line, and an alignment's attribute at its default, is as if it were left out.
    """
    for code in root.iterfind(f"{MAIN}dxfs/{MAIN}dxf/{MAIN}numFmt"):
        code.attrib.pop("numFmtId")
    for border in root.iter(f"{MAIN}border"):
        for side in [side for side in border if not side.attrib and not len(side)]:
            border.remove(side)
    for alignment in root.iter(f"{MAIN}alignment"):
        for name in [name for name in ("indent", "wrapText") if alignment.get(name) == "0"]:
            alignment.attrib.pop(name)
    fonts, fills, borders, dxfs = ([*map(told, take(root, tag))] for tag in ("fonts", "fills", "borders", "dxfs"))
    codes = CODES | {int(item.get("numFmtId", "0")): item.get("formatCode", "") for item in take(root, "numFmts")}
    names = {item.get("xfId", ""): item.get("name", "") for item in take(root, "cellStyles")}
    take(root, "cellStyleXfs")
    styles: list[Style] = []
    for item in take(root, "cellXfs"):
        number, font, fill, edge = (int(item.get(key, "0")) for key in ("numFmtId", "fontId", "fillId", "borderId"))
        named = names.get(item.get("xfId", "0"), "") + " quoted" * (item.get("quotePrefix") in ("1", "true"))
        inner = [told(item.find(MAIN + tag)) for tag in ("alignment", "protection")]
        looks = [codes.get(number, f"built-in {number}"), fonts[font], fills[fill], borders[edge], *inner, named]
        styles.append(tuple(zip(LOOKS, looks, strict=True)))
    return styles or [()], dxfs


def read_sheet(book: Book, part: str) -> Sheet:
    """The tab taken apart; columns are told one by one, rows and rules with what their styles look like."""
    root, drawings = book.resolved(part)
    sheet = Sheet(root, drawings[0] if drawings else None)
    for tag in ("drawing", "dimension"):
        take(root, tag)
    for item in take(root, "cols"):
        for number in range(int(item.get("min", "1")), int(item.get("max", "1")) + 1):
            sheet.settings[f"column {letters(number)}"] = band(book, item, "style")
    sheet.sets["merged cells"] = [item.get("ref", "") for item in take(root, "mergeCells")]
    sheet.sets["conditional format"] = []
    for block in root.findall(MAIN + "conditionalFormatting"):
        root.remove(block)
        for rule in block:
            look = book.dxfs[int(rule.attrib.pop("dxfId"))] if "dxfId" in rule.attrib else ""
            sheet.sets["conditional format"].append(f"{attributes(block.attrib)} {told(rule)}{look}")
    read_cells(book, take(root, "sheetData"), sheet)
    return sheet


def band(book: Book, item: Element, key: str) -> str:
    """A row's or column's attributes, with the style that it points to under this key."""
    look = book.styles[int(item.get(key, "0"))]
    inner = () if look == book.blank.style else dict(look).values()
    return " ".join(filter(None, (attributes(item.attrib, "r", "spans", "min", "max", key), *inner)))


def read_cells(book: Book, rows: Iterable[Element], sheet: Sheet) -> None:
    """Put rows and cells into the sheet; one without a number or an address stands after the one before."""
    masters: dict[str, tuple[str, Place]] = {}
    row = 0
    for item in rows:
        row, across = int(item.get("r", row + 1)), 0
        if settings := band(book, item, "s"):
            sheet.settings[f"row {row}"] = settings
        for cell in item:
            place = place_of(cell.attrib["r"]) if "r" in cell.attrib else (row, across + 1)
            across = place[1]
            sheet.cells[place] = read_cell(book, cell, place, masters)


def read_cell(book: Book, cell: Element, place: Place, masters: dict[str, tuple[str, Place]]) -> Cell:
    """The cell, its shared text looked up and its shared formula traced to the cell that has the text."""
    kind, value, style = cell.get("t", "n"), cell.findtext(MAIN + "v"), book.styles[int(cell.get("s", "0"))]
    book.used.add(style)
    if kind == "s" and value:
        value = book.texts[int(value)]
    elif kind == "inlineStr":
        kind, value = "s", "".join(map(text_of, cell.iter(MAIN + "is")))
    elif kind == "n" or value is None:
        kind, value = "n", value or None
    item = cell.find(MAIN + "f")
    return Cell(None if item is None else read_formula(cell, item, place, masters), kind, value, style)


def read_formula(cell: Element, item: Element, place: Place, masters: dict[str, tuple[str, Place]]) -> Formula:
    """The formula; the first cell of a shared one is remembered for the others."""
    if item.get("t") != "shared":
        return Formula(item.text or "", extra=" ".join(filter(None, (attributes(item.attrib), cell.get("cm")))))
    shared = item.get("si", "")
    if item.text and ("ref" in item.attrib or shared not in masters):
        masters[shared] = (item.text, place)
    text, (top, left) = masters.get(shared, (f"(shared formula {shared} has no text)", place))
    return Formula(text, place[0] - top, place[1] - left, attributes(item.attrib, "t", "si", "ref"))


def cell_differences(at: str, left: Cell, right: Cell, covered: bool) -> Iterator[Difference]:
    """How two cells differ, both of them covered by a merge or not."""
    if left.formula != right.formula and moved(left.formula) != moved(right.formula):
        yield "formula", f"{at}: {shown(moved(left.formula), moved(right.formula))}"
    if left.kind != right.kind:
        yield "value", f"{at}: {shown(*(f'{cell.value} (type {cell.kind})' for cell in (left, right)))}"
    elif left.value != right.value and not (left.kind == "n" and same_number(left.value, right.value)):
        yield "value", f"{at}: {shown(left.value, right.value)}"
    empty = all(cell.formula is None and cell.value is None for cell in (left, right))
    for line in keyed(dict(left.style), dict(right.style)):
        yield "style under a merge" if covered and empty else "style", f"{at} {line}"


def same_number(left: str | None, right: str | None) -> bool:
    """Both texts read as the same double, to the last bit and the sign of zero."""
    try:
        return left is not None and right is not None and float(left).hex() == float(right).hex()
    except ValueError:
        return False


def covered(sheet: Sheet) -> set[Place]:
    """The places under merged ranges, but for their top left cells."""
    found: set[Place] = set()
    for merged in sheet.sets["merged cells"]:
        (top, left), (bottom, right) = (place_of(address) for address in (merged.split(":") * 2)[:2])
        found |= {(row, across) for row in range(top, bottom + 1) for across in range(left, right + 1)} - {(top, left)}
    return found


def sheet_differences(title: str, books: tuple[Book, Book], compared: Counter[str]) -> Iterator[Difference]:
    """How the two tabs of this title differ."""
    left, right = (read_sheet(book, book.tabs[title]) for book in books)
    left.settings["state"], right.settings["state"] = (book.states[title] for book in books)
    yield from (("tab", f"{title} {line}") for line in keyed(left.settings, right.settings))
    yield from (("tab", f"{title} {line}") for line in tree_differences(left.root, right.root))
    for what in left.sets:
        yield from (("tab", f"{title} {what}: {line}") for line in unordered(left.sets[what], right.sets[what]))
    hidden = covered(left) & covered(right)
    for place in sorted(left.cells.keys() | right.cells.keys()):
        a, b = left.cells.get(place, books[0].blank), right.cells.get(place, books[1].blank)
        compared["cells"] += 1
        compared["formulas"] += a.formula is not None or b.formula is not None
        if a != b:
            yield from cell_differences(f"{title}!{letters(place[1])}{place[0]}", a, b, place in hidden)
    yield from drawing_differences(title, books, (left.drawing, right.drawing), compared)


def read_drawing(book: Book, part: str | None) -> tuple[Element, list[str]]:
    """The drawing's root and its charts in order; none of them where a tab has no drawing."""
    return book.resolved(part) if part else (Element("drawing"), [])


def drawing_differences(
    title: str, books: tuple[Book, Book], parts: tuple[str | None, str | None], compared: Counter[str]
) -> Iterator[Difference]:
    """How the drawings of two tabs differ: anchors, shapes and pictures one by one, a chart by where it first does."""
    (left, lefts), (right, rights) = map(read_drawing, books, parts)
    yield from (("drawing", f"{title} {line}") for line in tree_differences(left, right))
    for number, charts in enumerate(itertools.zip_longest(lefts, rights), 1):
        compared["charts"] += 1
        a, b = (book.resolved(part)[0] if part else None for book, part in zip(books, charts, strict=True))
        if a is None or b is None:
            yield "chart", f"{title} chart {number}: {shown(*(part and 'a chart' for part in charts))}"
        elif lines := list(tree_differences(a, b)):
            more = f" (and {len(lines) - 1:,} more)" if len(lines) > 1 else ""
            yield "chart", f"{title} chart {number} {lines[0]}{more}"


def defined_names(book: Book) -> dict[str, str]:
    """What each defined name says; one that belongs to a tab is under its name and the tab's title."""
    found, titles = {}, list(book.tabs)
    for item in take(book.root, "definedNames"):
        scope = item.attrib.pop("localSheetId", None)
        name = item.attrib.pop("name") + ("" if scope is None else f" of {titles[int(scope)]}")
        found[name] = " ".join(filter(None, (item.text, attributes(item.attrib))))
    return found


def part_differences(*books: Book) -> Iterator[str]:
    """How the parts differ that nothing else led to, by name."""
    others = [{name: book.archive.read(name) for name in book.names - book.seen} for book in books]
    for name in sorted({**others[0], **others[1]}):
        a, b = (other.get(name) for other in others)
        if a is None or b is None:
            yield f"{name}: {shown(*('a part' if name in other else None for other in others))}"
        elif a != b:
            try:
                lines = list(tree_differences(ElementTree.fromstring(a), ElementTree.fromstring(b)))
            except ElementTree.ParseError:
                lines = [f"{len(a):,} bytes | {len(b):,} other bytes"]
            yield from (f"{name} {line}" for line in lines)


def differences(left: Book, right: Book, compared: Counter[str]) -> Iterator[Difference]:
    """Every difference between the two workbooks, as its kind and a line; how much there was is counted."""
    if list(left.tabs) != list(right.tabs):
        yield "tab", f"order: {shown(', '.join(left.tabs), ', '.join(right.tabs))}"
    for title in {**left.tabs, **right.tabs}:
        if title in left.tabs and title in right.tabs:
            compared["tabs"] += 1
            yield from sheet_differences(title, (left, right), compared)
        else:
            yield "tab", f"{title}: {shown(*('a tab' if title in book.tabs else None for book in (left, right)))}"
            for book in (book for book in (left, right) if title in book.tabs):
                read_drawing(book, read_sheet(book, book.tabs[title]).drawing)
    names = [defined_names(book) for book in (left, right)]
    compared["names"] = len({**names[0], **names[1]})
    compared["styles"] = len(left.used | right.used)
    yield from (("name", line) for line in keyed(*names))
    yield from (("setup", f"default style {line}") for line in keyed(dict(left.styles[0]), dict(right.styles[0])))
    yield from (("setup", line) for line in tree_differences(left.root, right.root))
    yield from (("setup", line) for line in tree_differences(left.looks, right.looks))
    if {left.core, right.core} <= left.names & right.names:
        yield from (("setup", line) for line in tree_differences(left.read(left.core), right.read(right.core)))
    yield from (("part", line) for line in part_differences(left, right))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the differences and how much was compared; 1 if there are any or nothing was compared."""
    parser = argparse.ArgumentParser(description="Compare two workbooks by what they say.")
    parser.add_argument("left", type=Path, metavar="A.xlsx")
    parser.add_argument("right", type=Path, metavar="B.xlsx")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="lines per kind (20)")
    args = parser.parse_args(argv)
    found: Counter[str] = Counter()
    compared = Counter(dict.fromkeys(("tabs", "cells", "formulas", "styles", "charts", "names"), 0))
    try:
        with zipfile.ZipFile(args.left) as left, zipfile.ZipFile(args.right) as right:
            for kind, line in differences(Book(left), Book(right), compared):
                found[kind] += 1
                if found[kind] <= args.limit:
                    print(f"{kind:<8} {line}")
    except (OSError, zipfile.BadZipFile, ElementTree.ParseError, LookupError) as error:
        parser.error(f"not two workbooks: {error!r}")
    for kind, count in found.items():
        if count > args.limit:
            print(f"{kind:<8} {count - args.limit:,} more, {count:,} in all")
    counts = ", ".join(f"{count:,} {what}" for what, count in compared.items())
    print(f"compared {counts}: {'nothing to compare' if not compared['tabs'] else f'{found.total():,} differences'}")
    return 1 if found or not compared["tabs"] else 0


if __name__ == "__main__":
    sys.exit(main())
