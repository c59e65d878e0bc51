"""A real browser: headless Chromium, driven over its own DevTools protocol."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.availability import Unavailable, find_tool
from tests.servers.devtools import Connection
from tests.servers.pages import Page
from tests.servers.processes import Child

START_S = 60.0

# `--no-sandbox` because tests may run as root; the rest keeps a browser without a network from looking for its maker.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)


@dataclass(frozen=True, slots=True)
class BrowserAddress:
    """Where a browser's DevTools answer."""

    port: int
    path: str

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.path}"

    def page_url(self, target_id: str) -> str:
        return f"ws://127.0.0.1:{self.port}/devtools/page/{target_id}"


class Browser:
    """A running Chromium. Each page that it opens has cookies and storage of its own."""

    def __init__(self, address: BrowserAddress) -> None:
        self.address = address
        self._connection = Connection(address.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._connection.close()

    @contextmanager
    def open(self, url: str, width: int = 1280, height: int = 800) -> Iterator[Page]:
        """Yield a page at that URL once it has loaded, and close it afterwards."""
        context = self._connection.call("Target.createBrowserContext")["browserContextId"]
        asked = {"url": "about:blank", "browserContextId": context, "width": width, "height": height}
        target = self._connection.call("Target.createTarget", **asked)["targetId"]
        try:
            with Page(Connection(self.address.page_url(target))) as page:
                page.resize(width, height)
                page.go_to(url)
                yield page
        finally:
            self._connection.call("Target.disposeBrowserContext", browserContextId=context)


@contextmanager
def running_chromium(folder: Path) -> Iterator[Browser]:
    """Start Chromium with a new profile in the folder, and end it afterwards; raises Unavailable."""
    program = find_chromium()
    profile = folder / "profile"
    profile.mkdir(parents=True, exist_ok=True)
    port_file = profile / "DevToolsActivePort"
    argv: list[str | Path] = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with Child(argv, folder / "chromium.log") as child:
        child.wait_until(lambda: port_file.exists() and len(port_file.read_text().splitlines()) == 2, START_S)
        port, path = port_file.read_text().splitlines()
        with Browser(BrowserAddress(int(port), path)) as browser:
            yield browser


def find_chromium() -> Path:
    """Return the program of LEADWIRE_TEST_CHROMIUM, or Chromium or Chrome on PATH; raises Unavailable."""
    if given := os.environ.get("LEADWIRE_TEST_CHROMIUM"):
        if not os.access(given, os.X_OK):
            raise Unavailable(f"LEADWIRE_TEST_CHROMIUM={given} isn't a program; give its path, or unset the variable")
        return Path(given)
    remedy = "install Chromium, or set LEADWIRE_TEST_CHROMIUM to its path"
    return find_tool("chromium", "chromium-browser", "google-chrome", remedy=remedy)
