"""Geometry of mixtures: points p with p >= 0 and sum p = 1, often below a cap per source.

Caps come from supply. A source of N unique tokens that may be repeated k times can fill at most
k N / R of a run of R tokens (Olmix, arXiv:2602.12237, section 3.2 uses k = 4), so its weight is at
most that. The caps admit a mixture only if they sum to one or more.

Distances between mixtures are total variation, half the sum of absolute differences: the share of
the training tokens that would have to change source. KL(p || q) in nats weighs how far a proposal
leaves a reference mixture.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lab.core.errors import ConfigError, nearest

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

TINY = 1e-300  # keeps log() finite; far below any weight that matters
NIL = 1e-150  # shares below it are zero
SLACK = 1e-9  # rounding allowed before a sum of caps counts as below one


def vector(
    shares: Mapping[str, float], sources: Sequence[str], what: str, default: float | None = None
) -> Array:
    """`shares` in the order of `sources` as floats; ConfigError for unknown, missing or bad values.

    A source that `shares` lacks takes `default`, or is an error if that is None.
    """
    for name in shares:
        if name not in sources:
            raise ConfigError(
                f"Unknown source {name!r}.", where=what, next_step=nearest(name, sources)
            )
    missing = [name for name in sources if name not in shares]
    if missing and default is None:
        raise ConfigError(
            "Some sources have no value here.", where=what, value=missing, next_step="add them"
        )
    values = np.array([shares.get(name, default) for name in sources], dtype=np.float64)
    if np.isnan(values).any() or (values < 0).any():
        raise ConfigError(
            "Values must be numbers and not negative.",
            where=what,
            value=dict(shares),
            next_step="correct them",
        )
    return values


def distribution(shares: Mapping[str, float], sources: Sequence[str], what: str) -> Array:
    """`vector` divided by its sum; ConfigError if the sum is zero or not finite."""
    values = vector(shares, sources, what)
    total = values.sum()
    if not 0 < total < np.inf:
        raise ConfigError(
            "The weights have no usable sum.",
            where=what,
            value=float(total),
            next_step="give at least one source a positive, finite weight",
        )
    return values / total


def supply_caps(supply: Mapping[str, float], budget: float, repeat_cap: float) -> dict[str, float]:
    """Largest weight per source: min(1, repeat_cap N / budget), N and budget in tokens."""
    if not (budget > 0 and repeat_cap > 0):
        raise ConfigError(
            "Budget and repeat cap must be positive.",
            value={"budget": budget, "repeat_cap": repeat_cap},
            next_step="give a budget in tokens and a cap in epochs",
        )
    tokens = vector(supply, list(supply), "supply")
    caps = np.minimum(1.0, repeat_cap * tokens / budget)
    return dict(zip(supply, caps.tolist(), strict=True))


def require_feasible(caps: Array, sources: Sequence[str], natural: Array | None = None) -> None:
    """ConfigError unless some mixture respects `caps`: by how much they fall short, and which one
    is to blame, the one furthest below the `natural` share (default: the uniform one).
    """
    caps = np.minimum(caps, 1.0)
    total = float(caps.sum())
    if total >= 1 - SLACK:
        return
    wanted = np.full(len(caps), 1 / len(caps)) if natural is None else natural
    worst = int(np.argmax(wanted - caps))
    short = 1.0 - total
    shown = {name: round(float(cap), 6) for name, cap in zip(sources, caps, strict=True)}
    raise ConfigError(
        f"No mixture fits under these caps: together they allow {total:.4g} of the budget, "
        f"{short:.4g} too little. The tightest is that of {sources[worst]!r}: "
        f"{caps[worst]:.4g} where its own share would be {wanted[worst]:.4g}.",
        where="caps",
        value=shown,
        next_step=f"raise the cap of {sources[worst]!r} to {caps[worst] + short:.4g}, lower the "
        f"token budget to {total:.4g} of its size, raise the repeat cap "
        f"{1 / max(total, 1e-12):.4g}-fold, or add unique text",
    )


def fill(target: Array, caps: Array) -> Array:
    """The mixture nearest to `target` in KL among those below `caps`: p = min(caps, s target).

    `target` [n, m] >= 0, any scale; `caps` [m]. With a uniform target this is UniMax's water
    filling. A source with target zero is used only if the others cannot fill the budget.
    """
    return fill_logs(np.log(np.maximum(target, TINY)), caps)


def fill_logs(logs: Array, caps: Array) -> Array:
    """`fill` for the target exp(logs) [n, m], which may lie far outside the range of floats.

    The scale is found by fixing, round by round, the sources that exceed their cap; at most m
    rounds. Each round is relative to the largest of the free sources, so that after those are full
    the order of the next ones is not lost to underflow.
    """
    free = np.ones_like(logs, dtype=bool)
    for _ in range(logs.shape[1] + 1):
        left = 1.0 - np.where(free, 0.0, caps).sum(axis=1, keepdims=True)
        top = np.where(free, logs, -np.inf).max(axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        target = np.where(free, np.exp(np.where(free, logs - top, 0.0)), 0.0)
        total = target.sum(axis=1, keepdims=True)
        mixture = np.where(free, target * (left / np.maximum(total, TINY)), caps)
        over = free & (mixture > caps)
        if not over.any():
            break
        free &= ~over
    return np.where(mixture < NIL, 0.0, mixture)


def divergence(mixture: Array, reference: Array) -> Array:
    """KL(mixture || reference) in nats on the last axis; infinite where the reference is zero."""
    ratio = np.log(np.maximum(mixture, TINY)) - np.log(np.maximum(reference, TINY))
    impossible = ((mixture > 0) & (reference <= 0)).any(axis=-1)
    return np.where(impossible, np.inf, (mixture * ratio).sum(axis=-1))


def variation(mixtures: Array, others: Array) -> Array:
    """Total variation between every row of `mixtures` [n, m] and of `others` [k, m], as [n, k]."""
    return 0.5 * np.abs(mixtures[:, None, :] - others[None, :, :]).sum(axis=2)


def nearest_distances(mixtures: Array) -> Array:
    """For each row the total variation to the nearest other row, [n]; infinite for a single row."""
    distances = variation(mixtures, mixtures)
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances.min(axis=1))
