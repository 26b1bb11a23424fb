"""The cube that a slider reads in the browser, against a loop and against the rules themselves."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.curation.effect.cube import (
    SliderCube,
    count_cells,
    in_order,
    running_sums,
    scale_places,
    slider_cube,
    with_places,
)
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule

values = st.lists(
    st.one_of(st.integers(-3, 12).map(float), st.floats(-5, 50, width=32)), min_size=1, max_size=60
)


def frame_of(a: list[float], seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = len(a)
    return pl.DataFrame(
        {
            "source": rng.choice(["x", "y"], n),
            "tokens": rng.integers(0, 1000, n),
            "a": a,
            "b": rng.random(n),
        },
        schema={"source": pl.String, "tokens": pl.Int64, "a": pl.Float64, "b": pl.Float64},
    )


def by_rules(frame: pl.DataFrame, rules: list[Rule], source: str) -> tuple[int, int]:
    passes = pl.Series(fail_mask(frame, rules).to_numpy() == 0)
    mine = frame.filter(passes & (frame["source"] == source))
    return mine.height, int(mine["tokens"].sum())


@settings(max_examples=60, deadline=None)
@given(values, st.integers(0, 5), st.data())
def test_any_cut_at_a_place_keeps_exactly_what_the_rule_keeps(
    a: list[float], seed: int, data: st.DataObject
) -> None:
    frame = frame_of(a, seed)
    other = Rule("b", 0.3, None)
    saved = Rule("a", data.draw(st.none() | st.floats(-9, 60)), 40.0)
    cube = slider_cube(frame, [other, saved], "a", bins=8)
    if saved.min is not None:
        assert saved.min in cube.scaled.places, "what is set now can be shown exactly"
    bound = st.none() | st.sampled_from(cube.scaled.places)
    low, high = data.draw(bound), data.draw(bound)
    if low is not None and high is not None and low > high:
        low, high = high, low
    for source in cube.cells:
        expected = by_rules(frame, [other, Rule("a", low, high)], source)
        assert cube.kept(source, low, high) == expected


@given(values)
def test_all_cells_together_are_the_input(a: list[float]) -> None:
    frame = frame_of(a)
    cube = slider_cube(frame, [Rule("b", 0.5, None)], "a")
    for source, cells in cube.cells.items():
        mine = frame.filter(pl.col("source") == source)
        assert cells[0].sum() == mine.height
        assert cells[1].sum() == mine["tokens"].sum()
        assert (cells[2:] <= cells[:2]).all()


def test_equality_passes_on_both_sides_by_hand() -> None:
    frame = pl.DataFrame(
        {"source": ["x"] * 5, "tokens": [1, 10, 100, 1000, 10000], "a": [1.0, 2, 2, 3, 7]}
    )
    cube = slider_cube(frame, [], "a")
    assert cube.scaled.scale == "whole"
    assert cube.kept("x", 2.0, 2.0) == (2, 110)
    assert cube.kept("x", 2.0, None) == (4, 11110)
    assert cube.kept("x", None, 3.0) == (4, 1111)
    assert cube.kept("x", None, None) == (5, 11111)


def test_a_rule_far_outside_the_drawing_is_a_place_too() -> None:
    scaled = with_places(scale_places(np.arange(1000, dtype=float)), [1e6, -4])
    assert scaled.places[0] == -4 and scaled.places[-1] == 1e6
    assert scaled.low >= 0 and scaled.high < 1100


def test_places_are_numbers_a_person_would_write() -> None:
    rng = np.random.default_rng(0)
    for spread in (rng.random(5000), rng.lognormal(6, 2, 5000).round(), rng.normal(0, 3, 5000)):
        places = scale_places(spread).places
        assert 30 < len(places) <= 65
        assert all(float(f"{place:.3g}") == place for place in places)


def test_one_value_everywhere() -> None:
    frame = pl.DataFrame({"source": ["x"] * 3, "tokens": [1, 2, 3], "a": [0.0] * 3})
    cube = slider_cube(frame, [], "a")
    assert cube.kept("x", 0.0, None) == (3, 6)


def test_twelve_sources_fit_fifty_kilobytes() -> None:
    rng = np.random.default_rng(1)
    n = 240_000
    frame = pl.DataFrame(
        {
            "source": rng.choice([f"a-source-{k}" for k in range(12)], n),
            "tokens": rng.integers(1, 100_000, n),
            "a": rng.lognormal(-1, 1, n),
        }
    )
    text = slider_cube(frame, [Rule("a", 0.1234, None)], "a").to_json()
    assert len(text) < 50_000
    sent = json.loads(text)["cells"]["a-source-0"]
    tokens = sum(int(n or 0) for n in sent[1].split(","))
    assert tokens == frame.filter(source="a-source-0")["tokens"].sum()


def test_a_document_without_a_value_is_an_error() -> None:
    frame = pl.DataFrame({"source": ["x", "x"], "tokens": [1, 2], "a": [1.0, None]})
    with pytest.raises(DataError, match="1 of 2 documents"):
        slider_cube(frame, [], "a")


def test_a_bound_between_places_is_refused() -> None:
    cube = SliderCube("a", with_places(scale_places(np.array([1.0, 2.0])), []), {})
    with pytest.raises(DataError, match="no such place"):
        cube.kept("x", 1.5, None)


@settings(deadline=None)
@given(values, st.lists(st.floats(-6, 51), min_size=1, max_size=5, unique=True))
def test_sums_made_once_answer_for_every_place(a: list[float], places: list[float]) -> None:
    frame = frame_of(a)
    value, tokens = frame["a"].to_numpy(), frame["tokens"].to_numpy()
    passing = frame["b"].to_numpy() < 0.5
    ordered = in_order(value, tokens)
    sums = running_sums(ordered, passing)
    for place in places:
        documents, kept, allowed, left = count_cells(ordered, sums, [place])[:, 1:].sum(axis=1)
        over = value >= place
        assert (documents, kept) == (over.sum(), tokens[over].sum())
        assert (allowed, left) == ((over & passing).sum(), tokens[over & passing].sum())
