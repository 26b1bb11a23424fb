"""Layouts: planted groups stay apart, later texts join their own, the state is plain files."""

from pathlib import Path

import numpy as np
import pytest

from lab.core.errors import DataError
from lab.diversity.layout.quality import recall, trust
from lab.diversity.layout.reducer import (
    Reducer,
    fit_reducer,
    load_reducer,
    neighbours,
    place,
    principal_axes,
    save_reducer,
)


def groups(n: int, count: int, d: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    centres = np.random.default_rng(5).normal(size=(count, d)) * 2
    rng = np.random.default_rng(seed)
    group = rng.integers(count, size=n)
    x = centres[group] + rng.normal(size=(n, d)) * 0.5
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), group


def purity(
    places: np.ndarray, group: np.ndarray, of: np.ndarray, own: np.ndarray, k: int = 10
) -> float:
    """Share of the k nearest of `places` to each of `of` that are of its group."""
    distance = ((of[:, None] - places[None]) ** 2).sum(2)
    near = np.argsort(distance, axis=1)[:, 1 : k + 1]
    return float((group[near] == own[:, None]).mean())


def test_neighbours_are_exact_and_begin_with_the_point_itself() -> None:
    x, _ = groups(300, 5)
    x[10] = x[200]  # an exact copy must not take the point's own place
    indices, distances = neighbours(x, 7)
    assert (indices[:, 0] == np.arange(300)).all()
    plain = 1 - x @ x.T
    np.fill_diagonal(plain, -1)
    assert distances[:, 1:] == pytest.approx(np.sort(plain, axis=1)[:, 1:7].clip(0), abs=1e-5)
    assert 200 in indices[10]


def test_principal_axes_by_hand() -> None:
    x = np.array([[3, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]], np.float32)
    mean, axes = principal_axes(x)
    assert (x - mean) @ axes.T == pytest.approx(x[:, :2], abs=1e-6)
    assert principal_axes(x[:1])[1].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_few_or_equal_points_are_laid_out_by_components() -> None:
    assert fit_reducer(groups(20, 3)[0], 0)[0].method == "pca"
    reducer, places = fit_reducer(np.tile(groups(1, 1)[0], (80, 1)), 0)
    assert reducer.method == "pca"
    assert not places.any()


def test_a_text_among_its_neighbours_by_hand() -> None:
    basis = np.eye(3, dtype=np.float32)
    places = np.array([[0, 0], [10, 0], [0, 10]], np.float32)
    asked = np.array([[1, 0, 0], [1, 1, 1]], np.float32)
    found = place(asked, Reducer("umap", basis, places))
    # distances 0, 1, 1 have the mean 2/3: weights 1, e^-1.5, e^-1.5
    other = np.exp(-1.5)
    assert found[0] == pytest.approx([10 * other / (1 + 2 * other)] * 2, rel=1e-5)
    assert found[1] == pytest.approx([10 / 3, 10 / 3], rel=1e-4)


def test_vectors_of_another_encoder_are_refused() -> None:
    reducer, _ = fit_reducer(groups(20, 3)[0], 0)
    with pytest.raises(DataError, match="another dimension"):
        place(np.ones((2, 5), np.float32), reducer)


def test_the_preview_places_what_it_was_made_of_where_it_lay(tmp_path: Path) -> None:
    x, _ = groups(200, 4)
    reducer, places = fit_reducer(x, 0, "pca")
    save_reducer(reducer, tmp_path / "r.safetensors")
    again = place(x, load_reducer(tmp_path / "r.safetensors"))
    assert again == pytest.approx(places, abs=1e-5)


def test_trust_and_recall_fall_for_a_random_map() -> None:
    x, _ = groups(200, 4)
    flat = np.concatenate([x[:, :2], np.zeros_like(x[:, 2:])], axis=1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    scattered = np.random.default_rng(0).random((200, 2)).astype(np.float32)
    for measure, high, low in ((trust, 0.95, 0.6), (recall, 0.9, 0.2)):
        kept, lost = measure(flat, flat[:, :2], 0), measure(x, scattered, 0)
        assert kept is not None
        assert lost is not None
        assert kept["value"] > high > low > lost["value"]
        assert kept["n"] == 200
        assert measure(x[:2], x[:2, :2], 0) is None
    exact = recall(flat, flat[:, :2], 0)
    assert exact is not None
    assert exact["low"] <= exact["value"] <= exact["high"] <= 1


@pytest.mark.slow
def test_umap_keeps_groups_and_later_texts_join_theirs(tmp_path: Path) -> None:
    x, group = groups(150, 4)
    reducer, places = fit_reducer(x, 5)
    assert reducer.method == "umap"
    assert purity(places, group, places, group) > 0.95
    assert (fit_reducer(x, 5)[1] == places).all(), "the same input gives the same bits"
    save_reducer(reducer, tmp_path / "r.safetensors")
    later, own = groups(60, 4, seed=9)
    found = place(later, load_reducer(tmp_path / "r.safetensors"))
    assert purity(places, group, found, own) > 0.95
