"""Commands on what texts are about, how broad they are, and what distinguishes some of them."""

import argparse

from lab.cli import diversity, topics
from lab.cli.commands.options import Options, command, count


def add_diversity_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """topics, diversity, marks."""
    add_topics(commands)
    add_diversity(commands)
    add_marks(commands)


def add_topics(commands: "argparse._SubParsersAction[Options]") -> None:
    """topics."""
    p = command(
        commands,
        "topics",
        topics.topics,
        "list what the documents on a map are about: size, tokens, share that a recipe keeps, "
        "copies, means of signals, and the sources each topic is common in",
        "mixlab topics\nmixlab topics --recipe base --mean quality.educational\n"
        "mixlab topics --map 3f09a1c2 --json",
    )
    p.add_argument("--map", metavar="ID", help="or its beginning (default: the newest map)")
    p.add_argument("--recipe", help="also the share of each topic that it keeps")
    p.add_argument("--mean", nargs="+", metavar="COLUMN", help="of a stored column of numbers")


def add_diversity(commands: "argparse._SubParsersAction[Options]") -> None:
    """diversity."""
    p = command(
        commands,
        "diversity",
        diversity.diversity,
        "measure how broad and how redundant sources are, what a recipe keeps of that, and one "
        "recipe against another; after `mixlab embed` and `mixlab map`",
        "mixlab diversity\nmixlab diversity web forum --json\n"
        "mixlab diversity --recipe base            # kept against pool, lost topics, mixture\n"
        "mixlab diversity --recipe base --against strict\n"
        "mixlab diversity web --reference textbooks  # how much of the textbooks web covers",
        detachable=True,
    )
    p.add_argument("sources", nargs="*", metavar="SOURCE", help="default: all, or the recipe's")
    p.add_argument("--recipe", help="also what it keeps of each source, and its mixture")
    p.add_argument("--against", metavar="RECIPE", help="another recipe to compare with")
    p.add_argument("--reference", metavar="SOURCE", help="what coverage is of (default: all)")
    p.add_argument("--encoder", help="of the stored embeddings (default: that of the newest map)")
    p.add_argument(
        "--size", type=count, default=1000, help="documents each measure takes (default: 1000)"
    )
    p.epilog = f"{p.epilog}\n\n{diversity.UNSEEN}"


def add_marks(commands: "argparse._SubParsersAction[Options]") -> None:
    """marks."""
    p = command(
        commands,
        "marks",
        diversity.marks,
        "find words and signals that distinguish a selection on the map from the rest of it",
        "mixlab marks recipes                         # a selection that has a name\n"
        "mixlab marks 'cluster=3,7 source=web'        # or its line, as the Map page writes it\n"
        "mixlab marks 'quality.educational=3..' --json",
        detachable=True,
    )
    p.add_argument("selection", metavar="SELECTION", help="its line in quotes, or its name")
