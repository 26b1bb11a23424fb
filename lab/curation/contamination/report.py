"""The contamination report: what was searched for, what was found, what it costs, where to look.

All from stored tables, so thresholds and reviewers' decisions show at once. A document counts once
under its worst verdict; a pair that a reviewer keeps does not count. Tokens are those of training
documents. Cost: 0.2 s for a million documents with 10,000 matches.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact, write_part
from lab.core.files import digest, file_sha256, write_json
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.contamination.allow import read_allowed
from lab.curation.contamination.method import NGRAM, SHORT_NGRAM
from lab.curation.contamination.reviews import decisions
from lab.curation.contamination.search import item_files, registered, require_contamination
from lab.curation.contamination.tables import (
    benchmark_table,
    item_table,
    sensitivity,
    source_table,
)
from lab.curation.contamination.verdicts import Thresholds, pair_verdicts

NORMALISER = "gpt3-words@lab1"  # lower case, letters, marks and digits, split on white space
DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True)
class ContaminationReport:
    """`header`: what was searched, how, in which corpus.

    `benchmarks`: benchmark, items, uncheckable, uncheckable_long, items_hit, and documents by worst
    verdict against it: documents_13, documents_7, documents_partial.
    `items`: benchmark, item_id, words, status (a verdict, or UNCHECKABLE), documents, sources,
    ratio (largest), most documents first.
    `matches`: source and what `pair_verdicts` gives.
    `sources`: source, documents, tokens, and under each verdict documents and tokens, and removed.
    `curve`: threshold, documents and tokens that 13-grams or a ratio from there up would remove.
    """

    header: dict[str, Any]
    benchmarks: pl.DataFrame
    items: pl.DataFrame
    matches: pl.DataFrame
    sources: pl.DataFrame
    curve: pl.DataFrame


def report(
    ws: Workspace,
    sources: Sequence[str] | None = None,
    benchmarks: Sequence[str] | None = None,
    *,
    ngram: int = NGRAM,
    limits: Thresholds = DEFAULT,
    tokenizer: str | None = None,
) -> ContaminationReport:
    """The report on `sources` (all) and `benchmarks` (all registered ones).

    Raises ArtifactMissing for a source that was not searched for exactly these benchmarks, or whose
    tokens are not counted.
    """
    names = sorted(set(sources or [source.name for source in list_sources(ws)]))
    chosen = sorted(set(benchmarks or registered(ws)))
    found = {name: require_contamination(ws, name, chosen, ngram) for name in names}
    pairs = pl.concat([source_pairs(ws, n, a, limits) for n, a in found.items()])
    known = pl.read_parquet(next(iter(found.values())).path / "items.parquet")
    costs = token_table(ws, names, tokenizer or default_tokenizer(ws))
    return ContaminationReport(
        make_header(ws, found, chosen, ngram, limits),
        benchmark_table(known, pairs, ngram),
        item_table(known, pairs),
        pairs,
        source_table(pairs, costs),
        sensitivity(found, costs, limits),
    )


def source_pairs(
    ws: Workspace, source: str, artifact: Artifact, limits: Thresholds
) -> pl.DataFrame:
    """The matches of one source with the reviewers' decisions about its documents."""
    matches, overlaps = (
        pl.read_parquet(artifact.path / f"{name}.parquet") for name in ("matches", "overlaps")
    )
    own = decisions(ws).filter(pl.col("id").str.starts_with(f"{source}/"))
    pairs = pair_verdicts(matches, overlaps, own, limits)
    return pairs.select(pl.lit(source).alias("source"), pl.all())


def make_header(
    ws: Workspace, found: dict[str, Artifact], names: list[str], ngram: int, limits: Thresholds
) -> dict[str, Any]:
    """Everything that a second person needs to repeat the search."""
    corpus = {source: documents(ws, source).id for source in found}
    return {
        "benchmarks": [
            {"name": path.parent.name, "file": path.name, "sha256": file_sha256(path)}
            for path in item_files(ws, names)
        ],
        "normaliser": NORMALISER,
        "ngram": ngram,
        "short_ngram": SHORT_NGRAM,
        "thresholds": asdict(limits),
        "allowed": len(read_allowed(ws, ngram)),
        "decisions": decisions(ws).height,
        "sources": corpus,
        "corpus": digest(corpus),
        "blind_to": "rephrased and translated items",
    }


def token_table(ws: Workspace, sources: list[str], tokenizer: str) -> pl.DataFrame:
    """Columns source, id, tokens of the training documents."""
    frames = []
    for source in sources:
        base = documents(ws, source).scan().select("source", "id", "heldout").collect()
        tokens = require_tokens(ws, source, tokenizer).scan().select("tokens").collect()
        frames.append(base.hstack(tokens).filter(~pl.col("heldout")).drop("heldout"))
    return pl.concat(frames)


def matched_items(
    ws: Workspace,
    sources: Sequence[str],
    benchmarks: Sequence[str] | None = None,
    limits: Thresholds = DEFAULT,
) -> pl.DataFrame:
    """Items that some document of `sources` quotes (benchmark, item_id), for scores without them.

    By 13-grams or by a ratio from `limits.contaminated` up, less what reviewers keep.
    """
    chosen = sorted(set(benchmarks or registered(ws)))
    pairs = [
        source_pairs(ws, name, require_contamination(ws, name, chosen), limits)
        for name in sorted(set(sources))
    ]
    hit = pl.concat(pairs).filter(pl.col("removed") & pl.col("item_id").is_not_null())
    return hit.select("benchmark", "item_id").unique().sort("benchmark", "item_id")


def write_report(made: ContaminationReport, folder: Path) -> None:
    """Write `header.json` and one Parquet file a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in fields(made):
        if field.name != "header":
            write_part(getattr(made, field.name), folder / f"{field.name}.parquet")
    write_json(folder / "header.json", made.header)
