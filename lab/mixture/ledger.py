"""The ledger: what a recipe leaves of each source, and how often the mixture would repeat it.

`Supply` is what the decisions about documents leave (it costs a pass over attributes); `ledger`
sets it against weights and budget (microseconds, so a weight can be moved live). For source i in
phase k with weight w, D_k = budget x share of the phase and T unique tokens in the phase's pool:

    epochs of the pool  e_ik = w_ik D_k / T_ik

A document that lies in several phases' pools is seen in each of them, so exposure is summed over
documents with the same pattern of pools; the largest sum is compared with the repeat cap, not a
phase's own epochs. Effective tokens follow the data-constrained law (`lab.mixture.repetition`),
whose limits are named there: it ranks choices, it does not predict a benchmark.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Mixture, Recipe
from lab.mixture.repetition import effective_epochs
from lab.mixture.supply import Supply, measure_supply

Pools = list[tuple[int, int]]  # (pattern of phases that may draw it, unique tokens)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Supply against demand.

    `sources`: one row per source: the supply's columns and weight (share of all training tokens),
    trained_tokens, epochs (largest exposure of any document), effective_tokens, value
    (effective / trained), over_cap. `phases`: phase, source, weight, tokens, pool_tokens, epochs.
    `rules`: what each rule took. `problems`: why the budget cannot be met, in words. `warnings`:
    rules that decide nothing, which stops nothing.
    """

    sources: pl.DataFrame
    phases: pl.DataFrame
    rules: pl.DataFrame
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def require_feasible(self) -> None:
        """ConfigError with the first problem, if there is one."""
        if self.problems:
            raise ConfigError(
                "The mixture cannot be trained as written.",
                value="; ".join(self.problems),
                next_step="lower the weight or the budget, loosen a rule, add text, or raise "
                "mixture.repeat_cap knowing what repetition costs",
            )


def compute_ledger(ws: Workspace, recipe: Recipe) -> Ledger:
    """Supply and ledger of a recipe in one call."""
    return ledger(measure_supply(ws, recipe), recipe.mixture)


def ledger(supply: Supply, mixture: Mixture) -> Ledger:
    """Set `supply` against the weights and the budget of `mixture`."""
    pools = pools_by_source(supply)
    phases = phase_table(pools, mixture)
    rows = [source_row(name, pools[name], mixture, phases) for name in pools]
    demand = pl.DataFrame(rows, schema=DEMAND)
    sources = supply.sources.join(demand, on="source", how="left", maintain_order="left")
    found = problems(sources, phases, mixture)
    return Ledger(sources, phases, supply.rules, found, supply.warnings)


DEMAND = {
    "source": pl.String,
    "weight": pl.Float64,
    "trained_tokens": pl.Float64,
    "epochs": pl.Float64,
    "effective_tokens": pl.Float64,
    "value": pl.Float64,
    "over_cap": pl.Boolean,
}

PHASES = {
    "phase": pl.String,
    "source": pl.String,
    "weight": pl.Float64,
    "tokens": pl.Float64,
    "pool_tokens": pl.Int64,
    "epochs": pl.Float64,
}


def pools_by_source(supply: Supply) -> dict[str, Pools]:
    """The pools of every source in the supply's order; sources are few, so no frame is filtered."""
    found: dict[str, Pools] = {name: [] for name in supply.sources["source"]}
    columns = supply.pools.select("source", "pattern", "unique_tokens")
    for source, pattern, tokens in columns.iter_rows():
        found[source].append((pattern, tokens))
    return found


def phase_table(pools: Mapping[str, Pools], mixture: Mixture) -> pl.DataFrame:
    """Demand, pool and epochs of every source and phase; infinite epochs for an empty pool."""
    rows = []
    for k, phase in enumerate(mixture.phases):
        for name, own in pools.items():
            weight = phase.weights.get(name, 0.0)
            tokens = mixture.tokens * phase.share * weight
            pool = sum(unique for pattern, unique in own if pattern >> k & 1)
            rows.append((phase.name, name, weight, tokens, pool, ratio(tokens, pool)))
    return pl.DataFrame(rows, schema=PHASES, orient="row")


def ratio(tokens: float, pool: float) -> float:
    """Epochs: 0 without demand, infinite without supply."""
    if tokens == 0:
        return 0.0
    return tokens / pool if pool else float("inf")


def source_row(
    name: str, pools: Pools, mixture: Mixture, phases: pl.DataFrame
) -> dict[str, object]:
    """Demand on one source over all phases."""
    drawn = phases.select("source", "tokens", "epochs").iter_rows()
    mine = [(tokens, epochs) for source, tokens, epochs in drawn if source == name]
    trained = math.fsum(tokens for tokens, _ in mine)
    exposure, effective = exposures(pools, [epochs for _, epochs in mine])
    return {
        "source": name,
        "weight": trained / mixture.tokens,
        "trained_tokens": trained,
        "epochs": exposure,
        "effective_tokens": effective,
        "value": effective / trained if trained else None,
        "over_cap": exposure > mixture.repeat_cap * (1 + 1e-9),
    }


def exposures(pools: Pools, epochs: Sequence[float]) -> tuple[float, float]:
    """(largest number of times any document is seen, effective tokens over all documents)."""
    largest, effective = max(epochs) if float("inf") in epochs else 0.0, 0.0
    for pattern, tokens in pools:
        seen = sum(times for k, times in enumerate(epochs) if pattern >> k & 1)
        largest = max(largest, seen)
        effective += tokens * float(effective_epochs(seen))
    return largest, effective


def problems(sources: pl.DataFrame, phases: pl.DataFrame, mixture: Mixture) -> tuple[str, ...]:
    """What makes the budget impossible: empty pools, then sources over the cap."""
    empty = phases.filter((pl.col("tokens") > 0) & (pl.col("pool_tokens") == 0))
    said = [
        f"phase {row['phase']!r} draws {row['tokens']:,.0f} tokens from {row['source']!r}, whose "
        "rules leave no document"
        for row in empty.iter_rows(named=True)
    ]
    over = sources.filter(pl.col("over_cap") & pl.col("epochs").is_finite())
    said += [
        f"{row['source']!r} would be seen {row['epochs']:.1f} times (cap {mixture.repeat_cap:g}): "
        f"{row['trained_tokens']:,.0f} tokens asked of {row['unique_tokens']:,} unique ones"
        for row in over.iter_rows(named=True)
    ]
    return tuple(said)
