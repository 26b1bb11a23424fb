"""Runs that choose a threshold: mixtures of sources, each source cut at one of its thresholds.

A run trains on one cut of a source, as the real run will, so a mixture has weight on one pool of
it. Weights are drawn as for any swarm (`lab.advice.design.design`); thresholds are dealt out: runs
in the order of a source's weight are taken in groups as large as the number of its thresholds, and
every group has each threshold once, in random order. So every threshold is seen at small and large
weights, and its effect is not confused with that of the weight; of two sources that are cut, the
deals are independent. Needed: 3 (m + 1) runs with m pools, since every pool is a source of the fit.

Where it fails: the supply differs by threshold, and under matched repetition a tight cut is
repeated more often at the same weight; that is part of what a pool is worth at this budget and this
budget alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lab.advice.cuts.cut import Cut, pool_name, with_cuts
from lab.advice.design.columns import columns_design, swarm_of_columns
from lab.advice.design.design import Design
from lab.advice.design.swarm import (
    Swarm,
    SwarmSettings,
    caps_of,
    swarm_design,
    unique_tokens,
    with_weights,
)
from lab.advice.simplex import Array
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe


def plan_cuts(
    ws: Workspace,
    recipe: Recipe,
    cuts: Sequence[Cut],
    settings: SwarmSettings,
    size: str,
    tokens: int | None = None,
) -> Swarm:
    """The runs over nested pools around `recipe`, its recipes called RECIPE-cut-NAME.

    The design's sources are the pools. ConfigError for a threshold that leaves no text, or fewer
    runs than any law can use.
    """
    loosest = with_cuts(recipe, cuts, {cut.source: cut.thresholds[0] for cut in cuts})
    drawn = swarm_design(loosest, unique_tokens(ws, loosest), settings)
    dealt = deal(drawn, cuts, np.random.default_rng([settings.seed, len(cuts)]))
    pooled = pooled_design(drawn, cuts, dealt, settings.runs)
    caps = pool_caps(ws, recipe, cuts, pooled)
    named = [
        with_weights(
            with_cuts(recipe, cuts, {c.source: t[k] for c, t in zip(cuts, dealt, strict=True)}),
            f"{recipe.name}-cut-{name}",
            dict(zip(drawn.sources, drawn.weights[k].tolist(), strict=True)),
        )
        for k, name in enumerate(drawn.names)
    ]
    return swarm_of_columns(ws, pooled, named, settings, size, tokens, pooled.weights, caps)


def pool_caps(ws: Workspace, recipe: Recipe, cuts: Sequence[Cut], pooled: Design) -> Array:
    """Largest share of every pool under the recipe's budget and repeat cap, [m].

    ConfigError for a threshold that leaves no text.
    """
    left = dict(pool_tokens(ws, recipe, cuts))
    for cut in cuts:
        for threshold in cut.thresholds:
            if left[pool_name(cut.source, threshold)] <= 0:
                raise ConfigError(
                    "This threshold leaves no text.",
                    where=f"{cut.signal} of {cut.source}",
                    value=threshold,
                    next_step="lower it; the Filters page shows what each threshold leaves",
                )
    return caps_of(recipe, left, pooled)


def pool_tokens(ws: Workspace, recipe: Recipe, cuts: Sequence[Cut]) -> Iterator[tuple[str, float]]:
    """Every pool, and every source that is not cut, with its unique tokens, for one cut at a time.

    Sources that are not cut are counted beside the loosest thresholds.
    """
    loosest = with_cuts(recipe, cuts, {cut.source: cut.thresholds[0] for cut in cuts})
    yield from unique_tokens(ws, loosest).items()
    for cut in cuts:
        for threshold in cut.thresholds:
            left = unique_tokens(ws, with_cuts(recipe, [cut], {cut.source: threshold}))
            yield pool_name(cut.source, threshold), left[cut.source]


def deal(design: Design, cuts: Sequence[Cut], rng: np.random.Generator) -> list[list[float]]:
    """For every cut the threshold of each run; the loosest where the source has no weight."""
    dealt = []
    for cut in cuts:
        column = np.zeros(len(design.names))
        if cut.source in design.sources:
            column = design.weights[:, design.sources.index(cut.source)]
        used = np.argsort(-column, kind="stable")[: int((column > 0).sum())]
        count = len(cut.thresholds)
        turns = [rng.permutation(count) for _ in range(-(-len(used) // count))]
        own = np.zeros(len(column), dtype=np.int64)
        own[used] = np.concatenate(turns)[: len(used)] if turns else 0
        dealt.append([cut.thresholds[k] for k in own])
    return dealt


def pooled_design(
    design: Design, cuts: Sequence[Cut], dealt: Sequence[Sequence[float]], runs: int
) -> Design:
    """The same mixtures over pools, with what they can tell about these."""
    by_source = {cut.source: (cut, own) for cut, own in zip(cuts, dealt, strict=True)}
    names: list[str] = []
    columns = []
    for j, source in enumerate(design.sources):
        share = design.weights[:, j]
        if source not in by_source:
            names.append(source)
            columns.append(share)
            continue
        cut, own = by_source[source]
        for threshold in cut.thresholds:
            names.append(pool_name(source, threshold))
            columns.append(np.where(np.array(own) == threshold, share, 0.0))
    return columns_design(names, design.names, np.stack(columns, axis=1), runs)
