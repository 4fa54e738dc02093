"""A graph of nodes, each with its local derivatives, and the one walk backwards that adds them up.

A node is a symbol, an expression in earlier nodes, and a place in the story; a parameter is a node that several others
may use. sympy differentiates each *kind* of term once, with respect to its immediate inputs only; every other term of
the kind gets the same derivative with the names changed. The walk knows nothing of layers: what reaches a node from
all those that use it adds up, so a weight that is used in many places has the sum over its places, and the work grows
with the number of connections and not with the number of paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sympy import Expr, Integer, Symbol, preorder_traversal

from sheetgen.maths.algebra import Total, chain, total

__all__ = ["Backward", "Equation", "Graph", "Place", "Use", "fused"]


@dataclass(frozen=True)
class Equation:
    """One column of a row, in terms of columns of the same row or of cells on Inputs."""

    symbol: Symbol
    expr: Expr
    kind: str


def fused(equations: Sequence[Equation], most: int) -> tuple[Equation, ...]:
    """The equations with fewer columns: a net input or an error that one other equation uses is written out in that.

    Only one of at most so many symbols, and errors only if they are no more.
    """
    uses = Counter(symbol for one in equations for symbol in one.expr.free_symbols)
    errors = sum(one.kind == "error" for one in equations)
    kinds = ("net", "error") if errors <= most else ("net",)
    within: dict[Symbol, Expr] = {}
    kept = []
    for one in equations:
        expr = one.expr.xreplace(within)
        if one.kind in kinds and uses[one.symbol] == 1 and len(expr.free_symbols) <= most:
            within[one.symbol] = expr
        else:
            kept.append(replace(one, expr=expr))
    return tuple(kept)


@dataclass(frozen=True)
class Place:
    """Where a node stands in the story: the sample, the layer, and the step within the layer, each from 0."""

    sample: int
    layer: int
    stage: int = 0


@dataclass(frozen=True)
class Use:
    """One place where a node is used: ∂E/∂(the node there) and the local derivative; their product is its share."""

    by: Symbol
    reached: Expr
    slope: Expr

    @property
    def share(self) -> Expr:
        """The part of the derivative that comes from here."""
        return chain(self.reached, self.slope)


@dataclass(frozen=True)
class Backward:
    """What the walk found: δ of each node that has a column for it, and the uses of each of the others asked for."""

    delta: Mapping[Symbol, Expr]
    uses: Mapping[Symbol, tuple[Use, ...]]


@dataclass
class Graph:
    """Collects nodes in the order of evaluation; `partials` maps (node, immediate input) to the local derivative."""

    equations: list[Equation] = field(default_factory=list)
    partials: dict[tuple[Symbol, Symbol], Expr] = field(default_factory=dict)
    _deltas: dict[Symbol, tuple[Symbol, Place]] = field(default_factory=dict)

    def give(self, symbol: Symbol, expr: Expr, kind: str) -> None:
        """A node through which nothing goes back: data, a parameter's cell, a helper."""
        self.equations.append(Equation(symbol, expr, kind))

    def add(
        self,
        equation: Equation,
        by: Iterable[Symbol],
        *,
        delta: tuple[Symbol, Place] | None = None,
        known: Mapping[Expr, Expr] | None = None,
    ) -> None:
        """A node, differentiated by the immediate inputs `by`.

        With `delta`, what reaches the node has a column of that name. `known` names columns for parts of the local
        derivatives; the node's own expression is its own column.
        """
        self.equations.append(equation)
        self.link(equation.symbol, equation.expr, by, known)
        if delta is not None:
            self._deltas[equation.symbol] = delta

    def link(self, symbol: Symbol, expr: Expr, by: Iterable[Symbol], known: Mapping[Expr, Expr] | None = None) -> None:
        """Notes the local derivatives of a node, without a column of its own for it."""
        wanted = frozenset(by)
        single = not isinstance(expr, Total)
        for term in (expr,) if single else expr.args:
            for name, slope in _slopes(term, wanted, symbol if single else None):
                slope = slope.xreplace(dict(known)) if known else slope
                before = self.partials.get((symbol, name))
                self.partials[symbol, name] = slope if before is None else total(before, slope)

    def backward(
        self, ends: Sequence[Symbol], asked: Iterable[Symbol], renamed: Mapping[Symbol, Symbol] | None = None
    ) -> Backward:
        """From the ends, at which the derivative is 1, to every node; `renamed` parameters are read as others.

        A δ is listed after those that it is made of, but for a node's own stages: samples first, then layers from the
        last to the first.
        """
        users: dict[Symbol, list[tuple[Symbol, Expr]]] = {}
        for (node, by), slope in self.partials.items():
            users.setdefault(by, []).append((node, slope))
        reached: dict[Symbol, Expr] = {end: Integer(1) for end in ends}
        delta: dict[Symbol, tuple[Place, Expr]] = {}
        walked = [equation.symbol for equation in self.equations if equation.kind not in ("data", "parameter")]
        for symbol in reversed(walked):
            if symbol in reached or symbol not in users:
                continue
            shares = (
                chain(reached[node], _renamed(slope, renamed)) for node, slope in users[symbol] if node in reached
            )
            reached[symbol] = total(*shares)
            if symbol in self._deltas:
                name, place = self._deltas[symbol]
                delta[name] = place, reached[symbol]
                reached[symbol] = name
        for name, place in self._deltas.values():
            delta.setdefault(name, (place, Integer(0)))
        names = [name for name, _ in self._deltas.values()]
        order = sorted(names, key=lambda name: _backwards(delta[name][0]))
        uses = {
            symbol: tuple(Use(node, reached[node], slope) for node, slope in users.get(symbol, ()) if node in reached)
            for symbol in asked
        }
        return Backward({name: delta[name][1] for name in order}, uses)


def _backwards(place: Place) -> tuple[int, int, int]:
    return place.sample, -place.layer, -place.stage


def _renamed(slope: Expr, renamed: Mapping[Symbol, Symbol] | None) -> Expr:
    return slope.xreplace(renamed) if renamed else slope


# x0 is the node itself, x1, x2, … the symbols of a term in the order in which they are met
_STAND_INS = tuple(Symbol(f"x{place}") for place in range(64))


def _slopes(term: Expr, wanted: frozenset[Symbol], own: Symbol | None) -> Iterable[tuple[Symbol, Expr]]:
    """The derivatives of a term by those of its symbols that are wanted, in the order in which they are met."""
    symbols = tuple(dict.fromkeys(node for node in preorder_traversal(term) if node.is_Symbol))
    there = dict(zip(symbols, _stand_ins(len(symbols) + 1)[1:], strict=True))
    kind = term.xreplace(there)
    back = {stand_in: symbol for symbol, stand_in in there.items()} | ({_STAND_INS[0]: own} if own else {})
    for symbol in symbols:
        if symbol in wanted:
            yield symbol, _slope(kind, there[symbol], own is not None).xreplace(back)


def _stand_ins(count: int) -> tuple[Symbol, ...]:
    if count <= len(_STAND_INS):
        return _STAND_INS[:count]
    return tuple(Symbol(f"x{place}") for place in range(count))


@lru_cache(maxsize=4096)
def _slope(kind: Expr, by: Symbol, own: bool) -> Expr:
    """The derivative of a kind of term, which sympy takes once; the term itself is written as its column, x0."""
    slope = kind.diff(by)
    return slope.xreplace({kind: _STAND_INS[0]}) if own and kind != by else slope
