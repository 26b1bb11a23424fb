"""From names to groups: one budget, one state of the recipe and its data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tiny_models import new_model, save_run
from tokenizers import Tokenizer

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.files import write_json
from lab.core.workspace import Workspace, create
from lab.evaluation.comparing.choose import named_groups, unscored
from lab.evaluation.runs.evaluate import evaluate_run
from lab.proxy.sizes import SIZES


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


@pytest.fixture
def add_run(ws: Workspace, tokenizer: Tokenizer) -> Any:
    """A finished, evaluated run folder with the keys that proxy writes."""

    def add(recipe: str, seed: int, *, evaluated: bool = True, **changes: Any) -> Path:
        count = len(list(ws.runs.iterdir()))
        folder = ws.runs / f"{recipe}-{count}"
        spec = {
            "id": folder.name,
            "created": f"2026-01-01T00:00:{count:02d}+00:00",
            "recipe": recipe,
            "recipe_id": recipe,
            "size": "nano",
            "tokens": 2048,
            "steps": 1,
            "hyperparameters": asdict(SIZES["nano"]),
            "tokenizer": {"name": "t"},
            "sources": [],
            "selection": "s",
        }
        model = new_model(tokenizer.get_vocab_size())
        save_run(folder, model, tokenizer, spec | {"seed": seed} | changes)
        write_json(folder / "status.json", {"state": "done"})
        if evaluated:
            evaluate_run(ws, folder)
        return folder

    return add


def test_a_recipe_is_its_seeds_and_a_run_is_itself(ws: Workspace, add_run: Any) -> None:
    a = [add_run("a", seed) for seed in range(2)]
    b = [add_run("b", seed) for seed in range(2)]
    assert named_groups(ws, ["b", "a"]) == {"b": b, "a": a}
    assert list(named_groups(ws, ["b", "a"])) == ["b", "a"]
    assert named_groups(ws, [a[0].name, "b"]) == {a[0].name: [a[0]], "b": b}


def test_every_size_keeps_its_own_newest_version(ws: Workspace, add_run: Any) -> None:
    micro = {"size": "micro", "hyperparameters": asdict(SIZES["micro"])}
    small = {name: [add_run(name, seed) for seed in range(2)] for name in "ab"}
    large = {name: [add_run(name, seed, **micro) for seed in range(2)] for name in "ab"}
    assert named_groups(ws, ["a", "b"], "nano") == small
    assert named_groups(ws, ["a", "b"], "micro") == large


def test_the_same_seed_again_is_no_repeat(ws: Workspace, add_run: Any) -> None:
    add_run("a", 0)
    again = [add_run("a", 0, documents={"x": "changed id"}), add_run("a", 1)]
    b = [add_run("b", seed) for seed in range(2)]
    assert named_groups(ws, ["a", "b"]) == {"a": again, "b": b}


def test_the_budget_that_all_have_and_most_seeds_is_taken(ws: Workspace, add_run: Any) -> None:
    add_run("a", 0, tokens=4096, steps=2)
    a = [add_run("a", seed) for seed in range(2)]
    b = [add_run("b", seed) for seed in range(2)]
    add_run("b", 0, tokens=4096, steps=2)
    add_run("b", 1, tokens=9 * 2048, steps=9)
    assert named_groups(ws, ["a", "b"]) == {"a": a, "b": b}
    chosen = named_groups(ws, ["a", "b"], tokens=4096)
    assert {name: len(runs) for name, runs in chosen.items()} == {"a": 1, "b": 1}
    asked = named_groups(ws, ["a", "b"], tokens=6000)
    assert asked == chosen, "6,000 tokens are two whole steps of 2,048"
    with pytest.raises(ConfigError, match="one size and token budget"):
        named_groups(ws, ["a", "b"], tokens=9999)


@pytest.mark.parametrize("change", [{"recipe_id": "edited"}, {"selection": "other documents"}])
def test_only_the_newest_state_of_a_recipe_counts(
    ws: Workspace, add_run: Any, change: dict[str, str]
) -> None:
    add_run("a", 0)
    newest = [add_run("a", seed, **change) for seed in range(2)]
    b = [add_run("b", 0)]
    assert named_groups(ws, ["a", "b"]) == {"a": newest, "b": b}


def test_names_without_runs_or_scores_say_what_to_do(ws: Workspace, add_run: Any) -> None:
    add_run("synthetic", 0)
    with pytest.raises(ConfigError, match="did you mean synthetic"):
        named_groups(ws, ["synthetic", "syntetic"])
    add_run("web", 0, tokens=4096, steps=2)
    with pytest.raises(ConfigError, match="in common"):
        named_groups(ws, ["synthetic", "web"])
    late = add_run("late", 0, evaluated=False)
    with pytest.raises(ArtifactMissing, match="trained but not scored") as caught:
        named_groups(ws, ["synthetic", "late"])
    assert caught.value.next_step == f"`mixlab evaluate {late.name}`"
    with pytest.raises(ArtifactMissing, match="not been evaluated"):
        named_groups(ws, ["synthetic", late.name])


def test_runs_that_are_not_scored_are_left_out_and_named(ws: Workspace, add_run: Any) -> None:
    a, b = [add_run("a", 0)], [add_run("b", 0)]
    late = add_run("b", 1, evaluated=False)
    assert named_groups(ws, ["a", "b"]) == {"a": a, "b": b}
    assert unscored(ws, "b") == [late.name]
    assert unscored(ws, "a") == []


def test_a_fine_tuned_run_is_no_repeat_of_its_parent(ws: Workspace, add_run: Any) -> None:
    a, b = [add_run("a", 0)], [add_run("b", 0)]
    tuned = add_run("b", 1, stage="sft", parent=b[0].name)
    assert named_groups(ws, ["a", "b"]) == {"a": a, "b": b}
    assert named_groups(ws, ["a", tuned.name])[tuned.name] == [tuned]
