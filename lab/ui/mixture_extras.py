"""Below the weights of the Mixture page: what a proxy would repeat, and shapes to start from."""

from dataclasses import replace

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.mixture.exposure import matched_exposure
from lab.mixture.ledger import Ledger
from lab.mixture.material import describe_material
from lab.mixture.recipe import Mixture, Recipe
from lab.mixture.recipe_files import save_recipe
from lab.mixture.supply import Supply
from lab.mixture.templates import TEMPLATES, apply_template
from lab.proxy.repetition import APART, Budget, apart, foresee
from lab.proxy.sizes import SIZES
from lab.ui import weights
from lab.ui.components import table
from lab.ui.formats import compact
from lab.ui.text import label, show_plain

KEY = "template"


def show_repetition(found: Ledger, mixture: Mixture) -> None:
    """Epochs of a proxy of some size, with and without matching, beside those of the real run."""
    st.markdown("**Repetition in a proxy**")
    first, second = st.columns([2, 3], vertical_alignment="bottom")
    size = SIZES[
        str(first.selectbox("Proxy size", list(SIZES), key="proxy_size", bind="query-params"))
    ]
    match = second.checkbox(
        "Match the repetition of the real run",
        value=True,
        key="match_repetition",
        bind="query-params",
        help="The proxy uses of each source the share of its text that its tokens are of the "
        "budget, so that it sees a document as often as the real run would (arXiv:2606.07597). "
        "`mixlab train` and the Runs page do so unless told otherwise.",
    )
    budget = Budget(size.default_tokens, mixture.tokens, size.sequence_length)
    frame = foresee(found.sources, budget)
    table(
        frame,
        key="proxy_repetition",
        alt="Epochs of each source in the real run and in a proxy with and without matching",
        column_config=repetition_columns(),
    )
    st.caption(
        f"{label(size.name)} trains on {compact(budget.proxy)} tokens, the real run on "
        f"{compact(budget.target)}."
        + (" It has no text to add, and repeats everything more." if budget.factor > 1 else "")
    )
    if said := repetition_warnings(frame, budget, match):
        st.warning("The proxy repeats text otherwise than the real run.", icon=":material/repeat:")
        show_plain("\n".join(said))


def repetition_columns() -> dict[str, object]:
    """How the table of repetition is shown."""
    number = st.column_config.NumberColumn
    return {
        "target": number("epochs, real run", format="%.2f"),
        "matched": number("matched", format="%.2f", help="Epochs in the proxy, with matching"),
        "unmatched": number("not matched", format="%.2f", help="Epochs in the proxy, without"),
        "used_tokens": number("tokens kept", format="compact", help="With matching"),
    }


def repetition_warnings(frame: pl.DataFrame, budget: Budget, match: bool) -> list[str]:
    """What differs by more than `APART`, and sources of which next to nothing would be left."""
    said = []
    for row in frame.iter_rows(named=True):
        here = row["matched" if match else "unmatched"]
        if budget.factor <= 1 and apart(here, row["target"]):
            said.append(
                f"{row['source']} is seen {here:.2g} times in the proxy and {row['target']:.2g} "
                f"times in the real run, more than a factor of {APART:g} apart."
            )
        if match and row["used_tokens"] < budget.sequence:
            said.append(
                f"Of {row['source']} about {row['used_tokens']:,} tokens would be left, less than "
                f"one sequence of {budget.sequence:,}: take a larger proxy, or do not match."
            )
    return said


def template_controls(ws: Workspace, supply: Supply, recipe: Recipe) -> None:
    """Choose a template, read where it comes from, use it; or save the one-phase twin."""
    chosen = TEMPLATES[str(st.selectbox("Template", list(TEMPLATES), key=KEY))]
    st.caption(label(chosen.summary))
    show_plain(chosen.origin)
    st.button(
        "Use this template",
        key="use_template",
        on_click=use_template,
        args=(ws, supply, recipe),
        help="Replaces phases and weights and saves at once; the version before is in the history.",
    )
    st.button(
        "Save a one-phase twin",
        key="save_twin",
        on_click=save_twin,
        args=(ws, recipe),
        disabled=len(recipe.mixture.phases) < 2,
        help="Another recipe with as many tokens of every source in one phase: train both, and "
        "what separates them is the order.",
    )


def use_template(ws: Workspace, supply: Supply, recipe: Recipe) -> None:
    """Callback: save the recipe with the phases of the chosen template."""
    try:
        material = describe_material(ws, recipe, supply)
        made = apply_template(str(st.session_state[KEY]), recipe, material)
        save_recipe(ws, made)
    except LabError as error:
        st.session_state[weights.MESSAGE] = str(error)
        return
    weights.forget(made)
    weights.note_saved(f"{made.note} Saved; the version before is kept in the history.")


def save_twin(ws: Workspace, recipe: Recipe) -> None:
    """Callback: save the recipe's one-phase twin beside it."""
    twin = matched_exposure(recipe)
    name = next(n for n in free_names(twin.name) if not (ws.recipes / f"{n}.yaml").exists())
    try:
        save_recipe(ws, replace(twin, name=name))
    except LabError as error:
        st.session_state[weights.MESSAGE] = str(error)
        return
    weights.note_saved(f"Saved {name}.yaml. {twin.note}")


def free_names(name: str) -> list[str]:
    """A name, and others to take if it is taken."""
    return [name, *(f"{name[:60]}-{k}" for k in range(2, 100))]
