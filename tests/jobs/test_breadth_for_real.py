"""Breadth by the whole chain: texts of the sample world, the bundled encoder, a real partition, a
rule of a recipe. What was planted is what is told.
"""

import shutil
from typing import Any

import numpy as np
import polars as pl
import pytest

from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents
from lab.curation.attributes import locate
from lab.curation.tags.store import tag
from lab.diversity.embedding.stored import load_vectors, require_embeddings
from lab.diversity.layout.partition import adjusted_rand, find_partition
from lab.jobs.actions import run_action
from lab.mixture.topics import topics_of

pytestmark = pytest.mark.slow
RECIPE = """\
name: less
sources:
  encyclopaedia: {filters: [{where: 'not tags.planted'}]}
  textbooks: {}
mixture:
  tokens: 100000
  phases:
    - {name: all, share: 1, weights: {encyclopaedia: 0.6, textbooks: 0.4}}
"""


@pytest.fixture(scope="module")
def ws(sample_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two sources of the world embedded and mapped; a recipe leaves out what is about creatures."""
    root = tmp_path_factory.mktemp("real") / "w"
    shutil.copytree(sample_workspace.root, root)
    made = open_workspace(root)
    for source in ("encyclopaedia", "textbooks"):
        run_action(made, "embed", {"source": source, "sample": 5000}, SILENT)
    run_action(made, "map", {"source": ["encyclopaedia", "textbooks"]}, SILENT)
    truth = planted(made)
    tag(made, truth.filter(topic="creature")["id"].to_list(), "planted")
    (root / "recipes" / "less.yaml").write_text(RECIPE)
    return made


def planted(ws: Workspace) -> pl.DataFrame:
    """Columns id, topic of all documents."""
    truth = pl.read_parquet(ws.root / "world/truth/documents.parquet")
    return truth.select(pl.concat_str("source", "id", separator="/").alias("id"), "topic")


@pytest.fixture(scope="module")
def told(ws: Workspace) -> dict[str, Any]:
    """What `mixlab diversity --recipe less` says."""
    found = run_action(ws, "diversity", {"recipe": "less"}, SILENT)
    return dict(found["recipes"]["less"])


def agreement(ws: Workspace, source: str, k: int | None) -> float:
    """Adjusted Rand index of planted topics and clusters: those of the map, or k of the vectors."""
    ids, vectors = load_vectors(require_embeddings(ws, source))
    topics = ids.to_frame().join(planted(ws), on="id", maintain_order="left")["topic"].to_numpy()
    if k:
        return adjusted_rand(topics, find_partition(vectors, k).assign(vectors))
    column = topics_of(ws).column
    found = locate(ws, source, [column])[0].artifact.scan().collect()[column]
    return adjusted_rand(topics, found.to_numpy())


def test_planted_topics_are_found_and_better_by_more_clusters(ws: Workspace) -> None:
    """The default is six clusters for the 390 texts of two sources, on purpose few."""
    for source in ("encyclopaedia", "textbooks"):
        assert agreement(ws, source, None) > 0.25
    assert agreement(ws, "encyclopaedia", 12) > 0.4


def test_exactly_the_planted_topic_is_named_lost(ws: Workspace, told: dict[str, Any]) -> None:
    lost = [row for row in told["kept"]["encyclopaedia"]["against"]["topics"] if row["lost"]]
    maps = [pl.read_parquet(p) for p in (ws.artifacts / "map").glob("[!.]*/part-*.parquet")]
    both = pl.concat(maps).join(planted(ws).rename({"topic": "planted"}), on="id")
    about = (
        both.filter(source="encyclopaedia")
        .group_by("cluster")
        .agg((pl.col("planted") == "creature").mean().alias("share"), pl.len())
    )
    mostly = about.filter(pl.col("share") > 0.75)["cluster"].to_list()
    assert mostly, "the topic has a cluster of its own"
    assert {row["cluster"] for row in lost} == set(mostly)
    assert all("creature" in row["label"] for row in lost[:1])
    others = told["kept"]["textbooks"]["against"]["topics"]
    assert not any(row["lost"] for row in others), "no rule touches the textbooks"


def vendi(x: np.ndarray, share: np.ndarray) -> float:
    """Centred Vendi score (q = 1) of weighted vectors by their covariance, computed anew."""
    centred = x - share @ x
    values = np.linalg.eigvalsh((centred * share[:, None]).T @ centred)
    values = np.maximum(values / values.sum(), 1e-300)
    return float(np.exp(-(values * np.log(values)).sum()))


def test_the_gradient_is_that_of_the_documents(ws: Workspace, told: dict[str, Any]) -> None:
    tagged = planted(ws).filter(topic="creature")["id"]
    names = ("encyclopaedia", "textbooks")
    heldout = pl.concat([documents(ws, n).scan().select("id", "heldout") for n in names]).collect()
    kept = heldout.filter(~pl.col("heldout") & ~pl.col("id").is_in(tagged.implode()))["id"]
    vectors = {}
    for source in names:
        ids, x = load_vectors(require_embeddings(ws, source))
        vectors[source] = x[ids.is_in(kept.implode()).to_numpy()].astype(np.float64)
    x = np.concatenate(list(vectors.values()))

    def score(weights: dict[str, float]) -> float:
        shares = [np.full(len(v), weights[name] / len(v)) for name, v in vectors.items()]
        return vendi(x, np.concatenate(shares))

    weights, step = {"encyclopaedia": 0.6, "textbooks": 0.4}, 0.01
    here = score(weights)
    mixture = told["mixture"]
    assert mixture["scores"]["vendi_1"]["value"] == pytest.approx(here, rel=0.05)
    for source in weights:
        more = {n: w * (1 - step) + step * (n == source) for n, w in weights.items()}
        gain = mixture["gains"]["vendi_1"][source]
        assert gain["low"] <= score(more) - here <= gain["high"]
    gains = [mixture["gains"]["vendi_1"][source]["value"] for source in weights]
    assert gains[0] * gains[1] < 0, "one adds what the other takes away"
