"""Which mixtures to train next: those likeliest to change the decision.

Each replicate of the fit is a world that the runs allow. In that world a mixture x gains max(0,
objective at the proposal - objective at x), the objective being the one that is minimised, KL term
included; the mean over worlds is its expected improvement (Mockus 1978) under the bootstrap. It is
large where replicates disagree with each other near the optimum and nil where all agree. After a
mixture is chosen every world's best is updated, so the next one covers other worlds (greedy
batch). Candidates: the optimum of every replicate, and the points halfway between it and the
proposal.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lab.advice.simplex import Array, divergence, variation
from lab.advice.surface import Surface

APART = 0.02  # total variation between two suggested runs: less would be the same run twice


def next_runs(
    posterior: Surface,
    blend: Array,
    natural: Array,
    kl: float,
    proposal: Array,
    optima: Array,
    names: Sequence[str],
    count: int,
) -> pl.DataFrame:
    """At most `count` mixtures: run, expected_gain and spread (in the cost's unit), and the shares.

    `spread` is the standard deviation over worlds of the mixture's objective less the proposal's.
    Fewer rows come back when no further candidate differs from those chosen.
    """
    candidates = np.vstack([optima, (optima + proposal) / 2])
    points = np.vstack([proposal, candidates])
    costs = posterior.predict(points) @ blend
    if kl > 0:
        costs += kl * divergence(points, natural)
    best, costs = costs[:, 0].copy(), costs[:, 1:]
    spread = (costs - best[:, None]).std(axis=0)
    taken, rows = proposal[None, :], []
    for number in range(count):
        gain = np.maximum(best[:, None] - costs, 0.0).mean(axis=0)
        fresh = variation(candidates, taken).min(axis=1) >= APART
        if not fresh.any():
            break
        pick = int(np.argmax(np.where(fresh, gain, -1.0)))
        row = {"run": f"next-{number + 1}", "expected_gain": float(gain[pick])}
        row |= {"spread": float(spread[pick])}
        rows.append(row | dict(zip(names, candidates[pick].tolist(), strict=True)))
        best = np.minimum(best, costs[:, pick])
        taken = np.vstack([taken, candidates[pick]])
    return pl.DataFrame(rows, schema=columns(names))


def columns(names: Sequence[str]) -> dict[str, type[pl.DataType]]:
    """Columns of the table of next runs for these sources."""
    own: dict[str, type[pl.DataType]] = {"run": pl.String, "expected_gain": pl.Float64}
    return own | {"spread": pl.Float64} | dict.fromkeys(names, pl.Float64)
