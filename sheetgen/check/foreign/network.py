"""What the cells of a row should be, for a network of dense layers: every symbol's formula in other symbols.

These are the textbook's: the net input is the sum of weight times input, the gradient of a weight is its unit's δ times
its input, δ of the output is ∂E/∂a times the activation's slope, and δ of a hidden unit is the sum over the units it
feeds of their δ times the weight between, times the slope. A formula has symbols in braces, as in {w1}*{i1}.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["ACTIVATIONS", "LOSSES", "Loss", "Network", "expanded", "symbols_in"]


@dataclass(frozen=True)
class Activation:
    """Its value of the net input {x}, and its slope in its own value {a}; "1" where it is constant."""

    value: str
    slope: str


ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": Activation("1/(1+EXP(-{x}))", "{a}*(1-{a})"),
    "tanh": Activation("TANH({x})", "(1-{a}*{a})"),
    "relu": Activation("MAX(0,{x})", "IF({a}>0,1,0)"),
    "leaky_relu": Activation("IF({x}>0,{x},0.01*{x})", "IF({a}>0,1,0.01)"),
    "softplus": Activation("LN(1+EXP({x}))", "(1-EXP(-{a}))"),
    "identity": Activation("{x}", "1"),
    "softmax": Activation("EXP({x})/({sum})", "{a}*(1-{a})"),
}


@dataclass(frozen=True)
class Loss:
    """The part of an output with target {t} and activation {a}, its slope in {a}, and how people call it.

    `delta` is the slope in the net input of an output whose activation is `activation`, where it is short.
    """

    text: str
    value: str
    slope: str
    activation: str = ""
    delta: str = ""


LOSSES: Mapping[str, Loss] = {
    "half_squared_error": Loss("half squared error", "({t}-{a})^2/2", "({a}-{t})"),
    "squared_error": Loss("squared error without ½", "({t}-{a})^2", "2*({a}-{t})"),
    "binary_cross_entropy": Loss(
        "binary cross-entropy", "-({t}*LN({a})+(1-{t})*LN(1-{a}))", "({a}-{t})/({a}*(1-{a}))", "sigmoid", "({a}-{t})"
    ),
    "cross_entropy": Loss("cross-entropy", "-{t}*LN({a})", "-{t}/{a}", "softmax", "({a}-{t})"),
    "binary_cross_entropy_10": Loss(
        "binary cross-entropy in base 10",
        "-({t}*LOG10({a})+(1-{t})*LOG10(1-{a}))",
        "({a}-{t})/({a}*(1-{a}))/LN(10)",
        "sigmoid",
        "({a}-{t})/LN(10)",
    ),
    "cross_entropy_10": Loss(
        "cross-entropy in base 10", "-{t}*LOG10({a})", "-{t}/{a}/LN(10)", "softmax", "({a}-{t})/LN(10)"
    ),
}


@dataclass(frozen=True)
class Network:
    """What a table's network is taken for.

    `units` are inputs, hidden units of each layer, outputs; `biases` has, for each layer, nothing, one bias ("shared")
    or one a unit ("own"); `by_input` says whether a layer's weights are numbered by input instead of by unit; `loss`
    is one of LOSSES, times `factor`, and `gradient_loss` and `gradient_factor` what the gradients are of. With
    `output_first` hidden gradients look at the output's weights as they are after their own update. `factor_in_delta`
    says whether δ has the gradients' factor in it already; `offsets` are biases that have no column, by layer and unit.
    """

    units: tuple[int, ...]
    biases: tuple[str, ...]
    samples: int = 1
    by_input: tuple[bool, ...] = ()
    activations: tuple[str, ...] = ()
    loss: str = "half_squared_error"
    factor: float = 1.0
    gradient_loss: str = "half_squared_error"
    gradient_factor: float = 1.0
    output_first: bool = False
    factor_in_delta: bool = True
    offsets: tuple[tuple[float, ...], ...] = ()

    @property
    def downhill(self) -> float:
        """1 where updates take the gradient away; -1 where gradients are held the other way round, and added."""
        return math.copysign(1.0, self.gradient_factor)

    @property
    def depth(self) -> int:
        """How many layers have weights."""
        return len(self.units) - 1

    def source_of(self, symbol: str, row: int) -> tuple[str, int]:
        """The equation that gives a symbol's cell, and the row of what it looks at: a weight's is the row above."""
        return (f"{symbol}⁺", row - 1) if symbol in self.weights else (symbol, row)

    def sample_marks(self) -> list[str]:
        """What follows the symbols of a sample."""
        return [""] if self.samples == 1 else [f"[{number + 1}]" for number in range(self.samples)]

    def net(self, layer: int, unit: int, mark: str = "") -> str:
        """The symbol of a unit's net input; layers are counted from 1, units from 0."""
        if layer == self.depth:
            return f"o{unit + 1}{mark}"
        return (f"h{unit + 1}" if self.depth == 2 else f"h{layer}_{unit + 1}") + mark

    def out(self, layer: int, unit: int, mark: str = "") -> str:
        """The symbol of what a unit passes on; layer 0 are the inputs."""
        return f"a_{self.net(layer, unit, mark)}" if layer else f"i{unit + 1}{mark}"

    def weight(self, layer: int, unit: int, source: int) -> str:
        """The symbol of the weight from a source to a unit of a layer."""
        before = sum(self.units[k] * self.units[k + 1] for k in range(layer - 1))
        if self.by_input and self.by_input[layer - 1]:
            return f"w{before + source * self.units[layer] + unit + 1}"
        return f"w{before + unit * self.units[layer - 1] + source + 1}"

    def bias(self, layer: int, unit: int) -> str:
        """The symbol of a unit's bias; "" if it has none."""
        own = [
            0 if not kind else 1 if kind == "shared" else size
            for kind, size in zip(self.biases, self.units[1:], strict=True)
        ]
        if not own[layer - 1]:
            return ""
        return f"b{sum(own[: layer - 1]) + (1 if self.biases[layer - 1] == 'shared' else unit + 1)}"

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """The symbols of weights and then biases, in the order of their numbers."""
        count = sum(a * b for a, b in zip(self.units, self.units[1:], strict=False))
        biases = {self.bias(layer, unit) for layer in range(1, self.depth + 1) for unit in range(self.units[layer])}
        return (*(f"w{k + 1}" for k in range(count)), *sorted(biases - {""}, key=lambda one: int(one[1:])))

    @cached_property
    def equations(self) -> dict[str, str]:
        """Symbol -> its formula, each after those it needs; every unit's δ is among them, and the next weights⁺."""
        found: dict[str, str] = {}
        for mark in self.sample_marks():
            for layer in range(1, self.depth + 1):
                found |= self._forward(layer, mark)
            found |= {f"E{k + 1}{mark}": self._loss(self.loss, k, mark) for k in range(self.units[-1])}
        parts = "+".join(f"{{E{k + 1}{mark}}}" for mark in self.sample_marks() for k in range(self.units[-1]))
        found["E_total"] = parts if self.factor == 1 else f"({parts})*{self.factor!r}"
        for layer in range(self.depth, 0, -1):
            for mark in self.sample_marks():
                for unit in range(self.units[layer]):
                    found[f"δ_{self.net(layer, unit, mark)}"] = self._delta(layer, unit, mark)
            found |= dict(self._gradients(layer))
            sign = "-" if self.downhill > 0 else "+"
            found |= {f"{w}⁺": f"{{{w}}}{sign}{{η}}*{{∂E/∂{w}}}" for w in self.of_layer(layer)}
        return found

    def _forward(self, layer: int, mark: str) -> dict[str, str]:
        name, found = self.activations[layer - 1], {}
        nets = [self.net(layer, unit, mark) for unit in range(self.units[layer])]
        for unit, net in enumerate(nets):
            terms = [
                f"{{{self.weight(layer, unit, source)}}}*{{{self.out(layer - 1, source, mark)}}}"
                for source in range(self.units[layer - 1])
            ]
            bias = self.bias(layer, unit)
            offset = self.offsets[layer - 1][unit] if self.offsets else 0.0
            found[net] = "+".join([*terms, *([f"{{{bias}}}"] if bias else [])]) + (f"{offset:+.17g}" if offset else "")
        total = "+".join(f"EXP({{{net}}})" for net in nets)
        for net in nets:
            found[f"a_{net}"] = ACTIVATIONS[name].value.replace("{x}", f"{{{net}}}").replace("{sum}", total)
        return found

    def _loss(self, name: str, unit: int, mark: str, part: str = "value") -> str:
        text = str(getattr(LOSSES[name], part))
        return text.replace("{t}", f"{{t{unit + 1}{mark}}}").replace("{a}", f"{{{self.out(self.depth, unit, mark)}}}")

    def slope(self, layer: int, unit: int, mark: str = "") -> str:
        """The slope of a unit's activation; "" where it is 1."""
        text = ACTIVATIONS[self.activations[layer - 1]].slope
        return "" if text == "1" else text.replace("{a}", f"{{{self.out(layer, unit, mark)}}}")

    def _delta(self, layer: int, unit: int, mark: str) -> str:
        if layer == self.depth:
            loss = LOSSES[self.gradient_loss]
            if loss.activation and loss.activation == self.activations[-1]:
                text = self._loss(self.gradient_loss, unit, mark, "delta")
            else:
                text = _product(self._loss(self.gradient_loss, unit, mark, "slope"), self.slope(layer, unit, mark))
            return _times(text, self.gradient_factor) if self.factor_in_delta else text
        return _product(f"({self.paths(layer, unit, mark)})", self.slope(layer, unit, mark))

    def paths(self, layer: int, unit: int, mark: str = "") -> str:
        """What comes back to a hidden unit: a term for each unit that it feeds."""
        after = "⁺" if self.output_first and layer + 1 == self.depth else ""
        terms = [
            f"{{δ_{self.net(layer + 1, fed, mark)}}}*{{{self.weight(layer + 1, fed, unit)}{after}}}"
            for fed in range(self.units[layer + 1])
        ]
        return "+".join(terms)

    def _gradients(self, layer: int) -> Iterator[tuple[str, str]]:
        terms: dict[str, list[str]] = {}
        for unit in range(self.units[layer]):
            for mark in self.sample_marks():
                delta = f"{{δ_{self.net(layer, unit, mark)}}}"
                for source in range(self.units[layer - 1]):
                    name = f"∂E/∂{self.weight(layer, unit, source)}"
                    terms.setdefault(name, []).append(f"{delta}*{{{self.out(layer - 1, source, mark)}}}")
                if bias := self.bias(layer, unit):
                    terms.setdefault(f"∂E/∂{bias}", []).append(delta)
        for name, parts in terms.items():
            text = "+".join(parts)
            yield name, text if self.factor_in_delta else _times(f"({text})", self.gradient_factor)

    def of_layer(self, layer: int) -> list[str]:
        """The weights and biases of a layer."""
        weights = [
            self.weight(layer, unit, k) for unit in range(self.units[layer]) for k in range(self.units[layer - 1])
        ]
        biases = [self.bias(layer, unit) for unit in range(self.units[layer])]
        return [*weights, *dict.fromkeys(one for one in biases if one)]


def expanded(text: str, equations: Mapping[str, str], known: Mapping[str, str]) -> str:
    """A formula with its symbols as `known` writes them (cells), and those it does not know written out in brackets."""
    for symbol in symbols_in(text):
        if symbol in known:
            shown = known[symbol]
        else:
            inner = expanded(equations[symbol], equations, known)
            shown = f"({inner})" if _is_sum(inner) else inner
        text = text.replace(f"{{{symbol}}}", shown)
    return text


_DIFFERENCE = re.compile(r"\((\{a_o\d[^{}]*\})-(\{t\d[^{}]*\})\)")


def _times(text: str, factor: float) -> str:
    """A product with one factor more; -1 turns the difference of output and target round, where there is one."""
    if factor == 1:
        return text
    turned = _DIFFERENCE.sub(r"(\2-\1)", text, count=1)
    return turned if factor == -1 and turned != text else f"{text}*{factor!r}"


def _product(*factors: str) -> str:
    return "*".join(one for one in factors if one and one != "1")


def symbols_in(text: str) -> list[str]:
    """The symbols of a formula, each once."""
    return list(dict.fromkeys(piece.partition("}")[0] for piece in text.split("{")[1:]))


def _is_sum(text: str) -> bool:
    """Whether a formula needs brackets as a factor."""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth and at and sign in "+-/" and text[at - 1] not in "*/^(":
            return True
    return text.startswith("-")
