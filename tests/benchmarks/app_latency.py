"""How quickly the app answers: `python -m tests.benchmarks.app_latency -w WORKSPACE`.

In headless Chromium against the real server: seconds from starting the server to a usable first
page (heading drawn, no script running), and milliseconds per rerun, from a key press to the end of
the script run, on the pages that people move things on. Prints median and 95th percentile.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, sync_playwright

from lab.ui.launch import HOST, free_port

SERVE = "import sys; from pathlib import Path; from lab.ui.launch import serve; "
SERVE += "serve(Path(sys.argv[1]), int(sys.argv[2]))"
STATE = "document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state')"
REPEATS = 30


def idle(page: Page) -> None:
    page.wait_for_function(f"{STATE} === 'notRunning'", polling=5)


def rerun(page: Page, label: str, values: list[str]) -> list[float]:
    """Milliseconds from Enter to the end of the run it causes, one per value."""
    box = page.get_by_label(label, exact=True).first
    times = []
    for value in values:
        box.fill(value)
        started = time.perf_counter()
        box.press("Enter")
        try:
            page.wait_for_function(f"{STATE} === 'running'", polling=1, timeout=1000)
        except TimeoutError:
            continue  # the run was over before it could be seen, or nothing changed: not counted
        idle(page)
        times.append(1000 * (time.perf_counter() - started))
    return times


def listening(port: int) -> None:
    """Return once somebody accepts connections."""
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-w", "--workspace", type=Path, default=Path("workspace"))
    options = parser.parse_args()
    port = free_port()
    base = f"http://{HOST}:{port}"
    numbers = [f"{n}" for n in range(40, 40 + REPEATS)]
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        started = time.perf_counter()
        argv = [sys.executable, "-c", SERVE, str(options.workspace.resolve()), str(port)]
        server = subprocess.Popen(argv)
        try:
            listening(port)
            heard = time.perf_counter()
            page.goto(base)
            page.locator("h1").first.wait_for()
            idle(page)
            ready = time.perf_counter()
            print(f"listening {heard - started:.2f} s after the process starts")
            print(f"first page usable {ready - heard:.2f} s after that")
            for name, path, label in (
                ("mixture: budget", "mixture?recipe=balanced", "Budget, million tokens"),
                ("filters: minimum", "filters?recipe=phi-like&source=web", "Minimum"),
            ):
                page.goto(f"{base}/{path}")
                page.get_by_label(label, exact=True).first.wait_for()
                idle(page)
                times = sorted(rerun(page, label, numbers))
                p95 = times[int(0.95 * (len(times) - 1))]
                middle = statistics.median(times)
                print(
                    f"{name}: n={len(times)} median {middle:.0f} ms, 95th percentile {p95:.0f} ms"
                )
        finally:
            server.terminate()
            server.wait()
            browser.close()


if __name__ == "__main__":
    main()
