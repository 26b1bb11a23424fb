"""The source whose fresh text is nearest to a benchmark, when some sources quote its items."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.evaluation.gain.clean import QUOTED, with_share
from lab.evaluation.gain.domain import nearest_sources

TOWNS = [f"Marrow{k:03d}" for k in range(400)]


@pytest.fixture
def ws(tmp_path: Path, write_lines: Callable[..., Path]) -> Workspace:
    """`leak` is made of the items, `towns` is about them, `sums` about something else."""
    ws = create(tmp_path / "w")
    items = [
        {"question": f"Which river runs through {town}?", "choices": ["Oll", "Ern"], "answer": 0}
        for town in TOWNS[:50]
    ]
    add_benchmark(ws, "facts", write_lines(*items))
    texts = {
        "leak": [f"Quiz: Which river runs through {town}? Oll" for town in TOWNS],
        "towns": [f"The town of {town} stands where the Oll, a river, meets it" for town in TOWNS],
        "sums": [f"Add {k} to {k}, then halve what you found" for k in range(400)],
    }
    for name, lines in texts.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(json.dumps({"text": line}) for line in lines))
        add_source(ws, name, [str(path)])
    return ws


def quotes(**documents: int) -> pl.DataFrame:
    """So many documents of each source (of 400) quote item 0."""
    frames = [pl.DataFrame(schema=QUOTED)]
    for source, count in documents.items():
        rows = {"benchmark": "facts", "item_id": "0", "source": source}
        pairs = pl.DataFrame([rows | {"id": f"{source}/{k}"} for k in range(count)])
        frames.append(with_share(pairs, 400))
    return pl.concat(frames)


def nearest(ws: Workspace, quoted: pl.DataFrame) -> dict[str, str]:
    return nearest_sources(ws, ["facts"], quoted, ["leak", "towns", "sums"])


def test_a_source_made_of_quotes_is_no_fresh_text(ws: Workspace) -> None:
    assert nearest(ws, quotes()) == {"facts": "leak"}
    assert nearest(ws, quotes(leak=400)) == {"facts": "towns"}


def test_a_few_quotes_do_not_close_a_source(ws: Workspace) -> None:
    assert nearest(ws, quotes(leak=400, towns=40)) == {"facts": "towns"}
    assert nearest(ws, quotes(leak=400, towns=41)) == {}
