"""The loop's memory: one JSON file, written before a round is trained and after it was.

    loops/ID/loop.json    terms, rounds in order; the last one is open while its runs are trained

A killed loop finds its open round there and trains that, not another: its runs are found by their
content, done or with their checkpoints. The id hashes what decides the rounds, and not the budget:
asking again with more minutes goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lab.core.files import read_json, write_json

FILE = "loop.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run to train: a mixture under a name, a seed and a size."""

    name: str
    weights: Mapping[str, float]
    seed: int
    size: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """Runs trained together, and what was known after them.

    `minutes` is what the round took, 0 while it is open. `gain` over natural with its interval and
    `worth`, the gain expected of the best further run, are in the targets' unit. `needed` are the
    odds that "better" asks for at this look (`lab.advice.loop.stopping`), `distance` the total
    variation from the proposal to the nearest run.
    """

    wanted: tuple[Wanted, ...]
    minutes: float = 0.0
    verdict: str = ""
    p_better: float = 0.5
    needed: float = 0.9
    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    worth: float = 0.0
    distance: float = 0.0
    proposal: Mapping[str, float] | None = None
    evidence: int = 0  # runs in the fit
    failed: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """True until its runs are trained and judged."""
        return not self.verdict


@dataclass(frozen=True, slots=True)
class Record:
    """All rounds, and why the loop ended: resolved, budget or exhausted; empty while it goes on.

    `confirmed` is what a second size said of the decision, if it was asked: a mapping as of
    `lab.advice.proposing.validation.validation_mapping`.
    """

    rounds: tuple[Round, ...] = ()
    ended: str = ""
    confirmed: Mapping[str, Any] | None = None

    @property
    def runs(self) -> int:
        """Runs asked for so far."""
        return sum(len(r.wanted) for r in self.rounds)

    @property
    def minutes(self) -> float:
        """Minutes that closed rounds took."""
        return sum(r.minutes for r in self.rounds)

    def with_last(self, last: Round) -> "Record":
        """The same with another last round."""
        return replace(self, rounds=(*self.rounds[:-1], last))

    def seeds_of(self, weights: Mapping[str, float]) -> int:
        """How many runs of exactly this mixture were asked for."""
        return sum(dict(w.weights) == dict(weights) for r in self.rounds for w in r.wanted)


def read_record(folder: Path) -> Record:
    """The record in `folder`; empty if the loop never began."""
    path = folder / FILE
    if not path.is_file():
        return Record()
    found = read_json(path)
    rounds = tuple(read_round(value) for value in found["rounds"])
    return Record(rounds, found["ended"], found.get("confirmed"))


def read_round(value: Mapping[str, Any]) -> Round:
    """One round as `write_record` wrote it."""
    tuples = {key: tuple(value[key]) for key in ("gain", "failed")}
    return Round(**{**value, **tuples, "wanted": tuple(Wanted(**w) for w in value["wanted"])})


def write_record(folder: Path, record: Record, about: Mapping[str, Any] | None = None) -> None:
    """Replace the record in one step; `about` says in words what the loop is for."""
    write_json(folder / FILE, asdict(record) | {"about": dict(about or {})})


def keep_confirmed(folder: Path, confirmed: Mapping[str, Any]) -> None:
    """Add to the record in `folder` what a second size said of its decision."""
    found = read_json(folder / FILE)
    write_json(folder / FILE, found | {"confirmed": dict(confirmed)})


def trajectory(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """One row a closed round: runs and minutes so far, verdict, odds and those needed, gain, worth,
    distance of the proposal to the nearest run.
    """
    rows, runs, minutes = [], 0, 0.0
    for number, done in enumerate(r for r in rounds if not r.open):
        runs, minutes = runs + len(done.wanted), minutes + done.minutes
        value, low, high = done.gain
        row: dict[str, Any] = {
            "round": number + 1,
            "runs": runs,
            "evidence": done.evidence,
            "minutes": minutes,
        }
        row |= {"verdict": done.verdict, "p_better": done.p_better, "needed": done.needed}
        row |= {"gain": value, "low": low, "high": high, "worth": done.worth}
        rows.append(row | {"distance": done.distance})
    return rows
