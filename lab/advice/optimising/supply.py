"""What repetition costs, inside the objective and not only as a wall.

A weight p of a source with N unique tokens means e = p R / N epochs in a run of R tokens. Under the
data-constrained law (Muennighoff et al., arXiv:2305.16264; `lab.mixture.repetition`) these tokens
are worth D' = N effective_epochs(e) fresh ones, so of the share p only x = D' / R still counts:

    x = g(p),   g(p) = p up to one epoch, then flattening;   waste w = 1 - sum x

A law knows only mixtures that sum to one, and it was fitted on fresh tokens. What the waste teaches
is taken to be what the least useful source teaches this metric: the law is asked at

    seen = x + w e_worst,      cost'(p) = law(seen)

so a worn-out token is never worth more than any fresh one, no constant in the metric's unit has to
be invented, and where nothing repeats cost' = law. For the power law with a useless source this is
c + k (a . x)^-alpha, the data-constrained law itself with the fitted exponent. Every law of the
form phi(l . r) with phi increasing and convex (linear, log-linear, power) stays convex: l . seen =
l_worst + sum (l_i - l_worst) g(p_i), a sum of non-positive numbers times concave functions, is
convex. The worst source is that which raises the cost most when it takes half of the natural
mixture; for these laws it is the same everywhere.

Where it fails: the constants are those of whole-corpus repetition of English web text; inside a
mixture a scarce source bears more (arXiv:2605.12715), and beyond about 44 epochs real runs get
worse where D' only levels off, which is why the repeat cap stays as a wall. A source that harms a
metric makes waste look harmful. For other laws (CES, Gaussian process, trees) the least useful
source may differ from place to place, so the problem is searched, not certified. And if the runs
themselves repeated each source as often as the real run will (`matched`, the lab's default for
proxies; arXiv:2606.07597), the law has seen what repetition costs: D' would count it twice, so
only the wall applies then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lab.advice.fitting.surface import Surface
from lab.advice.optimising.response import Response
from lab.advice.simplex import Array, Index, vector
from lab.core.errors import ConfigError
from lab.mixture.repetition import effective_epochs, next_token_value

ONE_INDEX = ("linear", "log_linear", "power_law")  # laws phi(l . r) with phi convex and increasing


@dataclass(frozen=True, slots=True)
class Supply:
    """`unique` [m] tokens of every fitted source; `budget` tokens of the real run; most epochs.

    `matched`: the runs that were fitted repeated sources as the real run will.
    """

    unique: Array
    budget: float
    repeat_cap: float = np.inf
    matched: bool = False

    @property
    def caps(self) -> Array:
        """Largest share of every source, [m]: min(1, repeat_cap N / R); 0 where there is none."""
        some = self.unique > 0
        return np.where(some, np.minimum(1.0, self.caps_uncut), 0.0)

    @property
    def caps_uncut(self) -> Array:
        """The share that `repeat_cap` epochs of every source fill, also above one, [m]."""
        return self.repeat_cap * self.fresh

    @property
    def fresh(self) -> Array:
        """The share of every source that one epoch fills, [m]: N / R."""
        return np.maximum(self.unique, 1e-300) / self.budget

    def effective(self, shares: Array) -> tuple[Array, Array]:
        """Effective share x and the worth dx/dp of the next token, for shares [..., m]."""
        epochs = np.minimum(shares / self.fresh, 1e12)
        return self.fresh * effective_epochs(epochs), next_token_value(epochs)


def supply_of(
    names: Sequence[str],
    unique: Mapping[str, float],
    budget: float,
    repeat_cap: float = np.inf,
    matched: bool = False,
) -> Supply:
    """The supply of the sources in `names`; ConfigError for unknown or missing ones or settings."""
    if not (budget > 0 and repeat_cap > 0):
        raise ConfigError(
            "Budget and repeat cap must be positive.",
            value={"budget": budget, "repeat_cap": repeat_cap},
            next_step="give a budget in tokens and a cap in epochs",
        )
    known = {name: tokens for name, tokens in unique.items() if name in names}
    return Supply(vector(known, list(names), "supply"), float(budget), repeat_cap, matched)


@dataclass(frozen=True, slots=True)
class Worn:
    """A response at the budget of `supply`: `worst` [B, T] numbers the least useful source."""

    fresh: Response
    supply: Supply
    worst: Index

    @property
    def replicates(self) -> int:
        """B."""
        return self.fresh.replicates

    @property
    def metrics(self) -> int:
        """T."""
        return self.fresh.metrics

    @property
    def convex(self) -> bool:
        """Only for laws of one index, see the module's text."""
        laws = self.fresh.laws if isinstance(self.fresh, Surface) else ()
        return bool(laws) and all(law.law in ONE_INDEX for law in laws)

    def predict(self, weights: Array) -> Array:
        """Mixtures [n, m] under every replicate: [B, n, T]."""
        shares = self.supply.effective(weights)[0]
        waste = 1.0 - shares.sum(axis=1)
        costs = np.empty((self.replicates, len(weights), self.metrics))
        for source in np.unique(self.worst):
            seen = shares.copy()
            seen[:, source] += waste
            own = np.broadcast_to((self.worst == source)[:, None, :], costs.shape)
            costs[own] = self.fresh.predict(seen)[own]
        return costs

    def each(self, points: Array) -> tuple[Array, Array]:
        """Cost [B, T] and slope [B, T, m] of replicate b at points[b]."""
        shares, worth = self.supply.effective(points)
        seen = np.repeat(shares[:, None, :], self.metrics, axis=1)
        index = self.worst[:, :, None]
        waste = (1.0 - shares.sum(axis=1))[:, None, None]
        np.put_along_axis(seen, index, np.take_along_axis(seen, index, 2) + waste, 2)
        cost, slope = self.fresh.each(seen)
        return cost, (slope - np.take_along_axis(slope, index, 2)) * worth[:, None, :]

    def at(self, points: Array, blend: Array) -> tuple[Array, Array]:
        """Cost [B] and slope [B, m], metrics weighed by `blend`."""
        cost, slope = self.each(points)
        return cost @ blend, np.einsum("t,btm->bm", blend, slope)

    def first(self, replicates: int) -> "Worn":
        """The first so many replicates."""
        return Worn(self.fresh.first(replicates), self.supply, self.worst[:replicates])

    def only(self, metrics: Sequence[int]) -> "Worn":
        """Some metrics, numbered anew."""
        return Worn(self.fresh.only(metrics), self.supply, self.worst[:, list(metrics)])


def worn(response: Response, supply: Supply | None, natural: Array) -> Response:
    """`response` with repetition counted, or itself if nothing is known or runs were matched."""
    if supply is None or supply.matched:
        return response
    half = 0.5 * (natural[None, :] + np.eye(len(natural)))
    return Worn(response, supply, response.predict(half).argmax(axis=1))


def supply_table(supply: Supply, names: Sequence[str], proposal: Array) -> pl.DataFrame:
    """Per source: share, unique_tokens, epochs, effective_tokens, effective_share, value, cap.

    `value` is effective by trained tokens, null where nothing is trained.
    """
    effective = supply.effective(proposal)[0]
    used = proposal > 0
    value = np.divide(effective, proposal, out=np.zeros_like(proposal), where=used)
    return pl.DataFrame(
        {
            "source": list(names),
            "share": proposal,
            "unique_tokens": supply.unique,
            "epochs": np.where(used, proposal / supply.fresh, 0.0),
            "effective_tokens": effective * supply.budget,
            "effective_share": effective,
            "value": pl.Series(value).set(pl.Series(~used), None),
            "cap": supply.caps,
        }
    )
