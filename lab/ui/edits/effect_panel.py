"""Each edit in words with what it does alone, the chosen ones per source, and making them."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.curation.edits import EDITS
from lab.mixture.recipe import Recipe
from lab.ui.columns import share, whole
from lab.ui.components import metrics, table
from lab.ui.edits.draft import draft_key, toggle_edit
from lab.ui.edits.effect import Effect, effect_of, find_edited, seconds_to_make
from lab.ui.formats import compact, count, duration, percent, plural
from lab.ui.job_panel import start
from lab.ui.text import label

SCHEMA = {
    "source": pl.String,
    "looked at": pl.String,
    "documents": pl.Int64,
    "changed": pl.Float64,
    "from": pl.Float64,
    "to": pl.Float64,
    "emptied": pl.Float64,
    "characters": pl.Float64,
    "tokens": pl.Int64,
    "left": pl.Int64,
    "tokens_share": pl.Float64,
}


def show_edits(
    ws: Workspace, recipe: Recipe | None, source: str, chosen: Sequence[str], tokenizer: str
) -> None:
    """One row an edit: name, words, whose it is, what it would do alone, and a switch."""
    key = draft_key(recipe, source)
    for name, edit in EDITS.items():
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{label(name)}**", width="stretch")
                st.button(
                    "Take out" if name in chosen else "Add",
                    key=f"toggle.{name}",
                    icon=":material/remove:" if name in chosen else ":material/add:",
                    on_click=toggle_edit,
                    args=(key, name),
                )
            st.markdown(label(f"{edit.words[:1].upper()}{edit.words[1:]}."))
            show_alone(effect_of(ws, source, [name], tokenizer))
            st.caption(label(edit.source))


def show_alone(effect: Effect) -> None:
    """What an edit does to the source by itself, in a sentence."""
    found = effect.share
    st.markdown(
        f"Alone it changes **{percent(found.value)}** of documents, empties "
        f"{percent(effect.emptied / max(effect.of, 1))}, takes "
        f"**{percent(effect.removed / max(effect.characters, 1))}** of the characters."
    )
    st.caption(label(basis_words(effect)))


def basis_words(effect: Effect) -> str:
    """How many documents the figures speak of, and how sure the share of changed ones is."""
    if effect.counted:
        return f"Counted over all {effect.documents:,} documents."
    found = effect.share
    return (
        f"Estimated from a sample of {effect.of:,} of {effect.documents:,} documents; changed "
        f"documents {percent(found.low)} to {percent(found.high)} (95 %)."
    )


def show_metrics(effect: Effect) -> None:
    """The chosen edits together, on the source that is looked at."""
    tokens, help_tokens = "not counted", "Make the edits below to count the tokens."
    if effect.tokens is not None and effect.tokens_after is not None:
        fewer = effect.tokens - effect.tokens_after
        tokens = f"{compact(fewer)} ({percent(fewer / max(effect.tokens, 1))})"
        help_tokens = f"{count(effect.tokens)} before, {count(effect.tokens_after)} after"
    metrics(
        [
            ("Documents changed", percent(effect.share.value), "by at least one character"),
            ("Left empty", percent(effect.emptied / max(effect.of, 1), 2), "not trained on"),
            (
                "Characters removed",
                percent(effect.removed / max(effect.characters, 1), 2),
                f"{compact(effect.removed)} of the {compact(effect.characters)} looked at",
            ),
            ("Tokens removed", tokens, help_tokens),
        ]
    )
    st.caption(label(basis_words(effect)))


def effect_frame(effects: Sequence[Effect]) -> pl.DataFrame:
    """One row a source; shares are of the documents looked at."""
    rows = []
    for e in effects:
        fewer = None if e.tokens is None or e.tokens_after is None else e.tokens - e.tokens_after
        rows.append(
            {
                "source": e.source,
                "looked at": "all documents" if e.counted else f"sample of {e.of:,}",
                "documents": e.documents,
                "changed": e.share.value,
                "from": None if e.counted else e.share.low,
                "to": None if e.counted else e.share.high,
                "emptied": e.emptied / max(e.of, 1),
                "characters": e.removed / max(e.characters, 1),
                "tokens": fewer,
                "left": e.tokens_after,
                "tokens_share": None if fewer is None else fewer / max(e.tokens or 0, 1),
            }
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def show_sources(effects: Sequence[Effect]) -> None:
    """The chosen edits on every source."""
    frame = effect_frame(effects)
    table(
        frame.select(s for s in frame if s.null_count() < len(s)),
        key="edit_effects",
        alt="Per source: documents changed and emptied, characters and tokens removed",
        column_config={
            "looked at": st.column_config.TextColumn(width=105),
            "documents": whole(width=80),
            "changed": share("changed"),
            "from": share("at least", width=65),
            "to": share("at most", width=65),
            "emptied": share("emptied", width=65),
            "characters": share("characters", width=80),
            "tokens": whole("tokens removed", width=105),
            "left": whole("tokens left"),
            "tokens_share": share("share", width=65),
        },
    )
    if not all(effect.counted for effect in effects):
        st.caption(
            "A sample is estimated from, with its 95 % interval; tokens are counted when the edits "
            "are made."
        )


def offer_making(
    ws: Workspace, source: str, sources: Sequence[str], edits: Sequence[str], tokenizer: str
) -> None:
    """Buttons that make the edited texts and count their tokens, for what is not made yet."""
    missing = [name for name in sources if find_edited(ws, name, edits) is None]
    if not missing:
        return
    effects = {name: effect_of(ws, name, edits, tokenizer) for name in missing}
    took = {name: seconds_to_make(effect, edits, effect.tokens) for name, effect in effects.items()}
    params = {"edits": list(edits), "tokenizer": tokenizer or None}
    with st.container(horizontal=True, vertical_alignment="center"):
        if source in missing and st.button(
            f"Edit all of {label(source)}", key="make_edits", type="primary",
            icon=":material/edit_note:",
        ):  # fmt: skip
            start(ws, "edit", params | {"source": source})
        if len(missing) > 1 and st.button("Edit every source", key="make_all_edits"):
            start(ws, "edit", params)
        st.caption(
            f"{plural(len(missing), 'source')} not edited yet; about "
            f"{duration(sum(took.values()))} for all. The originals stay."
        )
