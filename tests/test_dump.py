"""The canonical text of a spec says what the spec says, in lines that cells can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specs import CLASSES, SEED, changed, repr_toml

from sheetgen.spec import dump, load, override, parse, template_names
from sheetgen.spec.structure import rate_label


@pytest.mark.parametrize("name", template_names())
def test_dump_is_the_inverse_of_parse(name: str) -> None:
    """What a template means survives being written as canonical TOML, and so does the canonical text."""
    spec = load(name)
    text = dump(spec)
    assert parse(text, "dumped") == spec
    assert dump(parse(text, "dumped")) == text


@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
    rates=st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), min_size=1, unique_by=rate_label),
    title=st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=30).filter(str.strip),
    option=st.floats(0, 1, exclude_max=True),
)
def test_every_number_survives_dump(numbers: list[float], rates: list[float], title: str, option: float) -> None:
    """Any finite double, and any text, comes back exactly."""
    text = changed("[[0.05, 0.10]]", repr([numbers])).replace("[0.1, 2]", repr(rates))
    text = changed('"seed"', repr_toml(title), text)
    text += f"[training]\noptimizer = {{name = 'adam', betas = [{option!r}, {option!r}]}}"
    spec = parse(text, "my.toml")
    assert (list(spec.inputs[0]), list(spec.learning_rates), spec.title) == (numbers, rates, title)
    assert parse(dump(spec), "dumped") == spec


@given(
    words=st.lists(st.sampled_from(("a", "bcd", " ", "  ", '"', '"""', "\\", "\n", "\t", "é", "_x0041_", "long" * 9))),
    width=st.integers(0, 40),
)
def test_a_long_text_is_broken_between_words_and_still_the_same(words: list[str], width: int) -> None:
    """Whatever stands around the break; a line is longer than the width only if its word is."""
    spec = parse(changed('"seed"', repr_toml("seed") + f"\nabout = {repr_toml('x'.join(words))}"), "my.toml")
    assert parse(dump(spec, width), "dumped") == spec
    about = dump(spec, width).partition("about = ")[2].partition("\nlearning_rates")[0]
    for line in about.split("\n")[1:-1]:
        assert len(line) <= width or " " not in line.removesuffix("\\").strip()


def test_a_text_or_label_may_hold_what_others_take_for_the_end_of_a_line() -> None:
    """U+2028 and the like: kept in a title, a line break in `about`, and never the end of a line of canonical text."""
    title = 'a\u2028b\u2029 \\ "c" _x0041_'
    spec = parse(changed('"seed"', repr_toml(title) + '\nabout = "a\u2028b\\tc"'), "my.toml")
    assert (spec.title, spec.about) == (title, "a\nb\tc")
    text = dump(spec)
    assert text.splitlines() == text.split("\n")[:-1]
    assert "_x0041_" not in text
    assert parse(text, "dumped") == spec


def test_canonical_text_has_a_row_a_line_and_no_line_that_a_cell_cannot_hold() -> None:
    """A weight matrix reads as one; a row of many numbers goes on in the next line."""
    assert "weights = [\n    [0.15, 0.2],\n    [0.25, 0.3],\n]\n" in dump(parse(SEED, "my.toml"))
    wide = changed("[1, 2], [3, 4]", f"{[0.1234567890123] * 800}, {[-1e-300] * 800}", CLASSES)
    spec = parse(wide, "my.toml")
    assert max(map(len, dump(spec).split("\n"))) <= 120
    assert parse(dump(spec), "dumped") == spec


def test_a_spec_keeps_the_text_of_its_author() -> None:
    """Comments and all; it makes no difference to what a spec equals."""
    text = "# mine\n" + SEED
    spec = parse(text, "my.toml")
    assert spec.source == text
    assert override(spec, [0.5], 3).source == text
    assert spec == parse(SEED, "my.toml") and hash(spec) == hash(parse(SEED, "my.toml"))
