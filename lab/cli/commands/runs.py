"""Commands that train, score and compare."""

import argparse

from lab.cli import act, read
from lab.cli.commands.options import Options, add_run_options, command, count


def add_training_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """train, sweep, evaluate, runs, compare."""
    p = command(
        commands,
        "train",
        act.train,
        "train and score proxy runs of one or more recipes",
        "mixlab train synthetic-only web-encyclopaedia-only --seeds 3\n"
        "mixlab train balanced --size micro --tokens 5000000\nmixlab train balanced --resume",
        detachable=True,
    )
    p.add_argument("recipes", metavar="RECIPE", nargs="+")
    add_run_options(p)
    p.add_argument("--seeds", type=count, default=1, metavar="K", help="runs a recipe (default: 1)")
    p.add_argument("--resume", action="store_true", help="continue the recipes' unfinished runs")
    p = command(
        commands,
        "sweep",
        act.sweep,
        "train a designed set of mixtures around a recipe",
        "mixlab sweep natural --runs 24\nmixlab sweep natural --runs 64 --engine ray",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    p.add_argument("--runs", type=count, default=12, metavar="K", help="mixtures (default: 12)")
    add_run_options(p)
    p = command(
        commands,
        "evaluate",
        lambda o: act.act(o, "evaluate", runs=o.runs),
        "score finished runs on benchmarks they have not been scored on",
        "mixlab evaluate RUN",
        detachable=True,
    )
    p.add_argument("runs", metavar="RUN", nargs="+")
    command(commands, "runs", read.runs, "list proxy runs", "mixlab runs")
    p = command(
        commands,
        "compare",
        read.compare,
        "paired differences between recipes or runs, with intervals",
        "mixlab compare synthetic-only web-encyclopaedia-only",
    )
    p.add_argument("groups", metavar="RUN_OR_RECIPE", nargs="+")
