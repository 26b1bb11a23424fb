"""Commands of the workspace: app, init, add, sources, tokenizer, jobs."""

import argparse

from lab.cli import act, read
from lab.cli.commands.options import Options, command, count, whole


def add_workspace_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """app, init, add, sources, tokenizer, jobs."""
    p = command(commands, "app", act.app, "open the app", "mixlab app\nmixlab app --port 8600")
    p.add_argument("--port", type=count, default=8501, help="default: 8501")
    p = command(
        commands,
        "init",
        act.init,
        "create a workspace",
        "mixlab init --sample\nmixlab init -w my-workspace",
    )
    p.add_argument("--sample", action="store_true", help="with the sample world")
    p.add_argument("--documents", type=count, help="documents of the sample world")
    p.add_argument("--seed", type=whole, default=0, help="seed of the sample world")
    p = command(
        commands,
        "add",
        act.add,
        "read a source: JSONL(.gz|.zst), Parquet, CSV/TSV, folders of text, Hugging Face datasets",
        "mixlab add web crawl/*.jsonl.zst --licence ODC-BY\n"
        "mixlab add notes ./notes --kind organic\n"
        "mixlab add wiki hf://datasets/owner/name/data/*.parquet --text-column content",
        detachable=True,
    )
    p.add_argument("name", help="name of the source")
    p.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, glob, hf:// or hub id")
    p.add_argument(
        "--kind",
        default="organic",
        help="organic, rewrite, synthetic, code, ... (default: organic)",
    )
    p.add_argument("--text-column", default="text", help="default: text")
    p.add_argument("--id-column", help="default: rows are numbered")
    p.add_argument("--licence", default="", help="carried into every export")
    command(commands, "sources", read.sources, "list sources", "mixlab sources --json")
    p = command(
        commands,
        "tokenizer",
        lambda o: act.act(o, "tokenizer", name=o.name, vocab_size=o.vocab, path=o.source),
        "train a byte-level BPE tokenizer on all sources, or take one",
        "mixlab tokenizer world-4k --vocab 4096\nmixlab tokenizer gpt2 --from gpt2",
        detachable=True,
    )
    p.add_argument("name")
    p.add_argument("--vocab", type=count, default=4096, help="entries (default: 4096)")
    p.add_argument("--from", dest="source", help="tokenizer.json, folder or hub id")
    p = command(
        commands,
        "jobs",
        read.jobs,
        "running and past jobs; show, cancel, resume",
        "mixlab jobs\nmixlab jobs cancel 20261121-093000-1a2b",
    )
    p.add_argument("what", nargs="?", choices=("list", "show", "cancel", "resume"), default="list")
    p.add_argument("id", nargs="?")
