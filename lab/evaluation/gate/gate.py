"""The signal gate: may this metric drive a decision? Per metric, before it is optimised for.

Four questions, each passed, failed or not measured, from runs of one size and budget:

    signal to noise        SNR >= 5      Can these mixtures be told apart? (`signal`; bands of
                                         a 240-mixture swarm in bits per byte: above 5 a law can be
                                         fitted, below 2 not; marin-community/marin,
                                         eval_signal_to_noise_ranked.csv)
    monotonicity           >= 0.5        Does it improve while a model trains? Mean Spearman of step
                                         and score (FineTasks, Kydlicek et al. 2024), over the
                                         better half of mixtures (others may lack the text),
                                         without the final score, which chose that half
    distance from chance   >= 3 SD       Does the best mixture do better than guess? (FineTasks) For
                                         metrics that have a chance line only
    rank stability         tau >= 0.6    Do mixtures rank alike at another size? Kendall's tau; 0.6
                                         is a decision accuracy of .8, that of a 150M proxy for 1B
                                         (DataDecide, Magnusson et al. 2025, arXiv:2504.11393)

A metric **failed** if one question failed: it is shown, and cannot be optimised for. It **passed**
if its SNR did and nothing failed. Otherwise it is **not judged**, because there are too few repeats
or mixtures; the reason names the run that would settle it. Decisions are made on the value, the
interval is shown beside it; only rank stability fails by its interval, since a handful of mixtures
that lie close may change places by noise alone.

Noise of checkpoints alone can fail a metric, and cannot pass it: under a rate that decays to zero
the last checkpoints hardly differ while seeds do, so that SNR is an upper bound.

Least evidence: 3 degrees of freedom of noise (the 95 % interval of an SD then spans .57 to 3.7
times the value; with 1 it spans .45 to 32), 3 mixtures, 4 checkpoints of a run, and for ranks 6
mixtures at both sizes. Noise is chosen once a metric, the larger of seeds and checkpoints among
those with enough degrees of freedom, for SNR, signal and distance from chance alike.
Cost: 1 ms a checkpoint to read, 5 ms a metric.

Where it fails: see `signal`. Passing says that *these* mixtures differ by more than noise at *this*
size, not that the metric measures what its name says; `gain` looks into that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from lab.core.workspace import Workspace
from lab.evaluation.gate.criteria import (
    DEFAULT,
    FAILED,
    LEAST_FREEDOM,
    PASSED,
    QUESTIONS,
    Criterion,
    Thresholds,
    chance_criterion,
    finite,
    monotone_criterion,
    rank_criterion,
    signal_criterion,
    usable_noise,
)
from lab.evaluation.runs.metrics import Metric
from lab.evaluation.runs.trajectories import NAMED, score_points, scored_runs, usual_budget
from lab.evaluation.statistics import signal as of


@dataclass(frozen=True, slots=True)
class GateRow:
    """One metric. Noise and signal in its own unit; `snr_range` as in Signal and Noise.

    Noises are as measured; signal and `snr_range` are None where none has enough freedom.
    """

    metric: Metric
    mixtures: int
    runs: int
    noise_seeds: of.Noise | None
    noise_checkpoints: of.Noise | None
    signal: float | None
    snr_range: float | None
    criteria: tuple[Criterion, ...]  # signal to noise first

    @property
    def snr(self) -> float | None:
        """Signal to noise; None where it could not be measured."""
        return self.criteria[0].value

    @property
    def verdict(self) -> str:
        """passed, failed or not judged."""
        states = [criterion.state for criterion in self.criteria]
        if FAILED in states:
            return FAILED
        return PASSED if states[0] == PASSED else "not judged"

    @property
    def passed(self) -> bool:
        """May it be optimised for without a warning?"""
        return self.verdict == PASSED

    @property
    def failed(self) -> bool:
        """Is it refused as a target?"""
        return self.verdict == FAILED

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        if self.verdict in (PASSED, FAILED):
            return "; ".join(c.reason for c in self.criteria if c.state == self.verdict)
        return self.criteria[0].reason

    @property
    def settle(self) -> str:
        """What would settle a metric that was not judged, or measure the rest of one that was."""
        return "; ".join(dict.fromkeys(c.settle for c in self.criteria if c.settle))


@dataclass(frozen=True, slots=True)
class Gate:
    """Every metric at one size and budget, the thresholds that were used, and notes."""

    size: str
    tokens: int
    rows: tuple[GateRow, ...]
    thresholds: Thresholds
    notes: tuple[str, ...]

    def row(self, metric: Metric) -> GateRow | None:
        """The row of `metric`, whatever its unit; None if it was not scored."""
        key = (metric.scope, metric.on, metric.metric)
        same = (r for r in self.rows if (r.metric.scope, r.metric.on, r.metric.metric) == key)
        return next(same, None)

    def frame(self) -> pl.DataFrame:
        """One row per metric: verdict, noises, signal, one column per question, reason, settle."""
        return pl.DataFrame([flat(row) for row in self.rows], infer_schema_length=None)

    def to_json(self) -> dict[str, Any]:
        """Rows with all criteria, thresholds and notes as JSON values."""
        rows = [
            flat(row) | {"criteria": [known(asdict(c)) for c in row.criteria]} for row in self.rows
        ]
        keys = {"size": self.size, "tokens": self.tokens, "thresholds": asdict(self.thresholds)}
        return keys | {"rows": rows, "notes": list(self.notes)}


def gate(
    ws: Workspace,
    recipes: Sequence[str] = (),
    *,
    size: str | None = None,
    tokens: int | None = None,
    thresholds: Thresholds = DEFAULT,
) -> Gate:
    """Judge every metric of the scored runs of `recipes` (all) at one size and budget.

    `size` and `tokens` default to where most runs are. Raises DataError if no run is scored there.
    """
    everything = scored_runs(ws, recipes)
    budget = usual_budget(everything, size, tokens)
    runs = [run for run in everything if run.budget == budget]
    points, notes = score_points(runs)
    others, _ = score_points([run for run in everything if run.spec["size"] != budget[0]])
    settle = commands(points, budget[0], budget[1])
    elsewhere = dict(others.group_by(NAMED))
    rows = [
        judge(part, elsewhere.get(key, others.clear()), thresholds, settle)
        for key, part in points.group_by(NAMED, maintain_order=True)
    ]
    if len(others["run"].unique()) == 0:
        notes.append("Runs of one size only: rank stability between sizes is not measured.")
    return Gate(budget[0], budget[1], tuple(rows), thresholds, tuple(notes))


def commands(points: pl.DataFrame, size: str, tokens: int) -> Mapping[str, str]:
    """The commands that would answer an open question, by question."""
    final = points.filter(pl.col("share") == 1).select("recipe", "run").unique()
    counts = final.group_by("recipe").len().sort("len", "recipe", descending=[True, False])
    recipe, run = counts["recipe"][0], final["run"].sort()[0]
    again = f"--size {size} --tokens {tokens}"
    return {
        "noise": f"`mixlab train {recipe} --seeds {LEAST_FREEDOM + 1} {again}`",
        "mixtures": f"`mixlab sweep {recipe} {again}`",
        "snapshots": f"`mixlab evaluate {run} --snapshots`",
        "sizes": "`mixlab scale` with two sizes says which runs are missing",
    }


def judge(
    points: pl.DataFrame, others: pl.DataFrame, limits: Thresholds, settle: Mapping[str, str]
) -> GateRow:
    """One metric from its rows of `trajectories.POINTS` here and at other sizes."""
    first = points.row(0, named=True)
    metric = Metric(*(first[key] for key in (*NAMED, "unit", "better_is")))
    final = points.filter(pl.col("share") == 1)
    groups = [g["value"].to_numpy() for _, g in final.group_by("mixture", maintain_order=True)]
    curves = curves_of(points, metric)
    seeds, late = of.seed_noise(groups), of.checkpoint_noise(curves, limits.last)
    noise = usable_noise(seeds, late)
    criteria = [
        signal_criterion(groups, seeds.df if seeds else 0, noise, limits, settle),
        monotone_criterion(  # without the final score, by which the half was chosen
            curves_of(better_half(points, metric).filter(pl.col("share") < 1), metric),
            limits,
            settle,
        ),
    ]
    if first["chance"] is not None:
        criteria.append(chance_criterion(groups, noise, first, limits))
    criteria.append(rank_criterion(final, others, limits, settle))
    return GateRow(
        metric,
        len(groups),
        final.height,
        seeds,
        late,
        of.signal(groups, noise) if noise and len(groups) > 1 else None,
        of.range_to_noise(groups, noise) if noise and len(groups) > 1 else None,
        tuple(criteria),
    )


def better_half(points: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """Points of the mixtures whose final scores are in the better half.

    A mixture without the text that teaches a skill does not improve at it, however good the metric.
    """
    final = points.filter(pl.col("share") == 1).group_by("mixture").agg(pl.col("value").mean())
    order = final.sort("value", "mixture", descending=[metric.better_is == "higher", False])
    return points.join(order.head((order.height + 1) // 2), on="mixture", how="semi")


def curves_of(points: pl.DataFrame, metric: Metric) -> list[of.Curve]:
    """Every run over training, larger is better."""
    sign = 1.0 if metric.better_is == "higher" else -1.0
    parts = points.sort("run", "share").group_by("run", maintain_order=True)
    return [of.Curve(p["share"].to_numpy(), sign * p["value"].to_numpy()) for _, p in parts]


def known(row: dict[str, Any]) -> dict[str, Any]:
    """A row with infinite numbers as null."""
    return {k: finite(v) if isinstance(v, float) else v for k, v in row.items()}


def flat(row: GateRow) -> dict[str, Any]:
    """A row of Gate.frame."""
    values = {c.name: c for c in row.criteria}
    sd = {
        name: None if noise is None else noise.sd
        for name, noise in (("seeds", row.noise_seeds), ("checkpoints", row.noise_checkpoints))
    }
    snr = row.criteria[0]
    return known(
        asdict(row.metric)
        | {"verdict": row.verdict, "passed": row.passed}
        | {"snr": snr.value, "snr_low": snr.low, "snr_high": snr.high}
        | {"signal": row.signal, "noise_seeds": sd["seeds"], "noise_checkpoints": sd["checkpoints"]}
        | {"snr_range": row.snr_range}
        | {q.replace(" ", "_"): values[q].value if q in values else None for q in QUESTIONS[1:]}
        | {"mixtures": row.mixtures, "runs": row.runs, "reason": row.reason, "settle": row.settle}
    )
