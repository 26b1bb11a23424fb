"""Taking what was found away: ids as Parquet, documents as JSON lines, or an SQL statement.

Files are made when the button is pressed. JSON lines hold at most `DOCUMENTS` documents, since a
browser holds the whole download in memory; the command in the hint has no such limit.
"""

import io

import polars as pl
import streamlit as st

from lab.core.query import parquet
from lab.ui.browse.pool import Pool, Rows
from lab.ui.formats import count

DOCUMENTS = 20_000


def show_taking(pool: Pool, rows: Rows) -> None:
    """Three downloads."""
    with st.popover("Take away", icon=":material/download:", disabled=not len(rows)):
        st.download_button(
            "Ids as Parquet", lambda: ids_parquet(pool, rows), "found.parquet",
            key="take.ids", on_click="ignore", icon=":material/table:",
        )  # fmt: skip
        st.download_button(
            "Documents as JSON lines", lambda: documents_jsonl(pool, rows), "found.jsonl",
            key="take.documents", on_click="ignore", icon=":material/description:",
            disabled=len(rows) > DOCUMENTS,
            help=f"At most {count(DOCUMENTS)} documents; take the ids and the SQL for more.",
        )  # fmt: skip
        st.download_button(
            "SQL that reads them", lambda: statement(pool), "found.sql",
            key="take.sql", on_click="ignore", icon=":material/code:",
            help="DuckDB; expects found.parquet beside it.",
        )  # fmt: skip


def ids_parquet(pool: Pool, rows: Rows) -> bytes:
    """Columns id, source, tokens in the order of the list."""
    buffer = io.BytesIO()
    frame = pool.frame[rows].select("id", pl.col("source").cast(pl.String), "tokens")
    frame.write_parquet(buffer)
    return buffer.getvalue()


def documents_jsonl(pool: Pool, rows: Rows) -> str:
    """id, source, text and meta of every document, one JSON object a line, in stored order."""
    ids = pool.frame["id"].gather(rows)
    columns = ("id", "source", "text", "meta")
    found = [
        artifact.scan().select(columns).filter(pl.col("id").is_in(ids.implode())).collect()
        for artifact in pool.artifacts.values()
    ]
    return pl.concat(found).write_ndjson()


def statement(pool: Pool) -> str:
    """SQL that joins `found.parquet` with the documents."""
    parts = [part for artifact in pool.artifacts.values() for part in artifact.parts]
    return (
        "-- Documents found in Mixture Lab; found.parquet holds their ids.\n"
        f"SELECT documents.*\nFROM {parquet(parts)} AS documents\n"
        "SEMI JOIN 'found.parquet' USING (id);\n"
    )
