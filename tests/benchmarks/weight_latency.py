"""From a moved weight to the numbers on the screen, in a real browser.

    python -m tests.benchmarks.weight_latency [--repeats 30]

A generated workspace with fits of 3, 7 and 17 sources by 13 metrics and 200 replicates of planted
laws, behind the real server, in headless Chromium. Three figures per number of sources:

    drag      one step of the mouse on a slider to the drawn predictions, without the server
    settled   a number typed and Enter, until the panel draws what the server answered
    server    what the panel's data cost there: predictions, paths, map; and its processor time

Prints median and 95th percentile in milliseconds.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from playwright.sync_api import Page, sync_playwright

from lab.core.workspace import Workspace, create
from lab.ui.launch import HOST, free_port
from tests.benchmarks.app_latency import SERVE, idle, listening, report, store_values

sys.path.append(str(Path(__file__).parents[1] / "pages"))
COUNTS = (3, 7, 17)
METRICS = [f"heldout/domain{k:02d}/bpb" for k in range(8)]
METRICS += [f"benchmark/task{k}/gold_bpb" for k in range(5)]
DOCUMENTS = 400  # of a source
FRAMES = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
ANSWERED = """([root, share]) => { const lab = root.querySelector("#lab");
  return lab.dataset.state === "settled" && Number(lab.dataset.weights.split(" ")[0]) === share }"""


def generate(root: Path) -> Workspace:
    """A workspace with the sources and a recipe for each of COUNTS."""
    from lab.corpus.sources import add_source
    from lab.corpus.tokenizer import train_tokenizer
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    ws = create(root)
    rng = np.random.default_rng(0)
    words = np.array(["river", "stone", "market", "lamp", "quiet", "green", "and", "the", "of"])
    for name in names(max(COUNTS)):
        texts = [" ".join(row) + "." for row in words[rng.integers(0, words.size, (DOCUMENTS, 40))]]
        file = root.parent / f"{name}.parquet"
        pl.DataFrame({"id": [f"{k}" for k in range(DOCUMENTS)], "text": texts}).write_parquet(file)
        add_source(ws, name, [str(file)], id_column="id")
    train_tokenizer(ws, "small", 300, sources=names(1), sample_bytes=100_000)
    for name in names(max(COUNTS)):
        store_values(ws, name, rng)
    for count in COUNTS:
        phases = [{"name": "all", "weights": dict.fromkeys(names(count), 1)}]
        mapping = {
            "name": f"of-{count}",
            "tokenizer": "small",
            "sources": {name: {} for name in names(count)},
            "mixture": {"tokens": 1_000_000, "phases": phases},
        }
        save_recipe(ws, parse_recipe(mapping, "generated"))
    return ws


def names(count: int) -> list[str]:
    """The first sources."""
    return [f"source{k:02d}" for k in range(count)]


def plant(ws: Workspace, count: int) -> None:
    """The only fit of the workspace: 3 (m + 1) invented runs, 200 replicates."""
    from planted import plant_fit

    shutil.rmtree(ws.artifacts / "advice", ignore_errors=True)
    plant_fit(ws, names(count), METRICS, 3 * (count + 1), replicates=200)


def server_times(
    ws: Workspace, count: int, repeats: int, clock: Callable[[], float]
) -> list[float]:
    """Milliseconds for the panel's data of a moved weight, outside of any server."""
    from dataclasses import replace

    from lab.mixture.recipe_files import load_recipe
    from lab.ui.live.evidence import evidence_of
    from lab.ui.live.ground import ground_of
    from lab.ui.live.payload import payload
    from lab.ui.live.scene import Scene

    recipe = load_recipe(ws, f"of-{count}")
    ground, evidence = ground_of(ws, recipe), evidence_of(ws)
    times = []
    for k in range(repeats):
        first, *others = names(count)
        share = 0.1 + 0.5 * k / repeats
        weights = {first: share} | dict.fromkeys(others, (1 - share) / len(others))
        phase = replace(recipe.mixture.phases[0], weights=weights)
        mixture = replace(recipe.mixture, phases=(phase,))
        started = clock()
        scene = Scene(ws, recipe, mixture, ground, 0, frozenset(), evidence)
        payload(scene, METRICS[0], (0, 1))
        times.append(1000 * (clock() - started))
    return times


def settled(page: Page, repeats: int) -> list[float]:
    """Milliseconds from Enter in a box to the panel that draws the server's answer."""
    box = page.locator("#rows").get_by_label("source00, percent", exact=True)
    root = page.locator("#lab").evaluate_handle("element => element.getRootNode()")
    times = []
    for k in range(repeats):
        share = 20.0 + k
        box.fill(f"{share:g}")
        started = time.perf_counter()
        box.press("Enter")
        page.wait_for_function(ANSWERED, arg=[root, share], polling=5)
        times.append(1000 * (time.perf_counter() - started))
        idle(page)
    return times


def drag(page: Page, repeats: int) -> list[float]:
    """Milliseconds from a movement of the mouse to the drawn predictions."""
    box = page.get_by_label("source00", exact=True).first.bounding_box()
    now = page.locator("#lab").get_attribute("data-weights")
    assert box and now
    y, inner = box["y"] + box["height"] / 2, box["width"] - 16
    page.mouse.move(box["x"] + 8 + inner * float(now.split()[0]) / 100, y)
    page.mouse.down()
    times = []
    for k in range(repeats):
        started = time.perf_counter()
        page.mouse.move(box["x"] + 8 + inner * (0.2 + 0.5 * k / repeats), y)
        page.evaluate(FRAMES)
        times.append(1000 * (time.perf_counter() - started))
    page.mouse.up()
    return times


def main() -> None:
    """Generate, serve, move, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        ws = generate(Path(folder, "w"))
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        port = free_port()
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(ws.root), str(port)])
        try:
            listening(port)
            for count in COUNTS:
                plant(ws, count)
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                page.set_default_timeout(180_000)
                page.goto(f"http://{HOST}:{port}/mixture?recipe=of-{count}")
                page.locator("#lab[data-state=settled]").wait_for()
                idle(page)
                report(f"{count} sources, drag", drag(page, options.repeats))
                idle(page)
                report(f"{count} sources, settled", settled(page, options.repeats))
                page.close()
                for kind, clock in (("wall", time.perf_counter), ("processor", time.thread_time)):
                    found = server_times(ws, count, options.repeats, clock)
                    report(f"{count} sources, server, {kind} time", found)
        finally:
            server.terminate()
            server.wait()
            browser.close()


if __name__ == "__main__":
    main()
