"""Whole workbooks, one per template: valid, clean, readable, and every stored value confirmed by other engines."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from edits import poison
from referees import complaints, differences, misread, stored
from specs import few_steps

from sheetgen.build import build
from sheetgen.check.engines import recalculate
from sheetgen.spec import template_names
from sheetgen.spec.structure import Spec

# Map and Landscape are alike but for a plane and a line of inputs, and for classes.
WITH_PICTURES = ("erav2", "relu_regression", "mazur")
BY_LIBREOFFICE = ("erav2", "mazur_output_first", "softmax_three_classes", "optimizers")


def short(name: str) -> Spec:
    """The template with few updates, and pictures where they differ in kind."""
    return few_steps(name, pictures=name in WITH_PICTURES)


@pytest.fixture(scope="module", params=template_names())
def workbook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template's workbook."""
    path = tmp_path_factory.mktemp("workbook") / f"{request.param}.xlsx"
    build(short(request.param), path)
    return path


def test_no_validator_or_linter_complains(workbook: Path, ooxml_validator: Path) -> None:
    """Microsoft's Open XML SDK and the project's own linter find nothing."""
    assert complaints(ooxml_validator, workbook) == []


def test_who_does_not_see_it_is_told(workbook: Path) -> None:
    """Every chart and drawing has an alternative text, and the document a title."""
    with ZipFile(workbook) as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/drawings/draw")]
        properties = archive.read("docProps/core.xml").decode()
    told = [
        element.get("descr", "")
        for part in parts for element in ElementTree.fromstring(part).iter() if element.tag.endswith("}cNvPr")
    ]  # fmt: skip
    assert len(told) > 5
    assert all(3 < len(text) < 256 for text in told)
    assert re.search(r"<dc:title>[^<]+</dc:title>", properties)


def test_every_reader_reads_every_number(workbook: Path) -> None:
    """pandas, calamine and openpyxl(data_only) read what is stored."""
    assert misread(workbook) == []


def test_ironcalc_confirms_every_stored_value(workbook: Path, tmp_path: Path) -> None:
    """After poisoning: what IronCalc answers, it has calculated."""
    poisoned = tmp_path / "poisoned.xlsx"
    assert poison(workbook, poisoned) == len(stored(workbook))
    assert differences(stored(workbook), recalculate(poisoned, "ironcalc")) == []


@pytest.mark.parametrize("name", BY_LIBREOFFICE)
def test_libreoffice_confirms_every_stored_value(name: str, tmp_path: Path, soffice: Path) -> None:
    """The same in LibreOffice, for templates that differ in their formulas."""
    workbook, poisoned = tmp_path / "workbook.xlsx", tmp_path / "poisoned.xlsx"
    build(short(name), workbook)
    poison(workbook, poisoned)
    assert differences(stored(workbook), recalculate(poisoned, "libreoffice")) == []


@pytest.mark.parametrize("name", ["erav2", "optimizers"])
def test_two_builds_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    """Same spec, same file."""
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    build(short(name), first)
    build(short(name), second)
    assert first.read_bytes() == second.read_bytes()
