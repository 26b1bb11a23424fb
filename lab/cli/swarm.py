"""`mixlab swarm`, `sweep`, `loop`, `validate`, `stale`, `reuse`: runs that lead to a decision."""

import argparse
from typing import Any

import polars as pl

from lab.cli.act import act, failed_runs, seeds, where, workspace
from lab.cli.show import Shown, rows

KEYS = (
    *("runs", "method", "temper", "minimum", "capped", "repeats", "extend"),
    *("thresholds", "by_phase"),
)


def design_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_design_options` as parameters of an action."""
    weakest, strongest = options.strengths
    given = {key: getattr(options, key) for key in KEYS}
    return given | {"weakest": weakest, "strongest": strongest}


def run_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_run_options` as parameters of an action."""
    keys = ("size", "tokens", "seed", "repetition", "snapshots")
    return {key: getattr(options, key) for key in keys} | where(options)


OTHER_DESIGNS = ("single_source", "thresholds", "by_phase", "extend", "tokens", "repeats", "capped")


def sweep(options: argparse.Namespace) -> Shown:
    """Train a designed set of mixtures, or with --single-source a run per source."""
    if options.shared and not options.single_source:
        options.misused("--shared goes with --single-source")
    if options.single_source and (options.thresholds or options.by_phase):
        options.misused("--single-source trains other runs than --thresholds and --phases")
    asked = design_options(options) | run_options(options)
    asked |= {"single_source": options.single_source, "shared": options.shared}
    if options.next_runs and any(getattr(options, name) for name in OTHER_DESIGNS):
        options.misused("--next trains what the latest advice names, at its sizes and budgets")
    asked["next_runs"] = options.next_runs
    return failed_runs(act(options, "sweep", recipe=options.recipe, **asked))


def swarm(options: argparse.Namespace) -> Shown:
    """Show the design that a sweep with these options would train; write it with -o."""
    from lab.jobs.actions import Sweep
    from lab.jobs.steps.advice import planned

    about = {"size": options.size, "tokens": options.tokens, "seed": options.seed}
    given = Sweep(options.recipe, **about, **design_options(options))
    plan = planned(workspace(options), given)
    design = plan.design
    ratios = design.ratios().with_columns(nearest=pl.Series(design.nearest, dtype=pl.Float64))
    if options.output:
        design.ratios().write_csv(options.output)
    facts = {
        "mixtures": len(design.names),
        "before": design.before,
        "needed": design.needed,
        "rank": design.rank,
        "sources": len(design.sources),
        "nearest": float(design.nearest.min()) if len(design.names) else None,
        "runs": len(plan.pairs),
        "within_caps": plan.within,
        "caps_allow": plan.allowed,
        "seconds": plan.seconds,
    }
    return Shown(
        facts | {"design": rows(ratios), "notes": list(design.notes)},
        [("Design", ratios.drop("run", "index"))],
        [*swarm_words(facts, plan.basis), *[f"note: {note}" for note in design.notes]],
    )


def swarm_words(facts: dict[str, Any], basis: str) -> list[str]:
    """What a design can tell and what it takes, in words."""
    total = facts["mixtures"] + facts["before"]
    have = f"{facts['mixtures']} new mixtures" + (
        f" beside {facts['before']} that were trained" if facts["before"] else ""
    )
    return [
        f"{have}; 3(m + 1) = {facts['needed']} are needed, {total} there then",
        f"rank {facts['rank']} of {facts['sources']} sources"
        + (f"; nearest two mixtures {facts['nearest']:.3f} apart" if facts["mixtures"] else ""),
        f"{facts['within_caps']} of {facts['mixtures']} within the supply's caps, which allow "
        f"{min(facts['caps_allow'], 99):.2f} of the budget",
        f"{facts['runs']} runs, about {facts['seconds'] / 60:.3g} minutes of training ({basis})",
    ]


def loop(options: argparse.Namespace) -> Shown:
    """Propose, train, refit until the decision is resolved or the minutes are spent."""
    keys = ("budget", "metric", "start", "batch", "repeats", "confirm", "confirm_tokens")
    asked = {key: getattr(options, key) for key in keys} | run_options(options)
    shown = act(options, "loop", recipe=options.recipe, **asked)
    if "rounds" not in shown.data:  # detached
        return shown
    data = shown.data
    notes = [
        f"{data['ended']} after {data['runs']} runs and {data['minutes']:.3g} minutes: "
        f"{data['verdict']} (odds that the proposal beats natural: {data['p_better']:.2f})",
        "proposal: " + ", ".join(f"{n} {share:.3f}" for n, share in data["proposal"].items()),
    ]
    if said := data.get("confirmed"):
        gain = said["gain"]
        notes.append(
            f"{said['verdict']} at {said['size']}: gain over natural {gain['value']:.4g} "
            f"[{gain['low']:.4g}, {gain['high']:.4g}]"
        )
    table = ("Rounds", pl.DataFrame(data["rounds"], infer_schema_length=None))
    return failed_runs(Shown(data, [table], notes))


def validate(options: argparse.Namespace) -> Shown:
    """The latest proposal, natural and uniform at a second size, and a verdict."""
    from lab.advice.proposing.validation import ROWS

    asked = run_options(options) | {"seeds": len(seeds(options))}
    shown = act(options, "validate", recipe=options.recipe, **asked)
    if "rows" not in shown.data:
        return shown
    data = shown.data
    gain, overall = data["gain"], data["overall"]
    notes = [
        f"{data['verdict']} at {data['size']}: gain over natural {gain['value']:.4g} "
        f"[{gain['low']:.4g}, {gain['high']:.4g}]",
        f"decision accuracy {overall['value']:.2f} [{overall['low']:.2f}, {overall['high']:.2f}] "
        f"over {overall['n']} pairs",
        *[f"note: {note}" for note in data["notes"]],
    ]
    return failed_runs(Shown(data, [("Mixtures", pl.DataFrame(data["rows"], ROWS))], notes))


def stale(options: argparse.Namespace) -> Shown:
    """Runs that used data which the recipe no longer means, and what changed."""
    from lab.advice.evidence.stale import stale_notes, stale_table
    from lab.evaluation.runs.trajectories import scored_runs
    from lab.mixture.recipe_files import load_recipe

    ws = workspace(options)
    runs = scored_runs(ws)
    table = stale_table(ws, load_recipe(ws, options.recipe), runs)
    old = table["run"].n_unique()
    notes = [f"{len(runs) - old} of {len(runs)} scored runs speak of the data as it is now"]
    data = {"runs": len(runs), "stale": rows(table)}
    tables = [("Stale", table)] if old else []
    return Shown(data, tables, [*notes, *stale_notes(table)])


def reuse(options: argparse.Namespace) -> Shown:
    """Train the few runs that restore a decision; with --plan only name them."""
    if options.plan:
        return reuse_plan(options)
    asked = {"changed": options.changed, "runs": options.runs, "metric": options.metric}
    shown = act(options, "reuse", recipe=options.recipe, **asked, **run_options(options))
    if "weights" not in shown.data:
        return shown
    data = shown.data
    table = pl.DataFrame([{"source": n} | w for n, w in data["weights"].items()])
    notes = [
        f"learned anew: {', '.join(data['changed'])}; all others keep their ratios",
        f"verdict: {data['verdict']} (odds that it beats natural: {data['p_better']:.2f})",
    ]
    columns = ["source", "value", "low", "high"]
    return failed_runs(Shown(data, [("Restored weights", table.select(columns))], notes))


def reuse_plan(options: argparse.Namespace) -> Shown:
    """The runs that would restore the decision."""
    from lab.advice.reuse.restore import plan_restoring

    plan = plan_restoring(
        workspace(options), options.recipe, options.changed or (), options.runs or 0,
        options.size, options.tokens, options.seed,
    )  # fmt: skip
    mixtures = [{"name": name} | dict(weights) for name, weights in plan.mixtures.items()]
    notes = [
        *[f"{source}: {what}" for source, what in plan.damage.sources.items()],
        f"{plan.damage.stale} of the {plan.damage.runs} runs of the advice are stale",
        f"learned anew: {', '.join(plan.frozen.changed)}; all others keep their ratios",
        f"{len(mixtures)} runs to train, {plan.reused} are evidence already; "
        f"{plan.needed} are needed",
    ]
    if (hint := plan.coupling()) is not None:
        notes.append(
            f"coupling: without the changed sources the others would be mixed "
            f"{hint:.2f} (total variation) differently"
        )
    data = {"changed": list(plan.frozen.changed), "reused": plan.reused, "mixtures": mixtures}
    data |= {"stale": plan.damage.stale, "because": dict(plan.damage.sources)}
    tables = [("Runs that restore the decision", pl.DataFrame(mixtures))] if mixtures else []
    return Shown(data | {"coupling": hint, "needed": plan.needed}, tables, notes)
