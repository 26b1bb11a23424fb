"""The policy on the page before it is saved: widgets in the address, and the save of the recipe.

Which copies fall, from which similarity, whose copy stays. The order of sources is one line of text
(`wiki, web`), as the unsaved thresholds of the Filters page are, so that a link reopens it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lab.core.errors import ConfigError, nearest
from lab.curation.duplicates import DedupConfig, MinHash
from lab.mixture.recipe import Recipe

NEAR, EXACT, NONE = "near copies too", "exact copies", "nothing"
POLICIES = [NEAR, EXACT, NONE]
DEFAULT = MinHash()


@dataclass(frozen=True, slots=True)
class Policy:
    """What falls (`NEAR`, `EXACT`, `NONE`), from which similarity, and whose copy stays first."""

    falls: str
    threshold: float
    keep: tuple[str, ...]

    def cut(self) -> float | None:
        """The similarity that groups are made at; None for exact copies only."""
        return self.threshold if self.falls == NEAR else None


def key_of(recipe: Recipe | None, what: str) -> str:
    """Where a part of the draft lives, in the session and in the URL."""
    return f"dup.{recipe.name if recipe else '-'}.{what}"


def saved_policy(recipe: Recipe | None) -> Policy:
    """The policy of the recipe; the usual one without a recipe."""
    if recipe is None:
        return Policy(NEAR, DEFAULT.jaccard, ())
    dedup = recipe.dedup
    if dedup is None or not (dedup.exact or dedup.minhash):
        return Policy(NONE, DEFAULT.jaccard, ())
    if dedup.minhash is None:
        return Policy(EXACT, DEFAULT.jaccard, dedup.keep)
    return Policy(NEAR, dedup.minhash.jaccard, dedup.keep)


def read_keep(text: str, sources: Sequence[str]) -> tuple[str, ...]:
    """The sources named in a line; ConfigError for one that is not there."""
    names = tuple(filter(None, (piece.strip() for piece in text.split(","))))
    for name in names:
        if name not in sources:
            raise ConfigError(
                "The order of sources names one that is not there.",
                where="whose copy stays",
                value=name,
                next_step=nearest(name, sources),
            )
    return tuple(dict.fromkeys(names))


def move(key: str, order: Sequence[str], place: int, step: int) -> None:
    """Callback: move the source at `place` up (-1) or down (1) in the order."""
    changed = list(order)
    to = min(max(place + step, 0), len(changed) - 1)
    changed[place], changed[to] = changed[to], changed[place]
    st.session_state[key] = ", ".join(changed)


def dedup_of(policy: Policy, minhash: MinHash) -> DedupConfig | None:
    """The policy as a recipe states it."""
    if policy.falls == NONE:
        return None
    near = replace(minhash, jaccard=policy.threshold) if policy.falls == NEAR else None
    return DedupConfig(exact=True, minhash=near, keep=policy.keep)


def with_policy(recipe: Recipe, policy: Policy, minhash: MinHash) -> Recipe:
    """The recipe with this policy; sources it does not use are left out of the order."""
    keep = tuple(name for name in policy.keep if name in recipe.sources)
    return replace(recipe, dedup=dedup_of(replace(policy, keep=keep), minhash))


def follow_recipe(recipe: Recipe | None) -> None:
    """Before the widgets: a recipe that was changed elsewhere takes its draft along."""
    now, seen = repr(recipe.dedup if recipe else None), key_of(recipe, "seen")
    if recipe is not None and st.session_state.get(seen, now) != now:
        drop_policy(recipe)
    st.session_state[seen] = now


def drop_policy(recipe: Recipe) -> None:
    """Callback: back to what the recipe says."""
    saved = saved_policy(recipe)
    st.session_state[key_of(recipe, "falls")] = saved.falls
    st.session_state[key_of(recipe, "at")] = saved.threshold
    st.session_state[key_of(recipe, "keep")] = ", ".join(saved.keep)
