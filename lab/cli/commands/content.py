"""Commands on what texts contain: embeddings and their map."""

import argparse

from lab.cli import act
from lab.cli.commands.options import Options, command, count


def add_content_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """embed, map."""
    p = command(
        commands,
        "embed",
        lambda o: act.act(o, "embed", source=o.source, encoder=o.encoder, sample=o.sample),
        "embed a sample of each source",
        "mixlab embed --sample 2000",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--encoder", default="all-MiniLM-L6-v2", help="name, folder or hub id")
    p.add_argument("--sample", type=count, default=2000, help="documents a source (default: 2000)")
    command(
        commands,
        "map",
        lambda o: act.act(o, "map"),
        "project embeddings onto a map and cluster them",
        "mixlab map",
        detachable=True,
    )
