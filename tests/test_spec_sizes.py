"""What no workbook can hold is refused before anything is derived, and nothing that one can."""

import pytest

from sheetgen.errors import SpecError
from sheetgen.spec import catalog, load, parse, template_names
from sheetgen.tabs.layout import plan_table


def sized(inputs: int, units: list[int], samples: int = 1, batch: str = "full") -> str:
    """A spec of these sizes."""
    layers = [f'[[network.layers]]\nunits = {one}\nactivation = "tanh"\nweights = "random"\n' for one in units]
    rows = tuple(f"[{', '.join(['0.5'] * width)}]" for width in (inputs, units[-1]))
    data = "\n".join(
        f"{key} = [{', '.join([row] * samples)}]" for key, row in zip(("inputs", "targets"), rows, strict=True)
    )
    head = f'learning_rates = [1]\nsteps = 1\ntraining = {{batch = "{batch}"}}\n'
    return f'{head}[data]\n{data}\n[network]\nloss = "mse"\n' + "".join(layers)


TOO_LARGE = {
    "units": (sized(1, [16_384]), "network has 16384 outputs", "the sum of 1784", "fewer units"),
    "full batch": (sized(1, [1], 10_000), "data.inputs has 10000 samples", "892 in each update", 'batch = "online"'),
    "full batch and outputs": (sized(1, [10], 200), "data.inputs has 200 samples", "178 in each update", "fewer"),
    "online": (sized(1, [1], 100_001, "online"), "data.inputs has 100001 samples", "at most 100000", "fewer"),
    "inputs": (sized(1500, [1]), "layers[0] has a sum of 1500 products", "enough for 892", "fewer"),
    "next layer": (sized(1, [1, 1000, 1]), "layers[1] has a sum of 1000 products", "enough for 892", "fewer"),
    "columns": (sized(60, [60, 60, 60]), "network needs a table of 22322 columns", "16384", "fewer units"),
}


@pytest.mark.parametrize("case", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_no_workbook_can_hold_is_refused_before_anything_is_derived(case: tuple[str, ...]) -> None:
    """Within a second, in one line that says what is allowed."""
    text, *parts = case
    with pytest.raises(SpecError) as caught:
        parse(text, "my.toml")
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", template_names())
def test_no_table_that_fits_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a sheet as wide as the template's widest table, the template could still be built."""
    widths = [len(plan_table(load(name), run).equations.columns) for run in load(name).runs]
    monkeypatch.setattr(catalog, "MAX_COLUMNS", min(widths))
    assert load(name).runs
    monkeypatch.setattr(catalog, "MAX_COLUMNS", min(widths) // 2)
    with pytest.raises(SpecError, match="columns"):
        load(name)
