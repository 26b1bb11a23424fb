"""First answers from really trained runs of three sources that share no word."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.advice.cheap.answers import latest_answer
from lab.advice.cheap.first_answer import first_answer
from lab.advice.cheap.merged_weights import merge, merged_scores, read_components
from lab.advice.cheap.mixmin import costs
from lab.advice.cheap.source_runs import find_source_runs, plan_source_runs
from lab.advice.cheap.target_text import samples, stored_targets, token_targets
from lab.advice.design.swarm import with_weights
from lab.cli.main import main
from lab.core.errors import ArtifactMissing, Cancelled, ConfigError, DataError
from lab.core.files import write_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace, create
from lab.evaluation.runs.evaluate import evaluate_run, run_scores
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe
from lab.proxy.runs import prepare_run, read_status
from lab.proxy.train import train

pytestmark = pytest.mark.slow
SOURCES = ("red", "green", "blue")
REAL = {"most-red": (0.7, 0.2, 0.1), "no-blue": (0.5, 0.5, 0.0), "most-blue": (0.1, 0.2, 0.7),
        "even": (1 / 3, 1 / 3, 1 / 3)}  # fmt: skip
TOKENS = 20 * 1024
HELDOUT = [f"heldout/{name}/bpb" for name in SOURCES]


def write_source(path: Path, name: str, seed: int) -> str:
    rng = np.random.default_rng(seed)
    words = [f"{name[0]}{a}{b}" for a in "aeiou" for b in "klmnprst"]
    texts = [" ".join(rng.choice(words, rng.integers(60, 120))) for _ in range(150)]
    rows = [json.dumps({"id": f"{name}{k}", "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(rows))
    return str(path)


def recipe() -> Recipe:
    phase = Phase("all", 1.0, {"red": 0.5, "green": 0.25, "blue": 0.25})
    return Recipe("mine", "plain", dict.fromkeys(SOURCES, ()), Mixture(30_000, (phase,)))


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A scored run per source, one that branches off, and four mixtures. Read only but for
    artifacts."""
    from lab.corpus.sources import add_source
    from lab.jobs import actions
    from lab.jobs.steps.corpus import tokenizer
    from lab.jobs.steps.curation import measure

    root = tmp_path_factory.mktemp("colours")
    made = create(root / "w", heldout_share=0.1)
    for k, name in enumerate(SOURCES):
        add_source(made, name, [write_source(root / f"{name}.jsonl", name, k)])
    tokenizer(made, actions.Tokenizer("plain", 400), SILENT)
    measure(made, actions.Measure(workers=1), SILENT)
    save_recipe(made, recipe())
    mixed = [
        with_weights(recipe(), name, dict(zip(SOURCES, weights, strict=True)))
        for name, weights in REAL.items()
    ]
    for one in [*plan_source_runs(made, recipe()), *plan_source_runs(made, recipe(), 0.5), *mixed]:
        folder = prepare_run(made, one, tokens=TOKENS)
        train(folder)
        evaluate_run(made, folder)
        after = {"after": "lab.evaluation.runs.evaluate:evaluate_run"}  # as the worker writes it
        write_json(folder / "status.json", read_status(folder) | after)
    return made


def test_the_corner_of_a_mixture_is_what_that_source_s_run_scored(ws: Workspace) -> None:
    runs = find_source_runs(ws, recipe(), branched=False)
    stored = {
        (folder.name, f"heldout/{row['on']}/bpb"): row["value"]
        for folder in runs.folders
        for row in run_scores(folder).metrics.filter(scope="heldout").to_dicts()
    }
    alone = costs(stored_targets(runs.folders, HELDOUT), np.eye(3))
    for k, folder in enumerate(runs.folders):
        for t, name in enumerate(HELDOUT):
            assert alone[k, t] == pytest.approx(stored[folder.name, name], rel=1e-9)
    tokens = token_targets(runs.folders, samples(ws, HELDOUT), HELDOUT)
    assert costs(tokens, np.eye(3)) == pytest.approx(alone, rel=1e-4), "the sample is all there is"


def test_branches_walk_one_path_until_they_part(ws: Workspace) -> None:
    from safetensors.numpy import load_file

    folders = find_source_runs(ws, recipe(), branched=True).folders

    def weights(folder: Path, step: int) -> dict[str, np.ndarray]:
        return load_file(folder / "snapshots" / f"step-{step:08d}" / "model.safetensors")

    first, others = weights(folders[0], 10), [weights(folder, 10) for folder in folders[1:]]
    assert all(np.array_equal(first[name], other[name]) for other in others for name in first)
    later = [weights(folder, 15) for folder in folders]
    assert not np.array_equal(*(w["model.embed_tokens.weight"] for w in later[:2]))


def test_merging_is_linear_and_a_corner_is_the_component(ws: Workspace) -> None:
    components = read_components(find_source_runs(ws, recipe(), branched=True).folders)
    alone = merge(components, [0.0, 1.0, 0.0])
    assert all(bool((alone[name] == components[1][name]).all()) for name in alone)
    mixed = merge(components, [0.5, 0.25, 0.25])
    name = "model.norm.weight"
    by_hand = 0.5 * components[0][name] + 0.25 * (components[1][name] + components[2][name])
    assert mixed[name].numpy() == pytest.approx(by_hand.numpy(), rel=1e-6)


def test_merged_corners_score_like_their_runs_and_a_stopped_design_goes_on(ws: Workspace) -> None:
    runs = find_source_runs(ws, recipe(), branched=True)
    asked: list[float] = []

    def stop_late() -> bool:
        asked.append(1.0)
        return len(asked) > 12

    with pytest.raises(Cancelled):
        merged_scores(ws, runs, np.eye(3), HELDOUT, Progress(should_stop=stop_late))
    (partial,) = (ws.artifacts / "merged_scores").glob(".partial-*")
    kept = {path.name: path.stat().st_mtime_ns for path in partial.glob("mixture-*.json")}
    assert 0 < len(kept) < 3
    table = merged_scores(ws, runs, np.eye(3), HELDOUT)
    (made,) = (path.parent for path in (ws.artifacts / "merged_scores").glob("*/manifest.json"))
    assert {n: (made / n).stat().st_mtime_ns for n in kept} == kept, "not scored again"
    for k, folder in enumerate(runs.folders):
        scored = {r["on"]: r["value"] for r in run_scores(folder).metrics.to_dicts()}
        assert table.row(k) == pytest.approx([scored[name] for name in SOURCES], rel=1e-6)


def test_models_of_other_shapes_are_refused(ws: Workspace, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folders = find_source_runs(ws, recipe(), branched=False).folders
    weights = load_file(folders[1] / "model" / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"][:32].clone()
    (tmp_path / "odd" / "model").mkdir(parents=True)
    save_file(weights, tmp_path / "odd" / "model" / "model.safetensors")
    with pytest.raises(DataError, match="cannot be merged") as caught:
        read_components([folders[0], tmp_path / "odd"])
    assert caught.value.value == ["odd"]


def test_mixmin_answers_with_a_certificate_and_its_agreement(ws: Workspace) -> None:
    told = first_answer(ws, "mine", "mixmin")
    assert set(told.metrics) == set(HELDOUT) and told.shared == 0.0
    assert sum(told.proposal.values()) == pytest.approx(1.0)
    assert told.gap is not None and 0 <= told.gap < 1e-5
    # texts share no word and are alike in size: each source is worth its share of the target
    assert told.free == pytest.approx(dict.fromkeys(SOURCES, 1 / 3), abs=0.1)
    assert told.agreement["metric"].to_list() == [*told.metrics, "(mean)"]
    assert set(told.agreement["mixtures"]) == {4}
    rows = {row["metric"]: row for row in told.agreement.to_dicts()}
    assert rows["heldout/blue/bpb"]["rho"] > 0.7, "more blue reads blue better"
    assert any("4 trained mixtures" in note for note in told.notes)
    again = latest_answer(ws, "mine", "mixmin")
    assert again is not None and again.weights == told.weights
    assert again.agreement.equals(told.agreement) and again.notes == told.notes


def test_merged_weights_answer_from_runs_that_share_a_beginning(ws: Workspace) -> None:
    told = first_answer(ws, "mine", "merged")
    assert told.shared == 0.5 and told.gap is None
    assert sum(told.proposal.values()) == pytest.approx(1.0)
    assert np.isfinite(told.predictions.drop("metric").to_numpy()).all()
    rows = {row["metric"]: row for row in told.agreement.to_dicts()}
    assert rows["heldout/blue/bpb"]["rho"] > 0.7
    assert told.agreement.schema["rho"] == pl.Float64


def test_unknown_names_and_missing_runs_say_what_to_do(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="Unknown method"):
        first_answer(ws, "mine", "mixmix")
    with pytest.raises(ConfigError, match="Unknown method"):
        first_answer(ws, "mine", "mixmin", pieces="words")
    with pytest.raises(ConfigError, match="Unknown metric"):
        first_answer(ws, "mine", "mixmin", metric="heldout/yellow/bpb")
    with pytest.raises(ArtifactMissing, match="no scored run"):
        first_answer(ws, "mine", "mixmin", seed=7)
    with pytest.raises(ConfigError, match="Only likelihoods"):
        stored_targets(find_source_runs(ws, recipe(), branched=False).folders, ["b/x/accuracy"])
    save_recipe(ws, replace(recipe(), name="one", sources={"red": ()}, mixture=Mixture(
        30_000, (Phase("all", 1.0, {"red": 1.0}),))))  # fmt: skip
    with pytest.raises(ConfigError, match="two sources"):
        first_answer(ws, "one", "mixmin")


def test_the_command_shows_weights_and_agreement(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["-w", str(ws.root)]
    assert main(["advise", "--from", "mixmin", "mine", *where, "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "shares of training tokens" in shown and "Agreement with mixtures" in shown
    assert "bits a byte" in shown and "does not see" in shown
    assert main(["advise", "mine", "--from", "mixmin", *where, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["weights"]) == set(SOURCES)
    with pytest.raises(SystemExit):
        main(["advise", "--from", "mixmin", *where])
    with pytest.raises(SystemExit):
        main(["advise", "--from", "mixmin", "mine", "--kl", "0.1", *where])
    with pytest.raises(SystemExit):
        main(["sweep", "mine", "--shared", "0.5", *where])


def test_the_sweep_of_source_runs_finds_those_that_are_done(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["sweep", "mine", "--single-source", "--shared", "0.5", "--tokens", str(TOKENS)]
    before = {path.name for path in ws.runs.iterdir()}
    assert main([*line, "-w", str(ws.root), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["runs"]) == 3 and data["failed"] == {}
    assert set(data["runs"]) <= before
