"""Reuse: coordinates that lose nothing, a plan of few runs, a planted change that it mends."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.advice.fitting.fit import fit_table
from lab.advice.fitting.surface import Surface
from lab.advice.laws.log_linear import LogLinearFit
from lab.advice.proposing.advise import advise
from lab.advice.reuse.reuse import (
    KEPT,
    Frozen,
    coupling,
    freeze,
    on_ray,
    plan_reuse,
    restored_weights,
)
from lab.core.errors import ConfigError

OLD = {"web": 0.2, "books": 0.6, "code": 0.2, "forum": 0.0}
FROZEN = Frozen({"books": 0.75, "code": 0.25, "forum": 0.0}, ("web",))


def test_untouched_sources_keep_their_ratios() -> None:
    frozen = freeze(OLD, list(OLD), ["web"])
    assert (frozen.ratios, frozen.changed) == (pytest.approx(dict(FROZEN.ratios)), ("web",))
    grown = freeze(OLD, [*OLD, "audio"], ["web"])
    assert grown.changed == ("web", "audio"), "a new source is to be learned"
    assert FROZEN.collapse(OLD) == pytest.approx({KEPT: 0.8, "web": 0.2})
    assert FROZEN.expand({KEPT: 0.8, "web": 0.2}) == pytest.approx(OLD)
    caps = FROZEN.caps({"books": 0.3, "code": 0.2, "web": 0.9})
    assert caps == pytest.approx({KEPT: 0.4, "web": 0.9}), "books are full first: .3 / .75"


def test_there_must_be_something_to_learn_and_something_to_keep() -> None:
    with pytest.raises(ConfigError, match="nothing to restore"):
        freeze(OLD, list(OLD), [])
    with pytest.raises(ConfigError, match="nothing can be reused"):
        freeze(OLD, list(OLD), ["web", "books", "code"])


@given(share=st.floats(0, 1))
def test_collapsing_what_was_expanded_changes_nothing(share: float) -> None:
    mixture = FROZEN.expand({KEPT: 1 - share, "web": share})
    assert sum(mixture.values()) == pytest.approx(1)
    assert FROZEN.collapse(mixture) == pytest.approx({KEPT: 1 - share, "web": share})


def test_the_plan_has_few_runs_and_counts_what_is_there() -> None:
    natural = {"web": 700.0, "books": 200.0, "code": 60.0, "forum": 40.0}
    plan = plan_reuse(FROZEN, natural, OLD)
    assert plan.needed == len(plan.names) == 9, "3 (a + 2) instead of 3 (m + 1) = 15"
    assert plan.weights.sum(axis=1) == pytest.approx(1)
    rows = [dict(zip(plan.sources, row, strict=True)) for row in plan.weights.tolist()]
    for row in rows:
        assert row["books"] == pytest.approx(3 * row["code"]) and row["forum"] == 0
    before = {f"r{k}": FROZEN.collapse(row) for k, row in enumerate(rows[:6])}
    more = plan_reuse(FROZEN, natural, OLD, before=before)
    assert (more.before, len(more.names)) == (6, 3)
    assert len(plan_reuse(FROZEN, natural, OLD, 6, before=before).names) == 0


def test_only_runs_near_the_ray_are_evidence() -> None:
    table = pl.DataFrame(
        {
            "run": ["on", "near", "off"],
            "name": ["a", "b", "c"],
            "web": [0.2, 0.2, 0.2],
            "books": [0.6, 0.61, 0.4],
            "code": [0.2, 0.19, 0.4],
            "forum": [0.0, 0.0, 0.0],
        }
    )
    kept = on_ray(table, FROZEN)
    assert kept["run"].to_list() == ["on", "near"]
    assert kept[KEPT].to_list() == pytest.approx([0.8, 0.8])


def test_a_changed_source_is_learned_anew_with_a_few_runs(planted: Callable) -> None:
    """Web becomes worse than all others: nine runs over (kept, web) find that, and the restored
    mixture loses little to the best of the new world."""
    slopes = np.array([[-1.2, -0.6, -0.5, 0.4]])  # of web, books, code, forum
    names = list(OLD)
    natural = dict.fromkeys(names, 0.25)
    rng = np.random.default_rng(0)

    def truth(web: float) -> Surface:
        now = slopes.copy()
        now[0, 0] = web
        return Surface(((0,),), (LogLinearFit(np.array([0.5]), np.zeros(1), now),), 1)

    def tables(surface: Surface, rows: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame]:
        cost = surface.predict(rows)[0, :, 0] + rng.normal(0, 0.003, len(rows))
        ids = {"run": [f"r{k}" for k in range(len(rows))]}
        shares = {n: rows[:, j] for j, n in enumerate(names)}
        return pl.DataFrame(ids | shares), pl.DataFrame(ids | {"loss": cost})

    old = truth(-1.2)
    fit = fit_table(*tables(old, rng.dirichlet(np.ones(4), 20)), laws=["log_linear"])
    before = advise(fit, natural, kl=0.05, replicates=20)
    assert before.proposal["web"] > 0.5
    new = truth(1.5)
    frozen = freeze(before.proposal, names, ["web"])
    plan = plan_reuse(frozen, natural, before.proposal)
    rows = plan.weights[:, [plan.sources.index(n) for n in names]]
    ratios, metrics = tables(new, rows)
    small = fit_table(on_ray(ratios, frozen).drop("name"), metrics, laws=["log_linear"])
    after = advise(small, frozen.collapse(natural), kl=0.05, replicates=20)
    weights = restored_weights(after, frozen)
    mixture = np.array([[weights[n].value for n in names]])
    assert mixture.sum() == pytest.approx(1)
    assert weights["web"].value < 0.05
    stale = np.array([[before.proposal[n] for n in names]])
    cost = new.predict(np.vstack([mixture, stale, np.eye(4)]))[0, :, 0]
    assert cost[0] < cost[1] - 0.3
    assert cost[0] < cost[2:].min() + 0.05
    hint = coupling(fit, natural, {}, 0.05, frozen)
    assert hint is not None and 0 <= hint < 0.2, "in this world sources do not interact much"
