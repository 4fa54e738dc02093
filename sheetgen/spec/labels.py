"""A label that names a tab: text that Excel, LibreOffice, Google Sheets, IronCalc and openpyxl read alike."""

import re
import unicodedata

from sheetgen.spec.fields import Place, count, show, text

__all__ = ["alike", "label"]

# Excel's limit on a tab's name, in the 16-bit units that it counts
_LENGTH = 31
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# what no label may have in it -> why
_RULES = {
    r"[\[\]:*?/\\!~]|^'|'$": "it names a tab: none of [ ] : * ? / \\ ! ~ and no apostrophe at either end",
    r"^ | $": "it names a tab: no blank at either end",
    r"^[=+@-]": "it names a tab and stands in cells, where = + - @ begin a formula",
    r"_x[0-9A-Fa-f]+_": "it names a tab, and in a file _x0041_ is another way to write A",
    r"(?i)^([\d .,%()+-]*\d[\d .,%()+-]*(e[+-]?\d+)?|true|false)$":
        "chosen from a list, it would be taken for a number, a date or a truth value",
    r"(?i)^lr *[\d.e+-]+$": "it looks like the tab of a learning rate",
}  # fmt: skip


def label(place: Place, value: object) -> str:
    """The label, which is text that can name a tab."""
    found = text(place, value, 200)
    hidden = [
        char for char in found if (unicodedata.category(char)[0] in "CZ" and char != " ") or _INVISIBLE.match(char)
    ]
    if hidden:
        rule = "it names a tab: only characters that can be seen, and blanks"
        raise place.refuse(f"has the invisible character U+{ord(hidden[0]):04X}", rule, "Remove it.")
    units = len(found.encode("utf-16-le")) // 2
    if units > _LENGTH:
        length = count(units, "character") + (" (as Excel counts them)" if units > len(found) else "")
        raise place.refuse(f"has {length}", f"it names a tab: at most {_LENGTH} are allowed", "Shorten it.")
    for pattern, rule in _RULES.items():
        if re.search(pattern, found):
            raise place.refuse(f"is {show(found)}", rule, "Use letters, digits and spaces.")
    return found


def alike(name: str) -> str:
    """The name as the least exact program compares it: two that become one cannot both be tabs.

    >>> alike("stra\u00dfe") == alike("STRASSE"), alike("\u017ftart") == alike("Start"), alike("a") == alike("\u00e4")
    (True, True, False)
    """
    folded = unicodedata.normalize("NFKC", name).upper().casefold()
    return unicodedata.normalize("NFKC", folded).replace("i\u0307", "i")
