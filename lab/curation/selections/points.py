"""The points of a map as arrays, and which of them a predicate chooses.

Places become whole steps of a square that keeps the map's proportions: 65,536 steps are far finer
than any layout can be repeated, a point costs four bytes, and comparisons are exact. Memory of a
million points: 10 MB beside their ids. A map holds the embedded documents only, a sample unless all
were embedded; what a predicate chooses is of those, and whoever shows a count says of how many.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError, DataError, nearest
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.attributes import attribute_names, locate
from lab.curation.selections.polygon import Mask, cells_of, inside
from lab.curation.selections.predicate import STEPS, Predicate
from lab.diversity.layout.stored import SHORT, find_map

U16 = NDArray[np.uint16]
F64 = NDArray[np.float64]
Values = Callable[[str], F64]  # column -> its value for every point, NaN where there is none
PLACED = pl.col("x").is_finite() & pl.col("y").is_finite()


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Row k of every array is one document: `ids`, `source` (place in `sources`), `x`, `y`, `cell`
    (of the polygon test), `cluster`. `labels` are words of the texts, by cluster.
    """

    map: str
    ids: pl.Series = field(repr=False)
    sources: tuple[str, ...]
    source: U16
    x: U16
    y: U16
    cell: U16
    cluster: U16
    labels: tuple[str, ...]

    @property
    def short(self) -> str:
        """How a line names the map."""
        return self.map[:SHORT]


def read_points(artifact: Artifact) -> Points:
    """The points of a map, those without a finite place left out. 0.3 s a million."""
    frame = artifact.scan().filter(PLACED).select("id", "source", "cluster", "x", "y").collect()
    names = pl.read_parquet(artifact.path / "clusters.parquet", columns=["cluster", "label"])
    sources = sorted(frame["source"].unique().to_list())
    x, y = quantised(frame["x"].to_numpy(), frame["y"].to_numpy())
    labels = [""] * (int(names["cluster"].max() or 0) + 1)  # type: ignore[arg-type]  # a number
    for cluster, label in names.iter_rows():
        labels[cluster] = label
    return Points(
        artifact.id,
        frame["id"],
        tuple(sources),
        frame["source"].cast(pl.Enum(sources)).to_physical().to_numpy().astype(np.uint16),
        x,
        y,
        cells_of(x, y),
        frame["cluster"].to_numpy().astype(np.uint16),
        tuple(labels),
    )


def read_margins(artifact: Artifact) -> NDArray[np.float32] | None:
    """How clearly each of `read_points` lies in its cluster; None for a map that does not say."""
    if "margin" not in artifact.scan().collect_schema():
        return None
    return artifact.scan().filter(PLACED).select("margin").collect()["margin"].to_numpy()


def quantised(x: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[U16, U16]:
    """Places as steps from 0 to 65,535 of a square around the map, its proportions kept."""
    if not x.size:
        return np.zeros(0, np.uint16), np.zeros(0, np.uint16)
    wide = [np.asarray(axis, np.float64) for axis in (x, y)]
    low, high = (np.array([end(axis) for axis in wide]) for end in (np.min, np.max))
    span = float((high - low).max()) or 1.0
    start = (low + high) / 2 - span / 2
    steps = [
        np.rint((axis - start[k]) / span * STEPS).clip(0, STEPS) for k, axis in enumerate(wide)
    ]
    return steps[0].astype(np.uint16), steps[1].astype(np.uint16)


def chosen(points: Points, predicate: Predicate, values: Values) -> Mask:
    """True for the points that meet `predicate`; a value that is missing is in no range.

    Raises ConfigError for a source or cluster that the map does not have, or another map.
    """
    check_names(points, predicate)
    mask = np.ones(points.x.size, bool)
    if predicate.sources:
        mask &= lookup(len(points.sources), map(points.sources.index, predicate.sources))[
            points.source
        ]
    if predicate.clusters:
        mask &= lookup(len(points.labels), predicate.clusters)[points.cluster]
    for column, low, high in predicate.ranges:
        held = values(column)
        mask &= (held >= (-np.inf if low is None else low)) & (
            held <= (np.inf if high is None else high)
        )
    if predicate.area:
        mask &= inside(points.x, points.y, predicate.area, points.cell)
    return mask


def lookup(size: int, places: object) -> Mask:
    """A table that is True at `places`."""
    table = np.zeros(size, bool)
    table[list(places)] = True  # type: ignore[call-overload]  # an iterable of ints
    return table


def check_names(points: Points, predicate: Predicate) -> None:
    """ConfigError for what the predicate names and the map does not have."""
    bound = predicate.area or predicate.clusters
    if bound and predicate.map and not points.map.startswith(predicate.map):
        raise ConfigError(
            "This selection was drawn on another map.",
            where="selection",
            value=predicate.map,
            next_step="draw it again on this one",
        )
    for name in predicate.sources:
        if name not in points.sources:
            raise ConfigError(
                "The map has no such source.",
                where="selection",
                value=name,
                next_step=nearest(name, points.sources),
            )
    for number in predicate.clusters:
        if not 0 <= number < len(points.labels):
            raise ConfigError(
                f"The map has clusters 0 to {len(points.labels) - 1}.",
                where="selection",
                value=number,
                next_step="choose one of the table of clusters",
            )


def document_rows(ws: Workspace, points: Points) -> NDArray[np.int64]:
    """The row of each point among the documents of its source, -1 for one that is gone.

    Costs one join by id, 0.5 s a million; columns are then gathered by row.
    """
    rows = np.full(points.x.size, -1, np.int64)
    for place, source in enumerate(points.sources):
        own = np.flatnonzero(points.source == place)
        ids = documents(ws, source).scan().select("id").collect().with_row_index("row")
        asked = points.ids.gather(own).to_frame("id")
        joined = asked.join(ids, on="id", how="left", maintain_order="left")["row"]
        rows[own] = joined.cast(pl.Int64).fill_null(-1).to_numpy()
    return rows


def column_values(
    ws: Workspace, points: Points, rows: NDArray[np.int64], column: str
) -> tuple[F64, tuple[str, ...]]:
    """The values of a stored column and the sources that lack it (their points get NaN).

    Raises ArtifactMissing for a column that no source has, DataError for a column of texts.
    """
    found, lacking = np.full(points.x.size, np.nan), []
    for place, source in enumerate(points.sources):
        try:
            stored = locate(ws, source, [column])[0]
        except ArtifactMissing:
            lacking.append(source)
            continue
        values = numbers(stored.artifact.scan().select(stored.stored).collect().to_series())
        own = np.flatnonzero((points.source == place) & (rows >= 0) & (rows < values.size))
        found[own] = values[rows[own]]
    if len(lacking) == len(points.sources):
        known = dict.fromkeys(n for source in points.sources for n in attribute_names(ws, source))
        raise ArtifactMissing(
            "No source of the map has this column.", where="selection", value=column,
            next_step=nearest(column, list(known)),
        )  # fmt: skip
    return found, tuple(lacking)


def numbers(values: pl.Series) -> F64:
    """A column as numbers: true is 1, what is missing is NaN."""
    if not is_number(values.dtype):
        raise DataError(
            "A range needs a column of numbers.",
            where=values.name,
            value=str(values.dtype),
            next_step="choose another column",
        )
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def is_number(kind: pl.DataType) -> bool:
    """True for a column that has a range: numbers and truths."""
    return kind.is_numeric() or kind == pl.Boolean


def resolve(ws: Workspace, predicate: Predicate) -> list[str]:
    """The ids of the mapped documents that meet `predicate`, on the map it was drawn on."""
    bound = predicate.area or predicate.clusters
    points = read_points(find_map(ws, predicate.map if bound else ""))
    rows = document_rows(ws, points) if predicate.ranges else np.zeros(0, np.int64)
    mask = chosen(points, predicate, lambda name: column_values(ws, points, rows, name)[0])
    return points.ids.filter(pl.Series(mask)).to_list()


def counts_by(codes: U16, size: int, masks: Sequence[Mask]) -> list[NDArray[np.int64]]:
    """Points of each code, under each mask."""
    return [np.bincount(codes[mask], minlength=size) for mask in masks]
