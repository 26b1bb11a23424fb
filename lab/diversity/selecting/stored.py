"""A selection of a source, stored beside its documents, so that a recipe can use it as a rule.

Step "selections", aligned with the documents' parts: a column of words, `kept` or why not, and
`order`, the place in which a kept document was chosen (from 0). The column is named by method,
budget and seed, and by a digest where another setting was changed:

    {signal: selected.d4@keep0.5-seed0, in: [kept]}                   documents without a vector go
    {signal: selected.d4@keep0.5-seed0, in: [kept, not embedded]}     they stay, unlooked at

Embeddings are most often of a sample, so what happens to the rest (`not embedded`) is written in
the rule and never guessed. Held-out documents are in no pool and say so. The manifest is the
report: documents and tokens by reason, seconds, and the panel of breadth before and after at one n,
with the mean of the quality beside it.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact, build, load, write_part
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.files import digest, read_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.diversity.breadth.measures import SIZE, panel
from lab.diversity.embedding.embed import mix
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import F32, load_vectors, require_embeddings
from lab.diversity.selecting.choose import KEPT, Chosen, check_settings, choose

STEP, VERSION = "selections", 1
PREFIX = "selected."
NOT_EMBEDDED, HELD_OUT = "not embedded", "held out"
APART = 0x7_1C0DE  # added to the seed: another stream than the embedded sample's


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a selection: `keep` (a share of the tokens) or `tokens`; `quality` is a column's
    name, "" for none.
    """

    method: str
    keep: float | None = None
    tokens: int | None = None
    quality: str = ""
    balance: float = 0.5
    encoder: str = DEFAULT
    seed: int = 0

    @property
    def column(self) -> str:
        """The column's name."""
        size = f"keep{self.keep:g}" if self.tokens is None else f"tokens{self.tokens}"
        other = [self.quality, self.balance, self.encoder]
        mark = "" if other == ["", 0.5, DEFAULT] else f"-{digest(other)[:6]}"
        return f"{PREFIX}{self.method}@{size}-seed{self.seed}{mark}"


def select(
    ws: Workspace,
    source: str,
    frame: pl.DataFrame,
    settings: Settings,
    inputs: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Artifact:
    """Choose among the embedded training documents of `source`, and store the selection.

    `frame` has id, heldout, tokens, content_hash and, if the settings name one, `quality`;
    `inputs` are the artifacts it was read from. Raises ConfigError for settings that make no sense,
    ArtifactMissing without embeddings, DataError if no training document has a vector.
    """
    check(settings)
    embeddings = require_embeddings(ws, source, settings.encoder)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        pool, vectors = candidates(source, embeddings, frame, settings.seed)
        budget = budget_of(pool, vectors, settings)
        quality = pool["quality"].to_numpy() if settings.quality else None
        started = time.monotonic()
        chosen = choose(
            settings.method,
            vectors,
            pool["tokens"].to_numpy(),
            pool["key"].to_numpy(),
            budget=budget,
            quality=quality,
            balance=settings.balance,
            seed=settings.seed,
            progress=progress.part(0, 0.8),
        )
        seconds = time.monotonic() - started
        progress(0.8, 1, "measuring breadth before and after")
        verdicts = with_reasons(pool, chosen)
        counts = write(folder, found, frame, verdicts, settings.column)
        return {
            "source": source,
            "column": settings.column,
            "method": settings.method,
            "quality": settings.quality,
            "budget": budget,
            "choosing_seconds": round(seconds, 3),
            "reasons": counts,
            **before_and_after(vectors, chosen, quality),
        }

    ids = [found.id, embeddings.id, *inputs]
    return build(ws, STEP, VERSION, asdict(settings), ids, make)


def check(settings: Settings) -> None:
    """ConfigError unless there is one budget and the method can be run."""
    if (settings.keep is None) == (settings.tokens is None):
        raise ConfigError(
            "A selection has one budget: a share to keep or a number of tokens.",
            where="select",
            value={"keep": settings.keep, "tokens": settings.tokens},
            next_step="--keep 0.5, or --tokens 1000000",
        )
    if settings.keep is not None and not 0 < settings.keep <= 1:
        raise ConfigError(
            "The share to keep lies above 0 and up to 1.", where="select.keep", value=settings.keep
        )
    scored = bool(settings.quality)
    check_settings(settings.method, settings.tokens or 0, settings.balance, scored)


def candidates(
    source: str, embeddings: Artifact, frame: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, F32]:
    """The embedded training documents with `key`, their place by chance, and their vectors."""
    ids, vectors = load_vectors(embeddings)
    training = frame.filter(~pl.col("heldout"))
    pool = ids.to_frame("id").with_row_index("row").join(training, on="id", maintain_order="left")
    if pool.is_empty():
        raise DataError(
            f"No training document of {source!r} is embedded.",
            where=f"source {source}",
            next_step=f"`mixlab embed --source {source}` with a larger sample",
        )
    placed = pool.with_columns(mixed=mix(pool["content_hash"], seed + APART)).sort("mixed", "id")
    keyed = placed.with_row_index("key").sort("row")
    return keyed, vectors[keyed["row"].to_numpy()]


def budget_of(pool: pl.DataFrame, vectors: F32, settings: Settings) -> int:
    """Tokens: the number given, or that share of the documents that have a vector."""
    if settings.tokens is not None:
        return settings.tokens
    total = int(pool["tokens"].to_numpy()[vectors.any(axis=1)].sum())
    return int(np.floor((settings.keep or 0) * total + 1e-9))


def with_reasons(pool: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """Columns id, reason, order of the pool."""
    order = np.full(pool.height, -1, np.int64)
    order[chosen.rows] = np.arange(len(chosen.rows))
    place = pl.Series("order", order).replace({-1: None}).cast(pl.UInt32)
    reasons = pl.Series("reason", chosen.reasons.tolist(), pl.String)
    return pool.select("id").with_columns(reasons, place)


def write(
    folder: Path, found: Artifact, frame: pl.DataFrame, verdicts: pl.DataFrame, column: str
) -> list[dict[str, Any]]:
    """Write the parts; documents and tokens by reason, the largest first."""
    known = frame.select("id", "heldout", "tokens").join(verdicts, on="id", how="left")
    without = pl.when("heldout").then(pl.lit(HELD_OUT)).otherwise(pl.lit(NOT_EMBEDDED))
    known = known.with_columns(pl.coalesce("reason", without).alias("reason"))
    for part in found.parts:
        ids = pl.read_parquet(part, columns=["id"])
        own = ids.join(known, on="id", how="left", maintain_order="left")
        write_part(own.select(pl.col("reason").alias(column), "order"), folder / part.name)
    counts = known.group_by("reason").agg(documents=pl.len(), tokens=pl.col("tokens").sum())
    return counts.sort("documents", "reason", descending=[True, False]).to_dicts()


def before_and_after(vectors: F32, chosen: Chosen, quality: NDArray[Any] | None) -> dict[str, Any]:
    """The panel of all candidates and of the chosen, at one n; and the means of the quality."""
    able = vectors[vectors.any(axis=1)]
    size = min(SIZE, len(chosen.rows))
    found: dict[str, Any] = {"before": {}, "after": {}}
    if size > 1:
        for name, some in (("before", able), ("after", vectors[chosen.rows])):
            found[name] = {k: asdict(e) for k, e in panel(some, size=size).items()}
    if quality is not None and len(chosen.rows):
        means = {"before": float(quality.mean()), "after": float(quality[chosen.rows].mean())}
        found["quality_mean"] = means
    return found


def require_selected(ws: Workspace, source: str, column: str) -> Artifact:
    """The newest selection of that name among the present documents; ArtifactMissing without one.

    Embeddings made since do not make it stale: a selection is a decision, and stays until
    `mixlab select` is run again.
    """
    fitting = [a for a in stored_selections(ws, source) if a.manifest["column"] == column]
    if not fitting:
        raise ArtifactMissing(
            f"There is no selection {column!r} of the present documents of {source!r}.",
            where=f"source {source}",
            value=column,
            next_step=f"`mixlab select {source} --method METHOD --keep SHARE`",
        )
    return max(fitting, key=lambda a: (str(a.manifest["created"]), a.id))


def selected_columns(ws: Workspace, source: str) -> list[str]:
    """Columns of the stored selections of a source."""
    return sorted({str(a.manifest["column"]) for a in stored_selections(ws, source)})


def stored_selections(ws: Workspace, source: str) -> list[Artifact]:
    """All selections of the present documents, by id."""
    current = get_source(ws, source).documents
    paths = sorted((ws.artifacts / STEP).glob("[!.]*/manifest.json"))
    own = [path.parent for path in paths if read_json(path)["inputs"][0] == current]
    return [artifact for path in own if (artifact := load(path)) is not None]


__all__ = ["KEPT", "Settings", "require_selected", "select", "selected_columns"]
