"""Designs over columns that are finer than sources: pools of a source, or phase x source.

What a law is fitted to decides what a design can tell: rank, distances and the runs needed are
those of the columns.
"""

from collections.abc import Sequence

from lab.advice.design.design import Design, describe
from lab.advice.design.draws import APART
from lab.advice.design.swarm import Swarm, SwarmSettings
from lab.advice.simplex import SLACK, Array
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.proxy.sizes import get_size
from lab.proxy.speed import estimate_seconds


def columns_design(
    columns: Sequence[str], names: Sequence[str], weights: Array, asked: int
) -> Design:
    """Mixtures [K, m] of `columns` and what they can tell; `asked` runs were wanted.

    ConfigError for fewer runs than columns and two, which no law can be fitted to.
    """
    found = describe(columns, names, weights, weights[:0], asked, APART)
    if len(names) < (least := len(columns) + 2):
        raise ConfigError(
            f"{len(names)} runs cannot tell {len(columns)} weights apart.",
            where="--runs",
            value=list(columns),
            next_step=f"ask for {least} at least; {found.needed} give a fit worth trusting",
        )
    return found


def swarm_of_columns(
    ws: Workspace,
    design: Design,
    named: Sequence[Recipe],
    settings: SwarmSettings,
    size: str,
    tokens: int | None,
    shares: Array,
    caps: Array,
) -> Swarm:
    """A design whose recipes are made, with repeats of the first under further seeds, and cost.

    `shares` [K, c] of the whole run are what `caps` [c] bound.
    """
    if settings.extend:
        raise ConfigError(
            "A design over thresholds or phases cannot extend what was trained.",
            where="--extend",
            next_step="train further runs under another --seed",
        )
    pairs = [(made, settings.seed) for made in named]
    pairs += [(named[0], settings.seed + k + 1) for k in range(settings.repeats)]
    budget = get_size(size).default_tokens if tokens is None else tokens
    seconds, basis = estimate_seconds(ws, size, budget, len(pairs))
    within = int((shares <= caps + SLACK).all(axis=1).sum())
    return Swarm(design, tuple(pairs), float(caps.sum()), within, seconds, basis)
