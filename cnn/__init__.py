"""The second part: a small MNIST network, trained with PyTorch and reported in the workbook."""
