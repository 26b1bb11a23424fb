"""Steps of advice: swarms, the loop, the proposal, its validation, and restoring it."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from lab.core.errors import ConfigError
from lab.core.files import digest
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.cheap import source_runs
from lab.jobs.steps.columns import planned_columns
from lab.jobs.steps.runs import train_all

Result = dict[str, Any]
CONFIRMS = 0.2  # of the bar, for the second size


def sweep(ws: Workspace, p: a.Sweep, progress: Progress) -> Result:
    """A designed set of mixtures around a recipe, or a run per source, trained and scored."""
    if p.single_source:
        return source_runs(ws, p, progress)
    if p.next_runs:
        return next_runs(ws, p, progress)
    from lab.advice.design.swarm import require_mixtures
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    swarm = planned(ws, p)
    require_mixtures(swarm)
    return train_all(ws, swarm.pairs, p, progress)


def next_runs(ws: Workspace, p: a.Sweep, progress: Progress) -> Result:
    """The next runs of the latest advice for a recipe, size by size; ConfigError without any."""
    from lab.advice.design.swarm import with_weights
    from lab.advice.proposing.store import latest
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    base, found = load_recipe(ws, p.recipe), latest(ws, p.recipe)
    if found is None or found[1].next_runs.is_empty():
        raise ConfigError(
            "No advice for this recipe names a run to train next.",
            where=p.recipe,
            next_step=f"`mixlab advise {p.recipe}` asks the runs that there are",
        )
    fit, advice = found
    require_sources(base, fit, advice)
    places = advice.next_runs.group_by("size", "tokens", maintain_order=True)
    done: Result = {"runs": [], "failed": {}, "repetition": ""}
    spent, whole = 0.0, float(advice.next_runs["minutes"].sum())
    for (size, tokens), frame in places:
        pairs = []
        for row in frame.select(fit.sources).iter_rows(named=True):
            weights = {name: share for name, share in row.items() if share > 0}
            name = f"{base.name}-next-{digest(weights)[:6]}"
            pairs.append((with_weights(base, name, weights), p.seed))
        low, spent = spent, spent + float(frame["minutes"].sum())
        part = progress.part(low / whole, spent / whole, f"{size}: ")
        own = train_all(ws, pairs, replace(p, size=str(size), tokens=int(tokens)), part)
        done = {
            "runs": [*done["runs"], *own["runs"]],
            "failed": done["failed"] | own["failed"],
            "repetition": " ".join(filter(None, [done["repetition"], own["repetition"]])),
        }
    return done


def require_sources(base: Any, fit: Any, advice: Any) -> None:
    """ConfigError if a next run would draw from a source that the recipe no longer has."""
    used = [name for name in fit.sources if advice.next_runs[name].sum() > 0]
    if gone := [name for name in used if name not in base.sources]:
        raise ConfigError(
            "The recipe no longer has sources that the advice would train on.",
            where=base.name,
            value=gone,
            next_step=f"`mixlab advise {base.name}` asks again",
        )


def planned(ws: Workspace, p: a.Sweep) -> Any:
    """The swarm that was asked for: over sources, over thresholds of them, or over phases."""
    from lab.advice.design.swarm import plan_swarm

    if p.thresholds or p.by_phase:
        return planned_columns(ws, p, swarm_settings(p))
    return plan_swarm(ws, p.recipe, swarm_settings(p), p.size, p.tokens)


def swarm_settings(p: a.Sweep) -> Any:
    """How the swarm of an action is drawn."""
    from lab.advice.design.swarm import SwarmSettings

    return SwarmSettings(
        p.runs,
        p.seed,
        p.method,
        p.temper,
        (p.weakest, p.strongest),
        p.minimum,
        p.capped,
        p.repeats,
        p.extend,
    )


def advise(ws: Workspace, p: a.Advise, progress: Progress) -> Result:
    """A fit of the runs and the advice drawn from it."""
    from lab.advice.proposing.of_recipe import advise_from_runs
    from lab.advice.proposing.request import request_of

    asked = asdict(p)
    name = asked.pop("recipe")
    progress(0, 1, "fitting the runs")
    fit, advice = advise_from_runs(ws, name, request_of(asked))
    progress(1, 1, "advice stored")
    return {"runs": len(fit.runs), "verdict": advice.verdict, "proposal": advice.proposal}


def loop(ws: Workspace, p: a.Loop, progress: Progress) -> Result:
    """Propose, train, refit, until the decision is resolved or the minutes are spent; then ask a
    second size, if there is one.
    """
    from lab.advice.loop.of_recipe import LoopSettings, loop
    from lab.advice.loop.record import trajectory
    from lab.proxy.trackers import require_tracker

    require_tracker(p.track)
    settings = LoopSettings(**{f.name: getattr(p, f.name) for f in fields(LoopSettings)})
    deciding = progress.part(0.0, 1 - CONFIRMS) if p.confirm else progress
    done = loop(ws, p.recipe, settings, lambda pairs, part: train_all(ws, pairs, p, part), deciding)
    failed = [name for closed in done.record.rounds for name in closed.failed]
    return {
        "ended": done.record.ended,
        "verdict": done.verdict,
        "p_better": done.advice.p_better,
        "runs": done.record.runs,
        "minutes": done.record.minutes,
        "proposal": done.advice.proposal,
        "rounds": trajectory(done.record.rounds),
        "failed": dict.fromkeys(failed, "see the log of the run"),
    } | confirmed(ws, p, settings, done.verdict, progress.part(1 - CONFIRMS, 1.0))


def confirmed(ws: Workspace, p: a.Loop, settings: Any, verdict: str, progress: Progress) -> Result:
    """What the second size says of the loop's decision; nothing if natural was proposed."""
    from lab.advice.loop.of_recipe import SEEDS, loop_folder
    from lab.advice.loop.record import keep_confirmed
    from lab.mixture.recipe_files import load_recipe

    if not p.confirm or verdict == "same":
        return {}
    shared = {f.name: getattr(p, f.name) for f in fields(a.Validate) if hasattr(p, f.name)}
    own = {"size": p.confirm, "tokens": p.confirm_tokens, "seeds": SEEDS}
    said = validate(ws, a.Validate(**(shared | own)), progress)
    keys = ("size", "tokens", "verdict", "gain", "overall", "failed")
    found = {key: said[key] for key in keys}
    keep_confirmed(loop_folder(ws, load_recipe(ws, p.recipe), settings), found)
    return {"confirmed": found}


def validate(ws: Workspace, p: a.Validate, progress: Progress) -> Result:
    """The proposal, natural and uniform at a second size under several seeds, and a verdict."""
    from lab.advice.design.swarm import with_weights
    from lab.advice.evidence.evidence import tables_from_runs
    from lab.advice.proposing.store import latest, save_validation
    from lab.advice.proposing.validation import validate, validation_mapping, validation_mixtures
    from lab.mixture.recipe_files import load_recipe
    from lab.proxy.runs import load_run

    base = load_recipe(ws, p.recipe)
    fit, advice = require_advice(latest(ws, base.name), base.name)
    seeds = range(p.seed, p.seed + p.seeds)
    require_seeds(p.seeds)
    pairs = [
        (with_weights(base, f"{base.name}-valid-{name}", weights), seed)
        for seed in seeds
        for name, weights in validation_mixtures(advice).items()
    ]
    result = train_all(ws, pairs, p, progress.part(0.0, 0.95))
    tokens = load_run(ws.runs / result["runs"][0]).tokens
    found = validate(fit, advice, tables_from_runs(ws, p.size, tokens, base))
    save_validation(ws, found, base)
    progress(1, 1, "validation stored")
    return result | validation_mapping(found)


def require_advice(found: Any, recipe: str) -> Any:
    """The fit and advice that were found; ConfigError if there are none."""
    if found is None:
        raise ConfigError(
            "There is no advice for this recipe yet.",
            where=recipe,
            next_step=f"`mixlab advise --recipe {recipe}`, or `mixlab loop {recipe} --budget 60`",
        )
    return found


def require_seeds(seeds: int) -> None:
    """ConfigError for fewer than two: noise would be unknown."""
    if seeds < 2:
        raise ConfigError(
            "A validation needs two seeds of every mixture, or its noise is unknown.",
            where="--seeds",
            value=seeds,
            next_step="give 2 or more",
        )


def reuse(ws: Workspace, p: a.Reuse, progress: Progress) -> Result:
    """The few runs that restore a decision after sources changed, and what they decide."""
    from lab.advice.design.swarm import with_weights
    from lab.advice.reuse.restore import plan_restoring, restore
    from lab.advice.reuse.restored import restored_mapping

    plan = plan_restoring(ws, p.recipe, p.changed or (), p.runs, p.size, p.tokens, p.seed)
    pairs = [
        (with_weights(plan.recipe, f"{plan.recipe.name}-reuse-{name}", weights), p.seed)
        for name, weights in plan.mixtures.items()
    ]
    result: Mapping[str, Any] = {"runs": [], "failed": {}}
    if pairs:
        result = train_all(ws, pairs, p, progress.part(0.0, 0.95))
    restored = restore(ws, plan, p.metric)
    progress(1, 1, "restored")
    return {**restored_mapping(restored), **result, "fitted": list(restored.runs)}
