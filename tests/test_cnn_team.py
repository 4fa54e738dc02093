"""Who trains together, and on what."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

import torch

from cnn.team import Team, device_name

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_shares_cover_every_place_once(size: int) -> None:
    """In order, and their lengths differ by one at most; also when there are fewer places than processes."""
    for places in (slice(0, 0), slice(3, 5), slice(128, 256), slice(59_904, 60_000)):
        shares = [Team(CPU, rank, size).share(places) for rank in range(size)]
        assert [place for share in shares for place in range(share.start, share.stop)] == list(
            range(*places.indices(60_000))
        )
        lengths = [share.stop - share.start for share in shares]
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(("text", "name"), [("vendor_id\t: x\nmodel name\t: A Processor\n", "A Processor"), ("", None)])
def test_a_processor_has_a_name(monkeypatch: pytest.MonkeyPatch, text: str, name: str | None) -> None:
    """What Linux tells, or what Python knows; with the number of threads."""
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    assert device_name(Team(CPU)) == f"{name or 'riscv64'}, 1 thread"
    monkeypatch.setattr("torch.get_num_threads", lambda: 8)
    assert device_name(Team(CPU, size=2)).endswith(", 2 processes, 8 threads")
