"""The map at a million points in a real browser: bytes, drawing, lasso, rerun, colours, hover.

    python -m tests.benchmarks.map_at_a_million --points 1000000 5000000

Generates a workspace of that many short documents in 12 sources with stored tokens and signals, and
a map of as many points in 64 clouds (invented places: the layout is not what is measured). Then, in
this process: a predicate to ids. In Chromium with software WebGL, so drawing is an upper bound: the
first picture, a lasso driven by the mouse until the page says how many, the same with the page's
whole rerun, another colouring, a rest of the pointer, frames while the map is moved.
"""

import argparse
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from playwright.sync_api import Page, sync_playwright

from lab.core.artifacts import build, write_part
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.curation.selections.points import chosen, read_points
from lab.curation.selections.predicate import parse_predicate
from lab.curation.topics import column_of, require_topic
from lab.diversity.embedding.stored import STEP as EMBEDDINGS
from lab.diversity.embedding.stored import VERSION as VECTORS
from lab.diversity.layout.stored import STEP, VERSION, find_map
from lab.mixture.topics import topics_of
from lab.ui.launch import HOST, free_port
from tests.benchmarks.app_latency import SERVE, generate, idle, listening

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--ignore-gpu-blocklist"]  # fmt: skip
CLUSTERS = 64
LASSOS = 5
REPEATS = 5


def plant(ws: Workspace) -> None:
    """A map of every document: 64 Gaussian clouds of different sizes. The embeddings it names are
    empty: nothing that is measured reads a vector.
    """
    sources = list_sources(ws)
    about = {"encoder": "invented", "sample": 1, "seed": 0}
    embedded = [
        build(ws, EMBEDDINGS, VECTORS, about, [s.documents], lambda folder: {"embedded": 1}).id
        for s in sources
    ]

    def make(folder: Path) -> dict[str, Any]:
        rng = np.random.default_rng(0)
        sizes = np.zeros(CLUSTERS, np.int64)
        share = rng.dirichlet(np.full(CLUSTERS, 3.0))
        middle = rng.normal(scale=10, size=(CLUSTERS, 2))
        words = [f"{k}: words of cloud {k}" for k in range(CLUSTERS)]
        for k, source in enumerate(sources):
            ids = documents(ws, source.name).scan().select("id").collect()["id"]
            cluster = rng.choice(CLUSTERS, ids.len(), p=share)
            xy = (middle[cluster] + rng.normal(size=(ids.len(), 2))).astype(np.float32)
            sizes += np.bincount(cluster, minlength=CLUSTERS)
            columns = {"x": xy[:, 0], "y": xy[:, 1], "cluster": cluster.astype(np.uint16)}
            frame = pl.DataFrame({"id": ids, **columns}).with_columns(
                source=pl.lit(source.name), topic=pl.Series(words)[cluster]
            )
            write_part(frame, folder / f"part-{k:05d}.parquet")
        labels = pl.DataFrame({"cluster": range(CLUSTERS), "label": words, "size": sizes})
        write_part(labels, folder / "clusters.parquet")
        samples = {source.name: "all" for source in sources}
        return {"method": "invented", "encoder": "invented", "samples": samples}

    build(ws, STEP, VERSION, {"planted": True}, embedded, make)


def report(name: str, value: float, unit: str, target: str = "") -> None:
    """One line."""
    print(f"  {name:<58}{value:>10.3f} {unit}{f'   must: {target}' if target else ''}", flush=True)


def resolve_here(ws: Workspace) -> None:
    """A polygon of 40 corners to ids, without a browser; the map is in memory, as on the page."""
    started = time.perf_counter()
    points = read_points(find_map(ws, ""))
    report("reading the map, once", time.perf_counter() - started, "s")
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = [
        (round(32768 + 20000 * math.cos(a)), round(32768 + 20000 * math.sin(a))) for a in angles
    ]
    area = "_".join(f"{x}.{y}" for x, y in circle)
    predicate, times = parse_predicate(f"map={points.short} area={area}"), []
    for _ in range(REPEATS):
        started = time.perf_counter()
        mask = chosen(points, predicate, lambda name: np.zeros(0))
        ids = points.ids.gather(np.flatnonzero(mask))
        times.append(time.perf_counter() - started)
    report(f"lasso of 40 corners to {len(ids):,} ids", statistics.median(times), "s", "0.3 s")


def tell_topics(ws: Workspace) -> None:
    """Topics as columns of every source, made once, and as tables."""
    started = time.perf_counter()
    column = column_of(find_map(ws, ""))
    for source in list_sources(ws):
        require_topic(ws, source.name, column)
    report("topic columns of all sources, once", time.perf_counter() - started, "s")
    started = time.perf_counter()
    topics_of(ws)
    report("`mixlab topics`: table and odds", time.perf_counter() - started, "s")


def frames(page: Page) -> tuple[list[int], list[int]]:
    """Bytes received and sent."""
    received: list[int] = []
    sent: list[int] = []

    def attach(socket: Any) -> None:
        socket.on("framereceived", lambda data: received.append(len(data)))
        socket.on("framesent", lambda data: sent.append(len(data)))

    page.on("websocket", attach)
    return received, sent


def lasso(page: Page, share: float) -> float:
    """Drag a circle; the time of letting go."""
    box = page.locator("#overlay").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = share * min(box["width"], box["height"])
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for k in range(1, 41):
        angle = 2 * math.pi * 0.985 * k / 40
        page.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle))
    started = time.perf_counter()
    page.mouse.up()
    return started


TOLD = """before => {
  const found = [...document.querySelectorAll("strong")].map(e => e.textContent);
  const said = found.find(t => t.includes("documents on the map"));
  return said && said !== before ? said : false;
}"""


def measure_page(base: str, page: Page, points: int) -> None:
    """Everything that is seen in the browser."""
    received, sent = frames(page)
    started = time.perf_counter()
    page.goto(f"{base}/map")
    page.locator("#atlas[data-loads='1']").wait_for(timeout=300_000)
    page.wait_for_function("true")
    report("address to picture, server cold", time.perf_counter() - started, "s")
    idle(page)
    page.wait_for_timeout(3000)
    report("received in all", sum(received) / 1e6, "MB", f"{5 * points / 1e6:.0f} MB of points")
    atlas = page.locator("#atlas")
    drawn = float(atlas.get_attribute("data-load-ms") or 0) / 1000
    report("loading and drawing in the browser", drawn, "s")
    page.get_by_text("Lasso", exact=True).click()
    answers, reruns, down, before = [], [], [], ""
    for k in range(LASSOS):
        received.clear()
        sent.clear()
        started = lasso(page, 0.15 + 0.05 * k)
        before = page.wait_for_function(TOLD, arg=before, timeout=120_000, polling=10).json_value()
        answers.append(time.perf_counter() - started)
        idle(page)
        reruns.append(time.perf_counter() - started)
        down.append(sum(received))
    report("lasso let go to the count on the page", statistics.median(answers), "s")
    report("lasso let go to the end of the rerun", statistics.median(reruns), "s", "0.5 s")
    report("sent by a lasso", max(sent) / 1e3, "kB")
    report("received after a lasso", statistics.median(down) / 1e3, "kB")
    received.clear()
    started = time.perf_counter()
    page.get_by_role("radio", name="cluster").first.click()
    page.wait_for_timeout(100)
    idle(page)
    report("another colouring", time.perf_counter() - started - 0.1, "s")
    page.wait_for_timeout(1000)
    report("received for it", sum(received) / 1e6, "MB", f"{points / 1e6:.0f} MB")
    page.get_by_text("Move", exact=True).click()
    report("a frame while the map moves", moving(page), "ms")
    shown = [atlas.get_attribute(f"data-{name}") for name in ("loads", "drawn")]
    print(f"  the points were loaded {shown[0]} time(s); drawn at rest {shown[1]}")


def moving(page: Page) -> float:
    """Milliseconds a step of a drag takes until it is drawn, the median of 20."""
    box = page.locator("#overlay").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    times = []
    for k in range(20):
        started = time.perf_counter()
        page.mouse.move(x + 4 * k, y + 2 * k)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        times.append(1000 * (time.perf_counter() - started))
    page.mouse.up()
    return statistics.median(times)


def measure(points: int) -> None:
    """One size."""
    print(f"{points:,} points", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        root = Path(folder, "w")
        ws = generate(root, points)
        plant(ws)
        resolve_here(ws)
        tell_topics(ws)
        port = free_port()
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(root), str(port)])
        try:
            listening(port)
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            measure_page(f"http://{HOST}:{port}", page, points)
        finally:
            server.terminate()
            server.wait()
            browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", type=int, nargs="+", default=[1_000_000, 5_000_000])
    for points in parser.parse_args().points:
        measure(points)


if __name__ == "__main__":
    main()
