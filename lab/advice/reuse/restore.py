"""Restoring a workspace's decision after sources changed: `lab.advice.reuse.reuse` on a recipe.

What changed is read from the runs that the last advice rests on: a source whose pool is not what
it was in them, or that no run of it used (`lab.advice.reuse.damage`). Further untouched sources may
be named as changed. The weights that come out are stored beside the advice
(`lab.advice.reuse.restored`), which stays as it is: it rests on other data, and says so.

The question is that of the last advice: its targets, KL weight, caps and guards, and repetition
counted alike. The untouched sources are one virtual source, which repeats as often as its members
do on average over its tokens: shares u of N tokens each are worn as 1 / sum(u^2 / N) tokens, exact
where what wears off is proportional to the epochs. Guards hold against the natural mixture in the
frozen ratios. What cannot be carried over is said in the notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lab.advice.design.swarm import unique_tokens, usable_runs
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.guards import Guard
from lab.advice.proposing.advise import Advice, advise
from lab.advice.proposing.from_runs import foreseeable
from lab.advice.proposing.of_recipe import fit_asked, supply_for
from lab.advice.proposing.store import latest
from lab.advice.reuse.damage import Damage, damage_of
from lab.advice.reuse.restored import Restored, save
from lab.advice.reuse.reuse import (
    KEPT,
    Frozen,
    coupling,
    freeze,
    on_ray,
    plan_reuse,
    restored_weights,
)
from lab.advice.simplex import supply_caps
from lab.advice.words import few
from lab.core.errors import ConfigError, nearest
from lab.core.workspace import Workspace
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
        tighter(
            supply_caps(natural, float(base.mixture.tokens), base.mixture.repeat_cap),
            advice.asked.caps,
        ),
    )


def tighter(caps: Mapping[str, float], asked: Mapping[str, float]) -> dict[str, float]:
    """`caps`, or what was `asked` for where that is less."""
    return {name: min(cap, asked.get(name, cap)) for name, cap in caps.items()}


def reusable(
    ws: Workspace, recipe: Recipe, frozen: Frozen, size: str, tokens: int
) -> dict[str, dict[str, float]]:
    """Mixtures in the frozen coordinates that were trained on the data as it is now."""
    if not usable_runs(ws, recipe, size, tokens):
        return {}
    table = on_ray(tables_from_runs(ws, size, tokens, recipe).ratios, frozen)
    names = list(frozen.sources)
    return {str(r["run"]): {n: r[n] for n in names} for r in table.iter_rows(named=True)}


def restore(ws: Workspace, plan: Plan, metric: str | None) -> Restored:
    """Fit the frozen coordinates, advise over them, and store the weights of all sources.

    `metric` is the target instead of those of the last advice. Raises what `tables_from_runs`,
    `fit_asked` and `advise` raise.
    """
    found = tables_from_runs(ws, plan.size, plan.tokens, plan.recipe)
    ratios = on_ray(found.ratios, plan.frozen)
    metrics = found.metrics.filter(found.metrics["run"].is_in(ratios["run"].to_list()))
    named = [metric] if metric else list(plan.advice.asked.targets)
    wanted = [*named, *plan.advice.asked.guards] if named else []
    scored = [name for name in dict.fromkeys(wanted) if name == metric or name in metrics.columns]
    fit = fit_asked(ws, replace(found, ratios=ratios, metrics=metrics), scored)
    told = advise_as_asked(ws, plan, fit, metric)
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


def advise_as_asked(ws: Workspace, plan: Plan, fit: Fit, metric: str | None) -> Advice:
    """The last advice's question put to a fit of the frozen coordinates; notes on what is lost."""
    last, known = plan.advice, fit.metrics
    targets = [metric] if metric else [name for name in last.targets if name in known]
    guards = {name: epsilon for name, epsilon in last.asked.guards.items() if name in known}
    supply, said = supply_for(ws, plan.recipe, fit, virtual_supply(plan.frozen, plan.natural))
    told = advise(
        fit,
        plan.frozen.collapse(plan.natural),
        caps=plan.frozen.caps(plan.caps),
        targets=targets or foreseeable(fit),
        kl=last.kl,
        supply=supply,
        guards=[Guard(name, "natural", epsilon) for name, epsilon in guards.items()],
    )
    return replace(told, notes=(*told.notes, *said, *lost_words(last, known, metric)))


def virtual_supply(frozen: Frozen, unique: Mapping[str, float]) -> dict[str, float]:
    """Unique tokens in the frozen coordinates; see the module's text for the virtual source."""
    worn = sum(ratio**2 / unique[name] for name, ratio in frozen.ratios.items() if ratio > 0)
    return frozen.collapse(unique) | {KEPT: 1 / worn}


def lost_words(last: Advice, known: Sequence[str], metric: str | None) -> list[str]:
    """What of the last advice's question is not asked again, in a sentence each."""
    targets = [] if metric else [name for name in last.targets if name not in known]
    guards = [name for name in last.asked.guards if name not in known]
    notes = []
    if targets:
        notes.append(f"Targets of the last advice that these runs do not score: {few(targets)}.")
    if guards:
        notes.append(f"Guards that do not hold here, as nothing was fitted to them: {few(guards)}.")
    if last.asked.current or last.asked.groups:
        notes.append(
            "The current mixture and groups of metrics are not carried over: `mixlab advise` "
            "compares them."
        )
    return notes
