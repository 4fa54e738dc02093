"""Training gives the same numbers again: after a kill, and shared between processes."""

import copy
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

import torch
from cnn_samples import CPU, RECIPE, config, tiny_data, trained, trainer, without_seconds
from torch.nn import functional

from cnn import run
from cnn.cli import main
from cnn.model import normalised
from cnn.recipes import Recipe
from cnn.run import RunError, Writer, read_run
from cnn.train import Trainer, logits_of, resume, train
from sheetgen.errors import SheetgenError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was not interrupted."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    trained(folder)
    return folder


def assert_same_run(one: Path, other: Path) -> None:
    """All numbers are equal to the last bit, but for the seconds."""
    mine, others = read_run(one), read_run(other)
    assert without_seconds(mine.epochs) == without_seconds(others.epochs)
    for name, array in mine.weights.items():
        assert np.array_equal(array, others.weights[name]), name
    for name, array in vars(mine.report).items():
        assert np.array_equal(array, getattr(others.report, name)), name


def test_it_learns(whole: Path) -> None:
    """The loss falls, and what is reported is of the whole test set after the epoch."""
    first, last = read_run(whole).epochs
    assert last.train_loss < first.train_loss < 2.6
    assert last.test_accuracy > 0.3


def test_what_is_reported_is_what_the_weights_do(whole: Path) -> None:
    """Test loss and accuracy, computed again from the weights in the file."""
    reader = trainer()
    reader.network.load({name: torch.from_numpy(array) for name, array in read_run(whole).weights.items()})
    reader.network.eval()
    data = tiny_data()
    logits = reader.network(normalised(data.test_images))
    last = read_run(whole).epochs[-1]
    assert functional.nll_loss(logits.log_softmax(1), data.test_labels).item() == pytest.approx(last.test_loss, 1e-5)
    assert (logits.argmax(1) == data.test_labels).float().mean().item() == pytest.approx(last.test_accuracy)


def test_one_update_is_torch_s_sgd_on_the_mean_loss() -> None:
    """Without augmentation and dropout: the first batch's update, computed apart."""
    plain = Recipe("", "", 1, 70, 0.1, nesterov=True, weight_decay=0.5, dropout=0.0)
    one, other = trainer(plain), trainer(plain)
    one.train_epoch()
    data = tiny_data()
    other.network.train()
    loss = functional.cross_entropy(other.network(normalised(data.train_images)), data.train_labels)
    named = dict(other.network.named_parameters())
    for (name, parameter), gradient in zip(named.items(), torch.autograd.grad(loss, list(named.values())), strict=True):
        decay = 0.5 * parameter if parameter.dim() > 1 else 0
        change = -0.1 * (1 + 0.9) * (gradient + decay)
        difference = one.network.get_parameter(name) - (parameter + change)
        # The order of the images is another, and with it the last digits and a few of the maxima and zeros.
        assert difference.norm() < 0.1 * change.norm(), name


def test_the_same_seed_gives_the_same_numbers(whole: Path, tmp_path: Path) -> None:
    """And another seed gives others."""
    trained(tmp_path / "again")
    assert_same_run(whole, tmp_path / "again")
    other = trainer(seed=4)
    other.train_epoch()
    assert other.epochs[0].train_loss != read_run(whole).epochs[0].train_loss


@pytest.mark.parametrize("killed_at", range(1, 10))
def test_a_killed_run_goes_on_to_the_same_end(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Killed at the n-th file of the run's nine: config, and four for each of the two epochs."""
    replaced = 0

    class Killed(BaseException):
        pass

    def replace(path: Path, content: bytes) -> None:
        nonlocal replaced
        replaced += 1
        if replaced == killed_at:
            path.with_name(f".{path.name}.draft").write_bytes(content[: len(content) // 2])
            raise Killed
        path.write_bytes(content)

    with monkeypatch.context() as patched:
        patched.setattr(run, "replace", replace)
        with pytest.raises(Killed):
            trained(tmp_path / "run")
    again = trainer()
    writer = Writer(tmp_path / "run", config())
    resume(again, tmp_path / "run")
    train(again, writer, None, lambda _: None)
    assert_same_run(whole, tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.draft"))


def test_resuming_a_finished_run_trains_nothing(whole: Path) -> None:
    """Its files stay byte for byte."""
    before = {path.name: path.read_bytes() for path in whole.iterdir()}
    again = trainer()
    resume(again, whole)
    train(again, Writer(whole, config()), None, lambda _: pytest.fail("an epoch was trained"))
    assert {path.name: path.read_bytes() for path in whole.iterdir()} == before


def test_a_checkpoint_of_something_else_is_refused(whole: Path, tmp_path: Path) -> None:
    """Tensors are missing."""
    for name in ("momentum.conv1.weight", "losses"):
        state = trainer().state()
        del state[name]
        with pytest.raises(RunError, match=f"is not of this network: {name!r}"):
            trainer().restore(state, tmp_path)


def test_the_second_epoch_trains_on_the_part_that_is_kept(whole: Path) -> None:
    """And says so; the losses are those without smoothed targets, which alone can come near zero."""
    assert [epoch.images for epoch in read_run(whole).epochs] == [70, 42]
    one = trainer(replace(RECIPE, epochs=1, batch=70, rotation=0, shift=0, scale=0, shear=0, dropout=0.0))
    images, labels = normalised(tiny_data().train_images), tiny_data().train_labels
    with torch.no_grad():
        losses = functional.cross_entropy(copy.deepcopy(one.network)(images), labels, reduction="none")
    one.train_epoch()
    assert torch.allclose(one.losses, losses, atol=1e-4)
    assert one.epochs[0].train_loss == pytest.approx(losses.mean().item(), rel=1e-4)


def test_an_interrupt_while_writing_finishes_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is on disk belongs together and can be read."""
    (tmp_path / "run").mkdir()
    writer = Writer(tmp_path / "run", config())
    tensors, interrupts = writer.tensors, iter([False, True])

    def interrupted(name: str, arrays: run.Tensors, epoch: int) -> None:
        tensors(name, arrays, epoch)
        if next(interrupts, False):
            raise KeyboardInterrupt

    monkeypatch.setattr(writer, "tensors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(trainer(), writer, None, lambda _: None)
    assert len(read_run(tmp_path / "run").epochs) == 1


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    """In one line, before anything is written."""
    one = trainer()
    one.network.linear.weight.data.fill_(float("nan"))
    with pytest.raises(SheetgenError, match="epoch 1: the loss is no longer a number"):
        one.train_epoch()
    assert one.epochs == ()


def test_the_size_of_a_test_batch_does_not_matter() -> None:
    """The logits of 250 images are those of each alone."""
    one = trainer()
    images = tiny_data().train_images.repeat(4, 1, 1)[:250]
    together = logits_of(one.network, images, CPU)
    assert torch.allclose(together[-1:], logits_of(one.network, images[-1:], CPU), atol=1e-5)


PATHS = [str(Path(__file__).parent.parent), str(Path(__file__).parent)]
TWO_PROCESSES = """
import copy, sys
import torch
from torch.nn import functional
from cnn.model import DigitNetwork
from cnn.draws import Draws
from cnn.team import Team, gathered
from cnn_samples import CPU, RECIPE, tiny_data
from cnn.train import Trainer

torch.manual_seed(7)
network = DigitNetwork().double()
images, labels = torch.randn(7, 1, 28, 28).double(), torch.arange(7)
masks = [torch.rand(7, channels).double() for channels in (12, 16, 20, 28, 24)]

def step(network, team):
    mine = team.share(slice(0, 7))
    logits = network(images[mine], [mask[mine] for mask in masks])
    (functional.cross_entropy(logits, labels[mine], reduction="sum") / 7).backward()
    team.add(parameter.grad for parameter in network.parameters())
    return {**{name: p.grad for name, p in network.named_parameters()}, **network.weights()}

def epoch_of(team):
    trainer = Trainer(tiny_data(), RECIPE, 3, team)
    trainer.train_epoch()
    return trainer.losses, Draws.of(RECIPE, trainer.losses, 3, 2, team.device).order

alone_losses, alone_order = epoch_of(CPU)
alone = step(copy.deepcopy(network), Team(torch.device("cpu")))
with gathered("cpu") as team:
    assert team.size == 2
    shared = step(network, team)
    for name, tensor in alone.items():
        assert torch.allclose(shared[name], tensor, rtol=1e-9, atol=1e-12), name
    losses, order = epoch_of(team)
    assert torch.allclose(losses, alone_losses, rtol=1e-3)
    assert torch.equal(order, alone_order)
    assert team.told(team.rank) == 0
print("same", flush=True)
"""


def torchrun(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, after `torchrun --nproc-per-node 2`."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(PATHS)}
    return subprocess.run([*start, *command], capture_output=True, text=True, check=False, env=environment, timeout=300)


def test_two_processes_have_the_gradients_and_statistics_of_one(tmp_path: Path) -> None:
    """In float64 to 1e-9, with a batch that does not share evenly; and they choose the same images to go on with."""
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES, encoding="utf-8")
    done = torchrun(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("same") == 2


def test_torchrun_trains_as_one_process_does(tmp_path: Path) -> None:
    """The command itself, at the same global batch: in float32 the sums differ in their last digits, and drift."""
    options = ["train", "--dataset", "digits", "--recipe", "original", "--epochs", "1", "--device", "cpu"]
    done = torchrun("-m", "cnn", *options, "-o", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 1/1") == 1
    assert main([*options, "-o", str(tmp_path / "one")]) == 0
    (two,), (one,) = read_run(tmp_path / "two").epochs, read_run(tmp_path / "one").epochs
    assert two.train_loss == pytest.approx(one.train_loss, rel=1e-2)
    assert two.test_loss == pytest.approx(one.test_loss, rel=1e-2)


@pytest.mark.slow
def test_fast_reads_the_digits(tmp_path: Path) -> None:
    """All of scikit-learn's, with the command's defaults: at least 99.0 %."""
    assert main(["train", "--dataset", "digits", "--device", "cpu", "-o", str(tmp_path / "run")]) == 0
    assert read_run(tmp_path / "run").epochs[-1].test_accuracy >= 0.99


def test_torchrun_says_an_error_once(tmp_path: Path) -> None:
    """The process that leads does; all of them fail."""
    done = torchrun("-m", "cnn", "train", "--dataset", "mnist", "--data", tmp_path / "nowhere", "-o", tmp_path / "run")
    assert done.returncode == 1
    assert done.stderr.count("cnn: --data: there is no folder") == 1
    assert not (tmp_path / "run").exists()


def test_a_trainer_starts_from_the_seed_alone() -> None:
    """Whatever torch's own generator has been used for."""
    torch.manual_seed(99)
    one = Trainer(tiny_data(), RECIPE, 3, CPU)
    assert torch.equal(one.network.linear.weight, trainer().network.linear.weight)
