"""`check` on labels that many write in other words, or that mean what stands beside them says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import GRADIENTS, ORDER, Formulas, Handmade, write

from sheetgen.check.foreign.findings import examine
from sheetgen.check.foreign.labels import symbol_of
from sheetgen.check.foreign.told import TableReport

ROWS = 8
MIDDLE = 4
SIGMOID = "1/(1+EXP(-{{{}}}))".format
TWO: Formulas = {
    **{f"δ_o{k}": f"({{a_o{k}}}-{{t{k}}})*{{a_o{k}}}*(1-{{a_o{k}}})" for k in (1, 2)},
    **{f"δ_h{k}": f"({{δ_o1}}*{{w{4 + k}}}+{{δ_o2}}*{{w{6 + k}}})*{{a_h{k}}}*(1-{{a_h{k}}})" for k in (1, 2)},
    **{f"∂E/∂w{k}": f"{{δ_h{(k + 1) // 2}}}*{{i{2 - k % 2}}}" for k in range(1, 5)},
    **{f"∂E/∂w{k}": f"{{δ_o{(k - 3) // 2}}}*{{a_h{2 - k % 2}}}" for k in range(5, 9)},
}
ONE: Formulas = {
    "h1": "{w1}*{i1}+{w2}*{i2}+{b1}",
    "a_h1": SIGMOID("h1"),
    "h2": "{w3}*{i1}+{w4}*{i2}+{b2}",
    "a_h2": SIGMOID("h2"),
    "o1": "{w5}*{a_h1}+{w6}*{a_h2}+{b3}",
    "a_o1": SIGMOID("o1"),
    "E_total": "0.5*({t1}-{a_o1})^2",
    "δ_o1": "({a_o1}-{t1})*{a_o1}*(1-{a_o1})",
    **{f"δ_h{k}": f"{{δ_o1}}*{{w{4 + k}}}*{{a_h{k}}}*(1-{{a_h{k}}})" for k in (1, 2)},
    **{f"∂E/∂w{k}": f"{{δ_h{(k + 1) // 2}}}*{{i{2 - k % 2}}}" for k in range(1, 5)},
    **{f"∂E/∂w{k}": f"{{δ_o1}}*{{a_h{k - 4}}}" for k in (5, 6)},
    "∂E/∂b1": "{δ_h1}",
    "∂E/∂b2": "{δ_h2}",
    "∂E/∂b3": "{δ_o1}",
}
NONE: Formulas = {
    "o1": "{w1}*{i1}+{w2}*{i2}+{b1}",
    "a_o1": SIGMOID("o1"),
    "E_total": "-({t1}*LN({a_o1})+(1-{t1})*LN(1-{a_o1}))",
    "∂E/∂w1": "({a_o1}-{t1})*{i1}",
    "∂E/∂w2": "({a_o1}-{t1})*{i2}",
    "∂E/∂b1": "{a_o1}-{t1}",
}
Words = Mapping[str, str]


def called(words: Words) -> Handmade:
    """The exercise, its δ in columns, by other labels; a word for a_h is one for a_h1, with its number for a brace."""
    order = [*ORDER[:23], *(name for name in TWO if name.startswith("δ")), *ORDER[23:]]
    return labelled(Handmade(), {**Handmade().formulas, **TWO}, order, words)


def single(formulas: Formulas, words: Words) -> Handmade:
    """A network with one output that sees the rows of XOR in turn."""
    names = sorted(
        {one.removeprefix("∂E/∂") for one in formulas if one.startswith("∂")}, key=lambda one: (one[0] == "b", one)
    )
    updates = {name: f"{{{name}<}}-{{rate}}*{{∂E/∂{name}<}}" for name in names}
    starts = {name: 0.1 * k - 0.3 for k, name in enumerate(names, 1)}
    rows = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
    data = {(name, row): float(rows[row % 4][k]) for row in range(ROWS) for k, name in enumerate(("i1", "i2", "t1"))}
    made = replace(Handmade(), starts=starts, cells=data)
    return labelled(
        made, {**formulas, **updates, "i1": "0", "i2": "0", "t1": "0"}, ["i1", "i2", "t1", *names, *formulas], words
    )


def labelled(made: Handmade, formulas: Formulas, order: list[str], words: Words) -> Handmade:
    """With these columns and labels."""

    def label(symbol: str) -> str:
        kind, number = re.fullmatch(r"(.*?)(\d*)", symbol).groups()  # type: ignore[union-attr]
        return words.get(symbol) or words.get(kind, kind + "{}").format(number)

    there = [name for name in order if words.get(name) != "-"]
    layout = replace(made.layout, order=there, label=label, rows=ROWS, header=4, rate_label=(2, 2), rate_at=(2, 3))
    return replace(made, formulas=formulas, layout=layout, rate=0.5)


def report(made: Handmade, folder: Path) -> TableReport:
    """What is found in its only table."""
    (found,) = examine(write(folder / "made.xlsx", made)).tables
    return found


UNITS = {"δ_h": "δ_h{}", "δ_o": "δ_o{}"}
OF_TWO: dict[str, Words] = {
    "Σ and a": {"h": "Σh{}", "o": "Σ_o{}"},
    "Σ and φ": {"h": "Σ h{}", "o": "∑o{}", "a_h": "φ(h{})", "a_o": "φ(o{})"},
    "Σ and σ": {"h": "Σh{}", "o": "Σo{}", "a_h": "σ(h{})", "a_o": "σ(o{})"},
    "Σ and nothing": {"h": "Σh{}", "o": "Σo{}", "a_h": "h{}", "a_o": "o{}"},
    "nothing and net": {"a_h": "h{}", "a_o": "o{}", "h": "net_h{}", "o": "net_o{}"},
    "s, y and d": {"h": "s_h{}", "a_h": "y_h{}", "o": "s_o{}", "a_o": "y_o{}", "t": "d{}", "i": "x{}"},
    "y beside t": {"a_o": "y{}"},
    "sentences": {
        "h": "Net input of hidden neuron {}", "a_h": "Output of hidden neuron {}", "w": "Weight {}",
        "o": "Net input of output neuron {}", "a_o": "Output of output neuron {}", "E": "Error of output {}",
        "∂E/∂w": "Gradient of weight {}",
    },
    "units first": {"h": "Hidden {} net", "a_h": "Hidden {} out", "o": "Output {} net", "a_o": "Output {} out"},
    "one word": {"h": "hidden{} net", "a_h": "hidden{} out", "o": "output{} net", "a_o": "output{} out"},
    "before and after": {
        "h": "h{} before activation", "a_h": "h{} after activation", "o": "o{} pre-activation",
        "a_o": "o{} after activation",
    },
    "line breaks": {"w": "weight\nw{}", "h": "h{}\n(net)", "a_h": "a_h{}\n(out)", "E_total": "Total\nerror"},
    "hyphens": {
        "h": "net-h{}", "a_h": "out-h{}", "t": "target-o{}", "E": "E-o{}", "E_total": "E-total", "∂E/∂w": "dE-dw{}",
    },
    "brackets": {
        **{kind: f"{kind}[{{}}]" for kind in ("t", "i", "w", "h", "a_h", "o", "a_o", "E")}, "∂E/∂w": "dE/dw[{}]",
    },
    "Portuguese": {
        "w": "peso w{}", "h": "soma h{}", "a_h": "saída h{}", "o": "soma o{}", "a_o": "saída o{}", "E": "Erro {}",
    },
    "French": {
        "t": "Cible {}", "i": "Entrée {}", "w": "Poids {}", "h": "Somme h{}", "a_h": "Sortie h{}", "o": "Somme o{}",
        "a_o": "Sortie o{}", "E": "Erreur {}", "E_total": "Erreur totale", "∂E/∂w": "Gradient w{}",
    },
    "numbers last": {"h": "h_net_{}", "a_h": "h_act_{}", "o": "o_net_{}", "a_o": "o_act_{}"},
    "weights of layers": {
        **{f"w{k}": f"wh{k}" for k in range(1, 5)}, **{f"w{k}": f"wo{k - 4}" for k in range(5, 9)},
        **{f"∂E/∂w{k}": f"dE/dwh{k}" for k in range(1, 5)}, **{f"∂E/∂w{k}": f"dE/dwo{k - 4}" for k in range(5, 9)},
    },
    "v": {**{f"w{k}": f"v{k - 4}" for k in range(5, 9)}, **{f"∂E/∂w{k}": f"dE/dv{k - 4}" for k in range(5, 9)}},
    "one label for all losses": {"E": "Total error", "E_total": "Total error"},
    "a slope beside": {"δ_h": "σ'(h{})"},
}  # fmt: skip
OF_ONE: dict[str, Words] = {
    **{f"target {word}": {"t1": word} for word in (
        "y", "Y", "y_true", "label", "class", "desired", "expected", "d", "y_target", "target y", "y (target)",
        "actual",
    )},
    "y and yhat": {"t1": "y", "a_o1": "yhat"},
    "y and o": {"t1": "y", "o1": "net_o", "a_o1": "o"},
    "y and y_pred": {"t1": "y", "o1": "z_o", "a_o1": "y_pred"},
    "expected and actual": {"t1": "expected", "a_o1": "actual"},
    "desired and y": {"t1": "desired", "o1": "z_o", "a_o1": "y"},
    "numbered through": {"h": "z{}", "a_h": "a{}", "o1": "z3", "a_o1": "a3", "t1": "y"},
    "z3": {"o1": "z3", "a_o1": "ŷ", "t1": "y"},
    **{f"bias {word}": {
        "b1": "b_h1", "b2": "b_h2", "b3": word, "∂E/∂b1": "dE/db_h1", "∂E/∂b2": "dE/db_h2", "∂E/∂b3": f"dE/d{word}",
    } for word in ("b_o", "bo", "b_out", "b_y", "bias_o", "b2")},
    "biases of layers": {
        "b1": "b1_1", "b2": "b1_2", "b3": "b2_1", "∂E/∂b1": "dE/db1_1", "∂E/∂b2": "dE/db1_2", "∂E/∂b3": "dE/db2_1",
    },
    "θ": {"b": "θ{}", "∂E/∂b": "∂E/∂θ{}"},
}  # fmt: skip
OF_NONE: dict[str, Words] = {
    "y and yhat": {"t1": "y", "o1": "z", "a_o1": "yhat", "b1": "b", "∂E/∂b1": "dL/db", "E_total": "L"},
    "t and a": {"t1": "t", "o1": "z", "a_o1": "a", "b1": "bias", "∂E/∂b1": "dL/dbias"},
    "t and y": {"t1": "t", "o1": "net", "a_o1": "y", "b1": "b", "∂E/∂b1": "db"},
    "z1 and a1": {"o1": "z1", "a_o1": "a1"},
    "σ(z)": {"t1": "y", "o1": "Σ", "a_o1": "out"},
}
RIGHT = [
    *(pytest.param(called({**UNITS, **words}), 31, id=f"two outputs: {name}") for name, words in OF_TWO.items()),
    *(pytest.param(single(ONE, words), 28, id=f"one output: {name}") for name, words in OF_ONE.items()),
    *(pytest.param(single(NONE, words), 9, id=f"no hidden unit: {name}") for name, words in OF_NONE.items()),
]
FEWER = {"one label for all losses": 29, "a slope beside": 29}
"""Columns that are judged where some are helpers."""


@pytest.mark.parametrize(("made", "columns"), RIGHT)
def test_a_right_workbook_in_other_words_is_right(
    made: Handmade, columns: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every column is judged, and none is wrong."""
    found = report(made, tmp_path)
    assert found.ok, (found.trouble, found.findings)
    assert found.columns == FEWER.get(request.node.callspec.id.rpartition(": ")[2], columns)


DELTAS: dict[str, Words] = {
    "delta": {"δ_h": "delta_h{}", "δ_o": "delta_o{}"},
    "words": {"δ_h": "delta h{}", "δ_o": "Delta_o{}"},
    "error signals": {"δ_h": "error signal h{}", "δ_o": "Error signal o{}"},
    "slopes of nets": {"δ_h": "dE/dnet_h{}", "δ_o": "∂E/∂net_o{}"},
    "slopes of z": {"δ_h": "∂E/∂z_h{}", "δ_o": "∂E/∂z_o{}"},
    "slopes of units": {"δ_h": "∂E/∂h{}", "δ_o": "∂E/∂o{}"},
    "numbers, output first": {"δ_o1": "δ1", "δ_o2": "δ2", "δ_h1": "δ3", "δ_h2": "δ4"},
    "numbers, hidden first": {"δ_o1": "d3", "δ_o2": "d4", "δ_h1": "d1", "δ_h2": "d2"},
}


@pytest.mark.parametrize("words", DELTAS.values(), ids=DELTAS)
@pytest.mark.parametrize("symbol", ["δ_o1", "δ_h2"])
def test_a_slip_in_a_delta_is_named_there(words: Words, symbol: str, tmp_path: Path) -> None:
    """And nowhere else, although gradients are made of it."""
    made = called(words)
    slip = replace(made, formulas={**made.formulas, symbol: made.formulas[symbol].replace("(1-", "(1+")})
    found = report(slip, tmp_path)
    assert [one.column for one in found.findings] == [made.layout.label(symbol)]
    assert report(made, tmp_path).ok


def test_slopes_in_outputs_are_no_deltas(tmp_path: Path) -> None:
    """∂E/∂out_o1, which a gradient multiplies by the activation's slope, is a helper, also if it is called ∂E/∂o1."""
    made = called({"δ_h": "-"} | {f"δ_h{k}": "-" for k in (1, 2)} | {"h": "net_h{}", "o": "net_o{}", "δ_o": "∂E/∂o{}"})
    slopes = {f"δ_o{k}": f"{{a_o{k}}}-{{t{k}}}" for k in (1, 2)}
    gradients = {
        f"∂E/∂w{k}": f"{{δ_o{(k - 3) // 2}}}*{{a_o{(k - 3) // 2}}}*(1-{{a_o{(k - 3) // 2}}})*{{a_h{2 - k % 2}}}"
        for k in range(5, 9)
    }
    found = report(replace(made, formulas={**made.formulas, **GRADIENTS, **slopes, **gradients}), tmp_path)
    assert found.ok, (found.trouble, found.findings)
    assert found.columns == 27


@pytest.mark.parametrize("label", [
    "Δw1", "delta w1", "Delta b1", "σ'(h1)", "f'(o1)", "∂E/∂out_o1", "dE/da_h1", "∂out_h1/∂net_h1", "dE/dy", "t-o1",
    "t1-o1", "a_o1 - t1", "by hand", "layer 1", "hidden layer 1", "y", "d1", "a", "b", "z", "note", "output", "data",
    "who", "weight",
])  # fmt: skip
def test_what_means_nothing_by_itself(label: str) -> None:
    """Or something that no column of a network is."""
    assert symbol_of(label) == ""
