"""Commands that train what a decision needs: swarm, sweep, loop, validate, stale, reuse."""

import argparse
from pathlib import Path

from lab.cli import swarm
from lab.cli.commands.options import SIZES, Options, add_run_options, command, count, whole

METHODS = ("dirichlet", "spread")


def add_swarm_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """swarm, sweep, loop, validate, stale, reuse."""
    p = command(
        commands,
        "swarm",
        swarm.swarm,
        "show the mixtures that a sweep would train, what they can tell, and what they cost",
        "mixlab swarm natural --runs 24\nmixlab swarm natural --runs 12 --extend -o ratios.csv",
    )
    p.add_argument("recipe", metavar="RECIPE")
    add_design_options(p)
    add_run_options(p)
    p.add_argument("-o", "--output", type=Path, metavar="CSV", help="write it as Olmix's ratios")
    p = command(
        commands,
        "sweep",
        swarm.sweep,
        "train a designed set of mixtures around a recipe",
        "mixlab sweep natural --runs 24\nmixlab sweep natural --runs 64 --engine ray\n"
        "mixlab sweep natural --runs 12 --extend --repeats 3\n"
        "mixlab sweep natural --next\n"
        "mixlab sweep natural --single-source --shared 0.5\n"
        "mixlab sweep natural --thresholds gopher.word_count@web=none,50,100 --runs 30\n"
        "mixlab sweep two-phases --phases --runs 48",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    add_design_options(p)
    add_source_options(p)
    p.add_argument(
        "--next", dest="next_runs", action="store_true",
        help="the next runs of the latest advice instead, each at the size it names",
    )  # fmt: skip
    add_run_options(p)
    add_loop(commands)
    add_validate(commands)
    add_reuse(commands)


def add_design_options(p: Options) -> None:
    """How the mixtures of a swarm are drawn."""
    p.add_argument("--runs", type=count, default=12, metavar="K", help="mixtures (default: 12)")
    p.add_argument(
        "--repeats", type=whole, default=0, metavar="N",
        help="train the first mixture again under N further seeds, for noise (default: 0)",
    )  # fmt: skip
    p.add_argument("--method", choices=METHODS, default="dirichlet", help="default: dirichlet")
    p.add_argument(
        "--temper", type=float, default=0.5,
        help="of the prior: 0 even, 1 natural (default: 0.5)",
    )  # fmt: skip
    p.add_argument(
        "--strengths", type=float, nargs=2, default=(0.1, 5.0), metavar=("LOW", "HIGH"),
        help="of the Dirichlet: low is sparse, high is near the prior (default: 0.1 5)",
    )  # fmt: skip
    p.add_argument("--minimum", type=float, default=2e-3, help="smaller shares are zero")
    p.add_argument("--capped", action="store_true", help="keep the supply's caps in the design")
    p.add_argument(
        "--extend", action="store_true", help="add to what was trained, without near-twins"
    )
    add_column_options(p)


def add_column_options(p: Options) -> None:
    """Designs over columns finer than sources."""
    p.add_argument(
        "--thresholds", action="append", metavar="SIGNAL@SOURCE=A,B,C",
        help="cut a source at one of these in every run, for `mixlab thresholds`; `none` is no "
        "cut; may be given for several sources",
    )  # fmt: skip
    p.add_argument(
        "--phases", dest="by_phase", action="store_true",
        help="weights of their own for every phase of the recipe, for `mixlab phases`",
    )  # fmt: skip


def add_source_options(p: Options) -> None:
    """Runs that cheap predictors need instead of a design."""
    p.add_argument(
        "--single-source", action="store_true",
        help="a run per source instead, for `mixlab advise --from mixmin` or merged",
    )  # fmt: skip
    p.add_argument(
        "--shared", type=float, default=0.0, metavar="SHARE",
        help="of their tokens on the recipe's own mixture first; merged weights need it, try 0.5",
    )  # fmt: skip


def add_loop(commands: "argparse._SubParsersAction[Options]") -> None:
    """loop."""
    p = command(
        commands,
        "loop",
        swarm.loop,
        "propose, train and refit unattended until the decision is resolved or the time is spent",
        "mixlab loop natural --budget 60\nmixlab loop natural --budget 600 --detach\n"
        "mixlab loop natural --budget 120 --confirm micro",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    p.add_argument(
        "--budget", type=float, required=True, metavar="MINUTES",
        help="the same command with more minutes goes on",
    )  # fmt: skip
    p.add_argument("--metric", help="the one score to decide by (default: all in bits per byte)")
    p.add_argument(
        "--start", type=whole, default=0, metavar="K",
        help="mixtures before the first fit (default: sources + 4)",
    )  # fmt: skip
    p.add_argument(
        "--batch", type=whole, default=0, metavar="N",
        help="runs a round (default: as many as train side by side, at least 2)",
    )  # fmt: skip
    p.add_argument(
        "--repeats", type=whole, default=0, metavar="N",
        help="of the natural mixture in the first round, for noise (default: 0)",
    )  # fmt: skip
    p.add_argument(
        "--confirm", choices=SIZES, default="", metavar="SIZE",
        help="then train proposal, natural and uniform at this size under two seeds; its minutes "
        "are part of the budget",
    )  # fmt: skip
    p.add_argument(
        "--confirm-tokens", type=count, metavar="N", help="tokens a run there (default: the size's)"
    )
    add_run_options(p)


def add_validate(commands: "argparse._SubParsersAction[Options]") -> None:
    """validate."""
    p = command(
        commands,
        "validate",
        swarm.validate,
        "train the proposal, natural and uniform at a second size and count what holds",
        "mixlab validate natural --size micro --seeds 2",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    add_run_options(p)
    p.add_argument("--seeds", type=count, default=2, metavar="K", help="of each (default: 2)")
    p.set_defaults(size="micro")


def add_reuse(commands: "argparse._SubParsersAction[Options]") -> None:
    """stale, reuse."""
    p = command(
        commands,
        "stale",
        swarm.stale,
        "runs that used data which a recipe no longer means, and what changed",
        "mixlab stale natural",
    )
    p.add_argument("recipe", metavar="RECIPE")
    p = command(
        commands,
        "reuse",
        swarm.reuse,
        "restore a decision after sources changed, with runs over those sources only",
        "mixlab reuse natural --plan\nmixlab reuse natural --changed forum",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    p.add_argument(
        "--changed", nargs="+", metavar="SOURCE", help="learn these anew too, though untouched"
    )
    p.add_argument("--runs", type=count, metavar="K", help="in all (default: 3 (changed + 2))")
    p.add_argument("--metric", help="the one score to decide by (default: all in bits per byte)")
    p.add_argument("--plan", action="store_true", help="only say which runs")
    add_run_options(p)
