"""What a template knows of the sources: kinds, what is left of them, and how good they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from lab.core.workspace import Workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attributes
from lab.curation.quality import quality_columns
from lab.mixture.recipe import Recipe
from lab.mixture.supply import Supply

Weights = dict[str, float]


@dataclass(frozen=True, slots=True)
class Material:
    """What a template knows of the sources; `score` is a column stored for all of them, or ""."""

    kinds: Mapping[str, str]
    tokens: Mapping[str, float]  # unique, after the recipe's rules
    score: str = ""
    quality: Mapping[str, float] | None = None  # mean of `score` over training documents

    def of(self, kinds: Iterable[str]) -> Weights:
        """Natural weights of the sources of these kinds that have text left."""
        wanted = set(kinds)
        return self.natural(n for n in self.tokens if self.kinds[n] in wanted)

    def natural(self, names: Iterable[str]) -> Weights:
        """Weights by unique tokens."""
        return {name: self.tokens[name] for name in names if self.tokens[name] > 0}


def describe_material(ws: Workspace, recipe: Recipe, supply: Supply) -> Material:
    """What templates need to know of the sources of `recipe`, whose supply is `supply`."""
    names = list(recipe.sources)
    rows = {row["source"]: row for row in supply.sources.iter_rows(named=True)}
    shared = set.intersection(*(set(quality_columns(ws, name)) for name in names))
    score = min(shared, default="")
    return Material(
        kinds={name: rows[name]["kind"] for name in names},
        tokens={name: float(rows[name]["unique_tokens"]) for name in names},
        score=score,
        quality={name: mean_score(ws, recipe, name, score) for name in names} if score else None,
    )


def mean_score(ws: Workspace, recipe: Recipe, source: str, score: str) -> float:
    """Mean of a score over the training documents of a source."""
    tokenizer = recipe.tokenizer or default_tokenizer(ws)
    frame = attributes(ws, source, [score], tokenizer).filter(~pl.col("heldout"))
    return float(frame.select(pl.col(score).mean()).item() or 0.0)
