"""What people write above a column -> the symbol that it means, as a training tab writes it; "" for the unknown."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LOOKED_FOR", "RATE", "STEP", "is_rate", "symbol_of"]

LOOKED_FOR = "w1, a_h1 (or out_h1), a_o1, t1, i1, E_total, ∂E/∂w1 and the like"
STEP = "step"
RATE = "η"

# Every sign that stands for a "d": partial, delta, the Cyrillic schwa that some keyboards offer.
_D = str.maketrans(dict.fromkeys("∂δәə∆Δ𝜕ð", "d"))
_DROPPED = re.compile(r"[\s_{}()'’`$^\u200b-\u200d\ufeff]+|\\")
_SAMPLE = re.compile(r"\[(\d+)\]$")
_CHANGE = re.compile(r"\s*[∆Δ][\s_]*[wWbB]")
_LOSS = r"(?:e(?:rr(?:or)?)?|j|c(?:ost)?|l(?:oss)?)(?:t|tot|total)?"
_NEXT = r"(?:new|next|\+|t\+1|updated)"
_UNIT = r"(?:(\d+)[,.-])?(\d+)"

# Pattern of the whole label, simplified -> what it means; {0} is the number, of unit or weight; {1} that of a layer.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"(?:{_LOSS}d|d{_LOSS}/?d|d{_LOSS}/?|d|grad|∇|g|gradient)(w|b)(\d+)", "gradient"),
    (rf"(?:{_NEXT})(w|b)(\d+)|(w|b)(\d+)(?:{_NEXT})", "next"),
    (r"(?:weight|wt|w)(\d+)", "w{0}"),
    (r"(?:bias|b)(\d+)", "b{0}"),
    (r"(?:i|x|in|inp|input)(\d+)", "i{0}"),
    (r"(?:t|y|target|tgt|expected|desired)(\d+)", "t{0}"),
    (r"(?:a|act|activation|out|output|sigmoid|sig|σ|f|tanh|relu)(h|o)UNIT", "a_{kind}{unit}"),
    (r"(?:net|in|z|sum|s)?(h|o)UNIT", "{kind}{unit}"),
    (r"d(h|o)UNIT", "δ_{kind}{unit}"),
    # of a single output
    (r"(?:t|target)", "t1"),
    (r"(?:net|z)?o", "o1"),
    (r"(?:a|out|output|act)o", "a_o1"),
    (r"e(?:rr(?:or)?)?(?:o)?(\d+)", "E{0}"),
    (
        r"(?:e|etot|etotal|et|totale|totalerror|error|errortotal|errtotal|loss|totalloss|losstotal|j|cost|mse|sse)",
        "E_total",
    ),
    (r"(?:step|steps|no|nr|n°|#|epoch|epochs|iteration|iterations|iter|k)\.?", STEP),
)  # fmt: skip
_COMPILED = [(re.compile(pattern.replace("UNIT", _UNIT)), meaning) for pattern, meaning in _PATTERNS]
_RATE = re.compile(r"(?:η|eta|ŋ|n|h|ƞ|𝜂|α|alpha|a|lr|l\.r\.?|learningrate|rate|learnrate|step ?size|ε)[=:]*")


def symbol_of(label: object) -> str:
    """The symbol that a label means.

    >>> [symbol_of(one) for one in ("out_h1", "∂E_T/∂W5", "Ә E / Ә w1", "E_Total", "net o2", "Loss", "note", 7)]
    ['a_h1', '∂E/∂w5', '∂E/∂w1', 'E_total', 'o2', 'E_total', '', '']
    """
    if not isinstance(label, str) or len(label) > 60:
        return ""
    text = unicodedata.normalize("NFKC", label).casefold().translate(_D)
    text = _DROPPED.sub("", re.sub(r"(?<=\d)_(?=\d)", ",", text)).rstrip(":=")
    if _CHANGE.match(label):
        return ""  # Δw is a change of a weight, not a slope
    sample = _SAMPLE.search(text)
    text = text[: sample.start()] if sample else text
    for pattern, meaning in _COMPILED:
        if found := pattern.fullmatch(text):
            return _symbol(meaning, [one for one in found.groups() if one]) + (sample[0] if sample else "")
    return ""


def _symbol(meaning: str, groups: list[str]) -> str:
    if meaning == "gradient":
        return f"∂E/∂{groups[0]}{int(groups[1])}"
    if meaning == "next":
        return f"{groups[0]}{int(groups[1])}⁺"
    if "{kind}" in meaning:
        unit = "_".join(str(int(one)) for one in groups[1:])
        return meaning.format(kind=groups[0], unit=unit)
    return meaning.format(*(int(one) for one in groups))


def is_rate(label: object) -> bool:
    """Whether a text is how people name a learning rate."""
    return isinstance(label, str) and bool(
        _RATE.fullmatch(_DROPPED.sub("", unicodedata.normalize("NFKC", label).casefold()))
    )
