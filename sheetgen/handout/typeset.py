"""sympy expression -> typeset mathematics: LaTeX, or the MathML that browsers show by themselves.

Both print what `maths.printer.text` prints, in the same order. Names, numbers and fractions are printed as markup and
operators as the characters of the text; the last step turns those into operators of the notation.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Mul, Symbol
from sympy.printing.precedence import PRECEDENCE

from sheetgen.errors import ExcelError
from sheetgen.maths.algebra import Total
from sheetgen.maths.printer import TextPrinter

__all__ = ["IN_FORMULA", "Latex", "Mathml", "Name", "Typeset", "named"]

# Digits of a number inside a formula, where it stands for a symbol.
IN_FORMULA = 4
_MUL, _POW = PRECEDENCE["Mul"], PRECEDENCE["Pow"]
_GREEK = {
    "α": r"\alpha", "β": r"\beta", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta", "κ": r"\kappa",
    "λ": r"\lambda", "μ": r"\mu", "σ": r"\sigma", "Σ": r"\Sigma", "∂": r"\partial ",
}  # fmt: skip
_WORDS = ("total", "max", "exp", "step")
_NAME = re.compile(r"(?P<base>max|step|.)_?(?P<below>.*?)(?:\[(?P<sample>\d+)\])?(?P<mark>[′ᵗ]?)")


@dataclass(frozen=True)
class Name:
    """A symbol as people write it: a letter (or word), an index, and what stands above: a sample's number or a mark."""

    base: str
    below: str
    above: str


def named(symbol: str) -> Name:
    """What a column's name says.

    >>> named("w5"), named("a_h2_1[3]")
    (Name(base='w', below='5', above=''), Name(base='a', below='h2,1', above='(3)'))
    >>> named("E_total").below, named("Σexp").below, named("β1ᵗ").above, named("w5′").above
    ('total', 'exp', 't', '′')
    """
    found = _NAME.fullmatch(symbol)
    assert found, symbol
    sample = f"({found['sample']})" if found["sample"] else ""
    return Name(found["base"], found["below"].replace("_", ","), sample + found["mark"].replace("ᵗ", "t"))


class Typeset(TextPrinter):
    """What both notations share; a symbol in `numbers` is printed as its number, to a few digits."""

    def __init__(self, numbers: Mapping[Symbol, float | ExcelError]) -> None:
        super().__init__({})
        self._numbers = numbers

    def formula(self, expr: Expr) -> str:
        """The expression in this notation."""
        return self.finish(str(self._print(expr)))

    def number(self, value: float | ExcelError, digits: int = IN_FORMULA, bracketed: bool = False) -> str:
        """A number to some significant digits; a power of ten in place of E; in brackets if it is to be a factor."""
        if isinstance(value, ExcelError):
            return self.word(value)
        mantissa, _, exponent = f"{value:.{digits}g}".replace("-", "−").partition("e")
        shown = mantissa.replace("−", "")
        text = ("−" if "−" in mantissa else "") + self.digits(shown)
        if exponent:
            sign = "−" if exponent.startswith("−") else ""
            text += "·" + self.power(self.digits("10"), sign + self.digits(exponent.lstrip("+−").lstrip("0")))
        return f"({text})" if bracketed and (exponent or "−" in mantissa) else text

    def derivative(self, of: str, by: str) -> str:
        """∂of/∂by as a fraction."""
        return self.fraction("∂" + self.name(named(of)), "∂" + self.name(named(by)))

    # what a notation says

    def finish(self, printed: str) -> str:
        """The markup with the characters of operators turned into the notation's."""
        raise NotImplementedError

    def name(self, name: Name) -> str:
        """A symbol."""
        raise NotImplementedError

    def digits(self, text: str) -> str:
        """A number without a sign."""
        raise NotImplementedError

    def word(self, text: str) -> str:
        """An upright word."""
        raise NotImplementedError

    def fraction(self, over: str, under: str) -> str:
        """One above the other."""
        raise NotImplementedError

    def power(self, base: str, exponent: str) -> str:
        """An exponent."""
        raise NotImplementedError

    def root(self, inside: str) -> str:
        """A square root."""
        raise NotImplementedError

    # what sympy has

    def _print_Symbol(self, expr: Symbol) -> str:
        if expr in self._numbers:
            return self.number(self._numbers[expr], bracketed=True)
        if expr.name.startswith("∂"):
            of, by = expr.name.split("/")
            return self.derivative(of[1:], by[1:])
        return self.name(named(expr.name))

    def _print_Float(self, expr: Expr) -> str:
        return self.number(float(expr), 15)

    def _print_Integer(self, expr: Expr) -> str:
        return ("−" if expr < 0 else "") + self.digits(str(abs(int(expr))))

    def _print_Rational(self, expr: Expr) -> str:
        return ("−" if expr < 0 else "") + self.fraction(self.digits(str(abs(expr.p))), self.digits(str(expr.q)))

    def _print_Mul(self, expr: Mul) -> str:
        coefficient, rest = expr.as_coeff_Mul()
        sign = "−" if coefficient.is_negative else ""
        over, under = abs(coefficient).as_numer_denom()
        if over == 1 and under != 1 and isinstance(rest, (Add, Total)):
            # A long sum above a line could not be broken.
            return f"{sign}{self._print(over / under)}·{self.parenthesize(rest, _MUL, strict=True)}"
        above = [] if over == 1 else [over]
        below = [] if under == 1 else [under]
        for factor in Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent.is_negative:
                below.append(base ** (-exponent))
            else:
                above.append(factor)
        if not below:
            return sign + "·".join(self.parenthesize(factor, _MUL, strict=True) for factor in above)
        return sign + self.fraction(self._product(above), self._product(below))

    def _product(self, factors: list[Expr]) -> str:
        if len(factors) == 1:
            return str(self._print(factors[0]))
        return "·".join(self.parenthesize(factor, _MUL, strict=True) for factor in factors) or self.digits("1")

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent.is_Rational and exponent.is_negative:
            return self.fraction(self.digits("1"), str(self._print(base ** (-exponent))))
        if exponent * 2 == 1:
            return self.root(str(self._print(base)))
        return self.power(self.parenthesize(base, _POW), str(self._print(exponent)))

    def _print_exp(self, expr: Expr) -> str:
        return self.power(self.name(Name("e", "", "")), str(self._print(expr.args[0])))

    def _print_sigmoid(self, expr: Expr) -> str:
        return f"{self.name(Name('σ', '', ''))}({self._print(expr.args[0])})"

    def _call(self, name: str, *arguments: Expr) -> str:
        if name == "sqrt":
            return self.root(str(self._print(arguments[0])))
        return f"{self.word(self.functions[name])}({self.word(', ').join(map(self._print, arguments))})"


class Latex(Typeset):
    """For a document with amsmath, or what Markdown has between dollars.

    >>> from sympy.abc import x, y
    >>> Latex({}).formula((1 - x) * Symbol("a_h1") / 2)
    '\\\\frac{a_{h1}\\\\cdot (1 - x)}{2}'
    >>> Latex({Symbol("w1"): -0.25}).formula(Symbol("w1") * x)
    '(-0.25)\\\\cdot x'
    """

    def finish(self, printed: str) -> str:
        """The dot and the minus sign as commands."""
        return printed.replace("·", r"\cdot ").replace("−", "-")

    def name(self, name: Name) -> str:
        """A letter with its index; words upright."""
        base = rf"\{name.base}" if name.base == "max" else self._letters(name.base)
        if name.below:
            base += f"_{{{self._letters(name.below)}}}"
        primes, above = name.above.count("′"), name.above.replace("′", "")
        return base + (f"^{{{above}}}" if above else "") + "'" * primes

    def _letters(self, text: str) -> str:
        if text in _WORDS:
            return rf"\mathrm{{{text}}}"
        return "".join(_GREEK.get(letter, letter) for letter in text)

    def digits(self, text: str) -> str:
        """As they are."""
        return text

    def word(self, text: str) -> str:
        """A function's name, or a piece of text."""
        return {"ln": r"\ln", "max": r"\max", "tanh": r"\tanh"}.get(
            text, rf"\text{{{text.replace('#', chr(92) + '#')}}}"
        )

    def fraction(self, over: str, under: str) -> str:
        """Of the size of the line that it stands in."""
        return rf"\frac{{{over.replace('∂', _GREEK['∂'])}}}{{{under.replace('∂', _GREEK['∂'])}}}"

    def power(self, base: str, exponent: str) -> str:
        """A superscript; brackets that stand in it keep to it."""
        return f"{{{base}}}^{{{exponent}}}" if "^" in base else f"{base}^{{{exponent}}}"

    def root(self, inside: str) -> str:
        """A square root."""
        return rf"\sqrt{{{inside}}}"


class Mathml(Typeset):
    """Pieces of MathML Core, each for a `<math>` of its own, between which a line may be broken."""

    _token = re.compile(r"(<[^>]+>)")
    BREAK = "\n"

    def finish(self, printed: str) -> str:
        """The characters outside of tags as operators, with a break before + and − and after · between the tags."""
        result, depth, before = [], 0, ""
        for part in self._token.split(printed):
            if part.startswith("<"):
                depth += -1 if part.startswith("</") else 0 if part.endswith("/>") else 1
                result.append(part)
                before = "" if part.endswith("row>") and not part.startswith("</") else part
                continue
            if depth and not result[-1].startswith(("<mrow", "</")):
                result.append(part)  # what a name or a number has between its tags
                continue
            for letter in part.replace(" ", ""):
                unary = before in ("", "(", "=")
                mark = "" if depth else self.BREAK
                if letter in "+−" and not unary:
                    result.append(f'{mark}<mo form="infix">{letter}</mo>')
                elif letter == "·":
                    result.append(f'<mo form="infix">·</mo>{mark}')
                elif letter in "()":
                    form = "prefix" if letter == "(" else "postfix"
                    result.append(f'<mo form="{form}" stretchy="false">{letter}</mo>')
                else:
                    form = ' form="prefix"' if letter in "+−" else ""
                    result.append(f"<mo{form}>{html.escape(letter)}</mo>")
                before = letter
        return "".join(result)

    def name(self, name: Name) -> str:
        """A letter with its index, and what stands above."""
        base = self._letters(name.base)
        below = f"<mrow>{self._letters(name.below)}</mrow>" if name.below else ""
        above = f"<mrow>{self._letters(name.above)}</mrow>" if name.above else ""
        if below and above:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        if below:
            return f"<msub>{base}{below}</msub>"
        return f"<msup>{base}{above}</msup>" if above else base

    def _letters(self, text: str) -> str:
        if text in _WORDS:
            return f"<mi>{text}</mi>"
        parts = re.findall(r"\(\d+\)|\d+|.", text)
        tags = {",": "mo", "′": "mo"}
        return "".join(self._tagged(tags.get(one, "mn" if one[-1] in ")0123456789" else "mi"), one) for one in parts)

    def _tagged(self, tag: str, text: str) -> str:
        return f"<{tag}>{text}</{tag}>"

    def digits(self, text: str) -> str:
        """A number."""
        return f"<mn>{text}</mn>"

    def word(self, text: str) -> str:
        """A function's name, or a piece of text."""
        if text.isalpha():
            return f"<mi>{text}</mi>"
        return f"<mtext>{html.escape(text).replace(' ', '&#160;')}</mtext>"

    def fraction(self, over: str, under: str) -> str:
        """One above the other."""
        return f"<mfrac><mrow>{over}</mrow><mrow>{under}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        """A superscript."""
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def root(self, inside: str) -> str:
        """A square root."""
        return f"<msqrt><mrow>{inside}</mrow></msqrt>"
