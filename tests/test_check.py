"""`check`: what it confirms, what it finds, what it says where a referee is missing, and what it refuses."""

from __future__ import annotations

import importlib.util
import math
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest
from edits import edit_and_recalculate
from referees import asked as check
from specs import few_steps, plain
from workbooks import ALL_OPTIMIZERS, Choice, change_parts, save_again, write_tables

from sheetgen.build import build
from sheetgen.check.engines import Engine
from sheetgen.check.origin import read_origin, spec_now
from sheetgen.check.referee import retrain
from sheetgen.check.report import NUDGE, SMALL
from sheetgen.cli import main
from sheetgen.errors import CheckError, ExcelError
from sheetgen.spec import template_names
from sheetgen.spec.structure import Run, Spec
from sheetgen.tabs.layout import TABLE_TOP
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula, column_letters
from sheetgen.xlsx.package import save
from sheetgen.xlsx.reader import read_formulas, read_properties, sheet_parts

ENGINES: list[object] = ["ironcalc", pytest.param("libreoffice", marks=pytest.mark.libreoffice)]


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seed exercise with two rates and 20 updates, every tab."""
    path = tmp_path_factory.mktemp("seed") / "seed.xlsx"
    build(plain("erav2", [0.5, 2.0], 20), path)
    return path


def part_of(path: Path, tab: str) -> str:
    """The name of a tab's part."""
    with zipfile.ZipFile(path) as archive:
        return dict(sheet_parts(archive))[tab]


def input_cell(path: Path, name: str) -> tuple[str, str]:
    """Where a named number stands."""
    cell = read_origin(path).inputs[name][0]
    return cell.tab, cell.address


def typed(path: Path, out: Path, name: str, content: str) -> Path:
    """A copy with other XML as the content of a named input cell."""
    tab, address = input_cell(path, name)
    pattern = rf'<c r="{address}"( s="\d+")?[^>]*>.*?</c>'
    return change_parts(path, out, {part_of(path, tab): (pattern, rf'<c r="{address}"\1{content}</c>')})


LONG = ("deep", "relu_regression", "softmax_three_classes", "xor")


@pytest.mark.parametrize("name", template_names())
def test_every_template_is_confirmed_by_ironcalc_and_pytorch(name: str, tmp_path: Path, torch: ModuleType) -> None:
    """The last bit in IronCalc, and in PyTorch 1e-11 of each column, or what its last bits change."""
    confirm(few_steps(name, pictures=name == "erav2"), tmp_path)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LONG)
def test_long_trainings_are_confirmed_to_their_end(name: str, tmp_path: Path, torch: ModuleType) -> None:
    """The same of all steps."""
    confirm(plain(name), tmp_path)


def confirm(spec: Spec, tmp_path: Path) -> None:
    build(spec, tmp_path / "a.xlsx")
    report = check(tmp_path / "a.xlsx")
    assert (report.ok, report.failure, report.note) == (True, "", "")
    engine, pytorch = report.comparisons
    assert engine.cells == sum(1 for _ in read_formulas(tmp_path / "a.xlsx"))
    assert engine.largest <= 1e-12
    headers = read_origin(tmp_path / "a.xlsx").headers.values()
    assert pytorch.cells == sum(map(len, headers)) * (spec.steps + 1)
    assert pytorch.largest <= 1e-11 or pytorch.largest <= spread_of_last_bits(spec)


def spread_of_last_bits(spec: Spec) -> float:
    """How far apart PyTorch's own numbers come to be if every step moves the weights in their last bits, as rounding
    does: of a column's largest. Some networks amplify it, and how much two machines differ is up to their processors.
    """
    largest = 0.0
    for run in spec.runs:
        scale: dict[str, float] = {}
        for row, moved in zip(retrain(spec, run), retrain(spec, run, NUDGE), strict=True):
            for name, value in row.items():
                scale[name] = max(scale.get(name, SMALL), abs(value))
                largest = max(largest, abs(value - moved[name]) / scale[name])
    return largest


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", ["erav2", "optimizers", "mazur_output_first"])
def test_templates_are_confirmed_by_libreoffice(name: str, tmp_path: Path, soffice: Path, torch: ModuleType) -> None:
    """The other engine, to 1e-12."""
    build(few_steps(name, pictures=False), tmp_path / "a.xlsx")
    report = check(tmp_path / "a.xlsx", "libreoffice")
    assert report.ok, report.failure
    assert report.comparisons[0].referee == "LibreOffice"
    assert report.comparisons[0].largest <= 1e-12


def test_the_report_is_a_short_table(seed: Path, capsys: pytest.CaptureFixture[str], torch: ModuleType) -> None:
    """One line for each referee: what it covered, how many cells, the largest difference; then that all agree."""
    assert main(("check", str(seed))) == 0
    out, err = capsys.readouterr()
    head, engine, pytorch, ours, verdict = out.splitlines()
    assert re.split(r"\s{2,}", ours)[::3] == ["sheetgen", "the same"]
    assert verdict == "all agree"
    assert re.split(r"\s{2,}", head) == ["referee", "what was compared", "cells", "largest difference"]
    formulas = f"{sum(1 for _ in read_formulas(seed)):,}"
    assert re.split(r"\s{2,}", engine) == [
        "IronCalc", "every formula's stored value with its recalculation", formulas, "0",
    ]  # fmt: skip
    referee, what, cells, largest = re.split(r"\s{2,}", pytorch)
    assert referee.startswith("PyTorch ")
    assert (what, cells) == ("every number of 2 training tabs with autograd and torch.optim", f"{2 * 21 * 32:,}")
    assert float(largest) < 1e-12
    assert err == ""


def test_progress_is_shown_on_stderr(seed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where asked for."""
    check(seed, progress=True)
    said = capsys.readouterr().err
    assert all(what in said for what in ("recalculating", "comparing"))


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    missing: Callable[..., object] = lambda name, *rest: None if name == "torch" else find(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", missing)


def test_without_pytorch_the_table_says_so(seed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recalculation is still compared."""
    without_torch(monkeypatch)
    report = check(seed)
    assert report.ok
    assert len(report.comparisons) == 1
    assert report.lines()[-2:] == ["PyTorch is not installed: not retrained.", "all agree"]


def test_a_wrong_stored_value_is_found(seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tab, address, formula, stored and recalculated, on one line; exit code 1."""
    pattern = r'(<c r="X10"[^>]*><f[^>]*/><v>)[^<]*'
    path = change_parts(seed, tmp_path / "a.xlsx", {part_of(seed, "lr 2"): (pattern, r"\g<1>0.25")})
    assert main(("check", str(path))) == 1
    err = capsys.readouterr().err
    found = re.fullmatch(r"sheetgen: (.*): lr 2!X10 \((=.*)\) stored 0.25, recalculated (0\.0\d+)\n", err)
    assert found, err
    assert found[1] == str(path)
    assert found[2] == "=V10+W10"


@pytest.mark.parametrize(
    ("kind", "content"),
    [("", "<v>0.25</v>"), (' t="e"', "<v>#NUM!</v>"), (' t="str"', "<v>a</v>"), (' t="b"', "<v>1</v>"), ("", "")],
)
def test_a_stored_value_of_another_kind_is_found(kind: str, content: str, seed: Path, tmp_path: Path) -> None:
    """A number, an error, a text, a truth value and nothing are five things."""
    pattern = r'<c r="X10"( s="\d+")?>(<f[^>]*/>)<v>[^<]*</v>'
    replacement = rf'<c r="X10"\1{kind}>\2{content}'
    path = change_parts(seed, tmp_path / "a.xlsx", {part_of(seed, "lr 2"): (pattern, replacement)})
    assert "lr 2!X10 " in check(path).failure


@pytest.mark.parametrize("stored", ["nan", "NaN", "1e999", "-inf", "1_0", "0x1", "", " "])
def test_a_stored_value_that_is_no_number_is_found(stored: str, seed: Path, tmp_path: Path) -> None:
    """What XML has in place of a number is a failure, whatever Python would make of it."""
    pattern = r'(<c r="X10"[^>]*><f[^>]*/><v>)[^<]*'
    path = change_parts(seed, tmp_path / "a.xlsx", {part_of(seed, "lr 2"): (pattern, rf"\g<1>{stored}")})
    assert "lr 2!X10 " in check(path).failure


def test_a_last_digit_is_found(seed: Path, tmp_path: Path) -> None:
    """A stored value that is off by 1e-13 of itself, where nothing amplifies rounding."""
    pattern = r'(<c r="X10"[^>]*><f[^>]*/><v>)([^<]*)'
    [found] = (cell.value for cell in read_formulas(seed, "lr 2") if cell.address == "X10")
    assert isinstance(found, float)
    for part in (1e-13, -1e-13):
        path = change_parts(
            seed, tmp_path / "a.xlsx", {part_of(seed, "lr 2"): (pattern, rf"\g<1>{found * (1 + part)!r}")}
        )
        assert "lr 2!X10 " in check(path).failure


def test_a_column_that_is_not_the_specs_is_refused(seed: Path, tmp_path: Path) -> None:
    """Relabelled, a column would be compared with nothing: other names, two that changed places, and one too few."""
    part, letters = part_of(seed, "lr 2"), column_letters(read_origin(seed).headers["lr 2"].index("∂E/∂w1") + 1)
    changes = {
        "xl/sharedStrings.xml": (">∂E/∂w1<", ">slope 1<"),
        part: (rf'<c r="{letters}7"[^>]*><v>[^<]*</v></c>', ""),
    }
    for name, change in changes.items():
        path = change_parts(seed, tmp_path / "a.xlsx", {name: change})
        with pytest.raises(
            CheckError, match=rf"lr [^!]*!{letters}7 is '(slope 1|nothing)'; there the spec has '∂E/∂w1'"
        ):
            check(path)


def test_a_table_of_other_length_than_its_spec_is_refused(seed: Path, tmp_path: Path, torch: ModuleType) -> None:
    """Before anything is trained: a spec may ask for a million steps."""
    for steps, found in (("1000000", "1,000,001"), ("19", "20")):
        path = change_parts(seed, tmp_path / "a.xlsx", {"xl/sharedStrings.xml": ("steps = 20", f"steps = {steps}")})
        with pytest.raises(CheckError, match=rf"tab lr 0\.5 has 21 rows of formulas; its spec asks for {found}"):
            check(path)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029"])
def test_a_text_with_any_line_break_is_read_whole(mark: str, tmp_path: Path) -> None:
    """The spec is a line a cell, and only the line feed parts lines."""
    spec = replace(Choice(steps=1).spec, title=f"one{mark}two")
    build(spec, tmp_path / "a.xlsx")
    found = read_origin(tmp_path / "a.xlsx").spec
    assert found is not None and found.title == spec.title


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", ["xor", "softmax_three_classes"])
def test_who_saved_a_workbook_is_told_by_the_application(name: str, tmp_path: Path, soffice: Path) -> None:
    """LibreOffice keeps the date; its values, cut to 15 digits, are confirmed by both engines all the same."""
    build(few_steps(name, 60 if name == "xor" else 20, pictures=False), tmp_path / "a.xlsx")
    again = save_again(tmp_path / "a.xlsx", tmp_path / "again")
    assert read_properties(again).modified == read_properties(tmp_path / "a.xlsx").modified
    assert (read_origin(tmp_path / "a.xlsx").as_built, read_origin(again).as_built) == (True, False)
    engines: tuple[Engine, ...] = ("ironcalc", "libreoffice")
    for engine in engines:
        report = check(again, engine)
        assert report.ok, report.failure


@pytest.mark.libreoffice
def test_sums_of_what_cancels_are_confirmed_by_libreoffice(tmp_path: Path, soffice: Path) -> None:
    """A thousand updates of the seed: its gradients are nearly 0."""
    build(plain("erav2", [1.0], 1000), tmp_path / "a.xlsx")
    report = check(tmp_path / "a.xlsx", "libreoffice")
    assert report.ok, report.failure
    assert report.comparisons[0].rounded > 0
    assert "cells beside these in which rounding explains more: " in "\n".join(report.lines())


def test_another_platforms_exp_is_no_difference(tmp_path: Path, torch: ModuleType) -> None:
    """A workbook of a machine whose functions round every other result in another way, and a wrong value in it."""
    program = """
import math, sys

def rounding(function):
    def other(*x):
        value = function(*x)
        return math.nextafter(value, math.inf) if int(math.frexp(value)[0] * 2**53) % 2 else value
    return other

for name in ("exp", "log", "tanh", "log1p", "expm1"):
    setattr(math, name, rounding(getattr(math, name)))
from dataclasses import replace
from sheetgen import build, load
from sheetgen.spec import override
build(replace(override(load(sys.argv[1]), [0.5], 20), pictures=sys.argv[1] == "erav2"), sys.argv[2])
"""
    for name in ("erav2", "softmax_three_classes", "xor"):
        path = tmp_path / f"{name}.xlsx"
        subprocess.run([sys.executable, "-c", program, name, path], check=True)
        report = check(path)
        assert report.ok, report.failure
        assert report.comparisons[0].rounded > 0


@pytest.mark.libreoffice
def test_a_wrong_value_in_a_workbook_that_was_saved_again_is_found(seed: Path, tmp_path: Path, soffice: Path) -> None:
    """Wherever it stands: in a table, where a row is looked up, and in the gradient check."""
    again = save_again(seed, tmp_path / "again")
    cells = [cell for cell in read_formulas(again) if isinstance(cell.value, float) and abs(cell.value) > 1e-6]
    for cell in cells[:: len(cells) // 12]:
        assert isinstance(cell.value, float)
        pattern = rf'(<c r="{cell.address}"(?:(?!</c>).)*<v>)[^<]*'
        change = {part_of(again, cell.tab): (pattern, rf"\g<1>{cell.value * (1 + 1e-7)!r}")}
        path = change_parts(again, tmp_path / "a.xlsx", change)
        assert f": {cell.tab}!{cell.address} " in check(path).failure


@pytest.mark.parametrize("options", ["momentum = 0", "momentum = 0\nweight_decay = 0.25"])
def test_a_momentum_of_0_keeps_a_velocity(options: str, tmp_path: Path, torch: ModuleType) -> None:
    """Which is the gradient, with its decay; torch.optim.SGD keeps none then."""
    spec = Choice(optimizers=("momentum",), options=options, steps=3, bias="trained").spec
    report = check(write_tables(spec, tmp_path / "a.xlsx"))
    assert report.ok, report.failure


def test_numbers_of_16_digits_are_confirmed(tmp_path: Path, torch: ModuleType) -> None:
    """A third, as a rate and as a slope: IronCalc cuts it to 15 digits in a formula and in a text."""
    spec = Choice("leaky_relu", "leaky_relu", rate=1 / 3, steps=20, samples=1).spec
    layers = tuple(replace(layer, negative_slope=1 / 3) for layer in spec.layers)
    build(replace(spec, layers=layers), tmp_path / "a.xlsx")
    report = check(tmp_path / "a.xlsx")
    assert report.ok, report.failure


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_user_may_do_to_a_workbook_is_told(
    engine: Engine, seed: Path, tmp_path: Path, torch: ModuleType
) -> None:
    """A formula typed over with its number, a name deleted, a data table, attributes in single quotes: no traceback."""
    table = part_of(seed, "lr 2")
    path = change_parts(
        seed,
        tmp_path / "a.xlsx",
        {table: (r'<c r="H10"( s="\d+")?><f[^>]*/><v>([^<]*)</v>', r'<c r="H10"\1><v>\2</v>')},
    )
    assert check(path, engine).ok
    wrong = change_parts(path, tmp_path / "b.xlsx", {table: (r'(<c r="H10"[^>]*>)<v>[^<]*', r"\1<v>0.5")})
    assert re.search(
        r"lr 2!H10 \(no formula\) is w3 after 2 updates: .*; =H9-\$B\$4\*AA9 belongs there",
        check(wrong, engine).comparisons[1].failure,
    )
    path = change_parts(
        seed, tmp_path / "c.xlsx", {"xl/workbook.xml": (r'<definedName name="w_1">[^<]*</definedName>', "")}
    )
    with pytest.raises(CheckError, match="the name w_1 means 'nothing'"):
        check(path, engine)
    row = '</row><row r="900"><c r="A900"><f t="dataTable" ref="A900:A901" dt2D="0" dtr="0" r1="B4"/><v>1</v></c></row>'
    path = change_parts(
        seed, tmp_path / "d.xlsx", {part_of(seed, "Compare"): ("</row></sheetData>", f"{row}</sheetData>")}
    )
    assert "d.xlsx: " in told(path, engine)
    pattern = r'<c r="X10"( s="\d+")?><f[^>]*/><v>[^<]*'
    path = change_parts(seed, tmp_path / "e.xlsx", {table: (pattern, "<c r='X10'><f>V10+W10</f><v>0.25")})
    assert "lr 2!X10 (=V10+W10) stored 0.25, " in told(path, engine)


def told(path: Path, engine: Engine) -> str:
    """What a check that fails says."""
    try:
        return check(path, engine).failure
    except CheckError as error:
        return str(error)


def test_the_formula_that_belongs_is_shown(seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the spec tells which one it is; the last line of the table says who differs."""
    pattern = r'(<c r="X8"[^>]*><f>)[^<]*'
    path = change_parts(seed, tmp_path / "a.xlsx", {part_of(seed, "lr 2"): (pattern, r"\g<1>V8-W8")})
    assert main(("check", str(path))) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("differs: sheetgen, IronCalc, PyTorch ")
    assert re.search(r"lr 2!X8 is =V8-W8; =V8\+W8 belongs there\n$", err)


@pytest.mark.libreoffice
def test_a_wrong_formula_with_matching_values_is_found_by_pytorch(
    seed: Path, tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """A forgotten factor in one gradient, recalculated and saved by LibreOffice: only retraining can tell."""
    letters = column_letters(read_origin(seed).headers["lr 0.5"].index("∂E/∂w6") + 1)
    pattern = rf'(<c r="{letters}9"[^>]*><f[^>]*>)[^<]*'
    wrong = change_parts(seed, tmp_path / "a.xlsx", {part_of(seed, "lr 0.5"): (pattern, r"\g<1>(S9-B9)*S9*M9")})
    report = check(save_again(wrong, tmp_path / "again"))
    engine, pytorch = report.comparisons
    assert engine.failure == ""
    assert f"lr 0.5!{letters}9 " in pytorch.failure
    assert " is ∂E/∂w6 after 1 updates: recalculated " in pytorch.failure
    assert report.failure == pytorch.failure


@pytest.mark.libreoffice
@pytest.mark.parametrize("engine", ["ironcalc", "libreoffice"])
def test_a_workbook_saved_by_libreoffice_is_confirmed(
    engine: Engine, seed: Path, tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """The other program's strings, names, formulas and 15 digits."""
    report = check(save_again(seed, tmp_path / "again"), engine)
    assert report.ok, report.failure
    assert len(report.comparisons) == 2


@pytest.mark.libreoffice
def test_changed_inputs_are_retrained_as_they_are_now(
    seed: Path, tmp_path: Path, soffice: Path, torch: ModuleType
) -> None:
    """A user types other numbers, one as a formula, and saves: the spec's text is old, the cells count."""
    path = seed
    for place, (name, content) in enumerate(
        {"w_1": "><v>0.9</v>", "i_2": "><v>-0.75</v>", "rate_2": "><v>1.25</v>", "t_1": "><f>1/4</f>"}.items()
    ):
        path = typed(path, tmp_path / f"{place}.xlsx", name, content)
    report = check(save_again(path, tmp_path / "again"))
    assert report.ok, report.failure
    assert report.comparisons[1].cells == 2 * 21 * 32


def with_numbers(spec: Spec, numbers: dict[str, float]) -> tuple[Spec, list[Run]]:
    """The spec and its runs with the named numbers changed; what is expected, written apart from `origin`."""
    inputs = ((numbers.get("i_1", spec.inputs[0][0]), spec.inputs[0][1]),)
    first = spec.layers[0]
    weights = ((numbers.get("w_1", first.weights[0][0]), first.weights[0][1]), first.weights[1])
    changed = replace(spec, inputs=inputs, layers=(replace(first, weights=weights), spec.layers[1]))
    runs = [replace(run, rate=numbers.get(f"rate_{at}", run.rate)) for at, run in enumerate(spec.runs, 1)]
    return changed, runs


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("numbers", [{"i_1": 0.9}, {"w_1": -1.5}, {"rate_2": 0.7}, {"i_1": 1, "rate_1": 3}], ids=str)
def test_changing_a_number_in_the_file_gives_what_pytorch_gives(
    numbers: dict[str, float], engine: Engine, seed: Path, torch: ModuleType
) -> None:
    """Every weight, loss and gradient of every row, typed into the sheet and recalculated by an engine."""
    edits = {input_cell(seed, name): value for name, value in numbers.items()}
    recalculated = edit_and_recalculate(seed, edits, engine)
    spec, runs = with_numbers(plain("erav2", [0.5, 2.0], 20), numbers)
    for run in runs:
        for step, row in enumerate(retrain(spec, run)):
            for place, name in enumerate(read_origin(seed).headers[run.label], 1):
                value = recalculated[run.label, f"{column_letters(place)}{TABLE_TOP + step}"]
                assert isinstance(value, (int, float))
                assert math.isclose(value, row[name], rel_tol=1e-11, abs_tol=1e-15), (run.label, name, step)


@pytest.mark.parametrize("engine", ENGINES)
def test_training_that_diverges_is_confirmed(engine: Engine, tmp_path: Path, torch: ModuleType) -> None:
    """Its last rows are Excel's errors, in the file and in every engine; PyTorch's are inf or nan."""
    choice = Choice("identity", "identity", "mse", "trained", optimizers=ALL_OPTIMIZERS, rate=1e6, steps=60)
    path = write_tables(choice.spec, tmp_path / "a.xlsx")
    assert any(isinstance(cell.value, ExcelError) for cell in read_formulas(path))
    report = check(path, engine)
    assert report.ok, report.failure


def test_an_error_where_pytorch_has_a_number_is_found(tmp_path: Path, torch: ModuleType) -> None:
    """An unstable formula: EXP(800) in a sigmoid, with the value that the engine gives it."""
    path = write_tables(Choice(units=(1,), samples=1, steps=2).spec, tmp_path / "a.xlsx")
    place = read_origin(path).headers["lr 0.01"].index("a_o1") + 1
    address = f"{column_letters(place)}{TABLE_TOP}"
    pattern = rf'<c r="{address}"([^>]*)><f>[^<]*</f><v>[^<]*</v>'
    broken = rf'<c r="{address}"\1 t="e"><f>1/(1+EXP(800))*EXP(800)</f><v>#NUM!</v>'
    path = change_parts(path, tmp_path / "b.xlsx", {part_of(path, "lr 0.01"): (pattern, broken)})
    assert f"lr 0.01!{address} " in check(path).comparisons[1].failure


def test_a_sensitive_training_is_no_failure(tmp_path: Path, torch: ModuleType) -> None:
    """RMSprop beyond its stable rate doubles every rounding error, 100 times: in PyTorch too, and so it is allowed."""
    choice = Choice(last="softmax", loss="cross_entropy", bias="trained", optimizers=("rmsprop",), rate=0.05, seed=20)
    report = check(write_tables(replace(choice, steps=100).spec, tmp_path / "a.xlsx"))
    assert report.ok, report.failure
    assert report.comparisons[1].largest > 1e-10


def test_a_workbook_without_a_spec_is_recalculated_only(tmp_path: Path) -> None:
    """As the tabs of a trained network are, alone in a workbook."""
    book = Book()
    book.add("CNN epochs").put(1, 1, Formula("=1+1", 2))
    save(book, tmp_path / "a.xlsx")
    report = check(tmp_path / "a.xlsx")
    assert report.ok
    assert report.comparisons[0].cells == 1
    assert report.note == "The workbook carries no spec: nothing to retrain."


def refusals(folder: Path, seed: Path) -> Iterator[tuple[Path, str]]:
    """Files that are refused, with what the message says."""
    yield folder / "absent.xlsx", "there is no such file"
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    yield empty, "has no workbook in it"
    text = folder / "text.xlsx"
    text.write_text("no workbook", encoding="utf-8")
    yield text, "is no .xlsx workbook"
    truncated = folder / "truncated.xlsx"
    truncated.write_bytes(seed.read_bytes()[:-2000])
    yield truncated, "is damaged or truncated"
    for name, keep in (("inputs", "spec"), ("other", "sheetgen")):
        foreign = folder / f"{name}.xlsx"
        book = openpyxl.Workbook()
        book.properties.title = keep
        book.save(foreign)
        yield foreign, "no training table was found"
    document = folder / "document.docx"
    with zipfile.ZipFile(document, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    yield document, "is no .xlsx workbook"
    renamed = change_parts(seed, folder / "renamed.xlsx", {"xl/workbook.xml": ('name="lr 2"', 'name="fast"')})
    yield renamed, "has no tab 'lr 2', which its spec asks for"
    yield typed(seed, folder / "word.xlsx", "w_3", ' t="str"><v>high</v>'), "is 'high'; a number is expected"
    yield typed(seed, folder / "rate.xlsx", "rate_1", "><v>-1</v>"), "PyTorch refuses a number of Inputs"


def test_what_cannot_be_checked_is_refused_in_one_line(
    seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], torch: ModuleType
) -> None:
    """Where, and what is wrong with it; exit code 1 and no traceback."""
    for path, message in refusals(tmp_path, seed):
        assert main(("check", str(path))) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"sheetgen: {path}: ")
        assert message in err
        assert err.count("\n") == 1


def test_an_empty_input_counts_as_0(seed: Path, tmp_path: Path) -> None:
    """As it does in formulas."""
    path = typed(seed, tmp_path / "a.xlsx", "w_3", ">")
    spec, _ = spec_now(read_origin(path), edit_and_recalculate(path, {}), path)
    assert spec.layers[0].weights[1][0] == 0.0


def test_an_origin_that_is_no_spec_is_refused(seed: Path, tmp_path: Path) -> None:
    """A user who edits the spec's text is told which tab it stands on."""
    path = change_parts(seed, tmp_path / "a.xlsx", {"xl/sharedStrings.xml": ("steps = 20", "stesp = 20")})
    with pytest.raises(CheckError, match=r"the spec on its tab Inputs: .*stesp"):
        check(path)
