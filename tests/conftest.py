"""The engines that tests compare with: skipped with a reason where one is missing, required on CI."""

import importlib
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session", autouse=True)
def _heed_interrupts() -> None:
    """A shell's background job, which a CI run may be, starts with SIGINT ignored, and its children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def soffice() -> Path:
    """LibreOffice's command."""
    return tool(shutil.which("soffice"), "LibreOffice is not installed: there is no command soffice")


@pytest.fixture(scope="session")
def ssconvert() -> Path:
    """Gnumeric's converter."""
    return tool(shutil.which("ssconvert"), "Gnumeric is not installed: there is no command ssconvert")


@pytest.fixture(scope="session")
def ooxml_validator() -> Path:
    """The Open XML SDK's validator: the file that OOXML_VALIDATOR names, or the command ooxml-validator."""
    named = os.environ.get("OOXML_VALIDATOR")
    found = shutil.which(named or "ooxml-validator")
    return tool(found, f"OOXML_VALIDATOR is {named!r}, and not the path of the Open XML SDK's validator")


def tool(found: str | None, missing: str) -> Path:
    """The path of what was found; where nothing was, the test is skipped, or fails if every engine is asked for."""
    if found is not None:
        return Path(found)
    if os.environ.get("SHEETGEN_REQUIRE_ENGINES") == "1":
        pytest.fail(f"{missing}; SHEETGEN_REQUIRE_ENGINES=1 asks for every engine")
    pytest.skip(missing)


@pytest.fixture
def mnist_root() -> Path:
    """The folder that has the real MNIST files."""
    named = os.environ.get("MNIST_ROOT")
    if not named:
        pytest.skip("the environment variable MNIST_ROOT names no folder that has MNIST")
    return Path(named)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch, on one thread: with tensors this small, several only wait for each other."""
    found = importlib.util.find_spec("torch")
    tool(found.origin if found else None, "PyTorch is not installed; run: pip install 'sheetgen-backprop[cnn]'")
    module = importlib.import_module("torch")
    module.set_num_threads(1)
    return module


GRIDS = {
    "combinations": "combinations of activation, loss, bias, batch, updates and optimizer",
    "stacks": "cases of a stack of layers, activation, loss and batch",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How large the grids were that agreed with PyTorch and IronCalc."""
    passed = terminalreporter.stats.get("passed", ())
    for counted, what in GRIDS.items():
        size = sum(value for report in passed for name, value in report.user_properties if name == counted)
        if size:
            terminalreporter.write_line(f"grid: {size:,} {what} agree with PyTorch and IronCalc")
