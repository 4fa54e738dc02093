"""The command `sheetgen`: arguments, messages and exit codes; no mathematics.

Everything heavy is imported by the command that needs it, so that --help answers at once.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sheetgen
from sheetgen.errors import CheckError, SheetgenError, run_command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done; 1: the input is wrong or a check failed, with one line on stderr; 130: interrupted (143: by SIGTERM).
    Wrong usage raises SystemExit(2), as argparse does.
    """
    return run_command("sheetgen", lambda: _parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sheetgen",
        description="Write spreadsheets that teach back-propagation: every formula live, every number checked.",
        epilog="Start with: sheetgen build",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {sheetgen.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        summary = command.summary
        one = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        one.set_defaults(run=command.run, kept="no file was changed.")
        command.add_options(one)
    return parser


def _build_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="a template's name or a .toml path (default: erav2)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, default=Path("backprop.xlsx"), help="(default: %(default)s)"
    )
    parser.add_argument(
        "--rate", metavar="R", type=_rate, nargs="+", action="extend", help="learning rates in place of the spec's"
    )
    parser.add_argument("--steps", metavar="N", type=int, help="number of updates in place of the spec's")
    parser.add_argument(
        "--cnn", metavar="RUN", type=Path, help="add a trained network's tabs, from the folder of its run"
    )
    parser.add_argument("--live", action="store_true", help="with --cnn: add the trained network as live formulas")


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        how = "rates are separated by spaces, and a SPEC comes before them, as in: sheetgen build xor --rate 0.5 1"
        raise argparse.ArgumentTypeError(f"{text!r} is no number; {how}") from None


def _build(arguments: argparse.Namespace) -> int:
    """Write a workbook; print its path, its tabs, the number of formulas and each run's last loss."""
    from sheetgen.build import build, forecast
    from sheetgen.spec import DEFAULT_TEMPLATE, load, override

    if arguments.live and arguments.cnn is None:
        found = "command line: --live is given without --cnn"
        raise SheetgenError(f"{found}; it shows a trained network. Add --cnn RUN, or leave --live out.")
    spec = DEFAULT_TEMPLATE if arguments.spec is None else arguments.spec
    changed = override(load(spec), arguments.rate, arguments.steps)
    extra = None
    if arguments.cnn is not None:
        from cnn.export import add_tabs

        extra = partial(add_tabs, run=arguments.cnn, live=arguments.live)
    if said := forecast(changed):
        print(f"sheetgen: {said}", file=sys.stderr, flush=True)
    summary = build(changed, arguments.output, extra=extra, progress=_watched())
    print(*summary.lines(), f"loss after {changed.steps:,} updates", sep="\n")
    width = max((len(label) for label, _ in summary.final_losses), default=0)
    for label, loss in summary.final_losses:
        print(f"  {label:<{width}}  {loss if isinstance(loss, str) else f'{loss:.9g}'}")
    return 0


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a workbook written by sheetgen")
    parser.add_argument(
        "--engine", choices=("ironcalc", "libreoffice"), default="ironcalc", help="(default: %(default)s)"
    )


def _check(arguments: argparse.Namespace) -> int:
    """Recalculate a workbook in another engine; print what was compared."""
    from sheetgen.check import check

    report = check(arguments.file, arguments.engine, progress=_watched())
    print(*report.lines(), sep="\n")
    if not report.ok:
        raise CheckError(report.failure)
    return 0


def _templates_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the template to print")


def _templates(arguments: argparse.Namespace) -> int:
    """Print the names and titles of the templates, or one template's text."""
    from sheetgen.spec import load, template_names, template_text

    if arguments.name is not None:
        text = template_text(arguments.name)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # So that `sheetgen templates xor > my.toml` is TOML whatever the locale.
            sys.stdout.reconfigure(encoding="utf-8")
        print(text, end="")
        return 0
    names = template_names()
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {load(name).title}")
    return 0


def _watched() -> bool:
    """Whether someone is watching stderr, and progress is worth showing."""
    return sys.stderr.isatty()


@dataclass(frozen=True)
class _Command:
    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None]
    summary: str


_COMMANDS = {
    "build": _Command(_build, _build_options, "write a workbook"),
    "check": _Command(_check, _check_options, "recalculate a workbook in another engine, and say where it differs"),
    "templates": _Command(_templates, _templates_options, "list the specs that come with it, or print one"),
}
