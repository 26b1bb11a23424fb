"""How quickly the app answers.

    python -m tests.benchmarks.app_latency [-w WORKSPACE | --documents N]

In headless Chromium against the real server: seconds from starting the server to a usable first
page (heading drawn, no script running), milliseconds per rerun, from a key press to the end of the
script run, on the pages that people move things on, on the Filters page also to the moment when the
picture draws what the server answered (documents and tokens kept per source), and the time of one
step of a cut line while it is dragged (drawn in the browser, no message). Prints median and 95th
percentile.

With --documents a workspace is generated: 12 sources of short texts with stored values of 8 signals
under 8 rules, so the pages work on as many documents as they say while nothing has to be measured.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from playwright.sync_api import Page, TimeoutError, sync_playwright

from lab.core.workspace import Workspace, create
from lab.ui.launch import HOST, free_port

SERVE = "import sys; from pathlib import Path; from lab.ui.launch import serve; "
SERVE += "serve(Path(sys.argv[1]), int(sys.argv[2]))"
STATE = "document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state')"
ANSWERED = "([root, text]) => root.querySelector('#total')?.dataset.answered?.startsWith(text)"
REPEATS = 30
SOURCES = 12
SIGNALS = {  # signal: values that look like it, and the demand of the generated recipe
    "gopher.word_count@ws1": ("words", {"min": 30}),
    "gopher.mean_word_length@ws1": ("length", {"min": 3.5, "max": 7}),
    "gopher.alpha_words@ws1": ("share", {"min": 0.1}),
    "gopher.hash_ratio@ws1": ("share", {"max": 0.9}),
    "gopher.ellipsis_ratio@ws1": ("share", {"max": 0.92}),
    "gopher.bullet_lines@dt1": ("share", {"max": 0.94}),
    "gopher.ellipsis_lines@dt1": ("share", {"max": 0.95}),
    "repetition.dup_lines@dt1": ("share", {"max": 0.9}),
}


def generate(root: Path, documents: int) -> Workspace:
    """A workspace of `documents` documents in SOURCES sources with stored tokens and signals."""
    from lab.corpus.sources import add_source
    from lab.corpus.tokenizer import train_tokenizer
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    ws = create(root)
    rng = np.random.default_rng(0)
    words = np.array(
        [
            "river",
            "stone",
            "market",
            "lamp",
            "quiet",
            "green",
            "carry",
            "follow",
            "under",
            "and",
            "the",
            "of",
        ]
    )
    names = [f"source{k:02d}" for k in range(SOURCES)]
    size = documents // SOURCES
    for name in names:
        file = root.parent / f"{name}.parquet"
        texts = [" ".join(row) + "." for row in words[rng.integers(0, words.size, (500, 40))]]
        body = pl.Series("text", texts).gather(rng.integers(0, 500, size))
        numbers = pl.Series(np.arange(size)).cast(pl.String)
        pl.DataFrame({"id": numbers, "text": body + " " + numbers}).write_parquet(file)
        add_source(ws, name, [str(file)], id_column="id")
        file.unlink()
    train_tokenizer(ws, "small", 300, sources=names[:1], sample_bytes=100_000)
    for name in names:
        store_values(ws, name, rng)
    filters = [{"signal": signal, **demand} for signal, (_, demand) in SIGNALS.items()]
    phases = [{"name": "all", "weights": dict.fromkeys(names, 1)}]
    mapping = {
        "name": "generated",
        "tokenizer": "small",
        "filters": filters,
        "sources": {name: {} for name in names},
        "mixture": {"tokens": 1_000_000_000, "phases": phases},
    }
    save_recipe(ws, parse_recipe(mapping, "generated"))
    return ws


def store_values(ws: Workspace, source: str, rng: np.random.Generator) -> None:
    """Generated token counts and signals for every document of a source."""
    from lab.core.artifacts import build, write_part
    from lab.corpus import tokens
    from lab.corpus.sources import documents
    from lab.corpus.tokenizer import tokenizer_id
    from lab.curation import measure

    found = documents(ws, source)

    def values(kind: str, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        if kind == "words":
            return rng.lognormal(5, 1, n).round()
        return rng.normal(5, 0.6, n) if kind == "length" else rng.beta(1.2, 2.5, n)

    def counted(folder: Path) -> dict[str, Any]:
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            sizes = pl.Series("tokens", rng.lognormal(5, 1, ids.height).astype(np.uint32) + 1)
            write_part(ids.with_columns(sizes), folder / part.name)
        counted = pl.scan_parquet(sorted(folder.glob("part-*.parquet"))).select("tokens").sum()
        return {"source": source, "documents": ids.height, "tokens": counted.collect().item()}

    def measured(folder: Path) -> dict[str, Any]:
        for part in found.parts:
            ids = pl.read_parquet(part, columns=["id"])
            columns = {s: values(kind, ids.height) for s, (kind, _) in SIGNALS.items()}
            write_part(ids.with_columns(**columns), folder / part.name)
        return {"source": source, "columns": list(SIGNALS)}

    config = {"tokenizer": tokenizer_id(ws, "small")}
    build(ws, tokens.STEP, tokens.VERSION, config, [found.id], counted)
    build(ws, measure.STEP, measure.VERSION, measure.settings("all"), [found.id], measured)


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


def answer(page: Page, values: list[str]) -> list[float]:
    """Milliseconds from Enter to the picture of what the server answered, one per value.

    Looked for every 5 ms in the component's own root: a locator's wait looks again after 20, 50,
    100, 100 and 500 ms, and would report those.
    """
    box = page.get_by_label("Minimum", exact=True).first
    root = page.locator("#total").evaluate_handle("element => element.getRootNode()")
    times = []
    for value in values:
        box.fill(value)
        started = time.perf_counter()
        box.press("Enter")
        page.wait_for_function(ANSWERED, arg=[root, f"{value}.."], polling=5)
        times.append(1000 * (time.perf_counter() - started))
        idle(page)
    return times


def drag(page: Page) -> list[float]:
    """Milliseconds from a movement of the mouse to the picture it causes, in the browser."""
    line = page.get_by_role("slider", name="Minimum line").bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert line and stage
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + line["height"] / 2)
    page.mouse.down()
    times = []
    for step in range(REPEATS):
        x = stage["x"] + stage["width"] * (0.2 + 0.5 * step / REPEATS)
        started = time.perf_counter()
        page.mouse.move(x, line["y"] + 20)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        times.append(1000 * (time.perf_counter() - started))
    page.keyboard.press("Escape")
    page.mouse.up()
    return times


def listening(port: int) -> None:
    """Return once somebody accepts connections."""
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)


def report(name: str, times: list[float]) -> None:
    """Median and 95th percentile on one line."""
    ordered = sorted(times)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    middle = statistics.median(ordered)
    print(f"{name}: n={len(ordered)} median {middle:.0f} ms, 95th percentile {p95:.0f} ms")


def visit(base: str, page: Page, cases: list[tuple[str, str, str]]) -> None:
    """Time the reruns of each case: (name, address, label of the box that is typed into)."""
    numbers = [f"{n}" for n in range(40, 40 + REPEATS)]
    for name, path, label in cases:
        page.goto(f"{base}/{path}")
        page.get_by_label(label, exact=True).first.wait_for(timeout=120_000)
        idle(page)
        rerun(page, label, numbers[:2])  # columns are read, orders made
        report(name, rerun(page, label, numbers[2:]))
        if label == "Minimum":
            halves = [f"{n}.5" for n in numbers]
            report(f"{name}, the picture", answer(page, halves))
            report(f"{name}, one step of a drag in the browser", drag(page))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-w", "--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--documents", type=int, help="generate a workspace of this many")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, cases = options.workspace.resolve(), SHIPPED
        if options.documents:
            root, cases = Path(folder, "w"), GENERATED
            generate(root, options.documents)
        measure_app(root, cases)


SHIPPED = [
    ("mixture: budget", "mixture?recipe=balanced", "Budget, million tokens"),
    ("filters: minimum", "filters?recipe=phi-like&source=web", "Minimum"),
]
GENERATED = [
    (
        "filters: one source",
        "filters?recipe=generated&source=source03&signal=gopher.word_count@ws1",
        "Minimum",
    ),
    (
        "filters: all sources",
        "filters?recipe=generated&source=*&signal=gopher.word_count@ws1",
        "Minimum",
    ),
]


def measure_app(root: Path, cases: list[tuple[str, str, str]]) -> None:
    """Start a server on `root`, open a browser, time the first page and `cases`."""
    port = free_port()
    base = f"http://{HOST}:{port}"
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        started = time.perf_counter()
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(root), str(port)])
        try:
            listening(port)
            heard = time.perf_counter()
            page.goto(base)
            page.locator("h1").first.wait_for()
            idle(page)
            ready = time.perf_counter()
            print(f"listening {heard - started:.2f} s after the process starts")
            print(f"first page usable {ready - heard:.2f} s after that")
            visit(base, page, cases)
        finally:
            server.terminate()
            server.wait()
            browser.close()


if __name__ == "__main__":
    main()
