"""Each data set is what it says it is; a file that is missing or damaged is named."""

import gzip
import hashlib
import http.server
import math
import socket
import struct
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

import torch
from torchvision.datasets import MNIST

from cnn import data, download
from cnn.data import MNIST_FILES, Data, DataError, load


@pytest.fixture
def linked(mnist_root: Path, tmp_path: Path) -> Path:
    """A folder with links to the real files, of which a test replaces one."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in MNIST_FILES:
        (raw / name).symlink_to((mnist_root / "MNIST" / "raw" / name).resolve())
    return tmp_path / "data"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No MNIST_ROOT, an empty cache, and no server in reach."""
    monkeypatch.delenv("MNIST_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "_resolves", lambda host: False)


def silent(message: str) -> None:
    """A warning that must not be given."""
    pytest.fail(message)


@pytest.fixture(scope="module")
def digits() -> Data:
    """scikit-learn's digits."""
    return load("digits", None, silent)


def test_digits_look_like_mnist(digits: Data) -> None:
    """28×28 bytes, ink bright, a margin of 4 on the whole, centre of mass within a pixel of the middle."""
    assert digits.train_images.shape == (1437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    assert digits.train_images.dtype == torch.uint8
    images = torch.cat((digits.train_images, digits.test_images)).double()
    assert images.flatten(1).max(1).values.min() > 200
    ink = images.sum((1, 2))
    places = torch.arange(28.0)
    for axis in (1, 2):
        centre = (images.sum(3 - axis) * places).sum(1) / ink
        assert (centre - 14).abs().max() <= 1.0
    assert 20 < images.mean() < 60


def test_digits_are_split_evenly_and_always_alike(digits: Data) -> None:
    """Each digit has its part of the test set; a second load gives the same."""
    counts = digits.test_labels.bincount()
    assert counts.min() >= 34
    assert counts.max() <= 38
    assert load("digits", None, silent).digest() == digits.digest()
    every = torch.cat((digits.train_images, digits.test_images)).numpy()
    assert len({image.tobytes() for image in every}) == 1797


def test_mnist_is_read_from_the_named_folder(mnist_root: Path) -> None:
    """All of it, as torchvision has it."""
    mnist = load("mnist", mnist_root, silent)
    assert mnist.name == "mnist"
    assert [tuple(tensor.shape) for tensor in mnist.tensors()] == [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.train_images.double().mean().item() / 255 == pytest.approx(0.1307, abs=5e-5)


def test_auto_takes_mnist_that_is_there(mnist_root: Path) -> None:
    """Without a warning."""
    assert load("auto", None, silent).name == "mnist"


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_truncated_file_is_named(linked: Path, name: str) -> None:
    """Also for auto: damage is never a reason to train on something else."""
    path = linked / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    content = path.read_bytes()[:-1]
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte: is damaged or not MNIST's: its 10,007 bytes"):
        load(name, linked, silent)


def test_a_changed_byte_is_noticed(linked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the right length is not enough; here the folder is named by MNIST_ROOT."""
    path = linked / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.unlink()
    path.write_bytes(content)
    monkeypatch.setenv("MNIST_ROOT", str(linked))
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte: is damaged.*delete it and copy or"):
        load("auto", None, silent)


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_named_folder_without_mnist_is_refused(tmp_path: Path, name: str) -> None:
    """Whoever names a folder wants MNIST from it."""
    with pytest.raises(DataError, match=r"--data: there is no folder .*nowhere; it must hold"):
        load(name, tmp_path / "nowhere", silent)
    with pytest.raises(DataError, match=r"there is no file .*train-images-idx3-ubyte; it must hold"):
        load(name, tmp_path, silent)


def test_digits_take_no_folder(tmp_path: Path) -> None:
    """They come with scikit-learn."""
    with pytest.raises(DataError, match="leave --data out"):
        load("digits", tmp_path, silent)


@pytest.mark.usefixtures("offline")
def test_offline_auto_warns_and_takes_digits() -> None:
    """The warning says why, and what is used."""
    warnings: list[str] = []
    assert load("auto", None, warnings.append).name == "digits"
    (warning,) = warnings
    assert "no server is reachable" in warning
    assert "training on scikit-learn's digits instead" in warning


@pytest.mark.usefixtures("offline")
def test_offline_mnist_is_refused(tmp_path: Path) -> None:
    """Digits are not MNIST; and no folder is made for what cannot come."""
    with pytest.raises(DataError, match="no server is reachable; name a folder that has it with --data or MNIST_ROOT"):
        load("mnist", None, silent)
    assert not (tmp_path / "sheetgen").exists()


def test_an_empty_mnist_root_is_like_no_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """auto says so and goes on."""
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    warnings: list[str] = []
    assert load("auto", None, warnings.append).name == "digits"
    assert "MNIST_ROOT: there is no file" in warnings[0]


class Server(http.server.SimpleHTTPRequestHandler):
    """Sends what lies in its folder; breaks off where the address says so, amid the file, or before it."""

    asked: list[str]

    def do_GET(self) -> None:
        """Answer."""
        if "/reset/" in self.path:
            return
        if "/half/" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"half")
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        """Answer as if all were well."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed; what is asked for is kept."""
        if self.command == "GET":
            self.asked.append(self.path)


@pytest.fixture
def mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], list[str]]]:
    """A server that torchvision takes a small MNIST from, as its second mirror; the addresses and what was asked."""
    folder, asked = tmp_path / "server", list[str]()
    (folder / "wrong").mkdir(parents=True)
    sums = []
    for name, numbers in zip(MNIST_FILES, ((3, 28, 28), (3,), (2, 28, 28), (2,)), strict=True):
        header = struct.pack(f">HBB{len(numbers)}I", 0, 8, len(numbers), *numbers)
        content = gzip.compress(header + bytes(math.prod(numbers)), mtime=0)
        (folder / f"{name}.gz").write_bytes(content)
        (folder / "wrong" / f"{name}.gz").write_bytes(content[:-1])
        sums.append((f"{name}.gz", hashlib.md5(content, usedforsecurity=False).hexdigest()))
    handler = partial(type("Sends", (Server,), {"asked": asked}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(MNIST, "mirrors", [f"{address}wrong/", address])
        monkeypatch.setattr(MNIST, "resources", sums)
        yield MNIST.mirrors, asked
        server.shutdown()


def test_a_download_fills_the_cache(mirrors: tuple[list[str], list[str]], tmp_path: Path) -> None:
    """By torchvision, which checks each file and asks the next mirror; nothing else is left in the folder."""
    folder = tmp_path / "cache" / "MNIST" / "raw"
    download.download(folder, MNIST_FILES)
    assert sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()) == sorted(MNIST_FILES)
    assert set(mirrors[1]) == {f"/wrong/{next(iter(MNIST_FILES))}.gz", *(f"/{name}.gz" for name in MNIST_FILES)}
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("place", [[0], [0, 0]], ids=["one mirror", "two"])
def test_a_download_that_fails_is_told(
    place: list[int], mirrors: tuple[list[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that has the address, and no file is left."""
    monkeypatch.setattr(MNIST, "mirrors", [mirrors[0][one] for one in place])
    with pytest.raises(download.DownloadError, match=r"^it cannot be downloaded: .*127.0.0.1.*corrupted[^\n]*$"):
        download.download(tmp_path / "cache", MNIST_FILES)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("trouble", ["wrong", "half", "reset"])
def test_another_mirror_is_asked(
    trouble: str, mirrors: tuple[list[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first sends other bytes, or only some, or breaks off."""
    monkeypatch.setattr(MNIST, "mirrors", [f"{mirrors[0][1]}{trouble}/", mirrors[0][1]])
    download.download(tmp_path / "cache", MNIST_FILES)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(MNIST_FILES)
    monkeypatch.setattr(MNIST, "mirrors", MNIST.mirrors[:1])
    with pytest.raises(download.DownloadError, match=rf"^it cannot be downloaded: http\S+/{trouble}/: \S[^\n]*$"):
        download.download(tmp_path / "other", MNIST_FILES)


def test_a_server_that_is_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing."""
    monkeypatch.setattr(download, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.getsockname()[1]}/"])
        with pytest.raises(download.DownloadError, match="timed out"):
            download.download(tmp_path / "cache", MNIST_FILES)


def test_a_silent_name_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking a name up ends in bounded time even if the system's own look-up does not."""
    monkeypatch.setattr(download, "SECONDS", 0.05)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: time.sleep(0.5))
    assert not download._resolves("example.org")


def test_the_embedded_digits_are_centred_at_the_edge_too() -> None:
    """A digit whose ink is all on one side still fits."""
    assert data._centred(np.eye(20, dtype=int)[0]) == 8
    assert data._centred(np.eye(20, dtype=int)[19]) == 0
