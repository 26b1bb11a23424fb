"""Does the proposal hold at a second size? Three mixtures, two seeds each, and a count.

The proposal, the natural and the uniform mixture are trained at a size that the fit has not seen.
For every target the fit has put them in an order; *decision accuracy* is the share of pairs of
mixtures that the second size orders alike (DataDecide, Magnusson et al. 2025, arXiv:2504.11393:
about .80 from 150M to the winner at 1B),

    accuracy = #{pairs: sign(predicted a - b) = sign(measured a - b)} / #{pairs}.

Its interval is what noise leaves open: from the share of pairs whose measured difference is
resolved and agrees, to one minus the share that is resolved and contradicts. A difference is
resolved if it exceeds t s sqrt(1/n_a + 1/n_b), s the SD between seeds, pooled over mixtures. Other
mixtures that were trained at the second size on the same pools add their pairs.

The proposal *holds* if it beats natural there beyond noise, *fails* if natural beats it beyond
noise, else it is unresolved. What it cannot say: two proxies that agree may both be wrong about a
model a thousand times larger. Levels differ between sizes, so only orders are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from lab.advice.evidence.evidence import Evidence
from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.advice.simplex import Array, variation
from lab.advice.words import few
from lab.core.errors import DataError
from lab.core.estimate import Estimate

LEVEL = 0.95
ALIKE = 1e-4  # total variation below which two rows are repeats of one mixture
PROPOSAL, NATURAL, UNIFORM = "proposal", "natural", "uniform"
ROWS = {
    "metric": pl.String,
    "mixture": pl.String,
    "predicted": pl.Float64,
    "measured": pl.Float64,
    "runs": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Validation:
    """What a second size says about a proposal.

    `accuracy` per target, n is the number of pairs; `overall` over the pairs of all targets. `gain`
    is the measured gain of the proposal over natural, mean over targets, positive is better. `rows`
    have the columns of `ROWS`.
    """

    size: str
    tokens: int
    verdict: str  # holds, fails or unresolved
    gain: Estimate
    overall: Estimate
    accuracy: Mapping[str, Estimate]
    rows: pl.DataFrame
    notes: tuple[str, ...]


def validation_mixtures(advice: Advice) -> dict[str, dict[str, float]]:
    """The three mixtures by name; natural or uniform is left out if it is the proposal."""
    names = list(advice.proposal)
    even = {name: 1 / len(names) for name in names}
    found: dict[str, dict[str, float]] = {}
    for key, shares in (
        (PROPOSAL, advice.proposal),
        (NATURAL, dict(advice.natural)),
        (UNIFORM, even),
    ):
        row = np.array([[shares[name] for name in names]])
        known = np.array([[w[name] for name in names] for w in found.values()])
        if not found or variation(row, known).min() > ALIKE:
            found[key] = shares
    return found


def validate(fit: Fit, advice: Advice, found: Evidence) -> Validation:
    """Compare predictions of `fit` with the runs of `found`, tables of another size.

    DataError if the second size lacks the proposal or natural, or all targets.
    """
    metrics = [name for name in advice.targets if name in found.metrics.columns]
    if not metrics:
        raise DataError(
            "The second size was not scored on what the advice was for.",
            value=list(advice.targets),
            next_step="`mixlab evaluate RUN` on the runs of the second size",
        )
    weights = table_weights(fit, found)
    centres, group = group_rows(weights)
    named = names_of(centres, advice, list(fit.sources))
    signs = np.array([fit.signs[fit.metrics.index(name)] for name in metrics])
    costs = found.metrics.select(metrics).to_numpy().astype(np.float64) * signs
    columns = [fit.metrics.index(name) for name in metrics]
    predicted = fit.surface.predict(centres)[0][:, columns]
    accuracy: dict[str, Estimate] = {}
    counted: list[tuple[int, int, int, int]] = []
    for t, name in enumerate(metrics):
        counts = count_pairs(predicted[:, t], costs[:, t], group)
        accuracy[name] = share_of(*counts)
        counted.append(counts)
    pairs, alike, sure, contrary = (sum(column) for column in zip(*counted, strict=True))
    gain = measured_gain(costs.mean(axis=1), group, named)
    left = [name for name in advice.targets if name not in metrics]
    notes = [f"Not scored at {found.size}, left out: {few(left)}."] if left else []
    return Validation(
        found.size,
        found.tokens,
        "holds" if gain.low > 0 else "fails" if gain.high < 0 else "unresolved",
        gain,
        share_of(pairs, alike, sure, contrary),
        accuracy,
        mixture_rows(metrics, named, predicted * signs, costs * signs, group),
        (*found.notes, *notes),
    )


def table_weights(fit: Fit, found: Evidence) -> Array:
    """Weights of the runs in the order of the fit's sources; DataError for others with weight."""
    sources = [c for c in found.ratios.columns if c not in ("run", "name")]
    used = [s for s in sources if s not in fit.sources and bool((found.ratios[s] != 0).any())]
    if used:
        raise DataError(
            "Runs of the second size use sources that the fit does not know.",
            value=used,
            next_step="fit runs that use them, then advise again",
        )
    return found.ratios.select(fit.sources).to_numpy().astype(np.float64)


def group_rows(weights: Array) -> tuple[Array, Array]:
    """(different mixtures [M, m], the number of its mixture for every row [K])."""
    centres, group = weights[:0], []
    for row in weights:  # tens of runs
        apart = variation(row[None, :], centres)[0] if len(centres) else np.array([1.0])
        if not len(centres) or apart.min() > ALIKE:
            centres = np.vstack([centres, row])
            apart = variation(row[None, :], centres)[0]
        group.append(int(np.argmin(apart)))
    return centres, np.array(group)


def names_of(centres: Array, advice: Advice, sources: list[str]) -> list[str]:
    """proposal, natural, uniform or mixture-N for every mixture; DataError without the first two.

    A proposal that is natural has only that name.
    """
    names = [f"mixture-{k + 1}" for k in range(len(centres))]
    for key, shares in validation_mixtures(advice).items():
        row = np.array([[shares.get(name, 0.0) for name in sources]])
        apart = variation(row, centres)[0]
        if apart.min() > ALIKE:
            if key == UNIFORM:
                continue
            raise DataError(
                f"The second size has no run of the {key} mixture.",
                next_step="`mixlab validate RECIPE --size SIZE --seeds 2` trains what is missing",
            )
        names[int(np.argmin(apart))] = key
    return names


def count_pairs(predicted: Array, costs: Array, group: Array) -> tuple[int, int, int, int]:
    """(pairs, ordered alike, resolved and alike, resolved and contrary) of one target.

    `predicted` [M] by mixture; `costs` [K] and `group` [K] by run.
    """
    means, counts, sd, t = spread(costs, group)
    alike = sure = contrary = 0
    pairs = list(combinations(range(len(predicted)), 2))
    for a, b in pairs:
        expected, seen = predicted[a] - predicted[b], means[a] - means[b]
        resolved = abs(seen) > t * sd * np.sqrt(1 / counts[a] + 1 / counts[b])
        same = expected * seen > 0
        alike += same
        sure += same and resolved
        contrary += not same and resolved
    return len(pairs), int(alike), int(sure), int(contrary)


def share_of(pairs: int, alike: int, sure: int, contrary: int) -> Estimate:
    """Decision accuracy; its interval is what noise leaves open. Nothing is known of no pairs."""
    if not pairs:
        return Estimate(0.5, 0.0, 1.0, 0, "share of pairs", LEVEL)
    low, high = sure / pairs, 1 - contrary / pairs
    return Estimate(alike / pairs, low, high, pairs, "share of pairs", LEVEL)


def spread(costs: Array, group: Array) -> tuple[Array, Array, float, float]:
    """(mean and number of runs per mixture, SD between seeds pooled, its t quantile).

    DataError if no mixture has two runs.
    """
    from scipy.special import stdtrit

    counts = np.bincount(group).astype(np.float64)
    means = np.bincount(group, costs) / counts
    freedom = len(costs) - len(counts)
    if freedom < 1:
        raise DataError(
            "No mixture was trained under two seeds, so nothing is known about noise.",
            value=f"{len(costs)} runs of {len(counts)} mixtures",
            next_step="`mixlab validate RECIPE --seeds 2`",
        )
    sd = float(np.sqrt(((costs - means[group]) ** 2).sum() / freedom))
    return means, counts, sd, float(stdtrit(freedom, (1 + LEVEL) / 2))


def measured_gain(costs: Array, group: Array, named: Sequence[str]) -> Estimate:
    """Cost of natural less that of the proposal, with its interval over seeds."""
    means, counts, sd, t = spread(costs, group)
    a, b = (named.index(key) if key in named else -1 for key in (NATURAL, PROPOSAL))
    if a < 0:
        return Estimate(0.0, 0.0, 0.0, len(costs), level=LEVEL)  # the proposal is natural
    half = t * sd * float(np.sqrt(1 / counts[a] + 1 / counts[b]))
    value = float(means[a] - means[b])
    n = int(counts[a] + counts[b])
    return Estimate(value, value - half, value + half, n, level=LEVEL)


def mixture_rows(
    metrics: Sequence[str], named: Sequence[str], predicted: Array, values: Array, group: Array
) -> pl.DataFrame:
    """One row per target and mixture: what the fit said at its size, what this size measured."""
    rows: list[dict[str, Any]] = []
    for t, metric in enumerate(metrics):
        for k, name in enumerate(named):
            own = values[group == k, t]
            row: dict[str, Any] = {"metric": metric, "mixture": name}
            row |= {"predicted": float(predicted[k, t]), "measured": float(own.mean())}
            rows.append(row | {"runs": len(own)})
    return pl.DataFrame(rows, schema=ROWS)


def validation_mapping(found: Validation) -> dict[str, Any]:
    """A validation as JSON values."""
    return {
        "size": found.size,
        "tokens": found.tokens,
        "verdict": found.verdict,
        "gain": asdict(found.gain),
        "overall": asdict(found.overall),
        "accuracy": {name: asdict(value) for name, value in found.accuracy.items()},
        "rows": found.rows.to_dicts(),
        "notes": list(found.notes),
    }


def read_validation(mapping: Mapping[str, Any]) -> Validation:
    """The validation that `validation_mapping` wrote."""
    read = {key: Estimate(**mapping[key]) for key in ("gain", "overall")}
    accuracy = {name: Estimate(**value) for name, value in mapping["accuracy"].items()}
    values = dict(mapping) | read | {"accuracy": accuracy, "notes": tuple(mapping["notes"])}
    return Validation(**values | {"rows": pl.DataFrame(mapping["rows"], schema=ROWS)})
