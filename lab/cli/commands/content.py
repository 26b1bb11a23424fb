"""Commands on what texts contain: embeddings and their map."""

import argparse

from lab.cli import act
from lab.cli.commands.options import Options, add_engine, add_shards, command, count, shards, whole
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.layout.reducer import METHODS


def add_content_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """embed, map."""
    add_embed(commands)
    add_map(commands)


EMBED = ("source", "encoder", "sample", "seed", "vectors", "ids")


def add_embed(commands: "argparse._SubParsersAction[Options]") -> None:
    """embed."""
    p = command(
        commands,
        "embed",
        lambda o: act.act(o, "embed", **{key: getattr(o, key) for key in EMBED}, **shards(o)),
        "embed a sample of each source",
        "mixlab embed --sample 2000\n"
        "mixlab embed --encoder static\n"
        "mixlab embed --source web --encoder my-encoder --import vectors.parquet",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument(
        "--encoder", default=DEFAULT, help="name, folder, hub id, or `static` for a fast first map"
    )
    p.add_argument(
        "--sample",
        type=count,
        help="documents a source (default: 2,000, with the static encoder 100,000)",
    )
    p.add_argument("--seed", type=whole, default=0, help="of the sample (default: 0)")
    p.add_argument(
        "--import",
        dest="vectors",
        metavar="FILE",
        help="vectors made elsewhere: Parquet with `id` and a column of lists, or .npy",
    )
    p.add_argument("--ids", metavar="FILE", help="of the rows of a .npy (default: all documents)")
    add_shards(p)


MAP = ("source", "encoder", "clusters", "method", "seed", "onto", "workers", "engine", "address")


def add_map(commands: "argparse._SubParsersAction[Options]") -> None:
    """map."""
    p = command(
        commands,
        "map",
        lambda o: act.act(o, "map", **{key: getattr(o, key) for key in MAP}),
        "project embeddings onto a map and cluster them",
        "mixlab map\nmixlab map --method pca\nmixlab map --encoder static --clusters 40\n"
        "mixlab map --source new --onto MAP",
        detachable=True,
    )
    p.add_argument("--source", nargs="+", help="default: all")
    p.add_argument("--encoder", default=DEFAULT, help="of the embeddings")
    p.add_argument("--clusters", type=count, metavar="K", help="default: by size, and shown")
    p.add_argument("--method", choices=METHODS, default="umap", help="pca: an instant preview")
    p.add_argument("--seed", type=whole, default=0, help="default: 0")
    p.add_argument("--onto", metavar="MAP", help="place all on this finished map")
    add_engine(p)
