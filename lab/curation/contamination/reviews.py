"""A reviewer's word on a match: keep the document all the same, or drop it all the same.

Append-only, `reviews/contamination.jsonl`: one decision a line, and undo as a line of its own, so
nothing that somebody decided is ever lost. A decision speaks of a document and an item, or of a
document and a whole benchmark (`item` null); the later one counts, and one about the benchmark
replaces earlier ones about its items. *keep* spares the match; *drop* removes a document that the
13-gram rule left, for instance a partial match. Recipes apply them wherever they protect that
benchmark, and the key of the supply changes with them.
"""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.journal import Record, append, read, writing

DECISIONS = ("keep", "drop")
COLUMNS = {
    "id": pl.String,
    "benchmark": pl.String,
    "item_id": pl.String,  # null: the whole benchmark
    "decision": pl.String,
    "note": pl.String,
    "time": pl.String,
}


def reviews_file(ws: Workspace) -> Path:
    """Where decisions are kept."""
    return ws.folder("reviews", "contamination.jsonl")


def override(
    ws: Workspace,
    document_id: str,
    benchmark: str,
    item_id: str | None,
    decision: str,
    note: str = "",
) -> None:
    """Store a reviewer's decision.

    Raises ConfigError for a decision, benchmark or document that does not exist.
    """
    from lab.curation.contamination.search import item_files

    if decision not in DECISIONS:
        raise ConfigError(
            "A decision is keep or drop.",
            where="contamination review",
            value=decision,
            next_step=nearest(decision, DECISIONS),
        )
    item_files(ws, [benchmark])
    check_document(ws, document_id)
    record = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": document_id,
        "benchmark": benchmark,
        "item_id": item_id,
        "decision": decision,
        "note": note,
    }
    path = reviews_file(ws)
    with writing(path, "contamination review"):
        append(path, [record])


def check_document(ws: Workspace, document_id: str) -> None:
    """ConfigError unless a source holds a document of this id."""
    source = get_source(ws, document_id.partition("/")[0]).name
    there = documents(ws, source).scan().select((pl.col("id") == document_id).any())
    if not there.collect().item():
        raise ConfigError(
            f"Source {source!r} has no such document.",
            where="contamination review",
            value=document_id,
            next_step="`mixlab contamination report` names the documents",
        )


def undo(ws: Workspace) -> Record | None:
    """Take the last standing decision back and return it; None if there is none."""
    path = reviews_file(ws)
    with writing(path, "contamination review"):
        standing = replay(read(path))
        if standing:
            append(path, [{"time": datetime.now(UTC).isoformat(timespec="seconds"), "undo": True}])
    return standing[-1] if standing else None


def replay(records: list[Record]) -> list[Record]:
    """Decisions that no undo took back, in order."""
    standing: list[Record] = []
    for record in records:
        if record.get("undo"):
            standing = standing[:-1]
        else:
            standing.append(record)
    return standing


def decisions(ws: Workspace) -> pl.DataFrame:
    """Decisions in force (`COLUMNS`), the latest of each document and item, oldest first."""
    frame = pl.DataFrame(replay(read(reviews_file(ws))), schema=COLUMNS).with_row_index("order")
    whole = pl.col("order").filter(pl.col("item_id").is_null()).max().over("id", "benchmark")
    latest = pl.col("order").max().over("id", "benchmark", "item_id")
    stands = (pl.col("order") == latest) & (pl.col("order") >= whole.fill_null(0))
    return frame.filter(stands).drop("order")


def review_id(ws: Workspace) -> str:
    """A name for the decisions in force: changes when one is made or taken back."""
    return digest(decisions(ws).drop("note", "time").rows())


def judged(matches: pl.DataFrame, reviewed: pl.DataFrame) -> pl.DataFrame:
    """`matches` (id, benchmark, item_id, ...) with `decision` (null, keep, drop), and a row for
    each document that a reviewer drops without a match.
    """
    keys = ["id", "benchmark", "item_id"]
    single = reviewed.filter(pl.col("item_id").is_not_null()).select(*keys, one="decision")
    whole = reviewed.filter(pl.col("item_id").is_null()).select("id", "benchmark", all="decision")
    joined = (
        matches.join(single, on=keys, how="left", maintain_order="left")
        .join(whole, on=keys[:2], how="left", maintain_order="left")
        .with_columns(decision=pl.coalesce("one", "all"))
        .drop("one", "all")
    )
    dropped = reviewed.filter(pl.col("decision") == "drop").select(*keys, "decision")
    new = dropped.join(matches.select(keys), on=keys, how="anti", nulls_equal=True)
    found = matches.select("id", "benchmark").unique()
    extra = new.filter(pl.col("item_id").is_not_null() | ~in_frame(new, found))
    return pl.concat([joined, extra], how="diagonal")


def in_frame(frame: pl.DataFrame, others: pl.DataFrame) -> pl.Series:
    """True for rows whose document and benchmark are among `others`."""
    marked = frame.select("id", "benchmark").join(
        others.with_columns(there=True), on=["id", "benchmark"], how="left", maintain_order="left"
    )
    return marked["there"].fill_null(False)


def contaminated_ids(
    matches: pl.DataFrame, reviewed: pl.DataFrame, benchmarks: list[str]
) -> pl.Series:
    """Ids of documents that a recipe protecting `benchmarks` drops, sorted."""
    rows = judged(matches, reviewed).filter(pl.col("benchmark").is_in(benchmarks))
    dropped = rows.filter(pl.col("decision").fill_null("drop") == "drop")
    return dropped["id"].unique().sort()
