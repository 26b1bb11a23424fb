"""The terms of a loop: what is decided, on which baseline, and what its minutes pay for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.advice.fitting.bootstrap import REPLICATES
from lab.advice.fitting.fit import Fit
from lab.advice.loop.record import Record, Wanted
from lab.advice.optimising.supply import Supply
from lab.advice.proposing.advise import KL
from lab.advice.proposing.places import Place
from lab.core.errors import ConfigError

MANY = 100  # looks that are foreseen at most: the boundary hardly rises beyond


@dataclass(frozen=True, slots=True)
class Terms:
    """What is decided: baseline, caps, KL weight, targets, and how many minutes it may take.

    `batch` runs make a round, trained `together` at a time. `reserve` minutes of the budget are not
    spent. `supply` names the supply behind a fit, if repetition counts. Targets default to what the
    fit can foresee; `current` is a mixture to compare with.
    """

    natural: Mapping[str, float]
    budget: float  # minutes
    reserve: float = 0.0
    caps: Mapping[str, float] = field(default_factory=dict)
    kl: float = KL
    targets: tuple[str, ...] = ()
    places: tuple[Place, ...] = (Place(),)
    batch: int = 2
    together: int = 1
    seed: int = 0
    replicates: int = REPLICATES
    supply: Callable[[Fit], Supply] | None = None
    current: Mapping[str, float] = field(default_factory=dict)


def require_minutes(terms: Terms) -> None:
    """ConfigError for a budget that is no time, or all of it kept in reserve."""
    if not 0 < terms.budget < float("inf"):
        raise ConfigError(
            "The budget must be a number of minutes above zero.",
            where="--budget",
            value=terms.budget,
        )
    if terms.reserve >= terms.budget:
        raise ConfigError(
            "The budget does not pay for the confirmation at a second size.",
            where="--budget",
            value=f"{terms.budget:.3g} minutes; that alone takes about {terms.reserve:.3g}",
            next_step="give more minutes, or leave out --confirm and validate later",
        )


def require_budget(terms: Terms, first: Sequence[Wanted]) -> None:
    """ConfigError if the first round would take longer than the budget."""
    needed = minutes_of(terms, first)
    if needed > terms.budget - terms.reserve:
        raise ConfigError(
            "The budget does not pay for the runs that a first fit needs.",
            where="--budget",
            value=f"{terms.budget - terms.reserve:.3g} minutes; {len(first)} runs take about "
            f"{needed:.3g}",
            next_step="give more minutes, fewer tokens a run or a smaller size",
        )


def minutes_of(terms: Terms, wanted: Sequence[Wanted]) -> float:
    """Minutes that these runs will take, `together` at a time."""
    each = {place.size: place.minutes for place in terms.places}
    total = sum(each.get(run.size, terms.places[0].minutes) for run in wanted)
    return total / max(1, min(terms.together, len(wanted)))


def looks_of(record: Record, terms: Terms) -> list[int]:
    """Runs in the evidence at every look: those taken, and those that the budget still pays for."""
    taken = [done.evidence for done in record.rounds]
    whole = terms.batch * min(place.minutes for place in terms.places)
    each = whole / max(1, min(terms.together, terms.batch))
    more = int(max(terms.budget - terms.reserve - record.minutes, 0.0) / max(each, 1e-9))
    ahead = [taken[-1] + terms.batch * (k + 1) for k in range(min(more, MANY))]
    return taken + ahead
