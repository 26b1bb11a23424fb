"""One choice of a mixture, by the fit and by every replicate of it, and what it will do.

The same for the proposal, for every point of the path over KL and of the Pareto front: solve, drop
negligible shares, let the replicates choose under the same rules, correct for the optimism of
having chosen (`lab.advice.optimising.outlook`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lab.advice.fitting.fit import Fit
from lab.advice.optimising.optimise import KL_PATH, Limits, Optimum, optimise, stated
from lab.advice.optimising.outlook import Outlook, interval, odds, outlook, skill
from lab.advice.optimising.problem import MET
from lab.advice.optimising.region import simplex
from lab.advice.optimising.response import Response
from lab.advice.optimising.settings import tidy
from lab.advice.simplex import Array, variation

FEW = 60  # replicates on paths and fronts, where every point is a problem of its own
FEWER = 20  # the same where every problem is a search


@dataclass(frozen=True, slots=True)
class Decision:
    """What to choose by: the fit's response and its replicates, and the rules.

    `held` and `held_each` are the guards' bounds under the fit and under every replicate.
    """

    fit: Fit
    surface: Response
    posterior: Response
    blend: Array
    natural: Array
    caps: Array
    kl: float
    held: Limits | None = None
    held_each: Limits | None = None
    seed: int = 0
    thorough: bool = True

    def best(self) -> tuple[Optimum, Array]:
        """The fit's optimum, and the mixture without negligible shares, [m]."""
        names = self.fit.sources
        found = optimise(
            *(self.surface, self.blend, self.natural, self.caps, self.kl, names),
            limits=self.held,
            seed=self.seed,
            thorough=self.thorough,
        )
        return found, self.tidied(found.mixtures[0], found)

    def tidied(self, mixture: Array, found: Optimum) -> Array:
        """Without negligible shares, unless a guard needs them."""
        rounded = tidy(mixture, self.caps)
        if self.held is None:
            return rounded
        region = simplex(self.caps, self.fit.sources)
        problem = stated(self.surface, self.blend, self.natural, region, self.kl, self.held)
        excess = problem.look(rounded[None, :]).excess
        return rounded if (excess <= np.maximum(found.excess, MET)).all() else mixture

    def optima(self) -> Array:
        """The mixture that every replicate would choose, [B, m]."""
        names = self.fit.sources
        return optimise(
            *(self.posterior, self.blend, self.natural, self.caps, self.kl, names),
            limits=self.held_each,
            seed=self.seed,
            thorough=False,
        ).mixtures

    def outlook(self, proposal: Array, optima: Array) -> Outlook:
        """Corrected costs of the natural mixture and of the proposal in every world."""
        return outlook(self.surface, self.posterior, self.natural, proposal, optima)

    def quick(self) -> "Decision":
        """The same with few replicates, and where laws have valleys with a shorter search."""
        few = min(FEW if self.posterior.convex else FEWER, self.posterior.replicates)
        each = self.held_each
        if each is not None:
            each = Limits(each.metrics, each.bounds[:few], each.units)
        return replace(self, posterior=self.posterior.first(few), held_each=each, thorough=False)


def kl_table(decision: Decision, level: float, weights: Sequence[float] = KL_PATH) -> pl.DataFrame:
    """The proposal for other distances from the reference, one row per KL weight.

    Columns: kl, cost, divergence, gap; gain over natural with gain_low, gain_high and p_better;
    distance (total variation to the nearest run); the share of every source.
    """
    fit, rows = decision.fit, []
    skilled = skill(fit, decision.blend) > 0
    for kl in weights:
        one = replace(decision, kl=float(kl)).quick()
        found, proposal = one.best()
        gains = one.outlook(proposal, one.optima()).gains(one.blend)
        low, high = interval(gains, level)
        row = {
            "kl": float(kl),
            "cost": float(found.cost[0]),
            "divergence": float(found.divergence[0]),
            "gap": float(found.gap[0]),
            "gain": float(np.median(gains)),
            "gain_low": float(low),
            "gain_high": float(high),
            "p_better": odds(gains, skilled),
            "distance": float(variation(proposal[None, :], fit.weights).min()),
        }
        rows.append({**row, **dict(zip(fit.sources, proposal.tolist(), strict=True))})
    return pl.DataFrame(rows)
