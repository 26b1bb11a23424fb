"""Items that the training text quotes, and scores without them.

An item is *quoted* for a comparison if a training document of a source with weight in either recipe
shares 13 words with it, or half of its 7-word runs (`lab.curation.contamination`), and the recipe
lets that document through: a recipe that decontaminates for the benchmark has dropped the 13-word
matches. Both groups are scored on the items that neither quotes, so the two stay comparable.

What this cannot see: items that are rephrased or translated in the text, and items of fewer than
seven words. It errs on the strict side elsewhere: a quoting document may have fallen to another
rule, or the run may have ended before it came.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from lab.core.errors import ArtifactMissing
from lab.core.files import read_json
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.contamination.report import DEFAULT, source_pairs
from lab.curation.contamination.search import registered, require_contamination
from lab.curation.contamination.verdicts import LONG
from lab.evaluation.comparing.compare import Pair

QUOTED = {
    "benchmark": pl.String,
    "item_id": pl.String,
    "source": pl.String,
    "share": pl.Float64,  # of the source's documents, that quote the benchmark
}


def quoted_items(ws: Workspace, pair: Pair) -> pl.DataFrame:
    """Rows of QUOTED: what training text of either group quotes.

    Raises ArtifactMissing for a source that was not searched for the benchmarks as they are now, or
    that has other documents than the runs were trained on.
    """
    benchmarks = registered(ws)
    specs = [read_json(run.folder / "run.json") for g in (pair.a, pair.b) for run in g.runs[:1]]
    matched: dict[str, pl.DataFrame] = {}
    rows = []
    for spec in specs:
        for source in trained_sources(spec):
            require_unchanged(ws, spec, source)
            if source not in matched:
                found = require_contamination(ws, source, benchmarks)
                matched[source] = source_pairs(ws, source, found, DEFAULT)
            size = documents(ws, source).manifest["counts"]["documents"]
            rows.append(with_share(let_through(matched[source], spec), size))
    frame = pl.concat(rows) if rows else pl.DataFrame(schema=QUOTED)
    return frame.select(*QUOTED).unique().sort(*QUOTED)


def require_unchanged(ws: Workspace, spec: Mapping[str, Any], source: str) -> None:
    """ArtifactMissing if the source's documents are not those that the run trained on."""
    if documents(ws, source).id != spec["documents"][source]:
        raise ArtifactMissing(
            f"Source {source!r} has changed since {spec['id']} was trained: what it read is gone.",
            where=source,
            next_step="Train it again.",
        )


def trained_sources(spec: Mapping[str, Any]) -> list[str]:
    """Sources with weight in some phase of the recipe of a run."""
    phases = spec["mapping"]["mixture"]["phases"]
    return sorted({name for phase in phases for name, w in phase["weights"].items() if w > 0})


def let_through(pairs: pl.DataFrame, spec: Mapping[str, Any]) -> pl.DataFrame:
    """The pairs of documents and items that count as quotes and that the recipe leaves in."""
    quoting = pairs.filter(pl.col("removed") & pl.col("item_id").is_not_null())
    dropped: Iterable[str] = (spec["mapping"].get("decontaminate") or {}).get("benchmarks", ())
    gone = pl.col("benchmark").is_in(list(dropped)) & (pl.col("verdict") == LONG)
    return quoting.filter(~gone)


def with_share(pairs: pl.DataFrame, size: int) -> pl.DataFrame:
    """Pairs of a source of `size` documents as rows of QUOTED."""
    share = pl.col("id").n_unique().over("benchmark") / size
    return pairs.with_columns(share=share.cast(pl.Float64)).select(*QUOTED)


def without(pair: Pair, quoted: pl.DataFrame) -> Pair:
    """The pair on items that nothing quotes."""
    return pair.filtered(lambda items: items.join(quoted, on=["benchmark", "item_id"], how="anti"))


def only(pair: Pair, quoted: pl.DataFrame) -> Pair:
    """The pair on quoted items alone."""
    return pair.filtered(lambda items: items.join(quoted, on=["benchmark", "item_id"], how="semi"))
