"""`mixlab fit` and `mixlab advise`: from the workspace's runs, or from tables of anybody's."""

import argparse
from typing import Any

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown, rows
from lab.core.errors import ConfigError


def fit(options: argparse.Namespace) -> Shown:
    """Fit every law and show how well each predicts runs it did not see."""
    fitted = fitted_tables(options)
    data = {
        "runs": len(fitted.runs),
        "sources": list(fitted.sources),
        "scores": rows(fitted.scores),
        "notes": list(fitted.notes),
    }
    title = f"Laws over {len(fitted.runs)} runs of {len(fitted.sources)} sources, out of fold"
    return Shown(data, [(title, fitted.scores)], [f"note: {n}" for n in fitted.notes])


def advise(options: argparse.Namespace) -> Shown:
    """Propose a mixture with an interval on every weight."""
    from lab.advice.advise import advise as propose
    from lab.advice.from_runs import advise_from_runs
    from lab.advice.store import advice_mapping

    if options.ratios:
        fitted = fitted_tables(options)
        means = fitted.weights.mean(axis=0).tolist()
        advice = propose(fitted, dict(zip(fitted.sources, means, strict=True)))
    elif not options.recipe:
        options.misused("name the recipe whose supply and caps apply: --recipe RECIPE")
    else:
        fitted, advice = advise_from_runs(workspace(options), options.recipe, options.metric)
    weights = pl.DataFrame(
        [
            {
                "source": name,
                "natural": advice.natural[name],
                "proposed": w.value,
                "low": w.low,
                "high": w.high,
                "cap": advice.caps[name],
            }
            for name, w in advice.weights.items()
        ]
    )
    gain = advice.gain
    notes = [
        f"verdict: {advice.verdict} (odds that the proposal beats natural: {advice.p_better:.2f})",
        f"gain: {gain.value:.4g} [{gain.low:.4g}, {gain.high:.4g}] at {gain.level:.0%}",
        *([f"run about {advice.run_more} more to resolve it"] if advice.run_more else []),
        *[f"note: {n}" for n in advice.notes],
    ]
    runs = advice.next_runs
    upright = runs.select(fitted.sources).transpose(
        include_header=True, header_name="source", column_names=runs["run"].to_list()
    )
    tables = [("Proposed shares of training tokens", weights), ("Next runs", upright)]
    return Shown(advice_mapping(advice), tables, notes)


def fitted_tables(options: argparse.Namespace) -> Any:
    """The fit of the two tables, or of the workspace's runs."""
    from lab.advice.fit import fit_table
    from lab.advice.from_runs import fit_runs
    from lab.advice.tables import read_tables

    if bool(options.ratios) != bool(options.metrics):
        raise ConfigError(
            "--ratios and --metrics go together.", next_step="give both tables, or neither"
        )
    only = (options.metric,) if options.metric else ()
    if options.ratios:
        ratios, metrics = read_tables(options.ratios, options.metrics)
        return fit_table(ratios, metrics, only=only, higher=options.higher or ())
    return fit_runs(workspace(options), options.metric)
