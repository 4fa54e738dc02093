"""The number formats, in one table. One with conditions loses the sign: it is for what is never negative."""

GENERAL = "General"
VALUE = "0.000000000"
# Nine decimals between 0.0001 and 1000.
LOSS = "[>=1000]0.0000E+00;[<0.0001]0.0000E+00;0.000000000"
# Twelve: E(w + h) and E(w − h) begin alike.
FINE = "[>=1000]0.00000000000E+00;0.000000000000"
SHORT = "0.0000"
RATE = GENERAL
WHOLE = "0"
MEAN = "0.00"
PERCENT = "0.00%"
RATIO = "[>=1000]0.0E+00;[<0.0001]0.0E+00;0.00%"
SCIENTIFIC = "0.0000E+00"
DIFFERENCE = "0.0E+00"
# Of what should be 0: only 0 looks like 0.
ZERO = "0.0E+00;-0.0E+00;0"
THOUSANDS = "#,##0"
SECONDS = "#,##0.0"
LEARNING = "[<0.0001]0.0E+00;0.0000"
HIDDEN = ";;;"
# What a cell shows where there is nothing to divide by.
NONE = "–"
COUNT = f'#,##0;-#,##0;"{NONE}"'
