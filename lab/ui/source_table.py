"""The sources of a workspace as a table and a figure, and what was refused while reading them."""

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import KINDS, Source, documents
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.ui.components import table
from lab.ui.figures import bars, draw, source_colours
from lab.ui.formats import compact
from lab.ui.job_panel import start
from lab.ui.measuring import signals_state, tokens_counted

SCHEMA = {
    "source": pl.String,
    "kind": pl.String,
    "documents": pl.Int64,
    "tokens": pl.Int64,
    "bytes": pl.Int64,
    "held out": pl.Int64,
    "quarantined": pl.Int64,
    "signals": pl.String,
    "licence": pl.String,
    "provenance": pl.String,
}


def source_frame(ws: Workspace, sources: list[Source]) -> pl.DataFrame:
    """One row per source; tokens are null until they are counted."""
    rows = [
        {
            "source": source.name,
            "kind": source.kind,
            "documents": source.counts.get("documents"),
            "tokens": token_count(ws, source.name),
            "bytes": source.counts.get("bytes"),
            "held out": source.counts.get("heldout"),
            "quarantined": source.counts.get("quarantined"),
            "signals": signals_state(ws, source.name),
            "licence": source.licence or "not stated",
            "provenance": source.provenance or "not stated",
        }
        for source in sources
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def token_count(ws: Workspace, source: str) -> int | None:
    """Tokens of a source under the default tokenizer; None if they have not been counted."""
    if not tokens_counted(ws, source):
        return None
    artifact = require_tokens(ws, source, default_tokenizer(ws))
    return int(artifact.manifest["tokens"])


def show_sources(ws: Workspace, frame: pl.DataFrame) -> None:
    """The table, and bars of tokens beside it."""
    whole = {
        name: st.column_config.NumberColumn(name, format="localized", step=1)
        for name in ("documents", "tokens", "held out", "quarantined")
    }
    table(
        frame,
        key="sources_table",
        alt="Sources with kind, size, held-out and quarantined documents, and licence",
        column_config=whole | {"bytes": st.column_config.NumberColumn(format="bytes")},
    )
    counted = frame.drop_nulls("tokens")
    if counted.is_empty():
        return
    names = default_tokenizer(ws)
    draw(
        bars(
            counted["source"].to_list(),
            counted["tokens"].to_list(),
            [compact(value) for value in counted["tokens"]],
            source_colours(ws),
            x=f"tokens under {names}",
        ),
        "sources_tokens",
        "Tokens per source; the largest is " + str(counted.sort("tokens")["source"][-1]),
    )


def missing_measurements(ws: Workspace, frame: pl.DataFrame) -> list[str]:
    """Sources without token counts or current signals."""
    needed = frame.filter(pl.col("tokens").is_null() | (pl.col("signals") != "measured"))
    return needed["source"].to_list()


def show_quarantine(ws: Workspace, source: Source) -> None:
    """Rows that were refused, by reason, with file and line."""
    path = documents(ws, source.name).path / "quarantine.parquet"
    frame = pl.read_parquet(path, n_rows=1000) if path.is_file() else pl.DataFrame()
    if frame.is_empty():
        st.caption("Nothing was refused while this source was read.")
        return
    reasons = source.counts.get("by_reason", {})
    table(
        pl.DataFrame({"reason": list(reasons), "rows": list(reasons.values())}),
        key="quarantine_reasons",
        alt="Refused rows by reason",
        width="content",
    )
    table(frame, key="quarantine_rows", alt="Refused rows with file, line and reason")
    st.caption("At most the first 1,000 refused rows are listed; the counts above are complete.")


def add_form(ws: Workspace, *, expanded: bool) -> None:
    """Read a new source from a path, in a job."""
    with st.expander("Add a source", icon=":material/add:", expanded=expanded):
        with st.form("add_source", border=False):
            st.text_input(
                "Path, folder, glob or Hugging Face dataset",
                key="add_path",
                placeholder="/data/pages.jsonl.zst   or   hf://datasets/owner/name",
                help="JSONL, JSONL.gz, JSONL.zst, Parquet, CSV, TSV; or a folder of text, Markdown "
                "or source files. Paths are on the machine that runs this server.",
            )
            first, second, third, fourth = st.columns(4)
            first.text_input("Name", key="add_name", help="a-z, 0-9, - and _")
            second.selectbox("Kind", KINDS, key="add_kind")
            third.text_input("Text column", value="text", key="add_text_column")
            fourth.text_input("Licence", key="add_licence", placeholder="for example CC-BY-4.0")
            sent = st.form_submit_button("Add", type="primary", icon=":material/add:")
        if sent:
            state = st.session_state
            start(
                ws,
                "add",
                {
                    "name": state["add_name"].strip(),
                    "paths": [state["add_path"].strip()],
                    "kind": state["add_kind"],
                    "text_column": state["add_text_column"].strip() or "text",
                    "licence": state["add_licence"].strip(),
                },
            )
