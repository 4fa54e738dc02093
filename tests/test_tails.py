"""Functions far out, where they are small: their digits are kept in every engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import mpmath
import pytest
from edits import poison
from gnumeric import recalculate_in_gnumeric
from sympy import Symbol

from sheetgen.build import write
from sheetgen.check.engines import recalculate
from sheetgen.maths.printer import excel
from sheetgen.maths.rules import ACTIVATIONS, LOSSES
from sheetgen.maths.steps import evaluate
from sheetgen.xlsx.book import Book
from sheetgen.xlsx.cells import Formula

X, T = Symbol("x"), Symbol("t")
PLACES = [-700.0, -300.0, -50.0, -36.5, -33.0, -32.9, -20.0, -9.0, -2.0, -1e-9, 0.0, 1e-9, 0.5, 3.0, 19.9, 20.1, 30.0]
SOFTPLUS = ACTIVATIONS["softplus"](X, {})
_of_nets = LOSSES["binary_cross_entropy"].of_nets
assert _of_nets
LOSS = _of_nets(T, [X], 0)


def softplus(x: float) -> float:
    """log(1 + exp(x)) to 40 digits, and x itself beyond 20, as in torch."""
    with mpmath.workdps(40):
        return x if x > 20 else float(mpmath.log1p(mpmath.exp(x)))


def loss(x: float, target: float) -> float:
    """The binary cross-entropy of a logit to 40 digits."""
    with mpmath.workdps(40):
        return float(mpmath.log1p(mpmath.exp(x)) - mpmath.mpf(target) * mpmath.mpf(x))


@pytest.mark.parametrize("x", PLACES)
def test_small_values_keep_their_digits(x: float) -> None:
    """Softplus, and the loss of a right answer, to 14 digits however small they are."""
    assert evaluate(SOFTPLUS, {X: x}) == pytest.approx(softplus(x), rel=1e-14, abs=0)
    for target in (0.0, 1.0):
        assert evaluate(LOSS, {X: x, T: target}) == pytest.approx(loss(x, target), rel=1e-14, abs=0)


def test_the_loss_of_a_logit_is_torchs(torch: ModuleType) -> None:
    """At every place, for right and wrong answers and for those between; torch itself loses digits of the smallest."""
    for x in PLACES:
        for target in (0.0, 0.25, 1.0):
            tensors = (torch.tensor([one], dtype=torch.float64) for one in (x, target))
            theirs = torch.nn.functional.binary_cross_entropy_with_logits(*tensors).item()
            assert evaluate(LOSS, {X: x, T: target}) == pytest.approx(theirs, rel=1e-13, abs=1e-13)


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every place, with softplus and the loss of both targets as formulas; the stored values are poisoned."""
    book = Book()
    tab = book.add("tails")
    for row, x in enumerate(PLACES, 1):
        tab.put(row, 1, x)
        tab.put(row, 2, Formula(f"={excel(SOFTPLUS, {X: f'A{row}'})}"))
        for column, target in ((3, 0), (4, 1)):
            tab.put(row, column, Formula(f"={excel(LOSS, {X: f'A{row}', T: str(target)})}"))
    folder = tmp_path_factory.mktemp("tails")
    write(book, folder / "book.xlsx")
    poison(folder / "book.xlsx", folder / "poisoned.xlsx")
    return folder / "poisoned.xlsx"


def agrees(values: Mapping[tuple[str, str], object]) -> None:
    for row, x in enumerate(PLACES, 1):
        expected = softplus(x), loss(x, 0.0), loss(x, 1.0)
        for letter, right in zip("BCD", expected, strict=True):
            found = values["tails", f"{letter}{row}"]
            assert isinstance(found, (int, float))
            assert found == pytest.approx(right, rel=1e-13, abs=1e-300), (letter, x)


def test_ironcalc_keeps_them(workbook: Path) -> None:
    agrees(recalculate(workbook))


@pytest.mark.libreoffice
def test_libreoffice_keeps_them(workbook: Path, soffice: Path) -> None:
    agrees(recalculate(workbook, "libreoffice"))


def test_gnumeric_keeps_them(workbook: Path, ssconvert: Path) -> None:
    agrees(recalculate_in_gnumeric(workbook))
