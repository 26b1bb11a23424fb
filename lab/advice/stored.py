"""Finding what was asked for last for a recipe, whether it still speaks of it, and saving it.

The same answer twice is one artifact, so its manifest says when it was asked for last: an answer
that comes again is the latest again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.advice.words import few
from lab.core.artifacts import Artifact, asked_now, asked_when, build, load
from lab.core.errors import ConfigError, LabError
from lab.core.files import digest, write_json
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.mixture.recipe import Recipe, recipe_id
from lab.mixture.recipe_files import read_recipe, save_recipe

ANSWER = "answer.json"


def basis(ws: Workspace, recipe: Recipe) -> str:
    """Names all that an answer for a recipe rests on but its weights: decisions and documents."""
    phases = tuple(replace(phase, weights={}) for phase in recipe.mixture.phases)
    plain = replace(recipe, mixture=replace(recipe.mixture, phases=phases))
    return digest([recipe_id(plain), [get_source(ws, name).documents for name in recipe.sources]])


def about(ws: Workspace, recipe: Recipe) -> dict[str, Any]:
    """What the manifest of an answer for `recipe` says of it."""
    return {"recipe": recipe.name, "recipe_id": recipe_id(recipe), "basis": basis(ws, recipe)}


def keep_answer(
    ws: Workspace, step: str, version: int, recipe: Recipe, mapping: Mapping[str, Any], verdict: str
) -> Artifact:
    """Store an answer for `recipe` as `ANSWER`; one that was stored before is the latest again."""
    said = about(ws, recipe)

    def make(folder: Path) -> dict[str, Any]:
        write_json(folder / ANSWER, mapping)
        return said | {"verdict": verdict}

    return asked_now(build(ws, step, version, said | {"answer": digest(mapping)}, [], make))


def newest(ws: Workspace, step: str, version: int, recipe: Recipe) -> tuple[Artifact, bool] | None:
    """(the artifact of `step` asked for last for a recipe of this name, whether its basis is that
    of today), or None.
    """
    named = {"recipe": recipe.name, "version": version}
    found = [load(path.parent) for path in (ws.artifacts / step).glob("[!.]*/manifest.json")]
    known = [a for a in found if a and named.items() <= a.manifest.items()]
    last = max(known, key=asked_when, default=None)
    return (last, last.manifest["basis"] == basis(ws, recipe)) if last else None


def require_sources(recipe: Recipe, names: Iterable[str]) -> Recipe:
    """The recipe; ConfigError if it lacks a source in `names`, those that an answer weighs."""
    if gone := [name for name in names if name not in recipe.sources]:
        raise ConfigError(
            f"This answer weighs {few(gone)}, no longer in the recipe.",
            where=recipe.name,
            value=gone,
            next_step="ask again for the recipe as it is now, or put the source back",
        )
    return recipe


def save_proposed(ws: Workspace, made: Recipe) -> Path:
    """Save a proposal as a recipe; ConfigError rather than replace one that says something else."""
    path = ws.recipes / f"{made.name}.yaml"
    if path.exists() and not says(path, made):
        raise ConfigError(
            "There is a recipe of this name already, and it says something else.",
            where=str(ws.recipes),
            value=made.name,
            next_step="choose another name, or delete the file",
        )
    return save_recipe(ws, made)


def says(path: Path, made: Recipe) -> bool:
    """True if the file holds this recipe, as saving the same proposal twice leaves it."""
    try:
        return recipe_id(read_recipe(path)) == recipe_id(made)
    except LabError:
        return False  # unreadable, still somebody's work
