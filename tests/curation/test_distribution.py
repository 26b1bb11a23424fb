"""Histograms that lose nothing."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.curation.effect.distribution import histogram


def frame(values: list[float | None], tokens: list[int] | None = None) -> pl.DataFrame:
    sources = ["a" if i % 3 else "b" for i in range(len(values))]
    schema = {"source": pl.String, "tokens": pl.Int64, "v": pl.Float64}
    columns = {"source": sources, "tokens": tokens or [2] * len(values), "v": values}
    return pl.DataFrame(columns, schema=schema)


def test_whole_numbers_get_a_bin_each():
    found = histogram(frame([0, 1, 1, 3, 3, 3]), "v")
    assert found.scale == "whole"
    assert found.edges == (0, 1, 2, 3, 4)
    assert found.heights("a", "documents").tolist() == [0, 2, 0, 2]
    assert found.heights("b").tolist() == [2, 0, 0, 2]


def test_the_tail_is_shown_apart():
    values = [*np.linspace(0, 1, 1000).tolist(), 1e9]
    found = histogram(frame(values), "v", bins=10)
    assert found.scale == "linear"
    assert found.edges[-1] < 1.01
    below, above, unmeasured = (
        sum(found.outside(s, "documents")[k] for s in "ab") for k in range(3)
    )
    assert above >= 1
    assert below + above <= 12
    assert unmeasured == 0


def test_counts_over_decades_get_bins_of_equal_ratio():
    values = np.floor(10 ** np.linspace(0, 6, 3000)).tolist()
    found = histogram(frame([0.0, *values]), "v", bins=12)
    assert found.scale == "log"
    ratios = np.diff(np.log(found.edges))
    assert ratios.max() / ratios.min() < 1.01
    assert found.outside("b", "documents")[0] >= 1  # the zero


def test_bins_are_closed_at_the_left_so_a_cut_at_an_edge_keeps_whole_bins():
    found = histogram(frame([0.0, 0.25, 0.5, 0.75, 1.0]), "v", bins=4, scale="linear")
    assert found.edges[:4] == (0, 0.25, 0.5, 0.75)
    total = found.heights("a", "documents") + found.heights("b", "documents")
    assert total.tolist() == [1, 1, 1, 2]


def test_a_constant_and_an_unmeasured_column():
    constant = histogram(frame([0.5] * 4), "v", bins=5)
    assert sum(constant.heights(s, "documents").sum() for s in "ab") == 4
    nothing = histogram(frame([None, math.nan, None]), "v")
    assert sum(nothing.outside(s, "documents")[2] for s in "ab") == 3
    assert histogram(frame([]), "v").bins.height == 0


def test_no_logarithm_of_nothing_positive():
    with pytest.raises(ConfigError, match="logarithmic"):
        histogram(frame([0.0, -1.0]), "v", scale="log")


values = st.lists(st.none() | st.floats(-1e12, 1e12) | st.integers(-5, 5).map(float), max_size=60)


@settings(deadline=None)
@given(values, st.integers(1, 20), st.sampled_from(["linear", "whole", None]))
def test_a_histogram_loses_nothing(column, bins, scale):
    if scale == "whole" and any(v is not None and abs(v) > 100 for v in column):
        scale = None
    tokens = list(range(1, len(column) + 1))
    found = histogram(frame(column, tokens), "v", bins, scale)
    assert found.bins["documents"].sum() == len(column)
    assert found.bins["tokens"].sum() == sum(tokens)
    assert list(found.edges) == sorted(set(found.edges))
    for source, group in frame(column, tokens).group_by("source"):
        inside, outside = found.heights(source[0]), found.outside(source[0])
        assert inside.sum() + sum(outside) == group["tokens"].sum()
        assert outside[2] == group.filter(pl.col("v").is_null())["tokens"].sum()
