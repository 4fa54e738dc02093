"""What a person sees of a training: a bar while it runs, a line per epoch, and what was reached."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Never

from tqdm import tqdm

from cnn.layers import CLASSES
from cnn.run import DATASETS, Epoch, Run
from cnn.team import device_name

if TYPE_CHECKING:
    from cnn.train import Trainer

__all__ = ["Progress", "summary"]

SHOWN_MISTAKES = 5


class Progress:
    """On stderr: a bar for the epoch in training if that is a terminal, and a plain line for each that is finished."""

    def __init__(self, trainer: Trainer, shown: bool) -> None:
        self._trainer, self._shown = trainer, shown
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        """Say what is trained."""
        trainer = self._trainer
        data, done = trainer.data, len(trainer.epochs)
        self._say(
            f"{DATASETS[data.name]}: {len(data.train_images):,} training and {len(data.test_images):,} test images; "
            f"recipe {trainer.recipe.name}, {trainer.recipe.epochs} epochs, seed {trainer.seed}, "
            f"{trainer.team.device.type} ({device_name(trainer.team)})"
        )
        if done:
            self._say(f"going on after epoch {done}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the terminal tidy."""
        self._close()

    def update(self, epoch: int, seen: int, total: int, loss: float, accuracy: float) -> None:
        """Show how far the epoch is."""
        if not (self._shown and sys.stderr.isatty()):
            return
        if self._bar is None:
            title = f"epoch {epoch}/{self._trainer.recipe.epochs}"
            self._bar = tqdm(desc=title, total=total, unit=" images", unit_scale=True, leave=False)
        if seen:
            # What is seen stays visible while the test goes on.
            self._bar.set_postfix_str(f"loss {loss:.4f}, accuracy {accuracy:.2%}", refresh=seen == total)
            self._bar.update(seen - self._bar.n)

    def finish(self, epoch: Epoch) -> None:
        """Show a finished epoch."""
        self._close()
        self._say(
            f"epoch {epoch.epoch}/{self._trainer.recipe.epochs}: "
            f"train loss {epoch.train_loss:.4f} accuracy {epoch.train_accuracy:.2%}, "
            f"test loss {epoch.test_loss:.4f} accuracy {epoch.test_accuracy:.2%}, "
            f"{epoch.images:,} images trained on, {epoch.seconds:.1f} s"
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _say(self, line: str) -> None:
        if self._shown:
            print(line, file=sys.stderr, flush=True)


def summary(run: Run) -> str:
    """What the run reached on the test set, as lines of text."""
    last = run.epochs[-1]
    confusion = run.report.confusion
    wrong = int(confusion.sum() - confusion.trace())
    seconds = sum(epoch.seconds for epoch in run.epochs)
    lines = [
        f"run       {run.folder}",
        f"data      {run.dataset}: {run.config['train_images']:,} training, {run.config['test_images']:,} test images",
        f"epochs    {len(run.epochs)} of recipe {run.config['recipe']['name']}, {seconds:.0f} s",
        f"test      {last.test_accuracy:.2%} correct after the last epoch ({wrong:,} wrong), loss {last.test_loss:.4f}",
        "",
        "truth   answer" + "".join(f"{digit:>6}" for digit in range(CLASSES)) + "   correct",
    ]
    for digit, row in enumerate(confusion):
        correct = row[digit] / max(1, row.sum())
        lines.append(f"{digit:>5}         " + "".join(f"{count:>6}" for count in row) + f"   {correct:7.2%}")
    lines += ["", "most confident mistakes"]
    columns = (getattr(run.report, f"mistake_{name}") for name in ("index", "truth", "answer", "probability"))
    for index, truth, answer, probability in list(zip(*columns, strict=True))[:SHOWN_MISTAKES]:
        lines.append(f"  test image {index}: a {truth}, read as {answer} with probability {probability:.4f}")
    return "\n".join(lines)
