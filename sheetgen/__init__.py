"""Spreadsheets that teach back-propagation: every formula live, every number checked."""

__version__ = "0.1.0"
