"""The command on benchmarks."""

import argparse

from lab.cli import benchmark
from lab.cli.commands.options import Options, command, whole

EXAMPLES = """mixlab benchmark add arc_easy ARC-Easy/ --shots 5
mixlab benchmark add mmlu data/ --form letters --shots 5
mixlab benchmark add piqa piqa.parquet
mixlab benchmark show arc_easy --item Mercury_7175875
mixlab benchmark twin arc_easy --by letters
mixlab benchmark export arc_easy tasks/ --to lm-eval
mixlab benchmark list
mixlab benchmark remove arc_easy"""


def add_benchmark_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """benchmark."""
    p = command(
        commands,
        "benchmark",
        benchmark.benchmark,
        "register a benchmark, read its prompts, make a twin of it, remove it, or list them",
        EXAMPLES,
    )
    p.add_argument("what", choices=("add", "list", "show", "twin", "export", "remove", "restore"))
    p.add_argument("name", nargs="?")
    p.add_argument(
        "path", nargs="?", help="add: file or folder, as published; export: folder to write"
    )
    p.add_argument("--to", choices=("lm-eval",), default="lm-eval", help="export: the harness")
    p.add_argument("--format", metavar="F", help="add: default: told from the fields")
    p.add_argument("--split", help="add: score this split (default: test, validation, dev, all)")
    p.add_argument("--form", choices=("cloze", "letters"), default="cloze", help="default: cloze")
    p.add_argument("--shots", type=whole, default=0, metavar="K", help="default: 0")
    p.add_argument("--template", metavar="T", help="default: the one of the format")
    p.add_argument("--group", metavar="G", help="knowledge, reasoning, language, code or math")
    p.add_argument("--skip-invalid", action="store_true", help="set invalid items aside")
    p.add_argument("--replace", action="store_true", help="replace what has this name")
    p.add_argument("--item", metavar="ID", help="show: default: the first")
    p.add_argument("--by", choices=("permuted", "letters", "template"), help="twin: the rule")
