"""Which cells a formula names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sheetgen.check.foreign.book import Book, Cell, Place
from sheetgen.formulas.parse import FormulaError, parse, parse_reference
from sheetgen.formulas.tree import Name, Reference, walk

__all__ = ["references"]


@lru_cache(maxsize=4_096)
def _references(text: str) -> tuple[Reference | Name, ...]:
    try:
        return tuple(node for node in walk(parse(text)) if isinstance(node, (Reference, Name)))
    except FormulaError:  # what cannot be read names no cells that are known
        return ()


def references(cell: Cell, tab: str, book: Book, *, ranges: bool = False) -> Iterator[tuple[str, Place]]:
    """The single cells that a formula names, or that its names mean; with `ranges`, the first cells of ranges too."""
    assert cell.text is not None
    for found in _references(cell.text):
        node = parse_reference(book.meanings(tab).get(found.name.casefold(), "")) if isinstance(found, Name) else found
        if node is None or (node.last is not None and not ranges):
            continue
        row, column = node.first.row, node.first.column
        if row is not None and column is not None:
            yield (
                node.tab or tab,
                (
                    row if node.first.row_fixed else row + cell.down,
                    column if node.first.column_fixed else column + cell.right,
                ),
            )
