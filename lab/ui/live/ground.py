"""What the sources can give, as plain numbers read once for each full run of the page.

The supply of a recipe depends on its rules, not on its weights, except that a phase draws no pool
where a weight is zero. Here it is that of a mixture which draws from every source in every phase:
then a weight may leave zero in the browser, and pools that nobody draws from change no number.
"""

from dataclasses import dataclass, replace

from lab.core.workspace import Workspace
from lab.mixture.recipe import Recipe
from lab.mixture.supply import Supply
from lab.ui.tables import supply_of

Shares = dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """`pools`: source -> (pattern of phases, unique tokens); `whole`: unique tokens of a source;
    `kinds`: what kind of source it is.
    """

    supply: Supply
    pools: dict[str, list[tuple[int, int]]]
    whole: dict[str, int]
    kinds: dict[str, str]

    def pool(self, source: str, phase: int) -> int:
        """Unique tokens of a source that phase number `phase` may draw from."""
        return sum(tokens for pattern, tokens in self.pools[source] if pattern >> phase & 1)

    def sizes(self, phase: int) -> Shares:
        """Unique tokens by source, of the pool or, if it is empty, of the source."""
        return {name: float(self.pool(name, phase) or self.whole[name]) for name in self.whole}

    def natural(self, phase: int) -> Shares:
        """Weights by size."""
        return shares(self.sizes(phase))


def shares(amounts: Shares) -> Shares:
    """Amounts divided by their sum; even where all are zero."""
    total = sum(amounts.values())
    return {name: amount / total if total else 1 / len(amounts) for name, amount in amounts.items()}


def ground_of(ws: Workspace, recipe: Recipe) -> Ground:
    """The ground of a recipe; raises what `measure_supply` raises for what is not stored."""
    even = dict.fromkeys(recipe.sources, 1 / len(recipe.sources))
    phases = tuple(replace(phase, weights=even) for phase in recipe.mixture.phases)
    supply = supply_of(ws, replace(recipe, mixture=replace(recipe.mixture, phases=phases)))
    pools: dict[str, list[tuple[int, int]]] = {name: [] for name in recipe.sources}
    for source, pattern, tokens in supply.pools.select(
        "source", "pattern", "unique_tokens"
    ).iter_rows():
        pools[source].append((pattern, tokens))
    known = {row["source"]: row for row in supply.sources.iter_rows(named=True)}
    rows = {name: known[name] for name in recipe.sources}
    return Ground(
        supply,
        pools,
        {name: row["unique_tokens"] for name, row in rows.items()},
        {name: row["kind"] for name, row in rows.items()},
    )
