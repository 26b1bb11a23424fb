"""How near copies are looked for: the setting, what it finds at each similarity, and the search."""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.curation.duplicates import MinHash, knee, probability
from lab.curation.duplicates.presets import AT, PRESETS, curve, setting_warnings
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, table
from lab.ui.duplicates.stored import find_pairs, offered_settings, setting_name
from lab.ui.figures import GREY, add_cut, blank, draw, ink
from lab.ui.formats import compact, count, duration, number, percent, plural
from lab.ui.job_panel import start
from lab.ui.text import label

OWN = "own"
BYTES_A_SECOND = 65e6  # of text, 112 hashes, one core (lab.curation.duplicates.bands)
STEPS = [k / 100 for k in range(101)]


def pick_setting(ws: Workspace, recipe: Recipe | None) -> MinHash:
    """Choose bands, rows and shingle: a published setting, one already searched, or one's own."""
    offered = offered_settings(ws, recipe)
    chosen = st.selectbox(
        "Search setting", [*offered, OWN], key="setting", bind="query-params",
        format_func=lambda name: setting_words(ws, offered, name),
    )  # fmt: skip
    return own_setting() if chosen == OWN else offered[chosen]


def setting_words(ws: Workspace, offered: Mapping[str, MinHash], name: str) -> str:
    """`fineweb: 14 bands x 8 rows, 5-word shingles (stored)`."""
    if name == OWN:
        return "own: choose bands and rows"
    setting = offered[name]
    known = [n for n, p in PRESETS.items() if setting_name(p.minhash) == name]
    stored = " (stored)" if find_pairs(ws, setting) else ""
    words = f"{setting.bands} bands x {setting.rows} rows, {setting.ngram}-word shingles{stored}"
    return f"{' / '.join(known)}: {words}" if known else words


def own_setting() -> MinHash:
    """Three numbers, in the address."""
    first, second, third = st.columns(3)
    bands = first.number_input("Bands", 1, 1000, 20, key="bands", bind="query-params")
    rows = second.number_input("Rows", 1, 1000, 8, key="rows", bind="query-params")
    ngram = third.number_input("Shingle, words", 1, 1000, 5, key="ngram", bind="query-params")
    return MinHash(int(bands), int(rows), int(ngram))


def show_odds(minhash: MinHash, threshold: float) -> None:
    """The curve P(s) with the threshold, P at the usual similarities, and what is missed."""
    bands, rows = minhash.bands, minhash.rows
    st.caption(
        f"{count(bands)} bands of {count(rows)} rows = {count(bands * rows)} hashes. Two texts are "
        "compared if a whole band agrees; of pairs at similarity s that happens to the share "
        "P(s). What is compared "
        f"is then measured exactly. The curve is steepest near {number(knee(bands, rows), 3)}."
    )
    figure = blank(260, x="similarity s of two texts", y="share of pairs compared, P(s)")
    figure.add_scatter(
        x=STEPS, y=[probability(bands, rows, s) for s in STEPS], mode="lines", name="this setting",
        line={"color": ink(), "width": 2}, hovertemplate="s = %{x:.2f}: %{y:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=STEPS, y=[probability(rows, bands, s) for s in STEPS], mode="lines",
        name="bands and rows swapped", line={"color": GREY, "dash": "dot"},
        hovertemplate="swapped, s = %{x:.2f}: %{y:.1%}<extra></extra>",
    )  # fmt: skip
    add_cut(figure, threshold, f"threshold {threshold:.2f}")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    draw(figure, "odds", f"P(s) of {bands} bands of {rows} rows, and of the two swapped")
    odds = pl.DataFrame({"similarity": list(AT), "pairs compared": list(curve(minhash).values())})
    percents = {"pairs compared": st.column_config.NumberColumn(format="percent")}
    table(odds, key="odds_table", alt="P at usual similarities", column_config=percents)


def show_warnings(minhash: MinHash, threshold: float) -> None:
    """What the setting misses at the threshold, and bands and rows that look swapped."""
    chosen = MinHash(minhash.bands, minhash.rows, minhash.ngram, threshold)
    for words in setting_warnings(chosen):
        st.warning(label(words), icon=":material/swap_horiz:")


def show_search(pairs: Artifact) -> None:
    """What the stored search has seen."""
    facts = pairs.manifest
    crowded = facts.get("large_buckets", 0)
    st.caption(
        f"{count(facts['documents'])} documents: {count(facts['compared'])} distinct texts were "
        f"hashed, {count(facts['candidates'])} pairs compared in full, "
        f"{count(facts['pairs'])} of them at least half alike and stored. "
        f"{count(facts['too_short'])} texts are shorter than a shingle: only their exact copies "
        "are known."
        + (
            f" {plural(crowded, 'bucket')} too large for every pair to be listed."
            if crowded
            else ""
        )
    )


def offer_search(ws: Workspace, minhash: MinHash, threshold: float) -> None:
    """The button that looks for near copies with this setting."""
    size = sum(source.counts["bytes"] for source in list_sources(ws))
    seconds = size / BYTES_A_SECOND * max(1.0, minhash.bands * minhash.rows / 112)
    with empty("Near copies have not been looked for with this setting."):
        st.caption(
            f"Takes {duration(seconds)} of one core for {compact(size)}B of text. Pairs are "
            f"stored from similarity 0.5 up, so that the threshold can be moved afterwards. At "
            f"{number(threshold, 2)} this setting compares "
            f"{percent(probability(minhash.bands, minhash.rows, threshold))} of the pairs."
        )
        if st.button("Look for near copies", key="search", type="primary"):
            start(ws, "dedup", search_params(minhash, threshold))


def search_params(minhash: MinHash, threshold: float) -> dict[str, object]:
    """Parameters of the `dedup` action."""
    return {
        "bands": minhash.bands,
        "rows": minhash.rows,
        "ngram": minhash.ngram,
        "jaccard": threshold,
    }
