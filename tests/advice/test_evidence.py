"""The workspace's runs as tables, from run folders written as proxy and evaluation write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.advice.cheap.source_runs import source_recipes
from lab.advice.evidence.branches import branches
from lab.advice.evidence.evidence import tables_from_runs
from lab.advice.fitting.fit import fit_table
from lab.advice.proposing.from_runs import fit_runs
from lab.core.errors import ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.mixture.recipe import Mixture, Phase, Recipe, recipe_mapping


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def add_run(
    ws: Workspace,
    name: str,
    phases: list[tuple[float, dict[str, float]]],
    loss: float,
    *,
    tokens: int = 1000,
    rules: list[dict[str, Any]] | None = None,
    items: str = "h1",
    first: str = "p",
    **more: Any,
) -> None:
    """A finished, evaluated run: the keys of run.json and summary.json that matter here."""
    sources = sorted({source for _, weights in phases for source in weights})
    mapping = {
        "name": name,
        "sources": {s: {"filters": rules} if rules and s == "web" else {} for s in sources},
        "mixture": {
            "phases": [{"name": first, "share": phases[0][0], "weights": phases[0][1]}]
            + [{"name": "p", "share": share, "weights": w} for share, w in phases[1:]]
        },
    }
    spec = {
        "id": name,
        "recipe": name.split("-")[0],
        "recipe_id": name,
        "size": "nano",
        "tokens": tokens,
        "documents": {s: f"doc-{s}" for s in sources},
        "mapping": mapping,
    } | more
    rows = [
        ("heldout", "web", "bpb", "lower", loss),
        ("heldout", "(mean)", "bpb", "lower", loss),
        ("benchmark", "facts", "accuracy", "higher", 1 / loss),
        ("benchmark", "facts", "gold_bpb", "lower", loss / 2),
        ("twin", "facts-cloze", "gold_bpb", "lower", loss / 3),
    ]
    counts = {"unit": "bits/byte", "n": 10, "chance": None}
    keys = ("scope", "on", "metric", "better_is", "value")
    summary = {
        "heldout": {"web": {"hash": "h"}},
        "benchmarks": {"facts": {"hash": items}, "facts-cloze": {"hash": "t"}},
        "metrics": [dict(zip(keys, row, strict=True)) | counts for row in rows],
    }
    folder = ws.runs / name
    (folder / "scores").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(spec), "utf-8")
    (folder / "scores" / "summary.json").write_text(json.dumps(summary), "utf-8")


def test_weights_are_averaged_over_phases_by_their_share(ws: Workspace) -> None:
    add_run(ws, "two", [(0.75, {"web": 0.8, "books": 0.2}), (0.25, {"books": 1.0})], 2.0)
    add_run(ws, "one", [(1.0, {"web": 0.5, "code": 0.5})], 2.5)
    found = tables_from_runs(ws, size="nano")
    assert found.ratios.columns == ["run", "name", "books", "code", "web"]
    assert found.ratios.row(1) == ("two", "two", pytest.approx(0.4), 0.0, pytest.approx(0.6))
    assert found.metrics.row(0, named=True)["heldout/web/bpb"] == 2.5
    assert found.higher == ("benchmark/facts/accuracy",)
    assert found.default == ("heldout/web/bpb", "benchmark/facts/gold_bpb")
    assert "twin/facts-cloze/gold_bpb" in found.metrics.columns
    assert not any("(mean)" in name for name in found.metrics.columns)
    assert (found.size, found.tokens, found.notes) == ("nano", 1000, ())


def test_one_budget_at_a_time(ws: Workspace) -> None:
    for k in range(3):
        add_run(ws, f"small-{k}", [(1.0, {"web": 1 - k / 4, "books": k / 4})], 2.0 + k)
    add_run(ws, "large", [(1.0, {"web": 1.0})], 1.0, tokens=9000)
    found = tables_from_runs(ws)
    assert found.ratios.height == 3
    assert found.notes == (
        "1 runs are left out: other sizes or budgets than nano at 1,000 tokens.",
    )
    assert tables_from_runs(ws, tokens=9000).ratios["run"].to_list() == ["large"]


def test_runs_on_other_documents_or_rules_are_no_evidence(ws: Workspace) -> None:
    for k in range(3):
        add_run(ws, f"plain-{k}", [(1.0, {"web": 1 - k / 4, "books": k / 4})], 2.0 + k)
    add_run(ws, "filtered", [(1.0, {"web": 1.0})], 1.0, rules=[{"signal": "x", "min": 1}])
    add_run(ws, "bookish", [(1.0, {"books": 1.0})], 1.5, rules=[{"signal": "x", "min": 1}])
    found = tables_from_runs(ws)
    # the filter is on web, which the run on books alone does not use
    assert found.ratios["run"].to_list() == ["bookish", "plain-0", "plain-1", "plain-2"]
    assert found.notes == ("1 runs are left out: they used other documents or rules for web.",)


def test_a_metric_scored_on_other_items_is_left_out(ws: Workspace) -> None:
    add_run(ws, "a", [(1.0, {"web": 1.0})], 2.0)
    add_run(ws, "b", [(1.0, {"books": 1.0})], 2.5, items="h2")
    found = tables_from_runs(ws)
    assert found.default == ("heldout/web/bpb",)
    assert "benchmark/facts/accuracy, benchmark/facts/gold_bpb" in found.notes[0]


def test_a_mixture_trained_again_under_its_seed_counts_once(ws: Workspace) -> None:
    """Two rows of one run would weigh twice in the fit, and look like a repeat."""
    again = {"recipe_id": "r", "seed": 0}
    add_run(ws, "r-old", [(1.0, {"web": 1.0})], 2.0, created="2026-01-01", **again)
    add_run(ws, "r-new", [(1.0, {"web": 1.0})], 2.1, created="2026-01-02", **again)
    add_run(ws, "r-other", [(1.0, {"web": 1.0})], 2.2, created="2026-01-03", recipe_id="r", seed=1)
    assert tables_from_runs(ws).ratios["run"].to_list() == ["r-new", "r-other"]


def test_no_run_is_an_error_that_says_what_to_do(ws: Workspace) -> None:
    with pytest.raises(DataError, match="No finished and evaluated run") as caught:
        tables_from_runs(ws)
    assert "mixlab sweep" in caught.value.next_step


def test_the_tables_can_be_fitted(ws: Workspace) -> None:
    for k in range(9):
        share = k / 8
        weights = {"web": 1 - share, "books": share}
        add_run(ws, f"r-{k}", [(1.0, weights)], 2 + (share - 0.6) ** 2)
    found = tables_from_runs(ws)
    fit = fit_table(found.ratios, found.metrics, higher=found.higher, only=found.default)
    assert fit.metrics == found.default
    assert fit.sources == ("books", "web")


TRUNK = {"web": 0.5, "books": 0.5}


def test_runs_that_branch_are_no_runs_of_their_average(ws: Workspace) -> None:
    """Sources alone are ordinary runs, and so is a recipe that ends on one source by itself."""
    for source in ("web", "books"):
        add_run(ws, f"only-{source}", [(1.0, {source: 1.0})], 2.0)
        add_run(ws, f"anything-{source}", [(0.5, TRUNK), (0.5, {source: 1.0})], 3.0, first="shared")
    add_run(ws, "phased", [(0.9, TRUNK), (0.1, {"books": 1.0})], 2.2)
    add_run(ws, "broad", [(0.9, TRUNK), (0.1, TRUNK | {"code": 0.0})], 2.4, first="shared")
    found = tables_from_runs(ws)
    assert found.ratios["run"].to_list() == ["broad", "only-books", "only-web", "phased"]
    assert found.notes == (
        "2 runs are left out: they trained a shared mixture and then one source alone, so they are "
        "no runs of their average weights.",
    )


def test_branches_alone_are_no_evidence(ws: Workspace) -> None:
    add_run(ws, "b", [(0.5, TRUNK), (0.3, {"web": 1.0}), (0.2, {"web": 1.0})], 3.0, first="shared")
    with pytest.raises(DataError, match="No finished and evaluated run") as caught:
        tables_from_runs(ws, size="nano")
    assert "size nano" in caught.value.value and "1 runs are left out" in caught.value.value
    assert "mixlab sweep" in caught.value.next_step


def test_what_the_recipes_of_branches_record_is_what_keeps_them_out() -> None:
    phase = Phase("all", 1.0, {"web": 0.5, "books": 0.5})
    recipe = Recipe("natural", "plain", {"web": (), "books": ()}, Mixture(1000, (phase,)))
    supply = {"web": 10.0, "books": 10.0}
    for shared, expected in ((0.5, True), (0.0, False)):
        for made in source_recipes(recipe, supply, shared):
            assert branches({"mapping": recipe_mapping(made)}) is expected


def test_a_law_may_be_named_for_the_workspaces_runs(ws: Workspace) -> None:
    for k in range(6):
        add_run(ws, f"r{k}", [(1.0, {"web": 1 - k / 8, "books": k / 8})], 2.0 + 0.1 * k)
    fit = fit_runs(ws, "heldout/web/bpb", model="power_law")
    assert fit.scores["law"].unique().to_list() == ["power_law"]
    with pytest.raises(ConfigError, match="Unknown law") as caught:
        fit_runs(ws, "heldout/web/bpb", model="power_lwa")
    assert "power_law" in caught.value.next_step
