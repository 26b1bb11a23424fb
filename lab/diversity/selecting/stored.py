"""A selection of a source, stored beside its documents, so that a recipe can use it as a rule.

Step "selections", aligned with the documents' parts: a column of words, `kept` or why not, and
`order`, the place in which a kept document was chosen (from 0). The column is named by method,
budget and seed, and by a digest where another setting was changed:

    {signal: selected.d4@keep0.5-seed0, in: [kept]}                   documents without a vector go
    {signal: selected.d4@keep0.5-seed0, in: [kept, not embedded]}     they stay, unlooked at

Embeddings are most often of a sample, so what happens to the rest (`not embedded`) is written in
the rule and never guessed. Held-out documents are in no pool and say so, nor are those that the
recipe drops among whose documents was chosen, if one was named. The manifest is the report:
documents and tokens by reason, seconds, what it did (`report`), and `read` and `pool`, which name
what the choice was made from, so that it can be seen whether that has changed
(`lab.mixture.selections`).

Vectors stay on disk (`vectors`); ids, tokens and reasons of a source's documents are in memory,
some 200 bytes each.
"""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lab.core.artifacts import Artifact, asked_now, asked_when, build, load, write_part
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.files import digest
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.diversity.embedding.embed import mix
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.index import all_ids
from lab.diversity.embedding.stored import require_embeddings
from lab.diversity.selecting.choose import KEPT, Chosen, check_settings, choose
from lab.diversity.selecting.report import before_and_after
from lab.diversity.selecting.vectors import Stored, pieces

STEP, VERSION = "selections", 3
PREFIX = "selected."
USUAL: dict[str, Any] = {"balance": 0.5, "encoder": DEFAULT, "seed": 0}
NOT_EMBEDDED, HELD_OUT, DROPPED = "not embedded", "held out", "dropped by the recipe"
APART = 0x7_1C0DE  # added to the seed: another stream than the embedded sample's


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a selection: `keep` (a share of the tokens) or `tokens`; `quality` is a column's
    name, "" for none; `recipe` names the one among whose documents is chosen, "" for all.
    """

    method: str
    keep: float | None = None
    tokens: int | None = None
    quality: str = ""
    balance: float = 0.5
    encoder: str = DEFAULT
    seed: int = 0
    recipe: str = ""

    @property
    def column(self) -> str:
        """The column's name."""
        size = f"keep{self.keep:g}" if self.tokens is None else f"tokens{self.tokens}"
        other = [self.quality, self.balance, self.encoder]
        plain = other == ["", 0.5, DEFAULT] and not self.recipe
        mark = "" if plain else f"-{digest([*other, self.recipe])[:6]}"
        return f"{PREFIX}{self.method}@{size}-seed{self.seed}{mark}"


def select(
    ws: Workspace,
    source: str,
    frame: pl.DataFrame,
    settings: Settings,
    read: Mapping[str, str],
    pool: Mapping[str, Any],
    progress: Progress = SILENT,
) -> Artifact:
    """Choose among the embedded training documents of `source`, and store the selection.

    `frame` has id, heldout, tokens, content_hash, `kept` (by the recipe that the settings name)
    and, if they name one, `quality`; `read` are the artifacts it comes from by what they are,
    `pool` what the recipe says of this source. What it keeps is part of the selection's id,
    whatever it follows from (0.4 s a million documents). One that is stored already is the newest
    again. Raises ConfigError for settings that make no sense or a budget that nothing fits,
    ArtifactMissing without embeddings, DataError if no training document may be chosen.
    """
    check(settings)
    embeddings = require_embeddings(ws, source, settings.encoder)
    found = documents(ws, source)

    def make(folder: Path) -> dict[str, Any]:
        known, vectors = candidates(source, embeddings, frame, settings.seed)
        budget, whole = budget_of(known, vectors, settings)
        quality = known["quality"].to_numpy() if settings.quality else None
        started = time.monotonic()
        chosen = choose(
            settings.method,
            vectors,
            known["tokens"].to_numpy(),
            known["key"].to_numpy(),
            budget=budget,
            quality=quality,
            balance=settings.balance,
            seed=settings.seed,
            progress=progress.part(0, 0.8),
        )
        seconds = time.monotonic() - started
        progress(0.8, 1, "measuring breadth before and after")
        counts = write(folder, found, frame, with_reasons(known, chosen), settings)
        return {
            "source": source,
            "column": settings.column,
            "method": settings.method,
            "quality": settings.quality,
            "budget": budget,
            "candidate_tokens": whole,
            "choosing_seconds": round(seconds, 3),
            "reasons": counts,
            "read": {"documents": found.id, "embeddings": embeddings.id, **read},
            "pool": dict(pool),
            **before_and_after(found, known, vectors, chosen.rows, quality),
        }

    among = [digest(pool), digest(frame.filter("kept")["id"].to_list())] if pool else []
    ids = [found.id, embeddings.id, *read.values(), *among]
    return asked_now(build(ws, STEP, VERSION, asdict(settings), ids, make))


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
    if settings.balance != USUAL["balance"] and not scored:
        raise ConfigError(
            "Without a quality there is nothing to balance diversity against.",
            where="select.balance", value=settings.balance, next_step="name a column: --quality",
        )  # fmt: skip
    check_settings(settings.method, settings.tokens or 0, settings.balance, scored)


def candidates(
    source: str, embeddings: Artifact, frame: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, Stored]:
    """The embedded training documents that the recipe keeps, with `key`, their place by chance, and
    their vectors.
    """
    ids = all_ids(embeddings.path).to_frame("id").with_row_index("row")
    able = frame.filter(~pl.col("heldout") & pl.col("kept"))
    pool = ids.join(able, on="id", maintain_order="left")
    if pool.is_empty():
        raise DataError(
            f"No training document of {source!r} that may be chosen is embedded.",
            where=f"source {source}",
            next_step=f"`mixlab embed --source {source}` with a larger sample",
        )
    placed = pool.with_columns(mixed=mix(pool["content_hash"], seed + APART)).sort("mixed", "id")
    keyed = placed.with_row_index("key").sort("row")
    return keyed, Stored(embeddings.path, keyed["row"].to_numpy().astype(np.int64))


def budget_of(pool: pl.DataFrame, vectors: Stored, settings: Settings) -> tuple[int, int]:
    """Tokens: the number given, or that share of the documents that have a vector; and of these.

    ConfigError for a budget in which none of them fits: a rule on what it keeps would keep nothing.
    """
    some = np.concatenate([piece.any(axis=1) for _, piece in pieces(vectors)])
    tokens = pool["tokens"].to_numpy()[some]
    total = int(tokens.sum())
    share = int(np.floor((settings.keep or 0) * total + 1e-9))
    budget = share if settings.tokens is None else settings.tokens
    if len(tokens) and (least := int(tokens.min())) > budget:
        raise ConfigError(
            f"No document fits the budget: the shortest of {len(tokens):,} that may be chosen has "
            f"{least:,} tokens.",
            where="select.keep" if settings.tokens is None else "select.tokens",
            value=budget,
            next_step=f"--tokens {least} keeps that one",
        )
    return budget, total


def with_reasons(pool: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """Columns id, reason, order of the pool, and quality if there is one."""
    order = np.full(pool.height, -1, np.int64)
    order[chosen.rows] = np.arange(len(chosen.rows))
    place = pl.Series("order", order).replace({-1: None}).cast(pl.UInt32)
    reasons = pl.Series("reason", chosen.reasons.tolist(), pl.String)
    scored = [name for name in ("quality",) if name in pool.columns]
    return pool.select("id", *scored).with_columns(reasons, place)


def write(
    folder: Path, found: Artifact, frame: pl.DataFrame, verdicts: pl.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """Write the parts; documents and tokens by reason, the largest first."""
    known = frame.select("id", "heldout", "kept", "tokens").join(verdicts, on="id", how="left")
    without = (
        pl.when("heldout")
        .then(pl.lit(HELD_OUT))
        .when(~pl.col("kept"))
        .then(pl.lit(DROPPED))
        .otherwise(pl.lit(NOT_EMBEDDED))
    )
    known = known.with_columns(pl.coalesce("reason", without).alias("reason"))
    wanted = ["order", "tokens", *(["quality"] if settings.quality else [])]
    for part in found.parts:
        ids = pl.read_parquet(part, columns=["id"])
        own = ids.join(known, on="id", how="left", maintain_order="left")
        column = pl.col("reason").alias(settings.column)
        write_part(own.select(column, *wanted), folder / part.name)
    counts = known.group_by("reason").agg(documents=pl.len(), tokens=pl.col("tokens").sum())
    return counts.sort("documents", "reason", descending=[True, False]).to_dicts()


def require_selected(ws: Workspace, source: str, column: str) -> Artifact:
    """The selection of that name asked for last among the present documents; ArtifactMissing
    without one.

    What was embedded, scored or ruled since does not take it away: a selection is a decision, and
    stays until `mixlab select` is run again. `lab.mixture.selections` says what has changed.
    """
    listed = [a for a in every_selection(ws, source) if a.manifest["column"] == column]
    fitting = [a for a in listed if of_present_documents(ws, a)]
    if not fitting and listed:
        raise ArtifactMissing(
            f"The selection {column!r} was made before the documents of {source!r} changed.",
            where=f"source {source}",
            value=column,
            next_step=f"`{command_of(newest(listed))}` chooses again",
        )
    if not fitting:
        raise ArtifactMissing(
            f"There is no selection {column!r} of the present documents of {source!r}.",
            where=f"source {source}",
            value=column,
            next_step=f"`mixlab select {source} --method METHOD --keep SHARE`",
        )
    return newest(fitting)


def get_selection(ws: Workspace, key: str) -> Artifact:
    """The selection of that id; ArtifactMissing without it."""
    if (found := load(ws.artifacts / STEP / key)) is None:
        raise ArtifactMissing(
            "There is no such selection.",
            where=str(ws.artifacts / STEP),
            value=key,
            next_step="`mixlab selections` lists those that are stored",
        )
    return found


def selected_columns(ws: Workspace, source: str) -> list[str]:
    """Columns of the selections of a source's present documents."""
    found = [a for a in every_selection(ws, source) if of_present_documents(ws, a)]
    return sorted({str(a.manifest["column"]) for a in found})


def every_selection(ws: Workspace, source: str) -> list[Artifact]:
    """All selections of a source, also of documents that have changed since, by id."""
    paths = sorted((ws.artifacts / STEP).glob("[!.]*/manifest.json"))
    found = [load(path.parent) for path in paths]
    return [
        artifact
        for artifact in found
        if artifact is not None
        and artifact.manifest["version"] == VERSION
        and artifact.manifest["source"] == source
    ]


def newest_selections(ws: Workspace, source: str) -> list[Artifact]:
    """The newest of each column, the latest first: those that a rule would read."""
    current = get_source(ws, source).documents
    by_column: dict[str, list[Artifact]] = {}
    for artifact in every_selection(ws, source):
        by_column.setdefault(str(artifact.manifest["column"]), []).append(artifact)
    found = []
    for same in by_column.values():
        present = [a for a in same if a.manifest["inputs"][0] == current]
        found.append(newest(present or same))
    return sorted(found, key=asked_when, reverse=True)


def newest(found: Sequence[Artifact]) -> Artifact:
    """The one asked for last."""
    return max(found, key=asked_when)


def of_present_documents(ws: Workspace, artifact: Artifact) -> bool:
    """True if its rows are those of the source's present documents."""
    current = get_source(ws, str(artifact.manifest["source"])).documents
    return bool(artifact.manifest["inputs"][0] == current)


def command_of(artifact: Artifact) -> str:
    """The command that makes this selection anew."""
    config = artifact.manifest["config"]
    said = ["mixlab", "select", artifact.manifest["source"], "--method", config["method"]]
    for name in ("keep", "tokens", "quality", "recipe"):
        said += [f"--{name}", str(config[name])] if config[name] else []
    for name, value in USUAL.items():
        said += [f"--{name}", str(config[name])] if config[name] != value else []
    return shlex.join(said)


__all__ = ["KEPT", "Settings", "require_selected", "select", "selected_columns"]
