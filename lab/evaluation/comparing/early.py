"""What stopping early would have cost: the order of mixtures on the way against that at the end.

Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) stops the worse half of the runs
at a share s of the budget. It is right only as far as the order at s is the order at the end. For
finished runs whose snapshots are scored that can be looked up; for every share:

    rank correlation   Spearman's rho between scores at s and at the end, over mixtures (means over
                       seeds), with a percentile interval of `DRAWS` bootstrap samples of mixtures
    kept best          is the best of the end in the better half at s?
    regret             what the end's score loses: of halving, if the best was in the other half;
                       of the leader, if only the best at s had gone on

in the metric's unit, zero or more. Training loss cannot stand in for the score: it is measured on
each mixture's own text, and an easy mixture has a low loss.

Where it fails: with less than about ten mixtures the interval is wide, and the bootstrap makes it
too narrow rather than too wide. Mixtures closer than the noise of seeds have no order to keep: see
the gate. Snapshots before the decay of the learning rate are of models that are not annealed; their
order may differ for that reason alone. And that the order held in this sweep says little about one
of other sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.errors import ConfigError, DataError
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.evaluation.runs.metrics import MEAN
from lab.evaluation.runs.trajectories import ScoredRun, score_points, scored_runs, usual_budget
from lab.proxy.record import list_records

DRAWS: Final = 2000
LEAST: Final = 3  # mixtures: two are in one order or the other
HELDOUT: Final = ("heldout", MEAN, "bpb")
MIXTURE: Final = ("recipe", "mixture")

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stop:
    """Stopping at `share` of the budget; regrets in the metric's unit."""

    share: float
    correlation: Estimate
    kept_best: bool
    regret_of_halving: float
    leader: str
    regret_of_leader: float


@dataclass(frozen=True, slots=True)
class Early:
    """All shares that were scored, the metric, and the best mixture at the end."""

    scope: str
    on: str
    metric: str
    unit: str
    best: str
    stops: tuple[Stop, ...]
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row a share; `saved` is the compute that halving there spares."""
        return pl.DataFrame(
            [
                {"share": s.share, "spearman": s.correlation.value, "low": s.correlation.low}
                | {"high": s.correlation.high, "mixtures": s.correlation.n}
                | {"halving_keeps_best": s.kept_best, "regret_of_halving": s.regret_of_halving}
                | {"leader": s.leader, "regret_of_leader": s.regret_of_leader}
                | {"saved": (1 - s.share) / 2}
                for s in self.stops
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Rows and what they are about."""
        return asdict(self) | {"stops": self.frame().to_dicts()}


def early(
    ws: Workspace, names: Sequence[str], metric: tuple[str, str, str] = HELDOUT, seed: int = 0
) -> Early:
    """The table for runs of `names` (ids of sweeps or runs, or recipes) at their usual budget.

    `metric` is (scope, on, metric). Raises ConfigError for an unknown name or metric, DataError
    with fewer than three mixtures or without scored snapshots.
    """
    runs = chosen_runs(ws, names)
    budget = usual_budget(runs, None, None)
    same = [run for run in runs if run.budget == budget]
    points, notes = score_points(same)
    if len(same) < len(runs):
        notes.append(f"{len(runs) - len(same)} runs of other sizes or budgets are left out.")
    rows = of_metric(points, metric)
    table = mixture_table(rows)
    steps = sorted(int(c) for c in table.columns if c not in MIXTURE)
    if table.height < LEAST or len(steps) < 2:
        raise DataError(
            "Too little is scored to judge early stopping.",
            value=f"{table.height} mixtures at {len(steps)} steps",
            next_step=f"score the snapshots of {LEAST} mixtures or more: `mixlab evaluate RUN "
            "--snapshots`, or train with --score-snapshots",
        )
    sign = 1.0 if rows["better_is"][0] == "higher" else -1.0
    final = sign * table[str(steps[-1])].to_numpy()
    names_of = table["recipe"].to_list()
    rng = np.random.default_rng(seed)
    stops = [
        stop_at(step / steps[-1], sign * table[str(step)].to_numpy(), final, names_of, rng)
        for step in steps[:-1]
    ]
    best = names_of[int(final.argmax())]
    return Early(*metric, rows["unit"][0], best, tuple(stops), tuple(notes))


def chosen_runs(ws: Workspace, names: Sequence[str]) -> list[ScoredRun]:
    """Scored runs by id of a sweep, id of a run, or recipe; ConfigError for none of these."""
    known = scored_runs(ws)
    sweeps = {record.id: record.runs for record in list_records(ws)}
    wanted: set[str] = set()
    for name in names:
        mine = {r.folder.name for r in known if name in (r.folder.name, r.spec["recipe"])}
        mine |= {r.folder.name for r in known if r.folder.name in sweeps.get(name, ())}
        if not mine:
            raise ConfigError(
                "This names no finished and scored run.",
                value=name,
                next_step="give recipes, runs, or a sweep of: " + (", ".join(sweeps) or "none yet"),
            )
        wanted |= mine
    return [run for run in known if run.folder.name in wanted]


def of_metric(points: pl.DataFrame, metric: tuple[str, str, str]) -> pl.DataFrame:
    """The rows of one metric; ConfigError that names those there are."""
    rows = points.filter(
        pl.struct("scope", "on", "metric")
        == dict(zip(("scope", "on", "metric"), metric, strict=True))
    )
    if rows.is_empty():
        there = points.select("scope", "on", "metric").unique().sort(pl.all()).rows()
        raise ConfigError(
            "This metric was not scored.",
            value=" ".join(metric),
            next_step="one of: " + "; ".join(" ".join(row) for row in there),
        )
    return rows


def mixture_table(rows: pl.DataFrame) -> pl.DataFrame:
    """recipe, mixture and a column per step: means over seeds, the finished model last.

    A mixture counts where its finished model is scored, a step where all seeds of every mixture
    have it.
    """
    means = rows.group_by("mixture", "step").agg(
        pl.col("recipe").first(), pl.col("value").mean(), pl.len().alias("seeds")
    )
    finished = rows.filter(share=1.0).group_by("mixture").agg(pl.len().alias("all"))
    whole = means.join(finished, on="mixture").filter(pl.col("seeds") == pl.col("all"))
    wide = whole.sort("step", "recipe", "mixture").pivot(
        "step", index=list(MIXTURE), values="value"
    )
    return wide.select(s for s in wide if s.name in MIXTURE or not s.null_count())


def stop_at(
    share: float, then: Array, final: Array, names: Sequence[str], rng: np.random.Generator
) -> Stop:
    """One row: scores at `share` and at the end, [mixtures] each, higher is better."""
    best, leader = int(final.argmax()), int(then.argmax())
    kept = np.argsort(-then, kind="stable")[: -(-len(then) // 2)]
    return Stop(
        share=share,
        correlation=rank_correlation(then, final, rng),
        kept_best=best in kept,
        regret_of_halving=float(final[best] - final[kept].max()),
        leader=names[leader],
        regret_of_leader=float(final[best] - final[leader]),
    )


def rank_correlation(a: Array, b: Array, rng: np.random.Generator) -> Estimate:
    """Spearman's rho of two scores [mixtures] with a bootstrap interval over mixtures.

    Samples in which all drawn mixtures tie have no rho and are dropped.
    """
    draws = rng.integers(len(a), size=(DRAWS, len(a)))
    sampled = spearman(a[draws], b[draws])
    known = sampled[np.isfinite(sampled)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (-1.0, 1.0)
    value = float(spearman(a[None], b[None])[0])
    return Estimate(value, float(low), float(high), len(a), "rank correlation")


def spearman(a: Array, b: Array) -> Array:
    """Spearman's rho of each row of two arrays; ties share their mean rank, NaN where all tie."""
    from scipy.stats import rankdata

    x, y = (rankdata(v, axis=1) for v in (a, b))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    size = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return np.where(size > 0, (x * y).sum(axis=1) / np.where(size > 0, size, 1), np.nan)


def words(found: Early) -> Mapping[float, str]:
    """A sentence per share."""
    said = {}
    for stop in found.stops:
        keeps = "would have kept" if stop.kept_best else "would have dropped"
        regret = f", regret {stop.regret_of_halving:.3g} {found.unit}" if not stop.kept_best else ""
        said[stop.share] = (
            f"Stopping the worse half at {stop.share:.0%} {keeps} {found.best}, the best{regret}; "
            f"rank correlation {stop.correlation.value:.2f} "
            f"[{stop.correlation.low:.2f}, {stop.correlation.high:.2f}]."
        )
    return said
