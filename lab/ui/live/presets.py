"""Mixtures to start from, as a draft: rules of thumb, and what two reports say.

    natural     by unique tokens
    uniform     the same for every source that has text
    UniMax      as even as the repeat cap allows (Chung et al. 2023, arXiv:2304.09151)
    tempered    natural shares to the power tau, normalised: 1 is natural, 0 uniform
    phi-4       shares by kind of source of its table 5 (arXiv:2412.08905), unverified figures
    phi-3       two phases: text that people wrote, then the same with synthetic text
                (arXiv:2404.14219); no proportions are disclosed, those used are chosen here

Presets change the draft and nothing on disk. What has no counterpart on either side is said.
"""

from collections.abc import Callable

import streamlit as st

from lab.advice.design.design import unimax
from lab.core.errors import LabError
from lab.mixture.material import Material
from lab.mixture.recipe import Recipe
from lab.mixture.templates import PHI4, broad_then_sharpened, synthetic_throughout
from lab.ui.live.ground import Ground, Shares, shares
from lab.ui.live.history import set_weights
from lab.ui.weights import drafted, rounded, share_key

NOTE = "preset_note"  # what the last preset had to leave out
TAU = "preset_tau"


def natural(ground: Ground, recipe: Recipe, phase: int) -> Shares:
    """Weights by the unique tokens that a phase may draw from."""
    return ground.natural(phase)


def uniform(ground: Ground, recipe: Recipe, phase: int) -> Shares:
    """The same weight for every source that has any text left."""
    return shares({n: float(pool > 0) for n, pool in ground.sizes(phase).items()})


def even(ground: Ground, recipe: Recipe, phase: int) -> Shares:
    """UniMax. Raises ConfigError if the sources cannot fill the budget under the cap."""
    mixture = drafted(recipe)
    filled = {name: pool for name, pool in ground.sizes(phase).items() if pool > 0}
    budget = mixture.tokens * mixture.phases[phase].share
    chosen = unimax(filled, budget, mixture.repeat_cap)
    return {source: float(chosen.get(source, 0.0)) / budget for source in recipe.sources}


def tempered(ground: Ground, recipe: Recipe, phase: int) -> Shares:
    """Natural shares to the power that the page's box holds."""
    tau = float(st.session_state.get(TAU, 0.5))
    weights = natural(ground, recipe, phase)
    return shares({name: weight**tau if weight > 0 else 0.0 for name, weight in weights.items()})


def published(ground: Ground, recipe: Recipe, phase: int) -> Shares:
    """phi-4's shares by kind. Raises ConfigError if no source is of any of these kinds."""
    found, said = synthetic_throughout(material(ground, phase))
    parts = [f"{' or '.join(kinds)} {share:.0%}" for kinds, share in PHI4.items()]
    st.session_state[NOTE] = (
        f"phi-4's table by kind of source: {', '.join(parts)}; within a kind by size. {said} Its "
        "50 kinds of synthetic text and the shares among sources of one kind are not disclosed."
    )
    return {name: found[0].weights.get(name, 0.0) for name in recipe.sources}


PRESETS: dict[str, Callable[[Ground, Recipe, int], Shares]] = {
    "natural": natural,
    "uniform": uniform,
    "UniMax": even,
    "tempered": tempered,
    "phi-4": published,
}


def material(ground: Ground, phase: int) -> Material:
    """Kinds and pools, as templates want them; nothing about quality."""
    return Material(kinds=ground.kinds, tokens=ground.sizes(phase))


def use_preset(name: str, ground: Ground, recipe: Recipe) -> None:
    """Callback: set the weights of every phase."""
    st.session_state[NOTE] = ""
    try:
        chosen = [PRESETS[name](ground, recipe, k) for k in range(len(recipe.mixture.phases))]
    except LabError as error:
        st.session_state[NOTE] = str(error)
        return
    for phase, weights in zip(recipe.mixture.phases, chosen, strict=True):
        set_weights(recipe, phase.name, {s: rounded(w) for s, w in weights.items()})


def use_phi3(ground: Ground, recipe: Recipe) -> None:
    """Callback: the two phases of phi-3 in a recipe that has two."""
    if len(recipe.mixture.phases) != 2:
        st.session_state[NOTE] = (
            "phi-3's mixture is two phases, and this recipe has "
            f"{len(recipe.mixture.phases)}. Make it two under Phases below, or use the template "
            "broad-then-sharpened, which also filters the second phase and saves at once."
        )
        return
    try:
        made, said = broad_then_sharpened(material(ground, 0))
    except LabError as error:
        st.session_state[NOTE] = str(error)
        return
    for old, new in zip(recipe.mixture.phases, made, strict=True):
        st.session_state[share_key(recipe.name, old.name)] = rounded(new.share)
        weights = {s: rounded(new.weights.get(s, 0.0)) for s in recipe.sources}
        set_weights(recipe, old.name, weights)
    st.session_state[NOTE] = (
        "phi-3 discloses no proportions: 70 and 30 % of the tokens and 30 % synthetic in the "
        f"second phase are chosen here, and its harder filter is not part of a draft. {said}"
    )
