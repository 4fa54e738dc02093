"""Archives of Python files as one archive of compiled ones. Runs in the page's own Python, whose bytecode they are.

If Python compiles what it imports, the page's start costs 20.1 s of the processor, else 5.6 s (Node.js 20, AMD EPYC).
"""

from __future__ import annotations

import marshal
import zipfile
from collections.abc import Sequence
from importlib.util import MAGIC_NUMBER, source_hash

__all__ = ["UNUSED", "pack"]

# Nothing here imports these, and neither does what is imported; the tests build every template without them.
UNUSED = (
    "test/", "idlelib/", "_pyrepl/", "pydoc_data/", "wsgiref/", "xmlrpc/", "tqdm/contrib/",
    *(f"sympy/{name}/" for name in (
        "benchmarks", "categories", "crypto", "diffgeom", "holonomic", "liealgebras", "parsing/autolev", "physics",
        "sandbox", "stats", "unify",
    )),
)  # fmt: skip
UNCHECKED = (1).to_bytes(4, "little")
"""The flags of a .pyc that is taken as it is, without a look at its source (PEP 552)."""


def pack(archives: Sequence[str], packed: str) -> None:
    """Write the archive `packed` of what is in all `archives`, but for tests and what is unused; the same each time."""
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for archive in archives:
            with zipfile.ZipFile(archive) as source:
                for name in source.namelist():
                    if name.endswith("/") or "/tests/" in name or name.startswith(UNUSED):
                        continue
                    content = source.read(name)
                    if name.endswith(".py"):
                        code = compile(content, name, "exec", dont_inherit=True, optimize=2)
                        content = MAGIC_NUMBER + UNCHECKED + source_hash(content) + marshal.dumps(code)
                        name += "c"
                    target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
