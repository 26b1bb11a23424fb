"""Breadth of a recipe's mixture from what is stored.

Of each source what the recipe keeps is taken if it has been measured, else its whole pool, and
which of the two is said. A source that was not measured, or of which fewer than two documents are
left, has no part in the numbers; the share of the weights that the others hold is `known`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.diversity.breadth.mixture import Ground, MixtureBreadth, lay_ground, mixture_breadth
from lab.diversity.breadth.summary import load_summary
from lab.jobs.breadth.common import Common, find_common
from lab.jobs.breadth.panels import newest_panels, stored_panels
from lab.jobs.breadth.pool import kept_key
from lab.mixture.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Artifacts of breadth by source on one partition, and whether each is of what the recipe
    keeps; of the sources that have none: `emptied` by the recipe's rules, `few` (fewer than two
    embedded documents are left), or `missing`, not measured.
    """

    artifacts: dict[str, Artifact]
    kept: dict[str, bool]
    emptied: list[str]
    few: list[str]
    missing: list[str]

    @property
    def key(self) -> str:
        """Names what is stored."""
        return " ".join(f"{name}:{a.id}" for name, a in self.artifacts.items())


def stored_breadth(ws: Workspace, recipe: Recipe, common: Common | None) -> Stored:
    """What is stored of the sources of a recipe now, newest first, of any size and reference."""
    found: dict[str, tuple[Artifact, bool]] = {}
    own = selection_of(ws, recipe)
    for selection in dict.fromkeys((own, "") if own else ("",)):
        newest = newest_panels(stored_panels(ws, common, selection) if common else [])
        found = {name: (made, bool(selection)) for name, made in newest.items()} | found
    used = {name: found[name] for name in recipe.sources if name in found}
    counted = {name: made.manifest["sample"] for name, (made, _) in used.items()}
    emptied = [name for name, kept in counted.items() if not kept["documents"]]
    few = [n for n, kept in counted.items() if kept["embedded"] < 2 and n not in emptied]
    whole = {name: pair for name, pair in used.items() if name not in (*emptied, *few)}
    return Stored(
        {name: made for name, (made, _) in whole.items()},
        {name: kept for name, (_, kept) in whole.items()},
        emptied,
        few,
        [name for name in recipe.sources if name not in used],
    )


def stored_for(ws: Workspace, recipe: Recipe, encoder: str) -> Stored:
    """`stored_breadth` on the partition of the recipe's sources."""
    return stored_breadth(ws, recipe, find_common(ws, list(recipe.sources), encoder))


def selection_of(ws: Workspace, recipe: Recipe) -> str:
    """`kept_key`, or "" where the recipe names what has not been measured."""
    try:
        return kept_key(ws, recipe)
    except ArtifactMissing:
        return ""


def ground_of_stored(stored: Stored) -> Ground | None:
    """The ground of what is stored, or None for nothing."""
    found = {name: load_summary(artifact.path) for name, artifact in stored.artifacts.items()}
    return lay_ground(found) if found else None


def breadth_of_weights(
    ground: Ground, weights: Mapping[str, float]
) -> tuple[MixtureBreadth | None, float]:
    """Breadth of the part of a mixture that the ground knows, and the share of that part."""
    known = {name: w for name, w in weights.items() if name in ground.sources}
    share = float(sum(known.values()) / max(sum(weights.values()), 1e-12))
    return (mixture_breadth(ground, known) if share > 0 else None), share


def recipe_breadth(ws: Workspace, recipe: Recipe, common: Common) -> dict[str, Any]:
    """`breadth_of_stored` of what is stored on a partition."""
    return breadth_of_stored(stored_breadth(ws, recipe, common), recipe)


def breadth_of_stored(stored: Stored, recipe: Recipe) -> dict[str, Any]:
    """Scores and gains of a recipe's mixture as JSON; `known` share of the weights, the sources it
    is `of`, and those without a part as in `Stored`. Gains need two sources: of one, one per cent
    more is no change.
    """
    ground = ground_of_stored(stored)
    found, known = breadth_of_weights(ground, recipe.average_weights()) if ground else (None, 0.0)
    gains = found.gains if found and len(stored.artifacts) > 1 else {}
    return {
        "scores": {k: asdict(v) for k, v in found.scores.items()} if found else {},
        "gains": {
            measure: {source: asdict(gain) for source, gain in by_source.items()}
            for measure, by_source in gains.items()
        },
        "known": known,
        "of": list(stored.artifacts),
        "emptied": stored.emptied,
        "few": stored.few,
        "missing": stored.missing,
    }
