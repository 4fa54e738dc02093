"""The units of widths, heights and drawings, in one another.

A column of width w characters is 7 w pixels wide, and a row of h points 4/3 h pixels high, at 96 dpi and in the default
font. Drawings count in EMU, 914,400 to an inch (ECMA-376 part 1, 20.1.2.1).
"""

PIXELS_PER_CHARACTER, PIXELS_PER_POINT = 7, 4 / 3
EMU_PER_PIXEL, EMU_PER_POINT = 9_525, 12_700
