"""The command `python -m cnn`: arguments, messages and exit codes; torch is imported by the command that needs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.extra import needing_the_extra
from sheetgen.errors import run_command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done; 1: the input is wrong, with one line on stderr; 130: interrupted (143: by SIGTERM). Wrong usage raises
    SystemExit(2), as argparse does.
    """
    return run_command("cnn", lambda: _parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cnn",
        description="Train a small network to read handwritten digits, and put it into a workbook.",
        epilog="Start with: python -m cnn train --recipe fast",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        summary = command.summary
        one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        one.set_defaults(run=command.run, kept=command.kept)
        command.add_options(one)
    return parser


def _train_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-o", "--output", metavar="RUN", type=Path, default=Path("cnn-run"), help="folder (default: %(default)s)")
    add("--dataset", metavar="NAME", help="auto, mnist or digits (default: auto, which is mnist if it can be had)")
    add("--data", metavar="DIR", type=Path, help="folder that has MNIST/raw/ (default: $MNIST_ROOT, or a download)")
    add("--recipe", metavar="NAME", help="original, fast or accurate (default: fast)")
    add("--epochs", metavar="N", type=int, help="in place of the recipe's; its learning rates stretch with them")
    add("--seed", metavar="N", type=int, help="of everything random (default: 0)")
    add("--device", metavar="NAME", help="auto, cpu or cuda (default: auto, which is cuda if there is one)")
    add("--resume", action="store_true", help="go on with the run in RUN, if there is one, from its last epoch")


def _train(arguments: argparse.Namespace) -> None:
    """Train, writing a run folder; print what was reached on the test set."""
    with needing_the_extra("training needs"):
        from cnn.command import train

        train(arguments)


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a folder written by `train`")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the workbook")
    parser.add_argument("--live", action="store_true", help="add the trained network as live formulas")


def _export(arguments: argparse.Namespace) -> None:
    """Write the tabs of a run as a workbook of their own; print its path, its tabs and the number of formulas."""
    from cnn.export import export

    print(*export(arguments.run_folder, arguments.output, live=arguments.live).lines(), sep="\n")


@dataclass(frozen=True)
class _Command:
    run: Callable[[argparse.Namespace], None]
    add_options: Callable[[argparse.ArgumentParser], None]
    summary: str
    kept: str


_COMMANDS = {
    "train": _Command(
        _train,
        _train_options,
        "train the network, writing a run folder",
        "the finished epochs are kept: go on with the same command and --resume",
    ),
    "export": _Command(_export, _export_options, "write a run's tabs as a workbook", "no file was changed."),
}
