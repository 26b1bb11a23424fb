"""Restoring a workspace's decision after sources changed: `lab.advice.reuse.reuse` on a recipe.

What changed is read from the runs that the last advice rests on: a source whose pool is not what
it was in them, or that no run of it used (`lab.advice.reuse.damage`). Further untouched sources may
be named as changed. The weights that come out are stored beside the advice
(`lab.advice.reuse.restored`), which stays as it is: it rests on other data, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lab.advice.design.swarm import unique_tokens
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.evidence.stale import stale_table
from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice, advise
from lab.advice.proposing.from_runs import fit_evidence
from lab.advice.proposing.store import latest
from lab.advice.reuse.damage import Damage, damage_of
from lab.advice.reuse.restored import Restored, save
from lab.advice.reuse.reuse import Frozen, coupling, freeze, on_ray, plan_reuse, restored_weights
from lab.advice.simplex import supply_caps
from lab.core.errors import ConfigError, nearest
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe
from lab.proxy.sizes import get_size


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train: `mixtures` by name; `reused` counts runs that are evidence already.

    `damage`: what changed since the runs of the last advice, whose `fit` and `advice` these are.
    """

    recipe: Recipe
    damage: Damage
    fit: Fit
    advice: Advice
    frozen: Frozen
    mixtures: Mapping[str, Mapping[str, float]]
    reused: int
    needed: int
    size: str
    tokens: int
    natural: Mapping[str, float]
    caps: Mapping[str, float]

    def coupling(self) -> float | None:
        """By how much what is kept depends on what is learned anew; see `reuse.coupling`."""
        return coupling(self.fit, self.natural, self.advice.caps, self.advice.kl, self.frozen)


def plan_restoring(
    ws: Workspace,
    recipe: str | Recipe,
    changed: Sequence[str] = (),
    runs: int = 0,
    size: str = "nano",
    tokens: int | None = None,
    seed: int = 0,
    supply: Mapping[str, float] | None = None,
) -> Plan:
    """The runs at `size` that restore the decision of the last advice for `recipe`.

    `changed` are sources to learn anew beside those that changed; `supply` unique tokens by source,
    where they are known. ConfigError if there is no advice, nothing changed, or nothing can be
    kept.
    """
    base = load_recipe(ws, recipe) if isinstance(recipe, str) else recipe
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
    supply = unique_tokens(ws, base) if supply is None else supply
    natural = {name: tokens_ for name, tokens_ in supply.items() if tokens_ > 0}
    damage = damage_of(ws, base, fit.runs)
    frozen = freeze(advice.proposal, list(natural), [*changed, *damage.sources])
    shape = get_size(size)
    budget = shape.steps(tokens or shape.default_tokens) * shape.tokens_per_step
    before = reusable(ws, base, frozen, size, budget)
    design = plan_reuse(frozen, natural, advice.proposal, runs, before=before, seed=seed)
    rows = design.weights.tolist()
    return Plan(
        base,
        damage,
        fit,
        advice,
        frozen,
        {
            name: dict(zip(design.sources, row, strict=True))
            for name, row in zip(design.names, rows, strict=True)
        },
        len(before),
        design.needed,
        size,
        budget,
        natural,
        supply_caps(natural, float(base.mixture.tokens), base.mixture.repeat_cap),
    )


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


def restore(ws: Workspace, plan: Plan, metric: str | None) -> Restored:
    """Fit the frozen coordinates, advise over them, and store the weights of all sources.

    Raises what `tables_from_runs`, `fit_table` and `advise` raise.
    """
    found = tables_from_runs(ws, plan.size, plan.tokens, plan.recipe)
    ratios = on_ray(found.ratios, plan.frozen)
    metrics = found.metrics.filter(found.metrics["run"].is_in(ratios["run"].to_list()))
    fit = fit_evidence(ws, replace(found, ratios=ratios, metrics=metrics), metric)
    natural, caps = plan.frozen.collapse(plan.natural), plan.frozen.caps(plan.caps)
    told = advise(fit, natural, caps=caps)
    total = sum(plan.natural.values())
    restored = Restored(
        told.verdict,
        told.p_better,
        plan.frozen.changed,
        restored_weights(told, plan.frozen),
        {name: tokens / total for name, tokens in plan.natural.items()},
        {name: min(cap, 1.0) for name, cap in plan.caps.items()},
        plan.coupling(),
        fit.runs,
        told.notes,
    )
    save(ws, plan.recipe, restored)
    return restored
