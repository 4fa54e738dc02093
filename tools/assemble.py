"""Put the page together that builds and checks workbooks in a browser: `python tools/assemble.py output/page`.

Everything is in the one folder: the page's few sources, Pyodide from the npm registry, and an archive of this project
and of what it needs, in the versions that are installed here, compiled by that Pyodide. Any server of files can serve
it. This project's wheel lies beside them, for those who have a Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sheetgen.spec import load, template_names, template_text

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "sheetgen" / "page"
PAGES = ("index.html", "page.css", "page.js", "worker.js", "offline.js")

PYODIDE = "314.0.7"
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
# Of what the project needs, all but the engine, which is no Python.
NEEDED = ("et_xmlfile", "mpmath", "openpyxl", "sympy", "tqdm")
MODULES = "modules.zip"
# For Node.js: what is given as Python, run by the Pyodide and in the folder that are given.
PYTHON = """
const [, runtime, folder, program] = process.argv;
const python = await (await import(`${runtime}/pyodide.mjs`)).loadPyodide();
python.mountNodeFS("/folder", folder);
python.runPython(program);
"""


def run(command: Sequence[str | Path], folder: Path | None = None) -> str:
    """The command's output; SystemExit with its last line if it fails or is not there."""
    # so that a wheel of the same files has the same bytes
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "946684800"}
    try:
        return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise SystemExit(
            f"page: there is no command {command[0]}; install it, such as: apt install {command[0]}"
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise SystemExit(f"page: {' '.join(map(str, command[:4]))} … failed: {' '.join(said)}") from None


def own_wheel(folder: Path, scratch: Path) -> Path:
    """This project's wheel, built from a copy, because a build leaves files and takes what an earlier one left."""
    source = scratch / "source"
    for name in ("sheetgen", "templates", "cnn"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source])
    [wheel] = folder.glob("sheetgen*.whl")
    return wheel


def compiled(folder: Path, scratch: Path) -> None:
    """Compile the wheels in scratch into folder/modules.zip, and the standard library in its place."""
    library = folder / "pyodide" / "python_stdlib.zip"
    shutil.copy(library, scratch)
    wheels = [f"/folder/{path.name}" for path in sorted(scratch.glob("*.whl"))]
    program = (ROOT / "tools" / "compiled.py").read_text(encoding="utf-8")
    program += f"\npack({wheels!r}, '/folder/{MODULES}')"
    program += f"\npack(['/folder/{library.name}'], '/folder/library.zip')"
    run(["node", "--input-type=module", "--eval", PYTHON, library.parent.resolve(), scratch, program])
    shutil.copy(scratch / MODULES, folder)
    shutil.copy(scratch / "library.zip", library)


def assemble(folder: Path) -> dict[str, int]:
    """Fill the folder, which must be new or an earlier page; the size of each file that the page loads."""
    if folder.exists() and not (folder / "files.json").is_file() and any(folder.iterdir()):
        raise SystemExit(f"page: {folder} has something else in it; name another folder, or remove it")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    (folder / "pyodide").mkdir()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        own = own_wheel(folder / "wheels", scratch)
        wanted = [f"{one}=={version(one)}" for one in NEEDED]
        run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--python-version=3.14", "--platform=any", "--dest", scratch, *wanted])  # fmt: skip
        shutil.copy(own, scratch)
        said = run(["npm", "pack", "--silent", "--pack-destination", scratch, f"pyodide@{PYODIDE}"], scratch)
        with tarfile.open(scratch / said.split()[-1]) as archive:
            for one in RUNTIME:
                content = archive.extractfile(f"package/{one}")
                assert content is not None
                (folder / "pyodide" / one).write_bytes(content.read())
        compiled(folder, scratch)
    loaded = sorted([folder / MODULES, *(folder / "pyodide").iterdir()])
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in loaded}
    templates = [{"name": one, "title": load(one).title, "text": template_text(one)} for one in template_names()]
    listed = {
        "files": sizes, "templates": templates,
        "pages": ["./", "files.json", *(one for one in PAGES if one != "offline.js")],
    }  # fmt: skip
    (folder / "files.json").write_text(json.dumps(listed), encoding="utf-8")
    for one in PAGES:
        shutil.copy(SOURCES / one, folder)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    offline = folder / "offline.js"
    offline.write_text(
        offline.read_text(encoding="utf-8").replace("VERSION", digest.hexdigest()[:16]), encoding="utf-8"
    )
    return sizes


def main(argv: Sequence[str] | None = None) -> int:
    """Assemble it; print where it is, how much the browser loads, and how to serve it."""
    parser = argparse.ArgumentParser(description="Put the page together that builds workbooks in a browser.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    sizes = assemble(folder)
    print(f"wrote     {folder}: the browser loads {sum(sizes.values()) / 1e6:.1f} MB once")
    print(f"serve it  python -m http.server -d {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
