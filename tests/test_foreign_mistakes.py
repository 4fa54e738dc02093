"""`check` on workbooks made by hand: every mistake that people make, in the layouts that they use, is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from handmade import FORWARD, GRADIENTS, ORDER, STARTS, UPDATES, Handmade, write

from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.told import Finding, Foreign

PLAIN = Handmade()


def renamed(**patterns: str) -> Callable[[str], str]:
    """Labels in another way: the first pattern that a symbol begins with, filled with what follows it."""

    def label(symbol: str) -> str:
        for start, pattern in patterns.items():
            beginning = {"gradient": "∂E/∂", "total": "E_total"}.get(start, start)
            if symbol.startswith(beginning):
                return pattern.format(symbol[len(beginning) :])
        return symbol

    return label


def layout(**changes: object) -> Handmade:
    """The exercise in another layout."""
    return replace(PLAIN, layout=replace(PLAIN.layout, **changes))  # type: ignore[arg-type]


WEIGHTS = [name for name in ORDER if name.startswith("w")]
BY_INPUT = {"w2": "w3", "w3": "w2", "w6": "w7", "w7": "w6"}


def by_input() -> Handmade:
    """Weights numbered by input: w1, w2 come from i1, and w5, w6 from h1."""

    def other(text: str) -> str:
        return re.sub(r"(?<=w)\d", lambda found: BY_INPUT.get(f"w{found[0]}", f"w{found[0]}")[1:], text)

    formulas = {other(name): other(text) for name, text in PLAIN.formulas.items()}
    starts = {name: STARTS[other(name)] for name in STARTS}
    return replace(PLAIN, formulas=formulas, starts=starts)


def with_helpers() -> Handmade:
    """Factors of the chain rule in columns of their own, to the right."""
    factors = {
        "∂E/∂a_o1": "{a_o1}-{t1}", "∂a_o1/∂o1": "{a_o1}*(1-{a_o1})",
        "∂E/∂a_o2": "{a_o2}-{t2}", "∂a_o2/∂o2": "{a_o2}*(1-{a_o2})",
    }  # fmt: skip
    gradients = {
        "∂E/∂w5": "{∂E/∂a_o1}*{∂a_o1/∂o1}*{a_h1}", "∂E/∂w6": "{∂E/∂a_o1}*{∂a_o1/∂o1}*{a_h2}",
        "∂E/∂w7": "{∂E/∂a_o2}*{∂a_o2/∂o2}*{a_h1}", "∂E/∂w8": "{∂E/∂a_o2}*{∂a_o2/∂o2}*{a_h2}",
    }  # fmt: skip
    return replace(PLAIN, formulas={**PLAIN.formulas, **gradients}, extra=factors)


def without_nets() -> Handmade:
    """Activations straight from weights and inputs, no column of net inputs."""
    found = {
        f"a_{name}": FORWARD[f"a_{name}"].replace(f"{{{name}}}", f"({FORWARD[name]})")
        for name in ("h1", "h2", "o1", "o2")
    }
    order = [name for name in ORDER if name not in ("h1", "h2", "o1", "o2")]
    return replace(layout(order=tuple(order)), formulas={**PLAIN.formulas, **found})


MIXED = {
    "∂E/∂w1": "E∂w1", "∂E/∂w2": "dE_total / dw2", "∂E/∂w3": "Edw3", "∂E/∂w4": "∂E∂W4", "∂E/∂w5": "δE_tot/δw5",
}  # fmt: skip
LAYOUTS: dict[str, Handmade] = {
    "a training tab's": PLAIN,
    "from column B, steps numbered": layout(left=2, step="Step", header=4, rate_at=(2, 3), rate_label=(2, 2)),
    "from column D, capitals": layout(
        left=4, header=2, rate_at=(1, 2), rate_label=(1, 1),
        label=renamed(gradient="∂E_total/∂ {}", w="W{}", total="E_TOTAL", t="T{}", i="I{}"),
    ),
    "weights first": layout(order=(*WEIGHTS, *(name for name in ORDER if name not in WEIGHTS))),
    "nets before activations": layout(
        order=(*ORDER[:8], "h1", "h2", "a_h1", "a_h2", *ORDER[12:16], "o1", "o2", "a_o1", "a_o2", *ORDER[20:])
    ),
    "out and net": layout(label=renamed(gradient="dE/d{}", total="Etotal", a_="out_{}", h="net_h{}", o="net_o{}")),
    "the schwa and subscripts": layout(label=renamed(gradient="ӘE/Ә{}", total="E_T", w="w_{}", a_="a{}")),
    "short gradients": layout(label=renamed(gradient="d{}", total="E_tot", i="i {}")),
    "mixed": layout(label=lambda one: MIXED.get(one, one)),
    "the rate in the formulas": layout(rate_text="1", rate_label=None),
    "the rate below its label": layout(rate_label=(2, 4), rate_at=(3, 4)),
    "weights from a block above": layout(block=(3, 9)),
    "factors to the right": with_helpers(),
    "numbered by input": by_input(),
    "no net inputs": without_nets(),
    "far down, text above": layout(
        header=48, rows=21,
        texts={(1, 1): "Backpropagation", (9, 3): "E_total = E1 + E2", (20, 2): "∂E/∂w5 = ∂(E1 + E2)/∂w5"},
    ),
}  # fmt: skip


def judged(made: Handmade, folder: Path) -> Foreign:
    """What is said of a workbook."""
    return examine(write(folder / "made.xlsx", made))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_right_workbook_has_no_finding(name: str, tmp_path: Path) -> None:
    """In any layout; what it trains is told."""
    found = judged(LAYOUTS[name], tmp_path)
    assert found.ok, found.lines()
    [table] = found.tables
    assert table.network is not None
    assert (table.network.units, table.rate, table.columns >= 23, table.compared > 250) == ((2, 2, 2), 1.0, True, True)


Mistake = tuple[Callable[[Handmade], Handmade], list[str], str]
"""What somebody does, the symbols of the columns that are wrong for it, and what is said of the first."""


def gradients(numbers: str, *changes: tuple[str, str]) -> Callable[[Handmade], Handmade]:
    """Gradients with other texts in them; what is changed must be there."""

    def change(made: Handmade) -> Handmade:
        new = {}
        for number in numbers:
            text = old = made.formulas[f"∂E/∂w{number}"]
            for before, after in changes:
                text = re.sub(before, after, text)
            assert text != old or made.extra, (number, text)
            new[f"g{number}"] = text
        return made.changed(**new)

    return change


def updates(**texts: str) -> Callable[[Handmade], Handmade]:
    """Other formulas."""
    return lambda made: made.changed(**texts)


def no_brackets(made: Handmade) -> Handmade:
    """The sum over both paths without its brackets."""
    new = {f"g{k}": re.sub(r"^\((.*\{w\d\})\)\*", r"\1*", made.formulas[f"∂E/∂w{k}"]) for k in range(1, 5)}
    return made.changed(**new)


MISTAKES: dict[str, Mistake] = {
    "1: a_h1 for a_h2": (
        gradients("34", ("a_h2", "a_h1")), ["∂E/∂w3", "∂E/∂w4"], r"\(.*h1.*\) stands where .*\(.*h2.*\) belongs, twice",
    ),
    "2: a_h2 for a_h1": (gradients("2", ("a_h1", "a_h2")), ["∂E/∂w2"], r"stands where .* belongs, twice"),
    "3: net for activation": (
        gradients("6", ("a_h2", "h2")),
        ["∂E/∂w6"], r"\(.*h2.*\) stands where .*\(.*h2.*\) belongs",
    ),
    "4: transposed": (
        gradients("1234", ("w7", "wx"), ("w6", "w7"), ("wx", "w6")),
        ["∂E/∂w1", "∂E/∂w2", "∂E/∂w3", "∂E/∂w4"], "the weights are transposed",
    ),
    "5: no brackets": (no_brackets, ["∂E/∂w1", "∂E/∂w2", "∂E/∂w3", "∂E/∂w4"], "brackets"),
    "6: times for minus": (
        gradients("1", (r"\{a_o1\}-\{t1\}", "{a_o1}*{t1}")),
        ["∂E/∂w1"], r"\* stands where - belongs",
    ),
    "6: t1 for t2": (gradients("2", ("t2", "t1")), ["∂E/∂w2"], r"\(.1\) stands where .*\(.2\) belongs"),
    "6: both": (gradients("1", (r"\{a_o1\}-\{t1\}", "{a_o1}*{t1}"), ("t2", "t1")), ["∂E/∂w1"], "; and "),
    "6: a copy": (lambda made: made.changed(g7=made.formulas["∂E/∂w5"]), ["∂E/∂w7"], "is the formula of"),
    "6: filled sideways": (
        updates(w2="{w2<}-{rate}*{∂E/∂w1<}", w3="{w3<}-{rate}*{∂E/∂w1<}"),
        ["w2", "w3"], "stands where",
    ),
    "6: E_total is E2": (updates(E_total="{E2}"), ["E_total"], "is the formula of|E1 is missing|missing"),
    "9: the other output": (
        gradients("78", (r"\*\{a_o2\}\*\(1-\{a_o2\}\)", "*{a_o1}*(1-{a_o1})")),
        ["∂E/∂w7", "∂E/∂w8"], r"stands where .* belongs",
    ),
    "11: another gradient": (updates(w4="{w4<}-{rate}*{∂E/∂w3<}"), ["w4"], "stands where"),
    "14: nets in the sum": (updates(o1="{w5}*{h1}+{w6}*{h2}"), ["o1"], "; and "),
    "14: a minus missing": (updates(a_h1="1/(1+EXP({h1}))"), ["a_h1"], "a minus is missing"),
    "14: a truth value": (updates(E1="{t1}=({a_o1})"), ["E1"], "truth value"),
    "turned round": (
        gradients("78", (r"\{a_o2\}-\{t2\}", "{t2}-{a_o2}")),
        ["∂E/∂w7", "∂E/∂w8"], r"^[A-Z]+\d+-[A-Z]+\d+ stands where [A-Z]+\d+-[A-Z]+\d+ belongs$",
    ),
    "plus": (updates(w5="{w5<}+{rate}*{∂E/∂w5<}"), ["w5"], r"\+ stands where - belongs"),
    "a factor missing": (gradients("1", (r"\*\(1-\{a_h1\}\)", "")), ["∂E/∂w1"], "the factor .* is missing"),
    "a path missing": (
        gradients("1", (r"\+\(\{a_o2\}-\{t2\}\).*\{w7\}\)", ")")),
        ["∂E/∂w1"], "the summand .* is missing",
    ),
    "nothing changes": (updates(w6="{w6<}"), ["w6"], "changes nothing"),
    "the rate twice": (updates(w7="{w7<}-{rate}*{rate}*2*{∂E/∂w7<}"), ["w7"], "the update implies the rate 2|factor"),
    "one row off": (gradients("5", (r"\{a_h1\}$", "{a_h1<}")), ["∂E/∂w5"], "is 1 row above"),
}  # fmt: skip


# Other formulas stand there, in which the mistakes would be other ones.
OTHERS = ("numbered by input", "no net inputs", "factors to the right")


# Every mistake in every layout; each layout and each mistake is in a third of them, which are not slow.
EVERY = [
    pytest.param(name, mistake, marks=[pytest.mark.slow] * ((at + kind) % 3 > 0), id=f"{mistake}-{name}")
    for kind, mistake in enumerate(MISTAKES)
    for at, name in enumerate(one for one in LAYOUTS if one not in OTHERS)
]


@pytest.mark.parametrize(("name", "mistake"), EVERY)
def test_a_mistake_is_named(name: str, mistake: str, tmp_path: Path) -> None:
    """With its first cell, what belongs there, and why; and nothing else is called wrong."""
    change, symbols, why = MISTAKES[mistake]
    made = change(LAYOUTS[name])
    found = judged(made, tmp_path)
    first = [made.place(symbol, symbol in UPDATES) for symbol in symbols]
    findings = [one for table in found.tables for one in table.findings]
    assert [one.cell for one in findings] == first
    assert [one.column for one in findings] == [made.layout.label(symbol) for symbol in symbols]
    assert re.search(why, findings[0].why), findings[0].why
    for finding, symbol in zip(findings, symbols, strict=True):
        rows = made.layout.rows - (symbol in UPDATES)
        assert finding.count == rows, finding
    assert mended(made, findings, tmp_path).ok


def moved(text: str, down: int) -> str:
    """A formula so many rows further down."""
    return re.sub(r"(?<![$\d])([A-Z]{1,2})(\d+)\b", lambda found: f"{found[1]}{int(found[2]) + down}", text)


def mended(made: Handmade, findings: list[Finding], folder: Path) -> Foreign:
    """What is said after the formulas that belong there are typed in."""
    cells: dict[tuple[str, int], str | float | bool] = {}
    for finding in findings:
        symbol = next(one for one in made.layout.order if made.layout.label(one) == finding.column)
        first = finding.rows[0] - made.layout.header - 1
        for row in range(finding.rows[0], finding.rows[1] + 1):
            down = row - finding.rows[0]
            cells[symbol, first + down] = moved(finding.expected, down)
    return judged(replace(made, cells=cells), folder)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(pair, marks=[pytest.mark.slow] * (at % 4 > 0), id=" and ".join(pair))
        for at, pair in enumerate(combinations([one for one in MISTAKES if one[0] in "123479a"], 2))
    ],
)
def test_pairs_of_mistakes_are_both_named(pair: tuple[str, str], tmp_path: Path) -> None:
    """Each column of either; one mistake gives one finding, and no cascade."""
    made, symbols = PLAIN, list[str]()
    for mistake in pair:
        change, wrong, _ = MISTAKES[mistake]
        if set(wrong) & set(symbols):
            pytest.skip("both change the same column")
        made = change(made)
        symbols += wrong
    findings = judged(made, tmp_path).tables[0].findings
    assert {one.cell for one in findings} == {made.place(symbol, symbol in UPDATES) for symbol in symbols}


def sliding(rate: str) -> Callable[[Handmade], Handmade]:
    """An update whose reference to the rate moves as it is filled down."""

    def change(made: Handmade) -> Handmade:
        cells: dict[tuple[str, int], str | float | bool] = {}
        at = made.layout.rate_at
        for row in range(1, made.layout.rows):
            down = f"{rate}{at[0] + row - 1}"
            cells["w2", row] = f"={{w2<}}-{down}*{{∂E/∂w2<}}"
        return replace(made, cells=cells)

    return change


def test_a_rate_that_slides_into_the_table_is_found(tmp_path: Path) -> None:
    """Half anchored, $D2: right in the first rows, then other numbers stand there."""
    made = sliding("$D")(layout(header=5, rows=20))
    [finding] = judged(made, tmp_path).tables[0].findings
    assert (finding.cell, finding.column) == (made.place("w2", 2), "w2")
    assert "stands where the rate $D$2 belongs: without $ it slides down" in finding.why


def test_a_rate_within_the_table_is_found(tmp_path: Path) -> None:
    """Every update refers to a cell of the table: circular once recalculated, though the stored values look right."""
    right = judged(PLAIN, tmp_path)
    assert right.ok
    cells: dict[tuple[str, int], str | float | bool] = {
        (f"w{k}", row): f"={{w{k}<}}-{PLAIN.place('w1', 2)}*{{∂E/∂w{k}<}}" for k in range(1, 9) for row in range(1, 12)
    }
    found = judged(replace(PLAIN, cells=cells, stored=PLAIN), tmp_path)
    assert {one.column for one in found.tables[0].findings} == {f"w{k}" for k in range(1, 9)}


def test_a_colon_for_a_comma_is_named(tmp_path: Path) -> None:
    """Which makes one range of four cells."""
    cells: dict[tuple[str, int], str | float | bool] = {
        ("h1", row): "=SUMPRODUCT({w1}:{w2}:{i1}:{i2})" for row in range(12)
    }
    right = dict.fromkeys(cells, 0.125)
    stored = replace(PLAIN, cells=right)
    findings = judged(replace(PLAIN, cells=cells, stored=stored), tmp_path).tables[0].findings
    assert (findings[0].cell, findings[0].why) == (PLAIN.place("h1"), "a colon stands where a comma belongs")


def test_a_rate_left_high_is_told(tmp_path: Path) -> None:
    """It is no mistake, and stands in the first line, with where it comes from and the first numbers."""
    lines = judged(replace(PLAIN, rate=4000.0), tmp_path).lines()
    assert "rate 4000 (D2)" in lines[0]
    assert lines[1] == (
        "starts  t1 0.5, t2 0.5, i1 0.05, i2 0.1, w1 0.15, w2 0.2, w3 0.25, w4 0.3, w5 0.4, w6 0.45, w7 0.5, w8 0.55"
    )


@pytest.mark.parametrize("digits", [6, 7, 8, 9, 10, 12])
def test_pasted_numbers_are_right_to_half_a_unit(digits: int, tmp_path: Path) -> None:
    """A sheet of numbers alone; one that is off by a unit of its last digit is found."""
    made = layout(pasted=digits, rate_label=None)
    found = judged(made, tmp_path)
    assert found.ok, found.lines()
    rate = found.tables[0].rate
    assert rate is not None and abs(rate - 1) < 10.0 ** (2 - digits)


def test_two_tables_are_both_judged(tmp_path: Path) -> None:
    """A teacher's on one tab, a learner's on another."""
    other = gradients("34", ("a_h2", "a_h1"))(layout(tab="mine", left=3))
    found = examine(write(tmp_path / "both.xlsx", PLAIN, other))
    assert [table.ok for table in found.tables] == [True, False]
    assert [table.table.tab for table in found.tables] == ["Sheet1", "mine"]


def test_no_half_with_the_gradients_of_half_is_told(tmp_path: Path) -> None:
    """Consistent, either is right."""
    whole = PLAIN.changed(E1="({t1}-{a_o1})^2", E2="({t2}-{a_o2})^2")
    [finding] = judged(whole, tmp_path).tables[0].findings
    assert "squared error without ½, and the gradients are those of half squared error" in finding.why
    doubled = whole.changed(**{f"g{k}": f"2*{GRADIENTS[f'∂E/∂w{k}']}" for k in range(1, 9)})
    found = judged(doubled, tmp_path)
    assert found.ok
    assert "squared error without ½" in found.lines()[0]


FORWARD_WITH = {
    "bias cells above": {"h1": "+$B$5", "h2": "+$B$5", "o1": "+$B$6", "o2": "+$B$6"},
    "biases in the formulas": {"h1": "+0.35", "h2": "+0.35", "o1": "+0.6", "o2": "+0.6"},
}


@pytest.mark.parametrize("biases", FORWARD_WITH.values(), ids=FORWARD_WITH)
def test_biases_without_columns_are_right(biases: dict[str, str], tmp_path: Path) -> None:
    """As in the widely read example, where they stay; one that stands in the wrong layer is named."""
    made = layout(texts={(5, 2): 0.35, (6, 2): 0.6})
    made = made.changed(**{name: f"{FORWARD[name]}{more}" for name, more in biases.items()})
    assert judged(made, tmp_path).ok
    wrong = made.changed(o2=f"{FORWARD['o2']}{biases['h1']}")
    [finding] = judged(wrong, tmp_path).tables[0].findings
    assert finding.cell == made.place("o2")


def test_a_bias_for_each_layer_has_a_column(tmp_path: Path) -> None:
    """Shared by the units of a layer, and not trained."""
    made = layout(order=(*ORDER[:8], "b1", *ORDER[8:16], "b2", *ORDER[16:]))
    biased = {name: f"{FORWARD[name]}+{{b{1 + (name[0] == 'o')}}}" for name in ("h1", "h2", "o1", "o2")}
    formulas = {**made.formulas, **biased, "b1": "{b1<}", "b2": "{b2<}"}
    made = replace(made, formulas=formulas, starts={**STARTS, "b1": 0.35, "b2": 0.6})
    found = judged(made, tmp_path)
    assert found.ok, found.lines()
    assert "with biases" in found.lines()[0]


def test_a_block_of_weights_is_no_table(tmp_path: Path) -> None:
    """A row of labels above a row of numbers, over the table that uses them."""
    names = list(STARTS)
    texts: dict[tuple[int, int], str | float] = {(10, 6 + k): name for k, name in enumerate(names)}
    made = layout(texts={**texts, **{(11, 6 + k): STARTS[name] for k, name in enumerate(names)}})
    found = judged(made, tmp_path)
    assert found.ok and len(found.tables) == 1


def test_every_update_uphill_is_found(tmp_path: Path) -> None:
    """The rate is no negative one; gradients that are the other way round, and added, go downhill."""
    uphill = {f"w{k}": f"{{w{k}<}}+{{rate}}*{{∂E/∂w{k}<}}" for k in range(1, 9)}
    findings = judged(PLAIN.changed(**uphill), tmp_path).tables[0].findings
    assert [one.column for one in findings] == [f"w{k}" for k in range(1, 9)]
    assert findings[0].why == "+ stands where - belongs"
    turned = {f"g{k}": f"-{GRADIENTS[f'∂E/∂w{k}']}" for k in range(1, 9)}
    found = judged(PLAIN.changed(**uphill, **turned), tmp_path)
    assert found.ok, found.lines()
    assert "gradients the other way round, and added" in found.lines()[0]


@pytest.mark.parametrize("mistake", ["1: a_h1 for a_h2", "6: a copy", "3: net for activation"])
def test_mistakes_in_pasted_numbers_are_found(mistake: str, tmp_path: Path) -> None:
    """Inputs of few digits are exact, and hide nothing."""
    change, symbols, _ = MISTAKES[mistake]
    made = change(layout(pasted=9))
    found = judged(made, tmp_path)
    assert [one.cell for one in found.tables[0].findings] == [made.place(symbol) for symbol in symbols]


def test_a_last_row_that_is_repeated_is_told(tmp_path: Path) -> None:
    """It is no step, and no mistake of the others."""
    last = {(name, row): f"={{{name}{'<' * (row - 10)}}}" for row in (11, 12) for name in ORDER}
    made = replace(layout(rows=13), cells=last)
    found = judged(made, tmp_path)
    assert found.ok, found.lines()
    assert "note    2 rows repeat row 43; not judged" in found.lines()


def test_a_rate_that_decays_in_a_column_is_right(tmp_path: Path) -> None:
    """Each update takes that of the row above."""
    made = layout(order=("lr", *ORDER))
    updates_ = {f"w{k}": f"{{w{k}<}}-{{lr<}}*{{∂E/∂w{k}<}}" for k in range(1, 9)}
    formulas = {**made.formulas, **updates_, "lr": "{lr<}*0.95"}
    made = replace(made, formulas=formulas, starts={**STARTS, "lr": 0.5})
    found = judged(made, tmp_path)
    assert found.ok, found.lines()
