"""Trains the network: the data set stays on the device as bytes, and everything random is drawn beforehand."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnn.data import Data
from cnn.draws import Draws
from cnn.model import DigitNetwork, normalised
from cnn.recipes import Recipe
from cnn.report import report
from cnn.run import Epoch, RunError, Writer, epochs_of, metrics_text, tensors_of
from cnn.team import Team
from sheetgen.errors import SheetgenError

__all__ = ["Trainer", "Watch", "logits_of", "moved", "resume", "train"]

Watch = Callable[[int, int, int, float, float], object]
"""Called with an epoch, how many images it has trained on (at first 0) and of how many, its loss and its accuracy."""

# Of 100, 500 and 2,000 images at once, 100 is fastest on a CPU: the maps stay in its cache.
TEST_BATCH = {"cpu": 100, "cuda": 2000}


class Trainer:
    """A network in training: its weights, its optimizer and the epochs that are finished."""

    def __init__(self, data: Data, recipe: Recipe, seed: int, team: Team) -> None:
        self.data = data.to(team.device)
        self.recipe, self.seed, self.team = recipe, seed, team
        self.epochs: tuple[Epoch, ...] = ()
        torch.manual_seed(seed)
        self.network = DigitNetwork().to(team.device)
        self.network.to(memory_format=torch.channels_last)
        named = dict(self.network.named_parameters())
        decayed = [name for name, parameter in named.items() if parameter.dim() > 1]
        groups: list[dict[str, Any]] = [
            {"params": [named[name] for name in decayed], "weight_decay": recipe.weight_decay},
            {"params": [named[name] for name in named if name not in decayed]},
        ]
        self.optimizer = torch.optim.SGD(
            groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.nesterov
        )
        self._take_momentum({name: torch.zeros_like(parameter) for name, parameter in named.items()})
        self.losses = torch.zeros(len(data.train_images), device=team.device)

    def train_epoch(self, watch: Watch | None = None) -> Tensor:
        """Train the next epoch; return the logits (n, 10) of the test images after it."""
        started = time.perf_counter()
        epoch = len(self.epochs) + 1
        draws = Draws.of(self.recipe, self.losses, self.seed, epoch, self.team.device)
        loss, accuracy, learning_rate = self._updates(epoch, draws, watch)
        logits = logits_of(self.network, self.data.test_images, self.team)
        labels = self.data.test_labels
        finished = Epoch(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            test_loss=functional.cross_entropy(logits.double(), labels).item(),
            test_accuracy=(logits.argmax(1) == labels).double().mean().item(),
            learning_rate=learning_rate,
            seconds=time.perf_counter() - started,
            images=len(draws.order),
        )
        if not math.isfinite(loss + finished.test_loss):
            raise SheetgenError(f"epoch {epoch}: the loss is no longer a number; choose another --recipe or --seed")
        self.epochs += (finished,)
        return logits

    def _updates(self, epoch: int, draws: Draws, watch: Watch | None) -> tuple[float, float, float]:
        """All updates of an epoch: its mean loss, its accuracy, its last learning rate."""
        images, batch = len(draws.order), self.recipe.batch
        before, of_all = (self.recipe.updates(epochs, len(self.losses)) for epochs in (epoch - 1, self.recipe.epochs))
        losses = torch.zeros_like(self.losses)
        totals = torch.zeros(2, dtype=torch.float64, device=self.team.device)
        steps = math.ceil(images / batch)
        smoothing = self.recipe.in_epoch(epoch).smoothing
        rate = 0.0
        self.network.train()
        if watch:
            watch(epoch, 0, images, 0.0, 0.0)
        for step in range(steps):
            rate = self.recipe.learning_rate_at((before + step) / of_all)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            places = slice(step * batch, min((step + 1) * batch, images))
            totals += self._update(draws, places, losses, smoothing)
            if watch and (step % 10 == 9 or step == steps - 1):
                seen = self.team.share(slice(0, places.stop))
                here, right = (totals / max(1, seen.stop - seen.start)).tolist()
                watch(epoch, places.stop, images, here, right)
        self.team.add([totals])
        self.team.add([losses])
        self.losses[draws.order] = losses[draws.order]
        loss, accuracy = (totals / images).tolist()
        return loss, accuracy, rate

    def _update(self, draws: Draws, places: slice, losses: Tensor, smoothing: float) -> Tensor:
        """Update on the batch at these places of the order; this process's sums of loss and of correct answers.

        What is minimised has smoothed targets; the loss told, and put into losses for each image, is without them.
        """
        mine = self.team.share(places)
        chosen = draws.order[mine]
        labels = self.data.train_labels[chosen]
        images = self.data.train_images[chosen]
        if draws.affine is not None:
            images = moved(images, draws.affine[mine])
        logits = self.network(normalised(images), draws.layer_masks(mine))
        loss = functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=smoothing)
        losses[chosen] = functional.cross_entropy(logits.detach(), labels, reduction="none")
        self.optimizer.zero_grad()
        (loss / (places.stop - places.start)).backward()
        self.team.add(parameter.grad for parameter in self.network.parameters() if parameter.grad is not None)
        self.optimizer.step()
        return torch.stack((losses[chosen].sum(), (logits.argmax(1) == labels).sum()))

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that training goes on from, as the tensors of checkpoint.safetensors."""
        momentum = {
            f"momentum.{name}": self.optimizer.state[parameter]["momentum_buffer"].cpu().numpy()
            for name, parameter in self.network.named_parameters()
        }
        metrics = np.frombuffer(metrics_text(self.epochs), np.uint8)
        losses = self.losses.cpu().numpy()
        return {**_arrays(self.network.weights()), **momentum, "losses": losses, "metrics": metrics}

    def restore(self, state: Mapping[str, NDArray[Any]], origin: Path) -> None:
        """Go on from this state(); RunError, naming the origin, if it is not one."""
        try:
            self.network.load({name: torch.from_numpy(array) for name, array in state.items() if "." in name})
            named = self.network.named_parameters()
            self._take_momentum({name: torch.from_numpy(state[f"momentum.{name}"]) for name, _ in named})
            self.losses.copy_(torch.from_numpy(state["losses"]))
            self.epochs = epochs_of(state["metrics"].tobytes(), origin)
        except (KeyError, RuntimeError, TypeError) as error:
            raise RunError(f"{origin}: is not of this network: {error}; train again into a new folder") from error

    def _take_momentum(self, momentum: Mapping[str, Tensor]) -> None:
        """Let the optimizer go on with this momentum of each parameter."""
        names = {parameter: name for name, parameter in self.network.named_parameters()}
        ordered = [one for group in self.optimizer.param_groups for one in group["params"]]
        # In the order in memory of their parameters, as every process of a team must have them.
        buffers = [torch.empty_like(one.detach()).copy_(momentum[names[one]]) for one in ordered]
        state = {place: {"momentum_buffer": buffer} for place, buffer in enumerate(buffers)}
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})

    def follow(self) -> None:
        """Take weights, momentum, losses and epochs from the process that leads."""
        with torch.no_grad():
            self.team.follow(self.network.state_dict().values())
            self.team.follow(state["momentum_buffer"] for state in self.optimizer.state.values())
            self.team.follow([self.losses])
        self.epochs = self.team.told(self.epochs)


def train(trainer: Trainer, writer: Writer | None, watch: Watch | None, done: Callable[[Epoch], object]) -> None:
    """Train the epochs that the recipe still asks for, writing the run after each; done is called with each.

    The process that leads has a writer, the others have None.
    """
    if writer and trainer.epochs:
        logits = logits_of(trainer.network, trainer.data.test_images, Team(trainer.team.device))
        _write(trainer, writer, logits)
    while len(trainer.epochs) < trainer.recipe.epochs:
        logits = trainer.train_epoch(watch)
        if writer:
            try:
                _write(trainer, writer, logits)
            except KeyboardInterrupt:
                # The files belong together: finish them first.
                _write(trainer, writer, logits)
                raise
        done(trainer.epochs[-1])


def resume(trainer: Trainer, folder: Path) -> None:
    """Let the trainer go on from the folder's checkpoint, if it has one."""
    path = folder / "checkpoint.safetensors"
    if path.exists():
        trainer.restore(tensors_of(path, folder)[0], path)


def moved(images: Tensor, affine: Tensor) -> Tensor:
    """The images (n, 28, 28) under their affine maps (n, 2, 3), as float32 (n, 1, 28, 28); what comes in is 0.

    Cubics lie between pixels. transforms.v2, called image by image, takes 18 times as long (benchmarks/pieces.py).
    """
    pixels = images[:, None].float()
    grid = functional.affine_grid(affine, list(pixels.shape), align_corners=False)
    # A cubic goes beyond the darkest and the brightest pixel.
    return functional.grid_sample(pixels, grid, mode="bicubic", align_corners=False).clamp_(0, 255)


def logits_of(network: DigitNetwork, images: Tensor, team: Team) -> Tensor:
    """The network's logits (n, 10) of the images (n, 28, 28), each process computing its share."""
    logits = torch.zeros(len(images), network.linear.out_features, device=team.device)
    network.eval()
    mine = team.share(slice(0, len(images)))
    size = TEST_BATCH[team.device.type]
    with torch.inference_mode():
        for first in range(mine.start, mine.stop, size):
            places = slice(first, min(first + size, mine.stop))
            logits[places] = network(normalised(images[places]))
        team.add([logits])
    return logits


def _write(trainer: Trainer, writer: Writer, logits: Tensor) -> None:
    """All files of the run but config.json; the checkpoint first, because the others follow from it."""
    epoch = len(trainer.epochs)
    data = trainer.data
    probabilities = logits.double().softmax(dim=1).cpu().numpy()
    answers = report(data.test_images.cpu().numpy(), data.test_labels.cpu().numpy(), probabilities)
    writer.tensors("checkpoint", trainer.state(), epoch)
    writer.tensors("weights", _arrays(trainer.network.weights()), epoch)
    writer.tensors("report", vars(answers), epoch)
    writer.metrics(trainer.epochs)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}
