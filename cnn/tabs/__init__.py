"""The tabs that report a trained network; one file per tab, each a function that fills one worksheet."""

__all__ = ["EPOCHS", "LAYERS", "MISTAKES"]

EPOCHS, LAYERS, MISTAKES = "CNN epochs", "CNN layers", "CNN mistakes"
