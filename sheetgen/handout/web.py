"""A hand-out as a page of HTML: MathML and SVG, no scripts, nothing fetched; it prints on A4."""

from __future__ import annotations

import html

from sheetgen.handout.blocks import Formula, Handout, Part, Picture, Section, Table
from sheetgen.handout.drawing import draw
from sheetgen.handout.notation import MARK, Writer
from sheetgen.handout.typeset import Mathml

__all__ = ["WebPage"]

_STYLE = """
@page { size: A4; margin: 16mm 15mm; }
body { font: 11pt/1.45 Calibri, Carlito, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1f2933;
  max-width: 180mm; margin: 8mm auto; padding: 0 4mm; }
h1, h2, h3 { color: #1f3a5f; line-height: 1.25; break-after: avoid; }
h1 { font-size: 19pt; margin: 0 0 4mm; }
h2 { font-size: 14pt; border-bottom: 1.5pt solid #1f3a5f; margin: 7mm 0 2mm; }
h3 { font-size: 11.5pt; margin: 4mm 0 1mm; }
p { margin: 1.5mm 0; orphans: 3; widows: 3; }
math { font-size: 1.08em; }
.formula { margin: 1mm 0 1mm 14mm; text-indent: -8mm; break-inside: avoid; }
.formula math, .blank { text-indent: 0; }
.whole { white-space: nowrap; }
section.part { break-inside: avoid; }
section:not(.part):has(+ .part) { break-after: avoid; }
table { border-collapse: collapse; margin: 2mm 0; font-size: 10pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { border: 0.5pt solid #cbd5df; padding: 0.6mm 2mm; text-align: right; }
th { background: #dce6f1; color: #1f3a5f; }
svg { display: block; width: 100%; height: auto; max-height: 120mm; margin: 2mm 0; break-inside: avoid; }
svg text { font-family: Cambria, Caladea, "Times New Roman", serif; fill: #1f2933; }
.blank { display: inline-block; width: 70mm; height: 1.3em; border-bottom: 0.75pt solid #66727f; }
td .blank { width: 12mm; }
@media print { body { margin: 0; padding: 0; max-width: none; } th { print-color-adjust: exact; } }
"""


class WebPage(Writer):
    """The kind .html."""

    typeset = Mathml
    blank = '<span class="blank"></span>'

    def page(self, handout: Handout) -> str:
        """The whole file."""
        title = self.escaped(handout.title)
        head = (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="generator" content="{MARK}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        )
        return head + "".join(self.sections(handout)) + "</body>\n</html>\n"

    def section(self, section: Section, inside: str) -> str:
        """A heading and what stands under it; a part of a section keeps together on paper."""
        if not section.title:
            return inside
        heading = f"<h{section.level}>{self.parts(section.title)}</h{section.level}>\n"
        kind = ' class="part"' if section.level > 2 else ""
        return f"<section{kind}>\n{heading}{inside}</section>\n"

    def picture(self, picture: Picture) -> str:
        """The drawing."""
        return f"{draw(picture.network)}\n"

    def part(self, part: Part) -> str:
        """A piece of a sentence, or a cell; a formula in a sentence keeps together."""
        inside = super().part(part)
        return f'<span class="whole">{inside}</span>' if isinstance(part, Formula) else inside

    def escaped(self, text: str) -> str:
        """Text as it is read."""
        return html.escape(text)

    def maths(self, printed: str) -> str:
        """A `<math>` for each piece, and a place to break the line between them."""
        pieces = printed.split(Mathml.BREAK)
        return "<wbr>".join(f"<math>{piece}</math>" for piece in pieces if piece)

    def equation(self, left: str, relation: str, rights: list[str | None]) -> str:
        """A formula that breaks where a line of text would."""
        sign = f'<mo form="infix" lspace="0">{relation}</mo>'
        parts = [self.maths(left)]
        parts += [
            f"<math>{sign}</math> {self.blank}" if right is None else self.maths(sign + right) for right in rights
        ]
        return " ".join(parts)

    def paragraph(self, inside: str) -> str:
        """A paragraph."""
        return f"<p>{inside}</p>\n"

    def formulas(self, lines: list[str]) -> str:
        """A paragraph each, with a hanging indent."""
        return "".join(f'<p class="formula">{line}</p>\n' for line in lines)

    def table(self, table: Table) -> str:
        """A table whose head is repeated on every page."""
        head = "".join(f'<th scope="col">{self.part(cell)}</th>' for cell in table.head)
        rows = "".join(f"<tr>{''.join(f'<td>{self.part(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
