"""A run per source: the recipes that train them, and finding a set that goes together."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.advice.cheap.source_runs import (
    find_source_runs,
    plan_source_runs,
    single_source,
    source_recipes,
)
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Mixture, Phase, Recipe, recipe_mapping
from lab.proxy.runs import prepare_run

RULE = Rule("gopher.word_count@ws1", min=5)
TOKENS = 8192


def recipe(name: str = "mine") -> Recipe:
    phases = (
        Phase("broad", 0.75, {"short": 0.8, "long": 0.2}),
        Phase("sharpen", 0.25, {"long": 1.0}, {"long": (RULE,)}),
    )
    return Recipe(name, "plain", {"short": (), "long": (RULE,)}, Mixture(10**6, phases))


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    return copy_of(plain_workspace)


def scored(ws: Workspace, made: Recipe, **more: Any) -> Path:
    """A prepared run that looks scored."""
    folder = prepare_run(ws, made, tokens=more.pop("tokens", TOKENS), seed=more.pop("seed", 0))
    (folder / "scores").mkdir(exist_ok=True)
    write_json(folder / "scores" / "summary.json", {"heldout": {}, "benchmarks": {}, "metrics": []})
    if more:
        write_json(folder / "run.json", read_json(folder / "run.json") | more)
    return folder


def test_a_recipe_per_source_keeps_every_decision_but_the_weights() -> None:
    made = source_recipes(recipe(), {"short": 10.0, "long": 5.0})
    assert [r.name for r in made] == ["mine-only-short", "mine-only-long"]
    assert made[1].average_weights() == {"short": 0.0, "long": 1.0}
    assert [p.filters for p in made[1].mixture.phases] == [
        p.filters for p in recipe().mixture.phases
    ]
    assert made[0].sources == recipe().sources


def test_branches_share_the_recipe_s_average_first() -> None:
    made = source_recipes(recipe(), {"short": 10.0, "long": 5.0}, shared=0.5)
    assert [r.name for r in made] == ["mine-branch-short", "mine-branch-long"]
    phases = made[0].mixture.phases
    assert [p.share for p in phases] == [0.5, 0.375, 0.125]
    assert phases[0].weights == pytest.approx({"short": 0.6, "long": 0.4})
    spec = {"mapping": json.loads(json.dumps(recipe_mapping(made[0])))}
    found = single_source(spec)
    assert found and found[:2] == ("short", 0.5)


def test_only_runs_that_end_on_one_source_count() -> None:
    def shape(*phases: dict[str, float]) -> tuple[str, float, str] | None:
        rows = [{"share": 1 / len(phases), "weights": w} for w in phases]
        return single_source({"mapping": {"mixture": {"phases": rows}}})

    assert shape({"a": 1.0, "b": 0.0}) == ("a", 0.0, "")
    assert shape({"a": 0.5, "b": 0.5}) is None
    assert shape({"a": 1.0}, {"a": 0.5, "b": 0.5}) is None
    assert shape({"a": 1.0}, {"a": 0.5, "b": 0.5}, {"a": 1.0}) is None, "not a beginning"
    first, second = shape({"a": 0.5, "b": 0.5}, {"a": 1.0}), shape({"a": 1, "b": 9}, {"a": 1.0})
    assert first and second and first[:2] == ("a", 0.5) and first[2] != second[2]


@pytest.mark.parametrize("shared", [-0.1, 1.0, 2.0, float("nan")])
def test_an_impossible_share_is_refused(shared: float) -> None:
    with pytest.raises(ConfigError, match="shared part"):
        source_recipes(recipe(), {"short": 1.0, "long": 1.0}, shared)


def test_one_source_with_text_is_no_mixture() -> None:
    with pytest.raises(ConfigError, match="two sources"):
        source_recipes(recipe(), {"short": 10.0, "long": 0.0})


def test_a_missing_run_is_named_with_the_command_that_trains_it(ws: Workspace) -> None:
    with pytest.raises(ArtifactMissing, match="2 sources have no scored run") as caught:
        find_source_runs(ws, recipe(), branched=False)
    assert caught.value.next_step == "`mixlab sweep mine --single-source`"
    short, _ = plan_source_runs(ws, recipe())
    scored(ws, short)
    with pytest.raises(ArtifactMissing, match=r"1 sources have no scored run.*long") as caught:
        find_source_runs(ws, recipe(), branched=False)
    assert f"--size nano --tokens {TOKENS} --seed 0" in caught.value.next_step


def test_runs_of_other_seeds_sizes_tokenizers_or_data_do_not_go_together(ws: Workspace) -> None:
    short, long = plan_source_runs(ws, recipe())
    scored(ws, short)
    tokenizer = {"name": "other", "id": "x", "vocab_size": 9, "eot_id": 0}
    for odd in (
        {"seed": 1},
        {"tokens": 2 * TOKENS},
        {"size": "micro"},
        {"tokenizer": tokenizer},
        {"documents": {"long": "as it was once"}},
    ):
        folder = scored(ws, long, **odd)
        with pytest.raises(ArtifactMissing, match="no scored run"):
            find_source_runs(ws, recipe(), branched=False)
        folder.rename(ws.root / f"away-{len(list(ws.root.iterdir()))}")
    scored(ws, long)
    found = find_source_runs(ws, recipe(), branched=False)
    assert (found.sources, found.seed, found.shared) == (("short", "long"), 0, 0.0)
    assert [folder.name.split("-nano")[0] for folder in found.folders] == [
        "mine-only-short",
        "mine-only-long",
    ]


def test_branched_runs_are_preferred_where_they_are_wanted(ws: Workspace) -> None:
    for shared in (0.0, 0.5):
        for made in plan_source_runs(ws, recipe(), shared):
            scored(ws, made)
    assert find_source_runs(ws, recipe(), branched=True).shared == 0.5
    assert find_source_runs(ws, recipe(), branched=False).shared == 0.0
