"""A first recipe from what is there, so that nobody starts from an empty file."""

from lab.core.workspace import Workspace
from lab.mixture.first_recipe import natural_recipe
from lab.mixture.recipe_files import save_recipe


def start_recipe(ws: Workspace) -> str:
    """Save `natural_recipe` and return its name."""
    recipe = natural_recipe(ws)
    save_recipe(ws, recipe)
    return recipe.name
