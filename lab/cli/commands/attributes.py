"""Commands that compute attributes of documents."""

import argparse

from lab.cli import act
from lab.cli.commands.options import Options, add_engine, command, count


def add_attribute_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """measure, dedup."""
    p = command(
        commands,
        "measure",
        lambda o: act.act(
            o,
            "measure",
            source=o.source,
            signals=o.signals,
            tokenizer=o.tokenizer,
            workers=o.workers,
            engine=o.engine,
        ),
        "count tokens and compute quality signals",
        "mixlab measure\nmixlab measure --source web --signals gopher",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--signals", default="all", metavar="SET", help="default: all")
    p.add_argument("--tokenizer", help="default: the workspace's")
    add_engine(p)
    p = command(
        commands,
        "dedup",
        lambda o: act.act(o, "dedup", bands=o.bands, rows=o.rows, ngram=o.ngram, jaccard=o.jaccard),
        "find exact and near duplicates over all sources (MinHash-LSH, candidates verified)",
        "mixlab dedup\nmixlab dedup --bands 14 --rows 8 --jaccard 0.8",
        detachable=True,
    )
    p.add_argument("--bands", type=count, default=14)
    p.add_argument("--rows", type=count, default=8)
    p.add_argument("--ngram", type=count, default=5, help="words a shingle")
    p.add_argument("--jaccard", type=float, default=0.8, help="similarity that counts as a copy")
