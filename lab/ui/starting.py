"""A first recipe from what is there, so that nobody starts from an empty file."""

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.duplicates import DedupConfig
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from lab.ui.source_table import token_count

NAME = "natural"


def natural_recipe(ws: Workspace) -> Recipe:
    """Every source by its own size, one phase, exact copies dropped, one epoch.

    Raises ConfigError while tokens are not counted for every source.
    """
    tokens = {source.name: token_count(ws, source.name) for source in list_sources(ws)}
    unknown = [name for name, counted in tokens.items() if not counted]
    known = {name: counted for name, counted in tokens.items() if counted}
    if unknown or not known:
        raise ConfigError(
            "Tokens have not been counted for every source.",
            value=unknown,
            next_step="measure the sources first",
        )
    total = sum(known.values())
    weights = {name: counted / total for name, counted in known.items()}
    return Recipe(
        name=NAME,
        tokenizer=default_tokenizer(ws),
        sources=dict.fromkeys(known, ()),
        mixture=Mixture(total, (Phase("all", 1.0, weights),)),
        dedup=DedupConfig(exact=True, minhash=None),
    )


def start_recipe(ws: Workspace) -> str:
    """Save `natural_recipe` and return its name."""
    recipe = natural_recipe(ws)
    save_recipe(ws, recipe)
    return recipe.name
