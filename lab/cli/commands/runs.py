"""Commands that train and score."""

import argparse

from lab.cli import act, early, read
from lab.cli.commands.options import Options, add_run_options, command, count


def add_training_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """train, evaluate, runs."""
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
        "evaluate",
        lambda o: act.act(o, "evaluate", runs=o.runs, snapshots=o.snapshots, generate=o.generate),
        "score finished runs on benchmarks they have not been scored on",
        "mixlab evaluate RUN\nmixlab evaluate RUN --snapshots",
        detachable=True,
    )
    p.add_argument("runs", metavar="RUN", nargs="+")
    p.add_argument(
        "--snapshots", action="store_true", help="also the checkpoints that training kept"
    )
    p.add_argument(
        "--generate", action="store_true", help="also let the model answer generative items"
    )
    p = command(commands, "runs", read.runs, "list proxy runs", "mixlab runs\nmixlab runs --watch")
    p.add_argument(
        "--watch", action="store_true", help="follow the last sweep until all its runs are done"
    )
    p.add_argument("--every", type=count, default=5, metavar="S", help="seconds (default: 5)")
    add_early(commands)


def add_early(commands: "argparse._SubParsersAction[Options]") -> None:
    """early."""
    p = command(
        commands,
        "early",
        early.early,
        "what stopping runs early would have cost: ranks on the way against the end",
        "mixlab early natural balanced phi-like\n"
        "mixlab early natural balanced phi-like --on facts --metric gold_bpb",
    )
    p.add_argument("names", metavar="SWEEP_OR_RECIPE", nargs="+", help="or runs")
    p.add_argument("--on", help="a source or benchmark (default: the mean of all)")
    p.add_argument(
        "--metric",
        choices=("bpb", "gold_bpb", "accuracy", "accuracy_norm", "margin"),
        default="bpb",
        help="bpb is of held-out text, the others are of benchmarks (default: bpb)",
    )
