"""What long tables are computed with gives what the formula's tree gives, or leaves the formula alone."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sheetgen.formulas.evaluate import At, compiled, evaluate
from sheetgen.formulas.sheet import Sheet, Table
from sheetgen.formulas.swift import swift, together

WIDTH, ROW = 4, 11
FIXED: dict[tuple[int, int], float] = {(5, 1): 0.25, (5, 2): 3.0, (8, 6): 1.5, (9, 6): -2.0}
QUICK = (
    "A11+B11*C11-D11/2", "-A11+A10", "A11-B11-C11", "A11*$A$5+D$8", "IF(A11>=0,1/(1+EXP(-A11)),EXP(A11)/(1+EXP(A11)))",
    "MAX(A11,B11,0)+MIN(C11,D11)", "TANH(A11)+ABS(B11)", "LN(1+EXP(-ABS(A11)))",
    "INDEX($F$8:$F$9,MOD(INT(ABS(A11)),2)+1)",
    "IF(A11=B11,1,IF(A11<>A11,2,ROUND(C11,3)))", "SQRT(ABS(A11))/(1+B11*B11)",
    "0.5*(A11-B11)^2", "-A11^2+ABS(B11)^0.5",
)  # fmt: skip
LEFT_ALONE = (
    "Inputs!A1+A11",
    "SUM(A11:B11)",
    "A11&B11",
    "A9+1",
    "A11%",
    "IF(A11,1,2)",
    "rate_1*A11",
    "$A$6+A11",
    "F11+1",
    "F10+1",
    "E11+1",
)


def values_of(draw: random.Random) -> tuple[list[float], list[float]]:
    above, row = ([draw.choice((0.0, 1.0, draw.gauss(0, 3), draw.gauss(0, 300))) for _ in range(WIDTH)] for _ in "ab")
    return above, row


def known(place: tuple[int, int]) -> object:
    return 0.5 if place[0] == 8 and place[1] <= WIDTH else FIXED.get(place)


def quick(text: str) -> Any:
    written = swift(text, (ROW, WIDTH + 1), WIDTH, known)
    assert written is not None
    return together({WIDTH: written})


@pytest.mark.parametrize("text", QUICK)
def test_it_gives_what_the_tree_gives(text: str) -> None:
    """To the last bit, for 200 random rows; where it gives up, the tree gives an error or comes from an overflow."""
    draw, compared = random.Random(text), 0
    made = quick(text)
    for _ in range(200):
        above, row = values_of(draw)
        sheet = Sheet(values={**FIXED, (8, 4): 0.5}, table=Table(ROW - 1, [above, row]))
        wanted = evaluate(compiled(text), At({"T": sheet}, {}, "T", ROW, 5))
        filled = [*row, None]
        try:
            made(filled, above)
        except (ArithmeticError, ValueError):
            assert filled[WIDTH] is None
            continue
        assert filled == [*row, wanted]
        compared += 1
    assert compared > 150


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_it_does_not_know_is_left_to_the_tree(text: str) -> None:
    """Other tabs, names, ranges, texts, rows further up, and fixed cells without a number."""
    assert swift(text, (ROW, WIDTH + 1), WIDTH, known) is None


@pytest.mark.parametrize("text", ["1/(A11*A11)", "EXP(A11*A11)", "MAX(A11*A11,0)", "IF(A11*A11>0,1,2)", "(A11*A11)^-1"])
def test_what_overflows_is_no_number(text: str) -> None:
    """An infinite number on the way never turns into a finite one."""
    with pytest.raises(ArithmeticError):
        quick(text)([*[1e200] * WIDTH, None], [1.0] * WIDTH)
