"""Runs that branch: a mixture that several share, then one source alone.

Merged weights need them (`lab.advice.cheap.source_runs`). In a fit they would stand for their
average weights, which is wrong: what a run trained on last counts for more than its share of the
tokens, and here the last half is the same source throughout. A run on one source from the first
token to the last is an ordinary run and stays. So does a recipe whose own phases end on one source:
told apart by the name of the phase that all branches share, as their specification records it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lab.evaluation.runs.trajectories import ScoredRun

TRUNK = "shared"  # the phase before the branches part


def branches(spec: Mapping[str, Any]) -> bool:
    """Whether a run.json is of a run that left a shared mixture for one source."""
    phases = spec["mapping"]["mixture"]["phases"]
    drawn = [{name for name, weight in p["weights"].items() if weight > 0} for p in phases]
    alone = len(drawn) > 1 and all(names == drawn[-1] for names in drawn[1:])
    return alone and phases[0]["name"] == TRUNK and len(drawn[-1]) == 1


def ordinary_runs(runs: Sequence[ScoredRun]) -> tuple[list[ScoredRun], list[str]]:
    """(runs that do not branch, a note on those that do)."""
    kept = [run for run in runs if not branches(run.spec)]
    if len(kept) == len(runs):
        return kept, []
    return kept, [
        f"{len(runs) - len(kept)} runs are left out: they trained a shared mixture and then one "
        "source alone, so they are no runs of their average weights."
    ]
