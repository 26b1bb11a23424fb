"""Commands that compute attributes of documents."""

import argparse

from lab.cli import act
from lab.cli.commands.options import Options, add_shards, command, count, shards
from lab.curation.duplicates.presets import PRESETS
from lab.diversity.selecting.earlier import ORDERS


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
            **shards(o),
        ),
        "count tokens and compute quality signals",
        "mixlab measure\nmixlab measure --source web --signals gopher\n"
        "mixlab measure --engine ray --address auto\n"
        "mixlab measure --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--signals", default="all", metavar="SET", help="default: all")
    p.add_argument("--tokenizer", help="default: the workspace's")
    add_shards(p)
    p = command(
        commands,
        "edit",
        lambda o: act.act(
            o,
            "edit",
            edits=o.edits,
            source=o.source,
            tokenizer=o.tokenizer,
            **shards(o),
        ),
        "edit texts beside the originals; a recipe says which of the two is trained on",
        "mixlab edit --edits mask-pii\nmixlab edit --source web --edits c4-lines mask-pii",
        detachable=True,
    )
    p.add_argument("--edits", nargs="+", required=True, metavar="EDIT", help="applied in order")
    p.add_argument("--source", help="default: all")
    p.add_argument("--tokenizer", help="default: the workspace's")
    add_shards(p)
    add_dedup(commands)


DEDUP = (
    "preset", "bands", "rows", "ngram", "jaccard", "lines", "semantic", "encoder", "epsilon",
    "order",
)  # fmt: skip


def add_dedup(commands: "argparse._SubParsersAction[Options]") -> None:
    """dedup."""
    p = command(
        commands,
        "dedup",
        lambda o: act.act(o, "dedup", **{key: getattr(o, key) for key in DEDUP}, **shards(o)),
        "find exact and near duplicates over all sources (MinHash-LSH, candidates verified)",
        "mixlab dedup\nmixlab dedup --preset lee --jaccard 0.9\n"
        "mixlab dedup --lines --semantic --epsilon 0.05",
        detachable=True,
    )
    p.add_argument("--preset", choices=tuple(PRESETS), default="lab", help="default: lab")
    p.add_argument("--bands", type=count, help="default: the preset's")
    p.add_argument("--rows", type=count, help="default: the preset's")
    p.add_argument("--ngram", type=count, help="words a shingle (default: the preset's)")
    p.add_argument("--jaccard", type=float, help="similarity that counts as a copy")
    p.add_argument("--lines", action="store_true", help="also repeated lines and paragraphs")
    p.add_argument("--semantic", action="store_true", help="also by meaning; `mixlab embed` first")
    p.add_argument("--encoder", default="all-MiniLM-L6-v2", help="of the embeddings")
    p.add_argument(
        "--epsilon", type=float, default=0.05, help="drop above 1 - epsilon: larger removes more"
    )
    p.add_argument("--order", choices=ORDERS, default="hash", help="who stays of two alike")
    add_shards(p)
