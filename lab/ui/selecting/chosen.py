"""What was chosen: one row a selection with breadth before and after, then one of them whole."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import BLIND, LABELS
from lab.diversity.selecting.methods import METHODS
from lab.jobs.selections import Listed, listed
from lab.mixture.recipe import Recipe
from lab.ui.columns import whole
from lab.ui.components import empty, table
from lab.ui.formats import count, number, percent, plural
from lab.ui.job_panel import start
from lab.ui.selecting.using import show_use
from lab.ui.signal_words import signal_words
from lab.ui.text import label, show_plain

SHOWN = ("vendi_1", "effective_clusters", "near_duplicates")
SHORT = {"vendi_1": "Vendi", "effective_clusters": "clusters", "near_duplicates": "near copies"}
AGAIN = ("method", "keep", "tokens", "quality", "balance", "encoder", "seed", "recipe")


def show_chosen(ws: Workspace, source: str, recipe: Recipe | None, busy: bool) -> None:
    """The table of stored selections of a source, and the one that is looked at."""
    st.subheader("What was chosen", anchor=False)
    found = listed(ws, source)
    if not found:
        with empty("Nothing is chosen from this source yet."):
            st.caption(
                "Choose by two methods and by chance at the same budget: only what beats chance is "
                "worth its cost."
            )
        return
    event = table(
        pl.DataFrame([row_of(one) for one in found]),
        key="selections",
        alt="Stored selections: budget, kept, breadth before and after with intervals, lost topics",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "budget": whole(width=75), "kept tokens": whole(width=80),
            "documents": whole(width=75), "lost topics": whole(width=72),
            "state": st.column_config.TextColumn(width=60),
            "method": st.column_config.TextColumn(width=215),
        },
    )  # fmt: skip
    st.caption(
        "Before and after at one n, with 95 % intervals: centred Vendi score, effective clusters, "
        "share of near copies (cosine above 0.95). Select a row to look at another."
    )
    rows = event.selection.rows
    one = found[rows[0] if rows and rows[0] < len(found) else 0]
    show_one(ws, one, recipe, busy)


def row_of(one: Listed) -> dict[str, Any]:
    """A selection in one line."""
    manifest = one.artifact.manifest
    before, after = manifest["before"], manifest["after"]
    return {
        "method": METHODS[manifest["method"]].label,
        "state": "stale" if one.changed else "current",
        "budget": one.budget,
        "kept tokens": one.tokens,
        "documents": one.documents,
        "lost topics": len(one.lost),
        **{
            f"{SHORT[k]} {name}": band(k, of.get(k))
            for k in SHOWN
            for name, of in (("before", before), ("after", after))
        },
        "among": manifest["config"]["recipe"] or "all documents",
        "quality": signal_words(manifest["quality"]) if manifest["quality"] else "",
        "seed": manifest["config"]["seed"],
        "made": str(manifest["created"])[:16].replace("T", " "),
    }


def band(measure: str, found: Mapping[str, Any] | None) -> str:
    """A value with its interval; shares in per cent."""
    if not found:
        return ""
    if measure.startswith("near_duplicates"):
        value, low, high = (f"{100 * found[k]:.1f}" for k in ("value", "low", "high"))
        return f"{value} % ({low} to {high})"
    value, low, high = (number(found[k], 3) for k in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def show_one(ws: Workspace, one: Listed, recipe: Recipe | None, busy: bool) -> None:
    """One selection: what became of the documents, breadth, lost topics, and what to do with it."""
    manifest = one.artifact.manifest
    st.markdown(f"**{label(METHODS[manifest['method']].label)}**, {label(share_words(one))}")
    if one.changed:
        show_stale(ws, one, busy)
    show_use(ws, one, recipe)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_breadth(one)
    with right:
        reasons = pl.DataFrame(manifest["reasons"])
        table(
            reasons, key="selection_reasons", alt="Documents and tokens by what became of them",
            column_config={"documents": whole(), "tokens": whole()},
        )  # fmt: skip
        show_plain(one.column)
    show_lost(one)


def share_words(one: Listed) -> str:
    """How much of the budget and of the candidates it took."""
    whole_tokens = one.artifact.manifest["candidate_tokens"]
    share = one.tokens / whole_tokens if whole_tokens else 0.0
    return (
        f"{count(one.tokens)} of a budget of {count(one.budget)} tokens, {percent(share)} of what "
        f"could be chosen, in {plural(one.documents, 'document')}"
    )


def show_stale(ws: Workspace, one: Listed, busy: bool) -> None:
    """What changed since, and choosing again."""
    st.warning(
        f"Stale: changed since it was made: {label(', '.join(one.changed))}.",
        icon=":material/history_toggle_off:",
    )
    st.caption(
        "It is used as it is until it is made again."
        if one.usable
        else "Its documents are not there any more, so a recipe cannot use it."
    )
    if st.button("Choose again", key="select_again", icon=":material/refresh:", disabled=busy):
        config = one.artifact.manifest["config"]
        given = {key: config[key] for key in AGAIN if config[key] not in ("", None)}
        start(ws, "select", {"source": one.source, **given})


def show_breadth(one: Listed) -> None:
    """All measures before and after."""
    manifest = one.artifact.manifest
    if not manifest["after"]:
        st.caption("Fewer than two documents were kept: breadth cannot be measured.")
        return
    rows = [
        {"measure": LABELS[k], "n": v["n"], "before": band(k, v),
         "after": band(k, manifest["after"][k]), "moved": moved(v, manifest["after"][k])}
        for k, v in manifest["before"].items()
    ]  # fmt: skip
    if "quality_mean" in manifest:
        mean = {k: number(v) for k, v in manifest["quality_mean"].items()}
        rows.append({"measure": f"mean {signal_words(manifest['quality'])}", "n": None, **mean})
    table(
        pl.from_dicts(rows, infer_schema_length=None), key="selection_breadth",
        alt="Measures of breadth before and after the selection, with intervals",
    )  # fmt: skip
    with st.expander("What each measure cannot see"):
        show_plain("\n".join(f"{LABELS[k]}: {BLIND[k]}" for k in manifest["after"]))


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Up, down, or not told apart by intervals that overlap."""
    if after["low"] > before["high"]:
        return "up"
    return "down" if after["high"] < before["low"] else "unresolved"


def show_lost(one: Listed) -> None:
    """Topics of which little is left."""
    if not one.artifact.manifest["topics"]:
        return
    if not one.lost:
        st.caption(
            "No topic is lost: none has less than a quarter of its tokens left, and less than half "
            "of what is left of its source as a whole beyond doubt."
        )
        return
    lost = [
        {"topic": t["label"], "documents": t["documents"], "kept": t["kept_documents"],
         "tokens kept": percent(t["share"]), "documents kept at most": percent(t["high"])}
        for t in one.lost
    ]  # fmt: skip
    st.markdown("**Lost topics**")
    table(pl.DataFrame(lost), key="selection_lost", alt="Topics with less than a quarter left")
