"""Breadth of a recipe's mixture from what is stored, and of one recipe against another.

Of each source what the recipe keeps is taken if it has been measured, else its whole pool, and
which of the two is said. A source that was not measured at all has no part in the numbers; the
share of the weights that the others hold is given as `known`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.diversity.breadth.measures import SIZE
from lab.diversity.breadth.mixture import Ground, MixtureBreadth, lay_ground, mixture_breadth
from lab.diversity.breadth.summary import load_summary
from lab.diversity.breadth.topics import retention
from lab.diversity.embedding.encoder import DEFAULT
from lab.jobs.breadth.panels import compare, stored_panel
from lab.jobs.breadth.pool import Pool, kept_documents, kept_key, load_pool
from lab.mixture.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Artifacts of breadth by source, whether each is of what the recipe keeps, and sources that
    have none on the common partition.
    """

    artifacts: dict[str, Artifact]
    kept: dict[str, bool]
    missing: list[str]

    @property
    def key(self) -> str:
        """Names what is stored."""
        return " ".join(f"{name}:{a.id}" for name, a in self.artifacts.items())


def stored_breadth(
    ws: Workspace, recipe: Recipe, encoder: str = DEFAULT, size: int = SIZE
) -> Stored:
    """What is stored of the sources of a recipe now, all on one partition."""
    found: dict[str, tuple[Artifact, bool]] = {}
    for source in recipe.sources:
        for selection, kept in ((selection_of(ws, recipe), True), ("", False)):
            artifact = panel_or_none(ws, source, selection, encoder, size)
            if artifact and (selection or not kept) and source not in found:
                found[source] = artifact, kept
    found = {source: pair for source, pair in found.items() if pair[0].manifest["kept"] > 1}
    partitions = [artifact.manifest["inputs"][1] for artifact, _ in found.values()]
    common = max(sorted(set(partitions)), key=partitions.count, default="")
    on = {s: pair for s, pair in found.items() if pair[0].manifest["inputs"][1] == common}
    return Stored(
        {source: artifact for source, (artifact, _) in on.items()},
        {source: kept for source, (_, kept) in on.items()},
        [source for source in recipe.sources if source not in on],
    )


def selection_of(ws: Workspace, recipe: Recipe) -> str:
    """`kept_key`, or "" where the recipe names what has not been measured."""
    try:
        return kept_key(ws, recipe)
    except ArtifactMissing:
        return ""


def panel_or_none(
    ws: Workspace, source: str, selection: str, encoder: str, size: int
) -> Artifact | None:
    """The stored panel, or None also without embeddings or map."""
    try:
        return stored_panel(ws, source, selection=selection, encoder=encoder, size=size)
    except ArtifactMissing:
        return None


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


def recipe_breadth(
    ws: Workspace, recipe: Recipe, encoder: str = DEFAULT, size: int = SIZE
) -> dict[str, Any]:
    """Scores and gains of a recipe's mixture as JSON; `known` share, `missing` sources."""
    stored = stored_breadth(ws, recipe, encoder, size)
    ground = ground_of_stored(stored)
    found, known = breadth_of_weights(ground, recipe.average_weights()) if ground else (None, 0.0)
    return {
        "scores": {k: asdict(v) for k, v in found.scores.items()} if found else {},
        "gains": {
            measure: {source: asdict(gain) for source, gain in gains.items()}
            for measure, gains in (found.gains.items() if found else ())
        },
        "known": known,
        "missing": stored.missing,
    }


def recipes_apart(
    ws: Workspace,
    one: Recipe,
    other: Recipe,
    names: Sequence[str],
    *,
    encoder: str = DEFAULT,
    size: int = SIZE,
) -> dict[str, Any]:
    """One recipe against another: what each keeps of common sources, and the mixtures.

    The intervals of the mixtures' differences take both as independent; they share documents, so
    the intervals are a little too wide.
    """
    first, second = kept_documents(ws, one), kept_documents(ws, other)
    sources: dict[str, Any] = {}
    for source in (name for name in names if name in first and name in second):
        both = first[source].join(second[source], on="id", suffix="_other", maintain_order="left")
        pool = load_pool(ws, source, encoder, both)
        mine, theirs = (pool.frame[name].to_numpy().astype(bool) for name in ("kept", "kept_other"))
        counts, same = [int(mine.sum()), int(theirs.sum())], bool((mine == theirs).all())
        sources[source] = {"kept": counts, "same": same}
        if not same and min(counts) > 1:
            sources[source] |= compare(ws, pool, mine, theirs, size)
            sources[source]["lost"] = lost_between(pool, mine, theirs)
    mixtures = [recipe_breadth(ws, recipe, encoder, size) for recipe in (one, other)]
    return {"sources": sources, "mixture": mixture_changes(*mixtures)}


def lost_between(
    pool: Pool, one: NDArray[np.bool_], other: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Topics of what the second keeps that the first has lost."""
    inside = pool.only(other)
    tokens, clusters = inside.frame["tokens"].to_numpy(), inside.frame["cluster"].to_numpy()
    found = retention(clusters, tokens, one[other], pool.labels)
    return found.filter("lost").to_dicts()


def mixture_changes(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Scores of both mixtures and their differences."""
    changed = {}
    for measure in one["scores"]:
        if measure in other["scores"]:
            a, b = (Estimate(**side["scores"][measure]) for side in (one, other))
            half = float(np.hypot(a.high - a.low, b.high - b.low)) / 2
            gap = a.value - b.value
            between = Estimate(gap, gap - half, gap + half, min(a.n, b.n), a.unit)
            changed[measure] = {"one": asdict(a), "other": asdict(b), "difference": asdict(between)}
    return {"measures": changed, "known": [one["known"], other["known"]]}
