"""The registered benchmarks in a table, with the items that the text quotes where that is known."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.contamination import NGRAM
from lab.curation.contamination.verdicts import Thresholds
from lab.evaluation.benchmarks.registry import TWIN, BenchmarkSummary
from lab.ui.components import link, table
from lab.ui.contamination import evidence
from lab.ui.formats import count, percent, plural

BENCHMARK = "benchmark"
ITEM = "item"
QUOTED = {"benchmark": pl.String, "item_id": pl.String, "documents": pl.UInt32}


def quoted_items(ws: Workspace) -> pl.DataFrame | None:
    """benchmark, item_id, documents of every quoted item; None while not all text was searched."""
    try:
        found = evidence.searched(ws, NGRAM)
        done = {name: artifact for name, artifact in found.items() if artifact}
        if not done or len(done) < len(found):
            return None
        known = evidence.load_evidence(ws, done, "")
        names = known.items["benchmark"].unique().to_list()
        items = evidence.findings(ws, known, Thresholds(), NGRAM, names).items
    except LabError:  # tokens not counted, or a tokenizer was removed: simply not known
        return None
    return items.filter(pl.col("documents") > 0).select(*QUOTED).cast(pl.Schema(QUOTED))


def show_benchmarks(found: Sequence[BenchmarkSummary], quoted: pl.DataFrame | None) -> None:
    """One row a benchmark; a click opens it below."""
    hits = {} if quoted is None else dict(quoted["benchmark"].value_counts().iter_rows())
    frame = pl.DataFrame(
        [
            {
                "benchmark": bench.name,
                "items": bench.items,
                "asks for": bench.group or "-",
                "kind": ", ".join(kind.replace("_", " ") for kind in bench.kinds),
                "form": bench.form,
                "shots": bench.shots,
                "template": bench.template,
                "chance": "-" if bench.chance is None else percent(bench.chance, 0),
                **({} if quoted is None else {"quoted": hits.get(bench.name, 0)}),
                "twin": twin_words(bench, found),
                "set aside": bench.skipped,
            }
            for bench in found
        ]
    )

    def open_row() -> None:
        rows = st.session_state["benchmark_table"].selection.rows
        if rows and rows[0] < len(found):
            st.session_state[BENCHMARK] = found[rows[0]].name
            st.session_state[ITEM] = ""

    config = st.column_config
    table(
        frame,
        key="benchmark_table",
        alt="Registered benchmarks; select one to read its items",
        on_select=open_row,
        selection_mode="single-row",
        column_config={
            "items": config.NumberColumn(format="localized"),
            "chance": config.TextColumn(
                alignment="right", help="Accuracy of a guess; none where nothing is chosen"
            ),
            "quoted": config.NumberColumn(
                "items quoted", format="localized", help="Items that documents quote word for word"
            ),
            "twin": config.TextColumn(help="The same content in another format"),
            "set aside": config.NumberColumn(help="Invalid items that are not scored"),
        },
    )
    say_quoted(quoted, hits)


def twin_words(bench: BenchmarkSummary, found: Sequence[BenchmarkSummary]) -> str:
    """What the table says of twins: the name of its twin, or how it was made as one."""
    hashes = {other.name: other.hash for other in found}
    base = bench.name.removesuffix(TWIN)
    if base != bench.name and base in hashes:
        outdated = bench.twin_of_hash and bench.twin_of_hash != hashes[base]
        made = f"by {bench.twin_by}" if bench.twin_by else "as registered"
        return f"{made}, of earlier items" if outdated else made
    return bench.name + TWIN if bench.name + TWIN in hashes else "-"


def say_quoted(quoted: pl.DataFrame | None, hits: dict[str, int]) -> None:
    """What is known of contamination, and where to look."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if quoted is None:
            st.caption(
                "Not known which items the text quotes: it was not searched for these benchmarks "
                "as they are now.",
                width="content",
            )
            link("contamination", "Search the text")
        elif hits:
            total = sum(hits.values())
            st.caption(
                f"{plural(total, 'item')} quoted by documents, in {count(len(hits))} of the "
                "benchmarks: a gain there may be memory.",
                width="content",
            )
            link("contamination", "Read the matches")
