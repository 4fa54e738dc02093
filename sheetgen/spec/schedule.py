"""How a network is trained: steps, learning rates and their schedule, and the optimizers of a TOML document."""

from collections.abc import Collection, Mapping

from sheetgen.spec import catalog
from sheetgen.spec.fields import Place, choice, count, flag, items, number, show, table, whole
from sheetgen.spec.labels import alike, label
from sheetgen.spec.structure import Optimizer, Schedule, rate_label

__all__ = ["fitted", "learning_rates", "optimizers", "schedule", "step_count"]


def step_count(place: Place, value: object) -> int:
    """The number of updates, such that the steps fit in Excel's rows."""
    return whole(
        place, value, 1, catalog.MAX_STEPS, "Excel has 1048576 rows, and a step takes one; 100 is a good start."
    )


def learning_rates(place: Place, value: object) -> tuple[float, ...]:
    """The rates: at least one, no two alike, no more than a chart can hold."""
    listed = items(place, value, "learning rates")
    if len(listed) > catalog.MAX_RATES:
        rule = f"a workbook compares at most {catalog.MAX_RATES}"
        raise place.refuse(f"has {len(listed)} rates", rule, "Split them over several workbooks.")
    rates = tuple(number(place / at, one, catalog.POSITIVE, "Try 0.1.") for at, one in enumerate(listed))
    taken: dict[str, float] = {}
    for at, rate in enumerate(rates):
        name = rate_label(rate)
        if name in taken:
            more = " once more" if rate == taken[name] else f" beside {taken[name]!r}"
            rule = f"each rate has a tab of its own, and both would be called {name!r}"
            raise (place / at).refuse(f"is {show(listed[at])}{more}", rule, "Remove or change one of the two.")
        taken[name] = rate
    return rates


def optimizers(place: Place, training: Mapping[str, object], tested: bool = False) -> tuple[Optimizer, ...]:
    """The optimizers of the table `training`, side by side; plain sgd if it names none.

    If the network is `tested`, there is a tab for that, and none may be labelled like it.
    """
    reserved = (*catalog.RESERVED_TABS, *([catalog.TEST_TAB] if tested else ()))
    if "optimizer" in training and "optimizers" in training:
        raise (place / "optimizers").refuse(
            "stands beside training.optimizer", "only one of them is allowed", "Keep one."
        )
    if "optimizers" not in training:
        place, found = place / "optimizer", [training.get("optimizer", {"name": "sgd"})]
        return _checked_labels([place], [_optimizer(place, found[0])], reserved)
    place /= "optimizers"
    found = items(place, training["optimizers"], "tables with a name")
    if len(found) > catalog.MAX_RATES:
        rule = f"a workbook compares at most {catalog.MAX_RATES}"
        raise place.refuse(f"has {len(found)} optimizers", rule, "Split them over several workbooks.")
    places = [place / at for at in range(len(found))]
    return _checked_labels(places, [_optimizer(*pair) for pair in zip(places, found, strict=True)], reserved)


def _name_of(place: Place, value: object, known: Collection[str], usual: str, more: str) -> str:
    """The name in a table that has one, "" of what is no table; a name alone is told how it is written."""
    if isinstance(value, str):
        name = value if value in known else usual
        raise place.refuse(f"is {show(value)}", "a table with a name is expected", f'Write {{name = "{name}"{more}}}.')
    if not isinstance(value, Mapping):
        return ""
    if "name" not in value:
        table(place, value, ("name",), tuple(value))
    return choice(place / "name", value["name"], known)


def schedule(place: Place, value: object, steps: int) -> Schedule:
    """The schedule of the rate over so many steps."""
    name = _name_of(place, value, catalog.SCHEDULES, "exponential", ", …")
    options = catalog.SCHEDULES.get(name, {})
    # torch has no default for the length of these two; here it is known how long training is.
    lengths: dict[str, float] = {"T_max": float(steps), "total_steps": float(steps)}
    needed = [key for key, (default, _) in options.items() if default is None and key not in lengths]
    strategy = ["anneal_strategy"] if name == "one_cycle" else []
    entry = table(place, value, ("name", *needed), (*(key for key in options if key not in needed), *strategy))
    resolved = tuple(
        (key, number(place / key, entry.get(key, lengths.get(key, default)), allowed))
        for key, (default, allowed) in options.items()
    )
    way = choice(place / "anneal_strategy", entry.get("anneal_strategy", "cos"), catalog.ANNEAL_STRATEGIES)
    found = Schedule(name, resolved, way)
    _check_end(place / "total_steps", found, steps)
    if name == "one_cycle" and found.option("pct_start") * found.option("total_steps") == 1:
        rule = "the rate would have to rise within no step at all, in torch too"
        raise (place / "pct_start").refuse(f"is {found.option('pct_start')!r}", rule, "Raise it, or write 0.")
    return found


def fitted(place: Place, found: Schedule | None, before: int, steps: int) -> Schedule | None:
    """The schedule for another number of steps; one that was as long as training was stays so."""
    if found is None:
        return None
    lengths = dict.fromkeys((("T_max", float(before)), ("total_steps", float(before))), float(steps))
    options = tuple((key, lengths.get((key, value), value)) for key, value in found.options)
    changed = Schedule(found.name, options, found.anneal_strategy)
    _check_end(place, changed, steps)
    return changed


def _check_end(place: Place, found: Schedule, steps: int) -> None:
    """Refuse a schedule that ends before the last step, which torch does too."""
    if found.name == "one_cycle" and found.option("total_steps") < steps:
        length = f"{found.option('total_steps'):g}"
        said, then = f"is {length}", f"Write at least {steps}, or leave it out."
        if place.path == "--steps":
            said, then = f"is {steps}", "Ask for fewer, or change total_steps in the spec."
        raise place.refuse(said, f"one_cycle has {length} rates, and each of {steps} updates needs one", then)


def _checked_labels(places: list[Place], found: list[Optimizer], reserved: tuple[str, ...]) -> tuple[Optimizer, ...]:
    """The optimizers, once no two labels, and no label and tab of every workbook, are alike to Excel."""
    taken = {alike(name): "a tab of every workbook" for name in reserved}
    for place, one in zip(places, found, strict=True):
        name = alike(one.label)
        if name in taken:
            rule = f"each has a tab of its own, and this name is that of {taken[name]}"
            raise (place / "label").refuse(
                f"is {one.label!r}", rule, 'Add a label of its own, such as label = "slower".'
            )
        taken[name] = place.path
    return tuple(found)


def _optimizer(place: Place, value: object) -> Optimizer:
    name = _name_of(place, value, catalog.OPTIMIZERS, "sgd", "")
    options = catalog.OPTIMIZERS.get(name, {})
    keys = dict.fromkeys(option.key for option in options.values())
    entry = table(place, value, ("name",), ("label", *keys, "decay_bias"))
    resolved = tuple((key, _option(place, entry, option)) for key, option in options.items())
    decay_bias = flag(place / "decay_bias", entry.get("decay_bias", True))
    return Optimizer(name, resolved, label(place / "label", entry.get("label", name)), decay_bias)


def _option(place: Place, entry: Mapping[str, object], option: catalog.Option) -> float:
    if option.key not in entry:
        return option.default
    value = entry[option.key]
    if option.index is None:
        return number(place / option.key, value, option.allowed)
    pair = items(place / option.key, value, "two numbers")
    if len(pair) != 2:
        raise (place / option.key).refuse(f"has {count(len(pair), 'number')}", "2 are expected", "Write [0.9, 0.999].")
    return number(place / option.key / option.index, pair[option.index], option.allowed)
