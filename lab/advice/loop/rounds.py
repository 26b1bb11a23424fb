"""Propose, train, refit: rounds until the decision is resolved or the minutes are spent.

The first round is a designed swarm just large enough to fit (`Terms.start` mixtures, some of them
with repeats). Every later round trains the next runs of the advice
(`lab.advice.proposing.next_runs`): where the fit's replicates disagree in a way that matters for
the decision, by the minute. What lies within `TWIN` of a mixture that was trained becomes a repeat
of it under another seed.

The loop stops when

    resolved     the verdict on the proposal was the same, and not "unresolved", in two rounds
                 running, and no further run is expected to improve the decision by more than
                 `WORTH` of the gain
    budget       the minutes that are left do not pay for a run
    exhausted    no further mixture differs from those that were proposed

Two rounds, because a verdict that is looked at again and again is "better" by luck sooner or later
(Wald 1945; Armitage, McPherson and Rowe 1969). The minutes are those of the wall clock; after a
kill, those that the runs of the open round say they trained. A round that has begun is finished, so
the budget may be passed by the error of its estimate.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lab.advice.design.design import TWIN, Design
from lab.advice.design.draws import on_grid
from lab.advice.fitting.bootstrap import REPLICATES
from lab.advice.fitting.fit import Fit
from lab.advice.loop.record import Record, Round, Wanted, read_record, write_record
from lab.advice.proposing.advise import KL, Advice, advise
from lab.advice.proposing.next_runs import Place
from lab.advice.simplex import fill, variation
from lab.core.errors import ConfigError
from lab.core.progress import SILENT, Progress

WORTH = 0.01  # of the gain: less is not worth a run
TWICE = 2  # rounds that must agree
LEAST_SHARE = 1e-4  # smaller weights of a next run are zero


@dataclass(frozen=True, slots=True)
class Terms:
    """What is decided: baseline, caps, KL weight, targets, and how many minutes it may take.

    `batch` runs make a round, trained `together` at a time.
    """

    natural: Mapping[str, float]
    budget: float  # minutes
    caps: Mapping[str, float] = field(default_factory=dict)
    kl: float = KL
    targets: tuple[str, ...] = ()
    places: tuple[Place, ...] = (Place(),)
    batch: int = 2
    together: int = 1
    seed: int = 0
    replicates: int = REPLICATES


@dataclass(frozen=True, slots=True)
class Trained:
    """What a trainer says of a round: minutes that its runs trained, runs that failed."""

    minutes: float = 0.0
    failed: tuple[str, ...] = ()


Train = Callable[[Sequence[Wanted], Progress], Trained]
Refit = Callable[[], Fit]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a loop ended, with its last fit and advice."""

    record: Record
    fit: Fit
    advice: Advice


def run_loop(
    folder: Path,
    terms: Terms,
    first: Sequence[Wanted],
    train: Train,
    refit: Refit,
    *,
    about: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> Outcome:
    """Run or continue the loop recorded in `folder`; `first` are the runs of the first round.

    ConfigError if the budget does not pay for them, Cancelled on request (the same call continues),
    and what `train`, `refit` and `advise` raise.
    """
    require_minutes(terms)
    record = replace(read_record(folder), ended="")
    if not record.rounds:
        require_budget(terms, first)
        record = Record((Round(tuple(first)),))
    fit, advice = None, None
    while True:
        if record.rounds[-1].open:
            write_record(folder, record, about)
            record, fit, advice = close_round(record, terms, train, refit, progress)
            write_record(folder, record, about)
        if fit is None or advice is None:  # continued after the last round was closed
            fit, advice = judge(terms, refit())
        ended, wanted = next_round(record, terms, fit, advice)
        record = replace(record, ended=ended)
        if ended:
            write_record(folder, record, about)
            progress(1, 1, f"{ended} after {record.runs} runs")
            return Outcome(record, fit, advice)
        record = replace(record, rounds=(*record.rounds, Round(tuple(wanted))))


def require_minutes(terms: Terms) -> None:
    """ConfigError for a budget that is no time."""
    if not 0 < terms.budget < float("inf"):
        raise ConfigError(
            "The budget must be a number of minutes above zero.",
            where="--budget",
            value=terms.budget,
        )


def require_budget(terms: Terms, first: Sequence[Wanted]) -> None:
    """ConfigError if the first round would take longer than the budget."""
    needed = minutes_of(terms, first)
    if needed > terms.budget:
        raise ConfigError(
            "The budget does not pay for the runs that a first fit needs.",
            where="--budget",
            value=f"{terms.budget:.3g} minutes; {len(first)} runs take about {needed:.3g}",
            next_step="give more minutes, fewer tokens a run or a smaller size",
        )


def minutes_of(terms: Terms, wanted: Sequence[Wanted]) -> float:
    """Minutes that these runs will take, `together` at a time."""
    each = {place.size: place.minutes for place in terms.places}
    total = sum(each.get(run.size, terms.places[0].minutes) for run in wanted)
    return total / max(1, min(terms.together, len(wanted)))


def close_round(
    record: Record, terms: Terms, train: Train, refit: Refit, progress: Progress
) -> tuple[Record, Fit, Advice]:
    """The record with its open round trained and judged."""
    started = time.monotonic()
    wanted = record.rounds[-1].wanted
    spent, ahead = record.minutes, minutes_of(terms, wanted)
    low, high = (min(x / terms.budget, 1.0) for x in (spent, spent + ahead))
    label = f"round {len(record.rounds)}, {len(wanted)} runs: "
    trained = train(wanted, progress.part(low, high, label))
    fit, advice = judge(terms, refit())
    gain, runs = advice.gain, advice.next_runs
    done = replace(
        record.rounds[-1],
        minutes=max((time.monotonic() - started) / 60, trained.minutes),
        verdict=advice.verdict,
        p_better=advice.p_better,
        gain=(gain.value, gain.low, gain.high),
        worth=float(runs["expected_gain"][0]) if runs.height else 0.0,
        proposal=advice.proposal,
        evidence=len(fit.runs),
        failed=trained.failed,
    )
    return record.with_last(done), fit, advice


def judge(terms: Terms, fit: Fit, path: Sequence[float] = ()) -> tuple[Fit, Advice]:
    """The advice that the evidence gives now, with a round's worth of next runs."""
    known = [*fit.sources, *fit.unseen]
    advice = advise(
        fit,
        {name: share for name, share in terms.natural.items() if name in known},
        caps={name: cap for name, cap in terms.caps.items() if name in known},
        targets=terms.targets,
        kl=terms.kl,
        replicates=terms.replicates,
        count=terms.batch,
        places=terms.places,
        path=path,
        seed=terms.seed,
    )
    return fit, advice


def next_round(record: Record, terms: Terms, fit: Fit, advice: Advice) -> tuple[str, list[Wanted]]:
    """(why the loop ends, or empty; the runs of the next round)."""
    if is_resolved(record):
        return "resolved", []
    wanted = next_wanted(record, terms, fit, advice)
    if not wanted:
        return "exhausted", []
    left = terms.budget - record.minutes
    while wanted and minutes_of(terms, wanted) > left:
        wanted.pop()
    return ("", wanted) if wanted else ("budget", [])


def is_resolved(record: Record) -> bool:
    """Whether the last rounds agree on the verdict and no run is worth its while."""
    last = record.rounds[-TWICE:]
    verdicts = {done.verdict for done in last}
    if len(last) < TWICE or len(verdicts) > 1 or "unresolved" in verdicts:
        return False
    return verdicts == {"same"} or last[-1].worth <= WORTH * abs(last[-1].gain[0])


def next_wanted(record: Record, terms: Terms, fit: Fit, advice: Advice) -> list[Wanted]:
    """The advice's next runs as runs to train: tidy weights, repeats where one was trained."""
    caps = np.array([advice.caps[name] for name in fit.sources])
    wanted: list[Wanted] = []
    for row in advice.next_runs.iter_rows(named=True):
        shares = np.array([[row[name] for name in fit.sources]])
        shares = on_grid(fill(np.where(shares < LEAST_SHARE, 0.0, shares), caps), caps)
        apart = variation(shares, fit.weights)[0]
        twin = int(np.argmin(apart))
        if apart[twin] < TWIN:
            shares = fit.weights[twin][None, :]
        weights = dict(zip(fit.sources, shares[0].tolist(), strict=True))
        again = record.seeds_of(weights) + sum(run.weights == weights for run in wanted)
        number = record.runs + len(wanted) + 1
        wanted.append(Wanted(f"next-{number:03d}", weights, terms.seed + again, row["size"]))
    return wanted


def first_round(design: Design, seed: int, repeats: int, size: str = "") -> list[Wanted]:
    """The runs of a design, its first mixture again under `repeats` further seeds."""
    rows = [dict(zip(design.sources, row, strict=True)) for row in design.weights.tolist()]
    wanted = [Wanted(n, row, seed, size) for n, row in zip(design.names, rows, strict=True)]
    more = range(1, repeats + 1) if rows else ()
    return wanted + [Wanted(design.names[0], rows[0], seed + k, size) for k in more]
