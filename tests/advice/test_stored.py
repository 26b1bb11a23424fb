"""Saving what was proposed: nobody's recipe is replaced, no source is lost without a word."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.advice.stored import require_sources, save_proposed
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import load_recipe

PHASES = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}),)
RECIPE = Recipe("mine", "plain", {"short": (), "long": ()}, Mixture(40_000, PHASES))


def test_a_proposal_is_saved_twice_but_replaces_nothing_else(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    assert save_proposed(ws, RECIPE) == save_proposed(ws, RECIPE)
    other = replace(RECIPE, mixture=Mixture(50_000, PHASES))
    with pytest.raises(ConfigError, match="name already") as caught:
        save_proposed(ws, other)
    assert "another name" in caught.value.next_step
    assert load_recipe(ws, "mine") == RECIPE
    (ws.recipes / "broken.yaml").write_text("nothing: [", "utf-8")
    with pytest.raises(ConfigError, match="name already"):
        save_proposed(ws, replace(RECIPE, name="broken"))


def test_sources_that_left_the_recipe_are_named() -> None:
    assert require_sources(RECIPE, ["long"]) is RECIPE
    with pytest.raises(ConfigError, match="weighs web, no longer in the recipe"):
        require_sources(RECIPE, ["web", "long"])
