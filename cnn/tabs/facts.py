"""What a run says of itself, checked for what the tabs need of it, and the words they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnn.layers import CLASSES
from cnn.run import Run, RunError, shown

__all__ = ["Facts", "facts_of"]

MOST, MOST_CHARACTERS = 2**40, 200


@dataclass(frozen=True)
class Facts:
    """A run and what its config.json says, in the words that people read."""

    run: Run
    train_images: int
    test_images: int
    recipe: str
    seed: int
    device: str
    torch: str

    @property
    def subtitle(self) -> str:
        """What was trained on what, in one line."""
        done, asked = len(self.run.epochs), self.run.config["epochs"]
        epochs = f"{done} epoch{'' if done == 1 else 's'}" if done == asked else f"{done} of {asked} epochs"
        data = f"{self.train_images:,} training and {self.test_images:,} test images of {self.run.dataset}"
        return f"{data}; recipe {self.recipe}, {epochs}, seed {self.seed}; {self.device}, PyTorch {self.torch}."


def facts_of(run: Run) -> Facts:
    """The run, fit to be shown; RunError if a number is missing, or is none that training can give."""
    config = _Table(run, "", run.config)
    facts = Facts(
        run,
        config.whole("train_images"),
        config.whole("test_images"),
        config.table("recipe").text("name"),
        config.whole("seed", least=0),
        config.text("device_name"),
        config.table("versions").text("torch"),
    )
    _require_possible(run)
    _require_report(run, facts.test_images)
    return facts


@dataclass(frozen=True)
class _Table:
    """An object in config.json, and the path to it."""

    run: Run
    path: str
    content: Any

    def table(self, key: str) -> _Table:
        return _Table(self.run, f"{self.path}{key}.", self._get(key, dict, "an object"))

    def text(self, key: str) -> str:
        value = str(self._get(key, str, "a text"))
        if not (value.isprintable() and len(value) <= MOST_CHARACTERS):
            raise self._refusal(key, f"{shown(value)}; {MOST_CHARACTERS} printable characters are the most")
        return value

    def whole(self, key: str, least: int = 1) -> int:
        value = int(self._get(key, int, "a whole number"))
        if not least <= value <= MOST:
            raise self._refusal(key, f"{shown(value)}; a number from {least} to {MOST:,} is expected")
        return value

    def _get(self, key: str, kind: type, wanted: str) -> Any:
        value = self.content.get(key)
        if type(value) is not kind:
            raise self._refusal(key, f"{shown(value)}, not {wanted}")
        return value

    def _refusal(self, key: str, found: str) -> RunError:
        path = self.run.folder / "config.json"
        return RunError(f"{path}: is damaged: {self.path}{key} is {found}; train again into a new folder")


def _require_possible(run: Run) -> None:
    """RunError for a metric that is a number but cannot be measured."""
    limits = {"train_accuracy": 1.0, "test_accuracy": 1.0}
    for one in run.epochs:
        for name, value in vars(one).items():
            if not 0 <= value <= limits.get(name, float("inf")):
                path = run.folder / "metrics.jsonl"
                raise RunError(f"{path}: line {one.epoch} is damaged: {name} is {value!r}; train again")


def _require_report(run: Run, test_images: int) -> None:
    """RunError if the report's numbers cannot be, or are not of so many test images."""
    report, path = run.report, run.folder / "report.safetensors"
    limits = {
        ("mistake_truth", "mistake_answer", "sample_labels"): CLASSES - 1,
        ("confusion", "mistake_index", "sample_index"): test_images,
        ("mistake_probability",): 1,
    }
    for names, most in limits.items():
        for name in names:
            numbers = getattr(report, name)
            if not ((numbers >= 0) & (numbers <= most)).all():
                found = f"a digit, count or probability of {name} is beyond 0 to {most:,}"
                raise RunError(f"{path}: is damaged: {found}; train again")
    tests = int(report.confusion.sum())
    if tests != test_images:
        raise RunError(f"{path}: is of {tests:,} test images, config.json says {test_images:,}; train again")
