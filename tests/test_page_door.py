"""What the page asks for, answered by this Python: files and lines are the commands', and the wrong line is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from handmade import write
from test_foreign_command import WRONG

from sheetgen import build, check, load
from sheetgen.cli import main
from sheetgen.errors import SpecError
from sheetgen.page.curves import Curve, legend, picture
from sheetgen.page.door import KINDS, MOST_BYTES, Wish, answer, refused
from sheetgen.page.lines import line_of
from sheetgen.spec import override, parse, template_names, template_text

SOURCES = Path(__file__).parent.parent / "sheetgen" / "page"
MOST_LINES = 400


def asked(call: str, **arguments: Any) -> dict[str, Any]:
    """The door's answer, with nobody watching how far it is."""
    return answer(call, arguments, lambda *_: None)


def wish(name: str = "erav2", **more: str) -> dict[str, str]:
    """A template as it stands in the editor."""
    return {"text": template_text(name), "origin": f"{name}.toml", **more}


def test_the_workbook_is_the_command_s(tmp_path: Path) -> None:
    """With other rates and steps too: the same bytes and lines."""
    path = tmp_path / "mazur.xlsx"
    assert main(("build", "mazur", "-o", str(path), "--rate", "0.5", "1", "--steps", "3")) == 0
    made = asked("make", kind="workbook", **wish("mazur", rates="0.5, 1", steps=" 3 "))
    assert (made["name"], made["data"]) == ("mazur.xlsx", path.read_bytes())
    assert made["lines"][0] == f"wrote     mazur.xlsx ({path.stat().st_size:,} bytes)"


def test_an_exercise_and_its_solution_are_the_command_s(tmp_path: Path) -> None:
    """As `sheetgen exercise --key` writes the two."""
    paths = {kind: tmp_path / f"{kind}.xlsx" for kind in KINDS[1:]}
    assert main(("exercise", "-o", str(paths["exercise"]), "--key", str(paths["solution"]))) == 0
    for kind, path in paths.items():
        made = asked("make", kind=kind, **wish())
        assert (made["name"], made["data"]) == (f"erav2-{kind}.xlsx", path.read_bytes())


def test_progress_is_told() -> None:
    """From none of the rows to all of them."""
    said: list[tuple[str, int, int]] = []
    answer("make", {"kind": "workbook", **wish(steps="5")}, lambda *one: said.append(one))
    assert said[0] == ("training", 0, 36)
    assert ("training", 36, 36) in said


@pytest.mark.parametrize("name", template_names())
def test_the_picture_has_each_run(name: str) -> None:
    """A curve, and a legend with the last loss as PyTorch-proven builds print it, for every run."""
    found = asked("preview", **wish(name, steps="3"))
    spec = load(name)
    drawing = ElementTree.fromstring(found["picture"])
    assert len(drawing.findall("{*}polyline")) == len(spec.runs)
    assert re.findall(r"</svg>(.*?): [-+.e\d]+</li>", found["legend"]) == [run.label for run in spec.runs]
    assert found["said"] == "Loss after 3 updates"


def test_a_long_training_is_drawn_in_part() -> None:
    """And the page says so, and how long the build takes."""
    found = asked("preview", **wish(steps="300000"))
    assert found["said"] == "Loss after 2,000 updates of 300,000"
    assert found["note"].startswith("this takes about")


def test_a_picture_keeps_to_its_frame() -> None:
    """Whatever the losses: zeros and negative ones are drawn to a plain scale, errors and names as they are."""
    drawings = [
        picture([Curve("a", [0, 1, 2], [0.0, 1e300, 5.0])]),
        picture([Curve("a", [0, 1], [1e-300, 1e300])]),
        picture([Curve("a", [0, 1], [-5.0, -1.0]), Curve("<b>", [0, 1], [0.0, 0.0])]),
        picture([Curve("a", [0], [0.25])]),
    ]
    for drawing in drawings:
        for line in ElementTree.fromstring(drawing).findall("{*}polyline"):
            for pair in line.attrib["points"].split():
                across, up = map(float, pair.split(","))
                assert 0 <= across <= 480
                assert 0 <= up <= 280
    assert "logarithmic" in drawings[1]
    assert "logarithmic" not in drawings[0]
    assert "<b>" not in legend([Curve("<b>", [0], [1.0])])


WRONG_LINES = [
    ("steps = 67", "steps = 0", 10),
    ("steps = 67", "steps 67", 10),
    ("steps = 67", "stepps = 67", 10),
    ('activation = "sigmoid"\nweights = [[0.40', 'activation = "rleu"\nweights = [[0.40', 27),
    ("[[0.40, 0.45], [0.50, 0.55]]", "[\n  [0.40, 0.45],\n  [0.50, 'x'],\n]", 30),
    ("inputs = [[0.05, 0.10]]", 'inputs = [[0.05, "x"]]', 14),
    ('activation = "sigmoid"\nweights = [[0.15', "weights = [[0.15", 20),
]


@pytest.mark.parametrize(("old", "new", "line"), WRONG_LINES)
def test_the_wrong_line_is_found(old: str, new: str, line: int) -> None:
    """Beside the one line that the command prints; what is missing is missed in its table."""
    text = template_text("erav2").replace(old, new)
    assert text != template_text("erav2")
    with pytest.raises(SpecError) as found:
        parse(text, "erav2.toml")
    assert asked("preview", **wish() | {"text": text}) == {"error": str(found.value), "line": line}


def test_every_value_is_found_on_its_line() -> None:
    """Of every template: the first line of each key, found by a scan of the text."""
    for name in template_names():
        text = template_text(name)
        for number, line in enumerate(text.splitlines(), 1):
            key = re.match(r"(title|about|learning_rates|steps|threshold) = ", line)
            if key:
                assert line_of(text, "x", f"x: {key[1]} is wrong; …") == number


def test_what_is_no_place_marks_no_line() -> None:
    """An error of a field, or of another file."""
    assert line_of("steps = 1", "a.toml", "command line: --steps is 0; …") is None
    assert line_of("steps = 1", "a.toml", "a.toml: data is missing; …") is None
    assert asked("preview", **wish(rates="1 x"))["error"].startswith("Rates is 'x'; numbers")
    assert asked("make", kind="workbook", **wish(steps="1.5"))["error"].startswith("Updates is '1.5'; a whole number")
    assert asked("preview", **wish(steps="0"))["error"].startswith("Updates is 0; ")
    assert asked("preview", **wish(rates="1 -2"))["error"].startswith("Rates[1] is -2")


def test_a_wrong_workbook_is_told_as_by_the_command(tmp_path: Path) -> None:
    """The findings, the same lines, the marked copy and the solution."""
    path = write(tmp_path / "homework.xlsx", WRONG)
    report = check(path)
    found = asked("judge", name=path.name, data=memoryview(path.read_bytes()))
    assert found["lines"][1:] == report.lines()
    assert [one["cell"] for one in found["findings"]] == ["Sheet1!Z33", "Sheet1!AA33"]
    assert found["more"] == ["marked", "solution"]
    for what in found["more"]:
        beside = tmp_path / f"{what}.xlsx"
        assert main(("check", str(path), f"--{what}", str(beside))) == 1
        made = asked("beside", what=what, name=path.name, data=path.read_bytes())
        assert (made["name"], made["data"]) == (f"homework-{what}.xlsx", beside.read_bytes())


def test_its_own_workbook_is_compared_with_what_belongs_there(tmp_path: Path) -> None:
    """Without engines: a formula typed over is told, and a right workbook says what was not done."""
    path = tmp_path / "own.xlsx"
    build(override(load("erav2"), [1.0], 5), path)
    found = asked("judge", name="own.xlsx", data=path.read_bytes())
    assert found["ok"]
    assert any("Not recalculated" in line for line in found["lines"])
    book = openpyxl.load_workbook(path)
    book["lr 1"]["X9"] = "=1+1"
    book.save(path)
    found = asked("judge", name="own.xlsx", data=path.read_bytes())
    assert not found["ok"]
    assert "lr 1!X9" in found["lines"][0]


def test_what_is_no_workbook_has_its_line() -> None:
    """By its name alone, whatever folder it lies in here."""
    found = asked("judge", name="../notes.xlsx", data=b"Dear diary")
    assert found == {"error": "notes.xlsx: is no .xlsx workbook; name one", "line": None}


def test_large_files_are_refused_unread() -> None:
    """50 MB is the limit."""
    assert refused("a.xlsx", MOST_BYTES) == ""
    said = refused("a.xlsx", MOST_BYTES + 1)
    assert said.startswith("a.xlsx: has 50,000,001 bytes; at most 50,000,000 are read here.")


def test_a_wish_without_fields_is_the_spec() -> None:
    """Empty fields change nothing."""
    assert Wish(template_text("xor"), "templates/xor.toml").spec == load("xor")


def test_the_sources_are_few() -> None:
    """Our own JavaScript, HTML and CSS have at most 400 lines, none of which asks another address for anything."""
    sources = [path for path in SOURCES.iterdir() if path.suffix in (".html", ".css", ".js")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    assert len(sources) == 5
    assert sum(text.count("\n") for text in texts) <= MOST_LINES
    assert max(len(line) for text in texts for line in text.splitlines()) <= 130
    assert not any(re.search(r"https?://", text) for text in texts)
