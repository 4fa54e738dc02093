"""What the schema validators let pass: `lint(path)` lists it; run as a script, it prints the list and exits 1.

It reads the parts itself and imports nothing of sheetgen, so that the two cannot share a mistake.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
MAX_FORMULA, MAX_TEXT, MAX_LIST, MAX_NAME, MAX_TITLE = 8192, 32767, 255, 255, 31
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}
VOLATILE = {"NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "OFFSET", "INDIRECT", "INFO", "CELL"}
TOO_NEW = {
    *("LET", "LAMBDA", "FILTER", "SORT", "SORTBY", "UNIQUE", "SEQUENCE", "XLOOKUP", "XMATCH", "MAP", "REDUCE", "SCAN"),
    *("BYROW", "BYCOL", "MAKEARRAY", "VSTACK", "HSTACK", "TOROW", "TOCOL", "WRAPROWS", "WRAPCOLS", "TAKE", "DROP"),
    *("CHOOSEROWS", "CHOOSECOLS", "EXPAND", "TEXTSPLIT", "TEXTBEFORE", "TEXTAFTER", "VALUETOTEXT", "ARRAYTOTEXT"),
    *("IFS", "SWITCH", "TEXTJOIN", "CONCAT", "MAXIFS", "MINIFS"),
}

FUNCTION = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\(")
STRING = re.compile('"[^"]*"')
SHEET_REFERENCE = re.compile(r"(?:'((?:[^']|'')+)'|([\w.]+))!")
CELL = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]+)")
RANGE = re.compile(r"(?:'((?:[^']|'')+)'|([\w.]+))!\$([A-Z]{1,3})\$([0-9]+)(?::\$([A-Z]{1,3})\$([0-9]+))?")
R1C1 = re.compile(r"(?:R(?:\d*|\[-?\d+\]))?(?:C(?:\d*|\[-?\d+\]))?", re.IGNORECASE)

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column, all one-based."""


@dataclass
class Sheet:
    """A worksheet part and what other parts need to know of it."""

    title: str
    part: str
    wanted: list[Area] = field(default_factory=list)
    numbers: dict[tuple[int, int], float] = field(default_factory=dict)


def lint(path: Path | str) -> list[str]:
    """Everything wrong with a workbook, one line each; empty if it is clean."""
    with zipfile.ZipFile(path) as archive:
        return list(_lint(archive))


def _lint(archive: zipfile.ZipFile) -> Iterator[str]:
    yield from _package(archive)
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    sheets = list(_sheets(archive, book))
    titles = {sheet.title for sheet in sheets}
    yield from _titles(sheets)
    yield from _names(book, titles)
    yield from _calculation(book)
    charts = [name for name in archive.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
    trees = {name: ElementTree.fromstring(archive.read(name)) for name in charts}
    _ask_for_charted_cells(trees.values(), sheets)
    texts = list(_shared_texts(archive))
    yield from (f"xl/sharedStrings.xml: a text of {len(t)} characters" for t in texts if len(t) > MAX_TEXT)
    for sheet in sheets:
        yield from _Rows(sheet, len(texts), titles).findings(archive)
    for name, tree in trees.items():
        yield from _chart(name, tree, {sheet.title: sheet for sheet in sheets})


def _package(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    yield from (f"{name}: stands twice in the archive" for name in sorted({n for n in names if names.count(n) > 1}))
    for entry in archive.infolist():
        if entry.date_time != ZIP_DATE:
            yield f"{entry.filename}: is dated {entry.date_time}, so that two builds differ"
        if "externalLink" in entry.filename:
            yield f"{entry.filename}: is a link to another workbook"
        if "vbaProject" in entry.filename:
            yield f"{entry.filename}: is a macro"


def _sheets(archive: zipfile.ZipFile, book: ElementTree.Element) -> Iterator[Sheet]:
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in book.iter(f"{MAIN}sheet"):
        target = targets[sheet.get(f"{REL}id")]
        yield Sheet(sheet.get("name", ""), target[1:] if target.startswith("/") else f"xl/{target}")


def _titles(sheets: list[Sheet]) -> Iterator[str]:
    seen: set[str] = set()
    for title in (sheet.title for sheet in sheets):
        if not 0 < len(title) <= MAX_TITLE or re.search(r"[\[\]:*?/\\]", title) or title.strip("'") != title:
            yield f"sheet {title!r}: is no legal name"
        if title.casefold() == "history":
            yield f"sheet {title!r}: Excel keeps this name for itself"
        if title.casefold() in seen:
            yield f"sheet {title!r}: the name is used twice"
        seen.add(title.casefold())


def _names(book: ElementTree.Element, titles: set[str]) -> Iterator[str]:
    seen: set[tuple[str | None, str]] = set()
    for element in book.iter(f"{MAIN}definedName"):
        name, target = element.get("name", ""), element.text or ""
        key = element.get("localSheetId"), name.casefold()
        if not name.startswith("_xlnm.") and not is_legal_name(name):
            yield f"name {name!r}: is no legal name"
        if key in seen:
            yield f"name {name!r}: is defined twice"
        seen.add(key)
        if "!" not in STRING.sub("", target) and CELL.search(STRING.sub("", target)):
            yield f"name {name!r}: refers to {target} without a sheet"
        yield from (f"name {name!r}: {what}" for what in _text_of_formula(target, titles))


def is_legal_name(name: str) -> bool:
    """Whether Excel takes it as a defined name; what looks like a cell or a logical value it does not."""
    if not 0 < len(name) <= MAX_NAME or not (name[0].isalpha() or name[0] in "_\\"):
        return False
    if not all(character.isalnum() or character in "_.\\" for character in name):
        return False
    if name.upper() in ("TRUE", "FALSE") or R1C1.fullmatch(name):
        return False
    like_cell = re.fullmatch(r"([A-Z]{1,3})([0-9]+)", name.upper())
    return not (like_cell and column_number(like_cell[1]) <= MAX_COLUMN and 1 <= int(like_cell[2]) <= MAX_ROW)


def _calculation(book: ElementTree.Element) -> Iterator[str]:
    settings = book.find(f"{MAIN}calcPr")
    if settings is None or settings.get("fullCalcOnLoad") not in ("1", "true"):
        yield "xl/workbook.xml: does not ask Excel to recalculate on load"
    if settings is not None and settings.get("iterate") in ("1", "true"):
        yield "xl/workbook.xml: calculates iteratively"


def _shared_texts(archive: zipfile.ZipFile) -> Iterator[str]:
    if "xl/sharedStrings.xml" in archive.namelist():
        for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{MAIN}si"):
            yield "".join(text.text or "" for text in item.iter(f"{MAIN}t"))


def _text_of_formula(text: str, titles: set[str]) -> Iterator[str]:
    """What is wrong with a formula wherever it stands, in a cell, a name or a rule."""
    bare = STRING.sub('""', text)
    if len(text) > MAX_FORMULA:
        yield f"a formula of {len(text)} characters"
    if "#REF!" in bare:
        yield f"refers to something that is gone: {text}"
    if "{" in bare:
        yield f"has an array constant: {text}"
    if "_xlfn." in bare or "_xlws." in bare or "_xlpm." in bare:
        yield f"uses a function that Excel 2010 lacks: {text}"
    if "[" in bare:
        yield f"refers to another workbook or a table: {text}"
    for function in FUNCTION.findall(bare):
        if function.upper() in VOLATILE:
            yield f"uses the volatile function {function}: {text}"
        if function.upper() in TOO_NEW:
            yield f"uses a function that Excel 2010 lacks, {function}: {text}"
    for quoted, plain in SHEET_REFERENCE.findall(bare.replace("#REF!", "")):
        title = quoted.replace("''", "'") or plain
        if title not in titles:
            yield f"refers to sheet {title!r}, which is not there: {text}"


class _Rows:
    """The cells of one sheet, in the order of the file."""

    def __init__(self, sheet: Sheet, texts: int, titles: set[str]) -> None:
        self.sheet, self.texts, self.titles = sheet, texts, titles
        self.row = self.column = 0
        self.masters: dict[str, Area] = {}

    def findings(self, archive: zipfile.ZipFile) -> Iterator[str]:
        with archive.open(self.sheet.part) as part:
            for event, element in ElementTree.iterparse(part, ("start", "end")):
                if event == "start" and element.tag == f"{MAIN}row":
                    yield from self._start_of_row(element)
                elif event == "end" and element.tag == f"{MAIN}c":
                    address = element.get("r", "")
                    yield from (f"{self.sheet.title}!{address}: {what}" for what in self._cell(address, element))
                elif event == "end" and element.tag == f"{MAIN}row":
                    element.clear()
                elif event == "end":
                    yield from _furniture(self.sheet, element, self.titles)

    def _start_of_row(self, element: ElementTree.Element) -> Iterator[str]:
        number = int(element.get("r", "0"))
        if not self.row < number <= MAX_ROW:
            yield f"{self.sheet.title}: row {number} follows row {self.row}"
        self.row, self.column = number, 0

    def _cell(self, address: str, cell: ElementTree.Element) -> Iterator[str]:
        found = re.fullmatch(r"([A-Z]{1,3})([0-9]+)", address)
        if not found or int(found[2]) != self.row:
            yield f"stands in row {self.row}"
            return
        column = column_number(found[1])
        if not self.column < column <= MAX_COLUMN:
            yield "comes too late in its row, or twice"
        self.column = column
        kind, formula, value = cell.get("t", "n"), cell.find(f"{MAIN}f"), cell.find(f"{MAIN}v")
        if formula is not None:
            yield from self._formula(formula)
            if value is None or (not value.text and kind != "str"):
                yield "has a formula without a stored value"
        if value is not None and value.text:
            yield from self._value(kind, value.text)
        if kind == "inlineStr":
            yield "keeps its text inline"

    def _value(self, kind: str, text: str) -> Iterator[str]:
        if kind == "n":
            yield from _number(text)
            if any(a <= self.row <= c and b <= self.column <= d for a, b, c, d in self.sheet.wanted):
                self.sheet.numbers[self.row, self.column] = float(text)
        elif kind == "s" and not (text.isdigit() and int(text) < self.texts):
            yield f"shows shared string {text} of {self.texts}"
        elif kind == "b" and text not in ("0", "1"):
            yield f"is neither true nor false: {text}"
        elif kind == "e" and text not in ERRORS:
            yield f"has an unknown error {text}"

    def _formula(self, formula: ElementTree.Element) -> Iterator[str]:
        text, kind = formula.text or "", formula.get("t", "normal")
        if text:
            yield from _text_of_formula(text, self.titles)
        if kind == "shared":
            yield from self._shared(formula.get("si", ""), formula.get("ref"), text)
        elif kind != "normal":
            yield f"has a formula of the kind {kind}"
        elif not text:
            yield "has an empty formula"

    def _shared(self, index: str, ref: str | None, text: str) -> Iterator[str]:
        if text:
            if "!" in STRING.sub("", text).replace("#REF!", ""):
                yield f"fills down a reference to another sheet: {text}"
            if index in self.masters:
                yield f"has a second master for shared formula {index}"
            self.masters[index] = area(ref or "A1")
        if index not in self.masters:
            yield f"belongs to shared formula {index}, which has no master"
            return
        a, b, c, d = self.masters[index]
        if not (a <= self.row <= c and b <= self.column <= d):
            yield f"lies outside the range of its shared formula {index}"


def _number(text: str) -> Iterator[str]:
    try:
        value = float(text)
    except ValueError:
        yield f"is no number: {text}"
        return
    if value - value != 0:
        yield f"is no number: {text}"
    elif text not in (repr(value), f"{value:.0f}"):
        yield f"{text} is not the shortest text of {value!r}"


def _furniture(sheet: Sheet, element: ElementTree.Element, titles: set[str]) -> Iterator[str]:
    """Merges, rules, lists and links, whichever the element is."""
    if element.tag == f"{MAIN}mergeCells":
        yield from _merges(sheet, [item.get("ref", "") for item in element])
    elif element.tag == f"{MAIN}dataValidation":
        yield from _validation(sheet, element, titles)
    elif element.tag == f"{MAIN}cfRule":
        for formula in element.iter(f"{MAIN}formula"):
            yield from (f"{sheet.title}: a rule {what}" for what in _text_of_formula(formula.text or "", titles))
    elif element.tag == f"{MAIN}hyperlink" and element.get("location"):
        for what in _text_of_formula(element.get("location", ""), titles):
            yield f"{sheet.title}!{element.get('ref')}: the link {what}"


def _merges(sheet: Sheet, refs: list[str]) -> Iterator[str]:
    for index, one in enumerate(refs):
        a, b, c, d = area(one)
        for other in refs[:index]:
            e, f, g, h = area(other)
            if a <= g and e <= c and b <= h and f <= d:
                yield f"{sheet.title}: the merged cells {other} and {one} overlap"


def _validation(sheet: Sheet, element: ElementTree.Element, titles: set[str]) -> Iterator[str]:
    where = f"{sheet.title}!{element.get('sqref')}"
    for formula in (*element.iter(f"{MAIN}formula1"), *element.iter(f"{MAIN}formula2")):
        text = formula.text or ""
        if text.startswith('"') and len(text) - 2 > MAX_LIST:
            yield f"{where}: a list of {len(text) - 2} characters; Excel allows {MAX_LIST}"
        yield from (f"{where}: the validation {what}" for what in _text_of_formula(text, titles))
    for name, limit in (("promptTitle", 32), ("prompt", 255), ("errorTitle", 32), ("error", 255)):
        if len(element.get(name, "")) > limit:
            yield f"{where}: {name} is longer than {limit} characters"


def _ask_for_charted_cells(trees: Iterable[ElementTree.Element], sheets: list[Sheet]) -> None:
    """Have the sheets remember the numbers that charts draw."""
    by_title = {sheet.title: sheet for sheet in sheets}
    for tree in trees:
        for reference in tree.iter(f"{CHART}numRef"):
            found = _range(reference.findtext(f"{CHART}f", ""))
            if found and found[0] in by_title:
                by_title[found[0]].wanted.append(found[1])


def _range(text: str) -> tuple[str, Area] | None:
    """Sheet and area of an absolute reference; None for anything else."""
    found = RANGE.fullmatch(text)
    if not found:
        return None
    quoted, plain, left, top, right, bottom = found.groups()
    first = int(top), column_number(left)
    last = (int(bottom), column_number(right)) if right else first
    return (quoted or plain).replace("''", "'"), (*first, *last)


def _chart(name: str, tree: ElementTree.Element, sheets: dict[str, Sheet]) -> Iterator[str]:
    axes = [axis for kind in ("valAx", "catAx", "dateAx", "serAx") for axis in tree.iter(f"{CHART}{kind}")]
    deleted = [axis.find(f"{CHART}delete") for axis in axes]
    if any(element is None for element in deleted):
        yield f"{name}: an axis without <delete>, which readers take for deleted"
    # The x axis of a second pair is deleted on purpose.
    if sum(element is not None and element.get("val") != "0" for element in deleted) > len(axes) // 2 - 1:
        yield f"{name}: an axis is deleted"
    if not list(tree.iter(f"{CHART}ser")):
        yield f"{name}: draws nothing"
    for kind in ("num", "str"):
        for reference in tree.iter(f"{CHART}{kind}Ref"):
            yield from (f"{name}: {what}" for what in _reference(reference, kind, sheets))


def _reference(reference: ElementTree.Element, kind: str, sheets: dict[str, Sheet]) -> Iterator[str]:
    text = reference.findtext(f"{CHART}f", "")
    found, cache = _range(text), reference.find(f"{CHART}{kind}Cache")
    if found is None:
        yield f"{text} is no absolute reference to cells of a sheet"
        return
    title, (a, b, c, d) = found
    if title not in sheets:
        yield f"refers to sheet {title!r}, which is not there"
        return
    if cache is None:
        yield f"{text} comes without the values it had"
        return
    count, size = cache.find(f"{CHART}ptCount"), (c - a + 1) * (d - b + 1)
    if count is None or count.get("val") != str(size):
        yield f"{text} has {size} cells and {'no' if count is None else count.get('val')} cached values"
    if kind == "num":
        yield from _cached_numbers(text, cache, sheets[title], (a, b, c, d))


def _cached_numbers(text: str, cache: ElementTree.Element, sheet: Sheet, area: Area) -> Iterator[str]:
    a, b, _, d = area
    for point in cache.iter(f"{CHART}pt"):
        down, right = divmod(int(point.get("idx", "0")), d - b + 1)
        shown, stored = float(point.findtext(f"{CHART}v", "nan")), sheet.numbers.get((a + down, b + right))
        if shown != stored:
            yield f"{text} caches {shown!r} for row {a + down}, whose cell has {stored!r}"
            return


def column_number(letters: str) -> int:
    """1 for A, 16384 for XFD."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def area(ref: str) -> Area:
    """The area of a reference such as A1 or A1:B2."""
    corners = [(int(row), column_number(letters)) for letters, row in CELL.findall(ref)]
    return (*corners[0], *corners[-1])


def main(paths: list[str]) -> int:
    """Print what is wrong with each workbook; 1 if there is anything."""
    findings = [f"{path}: {what}" for path in paths for what in lint(path)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
