"""The trained network, live in cells: its tabs, and how far two engines may be apart there. Imports nothing heavy."""

__all__ = ["DRAW", "KERNELS", "LAYERS", "LONG_SUMS"]

DRAW, LAYERS, KERNELS = "Draw", "Layers", "Kernels"

LONG_SUMS = {DRAW: 1e-11, LAYERS: 1e-11}
"""Tab -> the largest difference, relative to a number or to 1, that is rounding: a number there is a sum of up to 252
products, which LibreOffice adds up in another order."""
