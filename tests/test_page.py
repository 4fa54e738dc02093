"""The page in headless Chromium, all other addresses blocked: every template, wrong TOML, strangers' files, cancel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from browser import Page, Served, chromium, opened, serve
from conftest import tool
from handmade import Handmade, write
from referees import agree, asked, schema_errors
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from test_foreign_command import WRONG

from sheetgen import build, check, load
from sheetgen.page.door import MOST_BYTES
from sheetgen.spec import parse, template_names, template_text

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")
# Gradients near 0 and central differences keep the rounding of the numbers that cancel in them.
RELATIVE, ABSOLUTE = 1e-9, 1e-9
AXE = "4.10.3"
JUDGED = 20
"""Updates of the workbooks that the engines judge: they take minutes for all that the templates ask for."""


@dataclass(frozen=True)
class Loaded:
    """The page, what its server was asked for, and a folder for files."""

    page: Page
    served: Served
    folder: Path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The page as `make page` puts it together, loaded once."""
    browser = tool(shutil.which("chromium"), "Chromium is not installed: there is no command chromium")
    driver = tool(shutil.which("chromedriver"), "there is no command chromedriver, which starts Chromium for tests")
    tool(shutil.which("npm"), "there is no command npm, which fetches Pyodide")
    folder = tmp_path_factory.mktemp("page")
    command: list[str | Path] = [sys.executable, ROOT / "tools" / "assemble.py", folder / "page"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=300)
    with serve(folder / "page") as served, chromium(browser, driver, folder) as chrome:
        yield Loaded(opened(chrome, served.address, folder), served, folder)


@pytest.fixture
def page(loaded: Loaded) -> Iterator[Page]:
    """The loaded page with the default template; afterwards its console must be empty."""
    loaded.page.type("template", "erav2")
    loaded.page.type("kind", "workbook")
    loaded.page.idle()
    yield loaded.page
    assert loaded.page.driver.get_log("browser") == []


def unlike(one: Path, other: Path) -> list[str]:
    """What differs between the parts of two workbooks beyond the last bits of numbers."""
    found = []
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        if first.namelist() != second.namelist():
            return [f"{first.namelist()} and {second.namelist()}"]
        for name in first.namelist():
            texts = [archive.read(name).decode() for archive in (first, second)]
            if texts[0] == texts[1]:
                continue
            if NUMBER.sub("#", texts[0]) != NUMBER.sub("#", texts[1]):
                found.append(f"{name}: another text")
            pairs = zip(*(map(float, NUMBER.findall(text)) for text in texts), strict=False)
            found += [f"{name}: {a} and {b}" for a, b in pairs if not agree(a, b, RELATIVE, ABSOLUTE)][:3]
    return found


@pytest.mark.parametrize("name", template_names())
def test_a_template_builds(name: str, page: Page, tmp_path: Path, torch: object, ooxml_validator: Path) -> None:
    """What is downloaded equals the command's file; with fewer steps IronCalc, PyTorch and the validator agree too."""
    page.type("template", name)
    made = page.downloaded(page.element("go").click)
    page.idle()
    assert made.name == f"{name}.xlsx"
    # as a file of its own, for the page has no other beside it
    build(parse(template_text(name), f"{name}.toml"), tmp_path / "command.xlsx")
    assert unlike(tmp_path / "command.xlsx", made) == []
    made.unlink()
    page.type("steps", str(min(load(name).steps, JUDGED)))
    short = page.downloaded(page.element("go").click)
    page.idle()
    report = asked(short)
    assert report.ok, report.failure
    assert len(report.comparisons) == 2
    assert schema_errors(ooxml_validator, short) == []


def test_rates_steps_and_kinds_are_heeded(page: Page, tmp_path: Path) -> None:
    """The fields stand in place of the text's numbers; an exercise and its solution come of the same form."""
    page.type("rates", "0.5 1")
    page.type("steps", "9")
    page.wait(lambda: page.text("said") == "Loss after 9 updates", "the picture of 9 updates")
    assert re.findall(r"lr [\d.]+", page.text("picture")).count("lr 0.5") >= 1
    for kind in ("exercise", "solution"):
        page.type("kind", kind)
        assert page.text("go") == f"Make the {kind}"
        made = page.downloaded(page.element("go").click)
        assert made.name == f"erav2-{kind}.xlsx"
        with zipfile.ZipFile(made) as archive:
            assert "Judge" in archive.read("xl/workbook.xml").decode()


def test_a_wrong_text_shows_its_line(page: Page) -> None:
    """As typed, and again when a workbook is asked for; a right text clears it."""
    text = page.element("text").get_property("value")
    page.type("text", text.replace('"sigmoid"', '"rleu"', 1))
    page.wait(lambda: page.text("wrong"), "the error")
    assert page.text("wrong").startswith("Line 22: erav2.toml: network.layers[0].activation is 'rleu'; choose one of: ")
    assert page.element("text").get_attribute("aria-invalid") == "true"
    before = set(page.downloads.iterdir())
    page.element("go").click()
    page.idle()
    assert set(page.downloads.iterdir()) == before
    page.type("text", text)
    page.wait(lambda: page.text("wrong") == "", "the end of the error")


MISTAKES = {
    "sign": (Handmade().changed(g5="({t1}-{a_o1})*{a_o1}*(1-{a_o1})*{a_h1}"), "∂E/∂w5"),
    "sums": (Handmade().changed(h2="{w3}*{i1}+{w4}*{i1}"), "h2"),
    "course": (WRONG, "∂E/∂w3"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_known_mistake_is_named(mistake: str, page: Page, loaded: Loaded) -> None:
    """In the verdict and in the table; marked copy and solution can be had, and the server got nothing."""
    made, column = MISTAKES[mistake]
    path = write(loaded.folder / f"{mistake}.xlsx", made)
    before = len(loaded.served.asked)
    assert column in page.drop(path)
    assert page.text("verdict").startswith(f"wrong: {path.name}: Sheet1!")
    cells = page.driver.execute_script(
        "return [...document.querySelectorAll('#findings tbody .column')].map(one => one.textContent)"
    )
    assert column in cells
    assert check(path).failure.split("!")[1].split(" ")[0] in page.text("findings")
    marked = page.downloaded(page.element("marked").click)
    page.idle()
    with zipfile.ZipFile(marked) as archive:
        assert "Findings" in archive.read("xl/workbook.xml").decode()
    solution = page.downloaded(page.element("solution").click)
    page.idle()
    assert check(solution, alone=True).ok
    assert loaded.served.asked[before:] == []


def test_a_right_workbook_is_said_to_be_right(page: Page, loaded: Loaded) -> None:
    """Without findings, and without a marked copy."""
    assert page.drop(write(loaded.folder / "right.xlsx", Handmade())).startswith("right: right.xlsx: 1 table,")
    assert not page.element("findings").is_displayed()


def test_what_cannot_be_read_gets_its_line(page: Page, loaded: Loaded) -> None:
    """Of a file of more than 50 MB not a byte is read; a text is no workbook."""
    large, diary = loaded.folder / "large.xlsx", loaded.folder / "diary.xlsx"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    diary.write_text("Dear diary", encoding="utf-8")
    assert page.drop(large).startswith("large.xlsx: has 50,000,001 bytes; at most 50,000,000 are read here.")
    assert page.drop(diary) == "diary.xlsx: is no .xlsx workbook; name one"


def test_one_workbook_at_a_time_is_checked(page: Page) -> None:
    """Several files, or something dropped that is no file, get their line, and nothing is checked."""
    drop = (
        "const given = new DataTransfer(); {}; document.dispatchEvent(new DragEvent('drop', {{dataTransfer: given}}));"
        "return document.getElementById('verdict').textContent"
    )
    two = "given.items.add(new File(['a'], 'a.xlsx')); given.items.add(new File(['b'], 'b.xlsx'))"
    for give, count in ((two, 2), ("given.setData('text/plain', 'words')", 0)):
        said = page.driver.execute_script(drop.format(give))
        assert said == f"{count} files were given; one workbook at a time is checked here. Give one."
        assert page.element("work").get_attribute("aria-busy") == "false"


def test_a_phone_shows_all(page: Page) -> None:
    """At 360 pixels nothing is wider than the screen, and every field has a label."""
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert page.driver.execute_script("return document.documentElement.scrollWidth") == 360
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    unlabelled = "return [...document.querySelectorAll('input, select, textarea')].filter(one => !one.labels.length)"
    assert page.driver.execute_script(unlabelled) == []


def test_axe_finds_nothing_that_bars_anybody(page: Page, loaded: Loaded) -> None:
    """axe-core's rules (labels, roles, contrast) hold: once loaded, with an error and findings, and in the dark."""
    fetch = ["npm", "pack", "--silent", f"axe-core@{AXE}"]
    subprocess.run(fetch, cwd=loaded.folder, check=True, stdout=subprocess.PIPE)
    with tarfile.open(loaded.folder / f"axe-core-{AXE}.tgz") as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        page.driver.execute_script(script.read().decode())

    def violations() -> Any:
        return page.driver.execute_async_script(
            "const tell = arguments[0]; axe.run().then(found => tell([found.passes.length, found.violations.map("
            "one => [one.id, one.nodes.map(node => node.html)])]))"
        )

    text = page.element("text").get_property("value")
    passed, found = violations()
    assert passed > 20
    assert found == []
    page.drop(write(loaded.folder / "mistaken.xlsx", WRONG))
    page.type("text", text.replace("steps = 67", "steps = 0"))
    page.wait(lambda: page.text("wrong"), "the error")
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        assert violations()[1] == []
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    page.type("text", text)


def test_the_keyboard_reaches_everything(page: Page) -> None:
    """Tab goes from the template to the file in the order of the page."""
    page.driver.execute_script("document.getElementById('template').focus()")
    reached = []
    for _ in range(7):
        reached.append(page.driver.switch_to.active_element.get_attribute("id"))
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
    assert reached == ["template", "kind", "text", "rates", "steps", "go", "file"]


def test_cancel_ends_the_work_and_the_page_works_without_a_network(page: Page, loaded: Loaded) -> None:
    """A long build is stopped, nothing is downloaded, the page answers meanwhile; what is loaded again is kept here."""
    page.wait(partial(page.driver.execute_script, "return caches.keys().then(names => names.length)"), "the store")
    page.wait(partial(page.driver.execute_script, "return !!navigator.serviceWorker.controller"), "its keeper")
    page.type("steps", "400000")
    page.idle()
    before = set(page.downloads.iterdir())
    page.element("go").click()
    page.wait(lambda: page.text("doing").startswith("Training"), "training")
    start = time.monotonic()
    page.type("kind", "exercise")
    assert page.text("go") == "Make the exercise"
    assert time.monotonic() - start < 1
    count = len(loaded.served.asked)
    page.element("cancel").click()
    page.wait(lambda: page.text("made") == "Cancelled; nothing was made.", "the end")
    page.type("template", "erav2")
    page.type("kind", "workbook")
    page.idle()
    assert page.downloaded(page.element("go").click).name.startswith("erav2")
    assert {path for _, path in loaded.served.asked[count:]} <= {"/offline.js"}  # whether there is another version
    assert {path.suffix for path in set(page.downloads.iterdir()) - before} == {".xlsx"}


def test_nothing_is_sent(loaded: Loaded) -> None:
    """Whatever was done, the server was asked for files and given none."""
    assert {method for method, _ in loaded.served.asked} == {"GET"}
