"""How far a mean score can be trusted: seeds and items as two crossed sources of chance.

K seeds are scored on the same n items. With z_kc the score of item c under seed k,

    z_kc = mu + seed_k + item_c + rest_kc

and the mean over all has variance  V = s_seed^2/K + s_item^2/n + s_rest^2/(K n). From the two-way
table (Cornfield and Tukey 1956, Ann. Math. Stat. 27):

    S = var_k(z_k.)/K      estimates  s_seed^2/K + s_rest^2/(K n)
    T = var_c(z_.c)/n      estimates  s_item^2/n + s_rest^2/(K n)
    E = mean square of the rest/(K n)            V = S + T - E

so counting only items (the usual error bar of a benchmark; Miller 2024, "Adding error bars to
evals", arXiv:2411.00640) or only seeds is too narrow, and adding S and T counts the rest twice, as
the bootstrap of both sides does (Owen 2007, "The pigeonhole bootstrap", Ann. Appl. Stat. 1).

**The interval.** S has K - 1 degrees of freedom, often one or two. One t quantile for V with
Satterthwaite's degrees of freedom then covers too little: when the few seeds agree by luck, V
comes out small *and* its degrees of freedom large. Each part therefore brings its own quantile
(Howe 1974, JASA 69; Burdick and Graybill 1992, ch. 3):

    half width = sqrt( t_{K-1}^2 S + t_{n-1}^2 max(T - E, 0) ),   not below t_{n-1} sqrt(T)

Nominal 95 %, 100,000 draws at each of 64 settings (60 and 1,000 items, seed part 0 to 100 times
and rest 0.01 to 5 times the item part): Satterthwaite covers 87-98 % at K = 2 and 92-98 % at K = 3;
this 95-99 % at both and 95-98 % at K = 5, so "resolved" is wrong at most 5 % of the time. The price
is width: with two seeds t_1 = 12.7, and only large differences are resolved. Three seeds are worth
their cost.

**Ratios and clusters.** A unit is a document (nats over bytes) or a cluster of items that share a
question (sum of scores over items). With numerators N_kc and denominators D_c, the ratio R_k is
linearised per seed (Cochran 1977, ch. 6):  z_kc = R_k + (N_kc - R_k D_c) n / sum(D).

**Differences.** The items are the same in both groups, so item differences are always paired. If
seeds are paired too (same seed, so same initial weights and document order), the table is that of
the differences; if not, S and E are those of both groups added, with Welch's degrees of freedom.

Where it fails: with one seed, S is unknown, and nothing can be said about training again; a family
of items written from one template is less information than its number of items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Parts:
    """A mean and the parts of its variance; arrays of one shape (0-d for one table).

    `seed`, `item` and `rest` are S, T and E above. `seed` is NaN with a single seed, `item` is
    infinite with a single unit.
    """

    value: Array
    seed: Array
    seed_df: Array
    item: Array
    item_df: Array
    rest: Array


def linearise(numerators: ArrayLike, denominators: ArrayLike) -> Array:
    """Tables [..., seeds, units] of sums as tables of scores whose row means are the ratios."""
    top, bottom = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    total = bottom.sum(-1)
    ratio = (top.sum(-1) / total)[..., None]
    return ratio + (top - ratio * bottom) * (bottom.shape[-1] / total)


def split_variance(tables: Sequence[Array]) -> Parts:
    """Mean over `tables` (each [..., seeds, units], units may differ) and parts of its variance.

    Several tables are several benchmarks under the same seeds: their means are averaged with equal
    weight, their items are independent.
    """
    seeds = tables[0].shape[-2]
    row_means = np.mean([table.mean(-1) for table in tables], axis=0)
    item, item_df = item_part([table.mean(-2) for table in tables])
    unknown = np.full(row_means.shape[:-1], np.nan)
    return Parts(
        value=row_means.mean(-1),
        seed=row_means.var(-1, ddof=1) / seeds if seeds > 1 else unknown,
        seed_df=np.full(row_means.shape[:-1], max(seeds - 1, 1), np.float64),
        item=item,
        item_df=item_df,
        rest=rest_part(tables),
    )


def item_part(means: Sequence[Array]) -> tuple[Array, Array]:
    """(T, its degrees of freedom) from the unit means [..., units] of every table."""
    parts = [
        mean.var(-1, ddof=1) / mean.shape[-1]
        if mean.shape[-1] > 1
        else np.full(mean.shape[:-1], np.inf)
        for mean in means
    ]
    freedom = [np.full(p.shape, max(m.shape[-1] - 1, 1)) for m, p in zip(means, parts, strict=True)]
    return sum(parts, np.zeros(())) / len(means) ** 2, pooled_freedom(parts, freedom)


def rest_part(tables: Sequence[Array]) -> Array:
    """E: the mean square of what neither seed nor unit explains, over the number of cells."""
    total = np.zeros(tables[0].shape[:-2])
    for table in tables:
        seeds, units = table.shape[-2:]
        if seeds > 1 and units > 1:
            rest = table - table.mean(-1, keepdims=True) - table.mean(-2, keepdims=True)
            rest += table.mean((-2, -1), keepdims=True)
            total = total + (rest**2).sum((-2, -1)) / ((seeds - 1) * (units - 1) * seeds * units)
    return np.asarray(total / len(tables) ** 2)


def pooled_freedom(parts: Sequence[Array], freedom: Sequence[Array]) -> Array:
    """Degrees of freedom of a sum of variances (Welch 1947, Satterthwaite 1946)."""
    whole = np.sum(parts, axis=0)
    weight = np.sum([p**2 / f for p, f in zip(parts, freedom, strict=True)], axis=0)
    defined = np.isfinite(whole) & (weight > 0)
    ratio = np.where(defined, whole, 1.0) ** 2 / np.where(defined, weight, 1.0)
    return np.where(defined, ratio, np.min(freedom, axis=0)).astype(np.float64)


def split_difference(a: Sequence[Array], b: Sequence[Array], *, paired: bool) -> Parts:
    """Parts of the difference of means b - a; tables of a and b hold the same units in order.

    `paired`: row k of a and row k of b are the same seed.
    """
    if paired:
        return split_variance([right - left for left, right in zip(a, b, strict=True)])
    first, second = split_variance(a), split_variance(b)
    gaps = [right.mean(-2) - left.mean(-2) for left, right in zip(a, b, strict=True)]
    item, item_df = item_part(gaps)
    return Parts(
        value=second.value - first.value,
        seed=first.seed + second.seed,
        seed_df=pooled_freedom(
            [np.nan_to_num(first.seed), np.nan_to_num(second.seed)], [first.seed_df, second.seed_df]
        ),
        item=item,
        item_df=item_df,
        rest=first.rest + second.rest,
    )


def half_width(parts: Parts, level: ArrayLike = LEVEL) -> Array:
    """Half the width of the interval at `level`; of item error only where the seed part is NaN."""
    from scipy.special import stdtrit

    upper = (1 + np.asarray(level, np.float64)) / 2
    seed, item = stdtrit(parts.seed_df, upper) ** 2, stdtrit(parts.item_df, upper) ** 2
    crossed = seed * np.nan_to_num(parts.seed) + item * np.maximum(parts.item - parts.rest, 0)
    return np.asarray(np.sqrt(np.maximum(crossed, item * parts.item)))


def p_value(parts: Parts) -> Array:
    """Two-sided p of "the mean is zero": 1 - the level at which the interval just reaches zero."""
    low, high = np.zeros(parts.value.shape), np.ones(parts.value.shape)
    for _ in range(50):  # halvings; the last is below 1e-15
        middle = (low + high) / 2
        excludes = half_width(parts, middle) < np.abs(parts.value)
        low, high = np.where(excludes, middle, low), np.where(excludes, high, middle)
    return np.where(parts.value == 0, 1.0, 1 - low)


def seed_share(parts: Parts) -> Array:
    """Share of the variance that more seeds would lower, between 0 and 1; NaN with one seed."""
    whole = np.maximum(parts.seed + parts.item - parts.rest, np.maximum(parts.seed, parts.item))
    share = 1 - np.maximum(parts.item - parts.rest, 0) / np.where(whole > 0, whole, 1.0)
    return np.where(np.isnan(parts.seed), np.nan, np.clip(share, 0.0, 1.0))


def holm(p: Sequence[float]) -> list[float]:
    """p values adjusted for their number (Holm 1979), whatever the dependence between them."""
    order = np.argsort(np.asarray(p, np.float64), kind="stable")
    adjusted = np.zeros(len(p))
    scaled = np.asarray(p, np.float64)[order] * np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in adjusted]
