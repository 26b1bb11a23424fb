"""What has changed under an advice: which sources, how, and how many of its runs that makes stale.

A run is stale if any source that it drew from has other documents or decisions today
(`lab.advice.evidence.stale`); only the runs that the advice was fitted to are asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lab.advice.evidence.stale import difference, pool_parts, pools_now, weights_of
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs
from lab.mixture.recipe import Recipe

UNUSED = "no run used it"


@dataclass(frozen=True, slots=True)
class Damage:
    """`sources`: source of the recipe -> what changed, or `UNUSED`; `stale` of `runs` runs are."""

    sources: Mapping[str, str]
    stale: int
    runs: int


def damage_of(ws: Workspace, recipe: Recipe, fitted: Collection[str]) -> Damage:
    """What changed in the sources of `recipe` since the runs named `fitted` were trained."""
    now = pools_now(ws, recipe)
    changes = dict.fromkeys(now, UNUSED)
    runs = [run for run in scored_runs(ws) if run.spec["id"] in fitted]
    stale = 0
    for run in runs:
        own = {
            source: difference(pool_parts(run.spec, source), now.get(source))
            for source in weights_of(run)
        }
        stale += any(own.values())
        for source in own.keys() & now.keys():
            if own[source] or changes[source] == UNUSED:
                changes[source] = own[source]
    return Damage({source: what for source, what in changes.items() if what}, stale, len(runs))
