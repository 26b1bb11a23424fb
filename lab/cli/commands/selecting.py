"""Commands that choose documents for breadth: of a source, or for a prompt."""

import argparse

from lab.cli import selecting
from lab.cli.commands.options import Options, add_engine, command, count, whole
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.selecting.methods import METHODS
from lab.diversity.selecting.retrieval import WAYS, Window


def add_selecting_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """select, selections, retrieve."""
    add_select(commands)
    add_selections(commands)
    add_retrieve(commands)


def add_select(commands: "argparse._SubParsersAction[Options]") -> None:
    """select."""
    p = command(
        commands,
        "select",
        selecting.select,
        "choose embedded documents of a source for breadth, within a budget of tokens, as a column "
        "that a recipe can use; breadth before and after",
        "mixlab select web --method d4 --keep 0.5\n"
        "mixlab select web --method quality-diversity --quality quality.edu --tokens 5_000_000\n"
        "mixlab select web --method mmr --keep 0.2 --recipe phi-like -o chosen.jsonl\n"
        "mixlab select web --method random --keep 0.5    # what the others are compared with",
        detachable=True,
    )
    p.add_argument("source", metavar="SOURCE")
    labels = "; ".join(f"{name}: {entry.label}" for name, entry in METHODS.items())
    p.add_argument("--method", choices=list(METHODS), required=True, help=labels)
    budget = p.add_mutually_exclusive_group(required=True)
    budget.add_argument("--keep", type=float, metavar="SHARE", help="of the embedded tokens")
    budget.add_argument("--tokens", type=count, metavar="N", help="at most so many")
    able = ", ".join(name for name, entry in METHODS.items() if entry.reads_quality)
    p.add_argument(
        "--quality", metavar="COLUMN", help=f"a signal or score, larger is better; read by {able}"
    )
    add_balance(p, "quality")
    p.add_argument("--encoder", default=DEFAULT, help="of the stored embeddings")
    p.add_argument("--seed", type=whole, default=0, help="of ties and chance (default: 0)")
    p.add_argument("--recipe", help="choose among the documents that it keeps (default: all)")
    p.add_argument(
        "-o", "--output", metavar="FILE",
        help="write the set too, .jsonl or .parquet; what made it goes beside it",
    )  # fmt: skip
    add_engine(p)


def add_selections(commands: "argparse._SubParsersAction[Options]") -> None:
    """selections."""
    p = command(
        commands,
        "selections",
        selecting.selections,
        "list the stored selections: budget, what each kept, breadth before and after, lost "
        "topics, and whether what it was chosen from has changed",
        "mixlab selections\nmixlab selections web --json",
    )
    p.add_argument("source", nargs="?", metavar="SOURCE", help="default: all")


def add_retrieve(commands: "argparse._SubParsersAction[Options]") -> None:
    """retrieve."""
    p = command(
        commands,
        "retrieve",
        selecting.retrieve,
        "find documents for a prompt: the nearest to each query, re-ranked for breadth, as many as "
        "fit a window of tokens",
        'mixlab retrieve "how do ferries cross in winter" --k 50 --window 4096 -o chosen.jsonl\n'
        'mixlab retrieve "bread" "cheese" --source web forum --diversify dpp --json\n'
        "mixlab retrieve --like web/17 --encoder my-vectors    # imported with `mixlab embed`",
    )
    p.add_argument("queries", nargs="*", metavar="QUERY", help="each fills a window of its own")
    p.add_argument(
        "--like", action="append", default=[], metavar="SOURCE/ID",
        help="ask with a document: what is nearest to it; may be repeated",
    )  # fmt: skip
    p.add_argument("--source", nargs="+", help="default: all that are embedded")
    k, window = Window("").k, Window("").tokens
    p.add_argument("--k", type=count, default=k, help=f"nearest to choose among (default: {k})")
    p.add_argument("--diversify", choices=WAYS, default="mmr", help="default: mmr")
    add_balance(p, "similarity")
    p.add_argument(
        "--window", type=count, default=window, metavar="TOKENS", help=f"default: {window}"
    )
    p.add_argument("--tokenizer", help="that counts (default: the workspace's)")
    p.add_argument(
        "--encoder", default=DEFAULT,
        help="of the stored embeddings; it embeds the query too, so that of imported vectors can "
        "only be asked with --like",
    )  # fmt: skip
    p.add_argument(
        "-o", "--output", metavar="FILE",
        help="write them with their texts, .jsonl or .parquet; what made them goes beside it",
    )  # fmt: skip


def add_balance(parser: Options, of: str) -> None:
    """The weight of relevance."""
    parser.add_argument(
        "--balance",
        type=float,
        default=0.5,
        metavar="WEIGHT",
        help=f"of {of} beside diversity, from 0 to below 1 (default: 0.5)",
    )
