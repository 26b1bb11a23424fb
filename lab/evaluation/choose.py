"""Which runs a name means: a run's id is itself, a recipe's name its finished repeats.

Runs compare only at one size and one token budget, so recipes are taken at the (size, tokens) at
which all of them have finished runs: where the smallest group is largest, then the latest. Of a
recipe that was edited between runs, or whose documents changed, only the newest version counts,
since repeats must be of one decision on one corpus.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.files import digest, read_json
from lab.core.workspace import Workspace
from lab.evaluation.compare import Comparison, compare
from lab.evaluation.evaluate import run_scores
from lab.evaluation.groups import MADE_FROM
from lab.proxy.runs import list_runs, load_run


def compare_named(
    ws: Workspace, names: Sequence[str], size: str | None = None, tokens: int | None = None
) -> Comparison:
    """`compare` for runs and recipes by name, the first being the baseline."""
    return compare(ws, named_groups(ws, names, size, tokens))


def named_groups(
    ws: Workspace, names: Sequence[str], size: str | None = None, tokens: int | None = None
) -> dict[str, list[Path]]:
    """Evaluated run folders per name; ConfigError names what has no finished runs in common."""
    finished = list_runs(ws).filter(pl.col("state") == "done")
    ids = [name for name in names if (ws.runs / name / "run.json").is_file()]
    recipes = [name for name in names if name not in ids]
    for name in recipes:
        if name not in finished["recipe"]:
            raise ConfigError(
                f"No finished run of {name!r}.",
                where=str(ws.runs),
                value=name,
                next_step=f"`mixlab train {name} --seeds 2`; finished: "
                + nearest(name, finished["recipe"].unique().to_list()),
            )
    fixed = load_run(ws.runs / ids[0]) if ids else None
    budget = (size or (fixed.size if fixed else None), tokens or (fixed.tokens if fixed else None))
    chosen = common_budget(newest_versions(ws, finished), recipes, *budget) if recipes else finished
    groups = {
        name: [ws.runs / name]
        if name in ids
        else [ws.runs / run for run in chosen.filter(pl.col("recipe") == name)["id"]]
        for name in names
    }
    for folders in groups.values():
        for folder in folders:
            run_scores(folder)  # ArtifactMissing names the run that was not evaluated
    return groups


def newest_versions(ws: Workspace, runs: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `version`, only those of each recipe's newest version (oldest run first)."""
    specs = [read_json(ws.runs / run / "run.json") for run in runs["id"]]
    versions = [digest([spec.get(key) for key in MADE_FROM]) for spec in specs]
    known = runs.with_columns(pl.Series("version", versions, pl.String))
    newest = known.group_by("recipe", maintain_order=True).agg(pl.col("version").last())
    return known.join(newest, on=["recipe", "version"], maintain_order="left")


def common_budget(
    runs: pl.DataFrame, recipes: Sequence[str], size: str | None, tokens: int | None
) -> pl.DataFrame:
    """The runs at the size and budget that serve all `recipes` best."""
    wanted = runs.filter(pl.col("recipe").is_in(list(recipes)))
    if size:
        wanted = wanted.filter(pl.col("size") == size)
    if tokens:
        wanted = wanted.filter(pl.col("tokens") == tokens)
    per = wanted.group_by("size", "tokens", "recipe").agg(
        pl.len().alias("repeats"), pl.col("created").max()
    )
    budgets = (
        per.group_by("size", "tokens")
        .agg(pl.len().alias("recipes"), pl.col("repeats").min(), pl.col("created").max())
        .filter(pl.col("recipes") == len(set(recipes)))
        .sort("repeats", "created", descending=True)
    )
    if budgets.is_empty():
        raise ConfigError(
            "These recipes have no finished runs at one size and token budget in common.",
            value=list(recipes),
            next_step="train them with the same --size and --tokens: `mixlab train "
            + " ".join(recipes)
            + " --seeds 2`",
        )
    return wanted.join(budgets.head(1).select("size", "tokens"), on=["size", "tokens"])
