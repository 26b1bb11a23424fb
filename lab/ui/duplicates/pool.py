"""Which documents may stay, and what falls among them: the counts behind the live part, cached.

Two caches make it live: `cached_holdings` per threshold and `cached_curve` per order of sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.selection import Verdicts
from lab.mixture.supply import supply_key
from lab.ui.duplicates import effect
from lab.ui.duplicates.draft import NONE, Policy
from lab.ui.duplicates.stored import Mask, Stored
from lab.ui.tables import verdicts_of
from lab.ui.text import label

GRID = [k / 100 for k in range(50, 101, 5)]


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents that may stay: rows in groups, sums per source, and a key for caches."""

    key: str
    stored: Stored
    rows: pl.DataFrame
    sums: pl.DataFrame

    def sources(self) -> list[str]:
        """Sources that have documents in the pool, by name."""
        return self.sums.filter(pl.col("documents") > 0)["source"].sort().to_list()


def pool_of(ws: Workspace, stored: Stored, recipe: Recipe | None) -> Pool:
    """The documents that may stay; all training documents without a recipe."""
    if recipe is None:
        return cached_pool(stored, None, stored.key)
    plain = replace(recipe, dedup=None)
    try:
        key = supply_key(ws, plain)
        verdicts = verdicts_of(ws, plain)
    except ArtifactMissing as error:
        st.caption(f"The recipe's rules cannot be applied yet: {label(error.what)} Counted: all.")
        return cached_pool(stored, None, stored.key)
    return cached_pool(stored, verdicts, f"{stored.key} {key}")


@st.cache_resource(max_entries=4, show_spinner=False)
def cached_pool(_stored: Stored, _verdicts: Mapping[str, Verdicts] | None, key: str) -> Pool:
    """The pool called `key`."""
    mask = None if _verdicts is None else kept_mask(_stored, _verdicts)
    return Pool(key, _stored, effect.candidates(_stored, mask), effect.totals(_stored, mask))


def kept_mask(stored: Stored, verdicts: Mapping[str, Verdicts]) -> Mask:
    """True for documents that a recipe's rules keep, in graph order: sources by name, those that
    the recipe does not use are not kept.
    """
    mask = np.zeros(stored.everything.height, np.bool_)
    source = stored.everything["source"]
    for name, verdict in verdicts.items():
        mask[(source == name).to_numpy()] = verdict.frame["kept"].to_numpy()
    return mask


def holdings_at(pool: Pool, cut: float | None) -> pl.DataFrame:
    """What each source holds of each group."""
    return cached_holdings(pool, pool.key, cut)


@st.cache_resource(max_entries=24, show_spinner=False)
def cached_holdings(_pool: Pool, key: str, cut: float | None) -> pl.DataFrame:
    """`holdings` of a pool at a threshold."""
    return effect.holdings(effect.members(_pool.stored, _pool.rows, cut))


def members_at(pool: Pool, cut: float | None) -> pl.DataFrame:
    """Every document of every group, with its group."""
    return cached_members(pool, pool.key, cut)


@st.cache_resource(max_entries=3, show_spinner=False)
def cached_members(_pool: Pool, key: str, cut: float | None) -> pl.DataFrame:
    """`members` of a pool at a threshold."""
    return effect.members(_pool.stored, _pool.rows, cut)


def curve_of(pool: Pool, order: Sequence[str]) -> pl.DataFrame:
    """threshold, source, documents, tokens that fall, over the grid of thresholds."""
    return cached_curve(pool, pool.key, tuple(order))


@st.cache_resource(max_entries=12, show_spinner=False)
def cached_curve(_pool: Pool, key: str, order: tuple[str, ...]) -> pl.DataFrame:
    """The curve of a pool under an order of sources."""
    return pl.concat(
        effect.fallen(holdings_at(_pool, t), order).with_columns(threshold=pl.lit(t)) for t in GRID
    )


def fallen_under(pool: Pool, policy: Policy) -> pl.DataFrame:
    """source, documents, tokens that fall under a policy, NONE included."""
    order = effect.full_order(policy.keep, pool.stored.sources())
    cut = policy.cut() if pool.stored.pairs else None
    found = effect.fallen(holdings_at(pool, cut), order)
    nothing = [pl.lit(0).alias("documents"), pl.lit(0).alias("tokens")]
    return found.with_columns(nothing) if policy.falls == NONE else found
