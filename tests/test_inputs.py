"""Tab Inputs shows the spec twice: as the program reads it, and beside that as its author wrote it."""

from pathlib import Path

import pytest
from openpyxl import load_workbook
from specs import SEED, changed

from sheetgen import build, check
from sheetgen.spec import dump, override, parse
from sheetgen.spec.structure import Spec
from sheetgen.tabs import inputs
from sheetgen.tabs.inputs import SPEC_WIDTH

COMMENTED = "# my own network\n\n" + SEED.replace("steps = 67", "steps = 3  # few, =1+1\npictures = false")


def shown(spec: Spec, folder: Path) -> tuple[list[str], list[str]]:
    """The lines of columns A and I under the heading of the spec."""
    build(spec, folder / "mine.xlsx")
    tab = load_workbook(folder / "mine.xlsx")["Inputs"]
    columns = [[str(cell.value or "") for cell in tab[letter]] for letter in "AI"]
    [top] = [at for at, text in enumerate(columns[0]) if text.startswith("Spec, every number")]
    return columns[0][top:], columns[1][top:]


def test_the_authors_text_stands_beside_the_canonical_one(tmp_path: Path) -> None:
    """Line by line, comments and blank lines included; `check` reads the canonical one."""
    spec = parse(COMMENTED, "my.toml")
    left, right = shown(spec, tmp_path)
    assert "\n".join(left[2:]).rstrip() == dump(spec, SPEC_WIDTH).rstrip()
    assert right[0] == "Spec, as its author wrote it"
    assert right[1] == ""
    assert "\n".join(right[2:]).rstrip() == COMMENTED.rstrip()
    report = check(tmp_path / "mine.xlsx")
    assert report.ok, report.failure


def test_a_note_says_what_the_command_line_changed(tmp_path: Path) -> None:
    """The text of the author is then not what was built."""
    left, right = shown(override(parse(COMMENTED, "my.toml"), [0.5], 2), tmp_path)
    assert "steps = 2" in left and "steps = 3  # few, =1+1" in right
    assert right[1] == "Built with other learning_rates, steps: see the text on the left."


def test_a_spec_that_was_written_by_a_program_has_one_text(tmp_path: Path) -> None:
    """Nothing is claimed of an author."""
    spec = parse(COMMENTED, "my.toml")
    _, right = shown(Spec(**{**vars(spec), "source": ""}), tmp_path)
    assert not any(right)


def test_long_texts_are_shown_as_far_as_a_sheet_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line that no cell can hold is shown in pieces, and of very many lines the first."""
    comment = "# " + "🙂" * 40_000
    _, right = shown(parse(f"{comment}\r\n{COMMENTED}", "my.toml"), tmp_path)
    pieces = right[2:5]
    assert "".join(pieces) == comment and max(len(piece.encode("utf-16-le")) // 2 for piece in pieces) <= 32_767
    monkeypatch.setattr(inputs, "SHOWN", 2)
    _, right = shown(parse(COMMENTED, "my.toml"), tmp_path)
    lines = len(COMMENTED.split("\n")) - 1
    assert [line for line in right[2:] if line] == ["# my own network", f"… and {lines - 2} more lines"]


def test_lines_that_others_end_elsewhere_come_back(tmp_path: Path) -> None:
    """A title with U+2028, and one with an escape of Excel's, pass the check of their own workbook."""
    title = changed('"seed"', '"a\\u2028b _x0041_ \\u2029"').replace("steps = 67", "steps = 1\npictures = false")
    left, _ = shown(parse(title, "my.toml"), tmp_path)
    assert left[2] == 'title = "a\\u2028b \\u005Fx0041_ \\u2029"'
    report = check(tmp_path / "mine.xlsx")
    assert report.ok, report.failure
