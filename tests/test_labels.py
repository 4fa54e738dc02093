"""An optimizer's label names a tab that every program reads alike, or is refused in one line."""

from pathlib import Path

import pytest

from sheetgen import build, check
from sheetgen.errors import SpecError
from sheetgen.spec import parse
from sheetgen.spec.structure import Spec, rate_label

SPEC = """\
learning_rates = [0.1]
steps = 1
[data]
inputs = [[1]]
targets = [[0.5]]
[network]
loss = "mse"
layers = [{units = 1, activation = "sigmoid", weights = [[0.3]]}]
[training]
"""


def labelled(*labels: str) -> Spec:
    """A spec that compares sgd under these labels."""
    entries = (f'{{name = "sgd", label = "{label}"}}' for label in labels)
    return parse(SPEC + f"optimizers = [{', '.join(entries)}]", "my.toml")


REFUSED = {
    "an asterisk": ("a*b", "none of [ ] : * ? / \\ ! ~"),
    "an escape for MATCH": ("~b", "none of [ ] : * ? / \\ ! ~"),
    "an exclamation mark": ("a!b", "none of [ ] : * ? / \\ ! ~"),
    "an error": ("#REF!", "none of [ ] : * ? / \\ ! ~"),
    "an apostrophe": ("'a", "no apostrophe at either end"),
    "a formula": ("=b", "begin a formula"),
    "a sign": ("-b", "begin a formula"),
    "an escaped letter": ("_x0041_", "another way to write A"),
    "an escape of three digits, to LibreOffice": ("a_x004_", "another way to write A"),
    "a blank first": (" a", "no blank at either end"),
    "a blank last": ("a ", "no blank at either end"),
    "a number": ("0.9", "be taken for a number"),
    "a number with an exponent": ("1e5", "be taken for a number"),
    "a date": ("1-2", "be taken for a number, a date"),
    "a truth value": ("True", "be taken for a number, a date or a truth value"),
    "a rate's tab": ("LR 0.1", "looks like the tab of a learning rate"),
    "zero width": (r"a\u200bb", "has the invisible character U+200B"),
    "a joiner": (r"a\u034fb", "has the invisible character U+034F"),
    "a variation selector": (r"\u2764\ufe0f", "has the invisible character U+FE0F"),
    "a filler": (r"\u3164", "has the invisible character U+3164"),
    "another blank": (r"a\u00a0b", "has the invisible character U+00A0"),
    "a line separator": (r"a\u2028b", "has the invisible character U+2028"),
    "too long": ("x" * 32, "has 32 characters; it names a tab: at most 31"),
    "too long in Excel": ("🙂" * 16, "has 32 characters (as Excel counts them)"),
    "a tab of every workbook": ("gradient CHECK", "that of a tab of every workbook"),
    "a tab of every workbook, oddly": ("ſtart", "that of a tab of every workbook"),
    "a tab of Excel": ("history", "that of a tab of every workbook"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_label_that_programs_read_differently_is_refused(case: tuple[str, str]) -> None:
    """Alone too, so that what is a label does not depend on what stands beside it."""
    with pytest.raises(SpecError) as caught:
        parse(SPEC + f'optimizer = {{name = "sgd", label = "{case[0]}"}}', "my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: training.optimizer.label ")
    assert case[1] in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("straße", "STRASSE"),
        ("ß", "ẞ"),
        ("ı", "I"),
        ("İ", "i"),
        ("ﬁt", "FIT"),
        ("Ａ", "a"),
        ("é", r"e\u0301"),
        ("σ", "ς"),
    ],
)
def test_two_labels_that_are_one_to_some_program_are_refused(first: str, second: str) -> None:
    """Excel folds case in its own way, others in theirs; what any of them takes for one tab is one."""
    with pytest.raises(SpecError, match=r"optimizers\[1\]\.label is .*this name is that of training\.optimizers\[0\]"):
        labelled(first, second)


ALLOWED = (
    "🙂" * 15,
    "x" * 31,
    "it's",
    "über-schnell",
    "uber-schnell",
    "A1",
    "R1C1",
    "β = 0.9",
    "1st, 50% & <b>",
    "{a}; (b)",
    "日本",
    "#1",
    "lr",
    "a  b",
    r"5\" $ ^ | @",
    "x+y=z-1",
)


def test_any_other_label_names_a_tab_in_every_engine(tmp_path: Path) -> None:
    """Engine and PyTorch agree, tab by tab, with the strangest labels that are allowed."""
    spec = labelled(*ALLOWED)
    summary = build(spec, tmp_path / "labels.xlsx")
    assert {run.label for run in spec.runs} <= set(summary.tabs)
    report = check(tmp_path / "labels.xlsx")
    assert report.ok, report.failure


@pytest.mark.libreoffice
def test_any_other_label_names_a_tab_in_libreoffice(tmp_path: Path, soffice: Path) -> None:
    """The same in LibreOffice."""
    build(labelled(*ALLOWED), tmp_path / "labels.xlsx")
    report = check(tmp_path / "labels.xlsx", engine="libreoffice")
    assert report.ok, report.failure


@pytest.mark.parametrize(
    ("rate", "label"),
    [
        (0.1, "lr 0.1"),
        (2.0, "lr 2"),
        (1e-05, "lr 1e-05"),
        (0.1 + 0.2, "lr 0.3"),
        (1e-300, "lr 1e-300"),
        (5e-324, "lr 4.94065645841247e-324"),
        (123456789012345.6, "lr 123456789012346"),
        (1.7976931348623157e308, "lr 1.79769313486232e+308"),
    ],
)
def test_the_label_of_a_rate_is_short(rate: float, label: str) -> None:
    """As many digits as Excel shows, and a name that a tab can have."""
    assert rate_label(rate) == label
    assert len(label) <= 31
