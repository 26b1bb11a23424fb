"""Runs over nested pools as tables: which runs differ from a recipe only in thresholds.

A run is evidence if every source that it drew from has today's documents and policies, and rules
that are today's but for the lower bound on one signal: then its weight is that of the pool under
the run's own threshold. All else that differs makes a run stale, as for any advice
(`lab.advice.evidence.stale`), and runs that branch are left out. Which source was cut by which
signal is read off the runs, unless it is said.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lab.advice.cuts.cut import UNCUT, Cut, pool_name, threshold_of, with_cut
from lab.advice.evidence.branches import ordinary_runs
from lab.advice.evidence.evidence import (
    DEFAULT_SCOPES,
    Evidence,
    common_metrics,
    metric_table,
)
from lab.advice.evidence.stale import pool_parts, weights_of
from lab.advice.proposing.repeated import repetition_words, wear_of
from lab.core.errors import ConfigError, DataError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs, usual_budget
from lab.mixture.parsing import parse_recipe
from lab.mixture.recipe import Recipe, recipe_mapping

Signals = Mapping[str, str]  # source -> the signal that it is cut by
Documents = Mapping[str, str]  # source -> id of its documents
Known = tuple[ScoredRun, Recipe]


@dataclass(frozen=True, slots=True)
class CutEvidence:
    """Tables over pools, the cuts that the runs made, whether they carry the cost of repetition."""

    tables: Evidence
    cuts: tuple[Cut, ...]
    matched: bool


def cut_evidence(
    ws: Workspace,
    recipe: Recipe,
    signals: Signals | None = None,
    size: str | None = None,
    tokens: int | None = None,
) -> CutEvidence:
    """The runs that cut sources of `recipe` at several thresholds, and those at today's.

    `signals` says by which signal a source is cut where runs alone do not. DataError if no source
    was trained at two thresholds.
    """
    runs = [run for run in scored_runs(ws) if size in (None, run.spec["size"])]
    runs = [run for run in runs if tokens in (None, run.spec["tokens"])]
    runs, branched = ordinary_runs(runs)
    known = [(run, made) for run in runs if (made := read_recipe(run))]
    documents = {name: get_source(ws, name).documents for name in recipe.sources}
    signals = signals or cut_signals(known, recipe, documents)
    alike = [one for one in known if same_but_cuts(one, recipe, documents, signals)]
    require_cut(recipe, signals, alike)
    budget = usual_budget([run for run, _ in alike], None, None)
    used = [(run, made) for run, made in alike if run.budget == budget]
    rows = [dict(pool_shares(run, made, signals)) for run, made in used]
    require_cut(recipe, signals, used)
    scored, runs = len(runs), [run for run, _ in used]
    names, higher, left = common_metrics(runs)
    pools = sorted({pool for row in rows for pool in row})
    ratios = pl.DataFrame(
        {"run": [run.spec["id"] for run in runs], "name": [run.spec["recipe"] for run in runs]}
        | {pool: [row.get(pool, 0.0) for row in rows] for pool in pools}
    )
    default = tuple(n for n in names if n.split("/")[0] in DEFAULT_SCOPES and n.endswith("bpb"))
    worn = wear_of([run.spec for run in runs], float(recipe.mixture.tokens))
    notes = (*branched, *left_out(scored, len(alike), len(used)), *left, *repetition_words(worn))
    tables = Evidence(ratios, metric_table(runs, names), higher, default, *budget[:2], notes)
    return CutEvidence(tables, tuple(cuts_of(used, signals)), worn.matched)


def left_out(known: int, alike: int, used: int) -> Iterator[str]:
    """Notes on runs that do not count."""
    if known > alike:
        yield (
            f"{known - alike} of {known} scored runs are left out: they differ from the recipe in "
            "more than thresholds and weights."
        )
    if alike > used:
        yield f"{alike - used} runs are left out: another size, budget or way of training."


def read_recipe(run: ScoredRun) -> Recipe | None:
    """The recipe of a run; None if it speaks of signals that are no longer known."""
    try:
        return parse_recipe(dict(run.spec["mapping"]), run.spec["id"])
    except ConfigError:
        return None


def pool_key(documents: Documents, made: Recipe, source: str, signal: str | None) -> str:
    """Names the pool of a source under a recipe, but for the cut; rules as they are judged by."""
    plain = with_cut(made, source, signal, UNCUT) if signal else made
    mapping = recipe_mapping(replace(plain, filters=(), note=""))
    return digest(pool_parts({"mapping": mapping, "documents": documents}, source))


def same_but_cuts(known: Known, recipe: Recipe, documents: Documents, signals: Signals) -> bool:
    """True if every source that the run drew from is today's but for its cut."""
    run, made = known
    return all(
        source in recipe.sources
        and pool_key(run.spec["documents"], made, source, signals.get(source))
        == pool_key(documents, recipe, source, signals.get(source))
        for source in weights_of(run)
    )


def cut_signals(known: Sequence[Known], recipe: Recipe, documents: Documents) -> dict[str, str]:
    """Source -> the signal by which runs cut it otherwise than today, the one of most runs."""
    votes: dict[str, Counter[str]] = {}
    for run, made in known:
        for source in set(weights_of(run)) & set(recipe.sources):
            rules = (*made.sources[source], *recipe.sources[source])
            for signal in {rule.signal for rule in rules if rule.bounded}:
                low = [threshold_of(one, source, signal) for one in (made, recipe)]
                then = pool_key(run.spec["documents"], made, source, signal)
                if low[0] != low[1] and then == pool_key(documents, recipe, source, signal):
                    votes.setdefault(source, Counter())[signal] += 1
    return {source: max(own, key=lambda s: (own[s], s)) for source, own in votes.items()}


def require_cut(recipe: Recipe, signals: Signals, used: Sequence[Known]) -> None:
    """DataError if no source was cut at two thresholds in the runs."""
    if any(len(cut.thresholds) > 1 for cut in cuts_of(used, signals)):
        return
    raise DataError(
        "No source of this recipe was trained at two thresholds, so nothing can be said about "
        "them.",
        where=recipe.name,
        value=f"{len(used)} runs at one threshold" if used else None,
        next_step=f"`mixlab sweep {recipe.name} --thresholds SIGNAL@SOURCE=none,a,b --runs K`",
    )


def cuts_of(used: Sequence[Known], signals: Signals) -> list[Cut]:
    """Every source in `signals` with the thresholds at which runs drew from it."""
    seen: dict[str, set[float]] = {source: set() for source in signals}
    for run, made in used:
        for source in weights_of(run):
            if source in signals:
                seen[source].add(threshold_of(made, source, signals[source]))
    return [Cut(name, signals[name], tuple(sorted(own))) for name, own in seen.items() if own]


def pool_shares(run: ScoredRun, made: Recipe, signals: Signals) -> Iterator[tuple[str, float]]:
    """Pool -> share of the run's tokens."""
    for source, share in weights_of(run).items():
        cut = signals.get(source)
        yield (pool_name(source, threshold_of(made, source, cut)) if cut else source), share
