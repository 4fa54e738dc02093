"""sympy expression -> text: an Excel formula, a line of Python, or mathematics for a reader.

The three share one arithmetic printer, so that the sums and products of a formula and of the number stored beside
it are taken in the same order. Nothing here knows about sheets: a symbol's text comes from the mapping given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sympy import Add, Expr, Mul, Symbol
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter

__all__ = ["excel", "python", "text"]

_ADD, _MUL, _POW, _ATOM = (PRECEDENCE[name] for name in ("Add", "Mul", "Pow", "Atom"))


class _Infix(StrPrinter):  # type: ignore[misc]
    """Arithmetic that keeps the order of Total and Chain and prints a square as a product."""

    times: ClassVar[str] = "*"
    minus: ClassVar[str] = "-"
    plus: ClassVar[str] = "+"
    functions: ClassVar[Mapping[str, str]] = {}

    def __init__(self, names: Mapping[Symbol, str]) -> None:
        super().__init__()
        self._names = names

    def _print_Symbol(self, expr: Symbol) -> str:
        return self._names.get(expr, expr.name)

    def _print_Float(self, expr: Expr) -> str:
        return repr(float(expr)).upper()

    def _print_Rational(self, expr: Expr) -> str:
        return f"{expr.p}/{expr.q}"

    def _print_Add(self, expr: Add, order: object = None) -> str:
        terms = sorted(expr.as_ordered_terms(), key=_is_negative)
        return self._sum(terms)

    def _print_Total(self, expr: Expr) -> str:
        return self._sum(expr.args)

    def _sum(self, terms: tuple[Expr, ...] | list[Expr]) -> str:
        parts: list[str] = []
        for term in terms:
            negative = _is_negative(term)
            shown = self.parenthesize(-term if negative else term, _ADD, strict=True)
            if negative and precedence(-term) <= _ADD:
                shown = f"({shown})"
            sign = self.minus if negative else self.plus
            parts.append((sign if parts else sign.strip() if negative else "") + shown)
        return "".join(parts)

    def _print_Chain(self, expr: Expr) -> str:
        return self.times.join(self.parenthesize(factor, _MUL, strict=True) for factor in expr.args)

    def _print_Mul(self, expr: Mul) -> str:
        coefficient, rest = expr.as_coeff_Mul()
        sign = self.minus.strip() if coefficient.is_negative else ""
        over, under = abs(coefficient).as_numer_denom()
        above = [] if over == 1 else [over]
        below = [] if under == 1 else [under]
        for factor in Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent.is_negative:
                below.append(base ** (-exponent))
            else:
                above.append(factor)
        top = self.times.join(self.parenthesize(f, _MUL, strict=True) for f in above) or "1"
        return sign + "/".join([str(top), *map(self._divisor, below)])

    def _divisor(self, expr: Expr) -> str:
        """What stands behind a /; a square is printed as a product, and needs brackets there."""
        return str(self.parenthesize(expr, _POW if expr.is_Pow and expr.exp == 2 else _MUL))

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == 2:
            square = self.parenthesize(base, _POW)
            return f"{square}{self.times}{square}"
        if exponent.is_Rational and exponent.is_negative:
            return "1/" + self._divisor(base ** (-exponent))
        if exponent * 2 == 1:
            return self._call("sqrt", base)
        raise NotImplementedError(f"no formula for the power {expr}")

    def _call(self, name: str, *arguments: Expr) -> str:
        if name not in self.functions:
            raise NotImplementedError(f"no formula for the function {name}")
        return f"{self.functions[name]}({','.join(map(self._print, arguments))})"

    def _print_Function(self, expr: Expr) -> str:
        return self._call(type(expr).__name__, *expr.args)

    _print_Max = _print_Abs = _print_Mod = _print_Function

    def emptyPrinter(self, expr: object) -> str:
        raise NotImplementedError(f"no formula for {type(expr).__name__}")


class ExcelPrinter(_Infix):
    """The text of a formula, without its leading "="."""

    # sympy -> Excel; LOG is base 10 there
    functions: ClassVar[Mapping[str, str]] = {
        "exp": "EXP", "log": "LN", "sqrt": "SQRT", "tanh": "TANH", "Max": "MAX", "Abs": "ABS",
        "Mod": "MOD", "At": "INDEX",
    }  # fmt: skip

    def _print_Relational(self, expr: Expr) -> str:
        return f"{self._print(expr.lhs)}{expr.rel_op}{self._print(expr.rhs)}"

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        printed = self._print(otherwise)
        for value, condition in reversed(cases):
            printed = f"IF({self._print(condition)},{self._print(value)},{printed})"
        return str(printed)

    def _print_sigmoid(self, expr: Expr) -> str:
        """Both sides keep EXP's argument at or below 0, where it cannot overflow."""
        x = self.parenthesize(expr.args[0], _ATOM, strict=True)
        return f"IF({x}>=0,1/(1+EXP(-{x})),EXP({x})/(1+EXP({x})))"

    def _print_log1pexp(self, expr: Expr) -> str:
        x = self.parenthesize(expr.args[0], _ATOM, strict=True)
        return f"MAX({x},0)+LN(1+EXP(-ABS({x})))"


class PythonPrinter(_Infix):
    """A Python expression of floats; see `trace` for the functions that it calls."""

    functions: ClassVar[Mapping[str, str]] = {
        "exp": "exp", "log": "log", "sqrt": "sqrt", "tanh": "tanh", "Max": "max", "Abs": "abs",
        "Mod": "mod", "At": "at", "sigmoid": "sigmoid", "log1pexp": "log1pexp",
    }  # fmt: skip

    _print_Relational = ExcelPrinter._print_Relational

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        printed = self._print(otherwise)
        for value, condition in reversed(cases):
            printed = f"({self._print(value)} if {self._print(condition)} else {printed})"
        return str(printed)


class TextPrinter(_Infix):
    """Mathematics for a reader, as in design: (a_o1 − t1)·a_o1·(1 − a_o1)·a_h1."""

    times: ClassVar[str] = "·"
    minus: ClassVar[str] = " − "
    plus: ClassVar[str] = " + "
    functions: ClassVar[Mapping[str, str]] = {
        "exp": "exp", "log": "ln", "sqrt": "√", "tanh": "tanh", "Max": "max", "Abs": "abs",
        "Mod": "mod", "At": "entry", "sigmoid": "sigmoid", "softmax": "softmax",
    }  # fmt: skip

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == 2:
            return f"{self.parenthesize(base, _POW)}²"
        return super()._print_Pow(expr, rational)

    def _print_Relational(self, expr: Expr) -> str:
        return f"{self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)}"

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        parts = [f"{self._print(value)} if {self._print(condition)}" for value, condition in cases]
        return "(" + ", ".join([*parts, f"else {self._print(otherwise)}"]) + ")"

    def _print_log1pexp(self, expr: Expr) -> str:
        return f"ln(1 + exp({self._print(expr.args[0])}))"

    def _print_logsumexp(self, expr: Expr) -> str:
        return f"ln({' + '.join(f'exp({self._print(x)})' for x in expr.args)})"


_NO_NAMES: Mapping[Symbol, str] = {}


def excel(expr: Expr, names: Mapping[Symbol, str] = _NO_NAMES) -> str:
    """The formula text of an expression, without "="; symbols in `names` become those references.

    >>> from sympy.abc import x, y
    >>> excel(-(x**2) + y / 2), excel((x - y) ** 2)
    ('y/2-x*x', '(x-y)*(x-y)')
    """
    return str(ExcelPrinter(names).doprint(expr))


def python(expr: Expr, names: Mapping[Symbol, str] = _NO_NAMES) -> str:
    """The same arithmetic, in the same order, as a Python expression."""
    return str(PythonPrinter(names).doprint(expr))


def text(expr: Expr, names: Mapping[Symbol, str] = _NO_NAMES) -> str:
    """The expression as a reader writes it.

    >>> from sympy.abc import x, y
    >>> text((x - y) * y)
    'y·(x − y)'
    """
    return str(TextPrinter(names).doprint(expr))


def _is_negative(term: Expr) -> bool:
    """Whether the term is printed behind a minus sign."""
    return bool(term.could_extract_minus_sign()) and not (term.is_Add or term.is_Function)
