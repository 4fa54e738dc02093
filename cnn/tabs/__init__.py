"""The tabs that report a trained network; one file per tab, each a function that fills one worksheet."""
