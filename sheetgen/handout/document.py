"""A hand-out as a LaTeX document for pdfTeX or any newer engine, with packages that every distribution has."""

from __future__ import annotations

import re

from sheetgen.handout.blocks import Handout, Section, Table
from sheetgen.handout.notation import MARK, Writer
from sheetgen.handout.typeset import Latex

__all__ = ["Document"]

_HEAD = rf"""% {MARK}
\documentclass[11pt,a4paper]{{article}}
\usepackage[utf8]{{inputenc}}
\usepackage[T1]{{fontenc}}
\usepackage[margin=20mm]{{geometry}}
\usepackage{{amsmath}}
\usepackage{{longtable}}
\setlength{{\parindent}}{{0pt}}
\setlength{{\parskip}}{{3pt}}
\setlength{{\tabcolsep}}{{3pt}}
\newcommand{{\blank}}{{\underline{{\hspace{{60mm}}}}}}
\newcommand{{\gap}}{{\hspace{{12mm}}}}
% Mathematics in a paragraph breaks where a line of text would; nothing is justified.
\newenvironment{{formulas}}{{\binoppenalty=0\relpenalty=0\leftskip=10mm\parindent=-6mm}}{{\par}}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "→": r"$\to$", "←": r"$\leftarrow$", "′": "$'$", "…": r"\dots{}", "·": r"$\cdot$",
    "√": r"$\surd$", "−": "$-$", "²": "$^2$", "ᵗ": "$^t$", "α": r"$\alpha$", "β": r"$\beta$", "δ": r"$\delta$",
    "ε": r"$\varepsilon$", "η": r"$\eta$", "λ": r"$\lambda$", "μ": r"$\mu$", "∂": r"$\partial$",
}  # fmt: skip


class Document(Writer):
    """The kind .tex."""

    typeset = Latex
    blank = r"\blank{}"

    def page(self, handout: Handout) -> str:
        """The whole file."""
        title = rf"{{\LARGE\bfseries\raggedright {self.escaped(handout.title)}\par}}"
        body = f"\\raggedright\n{title}\n\n{''.join(self.sections(handout))}"
        return f"{_HEAD}\\begin{{document}}\n{body}\\end{{document}}\n"

    def section(self, section: Section, inside: str) -> str:
        """A heading and what stands under it."""
        if not section.title:
            return inside
        name = "section" if section.level == 2 else "subsection"
        return f"\\{name}*{{{self.parts(section.title)}}}\n{inside}"

    def escaped(self, text: str) -> str:
        """Text as it is read; a letter that no font of TeX's own has is left out."""
        shown = "".join(_SPECIAL.get(letter, letter) for letter in text)
        return re.sub(r"[^\x00-\u017f\u2013-\u201e]", "?", shown)

    def maths(self, printed: str) -> str:
        """Between dollars."""
        return f"${printed}$"

    def equation(self, left: str, relation: str, rights: list[str | None]) -> str:
        """A formula that breaks where a line of text would."""
        sign = {"=": "=", "←": r"\leftarrow"}[relation]
        shown = f"{left} "
        for right in rights:
            shown += f"{sign} {{}}" if right is None else f"{sign} {right} "
        return f"${shown.rstrip()}$" + (f" {self.blank}" if None in rights else "")

    def paragraph(self, inside: str) -> str:
        """A paragraph."""
        return f"{inside}\n\n"

    def formulas(self, lines: list[str]) -> str:
        """A paragraph each, with a hanging indent."""
        return "\\begin{formulas}\n" + "\n\n".join(lines) + "\n\\end{formulas}\n\n"

    def table(self, table: Table) -> str:
        """A table that may go on on the next page."""
        rows = [
            " & ".join(map(self.part, row)).replace(self.blank, r"\gap{}") + r" \\" for row in (table.head, *table.rows)
        ]
        columns = "r" * len(table.head)
        head = f"{{\\footnotesize\n\\begin{{longtable}}[l]{{{columns}}}\n{rows[0]}\n\\hline\n\\endhead\n"
        return head + "\n".join(rows[1:]) + "\n\\end{longtable}}\n\n"
