"""The errors a user can cause (anything else is a bug and keeps its traceback), and Excel's, which are values."""

from __future__ import annotations

import io
import os
import signal
import sys
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer, current_thread, main_thread
from typing import Any

__all__ = ["ERRORS", "VERSION", "CheckError", "ExcelError", "OutputError", "SheetgenError", "SpecError", "run_command"]

VERSION = "0.2.0"
"""This program's version, which setup.cfg reads here; errors about workbooks of older ones name it."""
MOST_SAID = 2_000
"""Characters of a line; what a damaged file has in it may be long."""
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")


class SheetgenError(Exception):
    """An error a user can cause; str() is the one line shown: where, what was found, what is allowed, what next."""


class SpecError(SheetgenError):
    """The spec, or an option that overrides it, cannot be built."""


class OutputError(SheetgenError):
    """The output file cannot be written."""


class CheckError(SheetgenError):
    """A workbook cannot be checked: it is no workbook, is damaged, or has no training table."""


def run_command(program: str, parse: Callable[[], Any]) -> int:
    """A command's exit code: 0 (or what it returns), or 1 with one line on stderr; 130 or so if a signal ends it.

    `parse` gives the arguments: `run`, the command, which is given them, and `kept`, which says what an interrupt
    leaves. A reader that has seen enough of the output (head, a pager) ends the command with 1 and no line.
    """
    code, said, kept = 1, "", "no file was changed."
    had_output = _hold_streams()
    with _heeding_signals():
        try:
            try:
                arguments = parse()
            finally:
                sys.stdout.flush()
            kept = arguments.kept
            done = arguments.run(arguments) or 0
            sys.stdout.flush()
            if had_output:
                code = done
            else:
                said = "standard output is closed; what belongs there is lost. Redirect it, perhaps to a file."
        except SheetgenError as error:
            said = str(error)
        except KeyboardInterrupt as stop:
            code = 128 + (stop.args[0] if stop.args else signal.SIGINT)
            said = f"{f'ended by {signal.Signals(code - 128).name}' if stop.args else 'interrupted'}; {kept}"
        except BrokenPipeError:
            pass
        except MemoryError:
            said = "there is not enough memory for this; ask for less, such as fewer --steps, or close other programs."
        except OSError as error:
            place = f"{error.filename}" if error.filename else "the output cannot be written"
            said = f"{place}: {error.strerror or error}; choose another place, or free some space or permission."
        finally:
            with suppress(OSError):
                if said:
                    print(f"{program}:", " ".join(said.split())[:MOST_SAID], file=sys.stderr, flush=True)
            _drop_what_is_left()
    return code


def _hold_streams() -> bool:
    """Make sure that there are standard streams and that they take every character; whether there was an output.

    Where one is closed, a file that the command opens would take its place, and with it what others print there.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(free)
    had_output = getattr(sys, "stdout", None) is not None
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            # A path or title that the terminal cannot show is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    return had_output


def _drop_what_is_left() -> None:
    """Send to nowhere what a stream that cannot be written still holds, or Python's last flush would complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _heeding_signals() -> Iterator[None]:
    """What asks a process to end is an interrupt: whatever cleans up after Ctrl-C does so then too.

    Python drops what is raised in a destructor and prints it. An interrupt that lands there is raised once more
    outside, and what an interrupt left half made has nothing to say.
    """
    interrupted = False

    def stop(number: int, _: object) -> None:
        nonlocal interrupted
        interrupted = True
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        # Cleaning up is not interrupted in its turn.
        for one in heeded.keys() - {signal.SIGINT}:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if isinstance(what.exc_value, KeyboardInterrupt):
            number = what.exc_value.args[0] if what.exc_value.args else signal.SIGINT
            signal.signal(number, stop)
            again = Timer(0.01, interrupt_main, (number,))
            again.daemon = True
            again.start()
        elif not interrupted:
            hook(what)

    asking = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heeded = {one: signal.getsignal(one) for one in asking}
    heeded = {one: way for one, way in heeded.items() if way in (signal.SIG_DFL, signal.default_int_handler)}
    if current_thread() is not main_thread():
        heeded = {}  # Python lets the main thread alone say what a signal does
    for one in heeded:
        signal.signal(one, stop)
    hook, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for one, way in heeded.items():
            signal.signal(one, way)


class ExcelError(str):
    """An error as the value of a cell, one of ERRORS; ValueError for any other text."""

    __slots__ = ()

    def __new__(cls, name: str) -> ExcelError:
        if name not in ERRORS:
            raise ValueError(f"{name!r} is no error value of Excel; these are: {', '.join(ERRORS)}")
        return super().__new__(cls, name)
