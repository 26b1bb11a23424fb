"""The sample world with a vector a document, planted after its true topic, and maps of it whose
clusters are these topics.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lab.cli import main
from lab.core.arrays import write_array
from lab.core.artifacts import Artifact, build, write_part
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import documents, list_sources
from lab.diversity.embedding.stored import STEP, VERSION, require_embeddings
from lab.diversity.layout import stored as layout
from lab.diversity.layout.cluster import label_clusters
from lab.jobs.breadth.common import Common, require_common
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe_files import load_recipe, save_recipe

ENCODER = "all-MiniLM-L6-v2"
Run = Callable[..., dict[str, Any]]


def command(capsys: pytest.CaptureFixture[str]) -> Run:
    """`command(capsys)(ws, "diversity", ...)`: what the command prints as JSON."""

    def run(ws: Workspace, *words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*words, "--json", "--quiet", "-w", str(ws.root)]) == 0
        return dict(json.loads(capsys.readouterr().out))

    return run


def world(sample: Workspace, root: Path) -> Workspace:
    """A copy of the sample with vectors, a map, and recipes on `web` and `forum`."""
    shutil.copytree(sample.root, root)
    made = open_workspace(root)
    plant_world(made, ENCODER)
    save(made, "noweb", {"web": 100_000, "forum": 60}, {"web": 0.5, "forum": 0.5})
    save(made, "plain", {"web": 0, "forum": 0}, {"web": 0.5, "forum": 0.5})
    save(made, "short", {"web": 60, "forum": 90}, {"web": 0.3, "forum": 0.7})
    return made


def save(ws: Workspace, name: str, words: dict[str, int], weights: dict[str, float]) -> None:
    """A recipe that keeps documents of at least so many words."""
    rules = {s: {"filters": [{"signal": "gopher.word_count", "min": n}]} for s, n in words.items()}
    body: dict[str, Any] = {
        "name": name, "tokenizer": load_recipe(ws, "natural").tokenizer, "sources": rules,
        "mixture": {"tokens": 100_000, "phases": [{"name": "all", "weights": weights}]},
    }  # fmt: skip
    save_recipe(ws, parse_recipe(body, name))


def common(ws: Workspace, *names: str) -> Common:
    return require_common(ws, names or ("forum",), ENCODER)


def plant_world(ws: Workspace, encoder: str) -> Artifact:
    """Vectors of every source, and their map."""
    truth = pl.read_parquet(ws.root / "world/truth/documents.parquet")
    topics = {name: k for k, name in enumerate(sorted(truth["topic"].unique()))}
    centres = np.random.default_rng(0).normal(size=(len(topics), 24))
    places, ids = [], []
    for source in list_sources(ws):
        ids.append(plant(ws, source.name, truth, topics, centres, encoder))
        frame = documents(ws, source.name).scan().select("id", "source", "text").collect()
        places.append(frame.with_columns(cluster=clusters_of(frame["id"], truth, topics)))
    return plant_map(ws, pl.concat(places), ids, {"encoder": encoder})


def plant_map(
    ws: Workspace, places: pl.DataFrame, ids: list[str], about: dict[str, str], seed: int = 0
) -> Artifact:
    """A map of documents (id, source, text, cluster) without places."""

    def draw(folder: Path) -> dict[str, Any]:
        labels = label_clusters(places["text"], places["cluster"].to_numpy())
        write_part(labels, folder / "clusters.parquet")
        write_part(places.drop("text"), folder / "part-00000.parquet")
        return about

    return build(ws, layout.STEP, layout.VERSION, {"seed": seed}, ids, draw)


def clusters_of(ids: pl.Series, truth: pl.DataFrame, topics: dict[str, int]) -> pl.Series:
    """The number of each document's true topic."""
    own = truth.select(pl.concat_str([pl.col("source"), pl.col("id")], separator="/"), "topic")
    named = pl.concat([own, truth.select("id", "topic").rename({"id": "source"})])
    found = pl.DataFrame({"source": ids}).join(
        named.unique("source"), on="source", how="left", maintain_order="left"
    )
    return found["topic"].replace_strict(topics, return_dtype=pl.UInt16)


def plant(
    ws: Workspace,
    source: str,
    truth: pl.DataFrame,
    topics: dict[str, int],
    centres: np.ndarray,
    encoder: str,
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

    settings = {"encoder": encoder, "sample": 10**6, "seed": 0}
    return build(ws, STEP, VERSION, settings, [found.id], make).id


def placed_onto(ws: Workspace, source: str, base: Artifact) -> Artifact:
    """A map of one source on the clusters of another map; in cluster 0 where it is not there."""
    texts = documents(ws, source).scan().select("id", "source", "text").collect()
    held = base.scan().select("id", "cluster").collect()
    places = texts.join(held, on="id", how="left", maintain_order="left")
    ids = [require_embeddings(ws, source, ENCODER).id, base.id]
    about = {"encoder": ENCODER, "onto": base.id, "topics_of": layout.topics_id(base)}
    made = plant_map(ws, places.with_columns(pl.col("cluster").fill_null(0)), ids, about)
    shutil.copy(base.path / "clusters.parquet", made.path / "clusters.parquet")
    return made
