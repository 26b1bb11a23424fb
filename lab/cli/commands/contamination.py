"""Commands on benchmark items in the text: the search, its report, a reviewer's decisions."""

import argparse

from lab.cli import contamination
from lab.cli.commands.options import Options, add_shards, command, count


def add_contamination_commands(commands: "argparse._SubParsersAction[Options]") -> None:
    """decontaminate, contamination."""
    p = command(
        commands,
        "decontaminate",
        contamination.search,
        "find documents that share n words with benchmark items",
        "mixlab decontaminate\nmixlab decontaminate --benchmarks facts reasoning --ngram 13\n"
        "mixlab decontaminate --allow-common 10 --reference encyclopaedia",
        detachable=True,
    )
    p.add_argument("--source", help="default: all")
    p.add_argument("--benchmarks", nargs="+", metavar="NAME", help="default: all registered")
    p.add_argument("--ngram", type=count, default=13)
    add_thresholds(p)
    p.add_argument("--allow", metavar="FILE", help="n-grams to spare, one a line")
    p.add_argument("--allow-common", type=count, metavar="N", help="spare those in over N texts")
    p.add_argument("--reference", metavar="SOURCE", help="that must hold the common n-grams too")
    add_shards(p)
    add_review(commands)


def add_review(commands: "argparse._SubParsersAction[Options]") -> None:
    """contamination."""
    p = command(
        commands,
        "contamination",
        contamination.contamination,
        "report what was found, or overrule it for a document",
        "mixlab contamination report --output report\n"
        "mixlab contamination keep web/17 --benchmark facts --item f3 --note 'a proverb'\n"
        "mixlab contamination drop web/18 --benchmark facts\nmixlab contamination undo",
    )
    p.add_argument("what", choices=("report", "keep", "drop", "undo", "decisions"))
    p.add_argument("document", nargs="?", metavar="DOCUMENT", help="id, for keep and drop")
    p.add_argument("--benchmark", metavar="NAME", help="that the decision is about")
    p.add_argument("--item", metavar="ID", help="default: all items of the benchmark")
    p.add_argument("--note", default="", help="why")
    p.add_argument("--source", help="of the report (default: all)")
    p.add_argument("--ngram", type=count, default=13)
    add_thresholds(p)
    p.add_argument("--limit", type=count, default=20, help="matches shown (default: 20)")
    p.add_argument("--output", metavar="DIR", help="write the whole report there")


def add_thresholds(parser: Options) -> None:
    """phi-4's thresholds."""
    parser.add_argument("--info", type=float, default=0.2, help="ratio above which PARTIAL")
    parser.add_argument("--contaminated", type=float, default=0.5, help="ratio that removes")
    parser.add_argument("--count", choices=("set", "multiset"), default="set")
