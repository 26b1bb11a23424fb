"""`mixlab thresholds`: threshold and weight together, from a recipe's runs or from tables."""

import argparse
from collections.abc import Mapping
from typing import Any

import polars as pl

from lab.cli.act import act
from lab.cli.columns import fit_of_tables, keep, require_recipe, require_tables
from lab.cli.show import Shown
from lab.core.errors import ConfigError, DataError

REPEAT_CAP = 4.0  # epochs, as of a recipe


def thresholds(options: argparse.Namespace) -> Shown:
    """Threshold and weight together, from a recipe's runs or from tables over pools."""
    from lab.advice.cuts.answer import cut_recipe
    from lab.advice.cuts.store import cuts_mapping, read_answer

    if options.ratios or options.metrics:
        choice = cuts_of_tables(options)
        mapping = cuts_mapping(choice)
        return Shown(mapping, *cut_words(mapping, list(choice.notes)))
    require_recipe(options)
    asked = {"metric": options.metric, "by": options.by}
    shown = act(options, "thresholds", recipe=options.recipe, **asked)
    if "choice" not in shown.data:
        return shown
    answer = read_answer(shown.data)
    saved = keep(options, lambda base, name: cut_recipe(base, answer, name))
    tables, said = cut_words(shown.data["choice"], shown.data["notes"])
    cut = [
        f"{answer.signals[source]} of {source}: "
        + ("no threshold" if value is None else f"at least {value:g}")
        for source, value in answer.thresholds.items()
    ]
    tables.append(("Pools that were trained", answer.pools))
    return Shown(shown.data | saved, tables, [*cut, *said, *saved.values()])


def cuts_of_tables(options: argparse.Namespace) -> Any:
    """The choice from ratios over pools and a table of these."""
    from lab.advice.optimising.thresholds import choose_cuts
    from lab.advice.proposing.advise import KL
    from lab.advice.proposing.interchange import read_shares

    require_tables(options)
    if not (options.pools and options.budget):
        options.misused("tables over pools need --pools and --budget")
    fit, pools = fit_of_tables(options), read_pools(options)
    loosest = {p.source: p.unique for p in sorted(pools, key=lambda p: p.unique)}
    natural = read_shares(options.natural) if options.natural else loosest
    return choose_cuts(
        fit,
        pools,
        natural,
        options.budget,
        REPEAT_CAP if options.repeat_cap is None else options.repeat_cap,
        matched=bool(options.matched),
        kl=KL if options.kl is None else options.kl,
    )


def read_pools(options: argparse.Namespace) -> list[Any]:
    """Pools from a table pool,source,threshold,unique; blank or `none` is none."""
    from lab.advice.evidence.tables import read_table
    from lab.advice.optimising.pools import Pool

    frame = read_table(options.pools)
    columns = ("pool", "source", "threshold", "unique")
    if missing := [name for name in columns if name not in frame.columns]:
        raise DataError(
            "This table of pools lacks a column.",
            where=str(options.pools),
            value=missing,
            next_step="give pool,source,threshold,unique: the column of the ratios, its source, "
            "the lowest value that passes, and unique tokens",
        )
    typed = frame.select(
        *(pl.col(name).cast(pl.String) for name in columns[:2]),
        pl.col("threshold").cast(pl.String).str.strip_chars().fill_null(""),
        pl.col("unique").cast(pl.Float64, strict=False),
    )
    if typed["unique"].is_null().any():
        raise DataError(
            "Every pool needs a number of unique tokens.",
            where=str(options.pools),
            next_step="correct the column `unique`",
        )
    return [
        Pool(pool, source, written_threshold(text, str(options.pools)), unique)
        for pool, source, text, unique in typed.iter_rows()
    ]


def written_threshold(text: str, where: str) -> float:
    """A threshold of the table; blank or `none` is none, DataError for what is no number."""
    from lab.advice.cuts.cut import NONE, parse_threshold

    try:
        return parse_threshold(text or NONE)
    except ConfigError as error:
        raise DataError(
            "A threshold is a number, or blank for none.",
            where=f"{where}, column threshold",
            value=text,
            next_step="correct the table",
        ) from error


def cut_words(
    choice: Mapping[str, Any], notes: list[str]
) -> tuple[list[tuple[str, pl.DataFrame]], list[str]]:
    """Thresholds and weights as tables, and how sure they are."""
    from lab.advice.optimising.thresholds import baseline_words

    against = baseline_words(choice["compared"], choice["today"])
    weights = [
        {"source": name, "pool": choice["cuts"][name], "weight": w["value"], "low": w["low"],
         "high": w["high"]}
        for name, w in choice["weights"].items()
    ]  # fmt: skip
    gain, worth = choice["gain"], choice["worth"]
    said = [
        f"verdict: {choice['verdict']} (odds that it beats {against}: {choice['p_better']:.2f})",
        f"gain: {gain['value']:.4g} [{gain['low']:.4g}, {gain['high']:.4g}] at {gain['level']:.0%}",
        f"of which the thresholds: {worth['value']:.4g} [{worth['low']:.4g}, {worth['high']:.4g}], "
        f"odds {choice['p_worth']:.2f}; {choice['p_same']:.0%} of the replicates cut alike",
    ]
    combinations = pl.DataFrame(choice["table"], infer_schema_length=None)
    tables = [
        ("Proposed thresholds and shares of training tokens", pl.DataFrame(weights)),
        ("Combinations of thresholds, best first", combinations.head(12)),
    ]
    return tables, [*said, *[f"note: {note}" for note in notes]]
