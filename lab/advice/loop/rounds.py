"""Propose, train, refit: rounds until the decision is resolved or the minutes are spent.

The first round is a designed swarm just large enough to fit (`Terms.start` mixtures, some of them
with repeats). Every later round trains the next runs of the advice
(`lab.advice.proposing.next_runs`): where the fit's replicates disagree in a way that matters for
the decision, by the minute. What lies within `TWIN` of a mixture that was trained becomes a repeat
of it under another seed.

The loop stops when

    resolved     `lab.advice.loop.stopping`: the last two rounds agree, with odds that allow for
                 how often they were looked at, and no further run is worth its while
    budget       the minutes that are left do not pay for a run
    exhausted    no further mixture differs from those that were proposed

The minutes are those of the wall clock; after a kill, those that the runs of the open round say
they trained. A round that has begun is finished, so the budget may be passed by the error of its
estimate. Minutes kept in `reserve` are for confirming at a second size.
"""

import itertools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lab.advice.design.design import TWIN, Design
from lab.advice.design.draws import on_grid
from lab.advice.fitting.fit import Fit
from lab.advice.fitting.surface import Surface
from lab.advice.loop.record import Record, Round, Wanted, read_record, write_record
from lab.advice.loop.stopping import is_resolved, odds_needed, runs_lacking, verdict_of
from lab.advice.loop.terms import Terms, looks_of, minutes_of, require_budget, require_minutes
from lab.advice.optimising.settings import comparable
from lab.advice.proposing.advise import Advice, advise
from lab.advice.proposing.from_runs import foreseeable
from lab.advice.simplex import fill, variation
from lab.core.progress import SILENT, Progress

LEAST_SHARE = 1e-4  # smaller weights of a next run are zero


@dataclass(frozen=True, slots=True)
class Trained:
    """What a trainer says of a round: minutes that its runs trained, runs that failed."""

    minutes: float = 0.0
    failed: tuple[str, ...] = ()


Train = Callable[[Sequence[Wanted], Progress], Trained]
Refit = Callable[[], Fit]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a loop ended, with its last fit and advice; `verdict` allows for every look at it."""

    record: Record
    fit: Fit
    advice: Advice

    @property
    def verdict(self) -> str:
        """better, same, unresolved or unmet."""
        return verdict_of(self.record)

    def stands(self, advice: Advice) -> Advice:
        """`advice` on the last fit with the loop's verdict, and why if that is another."""
        if self.verdict == advice.verdict:
            return advice
        looks, last = len(self.record.rounds), self.record.rounds[-1]
        note = (
            f"Looked at after each of {looks} rounds, better needs odds of {last.needed:.3f} twice "
            "running."
        )
        more = runs_lacking(last) if self.verdict == "unresolved" else 0
        notes = (*advice.notes, note)
        return replace(advice, verdict=self.verdict, run_more=more, notes=notes)


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
    record = replace(read_record(folder), ended="", confirmed=None)
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
        distance=advice.distances["proposal"],
        gain=(gain.value, gain.low, gain.high),
        worth=float(runs["expected_gain"][0]) if runs.height else 0.0,
        proposal=advice.proposal,
        evidence=len(fit.runs),
        failed=trained.failed,
    )
    closed = record.with_last(done)
    needed = odds_needed(looks_of(closed, terms))
    return closed.with_last(replace(done, needed=needed)), fit, advice


def judge(
    terms: Terms, fit: Fit, path: Sequence[float] = (), replicates: Surface | None = None
) -> tuple[Fit, Advice]:
    """The advice that the evidence gives now, with a round's worth of next runs; `replicates` of
    the fit if there are any.
    """
    known = [*fit.sources, *fit.unseen]
    advice = advise(
        fit,
        {name: share for name, share in terms.natural.items() if name in known},
        caps={name: cap for name, cap in terms.caps.items() if name in known},
        targets=terms.targets or foreseeable(fit),
        kl=terms.kl,
        supply=terms.supply(fit) if terms.supply else None,
        current=comparable(fit, terms.current),
        replicates=terms.replicates if replicates is None else replicates,
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
    left = terms.budget - terms.reserve - record.minutes
    while wanted and minutes_of(terms, wanted) > left:
        wanted.pop()
    return ("", wanted) if wanted else ("budget", [])


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


def first_round(design: Design, seed: int, size: str = "") -> list[Wanted]:
    """The runs of a design, all under one seed."""
    rows = [dict(zip(design.sources, row, strict=True)) for row in design.weights.tolist()]
    return [Wanted(n, row, seed, size) for n, row in zip(design.names, rows, strict=True)]


def repeats_of(
    natural: Mapping[str, float],
    wanted: Sequence[Wanted],
    taken: Collection[int],
    repeats: int,
    seed: int,
    size: str = "",
) -> list[Wanted]:
    """The natural mixture under `repeats` further seeds, the next from `seed` on.

    `taken` are seeds that it was trained under, beside those in `wanted`; if there are none of
    either, nothing would be repeated, so one run more is asked for.
    """
    used = {*taken, *(run.seed for run in wanted if dict(run.weights) == dict(natural))}
    count = repeats + (not used) if repeats else 0
    free = (number for number in itertools.count(seed) if number not in used)
    return [Wanted("natural", natural, k, size) for k in itertools.islice(free, count)]
