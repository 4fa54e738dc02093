"""`check` on strange workbooks with a formula edited at random: what changes a value is found there, else nothing."""

from __future__ import annotations

import random
from itertools import cycle, islice
from pathlib import Path

import pytest
from handmade import write
from mutations import edits, rewritten
from portions import portions
from test_foreign_strange import STRANGE

from sheetgen.check.foreign.findings import examine

LAYOUTS = list(STRANGE)
ROUNDED = "rounded"
"""A change beyond the digits that are kept there is none."""


@pytest.mark.parametrize("seeds", portions(8, 24, 1_040, 127))
def test_an_edit_is_found_where_it_is_in_whatever_layout(seeds: range, tmp_path: Path) -> None:
    """Two of each seed, one layout after the other: of those that change a value at least 99 of 100."""
    tried, missed, layouts = 0, [], list(islice(cycle(LAYOUTS), seeds.start, seeds.stop))
    for seed, name in zip(seeds, layouts, strict=True):
        for one in islice((edit for edit in edits(STRANGE[name][0], random.Random(seed), 9) if edit.changes), 1):
            tried += 1
            findings = examine(write(tmp_path / "edited.xlsx", one.made)).tables[0].findings
            if not findings or findings[0].cell != one.address:
                said = [(finding.cell, finding.why) for finding in findings]
                missed.append((name, seed, one.address, one.text, said))
    print(f"{tried - len(missed)} of {tried} edits in strange layouts found where they are")
    assert tried > 0.9 * len(seeds)
    assert len(missed) <= tried / 100, missed


@pytest.mark.parametrize("seeds", portions(8, 24, 1_040, 127))
def test_what_is_written_otherwise_is_right_in_whatever_layout(seeds: range, tmp_path: Path) -> None:
    """A formula in other words, one layout after the other: not one finding."""
    tried, layouts = 0, list(islice(cycle(LAYOUTS), seeds.start, seeds.stop))
    for seed, name in zip(seeds, layouts, strict=True):
        made = STRANGE[name][0]
        for one in islice((edit for edit in edits(made, random.Random(seed), 9, rewritten) if not edit.changes), 1):
            tried += 1
            found = examine(write(tmp_path / "rewritten.xlsx", one.made))
            assert found.ok, (name, seed, one.address, one.text, found.lines())
    print(f"{tried} formulas written otherwise in strange layouts, all right")
    assert tried > 0.9 * len(seeds)
