"""The runs that cheap predictors need: one per source, alike in everything else.

Every source of a recipe gets the recipe with all weight on it, so filters, edits, duplicates, size,
tokens and seed stay. One seed means one initialisation (`lab.proxy.model`).

With `shared` s > 0 each run first trains s of its tokens on the recipe's own mixture and only the
rest on its source. Rows, order and rates of that part are the same in all runs, so they walk one
path bit for bit and branch at its end: what merged weights need, since models that share an
initialisation alone end in different basins, and their average is in none (Frankle et al. 2020,
arXiv:1912.05671). At .5, the default offered, they branch where the rate begins to fall.

The cost is one run per source; the shared part is trained anew by each. Where it fails: a source
too small for a run of its own repeats its text many times over (of a source that holds a tenth of
the budget ten times), and its model is worse than the source is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.advice.design.swarm import unique_tokens, with_weights
from lab.advice.evidence.branches import TRUNK
from lab.advice.evidence.stale import stale_table
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.evaluation.runs.groups import how_trained
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs
from lab.mixture.recipe import Phase, Recipe

SHARED = 0.5  # offered share of the tokens before branches part


@dataclass(frozen=True, slots=True)
class SourceRuns:
    """One scored run per source, alike but for it; `shared` is the part trained on the recipe."""

    sources: tuple[str, ...]
    folders: tuple[Path, ...]
    size: str
    tokens: int
    seed: int
    shared: float


def source_recipes(
    recipe: Recipe, supply: Mapping[str, float], shared: float = 0.0
) -> list[Recipe]:
    """A recipe per source that has text, called RECIPE-only-SOURCE or RECIPE-branch-SOURCE.

    ConfigError for fewer than two sources, or a share outside 0 (nothing shared) to below 1.
    """
    if not 0 <= shared < 1:
        raise ConfigError(
            "The shared part is a share of the tokens, from 0 to below 1.", value=shared
        )
    names = [name for name in recipe.sources if supply.get(name, 0.0) > 0]
    require_two(names)
    if shared == 0:
        return [with_weights(recipe, f"{recipe.name}-only-{n}", {n: 1.0}) for n in names]
    return [branch(recipe, name, shared) for name in names]


def branch(recipe: Recipe, source: str, shared: float) -> Recipe:
    """The recipe that trains `shared` of its tokens on its own mixture, then on `source` alone."""
    average = {n: w for n, w in recipe.average_weights().items() if w > 0}
    trunk = Phase(TRUNK, shared, average)
    own = [
        replace(phase, share=(1 - shared) * phase.share, weights={source: 1.0})
        for phase in recipe.mixture.phases
    ]
    mixture = replace(recipe.mixture, phases=(trunk, *own))
    return replace(recipe, name=f"{recipe.name}-branch-{source}", mixture=mixture)


def plan_source_runs(ws: Workspace, recipe: Recipe, shared: float = 0.0) -> list[Recipe]:
    """`source_recipes` with the text that the recipe's rules leave in this workspace."""
    return source_recipes(recipe, unique_tokens(ws, recipe), shared)


def require_two(names: Sequence[str]) -> None:
    """ConfigError unless there are two sources or more."""
    if len(names) < 2:
        raise ConfigError(
            "A mixture needs two sources or more with text.",
            value=list(names),
            next_step="loosen the recipe's filters, or add a source",
        )


def single_source(spec: Mapping[str, Any]) -> tuple[str, float, str] | None:
    """(source, shared part, what names its mixture) of a run that ended on one source, or None."""
    phases = spec["mapping"]["mixture"]["phases"]
    drawn = [sorted(n for n, w in phase["weights"].items() if w > 0) for phase in phases]
    if len(drawn[-1]) != 1:
        return None
    common = [p for p, names in zip(phases, drawn, strict=True) if names != drawn[-1]]
    if common != phases[: len(common)]:
        return None
    weights = [[p["share"], sorted(p["weights"].items())] for p in common]
    shared = round(float(sum(p["share"] for p in common)), 9)
    return drawn[-1][0], shared, digest(weights) if common else ""


def find_source_runs(
    ws: Workspace,
    recipe: Recipe,
    *,
    branched: bool,
    size: str | None = None,
    tokens: int | None = None,
    seed: int | None = None,
) -> SourceRuns:
    """The runs of all sources of `recipe` at one size, budget and seed, on the data as it is now.

    `branched` prefers runs with a shared part, otherwise runs without one are preferred; of several
    sets the most complete, then the preferred, then the latest. ArtifactMissing if sources have no
    run in the best set: it names them, and what was found in others.
    """
    wanted = [n for n, amount in unique_tokens(ws, recipe).items() if amount > 0]
    require_two(wanted)
    runs = [r for r in scored_runs(ws) if single_source(r.spec)]
    old = set(stale_table(ws, recipe, runs)["run"])
    sets: dict[tuple[Any, ...], dict[str, ScoredRun]] = {}
    for run in sorted(runs, key=lambda r: str(r.spec.get("created", ""))):
        found = single_source(run.spec)
        asked = {"size": size, "tokens": tokens, "seed": seed}
        fits = all(value in (None, run.spec[key]) for key, value in asked.items())
        if found and fits and run.spec["id"] not in old and found[0] in wanted:
            source, shared, trunk = found
            alike = (*run.budget[:2], run.spec["seed"], shared, trunk, how_trained(run.spec))
            sets.setdefault(alike, {})[source] = run
    best = max(sets, key=lambda k: rank(sets[k], k[3] > 0, branched), default=None)
    missing = [name for name in wanted if best is None or name not in sets[best]]
    if best is None or missing:
        raise missing_runs(recipe, missing, sets, best, branched)
    folders = tuple(sets[best][name].folder for name in wanted)
    return SourceRuns(tuple(wanted), folders, *best[:4])


def rank(members: Mapping[str, ScoredRun], shares: bool, branched: bool) -> tuple[Any, ...]:
    """What makes one set better than another."""
    latest = max(str(run.spec.get("created", "")) for run in members.values())
    return len(members), shares == branched, latest


def missing_runs(
    recipe: Recipe,
    missing: Sequence[str],
    sets: Mapping[tuple[Any, ...], Mapping[str, ScoredRun]],
    best: tuple[Any, ...] | None,
    branched: bool,
) -> ArtifactMissing:
    """What to say when sources have no run that goes with the others."""
    shared = (best[3] if best else SHARED) if branched else (best[3] if best else 0.0)
    also = f" --size {best[0]} --tokens {best[1]} --seed {best[2]}" if best else ""
    also += f" --shared {shared:g}" if shared else ""
    there = [f"{k[0]}, {k[1]:,} tokens, seed {k[2]}: {', '.join(v)}" for k, v in sets.items()]
    return ArtifactMissing(
        f"{len(missing)} sources have no scored run of their own that is trained like the others "
        f"(same size, tokens, seed, tokenizer and data): {', '.join(missing)}.",
        where=recipe.name,
        value="; ".join(there) or None,
        next_step=f"`mixlab sweep {recipe.name} --single-source{also}`",
    )
