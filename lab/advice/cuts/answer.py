"""From runs over nested pools to a stored choice: threshold and weight, with what is unsure.

One path for page, terminal and worker, like `lab.advice.proposing.from_runs`. The supply of every
pool is counted under today's rules, for one cut at a time: where duplicates across sources are
removed, a cut changes a little what is left of others, which is not counted. Natural shares are the
text that the loosest thresholds leave. Runs that matched the target's repetition have seen what
repeating a small pool costs; then only the repeat cap applies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lab.advice.cuts.cut import UNCUT, Cut, pool_name, threshold_of, with_cuts
from lab.advice.cuts.evidence import Signals, cut_evidence
from lab.advice.cuts.swarm import pool_tokens
from lab.advice.design.swarm import with_weights
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.pools import Pool
from lab.advice.optimising.thresholds import Cuts, choose_cuts
from lab.advice.proposing.from_runs import fit_evidence, foreseeable
from lab.advice.stored import require_sources
from lab.advice.words import few
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe

GRADED = 0.1  # what a relaxation adds, as a share of the gain, from which it is worth a word
POOLS = {
    "pool": pl.String,
    "source": pl.String,
    "threshold": pl.Float64,  # null for none
    "unique_tokens": pl.Float64,
    "runs": pl.Int64,
    "graded": pl.Float64,  # its share in the relaxed optimum
}


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """A choice for a recipe and what it rests on.

    `signals`: source -> the signal that it is cut by; `thresholds`: source -> the chosen one, None
    for none. `natural`: source -> share. `pools`: columns of `POOLS`.
    """

    choice: Cuts
    signals: Mapping[str, str]
    thresholds: Mapping[str, float | None]
    natural: Mapping[str, float]
    size: str
    tokens: int
    runs: tuple[str, ...]
    targets: tuple[str, ...]
    pools: pl.DataFrame
    notes: tuple[str, ...]

    @property
    def proposal(self) -> dict[str, float]:
        """The proposed weights; they sum to one."""
        return {name: estimate.value for name, estimate in self.choice.weights.items()}


def answer_cuts(
    ws: Workspace, recipe: str, metric: str | None = None, signals: Signals | None = None
) -> tuple[Recipe, CutAnswer]:
    """The best threshold and weight of every source of a recipe, from the workspace's runs.

    Raises what `cut_evidence`, `fit_table` and `choose_cuts` raise.
    """
    base = load_recipe(ws, recipe)
    found = cut_evidence(ws, base, signals)
    fit = fit_evidence(ws, found.tables, metric)
    pools, natural = supplied(ws, base, found.cuts, fit)
    cut = {one.source: one.signal for one in found.cuts}
    targets = foreseeable(fit)
    choice = choose_cuts(
        fit,
        pools,
        natural,
        float(base.mixture.tokens),
        base.mixture.repeat_cap,
        now={n: pool_name(n, threshold_of(base, n, signal)) for n, signal in cut.items()},
        targets=targets,
        matched=found.matched,
    )
    by_name, total = {pool.name: pool for pool in pools}, sum(natural.values())
    return base, CutAnswer(
        choice,
        {source: cut[source] for source in choice.cuts if source in cut},
        {s: plain(by_name[p].threshold) for s, p in choice.cuts.items() if s in cut},
        {name: natural[name] / total for name in choice.weights},
        found.tables.size,
        found.tables.tokens,
        fit.runs,
        tuple(targets),
        pool_table(fit, pools, choice),
        (*fit.notes, *choice.notes, *remarks(choice)),
    )


def supplied(
    ws: Workspace, recipe: Recipe, cuts: Sequence[Cut], fit: Fit
) -> tuple[list[Pool], dict[str, float]]:
    """(the pools of the fit with their unique tokens, the sources' natural tokens)."""
    left = dict(pool_tokens(ws, recipe, cuts))
    pools = [
        Pool(name, cut.source, threshold, left[name])
        for cut in cuts
        for threshold in cut.thresholds
        if (name := pool_name(cut.source, threshold)) in fit.sources
    ]
    pools += [Pool(n, n, UNCUT, left[n]) for n in recipe.sources if n in fit.sources]
    return pools, {pool.source: left[pool.source] for pool in pools}


def pool_table(fit: Fit, pools: Sequence[Pool], choice: Cuts) -> pl.DataFrame:
    """One row a pool, columns of `POOLS`."""
    used = (fit.weights > 0).sum(axis=0)
    rows = [
        {
            "pool": pool.name,
            "source": pool.source,
            "threshold": plain(pool.threshold),
            "unique_tokens": pool.unique,
            "runs": int(used[fit.sources.index(pool.name)]),
            "graded": choice.graded[pool.name],
        }
        for pool in pools
    ]
    return pl.DataFrame(rows, POOLS)


def plain(threshold: float) -> float | None:
    """A threshold as JSON can hold it: None for none."""
    return None if threshold == UNCUT else threshold


def remarks(choice: Cuts) -> list[str]:
    """What a reader must know before a cut is taken from this."""
    notes = []
    if choice.p_same < 0.5:
        notes.append(
            f"Only {choice.p_same:.0%} of the replicates cut alike: which threshold is best is "
            "open. Train more runs at the thresholds that they name."
        )
    if not choice.today:
        notes.append(
            "No run had the thresholds of today, or they leave too little text: gains are over "
            f"natural under {few(list(choice.compared.values()))}."
        )
    more = choice.cost - choice.bound
    if choice.gain.value > 0 and more > GRADED * choice.gain.value:
        notes.append(
            f"Drawing better text more often instead of cutting could win {more:.2g} more at most, "
            "repetition not counted."
        )
    if not choice.exact:
        notes.append("The law is not convex: thresholds were compared by search, not certified.")
    return notes


def cut_recipe(recipe: Recipe, told: CutAnswer, name: str) -> Recipe:
    """The recipe with the chosen thresholds and weights, in all its phases.

    ConfigError if it lacks a source of the choice.
    """
    require_sources(recipe, told.choice.weights)
    cuts = [Cut(source, signal, ()) for source, signal in told.signals.items()]
    chosen = {s: UNCUT if value is None else value for s, value in told.thresholds.items()}
    weights = {source: told.proposal.get(source, 0.0) for source in recipe.sources}
    return with_weights(with_cuts(recipe, cuts, chosen), name, weights)
