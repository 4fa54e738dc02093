"""The command `sheetgen`: arguments, messages and exit codes; no mathematics.

Everything heavy is imported by the command that needs it, so that --help answers at once.
"""

import argparse
import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
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


def _spec_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="a template's name or a .toml path (default: erav2)")


def _build_options(parser: argparse.ArgumentParser) -> None:
    _spec_argument(parser)
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
    parser.add_argument(
        "files", metavar="FILE", type=_named, nargs="+", help="a workbook, anybody's, or a folder of workbooks"
    )
    parser.add_argument(
        "--engine", choices=("ironcalc", "libreoffice"),
        help="what recalculates it (default: ironcalc for sheetgen's own workbooks, but for the live digit network's "
        "maps, which PyTorch computes; none for others)",
    )  # fmt: skip
    parser.add_argument(
        "--spec", metavar="SPEC", help="the network that others' workbooks train, where labels cannot say"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--marked", metavar="COPY", type=Path, help="write a copy with the wrong cells filled")
    parser.add_argument(
        "--solution", metavar="FILE", type=Path, help="write the workbook of the network that was found"
    )


def _named(text: str) -> Path:
    """The path; an empty one, as a script's variable may be, would be the current folder."""
    if not text:
        raise SheetgenError("command line: a FILE is an empty name; name a workbook, or . for the current folder")
    return Path(text)


def _check(arguments: argparse.Namespace) -> int:
    """Judge workbooks; print what was compared and what is wrong."""
    from sheetgen import check, load

    spec = None if arguments.spec is None else load(arguments.spec)
    files = [path for one in arguments.files for path in _workbooks(one)]
    single = len(arguments.files) == len(files) == 1 and not arguments.files[0].is_dir()
    if not single and (arguments.marked or arguments.solution):
        raise SheetgenError("command line: --marked and --solution write what one FILE gives; name one workbook")
    _refuse_one_place(files[0], arguments.marked, arguments.solution)
    if single:
        report = check(files[0], arguments.engine, spec=spec, progress=_watched())
        _print(arguments, report.json(), report.lines())
        _write_beside(report, arguments)
        if not report.ok and not report.told:
            raise CheckError(report.failure)
        return 0 if report.ok else 1
    from sheetgen.check.several import check_several

    found, counts = [], {"right": 0, "wrong": 0, "not read": 0}
    for verdict in check_several(files, arguments.engine, spec):
        found.append(verdict.content)
        counts[verdict.kind] += 1
        if not arguments.json:
            print(_one_line(verdict.line), flush=True)
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    _print(arguments, found, [f"{len(files)} files: {summary}"])
    return 0 if counts["right"] == len(files) else 1


def _refuse_one_place(file: Path, marked: Path | None, solution: Path | None) -> None:
    """SheetgenError if two of what is read and written are one file, by whatever path."""
    copy, own = "the marked copy", "the solution"
    for one, what, other, others in (
        (marked, copy, file, "the workbook that is checked"),
        (solution, own, file, "the workbook that is checked"),
        (solution, own, marked, copy),
    ):
        if one is not None and other is not None and _same(one, other):
            raise SheetgenError(f"{one}: is {others}; name another file for {what}")


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _one_line(text: str) -> str:
    """A text that is printed as a line; formulas and names of files may have several."""
    return " ".join(text.splitlines())


def _print(arguments: argparse.Namespace, content: object, lines: Sequence[str]) -> None:
    if arguments.json:
        import json

        # What takes every character takes a backslash for one that it does not; JSON knows \uXXXX alone.
        encoding = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name
        print(json.dumps(content, ensure_ascii=not encoding.startswith("utf"), indent=1, allow_nan=False))
    else:
        print(*map(_one_line, lines), sep="\n")


def _workbooks(path: Path) -> list[Path]:
    """The path, or the workbooks in a folder, and the folders in it that cannot be read."""
    if not path.is_dir():
        return [path]
    found = sorted(_in_folder(path))
    if not found:
        raise CheckError(f"{path}: has no workbook in it, no .xlsx and no .xlsm; name a folder that has some")
    return found


def _in_folder(path: Path) -> Iterator[Path]:
    """Not what Excel leaves beside a file that it has open, nor what a Mac copies beside each."""
    closed: list[OSError] = []
    for folder, _, names in os.walk(path, onerror=closed.append):
        for one in (Path(folder, name) for name in names if not name.startswith(("~$", "._"))):
            if one.suffix.lower() in (".xlsx", ".xlsm") and _is_file(one):
                yield one
    for error in closed:
        if Path(error.filename) == path:
            raise CheckError(
                f"{path}: cannot be read: {error.strerror}; allow reading the folder, or name a file in it"
            )
        yield Path(error.filename)


def _is_file(path: Path) -> bool:
    """Whether it is an ordinary file, or one that may not even be looked at."""
    try:
        return path.is_file()
    except PermissionError:
        return True


def _write_beside(report: object, arguments: argparse.Namespace) -> None:
    """The marked copy and the solution of a stranger's workbook."""
    if arguments.marked is None and arguments.solution is None:
        return
    from sheetgen.build import build
    from sheetgen.check.foreign.marked import write_marked
    from sheetgen.check.foreign.told import Foreign
    from sheetgen.check.foreign.translate import solution_of

    if not isinstance(report, Foreign):
        raise CheckError("--marked and --solution are for workbooks that sheetgen did not write; build its own again")
    if arguments.marked is not None:
        write_marked(report, arguments.marked)
        print(_one_line(f"marked  {arguments.marked}"), file=sys.stderr)
    if arguments.solution is not None:
        summary = build(solution_of(report), arguments.solution)
        print(_one_line(summary.lines()[0]), file=sys.stderr)
        if len(report.tables) > 1:
            table = next(one.table for one in report.tables if one.network is not None)
            rows = f"rows {table.first_row} to {table.last_row}; the workbook has {len(report.tables)} tables"
            print(_one_line(f"of        tab {table.tab}, {rows}"), file=sys.stderr)


def _exercise_options(parser: argparse.ArgumentParser) -> None:
    _spec_argument(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path,
        help="(default: exercise.xlsx; with --class it is a folder, by default exercises)",
    )  # fmt: skip
    parser.add_argument(
        "--blank", metavar="WHAT", nargs="+", action="extend",
        help="forward, loss, gradients (the default), updates, all, or the names of columns, such as a_h1 or ∂E/∂w3",
    )  # fmt: skip
    parser.add_argument("--rate", metavar="R", type=_rate, help="the learning rate (default: the spec's best)")
    parser.add_argument(
        "--bugs", metavar="N", type=int, help="instead of blanks, plant N mistakes that people make, to be found"
    )
    parser.add_argument("--seed", metavar="N", type=int, help="draw other data and initial weights, and other bugs")
    parser.add_argument(
        "--hints", metavar="0..3", type=int, choices=range(4), help="how much help opens (default: 3, all of it)"
    )
    parser.add_argument("--key", metavar="FILE", type=Path, help="write the solution too; with --class, a folder")
    parser.add_argument(
        "--class", metavar="NAMES.txt", type=Path, dest="names",
        help="a workbook for each line of a text file, each with numbers of its own",
    )  # fmt: skip


def _exercise(arguments: argparse.Namespace) -> int:
    """Write an exercise, or one for each name of a class."""
    from sheetgen.lessons.exercise import make_exercise, one_run
    from sheetgen.lessons.files import read_names, seed_of, write_class, write_exercise
    from sheetgen.spec import DEFAULT_TEMPLATE, load, override

    if arguments.bugs is not None and (arguments.blank or arguments.hints is not None):
        raise SheetgenError("command line: --bugs is given with --blank or --hints; an exercise has blanks or bugs")
    if arguments.bugs is not None and not 1 <= arguments.bugs <= 20:
        raise SheetgenError(f"command line: --bugs is {arguments.bugs}; 1 to 20 can be planted")
    spec = load(DEFAULT_TEMPLATE if arguments.spec is None else arguments.spec)
    if arguments.rate is not None:
        spec = override(spec, [arguments.rate], None)
    make = partial(
        make_exercise, one_run(spec), blank=arguments.blank or ("gradients",), bugs=arguments.bugs or 0,
        hints=3 if arguments.hints is None else arguments.hints,
    )  # fmt: skip
    if arguments.names is None:
        path = arguments.output or Path("exercise.xlsx")
        exercise = make(seed=arguments.seed)
        summary = write_exercise(exercise, path, arguments.key)
        what = f"{arguments.bugs} planted" if arguments.bugs else ", ".join(exercise.columns)
        print(*summary.lines(), f"{'bugs' if arguments.bugs else 'blank':<10}{what}", sep="\n")
        if arguments.key:
            print(f"solution  {arguments.key}")
        for one, other in exercise.alike:
            print(f"note      {one} and {other} are equal: a mark cannot tell them apart, a grade can; see --seed")
        return 0
    from tqdm import tqdm

    names, folder = read_names(arguments.names), arguments.output or Path("exercises")
    with tqdm(total=len(names), desc="writing", unit=" files", disable=not _watched(), leave=False) as bar:
        paths = write_class(
            lambda name: make(seed=seed_of(name, arguments.seed), learner=name),
            names,
            folder,
            arguments.key,
            bar.update,
        )
    print(f"wrote     {len(paths)} exercises in {folder}")
    return 0


def _grade_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", metavar="SUBMISSION", type=Path, nargs="+", help="an exercise that was handed in, or a folder of them"
    )
    parser.add_argument(
        "-o", "--output", metavar="GRADES", type=Path, help="write the grades as .xlsx, or as .csv for a platform"
    )
    parser.add_argument(
        "--engine", choices=("ironcalc", "libreoffice"), default="ironcalc",
        help="what recalculates them (default: %(default)s)",
    )  # fmt: skip


def _grade(arguments: argparse.Namespace) -> int:
    """Grade submissions; print a line each and a summary."""
    from tqdm import tqdm

    from sheetgen.lessons.gradebook import check_place, summary_lines, write_gradebook
    from sheetgen.lessons.submissions import find_submissions, grade_all

    paths = find_submissions(arguments.files, arguments.output)
    if arguments.output is not None:
        check_place(arguments.output)
    with tqdm(total=len(paths), desc="grading", unit=" files", disable=not _watched(), leave=False) as bar:
        graded = grade_all(paths, arguments.engine, bar.update)
    print(*summary_lines(graded), sep="\n")
    if arguments.output is not None:
        write_gradebook(arguments.output, graded)
        print(f"wrote     {arguments.output}")
    return 1 if all(one.trouble for one in graded) else 0


def _handout_options(parser: argparse.ArgumentParser) -> None:
    _spec_argument(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, default=Path("handout.html"),
        help="ends in .html, .tex or .md (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--blank", action="store_true", help="lines to write on in place of the results")
    parser.add_argument("--rate", metavar="R", type=_rate, help="the learning rate (default: the spec's best)")


def _handout(arguments: argparse.Namespace) -> int:
    """Write a network on paper; print the path."""
    from sheetgen.handout.files import check_place, write_handout
    from sheetgen.lessons.exercise import one_run
    from sheetgen.spec import DEFAULT_TEMPLATE, load, override

    check_place(arguments.output)
    spec = load(DEFAULT_TEMPLATE if arguments.spec is None else arguments.spec)
    if arguments.rate is not None:
        spec = override(spec, [arguments.rate], None)
    size = write_handout(one_run(spec), arguments.output, blank=arguments.blank)
    print(f"wrote     {arguments.output} ({size:,} bytes)")
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
    "check": _Command(_check, _check_options, "judge workbooks, anybody's, and name the first wrong cell"),
    "exercise": _Command(
        _exercise, _exercise_options, "write a workbook with blanks, or planted mistakes, that judges itself"
    ),
    "grade": _Command(_grade, _grade_options, "grade exercises that were handed in, and say why"),
    "handout": _Command(
        _handout, _handout_options, "write a network and its derivation on paper, to print or to fill in"
    ),
    "templates": _Command(_templates, _templates_options, "list the specs that come with it, or print one"),
}
