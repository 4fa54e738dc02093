"""benchmarks/writers.py times writing, and not the making of what is written."""

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("writers", ROOT / "benchmarks" / "writers.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "writers", module)
    spec.loader.exec_module(module)
    return module


class Slow(str):
    """A pattern that takes its time."""

    def format(self, *args: object, **_: object) -> str:
        time.sleep(0.05)
        return super().format(*args)


def test_the_clock_stands_still_while_texts_are_made(writers: Any) -> None:
    """What a writer does between two rows is counted, and what it waits for is not."""
    sheet = writers.Sheet("lr 1", ["=1"], [Slow("=A{1}*2")], [(1.0,), (2.0,), (4.0,), (8.0,)])
    begin = time.perf_counter()
    with writers.Watch() as watch:
        found = []
        for texts, values in watch.rows(sheet):
            time.sleep(0.01)
            found.append((texts, values))
    assert found[:2] == [(["=1"], (1.0,)), (["=A8*2"], (2.0,))]
    assert 0.04 <= watch.wall <= time.perf_counter() - begin - 3 * 0.05


@pytest.mark.parametrize("name", ["sheetgen write", "openpyxl", "openpyxl rows", "XlsxWriter", "XlsxWriter rows"])
def test_every_writer_writes_the_same_table(writers: Any, name: str, tmp_path: Path) -> None:
    """The formula in the last row of the last tab is the same, whoever wrote it."""
    from openpyxl import load_workbook

    watch = writers.WRITERS[name](600, tmp_path / "table.xlsx")
    assert watch.wall > 0
    assert watch.cpu > 0
    tab = load_workbook(tmp_path / "table.xlsx")["lr 2"]
    assert [tab[f"{letter}{tab.max_row}"].value for letter in "AF"] == ["=A9+1", "=F9-$B$4*Y9"]
