"""Handout -> the text of a file: the walk through its sections that every kind of file shares."""

from __future__ import annotations

from collections.abc import Iterator

from sheetgen.handout.blocks import (
    Block,
    Formula,
    Formulas,
    Handout,
    Number,
    Part,
    Picture,
    Section,
    Shown,
    Table,
    Text,
)  # fmt: skip
from sheetgen.handout.typeset import Typeset

__all__ = ["MARK", "Writer"]

MARK = "written by sheetgen handout"
"""What the head of every hand-out says, whatever its kind."""


class Writer:
    """What the kinds of file share: the walk through sections and blocks."""

    typeset: type[Typeset]
    blank: str
    """A line to write on."""

    def page(self, handout: Handout) -> str:
        """The whole file."""
        raise NotImplementedError

    def sections(self, handout: Handout) -> Iterator[str]:
        """Every section, one after the other."""
        for section in handout.sections:
            yield self.section(section, "".join(self.block(block) for block in section.blocks))

    def section(self, section: Section, inside: str) -> str:
        """A section's title and what stands under it."""
        raise NotImplementedError

    def block(self, block: Block) -> str:
        """A sentence, a table, formulas or the drawing."""
        if isinstance(block, Text):
            return self.paragraph(self.parts(block.parts))
        if isinstance(block, Formulas):
            return self.formulas([self.formula(line) for line in block.lines])
        return self.picture(block) if isinstance(block, Picture) else self.table(block)

    def picture(self, picture: Picture) -> str:
        """A table, where nothing is drawn."""
        return self.table(picture.table)

    def parts(self, parts: tuple[Part, ...]) -> str:
        """A sentence."""
        return "".join(map(self.part, parts))

    def part(self, part: Part) -> str:
        """A piece of a sentence, or a cell."""
        if isinstance(part, str):
            return self.escaped(part)
        if isinstance(part, Formula):
            return self.formula(part)
        return self.blank if part is None else self.maths(self.expression(part))

    def expression(self, part: Shown | Number) -> str:
        """The mathematics of it, in the notation."""
        if isinstance(part, Number):
            printer = self.typeset({})
            return printer.finish(printer.number(part.value, part.digits))
        return self.typeset(part.numbers).formula(part.expr)

    def formula(self, formula: Formula) -> str:
        """A left side and what it equals."""
        rights = [None if right is None else self.expression(right) for right in formula.rights]
        return self.equation(self.expression(Shown(formula.left)), formula.relation, rights)

    def escaped(self, text: str) -> str:
        """Text as it is read."""
        raise NotImplementedError

    def maths(self, printed: str) -> str:
        """Mathematics in a line."""
        raise NotImplementedError

    def equation(self, left: str, relation: str, rights: list[str | None]) -> str:
        """A formula in a line; None is a line to write on."""
        raise NotImplementedError

    def paragraph(self, inside: str) -> str:
        """A sentence of its own."""
        raise NotImplementedError

    def formulas(self, lines: list[str]) -> str:
        """Formulas, a line each."""
        raise NotImplementedError

    def table(self, table: Table) -> str:
        """A table."""
        raise NotImplementedError
