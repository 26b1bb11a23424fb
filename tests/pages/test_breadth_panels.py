"""Breadth on pages: what is stored is shown, what is not says what to run, moves follow weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planted_map import HOSTILE
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.diversity.embedding.stored import STEP, VERSION
from lab.jobs.actions import run_action

BROAD_SHORT = "weight.both.broad.short"


def plant(ws: Workspace) -> None:
    """Vectors of two clouds a source, and a map with hostile labels."""
    centres = np.random.default_rng(0).normal(size=(len(HOSTILE), 16))
    ids, frames = [], []
    for k, source in enumerate(list_sources(ws)):
        found = documents(ws, source.name)
        frame = found.scan().select("id", "source").collect()
        rng = np.random.default_rng(k)
        cluster = (k + rng.integers(2, size=frame.height)) % len(HOSTILE)
        x = centres[cluster] + 0.4 * rng.normal(size=(frame.height, 16))
        x /= np.linalg.norm(x, axis=1, keepdims=True)

        def make(folder: Path, x: np.ndarray = x, frame: pl.DataFrame = frame) -> dict[str, Any]:
            write_array(folder / "part-00000.embeddings.npy", x.astype(np.float16))
            write_part(frame.select("id"), folder / "part-00000.parquet")
            return {"embedded": len(x), "documents": len(x), "dimensions": 16}

        settings = {"encoder": "all-MiniLM-L6-v2", "sample": 10**6, "seed": 0}
        ids.append(build(ws, STEP, VERSION, settings, [found.id], make).id)
        frames.append(frame.with_columns(cluster=pl.Series(cluster, dtype=pl.UInt16)))

    def draw(folder: Path) -> dict[str, Any]:
        sizes = list(range(len(HOSTILE)))
        labels = pl.DataFrame({"cluster": sizes, "label": HOSTILE, "size": sizes})
        write_part(labels, folder / "clusters.parquet")
        write_part(pl.concat(frames), folder / "part-00000.parquet")
        return {}

    build(ws, "map", 1, {"clusters": None, "seed": 0}, ids, draw)


@pytest.fixture
def measured(recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(recipe_workspace)
    plant(ws)
    run_action(ws, "diversity", {"recipe": "both"}, SILENT)
    return ws


def section(ws: Workspace) -> AppTest:
    """The section of the Map page by itself."""

    def script(root: str) -> None:
        from pathlib import Path

        from lab.core.workspace import open_workspace
        from lab.ui.breadth import breadth_panel

        breadth_panel(open_workspace(Path(root)))

    app = AppTest.from_function(script, kwargs={"root": str(ws.root)}, default_timeout=60)
    return app.run()


def frames(app: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(d.value) for d in app.dataframe]


def test_the_section_shows_what_is_stored(measured: Workspace) -> None:
    app = section(measured)
    assert not app.exception
    assert any("Vendi score" in frame.columns for frame in frames(app))
    app.selectbox(key="breadth_recipe").set_value("both").run()
    assert not app.exception
    assert "No topic is lost" in words_of(app) or "Topics are lost" in words_of(app)
    assert any("auc" in frame.columns for frame in frames(app))
    assert HOSTILE[0] not in words_of(app), "labels stand in tables only"


def test_without_measures_it_says_what_to_do(recipe_workspace: Workspace) -> None:
    app = section(recipe_workspace)
    assert not app.exception
    assert "has not been measured" in words_of(app)


def gains(app: AppTest) -> pl.DataFrame:
    return next(f for f in frames(app) if "Effective directions" in f.columns)


def test_the_mixture_page_follows_a_weight(measured: Workspace, open_page: Open) -> None:
    app = open_page(measured, "mixture", recipe="both")
    assert not app.exception
    assert "One per cent more of" in words_of(app)
    before = {m.label: m.value for m in app.metric}
    table = gains(app)
    assert set(table["source"]) == {"short", "long"}
    app.number_input(key=BROAD_SHORT).set_value(5.0).run()
    assert not app.exception
    after = {m.label: m.value for m in app.metric}
    assert before["Effective directions"] != after["Effective directions"]
    assert not gains(app).equals(table)


def test_the_mixture_page_without_measures(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "mixture", recipe="both")
    assert not app.exception
    assert "its sources were not measured" in words_of(app)
