"""Step of selection: choose documents of a source for breadth, and say what it did."""

from typing import Any

import polars as pl

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attributes
from lab.curation.filters.parsing import column_of
from lab.jobs import actions as a
from lab.jobs.steps.corpus import facts
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe
from lab.mixture.selection import judge
from lab.mixture.selections import pool_facts, read_now, without_selections

Result = dict[str, Any]


def select(ws: Workspace, p: a.Select, progress: Progress) -> Result:
    """A stored selection, as a column that a recipe can use."""
    from lab.diversity.selecting.stored import Settings, check
    from lab.diversity.selecting.stored import select as select_documents

    source = get_source(ws, p.source).name
    quality = column_of(p.quality, "select.quality") if p.quality else ""
    settings = Settings(
        p.method, p.keep, p.tokens, quality, p.balance, p.encoder, p.seed, p.recipe or ""
    )
    check(settings)
    now = read_now(ws, source, settings.encoder, quality)
    recipe = recipe_with(ws, settings.recipe, source)
    frame = described(ws, source, quality, recipe)
    pool = pool_facts(ws, recipe, source) if recipe else {}
    read = {kind: now[kind] for kind in now if kind not in ("documents", "embeddings")}
    made = select_documents(ws, source, frame, settings, read, pool, progress)
    return {"selection": made.id, **facts(made.manifest)}


def recipe_with(ws: Workspace, name: str, source: str) -> Recipe | None:
    """The recipe of that name; ConfigError if it does not use the source."""
    if not name:
        return None
    recipe = load_recipe(ws, name)
    if source not in recipe.sources:
        raise ConfigError(
            f"The recipe {name!r} does not use {source!r}.",
            where="select.recipe",
            value=list(recipe.sources),
            next_step="name one of its sources, or choose among all documents: leave --recipe out",
        )
    return recipe


def described(
    ws: Workspace, source: str, quality: str, recipe: Recipe | None = None
) -> pl.DataFrame:
    """Columns id, heldout, tokens, content_hash, kept (by the recipe's rules other than those on
    selections; without a recipe all are) and perhaps quality.
    """
    columns = [quality] if quality else []
    table = attributes(ws, source, columns, default_tokenizer(ws))
    plain = table.select("id", "heldout", "tokens", "content_hash")
    if recipe is None:
        plain = plain.with_columns(kept=pl.lit(True))
    else:
        kept = judge(ws, without_selections(recipe))[source].frame["kept"]
        plain = plain.with_columns(kept=kept)
    if not quality:
        return plain
    if not table[quality].dtype.is_numeric():
        raise ConfigError(
            "Quality is a number: larger is better.",
            where="select.quality",
            value=f"{quality}: {table[quality].dtype}",
            next_step="name a score, such as quality.NAME, or a signal that is a number",
        )
    score = table[quality].cast(pl.Float64).fill_null(float("nan"))
    return plain.with_columns(quality=score)
