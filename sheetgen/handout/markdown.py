"""A hand-out as Markdown with mathematics between dollars, as GitHub, Jupyter and Pandoc read it."""

from __future__ import annotations

import re

from sheetgen.handout.blocks import Handout, Section, Table
from sheetgen.handout.notation import MARK, Writer
from sheetgen.handout.typeset import Latex

__all__ = ["Markdown"]


class Markdown(Writer):
    """The kind .md."""

    typeset = Latex
    blank = "\\_" * 20

    def page(self, handout: Handout) -> str:
        """The whole file."""
        return f"<!-- {MARK} -->\n\n# {self.escaped(handout.title)}\n\n{''.join(self.sections(handout))}"

    def section(self, section: Section, inside: str) -> str:
        """A heading and what stands under it."""
        return f"{'#' * section.level} {self.parts(section.title)}\n\n{inside}" if section.title else inside

    def escaped(self, text: str) -> str:
        """Text in which nothing is taken for a mark."""
        return re.sub(r"([\\`*_{}\[\]<>#$|~])", r"\\\1", text)

    def maths(self, printed: str) -> str:
        """Between dollars."""
        return f"${printed}$"

    def equation(self, left: str, relation: str, rights: list[str | None]) -> str:
        """A formula; a line to write on stands outside of the mathematics."""
        sign = {"=": "=", "←": r"\leftarrow"}[relation]
        shown = left + "".join(f" {sign} {right or ''}" for right in rights)
        return f"${shown.rstrip()}$" + (f" {self.blank}" if None in rights else "")

    def paragraph(self, inside: str) -> str:
        """A paragraph."""
        return f"{inside}\n\n"

    def formulas(self, lines: list[str]) -> str:
        """A list."""
        return "".join(f"- {line}\n" for line in lines) + "\n"

    def table(self, table: Table) -> str:
        """A table of GitHub's kind."""
        rows = [f"| {' | '.join(map(self.part, row))} |" for row in (table.head, *table.rows)]
        return "\n".join([rows[0], f"|{' ---: |' * len(table.head)}", *rows[1:]]) + "\n\n"
