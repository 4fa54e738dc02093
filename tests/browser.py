"""The page in headless Chromium: a local server and nothing else can be reached; downloads lie in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@dataclass
class Served:
    """A folder on a local port; what was asked for, as method and path."""

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """The folder, served as by python -m http.server."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            served.asked.append((self.command, self.path))

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        served = Served(f"http://127.0.0.1:{server.server_port}/")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Page:
    """The page, loaded, and the folder of its downloads."""

    driver: Any
    downloads: Path

    def element(self, name: str) -> Any:
        """The element of this id."""
        return self.driver.find_element(By.ID, name)

    def text(self, name: str) -> str:
        """What an element says."""
        return str(self.driver.execute_script("return document.getElementById(arguments[0]).textContent", name))

    def type(self, name: str, value: str) -> None:
        """Put a value into a field, as typing and choosing do."""
        self.driver.execute_script(
            "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
            "one.dispatchEvent(new Event('input')); one.dispatchEvent(new Event('change'))",
            name, value,
        )  # fmt: skip

    def wait(self, done: Callable[[], Any], what: str, seconds: float = 90) -> Any:
        """What `done` gives as soon as it is true; AssertionError, with what the page says, if it never is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := done():
                return found
            time.sleep(0.02)
        said = {name: self.text(name) for name in ("doing", "wrong", "made", "verdict")}
        raise AssertionError(f"{what} has not come to be in {seconds} s; the page says {said}")

    def idle(self) -> None:
        """Wait until the page has nothing to do."""
        self.wait(lambda: self.element("work").get_attribute("aria-busy") == "false", "readiness")

    def downloaded(self, start: Callable[[], object]) -> Path:
        """The file that comes of it."""
        before = set(self.downloads.iterdir())
        start()

        def new() -> Path | None:
            found = [one for one in set(self.downloads.iterdir()) - before if one.suffix == ".xlsx"]
            return found[0] if found and found[0].stat().st_size else None

        found = self.wait(new, "a download")
        assert isinstance(found, Path)
        return found

    def drop(self, path: Path) -> str:
        """Give the page a workbook; its verdict."""
        self.element("file").send_keys(str(path))
        self.wait(lambda: self.text("verdict") not in ("", f"Checking {path.name}"), "a verdict")
        self.idle()
        return self.text("verdict")


@contextmanager
def chromium(browser: Path, driver: Path, scratch: Path) -> Iterator[Chrome]:
    """A browser with a profile of its own, which keeps its console and puts downloads into scratch/downloads."""
    options = ChromeOptions()
    options.binary_location = str(browser)
    for option in (*OPTIONS, f"--user-data-dir={scratch / 'profile'}", "--window-size=1366,768"):
        options.add_argument(option)
    (scratch / "downloads").mkdir()
    options.add_experimental_option("prefs", {"download.default_directory": str(scratch / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, ChromeService(str(driver)))
    try:
        yield chrome
    finally:
        chrome.quit()


def opened(chrome: Chrome, address: str, scratch: Path) -> Page:
    """The page at an address, once it is loaded and has drawn its first picture."""
    chrome.get(address)
    page = Page(chrome, scratch / "downloads")
    page.wait(lambda: "svg" in page.element("picture").get_attribute("innerHTML"), "the first picture", 180)
    page.idle()
    return page
