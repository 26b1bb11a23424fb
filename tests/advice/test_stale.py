"""Evidence and the data as it is now: which runs are stale, by what, and what follows."""

from pathlib import Path

import pytest

from lab.advice.design.swarm import with_weights
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.evidence.stale import pools_now, stale_table, weights_of
from lab.core.errors import DataError
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.evaluation.runs.trajectories import scored_runs
from lab.mixture.recipe import Mixture, Phase, Recipe, recipe_mapping
from tests.advice.test_evidence import add_run

RULE = Rule("gopher.word_count@ws1", min=5)
PHASES = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}),)
RECIPE = Recipe("mine", "plain", {"short": (), "long": ()}, Mixture(1000, PHASES))


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: object) -> Workspace:
    """A workspace with four runs: one as the recipe is, one filtered, one of before, one of other
    sources."""
    ws: Workspace = copy_of(plain_workspace)  # type: ignore[operator]
    filtered = Recipe("mine", "plain", {"short": (RULE,), "long": ()}, Mixture(1000, PHASES))
    for name, recipe, mix, loss in (
        ("now-a", RECIPE, {"short": 0.5, "long": 0.5}, 2.0),
        ("now-b", RECIPE, {"short": 0.2, "long": 0.8}, 2.1),
        ("cut", filtered, {"short": 0.5, "long": 0.5}, 2.2),
        ("cut-long", filtered, {"long": 1.0}, 2.3),
        ("before", RECIPE, {"short": 0.5, "long": 0.5}, 2.4),
        ("others", RECIPE, {"long": 0.5, "copies": 0.5}, 2.5),
    ):
        add_run(ws, name, [(1.0, mix)], loss)
        path = ws.runs / name / "run.json"
        spec = read_json(path)
        mapping = recipe_mapping(with_weights(recipe, name, mix))
        mapping["sources"] |= {"copies": {}}
        documents = {n: parts["documents"] for n, parts in pools_now(ws, RECIPE).items()}
        documents |= {"copies": "c"} | ({"short": "other"} if name == "before" else {})
        write_json(path, spec | {"mapping": mapping, "documents": documents})
    return ws


def test_stale_runs_are_named_with_what_changed(ws: Workspace) -> None:
    table = stale_table(ws, RECIPE, scored_runs(ws))
    found = {(r["run"], r["source"]): r["changed"] for r in table.iter_rows(named=True)}
    assert found == {
        ("cut", "short"): "rules",
        ("before", "short"): "documents",
        ("others", "copies"): "not in the recipe",
    }, "a run that gives the cut source no weight is not stale"


def test_only_current_runs_are_fitted_and_the_rest_is_said(ws: Workspace) -> None:
    found = tables_from_runs(ws, recipe=RECIPE)
    assert found.ratios["run"].to_list() == ["cut-long", "now-a", "now-b"]
    assert found.ratios.columns == ["run", "name", "long", "short"]
    assert found.notes == (
        "3 runs are stale, left out: other documents of short now; copies not in the recipe now; "
        "other rules of short now.",
    )


def test_if_all_is_stale_it_says_what_restores_the_decision(ws: Workspace) -> None:
    other = Recipe("mine", "plain", {"short": (RULE,), "long": (RULE,)}, Mixture(1000, PHASES))
    with pytest.raises(DataError, match="All evidence is stale") as caught:
        tables_from_runs(ws, recipe=other)
    assert "mixlab reuse mine" in caught.value.next_step


def test_weights_are_averaged_over_phases(tmp_path: Path, ws: Workspace) -> None:
    run = next(r for r in scored_runs(ws) if r.spec["id"] == "now-b")
    assert weights_of(run) == pytest.approx({"short": 0.2, "long": 0.8})
