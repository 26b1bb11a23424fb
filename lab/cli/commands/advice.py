"""Commands that fit and advise."""

import argparse
from pathlib import Path

from lab.cli import advise
from lab.cli.commands.options import Options, command

FIT_EXAMPLES = """\
mixlab fit
mixlab fit --ratios ratios.csv --metrics metrics.csv --target loss --model power_law
mixlab fit --ratios train_mixture_1m.csv --metrics train_pile_loss_1m.csv \\
    --target metric/the_pile_pile_cc_val_loss --predict test_mixture_1m.csv -o predicted.csv --json
mixlab fit --target heldout/web/bpb --model power_law
mixlab fit --ratios ratios.csv --metrics metrics.csv --target loss --learning-curve
mixlab fit --tables olmix/"""

ADVISE_EXAMPLES = """\
mixlab advise natural
mixlab advise natural --kl 0.02 --guard heldout/web/bpb=0.01 --cap caps.yaml
mixlab advise natural --group knowledge=benchmark/facts/gold_bpb \\
    --group reasoning=benchmark/reasoning/gold_bpb,benchmark/arithmetic/gold_bpb
mixlab advise natural --sizes nano micro:0.9
mixlab advise --from mixmin natural
mixlab advise --ratios ratios.csv --metrics metrics.csv --target loss --natural natural.csv --json
mixlab advise --ratios ratios.csv --metrics metrics.csv --target loss --kl 0.02 --cap caps.csv
mixlab advise --ratios ratios.csv --metrics metrics.csv --target reasoning \\
    --guard knowledge=0.01 --supply tokens.csv --budget 1e11 --repeat-cap 4 -o next.csv"""


def add_advice_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """fit, advise."""
    p = command(
        commands,
        "fit",
        advise.fit,
        "fit laws from mixture weights to scores, with their own error",
        FIT_EXAMPLES,
    )
    add_runs(p)
    p.add_argument(
        "--predict", type=Path, metavar="RATIOS", help="predict the target for these mixtures"
    )
    p.add_argument("-o", "--output", type=Path, metavar="CSV", help="where predictions go")
    p.add_argument(
        "--learning-curve",
        action="store_true",
        help="how well fits to fewer runs rank those left out, five draws each: do more pay?",
    )
    p.add_argument(
        "--tables", type=Path, metavar="DIR", help="write the runs as ratios.csv and metrics.csv"
    )
    p = command(
        commands,
        "advise",
        advise.advise,
        "propose a mixture with an interval on every weight, and the next runs worth training",
        ADVISE_EXAMPLES,
    )
    add_runs(p)
    p.add_argument("--recipe", help="natural mixture and caps, for the workspace's runs")
    add_terms(p)
    add_first_answer(p)


def add_runs(p: Options) -> None:
    """The runs, and what is fitted to them."""
    p.add_argument(
        "--ratios", type=Path, metavar="CSV", help="weights of runs: run,name,index,SOURCE..."
    )
    p.add_argument(
        "--metrics", type=Path, metavar="CSV", help="scores of runs: run,name,index,METRIC..."
    )
    p.add_argument(
        "--target",
        dest="metric",
        metavar="METRIC",
        help="the one score to predict (default: all in bits per byte, or all of the table)",
    )
    p.add_argument(
        "--model", default="auto", metavar="NAME", help="a law, or auto: chosen on held-out runs"
    )
    p.add_argument("--higher", nargs="+", metavar="METRIC", help="scores where more is better")


def add_terms(p: Options) -> None:
    """On which terms a mixture is proposed; natural mixture and supply only from tables."""
    files = "two columns, one row of ratios, or YAML"
    p.add_argument(
        "--natural", type=Path, metavar="FILE", help=f"the reference mixture of tables ({files})"
    )
    p.add_argument("--kl", type=float, metavar="X", help="weight of KL to it (default: 0.05)")
    p.add_argument("--cap", type=Path, metavar="FILE", help="largest share of sources")
    p.add_argument(
        "--current",
        type=Path,
        metavar="FILE",
        help="a mixture to compare with (default: the recipe's own)",
    )
    p.add_argument("--supply", type=Path, metavar="FILE", help="of tables: unique tokens a source")
    p.add_argument("--budget", type=float, metavar="TOKENS", help="of the real run, with --supply")
    p.add_argument("--repeat-cap", type=float, metavar="EPOCHS", help="with --supply (default: 4)")
    p.add_argument(
        "--matched",
        action="store_true",
        help="with --supply: the runs repeated sources as the real run will",
    )
    p.add_argument(
        "--guard",
        type=guard,
        action="append",
        metavar="METRIC=EPSILON",
        help="no worse than natural by more than epsilon; may be given often",
    )
    p.add_argument(
        "--group",
        dest="groups",
        type=group,
        action="append",
        metavar="NAME=METRIC,METRIC",
        help="two or more: the Pareto front between groups of metrics",
    )
    p.add_argument(
        "--sizes",
        nargs="+",
        metavar="SIZE[:AGREEMENT]",
        help="where next runs may be trained beside the size of the runs, with the correlation to "
        "the real run if you know it (default: the next larger)",
    )
    p.add_argument(
        "-o", "--output", type=Path, metavar="CSV", help="write proposal and next runs as ratios"
    )


def guard(text: str) -> tuple[str, float]:
    """METRIC=EPSILON."""
    name, sign, epsilon = text.rpartition("=")
    try:
        value = float(epsilon)
    except ValueError:
        sign, value = "", 0.0
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not METRIC=EPSILON")
    return name, value


def group(text: str) -> tuple[str, list[str]]:
    """NAME=METRIC,METRIC."""
    name, _, members = text.partition("=")
    if not (name and members):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=METRIC,METRIC")
    return name, members.split(",")


def add_first_answer(p: Options) -> None:
    """`advise --from METHOD RECIPE`: an answer before there is a sweep."""
    p.add_argument("name", nargs="?", metavar="RECIPE", help="the same as --recipe")
    p.add_argument(
        "--from",
        dest="cheap",
        choices=("mixmin", "merged"),
        help="answer from one run per source (`mixlab sweep RECIPE --single-source`), no sweep",
    )
    p.add_argument(
        "--pieces",
        choices=("sequences", "tokens"),
        default="sequences",
        help="what MixMin mixes: probabilities of whole texts or of tokens (default: sequences)",
    )
    p.add_argument("--detach", action="store_true", help="with a recipe: run as a job")
