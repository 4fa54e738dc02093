"""What people write above a column -> the symbol that it means, as a training tab writes it; "" for the unknown."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LOOKED_FOR", "RATE", "STEP", "is_rate", "symbol_of"]

LOOKED_FOR = "w1, a_h1 (or out_h1), a_o1, t1, i1, E_total, ∂E/∂w1 and the like"
LONGEST = 200
"""Characters of a label, a remark behind it included."""
STEP = "step"
RATE = "η"

# Every sign that stands for a "d": partial, delta, the Cyrillic schwa that some keyboards offer.
_D = str.maketrans(dict.fromkeys("∂δәə∆Δ𝜕ð", "d"))
_DROPPED = re.compile(r"[\s_{}()'’`$^\u200b-\u200d\ufeff]+|\\")
_SAMPLE = re.compile(r"\[(\d+)\]$")
_CHANGE = re.compile(r"\s*[∆Δ][\s_]*[wWbB]")
_REMARK = re.compile(r"\s+[(\[](?!\s*1\s*[-−])|[(\[](?=[^-+*/]*$)|\s*[=:→\n]")
"""What begins behind a symbol: its formula, what it is, its unit; not a factor, as in a_h1(1-a_h1)."""
_LOSS = r"(?:e(?:rr(?:or)?)?|j|c(?:ost)?|l(?:oss)?)(?:t|tot|total)?"
_NEXT = r"(?:new|next|\+|t\+1|updated)"
_NOW = r"(?:old|current|prev|previous)"
_WEIGHT = r"(?:weight|wt|w|peso|gewicht|poids)"
_INPUT = r"(?:i|x|in|inp|input|entrada|ingresso|eingabe)"
_TARGET = r"(?:t|y|target|tgt|expected|desired|objetivo|alvo|ziel)"
_NET = r"(?:net|netinput|in|input|z|sum|s|pre)"
_OUT = r"(?:a|act|activation|activated|out|output|sigmoid|sig|σ|f|tanh|relu|salida|saída|uscita|ausgabe)"
_GRADIENT = rf"(?:{_LOSS}d|d{_LOSS}/?d|d{_LOSS}/?|d/d|d|grad|∇|g|gradient(?:of)?)"
_UNIT = r"(?:(\d+)[,.-])?(\d+)"

# Pattern of the whole label, simplified -> what it means; {0} is the number, of unit or weight; {1} that of a layer.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"{_GRADIENT}(w|b)(\d+)", "gradient"),
    (rf"{_GRADIENT}(?:b|bias)(h|o)UNIT", "∂E/∂b_{kind}{unit}"),
    (rf"(?:{_NEXT})(w|b)(\d+)|(w|b)(\d+)(?:{_NEXT})", "next"),
    (rf"(?:{_NEXT})(?:b|bias)(h|o)UNIT|(?:b|bias)(h|o)UNIT(?:{_NEXT})", "b_{kind}{unit}⁺"),
    (rf"{_NOW}?{_WEIGHT}(\d+){_NOW}?", "w{0}"),
    (r"(?:bias|b)(\d+)", "b{0}"),
    (r"(?:bias|b)(h|o)UNIT|(h|o)UNITbias", "b_{kind}{unit}"),
    (rf"{_INPUT}(\d+)", "i{0}"),
    (rf"{_TARGET}(?:o|out|output)?(\d+)", "t{0}"),
    (rf"{_OUT}(h|o)UNIT|(h|o)UNIT(?:a|act|out|output|activation|activated|sigmoid|sig)", "a_{kind}{unit}"),
    (rf"{_NET}?(h|o)UNIT|(h|o)UNIT(?:net|in|input|z|sum)", "{kind}{unit}"),
    (r"d(h|o)UNIT", "δ_{kind}{unit}"),
    (r"(?:hidden|hid|oculta)(\d+)", "h{0}"),
    (r"(?:output|out|salida|saída|uscita|ausgabe)(\d+)", "o{0}"),
    (r"(?:ŷ|yhat|ypred|pred|predicted|prediction)(\d+)", "a_o{0}"),
    # of a single output
    (r"(?:t|target)", "t1"),
    (r"(?:net|z)?o", "o1"),
    (r"(?:a|out|output|act)o|ŷ|yhat", "a_o1"),
    (r"(?:e(?:rr(?:or)?)?(?:o)?|loss|l|j|cost|c)(\d+)", "E{0}"),
    (
        r"(?:e|etot|etotal|et|totale|totalerror|error|errortotal|errtotal|loss|totalloss|losstotal|ltotal|ltot|l|j|c"
        r"|cost|totalcost|mse|sse)",
        "E_total",
    ),
    (r"(?:step|steps|no|nr|n°|#|epoch|epochs|iteration|iterations|iter|k)\.?", STEP),
)  # fmt: skip
_COMPILED = [(re.compile(pattern.replace("UNIT", _UNIT)), meaning) for pattern, meaning in _PATTERNS]
_RATE = re.compile(
    r"(?:η|eta|ŋ|n|h|ƞ|𝜂|α|alpha|a|lr|l\.r\.?|learningrate|rate|learnrate|stepsize|ε)(?:η|α|eta|lr)?"
    r"(?:\d+|hidden|output|layer\d?|[ho]\d?|w\d+)?[=:]*"
)


def symbol_of(label: object) -> str:
    """The symbol that a label means.

    >>> [symbol_of(one) for one in ("out_h1", "∂E_T/∂W5", "Ә E / Ә w1", "E_Total", "net o2", "Loss", "note", 7)]
    ['a_h1', '∂E/∂w5', '∂E/∂w1', 'E_total', 'o2', 'E_total', '', '']
    >>> [symbol_of(one) for one in ("w1 (i1 to h1)", "h1 = w1*i1 + w2*i2", "∂E/∂b_o1", "a_h1(1-a_h1)", "a_o1 - t1")]
    ['w1', 'h1', '∂E/∂b_o1', '', '']
    """
    if not isinstance(label, str) or len(label) > LONGEST:
        return ""
    if _CHANGE.match(label):
        return ""  # Δw is a change of a weight, not a slope
    whole = _symbol_of(label)
    if whole:
        return whole
    short = _REMARK.split(label, maxsplit=1)[0]
    return _symbol_of(short) if short.strip() and short != label else ""


def _symbol_of(label: str) -> str:
    text = unicodedata.normalize("NFKC", label).casefold().replace("partial", "d").translate(_D)
    text = _DROPPED.sub("", re.sub(r"(?<=\d)_(?=\d)", ",", text)).rstrip(":=")
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
