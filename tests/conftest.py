"""The engines that tests compare with: skipped with a reason where one is missing, required on CI."""

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def soffice() -> Path:
    """LibreOffice's command."""
    return _tool(shutil.which("soffice"), "LibreOffice is not installed: there is no command soffice")


@pytest.fixture(scope="session")
def ooxml_validator() -> Path:
    """The Open XML SDK's validator: the file that OOXML_VALIDATOR names, or the command ooxml-validator."""
    named = os.environ.get("OOXML_VALIDATOR")
    found = shutil.which(named or "ooxml-validator")
    return _tool(found, f"OOXML_VALIDATOR is {named!r}, and not the path of the Open XML SDK's validator")


def _tool(found: str | None, missing: str) -> Path:
    if found is not None:
        return Path(found)
    if os.environ.get("SHEETGEN_REQUIRE_ENGINES") == "1":
        pytest.fail(f"{missing}; SHEETGEN_REQUIRE_ENGINES=1 asks for every engine")
    pytest.skip(missing)
