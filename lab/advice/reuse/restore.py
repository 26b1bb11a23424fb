"""Restoring a workspace's decision after sources changed: `lab.advice.reuse.reuse` on a recipe.

What changed is read from the runs that the last advice rests on: a source whose pool is not what
it was in them, or that no run of it used. Further untouched sources may be named as changed. The
weights that come out are stored as an artifact "reuse" beside the advice, which stays as it is: it
rests on other data, and says so (`mixlab stale`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lab.advice.design.swarm import unique_tokens
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.evidence.stale import pool_parts, pools_now, stale_table, weights_of
from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice, advise
from lab.advice.proposing.from_runs import fit_evidence
from lab.advice.proposing.store import VERSION, latest
from lab.advice.reuse.reuse import Frozen, coupling, freeze, on_ray, plan_reuse, restored_weights
from lab.advice.simplex import supply_caps
from lab.core.artifacts import build
from lab.core.errors import ConfigError, nearest
from lab.core.estimate import Estimate
from lab.core.files import digest, write_json
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.recipe_files import load_recipe
from lab.proxy.sizes import get_size


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train: `mixtures` by name; `reused` counts runs that are evidence already.

    `coupling` as in `lab.advice.reuse.reuse.coupling`.
    """

    recipe: Recipe
    frozen: Frozen
    mixtures: Mapping[str, Mapping[str, float]]
    reused: int
    needed: int
    coupling: float | None
    size: str
    tokens: int
    natural: Mapping[str, float]
    caps: Mapping[str, float]


def plan_restoring(
    ws: Workspace,
    recipe: str,
    changed: Sequence[str] = (),
    runs: int = 0,
    size: str = "nano",
    tokens: int | None = None,
    seed: int = 0,
) -> Plan:
    """The runs at `size` that restore the decision of the last advice for `recipe`.

    `changed` are sources to learn anew beside those that changed. ConfigError if there is no
    advice, nothing changed, or nothing can be kept.
    """
    base = load_recipe(ws, recipe)
    found = latest(ws, base.name)
    if found is None:
        raise ConfigError(
            "There is no advice for this recipe whose decision could be restored.",
            where=base.name,
            next_step=f"`mixlab sweep {base.name}`, then `mixlab advise --recipe {base.name}`",
        )
    fit, advice = found
    for name in changed:
        if name not in base.sources:
            raise ConfigError(f"Unknown source {name!r}.", next_step=nearest(name, base.sources))
    natural = {n: count for n, count in unique_tokens(ws, base).items() if count > 0}
    new = [*changed, *changed_sources(ws, base, fit)]
    frozen = freeze(advice.proposal, list(natural), new)
    shape = get_size(size)
    budget = shape.steps(tokens or shape.default_tokens) * shape.tokens_per_step
    before = reusable(ws, base, frozen, size, budget)
    design = plan_reuse(frozen, natural, advice.proposal, runs, before=before, seed=seed)
    rows = design.weights.tolist()
    return Plan(
        base,
        frozen,
        {
            name: dict(zip(design.sources, row, strict=True))
            for name, row in zip(design.names, rows, strict=True)
        },
        len(before),
        design.needed,
        coupling(fit, natural, advice.caps, advice.kl, frozen),
        size,
        budget,
        natural,
        supply_caps(natural, float(base.mixture.tokens), base.mixture.repeat_cap),
    )


def changed_sources(ws: Workspace, recipe: Recipe, fit: Fit) -> list[str]:
    """Sources of the recipe that are not what they were in the runs of a fit."""
    now = pools_now(ws, recipe)
    then: dict[str, set[str]] = {}
    for run in scored_runs(ws):
        if run.spec["id"] in fit.runs:
            for name in weights_of(run):
                then.setdefault(name, set()).add(digest(pool_parts(run.spec, name)))
    return [name for name, parts in now.items() if then.get(name) != {digest(parts)}]


def reusable(
    ws: Workspace, recipe: Recipe, frozen: Frozen, size: str, tokens: int
) -> dict[str, dict[str, float]]:
    """Mixtures in the frozen coordinates that were trained on the data as it is now."""
    runs = [r for r in scored_runs(ws) if (r.spec["size"], r.spec["tokens"]) == (size, tokens)]
    old = set(stale_table(ws, recipe, runs)["run"])
    if all(run.spec["id"] in old for run in runs):
        return {}
    table = on_ray(tables_from_runs(ws, size, tokens, recipe).ratios, frozen)
    names = list(frozen.sources)
    return {str(r["run"]): {n: r[n] for n in names} for r in table.iter_rows(named=True)}


def restore(ws: Workspace, plan: Plan, metric: str | None) -> tuple[Advice, dict[str, Estimate]]:
    """Fit the frozen coordinates and advise: (advice over them, weights of all sources), stored.

    Raises what `tables_from_runs`, `fit_table` and `advise` raise.
    """
    found = tables_from_runs(ws, plan.size, plan.tokens, plan.recipe)
    ratios = on_ray(found.ratios, plan.frozen)
    metrics = found.metrics.filter(found.metrics["run"].is_in(ratios["run"].to_list()))
    fit = fit_evidence(ws, replace(found, ratios=ratios, metrics=metrics), metric)
    natural, caps = plan.frozen.collapse(plan.natural), plan.frozen.caps(plan.caps)
    advice = advise(fit, natural, caps=caps)
    weights = restored_weights(advice, plan.frozen)
    store(ws, plan, advice, weights)
    return advice, weights


def store(ws: Workspace, plan: Plan, advice: Advice, weights: Mapping[str, Estimate]) -> None:
    """The restored weights as an artifact "reuse"."""
    said = {
        "changed": list(plan.frozen.changed),
        "ratios": dict(plan.frozen.ratios),
        "verdict": advice.verdict,
        "p_better": advice.p_better,
        "weights": {name: asdict(value) for name, value in weights.items()},
        "notes": list(advice.notes),
    }
    about = {"recipe": plan.recipe.name, "recipe_id": recipe_id(plan.recipe)}

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / "reuse.json", said)
        return {"verdict": advice.verdict, **about}

    build(ws, "reuse", VERSION, {"reuse": digest(said), **about}, [], make)
