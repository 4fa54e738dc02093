"""Formula text: precedence, signs, squares, cases and floats, as bare equalities; and random expressions evaluated."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from sympy import Abs, Expr, Float, Integer, Max, Mod, Piecewise, Pow, Rational, exp, log, sqrt, tanh
from sympy.abc import a, b, x, y, z

from sheetgen.maths.algebra import At, Chain, Total, chain, log1p, logit_loss, logsumexp, sigmoid, softmax, total
from sheetgen.maths.printer import excel, python, text
from sheetgen.maths.steps import evaluate

SMALL = "IF(EXP(-ABS(x))<5E-15,EXP(-ABS(x)),LN(1+EXP(-ABS(x)))*EXP(-ABS(x))/(1+EXP(-ABS(x))-1))"
EXCEL = [
    (x + y, "x+y"),
    (y - x, "y-x"),
    (-x - y, "-x-y"),
    (Float(0.1) - x, "0.1-x"),
    (Float(0.3333333333333333) * x, "(0.333333333333333+3.33066907387547E-16)*x"),
    (x - y * (a - b), "x-y*(a-b)"),
    (-(x**2), "-x*x"),
    ((x - y) ** 2, "(x-y)*(x-y)"),
    (x**2 / 2, "x*x/2"),
    (a / x**2, "a/(x*x)"),
    (x**-2, "1/(x*x)"),
    (a / (x * y), "a/x/y"),
    (1 / (x - y), "1/(x-y)"),
    (x / (-2 * y), "-x/2/y"),
    (Rational(-1, 2) * x, "-x/2"),
    ((x + y) / 2, "x/2+y/2"),
    (sqrt(x) + 1, "SQRT(x)+1"),
    (x / sqrt(y), "x/SQRT(y)"),
    (Total(y, x), "y+x"),
    (Total(x, -y), "x-y"),
    (Total(-x, y), "-x+y"),
    (a - Total(x, y), "a-(x+y)"),
    (Total(y, x) / 2, "(y+x)/2"),
    (-Total(y, x) / 2, "-(y+x)/2"),
    (Chain(y, x), "y*x"),
    (Chain(y, x - 1, a), "y*(x-1)*a"),
    (Chain(a, -b), "a*(-b)"),
    (a - Chain(y, x), "a-y*x"),
    (a / Chain(y, x), "a/(y*x)"),
    (chain(y, x) / (1 - a) / total(sqrt(b), z), "y*x/(1-a)/(SQRT(b)+z)"),
    (exp(-x), "EXP(-x)"),
    (log(x), "LN(x)"),
    (tanh(x - y), "TANH(x-y)"),
    (Abs(x), "ABS(x)"),
    (Max(x, 0), "MAX(0,x)"),
    (Mod(x, 4) + 1, "MOD(x,4)+1"),
    (At(x, Integer(2)), "INDEX(x,2)"),
    (Piecewise((x, x > 0), (Integer(0), True)), "IF(x>0,x,0)"),
    (Piecewise((x, x > 20), (y, x > 0), (Integer(0), True)), "IF(x>20,x,IF(x>0,y,0))"),
    (Chain(a, Piecewise((Integer(1), x > 0), (Integer(0), True))), "a*IF(x>0,1,0)"),
    (sigmoid(x), "IF(x>=0,1/(1+EXP(-x)),EXP(x)/(1+EXP(x)))"),
    (log1p(x), "IF(x<5E-15,x,LN(1+x)*x/(1+x-1))"),
    (logit_loss(x, y), f"MAX(x,0)-y*x+{SMALL}"),
    (a * logit_loss(x, y), f"a*(MAX(x,0)-y*x+{SMALL})"),
    (Float(1e-5) * x, "1E-05*x"),
    (Float(0.1), "0.1"),
    (Float(-0.5) * x, "-0.5*x"),
    (Float(0.1 + 0.2), "(0.3+5.55111512312578E-17)"),
    (Integer(3), "3"),
]


@pytest.mark.parametrize(("expr", "expected"), EXCEL, ids=[expected for _, expected in EXCEL])
def test_excel(expr: Expr, expected: str) -> None:
    """The formula's text, without the equals sign."""
    assert excel(expr) == expected


def test_names_replace_symbols() -> None:
    """A symbol prints as the reference that stands for it, also within a function."""
    assert excel(sigmoid(x) + y, {x: "H8", y: "$B$4"}) == "$B$4+IF(H8>=0,1/(1+EXP(-H8)),EXP(H8)/(1+EXP(H8)))"


TEXT = [
    ((a - x) * a * (1 - a), "a·(1 − a)·(a − x)"),
    (chain(a - x, a, 1 - a, y), "(a − x)·a·(1 − a)·y"),
    (x**2, "x²"),
    ((x - y) ** 2 / 2, "(x − y)²/2"),
    (1 / x**2, "1/(x²)"),
    (-x - y, "−x − y"),
    (Total(-x, y), "−x + y"),
    (sqrt(x), "√(x)"),
    (log(x), "ln(x)"),
    (Piecewise((x, x > 0), (Integer(0), True)), "(x if x > 0, else 0)"),
    (log1p(exp(x)), "ln(1 + exp(x))"),
    (logit_loss(x, y), "ln(1 + exp(x)) − y·x"),
    (logsumexp(x, y), "ln(exp(x) + exp(y))"),
]


@pytest.mark.parametrize(("expr", "expected"), TEXT, ids=[expected for _, expected in TEXT])
def test_text(expr: Expr, expected: str) -> None:
    """Mathematics for a reader, with real minus signs and dots."""
    assert text(expr) == expected


@pytest.mark.parametrize("expr", [x**3, x**y, softmax(x, x, y)], ids=str)
def test_what_has_no_formula_is_refused(expr: Expr) -> None:
    """Rather than printed as something else."""
    with pytest.raises(NotImplementedError, match="no formula for"):
        excel(expr)


SYMBOLS = (a, b, x, y)
VALUES = dict(zip(SYMBOLS, (0.3, -1.7, 2.5, 0.9), strict=True))
CELLS = dict(zip(SYMBOLS, ("$A$1", "$B$1", "$C$1", "$D$1"), strict=True))
NODES: tuple[Callable[[Callable[[], Expr], random.Random], Expr], ...] = (
    lambda new, draw: new() + new(),
    lambda new, draw: new() - new(),
    lambda new, draw: new() * new(),
    lambda new, draw: new() / draw.choice(SYMBOLS),
    lambda new, draw: -new() / (new() ** 2 + 1),
    lambda new, draw: new() ** 2,
    lambda new, draw: Total(*(new() for _ in range(draw.randint(2, 4)))),
    lambda new, draw: Chain(*(new() for _ in range(draw.randint(2, 4)))),
    lambda new, draw: sigmoid(new()),
    lambda new, draw: tanh(new()),
    lambda new, draw: logit_loss(new(), new()),
    lambda new, draw: Piecewise((new(), draw.choice(SYMBOLS) > 0), (new(), True)),
)


def random_expression(draw: random.Random, depth: int) -> Expr:
    """A tree of everything that equations are made of."""
    if depth == 0:
        number = draw.randint(-3, 3)
        constants = Integer(number), Float(draw.choice([0.1, -0.5, 1e-5])), Rational(number, 2)
        return draw.choice((*SYMBOLS, *SYMBOLS, draw.choice(constants)))
    return draw.choice(NODES)(lambda: random_expression(draw, draw.randint(0, depth - 1)), draw)


def test_random_expressions_have_the_value_that_sympy_gives_them() -> None:
    """As a formula in IronCalc and as a line of Python: brackets and signs stand where they must."""
    ironcalc: Any = pytest.importorskip("ironcalc")
    model = ironcalc.create("test", "en", "UTC", "en")
    for column, value in enumerate(VALUES.values(), 1):
        model.set_user_input(0, 1, column, repr(value))
    expressions: list[tuple[Expr, float]] = []
    for seed in range(300):
        expr = random_expression(random.Random(seed), 3)
        if all(abs(power.exp) <= 2 for power in expr.atoms(Pow)):
            exact = expr.doit().rewrite(exp).subs(VALUES).evalf(30)
            expressions.append((expr, float(exact)))
    for row, (expr, _) in enumerate(expressions, 2):
        model.set_user_input(0, row, 1, "=" + excel(expr, CELLS))
    model.evaluate()
    assert len(expressions) > 250
    for row, (expr, exact) in enumerate(expressions, 2):
        assert math.isclose(model.get_cell_value(0, row, 1), exact, rel_tol=1e-9, abs_tol=1e-9), excel(expr)
        assert math.isclose(float(evaluate(expr, VALUES)), exact, rel_tol=1e-9, abs_tol=1e-9), python(expr)
