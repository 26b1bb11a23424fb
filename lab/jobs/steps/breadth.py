"""The step of breadth: how broad sources are, what recipes keep of it, and how sources overlap."""

from typing import Any

from lab.core.errors import ConfigError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources
from lab.mixture.recipe import Recipe

Result = dict[str, Any]


def diversity(ws: Workspace, p: a.Diversity, progress: Progress) -> Result:
    """Breadth of sources, of what a recipe keeps of them, and of one recipe against another."""
    from lab.jobs.breadth.mixtures import recipe_breadth, recipes_apart
    from lab.mixture.recipe_files import load_recipe

    if p.size < 2:
        raise ConfigError("A sample has at least two documents.", where="size", value=p.size)
    if p.against and not p.recipe:
        raise ConfigError("Against which recipe?", where="against", next_step="give --recipe too")
    recipes = [load_recipe(ws, name) for name in (p.recipe, p.against) if name]
    names = asked(ws, p, recipes)
    found: Result = {"size": p.size, "sources": panels(ws, p, names, None, progress.part(0, 0.4))}
    for k, recipe in enumerate(recipes):
        part = progress.part(0.4 + 0.15 * k, 0.55 + 0.15 * k)
        own = [name for name in names if name in recipe.sources]
        found.setdefault("recipes", {})[recipe.name] = {
            "kept": panels(ws, p, own, recipe, part),
            "mixture": recipe_breadth(ws, recipe, p.encoder, p.size),
        }
    if len(recipes) == 2:
        found["versus"] = recipes_apart(
            ws, recipes[0], recipes[1], names, encoder=p.encoder, size=p.size
        )
    if len(names) > 1:
        found["overlap"] = overlaps(ws, p, names, progress.part(0.7, 1.0))
    return found


def asked(ws: Workspace, p: a.Diversity, recipes: list[Recipe]) -> list[str]:
    """The sources by name, or the recipes', or all."""
    if p.sources:
        return list(dict.fromkeys(chosen_sources(ws, name)[0] for name in p.sources))
    if recipes:
        return list(dict.fromkeys(name for recipe in recipes for name in recipe.sources))
    return chosen_sources(ws, None)


def panels(
    ws: Workspace, p: a.Diversity, names: list[str], recipe: Recipe | None, progress: Progress
) -> Result:
    """The panel of each source, or of what `recipe` keeps of it."""
    from lab.jobs.breadth.panels import measure_breadth, read_panel
    from lab.jobs.breadth.pool import kept_documents, kept_key

    kept = kept_documents(ws, recipe) if recipe else {}
    found: Result = {}
    for k, name in enumerate(names):
        progress(k, len(names), f"breadth of {name}")
        artifact = measure_breadth(
            ws,
            name,
            kept=kept.get(name),
            selection=kept_key(ws, recipe) if recipe else "",
            encoder=p.encoder,
            size=p.size,
            reference=p.reference,
        )
        found[name] = read_panel(artifact)
    return found


def overlaps(
    ws: Workspace, p: a.Diversity, names: list[str], progress: Progress
) -> list[dict[str, Any]]:
    """All pairs of the sources."""
    from lab.jobs.breadth.between import measure_overlap, read_overlap

    made = measure_overlap(ws, names, encoder=p.encoder, size=p.size, progress=progress)
    return read_overlap(made).to_dicts()
