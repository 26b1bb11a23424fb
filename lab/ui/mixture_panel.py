"""The live part of the Mixture page: weights and budget left, what they cost right."""

import math

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.mixture.ledger import Ledger
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.supply import Supply
from lab.ui import weights
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, source_colours
from lab.ui.formats import compact, epochs_words, percent
from lab.ui.text import figure_text, label, show_plain

STATES = ["unused", "fresh", "as good as fresh", "decaying", "over the cap", "no text left"]
STATE_COLOURS = ["gray", "green", "blue", "orange", "red", "red"]


def budget_controls(recipe: Recipe) -> None:
    """Token budget and repeat cap."""
    first, second = st.columns(2)
    first.number_input(
        "Budget, million tokens",
        min_value=0.0,
        value=recipe.mixture.tokens / weights.MILLION,
        format="%.6g",
        key=weights.budget_key(recipe.name),
        bind="query-params",
    )
    second.number_input(
        "Repeat cap, epochs",
        min_value=0.0,
        value=float(recipe.mixture.repeat_cap),
        step=0.5,
        key=weights.cap_key(recipe.name),
        bind="query-params",
        help="The most often any document may be seen. Four epochs keep 93 % of a token's value.",
    )


def preset_buttons(supply: Supply, recipe: Recipe) -> None:
    """Set all weights at once."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Weights", width="content")
        for name in weights.PRESETS:
            st.button(
                label(name),
                key=f"preset_{name}",
                on_click=weights.use_preset,
                args=(name, supply, recipe),
            )


def phase_controls(recipe: Recipe) -> None:
    """A tab per phase with its share and weights; one phase needs no tab."""
    phases = recipe.mixture.phases
    if len(phases) == 1:
        weight_rows(recipe, phases[0])
        return
    for tab, phase in zip(st.tabs([label(p.name) for p in phases]), phases, strict=True):
        with tab:
            st.number_input(
                "Share of the budget, %",
                min_value=0.0,
                max_value=100.0,
                value=weights.rounded(phase.share),
                step=5.0,
                key=weights.share_key(recipe.name, phase.name),
                bind="query-params",
            )
            weight_rows(recipe, phase)


def discard_button(recipe: Recipe) -> None:
    """Put every number back to the saved recipe."""
    st.button(
        "Discard unsaved changes",
        key="forget",
        icon=":material/undo:",
        type="tertiary",
        on_click=weights.forget,
        args=(recipe,),
    )


def weight_rows(recipe: Recipe, phase: Phase) -> None:
    """A slider and a number per source; both write the same value."""
    total = 0.0
    for source in recipe.sources:
        key = weights.weight_key(recipe.name, phase.name, source)
        saved = weights.rounded(phase.weights.get(source, 0.0))
        slide, box = st.columns([3, 1], vertical_alignment="bottom")
        number = box.number_input(
            label(f"{source}, percent"),
            min_value=0.0,
            max_value=100.0,
            value=saved,
            step=1.0,
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )
        st.session_state[f"slide.{key}"] = float(number)
        slide.slider(
            label(source),
            0.0,
            100.0,
            step=0.5,
            format="%.1f %%",
            key=f"slide.{key}",
            on_change=copy_value,
            args=(f"slide.{key}", key),
        )
        total += number
    if abs(total - 100) > 0.05:
        st.caption(f"The weights sum to {total:.1f} and are divided by it.")


def copy_value(source: str, target: str) -> None:
    """Callback: one widget follows another."""
    st.session_state[target] = round(float(st.session_state[source]), 2)


def show_ledger(ws: Workspace, found: Ledger, mixture: Mixture) -> None:
    """Unique tokens, epochs in words and colour, effective tokens, problems."""
    sources = found.sources
    effective, trained = (
        float(sources[name].sum()) for name in ("effective_tokens", "trained_tokens")
    )
    grid = st.grid(3, min_column_width=150, gap="small")
    grid.metric("Trained tokens", label(compact(trained)), border=True)
    grid.metric(
        "Worth, in fresh tokens", label(compact(effective)), border=True,
        help="Effective tokens of the data-constrained law (arXiv:2305.16264). It ranks choices, "
        "it does not predict a benchmark.",
    )  # fmt: skip
    most = max(sources["epochs"].to_list(), default=0.0)
    grid.metric(
        "Most often seen",
        label("no text left" if math.isinf(most) else f"{compact(most)} times"),
        border=True,
        help="The largest number of times any document is seen, over all phases.",
    )
    table(
        ledger_frame(found, mixture.repeat_cap),
        key="ledger",
        alt="Per source: weight, unique tokens, trained tokens, epochs and what they are worth",
        column_config=ledger_columns(),
    )
    if found.problems:
        st.warning("This mixture cannot be trained as written.", icon=":material/block:")
        show_plain("\n".join(found.problems))
    if found.warnings:
        st.info("Some rules decide nothing.", icon=":material/info:")
        show_plain("\n".join(found.warnings))


def ledger_frame(found: Ledger, cap: float) -> pl.DataFrame:
    """The ledger as the page shows it."""
    words = [[epochs_words(epochs, cap)] for epochs in found.sources["epochs"].to_list()]
    return found.sources.select(
        "source",
        pl.Series("state", words, pl.List(pl.String)),
        "epochs",
        "weight",
        "unique_tokens",
        "trained_tokens",
        "effective_tokens",
        "value",
    )


def ledger_columns() -> dict[str, object]:
    """How the ledger's columns are shown."""
    config = st.column_config
    return {
        "state": config.MultiselectColumn(
            "repetition", options=STATES, color=STATE_COLOURS, width=130
        ),
        "epochs": config.NumberColumn("epochs", format="%.2f", width=60),
        "weight": config.NumberColumn("weight", format="percent", width=64),
        "unique_tokens": config.NumberColumn("unique", format="compact", width=64),
        "trained_tokens": config.NumberColumn("trained", format="compact", width=64),
        "effective_tokens": config.NumberColumn(
            "effective", format="compact", width=72, help="Worth in fresh tokens"
        ),
        "value": config.NumberColumn("worth", format="percent"),
    }


def show_weights(ws: Workspace, supply: Supply, recipe: Recipe, mixture: Mixture) -> None:
    """Weights of the whole run against the natural ones."""
    colour = source_colours(ws)
    natural = weights.natural(supply, recipe, 0)
    chosen = {
        source: sum(p.share * p.weights.get(source, 0.0) for p in mixture.phases)
        for source in recipe.sources
    }
    names = [figure_text(source) for source in chosen]
    figure = blank(90 + 40 * len(names), x="share of training tokens")
    figure.add_bar(
        y=names, x=[100 * natural[s] for s in chosen], orientation="h", name="natural (by size)",
        marker_color=GREY, opacity=0.5, hovertemplate="%{y}: %{x:.1f} %",
    )  # fmt: skip
    figure.add_bar(
        y=names, x=[100 * w for w in chosen.values()], orientation="h", name="this mixture",
        marker_color=[colour.get(s, GREY) for s in chosen],
        text=[percent(w) for w in chosen.values()], textposition="outside", cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} %",
    )  # fmt: skip
    figure.update_layout(barmode="group", margin={"r": 60})
    figure.update_xaxes(ticksuffix=" %")
    figure.update_yaxes(autorange="reversed")
    draw(figure, "weights_figure", "Weight of each source beside its natural share")


def save_controls(ws: Workspace, recipe: Recipe, is_changed: bool) -> None:
    """Save under a name; change the phases."""
    message = st.session_state.pop(weights.MESSAGE, "")
    if message:
        show_plain(message)
    key = f"save_mixture.{recipe.name}"
    st.session_state.setdefault(key, recipe.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Save as", key=key, width=240)
        st.button(
            "Save the mixture",
            key="save_weights",
            type="primary",
            icon=":material/save:",
            disabled=not is_changed and st.session_state[key] == recipe.name,
            on_click=weights.save_weights,
            args=(ws, recipe, key),
        )
        with st.popover("Phases", icon=":material/timeline:"):
            st.caption("Phases follow one another in training. A change here is saved at once.")
            st.button("Split the last phase", on_click=weights.add_phase, args=(ws, recipe))
            st.button(
                "Remove the last phase",
                on_click=weights.remove_phase,
                args=(ws, recipe),
                disabled=len(recipe.mixture.phases) < 2,
            )
