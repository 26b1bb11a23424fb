"""What groups of metrics cost each other: the Pareto front between them.

An average of two groups hides a trade (phi-4's ablations: reasoning up, knowledge down,
arXiv:2412.08905). Every group is the mean of its metrics' costs, each in units of its spread over
the runs, so that directions and units do not matter. For weights v on the groups the mixture of
least sum_g v_g cost_g + KL term is a point of the front, and with convex laws every point of it is
found so (Geoffrion 1968); where laws have valleys, those in a dent of the front are missed.

Gains are over the natural mixture, in those spreads, with the interval of the corrected worlds
(`lab.advice.optimising.outlook`); a front drawn through point estimates alone promises too much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit, require_metrics
from lab.advice.optimising.decision import Decision
from lab.advice.optimising.outlook import interval
from lab.advice.simplex import Array
from lab.core.errors import ConfigError

STEPS = {2: 8, 3: 4}  # steps of the lattice of weights by groups; more groups: corners and pairs


def pareto_front(
    decision: Decision, groups: Mapping[str, Sequence[str]], level: float
) -> pl.DataFrame:
    """One row a point: weight_GROUP, gain_GROUP with low_GROUP and high_GROUP, and the shares.

    ConfigError for fewer than two groups, an empty one, or an unknown metric.
    """
    fit = decision.fit
    blends = group_blends(fit, groups)
    scale = float(decision.blend @ fit.costs.std(axis=0))
    rows = []
    for weights in lattice(len(groups)):
        one = replace(decision, blend=weights @ blends, kl=decision.kl / scale).quick()
        proposal = one.best()[1]
        worlds = one.outlook(proposal, one.optima())
        gains = (worlds.natural - worlds.proposal) @ blends.T
        low, high = interval(gains, level)
        row: dict[str, float] = {}
        for number, name in enumerate(groups):
            row |= {
                f"weight_{name}": float(weights[number]),
                f"gain_{name}": float(np.median(gains[:, number])),
                f"low_{name}": float(low[number]),
                f"high_{name}": float(high[number]),
            }
        rows.append(row | dict(zip(fit.sources, proposal.tolist(), strict=True)))
    return pl.DataFrame(rows)


def group_blends(fit: Fit, groups: Mapping[str, Sequence[str]]) -> Array:
    """Weight of every metric's cost in every group, [G, T]: mean over members of cost / spread."""
    if len(groups) < 2:
        raise ConfigError(
            "A front needs two groups of metrics or more.", value=list(groups), where="groups"
        )
    spread = fit.costs.std(axis=0)
    blends = np.zeros((len(groups), len(fit.metrics)))
    for number, (name, members) in enumerate(groups.items()):
        require_metrics(members, fit.metrics)
        if not members:
            raise ConfigError(f"Group {name!r} has no metric.", where="groups")
        index = [fit.metrics.index(metric) for metric in members]
        blends[number, index] = 1 / (len(index) * spread[index])
    return blends


def lattice(groups: int) -> Array:
    """Weights of the groups, every row summing to one."""
    if groups not in STEPS:
        pairs = [np.eye(groups)[list(pair)].mean(axis=0) for pair in combinations(range(groups), 2)]
        return np.vstack([np.eye(groups), *pairs, np.full(groups, 1 / groups)])
    steps = STEPS[groups]
    grid = np.indices((steps + 1,) * (groups - 1)).reshape(groups - 1, -1).T
    grid = grid[grid.sum(axis=1) <= steps]
    return np.column_stack([grid, steps - grid.sum(axis=1)]) / steps
