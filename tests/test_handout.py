"""Hand-outs: valid, with the workbook's formulas and numbers, without answers where they are blank, and printable."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import html5lib
import openpyxl
import pytest
from specs import plain

from sheetgen.build import build
from sheetgen.cli import main
from sheetgen.handout.files import write_handout
from sheetgen.lessons.exercise import one_run
from sheetgen.spec import load, template_names
from sheetgen.spec.structure import Spec

MATHML = "{http://www.w3.org/1998/Math/MathML}"
HTML = "{http://www.w3.org/1999/xhtml}"


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + math.exp(-x))


FUNCTIONS = {
    "same": lambda a, b: float(a == b),
    "exp": math.exp, "ln": math.log, "tanh": math.tanh, "max": max, "sqrt": math.sqrt,
    "σ": sigmoid,
}  # fmt: skip
DRAWN = ("erav2", "deep", "softmax_three_classes", "optimizers")


def key(name: str) -> str:
    """A name without what sets its index apart: a_h1[2], and the same as it is typeset.

    >>> key("a_h1_2[3]"), key("∂E/∂w5")
    ('ah123', '∂E∂w5')
    """
    return re.sub(r"[^\w∂′]|_", "", name).replace("Etotal∂", "E∂")


@cache
def short(name: str) -> Spec:
    """A template's first run, of a few steps."""
    spec = load(name)
    return one_run(replace(spec, steps=8), spec.learning_rates[0])


def written(folder: Path, name: str, kind: str = "html", *, blank: bool = False) -> str:
    """The hand-out of a template."""
    path = folder / f"{name}.{kind}"
    write_handout(short(name), path, blank=blank)
    return path.read_text(encoding="utf-8")


@cache
def parsed(text: str) -> Any:
    """The page, by a parser that refuses what the standard does not allow."""
    return html5lib.HTMLParser(strict=True, tree=html5lib.treebuilders.getTreeBuilder("etree")).parse(text)


def python_of(element: Any) -> str:
    """MathML read as a Python expression; symbols become entries of `v`."""
    tag, children = element.tag.removeprefix(MATHML), list(element)
    text = "".join(element.itertext())
    if tag == "mfrac":
        if text.startswith("∂"):
            return f"v[{key(text)!r}]"
        return f"(({python_of(children[0])})/({python_of(children[1])}))"
    if tag in ("msub", "msubsup") or (tag == "msup" and text.endswith(("′", ")")) and children[0].tag == f"{MATHML}mi"):
        return f"v[{key(text)!r}]"
    if tag == "msup":
        base, exponent = map(python_of, children)
        return f"exp({exponent})" if base == "v['e']" else f"({base})**({exponent})"
    if tag == "msqrt":
        return f"sqrt({python_of(children[0])})"
    if tag == "mi":
        return text if text in FUNCTIONS else f"v[{key(text)!r}]"
    if tag == "mtext":
        return {",": ","}.get(text.strip(), f" {text.strip()} ")
    if children:
        return "".join(map(python_of, children))
    return {"·": "*", "−": "-"}.get(text, text)


@dataclass(frozen=True)
class Line:
    """A formula of a page: its section, its left side, what stands between its signs, and whether there is a line."""

    section: str
    left: str
    rights: tuple[str, ...]
    blank: bool


def lines(page: Any) -> Iterator[Line]:
    """Every formula that has a line of its own."""
    for section in page.iter(f"{HTML}section"):
        title = "".join(next(iter(section)).itertext())
        for paragraph in section.findall(f"{HTML}p[@class='formula']"):
            whole = "".join(python_of(one) for one in paragraph.iter(f"{MATHML}math"))
            whole = re.sub(r"\[(v\['\w+'\]|\d+) *= *(\d+)\]", r"same(\1,\2)", whole)  # 1 where it is so, else 0
            left, *rights = re.split("[=←]", whole)
            blank = paragraph.find(f"{HTML}span") is not None
            found = re.fullmatch(r"v\['(.*)'\]", left)
            yield Line(title, found[1] if found else left, tuple(right for right in rights if right), blank)


def evaluated(text: str, values: dict[str, float]) -> float:
    """A right side, with a table's numbers for its symbols."""
    return float(eval(text.replace(", else", " else").replace(",  else", " else"), {**FUNCTIONS, "v": values}))


def table(path: Path, name: str) -> list[dict[str, float]]:
    """The rows of the training table that `build` writes for the hand-out's run, by symbol."""
    spec = short(name)
    build(replace(spec, pictures=False), path)
    label = spec.runs[0].label
    sheet = openpyxl.load_workbook(path, data_only=True)[label]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(place for place, row in enumerate(rows) if row[0] == "step")
    names = [key(str(one)) for one in takewhile(lambda one: one is not None, rows[head])]
    return [dict(zip(names, row, strict=False)) for row in rows[head + 1 : head + spec.steps + 2]]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", template_names())
def test_a_page_is_valid_and_fetches_nothing(name: str, tmp_path: Path) -> None:
    """A strict parser of HTML takes it, filled in and blank."""
    for blank in (False, True):
        text = written(tmp_path, name, blank=blank)
        page = parsed(text)
        assert page.find(f".//{HTML}svg") is None
        assert page.find(".//{http://www.w3.org/2000/svg}svg") is not None
        assert not re.search(r"<script|https?://|url\(|@import", text)


@pytest.mark.parametrize("name", template_names())
def test_formulas_and_numbers_are_the_workbooks(name: str, tmp_path: Path) -> None:
    """Read back from the page and evaluated on the rows of the training table, they give the table's own numbers."""
    rows = table(tmp_path / "book.xlsx", name)
    page = parsed(written(tmp_path, name))
    symbolic = worked = 0
    for line in lines(page):
        if line.section.startswith("Step"):
            step = int(line.section[5])
            assert evaluated(line.rights[-1], {}) == pytest.approx(rows[step][line.left], rel=1e-5, abs=1e-300), line
            worked += 1
        elif line.left in rows[0] and line.section != "The update" and "v['∂a" not in line.rights[0]:
            for row in rows:
                found = evaluated(line.rights[0], row) if "v['∂" not in line.rights[0] else row[line.left]
                assert found == pytest.approx(row[line.left], rel=1e-9, abs=1e-15), line
            symbolic += 1
    assert symbolic >= len([one for one in rows[0] if one.startswith("∂")])
    assert worked >= 2 * symbolic / 3


def test_what_is_worked_out_gives_its_result(tmp_path: Path) -> None:
    """The numbers of a line, to four digits, give its result to about three."""
    for line in lines(parsed(written(tmp_path, "erav2"))):
        if line.section.startswith("Step"):
            numbers, result = (evaluated(right, {}) for right in line.rights)
            assert numbers == pytest.approx(result, rel=5e-3), line


@pytest.mark.parametrize("name", template_names())
def test_a_blank_page_tells_no_answer(name: str, tmp_path: Path) -> None:
    """Behind the signs of a step, a factor or a gradient there is a line, or the chain rule in symbols."""
    found = list(lines(parsed(written(tmp_path, name, blank=True))))
    asked = [line for line in found if line.section not in ("The forward pass", "The update") and line.left[0] != "i"]
    for line in asked:
        chain_rule = line.rights and not re.sub(r"v\['∂\w+∂\w+'\]|[*+]", "", line.rights[0])
        data = line.section.startswith("Step") and line.left in ("i1", "i2", "t1")
        assert (line.blank and not line.rights) or chain_rule or data, line
    assert sum(line.blank for line in asked) >= len(asked) / 2


@pytest.mark.parametrize("name", DRAWN)
def test_latex_and_markdown_say_the_same(name: str, tmp_path: Path) -> None:
    """Without their marks, the formulas of the three kinds are the same letters and digits in the same order."""
    page = parsed(written(tmp_path, name))
    paragraphs = page.iter(f"{HTML}p")
    shown = ["".join(one.itertext()) for one in paragraphs if one.get("class") == "formula"]
    tex = re.findall(r"\\begin{formulas}\n(.*?)\n\\end{formulas}", written(tmp_path, name, "tex"), re.DOTALL)
    markdown = re.findall(r"^- (.*)$", written(tmp_path, name, "md"), re.MULTILINE)
    assert [bare(one) for one in shown] == [bare(one) for one in markdown]
    assert [bare(one) for part in tex for one in part.split("\n\n")] == [bare(one) for one in markdown]


GREEK = {
    "partial": "∂", "sigma": "σ", "Sigma": "Σ", "delta": "δ", "eta": "η", "mu": "μ", "beta": "β", "alpha": "α",
    "varepsilon": "ε",
}  # fmt: skip


def bare(text: str) -> str:
    """A formula's letters, digits and signs, without marks."""
    text = re.sub(r"\\(frac|mathrm|text|cdot|leftarrow|sqrt)", "", text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda command: GREEK.get(command[1], command[1]), text)
    return re.sub(r"[^\w∂+=()>-]|_", "", text.replace("−", "-"))


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    """Written over itself, a hand-out does not change."""
    assert written(tmp_path, "xor") == written(tmp_path, "xor")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("-o", "mine.txt"), "does not end in .html, .tex or .md"),
        (("-o", "notes.md"), "is there already and is no hand-out"),
        (("-o", "nowhere/x.html"), "there is no folder"),
        (("--rate", "-1"), "is -1"),
        (("nosuch",), "nosuch"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    options: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """What stands in the way is named, and a file that handout did not write stays."""
    monkeypatch.chdir(tmp_path)
    Path("notes.md").write_text("my own notes")
    assert main(("handout", *options)) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert expected in err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    assert Path("notes.md").read_text() == "my own notes"


def test_the_command_writes_a_page_at_a_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """By default handout.html; a second one takes its place."""
    monkeypatch.chdir(tmp_path)
    assert main(("handout",)) == 0
    first = Path("handout.html").read_text(encoding="utf-8")
    assert main(("handout", "--rate", "0.3")) == 0
    second = Path("handout.html").read_text(encoding="utf-8")
    assert first != second
    assert capsys.readouterr().out.startswith("wrote     handout.html (")
    values = table_at(0.3)
    told = {line.left: line.rights[-1] for line in lines(parsed(second)) if line.section.startswith("Step 1")}
    assert evaluated(told["w5"], {}) == pytest.approx(values, rel=1e-5)


def table_at(rate: float) -> float:
    """w5 of the default template after one update, by hand."""
    spec = plain("erav2", [rate], None)
    (i1, i2), hidden, output = spec.inputs[0], spec.layers[0].weights, spec.layers[1].weights
    h1, h2 = (sigmoid(row[0] * i1 + row[1] * i2) for row in hidden)
    o1 = sigmoid(output[0][0] * h1 + output[0][1] * h2)
    return float(output[0][0] - rate * (o1 - spec.targets[0][0]) * o1 * (1 - o1) * h1)


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="needs pdflatex: apt-get install texlive-latex-recommended"
)
@pytest.mark.parametrize("name", template_names())
def test_latex_compiles_and_nothing_stands_out(name: str, tmp_path: Path) -> None:
    """pdfTeX takes each document, and no line reaches into the margin."""
    for blank in (False, True):
        written(tmp_path, name, "tex", blank=blank)
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="latin-1", check=False, timeout=60)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout
