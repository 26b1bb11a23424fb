"""Which documents a recipe keeps: one pass from stored attributes to a verdict per document.

In this order, because each step must see only what the one before it left: rules of the source,
benchmark contamination, duplicates (the keeper is chosen among documents that passed, so a rule can
never delete the only kept copy), extra rules of each phase. Held-out documents are set aside first
and belong to no pool. Nothing is deleted: a verdict is a bit mask, and every document keeps all the
reasons it fell. Cost: 0.2 s for a million documents and five rules on one core (2026-11).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attributes, contaminated, duplicate_groups
from lab.curation.duplicates import DedupConfig, keepers
from lab.curation.duplicates.groups import group
from lab.curation.filters import Rule, fail_mask
from lab.mixture.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on all documents of a source, in document order.

    `frame` has id, tokens, heldout, content_hash, `mask` (UInt64: bit i = rule i fails, then one
    bit for contamination and one for duplicates where the recipe asks for them), `kept` (Boolean)
    and `pattern` (UInt64: bit k = in the pool of phase k) and one `phase_mask_K` per phase with
    rules of its own. `reasons` names the bits of `mask`.
    """

    source: str
    frame: pl.DataFrame
    rules: tuple[Rule, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Per phase and source, the row numbers (int64, sorted) of the training documents kept."""

    phases: tuple[Mapping[str, NDArray[np.int64]], ...]


def judge(ws: Workspace, recipe: Recipe) -> dict[str, Verdicts]:
    """Verdicts per source. Raises ArtifactMissing naming the command for what is not measured."""
    frames = {name: apply_rules(ws, recipe, name) for name in recipe.sources}
    if recipe.dedup:
        drop_duplicates(ws, recipe, frames)
    return {
        name: Verdicts(
            name,
            add_patterns(recipe, name, frame),
            recipe.rules(name),
            reasons(recipe, name),
        )
        for name, frame in frames.items()
    }


def reasons(recipe: Recipe, source: str) -> tuple[str, ...]:
    """What each bit of `mask` means, in words."""
    words = [rule.words() for rule in recipe.rules(source)]
    if recipe.decontaminate:
        words.append(f"shares {recipe.decontaminate.ngram} words with a benchmark item")
    if recipe.dedup:
        words.append("duplicate of a kept document")
    return tuple(words)


def apply_rules(ws: Workspace, recipe: Recipe, source: str) -> pl.DataFrame:
    """Attributes of a source with `mask` filled in by its rules and by contamination."""
    rules = recipe.rules(source)
    phase_rules = [phase.filters.get(source, ()) for phase in recipe.mixture.phases]
    columns = recipe.signals(source)
    frame = attributes(ws, source, columns, recipe.tokenizer or default_tokenizer(ws))
    mask = fail_mask(frame, rules)
    if recipe.decontaminate:
        names, ngram = recipe.decontaminate.benchmarks, recipe.decontaminate.ngram
        mask = set_bit(mask, len(rules), contaminated(ws, source, names, ngram))
    extra = {f"phase_mask_{k}": fail_mask(frame, rs) for k, rs in enumerate(phase_rules) if rs}
    return frame.drop(columns).with_columns(
        mask=mask, kept=~frame["heldout"] & (mask == 0), **extra
    )


def set_bit(mask: pl.Series, bit: int, where: pl.Series) -> pl.Series:
    """`mask` with `bit` set where `where` is true."""
    if bit > 63:
        raise ConfigError("A source can have at most 62 rules.", value=bit, next_step="merge some")
    flag = pl.Series(where.to_numpy().astype(np.uint64) << np.uint64(bit))
    combined: pl.Series = mask | flag
    return combined


def drop_duplicates(ws: Workspace, recipe: Recipe, frames: dict[str, pl.DataFrame]) -> None:
    """Clear `kept` and set the last bit for documents whose copy is kept elsewhere."""
    columns = ["id", "source", "content_hash", "heldout", "kept"]
    joined = pl.concat([frame.select(columns) for frame in frames.values()])
    dedup = recipe.dedup
    assert dedup is not None
    grouped = with_groups(ws, joined, dedup)
    candidates = grouped.with_row_index("row").filter("kept")
    stays = candidates.filter(keepers(candidates, dedup.keep))["row"]
    dropped = grouped["kept"].to_numpy().copy()
    dropped[stays.to_numpy()] = False
    start = 0
    for name, frame in frames.items():
        mine = pl.Series(dropped[start : start + frame.height])
        start += frame.height
        bit = len(reasons(recipe, name)) - 1
        frames[name] = frame.with_columns(
            mask=set_bit(frame["mask"], bit, mine), kept=frame["kept"] & ~mine
        )


def with_groups(ws: Workspace, frame: pl.DataFrame, dedup: DedupConfig) -> pl.DataFrame:
    """`frame` with exact_group and near_group, null where a document is alone or not looked at."""
    if dedup.minhash:
        stored = duplicate_groups(ws, dedup.minhash).select("id", "exact_group", "near_group")
        grouped = frame.join(stored, on="id", how="left", maintain_order="left")
    else:
        grouped = group(frame, None, 1.0)
    nothing = pl.lit(None, pl.UInt64)
    return grouped if dedup.exact else grouped.with_columns(exact_group=nothing)


def add_patterns(recipe: Recipe, source: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Column `pattern`: bit k is set where the document is in the pool of phase k."""
    pattern = pl.Series(np.zeros(frame.height, np.uint64))
    for k, phase in enumerate(recipe.mixture.phases):
        if phase.weights.get(source, 0.0) > 0:
            pattern = set_bit(pattern, k, phase_pool(frame, k))
    return frame.with_columns(pattern=pattern)


def phase_pool(frame: pl.DataFrame, phase: int) -> pl.Series:
    """True for documents that phase number `phase` may draw from."""
    column = f"phase_mask_{phase}"
    pool: pl.Series = frame["kept"]
    return pool & (frame[column] == 0) if column in frame.columns else pool


def select(ws: Workspace, recipe: Recipe) -> Selection:
    """The rows to train on, per phase and source with a positive weight."""
    return select_from(recipe, judge(ws, recipe))


def select_from(recipe: Recipe, verdicts: Mapping[str, Verdicts]) -> Selection:
    """`select` for verdicts that are already there."""
    return Selection(
        tuple(
            {
                name: np.flatnonzero(phase_pool(verdicts[name].frame, k).to_numpy())
                for name, weight in phase.weights.items()
                if weight > 0
            }
            for k, phase in enumerate(recipe.mixture.phases)
        )
    )
