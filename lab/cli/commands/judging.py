"""Commands that judge runs."""

import argparse

from lab.cli import judge
from lab.cli.commands.options import SIZES, Options, command, count


def add_judging_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """compare, gate, scale."""
    p = command(
        commands,
        "compare",
        judge.compare,
        "paired differences between recipes or runs, guardrails, and whether gains are real",
        "mixlab compare synthetic-only web-encyclopaedia-only\n"
        "mixlab compare natural balanced --size micro --metric accuracy",
    )
    p.add_argument("groups", metavar="RUN_OR_RECIPE", nargs="+")
    add_budget(p)
    p.add_argument(
        "--metric",
        choices=("gold_bpb", "accuracy", "accuracy_norm", "margin"),
        default="gold_bpb",
        help="what gains are judged by (default: gold_bpb)",
    )
    p = command(
        commands,
        "gate",
        judge.gate,
        "which metrics may drive a decision: noise, signal, monotonicity, chance, ranks",
        "mixlab gate\nmixlab gate natural balanced --size nano --snr 3",
    )
    p.add_argument("recipes", metavar="RECIPE", nargs="*", help="default: all")
    add_budget(p)
    p.add_argument("--snr", type=float, default=5.0, help="signal to noise at least (default: 5)")
    p.add_argument("--monotonicity", type=float, default=0.5, help="at least (default: 0.5)")
    p.add_argument("--chance", type=float, default=3.0, help="SD above chance (default: 3)")
    p.add_argument("--ranks", type=float, default=0.6, help="Kendall's tau (default: 0.6)")
    p = command(
        commands,
        "scale",
        judge.scale,
        "does the order of recipes hold at other sizes? Reads finished runs, trains none",
        "mixlab scale synthetic-only web-encyclopaedia-only\n"
        "mixlab scale natural balanced phi-like --sizes nano micro",
    )
    p.add_argument("recipes", metavar="RECIPE", nargs="+")
    p.add_argument("--sizes", nargs="+", metavar="SIZE", help="default: those with runs")


def add_budget(parser: Options) -> None:
    """Which runs of a recipe are meant."""
    parser.add_argument("--size", choices=SIZES, help="default: where most runs are")
    parser.add_argument("--tokens", type=count, help="of a run; default: where most runs are")
