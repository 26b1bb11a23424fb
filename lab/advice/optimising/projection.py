"""The mixture nearest in KL under linear constraints.

    minimise   KL(q || exp(logs))   over   q in the region, A q <= b

Its dual has one variable z >= 0 a constraint and a closed form,

    q(z) = nearest(logs - z A),     gradient  A q - b,     curvature  -A Cov A',

where Cov is diag(q) - q q' / mass over the sources of a block that are not at their cap. It is
maximised by Newton's method with Marquardt's damping, projected on 0 <= z <= most, for all
replicates at once; a handful of steps from the multipliers of the step before. With z at `most` a
constraint is given up at that price (exact penalty), so the answer exists even if A q <= b cannot
hold. Cost: per step one `Region.nearest` and one [c, c] solve a replicate.
"""

import numpy as np

from lab.advice.optimising.region import Region
from lab.advice.simplex import TINY, Array, Mask

STEPS = 60
ENOUGH = 1e-10  # of a share: what is left of a constraint that should hold exactly
FIRST, LEAST, MOST = 1e-6, 1e-12, 1e8  # damping
REACH = 30.0  # largest change of a logarithm in one step


def project(
    region: Region, logs: Array, rows: Array, bounds: Array, duals: Array, most: Array
) -> tuple[Array, Array]:
    """(mixtures [B, m], multipliers [B, c]) for rows [B, c, m], bounds [B, c], start `duals`.

    `most` [B, 1] bounds the multipliers.
    """
    duals = np.clip(duals, 0.0, most)
    damping = np.full(len(logs), FIRST)
    most_curved = np.ptp(rows, axis=2) ** 2 / 4
    mixture, value = dual(region, logs, rows, bounds, duals)
    for _ in range(STEPS):
        left = np.einsum("bcm,bm->bc", rows, mixture) - bounds
        moving = ((duals > 0) | (left > 0)) & ~((duals >= most) & (left > 0))
        open_ = (np.abs(np.where(moving, left, 0.0)) > ENOUGH).any(axis=1)
        if not open_.any() or (damping[open_] > MOST).all():
            break
        step = newton(curvature(region, mixture, rows), left, moving, damping, most_curved)
        change = np.abs(np.einsum("bc,bcm->bm", step, rows)).max(axis=1, keepdims=True)
        step *= np.minimum(1.0, REACH / np.maximum(change, TINY))
        trial = np.clip(duals + step, 0.0, most)
        trial_mixture, trial_value = dual(region, logs, rows, bounds, trial)
        better = open_ & (trial_value >= value - 1e-13 * np.abs(value))
        duals = np.where(better[:, None], trial, duals)
        mixture = np.where(better[:, None], trial_mixture, mixture)
        value = np.where(better, trial_value, value)
        damping = np.where(better, np.maximum(damping / 10, LEAST), damping * 10)
    return mixture, duals


def dual(
    region: Region, logs: Array, rows: Array, bounds: Array, duals: Array
) -> tuple[Array, Array]:
    """The mixture that multipliers ask for, and the dual function there: [B, m], [B]."""
    aim = logs - np.einsum("bc,bcm->bm", duals, rows)
    mixture = region.nearest(aim)
    entropy = mixture * (np.log(np.maximum(mixture, TINY)) - aim)
    return mixture, entropy.sum(axis=1) - (duals * bounds).sum(axis=1)


def curvature(region: Region, mixture: Array, rows: Array) -> Array:
    """A Cov A' for every replicate: [B, c, c]."""
    total = np.zeros((len(rows), rows.shape[1], rows.shape[1]))
    for block in region.blocks:
        index = list(block)
        own = mixture[:, index]
        own = np.where(own < region.caps[index] * (1 - 1e-12), own, 0.0)
        part = rows[:, :, index]
        weighed = part * own[:, None, :]
        mean = weighed.sum(axis=2)
        mass = np.maximum(own.sum(axis=1), TINY)[:, None, None]
        total += weighed @ part.transpose(0, 2, 1) - mean[:, :, None] * mean[:, None, :] / mass
    return total


def newton(curved: Array, left: Array, moving: Mask, damping: Array, most_curved: Array) -> Array:
    """The damped step on the multipliers that move; zero for the others: [B, c].

    Where all but one source of a block are at their caps there is no curvature: the damping is by
    the most that there can be, a quarter of the squared range of a constraint, [B, c].
    """
    both = moving[:, :, None] & moving[:, None, :]
    size = np.einsum("bcc->bc", curved)
    steady = np.maximum(size + damping[:, None] * (size + most_curved), 1e-14)
    unit = np.eye(curved.shape[1], dtype=bool)[None]
    matrix = np.where(unit, steady[:, :, None], np.where(both, curved, 0.0))
    wanted = np.where(moving, left, 0.0)
    return np.asarray(np.linalg.solve(matrix, wanted[:, :, None])[:, :, 0])
