"""Text edits: what each edit would change, and whether the text is better for it."""

import streamlit as st

from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer, list_tokenizers
from lab.mixture.recipe import Recipe
from lab.ui.components import empty, header, next_steps, pick_recipe, pick_source
from lab.ui.edits import effect_panel, ledger_panel, personal_panel, reading
from lab.ui.edits.draft import EVERYWHERE, drop_edits, pick_edits, with_edits
from lab.ui.edits.effect import effect_of
from lab.ui.job_panel import watch
from lab.ui.recipe_saving import save_controls
from lab.ui.state import workspace
from lab.ui.text import guarded, label

ws = workspace()
header("edits")
with st.container(horizontal=True, vertical_alignment="bottom"):
    first, second = st.container(), st.container()
    with second:
        recipe = pick_recipe(ws)
    with first:
        source = pick_source(ws, recipe.sources if recipe else ())
    if source is None:
        st.stop()
watch(ws, ["edit", "measure"], "edits")
VIEWS = ("Edits", "Read the changes", "Sources", "Personal data", "Ledger")


@st.fragment
@guarded()
def live(source: str, recipe: Recipe | None) -> None:
    """Everything that follows the choice of edits."""
    names = [found.name for found in list_sources(ws)]
    tokenizer = recipe.tokenizer if recipe and recipe.tokenizer else ""
    tokenizer = tokenizer or (default_tokenizer(ws) if list_tokenizers(ws) else "")
    edits = pick_edits(recipe, source)
    if edits:
        effect_panel.show_metrics(effect_of(ws, source, edits, tokenizer))
        effect_panel.offer_making(ws, source, names, edits, tokenizer)
    changed = recipe
    if recipe is not None:
        used = [name for name in recipe.sources if name == source]
        if st.toggle("For every source of the recipe", key=EVERYWHERE, bind="query-params"):
            used = list(recipe.sources)
        changed = with_edits(recipe, used, edits)
        if not used:
            st.caption(f"Recipe {label(recipe.name)} does not use this source.")
        save_controls(ws, recipe, changed, "edits", drop_edits)
    view = st.segmented_control(
        "Look at", VIEWS if recipe else VIEWS[:-1], default=VIEWS[0], key="edits_view",
        bind="query-params", required=True, format_func=str,
    )  # fmt: skip
    with guarded():
        if view == "Edits":
            effect_panel.show_edits(ws, recipe, source, edits, tokenizer)
        elif view == "Personal data":
            personal_panel.show_personal(ws, source, names)
        elif not edits and view != "Ledger":
            with empty("No edit is chosen."):
                st.caption("Choose one above; the view *Edits* says what each would do.")
        elif view == "Sources":
            effect_panel.show_sources([effect_of(ws, name, edits, tokenizer) for name in names])
        elif view == "Ledger" and recipe is not None and changed is not None:
            ledger_panel.show_ledger(ws, recipe, changed)
        elif view == "Read the changes":
            reading.show_reading(ws, source, edits, tokenizer)


live(source.name, recipe)
next_steps(
    ("filters", "Set rules on the original text", {"source": source.name}),
    ("mixture", "Weigh what is left", {"recipe": recipe.name if recipe else ""}),
)
