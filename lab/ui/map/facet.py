"""The selections of the map as a facet of the Browse page.

A selection is one that has a name, or the one of the link: a part is the name or the line itself,
so a link from the map needs nothing stored. What a line chooses is read from its own map, whichever
map is the newest now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.curation.selections.names import named
from lab.curation.selections.points import chosen
from lab.curation.selections.predicate import parse_predicate
from lab.diversity.layout.stored import find_map
from lab.ui.browse.pool import Pool, workspace_stamp
from lab.ui.map.held import board_of, values_of
from lab.ui.memory import remembered

FACET = "selection"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Selections:
    """The documents of a pool in each selection, and what names all of it."""

    stamp: str
    masks: dict[str, Mask]


def selection_masks(ws: Workspace, pool: Pool, asked: Sequence[str]) -> Selections:
    """Every named selection and those that are `asked` for; a line that cannot be read, or whose
    map is gone, has no part.
    """
    lines = dict(named(ws).lines) | {part: part for part in asked if "=" in part}
    if not lines:
        return Selections("", {})
    stamp, found = workspace_stamp(ws), {}
    for name, line in lines.items():
        try:
            found[name] = cached_mask(ws, pool, line, digest([pool.key, line, stamp]))
        except LabError:
            continue
    return Selections(digest([stamp, lines]), found)


@remembered(32)
def cached_mask(ws: Workspace, pool: Pool, line: str, key: str) -> Mask:
    """The documents of the pool that meet the line."""
    predicate = parse_predicate(line)
    bound = predicate.area or predicate.clusters
    points = board_of(find_map(ws, predicate.map if bound else "")).points
    mask = chosen(points, predicate, lambda column: values_of(ws, points, column).values)
    ids = points.ids.gather(np.flatnonzero(mask))
    found: Mask = pool.frame["id"].is_in(ids.implode()).to_numpy()
    return found
