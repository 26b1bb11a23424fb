"""`mixlab topics`: what the documents on a map are about, as tables."""

import argparse

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown, rows

CLEAREST = 12  # pairs of topic and source


def topics(options: argparse.Namespace) -> Shown:
    """The topics of a map, what is known of each, and in which sources they are common."""
    from lab.diversity.layout.table import clearest
    from lab.mixture.recipe_files import load_recipe
    from lab.mixture.topics import topics_of

    ws = workspace(options)
    recipe = load_recipe(ws, options.recipe) if options.recipe else None
    found = topics_of(ws, options.map or "", recipe=recipe, means=options.mean or ())
    data = {
        "map": found.map, "column": found.column, "placed": found.placed,
        "documents": found.documents, "topics": rows(found.table), "odds": rows(found.odds),
    }  # fmt: skip
    clear = clearest(found.odds)
    tables = [
        (f"Topics of map {found.map[:8]}, {found.placed:,} documents", readable(found.table)),
        ("Where a topic is clearly more or less common", in_words(clear.head(CLEAREST))),
    ]
    notes = [
        f"as a rule of a source that is on the map whole: {{signal: {found.column}, "
        "not_in: [TOPIC]}.",
        f"{found.placed:,} of {found.documents:,} documents are on the map"
        + ("; tokens are scaled up." if "tokens" in found.table.columns else "."),
    ]
    if clear.height > CLEAREST:
        notes.append(f"{clear.height} pairs of topic and source are resolved; all with --json.")
    return Shown(data, tables, notes)


def readable(table: pl.DataFrame) -> pl.DataFrame:
    """Shares with three digits, tokens whole."""
    shares = [c for c, t in table.schema.items() if t.is_float() and c != "tokens"]
    whole = [pl.col("tokens").round(0).cast(pl.Int64)] if "tokens" in table.columns else []
    shown = table.with_columns(pl.col(shares).round_sig_figs(3), *whole)
    return shown.drop("cluster").rename({"label": "topic"}).sort("documents", descending=True)


def in_words(odds: pl.DataFrame) -> pl.DataFrame:
    """Odds against the other sources with their 95 % interval, in place of logarithms."""
    ratio = [pl.col(c).exp().round_sig_figs(3) for c in ("log_odds", "low", "high")]
    shown = odds.select(
        pl.col("label").alias("topic"), "source", "documents", "share", *ratio
    ).with_columns(pl.col("share").round_sig_figs(3))
    return shown.rename({"log_odds": "odds"})
