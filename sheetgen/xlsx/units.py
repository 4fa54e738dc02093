"""The units of widths, heights and drawings, in one another.

A column of width w characters is 7 w pixels wide, and a row of h points 4/3 h pixels high, at 96 dpi and in the default
font. Drawings count in EMU, 914,400 to an inch (ECMA-376 part 1, 20.1.2.1).
"""

PIXELS_PER_CHARACTER, PIXELS_PER_POINT = 7, 4 / 3
EMU_PER_PIXEL, EMU_PER_POINT = 9_525, 12_700

# What a screen of 1366×768 shows of a sheet, in pixels, beside Excel's own bars and headings.
SCREEN_WIDTH, SCREEN_HEIGHT = 1306, 488
# What a page of A4, across, holds at full size within its margins, in pixels; a row of the usual height.
PAGE_WIDTH, PAGE_HEIGHT, ROW_PIXELS = 1046, 688, 20
# The same upright.
UPRIGHT_WIDTH, UPRIGHT_HEIGHT = 717, 1017
