"""Documents for a prompt: the nearest to a query, put in order for breadth, in a window of tokens.

    1. the `k` embedded documents closest in meaning (`embedding.nearest`); the query's cosine is
       the relevance
    2. re-ranking among them by a method of the table: `mmr` (Carbonell and Goldstein 1998, made for
       this), `dpp`, `facility`, `quality-diversity` or `none`, which leaves them as they are
    3. the window: all that fits, one after another, passing over what does not (`problem.pack`)

Nearest documents of a corpus with copies are copies: a prompt of five that say the same holds one.
Only embedded documents can be found, so every answer says how many of how many were searched. What
it cannot see: whether a document answers the query, and what stands behind a document's first 256
word pieces. A window of the tokenizer's tokens, without what a prompt puts between documents.
Cost: the search, then k^2 cosines, milliseconds for k = 50.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokens import require_tokens
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.index import all_ids, gather, open_vectors
from lab.diversity.embedding.nearest import (
    Nearest,
    nearest_to_document,
    nearest_to_text,
    stored,
)
from lab.diversity.embedding.stored import F32
from lab.diversity.selecting.choose import check_settings
from lab.diversity.selecting.methods import METHODS
from lab.diversity.selecting.problem import Problem, Rows, pack

NONE = "none"
WAYS = (NONE, "mmr", "dpp", "facility", "quality-diversity")
SCHEMA = {
    "query": pl.String,
    "rank": pl.UInt32,
    "id": pl.String,
    "source": pl.String,
    "similarity": pl.Float32,
    "nearest_rank": pl.UInt32,
    "tokens": pl.UInt32,
    "heldout": pl.Boolean,
    "text": pl.String,
    "meta": pl.String,
}
WINDOWS = {
    "query": pl.String,
    "like": pl.Boolean,  # the query is the id of a document
    "found": pl.UInt32,  # documents to choose among
    "shortest": pl.UInt32,  # tokens of the shortest of them
    "documents": pl.UInt32,
    "tokens": pl.UInt32,
}


@dataclass(frozen=True, slots=True)
class Window:
    """How a window is filled: from the `k` nearest documents in the order of `way`, with at most
    `tokens` of the tokenizer's; `balance` is the weight of similarity beside diversity.
    """

    tokenizer: str
    k: int = 50
    way: str = "mmr"
    balance: float = 0.5
    tokens: int = 4096
    encoder: str = DEFAULT


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """`frame`: columns of `SCHEMA`, per query by rank (from 1, the order chosen); `nearest_rank` is
    that by similarity alone. `windows`: columns of `WINDOWS`, a row a query. `counts`: source,
    searched, documents, as of `embedding.nearest`.
    """

    frame: pl.DataFrame
    windows: pl.DataFrame
    counts: pl.DataFrame
    window: Window


def retrieve(
    ws: Workspace,
    sources: Sequence[str],
    queries: Sequence[str],
    window: Window,
    like: Sequence[str] = (),
) -> Retrieved:
    """A window for each query, then one for each document of `like` (ids), filled with what is
    nearest to that document, without it.

    Raises ConfigError for nothing to ask, an unknown way or document, a balance outside [0, 1) or
    a query without words, ArtifactMissing where no source is embedded or tokens are not counted,
    DependencyMissing for an encoder that cannot embed a query here.
    """
    check(queries, like, window)
    found = [
        *((q, False, nearest_to_text(ws, sources, q, window.k, window.encoder)) for q in queries),
        *((i, True, nearest_to_document(ws, sources, i, window.k, window.encoder)) for i in like),
    ]
    filled = [fill_window(ws, query, answer, window) for query, _, answer in found]
    rows = [
        (query, is_like, len(near), near["tokens"].min(), len(own), own["tokens"].sum())
        for (query, is_like, _), (near, own) in zip(found, filled, strict=True)
    ]
    return Retrieved(
        pl.concat([own for _, own in filled]),
        pl.DataFrame(rows, schema=WINDOWS, orient="row"),
        found[0][2].counts,  # of all queries: the same sources
        window,
    )


def check(queries: Sequence[str], like: Sequence[str], window: Window) -> None:
    """ConfigError for what cannot be asked."""
    if window.way not in WAYS:
        raise ConfigError(
            "Unknown way to diversify.", value=window.way, next_step=nearest(window.way, WAYS)
        )
    check_settings("mmr", window.tokens, window.balance, True)
    for query in queries:
        if not query.strip():
            raise ConfigError("A query has words.", where="query", value=query)
    if not queries and not like:
        raise ConfigError(
            "Nothing is asked.", next_step="give a query in words, or a document: --like SOURCE/ID"
        )


def nothing_fits(shortest: int | None, tokens: int) -> str:
    """Why a window is empty: what the shortest document found has, and what the window holds."""
    if shortest is None:
        return "Nothing was found: no other document is embedded."
    return (
        f"Nothing fits: every document found is longer than the window of {tokens:,} "
        f"token{'s' * (tokens > 1)}; the shortest has {shortest:,}."
    )


def fill_window(
    ws: Workspace, query: str, closest: Nearest, window: Window
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The documents found, and what of them one query brings into its window."""
    frame = with_documents(ws, closest.frame, window.tokenizer)
    tokens = frame["tokens"].to_numpy().astype(np.int64)
    problem = Problem(
        vectors_by_row(ws, frame, window.encoder),
        tokens,
        int(tokens.sum()),
        frame["similarity"].to_numpy().astype(np.float64).clip(0, 1),
        window.balance,
    )
    picked = frame[pack(rerank(window.way, problem), tokens, window.tokens)]
    ranked = picked.with_row_index("rank", 1).with_columns(query=pl.lit(query, pl.String))
    return frame, ranked.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def rerank(way: str, problem: Problem) -> Rows:
    """All rows of the problem, in the order of `way`."""
    if way == NONE or not len(problem):
        return np.arange(len(problem))
    return METHODS[way].order(problem)


def with_documents(ws: Workspace, frame: pl.DataFrame, tokenizer: str) -> pl.DataFrame:
    """Add heldout, text, meta, tokens and nearest_rank; of other documents only ids are read."""
    own = ("id", "heldout", "text", "meta")
    kinds = {name: SCHEMA[name] for name in (*own, "tokens")}
    found = [pl.DataFrame(schema=kinds)]
    for source in frame["source"].unique(maintain_order=True):
        ids = frame.filter(pl.col("source") == source)["id"]
        wanted = pl.col("id").is_in(ids.implode())
        texts = documents(ws, source).scan().filter(wanted).select(own)
        tokens = require_tokens(ws, source, tokenizer).scan().filter(wanted).select("id", "tokens")
        both = texts.join(tokens, on="id").collect()
        found.append(both.select(pl.col(name).cast(kind) for name, kind in kinds.items()))
    joined = frame.join(pl.concat(found), on="id", how="left", maintain_order="left")
    return joined.with_row_index("nearest_rank", 1)


def vectors_by_row(ws: Workspace, frame: pl.DataFrame, encoder: str) -> F32:
    """The stored unit vectors of the frame's documents, in its order."""
    pieces, places = [np.zeros((0, 0), np.float32)], [np.zeros(0, np.int64)]
    names = frame["source"].unique().sort().to_list()
    for source, artifact in (stored(ws, names, encoder) if names else {}).items():
        own = np.flatnonzero((frame["source"] == source).to_numpy())
        ids = pl.DataFrame({"id": all_ids(artifact.path)}).with_row_index("row")
        rows = frame[own].select("id").join(ids, on="id", how="left", maintain_order="left")["row"]
        pieces.append(gather(open_vectors(artifact.path), rows.to_numpy().astype(np.int64)))
        places.append(own)
    filled = [piece for piece in pieces if len(piece)]
    if not filled:
        return pieces[0]
    joined: F32 = np.concatenate(filled)[np.argsort(np.concatenate(places))]
    return joined
