"""Ledger against numbers worked out by hand."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.mixture.ledger import ledger
from lab.mixture.recipe import Mixture, Phase
from lab.mixture.repetition import effective_epochs
from lab.mixture.supply import Supply


def supply(pools: list[tuple[str, int, int, int]]) -> Supply:
    """Rows source, pattern, documents, unique tokens."""
    frame = pl.DataFrame(
        pools,
        schema={
            "source": pl.String,
            "pattern": pl.UInt64,
            "documents": pl.UInt32,
            "unique_tokens": pl.Int64,
        },
        orient="row",
    )
    sources = frame.group_by("source", maintain_order=True).agg(pl.col("unique_tokens").sum())
    return Supply(sources, pl.DataFrame(), frame)


def test_one_phase() -> None:
    found = ledger(
        supply([("web", 1, 10, 600), ("books", 1, 5, 100)]),
        Mixture(1000, (Phase("all", 1.0, {"web": 0.6, "books": 0.4}),), repeat_cap=4),
    )
    rows = {r["source"]: r for r in found.sources.iter_rows(named=True)}
    assert rows["web"]["trained_tokens"] == pytest.approx(600)
    assert rows["web"]["epochs"] == pytest.approx(1)
    assert rows["web"]["effective_tokens"] == pytest.approx(600)
    assert rows["books"]["epochs"] == pytest.approx(4)
    assert rows["books"]["effective_tokens"] == pytest.approx(100 * float(effective_epochs(4)))
    assert not rows["books"]["over_cap"], "the cap itself is allowed"
    assert found.problems == ()


def test_exposure_adds_up_over_phases_that_share_documents() -> None:
    """800 tokens in both phases, 200 only in the first (the second phase filters harder)."""
    mixture = Mixture(
        1000,
        (Phase("broad", 0.75, {"web": 1.0}), Phase("sharpen", 0.25, {"web": 1.0})),
        repeat_cap=1.0,
    )
    found = ledger(supply([("web", 3, 8, 800), ("web", 1, 2, 200)]), mixture)
    assert found.phases["epochs"].to_list() == pytest.approx([750 / 1000, 250 / 800])
    assert found.sources["epochs"].to_list() == pytest.approx([0.75 + 0.3125])
    both, first = 800 * float(effective_epochs(1.0625)), 200 * 0.75
    assert found.sources["effective_tokens"].to_list() == pytest.approx([both + first])
    assert "would be seen 1.1 times (cap 1)" in found.problems[0]


def test_a_budget_out_of_reach_is_refused_with_numbers() -> None:
    mixture = Mixture(10_000, (Phase("all", 1.0, {"web": 1.0}),), repeat_cap=4)
    found = ledger(supply([("web", 1, 10, 600)]), mixture)
    with pytest.raises(ConfigError) as error:
        found.require_feasible()
    assert "16.7 times (cap 4): 10,000 tokens asked of 600 unique ones" in str(error.value)
    assert "repeat_cap" in str(error.value)


def test_rules_that_leave_nothing_are_named() -> None:
    mixture = Mixture(100, (Phase("all", 1.0, {"web": 0.5, "books": 0.5}),))
    found = ledger(supply([("web", 1, 10, 600), ("books", 0, 10, 600)]), mixture)
    assert found.problems == (
        "phase 'all' draws 50 tokens from 'books', whose rules leave no document",
    )


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.floats(0.01, 1)), min_size=1, max_size=5),
    st.integers(1, 10**10),
)
def test_tokens_are_conserved(sources: list[tuple[int, float]], budget: int) -> None:
    total = sum(weight for _, weight in sources)
    weights = {f"s{i}": weight / total for i, (_, weight) in enumerate(sources)}
    pools = [(f"s{i}", 1, 1, unique) for i, (unique, _) in enumerate(sources)]
    found = ledger(supply(pools), Mixture(budget, (Phase("all", 1.0, weights),)))
    assert found.sources["trained_tokens"].sum() == pytest.approx(budget)
    assert found.sources["weight"].sum() == pytest.approx(1)
    effective = found.sources["effective_tokens"] <= found.sources["trained_tokens"] * (1 + 1e-9)
    assert effective.all()
