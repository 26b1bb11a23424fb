"""Commands for decisions finer than one weight a source: phases, thresholds."""

import argparse
from pathlib import Path

from lab.cli import phases, thresholds
from lab.cli.commands.options import Options, command

PHASE_EXAMPLES = """\
mixlab sweep two-phases --phases --runs 30      (trains what it needs)
mixlab phases two-phases --save two-phases-ordered
mixlab phases --ratios ratios.csv --metrics metrics.csv --target loss --natural natural.csv"""

THRESHOLD_EXAMPLES = """\
mixlab sweep natural --thresholds gopher.word_count@web=none,50,100 --runs 30
mixlab thresholds natural --save natural-cut
mixlab thresholds --ratios ratios.csv --metrics metrics.csv --target loss \\
    --pools pools.csv --budget 1e9"""


def add_column_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """phases, thresholds."""
    p = command(
        commands,
        "phases",
        phases.phases,
        "propose weights for every phase of training, from runs whose phases differ",
        PHASE_EXAMPLES,
        detachable=True,
    )
    add_common(p)
    p.add_argument("--cap", type=Path, metavar="FILE", help="largest share of the whole run")
    p.set_defaults(tables_only=("natural", "kl", "higher", "cap"))
    p = command(
        commands,
        "thresholds",
        thresholds.thresholds,
        "propose threshold and weight together, from runs that cut a source at several thresholds",
        THRESHOLD_EXAMPLES,
        detachable=True,
    )
    add_common(p)
    p.add_argument(
        "--by", nargs="+", metavar="SIGNAL@SOURCE",
        help="by which signal a source was cut, if runs alone do not tell",
    )  # fmt: skip
    p.add_argument(
        "--pools", type=Path, metavar="CSV", help="pool,source,threshold,unique of the columns"
    )
    p.add_argument("--budget", type=float, metavar="TOKENS", help="of the real run, with --pools")
    p.add_argument("--repeat-cap", type=float, metavar="EPOCHS", help="with --pools (default: 4)")
    p.add_argument(
        "--matched", action="store_true", default=None,
        help="with --pools: the runs repeated sources as the real run will",
    )  # fmt: skip
    table_terms = ("natural", "kl", "higher", "pools", "budget", "repeat_cap", "matched")
    p.set_defaults(tables_only=table_terms)


def add_common(p: Options) -> None:
    """The recipe, or two tables, and on which terms."""
    p.add_argument("recipe", metavar="RECIPE", nargs="?")
    p.add_argument("--save", metavar="NAME", help="save the proposal as a recipe of this name")
    p.add_argument(
        "--target", dest="metric", metavar="METRIC",
        help="the one score to decide by (default: all in bits per byte, or all of the table)",
    )  # fmt: skip
    p.add_argument("--ratios", type=Path, metavar="CSV", help="weights of runs, without a recipe")
    p.add_argument("--metrics", type=Path, metavar="CSV", help="scores of runs")
    p.add_argument("--model", default="auto", metavar="NAME", help="a law for tables, or auto")
    p.add_argument("--higher", nargs="+", metavar="METRIC", help="scores where more is better")
    p.add_argument("--natural", type=Path, metavar="FILE", help="the reference mixture, by source")
    p.add_argument("--kl", type=float, metavar="X", help="weight of KL to it (default: 0.05)")
