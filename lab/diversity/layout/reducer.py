"""From vectors to places: a layout of some texts, and the state that places any other on it.

UMAP (McInnes et al. 2018) lays out the graph of the 15 nearest neighbours; near on the map means
near in the embedding, while distances between groups, areas and densities mean nothing. The start
is the first two principal components, so that the coarse arrangement is theirs and reproducible.
Neighbours are exact, which is faster than the approximate search and needs less compilation. With a
fixed seed the layout is bit-identical; the first in a process costs 8 s of compilation, then 10,000
points take about 4 s.

Beside umap-learn as it comes (tests/benchmarks/layout_against_umap.py, two cores, one run): 30,422
pieces of real text took 9.3 s there at a recall of .30; here 9.4 s at .27 with 20,000 laid out, 4.8
s at .23 with 10,000, 2.4 s at .20 with 5,000, all of higher trustworthiness (.96 for .93).
On 50,000 planted vectors 5,000 are 5 times as fast and of higher recall (.18 for .14). So where
text is fine-grained, recall is bought with points laid out: four times as fast costs a third of it.

UMAP's cost grows faster than the picture gains, so at most `ANCHORS` texts are laid out, and each
other text is put among its nearest of them: at the mean of the places of the `PLACED_BY` nearest,
with weights exp(-(d - d_1) / s), d the cosine distance, d_1 the smallest and s the mean of d - d_1
(the kernel of UMAP's own transform, without its iterations). Where the nearest lie apart on the
map, the mean lies between, where nothing is; few neighbours keep that rare. How much is lost is
measured: `quality.recall` of all points beside that of the anchors.

The state is plain arrays in `reducer.safetensors`: anchors and their places, or for the principal
plane its axes and mean. Later texts land on the same map (`place`), whatever machine it is on.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import DataError
from lab.core.files import write_bytes
from lab.diversity.embedding.stored import unit

F32 = NDArray[np.float32]
SMALLEST, ANCHORS = 50, 20_000
EPOCHS = 200  # as UMAP chooses above 10,000 points; with its 500 below, recall rises by .01-.02
NEIGHBOURS, MIN_DISTANCE = 15, 0.1
PLACED_BY = 5
ROWS = 1024  # rows of a similarity matrix at once
FILE = "reducer.safetensors"
METHODS = ("umap", "pca")


@dataclass(frozen=True, slots=True, eq=False)
class Reducer:
    """`method` umap: `basis` are the anchors [m, d], unit length, and `places` [m, 2] theirs.

    pca: `basis` [2, d] are the axes, and `places` [1, d] the mean.
    """

    method: str
    basis: F32
    places: F32


def fit_reducer(vectors: F32, seed: int, method: str = "umap") -> tuple[Reducer, F32]:
    """A reducer from unit vectors [n, d], and their places [n, 2].

    Principal components are taken for fewer than `SMALLEST` texts, or if all are equal.
    """
    mean, axes = principal_axes(vectors)
    plane = ((vectors - mean) @ axes.T).astype(np.float32)
    if method == "pca" or len(vectors) < SMALLEST or not np.ptp(plane, axis=0).all():
        return Reducer("pca", axes, mean[None]), plane
    places = umap_layout(vectors, plane, seed)
    return Reducer("umap", vectors, places), places


def place(vectors: NDArray[Any], reducer: Reducer) -> F32:
    """Places [n, 2] of any vectors on the reducer's map. DataError for another dimension."""
    if vectors.shape[1] != reducer.basis.shape[1]:
        raise DataError(
            "These vectors are of another dimension than the map.",
            where="map",
            value=f"{vectors.shape[1]} against {reducer.basis.shape[1]}",
            next_step="embed with the encoder that the map was made with",
        )
    x = unit(vectors)
    if reducer.method == "pca":
        return ((x - reducer.places[0]) @ reducer.basis.T).astype(np.float32)
    found = np.empty((len(x), 2), np.float32)
    for start in range(0, len(x), ROWS):
        found[start : start + ROWS] = place_rows(x[start : start + ROWS], reducer)
    return found


def place_rows(x: F32, reducer: Reducer) -> F32:
    """Each row at the weighted mean of its nearest anchors' places."""
    from lab.diversity.layout.largest import largest  # numba: for workers only

    similar = x @ reducer.basis.T
    k = min(PLACED_BY, similar.shape[1])
    near, cosine = largest(similar, k)
    distance = 1 - cosine
    beyond = distance - distance.min(axis=1, keepdims=True)
    scale = np.maximum(beyond.mean(axis=1, keepdims=True), np.float32(1e-6))
    weights = np.exp(-beyond / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    found: F32 = np.einsum("ij,ijk->ik", weights, reducer.places[near])
    return found


def principal_axes(vectors: F32) -> tuple[F32, F32]:
    """Mean [d] and the first two principal axes [2, d]; their signs are fixed, and an axis without
    any variance is zero.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors.astype(np.float64) - mean
    values, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2] * (values[::-1][:2] > 1e-9 * max(len(vectors), 1))
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)
    return mean.astype(np.float32), np.ascontiguousarray(axes.T, np.float32)


def umap_layout(vectors: F32, plane: F32, seed: int) -> F32:
    """UMAP from the principal plane, with exact neighbours."""
    with warnings.catch_warnings():
        # about features that are not used: ParametricUMAP, and placing new points later
        warnings.filterwarnings("ignore", category=ImportWarning)
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")
        from umap import UMAP

        start = plane / np.abs(plane).max() * 10
        jitter = np.random.default_rng(seed).normal(scale=1e-3, size=start.shape)
        model = UMAP(
            n_neighbors=NEIGHBOURS,
            n_epochs=EPOCHS,
            min_dist=MIN_DISTANCE,
            metric="cosine",
            init=(start + jitter).astype(np.float32),
            random_state=seed,
            n_jobs=1,
            precomputed_knn=neighbours(vectors),
        )
        places: F32 = model.fit_transform(vectors).astype(np.float32)
    return places


def neighbours(vectors: F32, k: int = NEIGHBOURS) -> tuple[NDArray[np.int32], F32]:
    """Indices and cosine distances of the k nearest of each unit vector, itself first."""
    from lab.diversity.layout.largest import largest

    indices = np.empty((len(vectors), k), np.int32)
    distances = np.empty((len(vectors), k), np.float32)
    for start in range(0, len(vectors), ROWS):
        similar = vectors[start : start + ROWS] @ vectors.T
        own = np.arange(len(similar))
        similar[own, start + own] = 2.0  # itself before any exact copy
        near, cosine = largest(similar, k)
        indices[start : start + ROWS], distances[start : start + ROWS] = near, 1 - cosine
    return indices, np.clip(distances, 0, 2)


def save_reducer(reducer: Reducer, path: Path) -> None:
    """Write a reducer as safetensors; anchors as float16, as the embeddings are."""
    from safetensors.numpy import save

    narrow = np.float16 if reducer.method == "umap" else np.float32
    arrays = {"basis": reducer.basis.astype(narrow), "places": reducer.places}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_bytes(path, save(contiguous, metadata={"method": reducer.method}))


def load_reducer(path: Path) -> Reducer:
    """The reducer that `save_reducer` wrote."""
    from safetensors import safe_open

    with safe_open(str(path), "numpy") as file:
        method = file.metadata()["method"]
        basis, places = file.get_tensor("basis"), file.get_tensor("places")
    wide = unit(basis) if method == "umap" else basis
    return Reducer(method, wide, places)
