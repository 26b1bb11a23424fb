import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lab.ui.map_view import drawn_sample, inside, polygon_of

coordinates = st.floats(-3, 3, allow_subnormal=False)


def points(count: int, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-3, 3, (count, 2)).astype(np.float32)
    return pl.DataFrame({"id": range(count), "source": ["a"] * count, "x": xy[:, 0], "y": xy[:, 1]})


def test_a_circle_holds_the_points_nearer_than_its_radius() -> None:
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = [(2 * float(np.cos(a)), 2 * float(np.sin(a))) for a in angles]
    frame = points(5000)
    radius = np.hypot(frame["x"].to_numpy(), frame["y"].to_numpy())
    clear = np.abs(radius - 2) > 1e-3  # the polygon is a little smaller than the circle
    assert np.array_equal(inside(frame, circle)[clear], (radius < 2)[clear])


@given(st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8))
def test_turning_or_reversing_a_polygon_changes_nothing(corners: list[tuple[float, float]]) -> None:
    frame = points(200, 1)
    expected = inside(frame, corners)
    assert np.array_equal(inside(frame, corners[1:] + corners[:1]), expected)
    assert np.array_equal(inside(frame, corners[::-1]), expected)


def test_no_lasso_is_no_polygon() -> None:
    assert polygon_of([]) == []
    assert polygon_of([{"x": [1, 2, 3], "y": [4, 5, 6]}]) == [(1, 4), (2, 5), (3, 6)]


def test_at_most_the_limit_is_drawn() -> None:
    assert drawn_sample(points(1000), 300).height <= 300
    assert drawn_sample(points(100), 300).height == 100
