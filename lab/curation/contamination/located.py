"""The places of matches, for reading: both texts and the longest span they share."""

from typing import Any

import polars as pl

from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.contamination.method import NGRAM, SHORT_NGRAM
from lab.curation.contamination.search import item_files
from lab.curation.contamination.spans import matched_spans

PLACES = ("document_start", "document_end", "item_start", "item_end")


def locate_matches(ws: Workspace, matches: pl.DataFrame, ngram: int = NGRAM) -> pl.DataFrame:
    """Rows of `ContaminationReport.matches` with text, item_text and the longest span they share:
    document_start, document_end, item_start, item_end (characters, null if none).

    Reads the documents, so pass the rows that are shown. 1 ms a row.
    """
    rows = matches.filter(pl.col("item_id").is_not_null())
    if not rows.height:
        return rows
    joined = rows.join(document_texts(ws, rows), on="id", how="left", maintain_order="left").join(
        texts_of_items(ws, rows), on=["benchmark", "item_id"], how="left", maintain_order="left"
    )
    places = [
        place(row["text"], row["item_texts"], ngram if row["ngrams"] else SHORT_NGRAM)
        for row in joined.iter_rows(named=True)
    ]
    schema = {"item_text": pl.String} | dict.fromkeys(PLACES, pl.UInt32)
    return joined.drop("item_texts").hstack(pl.DataFrame(places, schema=schema))


def document_texts(ws: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Columns id, text of the documents in `rows` (source, id)."""
    wanted = pl.col("id").is_in(rows["id"].unique().implode())
    names = sorted(rows["source"].unique())
    frames = [documents(ws, n).scan().filter(wanted).select("id", "text") for n in names]
    return pl.concat(frames).collect()


def texts_of_items(ws: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Columns benchmark, item_id, item_texts (list) of the items in `rows`."""
    from lab.curation.contamination.ngram_index import item_texts

    items = [
        pl.read_parquet(path).with_columns(benchmark=pl.lit(path.parent.name))
        for path in item_files(ws, sorted(rows["benchmark"].unique()))
    ]
    own = pl.concat(items).join(
        rows, left_on=["benchmark", "id"], right_on=["benchmark", "item_id"], how="semi"
    )
    return item_texts(own).group_by("benchmark", "item_id").agg(item_texts="text")


def place(text: str, item_texts: list[str], n: int) -> dict[str, Any]:
    """The text of an item that shares the longest span with a document, and both spans."""
    best: dict[str, Any] = {"item_text": item_texts[0]} | dict.fromkeys(PLACES)
    length = 0
    for item_text in item_texts:
        spans = matched_spans(text, item_text, n)
        if spans.document and spans.item:
            ours = max(spans.document, key=lambda s: s.end - s.start)
            theirs = max(spans.item, key=lambda s: s.end - s.start)
            if ours.end - ours.start > length:
                length = ours.end - ours.start
                best = {
                    "item_text": item_text,
                    "document_start": ours.start,
                    "document_end": ours.end,
                    "item_start": theirs.start,
                    "item_end": theirs.end,
                }
    return best
