"""`mixlab recipe`, and the options that decide what a proxy reads."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.cli.main import main
from lab.core.workspace import Workspace
from lab.mixture.recipe_files import load_recipe
from lab.proxy.repetition import describe_repetition
from lab.proxy.runs import load_run

Copy = Callable[[Workspace], Workspace]


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Copy) -> Workspace:
    return copy_of(plain_workspace)


def mixlab(ws: Workspace, capsys: pytest.CaptureFixture[str], *line: str) -> dict:
    assert main([*line, "-w", str(ws.root), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_templates_are_listed_with_where_they_come_from(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = {t["template"]: t for t in mixlab(ws, capsys, "recipe", "templates")["templates"]}
    assert set(listed) >= {"single", "broad-then-sharpened", "matched-exposure"}
    assert "No proportions are disclosed" in listed["broad-then-sharpened"]["origin"]


def test_a_new_recipe_is_saved_with_its_note(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    said = mixlab(
        ws, capsys, "recipe", "new", "curriculum", "--template", "broad-then-sharpened",
        "--tokens", "50_000",
    )  # fmt: skip
    recipe = load_recipe(ws, "curriculum")
    assert [p.name for p in recipe.mixture.phases] == ["broad", "sharpened"]
    assert (recipe.mixture.tokens, recipe.note) == (50_000, said["note"])
    assert Path(said["path"]).is_file()
    flat = mixlab(
        ws, capsys, "recipe", "new", "flat", "--template", "matched-exposure", "--from",
        "curriculum",
    )  # fmt: skip
    twin = load_recipe(ws, "flat")
    assert twin.average_weights() == pytest.approx(recipe.average_weights())
    assert len(twin.mixture.phases) == 1
    assert "order" in flat["note"]


def test_a_recipe_is_not_replaced_and_what_is_missing_is_said(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    mixlab(ws, capsys, "recipe", "new", "one", "--template", "single")
    assert main(["recipe", "new", "one", "--template", "single", "-w", str(ws.root)]) == 1
    assert "a recipe of this name already" in capsys.readouterr().err
    for wrong in (
        ["new", "two"],
        ["new", "--template", "single"],
        ["new", "two", "--template", "matched-exposure"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(["recipe", *wrong, "-w", str(ws.root)])
        assert caught.value.code == 2
    assert main(["recipe", "new", "two", "--template", "sinlge", "-w", str(ws.root)]) == 1
    assert "single" in capsys.readouterr().err


@pytest.mark.slow
def test_training_without_repetition_matching_says_so(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    mixlab(ws, capsys, "recipe", "new", "all", "--template", "single", "--tokens", "400_000")
    said = mixlab(
        ws, capsys, "train", "all", "--tokens", "4096", "--workers", "1",
        "--no-repetition-match", "--no-snapshots",
    )  # fmt: skip
    run = load_run(ws.runs / said["runs"][0])
    assert (run.snapshots, run.repetition["match"]) == (False, False)
    frame = describe_repetition(run)
    assert (frame["used_tokens"] == frame["pool_tokens"]).all()
    assert "matching is off" in said["repetition"]
