"""What a recipe's decisions about documents leave, before any weight is chosen.

Training documents only: held-out ones are counted apart. The account of the rules is exact and
re-orderable (`effect.accounting`): each dropped token has a first reason, may have several,
and its fair share among them sums to what was dropped. Unique tokens count each distinct text once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.curation.attributes import contamination_matches, locate
from lab.curation.contamination import review_id
from lab.curation.duplicates import require_pairs
from lab.curation.effect.accounting import account, first_copies
from lab.mixture.recipe import Recipe, recipe_mapping
from lab.mixture.selection import Verdicts, judge
from lab.mixture.selections import selection_warnings
from lab.mixture.texts import trained_texts


@dataclass(frozen=True, slots=True)
class Supply:
    """`sources`: source, kind, documents, tokens, heldout_documents, kept_documents, kept_tokens,
    unique_tokens, bytes, kept_bytes. `rules`: source, phase ("" for the recipe's own), rule
    (number), reason and documents, tokens, unique_tokens and bytes of each kind, `any_`, `first_`,
    `only_`, `share_`, `left_`, as in `effect.accounting`. `pools`: source, pattern (bit k: in
    the pool of phase k), documents, unique_tokens. `warnings`: rules that decide nothing.
    """

    sources: pl.DataFrame
    rules: pl.DataFrame
    pools: pl.DataFrame
    warnings: tuple[str, ...] = ()


def supply_key(ws: Workspace, recipe: Recipe) -> str:
    """A cache key: changes when a decision about documents, a source or what is read of it changes.

    Raises what `measure_supply` raises for an attribute that is not stored.
    """
    mapping = recipe_mapping(replace(recipe, filters=()))  # rules as they are judged by
    phases = [
        {"filters": p.get("filters"), "drawn": [n for n, w in p["weights"].items() if w > 0]}
        for p in mapping["mixture"]["phases"]
    ]
    documents = [get_source(ws, name).documents for name in recipe.sources]
    decided = {k: mapping.get(k) for k in ("sources", "dedup", "decontaminate", "tokenizer")}
    said = [selection_warnings(ws, recipe, name) for name in recipe.sources]  # part of verdicts
    return digest([str(ws.root), decided, phases, documents, attribute_ids(ws, recipe), said])


def attribute_ids(ws: Workspace, recipe: Recipe) -> list[str]:
    """Names of the stored attributes that decide, so that a score learned anew is seen."""
    ids = []
    for source in recipe.sources:
        ids += [column.artifact.id for column in locate(ws, source, recipe.signals(source))]
        if texts := trained_texts(ws, recipe, source):
            ids.append(texts.id)
        if recipe.decontaminate:
            names, ngram = recipe.decontaminate.benchmarks, recipe.decontaminate.ngram
            ids.append(contamination_matches(ws, source, names, ngram).parent.name)
    if recipe.decontaminate:
        ids.append(review_id(ws))
    if recipe.dedup and recipe.dedup.minhash:
        ids.append(require_pairs(ws, recipe.dedup.minhash).id)
    return ids


def measure_supply(ws: Workspace, recipe: Recipe) -> Supply:
    """Judge all documents and add up what is left."""
    return supply_from(ws, recipe, judge(ws, recipe))


def supply_from(ws: Workspace, recipe: Recipe, verdicts: Mapping[str, Verdicts]) -> Supply:
    """`measure_supply` for verdicts that are already there."""
    sources = pl.concat([source_row(ws, verdict) for verdict in verdicts.values()])
    rules = [table for v in verdicts.values() for table in rule_tables(recipe, v)]
    pools = pl.concat([pool_rows(verdict) for verdict in verdicts.values()])
    warnings = tuple(warning for verdict in verdicts.values() for warning in verdict.warnings)
    return Supply(sources, pl.concat(rules) if rules else pl.DataFrame(), pools, warnings)


def source_row(ws: Workspace, verdict: Verdicts) -> pl.DataFrame:
    """One source's totals."""
    frame = verdict.frame
    training = frame.filter(~pl.col("heldout"))
    kept = frame.filter("kept")
    return pl.DataFrame(
        {
            "source": [verdict.source],
            "kind": [get_source(ws, verdict.source).kind],
            "documents": [training.height],
            "tokens": [int(training["tokens"].sum())],
            "heldout_documents": [frame.height - training.height],
            "kept_documents": [kept.height],
            "kept_tokens": [int(kept["tokens"].sum())],
            "unique_tokens": [int(kept.unique("content_hash")["tokens"].sum())],
            "bytes": [int(training["bytes"].sum())],
            "kept_bytes": [int(kept["bytes"].sum())],
        }
    )


def rule_tables(recipe: Recipe, verdict: Verdicts) -> list[pl.DataFrame]:
    """The account of the recipe's own rules, and of each phase's extra rules on what these left."""
    tables = []
    training = verdict.frame.filter(~pl.col("heldout"))
    if verdict.reasons:
        tables.append(rule_table(verdict.source, "", training, verdict.reasons))
    for k, phase in enumerate(recipe.mixture.phases):
        if verdict.phase_rules[k]:
            reasons = tuple(rule.words() for rule in verdict.phase_rules[k])
            left = training.filter("kept").with_columns(mask=pl.col(f"phase_mask_{k}"))
            tables.append(rule_table(verdict.source, phase.name, left, reasons))
    return tables


def rule_table(
    source: str, phase: str, frame: pl.DataFrame, reasons: tuple[str, ...]
) -> pl.DataFrame:
    """The account of one set of rules with its source and phase."""
    return (
        account(frame.with_columns(first_copies(frame)), reasons)
        .by_rule()
        .select(pl.lit(source).alias("source"), pl.lit(phase).alias("phase"), pl.all())
    )


def pool_rows(verdict: Verdicts) -> pl.DataFrame:
    """Kept documents by the pools they belong to; each distinct text counts once."""
    return (
        verdict.frame.lazy()
        .filter("kept")
        .group_by("pattern", "content_hash")
        .agg(pl.len().alias("documents"), pl.col("tokens").first())
        .group_by("pattern")
        .agg(pl.col("documents").sum(), pl.col("tokens").sum().alias("unique_tokens"))
        .select(pl.lit(verdict.source).alias("source"), "pattern", "documents", "unique_tokens")
        .sort("pattern")
        .collect()
    )
