"""When a decision that is looked at after every round is resolved, and what it is when time is up.

Odds of .9 keep a false "better" to one in ten if they are looked at once. Looked at after every
round until they please, they please by luck sooner or later (Armitage, McPherson and Rowe 1969). So
"better" asks for two things: that the last `TWICE` rounds say so, which a proposal that jumps about
does not get, and odds beyond a constant boundary c in both (Pocock, Biometrika 64, 1977), set such
that a natural mixture that is the best is called worse at any look with probability .1,

    P(max_k min(Z_k, Z_k-1) > c) = .1,      Z_k = B(n_k) / sqrt(n_k),

B a Brownian motion, n_k the runs at look k. Looks to come are those that the budget still pays for,
as spending functions foresee them (Lan and DeMets, Biometrika 70, 1983). Looks at much the same
runs see much the same, so the price is mild: .94 for 9 looks at 7 to 23 runs, .96 for 17 at 8 to
40, .97 for 47 at 8 to 100; never below .9. "Resolved" asks in addition that no further run is
expected to better the decision by more than `WORTH` of the gain.

Where it fails: the odds of a bootstrap are not quite those of a normal mean, and the proposal
changes from look to look. Both are measured in `tests/benchmarks/loop_on_planted.py`.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from lab.advice.loop.record import Record, Round
from lab.advice.optimising.outlook import MOST, SURE

WORTH = 0.01  # of the gain: less is not worth a run
TWICE = 2  # rounds that must agree
PATHS = 10_000  # Brownian paths behind a boundary: its odds are good to .002


def odds_needed(looks: Sequence[float], sure: float = SURE) -> float:
    """The odds to ask for in `TWICE` looks running, so that luck passes with 1 - `sure` at most.

    `looks` are the runs that the evidence has at each, those to come included. At least `sure`,
    which is what a single look needs. 10-200 ms.
    """
    runs = np.unique(np.asarray(looks, dtype=np.float64))
    if len(runs) < TWICE:
        return sure
    steps = np.sqrt(np.diff(runs, prepend=0.0))
    drawn = np.random.default_rng(0).standard_normal((PATHS, len(runs)))
    scores = np.cumsum(drawn * steps, axis=1) / np.sqrt(runs)
    both = np.minimum(scores[:, 1:], scores[:, :-1]).max(axis=1)
    return max(float(NormalDist().cdf(float(np.quantile(both, sure)))), sure)


def verdict_of(record: Record) -> str:
    """The verdict that the last rounds together allow: better only beyond the boundary."""
    last = record.rounds[-1]
    if last.verdict != "better":
        return last.verdict
    running = record.rounds[-TWICE:]
    sure = all(r.verdict == "better" and r.p_better >= last.needed for r in running)
    return "better" if sure else "unresolved"


def is_resolved(record: Record) -> bool:
    """Whether the last rounds agree on a verdict and no run is worth its while."""
    last = record.rounds[-TWICE:]
    if len(last) < TWICE or len({done.verdict for done in last}) > 1:
        return False
    verdict, worth = verdict_of(record), last[-1].worth
    return verdict == "same" or (verdict == "better" and worth <= WORTH * abs(last[-1].gain[0]))


def runs_lacking(last: Round) -> int:
    """Runs that would probably lift the odds to those needed, their error falling with its root.

    One where the odds suffice and only the second look is missing.
    """
    normal = NormalDist()
    now, then = (normal.inv_cdf(min(p, 1 - 1e-4)) for p in (last.p_better, last.needed))
    ratio = (then / now) ** 2 - 1 if now > 0 else float(MOST)
    return max(int(np.ceil(last.evidence * min(ratio, float(MOST)))), 1)
