"""A stranger's workbook judged: its training tables found by their labels, and every cell compared with its own row."""
