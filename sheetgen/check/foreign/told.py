"""What is said of a stranger's workbook, for people and programs: its tables, what they train, what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheetgen.check.foreign.book import Place
from sheetgen.check.foreign.network import LOSSES, Network
from sheetgen.check.foreign.tables import Table

__all__ = ["SHOWN", "Finding", "Foreign", "TableReport", "cut", "loss_words"]

SHOWN = 160
"""Characters of a formula in a line."""


@dataclass(frozen=True)
class Finding:
    """One kind of mistake in one column: its first cell, the rows it is in, what stands and what belongs there, why."""

    cell: str
    column: str
    rows: tuple[int, int]
    count: int
    found: str
    expected: str
    value: float | None
    should_be: float | None
    why: str
    pattern: tuple[object, ...] = ()
    places: tuple[Place, ...] = ()

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "cell": self.cell, "column": self.column, "rows": list(self.rows), "found": self.found,
            "expected": self.expected, "value": self.value, "should_be": self.should_be, "why": self.why,
        }  # fmt: skip


@dataclass(frozen=True)
class TableReport:
    """A table's place, the network and rate it trains with, and the findings.

    `loss`: the last, as stored and right, and after how many updates.
    """

    table: Table
    network: Network | None
    rate: float | None
    rate_cell: str
    starts: tuple[tuple[str, float], ...]
    findings: tuple[Finding, ...]
    columns: int
    compared: int
    loss: tuple[float, float, int] | None = None
    trouble: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every cell is right, and some were compared."""
        return not self.findings and not self.trouble and self.compared > 0

    def lines(self, file: str) -> Iterator[str]:
        """For people."""
        table = self.table
        where = f"{file}   {table.tab}   rows {table.first_row} to {table.last_row}"
        if self.network is None:
            yield f"{where}: {self.trouble}"
            return
        yield f"{where}: {self.described()}"
        if table.repeated:
            rows = f"row {table.last_row + 1} repeats" if table.repeated == 1 else f"{table.repeated} rows repeat"
            yield f"note    {rows} row {table.last_row}; not judged"
        for note in self.notes:
            yield f"note    {note}"
        yield f"starts  {', '.join(f'{name} {value:.9g}' for name, value in self.starts)}"
        for at, finding in enumerate(self.findings):
            rows = f"{finding.count} row{'s' if finding.count > 1 else ''}"
            same = at and finding.pattern and finding.pattern == self.findings[at - 1].pattern
            head = f"wrong   {finding.cell} {finding.column}, {rows}:"
            if same:
                yield f"{head} the same; {cut(finding.expected)} belongs there"
                continue
            yield f"{head} {cut(finding.found)}" if finding.found else head
            values = ""
            if finding.value is not None and finding.should_be is not None:
                values = f"; {finding.value:.6g} instead of {finding.should_be:.6g}"
                if math.isclose(finding.value, finding.should_be, rel_tol=1e-12):
                    values = "; the numbers of this row do not show it"
                elif f"{finding.value:.6g}" == f"{finding.should_be:.6g}":
                    values = f"; {finding.value:.12g} instead of {finding.should_be:.12g}"
            belongs = f": {cut(finding.expected)}" if finding.expected else ""
            yield f"        {finding.why}{belongs}{values}"
        if self.trouble:
            yield f"unclear {self.trouble}"
        loss = ""
        if self.loss is not None:
            stored, right, updates = self.loss
            digits = 9 if f"{stored:.9g}" != f"{right:.9g}" or stored == right else 15
            loss = f"; the loss after {updates} update{'s' if updates != 1 else ''} is {stored:.{digits}g}"
            if self.findings and not math.isclose(stored, right, rel_tol=1e-12):
                loss += f" instead of {right:.{digits}g}"
        right = max(0, self.columns - self._wrong_columns())
        yield f"right   {right} of {self.columns} columns, {self.compared:,} cells compared{loss}"

    def _wrong_columns(self) -> int:
        """How many of `columns` are wrong; inputs and targets are none of them, and a helper column makes one so."""
        network = self.network
        assert network is not None
        counted = {*network.equations, *(() if self.trouble else network.weights)}
        others = {column for name, column in self.table.columns.items() if name not in counted}
        return len({column for finding in self.findings for _, column in finding.places} - others)

    def described(self) -> str:
        """The network, its conventions and its rate."""
        network = self.network
        assert network is not None
        size = "-".join(map(str, network.units))
        names = list(dict.fromkeys(network.activations))
        parts = [f"a {size} network", " and ".join(names) if len(names) < 3 else ", ".join(network.activations)]
        parts.append(loss_words(network, network.loss, network.factor))
        if any(network.biases):
            parts.append("with biases")
        if network.samples > 1:
            parts.append(f"{network.samples} samples a row")
        if any(network.by_input):
            parts.append("weights numbered by input")
        if network.gradient_factor < 0:
            parts.append("gradients the other way round, and added")
        if network.output_first:
            parts.append("the output's weights updated first")
        if self.trouble:
            parts.append("another optimizer")
        elif self.rate is None:
            parts.append("no rate found")
        else:
            parts.append(f"rate {self.rate:.9g}" + (f" ({self.rate_cell})" if self.rate_cell else ""))
        return ", ".join(parts)

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        table, network = self.table, self.network
        found: dict[str, Any] = {
            "sheet": table.tab, "header_row": table.header_row,
            "first_row": table.first_row, "last_row": table.last_row,
            "network": list(network.units) if network else [], "rate": self.rate, "rate_cell": self.rate_cell,
            "verdict": "right" if self.ok else "wrong", "compared": self.compared,
            "findings": [one.json() for one in self.findings],
        }  # fmt: skip
        if network is not None:
            found |= {
                "activations": list(network.activations), "loss": network.loss, "factor": network.factor,
                "output_first": network.output_first, "starts": dict(self.starts),
            }  # fmt: skip
        if self.notes:
            found["note"] = "; ".join(self.notes)
        if self.trouble:
            found["trouble"] = self.trouble
        return found


@dataclass(frozen=True)
class Foreign:
    """What was found in a workbook that another hand made."""

    path: Path
    tables: tuple[TableReport, ...]
    note: str = ""
    beside: str = ""

    told = True
    """Whether `lines()` name the first wrong cell."""

    @property
    def ok(self) -> bool:
        """Whether every table is right."""
        return all(table.ok for table in self.tables)

    @property
    def failure(self) -> str:
        """One line about the first wrong cell; "" if there is none."""
        for table in self.tables:
            for one in table.findings:
                return f"{self.path}: {table.table.tab}!{one.cell} ({one.column}): {one.why}"
            if not table.ok:
                return f"{self.path}: {table.table.tab}: {table.trouble or 'nothing was compared'}"
        return ""

    def lines(self) -> list[str]:
        """For people."""
        lines = [line for table in self.tables for line in table.lines(self.path.name)]
        return [*lines, *filter(None, [self.note, self.beside])]

    def line(self) -> str:
        """All in a line, for many files."""
        tables = f"{len(self.tables)} table{'s' if len(self.tables) > 1 else ''}"
        findings = sum(len(one.findings) for one in self.tables)
        if self.ok:
            return f"right   {self.path}   {tables}, {sum(one.compared for one in self.tables):,} cells"
        more = f" ({findings} findings)" if findings > 1 else ""
        return f"wrong   {self.path}   {self.failure.removeprefix(f'{self.path}: ')}{more}"

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "file": str(self.path), "written_by_sheetgen": False, "ok": self.ok,
            "tables": [table.json() for table in self.tables], "note": self.note,
        }  # fmt: skip


def loss_words(network: Network, loss: str, factor: float) -> str:
    """What a loss is called that is so many times the one of this name."""
    outputs, samples = network.units[-1], network.samples
    words = LOSSES[loss].text
    if loss == "squared_error" and factor == 1 / (outputs * samples) != 1:
        return "mean squared error"
    if loss == "half_squared_error" and factor == 2:
        return LOSSES["squared_error"].text
    if factor == 1:
        return words
    over = {1 / (outputs * samples): "outputs and samples", 1 / samples: "samples", 1 / outputs: "outputs"}.get(factor)
    return f"the mean of {words} over {over}" if over else f"{factor:g} times {words}"


def cut(text: str) -> str:
    """The text as long as a line shows it."""
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
