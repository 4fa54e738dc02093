"""Random formulas over a few tabs of cells, evaluated by `sheetgen.formulas` and by IronCalc.

A formula is written for IronCalc, whose formulas are those of today's Excel: @ stands before cells of which one value
is taken, the one in the formula's own row or column. In a file, where a formula is no array formula, there is no @.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

import ironcalc

from sheetgen.errors import ERRORS, ExcelError
from sheetgen.formulas.parse import FormulaError
from sheetgen.formulas.sheet import Copy, Sheet, Workbook
from sheetgen.formulas.values import Scalar

__all__ = ["by_ironcalc", "by_sheetgen", "draw"]

ROWS = 12
BLOCK = 8 * ROWS
"""How many formulas stand on one tab, in the rows of the data."""
OTHER = "it's 2nd"
NAMES = {
    "rate": "Data!$A$1",
    "a_1": "Data!$F$3",
    "scales": "Data!$A$1:$A$12",
    "words": "Data!$D$1:$D$12",
    "matrix": "'it''s 2nd'!$A$1:$C$4",
}
NA, DIV0 = ExcelError("#N/A"), ExcelError("#DIV/0!")
COLUMNS: dict[str, list[Scalar]] = {
    "A": [0.5, -1.25, 3.0, 1e-9, 1e12, -7.5e-4, 2.0, 1e-3, 123.456, -1e5, 0.0, 1e-20],
    "B": [-50.0, -3.5, -1.0, 0.0, 0.125, 1.0, 2.0, 3.0, 10.0, 99.5, 1000.0, 1e6],
    "C": [1e6, 512.0, 64.0, 8.0, 7.0, 2.5, 1.0, 0.5, 0.0, -2.0, -4.0, -1e3],
    "D": ["pear", "Apple", "fig", "agrees", "differs", "apple", "10", "fig tree", "", "z", "a1", "Pear"],
    "E": [1.5, "fig", True, None, NA, "7", -2.0, DIV0, False, None, 40.0, "pear"],
    "F": [1.0, 2.0, 3.0, 4.0, 2.0, 1.0, 0.0, 5.0, 6.0, -1.0, -2.0, 2.0],
    "G": [None, 1.0, None, None, 4.5, None, 2.0, None, None, -3.0, None, None],
    "H": [True, False, True, True, False, False, True, False, True, True, False, True],
}
DEPTH = 3
"""How often a formula grows into a larger one."""
MATRIX: list[list[Scalar]] = [[1.0, 2.0, -1.0], [0.5, -0.25, 4.0], [3.0, 0.0, 1.0], [2.0, 8.0, -6.0]]
LOCAL: list[list[Scalar]] = [[row * 1.5 - 4, "fig" if row % 3 == 0 else float(row)] for row in range(ROWS)]

# Each kind of text and the templates that it is drawn from, separated by spaces; those behind // only where the formula
# may still grow. <kind> is replaced in turn, · by a space, and a single . by nothing. `cell`, `cells` and so on are of
# numbers, unless their kind says otherwise; `tall`, `wide` and `block` are arrays of 5 rows, of 3 columns, and of both.
GRAMMAR = '''
row: 1 2 3 4 5 6 7 8 9 10 11 12
digit: 0 1 2 3 4 5 6 7 8 9
nth: 1 2 3 4
$: $ . .
space: · . . .
sign: = <> < > <= >=
equal: = <>
operator: + - * /
literal: <digit> <digit> 1<digit> <digit>.<digit>25 <digit>.5E-<digit> 1.<digit>e+<digit> <digit>E3 .5 2. 1000000

cell: Data!<$>A<$><row> Data!<$>A<$><row> Data!B<row> Data!C<$><row> Data!F<row> Data!G<row> <$>J<$><row>
    rate a_1 RATE 'it''s·2nd'!B<$>3 (0+@<cells>)
any: Data!D<row> Data!<$>E<$><row> Data!E<row> Data!H<row> Data!G1<digit> K<row>
cells: Data!A<$><row>:A<row> Data!<$>B<row>:B$<row> Data!A<row>:C<row> Data!G1:G<row> J<row>:$J$<row> Data!F<row>:F12
    scales matrix 'it''s·2nd'!$A$1:C4 'it''s·2nd'!2:2
whole: Data!A:A Data!$B:C Data!F:$F 'it''s·2nd'!A:C 'it''s·2nd'!$1:3
mixed: Data!D<row>:D12 Data!E<row>:E<row> Data!E1:E14 Data!D<row>:H<row> K<row>:K13 words Data!H1:H<row>
part: <cells> <cells> <mixed> <any> (<number>)*1 (<number>)*1

number: <literal> <cell> <cell> <any> //
    <operand><space><operator><space><operand> <operand><operator><operand> <operand><operator><operand>
    <operand><operator><operand><operator><operand> <operand>+<operand>-<operand>*<operand>/<operand>
    <operand>^<exponent> <operand>^<exponent>^2
    -<operand> 2++<operand> --<operand> <operand>% -<operand>% <function> <function> <function> <aggregate> <aggregate>
    <aggregate> <arrays> <arrays> <matrices> <choice> <choice> <lookup> <lookup> <count> <search> <place>
operand: <number> (<number>) (<number>)
exponent: 2 0.5 -1 3 (1/3) 0 Data!F<row> <literal>
function: ABS(<number>) abs(<number>) EXP(<small>) LN(<number>) LN(ABS(<number>)) LOG(<number>) LOG10(<number>)
    LOG(ABS(<number>),<base>) SQRT(<number>) SQRT(ABS(<number>)) POWER(<number>,<exponent>) SIGN(<number>)
    ROUND(<number>,<places>) ROUNDUP(<number>,<places>) ROUNDDOWN(<number>,<places>) INT(<number>) TANH(<number>)
    MOD(<number>,<number>) MOD(<literal>,<operand>) SIN(<small>) COS(<small>) TAN(<small>) SINH(<small>)
    COSH(<small>) LEN(<text>) PI()
small: <number> TANH(<number>)*9
base: 2 10 0.5 <number>
places: -3 -1 0 1 2 6 <literal>
aggregate: <aggregator>(<part>) <aggregator>(<part>) <aggregator>(<part>,<part>) <aggregator>(<part>,<part>,<part>)
    <endless>(<whole>) <endless>(<part>,<whole>)
aggregator: SUM SUM PRODUCT AVERAGE MIN MAX SUMSQ COUNT COUNTA
endless: SUM SUMSQ PRODUCT

arrays: SUMPRODUCT(<tall>) SUMPRODUCT(<tall>,<tall>) SUMPRODUCT(<wide>,<wide>) SUMPRODUCT(<block>) SUMPRODUCT(<block>)
    SUMPRODUCT(<block>,<block>) SUMPRODUCT(<tall>,<tall>,<tall>) SUMPRODUCT(<tall>,<block>) SUMPRODUCT(MAX(<tall>))
    SUMPRODUCT(SUM(<block>),2) SUMPRODUCT(AVERAGE(<wide>)) SUMPRODUCT(<constant>,3)
tall: Data!A<$>1:A5 Data!$B$3:B7 Data!C8:C$12 Data!G2:G6 Data!E1:E5 Data!E6:E10 J3:J7 Data!H2:H6 //
    (<tall><operator><tall>) (<tall><operator><constant>) (<constant><operator><tall>) <of_each>(<tall>) -<tall>
    (<tall>)^2 (<tall>)% (<tall><sign><constant>)*1 --(<tall><sign><tall>) <tall>*ROW(Data!A2:A6)
    IF(<truth_value>,<tall>,<tall>) (Data!D1:D5="fig")*<tall> CHOOSE(2,1,<tall>)
wide: Data!A<$>2:C$2 Data!$A9:C9 'it''s·2nd'!A3:C3 {1,-2,.5} //
    (<wide><operator><wide>) <of_each>(<wide>) (<constant><operator><wide>) <wide>*COLUMN(Data!A1:C1)
    TRANSPOSE(Data!B2:B4)
block: matrix Data!A<$>5:C8 'it''s·2nd'!$A$1:$C$4 //
    (<block><operator><block>) (<block><operator><wide>) <block>*Data!F1:F4 <of_each>(<block>)
    (<constant><operator><block>) TRANSPOSE(Data!A1:D3)
of_each: ABS EXP SIGN TANH INT SQRT LN
constant: <literal> Data!A<row> Data!F<row> rate (2-<literal>)
matrices: SUM(<product>) SUM(<product>) INDEX(<product>,1,1) MAX(<product>) SUMPRODUCT(<product>)
    SUM(TRANSPOSE(<block>)) ROWS(TRANSPOSE(matrix)) COLUMNS(<product>)
product: MMULT(<block>,Data!F1:G3) MMULT(<block>,Data!A1:C3) MMULT(<wide>,Data!B1:B3) MMULT(<block>,<block>)
    MMULT(TRANSPOSE(<tall>),<tall>) MMULT(<tall>,TRANSPOSE(<tall>)) MMULT(matrix,{1;2;3})

choice: IF(<truth>,<number>,<number>) IF(<truth>,<number>,<number>) IF(<truth>,<number>) IF(<number>,<number>,1)
    1*IF(<truth>,,<number>) IFERROR(<number>,<number>) IFERROR(<text>*1,<number>) IFNA(<number>,2)
    IFNA(NA(),<number>)
    IFERROR(<operand>/0,<number>) CHOOSE(<digit>,<number>*1,-<number>,3)
    CHOOSE(<number>,1,<number>*1)
    SUM(IF(<truth>,<cells>,(<number>)*1)) SUM(CHOOSE(2,1,<mixed>))
lookup: INDEX(scales,<row>) INDEX(Data!A1:C12,<row>,<nth>) INDEX(scales,1+ABS(<literal>)) INDEX({1,2;-3,4},2,1)
    SUM(INDEX(Data!A:C,<row>,2)) SUM(INDEX(Data!A1:C12,0,<digit>)) SUM(INDEX(matrix,<digit>,0)) SUM(INDEX(matrix,2))
    INDEX(Data!A:A,<row>) INDEX(Data!$A$2:$C$2,<nth>) INDEX(scales,MATCH(MAX(Data!C1:C12),Data!C1:C12,0))
    MATCH(<literal>,Data!B1:B12) MATCH(<cell>,Data!$B$1:$B$12,1) MATCH(<cell>,Data!C1:C12,-1) MATCH(2,{1,2,3})
    MATCH(Data!F<row>,Data!F$1:F$12,0) MATCH(<literal>,Data!F1:F12,) MATCH(<text>,words,0)
    MATCH(<pattern>,Data!D1:D12,0)
    MATCH(<truth_value>,Data!H1:H12,0) MATCH(<literal>,Data!2:2,0) SUMPRODUCT(MATCH(TRUE,scales<<literal>,0))
pattern: "f*" "p?ar" "FIG" "*e" "q" "~*" "fig·tree"
count: COUNTIF(<mixed>,<criterion>) COUNTIF(Data!A<row>:A14,<criterion>) COUNTIF(Data!E:E,<criterion>)
    COUNTIF(words,<criterion>)
criterion: ">0" "<=1" "<>" "" "fig" "=pear" "f*" "?ig" "*" "<>0" ">=2.5" 1 2 TRUE FALSE "7" "10" #N/A ">"&<literal>
    <literal> Data!D3 Data!E4 "<>fig" "<>7" "="
search: SEARCH(<text>,<text>) SEARCH("e",<text>) SEARCH("I?",<text>) SEARCH("a*e",<text>,1) SEARCH("~?",<text>)
    SEARCH(<text>,Data!D<row>,<digit>)
place: ROW() COLUMN() ROW(Data!C<row>) COLUMN($D4) @ROW(<cells>) ROWS(<cells>) COLUMNS(<whole>) ROWS(<whole>)
    SUMPRODUCT(ROW(scales)*1) SUMPRODUCT(COLUMN(matrix))

value: <text> <number> <truth>
word: "fig" "a·""b""" "" "Apple" "3" "x1" "1e2" "50%" "TRUE" "e"
text: <word> <word> "·2.5·" Data!D<row> ""&@words <any> //
    <text>&(<value>) (<value>)&<text> IF(<truth>,<text>,<value>) IFERROR(<value>,<text>) CHOOSE(2,<value>,""&<text>)
    INDEX(words,<row>)&<text> LEFT(<text>) LEFT(<text>,<digit>) RIGHT(<text>) RIGHT(<text>,<digit>)
    MID(<text>,<digit>,<digit>)
truth_value: TRUE FALSE true TRUE() FALSE() Data!H<row>
truth: <truth_value> <truth_value> <any> //
    <operand><sign><operand> <operand><sign><operand> <operand><sign><operand> (<text>)<equal>(<text>)
    (<text>)<sign>(<number>) <word><sign>Data!D<row> <any><sign><any> (<truth>)<equal>(<truth>)
    AND(<truth>,<truth>) OR(<truth>,<number>) AND(<mixed>,<truth>) OR(<cells>) NOT(<truth>) NOT(<number>) AND(<value>)
    <test>(<value>) <test>(<any>) ISNUMBER(<search>) ISERROR(<number>) ISNUMBER(<lookup>)
test: ISNUMBER ISERROR ISTEXT ISBLANK
'''
Templates = tuple[list[str], list[str]]


def _templates() -> dict[str, Templates]:
    """Kind -> its templates, those that do not grow and those that do."""
    kinds = re.findall(r"^(\S+): (.*(?:\n +.*)*)", GRAMMAR, re.MULTILINE)
    halves = {kind: f"{text} // ".split("//") for kind, text in kinds}
    return {kind: (leaves.split(), branches.split()) for kind, (leaves, branches, *_) in halves.items()}


def draw(seed: int, count: int) -> list[str]:
    """Random formulas that the seed determines, without "="."""
    chosen, templates = random.Random(seed), _templates()

    def expand(template: str, depth: int) -> str:
        def expanded(match: re.Match[str]) -> str:
            leaves, branches = templates[match[1]]
            grows = branches and (depth == DEPTH or (depth > 0 and chosen.random() < 0.8))
            text = chosen.choice(branches if grows else leaves)
            return expand("" if text == "." else text.replace("·", " "), depth - bool(branches))

        return re.sub(r"<([a-z_]+|\$)>", expanded, template)

    return [expand(chosen.choice(("<number>", "<number>", "<truth>", "<text>")), DEPTH) for _ in range(count)]


def place(number: int) -> tuple[int, int, int]:
    """The tab, row and column of a formula, all counted from 0."""
    tab, rest = divmod(number, BLOCK)
    return tab, rest % ROWS, rest // ROWS


def by_sheetgen(formulas: Iterable[tuple[int, str]]) -> dict[int, Scalar | FormulaError]:
    """By its number, each formula's value here, or why it is refused."""
    sheets = {title: Sheet(dict(content)) for title, content in typed().items()}
    sheets["here"] = Sheet(beside())
    book = Workbook(sheets, NAMES)
    found: dict[int, Scalar | FormulaError] = {}
    for number, text in formulas:
        _, row, column = place(number)
        try:
            found[number] = book.evaluate("here", (row + 1, column + 1), Copy(text.replace("@", "")))
        except FormulaError as error:
            found[number] = error
    return found


def by_ironcalc(formulas: Sequence[str]) -> list[Scalar]:
    """Each formula's value in IronCalc, an error of Excel as ExcelError, another as its text."""
    model = ironcalc.create("book", "en", "UTC", "en")
    contents = [*typed().values(), *[beside()] * (place(len(formulas) - 1)[0] + 1)]
    for sheet, title in enumerate([*typed(), *map(str, range(2, len(contents)))]):
        if sheet:
            model.new_sheet()
        model.rename_sheet(sheet, title)
        _type(model, sheet, contents[sheet])
    for name, meaning in NAMES.items():
        model.new_defined_name(name, None, meaning)
    for number, text in enumerate(formulas):
        model.set_user_input(*_cell(number), f"={text}")
    model.evaluate()
    return [_value(model, _cell(number)) for number in range(len(formulas))]


def typed() -> dict[str, dict[tuple[int, int], Scalar]]:
    """The tabs of data: the content of their cells by row and column."""
    columns = list(enumerate(COLUMNS.values(), 1))
    data = {(row + 1, column): values[row] for column, values in columns for row in range(ROWS)}
    other = {(row, column): value for row, line in enumerate(MATRIX, 1) for column, value in enumerate(line, 1)}
    return {"Data": {where: value for where, value in data.items() if value is not None}, OTHER: other}


def beside() -> dict[tuple[int, int], Scalar]:
    """The cells beside the formulas, J1:K12."""
    return {(row, column): value for row, line in enumerate(LOCAL, 1) for column, value in enumerate(line, 10)}


def _cell(number: int) -> tuple[int, int, int]:
    """IronCalc's sheet, counted from 0, row and column of a formula."""
    tab, row, column = place(number)
    return tab + 2, row + 1, column + 1


def _type(model: Any, sheet: int, content: dict[tuple[int, int], Scalar]) -> None:
    for (row, column), value in content.items():
        if isinstance(value, ExcelError):
            model.set_user_input(sheet, row, column, f"={value}")
        elif isinstance(value, bool):
            model.update_cell_with_bool(sheet, row, column, value)
        elif isinstance(value, str):
            model.update_cell_with_text(sheet, row, column, value)
        else:
            model.update_cell_with_number(sheet, row, column, value)


def _value(model: Any, cell: tuple[int, int, int]) -> Scalar:
    value: Scalar = model.get_cell_value(*cell)
    if "Error" in str(model.get_cell_type(*cell)):
        return ExcelError(value) if value in ERRORS else f"error {value}"
    return value
