"""Recipes in a workspace: load by name or path, save with history, list, check against what exists.

Saving keeps the version it replaces under `recipes/.history/`, named by its content, so that no
decision is lost and an edit can be undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import ConfigError, LabError, nearest
from lab.core.files import file_sha256, read_yaml, write_bytes, write_yaml
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import list_tokenizers
from lab.mixture.parsing import parse_name, parse_recipe
from lab.mixture.recipe import Recipe, recipe_id, recipe_mapping


@dataclass(frozen=True, slots=True)
class ListedRecipe:
    """A recipe file in the workspace; `problem` says why it cannot be read, if so."""

    name: str
    path: Path
    recipe: Recipe | None
    problem: str = ""


def list_recipes(ws: Workspace) -> list[ListedRecipe]:
    """All recipe files by name; a broken one is listed with its problem, not hidden."""
    listed = []
    for path in sorted(ws.recipes.glob("*.yaml")):
        try:
            listed.append(ListedRecipe(path.stem, path, named_as_file(path)))
        except ConfigError as error:
            listed.append(ListedRecipe(path.stem, path, None, str(error)))
    return listed


def read_recipe(path: Path) -> Recipe:
    """The recipe in file `path`, parsed strictly."""
    return parse_recipe(read_yaml(path), path.name)


def named_as_file(path: Path) -> Recipe:
    """The recipe of a file in the workspace, whose inner name must be the file's."""
    recipe = read_recipe(path)
    if recipe.name != path.stem:
        raise ConfigError(
            "The name inside this recipe is not the name of its file.",
            where=f"{path.name}.name",
            value=recipe.name,
            next_step=f"write `name: {path.stem}`; runs and comparisons go by the inner name",
        )
    return recipe


def load_recipe(ws: Workspace, name_or_path: str) -> Recipe:
    """A recipe by its name in the workspace, or by path; checked against the workspace."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ConfigError(
                "There is no such recipe file.",
                where=str(path.parent.resolve()),
                value=name_or_path,
                next_step="name a file, or a recipe of the workspace: `mixlab recipes` lists them",
            )
        return check_recipe(ws, read_recipe(path), str(path))
    stored = ws.recipes / f"{parse_name(name_or_path, 'recipe')}.yaml"
    if not stored.is_file():
        raise ConfigError(
            "Unknown recipe.",
            where=str(ws.recipes),
            value=name_or_path,
            next_step=nearest(name_or_path, [p.stem for p in ws.recipes.glob("*.yaml")]),
        )
    return check_recipe(ws, named_as_file(stored), stored.name)


def check_recipe(ws: Workspace, recipe: Recipe, where: str) -> Recipe:
    """ConfigError if the recipe names a source, tokenizer or benchmark the workspace lacks."""
    check_names(recipe.sources, [s.name for s in list_sources(ws)], "source", f"{where}.sources")
    if recipe.tokenizer:
        check_names([recipe.tokenizer], list_tokenizers(ws), "tokenizer", f"{where}.tokenizer")
    if recipe.decontaminate:
        known = [p.parent.name for p in ws.benchmarks.glob("*/items.parquet")]
        names = recipe.decontaminate.benchmarks
        check_names(names, known, "benchmark", f"{where}.decontaminate.benchmarks")
    return recipe


def check_names(names: Iterable[str], known: list[str], kind: str, where: str) -> None:
    """ConfigError for the first of `names` that is not among `known`."""
    for name in names:
        if name not in known:
            raise ConfigError(
                f"The workspace has no {kind} {name!r}.",
                where=where,
                value=name,
                next_step=nearest(name, known),
            )


def save_recipe(ws: Workspace, recipe: Recipe) -> Path:
    """Write `recipes/NAME.yaml`; an older version with other content goes to `.history`."""
    path = ws.recipes / f"{recipe.name}.yaml"
    if path.is_file():
        keep_old(ws, path, recipe)
    write_yaml(path, recipe_mapping(recipe))
    return path


def keep_old(ws: Workspace, path: Path, new: Recipe) -> None:
    """Copy the version about to be replaced into the history, unless it says the same."""
    try:
        old = recipe_id(read_recipe(path))
    except LabError:
        old = file_sha256(path)[:20]  # unreadable, still somebody's work: keep the bytes
    if old != recipe_id(new):
        kept = ws.recipes / ".history" / f"{path.stem}-{old}.yaml"
        write_bytes(kept, path.read_bytes())


def history(ws: Workspace, name: str) -> list[Path]:
    """Earlier versions of a recipe, newest first."""
    content = "[0-9a-f]" * 20  # a whole id: `phi-*` would also match the history of `phi-like`
    kept = (ws.recipes / ".history").glob(f"{parse_name(name, 'recipe')}-{content}.yaml")
    return sorted(kept, key=lambda p: p.stat().st_mtime_ns, reverse=True)
