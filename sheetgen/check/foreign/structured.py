"""References in other words than cells, as cells: columns of Excel's tables, and OFFSET by whole numbers.

Table1[[#This Row],[w1]] in row 6 is E6, Table1[w1] is $E$6:$E$45; OFFSET(E7,-1,0) is E6. Syntax: ECMA-376 part 1,
18.17.5 and 18.5. What a formula has of these that is not known here is left as it stands, and cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sheetgen.xlsx.cells import column_letters, column_number
from sheetgen.xlsx.reader import ListTable

__all__ = ["in_cells"]

_NAME = r"(?P<name>[^\W\d][\w.\\]*)?"
_COLUMN = r"(?:[^\[\]#'@]|'.)+"
_ITEM = r"\#(?:This\ Row|All|Data|Headers|Totals)"
# A text or a quoted tab, which are left alone, or a table's name with what is taken of it in brackets.
_STRUCTURED = re.compile(
    rf"""(?P<text>"[^"]*"|'(?:[^']|'')*'!)|(?<![\w.\]]){_NAME}\[(?P<inside>
    \s*(?:{_ITEM}|@?{_COLUMN}|@?\[{_COLUMN}\](?::\[{_COLUMN}\])?|
    \[{_ITEM}\](?:\s*,\s*\[{_COLUMN}\](?::\[{_COLUMN}\])?)?)?\s*)\]""",
    re.VERBOSE | re.IGNORECASE,
)
_COLUMNS = re.compile(rf"\[({_COLUMN})\](?::\[({_COLUMN})\])?$")
_OFFSET = re.compile(
    r"""("[^"]*"|'(?:[^']|'')*'!)|\bOFFSET\(\s*(\$?)([A-Z]{1,3})(\$?)(\d{1,7})\s*,\s*([-+]?\d+)\s*,\s*([-+]?\d+)\s*\)""",
    re.IGNORECASE,
)


def in_cells(text: str, tab: str, row: int, tables: Mapping[str, ListTable]) -> str:
    """The formula of a row with these references as cells; `tables` are the workbook's by their names in small letters.

    >>> table = ListTable("Sheet1", 5, 1, 45, ("t1", "w1"), 1, 0)
    >>> in_cells("Table1[[#This Row],[w1]]*SUM(Table1[t1])", "Sheet1", 6, {"table1": table})
    'B6*SUM($A$6:$A$45)'
    >>> in_cells("OFFSET(E7,-1,0)-$B$2*OFFSET(X7, -1, 0)", "Sheet1", 7, {})
    'E6-$B$2*X6'
    """
    if "[" in text:
        text = _STRUCTURED.sub(lambda found: _cells(found, tab, row, tables), text)
    return _OFFSET.sub(_moved, text) if "OFFSET" in text.upper() else text


def _cells(found: re.Match[str], tab: str, row: int, tables: Mapping[str, ListTable]) -> str:
    if found["text"]:
        return found[0]
    name = found["name"]
    table = tables.get(name.casefold()) if name else _around(tab, row, tables)
    inside = found["inside"].strip()
    if table is None:
        return found[0]
    item, columns = _parts(inside)
    places = _columns(columns, table)
    rows = _rows(item, row, table)
    if places is None or rows is None:
        return found[0]
    (left, right), (top, bottom) = places, rows
    if item == "#this row":
        first, last = f"{column_letters(left)}{row}", f"{column_letters(right)}{row}"
    else:
        first, last = f"${column_letters(left)}${top}", f"${column_letters(right)}${bottom}"
    cells = first if first == last else f"{first}:{last}"
    return cells if table.tab == tab else f"'{table.tab.replace(chr(39), chr(39) * 2)}'!{cells}"


def _parts(inside: str) -> tuple[str, str]:
    """What is taken of a table, such as "#this row", and of which columns; "" for all."""
    if inside.startswith("@"):
        rest = inside[1:]
        return "#this row", rest if rest.startswith("[") or not rest else f"[{rest}]"
    if inside.startswith("#"):
        return inside.casefold(), ""
    special = re.match(rf"\[({_ITEM})\]\s*,?\s*", inside, re.VERBOSE | re.IGNORECASE)
    if special:
        return special[1].casefold(), inside[special.end() :]
    return "#data", inside if inside.startswith("[") or not inside else f"[{inside}]"


def _columns(text: str, table: ListTable) -> tuple[int, int] | None:
    """The first and the last column of the sheet that are meant."""
    if not text:
        return table.left, table.left + len(table.columns) - 1
    found = _COLUMNS.match(text)
    if found is None:
        return None
    names = [one.casefold() for one in table.columns]
    ends = [re.sub("'(.)", r"\1", one).strip().casefold() for one in found.groups() if one]
    if not all(one in names for one in ends):
        return None
    places = [table.left + names.index(one) for one in ends]
    return min(places), max(places)


def _rows(item: str, row: int, table: ListTable) -> tuple[int, int] | None:
    first, last = table.top + table.heads, table.bottom - table.totals
    if item == "#this row":
        return (row, row) if first <= row <= last else None
    ends = {
        "#all": (table.top, table.bottom),
        "#data": (first, last),
        "#headers": (table.top, table.top) if table.heads else None,
        "#totals": (table.bottom, table.bottom) if table.totals else None,
    }
    return ends.get(item)


def _around(tab: str, row: int, tables: Mapping[str, ListTable]) -> ListTable | None:
    """The one table of a tab that a formula within it need not name."""
    here = [one for one in tables.values() if one.tab == tab and one.top <= row <= one.bottom]
    return here[0] if len(here) == 1 else None


def _moved(found: re.Match[str]) -> str:
    if found[1]:
        return found[0]
    _, column_fixed, letters, row_fixed, digits, down, right = found.groups()
    row, column = int(digits) + int(down), column_number(letters.upper()) + int(right)
    return f"{column_fixed}{column_letters(column)}{row_fixed}{row}" if row > 0 < column else found[0]
