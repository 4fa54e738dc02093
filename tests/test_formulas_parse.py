"""Formula text becomes a tree and the tree text again; what is not known is refused and named."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetgen.errors import ERRORS, ExcelError
from sheetgen.formulas.evaluate import At, compiled, evaluate
from sheetgen.formulas.functions import FUNCTIONS
from sheetgen.formulas.parse import DEEPEST, FormulaError, parse, parse_reference
from sheetgen.formulas.text import show
from sheetgen.formulas.tree import (
    LEVELS,
    Array,
    Call,
    Constant,
    Corner,
    Name,
    Node,
    Number,
    Omitted,
    Operation,
    Percent,
    Reference,
    Sign,
    height,
    operation,
)
from sheetgen.xlsx.cells import MAX_COLUMNS, MAX_FORMULA, MAX_ROWS

PROPERTY = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = st.sampled_from(["0", "1", "12.5", ".5", "2.", "1E-14", "1e+5", "3.25E10", "1.7E308", "007"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TITLES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]:*?/\\"), min_size=1, max_size=12)
NAMES = st.sampled_from(["a_1", "rate", "_x", "lr.1", "x?", "XFE1", "A1048577", "A0", "R1C1", "größe", "TRUEST"])
FUNCTION_NAMES = st.sampled_from([*FUNCTIONS, "IF", "INDEX", "CEILING.MATH", "F1", "LOG10"])


@st.composite
def corners(draw: st.DrawFn, whole: str = "") -> Corner:
    """One end of a reference: of a cell, or of a whole row or column."""
    row = None if whole == "column" else draw(st.integers(1, MAX_ROWS))
    column = None if whole == "row" else draw(st.integers(1, MAX_COLUMNS))
    return Corner(row, column, row is not None and draw(st.booleans()), column is not None and draw(st.booleans()))


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """A cell, some cells, or whole rows or columns, perhaps of another tab."""
    whole = draw(st.sampled_from(["", "", "row", "column"]))
    last = draw(corners(whole)) if whole or draw(st.booleans()) else None
    return Reference(draw(st.none() | TITLES), draw(corners(whole)), last)


ERROR_VALUES = st.sampled_from([ExcelError(name) for name in ERRORS])
CONSTANTS = st.one_of(NUMBERS.map(Number), st.one_of(TEXTS, st.booleans(), ERROR_VALUES).map(Constant))
SIGNED = st.one_of(CONSTANTS, st.builds(Sign, st.sampled_from("+-"), NUMBERS.map(Number)))


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """Constants in braces."""
    width = draw(st.integers(1, 3))
    return Array(tuple(tuple(draw(SIGNED) for _ in range(width)) for _ in range(draw(st.integers(1, 3)))))


@st.composite
def grown(draw: st.DrawFn, inner: st.SearchStrategy[Node]) -> Node:
    """What is made of smaller trees. No text has a lone argument that is left out."""
    kind = draw(st.sampled_from([Call, Operation, Operation, Sign, Percent]))
    if kind is Call:
        arguments = draw(st.lists(inner | st.just(Omitted()), max_size=4))
        return Call(draw(FUNCTION_NAMES), () if arguments == [Omitted()] else tuple(arguments))
    if kind is Operation:
        operands, operators = draw(st.lists(inner, min_size=2, max_size=5)), draw(st.sampled_from(LEVELS))
        return operation([draw(st.sampled_from(operators)) for _ in operands[1:]], operands)
    return Sign(draw(st.sampled_from("+-")), draw(inner)) if kind is Sign else Percent(draw(inner))


LEAVES = st.one_of(CONSTANTS, references(), st.builds(Name, st.none() | TITLES, NAMES), arrays())
TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, grown, max_leaves=25)


def spaced(tree: Node, chosen: random.Random) -> str:
    """The tree's text with spaces and brackets that change nothing."""
    gap = [chosen.choice(("", "", " ", "  ", "\n")) for _ in range(4)]

    def loose(node: Node, holds: int) -> str:
        text = spaced(node, chosen)
        return f"({text})" if level(node) < holds or chosen.random() < 0.2 else text

    if isinstance(node := tree, Operation):
        own = level(node)
        text = loose(node.operands[0], own)
        for sign, operand in zip(node.operators, node.operands[1:], strict=True):
            text += gap[1] + sign + gap[2] + loose(operand, own + 1)
        return text
    if isinstance(node, Sign):
        return (
            node.sign
            + gap[1]
            + (loose(node.operand, 7) if not isinstance(node.operand, Sign) else spaced(node.operand, chosen))
        )
    if isinstance(node, Percent):
        return loose(node.operand, 5) + gap[1] + "%"
    if isinstance(node, Call):
        inside = ",".join(gap[1] + spaced(one, chosen) + gap[2] for one in node.arguments)
        return f"{chosen.choice((node.name, node.name.lower(), f'_xlfn.{node.name}'))}({inside})"
    return gap[0] + show(node) + gap[3]


def level(node: Node) -> int:
    """How tightly the node's text holds together: an operator's level, then signs, percent signs and the rest."""
    if isinstance(node, Operation):
        return next(place for place, operators in enumerate(LEVELS) if node.operators[0] in operators)
    return 5 if isinstance(node, Sign) else 6 if isinstance(node, Percent) else 7


@given(tree=TREES)
@PROPERTY
def test_the_text_of_a_tree_is_read_as_the_same_tree(tree: Node) -> None:
    """And its text is then the same again."""
    assert parse(show(tree)) == tree
    assert show(parse(f"= {show(tree)}")) == show(tree)


@given(tree=TREES, seed=st.integers(0, 2**32))
@PROPERTY
def test_brackets_and_spaces_that_change_nothing_are_not_in_the_tree(tree: Node, seed: int) -> None:
    """Whatever of them is written, and whether functions are in capitals or have Excel's prefix."""
    assert parse(spaced(tree, random.Random(seed))) == tree


@given(text=st.text(max_size=60) | st.text("AaBC1290.,;:!'\"#()[]{}+-*/^&=<>% $_\\?@", max_size=60))
@PROPERTY
def test_any_text_is_a_formula_or_is_refused(text: str) -> None:
    """With FormulaError, and never with another error; what is a formula has a text that means the same."""
    with suppress(FormulaError):
        tree = parse(text)
        assert parse(show(tree)) == tree


PIECES = (
    *("A1", "$B$2:C3", "A:A", "1:2", "'it''s'!A1", "rate", "SUM(", "if(", "(", ")", ")", ",", "+", "-", "^", "%", "="),
    *("<>", "&", '"a""b"', "#N/A", "TRUE", "1.5E3", "{1,2}", "{", ";", "}", "_xlfn.", "_xlfn._xlws.X(", "'[1]T'!A1"),
    *("A0", "$A$0", " "),
)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=25))
@PROPERTY
def test_any_sequence_of_tokens_is_a_formula_or_is_refused(pieces: list[str]) -> None:
    """Also where it is made to compute."""
    with suppress(FormulaError):
        tree = parse("".join(pieces))
        assert parse(show(tree)) == tree
        compiled("".join(pieces))


def cell(text: str) -> Corner:
    """The corner that a text such as $B7 is."""
    tree = parse(text)
    assert isinstance(tree, Reference)
    return tree.first


A1, B2 = Corner(1, 1), Corner(2, 2)
READ: dict[str, Node] = {
    "1": Number("1"),
    "=1": Number("1"),
    "=  1 ": Number("1"),
    ".5": Number(".5"),
    "2.": Number("2."),
    "1E-14": Number("1E-14"),
    "1.5e+3": Number("1.5e+3"),
    '"a ""b"""': Constant('a "b"'),
    '""': Constant(""),
    '"=A1+(1"': Constant("=A1+(1"),
    "TRUE": Constant(True),
    "false": Constant(False),
    "TRUE()": Call("TRUE", ()),
    "#DIV/0!": Constant(ExcelError("#DIV/0!")),
    "Sheet1!#REF!": Constant(ExcelError("#REF!")),
    "A1": Reference(None, A1),
    "a1": Reference(None, A1),
    "$A1": Reference(None, Corner(1, 1, column_fixed=True)),
    "A$1": Reference(None, Corner(1, 1, row_fixed=True)),
    "XFD1048576": Reference(None, Corner(MAX_ROWS, MAX_COLUMNS)),
    "A1:$B$2": Reference(None, A1, Corner(2, 2, True, True)),
    "B2:A1": Reference(None, B2, A1),
    "A:B": Reference(None, Corner(None, 1), Corner(None, 2)),
    "$A:B": Reference(None, Corner(None, 1, column_fixed=True), Corner(None, 2)),
    "1:$2": Reference(None, Corner(1, None), Corner(2, None, row_fixed=True)),
    "Inputs!A1": Reference("Inputs", A1),
    "'lr 1'!A1:B2": Reference("lr 1", A1, B2),
    "'it''s'!A:A": Reference("it's", Corner(None, 1), Corner(None, 1)),
    "'1+1'!A1": Reference("1+1", A1),
    "Größe.2!A1": Reference("Größe.2", A1),
    "a_1": Name(None, "a_1"),
    "lr.rate": Name(None, "lr.rate"),
    "_x?": Name(None, "_x?"),
    "Inputs!rate": Name("Inputs", "rate"),
    "XFE1": Name(None, "XFE1"),
    "A1048577": Name(None, "A1048577"),
    "A12345678": Name(None, "A12345678"),
    "A0": Name(None, "A0"),
    "ABCD1": Name(None, "ABCD1"),
    "LOG10": Reference(None, Corner(10, 8509)),
    "LOG10(1)": Call("LOG10", (Number("1"),)),
    "log10(1)": Call("LOG10", (Number("1"),)),
    "_xlfn.CEILING.MATH(1)": Call("CEILING.MATH", (Number("1"),)),
    "Sum (1)": Call("SUM", (Number("1"),)),
    "PI()": Call("PI", ()),
    "IF(1,,2)": Call("IF", (Number("1"), Omitted(), Number("2"))),
    "IF(1,2,)": Call("IF", (Number("1"), Number("2"), Omitted())),
    "IF(,)": Call("IF", (Omitted(), Omitted())),
    "{1}": Array(((Number("1"),),)),
    '{1,-2;"a",TRUE}': Array(((Number("1"), Sign("-", Number("2"))), (Constant("a"), Constant(True)))),
    "{ #N/A ; +1 }": Array(((Constant(ExcelError("#N/A")),), (Sign("+", Number("1")),))),
    "-1": Sign("-", Number("1")),
    "--1": Sign("-", Sign("-", Number("1"))),
    "5%": Percent(Number("5")),
    "5%%": Percent(Percent(Number("5"))),
    "-5%": Percent(Sign("-", Number("5"))),
    "-(5%)": Sign("-", Percent(Number("5"))),
    "-2^2": Operation(("^",), (Sign("-", Number("2")), Number("2"))),
    "2^-1": Operation(("^",), (Number("2"), Sign("-", Number("1")))),
    "2^3^2": Operation(("^", "^"), (Number("2"), Number("3"), Number("2"))),
    "2^(3^2)": Operation(("^",), (Number("2"), Operation(("^",), (Number("3"), Number("2"))))),
    "(1-2)+3": Operation(("-", "+"), (Number("1"), Number("2"), Number("3"))),
    "1-(2+3)": Operation(("-",), (Number("1"), Operation(("+",), (Number("2"), Number("3"))))),
    "1*2+3": Operation(("+",), (Operation(("*",), (Number("1"), Number("2"))), Number("3"))),
    "1&2+3": Operation(("&",), (Number("1"), Operation(("+",), (Number("2"), Number("3"))))),
    "1=2&3": Operation(("=",), (Number("1"), Operation(("&",), (Number("2"), Number("3"))))),
    "1<=2<>3": Operation(("<=", "<>"), (Number("1"), Number("2"), Number("3"))),
    "((A1))": Reference(None, A1),
    "SUM( A1 , 1 )": Call("SUM", (Reference(None, A1), Number("1"))),
    "A1\n+\t1\r\n": Operation(("+",), (Reference(None, A1), Number("1"))),
}


@pytest.mark.parametrize("text", READ)
def test_each_kind_of_token_is_read(text: str) -> None:
    """Numbers, texts, references, names, functions, signs and operators as people write them."""
    assert parse(text) == READ[text]


SHOWN = {
    "=(a_1)+ (2 * b_1)": "a_1+2*b_1",
    "(1+2)*3": "(1+2)*3",
    "(-2)^2": "-2^2",
    "-(2^2)": "-(2^2)",
    "(2%)^2": "2%^2",
    "sum(a1:b$2,'x'!c3)": "SUM(A1:B$2,x!C3)",
    "'R1'!A1+'rc'!A1+'TRUE'!A1+'2'!A1+'a.b'!A1": "'R1'!A1+'rc'!A1+'TRUE'!A1+'2'!A1+'a.b'!A1",
    'true&"a""b"': 'TRUE&"a""b"',
}


@pytest.mark.parametrize("text", SHOWN)
def test_a_text_has_no_more_brackets_than_it_needs(text: str) -> None:
    """Titles are in quotes only where Excel wants them."""
    assert show(parse(text)) == SHOWN[text]


REFUSED = {
    "": "something is missing at its end",
    "=": "something is missing at its end",
    "  ": "something is missing at its end",
    "1+": "something is missing at its end",
    "*1": r"'\*' is not understood at character 1",
    "(1": r"at its end; '\)' is expected",
    "1)": r"'\)' is not understood at character 2",
    "SUM(1,2": r"at its end; '\)' is expected",
    "SUM(1;2)": "';' is not understood at character 6",
    "1 2": "'2' is not understood at character 3",
    "=1=": "something is missing at its end",
    "1=<2": "'<' is not understood",
    '"a': "'\"a' at character 1 is not understood",
    "'a!A1": "is not understood",
    "a!": "'a!' at character 1 is not understood",
    "1.2.3": "is not understood",
    "1A": "'1A' at character 1 is not understood",
    "1E999": "'1E999' is not understood at character 1; the largest number",
    "$A$0": r"'\$A\$0' is not understood",
    "A1:XFE1": "'A1:XFE1' is not understood at character 1; a sheet has 16384 columns",
    "1:1048577": "1048576 rows",
    "A1:B": "'A1:B' at character 1 is not understood",
    "[1]Sheet!A1": r"\[1\]Sheet!A1",
    "'[Book.xlsx]Sheet'!A1": r"'\[Book.xlsx\]Sheet' at character 1 is not the title of a tab",
    "Sheet1:Sheet3!A1": "'Sheet1:Sheet3!A1' at character 1 is not understood",
    "'Sheet1:Sheet3'!A1": "'Sheet1:Sheet3' at character 1 is not the title of a tab",
    "Table1[Column]": r"'Table1\[Column\]' at character 1 is not understood",
    "Table1[[#This Row],[a]]": r"Table1\[\[#This Row\]",
    "(A1,B1)": r"',' is not understood at character 4; '\)' is expected",
    "LOG10 (1)": r"'\(' is not understood at character 7",
    "SUM((A1,B1))": r"',' is not understood",
    "A1:B2 B1:C3": "'B1:C3' is not understood at character 7",
    "A1:B2:C3": "'A1:B2:C3' at character 1 is not understood",
    "A1:INDEX(B1:B3,2)": "'A1:INDEX",
    "A1#": "'#' at character 3 is not understood",
    "@A1": "'@A1' at character 1 is not understood",
    "Sheet1!TRUE": "'TRUE' is not understood at character 8; a tab has no truth values",
    "Sheet1!SUM(1)": "'Sheet1!SUM.1.' at character 1 is not understood",
    "_xll.F(1)": "'_xll.F.1.' at character 1 is not understood",
    "größe(1)": "is not understood",
    "{}": "'}' is not understood at character 2; an array in braces holds constants only",
    "{1,2;3}": "not equally long",
    "{A1}": "'A1' is not understood at character 2; an array in braces holds constants only",
    "{rate}": "'rate' in braces",
    "{1+1}": r"'\+' is not understood",
    "{--1}": "an array in braces holds constants only",
    '{-"a"}': "an array in braces holds constants only",
    "{{1}}": "an array in braces holds constants only",
    "1;2": "';' is not understood",
    "a~b": "'~b' at character 2 is not understood",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_known_is_refused_and_named(text: str) -> None:
    """The message says what it is and where it stands."""
    with pytest.raises(FormulaError, match=REFUSED[text]):
        parse(text)


NOT_COMPUTED = {
    "BESSELJ(1,2)": "the function BESSELJ is not known here",
    "A1(1)": "the function A1 is not known here",
    "_xlfn._xlws.SORT(A1:A3)": "is not understood",
    "SQRT()": "SQRT has 0 arguments; it takes 1",
    "SQRT(1,2)": "SQRT has 2 arguments; it takes 1",
    "ROUND(1)": "ROUND has 1 arguments; it takes 2",
    "IF(1)": "IF has 1 arguments; it takes 2 to 3",
    "PI(1)": "PI has 1 arguments; it takes 0",
    "SUM()": "SUM has 0 arguments; it takes 1 to 255",
    "SUM(1,,2)": "SUM with an argument left out is not known here",
    "MMULT({1},)": "MMULT with an argument left out",
    "Inputs!rate": "the name 'rate' of the tab 'Inputs' alone is not known here",
}


@pytest.mark.parametrize("text", NOT_COMPUTED)
def test_what_cannot_be_computed_is_refused_and_named(text: str) -> None:
    """Unknown functions and wrong counts of arguments, before anything is computed."""
    with pytest.raises(FormulaError, match=NOT_COMPUTED[text]):
        compiled(text)


def value(text: str) -> object:
    """What a formula without cells gives."""
    return evaluate(compiled(text), At({}, {}, "", 1, 1))


LONG = {
    "+".join("1" for _ in range(MAX_FORMULA // 2)): MAX_FORMULA / 2,
    "&".join('"a"' for _ in range(MAX_FORMULA // 4)): "a" * (MAX_FORMULA // 4),
    "1" + "^1*1+1&1=1" * (MAX_FORMULA // 11): False,
    "SUM(" + ",".join("1" for _ in range(255)) + ")": 255.0,
    "(" * DEEPEST + "1" + ")" * DEEPEST: 1.0,
    "(" * 99 + "1" + "+1)" * 99: 100.0,
    "SUM(" * 99 + "1" + ")" * 99: 1.0,
    "-" * 99 + "1": -1.0,
    "1" + "%" * 9: 1e-18,
    "1+(" * 98 + "1" + ")" * 98: 99.0,
    "IF(TRUE," * 99 + "1" + ")" * 99: 1.0,
    "IFERROR(1/0," * 98 + "1/0" + ")" * 98: ExcelError("#DIV/0!"),
    "1&1=1*1^1+(" * 19 + "1" + ")" * 19: False,
}


@pytest.mark.parametrize("text", LONG, ids=[text[:12] for text in LONG])
def test_long_formulas_are_computed(text: str) -> None:
    """As long and as deep as they may be, and they are read again from their own text."""
    assert len(text) <= MAX_FORMULA
    assert parse(show(parse(text))) == parse(text)
    assert value(text) == pytest.approx(LONG[text])


TOO_DEEP = (
    "-" * (MAX_FORMULA - 1) + "1",
    "1" + "%" * (MAX_FORMULA - 1),
    "(" * 4000 + "1" + ")" * 4000,
    "(" * MAX_FORMULA,
    "{" * MAX_FORMULA,
    "{(" * 4000,
    "SUM(" * 2000 + ")" * 2000,
    "(" * (DEEPEST + 1) + "1" + ")" * (DEEPEST + 1),
    "-(2^" * 60 + "1" + ")" * 60,
    "1=1&1+1*1^(" * 60 + "1" + ")" * 60,
    "(" * 60 + "1" + "^1*1+1&1=1)" * 60,
)


@pytest.mark.parametrize("text", TOO_DEEP, ids=[text[:12] for text in TOO_DEEP])
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    """And does not overflow the stack."""
    with pytest.raises(FormulaError, match=r"deep|constants"):
        parse(text)


@given(text=st.text("-+(1^*&=%{,SUM", min_size=500, max_size=4000) | st.sampled_from("(-{").map(lambda one: one * 8000))
@settings(PROPERTY, max_examples=50)
def test_long_nonsense_is_refused(text: str) -> None:
    """Never another error than FormulaError."""
    with pytest.raises(FormulaError):
        compiled(text)


def test_height_counts_nodes_within_each_other() -> None:
    """A number alone is one high; brackets that change nothing do not count."""
    assert [height(parse(text)) for text in ("1", "((1))", "-1", "1+2+3", "SUM(1+2,-3%)")] == [1, 1, 2, 2, 4]


def test_a_reference_alone_is_told_from_other_formulas() -> None:
    """With its tab."""
    assert parse_reference("'lr 1'!$B$8:$B$75") == Reference(
        "lr 1", Corner(8, 2, True, True), Corner(75, 2, True, True)
    )
    assert parse_reference("A1+1") is None
    assert parse_reference("A1:") is None
    assert str(cell("$C$4")) == "$C$4"
