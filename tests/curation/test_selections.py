"""Selections: the polygon against an oracle, the line there and back, names with undo."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.artifacts import build, write_part
from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.selections.names import (
    events_file,
    forget_selection,
    name_selection,
    named,
    redo,
    selection_of,
    undo,
)
from lab.curation.selections.points import (
    Points,
    chosen,
    document_rows,
    numbers,
    quantised,
    read_points,
    resolve,
)
from lab.curation.selections.polygon import cells_of, even_odd, inside
from lab.curation.selections.predicate import (
    STEPS,
    Predicate,
    parse_predicate,
    write_predicate,
)
from lab.curation.tags.store import tag
from lab.diversity.layout.stored import find_map

corner = st.tuples(st.integers(-STEPS, 2 * STEPS), st.integers(-STEPS, 2 * STEPS))
polygons = st.lists(corner, min_size=3, max_size=12)


def crossings(x: int, y: int, corners: list[tuple[int, int]]) -> bool:
    """The rule as a book has it, one point, in fractions of whole numbers: nothing is rounded."""
    from fractions import Fraction

    odd = False
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y0 > y) != (y1 > y):
            odd ^= x < x0 + Fraction((x1 - x0) * (y - y0), y1 - y0)
    return odd


def scattered(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, STEPS + 1, (2, count)).astype(np.uint16)
    return x, y


@given(polygons, st.integers(0, 9))
def test_the_polygon_agrees_with_exact_arithmetic(
    corners: list[tuple[int, int]], seed: int
) -> None:
    x, y = scattered(40, seed)
    x[: len(corners)] = [min(max(c[0], 0), STEPS) for c in corners]  # corners, and points level
    y[: len(corners)] = [min(max(c[1], 0), STEPS) for c in corners]  # with corners
    expected = [crossings(int(a), int(b), corners) for a, b in zip(x, y, strict=True)]
    assert inside(x, y, corners).tolist() == expected


@given(polygons)
def test_cells_change_no_answer(corners: list[tuple[int, int]]) -> None:
    """The shortcut by cells against the rule on every point, where edges lie on borders too."""
    x, y = scattered(3000, 3)
    x[:1000] &= 0xFE00
    y[500:1500] &= 0xFE00
    snapped = [(a & ~511, b) for a, b in corners]
    whole = even_odd(x.astype(np.int64), y.astype(np.int64), np.array(snapped))
    assert np.array_equal(inside(x, y, snapped, cells_of(x, y)), whole)


@given(polygons)
def test_turning_or_reversing_a_polygon_changes_nothing(corners: list[tuple[int, int]]) -> None:
    x, y = scattered(300, 1)
    expected = inside(x, y, corners)
    assert np.array_equal(inside(x, y, corners[1:] + corners[:1]), expected)
    assert np.array_equal(inside(x, y, corners[::-1]), expected)


def test_a_circle_holds_the_points_nearer_than_its_radius() -> None:
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    circle = [
        (round(30_000 + 20_000 * np.cos(a)), round(33_000 + 20_000 * np.sin(a))) for a in angles
    ]
    x, y = scattered(20_000, 2)
    radius = np.hypot(x.astype(float) - 30_000, y.astype(float) - 33_000)
    clear = np.abs(radius - 20_000) > 5  # the polygon is a little smaller than the circle
    assert np.array_equal(inside(x, y, circle)[clear], (radius < 20_000)[clear])


def test_where_a_polygon_covers_twice_is_a_hole_and_two_corners_hold_nothing() -> None:
    x, y = np.array([15, 5, 35], np.uint16), np.array([15, 5, 35], np.uint16)
    twice = [(0, 0), (30, 0), (30, 30), (0, 30), (0, 0), (10, 10), (20, 10), (20, 20), (10, 20),
             (10, 10)]  # fmt: skip
    assert inside(x, y, twice).tolist() == [False, True, False]
    assert not inside(x, y, [(0, 0), (50, 50)]).any()


def test_places_keep_their_proportions_and_equal_points_stand_in_the_middle() -> None:
    x, y = quantised(np.array([0.0, 2.0, 1.0]), np.array([5.0, 6.0, 5.5]))
    assert x.tolist() == [0, STEPS, 32768]
    assert y.tolist() == [16384, 49151, 32768]
    same = quantised(np.full(3, 7.5), np.full(3, -2.0))
    assert np.ptp(same[0]) == np.ptp(same[1]) == 0
    assert 32_767 <= same[0][0] <= 32_768
    assert quantised(np.zeros(0), np.zeros(0))[0].size == 0


names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
columns = st.from_regex(r"[a-z]{1,6}\.[a-z_]{1,6}(@[a-z0-9]{1,3})?", fullmatch=True)
sides = st.floats(-1e12, 1e12, allow_nan=False)
ranges = st.tuples(columns, st.tuples(sides, sides).map(sorted), st.integers(0, 2)).map(
    lambda r: (r[0], None if r[2] == 1 else r[1][0], None if r[2] == 2 else r[1][1])
)
predicates = st.builds(
    Predicate,
    st.sampled_from(["", "3f09a1c2"]),
    st.one_of(st.just(()), polygons.map(tuple)),
    st.lists(st.integers(0, 999), max_size=4, unique=True).map(tuple),
    st.lists(names, max_size=3, unique=True).map(tuple),
    st.lists(ranges, max_size=2, unique_by=lambda r: r[0]).map(tuple),
)


@given(predicates)
def test_a_line_is_read_back_as_it_was_written(predicate: Predicate) -> None:
    line = write_predicate(predicate)
    assert bool(line) == predicate.demands
    assert parse_predicate(line) == (predicate if line else Predicate())
    assert "|" not in line, "a filter of the Browse page ends there"


@pytest.mark.parametrize(
    "line",
    [
        "area=1.2_3.4", "area=1.2_3.4_x.5", "area=1.2_3.4_5.999999", "area=" + "1.1_" * 600 + "2.2",
        "cluster=1,b", "cluster=", "cluster=1e3", "cluster=-1,²", "cluster=1 cluster=2",
        "gopher.word_count=5", "gopher.word_count=..", "a.b=9..1", "a.b=nan..", "a.b=1..2 a.b=3..4",
        "<img src=x>", "hello", "=3",
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        parse_predicate(line)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Sources `web` (4) and `books` (3), on a map of two clusters; document k of web at (k, 0)."""
    ws = create(tmp_path / "workspace")
    for name, size in (("web", 4), ("books", 3)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(f'{{"key": "{k}", "text": "{name} {k}"}}\n' for k in range(size)))
        add_source(ws, name, [str(path)], id_column="key")
    store_map(ws, [float(k) for k in (0, 1, 2, 3, 0, 1, 2)])
    return ws


def store_map(ws: Workspace, x: list[float], seed: int = 0) -> str:
    """A map of the documents of `ws` at x, web at y = 0 and books at y = 1."""

    def make(folder: Path) -> dict[str, object]:
        ids = [f"web/{k}" for k in range(4)] + [f"books/{k}" for k in range(3)]
        source = ["web"] * 4 + ["books"] * 3
        y, cluster = [0.0] * 4 + [1.0] * 3, pl.Series([0, 0, 1, 1, 0, 1, 1], dtype=pl.UInt16)
        frame = pl.DataFrame({"id": ids, "source": source, "x": x, "y": y, "cluster": cluster})
        write_part(frame, folder / "part-00000.parquet")
        labels = pl.DataFrame({"cluster": [0, 1], "label": ["low", "<b>high"], "size": [3, 4]})
        write_part(labels, folder / "clusters.parquet")
        return {}

    return build(ws, "map", 1, {"seed": seed}, [], make).id


def test_every_demand_is_and_and_every_value_is_or(ws: Workspace) -> None:
    short = find_map(ws, "").id[:8]
    assert resolve(ws, parse_predicate("source=books")) == ["books/0", "books/1", "books/2"]
    assert resolve(ws, parse_predicate(f"map={short} cluster=0")) == ["web/0", "web/1", "books/0"]
    assert len(resolve(ws, parse_predicate("cluster=0,1 source=web,books"))) == 7
    left = f"map={short} area=-5.-5_22000.-5_22000.70000_-5.70000"
    assert resolve(ws, parse_predicate(left)) == ["web/0", "web/1", "books/0", "books/1"]
    assert resolve(ws, parse_predicate(f"{left} cluster=1 source=books")) == ["books/1"]


def test_a_range_reads_a_stored_column_and_what_is_missing_is_in_none(ws: Workspace) -> None:
    tag(ws, ["web/1", "books/2"], "good")
    assert resolve(ws, parse_predicate("tags.good=1..1")) == ["web/1", "books/2"]
    assert len(resolve(ws, parse_predicate("tags.good=..0"))) == 5
    with pytest.raises(ArtifactMissing, match=r"tags\.good"):
        resolve(ws, parse_predicate("tags.goof=..9"))
    with pytest.raises(DataError):
        numbers(pl.Series("language", ["en"]))


def test_what_the_map_does_not_have_is_an_error(ws: Workspace) -> None:
    points = read_points(find_map(ws, ""))
    for line in ("source=wab", "cluster=2", "map=00000000 cluster=1"):
        with pytest.raises(ConfigError):
            chosen(points, parse_predicate(line), lambda name: np.zeros(7))
    with pytest.raises(ArtifactMissing):
        resolve(ws, parse_predicate("map=00000000 cluster=1"))


def test_a_line_keeps_to_the_map_it_was_drawn_on(ws: Workspace) -> None:
    old = find_map(ws, "").id
    area = "area=-5.-5_1000.-5_1000.70000_-5.70000"
    store_map(ws, [3.0, 2.0, 1.0, 0.0, 2.0, 1.0, 0.0], seed=1)
    assert resolve(ws, parse_predicate(f"map={old[:8]} {area}")) == ["web/0", "books/0"]


def test_points_without_a_place_are_left_out(ws: Workspace) -> None:
    made = store_map(ws, [0.0, float("nan"), 2.0, float("inf"), 0.0, 1.0, 2.0], seed=2)
    points = read_points(find_map(ws, made))
    assert points.ids.to_list() == ["web/0", "web/2", "books/0", "books/1", "books/2"]
    assert document_rows(ws, points).tolist() == [0, 2, 0, 1, 2]


def test_a_document_that_is_gone_has_no_row(ws: Workspace, tmp_path: Path) -> None:
    points: Points = read_points(find_map(ws, ""))
    (tmp_path / "web.jsonl").write_text('{"key": "2", "text": "web 2"}\n')
    add_source(ws, "web", [str(tmp_path / "web.jsonl")], id_column="key")
    assert document_rows(ws, points).tolist() == [-1, -1, 0, -1, 0, 1, 2]


def test_names_are_given_forgotten_undone_and_redone(ws: Workspace) -> None:
    one, two = Predicate(clusters=(1,), map="ab"), Predicate(sources=("web",))
    name_selection(ws, "recipes", one)
    name_selection(ws, "recipes", two)
    name_selection(ws, "a", one)
    assert list(named(ws).lines) == ["a", "recipes"]
    assert selection_of(ws, "recipes") == two
    assert undo(ws) == "name a"
    assert undo(ws) == "name recipes"
    assert selection_of(ws, "recipes") == one
    assert redo(ws) == "name recipes"
    forget_selection(ws, "recipes")
    assert named(ws).lines == {}
    assert redo(ws) == "", "a new event forgets what could be restored"
    assert undo(ws) == "forget recipes"
    assert selection_of(ws, "recipes") == two


def test_impossible_names_and_events_are_refused(ws: Workspace) -> None:
    for name, predicate in (("Ä b", Predicate(clusters=(1,))), ("all", Predicate())):
        with pytest.raises(ConfigError):
            name_selection(ws, name, predicate)
    for call in (lambda: selection_of(ws, "none"), lambda: forget_selection(ws, "none")):
        with pytest.raises(ConfigError):
            call()
    assert undo(ws) == ""
    events_file(ws).parent.mkdir(exist_ok=True)
    events_file(ws).write_text('{"do": "undo"}\n')
    with pytest.raises(DataError):
        named(ws)
