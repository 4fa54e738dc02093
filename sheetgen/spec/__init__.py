"""TOML -> frozen Spec: every check of what a user may ask for happens here."""

from sheetgen.spec.structure import Spec
from sheetgen.spec.toml import DEFAULT_TEMPLATE, dump, load, override, parse, template_names, template_text

__all__ = ["DEFAULT_TEMPLATE", "Spec", "dump", "load", "override", "parse", "template_names", "template_text"]
