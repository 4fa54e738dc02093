"""`check` on workbooks that are laid out and written as few others: what they mean is understood, or said to be not."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from handmade import CONSTANT, FORWARD, GRADIENTS, ORDER, STARTS, UPDATES, Formulas, Handmade, write

from sheetgen import build
from sheetgen.check.foreign.book import Cell, read_book
from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.judge import judge
from sheetgen.check.foreign.tables import find_tables
from sheetgen.check.foreign.told import Foreign, TableReport
from sheetgen.check.foreign.view import Effort, View
from sheetgen.errors import CheckError
from sheetgen.spec import load, override
from sheetgen.xlsx.cells import MAX_COLUMNS

Cells = dict[tuple[str, int], str | float | bool]
NETS = ("h1", "h2", "o1", "o2")
DATA = ("t1", "t2", "i1", "i2")
ROWS = 12


def made(order: tuple[str, ...] = tuple(ORDER), *, without: tuple[str, ...] = (), **layout: Any) -> Handmade:
    """The exercise with other columns and another layout."""
    names = tuple(name for name in order if name not in without)
    plain = Handmade()
    return replace(plain, layout=replace(plain.layout, order=names, **layout))


def rewritten(one: Handmade, change: Callable[[str], str], symbols: Formulas | tuple[str, ...]) -> Handmade:
    """With other formulas for some symbols."""
    return replace(one, formulas={**one.formulas, **{name: change(one.formulas[name]) for name in symbols}})


def labelled(**beginnings: str) -> Callable[[str], str]:
    """Labels by the beginning of a symbol; g stands for a gradient's."""

    def label(symbol: str) -> str:
        for start, pattern in beginnings.items():
            beginning = {"g": "∂E/∂w", "total": "E_total"}.get(start, start)
            if symbol.startswith(beginning):
                return pattern.format(symbol[len(beginning) :])
        return symbol

    return label


def without_nets(**layout: Any) -> Handmade:
    """Activations straight from weights and inputs."""
    direct = {f"a_{net}": FORWARD[f"a_{net}"].replace(f"{{{net}}}", f"({FORWARD[net]})") for net in NETS}
    return made(without=NETS, **layout).changed(**direct)


def with_data(*numbers: str, **layout: Any) -> Handmade:
    """Inputs and targets that have no column."""
    known = dict(zip(DATA, numbers, strict=True))

    def change(text: str) -> str:
        return re.sub(r"\{([it]\d)\}", lambda found: known[found[1]], text)

    return rewritten(made(without=DATA, **layout), change, tuple(name for name in ORDER if name not in DATA))


def with_biases(label: str, gradient: str) -> Handmade:
    """A bias of each unit, called by it, and trained."""
    path = {net: GRADIENTS[f"∂E/∂w{k}"] for net, k in zip(NETS, (1, 3, 5, 7), strict=True)}
    slopes = {f"g_{net}": re.sub(r"\*\{(i1|a_h1)\}$", "", text) for net, text in path.items()}
    updates = {f"b_{net}": f"{{b_{net}<}}-{{rate}}*{{g_{net}<}}" for net in NETS}
    nets = {net: f"{FORWARD[net]}+{{b_{net}}}" for net in NETS}
    one = made((*ORDER[:8], "b_h1", "b_h2", *ORDER[8:16], "b_o1", "b_o2", *ORDER[16:], *slopes))
    names = {"b_": label, "g_": gradient}

    def called(symbol: str) -> str:
        return names[symbol[:2]].format(symbol[2:]) if symbol[:2] in names else symbol

    starts = {**STARTS, "b_h1": 0.35, "b_h2": 0.36, "b_o1": 0.6, "b_o2": 0.61}
    layout = replace(one.layout, label=called)
    return replace(one, formulas={**one.formulas, **nets, **slopes, **updates}, starts=starts, layout=layout)


def by_square_sum(text: str) -> Handmade:
    """One column of losses, by a function of both outputs."""
    order = (*ORDER[:16], "o1", "o2", "a_o1", "a_o2", *ORDER[22:])
    plain = made(order).changed(E_total="(({t1}-{a_o1})^2+({t2}-{a_o2})^2)/2")
    return replace(plain.changed(E_total=text), stored=plain)


def with_two_rates() -> Handmade:
    """A rate of the hidden layer, and one of the output's."""
    second = {f"w{k}": UPDATES[f"w{k}"].replace("{rate}", "$G$2") for k in range(5, 9)}
    return made(texts={(2, 6): "η output", (2, 7): 0.25}).changed(**second)


def with_later_rate() -> Handmade:
    """A rate that is another one from a row on."""
    cells: Cells = {
        (f"w{k}", row): "=" + UPDATES[f"w{k}"].replace("{rate}", "$G$2") for k in range(1, 9) for row in range(7, ROWS)
    }
    return replace(made(texts={(2, 6): "η2", (2, 7): 0.25}), cells=cells)


OWN = (1.0, 0.25, 0.5, 0.75, 0.1, 0.2, 0.3, 0.4)
OWN_SAID = "the rate of w4 is 0.75 (J3) in rows 34 to 44"


def with_own_rates(labels: dict[tuple[int, int], str | float]) -> Handmade:
    """A rate of each weight, in G3 to N3."""
    texts = {**labels, **{(3, 7 + k): rate for k, rate in enumerate(OWN)}}
    own = {f"w{k + 1}": UPDATES[f"w{k + 1}"].replace("{rate}", f"${'GHIJKLMN'[k]}$3") for k in range(8)}
    return made(texts=texts).changed(**own)


def with_helpers_called_as_data() -> Handmade:
    """Factors of the chain rule as T1, T2, … behind the table."""
    factors = {"T1": "{a_o1}-{t1}", "T2": "{a_o1}*(1-{a_o1})", "T3": "{T1}*{T2}"}
    return replace(made().changed(g5="{T3}*{a_h1}", g6="{T3}*{a_h2}"), extra=factors)


def in_turn() -> Handmade:
    """Samples in turn, one a row, typed."""
    data = {"t1": (0, 1, 1, 0), "t2": (1, 0, 0, 1), "i1": (0, 0, 1, 1), "i2": (0, 1, 0, 1)}
    cells: Cells = {(name, row): float(values[row % 4]) for name, values in data.items() for row in range(10)}
    return replace(made(rows=10), cells=cells)


def pasted_below() -> Handmade:
    """The numbers of the last row again, twice, with a digit less."""
    cells: Cells = {(name, row): f"={{{name}{'<' * (row - 9)}}}" for row in (10, 11) for name in ORDER}
    return replace(made(), cells=cells)


def powers(base: str) -> Handmade:
    """Sigmoids with a typed e."""
    return rewritten(
        made(), lambda text: re.sub(r"EXP\((.*?)\)", rf"{base}^(\1)", text), ("a_h1", "a_h2", "a_o1", "a_o2")
    )


REMARKS = {
    "t1": "t1 (target)",
    "i2": "i2 [input]",
    "w1": "w1 (i1→h1)",
    "h1": "h1 = w1*i1 + w2*i2",
    "a_h1": "a_h1 = σ(h1)",
}
STRANGE: dict[str, tuple[Handmade, str]] = {
    "h and o are activations": (
        without_nets(label=labelled(a_h="h{}", a_o="o{}")),
        "note    h1, h2, o1, o2: taken for activations, which no column is labelled as and these have",
    ),
    "hidden and output": (
        without_nets(label=labelled(a_h="Hidden {}", a_o="Output {}", w="Weight {}")), "note    Hidden 1, Hidden 2",
    ),
    "in and out behind": (made(label=labelled(a_h="h{} out", a_o="o{} out", h="h{} in", o="o{} in")), ""),
    "targets of outputs": (made(label=labelled(t="target o{}", E_="E_total", E="Eo{}")), ""),
    "old weights": (made(label=labelled(w="old w{}", g="gradient of w{}")), ""),
    "Spanish": (made(label=labelled(w="peso {}", i="entrada {}", t="objetivo {}", a_h="salida h{}")), ""),
    "remarks behind labels": (made(label=lambda one: REMARKS.get(one, one)), ""),
    "matrix numbers": (made(label=labelled(w="w1{}", g="∂E/∂w1{}")), ""),
    "a label twice": (made(label=labelled(w4="w3")), "note    w3 is written above G and H: H is taken for w4"),
    "a gradient's label twice": (made(label=lambda one: {"∂E/∂w5": "∂E/∂w6"}.get(one, one)), "AB is taken for ∂E/∂w5"),
    "biases by unit": (with_biases("b_{}", "∂E/∂b_{}"), ""),
    "bias of a unit": (with_biases("bias {}", "dE/db{}"), ""),
    "SUMXMY2": (by_square_sum("SUMXMY2({t1}:{t2},{a_o1}:{a_o2})/2"), ""),
    "half of SUMXMY2": (by_square_sum("0.5*SUMXMY2({a_o1}:{a_o2},{t1}:{t2})"), ""),
    "rounded": (
        rewritten(made(), "ROUND({},6)".format, (*FORWARD, *GRADIENTS)),
        "note    228 formulas round (first in I33): judged as if they did not",
    ),
    "2.718": (powers("2.718"), "48 formulas have a typed number for e (first in J33)"),
    "e in a cell": (replace(powers("$G$2"), layout=replace(made().layout, texts={(2, 7): 2.71828})), ""),
    "numbers in formulas": (with_data("0.01", "0.99", "0.05", "0.1"), "starts  i1 0.05, i2 0.1, t1 0.01, t2 0.99"),
    "cells without labels": (
        with_data("$F$2", "$G$2", "$F$3", "$G$3", texts={(2, 6): 0.01, (2, 7): 0.99, (3, 6): 0.05, (3, 7): 0.1}),
        "starts  i1 0.05, i2 0.1, t1 0.01, t2 0.99",
    ),
    "two rates": (with_two_rates(), "note    the rate of w5, w6, w7, w8 is 0.25 (G2) in rows 34 to 44"),
    "another rate later": (with_later_rate(), "is 0.25 (G2) in rows 40 to 44"),
    "a rate of each weight": (with_own_rates({(2, 7 + k): f"η{k + 1}" for k in range(8)}), OWN_SAID),
    "rates by weights' names": (
        with_own_rates({(3, 6): "lr", **{(2, 7 + k): f"w{k + 1}" for k in range(8)}}), OWN_SAID,
    ),
    "helpers called T1": (with_helpers_called_as_data(), ""),
    "samples in turn": (in_turn(), ""),
    "the last row pasted below": (pasted_below(), "note    2 rows repeat row 42; not judged"),
}  # fmt: skip


def table_of(one: Handmade, folder: Path) -> tuple[TableReport, list[str]]:
    """The only table, and all that is said of the workbook."""
    found: Foreign = examine(write(folder / "made.xlsx", one))
    assert len(found.tables) == 1
    return found.tables[0], found.lines()


# Each is tried on every run as it is or with a mistake, and in both ways among the slow ones.
AS_IT_IS, WITH_A_MISTAKE = (
    [pytest.param(name, marks=[pytest.mark.slow] * (at % 2 != turn)) for at, name in enumerate(STRANGE)]
    for turn in range(2)
)


@pytest.mark.parametrize("name", AS_IT_IS)
def test_a_right_workbook_is_right(name: str, tmp_path: Path) -> None:
    """Whatever it looks like, and how odd things are taken is told."""
    one, said = STRANGE[name]
    table, lines = table_of(one, tmp_path)
    assert table.ok, lines
    assert said in "\n".join(lines)
    assert table.network is not None and table.network.units == (2, 2, 2)
    assert (table.rate, table.columns >= 22) == (1.0, True)


@pytest.mark.parametrize("name", WITH_A_MISTAKE)
def test_a_wrong_one_is_wrong_where_it_is(name: str, tmp_path: Path) -> None:
    """The mistake that most people make, an update with another's gradient, and a sign in one row."""
    one, _ = STRANGE[name]
    gradient = one.formulas["∂E/∂w3"].replace("a_h2", "a_h1")
    cells = {**one.cells, ("a_h2", 4): "=" + one.formulas["a_h2"].replace("-", "+")}
    wrong = replace(one.changed(g3=gradient, w6=one.formulas["w6"].replace("∂E/∂w6", "∂E/∂w7")), cells=cells)
    if ("w6", 7) in one.cells:
        cells |= {("w6", row): str(one.cells["w6", row]).replace("∂E/∂w6", "∂E/∂w7") for row in range(7, ROWS)}
    table, lines = table_of(replace(wrong, cells=cells), tmp_path)
    expected = {one.place("∂E/∂w3"), one.place("w6", 1), one.place("a_h2", 4)}
    assert {finding.cell for finding in table.findings} == expected, lines


W2 = "=((R34-A34)*R34*(1-R34)*M34+(T34-B34)*T34*(1-T34)*O{})*J34*(1-J34)*D34"
W3 = "=((R40-A40)*R40*(1-R40)*N40+(T40-B40)*T40*(1-T40)*P40)*L40*(1-L40)*C{}"
# A layout, the symbol and row of an edited cell, its formula; the cell, what belongs there, and why.
EDITED = [
    ("rounded", ("o1", 6), "=ROUND(M39*J39+N39*L39,2)", "Q39", "=ROUND(M39*J39+N39*L39,6)",
     "rounds to 2 digits, and 11 other cells of the column to 6"),
    ("the last row pasted below", ("w3", 11), "=P42", "G44", "=G42",
     "this row has the numbers of row 42 again, but not here"),
    ("the last row pasted below", ("w3", 10), "=G40", "G43", "=G42",
     "this row has the numbers of row 42 again, but not here"),
    ("the last row pasted below", ("∂E/∂w2", 1), W2.format(32), "Y34", W2.format(34),
     "O32 is 2 rows above O34 (w7), which belongs there"),
    ("samples in turn", ("∂E/∂w3", 7), W3.format(42), "Z40", W3.format(40),
     "C42 is 2 rows below C40 (i1), which belongs there"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "place", "text", "cell", "belongs", "why"), EDITED)
def test_what_is_unlike_the_rest_of_its_row_or_column_is_told(
    name: str, place: tuple[str, int], text: str, cell: str, belongs: str, why: str, tmp_path: Path
) -> None:
    """Other digits than the column's, other numbers in a row that repeats the last, another sample's data."""
    one = STRANGE[name][0]
    table, lines = table_of(replace(one, cells={**one.cells, place: text}), tmp_path)
    [finding] = table.findings
    assert (finding.cell, finding.found, finding.expected, finding.why) == (cell, text, belongs, why), lines


def test_numbers_that_hardly_change_are_no_row_that_repeats(tmp_path: Path) -> None:
    """Pasted with two digits, most columns have the number above again, and the others have not."""
    table, lines = table_of(made(pasted=2), tmp_path)
    assert table.ok, lines
    assert not table.table.repeated
    last = made().layout.header + made().layout.rows
    assert table.table.last_row == last


def test_the_right_loss_of_samples_in_turn_is_that_of_each_row_s_sample(tmp_path: Path) -> None:
    """A wrong output moves the loss by what it is wrong by, and not by another sample's targets."""
    one = in_turn()
    table, lines = table_of(replace(one, cells={**one.cells, ("E_total", 9): "=U42+V42+0.25"}), tmp_path)
    assert [finding.cell for finding in table.findings] == ["W42"], lines
    assert table.loss is not None
    assert table.loss[0] - table.loss[1] == pytest.approx(0.25, abs=1e-12)


@pytest.mark.parametrize("symbol", ["∂E/∂w5", "w5"])
def test_a_formula_that_goes_by_the_number_of_its_row_is_judged_in_each(symbol: str, tmp_path: Path) -> None:
    """Its copies are the same text, and one of them is wrong; the rate of that row stands in no other."""
    one = made(rows=60)
    twice = f"IF(ROW()={one.layout.header + 1 + 40},2,1)*"
    text = one.formulas[symbol]
    text = text.replace("{∂E", f"{twice}{{∂E") if symbol == "w5" else f"{twice}({text})"
    table, lines = table_of(rewritten(one, lambda _: text, (symbol,)), tmp_path)
    [finding] = table.findings
    assert (finding.cell, finding.count) == (one.place(symbol, 40), 1), lines


@pytest.mark.parametrize("symbol", ORDER[4:])
def test_a_number_stored_beside_a_right_formula_is_looked_at_in_every_row(symbol: str, tmp_path: Path) -> None:
    """A typed-over one, and one row's inputs that are texts of digits, which formulas take for numbers."""
    one, row = made(rows=60), 47
    changed = replace(one, cells={(symbol, row): 0.123456789})
    stored = replace(one, cells={}, stored=changed)
    table, lines = table_of(stored, tmp_path)
    [finding] = table.findings
    assert (finding.cell, finding.count, finding.value) == (one.place(symbol, row), 1, 0.123456789), lines


def test_numbers_far_to_the_right_of_a_table_take_no_room(tmp_path: Path) -> None:
    """In the last column of a sheet: what is kept of a row is what stands in it."""
    book = read_book(write(tmp_path / "far.xlsx", made(rows=300)))
    [table] = find_tables(book)
    cells: Any = book.tabs[table.tab]
    for row in table.rows:
        cells[row, MAX_COLUMNS] = Cell(1.0)
    tracemalloc.start()
    try:
        judged = judge(book, table)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert judged.compared > 5_000 and not judged.wrong
    assert peak < 10_000_000


def test_copies_are_computed_twice_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a draw; and a formula's stored numbers by a function of Python from its fourth copy on."""
    counts = []
    for rows in (30, 300):
        table, computed = made(rows=rows), Counter[bool]()
        original = View._run

        def run(view: View, *given: Any, original: Any = original, computed: Any = computed) -> object:
            computed[view.draw is None] += 1
            return original(view, *given)

        with monkeypatch.context() as patched:
            patched.setattr(View, "_run", run)
            assert table_of(table, tmp_path)[0].ok
        counts.append(computed)
    assert 0 < counts[1][False] < 1.1 * counts[0][False], counts
    assert 0 < counts[1][True] <= counts[0][True], counts


def test_a_table_of_forward_passes_beside_one_of_training_costs_little(tmp_path: Path) -> None:
    """sheetgen's own workbook as a stranger's: of Landscape's 1,024 passes a few are looked at."""
    build(override(load("erav2"), [1.0], 11), tmp_path / "own.xlsx")
    book, effort = read_book(tmp_path / "own.xlsx"), Effort()
    judged = {table.tab: judge(book, table, None, effort, alone=False) for table in find_tables(book)}
    assert {tab: one.trains for tab, one in judged.items()} == {
        "lr 1": True, "Gradient check": False, "Landscape passes": False,
    }  # fmt: skip
    assert not judged["Landscape passes"].compared
    assert 1_000 < effort.looks < 100_000


def test_a_weight_that_takes_another_one_s_rate_is_told(tmp_path: Path) -> None:
    """The others say where its own is; in numbers without labels it is no more than a rate that is not the rate."""
    right = with_own_rates({(2, 7 + k): f"η{k + 1}" for k in range(8)})
    wrong = right.changed(w3=right.formulas["w3"].replace("$I$3", "$J$3"))
    table, lines = table_of(wrong, tmp_path)
    assert [finding.cell for finding in table.findings] == [right.place("w3", 1)], lines
    assert table.findings[0].why == "$J$3 stands where the rate $I$3 belongs"
    table, lines = table_of(with_own_rates({}), tmp_path)
    assert not table.ok, lines


def test_whose_rate_is_whose_is_said_to_be_unclear(tmp_path: Path) -> None:
    """Where one is taken twice, and those of the hidden layer and of the output stand in two rows."""
    labels = {(row, 7 + k): "η" for row in (2, 4) for k in range(4)}
    rates = {(row + 1, column): 0.1 * (row + column) for row, column in labels}
    cells = [f"${column}${row}" for row in (3, 5) for column in "GHIJ"]
    own = {f"w{k + 1}": UPDATES[f"w{k + 1}"].replace("{rate}", cell) for k, cell in enumerate(cells)}
    right = made(texts={**labels, **rates}).changed(**own)
    assert table_of(right, tmp_path)[0].ok
    table, lines = table_of(right.changed(w3=right.formulas["w3"].replace("$I$3", "$J$3")), tmp_path)
    assert "which one w3, w4 should have cannot be told" in table.trouble and not table.findings, lines


def test_inputs_that_were_filled_as_a_series_are_told(tmp_path: Path) -> None:
    """By the last digit, or by 1 as LibreOffice fills; samples that grow with their targets are no series."""
    cells: Cells = {("i1", row): round(0.05 + 0.01 * row, 2) for row in range(ROWS)}
    table, lines = table_of(replace(made(), cells=cells), tmp_path)
    [finding] = table.findings
    assert (finding.cell, finding.count, finding.expected) == ("C34", ROWS - 1, "=C33"), lines
    assert finding.why == "i1 grows from row to row, as a series that is filled down; it should stay"
    ones: Cells = {(name, row): STARTS[name] + row for name in DATA for row in range(ROWS)}
    table, lines = table_of(replace(made(), cells=ones), tmp_path)
    assert [finding.cell for finding in table.findings] == ["A34", "B34", "C34", "D34"], lines
    samples: Cells = {(name, row): (row + k) / 20 for k, name in enumerate(DATA) for row in range(ROWS)}
    table, lines = table_of(replace(made(), cells=samples), tmp_path)
    assert table.ok, lines


def with_memory() -> Handmade:
    """Momentum: a velocity of each weight, behind the table."""
    extra = {f"v{k}": f"0.9*{{v{k}<}}+{{∂E/∂w{k}}}" for k in range(1, 9)}
    first: Cells = {(f"v{k}", 0): f"={{∂E/∂w{k}}}" for k in range(1, 9)}
    one = replace(made(), extra=extra, cells=first)
    return one.changed(**{f"w{k}": f"{{w{k}<}}-{{rate}}*{{v{k}<}}" for k in range(1, 9)})


def with_last_change() -> Handmade:
    """Momentum by the weights of the two rows above."""
    first: Cells = {(f"w{k}", 1): f"={UPDATES[f'w{k}']}" for k in range(1, 9)}
    return replace(made(), cells=first).changed(
        **{f"w{k}": f"{UPDATES[f'w{k}']}+0.9*({{w{k}<}}-{{w{k}<<}})" for k in range(1, 9)}
    )


def with_decay() -> Handmade:
    """Weight decay."""
    return made().changed(**{f"w{k}": f"{{w{k}<}}-{{rate}}*({{∂E/∂w{k}<}}+0.01*{{w{k}<}})" for k in range(1, 9)})


OPTIMIZERS = {
    "velocity": (with_memory, "takes AF34, which adds to what stands above it, as with momentum or Adam"),
    "last change": (with_last_change, "looks at E33, the weight of an earlier row, as with momentum"),
    "decay": (with_decay, "keeps 0.99 of the weight itself, as with weight decay"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_another_optimizer_is_said_and_the_rest_is_judged(name: str, tmp_path: Path) -> None:
    """Neither right nor wrong are its updates; a gradient still is."""
    make, said = OPTIMIZERS[name]
    table, lines = table_of(make(), tmp_path)
    assert not table.ok and not table.findings
    assert table.trouble.endswith(said), lines
    wrong = make().changed(g3=GRADIENTS["∂E/∂w3"].replace("a_h2", "a_h1"))
    table, lines = table_of(wrong, tmp_path)
    assert [finding.cell for finding in table.findings] == [wrong.place("∂E/∂w3")], lines


def test_one_step_a_column_is_said(tmp_path: Path) -> None:
    """With what to do."""
    book = openpyxl.Workbook()
    for row, name in enumerate(ORDER, 3):
        book.active.cell(row, 2, name)  # type: ignore[union-attr]
        book.active.cell(row, 3, 0.5)  # type: ignore[union-attr]
    book.save(tmp_path / "across.xlsx")
    with pytest.raises(CheckError, match=r"below each other in column B of Sheet, one step per column; .*Transpose"):
        examine(tmp_path / "across.xlsx")


def test_data_that_is_nowhere_is_said(tmp_path: Path) -> None:
    """A pasted table without inputs cannot be judged, and is not."""
    one = made(without=("i1", "i2"), pasted=9).changed(h1="{w1}*0.05+{w2}*0.1", h2="{w3}*0.05+{w4}*0.1")
    gradients = {f"g{k}": re.sub(r"\{i(\d)\}", r"0.\1", GRADIENTS[f"∂E/∂w{k}"]) for k in range(1, 5)}
    table, lines = table_of(one.changed(**gradients), tmp_path)
    assert table.trouble.startswith("it has no column for i1, i2, and no labelled number"), lines


def with_chain() -> Handmade:
    """Each factor of the chain rule in a column, three deep."""
    factors = {
        "e1": "{a_o1}-{t1}", "s1": "{a_o1}*(1-{a_o1})", "d1": "{e1}*{s1}",
        "e2": "{a_o2}-{t2}", "s2": "{a_o2}*(1-{a_o2})", "d2": "{e2}*{s2}",
        "back": "{d1}*{w6}+{d2}*{w8}", "slope": "{a_h2}*(1-{a_h2})", "both": "{back}*{slope}",
    }  # fmt: skip
    return replace(made(), extra=factors).changed(
        g3="{both}*{i1}", g4="{both}*{i2}", g5="{d1}*{a_h1}", g6="{d1}*{a_h2}"
    )


DEEP = {
    "slope": ("{a_h1}*(1-{a_h1})", r"^J33 \(a_h1\) stands where L33 \(a_h2\) belongs, twice, so that ∂E/∂w3 is wrong$"),
    "back": ("{d1}*{w7}+{d2}*{w8}", r"the weights are transposed, so that ∂E/∂w3 is wrong$"),
    "s1": ("{o1}*(1-{o1})", r"\(o1\) stands where .* \(a_o1\) belongs, twice, so that ∂E/∂w3 is wrong$"),
    "both": ("{back<}*{slope}", r"^AL32 is 1 row above AL33"),
    "e2": ("{t2}-{a_o2}", r"^B33-T33 stands where T33-B33 belongs, so that ∂E/∂w3 is wrong$"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEEP)
def test_a_mistake_three_columns_down_is_named_there(name: str, tmp_path: Path) -> None:
    """Once, with its own numbers, not in every gradient that needs it."""
    text, why = DEEP[name]
    right = with_chain()
    wrong = replace(right, extra={**right.extra, name: text})
    table, lines = table_of(wrong, tmp_path)
    [finding] = table.findings
    assert (finding.cell, finding.column) == (wrong.place(name), name), lines
    assert re.search(why, finding.why), finding.why
    assert finding.value != finding.should_be
    assert table_of(right, tmp_path)[0].ok


def test_updates_that_all_take_another_gradient_are_named(tmp_path: Path) -> None:
    """Filled from the wrong column: none tells the rate, but all name its cell."""
    shifted = {f"w{k}": f"{{w{k}<}}-{{rate}}*{{∂E/∂w{k % 8 + 1}<}}" for k in range(1, 9)}
    table, lines = table_of(made().changed(**shifted), tmp_path)
    assert [finding.column for finding in table.findings] == [f"w{k}" for k in range(1, 9)], lines
    assert table.findings[0].why == "Y33 (∂E/∂w2) stands where X33 (∂E/∂w1) belongs"
    assert (table.rate, table.rate_cell) == (1.0, "D2")


def test_weights_that_stay_at_the_first_row_are_no_momentum(tmp_path: Path) -> None:
    """Anchored, so that every row starts anew."""
    first = {f"w{k}": re.sub(r"(\d+)", r"$\1", made().place(f"w{k}")) for k in range(1, 9)}
    anchored = {name: UPDATES[name].replace(f"{{{name}<}}", first[name]) for name in first}
    table, lines = table_of(made().changed(**anchored), tmp_path)
    assert not table.trouble and [finding.cell[1:] for finding in table.findings] == ["35"] * 8, lines
    assert table.findings[0].why == "E$33 is 1 row above E34 (w1), which belongs there"


def test_a_network_of_another_kind_is_said_to_be_not_understood(tmp_path: Path) -> None:
    """In one line, and not judged."""
    odd = {net: f"({FORWARD[net]})^3+SIN({FORWARD[net]})" for net in NETS}
    odd |= {f"a_{net}": f"COS({{{net}}})^2+{{{net}}}/(1+ABS({{{net}}}))" for net in NETS}
    table, lines = table_of(made().changed(**odd), tmp_path)
    assert not table.ok and not table.findings and len(lines) == 1
    assert (
        "most of its nets and activations are not those of a 2-2-2 network of dense layers: I33 (h1) is =" in lines[0]
    )


def test_untrained_biases_and_relu_need_no_stored_values(tmp_path: Path) -> None:
    """As openpyxl writes them."""
    biased = {net: f"{FORWARD[net]}+{{b{1 + (net[0] == 'o')}}}" for net in NETS}
    one = made((*ORDER[:8], "b1", *ORDER[8:16], "b2", *ORDER[16:]))
    one = replace(one.changed(**biased, b1="{b1<}", b2="{b2<}"), starts={**STARTS, "b1": 0.35, "b2": 0.6})
    masks = {f"g{k}": GRADIENTS[f"∂E/∂w{k}"] for k in range(1, 5)}
    for number in "12":
        masks = {
            name: text.replace(f"{{a_h{number}}}*(1-{{a_h{number}}})", f"({{h{number}}}>0)")
            for name, text in masks.items()
        }
    relu = made().changed(a_h1="MAX(0,{h1})", a_h2="MAX(0,{h2})", **masks)
    for name, right in (("biases", one), ("relu", relu)):
        openpyxl.load_workbook(write(tmp_path / "made.xlsx", right)).save(tmp_path / f"{name}.xlsx")
        found = examine(tmp_path / f"{name}.xlsx")
        assert found.ok and found.tables[0].rate == 1.0, found.lines()


def test_constants_and_updates_are_those_of_the_exercise() -> None:
    """What the tables above leave out or change is there to begin with."""
    assert {*DATA} == {*CONSTANT} and {*UPDATES} < {*ORDER}
