"""One module per tab; each has a function that fills one worksheet."""
