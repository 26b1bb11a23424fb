"""Controls of the Mixture page beside the live panel: budget, presets, numbers, ledger, saving."""

import math

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.mixture.ledger import Ledger
from lab.mixture.recipe import Mixture, Recipe
from lab.ui import weights
from lab.ui.components import table
from lab.ui.formats import compact, epochs_words
from lab.ui.live import history, presets
from lab.ui.live.ground import Ground
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_plain

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


def preset_buttons(ground: Ground, recipe: Recipe) -> None:
    """Set all weights at once, step back, and start over."""
    back, forth = history.can_step(recipe)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Weights", width="content")
        for name in ("natural", "uniform", "UniMax"):
            preset_button(name, name, ground, recipe)
        with st.popover("More presets", icon=":material/balance:"):
            more_presets(ground, recipe)
        st.button(
            "Undo", key="undo_weights", icon=":material/undo:", disabled=not back,
            on_click=history.undo, args=(recipe,),
        )  # fmt: skip
        st.button(
            "Redo", key="redo_weights", icon=":material/redo:", disabled=not forth,
            on_click=history.redo, args=(recipe,),
        )  # fmt: skip
        st.button(
            "Discard unsaved changes", key="forget", type="tertiary",
            icon=":material/restart_alt:", on_click=weights.forget, args=(recipe,),
        )  # fmt: skip
    if note := st.session_state.pop(presets.NOTE, ""):
        show_plain(note)


def preset_button(name: str, words: str, ground: Ground, recipe: Recipe) -> None:
    """A button that sets the weights of every phase."""
    st.button(
        label(words), key=f"preset_{name}", on_click=presets.use_preset, args=(name, ground, recipe)
    )


def more_presets(ground: Ground, recipe: Recipe) -> None:
    """Presets that need a word first."""
    st.number_input(
        "Exponent of the natural shares", 0.0, 2.0, 0.5, step=0.1, key=presets.TAU,
        help="1 is natural, 0 uniform; 0.5 lifts small sources without making all alike.",
    )  # fmt: skip
    preset_button("tempered", "Tempered natural shares", ground, recipe)
    st.caption("Shares by kind of source as in phi-4's report (table 5, unverified).")
    preset_button("phi-4", "phi-4, by kind", ground, recipe)
    st.caption("Written text first, then 30 % synthetic, after phi-3; proportions chosen here.")
    st.button(
        "phi-3, two phases", key="preset_phi-3", on_click=presets.use_phi3, args=(ground, recipe)
    )


def number_boxes(recipe: Recipe) -> None:
    """Every weight and share as a number; they are what the page's address holds."""
    for phase in recipe.mixture.phases:
        grid = st.grid(min_column_width=150, gap="small")
        if len(recipe.mixture.phases) > 1:
            grid.number_input(
                label(f"Share of phase {phase.name}, %"), 0.0, 100.0,
                weights.rounded(phase.share), step=5.0,
                key=weights.share_key(recipe.name, phase.name), bind="query-params",
            )  # fmt: skip
        total = 0.0
        for source in recipe.sources:
            total += grid.number_input(
                label(f"{source}, percent"), 0.0, 100.0,
                weights.rounded(phase.weights.get(source, 0.0)), step=1.0,
                key=weights.weight_key(recipe.name, phase.name, source), bind="query-params",
            )  # fmt: skip
        if abs(total - 100) > 0.05:
            st.caption(f"The weights sum to {total:.1f} and are divided by it.")


def pick_phase(recipe: Recipe) -> int:
    """The phase whose weights the panel moves; one phase needs no choice."""
    names = [phase.name for phase in recipe.mixture.phases]
    if len(names) == 1:
        return 0
    forget_unknown("phase", names)
    chosen = st.segmented_control(
        "Phase", names, default=names[0], key="phase", required=True, bind="query-params",
        format_func=label,
    )  # fmt: skip
    return names.index(str(chosen))


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
        st.info("Some rules decide nothing, or what they read is stale.", icon=":material/info:")
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
