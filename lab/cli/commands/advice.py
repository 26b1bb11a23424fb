"""Commands that fit and advise."""

import argparse
from pathlib import Path

from lab.cli import advise
from lab.cli.commands.options import Options, command


def add_advice_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """fit, advise."""
    for name, run, summary, example in (
        (
            "fit",
            advise.fit,
            "fit laws from mixture weights to scores, with their own error",
            "mixlab fit\nmixlab fit --ratios ratios.csv --metrics metrics.csv",
        ),
        (
            "advise",
            advise.advise,
            "propose a mixture with an interval on every weight, and the next runs worth training",
            "mixlab advise --recipe natural\n"
            "mixlab advise --ratios ratios.csv --metrics metrics.csv --metric loss/pile_cc",
        ),
    ):
        p = command(commands, name, run, summary, example)
        p.add_argument("--ratios", type=Path, metavar="CSV", help="weights, one row a run")
        p.add_argument("--metrics", type=Path, metavar="CSV", help="scores, one row a run")
        p.add_argument("--metric", help="the one score to predict (default: all in bits per byte)")
        p.add_argument("--higher", nargs="+", metavar="METRIC", help="scores where more is better")
        if name == "advise":
            p.add_argument("--recipe", help="natural mixture and caps, for the workspace's runs")
