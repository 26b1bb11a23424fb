"""A real server and a real browser. Skipped with a reason where there is no Chromium.

Screenshots go to $MIXLAB_SCREENSHOTS, if it is set.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from lab.core.workspace import Workspace
from lab.ui.launch import HOST, free_port

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL, no GPU
SERVE = "import sys; from pathlib import Path; from lab.ui.launch import serve; "
SERVE += "serve(Path(sys.argv[1]), int(sys.argv[2]))"
ROOT = Path(__file__).parents[2]


def chromium_path() -> str | None:
    """Chromium from $CHROMIUM or the search path."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def wait_healthy(base: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"{base}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no healthy server at {base}")


@contextmanager
def serving(ws: Workspace) -> Iterator[str]:
    """Serve a workspace on a free port; yields the base URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(ws.root), str(port)], cwd=ROOT)
    try:
        base = f"http://{HOST}:{port}"
        wait_healthy(base, process)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=30)


@dataclass
class Visitor:
    """A browser tab, what it received, and what it asked of other hosts."""

    page: Page
    base: str
    received: list[int] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Go to a page of the app and wait until it is drawn."""
        self.received.clear()
        self.page.goto(f"{self.base}/{address}")
        self.page.locator("h1").first.wait_for(timeout=60_000)
        self.idle()

    def idle(self) -> None:
        """Wait until no script runs: on state, never on a sleep."""
        ready = "[data-testid=stApp][data-test-script-state=notRunning]"
        self.page.locator(ready).wait_for(timeout=60_000)
        errors = self.page.locator("[data-testid=stException]")
        assert errors.count() == 0, errors.first.inner_text()

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page, if somebody asked for pictures."""
        folder = os.environ.get("MIXLAB_SCREENSHOTS")
        if not folder:
            return
        size = self.page.viewport_size or {"width": 1400, "height": 900}
        main = "[...document.querySelectorAll('[data-testid=stMainBlockContainer]')]"
        height = self.page.evaluate(f"Math.max(900, ...{main}.map(e => e.scrollHeight))")
        self.page.set_viewport_size({"width": size["width"], "height": min(int(height) + 40, 4000)})
        self.page.wait_for_timeout(800)  # figures and tables redraw at the new size
        self.page.screenshot(path=Path(folder, f"{name}.png"))
        self.page.set_viewport_size(size)

    @property
    def url(self) -> str:
        """Address of the page as it is now, without the host."""
        return self.page.url.removeprefix(self.base).lstrip("/")


Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on the search path nor in $CHROMIUM")
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(base, width=1400)`: a fresh browser context on a server."""
    contexts: list[BrowserContext] = []

    def enter(base: str, width: int = 1400, scheme: str = "light") -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        visitor = Visitor(context.new_page(), base)
        page = visitor.page
        page.on("websocket", lambda socket: socket.on("framereceived", count))
        page.on("request", lambda request: note(request.url))
        page.on("pageerror", lambda error: visitor.faults.append(str(error)))

        def count(data: str | bytes) -> None:
            visitor.received.append(len(data))

        def note(url: str) -> None:
            if not url.startswith((base, base.replace("http", "ws"), "data:", "blob:")):
                visitor.foreign.append(url)

        return visitor

    yield enter
    for context in contexts:
        context.close()
