"""Commands on finding documents."""

import argparse

from lab.cli import act
from lab.cli.commands.options import Options, command, count


def add_search_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """index."""
    p = command(
        commands,
        "index",
        lambda o: act.act(o, "index", source=o.source, workers=o.workers),
        "index the words of documents, for ranked search on the Browse page",
        "mixlab index\nmixlab index --source web",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--workers", type=count, metavar="N", help="threads (default: 1)")
