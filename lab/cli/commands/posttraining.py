"""Commands after pretraining: posttrain, gap, track."""

import argparse

from lab.cli import act, posttraining
from lab.cli.commands.options import Options, add_places, add_track, command, count


def add_posttraining_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """posttrain, gap, track."""
    p = command(
        commands,
        "posttrain",
        posttraining.posttrain,
        "fine-tune the models of finished runs on chats (and pairs), and score them",
        "mixlab posttrain balanced natural --sft exercises\n"
        "mixlab posttrain RUN --sft chats.jsonl --dpo pairs.jsonl --steps 200\n"
        "mixlab compare balanced+sft natural+sft",
        detachable=True,
    )
    p.add_argument("runs", metavar="RUN_OR_RECIPE", nargs="+")
    what = "a source with questions and answers, or a JSONL file of"
    p.add_argument("--sft", metavar="SOURCE_OR_FILE", help=f"{what} messages")
    p.add_argument("--dpo", metavar="SOURCE_OR_FILE", help=f"{what} prompt, chosen, rejected")
    p.add_argument("--steps", type=count, help="of each stage (default: sft 300, dpo 100)")
    add_track(p)
    add_places(p)
    p = command(
        commands,
        "gap",
        posttraining.gap,
        "does the gap between two recipes close after post-training?",
        "mixlab gap balanced natural\nmixlab gap balanced natural --after sft+dpo",
    )
    p.add_argument("a", metavar="A")
    p.add_argument("b", metavar="B")
    p.add_argument("--after", choices=("sft", "dpo", "sft+dpo"), default="sft", help="default: sft")
    p = command(
        commands,
        "track",
        lambda o: act.act(o, "track", runs=o.runs, to=o.to),
        "send finished runs to a tracker, only what it lacks",
        "mixlab track balanced --to tensorboard\n"
        "tensorboard --logdir workspace/trackers/tensorboard",
        detachable=True,
    )
    p.add_argument("runs", metavar="RUN_OR_RECIPE", nargs="+")
    p.add_argument("--to", default="tensorboard", metavar="NAME", help="default: tensorboard")
