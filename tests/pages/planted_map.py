"""A map whose vectors, places and words are invented, and the words are hostile."""

from pathlib import Path

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact, asked_now, build, write_part
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.diversity.embedding.external import import_vectors
from lab.diversity.layout.stored import STEP, VERSION

HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=2</script>",
    "![x](http://127.0.0.1:9/leak.png)",
    "[a](javascript:alert(1)) <b>bold</b>",
)


def plant_map(
    ws: Workspace,
    labels: tuple[str, ...] = HOSTILE,
    most: int | None = None,
    onto: Artifact | None = None,
) -> Artifact:
    """One Gaussian cloud per cluster, on a ring; of every source the first `most` documents are on
    the map, or all; `onto` is a map whose topics this one has.
    """
    rng = np.random.default_rng(0)
    embedded = {}
    for source in list_sources(ws):
        path = ws.root / "planted.npy"
        np.save(path, rng.normal(size=(documents(ws, source.name).scan().collect().height, 8)))
        embedded[source.name] = import_vectors(ws, source.name, path, encoder="planted").id
        path.unlink()

    def make(folder: Path) -> dict[str, object]:
        frames = [
            documents(ws, source.name).scan().select("id", source=pl.lit(source.name)).collect()
            for source in list_sources(ws)
        ]
        frame = pl.concat([own[:most] for own in frames])
        cluster = rng.integers(0, len(labels), frame.height)
        angle = 2 * np.pi * cluster / len(labels)
        xy = 4 * np.c_[np.cos(angle), np.sin(angle)] + rng.normal(scale=0.7, size=(angle.size, 2))
        placed = frame.with_columns(
            x=pl.Series(xy[:, 0].astype(np.float32)),
            y=pl.Series(xy[:, 1].astype(np.float32)),
            cluster=pl.Series(cluster.astype(np.uint16)),
            topic=pl.Series([f"{k}: {labels[k]}" for k in cluster]),
        )
        write_part(placed, folder / "part-00000.parquet")
        sizes = np.bincount(cluster, minlength=len(labels))
        words = pl.DataFrame({"cluster": range(len(labels)), "label": labels, "size": sizes})
        write_part(words, folder / "clusters.parquet")
        trust = {"value": 0.9, "neighbours": 15, "n": frame.height}
        samples = dict.fromkeys(embedded, "all")
        about = {"method": "umap", "trustworthiness": trust, "samples": samples}
        return about | ({"topics_of": onto.id} if onto else {})

    settings = {"planted": list(labels), "most": most, "onto": onto and onto.id}
    return asked_now(build(ws, STEP, VERSION, settings, list(embedded.values()), make))
