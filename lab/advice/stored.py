"""Finding what was stored last for a recipe, and whether it still speaks of it."""

from dataclasses import replace
from typing import Any

from lab.core.artifacts import Artifact, load
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.mixture.recipe import Recipe, recipe_id


def basis(ws: Workspace, recipe: Recipe) -> str:
    """Names all that an answer for a recipe rests on but its weights: decisions and documents."""
    phases = tuple(replace(phase, weights={}) for phase in recipe.mixture.phases)
    plain = replace(recipe, mixture=replace(recipe.mixture, phases=phases))
    return digest([recipe_id(plain), [get_source(ws, name).documents for name in recipe.sources]])


def about(ws: Workspace, recipe: Recipe) -> dict[str, Any]:
    """What the manifest of an answer for `recipe` says of it."""
    return {"recipe": recipe.name, "recipe_id": recipe_id(recipe), "basis": basis(ws, recipe)}


def newest(ws: Workspace, step: str, version: int, recipe: Recipe) -> tuple[Artifact, bool] | None:
    """(the artifact of `step` stored last for a recipe of this name, whether its basis is that of
    today), or None.
    """
    named = {"recipe": recipe.name, "version": version}
    found = [load(path.parent) for path in (ws.artifacts / step).glob("[!.]*/manifest.json")]
    known = [a for a in found if a and named.items() <= a.manifest.items()]
    last = max(known, key=lambda a: (a.manifest["created"], a.id), default=None)
    return (last, last.manifest["basis"] == basis(ws, recipe)) if last else None
