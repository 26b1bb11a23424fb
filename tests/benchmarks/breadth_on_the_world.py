"""What the measures of breadth say on the sample world, against what was planted there.

    python -m tests.benchmarks.breadth_on_the_world [--documents 600] [--topic T] [--keep DIR]

Makes the sample world, embeds that many documents of every source with the bundled encoder and
draws the map. Then:

- topics: agreement of the found clusters with the topics that the world was written from (adjusted
  Rand index, purity), over all sources and within the encyclopaedia alone;
- a lost topic: a rule drops the documents of one topic of the encyclopaedia; which clusters the
  measure names as lost, how much of them is of that topic, and what else it names;
- the gradient: "one per cent more of a source" by the stored summaries, against the measure
  computed anew from the documents' own vectors in the mixture with one per cent more.
"""

import argparse
import json
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.cli import main as mixlab
from lab.core.workspace import Workspace, open_workspace
from lab.curation.tags.store import tag
from lab.diversity.breadth.mixture import STEP, mixture_breadth
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import read_vectors, require_embeddings, unit
from lab.diversity.layout.partition import adjusted_rand
from lab.jobs.breadth.mixtures import ground_of_stored, stored_for
from lab.mixture.recipe_files import load_recipe
from lab.ui.tables import manifests

PLACE = "encyclopaedia"


def run(ws: Path, *words: str) -> dict[str, Any]:
    said = StringIO()
    with redirect_stdout(said):
        code = mixlab([*words, "-w", str(ws), "--json", "--quiet"])
    if code:
        raise SystemExit(f"{words}: {said.getvalue()}")
    return dict(json.loads(said.getvalue()))


def placed(ws: Workspace, folder: Path) -> pl.DataFrame:
    """Embedded documents: id, source, cluster, topic as planted."""
    truth = pl.read_parquet(folder / "world" / "truth" / "documents.parquet")
    (found,) = manifests(ws, "map")
    points = pl.concat([pl.read_parquet(path) for path in found.parts])
    own = truth.select("topic", key=pl.col("source") + "/" + pl.col("id"))
    return points.drop("topic").join(own, left_on="id", right_on="key", how="left")


def topics(points: pl.DataFrame) -> None:
    for name, frame in (("all sources", points), (PLACE, points.filter(source=PLACE))):
        planted, found = frame["topic"].to_numpy(), frame["cluster"].to_numpy()
        table = (
            frame.group_by("cluster", "topic").len().group_by("cluster").agg(pl.col("len").max())
        )
        print(
            f"topics, {name}: adjusted Rand index {adjusted_rand(planted, found):.3f}, purity "
            f"{table['len'].sum() / frame.height:.3f}; {frame['topic'].n_unique()} planted, "
            f"{frame['cluster'].n_unique()} found, n = {frame.height}"
        )


def lost(folder: Path, ws: Workspace, points: pl.DataFrame, topic: str) -> None:
    truth = pl.read_parquet(folder / "world" / "truth" / "documents.parquet")
    ids = truth.filter(source=PLACE, topic=topic).select(pl.col("source") + "/" + pl.col("id"))
    tag(ws, ids.to_series().to_list(), "planted")
    base = (folder / "recipes" / "natural.yaml").read_text().replace("name: natural", "name: less")
    rule = f"  {PLACE}: {{filters: [{{where: 'not tags.planted'}}]}}"
    (folder / "recipes" / "less.yaml").write_text(base.replace(f"  {PLACE}: {{}}", rule))
    said = run(folder, "diversity", PLACE, "--recipe", "less")
    kept = said["recipes"]["less"]["kept"][PLACE]
    named = [row for row in kept["against"]["topics"] if row["lost"]]
    own = points.filter(source=PLACE)
    share = own.group_by("cluster").agg((pl.col("topic") == topic).mean().alias("share"), pl.len())
    print(f"lost topic {topic!r}: {len(named)} clusters named")
    for row in named:
        found = share.filter(cluster=row["cluster"]).row(0, named=True)
        print(
            f"  {row['label']}: {row['share']:.0%} of tokens kept, {found['share']:.0%} of its "
            f"{found['len']} documents are of the topic"
        )
    mostly = share.filter(pl.col("share") > 0.75)["cluster"].to_list()
    missed = set(mostly) - {row["cluster"] for row in named}
    print(f"  of {len(mostly)} clusters that are mostly of the topic {len(missed)} were not named")


def vendi(x: np.ndarray, share: np.ndarray) -> float:
    """Centred Vendi score of weighted vectors by their covariance, computed anew."""
    centred = x - share @ x
    values = np.linalg.eigvalsh((centred * share[:, None]).T @ centred)
    values = np.maximum(values / values.sum(), 1e-300)
    return float(np.exp(-(values * np.log(values)).sum()))


def gradient(ws: Workspace) -> None:
    recipe = load_recipe(ws, "natural")
    ground = ground_of_stored(stored_for(ws, recipe, DEFAULT))
    assert ground is not None
    weights = recipe.average_weights()
    told = mixture_breadth(ground, weights)
    vectors = {}
    for name in ground.sources:
        parts = [unit(read_vectors(part)) for part in require_embeddings(ws, name).parts]
        vectors[name] = np.concatenate(parts).astype(np.float64)
    x = np.concatenate(list(vectors.values()))

    def score(mixture: dict[str, float]) -> float:
        each = [np.full(len(v), mixture[n] / len(v)) for n, v in vectors.items()]
        return vendi(x, np.concatenate(each) / sum(mixture.values()))

    here = score(weights)
    print(f"mixture: Vendi {told.scores['vendi_1'].value:.3f}, from documents {here:.3f}")
    for name in ground.sources:
        more = {n: w * (1 - STEP) + STEP * (n == name) for n, w in weights.items()}
        gain = told.gains["vendi_1"][name]
        print(
            f"  1 % more {name:15} {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], from "
            f"documents {score(more) - here:+.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--topic", default="creature")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch, "w")
        if not folder.exists():
            run(folder, "init", "--sample")
            run(folder, "embed", "--sample", str(options.documents))
            run(folder, "map")
            run(folder, "diversity")
        ws = open_workspace(folder)
        points = placed(ws, folder)
        topics(points)
        lost(folder, ws, points, options.topic)
        gradient(ws)


if __name__ == "__main__":
    main()
