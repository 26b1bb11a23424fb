"""Commands on finding documents."""

import argparse

from lab.cli import act, finding
from lab.cli.commands.options import Options, command, count


def add_search_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """find, index."""
    add_find(commands)
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


def add_find(commands: "argparse._SubParsersAction[Options]") -> None:
    """find."""
    p = command(
        commands,
        "find",
        finding.find,
        "find the documents of a selection on the map: read, name, tag, exclude or boost them",
        "mixlab find 'cluster=3,7 source=web'           # how many, and the first ten\n"
        "mixlab find 'quality.educational=..1' --tag poor\n"
        "mixlab find 'cluster=3' --name recipes         # `mixlab find` lists the names\n"
        "mixlab find recipes --exclude base --tag recipes --save base-without-recipes\n"
        "mixlab find recipes --boost base --share 0.1 --tag recipes --save base-boosted",
    )
    p.add_argument("selection", nargs="?", metavar="SELECTION", help="its line in quotes, or name")
    p.add_argument("--limit", type=count, default=10, metavar="N", help="documents shown")
    p.add_argument("--name", metavar="NAME", help="keep the selection under this name")
    p.add_argument("-o", "--output", metavar="FILE", help="write the ids, one a line")
    p.add_argument("--tag", metavar="NAME", help="tag them; a recipe knows them by the tag")
    p.add_argument("--exclude", metavar="RECIPE", help="save it with a rule against the tag")
    p.add_argument("--boost", metavar="RECIPE", help="save it with a last phase of only them")
    p.add_argument("--share", type=float, default=0.1, help="of all tokens (default: 0.1)")
    p.add_argument("--save", metavar="NAME", help="of the recipe that is saved")
