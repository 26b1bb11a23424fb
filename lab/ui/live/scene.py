"""What the panel of the Mixture page is about: one phase of a draft, and all that bears on it.

The panel moves the weights of one phase; the other phases stand still and add their share. So a
mixture of this phase becomes a mixture of the whole run, and that one of the fit's sources.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lab.advice.proposing.live import LiveSurface
from lab.advice.simplex import Array
from lab.core.workspace import Workspace
from lab.diversity.breadth.closed import Closed
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.ui.live.evidence import Evidence, columns_for, onto
from lab.ui.live.ground import Ground


@dataclass(frozen=True, eq=False)
class Scene:
    """A saved recipe, its draft, the number of the phase in hand, locked sources, the evidence, and
    the stored breadth of sources of the recipe.
    """

    ws: Workspace
    recipe: Recipe
    mixture: Mixture
    ground: Ground
    number: int
    locked: frozenset[str]
    evidence: Evidence | None
    breadth: Closed | None = None

    @property
    def sources(self) -> list[str]:
        """Names in the recipe's order."""
        return list(self.recipe.sources)

    @property
    def phase(self) -> Phase:
        """The phase in hand, as drafted."""
        return self.mixture.phases[self.number]

    @property
    def of(self) -> str:
        """Names what the panel shows, so that a late answer is not taken for another recipe's."""
        return f"{self.recipe.name} {self.phase.name}"

    @property
    def surface(self) -> LiveSurface | None:
        """The fit with its replicates, if there is one that knows some source of the mixture."""
        found = self.evidence.surface if self.evidence else None
        return found if found and self.known_share > 0 else None

    @cached_property
    def columns(self) -> list[int]:
        """For each source its column in the fit, or -1."""
        found = self.evidence.surface if self.evidence else None
        return columns_for(found, self.sources) if found else [-1] * len(self.sources)

    @cached_property
    def weights(self) -> Array:
        """Weights of the phase in hand, [r]."""
        return np.array([self.phase.weights.get(name, 0.0) for name in self.sources])

    @cached_property
    def rest(self) -> Array:
        """What the other phases add to the share of each source in the whole run, [r]."""
        return total_weights(self.mixture, self.sources) - self.phase.share * self.weights

    @property
    def free(self) -> list[int]:
        """Numbers of the sources that are not locked."""
        return [k for k, name in enumerate(self.sources) if name not in self.locked]

    @property
    def known_share(self) -> float:
        """Share of the whole run in sources that the fit knows."""
        total = total_weights(self.mixture, self.sources)
        return float(sum(w for w, c in zip(total, self.columns, strict=True) if c >= 0))

    @property
    def unknown(self) -> list[str]:
        """Sources with weight that no run of the fit used."""
        total = total_weights(self.mixture, self.sources)
        pairs = zip(self.sources, total, self.columns, strict=True)
        return [name for name, w, c in pairs if c < 0 and w > 0]

    def fitted(self, mixtures: Array) -> Array:
        """Mixtures of the phase in hand [n, r] as mixtures of the fit's sources."""
        assert self.evidence and self.evidence.surface
        width = len(self.evidence.surface.fit.sources)
        return onto(self.rest + self.phase.share * mixtures, self.columns, width)

    def references(self) -> tuple[Array, Array]:
        """The natural mixture and the saved one, on the fit's sources."""
        assert self.evidence and self.evidence.surface
        width = len(self.evidence.surface.fit.sources)
        by_size = self.ground.natural(0)
        both = np.array(
            [
                [by_size[name] for name in self.sources],
                total_weights(self.recipe.mixture, self.sources),
            ]
        )
        first, second = onto(both, self.columns, width)
        return first, second


def total_weights(mixture: Mixture, sources: list[str]) -> Array:
    """Share of all training tokens of each source."""
    return np.array(
        [sum(p.share * p.weights.get(name, 0.0) for p in mixture.phases) for name in sources]
    )
