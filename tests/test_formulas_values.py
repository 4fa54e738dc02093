"""What formulas give by Excel's documented rules, and the order in which a workbook's formulas are computed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import chain, product
from types import NoneType

import numpy as np
import pytest

from sheetgen.errors import ExcelError
from sheetgen.formulas import CircularError, FormulaError, Workbook
from sheetgen.formulas.functions import FUNCTIONS
from sheetgen.formulas.operators import OPERATORS
from sheetgen.formulas.sheet import Copy, Sheet, Table
from sheetgen.formulas.values import DIV0, NA, NAME, NUM, REF, VALUE, Failure, Scalar, Whole, flat, number_text, plain

# Column A is mixed; A7 is empty, and A6 a text. B has numbers, C texts, and E2:G2 numbers in a row.
COLUMNS: dict[str, list[Scalar]] = {
    "A": [1.0, 2.5, -3.0, "text", True, "5", None, DIV0, NA, 0.0],
    "B": [10.0, 20.0, 30.0, 40.0],
    "C": ["fig", "Pear", "apple", "a*b", "", "7"],
    "E": [None, 4.0],
    "F": [None, 5.0],
    "G": [None, 6.0],
}
NAMES = {"rate": "t!$A$2", "numbers": "t!$B$1:$B$4", "half": "0.5", "total": "SUM(t!$B$1:$B$4)", "ten": "'o''t'!$A$1"}


def book() -> Workbook:
    """The columns on a tab t, and a 10 on a tab o't."""
    cells: dict[tuple[int, int], Scalar] = {
        (row, ord(letter) - 64): value
        for letter, column in COLUMNS.items()
        for row, value in enumerate(column, 1)
        if value is not None
    }
    return Workbook({"t": Sheet(cells), "o't": Sheet({(1, 1): 10.0})}, NAMES)


def value(text: str, row: int = 2, column: int = 9) -> Scalar:
    """What a formula shows on tab t, in I2 or another cell."""
    return book().evaluate("t", (row, column), Copy(text))


VALUES: dict[str, dict[str, Scalar]] = {
    "operators": {
        "1+2": 3.0,
        "1-2-3": -4.0,
        "2*3/4": 1.5,
        "-2^2": 4.0,
        "2^3^2": 64.0,
        "2^-1": 0.5,
        "10%": 0.1,
        "-50%": -0.5,
        "2*3%": 0.06,
        "--TRUE": 1.0,
        "TRUE+TRUE": 2.0,
        '"3"+1': 4.0,
        '" 3 "*"2"': 6.0,
        '"1e2"+0': 100.0,
        '"50%"+0': 0.5,
        '"-.5"+0': -0.5,
        '"text"+1': VALUE,
        '""+1': VALUE,
        '"TRUE"+1': VALUE,
        '"1E999"+1': VALUE,
        '"e5"+1': VALUE,
        '"p1"+1': VALUE,
        '-"x"': VALUE,
        '+"x"': "x",
        "1/0": DIV0,
        "0/0": DIV0,
        "1E308*10": NUM,
        "1E308+1E308": NUM,
        "-1E308-1E308": NUM,
        "1E-320/1E100": 0.0,
        "0^0": NUM,
        "0^-1": DIV0,
        "0^2": 0.0,
        "(-8)^2": 64.0,
        "(-2)^-3": -0.125,
        "(-8)^(1/3)": -2.0,
        "(-32)^0.2": -2.0,
        "(-8)^(-1/3)": -0.5,
        "(-8)^0.5": NUM,
        "(-8)^(2/3)": NUM,
        "(-8)^0.333": NUM,
        "10^308*10": NUM,
        "10^400": NUM,
        "10^-400": 0.0,
        "1E-14": 1e-14,
        "2E+3": 2000.0,
    },
    "joining": {
        '"a"&"b"': "ab",
        '1&""': "1",
        '0.5&""': "0.5",
        '(0.1+0.2)&""': "0.3",
        '1/3&""': "0.333333333333333",
        '-1E-5&""': "-0.00001",
        '1E14&""': "100000000000000",
        '-0&""': "0",
        '(0*-1)&""': "0",
        'TRUE&""': "TRUE",
        'A7&"x"': "x",
        "A8&1": DIV0,
        "1&2+3": "15",
        '1+2&"x"="3x"': True,
    },
    "comparison": {
        "1=1": True,
        "1<>1": False,
        "1<2": True,
        "2<=2": True,
        "1>=2": False,
        '"a"="A"': True,
        '"a"<"B"': True,
        '"Z"<"a"': False,
        '"ab">"a"': True,
        '"10"<"9"': True,
        '"1"=1': False,
        '1E300<"a"': True,
        '"z"<FALSE': True,
        "1E300<TRUE": True,
        "1=TRUE": False,
        "FALSE<TRUE": True,
        "A7=0": True,
        'A7=""': True,
        "A7=FALSE": True,
        "A7=TRUE": False,
        "A7<1": True,
        'A7<"a"': True,
        "A7=A7": True,
        "0.1+0.2=0.3": True,
        "0.1+0.2>0.3": False,
        "1=1+1E-15": True,
        "1=1+1E-14": False,
        "1E-17>0": True,
        "1E-300=2E-300": False,
        "-1E-17<0": True,
        "1E14=1E14+1": False,
        "1E15=1E15+0.25": True,
        "A8=A8": DIV0,
        "1=A9": NA,
        "1<2<3": False,
        "1=1=TRUE": True,
        '"a-b"="ab"': False,
        '"ß"="é"': False,
    },
    "empty cells": {
        "A7": 0.0,
        "A7+1": 1.0,
        "-A7+1": 1.0,
        "1/A7": DIV0,
        "SUM(A7)": 0.0,
        "MAX(A7)": 0.0,
        "PRODUCT(A7)": 0.0,
        "AVERAGE(A7)": DIV0,
        "COUNT(A7)": 0.0,
        "COUNTA(A7)": 0.0,
        "ISBLANK(A7)": True,
        "ISNUMBER(A7)": False,
        'IF(A7,"yes","no")': "no",
        "NOT(A7)": True,
        "IFERROR(A7,1)": 0.0,
        "INDEX(A1:A10,7)": 0.0,
        "LEN(A7)": 0.0,
        "Z99": 0.0,
    },
    "errors spread": {
        "A8": DIV0,
        "A8+A9": DIV0,
        "A9+A8": NA,
        "A9+1/0": NA,
        "1/0+A9": DIV0,
        "1+2+A9": NA,
        "-A8": DIV0,
        "A9%": NA,
        "SUM(A1:A10)": DIV0,
        "SUM(A9,A8)": NA,
        "SUM(A9,1/0)": NA,
        "SUM(1/0,A9)": DIV0,
        "ABS(A9)": NA,
        "ROUND(A9,1/0)": NA,
        "#REF!+1": REF,
        "nosuch+1": NAME,
        "IF(A9,1,2)": NA,
        "IF(TRUE,1,A9)": 1.0,
        "CHOOSE(2,A9,3)": 3.0,
        "INDEX(A1:A10,9)": NA,
        "INDEX(A1:A10,A8)": DIV0,
        "#N/A": NA,
        "#NULL!": ExcelError("#NULL!"),
        "NA()": NA,
    },
    "SUM and the like": {
        "SUM(1,2,3)": 6.0,
        "SUM(B1:B4)": 100.0,
        "SUM(B1:B2,B4,1)": 71.0,
        "SUM(A1:A7)": 0.5,
        "SUM(A4)": 0.0,
        "SUM(A5)": 0.0,
        "SUM(A6)": 0.0,
        'SUM("5",TRUE)': 6.0,
        'SUM("text")': VALUE,
        "SUM({1,2;3,4})": 10.0,
        'SUM({1,"2",TRUE})': 1.0,
        "SUM(1E308,1E308)": NUM,
        "SUM(B:B)": 100.0,
        "SUM(B:C)": 100.0,
        "SUM(2:2)": 37.5,
        "SUM(Z:Z)": 0.0,
        "SUM(B4:B1)": 100.0,
        "SUMSQ(B1:B2)": 500.0,
        "PRODUCT(B1:B3)": 6000.0,
        "PRODUCT(A1:A7)": -7.5,
        "PRODUCT(A4)": 0.0,
        'PRODUCT("2",3)': 6.0,
        "PRODUCT(1E200,1E200)": NUM,
        "AVERAGE(B1:B4)": 25.0,
        "AVERAGE(A1:A7)": 0.5 / 3,
        'AVERAGE("3",TRUE)': 2.0,
        "AVERAGE(A4:A7)": DIV0,
        "AVERAGE(1E308,1E308)": NUM,
        "MIN(A1:A7)": -3.0,
        "MAX(A1:A7)": 2.5,
        "MAX(A4:A7)": 0.0,
        "MIN(TRUE,2)": 1.0,
        'MAX("text")': VALUE,
        "MAX(A8,1)": DIV0,
        "MAX(-1,-2)": -1.0,
        "COUNT(A1:A10)": 4.0,
        'COUNT("5",TRUE,"x",1/0)': 2.0,
        "COUNT({1,TRUE,2})": 2.0,
        "COUNT(B:B)": 4.0,
        "COUNTA(A1:A10)": 9.0,
        "COUNTA(C1:C6)": 6.0,
        'COUNTA("",1/0)': 2.0,
    },
    "numbers": {
        "ABS(-2)": 2.0,
        'ABS("-2")': 2.0,
        "EXP(1)": math.e,
        "EXP(1000)": NUM,
        "EXP(-1000)": 0.0,
        "LN(1)": 0.0,
        "LN(0)": NUM,
        "LN(-1)": NUM,
        "LN(A7)": NUM,
        "LOG(1000)": 3.0,
        "LOG(8,2)": 3.0,
        "LOG(8,1)": DIV0,
        "LOG(8,0)": NUM,
        "LOG(-1,2)": NUM,
        "LOG(8,)": NUM,
        "LOG10(0.01)": -2.0,
        "LOG10(0)": NUM,
        "SQRT(16)": 4.0,
        "SQRT(-1)": NUM,
        "POWER(2,10)": 1024.0,
        "POWER(0,0)": NUM,
        "POWER(-8,1/3)": -2.0,
        "TANH(0)": 0.0,
        "TANH(1E300)": 1.0,
        "SIGN(-0.1)": -1.0,
        "SIGN(0)": 0.0,
        "SIGN(1E-300)": 1.0,
        "PI()": math.pi,
        "ROUND(2.5,0)": 3.0,
        "ROUND(-2.5,0)": -3.0,
        "ROUND(2.675,2)": 2.68,
        "ROUND(1.005,2)": 1.01,
        "ROUND(1.45,1.9)": 1.5,
        "ROUND(1234,-2)": 1200.0,
        "ROUND(1250,-2)": 1300.0,
        "ROUND(49,-2)": 0.0,
        "ROUND(50,-2)": 100.0,
        "ROUND(5,-400)": 0.0,
        "ROUND(0.1+0.2,25)": 0.3,
        "ROUND(1E300,400)": 1e300,
        "ROUND(1.79E308,-308)": NUM,
        "ROUND(-0.4,0)": 0.0,
        "ROUNDUP(1.01,0)": 2.0,
        "ROUNDUP(-1.01,0)": -2.0,
        "ROUNDUP(3,-2)": 100.0,
        "ROUNDUP(0,-2)": 0.0,
        "ROUNDUP(1,-400)": NUM,
        "ROUNDDOWN(1.99,1)": 1.9,
        "ROUNDDOWN(-1.99,0)": -1.0,
        "ROUNDDOWN(SQRT(3)^2,1)": 3.0,
        "INT(2.9)": 2.0,
        "INT(-2.1)": -3.0,
        "INT(SQRT(3)^2)": 3.0,
        "INT(1E300)": 1e300,
        "MOD(7,3)": 1.0,
        "MOD(-7,3)": 2.0,
        "MOD(7,-3)": -2.0,
        "MOD(-7,-3)": -1.0,
        "MOD(5.5,2)": 1.5,
        "MOD(5,0)": DIV0,
        "SIN(0)": 0.0,
        "COS(0)": 1.0,
        "TAN(0)": 0.0,
        "SINH(1000)": NUM,
        "COSH(0)": 1.0,
    },
    "truth": {
        "AND(TRUE,1)": True,
        "AND(TRUE,0)": False,
        "AND(FALSE,1/0)": DIV0,
        "AND(A1:A5)": True,
        "AND(A4)": VALUE,
        "AND(A7)": VALUE,
        'AND("true")': True,
        'AND("1")': VALUE,
        'AND("x",TRUE)': VALUE,
        "OR(FALSE,0)": False,
        "OR(0,2)": True,
        "OR(TRUE,A9)": NA,
        "OR(A4:A7)": True,
        "NOT(0)": True,
        "NOT(0.1)": False,
        'NOT("FALSE")': True,
        'NOT("x")': VALUE,
        "TRUE()": True,
        "FALSE()": False,
        "ISNUMBER(1)": True,
        'ISNUMBER("1")': False,
        "ISNUMBER(TRUE)": False,
        "ISNUMBER(1/0)": False,
        "ISERROR(1/0)": True,
        "ISERROR(nosuch)": True,
        "ISERROR(A9)": True,
        'ISERROR("x")': False,
        'ISTEXT("x")': True,
        "ISTEXT(A9)": False,
        "ISBLANK(A1)": False,
        'ISBLANK("")': False,
    },
    "choices": {
        "IF(TRUE,1,2)": 1.0,
        "IF(0,1,2)": 2.0,
        "IF(0.5,1,2)": 1.0,
        'IF("TRUE",1,2)': 1.0,
        'IF("1",1,2)': VALUE,
        "IF(FALSE,1)": False,
        "IF(TRUE,,2)": 0.0,
        "IF(FALSE,1,)": 0.0,
        "IF(TRUE,1,1/0)": 1.0,
        "SUM(IF(TRUE,A4))": 0.0,
        "SUM(IF(TRUE,B1:B4,1))": 100.0,
        "IFERROR(1/0,2)": 2.0,
        "IFERROR(1,1/0)": 1.0,
        "IFERROR(1/0,1/0)": DIV0,
        "IFERROR(A9,)": 0.0,
        "IFNA(A9,2)": 2.0,
        "IFNA(A8,2)": DIV0,
        "CHOOSE(2,1,2,3)": 2.0,
        "CHOOSE(2.9,1,2,3)": 2.0,
        'CHOOSE("1",5,6)': 5.0,
        "CHOOSE(0,1)": VALUE,
        "CHOOSE(2,1)": VALUE,
        "CHOOSE(1,1,1/0)": 1.0,
        "SUM(CHOOSE(2,1,B1:B4))": 100.0,
        "ISTEXT(CHOOSE(1,A4))": True,
    },
    "INDEX and MATCH": {
        "INDEX(B1:B4,2)": 20.0,
        "INDEX(B1:B4,2.9)": 20.0,
        "INDEX(B1:B4,2,1)": 20.0,
        "INDEX(E2:G2,2)": 5.0,
        "INDEX(E2:G2,1,3)": 6.0,
        "INDEX(E2:G2,,3)": 6.0,
        "INDEX(A1:B4,3,2)": 30.0,
        "INDEX(B1:B4,5)": REF,
        "INDEX(B1:B4,1,2)": REF,
        "INDEX(B1:B4,-1)": VALUE,
        "INDEX(B:B,4)": 40.0,
        "INDEX(B:B,500)": 0.0,
        "INDEX(B1,1,1)": 10.0,
        "SUM(INDEX(A1:B3,0,2))": 60.0,
        "SUM(INDEX(A1:B3,2,0))": 22.5,
        "SUM(INDEX(A1:B3,2))": 22.5,
        "SUM(INDEX(A1:B3,0,0))": 60.5,
        "SUM(INDEX(A4:A4,1))": 0.0,
        "INDEX({1,2;3,4},2,1)": 3.0,
        "SUM(INDEX({1,2;3,4},0,2))": 6.0,
        "MATCH(20,B1:B4,0)": 2.0,
        "MATCH(25,B1:B4,0)": NA,
        "MATCH(25,B1:B4)": 2.0,
        "MATCH(25,B1:B4,1)": 2.0,
        "MATCH(5,B1:B4)": NA,
        "MATCH(99,B1:B4)": 4.0,
        "MATCH(20,B1:B4,)": 2.0,
        "MATCH(2.5,{3,2,1},-1)": 1.0,
        "MATCH(4,{3,2,1},-1)": NA,
        "MATCH(5,E2:G2,0)": 2.0,
        "MATCH(20,B:B,0)": 2.0,
        'MATCH("PEAR",C1:C6,0)': 2.0,
        'MATCH("a*",C1:C6,0)': 3.0,
        'MATCH("a~*b",C1:C6,0)': 4.0,
        'MATCH("?ig",C1:C6,0)': 1.0,
        'MATCH("",C1:C6,0)': 5.0,
        'MATCH("5",A1:A10,0)': 6.0,
        "MATCH(5,A1:A10,0)": NA,
        "MATCH(TRUE,A1:A10,0)": 5.0,
        "MATCH(0.1+0.2,{0.3},0)": NA,
        'MATCH("x",B1:B4)': NA,
        "MATCH(A9,B1:B4,0)": NA,
        "MATCH(A8,B1:B4,0)": DIV0,
        "MATCH(1,A1:B4,0)": NA,
        'MATCH("b",{"a","b","c"})': 2.0,
    },
    "COUNTIF": {
        "COUNTIF(B1:B4,20)": 1.0,
        'COUNTIF(B1:B4,">20")': 2.0,
        'COUNTIF(B1:B4,">=20")': 3.0,
        'COUNTIF(B1:B4,"<20")': 1.0,
        'COUNTIF(B1:B4,"<>20")': 3.0,
        'COUNTIF(A1:A10,"<>text")': 9.0,
        'COUNTIF(C1:C6,"FIG")': 1.0,
        'COUNTIF(C1:C6,"=fig")': 1.0,
        'COUNTIF(C1:C6,"?ig")': 1.0,
        'COUNTIF(C1:C6,"a*")': 2.0,
        'COUNTIF(C1:C6,"a~*b")': 1.0,
        'COUNTIF(C1:C6,">b")': 2.0,
        "COUNTIF(A1:A10,5)": 1.0,
        'COUNTIF(A1:A10,"<>5")': 9.0,
        'COUNTIF(A1:A10,">0")': 2.0,
        "COUNTIF(A1:A10,TRUE)": 1.0,
        'COUNTIF(A1:A10,"true")': 1.0,
        "COUNTIF(A1:A10,#N/A)": 1.0,
        'COUNTIF(A1:A10,"#N/A")': 1.0,
        "COUNTIF(A1:A10,1/0)": 1.0,
        "COUNTIF(A1:A10,A7)": 1.0,
        'COUNTIF(A1:A10,"")': 1.0,
        'COUNTIF(A1:A10,"=")': 1.0,
        'COUNTIF(A1:A10,"<>")': 9.0,
        'COUNTIF(C1:C7,"")': 2.0,
        'COUNTIF(C1:C7,"=")': 1.0,
        "COUNTIF(B:B,20)": 1.0,
        'COUNTIF(B:B,"")': 1_048_572.0,
        'COUNTIF(A1,"1")': 1.0,
        "COUNTIF(A9:A9,A9)": 1.0,
    },
    "texts": {
        'SEARCH("x","text")': 3.0,
        'SEARCH("T","text",2)': 4.0,
        'SEARCH("e?t","text")': 2.0,
        'SEARCH("t*t","a text")': 3.0,
        'SEARCH("~?","a?b")': 2.0,
        'SEARCH("z","text")': VALUE,
        'SEARCH("x","text",0)': VALUE,
        'SEARCH("x","text",9)': VALUE,
        "SEARCH(3,1234)": 3.0,
        'SEARCH("a.c","abc a.c")': 5.0,
        "SEARCH(A8,A9)": DIV0,
        'LEN("abc")': 3.0,
        "LEN(0.5)": 3.0,
    },
    "places": {
        "ROW()": 2.0,
        "COLUMN()": 9.0,
        "ROW(C7)": 7.0,
        "COLUMN(C7)": 3.0,
        "ROW(B3:B5)": 3.0,
        "COLUMN(B:D)": 2.0,
        "ROW(numbers)": 1.0,
        "ROWS(B3:B5)": 3.0,
        "COLUMNS(B3:D5)": 3.0,
        "ROWS(B:B)": 1_048_576.0,
        "COLUMNS(2:3)": 16_384.0,
        "ROWS({1;2;3})": 3.0,
        "ROWS(A9)": 1.0,
        "COLUMNS(1/0)": DIV0,
        "ROW(#REF!)": REF,
    },
    "one value of several": {
        "B1:B4": 20.0,
        "B1:B4+1": 21.0,
        "numbers*2": 40.0,
        "E2:G2": VALUE,
        "B3:B4": VALUE,
        "A1:B4": VALUE,
        "B:B": 20.0,
        "ABS(B1:B4)": 20.0,
        "SUM(B1:B4*2)": 40.0,
        "IF(B1:B4>15,1,2)": 1.0,
        "MATCH(B1:B4,B1:B4,0)": 2.0,
        "COUNTIF(B1:B4,B1:B4)": 1.0,
        "{7,8}": 7.0,
        "INDEX(B1:B4,0)": 20.0,
        "TRANSPOSE(B1:B4)": 10.0,
        "ABS({-7})": 7.0,
    },
    "arrays": {
        "SUMPRODUCT(B1:B4)": 100.0,
        "SUMPRODUCT(B1:B2,B3:B4)": 1100.0,
        "SUMPRODUCT(B1:B4*2)": 200.0,
        "SUMPRODUCT(B1:B2*E2:F2)": 270.0,
        "SUMPRODUCT(--(B1:B4>15))": 3.0,
        "SUMPRODUCT((B1:B4>15)*B1:B4)": 90.0,
        "SUMPRODUCT(B1:B4>15)": 0.0,
        "SUMPRODUCT(A1:A7)": 0.5,
        "SUMPRODUCT(A1:A3,A4:A6)": 0.0,
        "SUMPRODUCT(A4:A7*1)": VALUE,
        "SUMPRODUCT(A8:A9)": DIV0,
        "SUMPRODUCT(B1:B4,B1:B3)": VALUE,
        "SUMPRODUCT(B1:B4+{1;2})": NA,
        "SUMPRODUCT(B:B,B:B)": 3000.0,
        "SUMPRODUCT(B:B,'o''t'!A:A)": 100.0,
        "SUMPRODUCT(3,4)": 12.0,
        "SUMPRODUCT(1/0)": DIV0,
        "SUMPRODUCT(ABS(A1:A3))": 6.5,
        "SUMPRODUCT(ROUND(B1:B4/30,0))": 3.0,
        "SUMPRODUCT(MOD(B1:B4,30))": 40.0,
        "SUMPRODUCT(B1:B2^{1;2})": 410.0,
        "SUMPRODUCT(B1:B2%)": 0.3,
        "SUMPRODUCT(-B1:B2)": -30.0,
        'SUMPRODUCT(LEN(B1:B2&"x"))': 6.0,
        "SUMPRODUCT(--ISNUMBER(A1:A10))": 4.0,
        "SUMPRODUCT(--ISERROR(A1:A10))": 2.0,
        "SUMPRODUCT(--ISERROR(A1:A10/0))": 10.0,
        "SUMPRODUCT(--NOT(A1:A3>0))": 1.0,
        "SUMPRODUCT(MAX(B1:B4*{1;-1;1;-1}))": 30.0,
        "SUMPRODUCT(SUM(B1:B4/10))": 10.0,
        "SUMPRODUCT(ROW(B1:B4))": 10.0,
        "SUMPRODUCT(COLUMN(A1:C1))": 6.0,
        "SUMPRODUCT(COUNTIF(C1:C6,C1:C2))": 2.0,
        "SUMPRODUCT(MATCH(B3:B4,B1:B4,0))": 7.0,
        "SUMPRODUCT(MATCH(TRUE,B1:B4>25,0))": 3.0,
        "SUMPRODUCT(IF(TRUE,B1:B4*2,0))": 200.0,
        "SUMPRODUCT(CHOOSE(2,1,B1:B4))": 100.0,
        "SUMPRODUCT(INDEX(B1:B4*2,2))": 40.0,
        "SUM(MMULT({1,2;3,4},{1;1}))": 10.0,
        "SUM(MMULT(B1:B2,E2:G2))": 450.0,
        "INDEX(MMULT({1,2;3,4},{5,6;7,8}),2,1)": 43.0,
        "MMULT({2},{3})": 6.0,
        "SUM(MMULT({1,2},{1,2}))": VALUE,
        "SUM(MMULT(A6:A7,{1}))": VALUE,
        "SUM(MMULT(A9,{1}))": NA,
        "SUM(TRANSPOSE(B1:B4))": 100.0,
        "SUM(TRANSPOSE(B1:B4*2))": 200.0,
        "INDEX(TRANSPOSE(B1:B4),1,3)": 30.0,
        "COLUMNS(TRANSPOSE(B1:B4))": 4.0,
        "SUMPRODUCT(B1:B3,TRANSPOSE(E2:G2))": 320.0,
    },
    "names and tabs": {
        "rate": 2.5,
        "RATE*2": 5.0,
        "SUM(numbers)": 100.0,
        "INDEX(numbers,3)": 30.0,
        "half+1": 1.5,
        "total/2": 50.0,
        "ten": 10.0,
        "'o''t'!A1": 10.0,
        "'O''T'!A1": 10.0,
        "T!B1": 10.0,
        "nosuch": NAME,
        "A0": NAME,
        "IFERROR(nosuch,1)": 1.0,
    },
}


@pytest.mark.parametrize(("text", "expected"), [pair for group in VALUES.values() for pair in group.items()])
def test_a_formula_gives_what_excel_gives(text: str, expected: Scalar) -> None:
    """By its rules for operators, functions, errors, empty cells, arrays and names."""
    found = value(text)
    assert type(found) is type(expected)
    assert found == (pytest.approx(expected, rel=1e-15, abs=0) if type(expected) is float else expected)


EXTREMES = (None, True, "", "x", "7", NA, 0.0, -0.0, 5e-324, -1e-300, 0.5, -2.5, 3.0, 1e15, -1e16, 1.7e308, -1.7e308)


@pytest.mark.parametrize("name", [*FUNCTIONS, *OPERATORS])
def test_every_function_and_operator_gives_a_value_for_any_values(name: str) -> None:
    """A finite number, a text, a truth value or an error of Excel, whatever its first two arguments are."""
    function = FUNCTIONS.get(name)
    call: Callable[..., Whole] = function.call if function else OPERATORS[name]
    least, most = (function.least, min(function.most, 2)) if function else (2, 2)
    for arguments in chain.from_iterable(product(EXTREMES, repeat=count) for count in range(least, most + 1)):
        found: Whole | FormulaError
        try:
            found = call(*arguments)
        except Failure as failure:
            found = failure.error
        except FormulaError as error:
            found = error
        flattened = [found] if isinstance(found, FormulaError) else list(flat(found))
        assert all(type(one) is not float or math.isfinite(one) for one in flattened), arguments
        assert all(isinstance(one, (float, str, bool, FormulaError, NoneType)) for one in flattened), arguments


REFUSED = {
    '"1,000"+1': "the text '1,000' as a number is not known here",
    '"$5"+1': "as a number is not known",
    '"(5)"+1': "as a number is not known",
    '"1/2/2020"+1': "as a number is not known",
    '"1 1/2"*1': "as a number is not known",
    '"1:30"*1': "as a number is not known",
    '"5 Jan"*1': "as a number is not known",
    '"3 PM"*1': "as a number is not known",
    'COUNTIF(B1:B4,"1/2")': "as a number is not known",
    '"a-b"<"ab"': "which of the texts 'a-b' and 'ab' is less is not known here",
    '"é"<"z"': "is less is not known here",
    'COUNTIF(C1:C6,"<")': "is not known",
    "MOD(2^27,1)": "versions of Excel differ",
    "MATCH(A7,B1:B4,0)": "MATCH looks for an empty cell's content",
    "SUMPRODUCT(IF(B1:B4>15,1,0))": "several values where Excel takes one",
    "SUMPRODUCT(IFERROR(A8:A9,1))": "several values where Excel takes one",
    "SUMPRODUCT(CHOOSE({1,2},1,2))": "several values where Excel takes one",
    "SUMPRODUCT(INDEX(B1:B4,B1:B2/10))": "several values where Excel takes one",
    "ABS({1,2})": "several values where Excel takes one",
    "SUM({1,2}*2)": "several values where Excel takes one",
    "SUM(ABS(MMULT({1;2},{3})))": "several values where Excel takes one",
    "SUMPRODUCT(B:B*2)": "each cell of a whole column or row in turn is not known here",
    "SUM(TRANSPOSE(2:2))": "each cell of a whole column or row in turn",
    "ROW(1)": "ROW or COLUMN takes cells, and not a value",
    "COUNTIF({1,2},1)": "COUNTIF takes cells, and not a value",
    "Sheet9!A1": "there is no tab 'Sheet9'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_excel_does_is_not_guessed(text: str) -> None:
    """Where it depends on the version or the language, or is written down nowhere; the message has the cell."""
    with pytest.raises(FormulaError, match=rf"t!I2.*{REFUSED[text]}"):
        value(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1 + 0.2, "0.3"), (2.0, "2"), (-0.0, "0"), (1e-15, "0.000000000000001"), (123456789012345.0, "123456789012345")],
)
def test_a_number_joined_to_a_text_has_15_digits_and_no_exponent(number: float, text: str) -> None:
    """Labels on several tabs are made so."""
    assert number_text(number) == text


def test_a_cells_content_is_taken_as_excel_takes_it() -> None:
    """Whole numbers are floats, and what is not finite is an error."""
    contents = [1, True, "a", None, 0.5, math.inf, math.nan, np.float32(0.5), np.int64(3)]
    assert [plain(one) for one in contents] == [1.0, True, "a", None, 0.5, NUM, NUM, 0.5, 3.0]


def filled(formulas: dict[str, str], titles: tuple[str, ...] = ("t",), **names: str) -> dict[str, Scalar]:
    """The values of formulas by address, perhaps with a tab before it."""
    sheets = {title: Sheet() for title in titles}
    places = {}
    for address, text in formulas.items():
        tab, _, cell = address.rpartition("!")
        places[address] = sheets[tab or "t"], (int(cell[1:]), ord(cell[0]) - 64)
        sheet, place = places[address]
        sheet.values[place], sheet.formulas[place] = None, Copy(text)
    Workbook(sheets, names).compute()
    return {address: sheet.values[place] for address, (sheet, place) in places.items()}


def test_formulas_are_computed_after_what_they_need() -> None:
    """Whatever the order in which they are written, and across tabs."""
    formulas = {"A1": "B1+u!A1", "B1": "SUM(C1:C3)", "C1": "1", "C2": "C1*2", "C3": "C4", "u!A1": "t!C3*rate"}
    found = filled(formulas, ("t", "u"), rate="t!$C$2")
    assert found == {"A1": 3.0, "B1": 3.0, "C1": 1.0, "C2": 2.0, "C3": 0.0, "u!A1": 0.0}


def test_only_what_is_chosen_is_needed() -> None:
    """IF, IFERROR, CHOOSE and INDEX do not look at the rest, and ROW at nothing: these are no circles."""
    found = filled({"A1": "IF(TRUE,1,A1)", "A2": "INDEX(A1:A9,1)", "A3": "ROW(A3)+ROWS(A1:A9)", "A4": "CHOOSE(1,2,A4)"})
    assert found == {"A1": 1.0, "A2": 1.0, "A3": 12.0, "A4": 2.0}


@pytest.mark.parametrize("down", [True, False])
def test_a_chain_of_50_000_formulas_is_computed(down: bool) -> None:
    """Without recursion, and in the time of two evaluations each, whichever end is written first."""
    count = 50_000
    sheet = Sheet({(1, 1): 1.0})
    rows = range(2, count + 1) if down else range(count, 1, -1)
    for row in rows:
        sheet.values[row, 1], sheet.formulas[row, 1] = None, Copy("A1+1", down=row - 2)
    start = time.process_time()
    Workbook({"t": sheet}, {}).compute()
    assert sheet.values[count, 1] == float(count)
    assert time.process_time() - start < 10


def test_many_formulas_that_need_the_same_are_computed_once_each() -> None:
    """A ladder in which each rung needs both ends of the next: 2^200 ways, 400 formulas."""
    formulas = {f"{letter}{row}": f"A{row + 1}+B{row + 1}" for row in range(1, 200) for letter in "AB"}
    assert filled(formulas | {"A200": "1", "B200": "0"})["A1"] == 2.0**198


CIRCLES = {
    "t!A1$": {"A1": "A1+1"},
    "t!A1, t!B1$": {"A1": "B1", "B1": "A1"},
    "t!B1, t!C1$": {"A1": "B1", "B1": "C1", "C1": "SUM(B1:B9)"},
    "t!A1, u!A1$": {"A1": "u!A1", "u!A1": "t!A1"},
    "t!A1, t!B1, t!C1$": {"A1": "B1", "B1": "rate", "C1": "A1"},
    "t!A1, t!A2, .*, t!A19, 20 more, t!A40$": {f"A{row}": f"A{row % 40 + 1}" for row in range(1, 41)},
}


@pytest.mark.parametrize("message", CIRCLES)
def test_formulas_that_need_each_other_are_named(message: str) -> None:
    """The cells of the circle in its order, without those that only lead to it; of a long one, the ends."""
    with pytest.raises(CircularError, match=f"^circular: {message}"):
        filled(CIRCLES[message], ("t", "u"), rate="t!$C$1")


def test_a_copy_moves_what_is_not_fixed() -> None:
    """As Excel fills down and right; beyond the sheet is #REF!, and a range's corners may cross."""
    cells = {(row, column): 10.0 * row + column for row in range(1, 6) for column in range(1, 6)}
    made = Workbook({"t": Sheet({**cells})}, {})

    def copied(text: str, down: int, right: int) -> Scalar:
        return made.evaluate("t", (3, 7), Copy(text, down, right))

    assert copied("A1", 2, 1) == 32.0
    assert copied("=A1", 2, 1) == 32.0
    assert copied("=XFE1", 2, 1) == NAME
    assert copied("$A1", 2, 1) == 31.0
    assert copied("A$1", 2, 1) == 12.0
    assert copied("$A$1", 2, 1) == 11.0
    assert copied("B2", -1, -1) == 11.0
    assert copied("A1", -1, 0) == REF
    assert copied("A1", 0, -1) == REF
    assert copied("A1048576", 1, 0) == REF
    assert copied("XFD1", 0, 1) == REF
    assert copied("SUM(A1:B2)", 1, 1) == sum((22.0, 23.0, 32.0, 33.0))
    assert copied("SUM(A$1:A1)", 2, 0) == 11.0 + 21.0 + 31.0
    assert copied("SUM(A$3:A1)", 4, 0) == 31.0 + 41.0 + 51.0
    assert copied("SUM(A1:A2)", -1, 0) == REF
    assert copied("SUM(A:A)", 1, 1) == sum(cells[row, 2] for row in range(1, 6))
    assert copied("SUM(1:1)", 1, 1) == sum(cells[2, column] for column in range(1, 6))
    assert copied("SUM($A:$A)", 1, 1) == sum(cells[row, 1] for row in range(1, 6))
    assert copied("t!A1:A5", 0, 0) == 31.0
    assert copied("ROW()", 5, 0) == 3.0


def test_a_table_of_values_is_read_beside_the_other_cells() -> None:
    """Of numpy or of lists; what is not finite is #NUM!."""
    for rows in (np.array([[1.0, 2.0], [3.0, math.nan]]), [[1.0, 2.0], [3.0, math.nan]]):
        sheet = Sheet({(1, 1): 10.0, (3, 4): 5.0}, table=Table(3, rows))
        made = Workbook({"t": sheet}, {})
        found = [
            made.evaluate("t", (9, 9), Copy(text))
            for text in (
                "A3",
                "SUM(A3:B3)",
                "B4",
                "SUM(A1:D3)",
                "SUM(A:A)",
                "COUNT(A1:D9)",
                "ISERROR(B4)",
                "SUM(C3:D4)",
            )
        ]
        assert found == [1.0, 3.0, NUM, 18.0, 14.0, 5.0, True, 5.0]


def test_a_table_of_formulas_is_filled_down() -> None:
    """The first row has formulas of its own, and the second row's go down; texts and errors may be among the values."""
    table = Table(2, [[None, None, None] for _ in range(4)], ("C2+1", "A2*$E$1", "1"), ("A2+C3", "A3*$E$1", '"x"'))
    sheet = Sheet({(1, 5): 2.0}, table=table)
    Workbook({"t": sheet}, {}).compute()
    assert table.rows == [[2.0, 4.0, 1.0], *[[VALUE, VALUE, "x"]] * 3]


UNKNOWN_NAMES = {
    "B7": "cells without a tab or without",
    "t!B7": "without a tab or without",
    "t!$B7": "without a tab or without",
    "$B$7": "without a tab or without",
    "other": "a name that means the name 'other'",
    "SUM(t!$A$1:$A$2)+other": "a name that means the name 'other'",
    "t!$A$1,t!$B$1": "',' is not understood",
    "BESSELJ(1,2)": "BESSELJ is not known",
}


@pytest.mark.parametrize("meaning", UNKNOWN_NAMES)
def test_a_name_whose_meaning_is_not_known_is_named(meaning: str) -> None:
    """What would move with the formula, and a name of a name."""
    with pytest.raises(FormulaError, match=f"the name mine .*{UNKNOWN_NAMES[meaning]}"):
        Workbook({"t": Sheet()}, {"mine": meaning})


def test_the_cell_of_a_formula_that_is_not_known_is_named() -> None:
    """With its text, while a workbook is computed."""
    with pytest.raises(FormulaError, match=r"^t!B2 \(=1\+BESSELJ\(1,2\)\): the function BESSELJ is not known here$"):
        filled({"A1": "B2", "B2": "=1+BESSELJ(1,2)"})
