"""What was searched for, in which files, with which limits; and the button that searches."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.curation.contamination.method import FLOOR
from lab.curation.contamination.verdicts import Thresholds
from lab.ui.components import empty, table
from lab.ui.formats import count, plural
from lab.ui.job_panel import start
from lab.ui.text import label, show_plain

COUNTS = ["set", "multiset"]


def offer_benchmark(ws: Workspace) -> None:
    """A form that registers a benchmark, since without one there is nothing to look for."""
    with empty("No benchmark is registered, so there is nothing to look for."):
        st.caption(
            "Parquet or JSONL with questions and answers (ARC, PIQA, GSM8K, BLiMP or your own); "
            "the same as `mixlab benchmark add NAME PATH`."
        )
        with (
            st.form("add_benchmark", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            name = st.text_input("Name", key="benchmark_name", placeholder="gsm8k")
            path = st.text_input("File on this machine", key="benchmark_path")
            if st.form_submit_button("Register", type="primary"):
                start(ws, "benchmark", {"name": name.strip(), "path": path.strip()})


def offer_search(ws: Workspace, found: Mapping[str, Artifact | None], ngram: int) -> None:
    """The button that searches what has not been searched for the benchmarks as they are now."""
    missing = [source for source, artifact in found.items() if artifact is None]
    if not missing:
        return
    with empty(
        "The text has not been searched for these benchmarks."
        if len(missing) == len(found)
        else f"{plural(len(missing), 'source')} not searched for these benchmarks as they are now."
    ):
        show_plain(", ".join(missing))
        st.caption(
            "Every document is compared, whole, with every item: about 25 MB of text a second. "
            "Searches that are still current are not repeated."
        )
        if st.button("Search the text", key="search_text", type="primary"):
            start(ws, "decontaminate", {"ngram": ngram})


def pick_limits() -> Thresholds:
    """phi-4's two thresholds, and how n-grams are counted."""
    low, high = st.slider(
        "Share of 7-word runs: partial above, contaminated from", FLOOR, 1.0, (0.2, 0.5), 0.01,
        key="limits", bind="query-params", format="%.2f",
        help="r = shared 7-word runs, of the runs in the shorter of document and item, for the "
        "item with the largest r. phi-4 published neither limit; these are the lab's.",
    )  # fmt: skip
    counted = st.segmented_control(
        "Runs counted as a", COUNTS, default="set", key="counted", bind="query-params",
        required=True, help="A set counts each run once; a multiset counts repeats. Unpublished.",
    )  # fmt: skip
    return Thresholds(max(low, FLOOR), high, "multiset" if counted == "multiset" else "set")


def show_header(header: Mapping[str, Any]) -> None:
    """Everything a second person needs to repeat the search."""
    st.caption(
        f"Texts are lower-cased, punctuation is deleted, line breaks do not matter; runs of "
        f"{header['ngram']:d} words (GPT-3, phi-4) and of {header['short_ngram']:d} words (phi-4). "
        f"{plural(header['allowed'], 'allowed run')} spared, "
        f"{plural(header['decisions'], 'decision')} of reviewers in force. "
        f"Normaliser {label(header['normaliser'])}, corpus {label(header['corpus'])}."
    )
    table(
        pl.DataFrame(header["benchmarks"]), key="benchmark_files",
        alt="Benchmark files and their SHA-256",
    )  # fmt: skip
    sources: dict[str, str] = header["sources"]
    table(
        pl.DataFrame({"source": list(sources), "documents artifact": list(sources.values())}),
        key="searched_sources", alt="Sources that were searched, by the id of their documents",
    )  # fmt: skip


def show_blindness(benchmarks: pl.DataFrame, ngram: int) -> None:
    """What the method cannot see, with the numbers that say how much."""
    short, long = (int(benchmarks[c].sum()) for c in ("uncheckable", "uncheckable_long"))
    st.info(
        "Only quotation is seen. A rephrased or translated item passes as clean; a common phrase "
        f"of {ngram:d} words is a false alarm. Of the items, {count(short)} are shorter than 7 "
        f"words and cannot be looked for at all; {count(long - short)} others are shorter than "
        f"{ngram:d} and looked for by 7-word runs only. Uncheckable is not clean.",
        icon=":material/visibility_off:",
    )


def pick_protected(names: Sequence[str], default: Sequence[str], key: str) -> list[str]:
    """Benchmarks that the report speaks of and that a saved recipe protects."""
    return st.multiselect(
        "Benchmarks to protect", list(names), default=[n for n in default if n in names],
        key=key, bind="query-params", placeholder="none",
    )  # fmt: skip
