"""`mixlab fit` and `mixlab advise`: from the workspace's runs, or from tables of anybody's."""

import argparse
from collections.abc import Mapping
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
    from lab.advice.store import advice_mapping, save

    fitted = fitted_tables(options)
    natural, caps = baseline(options, fitted)
    advice = propose(fitted, natural, caps=caps)
    if not options.ratios:
        save(workspace(options), fitted, advice)
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
    from lab.advice.evidence import tables_from_runs
    from lab.advice.fit import fit_table
    from lab.advice.tables import read_tables

    if bool(options.ratios) != bool(options.metrics):
        raise ConfigError(
            "--ratios and --metrics go together.", next_step="give both tables, or neither"
        )
    only = (options.metric,) if options.metric else ()
    if options.ratios:
        ratios, metrics = read_tables(options.ratios, options.metrics)
        return fit_table(ratios, metrics, only=only, higher=options.higher or ())
    found = tables_from_runs(workspace(options))
    return fit_table(found.ratios, found.metrics, higher=found.higher, only=only or found.default)


def baseline(
    options: argparse.Namespace, fitted: Any
) -> tuple[Mapping[str, float], Mapping[str, float] | None]:
    """(natural mixture, caps) of the recipe if one is named, else the mean of the runs."""
    if not options.recipe:
        means = fitted.weights.mean(axis=0).tolist()
        return dict(zip(fitted.sources, means, strict=True)), None
    from lab.advice.simplex import supply_caps
    from lab.advice.swarm import unique_tokens
    from lab.mixture.recipe_files import load_recipe

    ws = workspace(options)
    recipe = load_recipe(ws, options.recipe)
    supply = unique_tokens(ws, recipe)
    return supply, supply_caps(supply, recipe.mixture.tokens, recipe.mixture.repeat_cap)
