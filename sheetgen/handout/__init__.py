"""A network on paper: its drawing, its derivation and its first steps as a page to print, without a workbook."""
