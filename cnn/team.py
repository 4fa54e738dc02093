"""The processes that train together: one, or as many as torchrun started, each with a share of every batch."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from cnn.memory import keep_freed_memory
from sheetgen.errors import SheetgenError

__all__ = ["Team", "device_name", "gathered"]

T = TypeVar("T")

MOST_PROCESSES = 10_000


@dataclass(frozen=True)
class Team:
    """This process's place among those that train together, and the device it computes on.

    torch's DistributedDataParallel is as quick (benchmarks/pieces.py), and would replace one call of add() alone.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one process that reads, writes and reports."""
        return self.rank == 0

    def share(self, places: slice) -> slice:
        """The part of these places that this process computes; the shares differ by one place at most."""
        length = places.stop - places.start
        first, last = (places.start + length * rank // self.size for rank in (self.rank, self.rank + 1))
        return slice(first, last)

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Put the sum over all processes into the tensors; they are sent as one."""
        if self.size == 1:
            return
        listed = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in listed])
        dist.all_reduce(flat)
        for tensor, total in zip(listed, torch.split(flat, [tensor.numel() for tensor in listed]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def follow(self, tensors: Iterable[Tensor]) -> None:
        """Put the leader's numbers into every process's tensors."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def told(self, thing: T) -> T:
        """What the leader has here."""
        things = [thing]
        if self.size > 1:
            dist.broadcast_object_list(things, 0, device=self.device)
        return things[0]


@contextmanager
def gathered(device: str) -> Iterator[Team]:
    """The team for "auto", "cpu" or "cuda": what torchrun says in the environment, or this process alone.

    SheetgenError if CUDA is asked for and not there, or if the environment is not what torchrun gives.
    """
    cuda = torch.cuda.is_available() if device == "auto" else device == "cuda"
    if cuda and not torch.cuda.is_available():
        raise SheetgenError("command line: --device is cuda, and torch finds no CUDA device; choose one of: auto, cpu")
    size = _from_environment("WORLD_SIZE", 1, 1, MOST_PROCESSES)
    rank = _from_environment("RANK", 0, 0, size - 1)
    devices = torch.cuda.device_count() if cuda else MOST_PROCESSES
    local = _from_environment("LOCAL_RANK", 0, 0, devices - 1)
    place = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        # The same numbers each time: cuBLAS reads this when it starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.deterministic = True
        torch.cuda.set_device(place)
    else:
        keep_freed_memory()
    if size == 1:
        yield Team(place)
        return
    try:
        dist.init_process_group("nccl" if cuda else "gloo")
    except (ValueError, RuntimeError) as error:
        found = f"environment: WORLD_SIZE is {size}, and the processes do not find each other: {error}"
        raise SheetgenError(f"{found}; start them with torchrun, or unset WORLD_SIZE") from error
    try:
        yield Team(place, rank, size)
    finally:
        dist.destroy_process_group()


def _from_environment(name: str, default: int, least: int, most: int) -> int:
    text = os.environ.get(name, str(default))
    if not (text.isdecimal() and len(text) <= 9 and least <= int(text) <= most):
        found = f"environment: {name} is {text!r}; a whole number from {least} to {most} is expected"
        raise SheetgenError(f"{found}, which torchrun sets; unset it to train in one process")
    return int(text)


def device_name(team: Team) -> str:
    """What people read of the device: a GPU's name, or the processor's with the number of torch's threads.

    Last digits depend on all of it: so threads are torch's choice, one a core, not chosen by how busy the machine is.
    """
    processes = f"{team.size} processes, " if team.size > 1 else ""
    if team.device.type == "cuda":
        return f"{processes}{torch.cuda.get_device_name(team.device)}"
    threads = torch.get_num_threads()
    return f"{_processor()}, {processes}{threads} thread{'' if threads == 1 else 's'}"


def _processor() -> str:
    """The processor's name where Linux tells it, which Python does not ask, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in lines)
    names = (value.strip() for key, _, value in pairs if key.strip() == "model name")
    return next(names, "") or platform.processor() or platform.machine()
