"""Which documents a recipe keeps: one pass from stored attributes to a verdict per document.

In this order, because each step must see only what the one before it left: rules of the source,
benchmark contamination, duplicates (the keeper is chosen among documents that passed, so a rule can
never delete the only kept copy), extra rules of each phase. Held-out documents are set aside first
and belong to no pool. Nothing is deleted: a verdict is a bit mask, and every document keeps all the
reasons it fell. Cost: 0.2 s for a million documents and five rules on one core (2026-11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attributes, contaminated, duplicate_groups
from lab.curation.duplicates import DedupConfig, keepers
from lab.curation.duplicates.groups import group
from lab.curation.filters.mask import fail_mask, resolve_rules
from lab.curation.filters.rule import Rule
from lab.curation.filters.warnings import rule_warnings
from lab.mixture.recipe import Recipe
from lab.mixture.selections import selection_warnings
from lab.mixture.texts import trained_texts

KEEP_VALUE = "keep_value"  # the column of values by which a copy is preferred


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on all documents of a source, in document order.

    `frame` has id, tokens, heldout, content_hash, `mask` (UInt64: bit i = rule i fails, then one
    bit for contamination and one for duplicates where the recipe asks for them), `kept` (Boolean)
    and `pattern` (UInt64: bit k = in the pool of phase k) and one `phase_mask_K` per phase with
    rules of its own. `reasons` names the bits of `mask`. Percentiles in `rules` and `phase_rules`
    (per phase, in order) are resolved. `warnings` names rules that decide nothing and
    selections that are stale.
    """

    source: str
    frame: pl.DataFrame
    rules: tuple[Rule, ...]
    reasons: tuple[str, ...]
    phase_rules: tuple[tuple[Rule, ...], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Per phase and source, the row numbers (int64, sorted) of the training documents kept."""

    phases: tuple[Mapping[str, NDArray[np.int64]], ...]


def judge(ws: Workspace, recipe: Recipe) -> dict[str, Verdicts]:
    """Verdicts per source. Raises ArtifactMissing naming the command for what is not measured."""
    verdicts = {name: apply_rules(ws, recipe, name) for name in recipe.sources}
    frames = {name: verdict.frame for name, verdict in verdicts.items()}
    if recipe.dedup:
        drop_duplicates(ws, recipe, frames)
    return {
        name: replace(verdict, frame=add_patterns(recipe, name, frames[name]))
        for name, verdict in verdicts.items()
    }


def reasons(recipe: Recipe, source: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """What each bit of `mask` means, in words; `rules` are those of `source`, resolved."""
    words = [rule.words() for rule in rules]
    if recipe.decontaminate:
        words.append(f"shares {recipe.decontaminate.ngram} words with a benchmark item")
    if source in recipe.edits:
        words.append("nothing is left after the edits")
    if recipe.dedup:
        words.append("duplicate of a kept document")
    return tuple(words)


def apply_rules(ws: Workspace, recipe: Recipe, source: str) -> Verdicts:
    """A source judged by its rules and by contamination, before duplicates and patterns."""
    columns = recipe.signals(source)
    tokenizer = recipe.tokenizer or default_tokenizer(ws)
    frame = attributes(ws, source, columns, tokenizer, trained_texts(ws, recipe, source))
    rules, *phase_rules = resolved_rules(frame, recipe, source)
    mask = fail_mask(frame, rules)
    extra = {f"phase_mask_{k}": fail_mask(frame, rs) for k, rs in enumerate(phase_rules) if rs}
    warnings = training_warnings(frame, rules, mask, source)
    for k, phase in enumerate(recipe.mixture.phases):
        if phase_rules[k]:
            place = f"{source}, phase {phase.name}"
            warnings += training_warnings(frame, phase_rules[k], extra[f"phase_mask_{k}"], place)
    warnings += selection_warnings(ws, recipe, source)
    if recipe.decontaminate:
        names, ngram = recipe.decontaminate.benchmarks, recipe.decontaminate.ngram
        mask = set_bit(mask, len(rules), contaminated(ws, source, names, ngram))
    if source in recipe.edits:
        mask = set_bit(mask, len(rules) + (recipe.decontaminate is not None), frame["tokens"] == 0)
    if recipe.dedup and recipe.dedup.keep_by:
        extra |= {KEEP_VALUE: frame[recipe.dedup.keep_by]}
    judged = frame.drop(columns).with_columns(
        mask=mask, kept=~frame["heldout"] & (mask == 0), **extra
    )
    named = reasons(recipe, source, rules)
    return Verdicts(source, judged, rules, named, tuple(phase_rules), tuple(warnings))


def resolved_rules(frame: pl.DataFrame, recipe: Recipe, source: str) -> list[tuple[Rule, ...]]:
    """The rules of a source, then those that each phase adds, percentiles as numbers.

    A phase's percentiles, too, are those of all training documents of the source.
    """
    extra = [phase.filters.get(source, ()) for phase in recipe.mixture.phases]
    return [resolve_rules(frame, rules) for rules in (recipe.rules(source), *extra)]


def training_warnings(
    frame: pl.DataFrame, rules: Sequence[Rule], mask: pl.Series, where: str
) -> list[str]:
    """`rule_warnings` over the training documents of `frame`."""
    training = ~frame["heldout"]
    return rule_warnings(frame.filter(training), rules, where, mask.filter(training))


def set_bit(mask: pl.Series, bit: int, where: pl.Series) -> pl.Series:
    """`mask` with `bit` set where `where` is true."""
    if bit > 63:
        raise ConfigError("A source can have at most 62 rules.", value=bit, next_step="merge some")
    flag = pl.Series(where.to_numpy().astype(np.uint64) << np.uint64(bit))
    combined: pl.Series = mask | flag
    return combined


def drop_duplicates(ws: Workspace, recipe: Recipe, frames: dict[str, pl.DataFrame]) -> None:
    """Clear `kept` and set the last bit for documents whose copy is kept elsewhere."""
    dedup = recipe.dedup
    assert dedup is not None
    by = KEEP_VALUE if dedup.keep_by else ""
    columns = ["id", "source", "content_hash", "heldout", "kept", *([by] if by else [])]
    joined = pl.concat([frame.select(columns) for frame in frames.values()])
    grouped = with_groups(ws, joined, dedup)
    candidates = grouped.with_row_index("row").filter("kept")
    stays = candidates.filter(keepers(candidates, dedup.keep, by))["row"]
    dropped = grouped["kept"].to_numpy().copy()
    dropped[stays.to_numpy()] = False
    start = 0
    for name, frame in frames.items():
        mine = pl.Series(dropped[start : start + frame.height])
        start += frame.height
        bit = len(reasons(recipe, name, recipe.rules(name))) - 1
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
