"""Thresholds that data suggest, each with a button that puts it into the draft.

Suggestions are taken from at most `SAMPLE` documents of a source, evenly spread, so that a page can
make them while somebody waits; the shares say their interval. What a cut really takes is shown
exactly as soon as it is in the draft.
"""

import numpy as np
import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.curation.effect.solver import threshold_for_amount
from lab.curation.effect.suggest import (
    Share,
    Side,
    Suggestion,
    k_sigma,
    reference_cuts,
    written,
)
from lab.curation.filters.rule import Rule, number
from lab.ui.components import table
from lab.ui.cuts import ALL
from lab.ui.filters.drafts import change_bounds, change_rule
from lab.ui.filters.evidence import columns_of, names_of, pool_of
from lab.ui.filters.scene import Scene
from lab.ui.formats import compact, count, percent
from lab.ui.signal_words import signal_words
from lab.ui.text import label

SAMPLE = 4000  # documents of each source; 0.2 s for sixty signals
METHODS = ("reference source", "k standard deviations", "keep N tokens")


def show_suggestions(scene: Scene) -> None:
    """Choose a way of suggesting."""
    method = st.segmented_control(
        "Suggest by", METHODS, default=METHODS[0], key="suggest", bind="query-params", required=True
    )
    if method == METHODS[0]:
        show_reference(scene)
    elif method == METHODS[1]:
        show_sigma(scene)
    else:
        show_solver(scene)


def sample_frame(scene: Scene, source: str) -> pl.DataFrame:
    """tokens and every numeric column of a source's sample."""
    pool = pool_of(scene.ws, scene.new, source)
    names = names_of(scene.ws, source)
    return cached_sample(scene, source, f"{pool.key} {names}")


@st.cache_resource(max_entries=16, show_spinner=False)
def cached_sample(_scene: Scene, source: str, key: str) -> pl.DataFrame:
    """The sample for `key`."""
    pool = pool_of(_scene.ws, _scene.new, source)
    columns = columns_of(_scene.ws, _scene.new, source, names_of(_scene.ws, source))
    rows = np.arange(0, pool.tokens.size, max(1, pool.tokens.size // SAMPLE))
    picked = {n: c.gather(rows) for n, c in columns.items() if c.dtype.is_numeric()}
    return pl.DataFrame({"tokens": pool.tokens[rows], **picked})


def show_reference(scene: Scene) -> None:
    """Where the pool and a trusted source differ, and the cut that the difference suggests."""
    others = [s for s in scene.new.sources if scene.scope == ALL or s not in scene.sources]
    if not others:
        st.caption("The recipe has no other source to compare with. Add one that you trust.")
        return
    trusted = st.selectbox("Trusted source", others, key="trusted", bind="query-params")
    names = [s for s in scene.sources if s != trusted]
    found = suggestions(scene, tuple(names), trusted)
    if not found:
        st.caption("These sources have no measured column in common.")
        return
    table(
        suggestion_frame(found), key="suggestions",
        alt="Signals in which the source and the trusted one differ, with the suggested cut",
        column_config={"signal": st.column_config.TextColumn(width=260)},
    )  # fmt: skip
    st.caption(
        "Distance: Wasserstein distance in pooled interquartile ranges. Cut: where the tail beyond "
        "it is at least twice as heavy here as in the trusted source and costs that source at most "
        f"5 % of its tokens. At most {count(SAMPLE)} documents of each source; intervals 95 %."
    )
    able = {s.signal: s.rule for s in found if s.rule}
    if not able:
        st.caption("No cut removes much of this source at so small a loss of the trusted one.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Suggestion", list(able), key="suggestion", format_func=lambda s: able[s].words()
        )
        st.button(
            "Put it into the draft", key="use_suggestion", on_click=take, args=(scene, able[chosen])
        )


def suggestions(scene: Scene, sources: tuple[str, ...], trusted: str) -> list[Suggestion]:
    """Suggestions for some sources together, kept as long as their columns are the same."""
    pools = [pool_of(scene.ws, scene.new, s).key for s in (*sources, trusted)]
    names = names_of(scene.ws, trusted)
    return cached_suggestions(scene, sources, trusted, f"{pools} {names}")


@st.cache_resource(max_entries=16, show_spinner="Comparing the sources")
def cached_suggestions(
    _scene: Scene, sources: tuple[str, ...], trusted: str, key: str
) -> list[Suggestion]:
    """The suggestions for `key`."""
    reference = sample_frame(_scene, trusted)
    frames = [sample_frame(_scene, source) for source in sources]
    shared = [n for n in reference.columns if all(n in f.columns for f in frames)]
    pool = pl.concat([frame.select(shared) for frame in frames], how="vertical_relaxed")
    return reference_cuts(pool, reference, [n for n in shared if n != "tokens"])


def suggestion_frame(found: list[Suggestion]) -> pl.DataFrame:
    """One row per signal, furthest apart first."""
    return pl.DataFrame(
        {
            "signal": [signal_words(s.signal) for s in found],
            "distance": [round(s.distance, 3) for s in found],
            "suggested cut": [s.rule.bound_words() if s.rule else "" for s in found],
            "removes here": [share_words(s.pool) if s.rule else "" for s in found],
            "removes there": [share_words(s.reference) if s.rule else "" for s in found],
        }
    )


def share_words(share: Share) -> str:
    """`12.0 % (11.1 to 13.0)`."""
    return f"{percent(share.share)} ({100 * share.low:.1f} to {100 * share.high:.1f})"


def take(scene: Scene, rule: Rule) -> None:
    """Callback: a suggested rule becomes part of the draft and the rule in the hand."""
    change_rule(scene.saved, scene.scope, rule.key, rule)
    st.session_state["signal"] = rule.key


def show_sigma(scene: Scene) -> None:
    """Rules that keep what lies within k standard deviations of the mean."""
    if scene.scope == ALL:
        st.caption("Mean and deviation are those of one source: choose one under Rules of.")
        return
    k = st.number_input("Standard deviations", 0.5, 10.0, 3.0, 0.5, key="sigma", width=200)
    frame = sample_frame(scene, scene.sources[0])
    rules = k_sigma(frame, [n for n in frame.columns if n != "tokens"], float(k))
    tokens = frame["tokens"].to_numpy()
    rows = [
        {"rule": rule.words(), "tokens removed": percent(removed_share(frame, rule, tokens))}
        for rule in rules
    ]
    if not rows:
        st.caption("No document lies so far out. Choose fewer standard deviations.")
        return
    table(pl.DataFrame(rows), key="sigma_table", alt="Rules at k standard deviations")
    st.caption(
        f"From {count(frame.height)} documents. Outliers of this very source, good or bad: a way "
        "to find what to read, not a finding."
    )

    def use() -> None:
        for rule in rules:
            change_rule(scene.saved, scene.scope, rule.key, rule)

    st.button(f"Put {count(len(rows))} rules into the draft", key="use_sigma", on_click=use)


def removed_share(frame: pl.DataFrame, rule: Rule, tokens: np.ndarray) -> float:
    """Share of tokens outside a rule's numbers."""
    values = frame[rule.signal].cast(pl.Float64).to_numpy()
    out = np.zeros(values.size, bool)
    if rule.min is not None:
        out |= values < rule.min
    if rule.max is not None:
        out |= values > rule.max
    return float(tokens[out].sum() / max(tokens.sum(), 1))


def show_solver(scene: Scene) -> None:
    """The threshold on the rule in the hand that keeps N tokens of all that other rules keep."""
    if '"' in scene.key:
        st.caption("An expression has no threshold to find: choose a rule with numbers above.")
        return
    parts = []
    for source in scene.sources:
        try:
            found = scene.after(source)
            column = columns_of(scene.ws, scene.new, source, [scene.key])[scene.key]
        except ArtifactMissing:
            continue
        if column.dtype.is_numeric():
            values = column.cast(pl.Float64).to_numpy()
            parts.append((values, found.pool.tokens, found.passing_others(scene.key)))
    if not parts:
        st.caption("This column has no numbers: choose another rule above.")
        return
    values, tokens, others = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    most = int(tokens[others].sum())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.number_input(
            "Tokens to keep", 0.0, float(most), float(most // 2), key="keep_tokens", width=220,
            format="%.0f",
        )  # fmt: skip
        side = st.segmented_control("By the", ["min", "max"], default="min", key="solve_side",
                                    required=True)  # fmt: skip
    if not wanted:
        st.caption("Say how many tokens to keep.")
        return
    way: Side = "min" if side == "min" else "max"
    threshold = written(threshold_for_amount(values, tokens, wanted, way, others).threshold, way)
    kept = others & (values >= threshold if way == "min" else values <= threshold)
    left = int(tokens[kept].sum())
    st.caption(
        f"{label(way)} {number(threshold)} keeps {compact(left)} tokens "
        f"({percent(left / max(int(tokens.sum()), 1))}) in {count(int(kept.sum()))} documents; the "
        f"other rules leave {compact(most)}."
    )
    bounds = (threshold, None) if way == "min" else (None, threshold)
    st.button(
        "Put it into the draft", key="use_solver", on_click=change_bounds,
        args=(scene.saved, scene.scope, scene.key, bounds),
    )  # fmt: skip
