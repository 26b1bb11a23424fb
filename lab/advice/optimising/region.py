"""Where mixtures may lie: below caps, and in blocks that each hold a fixed part of the whole.

One block of total one is the simplex. Several are a product of simplices: in two phases of shares
.8 and .2 the weights of the first sum to .8 and those of the second to .2. Both operations of the
optimiser split over blocks: the nearest mixture in KL (`simplex.fill`) and the corner that a linear
function likes best, which certifies an optimum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.advice.simplex import Array, fill_logs, require_feasible
from lab.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Region:
    """Mixtures below `caps` [m]; the sources of block k sum to `totals[k]`."""

    caps: Array
    blocks: tuple[tuple[int, ...], ...]
    totals: tuple[float, ...]

    def nearest(self, logs: Array) -> Array:
        """The mixture nearest in KL to exp(logs) [n, m], block by block."""
        mixture = np.zeros_like(logs)
        for block, total in zip(self.blocks, self.totals, strict=True):
            caps = self.caps[list(block)] / total
            mixture[:, block] = total * fill_logs(logs[:, block], caps)
        return mixture

    def fill(self, weights: Array) -> Array:
        """The mixture nearest in KL to `weights` [n, m] >= 0."""
        return self.nearest(np.log(np.maximum(weights, 1e-300)))

    def certificate(self, points: Array, slope: Array) -> Array:
        """Most that any mixture of the region could gain on `points` by the slope there: [B]."""
        best = np.zeros(len(points))
        for block, total in zip(self.blocks, self.totals, strict=True):
            own = slope[:, block]
            order = np.argsort(own, axis=1, kind="stable")
            limits = np.minimum(self.caps[list(block)], total)[order]
            before = np.cumsum(limits, axis=1) - limits
            corner = np.clip(total - before, 0.0, limits)
            best += (np.take_along_axis(own, order, axis=1) * corner).sum(axis=1)
        return np.maximum((slope * points).sum(axis=1) - best, 0.0)


def simplex(caps: Array, names: Sequence[str], natural: Array | None = None) -> Region:
    """All mixtures below `caps`; ConfigError if there is none, see `require_feasible`."""
    require_feasible(caps, names, natural)
    return Region(caps, (tuple(range(len(caps))),), (1.0,))


def product(caps: Array, totals: Sequence[float], names: Sequence[str]) -> Region:
    """Blocks of equal size one after another, as phases are; ConfigError if one cannot be filled.

    `caps` [blocks * m] bound shares of the whole.
    """
    size = len(caps) // len(totals)
    blocks = tuple(tuple(range(k * size, (k + 1) * size)) for k in range(len(totals)))
    for block, total in zip(blocks, totals, strict=True):
        if not total > 0:
            raise ConfigError("Every part must hold a share above zero.", value=list(totals))
        require_feasible(caps[list(block)] / total, [names[j] for j in block])
    return Region(caps, blocks, tuple(totals))
