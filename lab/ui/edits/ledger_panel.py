"""What the ledger says afterwards: unique tokens and epochs without edits, as saved, as chosen."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.ui.columns import share, whole
from lab.ui.components import table
from lab.ui.formats import compact, signed
from lab.ui.tables import ledger_of
from lab.ui.text import show_error


def show_ledger(ws: Workspace, recipe: Recipe, changed: Recipe) -> None:
    """One row a source of the recipe; what is not made yet is said and left out."""
    frame = ledger_of(ws, replace(recipe, edits={})).sources.select(
        "source", plain="unique_tokens", epochs="epochs"
    )
    for name, version in (("saved", recipe), ("chosen", changed)):
        try:
            found = ledger_of(ws, version).sources
        except ArtifactMissing as error:
            show_error(error)
            return
        frame = frame.join(
            found.select("source", pl.col("unique_tokens").alias(name), left="epochs"),
            on="source",
            how="left",
            maintain_order="left",
        )
        frame = frame.drop("left") if name == "saved" else frame
    show_table(frame, [s for s in recipe.sources if recipe.edits.get(s) or changed.edits.get(s)])


def show_table(frame: pl.DataFrame, edited: Sequence[str]) -> None:
    """The three versions beside each other, and the change in a sentence."""
    plain = pl.col("plain")
    shown = frame.select(
        "source",
        pl.col("source").is_in(list(edited)).alias("edited"),
        "plain",
        "saved",
        "chosen",
        change=(pl.col("chosen") - plain) / plain.clip(1),
        before="epochs",
        after="left",
    )
    table(
        shown,
        key="edit_ledger",
        alt="Unique tokens and epochs per source, without edits, as saved, and as chosen",
        column_config={
            "edited": st.column_config.CheckboxColumn("edited", width=60),
            "plain": whole("unique, no edits", width=115),
            "saved": whole("as saved"),
            "chosen": whole("as chosen"),
            "change": share("change", width=70),
            "before": st.column_config.NumberColumn("epochs, no edits", format="%.2f", width=115),
            "after": st.column_config.NumberColumn("as chosen", format="%.2f", width=80),
        },
    )
    total, left = int(shown["plain"].sum()), int(shown["chosen"].sum())
    st.caption(
        f"Unique tokens in all: {compact(total)} without edits, {compact(left)} as chosen "
        f"({signed(100 * (left - total) / max(total, 1), 2)} %). Rules, duplicates and benchmark "
        "checks judge the original text, so an edit changes how many tokens a document has, not "
        "which documents pass; one of which nothing is left is not trained on."
    )
