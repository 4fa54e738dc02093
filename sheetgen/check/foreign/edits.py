"""Formulas that differ in one place from another: what somebody may have meant to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sheetgen.formulas.tree import Call, Node, Number, Operation, Percent, Reference, Sign, operation, rebuilt, walk

__all__ = ["Edit", "factors", "operators", "references_in", "regrouped", "summands", "swapped", "turned"]


@dataclass(frozen=True)
class Edit:
    """A formula that might have been meant, and what was done to get it: a kind, what stands and what belongs there."""

    tree: Node
    kind: str
    there: object = None
    belongs: object = None
    times: int = 1


def _everywhere(node: Node, changes: Callable[[Node], Iterator[tuple[Node, Edit]]]) -> Iterator[Edit]:
    """The whole with each change of each node in it; a change says what it is in an Edit without the whole."""
    for new, edit in changes(node):
        yield replace(edit, tree=new)
    parts = node.operands if isinstance(node, Operation) else node.arguments if isinstance(node, Call) else ()
    if isinstance(node, (Sign, Percent)):
        for edit in _everywhere(node.operand, changes):
            yield replace(edit, tree=replace(node, operand=edit.tree))
    for at, part in enumerate(parts):
        for edit in _everywhere(part, changes):
            others = (*parts[:at], edit.tree, *parts[at + 1 :])
            if isinstance(node, Operation):
                yield replace(edit, tree=Operation(node.operators, others))
            else:
                assert isinstance(node, Call)
                yield replace(edit, tree=Call(node.name, others))


_NOTHING = Number("0")
_OPERATORS = {
    "+": ("-", "*"), "-": ("+", "*"), "*": ("/", "+", "-"), "/": ("*",), "^": ("*",),
    "<": (">", ">="), ">": ("<", "<="), "<=": (">=", ">"), ">=": ("<=", "<"),
}  # fmt: skip


def references_in(tree: Node) -> list[Reference]:
    """Each cell or range that a formula names, once."""
    return list(dict.fromkeys(node for node in walk(tree) if isinstance(node, Reference)))


def swapped(tree: Node, there: Node, belongs: Node) -> Iterator[Edit]:
    """With another cell in place of one: everywhere, and at each single place if there are several."""
    count = sum(node == there for node in walk(tree))

    def everywhere(node: Node) -> Node:
        return belongs if node == there else rebuilt(node, everywhere)

    yield Edit(everywhere(tree), "cell", there, belongs, count)
    if count > 1:
        yield from _everywhere(
            tree, lambda node: iter([(belongs, Edit(_NOTHING, "cell", there, belongs))] if node == there else [])
        )


def operators(tree: Node, numbers: Sequence[str] = ("0.5", "1", "2")) -> Iterator[Edit]:
    """With another operator, sign, power or constant at one place, or one function for another."""

    def changes(node: Node) -> Iterator[tuple[Node, Edit]]:
        if isinstance(node, Operation):
            for at, there in enumerate(node.operators):
                for one in _OPERATORS.get(there, ()):
                    new = (*node.operators[:at], one, *node.operators[at + 1 :])
                    yield _operators(new, node.operands), Edit(_NOTHING, "operator", there, one)
                for one in "-+" if there == "*" else "":
                    pair = Operation((one,), node.operands[at : at + 2])
                    others_ = (*node.operands[:at], pair, *node.operands[at + 2 :])
                    yield (
                        operation((*node.operators[:at], *node.operators[at + 1 :]), others_),
                        Edit(_NOTHING, "operator", there, one),
                    )
        if isinstance(node, Sign):
            yield node.operand, Edit(_NOTHING, "sign", node.sign, "")
        elif isinstance(node, (Operation, Reference, Call)):
            yield Sign("-", node), Edit(_NOTHING, "sign", "", "-")
        if isinstance(node, Number):
            for text in numbers:
                if float(text) != float(node.text):
                    yield Number(text), Edit(_NOTHING, "number", node.text, text)
        if isinstance(node, Call) and node.name in _ALIKE:
            yield Call(_ALIKE[node.name], node.arguments), Edit(_NOTHING, "function", node.name, _ALIKE[node.name])

    yield from _everywhere(tree, changes)


_ALIKE = {
    "SIN": "SINH",
    "TAN": "TANH",
    "SINH": "TANH",
    "LOG": "LN",
    "LOG10": "LN",
    "MIN": "MAX",
    "AVERAGE": "SUM",
    "SUM": "SUMPRODUCT",
}


def _operators(operators_: Sequence[str], operands: Sequence[Node]) -> Node:
    """Operands with operators of any level between them, the tighter ones taken first."""
    sums: list[str] = []
    parts: list[Node] = []
    run_operators: list[str] = []
    run: list[Node] = [operands[0]]
    for operator, operand in zip(operators_, operands[1:], strict=True):
        if operator in "+-":
            parts.append(operation(run_operators, run))
            sums.append(operator)
            run_operators, run = [], [operand]
        else:
            run_operators.append(operator)
            run.append(operand)
    return operation(sums, [*parts, operation(run_operators, run)])


def turned(tree: Node) -> Iterator[Edit]:
    """With a difference the other way round."""

    def changes(node: Node) -> Iterator[tuple[Node, Edit]]:
        if isinstance(node, Operation) and node.operators == ("-",):
            other = Operation(("-",), node.operands[::-1])
            yield other, Edit(_NOTHING, "difference", node, other)

    yield from _everywhere(tree, changes)


def regrouped(tree: Node) -> Iterator[Edit]:
    """With brackets elsewhere: (a+b)*c for a+b*c, a*(b+c) for a*b+c, and the other way round."""

    def changes(node: Node) -> Iterator[tuple[Node, Edit]]:
        if not isinstance(node, Operation):
            return
        edit = Edit(_NOTHING, "brackets")
        if node.operators[0] in "+-":
            last, first = node.operands[-1], node.operands[0]
            if isinstance(last, Operation) and last.operators[0] in "*/":
                for start in range(len(node.operands) - 1):
                    for cut in range(1, len(last.operands)):
                        head = operation(last.operators[: cut - 1], last.operands[:cut])
                        inner = operation(node.operators[start:], (*node.operands[start:-1], head))
                        product = operation(last.operators[cut - 1 :], (inner, *last.operands[cut:]))
                        yield operation(node.operators[:start], (*node.operands[:start], product)), edit
            if isinstance(first, Operation) and first.operators[0] in "*/":
                for cut in range(1, len(first.operands)):
                    tail = operation(first.operators[cut:], first.operands[cut:])
                    inner = operation(node.operators, (tail, *node.operands[1:]))
                    yield Operation(first.operators[:cut], (*first.operands[:cut], inner)), edit
        elif node.operators[0] in "*/":
            for at, part in enumerate(node.operands):
                if isinstance(part, Operation) and part.operators[0] in "+-":
                    flat_operators = (*node.operators[:at], *part.operators, *node.operators[at:])
                    flat = (*node.operands[:at], *part.operands, *node.operands[at + 1 :])
                    yield _operators(flat_operators, flat), edit

    yield from _everywhere(tree, changes)


def factors(tree: Node, candidates: Sequence[tuple[str, Node]]) -> Iterator[Edit]:
    """With a factor more or less somewhere, or a summand less."""

    def changes(node: Node) -> Iterator[tuple[Node, Edit]]:
        if isinstance(node, Operation) and node.operators[0] in "+-*/":
            for at in range(len(node.operands)):
                left = (*node.operands[:at], *node.operands[at + 1 :])
                if at == 0:
                    rest = operation(node.operators[1:], left)
                    rest = Sign("-", rest) if node.operators[0] == "-" and len(left) == 1 else rest
                else:
                    rest = operation((*node.operators[: at - 1], *node.operators[at:]), left)
                kind = "summand" if node.operators[0] in "+-" else "factor"
                yield rest, Edit(_NOTHING, f"extra {kind}", node.operands[at])

    yield from _everywhere(tree, changes)

    def more(node: Node) -> Iterator[tuple[Node, Edit]]:
        for name, factor in candidates:
            yield operation(("*",), (node, factor)), Edit(_NOTHING, "missing factor", None, name)

    yield from _at_terms(tree, more)


def summands(tree: Node, candidates: Sequence[tuple[str, Node]]) -> Iterator[Edit]:
    """With a summand more somewhere."""

    def changes(node: Node) -> Iterator[tuple[Node, Edit]]:
        for name, term in candidates:
            yield operation(("+",), (node, term)), Edit(_NOTHING, "missing summand", None, name)
        if isinstance(node, Operation) and node.operators[0] in "*/":
            for cut in range(1, len(node.operands)):
                head = operation(node.operators[: cut - 1], node.operands[:cut])
                for name, term in candidates:
                    both = operation(("+",), (head, term))
                    yield (
                        operation(node.operators[cut - 1 :], (both, *node.operands[cut:])),
                        Edit(_NOTHING, "missing summand", None, name),
                    )

    yield from _everywhere(tree, changes)


def _at_terms(tree: Node, changes: Callable[[Node], Iterator[tuple[Node, Edit]]]) -> Iterator[Edit]:
    """The changes of the whole, and of each summand of sums in it."""
    for new, edit in changes(tree):
        yield replace(edit, tree=new)

    def terms(node: Node) -> Iterator[tuple[Node, Edit]]:
        if isinstance(node, Operation) and node.operators[0] in "+-":
            for at, part in enumerate(node.operands):
                for new, edit in changes(part):
                    yield Operation(node.operators, (*node.operands[:at], new, *node.operands[at + 1 :])), edit

    yield from _everywhere(tree, terms)
