"""The job on breadth: on the sample world with vectors planted after the true topics."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lab.cli import main
from lab.core.arrays import write_array
from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.diversity.breadth.mixture import mixture_breadth
from lab.diversity.embedding.stored import STEP, VERSION
from lab.diversity.layout.cluster import label_clusters
from lab.jobs.actions import run_action
from lab.jobs.breadth.mixtures import ground_of_stored, stored_breadth
from lab.jobs.breadth.panels import measure_breadth, read_panel
from lab.jobs.breadth.pool import load_pool, newest_map, texts_of, vectors_of
from lab.mixture.recipe_files import load_recipe

ENCODER = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample world with a vector a document, near its true topic's direction, and a map whose
    clusters are these topics. Read only but for artifacts.
    """
    import shutil

    from lab.core.workspace import open_workspace

    root = tmp_path_factory.mktemp("breadth") / "w"
    shutil.copytree(sample_workspace.root, root)
    made = open_workspace(root)
    truth = pl.read_parquet(root / "world/truth/documents.parquet")
    topics = {name: k for k, name in enumerate(sorted(truth["topic"].unique()))}
    centres = np.random.default_rng(0).normal(size=(len(topics), 24))
    places, ids = [], []
    for source in list_sources(made):
        ids.append(plant(made, source.name, truth, topics, centres))
        frame = documents(made, source.name).scan().select("id", "source", "text").collect()
        places.append(frame.with_columns(cluster=clusters_of(frame["id"], truth, topics)))
    joined = pl.concat(places)

    def draw(folder: Path) -> dict[str, Any]:
        labels = label_clusters(joined["text"], joined["cluster"].to_numpy())
        write_part(labels, folder / "clusters.parquet")
        write_part(joined.drop("text"), folder / "part-00000.parquet")
        return {}

    build(made, "map", 1, {"clusters": None, "seed": 0}, ids, draw)
    return made


def clusters_of(ids: pl.Series, truth: pl.DataFrame, topics: dict[str, int]) -> pl.Series:
    """The number of each document's true topic."""
    own = truth.select(pl.concat_str([pl.col("source"), pl.col("id")], separator="/"), "topic")
    named = pl.concat([own, truth.select("id", "topic").rename({"id": "source"})])
    found = pl.DataFrame({"source": ids}).join(
        named.unique("source"), on="source", how="left", maintain_order="left"
    )
    return found["topic"].replace_strict(topics, return_dtype=pl.UInt16)


def plant(
    ws: Workspace, source: str, truth: pl.DataFrame, topics: dict[str, int], centres: np.ndarray
) -> str:
    """An artifact of embeddings with a planted vector a document."""
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        total = 0
        rng = np.random.default_rng(len(source))
        for k, part in enumerate(found.parts):
            ids = pl.read_parquet(part, columns=["id"])
            topic = clusters_of(ids["id"], truth, topics).to_numpy()
            x = centres[topic] + 0.5 * rng.normal(size=(len(topic), centres.shape[1]))
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            write_array(folder / f"part-{k:05d}.embeddings.npy", x.astype(np.float16))
            write_part(ids, folder / f"part-{k:05d}.parquet")
            total += ids.height
        return {"embedded": total, "documents": total, "dimensions": centres.shape[1]}

    settings = {"encoder": ENCODER, "sample": 10**6, "seed": 0}
    return build(ws, STEP, VERSION, settings, [found.id], make).id


def test_the_topic_that_a_filter_loses_is_named(ws: Workspace) -> None:
    truth = pl.read_parquet(ws.root / "world/truth/documents.parquet")
    pool = load_pool(ws, "encyclopaedia", ENCODER)
    topic = clusters_of(
        pool.frame["id"], truth, {t: k for k, t in enumerate(sorted(truth["topic"].unique()))}
    )
    names = sorted(truth["topic"].unique())
    creature = names.index("creature")
    kept = pool.frame.select("id", kept=pl.Series(topic != creature))
    artifact = measure_breadth(
        ws, "encyclopaedia", kept=kept, selection="without creatures", size=200
    )
    found = read_panel(artifact)["against"]
    lost = [t for t in found["topics"] if t["lost"]]
    assert [t["cluster"] for t in lost] == [creature]
    labels = pl.read_parquet(newest_map(ws, [pool.embeddings.id]).path / "clusters.parquet")
    assert lost[0]["label"] == labels.filter(pl.col("cluster") == creature)["label"][0]
    assert lost[0]["share"] == 0
    change = found["measures"]
    assert change["effective_clusters"]["difference"]["high"] < 0
    assert change["coverage"]["difference"]["high"] < 0
    assert change["effective_clusters"]["one"]["n"] == change["effective_clusters"]["other"]["n"]
    marked = {w["word"] for w in found["words"] if w["z"] < 0}
    assert any("creature" in word or word in lost[0]["label"] for word in marked)
    assert "beside" in found


def test_the_gain_of_a_source_is_what_recomputing_from_documents_says(ws: Workspace) -> None:
    for name in ("code", "forum"):
        measure_breadth(ws, name)
    recipe = load_recipe(ws, "natural")
    stored = stored_breadth(ws, recipe)
    assert {"code", "forum"} <= set(stored.artifacts)
    ground = ground_of_stored(stored)
    assert ground is not None
    found = mixture_breadth(ground, {"code": 0.3, "forum": 0.7})

    def recomputed(code: float) -> float:
        pools = [load_pool(ws, name, ENCODER) for name in ("code", "forum")]
        x = [vectors_of(pool).astype(float) for pool in pools]
        share = np.repeat([code / len(x[0]), (1 - code) / len(x[1])], [len(v) for v in x])
        both = np.concatenate(x)
        centred = (both - share @ both) * np.sqrt(share)[:, None]
        values = np.linalg.eigvalsh(centred @ centred.T)
        values = values[values > 1e-13] / values.sum()
        return float(np.exp(-(values * np.log(values)).sum()))

    assert found.scores["vendi_1"].value == pytest.approx(recomputed(0.3), rel=1e-3)
    step = (recomputed(0.3 + 0.01 * 0.7) - recomputed(0.3 - 0.01 * 0.7)) / 2
    assert found.gains["vendi_1"]["code"].value == pytest.approx(step, rel=0.02)


def test_the_action_measures_sources_recipe_and_overlap_and_finds_them_again(
    ws: Workspace,
) -> None:
    params = {"sources": ["code", "textbooks"], "recipe": "balanced", "size": 60}
    found = run_action(ws, "diversity", params, SILENT)
    assert set(found["sources"]) == {"code", "textbooks"}
    measures = found["sources"]["code"]["measures"]
    assert {"near_duplicates", "zstd_ratio", "self_repetition", "coverage"} <= set(measures)
    assert measures["vendi_1"]["n"] == 60
    assert "quality.educational" in found["sources"]["code"]["beside"]
    assert {(row["source"], row["other"]) for row in found["overlap"]} == {
        ("code", "textbooks"), ("textbooks", "code"),
    }  # fmt: skip
    assert found["overlap"][0]["auc_low"] > 0.9
    before = sorted(path.name for path in (ws.artifacts / "breadth").iterdir())
    assert run_action(ws, "diversity", params, SILENT) == found
    assert sorted(path.name for path in (ws.artifacts / "breadth").iterdir()) == before


def test_two_recipes_apart_and_the_command(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["diversity", "forum", "--recipe", "balanced", "--against", "natural"]
    assert main([*arguments, "--size", "50", "-w", str(ws.root)]) == 0
    said = capsys.readouterr().out
    assert "What 'balanced' keeps, less the pool" in said
    assert "Random noise has the highest scores" in said
    assert "near-duplicates (cosine > 0.95): It sees only pairs" in said


def test_what_is_missing_is_said(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], ws: Workspace
) -> None:
    with pytest.raises(ArtifactMissing, match="not been embedded") as caught:
        measure_breadth(plain_workspace, "short")
    assert "mixlab embed" in caught.value.next_step
    with pytest.raises(ArtifactMissing, match="no map") as caught:
        newest_map(ws, ["0" * 16])
    assert "mixlab map" in caught.value.next_step
    with pytest.raises(ConfigError, match="at least two"):
        run_action(ws, "diversity", {"size": 1}, SILENT)
    with pytest.raises(ConfigError, match="Against which"):
        run_action(ws, "diversity", {"against": "natural"}, SILENT)


def test_a_recipe_that_keeps_nothing_of_a_source(ws: Workspace) -> None:
    pool = load_pool(ws, "forum", ENCODER)
    none = pool.frame.select("id", kept=pl.lit(False))
    artifact = measure_breadth(ws, "forum", kept=none, selection="nothing", size=50)
    assert read_panel(artifact) == {"measures": {}, "beside": {}}
    assert artifact.manifest["kept"] == 0


def test_texts_and_vectors_keep_the_order_that_is_asked(ws: Workspace) -> None:
    pool = load_pool(ws, "forum", ENCODER)
    turned = pool.take(np.arange(pool.frame.height)[::-1].copy())
    assert texts_of(ws, turned) == texts_of(ws, pool)[::-1]
    assert (vectors_of(turned) == vectors_of(pool)[::-1]).all()
