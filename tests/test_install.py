"""A plain install into a clean environment works from any folder, with the templates inside."""

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from sheetgen.spec import template_names

CHECKOUT = Path(__file__).parent.parent


def run(command: Sequence[str | Path], folder: Path) -> str:
    """The command's stdout; it must succeed. Nothing in the environment points at the checkout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts' folder of a new environment that has a plain install of a copy of the checkout.

    setuptools and what sheetgen depends on come from the running environment (the latter by a .pth file): that is
    fast, and needs no network. The checkout is copied because a build leaves files in it, and the copy is removed
    so that nothing but the install can be found.
    """
    folder = tmp_path_factory.mktemp("install")
    source = folder / "source"
    for name in ("sheetgen", "templates", "cnn"):
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in CHECKOUT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    target = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)], folder)
    (wheel,) = folder.glob("*.whl")
    run([*pip, "--python", str(folder / "venv"), "install", "--quiet", "--no-deps", str(wheel)], folder)
    # A .pth file adds the folder alone; --system-site-packages would also follow the editable install in it.
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    shutil.rmtree(source)
    return Path(sysconfig.get_path("scripts", vars={"base": str(folder / "venv")}))


def test_the_command_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """The templates are inside the package, which is the installed one."""
    listed = run([installed / "sheetgen", "templates"], tmp_path)
    assert [line.split()[0] for line in listed.splitlines()] == list(template_names())
    where = run([installed / "python", "-c", "import sheetgen; print(sheetgen.__file__)"], tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_the_installed_command_builds_a_workbook(installed: Path, tmp_path: Path) -> None:
    """`sheetgen build` and `python -m sheetgen build` write the same file."""
    run([installed / "sheetgen", "build", "--steps", "2"], tmp_path)
    run([installed / "python", "-m", "sheetgen", "build", "--steps", "2", "-o", "again.xlsx"], tmp_path)
    first, second = (tmp_path / name for name in ("backprop.xlsx", "again.xlsx"))
    assert first.read_bytes() == second.read_bytes()


def test_every_package_folder_is_installed() -> None:
    """The list of packages in setup.cfg names each folder that is one."""
    config = configparser.ConfigParser()
    config.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(CHECKOUT).parts)
        for name in ("sheetgen", "cnn")
        for path in (CHECKOUT / name).rglob("__init__.py")
    }
    assert listed == found | {"sheetgen.templates"}
