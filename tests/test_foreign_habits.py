"""`check` on what people are in the habit of doing to their tables: all of it is read, and a slip in it is found."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter
from handmade import CONSTANT, FORWARD, GRADIENTS, ORDER, STARTS, UPDATES, Handmade, cells_of, values_of, write

from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.told import Finding, Foreign, TableReport
from sheetgen.errors import ExcelError
from sheetgen.xlsx.cells import column_letters

Cells = dict[tuple[int, int], str | float | bool]
PLAIN = Handmade()
FIRST = PLAIN.layout.header + 1
ROWS = PLAIN.layout.rows
SLIP = PLAIN.changed(g3=GRADIENTS["∂E/∂w3"].replace("{a_h2}", "{a_h1}"))


def grid(made: Handmade = PLAIN) -> Cells:
    """The cells of a table as they are typed."""
    return dict(cells_of(made))


def saved(path: Path, cells: Cells, shown: Callable[[object], object] = lambda value: value) -> Path:
    """A workbook of these cells, each value as a program computes it, and then shown so."""
    values = values_of("Sheet1", cells)
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Sheet1")
        for (row, column), content in cells.items():
            if isinstance(content, str) and content.startswith("="):
                value = shown(values[row, column])
                sheet.write_formula(
                    row - 1, column - 1, content, None, str(value) if isinstance(value, ExcelError) else value
                )
            else:
                sheet.write(row - 1, column - 1, content)
    return path


def told(path: Path) -> list[str]:
    """What is said of a workbook, line by line."""
    return examine(path).lines()


def only(path: Path) -> TableReport:
    """The one table of a workbook."""
    [table] = examine(path).tables
    return table


def first(path: Path) -> Finding:
    """The first finding of a workbook's tables."""
    return next(finding for table in examine(path).tables for finding in table.findings)


def test_a_right_table_is_right(tmp_path: Path) -> None:
    """What the others here are made of; and its slip is one."""
    assert only(saved(tmp_path / "right.xlsx", grid())).ok
    assert first(saved(tmp_path / "wrong.xlsx", grid(SLIP))).cell == SLIP.place("∂E/∂w3")


@pytest.mark.parametrize(
    "rate",
    ["[1]Sheet1!$B$2", "'[old book.xlsx]Sheet1'!$B$2", "@$D$2", "$D$2#", "Sheet1:Sheet2!$D$2", "Table9[rate]", "\\eta",
     'IFERROR(__xludf.DUMMYFUNCTION("X()"),1)'],
)  # fmt: skip
@pytest.mark.parametrize("everywhere", [True, False])
def test_an_update_that_cannot_be_read_is_a_note(rate: str, everywhere: bool, tmp_path: Path) -> None:
    """Other workbooks, programs' own signs: the stored numbers tell that it is right, and nothing breaks."""
    cells = grid()
    values = values_of("Sheet1", cells)
    rows = range(FIRST + 1, FIRST + ROWS) if everywhere else [FIRST + 3]
    unread = {(row, PLAIN.column(f"w{k}")) for row in rows for k in range(1, 9)}
    with xlsxwriter.Workbook(tmp_path / "odd.xlsx") as book:
        sheet = book.add_worksheet("Sheet1")
        for (row, column), content in cells.items():
            if isinstance(content, str) and content.startswith("="):
                text = content.replace("$D$2", rate) if (row, column) in unread else content
                sheet.write_formula(row - 1, column - 1, text, None, values[row, column])
            else:
                sheet.write(row - 1, column - 1, content)
    found = only(tmp_path / "odd.xlsx")
    assert found.ok, found.findings
    assert found.rate == 1
    assert any("cannot be read" in note for note in found.notes)


def test_a_name_means_what_its_own_tab_says(tmp_path: Path) -> None:
    """A tab that is copied with its name has one of its own; the workbook's is another."""
    named = {rate: replace(PLAIN.layout, rate_text="eta", texts={(2, 4): rate}) for rate in (1.0, 0.25)}
    tabs = [replace(PLAIN, layout=replace(named[rate], tab=tab)) for tab, rate in (("A", 1.0), ("A (2)", 0.25))]
    path = write(tmp_path / "names.xlsx", *tabs)  # values do not matter: names are unknown to what computes them
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    names = (
        b'<definedNames><definedName name="eta">A!$D$2</definedName>'
        b'<definedName name="eta" localSheetId="1">\'A (2)\'!$D$2</definedName></definedNames>'
    )
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"</sheets>", b"</sheets>" + names)
    parts = {
        name: re.sub(rb"(<f>[^<]*</f>)<v>[^<]*</v>", rb"\1", re.sub(rb' t="e"', b"", data)) if "sheet" in name else data
        for name, data in parts.items()
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)
    found = examine(path)
    assert [(table.table.tab, table.rate, table.rate_cell) for table in found.tables] == [
        ("A", 1, "D2"),
        ("A (2)", 0.25, "D2"),
    ]
    assert found.ok, found.lines()


def listed(text: str, made: Handmade, row: int) -> str:
    """A formula with the cells of its own row as columns of an Excel table."""
    names = {f"{column_letters(made.column(name))}{row}": name for name in made.layout.order}
    return re.sub(
        r"(?<![$A-Z])[A-Z]{1,2}\d+",
        lambda cell: f"Train[[#This Row],[{names[cell[0]]}]]" if cell[0] in names else cell[0],
        text,
    )


@pytest.mark.parametrize("made", [PLAIN, SLIP], ids=["right", "wrong"])
def test_the_columns_of_excels_tables_are_cells(made: Handmade, tmp_path: Path) -> None:
    """As somebody has them who pressed Ctrl+T: a slip is named with its cause, in cells."""
    cells = grid(made)
    values = values_of("Sheet1", cells)
    last = column_letters(len(ORDER))
    with xlsxwriter.Workbook(tmp_path / "table.xlsx") as book:
        sheet = book.add_worksheet("Sheet1")
        sheet.add_table(
            f"A{FIRST - 1}:{last}{FIRST + ROWS - 1}", {"name": "Train", "columns": [{"header": one} for one in ORDER]}
        )
        for (row, column), content in cells.items():
            if isinstance(content, str) and content.startswith("="):
                sheet.write_formula(row - 1, column - 1, listed(content, made, row), None, values[row, column])
            elif row != FIRST - 1:
                sheet.write(row - 1, column - 1, content)
    found = only(tmp_path / "table.xlsx")
    assert not [note for note in found.notes if "read" in note]
    assert [one.cell for one in found.findings] == ([] if made is PLAIN else [made.place("∂E/∂w3")])
    if made is SLIP:
        assert f"{made.place('a_h1')} (a_h1) stands where {made.place('a_h2')} (a_h2) belongs" in found.findings[0].why


@pytest.mark.parametrize("text", ["OFFSET({w5<},0,0)", "OFFSET({w5},-1,0)", "OFFSET( {w5} , -1 , 0 )"])
def test_offset_by_whole_numbers_is_a_cell(text: str, tmp_path: Path) -> None:
    """As people write the row above where their program does not let them."""
    made = replace(PLAIN.changed(w5=f"{text}-{{rate}}*OFFSET({{∂E/∂w5}},-1,0)"), stored=PLAIN)
    assert only(write(tmp_path / "offset.xlsx", made)).ok
    wrong = replace(made.changed(w5=f"{text}-{{rate}}*OFFSET({{∂E/∂w6}},-1,0)"), stored=PLAIN)
    assert first(write(tmp_path / "wrong.xlsx", wrong)).cell == PLAIN.place("w5", 1)


@pytest.mark.parametrize("symbol", ["w1", "w5", "h1", "a_h2", "a_o1", "E_total", "∂E/∂w5"])
@pytest.mark.parametrize("digits", [1, 2, 3])
def test_a_rounded_number_typed_over_a_formula_is_found(symbol: str, digits: int, tmp_path: Path) -> None:
    """Few digits are allowed where a table was pasted as numbers, not for one number among formulas."""
    place = FIRST + 6, PLAIN.column(symbol)
    cells = grid()
    value = values_of("Sheet1", cells)[place]
    assert isinstance(value, float)
    cells[place] = float(f"{value:.{digits}g}")
    assert first(saved(tmp_path / "typed.xlsx", cells)).cell == f"{column_letters(place[1])}{place[0]}"


def test_all_digits_typed_over_a_formula_are_no_mistake(tmp_path: Path) -> None:
    """The number is right."""
    cells = grid()
    place = FIRST + 6, PLAIN.column("a_o1")
    value = values_of("Sheet1", cells)[place]
    assert isinstance(value, float)
    cells[place] = float(f"{value:.9g}")
    assert only(saved(tmp_path / "typed.xlsx", cells)).ok


@pytest.mark.parametrize("symbol", list(CONSTANT))
def test_a_constant_that_changes_on_the_way_is_found(symbol: str, tmp_path: Path) -> None:
    """The rows below take it from there, so that no other cell shows it."""
    cells = grid()
    cells[FIRST + 5, PLAIN.column(symbol)] = 0.25
    found = only(saved(tmp_path / "typed.xlsx", cells))
    assert [one.cell for one in found.findings] == [PLAIN.place(symbol, 5)]
    assert found.findings[0].expected == f"={PLAIN.place(symbol, 4)}"


def spread(cells: Cells, rows: Callable[[int], int]) -> Cells:
    """The cells of a sheet into which rows were put, as a spreadsheet program moves formulas then."""

    def moved(text: str) -> str:
        return re.sub(r"(\$?[A-Z]{1,2}\$?)(\d+)", lambda cell: f"{cell[1]}{rows(int(cell[2]))}", text)

    return {
        (rows(row), column): moved(content) if isinstance(content, str) and content.startswith("=") else content
        for (row, column), content in cells.items()
    }


def gap(row: int) -> int:
    """A row is put in after six steps."""
    return row + (row >= FIRST + 6)


@pytest.mark.parametrize("text", ["", "from here on with a smaller rate?"])
def test_what_stands_below_an_empty_row_is_judged(text: str, tmp_path: Path) -> None:
    """Or below a remark; that the update across it is not, is said."""
    right = spread(grid(), gap)
    if text:
        right[FIRST + 6, 1] = text
    found = examine(saved(tmp_path / "right.xlsx", right))
    assert [(one.table.first_row, one.table.last_row) for one in found.tables] == [(33, 38), (40, 45)]
    assert found.ok, found.lines()
    assert any("goes on below" in note for note in found.tables[1].notes)
    wrong = dict(right)
    wrong[FIRST + 9, PLAIN.column("w5")] = str(right[FIRST + 9, PLAIN.column("w5")]).replace("-", "+")
    assert first(saved(tmp_path / "wrong.xlsx", wrong)).cell == f"{column_letters(PLAIN.column('w5'))}{FIRST + 9}"


def test_numbers_below_an_empty_row_are_said_to_be_not_judged(tmp_path: Path) -> None:
    """Without formulas it cannot be told whether they go on with the table."""
    cells = spread(grid(), gap)
    values = values_of("Sheet1", cells)
    pasted = {
        (row, column): values[row, column] if row > FIRST + 6 else content for (row, column), content in cells.items()
    }
    found = only(saved(tmp_path / "pasted.xlsx", pasted))  # type: ignore[arg-type]
    assert found.table.last_row == FIRST + 5
    assert any(f"rows from {FIRST + 7} on" in note for note in found.notes)


@pytest.mark.parametrize("apart", [2, 3])
def test_rows_that_stand_apart_are_not_called_right(apart: int, tmp_path: Path) -> None:
    """No update could be judged; what to do is said."""
    path = saved(
        tmp_path / "apart.xlsx", spread(grid(), lambda row: row if row < FIRST else FIRST + apart * (row - FIRST))
    )
    found = only(path)
    assert not found.ok
    assert "delete the empty rows" in found.trouble


SUMMARIES: Mapping[str, str] = {
    "mean": "AVERAGE({0}33:{0}44)", "least": "MIN({0}$33:{0}$44)", "change": "{0}44-{0}33", "sum": "SUM({0}33:{0}44)",
}  # fmt: skip


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("columns", ["all", "weights"])
def test_a_summary_below_the_table_is_none_of_its_rows(name: str, columns: str, tmp_path: Path) -> None:
    """Directly below the last step; it is said that it is not judged."""
    cells = grid()
    for symbol in ORDER if columns == "all" else [f"w{k}" for k in range(1, 9)]:
        column = PLAIN.column(symbol)
        cells[FIRST + ROWS, column] = "=" + SUMMARIES[name].format(column_letters(column))
    found = only(saved(tmp_path / "summary.xlsx", cells))
    assert found.ok, found.findings
    assert found.table.last_row == FIRST + ROWS - 1
    assert any("summary" in note for note in found.notes) == (columns == "all")


def test_a_last_row_that_is_written_otherwise_is_no_summary(tmp_path: Path) -> None:
    """Its formulas are other ones than those above, but those of a step: it is judged."""
    otherwise = {name: f"={text}+0" for name, text in {**CONSTANT, **FORWARD, **GRADIENTS}.items()}
    wrong = {name: "=" + text.replace("-", "+") for name, text in UPDATES.items()}
    cells = {(name, ROWS - 1): text for name, text in {**otherwise, **wrong}.items()}
    found = only(write(tmp_path / "last.xlsx", replace(PLAIN, cells=cells)))
    assert found.table.last_row == FIRST + ROWS - 1
    assert not any("summary" in note for note in found.notes)
    assert {one.cell for one in found.findings} == {PLAIN.place(name, ROWS - 1) for name in UPDATES}


@pytest.mark.parametrize("nothing", ['""', "NA()"])
@pytest.mark.parametrize("made", [PLAIN, SLIP], ids=["right", "wrong"])
def test_steps_beyond_the_limit_are_not_judged(nothing: str, made: Handmade, tmp_path: Path) -> None:
    """A table filled down further than the number of steps that a cell asks for."""
    step = replace(made, layout=replace(made.layout, step="step", texts={(3, 3): "steps", (3, 4): 7.0}))
    cells = grid(step)
    for (row, column), content in list(cells.items()):
        if row > FIRST and column > 1:
            cells[row, column] = f"=IF($A{row}>$D$3,{nothing},{str(content).removeprefix('=')})"
    path = saved(tmp_path / "steps.xlsx", cells)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:  # XlsxWriter does not say that an empty text is one
        for name, data in parts.items():
            book.writestr(name, re.sub(rb'(<c r="\w+")(><f>[^<]*</f><v></v>)', rb'\1 t="str"\2', data))
    found = only(path)
    assert found.table.last_row == FIRST + 7
    assert [one.cell for one in found.findings] == ([] if made is PLAIN else [step.place("∂E/∂w3")])


@pytest.mark.parametrize(
    ("symbol", "name"), [("h1", "i1"), ("E1", "t1"), ("∂E/∂w5", "t1"), ("∂E/∂w7", "t2"), ("∂E/∂w2", "i2")]
)
def test_a_reference_that_slides_into_empty_cells_is_found(symbol: str, name: str, tmp_path: Path) -> None:
    """Inputs and targets stand in the first row alone, and $ was forgotten once."""
    cells = grid()
    fixed = {PLAIN.place(one): f"${column_letters(PLAIN.column(one))}${FIRST}" for one in CONSTANT}

    def anchored(content: str, row: int) -> str:
        for place, there in fixed.items():
            content = content.replace(f"{place.rstrip('0123456789')}{row}", there)
        return content

    for (row, column), content in list(cells.items()):
        if row > FIRST and ORDER[column - 1] in CONSTANT:
            del cells[row, column]
        elif row >= FIRST and isinstance(content, str) and content.startswith("="):
            cells[row, column] = anchored(content, row)
    assert only(saved(tmp_path / "right.xlsx", cells)).ok
    letters, column = column_letters(PLAIN.column(name)), PLAIN.column(symbol)
    for row in range(FIRST, FIRST + ROWS):
        cells[row, column] = str(cells[row, column]).replace(f"${letters}${FIRST}", f"{letters}{row}")
    finding = first(saved(tmp_path / "wrong.xlsx", cells))
    assert finding.cell == f"{column_letters(column)}{FIRST + 1}"
    assert finding.count == ROWS - 1
    assert f"${letters}${FIRST}" in finding.expected
    assert f"below ${letters}${FIRST} ({name})" in finding.why


def with_relu(mask: str) -> Handmade:
    """The exercise with ReLU in its hidden layer, and one gradient's mask as given."""
    hidden = {f"a_h{k}": f"MAX(0,{{h{k}}})" for k in (1, 2)}
    slopes = {
        name: re.sub(r"\{a_h(\d)\}\*\(1-\{a_h\d\}\)", r"IF({h\1}>0,1,0)", text) for name, text in GRADIENTS.items()
    }
    made = replace(PLAIN, formulas={**PLAIN.formulas, **hidden, **slopes})
    return made.changed(g3=slopes["∂E/∂w3"].replace("IF({h2}>0,1,0)", mask))


@pytest.mark.parametrize("mask", ["IF({h1}<0,1,0)", "IF({h1}>0,1,0)", "IF({h2}<0,1,0)", "IF({h2}>0,0,1)"])
def test_a_wrong_mask_is_found(mask: str, tmp_path: Path) -> None:
    """Of another unit, or turned round: among the numbers that are tried, each unit is alive where the other is not."""
    assert only(write(tmp_path / "right.xlsx", with_relu("IF({h2}>0,1,0)"))).ok
    finding = first(write(tmp_path / "wrong.xlsx", with_relu(mask)))
    assert finding.cell == PLAIN.place("∂E/∂w3")
    assert PLAIN.place("h2") in finding.expected


@pytest.mark.parametrize("hidden", ["1/(1+EXP(-{h%d}))", "TANH({h%d})", "MAX(0,{h%d})"])
@pytest.mark.parametrize("target", [0.5, 3.0, -2.0])
def test_an_output_without_activation_is_no_relu(hidden: str, target: float, tmp_path: Path) -> None:
    """Regression: outputs as they are, whatever their sign."""
    slope = {"1": "{a}*(1-{a})", "T": "(1-{a}^2)", "M": "IF({a}>0,1,0)"}[hidden[0]]
    forward = {f"a_h{k}": hidden % k for k in (1, 2)} | {f"a_o{k}": f"{{o{k}}}" for k in (1, 2)}
    gradients = {}
    for name, text in GRADIENTS.items():
        text = re.sub(r"\*\{a_o\d\}\*\(1-\{a_o\d\}\)", "", text)
        gradients[name] = re.sub(
            r"\{a_h(\d)\}\*\(1-\{a_h\d\}\)", lambda unit: slope.replace("{a}", f"{{a_h{unit[1]}}}"), text
        )
    made = replace(
        PLAIN, formulas={**PLAIN.formulas, **forward, **gradients}, starts={**STARTS, "t1": target}, rate=0.05
    )
    found = only(write(tmp_path / "linear.xlsx", made))
    assert found.ok, found.findings
    assert found.network is not None and found.network.activations[-1] == "identity"


@pytest.mark.parametrize("value", ["{o1}", "MAX(0,{o1})"])
def test_a_neuron_with_a_bias_is_told_from_a_relu(value: str, tmp_path: Path) -> None:
    """Linear regression on samples in turn: the numbers that are tried have both signs, whatever the bias is."""
    slope = "" if value == "{o1}" else "*IF({a_o1}>0,1,0)"
    formulas = {"o1": "{w1}*{i1}+{w2}*{i2}+{b1}", "a_o1": value, "E_total": "0.5*({t1}-{a_o1})^2"}
    formulas |= {
        f"∂E/∂{name}": f"({{a_o1}}-{{t1}}){by}{slope}" for name, by in (("w1", "*{i1}"), ("w2", "*{i2}"), ("b1", ""))
    }
    formulas |= {name: f"{{{name}<}}-{{rate}}*{{∂E/∂{name}<}}" for name in ("w1", "w2", "b1")}
    data = {"t1": (0.0, 1.0, 1.5), "i1": (1.0, 2.0, 0.5), "i2": (2.0, 1.0, -1.0)}
    cells = {(name, row): numbers[row % 3] for name, numbers in data.items() for row in range(ROWS)}
    order = (*data, "w1", "w2", "b1", *list(formulas)[:6])
    made = Handmade(formulas, {**STARTS, "b1": 0.35}, 0.1, replace(PLAIN.layout, order=order), cells=cells)
    made = replace(made, starts={name: made.starts[name] for name in order if name in made.starts})
    found = only(write(tmp_path / "neuron.xlsx", made))
    assert found.ok, found.findings
    assert found.network is not None
    assert found.network.activations == ("identity" if not slope else "relu",)


def test_columns_called_errors_may_be_differences(tmp_path: Path) -> None:
    """E1 = a_o1 - t1, from which the loss and the gradients are made."""
    made = PLAIN.changed(E1="{a_o1}-{t1}", E2="{a_o2}-{t2}", E_total="0.5*({E1}^2+{E2}^2)")
    gradients = {
        name: text.replace("({a_o1}-{t1})", "{E1}").replace("({a_o2}-{t2})", "{E2}") for name, text in GRADIENTS.items()
    }
    made = replace(made, formulas={**made.formulas, **gradients})
    assert only(write(tmp_path / "right.xlsx", made)).ok
    wrong = replace(made, formulas={**made.formulas, "∂E/∂w7": gradients["∂E/∂w7"].replace("{E2}", "{E1}")})
    assert first(write(tmp_path / "wrong.xlsx", wrong)).cell == made.place("∂E/∂w7")
    turned = first(write(tmp_path / "turned.xlsx", made.changed(E2="{t2}-{a_o2}")))
    assert (turned.cell, turned.expected) == (made.place("E2"), f"={made.place('a_o2')}-{made.place('t2')}")


def deltas(turned: str = "", added: bool = False) -> Handmade:
    """Columns of δ, which the gradients take; those named are the other way round, or all, which updates then add."""
    out = {f"δ_o{k}": f"({{a_o{k}}}-{{t{k}}})*{{a_o{k}}}*(1-{{a_o{k}}})" for k in (1, 2)}
    if added:
        out = {name: re.sub(r"\((\{\w+\})-(\{\w+\})\)", r"(\2-\1)", text, count=1) for name, text in out.items()}
    if turned:
        out[turned] = re.sub(r"\((\{\w+\})-(\{\w+\})\)", r"(\2-\1)", out[turned], count=1)
    hidden = {f"δ_h{k}": f"({{δ_o1}}*{{w{4 + k}}}+{{δ_o2}}*{{w{6 + k}}})*{{a_h{k}}}*(1-{{a_h{k}}})" for k in (1, 2)}
    source = ["h1", "h1", "h2", "h2", "o1", "o1", "o2", "o2"], ["i1", "i2", "i1", "i2", "a_h1", "a_h2", "a_h1", "a_h2"]
    gradients = {
        f"∂E/∂w{k}": f"{{δ_{unit}}}*{{{given}}}" for k, (unit, given) in enumerate(zip(*source, strict=True), 1)
    }
    updates = {name: text.replace("-", "+") if added else text for name, text in UPDATES.items()}
    order = (*ORDER[:23], *out, *hidden, *ORDER[23:])
    formulas = {**PLAIN.formulas, **out, **hidden, **gradients, **updates}
    return replace(PLAIN, formulas=formulas, layout=replace(PLAIN.layout, order=order))


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("turned", ["", "δ_o1", "δ_o2"])
def test_a_delta_with_the_wrong_sign_is_named_itself(turned: str, added: bool, tmp_path: Path) -> None:
    """And not what is made of it; also where all are the other way round and updates add them, at the cell's rate."""
    made = deltas(turned, added)
    found = only(write(tmp_path / "deltas.xlsx", made))
    assert (found.rate, found.rate_cell) == (1, "D2")
    assert [one.cell for one in found.findings] == ([made.place(turned)] if turned else [])


def single(turned: bool = False) -> Handmade:
    """One output, and so one δ of it."""
    order = (
        "t1",
        "i1",
        "i2",
        *ORDER[4:14],
        "o1",
        "a_o1",
        "E_total",
        "δ_o1",
        "δ_h1",
        "δ_h2",
        *(f"∂E/∂w{k}" for k in range(1, 7)),
    )
    formulas = {name: text for name, text in deltas().formulas.items() if name in order}
    formulas |= {f"δ_h{k}": f"{{δ_o1}}*{{w{4 + k}}}*{{a_h{k}}}*(1-{{a_h{k}}})" for k in (1, 2)}
    formulas |= {"E_total": "0.5*({t1}-{a_o1})^2"}
    if turned:
        formulas |= {"δ_o1": "({t1}-{a_o1})*{a_o1}*(1-{a_o1})"}
    starts = {name: value for name, value in STARTS.items() if name in order}
    return replace(PLAIN, formulas=formulas, starts=starts, layout=replace(PLAIN.layout, order=order))


@pytest.mark.parametrize("turned", [False, True])
def test_the_one_delta_of_an_output_is_named_itself(turned: bool, tmp_path: Path) -> None:
    """Though it is the only one, so that not one δ of the layer is right."""
    made = single(turned)
    found = only(write(tmp_path / "single.xlsx", made))
    assert [one.cell for one in found.findings] == ([made.place("δ_o1")] if turned else [])


def lagged(**changes: str) -> Cells:
    """Rows that take the weights of the row above, and end with the new ones; the first has these alone."""
    order = [name for name in ORDER if not name.startswith("w")] + [f"w{k}" for k in range(1, 9)]
    made = replace(PLAIN, layout=replace(PLAIN.layout, order=tuple(order)))
    forward = {name: re.sub(r"\{(w\d)\}", r"{\1<}", text) for name, text in {**FORWARD, **GRADIENTS}.items()}
    updates = {f"w{k}": f"{{w{k}<}}-{{rate}}*{{∂E/∂w{k}}}" for k in range(1, 9)}
    cells = grid(replace(made, formulas={**CONSTANT, **forward, **updates}).changed(**changes))
    return {
        (row, column): STARTS[order[column - 1]] if row == FIRST + 1 and order[column - 1] in CONSTANT else content
        for (row, column), content in cells.items()
        if row != FIRST or order[column - 1].startswith("w")
    }


LAGGED = [name for name in ORDER if not name.startswith("w")] + [f"w{k}" for k in range(1, 9)]
LAGGED_SLIPS = {
    "g3": ("∂E/∂w3", GRADIENTS["∂E/∂w3"].replace("{a_h2}", "{a_h1}")),
    "h2": ("h2", FORWARD["h2"].replace("{w4}", "{w3}")),
    "w5": ("w5", "{w5<}-{rate}*{∂E/∂w6}"),
}


def test_rows_that_begin_with_the_weights_of_the_row_above_are_right(tmp_path: Path) -> None:
    """What it starts from is the first row's."""
    found = only(saved(tmp_path / "right.xlsx", lagged()))
    assert found.ok, found.findings
    assert dict(found.starts) == STARTS
    assert (found.rate, found.rate_cell) == (1, "D2")


@pytest.mark.parametrize("name", LAGGED_SLIPS)
def test_slips_in_such_rows_are_named(name: str, tmp_path: Path) -> None:
    """With the cells of the row above in what belongs there."""
    symbol, text = LAGGED_SLIPS[name]
    finding = first(saved(tmp_path / "wrong.xlsx", lagged(**{name: re.sub(r"\{(w\d)\}", r"{\1<}", text)})))
    assert finding.cell == f"{column_letters(LAGGED.index(symbol) + 1)}{FIRST + 1}"
    belongs = {"h2": f"{column_letters(LAGGED.index('w4') + 1)}{FIRST}"}
    assert belongs.get(name, "") in finding.expected


@pytest.mark.parametrize("made", [PLAIN, SLIP], ids=["right", "wrong"])
def test_0_beside_every_formula_is_no_value(made: Handmade, tmp_path: Path) -> None:
    """As programs write that do not calculate: it is said once."""
    found = examine(saved(tmp_path / "zeros.xlsx", grid(made), lambda value: 0))
    assert [one.cell for table in found.tables for one in table.findings] == (
        [] if made is PLAIN else [made.place("∂E/∂w3")]
    )
    assert "0 beside all" in found.note


def test_an_input_that_is_a_text_is_a_note(tmp_path: Path) -> None:
    """Excel multiplies it all the same."""
    cells = grid()
    values = values_of("Sheet1", cells)
    with xlsxwriter.Workbook(tmp_path / "text.xlsx") as book:
        sheet = book.add_worksheet("Sheet1")
        for (row, column), content in cells.items():
            if isinstance(content, str) and content.startswith("="):
                value = str(content) if column == PLAIN.column("i1") else values[row, column]
                sheet.write_formula(row - 1, column - 1, content, None, "0.05" if value == content else value)
            elif (row, column) == (FIRST, PLAIN.column("i1")):
                sheet.write_string(row - 1, column - 1, str(content))
            else:
                sheet.write(row - 1, column - 1, content)
    found = only(tmp_path / "text.xlsx")
    assert found.ok, found.findings
    assert any(f"{PLAIN.place('i1')} holds its number as a text" in note for note in found.notes)


@pytest.mark.parametrize("text", ['INDIRECT("B"&{0}-1)', "VLOOKUP(1,$A$1:$B$2,2)", "FOO({0})"])
def test_inputs_by_functions_that_are_not_known_are_a_note(text: str, tmp_path: Path) -> None:
    """Data is what it is."""
    cells = grid()
    values = values_of("Sheet1", cells)
    column = PLAIN.column("t2")
    with xlsxwriter.Workbook(tmp_path / "fetched.xlsx") as book:
        sheet = book.add_worksheet("Sheet1")
        for (row, at), content in cells.items():
            if isinstance(content, str) and content.startswith("="):
                fetched = f"={text.format(row)}" if at == column else content
                sheet.write_formula(row - 1, at - 1, fetched, None, values[row, at])
            else:
                sheet.write(row - 1, at - 1, content)
    found = only(tmp_path / "fetched.xlsx")
    assert found.ok, found.findings
    assert any("cannot be read" in note for note in found.notes)


def with_decay(update: str = "{η<}") -> Handmade:
    """A column of rates, each nine tenths of the one above; w5's update takes another one, if it is given."""
    order = ("η", *ORDER)
    updates = {name: text.replace("{rate}", "{η<}") for name, text in UPDATES.items()}
    updates["w5"] = UPDATES["w5"].replace("{rate}", update)
    formulas = {**PLAIN.formulas, **updates, "η": "0.9*{η<}"}
    layout = replace(PLAIN.layout, order=order, rate_label=None)
    return replace(PLAIN, formulas=formulas, starts={"η": 1.0, **STARTS}, layout=layout)


@pytest.mark.parametrize("update", ["{η<}", "$D$2", "$A$33"])
def test_an_update_with_another_rate_than_its_rows_is_found(update: str, tmp_path: Path) -> None:
    """Where all others take the rate of their own row."""
    made = with_decay(update)
    found = only(write(tmp_path / "decay.xlsx", made))
    assert any("the rate of its row in column A" in note for note in found.notes)
    assert [one.cell for one in found.findings] == ([] if update == "{η<}" else [made.place("w5", 2)])


def unlabelled(**changes: str) -> Handmade:
    """Gradients in columns whose labels say nothing, and changes of the weights beside them, which updates add."""
    made = PLAIN.changed(**changes)
    slopes = {f"part {k}": made.formulas[f"∂E/∂w{k}"] for k in range(1, 9)}
    moves = {f"move {k}": f"-{{rate}}*{{part {k}}}" for k in range(1, 9)}
    updates = {f"w{k}": f"{{w{k}<}}+{{move {k}<}}" for k in range(1, 9)}
    order = tuple(name for name in ORDER if not name.startswith("∂"))
    return replace(made.changed(**updates), extra={**slopes, **moves}, layout=replace(PLAIN.layout, order=order))


@pytest.mark.parametrize(
    ("column", "row", "content", "belongs"),
    [
        ("part 3", None, GRADIENTS["∂E/∂w3"].replace("{a_h2}", "{a_h1}"), "{a_h2}"),
        ("part 7", 5, GRADIENTS["∂E/∂w5"], "{a_o2}"),
        ("part 6", 5, 0.07, "{a_o1}"),
        ("move 4", None, "{rate}*{part 4}", "-"),
        ("move 8", 3, "-{rate}*{part 7}", "{part 8}"),
    ],
)
def test_a_wrong_cell_of_a_column_without_a_label_is_named_itself(
    column: str, row: int | None, content: str | float, belongs: str, tmp_path: Path
) -> None:
    """And not the update that takes it as all others take theirs."""
    made = unlabelled()
    assert only(write(tmp_path / "right.xlsx", made)).ok
    if row is None:
        wrong = replace(made, extra={**made.extra, column: str(content)})
    else:
        wrong = replace(made, cells={(column, row): f"={content}" if isinstance(content, str) else content})
    finding = first(write(tmp_path / "wrong.xlsx", wrong))
    assert finding.cell == made.place(column, row or 0)
    assert made.formula(belongs, row or 0) in finding.expected


def test_foreign_reports_are_foreign(tmp_path: Path) -> None:
    """And say so in JSON, whatever stands around a table."""
    found = examine(saved(tmp_path / "right.xlsx", spread(grid(), gap)))
    assert isinstance(found, Foreign)
    assert [table["first_row"] for table in found.json()["tables"]] == [33, 40]
