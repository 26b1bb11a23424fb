"""What the points are coloured by: one byte a point, its meaning in words, and a legend.

Byte 0 is grey context. A quality signal is coloured by rank, not by value: most signals have long
tails, and on a scale of values all documents but a few would share one colour; the legend says
which values stand at the quantiles. The ramp is a part of viridis (van der Walt and Smith 2015)
that stays readable on the background, even in lightness and safe for colour-blind readers. Cluster
colours repeat beyond ten: the words on the map tell clusters apart, not the colour.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.selections.points import F64, Points
from lab.curation.selections.polygon import Mask
from lab.mixture.recipe import Recipe
from lab.mixture.supply import supply_key
from lab.ui.figures import GREY, dark, palette, source_colours
from lab.ui.formats import number, percent
from lab.ui.map.held import rows_of, values_of
from lab.ui.memory import remembered
from lab.ui.signal_words import signal_words
from lab.ui.tables import ledger_of, verdicts_of

WAYS = ("source", "cluster", "signal", "verdict", "weight")
RANKS = 64
Colour = tuple[int, int, int]
RAMP: tuple[Colour, ...] = (
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141),
    (39, 173, 129), (92, 200, 99), (170, 220, 50), (253, 231, 37),
)  # fmt: skip
EXPOSURE = (1 / 4, 16.0)  # epochs at the ends of the ramp of weights


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """`codes` [points] are places in `colours`; `names` says what each means, and `legend` holds
    (colour, words) for the reader. Place 0 is grey context.
    """

    codes: NDArray[np.uint8]
    colours: tuple[Colour, ...]
    names: tuple[str, ...]
    legend: tuple[tuple[Colour, str], ...]
    note: str = ""

    def within(self, mask: Mask) -> "Colouring":
        """The same with everything outside `mask` grey."""
        return replace(self, codes=np.where(mask, self.codes, np.uint8(0)))


def rgb(hexadecimal: str) -> Colour:
    """`#3f90da` as three bytes."""
    return (int(hexadecimal[1:3], 16), int(hexadecimal[3:5], 16), int(hexadecimal[5:7], 16))


def ramp(places: Sequence[float]) -> tuple[Colour, ...]:
    """Colours at places from 0 to 1, of the part of the ramp that the background allows."""
    low, high = (0.22, 1.0) if dark() else (0.0, 0.86)
    at = (low + (high - low) * np.asarray(places)) * (len(RAMP) - 1)
    channels = [np.interp(at, np.arange(len(RAMP)), [c[k] for c in RAMP]) for k in range(3)]
    return tuple((round(r), round(g), round(b)) for r, g, b in np.transpose(channels))


def by_source(ws: Workspace, points: Points) -> Colouring:
    """Every source in the colour it has on all pages."""
    known = source_colours(ws)
    colours = tuple(rgb(known.get(name, GREY)) for name in points.sources)
    codes = np.minimum(points.source + 1, 255).astype(np.uint8)
    return listed(codes, colours, points.sources)


def listed(
    codes: NDArray[np.uint8], colours: tuple[Colour, ...], names: Sequence[str]
) -> Colouring:
    """A colouring whose legend lists every place."""
    legend = tuple(zip(colours, names, strict=True))
    return Colouring(codes, (rgb(GREY), *colours), ("", *names), legend)


def by_cluster(points: Points) -> Colouring:
    """Ten colours in turn; no legend, because the words stand on the map."""
    ten = [rgb(one) for one in palette()]
    size = min(len(points.labels), 255)
    codes = np.minimum(points.cluster + 1, 255).astype(np.uint8)
    colours = tuple(ten[k % len(ten)] for k in range(size))
    names = ("", *(f"{k}: {points.labels[k]}" for k in range(size)))
    return Colouring(codes, (rgb(GREY), *colours), names, (), "Colours repeat; labels do not.")


def by_signal(ws: Workspace, points: Points, column: str) -> Colouring:
    """The rank of a signal; grey where it is not measured."""
    held = values_of(ws, points, column)
    codes, edges = ranked(held.values, held.key)
    colours = ramp([k / (RANKS - 1) for k in range(RANKS)])
    words = [f"{number(a, 3)} to {number(b, 3)}" for a, b in itertools.pairwise(edges)]
    title = signal_words(column).partition(" [")[0]
    marks = [0, RANKS // 4, RANKS // 2, 3 * RANKS // 4, RANKS - 1]
    quantiles = ("lowest", "a quarter", "half", "three quarters", "highest")
    legend = [
        (colours[k], f"{words}: {number(edges[k + (k == RANKS - 1)], 3)}")
        for k, words in zip(marks, quantiles, strict=True)
    ]
    note = f"Not measured, grey: {', '.join(held.lacking)}." if held.lacking else ""
    return Colouring(
        codes, (rgb(GREY), *colours), ("", *(f"{title} {w}" for w in words)), tuple(legend), note
    )


@remembered(8)
def ranked(values: F64, key: str) -> tuple[NDArray[np.uint8], list[float]]:
    """Place 1 to `RANKS` of each value by rank, 0 where there is none, and the edges."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(values.size, np.uint8), [0.0] * (RANKS + 1)
    edges = np.quantile(values[known], np.linspace(0, 1, RANKS + 1))
    places = np.searchsorted(edges[1:-1], values, side="right") + 1
    return np.where(known, places, 0).astype(np.uint8), edges.tolist()


def by_verdict(ws: Workspace, points: Points, recipe: Recipe) -> Colouring:
    """Kept, dropped or held out; grey for sources that the recipe does not use."""
    blue, orange, grey = (rgb(palette()[k]) for k in (0, 8, 7))
    names = ("kept", "dropped", "held out")
    found = listed(verdict_codes(ws, points, recipe), (blue, orange, grey), names)
    outside = [name for name in points.sources if name not in recipe.sources]
    return replace(found, note=f"Not in the recipe, grey: {', '.join(outside)}." if outside else "")


def verdict_codes(ws: Workspace, points: Points, recipe: Recipe) -> NDArray[np.uint8]:
    """1 kept, 2 dropped, 3 held out, 0 not in the recipe."""
    return cached_codes(ws, points, recipe, digest([points.map, supply_key(ws, recipe)]))


@remembered(6)
def cached_codes(ws: Workspace, points: Points, recipe: Recipe, key: str) -> NDArray[np.uint8]:
    """The codes for `key`."""
    codes, rows = np.zeros(points.x.size, np.uint8), rows_of(ws, points)
    for source, verdict in verdicts_of(ws, recipe).items():
        if source in points.sources:
            own = np.flatnonzero((points.source == points.sources.index(source)) & (rows >= 0))
            kept, held = (verdict.frame[c].to_numpy()[rows[own]] for c in ("kept", "heldout"))
            codes[own] = np.where(held, 3, np.where(kept, 1, 2))
    return codes


def by_weight(ws: Workspace, points: Points, recipe: Recipe) -> Colouring:
    """How often the mixture would show a document: the epochs of its source, if it is kept."""
    kept = verdict_codes(ws, points, recipe) == 1
    rows = {row["source"]: row for row in ledger_of(ws, recipe).sources.iter_rows(named=True)}
    low, high = np.log2(EXPOSURE)
    colours, names = [], []
    for source in points.sources:
        row = rows.get(source)
        epochs = min(float(row["epochs"]), 1e6) if row else 0.0
        place = (np.log2(max(epochs, 1e-6)) - low) / (high - low)
        colours.append(ramp([float(np.clip(place, 0, 1))])[0] if epochs else rgb(GREY))
        words = f"{percent(row['weight'])}, {number(epochs, 3)} epochs" if row else "not used"
        names.append(f"{source}: {words}")
    used = [bool(name in rows and rows[name]["weight"]) for name in points.sources]
    codes = np.where(kept & np.array(used)[points.source], points.source + 1, 0).astype(np.uint8)
    return replace(
        listed(codes, tuple(colours), names), note="Grey: dropped, held out or weight zero."
    )


def colouring_of(
    ws: Workspace, points: Points, way: str, column: str, recipe: Recipe | None
) -> Colouring:
    """The colouring by name; raises ArtifactMissing for what is not measured."""
    if way == "cluster":
        return by_cluster(points)
    if way == "signal" and column:
        return by_signal(ws, points, column)
    if way == "verdict" and recipe:
        return by_verdict(ws, points, recipe)
    if way == "weight" and recipe:
        return by_weight(ws, points, recipe)
    return by_source(ws, points)
