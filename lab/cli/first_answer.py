"""`mixlab advise --from mixmin|merged RECIPE`: a first answer from one run per source."""

import argparse
from typing import Any

import polars as pl

from lab.cli.act import act
from lab.cli.show import Shown

TABLES = (
    *("ratios", "metrics", "natural", "kl", "cap", "supply", "budget", "guard", "current"),
    *("groups", "output"),
)


def first_answer(options: argparse.Namespace) -> Shown:
    """Propose from one run per source, with the agreement with real runs beside it."""
    recipe = options.name or options.recipe
    if not recipe:
        options.misused("--from goes with a recipe of the workspace: advise --from mixmin RECIPE")
    if asked := [name for name in TABLES if getattr(options, name, None) is not None]:
        options.misused(f"--{asked[0]} does not go with --from: the recipe says what applies")
    shown = act(
        options,
        "first_answer",
        recipe=recipe,
        method=options.cheap,
        metric=options.metric,
        pieces=options.pieces,
    )
    return shown if "weights" not in shown.data else as_tables(shown.data)


def as_tables(data: dict[str, Any]) -> Shown:
    """A stored answer as tables and words."""
    weights = pl.DataFrame(
        [
            {
                "source": name,
                "natural": data["natural"][name],
                "proposed": weight["value"],
                "low": weight["low"],
                "high": weight["high"],
                "cap": data["caps"][name],
                "uncapped": data["free"][name],
            }
            for name, weight in data["weights"].items()
        ]
    )
    agreement = pl.DataFrame(data["agreement"])
    shared = f", {data['shared']:.0%} of their training shared" if data["shared"] else ""
    notes = [
        f"from {len(data['runs'])} source runs: {data['size']}, {data['tokens']:,} tokens, seed "
        f"{data['seed']}{shared}",
        *([certificate(data["gap"])] if data["gap"] is not None else []),
        *[f"note: {note}" for note in data["notes"]],
    ]
    tables = [
        ("First answer: shares of training tokens", weights),
        ("Predicted costs, comparable with each other only", pl.DataFrame(data["predictions"])),
        ("Agreement with mixtures that were trained (Spearman, 90 % interval)", agreement),
    ]
    return Shown(data, tables, notes)


def certificate(gap: float) -> str:
    """What is certain of the optimum."""
    return f"no mixture under these caps costs less by more than {gap:.2g} bits a byte (its scale)"
