"""The Advice page on a fit of runs: asking, verdict, every view, empty states, and deep links."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from visiting import Open, words_of

from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.advice.proposing.of_recipe import advise_from_runs
from lab.advice.proposing.outcomes import outcomes
from lab.advice.proposing.request import Request, request_of
from lab.advice.proposing.store import latest, save, save_validation
from lab.advice.words import LONGEST
from lab.core.errors import ConfigError
from lab.core.files import read_json, write_json
from lab.core.workspace import Workspace, open_workspace
from lab.jobs.store import list_jobs
from lab.mixture.recipe_files import load_recipe

Copy = Callable[[Workspace], Workspace]
RECIPE = "plain-two"
LONG, SHORT = "heldout/long/bpb", "heldout/short/bpb"
WORDS = "benchmark/words/gold_bpb"  # drawn by lot: no law can predict it
EPOCHS = 4.0  # of every run's heavier source, here and in the real run
VIEWS = (
    *("Scores", "Predicted and measured", "Distance", "Supply", "Guards", "Groups"),
    *("Next runs", "Laws"),
)


def write_recipe(ws: Workspace, tokens: int) -> None:
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    weights = {"short": 0.3, "long": 0.7}
    body = {
        "sources": {"short": {}, "long": {}},
        "mixture": {"tokens": tokens, "repeat_cap": 30,
                    "phases": [{"name": "all", "weights": weights}]},
    }  # fmt: skip
    save_recipe(ws, parse_recipe({"name": RECIPE, "tokenizer": "plain", **body}, RECIPE))


def write_run(ws: Workspace, template: Path, short: float, seed: int, **how: Any) -> str:
    """A scored run of RECIPE at a share of `short`, invented: loss follows the share, but WORDS."""
    recipe = load_recipe(ws, RECIPE)
    from lab.mixture.recipe import recipe_mapping

    share = {"short": short, "long": 1 - short}
    mapping = recipe_mapping(recipe)
    mapping["mixture"]["phases"][0]["weights"] = share
    spec = read_json(template / "run.json")
    name = f"{how.get('name', 'swept')}-{round(1000 * short):04d}-s{seed}"
    target = recipe.mixture.tokens
    sources = {
        source: {"pool_tokens": weight * target / EPOCHS, "used_tokens": 1, "documents": 1,
                 "epochs_here": how.get("here", EPOCHS), "epochs_target": EPOCHS}
        for source, weight in share.items()
    }  # fmt: skip
    spec |= {"id": name, "recipe": name, "recipe_id": name, "seed": seed, "mapping": mapping}
    spec |= {"documents": {s: v for s, v in read_documents(ws).items() if s in share}}
    spec |= {"repetition": {"match": True, "target_tokens": target, "sources": sources}}
    if size := how.get("size"):
        spec |= {"size": size}
    rng = np.random.default_rng([seed, round(1000 * short)])
    value = {LONG: 2 + 0.5 * short**2, SHORT: 2.4 - 0.9 * short, WORDS: 1.0}
    noise = {LONG: 0.004, SHORT: 0.004, WORDS: 0.05}
    summary = read_json(template / "scores" / "summary.json")
    for row in summary["metrics"]:
        key = f"{row['scope']}/{row['on']}/{row['metric']}"
        row["value"] = value.get(key, row["value"]) + rng.normal(0, noise.get(key, 0.01))
    folder = ws.runs / name
    (folder / "scores").mkdir(parents=True)
    write_json(folder / "run.json", spec)
    write_json(folder / "scores" / "summary.json", summary)
    return name


def read_documents(ws: Workspace) -> dict[str, str]:
    from lab.corpus.sources import list_sources

    return {source.name: source.documents for source in list_sources(ws)}


def swept(trained: Workspace, root: Path, here: float = EPOCHS) -> Workspace:
    """Nine mixtures of two sources, the middle one under four seeds."""
    shutil.copytree(trained.root, root, ignore=shutil.ignore_patterns("runs"))
    ws = open_workspace(root)
    write_recipe(ws, 100_000)
    template = next(trained.runs.glob("both-*"))
    for k in range(9):
        for seed in range(4 if k == 4 else 1):
            write_run(ws, template, 0.1 + 0.1 * k, seed, here=here)
    return ws


@pytest.fixture(scope="module")
def advised(
    trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Fit, Advice]:
    """Advice with a guard and a front, the proposal trained, and a validation. Read only."""
    from lab.advice.evidence.evidence import tables_from_runs
    from lab.advice.proposing.validation import validate

    ws = swept(trained_workspace, tmp_path_factory.mktemp("swept") / "w")
    asked = request_of({"guards": {LONG: 0.02}, "groups": {"long": [LONG], "short": [SHORT]},
                        "kl": 0.013})  # fmt: skip
    fit, advice = advise_from_runs(ws, RECIPE, asked)
    template = next(trained_workspace.runs.glob("both-*"))
    share = advice.proposal["short"]
    write_run(ws, template, share, 7, name="later")
    tokens = read_json(template / "run.json")["tokens"]
    for mixture in (share, advice.natural["short"], 0.5):
        for seed in (8, 9):
            write_run(ws, template, mixture, seed, name="second", size="micro")
    base = load_recipe(ws, RECIPE)
    save_validation(ws, validate(fit, advice, tables_from_runs(ws, "micro", tokens, base)), base)
    return ws, fit, advice


def test_the_request_is_kept_with_the_answer(advised: tuple[Workspace, Fit, Advice]) -> None:
    ws, fit, advice = advised
    found = latest(ws, RECIPE)
    assert found is not None
    assert found[1].asked == advice.asked
    assert found[1].asked.guards == {LONG: 0.02}
    assert found[1].kl == 0.013 and 0.013 in found[1].path["kl"].to_list()
    assert set(fit.metrics) >= {LONG, SHORT, WORDS}, "what is not aimed at is fitted too"
    assert WORDS not in advice.targets, "no law predicts it"
    assert advice.guards["metric"].to_list() == [LONG]
    assert {"gain_long", "gain_short"} <= set(advice.front.columns)


def test_matched_runs_are_charged_for_repetition_once(
    advised: tuple[Workspace, Fit, Advice], trained_workspace: Workspace, tmp_path: Path
) -> None:
    """The same runs on fresh text: there the law counts what repeating costs."""
    _, _, advice = advised
    assert any("not counted again" in note for note in advice.notes)
    other = swept(trained_workspace, tmp_path / "fresh", here=1.0)
    fresh = advise_from_runs(other, RECIPE, Request(kl=0.013))[1]
    assert any("counted by the data-constrained law" in note for note in fresh.notes)
    assert fresh.supply["effective_tokens"].sum() < 100_000


def test_notes_are_short(advised: tuple[Workspace, Fit, Advice]) -> None:
    _, fit, advice = advised
    for note in (*advice.notes, *advice.trade, *fit.notes):
        assert len(note) <= LONGEST, note


def test_a_metric_that_failed_or_is_unknown_is_refused(
    advised: tuple[Workspace, Fit, Advice],
) -> None:
    ws, _, _ = advised
    with pytest.raises(ConfigError, match="Unknown metric"):
        advise_from_runs(ws, RECIPE, Request(targets=("heldout/lnog/bpb",)))
    for wrong in (
        {"kl": -1.0}, {"kl": "x"}, {"guards": {LONG: "much"}}, {"guards": [LONG]},
        {"targets": LONG}, {"groups": {"a": LONG}}, {"caps": {"long": float("nan")}},
        {"tragets": [LONG]},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            request_of(wrong)


def test_asking_again_makes_an_old_answer_the_latest(
    advised: tuple[Workspace, Fit, Advice], copy_of: Copy
) -> None:
    ws, fit, advice = copy_of(advised[0]), advised[1], advised[2]
    base = load_recipe(ws, RECIPE)
    from dataclasses import replace

    other = replace(advice, kl=0.5)
    save(ws, fit, other, base)
    assert (found := latest(ws, RECIPE)) is not None and found[1].kl == 0.5
    save(ws, fit, advice, base)
    assert (found := latest(ws, RECIPE)) is not None and found[1].kl == 0.013


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_by_its_address(
    advised: tuple[Workspace, Fit, Advice], open_page: Open, view: str
) -> None:
    app = open_page(advised[0], "advice", recipe=RECIPE, advice_view=view)
    assert not app.exception
    columns = [set(frame.value.columns) for frame in app.dataframe]
    expected = {
        "Scores": {"metric", "target", "gain", "p_better"},
        "Predicted and measured": {"run", "kind", "predicted", "measured"},
        "Distance": {"kl", "gain", "gain_low", "short", "long"},
        "Supply": {"epochs", "effective_tokens", "cap"},
        "Guards": {"metric", "epsilon", "p_met", "price"},
        "Groups": {"gain_long", "gain_short", "low_long"},
        "Next runs": {"run", "size", "tokens", "minutes"},
        "Laws": {"law", "skill", "regret"},
    }[view]
    assert any(expected <= names for names in columns), columns


def test_verdict_odds_and_what_was_asked(
    advised: tuple[Workspace, Fit, Advice], open_page: Open
) -> None:
    ws, _, advice = advised
    app = open_page(ws, "advice", recipe=RECIPE)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Better than natural"] == f"{100 * advice.p_better:.0f} %"
    assert advice.p_current is not None
    assert shown["Better than current"] == f"{100 * advice.p_current:.0f} %"
    said = words_of(app).replace("\\", "")
    assert "KL 0.013, 1 guard" in said
    scores = next(f.value for f in app.dataframe if "target" in f.value.columns)
    row = scores[scores["metric"] == WORDS].iloc[0]
    assert not row["target"] and "better than its mean" in row["note"]


def test_predictions_are_out_of_fold_and_later_runs_are_marked(
    advised: tuple[Workspace, Fit, Advice], open_page: Open
) -> None:
    ws, fit, _ = advised
    app = open_page(
        ws, "advice", recipe=RECIPE, advice_view="Predicted and measured", outcome_metric=SHORT
    )
    frame = next(f.value for f in app.dataframe if "kind" in f.value.columns)
    fitted = frame[frame["kind"] == "fitted"].set_index("run").loc[list(fit.runs)]
    t = fit.metrics.index(SHORT)
    np.testing.assert_allclose(fitted["predicted"], fit.heldout[:, t])
    np.testing.assert_allclose(fitted["measured"], fit.costs[:, t])
    assert not np.allclose(fit.heldout[:, t], fit.surface.predict(fit.weights)[0][:, t])
    later = frame[frame["run"].str.startswith("later")].iloc[0]
    assert later["kind"] == "proposal" and later["size"] == ""
    assert later["low"] < later["predicted"] < later["high"]
    second = frame[frame["size"] == "micro"]
    assert set(second["kind"]) == {"proposal", "natural", "uniform"}
    assert second["low"].isna().all(), "levels differ between sizes"


def test_a_run_scored_anew_on_other_items_takes_nothing_from_the_others(
    advised: tuple[Workspace, Fit, Advice], copy_of: Copy
) -> None:
    ws, fit, advice = advised
    own = copy_of(ws)
    template = own.runs / fit.runs[0]
    write_run(own, template, 0.25, 7, name="later")
    other = own.runs / write_run(own, template, 0.35, 7, name="anew") / "scores" / "summary.json"
    summary = read_json(other)
    summary["heldout"]["long"]["hash"] = "of other items"
    write_json(other, summary)
    found = outcomes(own, fit, advice).filter(pl.col("metric") == LONG)
    assert set(fit.runs) <= set(found["run"])
    assert "later-0250-s7" in found["run"]
    assert not found["run"].str.starts_with("anew").any()
    assert (found["low"] >= 0).all()


def test_no_mixture_meets_the_guards_in_words(
    advised: tuple[Workspace, Fit, Advice], open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(advised[0])
    asked = Request(guards={LONG: -0.1, SHORT: -0.3})
    advice = advise_from_runs(ws, RECIPE, asked)[1]
    assert advice.verdict == "unmet"
    app = open_page(ws, "advice", recipe=RECIPE, advice_view="Guards")
    said = words_of(app).replace("\\", "")
    assert "No mixture meets all guards: this is the one nearest to them" in said
    assert "misses: " in said and "epsilon of" in said


def test_the_form_asks_the_job_what_the_terminal_would(
    advised: tuple[Workspace, Fit, Advice], open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(advised[0])
    app = open_page(ws, "advice", recipe=RECIPE)
    offered = app.multiselect(key="ask_targets").options
    assert {LONG, SHORT} <= set(offered)
    closed = next(f.value for f in app.dataframe if list(f.value.columns) == ["metric", "reason"])
    assert not set(closed[closed["reason"].str.contains("noise")]["metric"]) & set(offered)
    app.multiselect(key="ask_targets").set_value([SHORT])
    app.multiselect(key="ask_guards").set_value([LONG])
    app.number_input(key="ask_kl").set_value(0.01)
    app.toggle(key="ask_front").set_value(True)
    app.run()
    app.number_input(key=f"ask_epsilon.{LONG}").set_value(0.05).run()
    groups = [m for m in app.multiselect if m.key and m.key.startswith("ask_group.")]
    assert len(groups) == 2
    groups[0].set_value([LONG])
    groups[1].set_value([SHORT])
    app.run()
    app.button(key="advise").click().run()
    assert not app.exception
    (job,) = list_jobs(ws)
    names = [group.label.lower().replace("\\", "") for group in groups]
    assert job.params == {
        "recipe": RECIPE, "targets": [SHORT], "kl": 0.01, "guards": {LONG: 0.05},
        "groups": {names[0]: [LONG], names[1]: [SHORT]},
    }  # fmt: skip
    from lab.jobs.store import cancel_job

    cancel_job(ws, job.id)


def test_without_guards_groups_or_runs_it_says_what_to_do(
    advised: tuple[Workspace, Fit, Advice], open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(advised[0])
    advise_from_runs(ws, RECIPE)
    for view, words in (("Guards", "--guard METRIC=EPSILON"), ("Groups", "--group NAME=")):
        said = words_of(open_page(ws, "advice", recipe=RECIPE, advice_view=view))
        assert words in said.replace("\\", ""), view
    other = open_page(ws, "advice", recipe="long-only")
    assert not other.exception
    assert "No advice has been drawn from the runs for this recipe yet" in words_of(other)


def test_the_terminal_takes_the_same_terms_on_a_workspace(
    advised: tuple[Workspace, Fit, Advice], copy_of: Copy, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from lab.cli.main import main

    ws = copy_of(advised[0])
    caps = tmp_path / "caps.yaml"
    caps.write_text("short: 0.45\n")
    now = tmp_path / "now.yaml"
    now.write_text("long: 1\n")
    line = ["advise", RECIPE, "-w", str(ws.root), "--target", SHORT, "--kl", "0.001"]
    line += ["--cap", str(caps), "--guard", f"{LONG}=0.5", "--current", str(now)]
    line += ["--group", f"a={LONG}", "--group", f"b={SHORT}", "--json"]
    assert main(line) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["weights"]["short"]["value"] == pytest.approx(0.45, abs=1e-6), "capped"
    assert said["p_current"] > 0.9
    assert said["guards"][0]["met"] and said["front"]
    assert said["asked"]["targets"] == [SHORT] and said["asked"]["caps"] == {"short": 0.45}
    assert (found := latest(ws, RECIPE)) is not None
    assert found[1].asked == request_of(said["asked"])
    for wrong in (["--natural", str(now)], ["--supply", str(now)], ["--repeat-cap", "3"]):
        with pytest.raises(SystemExit) as caught:
            main(["advise", RECIPE, "-w", str(ws.root), *wrong])
        assert caught.value.code == 2


def test_the_mixture_page_greys_what_nobody_can_predict(
    advised: tuple[Workspace, Fit, Advice],
) -> None:
    from lab.ui.live.evidence import evidence_of
    from lab.ui.live.ground import ground_of
    from lab.ui.live.payload import payload
    from lab.ui.live.scene import Scene

    ws, fit, _ = advised
    recipe = load_recipe(ws, RECIPE)
    scene = Scene(ws, recipe, recipe.mixture, ground_of(ws, recipe), 0, frozenset(),
                  evidence_of(ws, RECIPE))  # fmt: skip
    rows = payload(scene, fit.metrics[0], None)["prediction"]["metrics"]
    blind = {row["name"]: row["blind"] for row in rows}
    assert blind[SHORT] == "" and "better than its mean" in blind[WORDS]
