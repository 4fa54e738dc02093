"""The few functions that sympy does not have, each with its derivative.

`Total` and `Chain` are a sum and a product that keep their order: a formula is easier to follow when it reads
w1·i1 + w2·i2, and a gradient when its factors stand in the order of the chain rule. sympy's own `Add` and `Mul`
sort their arguments. `doit()` turns both into sympy's own.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Function, Integer, Symbol
from sympy.printing.precedence import PRECEDENCE


class Total(Function):  # type: ignore[misc]
    """The sum of its arguments, in the order given."""

    precedence = PRECEDENCE["Add"]

    def fdiff(self, argindex: int = 1) -> Expr:
        """1, whatever the argument."""
        return Integer(1)

    def doit(self, **hints: Any) -> Expr:
        """The same sum as sympy's own `Add`."""
        return sympy.Add(*(argument.doit(**hints) for argument in self.args))


class Chain(Function):  # type: ignore[misc]
    """The product of its arguments, in the order given."""

    precedence = PRECEDENCE["Mul"]

    def fdiff(self, argindex: int = 1) -> Expr:
        """The product of the other arguments."""
        return chain(*(argument for place, argument in enumerate(self.args, 1) if place != argindex))

    def doit(self, **hints: Any) -> Expr:
        """The same product as sympy's own `Mul`."""
        return sympy.Mul(*(argument.doit(**hints) for argument in self.args))


class sigmoid(Function):  # type: ignore[misc]  # noqa: N801 - sympy's functions are written like this
    """1 / (1 + exp(-x)); its derivative is sigmoid(x)·(1 - sigmoid(x))."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative, in terms of the function itself."""
        return self * (1 - self)

    def _eval_rewrite_as_exp(self, argument: Expr, **hints: Any) -> Expr:
        return 1 / (1 + sympy.exp(-argument))


class log1p(Function):  # type: ignore[misc]  # noqa: N801
    """log(1 + u) without losing the digits of a small u; its derivative is 1 / (1 + u)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative, 1 / (1 + u)."""
        return 1 / (1 + self.args[0])

    def _eval_rewrite_as_exp(self, argument: Expr, **hints: Any) -> Expr:
        return sympy.log(1 + argument)


class logit_loss(Function):  # type: ignore[misc]  # noqa: N801
    """log(1 + exp(x)) - t·x, the binary cross-entropy of a logit x and a target t; its derivative is sigmoid(x) - t."""

    # Excel's formula for it is a sum.
    precedence = PRECEDENCE["Add"]

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative with respect to the logit, or to the target."""
        x, target = self.args
        return sigmoid(x) - target if argindex == 1 else -x

    def _eval_rewrite_as_exp(self, x: Expr, target: Expr, **hints: Any) -> Expr:
        return sympy.log(1 + sympy.exp(x)) - target * x


class logsumexp(Function):  # type: ignore[misc]  # noqa: N801
    """log(exp(x1) + ... + exp(xn)), the term of the cross-entropy; its derivatives are the softmax of x."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative with respect to one argument: that argument's softmax."""
        return softmax(self.args[argindex - 1], *self.args)

    def _eval_rewrite_as_exp(self, *arguments: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.Add(*map(sympy.exp, arguments)))


class softmax(Function):  # type: ignore[misc]  # noqa: N801
    """exp(x) / (exp(x1) + ... + exp(xn)): the first argument's share s among the others.

    Its derivatives are s with respect to the first argument, and -s·softmax(xk, ...) with respect to another.
    """

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative, in terms of the function itself."""
        if argindex == 1:
            return self
        return -self * softmax(self.args[argindex - 1], *self.args[1:])

    def _eval_rewrite_as_exp(self, x: Expr, *arguments: Expr, **hints: Any) -> Expr:
        return sympy.exp(x) / sympy.Add(*map(sympy.exp, arguments))


class Greatest(Function):  # type: ignore[misc]
    """The largest of its arguments, in the order given; the derivative is 1 for the first that is the largest, as
    PyTorch's max_pool2d has it, and 0 for the others."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """1 if it is this argument's place that the largest stands at, else 0."""
        return Pick(Which(self, *self.args), Integer(argindex))


class Which(Function):  # type: ignore[misc]
    """The one-based place, among the arguments after the first, of the first that is not below that first argument."""


class Pick(Function):  # type: ignore[misc]
    """1 if the two arguments are the same whole number, else 0."""


class cos_pi(Function):  # type: ignore[misc]  # noqa: N801
    """cos(π·x), which goes from 1 to -1 while x goes from 0 to 1."""


class At(Function):  # type: ignore[misc]
    """The entry of a named column at a one-based place, or of a table at a row and a column: Excel's INDEX."""


def chain(*factors: Expr) -> Expr:
    """The product of the factors in their order; ones are left out and a single factor stands alone."""
    flat: list[Expr] = []
    for factor in factors:
        flat += factor.args if isinstance(factor, Chain) else [factor]
    kept = [factor for factor in flat if factor != 1]
    if any(factor == 0 for factor in kept):
        return Integer(0)
    if not kept:
        return Integer(1)
    return kept[0] if len(kept) == 1 else Chain(*kept)


def total(*terms: Expr) -> Expr:
    """The sum of the terms in their order; zeros are left out and a single term stands alone."""
    kept = [term for term in terms if term != 0]
    if not kept:
        return Integer(0)
    return kept[0] if len(kept) == 1 else Total(*kept)


def before(symbol: Symbol) -> Symbol:
    """The symbol for the same column one row above."""
    return Symbol(symbol.name + "⁻")
