"""What edits do to a source: counted over all documents once they are made, estimated before.

Edited texts are an artifact (`lab.curation.edits.documents`), whose manifest counts what changed.
Before they are made, the edits run here on `SAMPLE` documents: rows drawn evenly from at most
`PARTS` parts, the first 50,000 characters of each. Wilson's interval (1927) stands on the share of
documents that change; of a source kept in an order that matters the parts drawn may differ from the
rest, so the estimate decides whether to make the edit, not more. Cost: 0.1 to 0.3 s for a source
that has not been sampled, nothing afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokens import require_tokens
from lab.curation.edits import apply_edits, require_edits
from lab.curation.edits.registry import identity
from lab.diversity.breadth.measures import wilson

SAMPLE = 300  # documents
PARTS = 6
READ = 50_000  # characters of a document that an estimate reads
TOKENS_A_SECOND = 0.8e6  # see lab.corpus.tokens
EDITS_A_SECOND = 10_000  # documents and edit; see the modules of the edits


@dataclass(frozen=True, slots=True)
class Effect:
    """What edits change in a source. `of` is the number of documents looked at: all of `documents`
    if it is counted. Tokens are None until they are counted.
    """

    source: str
    documents: int
    of: int
    changed: int
    emptied: int
    characters: int
    removed: int
    tokens: int | None = None
    tokens_after: int | None = None

    @property
    def counted(self) -> bool:
        """True if every document was looked at."""
        return self.of == self.documents

    @property
    def share(self) -> Estimate:
        """Share of documents that change."""
        if self.counted:
            exact = self.changed / max(self.of, 1)
            return Estimate(exact, exact, exact, self.of)
        return wilson(self.changed, self.of)


def find_edited(ws: Workspace, source: str, edits: Sequence[str]) -> Artifact | None:
    """The stored texts after exactly these edits, or None."""
    try:
        return require_edits(ws, source, edits)
    except ArtifactMissing:
        return None


def effect_of(ws: Workspace, source: str, edits: Sequence[str], tokenizer: str) -> Effect:
    """The effect of edits on a source, counted if they are made, else estimated."""
    made, found = find_edited(ws, source, edits), documents(ws, source)
    if made is None:
        return sampled_effect(ws, source, tuple(identity(edits)), found.id)
    before, after = tokens_of(ws, source, tokenizer, made)
    counts = {k: int(made.manifest[k]) for k in ("documents", "changed", "emptied")}
    return Effect(
        source=source,
        of=counts["documents"],
        characters=characters_of(found, found.id),
        removed=int(made.manifest["removed_chars"]),
        tokens=before,
        tokens_after=after,
        **counts,
    )


def tokens_of(
    ws: Workspace, source: str, tokenizer: str, made: Artifact
) -> tuple[int | None, int | None]:
    """Tokens before and after, None where they have not been counted."""
    if not tokenizer:
        return None, None
    found: list[int | None] = []
    for of in (None, made):
        try:
            found.append(int(require_tokens(ws, source, tokenizer, of).manifest["tokens"]))
        except ArtifactMissing:
            found.append(None)
    return found[0], found[1]


@st.cache_data(max_entries=256, show_spinner=False)
def characters_of(_artifact: Artifact, key: str) -> int:
    """Characters of all texts of the documents with id `key`: one pass, 0.3 s a GB."""
    return int(_artifact.scan().select(pl.col("text").str.len_chars().sum()).collect().item() or 0)


@st.cache_data(max_entries=256, show_spinner=False)
def sampled_effect(_ws: Workspace, source: str, edits: tuple[str, ...], key: str) -> Effect:
    """The effect of edits (NAME@VERSION) on the sample of the documents with id `key`."""
    names = [edit.partition("@")[0] for edit in edits]
    total = int(documents(_ws, source).scan().select(pl.len()).collect().item())
    text = sample_texts(_ws, source, key)["text"]
    edited = apply_edits(text, names)
    changed = edited != text
    return Effect(
        source=source,
        documents=total,
        of=len(text),
        changed=int(changed.sum()),
        emptied=int((changed & (edited == "")).sum()),
        characters=int(text.str.len_chars().sum()),
        removed=int(removed_of(text, edited).sum()),
    )


def removed_of(text: pl.Series, edited: pl.Series) -> pl.Series:
    """Characters by which each text becomes shorter."""
    before, after = (s.str.len_chars().cast(pl.Int64) for s in (text, edited))
    return (before - after).clip(lower_bound=0)


@st.cache_resource(max_entries=16, show_spinner=False)
def sample_texts(_ws: Workspace, source: str, key: str) -> pl.DataFrame:
    """Columns id, text of `SAMPLE` documents of the documents artifact `key`: always the same."""
    parts, rng = documents(_ws, source).parts, np.random.default_rng(0)
    chosen = sorted(rng.choice(len(parts), min(PARTS, len(parts)), replace=False))
    frames = []
    for place, part in enumerate(chosen):
        scan = pl.scan_parquet(parts[part])
        height = int(scan.select(pl.len()).collect().item())
        wanted = SAMPLE * (place + 1) // len(chosen) - SAMPLE * place // len(chosen)
        rows = np.sort(rng.choice(height, min(wanted, height), replace=False))
        text = pl.col("text").gather(rows).str.slice(0, READ)
        frames.append(scan.select(pl.col("id").gather(rows), text).collect())
    return pl.concat(frames)


def seconds_to_make(effect: Effect, edits: Sequence[str], tokens: int | None) -> float:
    """About how long making the edits takes on one core."""
    edit = effect.documents * len(edits) / EDITS_A_SECOND
    return edit + (tokens or effect.documents * 400) / TOKENS_A_SECOND
