"""Commands on learned quality: labels, scores, tags."""

import argparse

from lab.cli import act, tagging
from lab.cli.commands.options import Options, add_shards, command, count, shards, whole

PARAMS = (
    "name", "base_url", "model", "count", "source", "prompt", "scale", "characters", "budget",
    "budget_tokens", "price_in", "price_out", "answer_tokens", "reasoning", "seed", "concurrency",
    "timeout", "retry", "dry_run",
)  # fmt: skip


def add_quality_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """label, score, tag."""
    add_label(commands)
    add_score(commands)
    p = command(
        commands,
        "tag",
        tagging.tags,
        "tag documents, take it back, or write tags and votes as labels",
        "mixlab tag add spam web/17 web/18\nmixlab tag undo\nmixlab tag export spam labels.jsonl",
    )
    p.add_argument("what", choices=("list", "add", "remove", "undo", "redo", "export"))
    p.add_argument("name", nargs="?", help="tag; for export also a question that was voted on")
    p.add_argument("ids", nargs="*", metavar="ID", help="documents; for export the file")


def add_label(commands: "argparse._SubParsersAction[Options]") -> None:
    """label."""
    p = command(
        commands,
        "label",
        lambda o: act.act(o, "label", **{key: getattr(o, key) for key in PARAMS}),
        "have documents labelled by a language model, within a budget",
        "mixlab label edu --base-url http://localhost:8000/v1 --model qwen --budget-tokens 500_000 "
        "--dry-run\n"
        "mixlab label edu --base-url https://api.example/v1 --model m --count 400 --budget 1.00 "
        "--price-in 0.15 --price-out 0.60\nmixlab score edu",
        detachable=True,
    )
    p.add_argument("name", help="of the labels; `mixlab score NAME` learns from them")
    p.add_argument(
        "--base-url",
        required=True,
        metavar="URL",
        help="of an endpoint that speaks OpenAI's chat completions; documents are sent there. The "
        "key is read from MIXLAB_LLM_API_KEY, else OPENAI_API_KEY",
    )
    p.add_argument("--model", required=True)
    p.add_argument("--count", type=count, default=200, help="documents in all (default: 200)")
    p.add_argument("--source", help="default: all, equally many each")
    p.add_argument("--prompt", default="educational", help="educational, ask-llm, or a text file")
    p.add_argument("--scale", help="of the answer: LOW-HIGH or yes-no (default: 0-5)")
    p.add_argument("--characters", type=count, default=3000, help="shown of a document")
    p.add_argument("--budget", type=float, metavar="MONEY", help="for all runs of NAME together")
    p.add_argument("--budget-tokens", type=count, metavar="N", help="likewise, in tokens")
    p.add_argument("--price-in", type=float, default=0.0, help="per million tokens of questions")
    p.add_argument("--price-out", type=float, default=0.0, help="per million tokens of answers")
    p.add_argument("--answer-tokens", type=count, default=200, help="limit of an answer")
    p.add_argument("--reasoning", action="store_true", help="for models that refuse max_tokens")
    p.add_argument("--seed", type=whole, default=0)
    p.add_argument("--concurrency", type=count, default=4, help="questions at a time")
    p.add_argument("--timeout", type=float, default=60.0, help="seconds an answer may take")
    p.add_argument("--retry", action="store_true", help="ask again where the answer was nonsense")
    p.add_argument("--dry-run", action="store_true", help="say what it would cost, send nothing")


def add_score(commands: "argparse._SubParsersAction[Options]") -> None:
    """score."""
    keys = ("name", "labels", "head", "encoder", "groups", "threshold", "fit_only")
    p = command(
        commands,
        "score",
        lambda o: act.act(o, "score", **{key: getattr(o, key) for key in keys}, **shards(o)),
        "learn a quality score from labels and give it to every document",
        "mixlab score educational --labels labels.jsonl\n"
        "mixlab score edu --labels ann.jsonl bob.jsonl --head embedding-ridge --fit-only\n"
        "mixlab score spam --labels people:spam",
        detachable=True,
    )
    p.add_argument("name", help="becomes the attribute quality.NAME")
    p.add_argument(
        "--labels",
        nargs="+",
        metavar="FILE",
        help="JSONL with `id`, a number `label`, and `by`; or llm:NAME, or people:NAME for tags "
        "and votes (default: llm:NAME)",
    )
    p.add_argument(
        "--head",
        choices=("ngrams", "embedding-ridge", "embedding-forest"),
        default="ngrams",
        help="the last two need every document embedded (default: ngrams)",
    )
    p.add_argument("--encoder", default="all-MiniLM-L6-v2", help="of the stored embeddings")
    p.add_argument(
        "--groups", choices=("content", "near"), default="content", help="copies kept in one fold"
    )
    p.add_argument("--threshold", type=float, help="label from which to keep (default: 2.5 or 0.5)")
    p.add_argument("--fit-only", action="store_true", help="learn and evaluate, score nothing")
    add_shards(p)
