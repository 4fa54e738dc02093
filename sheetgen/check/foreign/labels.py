"""What people write above a column -> the symbol that it means, as a training tab writes it; "" for the unknown."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["GRADIENT", "LOOKED_FOR", "RATE", "STEP", "is_rate", "simplified", "symbol_of", "without_remark"]

LOOKED_FOR = "w1, a_h1 (or out_h1), a_o1, t1, i1, E_total, ∂E/∂w1 and the like"
LONGEST = 200
"""Characters of a label, a remark behind it included."""
STEP = "step"
RATE = "η"

# Every sign that stands for a "d": partial, delta, the Cyrillic schwa that some keyboards offer.
_D = str.maketrans(dict.fromkeys("∂δәə∆Δ𝜕ð", "d"))
_SUM = str.maketrans(dict.fromkeys("Σ∑", "sum"))
"""Of the capital alone: the small letter is an activation."""
_DROPPED = re.compile(r"[\s_{}()'’`$^\u200b-\u200d\ufeff]+|\\")
_SMALL = re.compile(r"(?<![a-z])(?:of|the|for|neurone?|unit|node)(?![a-z])|(?<=\w )(?:de|du|des|del|della|der)(?= )")
"""Words that make a sentence of a label."""
_HIDDEN = re.compile(r"hidden|ocult[ao]|cachée?|versteckt")
_HYPHEN = re.compile(r"(?<=[a-z]{2})-(?=[ho]\d|d?[wb]\d)|(?<=^e)-(?=[ho]\d|t)|(?<=pre)-|(?<=post)-")
"""One that is no minus."""
_SAMPLE = re.compile(r"\[(\d+)\]$")
_CHANGE = re.compile(r"\s*(?:[∆Δ]|delta)[\s_]*[wb]", re.IGNORECASE)
_SLOPE = re.compile(r"\s*(?:σ|φ|f|g|sigmoid|tanh|relu)\s*['’′]")
_REMARK = re.compile(r"\s+[(\[](?!\s*1\s*[-−])|[(\[](?=[^-+*/]*$)|\s*[=:→\n]")
"""What begins behind a symbol: its formula, what it is, its unit; not a factor, as in a_h1(1-a_h1)."""
_ERROR = r"(?:e(?:rr(?:or|eur|ore|o)?)?|fehler)"
_LOSS = rf"(?:{_ERROR}|j|c(?:ost)?|l(?:oss)?)(?:t|tot|total)?"
_NEXT = r"(?:new|next|\+|t\+1|updated)"
_NOW = r"(?:old|current|prev|previous)"
_WEIGHT = r"(?:weight|wt|w|peso|gewicht|poids)w?"
_BIAS = r"(?:bias|biais|b|θ|theta)"
_INPUT = r"(?:i|x|in|inp|input|entrada|ingresso|eingabe|entrée)"
_TARGET = r"(?:t|y|target|tgt|expected|desired|objetivo|alvo|ziel|cible)"
_NET = r"(?:net|netinput|in|input|z|sum|s|pre|soma|suma|somma|somme|summe|weightedsum)"
_OUT = r"(?:a|act|activation|activated|out|output|sigmoid|sig|σ|φ|f|tanh|relu|salida|saída|saida|uscita|ausgabe|sortie)"
_IS_NET = r"(?:net|in|input|z|sum|beforeactivation|preactivation)"
_IS_OUT = r"(?:a|act|out|output|activation|activated|sigmoid|sig|afteractivation)"
GRADIENT = rf"(?:{_LOSS}d|d{_LOSS}/?d|d{_LOSS}/?|d/d|d|grad|∇|g|gradient(?:of)?)"
_SIGNAL = r"(?:errorsignal|errsignal|errorterm|localgradient)"
_PREDICTED = r"(?:ŷ|yhat|ypred|pred|predicted|prediction)"
_UNIT = r"(h|o|output)(?:(\d+)[,.-])?(\d+)"

# Pattern of the whole label, simplified -> what it means; {0} is the number, of unit or weight; {1} that of a layer.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"{GRADIENT}({_WEIGHT}|{_BIAS})(\d+)", "gradient"),
    (rf"{GRADIENT}{_BIAS}UNIT", "∂E/∂b_{kind}{unit}"),
    (rf"{GRADIENT}{_BIAS}(\d+),(\d+)", "∂E/∂b_{0}_{1}"),
    (rf"{GRADIENT}{_BIAS}h", "∂E/∂b_h1"),
    (rf"{GRADIENT}{_BIAS}(?:o|out|output|y)", "∂E/∂b_o1"),
    (rf"{GRADIENT}w(?:ih|h)(\d+)", "∂E/∂w_h{0}"),
    (rf"{GRADIENT}w(?:ho|o)(\d+)", "∂E/∂w_o{0}"),
    (rf"(?:{_NEXT})(w|b)(\d+)|(w|b)(\d+)(?:{_NEXT})", "next"),
    (rf"(?:{_NEXT}){_BIAS}UNIT|{_BIAS}UNIT(?:{_NEXT})", "b_{kind}{unit}⁺"),
    (rf"{_NOW}?{_WEIGHT}(\d+){_NOW}?", "w{0}"),
    (r"w(?:ih|h)(\d+)", "w_h{0}"),
    (r"w(?:ho|o)(\d+)", "w_o{0}"),
    (rf"{_BIAS}(\d+)", "b{0}"),
    (rf"{_BIAS}(\d+),(\d+)", "b_{0}_{1}"),
    (rf"{_BIAS}UNIT|UNITbias", "b_{kind}{unit}"),
    (rf"{_BIAS}h|hbias", "b_h1"),
    (rf"{_BIAS}(?:o|out|output|y)|(?:o|output)bias", "b_o1"),
    (rf"{_INPUT}(\d+)", "i{0}"),
    (rf"{_TARGET}(?:o|out|output)?(\d+)", "t{0}"),
    (rf"{_OUT}UNIT|UNIT{_IS_OUT}|(h|o){_IS_OUT}(\d+)", "a_{kind}{unit}"),
    (r"y(h)(\d+)", "a_{kind}{unit}"),
    (rf"{_NET}?UNIT|UNIT{_IS_NET}|(h|o){_IS_NET}(\d+)", "{kind}{unit}"),
    (rf"(?:d|{_SIGNAL})UNIT|{GRADIENT}{_NET}UNIT", "δ_{kind}{unit}"),
    (r"(?:hid|h)(\d+)", "h{0}"),
    (r"(?:output|out|salida|saída|saida|uscita|ausgabe|sortie)(\d+)", "o{0}"),
    (rf"{_PREDICTED}(\d+)", "a_o{0}"),
    # of a single output
    (r"(?:t|target|ytarget|targety|ytrue|truey|(?:desired|expected|target)(?:output|value)?)", "t1"),
    (rf"(?:net|z|sum)?o|{_NET}output", "o1"),
    (rf"(?:a|out|output|act|φ)o|{_PREDICTED}(?:output)?", "a_o1"),
    (rf"d(?:o|output)|{_SIGNAL}(?:o|output)|{GRADIENT}{_NET}(?:o|output)", "δ_o1"),
    (rf"(?:{_ERROR}(?:o|output)?|loss|l|j|cost|c)(\d+)", "E{0}"),
    (
        r"(?:e|etot|etotal|et|totale|totalerror|error|errortotal|errtotal|loss|totalloss|losstotal|ltotal|ltot|l|j|c"
        r"|cost|totalcost|mse|sse|sume|errototal|erreurtotale|erroretotale|gesamtfehler)",
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
    return _symbol_of(label)


def simplified(label: str) -> str:
    """A label in small letters, without what may be left out; every sign of a slope or a δ is a d."""
    text = unicodedata.normalize("NFKC", label.translate(_SUM)).casefold()
    text = _SMALL.sub("", text.replace("partial", "d").replace("delta", "d").translate(_D))
    text = _HYPHEN.sub("", re.sub(r"(?<=\d)_(?=\d)", ",", text))
    return _HIDDEN.sub("h", _DROPPED.sub("", text).rstrip(":="))


def without_remark(label: str) -> str:
    """A label without what is said of it behind."""
    return _REMARK.split(label, maxsplit=1)[0]


@lru_cache(maxsize=2000)
def _symbol_of(label: str) -> str:
    if _CHANGE.match(label) or _SLOPE.match(label):
        return ""  # Δw is a change of a weight, not a slope, and f' is no activation
    short = without_remark(label)
    return _meaning(label) or (_meaning(short) if short.strip() and short != label else "")


def _meaning(label: str) -> str:
    text = simplified(label)
    sample = _SAMPLE.search(text)
    if not sample:
        return _matched(text)
    whole = _matched(text[: sample.start()])
    return whole + sample[0] if whole else _matched(text[: sample.start()] + sample[1])


def _matched(text: str) -> str:
    for pattern, meaning in _COMPILED:
        if found := pattern.fullmatch(text):
            return _symbol(meaning, [one for one in found.groups() if one])
    return ""


def _symbol(meaning: str, groups: list[str]) -> str:
    if meaning == "gradient":
        return f"∂E/∂{_letter(groups[0])}{int(groups[1])}"
    if meaning == "next":
        return f"{groups[0]}{int(groups[1])}⁺"
    if "{kind}" in meaning:
        unit = "_".join(str(int(one)) for one in groups[1:])
        return meaning.format(kind=groups[0][0], unit=unit)
    return meaning.format(*(int(one) for one in groups))


def _letter(word: str) -> str:
    return "b" if word[0] in "bθt" else "w"


def is_rate(label: object) -> bool:
    """Whether a text is how people name a learning rate."""
    return isinstance(label, str) and bool(
        _RATE.fullmatch(_DROPPED.sub("", unicodedata.normalize("NFKC", label).casefold()))
    )
