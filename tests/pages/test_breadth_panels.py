"""Breadth on pages: what is stored is shown, what is not says what to run, moves follow weights."""

import shutil
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
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import add_source, documents, list_sources
from lab.diversity.embedding.stored import STEP, VERSION, require_embeddings
from lab.diversity.layout import stored as layout
from lab.diversity.layout.stored import stored_maps
from lab.jobs.actions import run_action
from lab.jobs.breadth.words import NONE_LOST
from lab.jobs.store import cancel_job, list_jobs
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe_files import save_recipe
from lab.ui.formats import number

BROAD_SHORT = "weight.both.broad.short"


def plant(ws: Workspace, encoder: str = "all-MiniLM-L6-v2") -> None:
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

        settings = {"encoder": encoder, "sample": 10**6, "seed": 0}
        ids.append(build(ws, STEP, VERSION, settings, [found.id], make).id)
        places = pl.Series(x[:, 0]), pl.Series(x[:, 1])
        number = pl.Series(cluster, dtype=pl.UInt16)
        topic = pl.Series([f"{c}: {HOSTILE[c]}" for c in cluster])
        frames.append(frame.with_columns(x=places[0], y=places[1], cluster=number, topic=topic))

    def draw(folder: Path) -> dict[str, Any]:
        sizes = list(range(len(HOSTILE)))
        labels = pl.DataFrame({"cluster": sizes, "label": HOSTILE, "size": sizes})
        write_part(labels, folder / "clusters.parquet")
        write_part(pl.concat(frames), folder / "part-00000.parquet")
        return {"encoder": encoder, "method": "umap"}

    build(ws, layout.STEP, layout.VERSION, {"encoder": encoder}, ids, draw)


def save(ws: Workspace, name: str, least: int, other: str = "long") -> None:
    """A recipe of two sources that keeps documents of `short` with at least so many words."""
    rule = {"signal": "gopher.word_count", "min": least}
    phase = {"name": "all", "weights": {"short": 0.5, other: 0.5}}
    body = {
        "name": name, "tokenizer": "plain",
        "sources": {"short": {"filters": [rule]}, other: {}},
        "mixture": {"tokens": 200_000, "phases": [phase]},
    }  # fmt: skip
    save_recipe(ws, parse_recipe(body, name))


@pytest.fixture(scope="module")
def planted(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Recipes that thin `short`, keep all of it, and empty it; what they keep is measured."""
    root = tmp_path_factory.mktemp("breadth") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    plant(ws)
    for name, least in (("whole", 0), ("thin", 60), ("none", 100_000), ("unmeasured", 55)):
        save(ws, name, least)
    for name in ("whole", "none"):
        run_action(ws, "diversity", {"recipe": name, "size": 90}, SILENT)
    return ws


@pytest.fixture
def own(planted: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    """A copy in which a test may measure more."""
    return copy_of(planted)


@pytest.fixture
def measured(recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(recipe_workspace)
    plant(ws)
    run_action(ws, "diversity", {"recipe": "both"}, SILENT)
    return ws


def section(ws: Workspace, encoder: str = "all-MiniLM-L6-v2", **query: str) -> AppTest:
    """The section of the Map page by itself."""

    def script(root: str, encoder: str) -> None:
        from pathlib import Path

        from lab.core.workspace import open_workspace
        from lab.ui.breadth import breadth_panel

        breadth_panel(open_workspace(Path(root)), encoder)

    kwargs = {"root": str(ws.root), "encoder": encoder}
    app = AppTest.from_function(script, kwargs=kwargs, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def said(app: AppTest) -> str:
    """All text on the page, without the escapes of names."""
    return words_of(app).replace("\\", "")


def frames(app: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(d.value) for d in app.dataframe]


def frame_with(app: AppTest, column: str) -> pl.DataFrame:
    return next(frame for frame in frames(app) if column in frame.columns)


def test_the_section_shows_what_is_stored_whatever_its_size(planted: Workspace) -> None:
    app = section(planted)
    assert not app.exception
    sources = frame_with(app, "Vendi score")
    pool = {row["source"]: row["documents"] for row in sources.iter_rows(named=True)}
    assert set(pool) == {"short", "long"}
    training = [documents(planted, s).scan().collect().filter(~pl.col("heldout")) for s in pool]
    assert list(pool.values()) == [f"90 of {frame.height}" for frame in training]
    text = said(app)
    assert "At most 90 of each" in text and "sample of embedded ones" in text
    assert "Coverage is of all sources" in text
    assert any("auc" in frame.columns for frame in frames(app))
    assert HOSTILE[0] not in text, "labels stand in tables only"
    assert "Not measured like this: copies" in text


def test_a_recipe_that_keeps_everything_loses_no_topic(planted: Workspace) -> None:
    app = section(planted, breadth_recipe="whole")
    assert not app.exception
    assert NONE_LOST in said(app) and "Topics are lost" not in said(app)
    assert not any("tokens kept" in frame.columns for frame in frames(app))


def test_a_source_that_a_recipe_empties_loses_all_its_topics(
    planted: Workspace, open_page: Open
) -> None:
    app = section(planted, breadth_recipe="none")
    assert not app.exception
    text = said(app)
    assert "Nothing of short is kept: all its topics are lost." in text
    assert "No topic is lost" not in text
    lost = frame_with(app, "tokens kept")
    assert set(lost["source"]) == {"short"} and set(lost["tokens kept"]) == {"0.0 %"}
    (made,) = stored_maps(planted)
    there = made.scan().filter(pl.col("source") == "short").select("cluster").unique().collect()
    assert set(lost["topic"]) == {HOSTILE[k] for k in there["cluster"]}
    kept = frame_with(app, "kept documents")
    assert dict(kept.select("source", "kept documents").iter_rows())["short"].startswith("none of")
    page = open_page(planted, "mixture", recipe="none")
    assert not page.exception
    text = said(page)
    assert "Nothing of short is kept, so the mixture has no text of it." in text
    assert "Not measured" not in text and "The numbers are of long alone" in text
    assert not any("Effective directions" in frame.columns for frame in frames(page))


def test_one_recipe_beside_another(own: Workspace) -> None:
    query = {"breadth_recipe": "none", "breadth_against": "whole"}
    app = section(own, **query)
    assert not app.exception and app.button(key="measure_apart")
    assert "kept by none" not in str([frame.columns for frame in frames(app)])
    params = {"recipe": "none", "against": "whole", "size": 80}
    told = run_action(own, "diversity", params, SILENT)["versus"]
    app = section(own, **query)
    assert not app.exception
    assert not [b for b in app.button if b.key == "measure_apart"]
    apart = frame_with(app, "kept by none")
    rows = {row["source"]: row for row in apart.iter_rows(named=True)}
    assert set(rows) == {"short", "(the mixture)"}, "of long both keep the same"
    assert rows["short"]["kept by none"] == "0" and rows["short"]["kept by whole"] != "0"
    gap = told["mixture"]["measures"]["vendi_1"]["difference"]
    words = rows["(the mixture)"]["Vendi score"]
    assert words.startswith(number(gap["value"], 3))
    assert words.endswith("unresolved") == (gap["low"] <= 0 <= gap["high"])
    text = said(app)
    assert "Both keep the same documents of long." in text
    assert "50.0 % of none only" in text, "its mixture has no text of short"


def test_the_reference_of_coverage_is_chosen_and_linked(own: Workspace) -> None:
    app = section(own, breadth_reference="copies")
    assert not app.exception
    assert "Not measured like this: copies, long, short" in said(app)
    app.button(key="measure_breadth").click().run()
    (job,) = list_jobs(own)
    cancel_job(own, job.id, wait=True)
    wanted = {"encoder": "all-MiniLM-L6-v2", "size": 90, "reference": "copies"}
    assert job.params == wanted | {"sources": ["copies", "long", "short"]}
    params = {"sources": ["short", "long"], "reference": "copies", "size": 70}
    told = run_action(own, "diversity", params, SILENT)["sources"]
    app = section(own)  # what was measured last
    assert app.selectbox(key="breadth_reference").value == "copies"
    assert "Coverage is of copies" in said(app) and "At most 70 of each" in said(app)
    shown = frame_with(app, "coverage of the reference")
    for row in shown.iter_rows(named=True):
        value = told[row["source"]]["measures"]["coverage"]["value"]
        assert row["coverage of the reference"].startswith(number(value, 3))
    run_action(own, "diversity", {"sources": ["long"], "size": 50}, SILENT)
    assert section(own).selectbox(key="breadth_reference").value == "copies", "of two, not of one"
    other = section(own, breadth_reference="all sources")
    assert "At most 90 of each" in said(other)


def test_a_source_of_one_document_is_left_out_and_named(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    (ws.root / "one.txt").write_text("river stone market")
    add_source(ws, "single", [str(ws.root / "one.txt")])
    require_count(ws, "single")
    plant(ws)
    save(ws, "with-single", 0, "single")
    run_action(ws, "diversity", {"recipe": "with-single", "size": 80}, SILENT)
    app = section(ws, breadth_recipe="with-single")
    assert not app.exception
    assert "Left out: single, of which fewer than two" in said(app)
    assert set(frame_with(app, "Vendi score")["source"]) == {"short"}
    page = open_page(ws, "mixture", recipe="with-single")
    assert not page.exception
    assert "Fewer than two embedded documents of single are left" in said(page)
    assert "The numbers are of short alone" in said(page)


def require_count(ws: Workspace, source: str) -> None:
    """Measure a source, as a recipe that uses it needs."""
    run_action(ws, "measure", {"source": source, "tokenizer": "plain", "workers": 1}, SILENT)


def test_without_measures_it_says_what_to_do(recipe_workspace: Workspace) -> None:
    app = section(recipe_workspace)
    assert not app.exception
    assert "has not been measured" in said(app)


def test_pages_follow_the_encoder_of_the_map(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    plant(ws, "static")
    before = open_page(ws, "mixture", recipe="both")
    assert "its sources were not measured" in said(before)
    before.button(key="measure_mixture_breadth").click().run()
    (job,) = list_jobs(ws)
    assert job.params["encoder"] == "static"
    cancel_job(ws, job.id, wait=True)
    run_action(ws, "diversity", {"recipe": "both"}, SILENT)
    app = open_page(ws, "map")
    assert not app.exception
    text = said(app)
    assert "not embedded yet" not in text and "has not been measured" not in text
    assert "Embedded with static" in text
    assert set(frame_with(app, "Vendi score")["source"]) == {"short", "long"}
    page = open_page(ws, "mixture", recipe="both")
    assert set(gains(page)["source"]) == {"short", "long"}
    assert "with static embeddings" in said(page)


def test_a_first_map_is_offered_with_both_encoders(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "map")
    assert app.button(key="embed").label.startswith("Full encoder")
    assert "static encoder" in app.button(key="embed_static").label.replace("\\", "")
    app.button(key="embed_static").click().run()
    (job,) = list_jobs(ws)
    assert (job.action, job.params) == ("embed", {"encoder": "static"})


def test_a_map_of_one_source_placed_onto_another_makes_nothing_stale(
    measured: Workspace, open_page: Open
) -> None:
    (base,) = stored_maps(measured)
    embeddings = require_embeddings(measured, "short").id

    def draw(folder: Path) -> dict[str, Any]:
        shutil.copy(base.path / "clusters.parquet", folder / "clusters.parquet")
        only = base.scan().filter(pl.col("source") == "short").collect()
        write_part(only, folder / "part-00000.parquet")
        about = {"onto": base.id, "topics_of": base.id, "created": "9999-01-01"}
        return about | {name: base.manifest[name] for name in ("encoder", "method")}

    before = frame_with(section(measured), "Vendi score")
    build(measured, layout.STEP, layout.VERSION, {"again": 1}, [embeddings, base.id], draw)
    app = open_page(measured, "map")
    assert not app.exception
    text = said(app)
    assert "not drawn yet" not in text and "not on this map" not in text
    assert f"Placed onto map {base.id[:8]}" in text
    assert frame_with(app, "Vendi score").equals(before)
    page = open_page(measured, "mixture", recipe="both")
    assert set(gains(page)["source"]) == {"short", "long"}
    app.button(key="map.base").click().run()
    assert not app.exception
    assert "870 embedded documents of 870" in said(app)


def gains(app: AppTest) -> pl.DataFrame:
    return next(f for f in frames(app) if "Effective directions" in f.columns)


def test_the_mixture_page_follows_a_weight(measured: Workspace, open_page: Open) -> None:
    app = open_page(measured, "mixture", recipe="both")
    assert not app.exception
    assert "One per cent more of" in said(app)
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
    assert "its sources were not measured" in said(app)
