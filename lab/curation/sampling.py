"""Selection by chance in proportion to a score: temperature sampling (QuRating).

Keeping only the best documents narrows a corpus; Wettig et al. (2024, arXiv:2402.09739) instead
draw without replacement with probability proportional to exp(score / T). T -> 0 keeps the best,
T -> infinity draws evenly. The draw is made by the Gumbel trick (Kool et al. 2019,
arXiv:1903.06059): the documents with the largest keys

    score / T + g,   g = -log(-log u),   u uniform on (0, 1)

are exactly such a sample, of whatever size one cuts off. So the key is stored as a column,
`sample.NAME@T2.0-seed0` of score `quality.NAME`, and a rule on its percentile does the drawing:
`min_percentile: 80` keeps a fifth. A larger share contains the smaller one.

u comes from the content hash and the seed, not from a generator: the key of a document does not
depend on its place or its neighbours, and exact copies share it. Its bits are mixed apart from
those that choose the embedded sample, else the sample would avoid exactly the embedded documents.

T is in units of the score. QuRating's T = 2.0 is for scores with standard deviation 1; on a scale
with standard deviation s, T = 2 s is the same. Cost: 40 ns a document beside reading the scores.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, find, write_part
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.journal import writing
from lab.curation.quality import quality_columns, require_quality
from lab.diversity.embedding.embed import mix

STEP, VERSION = "sample", 1
COLUMN = re.compile(r"sample\.([a-z0-9][a-z0-9_-]{0,62})@T([0-9]+(?:\.[0-9]+)?)-seed([0-9]{1,9})")
TEMPERATURE = 2.0
APART = 0x5_A3B1E  # added to the seed: another stream than the embedded sample's

F64 = NDArray[np.float64]


def sample_column(name: str, temperature: float = TEMPERATURE, seed: int = 0) -> str:
    """The column of keys for score `name`."""
    return f"sample.{name}@T{temperature}-seed{seed}"


def parse_column(column: str) -> tuple[str, float, int]:
    """Score, temperature and seed of a column; ConfigError if it is none."""
    match = COLUMN.fullmatch(column)
    if match is None or not float(match[2]) > 0:
        raise ConfigError(
            "This is not a column of sampling keys.",
            value=column,
            next_step=f"write {sample_column('NAME')}, with a temperature above zero",
        )
    return match[1], float(match[2]), int(match[3])


def sampling_keys(score: F64, content_hash: pl.Series, temperature: float, seed: int) -> F64:
    """score / T + Gumbel noise of each document."""
    bits = mix(content_hash, seed + APART).to_numpy()
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    keys: F64 = score / temperature - np.log(-np.log(uniform))
    return keys


def require_sample(ws: Workspace, source: str, column: str) -> Artifact:
    """The artifact with `column` (`sample.NAME@T...-seed...`) of `source`, stored now if need be.

    Raises ConfigError for another column, ArtifactMissing if the score is not there.
    """
    name, temperature, seed = parse_column(column)
    scored, found = require_quality(ws, source, f"quality.{name}"), documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        for part, scores in zip(found.parts, scored.parts, strict=True):
            hashes = pl.read_parquet(part, columns=["content_hash"])["content_hash"]
            score = pl.read_parquet(scores, columns=[f"quality.{name}"]).to_series().to_numpy()
            keys = sampling_keys(score, hashes, temperature, seed)
            write_part(pl.DataFrame({column: keys}), folder / part.name)
        return {"source": source, "temperature": temperature, "seed": seed}

    inputs = [found.id, scored.id]
    stored = find(ws, STEP, VERSION, {"column": column}, inputs)
    if stored is not None:
        return stored
    with writing(ws.artifacts / STEP / "building.jsonl", column):  # pages may ask at the same time
        return build(ws, STEP, VERSION, {"column": column}, inputs, make)


def sample_columns(ws: Workspace, source: str) -> list[str]:
    """The usual column of every stored score; others are made when they are asked for."""
    return [sample_column(c.removeprefix("quality.")) for c in quality_columns(ws, source)]
