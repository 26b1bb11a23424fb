"""`mixlab fit` and `mixlab advise`: from the workspace's runs, or from tables of anybody's."""

import argparse
from dataclasses import replace
from typing import Any

import polars as pl

from lab.cli.act import act, workspace
from lab.cli.first_answer import first_answer
from lab.cli.show import Shown, rows
from lab.core.errors import ConfigError


def fit(options: argparse.Namespace) -> Shown:
    """Fit every law and show how well each predicts runs it did not see."""
    from lab.advice.evidence.tables import read_table
    from lab.advice.fitting.learning import learning_curve
    from lab.advice.fitting.predict import predict_table
    from lab.advice.proposing.interchange import write_table, write_tables

    if options.predict and not options.metric:
        options.misused("--predict needs --target METRIC")
    if options.output and not options.predict:
        options.misused("-o goes with --predict RATIOS.csv")
    fitted = fitted_tables(options)
    data: dict[str, Any] = {
        "runs": len(fitted.runs),
        "sources": list(fitted.sources),
        "scores": rows(fitted.scores),
        "notes": list(fitted.notes),
    }
    title = f"Laws over {len(fitted.runs)} runs of {len(fitted.sources)} sources, out of fold"
    tables, notes = [(title, fitted.scores)], [f"note: {n}" for n in fitted.notes]
    if options.learning_curve:
        curve = learning_curve(fitted)
        data["learning_curve"] = rows(curve)
        if curve.is_empty():
            notes.append(f"note: {len(fitted.runs)} runs are too few for a learning curve.")
        else:
            tables.append(("Rank correlation with runs left out, by runs fitted", curve))
    if options.tables:
        data["tables"] = [str(path) for path in write_tables(fitted, options.tables)]
        notes.append("written: " + ", ".join(data["tables"]))
    if options.predict:
        predicted = predict_table(fitted, read_table(options.predict), options.metric)
        if options.output:
            write_table(predicted, options.output)
            data |= {"predictions": str(options.output), "predicted": predicted.height}
            notes.append(f"written: {options.output}, {predicted.height} rows")
        else:
            data["predicted"] = rows(predicted)
            tables.append((f"Predicted {options.metric}", predicted))
    return Shown(data, tables, notes)


def advise(options: argparse.Namespace) -> Shown:
    """Propose a mixture with an interval on every weight."""
    if options.cheap:
        return first_answer(options)
    from lab.advice.proposing.interchange import proposed_runs, write_table
    from lab.advice.proposing.store import advice_mapping

    if options.recipe and options.name and options.recipe != options.name:
        options.misused(f"two recipes are named: {options.name} and {options.recipe}")
    options.recipe = options.recipe or options.name
    require_one_each(options)
    if options.ratios:
        require_table_terms(options)
        advice = advise_from_tables(options)
    elif not options.recipe:
        options.misused("name the recipe whose supply and caps apply: --recipe RECIPE")
    elif wrong := [name for name in TABLES_ONLY if given(options, name)]:
        options.misused(f"--{wrong[0].replace('_', '-')} goes with --ratios and --metrics")
    elif options.model != "auto":
        options.misused("--model goes with --ratios and --metrics")
    elif options.detach:
        if options.output:
            options.misused("-o does not go with --detach: the job stores the advice")
        return act(options, "advise", recipe=options.recipe, **terms(options))
    else:
        from lab.advice.proposing.of_recipe import advise_from_runs
        from lab.advice.proposing.request import request_of

        asked = request_of(terms(options))
        advice = advise_from_runs(workspace(options), options.recipe, asked)[1]
    if options.output:
        write_table(proposed_runs(advice), options.output)
    return Shown(advice_mapping(advice), advice_tables(advice), words(advice))


REPEAT_CAP = 4.0  # epochs, as of a recipe
TABLES_ONLY = (  # a recipe has its own
    *("metrics", "natural", "supply", "budget", "repeat_cap", "matched", "higher"),
)


def given(options: argparse.Namespace, name: str) -> bool:
    """True if an option was on the command line, be its value 0."""
    value = getattr(options, name)
    return value is not None and value is not False


def require_one_each(options: argparse.Namespace) -> None:
    """Wrong usage if two guards are of one metric, or two groups of one name."""
    for what, given in (("--guard", options.guard), ("--group", options.groups)):
        names = [name for name, _ in given or ()]
        if twice := [name for name in names if names.count(name) > 1]:
            options.misused(f"{what} {twice[0]} is given twice")


def require_table_terms(options: argparse.Namespace) -> None:
    """Wrong usage if tables come with what goes with a recipe, or supply terms without supply."""
    if options.recipe:
        options.misused("name a RECIPE, or give --ratios and --metrics, not both")
    if options.detach:
        options.misused("--detach goes with a recipe of the workspace")
    if options.sizes:
        options.misused("--sizes goes with a recipe of the workspace")
    if given(options, "supply") != given(options, "budget"):
        options.misused("--supply and --budget go together")
    if not options.supply and (given(options, "repeat_cap") or options.matched):
        options.misused("--repeat-cap and --matched go with --supply and --budget")


def terms(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line asks of advice on a recipe: parameters of the action `advise`."""
    from lab.advice.proposing.interchange import read_shares

    return {
        "targets": [options.metric] if options.metric else None,
        "kl": options.kl,
        "guards": dict(options.guard) if options.guard else None,
        "caps": read_shares(options.cap) if options.cap else None,
        "current": read_shares(options.current) if options.current else None,
        "groups": dict(options.groups) if options.groups else None,
        "sizes": options.sizes,
    }


def advise_from_tables(options: argparse.Namespace) -> Any:
    """Advice on two tables, with what else the command line says."""
    from lab.advice.optimising.guards import Guard
    from lab.advice.optimising.supply import supply_of
    from lab.advice.proposing.advise import KL
    from lab.advice.proposing.advise import advise as propose
    from lab.advice.proposing.interchange import read_shares

    fitted = fitted_tables(options)
    if options.natural:
        natural, said = read_shares(options.natural), []
    else:
        natural = dict(zip(fitted.sources, fitted.weights.mean(axis=0).tolist(), strict=True))
        said = ["No natural mixture was given: the mean of the runs stands for it."]
    supply = None
    if options.supply:
        unique = read_shares(options.supply)
        cap = REPEAT_CAP if options.repeat_cap is None else options.repeat_cap
        supply = supply_of(fitted.sources, unique, options.budget, cap, options.matched)
    advice = propose(
        fitted,
        natural,
        caps=read_shares(options.cap) if options.cap else None,
        kl=KL if options.kl is None else options.kl,
        targets=(options.metric,) if options.metric else (),
        supply=supply,
        guards=[Guard(name, "natural", epsilon) for name, epsilon in options.guard or ()],
        current=read_shares(options.current) if options.current else None,
        groups=dict(options.groups) if options.groups else None,
    )
    return replace(advice, notes=(*advice.notes, *said))


def advice_tables(advice: Any) -> list[tuple[str, pl.DataFrame]]:
    """The proposal, what it does to every metric, the path, guards, front and next runs."""
    weights = pl.DataFrame(
        [
            {
                "source": name,
                "natural": advice.natural[name],
                "proposed": w.value,
                "low": w.low,
                "high": w.high,
                "cap": advice.caps[name],
                "unconstrained": advice.free[name],
            }
            for name, w in advice.weights.items()
        ]
    )
    runs = advice.next_runs
    upright = runs.select(list(advice.weights)).transpose(
        include_header=True, header_name="source", column_names=runs["run"].to_list()
    )
    shown = ("kl", "divergence", "distance", "gain", "gain_low", "gain_high", "p_better")
    tables = [
        ("Proposed shares of training tokens", weights),
        ("Predicted scores", advice.scores),
        ("Guards: how much worse than the baseline", advice.guards),
        ("Supply", advice.supply),
        ("Other distances from the natural mixture", advice.path.select(shown)),
        ("Front between groups, gains in spreads of the runs", advice.front),
        ("Next runs, first what tells most a minute", plain(runs.drop(*advice.weights))),
        ("Their shares", upright),
    ]
    return [(title, frame) for title, frame in tables if frame.width]


def plain(runs: pl.DataFrame) -> pl.DataFrame:
    """Without what is not known of runs from tables: size, tokens, minutes."""
    unknown = (runs["size"] == "").all()
    return runs.drop("size", "tokens", "minutes", "per_minute") if unknown else runs


def words(advice: Any) -> list[str]:
    """The verdict and what it rests on."""
    gain, near = advice.gain, advice.distances
    return [
        f"verdict: {advice.verdict} (odds that the proposal beats natural: {advice.p_better:.2f})",
        *(
            [f"odds that it beats the current mixture: {advice.p_current:.2f}"]
            if advice.p_current is not None
            else []
        ),
        f"gain: {gain.value:.4g} [{gain.low:.4g}, {gain.high:.4g}] at {gain.level:.0%}",
        *([f"run about {advice.run_more} more to resolve it"] if advice.run_more else []),
        f"distance to the nearest run: proposal {near['proposal']:.3g}, unconstrained "
        f"{near['free']:.3g}; runs lie {near['runs']:.3g} apart",
        f"optimum: {'exact, within ' + format(advice.gap, '.1g') if advice.exact else 'by search'}",
        *[f"trade: {n}" for n in advice.trade],
        *[f"note: {n}" for n in advice.notes],
    ]


def fitted_tables(options: argparse.Namespace) -> Any:
    """The fit of the two tables, or of the workspace's runs."""
    from lab.advice.evidence.tables import read_tables
    from lab.advice.fitting.fit import fit_table
    from lab.advice.laws import candidates
    from lab.advice.proposing.from_runs import fit_runs

    if bool(options.ratios) != bool(options.metrics):
        raise ConfigError(
            "--ratios and --metrics go together.", next_step="give both tables, or neither"
        )
    if not options.ratios:
        return fit_runs(workspace(options), options.metric, model=options.model)
    only = dict.fromkeys([*([options.metric] if options.metric else []), *also(options)])
    ratios, metrics = read_tables(options.ratios, options.metrics)
    return fit_table(
        ratios,
        metrics,
        laws=candidates(options.model),
        only=tuple(only) if options.metric else (),
        higher=options.higher or (),
    )


def also(options: argparse.Namespace) -> list[str]:
    """Metrics that guards and groups need beside the target."""
    guarded = [name for name, _ in getattr(options, "guard", None) or ()]
    return guarded + [m for _, members in getattr(options, "groups", None) or () for m in members]
