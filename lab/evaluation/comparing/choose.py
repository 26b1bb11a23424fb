"""Which runs a name means: a run's id is itself, a recipe's name its finished repeats.

Runs compare only at one size and one token budget, so recipes are taken at the (size, tokens) at
which all of them have scored runs: where the smallest group is largest, then the latest. Of a
recipe that was edited between runs, or whose documents changed, only the newest version counts,
since repeats must be of one decision on one corpus. Runs that are trained but not scored cannot be
compared: they are named with the command that scores them, and stand in the way only where a recipe
has no others. Runs of a later stage have recipes of their own, such as `balanced+sft`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import confined, digest, read_json
from lab.core.workspace import Workspace
from lab.evaluation.comparing.compare import Comparison, compare
from lab.evaluation.runs.evaluate import run_scores
from lab.evaluation.runs.groups import decided, is_pretraining
from lab.proxy.runs import list_runs, load_run


def compare_named(
    ws: Workspace, names: Sequence[str], size: str | None = None, tokens: int | None = None
) -> Comparison:
    """`compare` for runs and recipes by name, the first being the baseline."""
    found = compare(ws, named_groups(ws, names, size, tokens))
    lacking = [run for name in names for run in unscored(ws, name)]
    if not lacking:
        return found
    told = f"{len(lacking)} finished runs are not scored and left out: {scoring_command(lacking)}."
    return replace(found, notes=(*found.notes, told))


def named_groups(
    ws: Workspace, names: Sequence[str], size: str | None = None, tokens: int | None = None
) -> dict[str, list[Path]]:
    """Scored run folders per name.

    Raises ConfigError for names without finished runs in common, ArtifactMissing for those whose
    finished runs are not scored.
    """
    finished = finished_runs(ws)
    folders = {name: confined(ws.runs, name) for name in names}
    ids = [name for name in names if (folders[name] / "run.json").is_file()]
    recipes = [name for name in names if name not in ids]
    for name in recipes:
        require_runs(ws, name, finished)
    fixed = load_run(folders[ids[0]]) if ids else None
    budget = (size or (fixed.size if fixed else None), tokens or (fixed.tokens if fixed else None))
    scored = finished.filter("scored")
    chosen = common_budget(newest_versions(ws, scored), recipes, *budget) if recipes else scored
    groups = {
        name: [folders[name]]
        if name in ids
        else [ws.runs / run for run in chosen.filter(pl.col("recipe") == name)["id"]]
        for name in names
    }
    for name in ids:
        run_scores(folders[name])  # ArtifactMissing names the run that was not evaluated
    return groups


def finished_runs(ws: Workspace) -> pl.DataFrame:
    """`list_runs` of finished runs that may repeat one recipe, and whether each is `scored`."""
    done = list_runs(ws).filter(pl.col("state") == "done")
    own = [has_own_recipe(read_json(ws.runs / run / "run.json")) for run in done["id"]]
    scored = [(ws.runs / run / "scores" / "summary.json").is_file() for run in done["id"]]
    marked = done.with_columns(
        pl.Series("scored", scored, pl.Boolean), pl.Series("own", own, pl.Boolean)
    )
    return marked.filter("own").drop("own")


def has_own_recipe(spec: Mapping[str, Any]) -> bool:
    """True unless the run is of a later stage under the name of its parent's recipe."""
    return is_pretraining(spec) or str(spec["recipe"]).endswith(f"+{spec['stage']}")


def require_runs(ws: Workspace, name: str, finished: pl.DataFrame) -> None:
    """An error that says how to get runs of recipe `name`, unless it has scored ones."""
    own = finished.filter(pl.col("recipe") == name)
    if own["scored"].any():
        return
    if own.height:
        raise ArtifactMissing(
            f"The runs of {name!r} are trained but not scored.",
            where=str(ws.runs),
            next_step=scoring_command(own["id"].to_list()),
        )
    raise ConfigError(
        f"No finished run of {name!r}.",
        where=str(ws.runs),
        value=name,
        next_step=how_to_train(name)
        + "; finished: "
        + nearest(name, finished["recipe"].unique().to_list()),
    )


def how_to_train(recipe: str) -> str:
    """The command that makes runs of `recipe`, which may name a later stage: `balanced+sft`."""
    first, *stages = recipe.split("+")
    flags = " ".join(f"--{stage} SOURCE_OR_FILE" for stage in stages)
    return f"`mixlab posttrain {first} {flags}`" if flags else f"`mixlab train {first} --seeds 2`"


def unscored(ws: Workspace, recipe: str) -> list[str]:
    """Ids of finished runs of `recipe` that were not scored."""
    own = finished_runs(ws).filter(pl.col("recipe") == recipe, ~pl.col("scored"))
    return own["id"].to_list()


def scoring_command(runs: Sequence[str]) -> str:
    """What scores `runs`."""
    return f"`mixlab evaluate {' '.join(runs)}`"


def scored_budgets(ws: Workspace, recipes: Sequence[str]) -> pl.DataFrame:
    """recipe, size, tokens, runs: where `recipes` have scored runs."""
    scored = finished_runs(ws).filter(pl.col("recipe").is_in(list(recipes)), "scored")
    return scored.group_by("recipe", "size", "tokens", maintain_order=True).agg(runs=pl.len())


def newest_versions(ws: Workspace, runs: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `version`: of each recipe's newest version at each size, a seed once, its latest.

    A version holds the hyper-parameters, which differ between sizes.
    """
    specs = [read_json(ws.runs / run / "run.json") for run in runs["id"]]
    versions = [digest(decided(spec)) for spec in specs]
    known = runs.with_columns(pl.Series("version", versions, pl.String))
    newest = known.group_by("recipe", "size", maintain_order=True).agg(pl.col("version").last())
    kept = known.join(newest, on=["recipe", "size", "version"], maintain_order="left")
    return kept.unique(
        ["recipe", "size", "tokens", "seed"], keep="last", maintain_order=True
    )  # fmt: skip


def common_budget(
    runs: pl.DataFrame, recipes: Sequence[str], size: str | None, tokens: int | None
) -> pl.DataFrame:
    """The runs at the size and budget that serve all `recipes` best."""
    wanted = runs.filter(pl.col("recipe").is_in(list(recipes)))
    if size:
        wanted = wanted.filter(pl.col("size") == size)
    if tokens:
        left = tokens - pl.col("tokens").cast(
            pl.Int64
        )  # a run trains whole steps, the rest is left
        wanted = wanted.filter(
            left.is_between(0, pl.col("tokens") / pl.col("steps"), closed="left")
        )
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
            "These recipes have no scored runs at one size and token budget in common.",
            value=list(recipes),
            next_step="train them with the same --size and --tokens: `mixlab train "
            + " ".join(recipes)
            + " --seeds 2`",
        )
    return wanted.join(budgets.head(1).select("size", "tokens"), on=["size", "tokens"])
