"""In which order the samples take their turns: as they are listed or, shuffled, drawn anew for every pass."""

import random
from functools import lru_cache

from sheetgen.spec import catalog
from sheetgen.spec.fields import Place, choice, count, show
from sheetgen.spec.structure import Spec

__all__ = ["batch_size", "check_passes", "order"]

# Tab Inputs has the number of a sample for every place of every pass, a column a pass.
MAX_PLACES, MAX_PASSES = 200_000, 16_000


def batch_size(place: Place, value: object, samples: int) -> str | int:
    """ "full", "online", or how many samples an update takes, which is more than one and less than all."""
    if isinstance(value, bool) or not isinstance(value, int):
        return choice(place, value, catalog.BATCHES, f"a whole number that divides the {count(samples, 'sample')}")
    if value < 1 or samples % value:
        sizes = [str(size) for size in range(1, samples + 1) if samples % size == 0]
        shown = ", ".join(sizes if len(sizes) <= 20 else [*sizes[:10], "…", *sizes[-9:]])
        rule = f"every row has a batch of the same size, so it divides the {count(samples, 'sample')}: {shown}"
        raise place.refuse(f"is {show(value)}", rule, "Take one of these.")
    return "full" if value == samples else "online" if value == 1 else value


def check_passes(place: Place, spec: Spec) -> None:
    """Refuse more passes in shuffled order than tab Inputs has room for."""
    passes = _passes(spec)
    if spec.shuffle is not None and (passes > MAX_PASSES or passes * len(spec.inputs) > MAX_PLACES):
        found = f"needs the order of {len(spec.inputs)} samples in {passes} passes"
        rule = f"tab Inputs has room for {MAX_PASSES} passes and {MAX_PLACES} numbers"
        raise place.refuse(found, rule, "Use fewer steps or smaller batches.")


def _passes(spec: Spec) -> int:
    """How many passes through the samples the rows of a table begin."""
    return -(-(spec.steps + 1) * spec.batch_size // len(spec.inputs))


@lru_cache(maxsize=8)
def order(spec: Spec) -> tuple[tuple[int, ...], ...]:
    """The numbers of the samples, from 1, in the order of each pass: shape (samples, passes).

    Fisher and Yates' shuffle with random() of a generator seeded by the spec, which is the same in every Python.
    """
    draw = random.Random(spec.shuffle)
    passes = []
    for _ in range(_passes(spec)):
        numbers = list(range(1, len(spec.inputs) + 1))
        for last in range(len(numbers) - 1, 0, -1):
            other = int(draw.random() * (last + 1))
            numbers[last], numbers[other] = numbers[other], numbers[last]
        passes.append(numbers)
    return tuple(zip(*passes, strict=True))
