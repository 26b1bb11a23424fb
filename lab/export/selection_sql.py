"""The recipe's selection as one DuckDB statement over the workspace's Parquet files.

Exact: it returns the very ids that the lab keeps, per phase, because it repeats the same predicates
over the same stored columns. Somebody without the lab can run it (`duckdb < selection.sql` in the
workspace's folder), read it in review, or translate it.
"""

from collections.abc import Mapping
from pathlib import Path

from lab.core.artifacts import Artifact
from lab.core.query import name, quote
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.attributes import contamination_matches, locate
from lab.curation.duplicates import require_duplicates
from lab.curation.filters import Rule
from lab.mixture.recipe import Decontaminate, Recipe


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
    phase_rules = [phase.filters.get(source, ()) for phase in recipe.mixture.phases]
    located = locate(ws, source, recipe.signals(source))
    artifacts = {column.artifact.path: column.artifact for column in located}
    joins = [
        f"JOIN {files(ws, artifact)} AS a{k} USING (id)"
        for k, artifact in enumerate(artifacts.values())
    ]
    table = {path: f"a{k}" for k, path in enumerate(artifacts)}
    # two artifacts may hold the same column, so every one is named with its table
    columns = {c.name: f"{table[c.artifact.path]}.{name(c.stored)}" for c in located}
    where = ["NOT d.heldout", *(predicate(rule, columns) for rule in recipe.rules(source))]
    if recipe.decontaminate:
        where.append(clean(ws, source, recipe.decontaminate))
    flags = []
    for k, phase in enumerate(recipe.mixture.phases):
        inside = [predicate(rule, columns) for rule in phase_rules[k]] or ["true"]
        wanted = "true" if phase.weights.get(source, 0.0) > 0 else "false"
        flags.append(f"{' AND '.join([wanted, *inside])} AS phase_{k}")
    return (
        f"  SELECT d.id, d.source, d.content_hash, d.heldout, {', '.join(flags)}\n"
        f"  FROM {files(ws, documents(ws, source))} AS d {' '.join(joins)}\n"
        f"  WHERE {' AND '.join(where)}"
    )


def clean(ws: Workspace, source: str, policy: Decontaminate) -> str:
    """True for documents that quote none of the protected benchmarks."""
    matches = contamination_matches(ws, source, policy.benchmarks, policy.ngram)
    protected = ", ".join(quote(name) for name in policy.benchmarks)
    table = f"read_parquet({quote(str(matches.relative_to(ws.root)))})"
    return f"d.id NOT IN (SELECT id FROM {table} WHERE benchmark IN ({protected}))"


def predicate(rule: Rule, columns: Mapping[str, str]) -> str:
    """A rule as SQL over `columns` (signal -> column); compared as doubles, as the lab does.

    A missing value fails; the lab refuses it.
    """
    column = f"CAST({columns[rule.signal]} AS DOUBLE)"
    bounds = [f"{column} >= {rule.min!r}"] if rule.min is not None else []
    bounds += [f"{column} <= {rule.max!r}"] if rule.max is not None else []
    return f"coalesce({' AND '.join(bounds)}, false)"


def dedup_sql(ws: Workspace, recipe: Recipe) -> str:
    """One document per duplicate group: sources in the policy's order, then name, hash, id."""
    assert recipe.dedup is not None
    keep = [
        f"WHEN {quote(source)} THEN {position}" for position, source in enumerate(recipe.dedup.keep)
    ]
    rank = f"CASE source {' '.join(keep)} ELSE {len(keep)} END" if keep else "0"
    if recipe.dedup.minhash:
        groups = "near_group, exact_group" if recipe.dedup.exact else "near_group"
        table = files(ws, require_duplicates(ws, recipe.dedup.minhash))
        source = f"judged LEFT JOIN (SELECT id, exact_group, near_group FROM {table}) USING (id)"
        group = f"coalesce({groups})" if recipe.dedup.exact else groups
        group = f"coalesce(CAST({group} AS VARCHAR), id)"
    else:
        source, group = "judged", "content_hash" if recipe.dedup.exact else "id"
    return (
        f"SELECT * FROM {source} QUALIFY row_number() OVER (PARTITION BY {group} "
        f"ORDER BY {rank}, source, content_hash, id) = 1"
    )
