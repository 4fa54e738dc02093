"""The file format: cells, sheets, charts, shapes, styles, the package on disk and its reader. Knows no networks."""
