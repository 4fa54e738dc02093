"""Exercises with blanks or planted mistakes that judge themselves, and the grades of a class."""
