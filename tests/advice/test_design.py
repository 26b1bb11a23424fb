"""Designs: exact rows, caps, distances, and the published vectors of UniMax."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.advice.design.design import design_mixtures, unimax
from lab.core.errors import ConfigError

NATURAL = {"web": 700.0, "forum": 150.0, "books": 100.0, "code": 45.0, "exercises": 5.0}


def test_unimax_vectors() -> None:
    supply = {"a": 1, "b": 10, "c": 100}
    assert unimax(supply, 60, 4) == pytest.approx({"a": 4, "b": 28, "c": 28})
    assert unimax(supply, 120, 4) == pytest.approx({"a": 4, "b": 40, "c": 76})
    with pytest.raises(ConfigError, match="cannot fill"):
        unimax(supply, 445, 4)


@given(
    shares=st.lists(st.floats(0.01, 100), min_size=2, max_size=8),
    runs=st.integers(2, 40),
    slack=st.floats(1.05, 5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_rows_sum_to_one_exactly_and_respect_caps(
    shares: list[float], runs: int, slack: float, seed: int
) -> None:
    natural = {f"s{i}": share for i, share in enumerate(shares)}
    caps = {name: min(1.0, slack * share / sum(shares)) for name, share in natural.items()}
    design = design_mixtures(natural, runs, seed, caps=caps)
    assert (design.weights.sum(axis=1) == 1).all()
    assert (design.weights >= 0).all()
    assert (design.weights <= np.array(list(caps.values()))).all()
    assert len(design.names) == len(set(design.names)) == len(design.weights) <= runs


def test_anchors_come_first_and_draws_keep_apart() -> None:
    design = design_mixtures(NATURAL, 40, seed=0, anchors={"now": {"web": 0.2, "books": 0.8}})
    assert design.names[:3] == ("natural", "uniform", "now")
    assert design.weights[0] == pytest.approx(np.array([0.7, 0.15, 0.1, 0.045, 0.005]), abs=1e-6)
    assert design.weights[2] == pytest.approx(np.array([0.2, 0, 0.8, 0, 0]), abs=1e-6)
    without = [name for name in design.names if name.startswith("without-")]
    # without exercises (a share of .005) would be the natural mixture again
    assert without == ["without-web", "without-forum", "without-books", "without-code"]
    assert design.weights[design.names.index("without-web"), 0] == 0
    assert design.nearest[7:].min() >= 0.05
    assert (len(design.weights), design.rank, design.needed) == (40, 5, 18)


def test_draws_spread_like_regmix() -> None:
    """RegMix's 512 mixtures of 17 sources: largest share .32 / .50 / .83 at the 10th, 50th and 90th
    percentile, 7.7 sources absent on average."""
    shares = np.random.default_rng(0).dirichlet(np.ones(17))
    natural = {f"s{i}": share for i, share in enumerate(shares)}
    weights = design_mixtures(natural, 300, seed=1).weights[20:]
    largest = np.quantile(weights.max(axis=1), [0.1, 0.5, 0.9])
    assert largest == pytest.approx([0.32, 0.50, 0.83], abs=0.12)
    drawn = weights[weights > 0]
    assert drawn.min() >= 2e-3 - 2e-6
    assert 5 < (weights == 0).sum(axis=1).mean() < 12


def test_a_design_is_a_function_of_its_seed() -> None:
    one, same, other = (design_mixtures(NATURAL, 24, seed) for seed in (5, 5, 6))
    assert one.weights.tobytes() == same.weights.tobytes()
    assert one.weights.tobytes() != other.weights.tobytes()


def test_few_runs_have_no_deletions_and_say_so() -> None:
    design = design_mixtures(NATURAL, 8, seed=0)
    assert not [name for name in design.names if name.startswith("without-")]
    assert design.notes == ("8 runs are fewer than 3(m + 1) = 18: expect wide intervals.",)


def test_crowded_designs_say_so() -> None:
    design = design_mixtures({"a": 1, "b": 1}, 60, seed=0)
    assert len(design.weights) == 60
    assert any("lie within" in note for note in design.notes)


def test_ratios_are_olmix_s_table() -> None:
    frame = design_mixtures(NATURAL, 6, seed=0).ratios()
    assert frame.columns == ["run", "name", "index", *NATURAL]
    assert frame["index"].to_list() == list(range(6))


@pytest.mark.parametrize(
    ("settings_", "match"),
    [
        ({"natural": {"a": 1.0}}, "two sources"),
        ({"runs": 1}, "two runs"),
        ({"strengths": (0.0, 1.0)}, "Strengths"),
        ({"minimum": 0.5}, "smallest share"),
        ({"caps": {"a": 0.5, "b": 0.4}}, "No mixture fits"),
        ({"caps": {"a": 0.5, "b": 0.5}}, "single mixture"),
        ({"caps": {"c": 0.5}}, "Unknown source 'c'"),
    ],
)
def test_impossible_settings(settings_: dict[str, object], match: str) -> None:
    given_: dict[str, object] = {"natural": {"a": 1.0, "b": 2.0}, "runs": 6, "seed": 0}
    with pytest.raises(ConfigError, match=match):
        design_mixtures(**(given_ | settings_))  # type: ignore[arg-type]


@given(
    shares=st.lists(st.floats(0.05, 100), min_size=2, max_size=6),
    first=st.integers(2, 20),
    more=st.integers(1, 20),
    method=st.sampled_from(["dirichlet", "spread"]),
    seed=st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_an_extended_swarm_has_no_near_twins(
    shares: list[float], first: int, more: int, method: str, seed: int
) -> None:
    natural = {f"s{i}": share for i, share in enumerate(shares)}
    old = design_mixtures(natural, first, seed, method=method)
    rows = [dict(zip(old.sources, row, strict=True)) for row in old.weights.tolist()]
    before = dict(zip(old.names, rows, strict=True))
    new = design_mixtures(natural, more, seed, method=method, before=before)
    assert not set(new.names) & set(old.names)
    assert (new.weights.sum(axis=1) == 1).all()
    assert (new.before, len(new.names)) == (len(old.names), len(new.weights))
    everything = np.vstack([old.weights, new.weights])
    apart = np.abs(everything[:, None] - everything[None]).sum(axis=2) / 2
    apart = apart[np.triu_indices(len(everything), 1)]
    assert apart.min() >= 0.9e-3


def test_spread_fills_the_simplex_wider_than_draws() -> None:
    wide, drawn = (design_mixtures(NATURAL, 30, 0, method=m) for m in ("spread", "dirichlet"))
    assert wide.nearest[7:].min() > 2 * drawn.nearest[7:].min()
    assert wide.rank == drawn.rank == 5


def test_an_extension_counts_what_is_there() -> None:
    old = design_mixtures(NATURAL, 12, seed=0)
    before = {
        n: dict(zip(old.sources, r, strict=True))
        for n, r in zip(old.names, old.weights.tolist(), strict=True)
    }
    new = design_mixtures(NATURAL, 6, seed=0, before=before)
    assert "natural" not in new.names and "uniform" not in new.names, "they were run"
    assert not new.notes, "12 and 6 are 3(m + 1)"
    assert (new.before, new.needed, new.rank) == (12, 18, 5)


@pytest.mark.parametrize(
    ("more", "match"), [({"method": "grid"}, "Unknown design"), ({"temper": 2.0}, "temper")]
)
def test_unknown_ways_to_draw(more: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        design_mixtures(NATURAL, 6, 0, **more)  # type: ignore[arg-type]
