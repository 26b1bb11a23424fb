"""The live part of the Filters page: choose a signal, move its threshold, see and read what falls.

Widgets for a threshold are *controlled*: before each is drawn, the session holds the value that the
draft says, and its callback writes the draft. So slider, number boxes, draft text and URL can never
disagree.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.accounting import Accounting
from lab.curation.attributes import attribute_names
from lab.curation.distribution import Histogram
from lab.curation.filters import Rule
from lab.curation.presets import load_preset, preset_names
from lab.curation.signals import BY_ID
from lab.mixture.recipe import Recipe
from lab.ui.components import link, table
from lab.ui.cuts import (
    Bounds,
    bounds_of,
    cuts_between,
    cuts_key,
    set_bounds,
    write_cuts,
)
from lab.ui.fallout import WHICH, Fallout, fallout, samples
from lab.ui.figures import GREY, draw, source_colours
from lab.ui.formats import compact, count, number, percent, sentence
from lab.ui.histogram import histogram_figure, tail_words
from lab.ui.tables import texts
from lab.ui.text import figure_text, label, show_document

STEPS = 160  # positions of the threshold slider
SHOWN = 5  # documents to read
EXCERPT = 700  # characters of each


def choose_signal(ws: Workspace, source: str, rules: Sequence[Rule]) -> str:
    """Pick a measured signal, those with a rule first."""
    ruled = list(dict.fromkeys(rule.signal for rule in rules))
    names = attribute_names(ws, source)
    options = [*ruled, *(name for name in names if name not in ruled)]
    return st.selectbox(
        "Signal", options, key="signal", bind="query-params", format_func=signal_words
    )


def signal_words(signal: str) -> str:
    """A signal's name in words with its definition id."""
    return f"{BY_ID[signal].label} [{signal}]" if signal in BY_ID else signal


def threshold_controls(
    recipe: Recipe, source: str, signal: str, found: Fallout, bins: Histogram
) -> None:
    """Slider and number boxes for the bounds of one signal."""
    bounds = bounds_of(found.rules, signal)
    positions = slider_positions(bins, bounds)
    where = (recipe, source, signal)
    key = f"slide.{recipe.name}.{source}.{signal}"
    shown = snapped(positions, bounds)
    st.session_state[key] = shown
    st.select_slider(
        "Keep documents between",
        positions,
        value=(positions[0], positions[-1]),  # two handles; what they show is set above
        key=key,
        format_func=number,
        on_change=slid,
        args=(key, where, bounds, shown, (positions[0], positions[-1])),
        help="An end of the slider means no bound on that side. Type a number for an exact value.",
    )
    boxes = st.columns(2)
    for side, name in enumerate(("Minimum", "Maximum")):
        box_key = f"{name}.{recipe.name}.{source}.{signal}"
        st.session_state[box_key] = bounds[side]
        boxes[side].number_input(
            label(name),
            value=None,
            key=box_key,
            format="%.6g",
            placeholder="none",
            on_change=typed,
            args=(box_key, where, bounds, side),
        )


def slider_positions(bins: Histogram, bounds: Bounds) -> list[float]:
    """Round numbers over the drawn range, whole ones for counts, and the bounds themselves."""
    low, high = bins.edges[0], bins.edges[-1]
    inside = [bound for bound in bounds if bound is not None and low <= bound <= high]
    if bins.scale == "whole":
        grid = np.arange(round(low), round(high), dtype=np.float64)
    elif bins.scale == "log":
        grid = np.geomspace(low, high, STEPS)
    else:
        grid = np.linspace(low, high, STEPS)
    rounded = np.unique([*(float(f"{value:.3g}") for value in grid), *inside])
    return [float(value) for value in rounded] if rounded.size > 1 else [low, high]


def snapped(positions: Sequence[float], bounds: Bounds) -> tuple[float, float]:
    """The slider's positions nearest to `bounds`; no bound is the end of the slider."""
    ends = (positions[0], positions[-1])
    low, high = (end if b is None else b for b, end in zip(bounds, ends, strict=True))
    grid = np.array(positions)
    nearest = [positions[int(np.abs(grid - value).argmin())] for value in (low, high)]
    return nearest[0], max(nearest)


def slid(
    key: str,
    where: tuple[Recipe, str, str],
    bounds: Bounds,
    before: tuple[float, float],
    ends: tuple[float, float],
) -> None:
    """Callback of the slider: only the handle that moved changes its bound."""
    new = list(bounds)
    for side, (now, was) in enumerate(zip(st.session_state[key], before, strict=True)):
        if now != was:
            new[side] = None if now == ends[side] else float(now)
    set_bounds(*where, (new[0], new[1]))


def typed(key: str, where: tuple[Recipe, str, str], bounds: Bounds, side: int) -> None:
    """Callback of a number box; a minimum above the maximum moves the maximum along."""
    new: list[float | None] = list(bounds)
    new[side] = st.session_state[key]
    other = new[1 - side]
    if new[0] is not None and new[1] is not None and new[0] > new[1] and other is not None:
        new[1 - side] = new[side]
    set_bounds(*where, (new[0], new[1]))


def preset_picker(recipe: Recipe, source: str) -> None:
    """Replace a source's rules by those of a published filter, as a draft."""
    with st.popover("Presets", icon=":material/auto_awesome_motion:"):
        preset = load_preset(st.selectbox("Published filter", preset_names(), key="preset"))
        st.caption(f"{label(preset.title)}. {label(preset.source)}")
        for missing in preset.left_out:
            st.caption(f"Not in it: {label(missing)}")

        def use() -> None:
            cuts = cuts_between(recipe.sources[source], preset.rules)
            st.session_state[cuts_key(recipe.name, source)] = write_cuts(cuts)

        st.button("Replace the rules of this source", key="use_preset", on_click=use)


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
