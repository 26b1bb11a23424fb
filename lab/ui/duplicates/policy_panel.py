"""The live part: what falls, from which similarity, whose copy stays; what each source loses."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.curation.duplicates.config import FLOOR
from lab.mixture.recipe import Recipe
from lab.ui.columns import share, whole
from lab.ui.components import metrics, table
from lab.ui.duplicates import effect
from lab.ui.duplicates.draft import (
    NEAR,
    NONE,
    POLICIES,
    Policy,
    key_of,
    move,
    read_keep,
    saved_policy,
)
from lab.ui.duplicates.pool import Pool, curve_of, fallen_under
from lab.ui.duplicates.stored import Stored
from lab.ui.figures import DASHES, add_cut, blank, draw, source_colours
from lab.ui.formats import compact, count, percent
from lab.ui.text import figure_text, label

RULES, ALL = "what the recipe's rules keep", "all training documents"
SCOPES = [RULES, ALL]


def pick_scope(recipe: Recipe | None) -> bool:
    """True if the recipe's rules decide first which documents may stay."""
    if recipe is None:
        return False
    scope = st.segmented_control(
        "Counted among", SCOPES, default=RULES, key="scope", bind="query-params", required=True,
        help="Rules and benchmark checks come before duplicates, so that a rule can never remove "
        "the only kept copy. Counted so, the numbers are those of the Mixture page.",
    )  # fmt: skip
    return scope == RULES


def policy_controls(recipe: Recipe | None, stored: Stored, near: bool) -> Policy:
    """What falls and from which similarity."""
    saved = saved_policy(recipe)
    falls = st.segmented_control(
        "What falls", POLICIES, default=saved.falls, key=key_of(recipe, "falls"),
        bind="query-params", required=True,
    )  # fmt: skip
    threshold = st.slider(
        "Near copies from similarity", FLOOR, 1.0, saved.threshold, 0.01, format="%.2f",
        key=key_of(recipe, "at"), bind="query-params", disabled=falls != NEAR or not near,
        help="Jaccard similarity: shared runs of words, of all runs of words in the two texts. "
        "Groups are chains: two ends of a chain may be less alike than this.",
    )  # fmt: skip
    keep = read_keep(keep_line(recipe, saved), stored.sources())
    return Policy(str(falls or NONE), threshold, keep)


def keep_line(recipe: Recipe | None, saved: Policy) -> str:
    """The order of sources as a line of text in the address."""
    written = st.text_input(
        "Whose copy stays", value=", ".join(saved.keep), key=key_of(recipe, "keep"),
        bind="query-params", placeholder="by name; or write wiki, books or use the arrows",
        help="The first source named keeps its copy. Sources that are not named follow by name; "
        "inside a source the copy of the smallest content hash stays.",
    )  # fmt: skip
    return written or ""


def order_buttons(recipe: Recipe | None, order: Sequence[str]) -> None:
    """Every source in order of preference, with arrows."""
    key = key_of(recipe, "keep")
    with st.container(
        height=300 if len(order) > 6 else "content", border=len(order) > 6, gap="xsmall"
    ):
        for place, source in enumerate(order):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.button(
                    ":material/arrow_upward:", key=f"up.{source}", type="tertiary", help="Move up",
                    disabled=place == 0, on_click=move, args=(key, order, place, -1),
                )  # fmt: skip
                st.button(
                    ":material/arrow_downward:", key=f"down.{source}", type="tertiary",
                    help="Move down", disabled=place == len(order) - 1, on_click=move,
                    args=(key, order, place, 1),
                )  # fmt: skip
                st.markdown(f"{place + 1:d}. {label(source)}", width="stretch")


def effect_table(pool: Pool, held: pl.DataFrame, policy: Policy, saved: Policy) -> pl.DataFrame:
    """Per source: what it has, what falls, what stays, and between which bounds the order acts."""
    order = effect.full_order(policy.keep, pool.stored.sources())
    falls = effect.fallen(held, order).rename({"documents": "fall", "tokens": "fall_tokens"})
    before = fallen_under(pool, saved).select("source", before="tokens")
    limits = effect.bounds(held)
    frame = (
        falls.join(pool.sums, on="source", how="left", maintain_order="left")
        .join(before, on="source", how="left", maintain_order="left")
        .join(limits, on="source", how="left", maintain_order="left")
        .with_columns(pl.col("least", "most").fill_null(0))
        .filter(pl.col("documents") > 0)
    )
    if policy.falls == NONE:
        nothing = ("fall", "fall_tokens", "least", "most")
        frame = frame.with_columns(pl.lit(0).alias(c) for c in nothing)
    kept = pl.col("tokens") - pl.col("fall_tokens")
    return frame.select(
        "source",
        "documents",
        "fall",
        "fall_tokens",
        share=pl.col("fall_tokens") / pl.col("tokens").clip(1),
        unique=kept,
        change=kept - (pl.col("tokens") - pl.col("before")),
        if_first=pl.col("tokens") - pl.col("least"),
        if_last=pl.col("tokens") - pl.col("most"),
    )


def show_metrics(frame: pl.DataFrame, pool: Pool, held: pl.DataFrame) -> None:
    """Documents and tokens that fall, unique tokens that stay, groups."""
    documents, tokens = (int(pool.sums[c].sum()) for c in ("documents", "tokens"))
    fall, fall_tokens, unique = (int(frame[c].sum()) for c in ("fall", "fall_tokens", "unique"))
    metrics(
        [
            (
                "Documents that fall",
                count(fall),
                f"of {count(documents)} that may stay",
            ),
            (
                "Tokens that fall",
                compact(fall_tokens),
                f"{percent(fall_tokens / max(tokens, 1), 2)} of {compact(tokens)}",
            ),
            ("Tokens left", compact(unique), "of training documents; each text once"),
            ("Groups of copies", count(held["group"].n_unique()), "of two or more documents"),
        ]
    )


def show_curve(ws: Workspace, pool: Pool, policy: Policy, order: Sequence[str]) -> None:
    """The share of each source's tokens that falls, over the threshold."""
    sums = pool.sums.select("source", all_tokens="tokens")
    curve = (
        curve_of(pool, order)
        .join(sums, on="source")
        .with_columns(share=pl.col("tokens") / pl.col("all_tokens").clip(1))
        .sort("source", "threshold")
    )
    colour = source_colours(ws)
    figure = blank(330, x="similarity from which a copy falls", y="share of the source's tokens")
    for k, source in enumerate(pool.sources()):
        own = curve.filter(source=source)
        figure.add_scatter(
            x=own["threshold"], y=own["share"], name=figure_text(source), mode="lines+markers",
            line={"color": colour.get(source), "dash": DASHES[k % len(DASHES)]},
            marker={"size": 5}, hovertemplate="%{x:.2f}: %{y:.2%}",
        )  # fmt: skip
    if policy.falls == NEAR:
        add_cut(figure, policy.threshold, f"{policy.threshold:.2f}")
    figure.update_yaxes(tickformat=".1%", rangemode="tozero")
    figure.update_layout(margin={"t": 72}, legend={"y": 1.14})  # the cut's words stand between
    draw(figure, "dup_curve", "Share of each source's tokens that falls, over the threshold")
    with st.expander("The curve as a table"):
        wide = curve.pivot("threshold", index="source", values="tokens")
        table(wide, key="dup_curve_table", alt="Tokens that fall, per source and threshold")


def show_effect(frame: pl.DataFrame) -> None:
    """What the policy costs each source; says so where the order of sources is idle."""
    table(
        frame,
        key="dup_effect",
        alt="What the policy costs each source",
        column_config=effect_columns(),
    )
    if not frame["fall"].sum():
        st.caption("Nothing falls, so the order of sources changes nothing.")
    elif (frame["if_first"] == frame["if_last"]).all():
        st.caption("No text is shared between sources here, so their order changes nothing.")


def effect_columns() -> dict[str, object]:
    """How the effect table is shown."""
    return {
        "documents": whole(),
        "fall": whole("fall", width=70),
        "fall_tokens": whole("tokens fall"),
        "share": share("share"),
        "unique": whole("tokens left", width=95),
        "change": whole("change", explain="Against the policy that the recipe has now"),
        "if_first": whole("if first", explain="Tokens left if it kept every shared copy"),
        "if_last": whole(
            "if last", explain="Tokens left if every other source kept the shared copy"
        ),
    }
