"""The recipe's selection as one DuckDB statement over the workspace's Parquet files.

Exact: it returns the very ids that the lab keeps, per phase, because it repeats the same predicates
over the same stored columns; a percentile is written as the number it is today, with the percentile
in a comment. Somebody without the lab can run it (`duckdb < selection.sql` in the workspace's
folder), read it in review, or translate it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lab.core.artifacts import Artifact
from lab.core.query import name, quote
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.attributes import Column, contamination_matches, locate
from lab.curation.contamination import decisions
from lab.curation.contamination.reviews import contaminated_ids
from lab.curation.duplicates import stored_groups
from lab.curation.filters.expressions import calculated, with_columns
from lab.curation.filters.rule import Rule, Value
from lab.mixture.recipe import Decontaminate, Recipe
from lab.mixture.selection import resolved_rules
from lab.mixture.texts import trained_texts


def selection_sql(ws: Workspace, recipe: Recipe) -> str:
    """A SELECT with columns id, source and one boolean `phase_K` per phase; paths are relative."""
    judged = "\n  UNION ALL\n".join(source_select(ws, recipe, s) for s in recipe.sources)
    phases = ", ".join(f"phase_{k}" for k in range(len(recipe.mixture.phases)))
    kept = dedup_sql(ws, recipe) if recipe.dedup else "SELECT * FROM judged"
    return (
        f"-- Recipe {recipe.name!r}: documents kept for training. Run in the workspace's folder.\n"
        f"WITH judged AS (\n{judged}\n),\nkept AS (\n  {kept}\n)\n"
        f"SELECT id, source, {phases} FROM kept WHERE {any_phase(recipe)} ORDER BY source, id;\n"
    )


def any_phase(recipe: Recipe) -> str:
    """True for documents in at least one phase's pool."""
    return " OR ".join(f"phase_{k}" for k in range(len(recipe.mixture.phases)))


def files(ws: Workspace, artifact: Artifact) -> str:
    """The artifact's parts as a table expression with paths relative to the workspace."""
    paths = (quote(str(Path(part).relative_to(ws.root))) for part in artifact.parts)
    return f"read_parquet([{', '.join(paths)}])"


def source_select(ws: Workspace, recipe: Recipe, source: str) -> str:
    """The documents of one source that pass its rules, with a flag per phase."""
    located = locate(ws, source, recipe.signals(source))
    artifacts = {column.artifact.path: column.artifact for column in located}
    joins = [
        f"JOIN {files(ws, artifact)} AS a{k} USING (id)"
        for k, artifact in enumerate(artifacts.values())
    ]
    table = {path: f"a{k}" for k, path in enumerate(artifacts)}
    # two artifacts may hold the same column, so every one is named with its table
    columns = {
        c.name: Stored(f"{table[c.artifact.path]}.{name(c.stored)}", dtype(c)) for c in located
    }
    rules, *phase_rules = resolved(ws, recipe, source)
    where = ["NOT d.heldout", *(predicate(rule, columns) for rule in rules)]
    if texts := trained_texts(ws, recipe, source):
        where.append(f"d.id NOT IN (SELECT id FROM {files(ws, texts)} WHERE text = '')")
    if recipe.decontaminate:
        where.append(clean(ws, source, recipe.decontaminate))
    flags = []
    for k, phase in enumerate(recipe.mixture.phases):
        inside = [predicate(rule, columns) for rule in phase_rules[k]] or ["true"]
        wanted = "true" if phase.weights.get(source, 0.0) > 0 else "false"
        flags.append(f"{' AND '.join([wanted, *inside])} AS phase_{k}")
    if recipe.dedup and recipe.dedup.keep_by:
        flags.append(f"{columns[recipe.dedup.keep_by].typed()} AS keep_value")
    return (
        f"  SELECT d.id, d.source, d.content_hash, d.heldout, {', '.join(flags)}\n"
        f"  FROM {files(ws, documents(ws, source))} AS d {' '.join(joins)}\n"
        f"  WHERE {' AND '.join(where)}"
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A column in SQL, and its type."""

    sql: str
    dtype: pl.DataType

    def typed(self) -> str:
        """Numbers as doubles, as the lab compares them; text and truth values as they are."""
        return f"CAST({self.sql} AS DOUBLE)" if self.dtype.is_numeric() else self.sql


def dtype(column: Column) -> pl.DataType:
    """The stored type of a column."""
    return column.artifact.scan().collect_schema()[column.stored]


def resolved(ws: Workspace, recipe: Recipe, source: str) -> list[tuple[Rule, ...]]:
    """`resolved_rules`, reading the columns only where there is a percentile to resolve."""
    rules = [recipe.rules(source), *(p.filters.get(source, ()) for p in recipe.mixture.phases)]
    wanted = {c for own in rules for rule in own if not rule.resolved() for c in rule.columns()}
    if not wanted:
        return rules
    base = documents(ws, source).scan().select("heldout").collect()
    values = [
        c.artifact.scan().select(pl.col(c.stored).alias(c.name)).collect()
        for c in locate(ws, source, sorted(wanted))
    ]
    return resolved_rules(pl.concat([base, *values], how="horizontal"), recipe, source)


def clean(ws: Workspace, source: str, policy: Decontaminate) -> str:
    """True for documents that quote none of the protected benchmarks, or that a reviewer keeps."""
    matches = contamination_matches(ws, source, policy.benchmarks, policy.ngram)
    protected = ", ".join(quote(name) for name in policy.benchmarks)
    table = f"read_parquet({quote(str(matches.relative_to(ws.root)))})"
    quoting = f"d.id IN (SELECT id FROM {table} WHERE benchmark IN ({protected}))"
    reviewed = decisions(ws).filter(pl.col("id").str.starts_with(f"{source}/"))
    if not reviewed.height:
        return f"NOT ({quoting})"
    ids = ", ".join(quote(name) for name in reviewed["id"].unique().sort())
    found = pl.read_parquet(matches)
    dropped = contaminated_ids(found, reviewed, list(policy.benchmarks))
    again = ", ".join(
        quote(name) for name in dropped.filter(dropped.is_in(reviewed["id"].implode()))
    )
    left = f"(NOT ({quoting}) OR d.id IN ({ids}))"
    return f"{left} AND d.id NOT IN ({again})" if again else left


def predicate(rule: Rule, columns: Mapping[str, Stored]) -> str:
    """A resolved rule as SQL over `columns` (name -> column).

    A missing value fails; the lab refuses it.
    """
    if rule.where:
        written = with_columns(rule.where, lambda column: columns[column].typed())
        finite = [columns[c] for c in calculated(rule.where) if columns[c].dtype.is_float()]
        test = " AND ".join([f"({written})", *(f"isfinite({c.typed()})" for c in finite)])
    elif rule.values or rule.not_values:
        listed = ", ".join(literal(value) for value in rule.values or rule.not_values)
        test = f"{columns[rule.signal].sql} {'IN' if rule.values else 'NOT IN'} ({listed})"
    else:
        value = f"CAST({columns[rule.signal].sql} AS DOUBLE)"
        bounds = [f"{value} >= {rule.min!r}"] if rule.min is not None else []
        bounds += [f"{value} <= {rule.max!r}"] if rule.max is not None else []
        test = " AND ".join(bounds)
    percentiles = rule.min_percentile is not None or rule.max_percentile is not None
    origin = f" /* {rule.bound_words()} */" if percentiles else ""
    return f"coalesce({test}, false){origin}"


def literal(value: Value) -> str:
    """A text or truth value in SQL."""
    return quote(value) if isinstance(value, str) else str(value).lower()


def dedup_sql(ws: Workspace, recipe: Recipe) -> str:
    """One document per duplicate group: sources in the policy's order, then the largest value, then
    name, hash, id.
    """
    assert recipe.dedup is not None
    keep = [
        f"WHEN {quote(source)} THEN {position}" for position, source in enumerate(recipe.dedup.keep)
    ]
    rank = f"CASE source {' '.join(keep)} ELSE {len(keep)} END" if keep else "0"
    rank += ", keep_value DESC" if recipe.dedup.keep_by else ""
    if recipe.dedup.minhash:
        groups = "near_group, exact_group" if recipe.dedup.exact else "near_group"
        table = files(ws, stored_groups(ws, recipe.dedup.minhash))
        source = f"judged LEFT JOIN (SELECT id, exact_group, near_group FROM {table}) USING (id)"
        group = f"coalesce({groups})" if recipe.dedup.exact else groups
        group = f"coalesce(CAST({group} AS VARCHAR), id)"
    else:
        source, group = "judged", "content_hash" if recipe.dedup.exact else "id"
    return (
        f"SELECT * FROM {source} QUALIFY row_number() OVER (PARTITION BY {group} "
        f"ORDER BY {rank}, source, content_hash, id) = 1"
    )
