"""The step of breadth: how broad sources are, what recipes keep of it, and how sources overlap."""

from typing import Any

from lab.core.errors import ConfigError, DataError
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.jobs import actions as a
from lab.jobs.steps.corpus import chosen_sources
from lab.mixture.recipe import Recipe

Result = dict[str, Any]


def diversity(ws: Workspace, p: a.Diversity, progress: Progress) -> Result:
    """Breadth of sources, of what a recipe keeps of them, and of one recipe against another."""
    from lab.jobs.breadth.common import encoder_in_use, require_common
    from lab.jobs.breadth.mixtures import recipe_breadth

    recipes, names = asked(ws, p)
    needed = [*names, *([chosen_sources(ws, p.reference)[0]] if p.reference else [])]
    common = require_common(ws, needed, p.encoder or encoder_in_use(ws))
    sources = panels(ws, p, names, common, None, progress.part(0, 0.4))
    few = {name: n for name in names if (n := sources[name]["sample"]["embedded"]) < 2}
    if len(few) == len(names):
        raise too_few(few)
    names = [name for name in names if name not in few]
    found: Result = {
        "encoder": common.encoder, "size": p.size, "reference": p.reference or "",
        "sources": {name: sources[name] for name in names}, "few": few,
    }  # fmt: skip
    for k, recipe in enumerate(recipes):
        part = progress.part(0.4 + 0.15 * k, 0.55 + 0.15 * k)
        own = [name for name in [*names, *few] if name in recipe.sources]
        kept = panels(ws, p, own, common, recipe, part)
        found.setdefault("recipes", {})[recipe.name] = {
            "kept": {name: panel for name, panel in kept.items() if name not in few},
            "mixture": recipe_breadth(ws, recipe, common),
        }
    if len(recipes) == 2:
        mixtures = [each["mixture"] for each in found["recipes"].values()]
        found["versus"] = versus(ws, p, names, common, recipes, mixtures)
    if len(names) > 1:
        found["overlap"] = overlaps(ws, p, names, common, progress.part(0.7, 1.0))
    return found


def asked(ws: Workspace, p: a.Diversity) -> tuple[list[Recipe], list[str]]:
    """The recipes, and the sources by name, or the recipes', or all; ConfigError for parameters
    that do not go together.
    """
    from lab.mixture.recipe_files import load_recipe

    if p.size < 2:
        raise ConfigError("A sample has at least two documents.", where="size", value=p.size)
    if p.against and not p.recipe:
        raise ConfigError("Against which recipe?", where="against", next_step="give --recipe too")
    if p.against and p.against == p.recipe:
        raise ConfigError("A recipe is no different from itself.", where="against", value=p.against)
    recipes = [load_recipe(ws, name) for name in (p.recipe, p.against) if name]
    names = [name for recipe in recipes for name in recipe.sources] or chosen_sources(ws, None)
    if p.sources:
        names = [chosen_sources(ws, name)[0] for name in p.sources]
    return recipes, list(dict.fromkeys(names))


def too_few(few: dict[str, int]) -> DataError:
    """What to say where no source has two documents to compare."""
    return DataError(
        "Fewer than two training documents are embedded and on the map, so nothing can be said "
        "about how they differ.",
        where=f"source {', '.join(few)}",
        value=few,
        next_step="ask for a source of more documents; a larger sample: `mixlab embed --sample N`, "
        "then `mixlab map`",
    )


def panels(
    ws: Workspace,
    p: a.Diversity,
    names: list[str],
    common: Any,
    recipe: Recipe | None,
    progress: Progress,
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
            common,
            kept=kept.get(name),
            selection=kept_key(ws, recipe) if recipe else "",
            size=p.size,
            reference=p.reference,
        )
        found[name] = read_panel(artifact)
    return found


def versus(
    ws: Workspace,
    p: a.Diversity,
    names: list[str],
    common: Any,
    recipes: list[Recipe],
    mixtures: list[Result],
) -> Result:
    """The first recipe against the second, of the sources asked for that both have."""
    from lab.jobs.breadth.apart import common_sources, measure_apart, read_apart

    one, other = recipes
    both = [name for name in common_sources(one, other, common) if name in names]
    made = measure_apart(ws, one, other, both, common, size=p.size)
    return read_apart(made, mixtures)


def overlaps(
    ws: Workspace, p: a.Diversity, names: list[str], common: Any, progress: Progress
) -> list[dict[str, Any]]:
    """All pairs of the sources."""
    from lab.jobs.breadth.between import measure_overlap, read_overlap

    made = measure_overlap(ws, names, common, size=p.size, progress=progress)
    return read_overlap(made).to_dicts()
