"""Write exports of a small workspace for the trainers' parsers: `python make_exports.py DIR`."""

import sys
from pathlib import Path

from lab.core.progress import SILENT
from lab.core.workspace import create
from lab.corpus.sources import add_source
from lab.export import export
from lab.jobs import actions
from lab.jobs.steps.corpus import tokenizer
from lab.jobs.steps.curation import measure
from lab.mixture.parsing import parse_recipe
from tests.conftest import plain_texts, write_jsonl

RECIPE = {
    "name": "trainers",
    "tokenizer": "plain",
    "sources": {"short": {}, "long": {}, "unused": {}},
    "mixture": {
        "tokens": 400_000,
        "repeat_cap": 8,
        "phases": [
            {"name": "broad", "share": 0.75, "weights": {"short": 1, "long": 2, "unused": 0}},
            {"name": "sharpen", "share": 0.25, "weights": {"short": 0.3, "long": 0.7}},
        ],
    },
}


def main(folder: Path) -> None:
    ws = create(folder / "workspace")
    for name, count, words in (("short", 800, 60), ("long", 100, 600), ("unused", 20, 60)):
        path = write_jsonl(folder / f"{name}.jsonl", plain_texts(count, words, len(name)))
        add_source(ws, name, [str(path)])
    tokenizer(ws, actions.Tokenizer("plain", 512), SILENT)
    measure(ws, actions.Measure(workers=1), SILENT)
    for target in ("megatron", "olmo-core"):
        export(ws, parse_recipe(RECIPE, "trainers"), target, folder / target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
