"""What a draft of thresholds does: totals, distribution, the account of each rule, documents."""

import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.accounting import Accounting
from lab.curation.distribution import Histogram
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.components import link, table
from lab.ui.cuts import bounds_of
from lab.ui.fallout import WHICH, Fallout, fallout, samples
from lab.ui.figures import GREY, draw, source_colours
from lab.ui.formats import compact, count, number, percent, sentence
from lab.ui.histogram import histogram_figure, tail_words
from lab.ui.tables import texts
from lab.ui.text import figure_text, label, show_document

SHOWN = 5  # documents to read
EXCERPT = 700  # characters of each


def show_totals(found: Fallout, saved: Accounting) -> None:
    """Kept documents and tokens, and the change against the saved recipe."""
    total, kept, before = found.account.total(), found.account.kept(), saved.kept()
    grid = st.grid(2, min_column_width=150, gap="small")
    for name, now, was, whole in (
        ("Documents kept", kept.documents, before.documents, total.documents),
        ("Tokens kept", kept.tokens, before.tokens, total.tokens),
    ):
        grid.metric(
            label(f"{name}, of {compact(whole)}"),
            f"{compact(now)} ({percent(now / max(whole, 1))})",
            delta=f"{compact(now - was)} from saved" if now != was else None,
            delta_color="off",
            border=True,
        )


def show_histogram(
    ws: Workspace, source: str, signal: str, found: Fallout, bins: Histogram
) -> None:
    """The distribution with the cut, in documents or tokens."""
    unit = st.segmented_control(
        "Count", ["documents", "tokens"], default="documents", key="count", bind="query-params",
        required=True,
    )  # fmt: skip
    documents_seen, kept = found.frame.height, int(found.kept.sum())
    axis = figure_text(BY_ID[signal].label if signal in BY_ID else signal)
    colour = source_colours(ws).get(source, GREY)
    draw(
        histogram_figure(bins, bounds_of(found.rules, signal), colour, axis, str(unit)),
        "histogram",
        f"Distribution of {signal} over {documents_seen} documents; {kept} are kept",
    )
    if signal in BY_ID:
        meaning = BY_ID[signal]
        st.caption(f"{label(sentence(meaning.summary))} {label(sentence(meaning.direction))}")
    st.caption(
        f"n = {count(documents_seen)} training documents, all of them; {label(tail_words(bins))}. "
        "Held-out documents are left aside."
    )


def show_rules(found: Fallout) -> None:
    """What each rule takes."""
    if not found.rules:
        st.caption(
            "This source has no rule: every document is kept. Move the threshold to add one."
        )
        return
    frame = found.account.by_rule().select(
        "reason", "first_documents", "first_tokens", "only_documents", "only_tokens", "share_tokens"
    )
    config = {
        "reason": st.column_config.TextColumn("rule", width=300),
        "first_documents": whole("documents first"),
        "first_tokens": whole("tokens first"),
        "only_documents": whole("documents only"),
        "only_tokens": whole("tokens only"),
        "share_tokens": whole("tokens, fair share"),
    }
    table(frame, key="rules_table", alt="What each rule takes", column_config=config)
    st.caption(
        "First: failed by this rule and none before it, so the order counts. Only: what switching "
        "the rule off would bring back. Fair share: each token split among all rules that drop it."
    )


def whole(title: str) -> object:
    """A column of whole numbers with separators."""
    return st.column_config.NumberColumn(title, format="localized", step=1)


def show_samples(ws: Workspace, recipe: Recipe, source: str, signal: str, found: Fallout) -> None:
    """Documents around the threshold, to read."""
    which = st.segmented_control(
        "Read", WHICH, default=WHICH[0], key="read", bind="query-params", required=True
    )
    saved = found.kept
    if which == "changed":
        saved = fallout(ws, source, recipe.sources[source], tokenizer=recipe.tokenizer).kept
    chosen = samples(found, saved, signal, str(which), SHOWN)
    if chosen.is_empty():
        st.caption("No document of this kind. Move the threshold, or choose another kind above.")
        return
    bodies = texts(documents(ws, source), chosen["id"].to_list(), EXCERPT)
    for row in chosen.iter_rows(named=True):
        state = "kept" if row["kept"] else "falls"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{label(number(row['value']))}**, {count(row['tokens'])} tokens, {label(state)}",
                width="content",
            )
            link("browse", str(row["id"]), doc=str(row["id"]), source=source, recipe=recipe.name)
        show_document(bodies[row["id"]], height=150)


SOURCE_COLUMNS = {
    "documents": whole("documents"),
    "kept documents": whole("kept documents"),
    "tokens": whole("tokens"),
    "kept tokens": whole("kept tokens"),
    "kept share": st.column_config.ProgressColumn("tokens kept", format="percent"),
}
