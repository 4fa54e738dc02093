"""Data of a file: read or refused, scaled in cells, and split into what is learnt from and what is tested with."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from openpyxl import load_workbook
from referees import asked as check
from workbooks import write_tables

from sheetgen import build
from sheetgen.errors import SpecError
from sheetgen.lessons.exercise import make_exercise
from sheetgen.spec import Spec, dump, load, parse
from sheetgen.tabs.test import ACCURACY_ROW, LOSS_ROW

FLOWERS = """\
width,height,kind,price
1.0,2,rose,3
2.5,1e1,lily,4
"3",-4,rose,5
4,8,lily,6
5,7,oak,-1
6,9,oak,2
"""
TEXT = """\
learning_rates = [0.1]
steps = 30

[data]
file = "flowers.csv"
inputs = ["height", "width"]
classes = "kind"

[network]
loss = "cross_entropy"

[[network.layers]]
units = 3
activation = "softmax"
weights = "random"
bias = "random"
"""


def spec_of(folder: Path, text: str = TEXT, flowers: str | bytes = FLOWERS) -> Spec:
    """The spec of a file beside its data."""
    data = flowers if isinstance(flowers, bytes) else flowers.encode()
    (folder / "flowers.csv").write_bytes(data)
    (folder / "my.toml").write_text(text, encoding="utf-8")
    return load(folder / "my.toml")


def test_columns_are_taken_by_name_and_classes_become_targets(tmp_path: Path) -> None:
    """In the order asked for; a class is a 1 in its place, in alphabetical order."""
    spec = spec_of(tmp_path)
    assert spec.inputs == ((2.0, 1.0), (10.0, 2.5), (-4.0, 3.0), (8.0, 4.0), (7.0, 5.0), (9.0, 6.0))
    assert spec.targets[:3] == ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert spec.names == ("height", "width", "lily", "oak", "rose")
    alone = parse(dump(spec), "a workbook")
    assert alone == spec
    wanted = TEXT.replace('classes = "kind"', 'targets = ["price"]').replace("cross_entropy", "mse")
    numbers = spec_of(tmp_path, wanted.replace("units = 3", "units = 1").replace("softmax", "identity"))
    assert [row[0] for row in numbers.targets] == [3, 4, 5, 6, -1, 2]


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_scaled_and_split_every_number_is_pytorchs(scale: str, tmp_path: Path, torch: ModuleType) -> None:
    """Inputs scaled in cells; after 30 steps to 1e-10, recalculated to 1e-12."""
    options = f'scale = "{scale}"\ntest = 0.3\n[training]\nbatch = 2\n'
    spec = spec_of(tmp_path, TEXT.replace("[network]", f"{options}[network]"))
    assert (len(spec.inputs), len(spec.test_inputs), len(spec.test_targets)) == (4, 2, 2)
    learnt = zip(spec.inputs, spec.targets, strict=True)
    both = sorted([*learnt, *zip(spec.test_inputs, spec.test_targets, strict=True)])
    whole = spec_of(tmp_path)
    assert both == sorted(zip(whole.inputs, whole.targets, strict=True))
    assert parse(dump(spec), "a workbook") == spec
    engine, pytorch = check(write_tables(spec, tmp_path / "a.xlsx")).comparisons
    assert not (engine.failure or pytorch.failure)
    assert engine.largest <= 1e-12
    assert pytorch.largest <= 1e-10


def test_the_test_is_pytorchs_and_compare_shows_it(tmp_path: Path, torch: ModuleType) -> None:
    """Loss and accuracy of the samples that were kept apart, by the weights of the last row."""
    text = TEXT.replace("[network]", 'scale = "standard"\ntest = 0.5\n[network]')
    spec = spec_of(tmp_path, text)
    build(spec, tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx", data_only=True)
    run, test, compare = (list(book[name].iter_rows(values_only=True)) for name in ("lr 0.1", "Test", "Compare"))
    last = dict(zip(run[6], run[7 + spec.steps], strict=True))
    double = {"dtype": torch.float64}
    raw, targets = torch.tensor(spec.inputs, **double), torch.tensor(spec.test_targets, **double)
    given = (torch.tensor(spec.test_inputs, **double) - raw.mean(0)) / raw.std(0, correction=0)
    weights = torch.tensor([last[f"w{number}"] for number in range(1, 7)], **double).reshape(3, 2)
    logits = given @ weights.T + torch.tensor([last[f"b{number}"] for number in range(1, 4)], **double)
    loss = torch.nn.functional.cross_entropy(logits, targets).item()
    accuracy = (logits.argmax(1) == targets.argmax(1)).double().mean().item()
    shown = [next(one for one in test[row - 1][1:] if one is not None) for row in (LOSS_ROW, ACCURACY_ROW)]
    assert shown == pytest.approx([loss, accuracy], rel=1e-12)
    assert compare[5][7:9] == ("test loss", "test accuracy")
    assert compare[6][7:9] == pytest.approx((loss, accuracy), rel=1e-12)


FLAT = "width,height,kind\n1.0,2,rose\n1,3,lily\n1,4,oak\n"
BAD: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, ...]]] = {
    "no such file": (('"flowers.csv"', '"flower.csv"'), ("", ""), ("data.file", "'flower.csv'", "beside the spec")),
    "elsewhere": (('"flowers.csv"', '"../flowers.csv"'), ("", ""), ("data.file", "beside the spec", "Move the file")),
    "a folder": (('"flowers.csv"', '".."'), ("", ""), ("data.file", "'..'", "the name of a file")),
    "no column": (('"height"', '"hight"'), ("", ""), ("data.inputs[0]", "width, height", "Did you mean 'height'?")),
    "twice": (('"width"', '"height"'), ("", ""), ("data.inputs[1]", "twice", "choose from")),
    "no number": (("", ""), ("2.5", "2,5"), ("data.file", "5 values in line 3", "as many as names, 4")),
    "a word": (("", ""), ("2.5", "much"), ("(flowers.csv, line 3, column width:) is 'much'", "decimal point")),
    "not finite": (("", ""), ("2.5", "1e999"), ("line 3, column width:", "'1e999'", "Correct it.")),
    "no lines": (("", ""), (FLOWERS[24:], ""), ("data.file", "has 1 line", "a line of names and 1 to")),
    "a quote": (("", ""), ('"3"', '"3'), ("data.file cannot be read in line", "commas", "Save it again.")),
    "one class": (('"kind"', '"kind"'), ("lily", "rose"), ("units", "is 3", "2 numbers")),
    "classes and targets": (("classes", 'targets = ["price"]\nclasses'), ("", ""), ("data.classes", "beside targets")),
    "no targets": (('classes = "kind"\n', ""), ("", ""), ("data.targets is missing", "Add targets.")),
    "scale": (
        ("classes", 'scale = "zscore"\nclasses'),
        ("", ""),
        ("data.scale is 'zscore'", "minmax", "'standard' here"),
    ),
    "no spread": (("classes", 'scale = "minmax"\nclasses'), ("flat", ""), ("'minmax'", "width is 1.0 in every sample")),
    "test": (("classes", "test = 1.0\nclasses"), ("", ""), ("data.test is 1.0", "below 1", "Try 0.2.")),
    "all for the test": (("classes", "test = 0.9\nclasses"), ("", ""), ("which is 6 of 6", "left on each side")),
    "names beside": (("classes", 'names = ["a"]\nclasses'), ("", ""), ("data.names", "beside file", "Remove it.")),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_in_one_line(case: str, tmp_path: Path) -> None:
    """Where, what was found, what is allowed, what next."""
    (old, new), (was, becomes), parts = BAD[case]
    flowers = FLAT if was == "flat" else FLOWERS.replace(was, becomes) if was else FLOWERS
    with pytest.raises(SpecError) as caught:
        spec_of(tmp_path, TEXT.replace(old, new) if old else TEXT, flowers)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_only_ordinary_files_of_some_size_are_read(tmp_path: Path) -> None:
    """A pipe would wait for ever, and what is no UTF-8 is no CSV file."""
    with pytest.raises(SpecError, match="is not UTF-8 at byte 2"):
        spec_of(tmp_path, TEXT, b"a,\xff\n")
    with pytest.raises(SpecError, match=r"has \d+ bytes; an ordinary file of at most"):
        spec_of(tmp_path, TEXT, b"a" * (9 << 20))
    (tmp_path / "flowers.csv").unlink()
    os.mkfifo(tmp_path / "flowers.csv")
    with pytest.raises(SpecError, match="no ordinary file"):
        load(tmp_path / "my.toml")


def test_a_workbooks_spec_opens_no_file() -> None:
    """The text inside a workbook may come from anybody."""
    with pytest.raises(SpecError, match="a spec inside a workbook, or without a folder of its own, has its data in it"):
        parse(TEXT, "a.xlsx: the spec on its tab Inputs")


def test_an_exercise_of_scaled_or_split_data_is_refused(tmp_path: Path) -> None:
    """In one line; a file alone is as good as typed numbers."""
    assert make_exercise(spec_of(tmp_path)).columns
    with pytest.raises(SpecError, match="exercise: its data is scaled or split"):
        make_exercise(spec_of(tmp_path, TEXT.replace("classes", 'scale = "minmax"\nclasses')))
