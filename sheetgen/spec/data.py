"""The samples of a TOML document: typed there, or columns of a CSV file that lies beside it."""

import csv
import math
import random
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sheetgen.spec import catalog
from sheetgen.spec.advice import nearest
from sheetgen.spec.fields import Place, choice, count, items, matrix, number, show, table, text
from sheetgen.spec.kinds import read_shape
from sheetgen.spec.structure import Matrix, Shape

__all__ = ["Data", "read_data"]

MAX_BYTES = 8 << 20
MAX_NAME, MAX_CLASSES = 40, 50


@dataclass(frozen=True)
class Data:
    """Inputs and targets of the samples to train with and of those to test with; what scales the inputs, names, and
    the shape of a sample's inputs, () for a plain row."""

    inputs: Matrix
    targets: Matrix
    names: tuple[str, ...]
    scale: str
    test_inputs: Matrix
    test_targets: Matrix
    shape: Shape = ()


def read_data(place: Place, value: object, folders: Sequence[Path], seed: int) -> Data:
    """The table [data]; a file is looked for in the folders, and there is none for a spec inside a workbook."""
    keys = ("targets", "file", "classes", "scale", "test", "names", "test_inputs", "test_targets", "shape")
    by_class = isinstance(value, Mapping) and "classes" in value
    data = table(place, value, ("inputs",) if by_class else ("inputs", "targets"), keys)
    scale = choice(place / "scale", data["scale"], catalog.SCALES) if "scale" in data else ""
    found = _of_file(place, data, folders, scale) if "file" in data else _typed(place, data, scale)
    if "test" in data:
        found = _split(place / "test", data["test"], found, seed)
    _check_scale(place / "scale", found)
    if "shape" in data:
        found = replace(found, shape=read_shape(place / "shape", data["shape"], len(found.inputs[0])))
    return found


def _typed(place: Place, data: Mapping[str, object], scale: str) -> Data:
    """Samples that stand in the document."""
    if "classes" in data:
        rule = "it names a column of a file, and there is no data.file"
        raise (place / "classes").refuse(f"is {show(data['classes'])}", rule, "Add file, or write targets.")
    inputs = matrix(place / "inputs", data["inputs"], (None, None), ("sample", "input"))
    targets = matrix(place / "targets", data["targets"], (len(inputs), None), ("sample, as in data.inputs", "output"))
    names: tuple[str, ...] = ()
    if "names" in data:
        listed = items(place / "names", data["names"], "names")
        names = tuple(text(place / "names" / at, one, MAX_NAME) for at, one in enumerate(listed))
        if len(names) != len(inputs[0]) + len(targets[0]):
            rule = f"{len(inputs[0]) + len(targets[0])} are expected, one per input and target"
            raise (place / "names").refuse(f"has {count(len(names), 'name')}", rule, "Add or remove names.")
    if "test_inputs" not in data and "test_targets" not in data:
        return Data(inputs, targets, names, scale, (), ())
    table(place, {key: 0 for key in data if key[:5] == "test_"}, ("test_inputs", "test_targets"))
    per = ("sample", "input, as in data.inputs")
    test_inputs = matrix(place / "test_inputs", data["test_inputs"], (None, len(inputs[0])), per)
    shape = (len(test_inputs), len(targets[0]))
    per = ("sample, as in data.test_inputs", "output")
    test_targets = matrix(place / "test_targets", data["test_targets"], shape, per)
    return Data(inputs, targets, names, scale, test_inputs, test_targets)


def _of_file(place: Place, data: Mapping[str, object], folders: Sequence[Path], scale: str) -> Data:
    """Columns of a file."""
    for key in ("names", "test_inputs", "test_targets"):
        if key in data:
            raise (place / key).refuse("stands beside file", "the file has names and numbers", "Remove it.")
    if "classes" in data and "targets" in data:
        raise (place / "classes").refuse("stands beside targets", "only one of them is allowed", "Keep one.")
    name = text(place / "file", data["file"], 200)
    head, rows = _read(place / "file", name, folders)
    wanted = _columns(place / "inputs", data["inputs"], head)
    inputs = _numbers(place, name, rows, wanted)
    if "classes" in data:
        [column] = _columns(place / "classes", [data["classes"]], head)
        labels = [row[column[1]].strip() for _, row in rows]
        classes = sorted({*labels})
        if not 2 <= len(classes) <= MAX_CLASSES:
            found = f"names a column of {count(len(classes), 'different value')}"
            raise (place / "classes").refuse(found, f"2 to {MAX_CLASSES} are expected", "For numbers write targets.")
        targets = tuple(tuple(float(label == one) for one in classes) for label in labels)
        named = [text(place / "classes", one, MAX_NAME) for one in classes]
    else:
        outputs = _columns(place / "targets", data["targets"], head)
        targets, named = _numbers(place, name, rows, outputs), [one for one, _ in outputs]
    return Data(inputs, targets, (*(one for one, _ in wanted), *named), scale, (), ())


def _read(place: Place, name: str, folders: Sequence[Path]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The head of a file and its rows, each with the number of its line."""
    if not folders:
        rule = "a spec inside a workbook, or without a folder of its own, has its data in it"
        raise place.refuse(f"is {show(name)}", rule, "Write the numbers as inputs and targets.")
    if name != Path(name).name or "\\" in name or name in (".", ".."):
        raise place.refuse(f"is {show(name)}", "the name of a file beside the spec is expected", "Move the file there.")
    path = next((folder / name for folder in folders if (folder / name).exists()), folders[0] / name)
    try:
        known = path.stat()
        ordinary = stat.S_ISREG(known.st_mode)
        if not ordinary or known.st_size > MAX_BYTES:
            found = f"has {known.st_size} bytes" if ordinary else f"is {show(name)}, which is no ordinary file"
            raise place.refuse(found, f"an ordinary file of at most {MAX_BYTES} bytes is expected", "Take another.")
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        found = f"is not UTF-8 at byte {error.start}"
        raise place.refuse(found, "a CSV file in UTF-8 is expected", "Save it so.") from None
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        found = f"is {show(name)}, which cannot be read ({problem})"
        raise place.refuse(found, "a CSV file beside the spec is expected", "Check the name.") from None
    reader = csv.reader(lines, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row and any(cell.strip() for cell in row)]
    except csv.Error as error:
        rule = "a CSV file with commas is expected"
        raise place.refuse(f"cannot be read in line {reader.line_num} ({error})", rule, "Save it again.") from None
    if len(rows) < 2 or len(rows) > catalog.MAX_SAMPLES:
        rule = f"a line of names and 1 to {catalog.MAX_SAMPLES} lines of samples are expected"
        raise place.refuse(f"has {count(len(rows), 'line')}", rule, "Take another file.")
    head = [cell.strip() for cell in rows[0][1]]
    for line, row in rows:
        if len(row) != len(head):
            rule = f"as many as names, {len(head)}, are expected, with commas between them"
            raise place.refuse(f"has {count(len(row), 'value')} in line {line}", rule, "Correct the file.")
    return head, rows[1:]


def _columns(place: Place, value: object, head: list[str]) -> list[tuple[str, int]]:
    """The names of columns, each with its place in the file."""
    found: list[tuple[str, int]] = []
    for at, one in enumerate(items(place, value, "names of columns")):
        if not isinstance(one, str) or head.count(one) != 1 or any(one == name for name, _ in found):
            known = one in head if isinstance(one, str) else False
            said = "is not the name of one column" if not known else "is the name of two columns or stands here twice"
            shown = ", ".join(head[:12]) + (", …" if len(head) > 12 else "")
            then = nearest(one, head) if isinstance(one, str) and not known else ""
            raise (place / at).refuse(f"is {show(one)}, which {said}", f"choose from: {shown}", then or "Correct it.")
        found.append((text(place / at, one, MAX_NAME), head.index(one)))
    return found


def _numbers(place: Place, name: str, rows: list[tuple[int, list[str]]], columns: list[tuple[str, int]]) -> Matrix:
    """The numbers of columns, a row a sample."""
    return tuple(
        tuple(_number(place / "file", f"{name}, line {line}, column {title}:", row[at]) for title, at in columns)
        for line, row in rows
    )


def _number(place: Place, where: str, cell: str) -> float:
    written = cell.strip()
    real = float(written) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", written, re.ASCII) else math.nan
    if not math.isfinite(real):
        raise place.refuse(f"({where}) is {show(written)}", "a number with a decimal point is expected", "Correct it.")
    return real


def _split(place: Place, value: object, data: Data, seed: int) -> Data:
    """The samples of which a part, drawn by the seed, is kept for the test; both parts keep their order."""
    if data.test_inputs:
        raise place.refuse("stands beside test_inputs", "only one of them is allowed", "Keep one.")
    share = number(place, value, catalog.SHARE, "Try 0.2.")
    samples = len(data.inputs)
    size = math.ceil(round(share * samples, 9))
    if not 0 < size < samples:
        rule = "at least one must be left on each side"
        raise place.refuse(f"is {share!r}, which is {size} of {count(samples, 'sample')}", rule, "Change it.")
    draw = random.Random(f"sheetgen test {seed}")
    numbers = list(range(samples))
    for place_ in range(size):
        other = place_ + int(draw.random() * (samples - place_))
        numbers[place_], numbers[other] = numbers[other], numbers[place_]
    kept = {*numbers[:size]}
    parts = [
        tuple(row for at, row in enumerate(rows) if (at in kept) is tested)
        for tested in (False, True)
        for rows in (data.inputs, data.targets)
    ]
    return Data(parts[0], parts[1], data.names, data.scale, parts[2], parts[3])


def _check_scale(place: Place, data: Data) -> None:
    """Refuse an input that is the same in all samples to train with: it has no spread to be scaled by."""
    for at, column in enumerate(zip(*data.inputs, strict=True) if data.scale else ()):
        if len({*column}) == 1:
            name = data.names[at] if data.names else f"input {at + 1}"
            rule = f"{name} is {column[0]!r} in every sample to train with, and has no spread to be scaled by"
            raise place.refuse(f"is {data.scale!r}", rule, "Leave that input out.")
