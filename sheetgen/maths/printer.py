"""sympy expression -> text: an Excel formula, a line of Python, or mathematics for a reader.

The three share one arithmetic printer, so that the sums and products of a formula and of the number stored beside
it are taken in the same order. Nothing here knows about sheets: a symbol's text comes from the mapping given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sympy import Abs, Add, Expr, Integer, Mul, Symbol, exp
from sympy.printing.precedence import PRECEDENCE, precedence
from sympy.printing.str import StrPrinter

from sheetgen.maths.algebra import log1p

__all__ = ["excel", "python", "text"]

MAX_ARGUMENTS = 255  # of a function, in Excel
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

    _print_Max = _print_Min = _print_Abs = _print_Mod = _print_floor = _print_Function

    def emptyPrinter(self, expr: object) -> str:
        raise NotImplementedError(f"no formula for {type(expr).__name__}")


class ExcelPrinter(_Infix):
    """The text of a formula, without its leading "="."""

    # sympy -> Excel; LOG is base 10 there
    functions: ClassVar[Mapping[str, str]] = {
        "exp": "EXP", "log": "LN", "sqrt": "SQRT", "tanh": "TANH", "Max": "MAX", "Min": "MIN", "Abs": "ABS",
        "Mod": "MOD", "floor": "INT", "At": "INDEX",
    }  # fmt: skip

    def _print_Float(self, expr: Expr) -> str:
        """With at most 15 digits in a piece: IronCalc, as Excel's own editor, cuts what is longer."""
        exact = float(expr)
        short = float(f"{exact:.15g}")
        if short == exact:
            return super()._print_Float(expr)
        rest = exact - short
        assert short + float(f"{rest:.15g}") == exact
        return f"({short!r}{'+' if rest > 0 else '-'}{abs(rest):.15g})".upper()

    def _print_Relational(self, expr: Expr) -> str:
        return f"{self._print(expr.lhs)}{expr.rel_op}{self._print(expr.rhs)}"

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        printed = self._print(otherwise)
        for value, condition in reversed(cases):
            printed = f"IF({self._print(condition)},{self._print(value)},{printed})"
        return str(printed)

    def _print_Max(self, expr: Expr) -> str:
        """A function takes at most 255 arguments: of more, the largest of groups."""
        printed = list(map(self._print, expr.args))
        while len(printed) > MAX_ARGUMENTS:
            groups = (printed[at : at + MAX_ARGUMENTS] for at in range(0, len(printed), MAX_ARGUMENTS))
            printed = [f"MAX({','.join(group)})" for group in groups]
        return f"MAX({','.join(printed)})"

    _print_Greatest = _print_Max

    def _print_Which(self, expr: Expr) -> str:
        largest, *others = map(self._print, expr.args)
        printed = str(len(others))
        for place in range(len(others) - 1, 0, -1):
            printed = f"IF({others[place - 1]}>={largest},{place},{printed})"
        return printed

    def _print_Pick(self, expr: Expr) -> str:
        return f"IF({self._print(expr.args[0])}={self._print(expr.args[1])},1,0)"

    def _print_sigmoid(self, expr: Expr) -> str:
        """Both sides keep EXP's argument at or below 0, where it cannot overflow."""
        x = self.parenthesize(expr.args[0], _ATOM, strict=True)
        return f"IF({x}>=0,1/(1+EXP(-{x})),EXP({x})/(1+EXP({x})))"

    def _print_cos_pi(self, expr: Expr) -> str:
        return f"COS(PI()*{self.parenthesize(expr.args[0], _MUL)})"

    def _print_log1p(self, expr: Expr) -> str:
        """Kahan's: what 1 + u loses of a small u is divided out again. In LibreOffice, 1 + u - 1 is 0 below 3.6E-15."""
        u = self._print(expr.args[0])
        return f"IF({u}<5E-15,{u},LN(1+{u})*{u}/(1+{u}-1))"

    def _print_logit_loss(self, expr: Expr) -> str:
        """The first two terms cancel exactly where the loss is small."""
        x, target = (self.parenthesize(one, _ATOM, strict=True) for one in expr.args)
        return f"MAX({x},0)-{target}*{x}+{self._print(log1p(exp(-Abs(expr.args[0]))))}"


class PythonPrinter(_Infix):
    """A Python expression of floats; see `trace` for the functions that it calls."""

    functions: ClassVar[Mapping[str, str]] = {
        "exp": "exp", "log": "log", "sqrt": "sqrt", "tanh": "tanh", "Max": "max", "Min": "min", "Abs": "abs",
        "Mod": "mod", "floor": "floor", "At": "at", "sigmoid": "sigmoid", "log1p": "log1p", "logit_loss": "logit_loss",
        "cos_pi": "cos_pi", "Greatest": "max", "Which": "which", "Pick": "pick",
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
        "Mod": "mod", "floor": "int", "At": "entry", "sigmoid": "sigmoid", "softmax": "softmax",
        "Greatest": "max",
    }  # fmt: skip

    def word(self, text: str) -> str:
        """A function's name, or a piece of text, which a notation may set upright."""
        return text

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == 2:
            return f"{self.parenthesize(base, _POW)}²"
        return super()._print_Pow(expr, rational)

    def _print_Relational(self, expr: Expr) -> str:
        return f"{self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)}"

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        parts = [f"{self._print(value)}{self.word(' if ')}{self._print(condition)}" for value, condition in cases]
        return "(" + self.word(", ").join([*parts, f"{self.word('else ')}{self._print(otherwise)}"]) + ")"

    def _print_Which(self, expr: Expr) -> str:
        return f"the place of {self._print(expr.args[0])} among {', '.join(map(self._print, expr.args[1:]))}"

    def _print_Pick(self, expr: Expr) -> str:
        return f"[{self._print(expr.args[0])} = {self._print(expr.args[1])}]"

    def _print_log1p(self, expr: Expr) -> str:
        return f"{self.word('ln')}({self._print(Integer(1))} + {self._print(expr.args[0])})"

    def _print_logit_loss(self, expr: Expr) -> str:
        x, target = (self.parenthesize(one, _MUL, strict=True) for one in expr.args)
        return f"{self._print(log1p(exp(expr.args[0])))} − {target}·{x}"

    def _print_logsumexp(self, expr: Expr) -> str:
        return f"{self.word('ln')}({' + '.join(self._print(exp(x)) for x in expr.args)})"


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
