"""The command line, one row per command: name, what it does, options, example."""

import argparse
from collections.abc import Callable
from pathlib import Path

from lab import __version__
from lab.cli import act, advise, read

Options = argparse.ArgumentParser
SIZES = ("nano", "micro", "mini", "small", "base")


def whole(text: str, least: int = 0) -> int:
    """An option that is a whole number, zero or more."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
    return int(text)


def count(text: str) -> int:
    """An option that is a whole number above zero; underscores as in recipes: 5_000_000."""
    return whole(text.replace("_", ""), 1)


def build_parser() -> argparse.ArgumentParser:
    """The parser of `mixlab`; every command sets `options.command`."""
    parser = argparse.ArgumentParser(
        "mixlab",
        description="Which data, how much of each, and how do we know? Read corpora, filter, mix, "
        "train small proxy models, compare, export.",
        epilog="Start with: mixlab app        Docs: README.md",
    )
    parser.add_argument("--version", action="version", version=f"mixlab {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_workspace_commands(commands)
    add_attribute_commands(commands)
    add_content_commands(commands)
    add_recipe_commands(commands)
    add_training_commands(commands)
    add_advice_commands(commands)
    return parser


def command(
    commands: "argparse._SubParsersAction[Options]",
    name: str,
    run: Callable[[argparse.Namespace], object],
    summary: str,
    example: str,
    detachable: bool = False,
) -> Options:
    """One command with the options that all share."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in example.splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-w", "--workspace", help="default: $MIXLAB_WORKSPACE, else ./workspace")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if detachable:
        parser.add_argument("--detach", action="store_true", help="run as a job; see `mixlab jobs`")
    parser.set_defaults(command=run, detach=False, misused=parser.error)
    return parser


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


def add_content_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """decontaminate, score, embed, map, benchmark."""
    p = command(
        commands,
        "decontaminate",
        lambda o: act.act(
            o, "decontaminate", source=o.source, benchmarks=o.benchmarks, ngram=o.ngram
        ),
        "find documents that share n words with benchmark items",
        "mixlab decontaminate\nmixlab decontaminate --benchmarks facts reasoning --ngram 13",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--benchmarks", nargs="+", metavar="NAME", help="default: all registered")
    p.add_argument("--ngram", type=count, default=13)
    p = command(
        commands,
        "score",
        lambda o: act.act(o, "score", name=o.name, labels=o.labels),
        "learn a quality score from labels and give it to every document",
        "mixlab score educational --labels labels.jsonl",
        detachable=True,
    )
    p.add_argument("name", help="becomes the attribute quality.NAME")
    p.add_argument("--labels", required=True, help="JSONL with `id` and a number `label`")
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
    p = command(
        commands,
        "benchmark",
        lambda o: read.benchmarks(o) if o.what == "list" else act.add_benchmark(o),
        "register a benchmark, or list them",
        "mixlab benchmark add piqa piqa.parquet\nmixlab benchmark list",
    )
    p.add_argument("what", choices=("add", "list"))
    p.add_argument("name", nargs="?")
    p.add_argument("path", nargs="?")
    p.add_argument("--split", help="take the rows of this split only")


def add_recipe_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """recipes, ledger, export."""
    command(commands, "recipes", read.recipes, "list recipes", "mixlab recipes")
    p = command(
        commands,
        "ledger",
        read.ledger,
        "what a recipe leaves: documents, tokens, epochs, effective tokens, what each rule took",
        "mixlab ledger phi-like\nmixlab ledger ./my-recipe.yaml --json",
    )
    p.add_argument("recipe", metavar="RECIPE", help="a recipe of the workspace, or a file")
    p = command(
        commands,
        "export",
        act.export,
        "write the files of a target: a trainer, a filter tool, a colleague",
        "mixlab export balanced --to megatron -o out/\nmixlab export --list",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE", nargs="?")
    p.add_argument("--to", metavar="TARGET", help="see --list")
    p.add_argument("-o", "--output", metavar="DIR")
    p.add_argument("--list", action="store_true", help="name the targets")


def add_training_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """train, sweep, evaluate, runs, compare."""
    p = command(
        commands,
        "train",
        act.train,
        "train and score proxy runs of one or more recipes",
        "mixlab train synthetic-only web-encyclopaedia-only --seeds 3\n"
        "mixlab train balanced --size micro --tokens 5000000\nmixlab train balanced --resume",
        detachable=True,
    )
    p.add_argument("recipes", metavar="RECIPE", nargs="+")
    add_run_options(p)
    p.add_argument("--seeds", type=count, default=1, metavar="K", help="runs a recipe (default: 1)")
    p.add_argument("--resume", action="store_true", help="continue the recipes' unfinished runs")
    p = command(
        commands,
        "sweep",
        act.sweep,
        "train a designed set of mixtures around a recipe",
        "mixlab sweep natural --runs 24\nmixlab sweep natural --runs 64 --engine ray",
        detachable=True,
    )
    p.add_argument("recipe", metavar="RECIPE")
    p.add_argument("--runs", type=count, default=12, metavar="K", help="mixtures (default: 12)")
    add_run_options(p)
    p = command(
        commands,
        "evaluate",
        lambda o: act.act(o, "evaluate", runs=o.runs),
        "score finished runs on benchmarks they have not been scored on",
        "mixlab evaluate RUN",
        detachable=True,
    )
    p.add_argument("runs", metavar="RUN", nargs="+")
    command(commands, "runs", read.runs, "list proxy runs", "mixlab runs")
    p = command(
        commands,
        "compare",
        read.compare,
        "paired differences between recipes or runs, with intervals",
        "mixlab compare synthetic-only web-encyclopaedia-only",
    )
    p.add_argument("groups", metavar="RUN_OR_RECIPE", nargs="+")


def add_run_options(parser: Options) -> None:
    """Size, tokens, seed and where to run."""
    parser.add_argument("--size", choices=SIZES, default="nano", help="default: nano")
    parser.add_argument("--tokens", type=count, help="tokens a run (default: the size's)")
    parser.add_argument("--seed", type=whole, default=0, help="first seed (default: 0)")
    add_engine(parser)
    parser.add_argument("--address", help="of a Ray cluster (default: start one here)")


def add_engine(parser: Options) -> None:
    """Where work runs."""
    parser.add_argument("--workers", type=count, metavar="N", help="processes (default: cores)")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")


def add_advice_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """fit, advise."""
    for name, run, summary, example in (
        (
            "fit",
            advise.fit,
            "fit laws from mixture weights to scores, with their own error",
            "mixlab fit\nmixlab fit --ratios ratios.csv --metrics metrics.csv",
        ),
        (
            "advise",
            advise.advise,
            "propose a mixture with an interval on every weight, and the next runs worth training",
            "mixlab advise --recipe natural\n"
            "mixlab advise --ratios ratios.csv --metrics metrics.csv --metric loss/pile_cc",
        ),
    ):
        p = command(commands, name, run, summary, example)
        p.add_argument("--ratios", type=Path, metavar="CSV", help="weights, one row a run")
        p.add_argument("--metrics", type=Path, metavar="CSV", help="scores, one row a run")
        p.add_argument("--metric", help="the one score to predict (default: all in bits per byte)")
        p.add_argument("--higher", nargs="+", metavar="METRIC", help="scores where more is better")
        if name == "advise":
            p.add_argument("--recipe", help="natural mixture and caps, for the workspace's runs")
