"""A planted contaminated source: its gain must disappear on clean items and on the twin.

The sample world gets one source more, `leak`, whose documents quote a part of the `facts` items,
question and answer, many times over. Two recipes differ by that source alone; both are trained
under the same seeds at `nano`, and `lab.evaluation.gain.gain` judges the difference.

    python tests/benchmarks/contaminated_gain.py --folder /tmp/leak

Cost on one quiet core: 1 min for the world, 20 s a run and as much for its scores.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from lab.cli.judge import gain_table, guardrail_table
from lab.core.progress import SILENT
from lab.core.workspace import Workspace, create, open_workspace
from lab.corpus.sources import add_source, list_sources
from lab.curation.contamination import decontaminate
from lab.evaluation.benchmarks.registry import load_items
from lab.evaluation.comparing.choose import named_groups
from lab.evaluation.gain.gain import gain
from lab.evaluation.runs.evaluate import evaluate_run
from lab.jobs.actions import Measure
from lab.jobs.sample import TOKENIZER, build_sample
from lab.jobs.steps.curation import measure
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe_files import load_recipe, save_recipe
from lab.proxy.runs import prepare_run
from lab.proxy.train import train

KEPT = ("facts", "facts_twin", "reasoning", "reasoning_twin")
WEIGHTS = {"encyclopaedia": 0.5, "textbooks": 0.5}


def plant(ws: Workspace, folder: Path, items: int, copies: int) -> None:
    """Add source `leak`: every one of the first `items` items quoted in `copies` documents."""
    facts = load_items(ws, "facts").head(items)
    texts = [f"{q} {a}" for q, a in facts.select("question", "answer").iter_rows()]
    rng = np.random.default_rng(0)
    rows = []
    for copy in range(copies):
        order = rng.permutation(len(texts))
        for k, part in enumerate(np.array_split(order, max(len(texts) // 5, 1))):
            quoted = "\n\n".join(texts[i] for i in part)
            rows.append({"id": f"{copy}-{k}", "text": f"Quiz {copy}, sheet {k}.\n\n{quoted}"})
    path = folder / "leak.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    add_source(ws, "leak", [str(path)], id_column="id")
    measure(ws, Measure(source="leak", tokenizer=TOKENIZER, workers=1), SILENT)


def save_recipes(ws: Workspace, share: float) -> None:
    """`honest` and `leaky`: the same text, `share` of it replaced by the leak."""
    for name, part in (("honest", 0.0), ("leaky", share)):
        weights = {source: w * (1 - part) for source, w in WEIGHTS.items()}
        weights |= {"leak": part} if part else {}
        body = {
            "name": name,
            "tokenizer": TOKENIZER,
            "sources": {source: {} for source in weights},
            "mixture": {"tokens": 500_000, "repeat_cap": 1000,
                        "phases": [{"name": "all", "weights": weights}]},
        }  # fmt: skip
        save_recipe(ws, parse_recipe(body, name))


def main() -> None:
    """Build, train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--items", type=int, default=60, help="quoted, of 308")
    parser.add_argument("--copies", type=int, default=90)
    parser.add_argument("--share", type=float, default=0.6)
    parser.add_argument("--tokens", type=int, default=150_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "w").is_dir():
        ws = open_workspace(folder / "w")
    else:
        ws = create(folder / "w")
        build_sample(ws, documents=options.documents)
    for path in ws.benchmarks.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path)
    plant(ws, folder, options.items, options.copies)
    for source in list_sources(ws):
        decontaminate(ws, source.name, list(KEPT))
    save_recipes(ws, options.share)
    for seed in range(options.seeds):
        for name in ("honest", "leaky"):
            recipe = load_recipe(ws, name)
            run = prepare_run(ws, recipe, size="nano", tokens=options.tokens, seed=seed)
            train(run, SILENT)
            evaluate_run(ws, run)
    groups = named_groups(ws, ["honest", "leaky"])
    for metric in ("gold_bpb", "accuracy"):
        found = gain(ws, groups, metric)
        with pl.Config(tbl_cols=-1, tbl_rows=-1, fmt_str_lengths=120, tbl_width_chars=240):
            print(metric, found.overall.sentence, *found.overall.change, sep="\n  ")
            print(gain_table(found), guardrail_table(found), sep="\n")


if __name__ == "__main__":
    main()
