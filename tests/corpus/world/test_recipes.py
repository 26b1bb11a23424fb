"""The recipes that come with the sample world are valid and speak of its sources."""

from pathlib import Path

import pytest

from lab.core.bundle import bundled
from lab.corpus.world import BENCHMARKS, SOURCES
from lab.mixture.recipe_files import read_recipe

RECIPES = sorted((bundled("sample_data") / "recipes").glob("*.yaml"))


def test_the_promised_recipes_are_there():
    assert {path.stem for path in RECIPES} >= {
        "natural", "synthetic-only", "web-encyclopaedia-only", "balanced", "phi-like",
    }  # fmt: skip


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_reads_and_names_what_exists(path: Path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert set(recipe.sources) <= set(SOURCES)
    if recipe.decontaminate:
        assert set(recipe.decontaminate.benchmarks) <= set(BENCHMARKS)


def test_balanced_draws_on_both_extremes():
    weights = {path.stem: read_recipe(path).average_weights() for path in RECIPES}
    for extreme in ("synthetic-only", "web-encyclopaedia-only"):
        assert sum(weights["balanced"][source] for source in weights[extreme]) >= 0.39
