"""`mixlab phases`, `thresholds` and the sweeps that they need, from runs and from tables."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.advice.cuts.cut import threshold_of
from lab.advice.design.swarm import with_weights
from lab.cli.main import main
from lab.core.workspace import Workspace
from lab.jobs.actions import Sweep
from lab.jobs.steps.advice import planned
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import load_recipe, save_recipe
from tests.advice.planted_runs import write_run

WEIGHTS = {"short": 0.5, "long": 0.5}
PHASES = (Phase("broad", 0.75, WEIGHTS), Phase("sharpen", 0.25, WEIGHTS))
RECIPE = Recipe("two", "plain", {"short": (), "long": ()}, Mixture(30_000, PHASES))
SIGNAL = "gopher.word_count@ws1"
CUT = "gopher.word_count@short=none,50"
TABLES = ("--ratios", "r.csv", "--metrics", "m.csv")
TARGET = ("--target", "heldout/long/bpb")


@pytest.fixture
def ws(plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]) -> Workspace:
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    return ws


def trained(ws: Workspace, asked: Sweep) -> None:
    """What a sweep would train: long text is good late, short text once it is cut."""
    rng = np.random.default_rng(0)
    for made, _ in planned(ws, asked).pairs:
        loss = 3 + rng.normal(0, 0.003)
        cut = threshold_of(made, "short", SIGNAL) > 0
        for place, phase in enumerate(made.mixture.phases):
            loss -= phase.share * phase.weights["short"] * (1.5 if cut else 0.2)
            loss -= phase.share * phase.weights["long"] * (0.1 + 3 * place)
        write_run(ws, made, loss)


def mixlab(capsys: pytest.CaptureFixture[str], *line: str) -> dict:
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_design_is_shown_before_it_is_trained(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = mixlab(
        capsys, "swarm", "two", "--thresholds", CUT, "--runs", "12", "-w", str(ws.root)
    )  # fmt: skip
    assert (shown["sources"], shown["needed"], shown["runs"]) == (3, 12, 12)
    assert {"short@none", "short@50"} <= set(shown["design"][0])
    shown = mixlab(capsys, "swarm", "two", "--phases", "--runs", "15", "-w", str(ws.root))
    assert {"broad:short", "sharpen:long"} <= set(shown["design"][0])


def test_thresholds_from_runs_are_proposed_and_saved(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(ws, Sweep("two", runs=15, tokens=4096, thresholds=[CUT]))
    line = ("thresholds", "two", *TARGET, "--save", "two-cut", "-w", str(ws.root))
    said = mixlab(capsys, *line)
    assert said["thresholds"] == {"short": 50.0} and said["signals"] == {"short": SIGNAL}
    assert said["choice"]["verdict"] == "better"
    made = load_recipe(ws, "two-cut")
    assert [rule.min for rule in made.sources["short"]] == [50.0]
    mixlab(capsys, *line)
    assert load_recipe(ws, "two-cut") == made, "the same again is nothing new"
    save_recipe(ws, with_weights(made, "two-cut", WEIGHTS))
    assert main([*line]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["thresholds", "two", *TARGET, "-w", str(ws.root)]) == 0
    assert f"{SIGNAL} of short: at least 50" in capsys.readouterr().out


def test_weights_by_phase_from_runs_are_proposed_and_saved(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(ws, Sweep("two", runs=15, tokens=4096, by_phase=True))
    said = mixlab(capsys, "phases", "two", *TARGET, "--save", "ordered", "-w", str(ws.root))
    weights = said["advice"]["weights"]
    assert weights["sharpen"]["long"]["value"] > weights["broad"]["long"]["value"]
    assert load_recipe(ws, "ordered").mixture.phases[1].weights["long"] == pytest.approx(
        weights["sharpen"]["long"]["value"]
    )


def test_both_work_on_tables_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ids = {"run": [f"r{k}" for k in range(30)]}
    tables = ("--ratios", "ratios.csv", "--metrics", "metrics.csv", "--model", "linear")
    weights = rng.dirichlet(np.ones(3), 30)
    names = ("web@0", "web@2", "books")
    loss = 2 - weights @ [0.2, 1.0, 0.4] + rng.normal(0, 0.002, 30)
    pl.DataFrame(ids | dict(zip(names, weights.T, strict=True))).write_csv("ratios.csv")
    pl.DataFrame(ids | {"loss": loss}).write_csv("metrics.csv")
    Path("pools.csv").write_text(
        "pool,source,threshold,unique\nweb@0,web,,900\nweb@2,web,2,400\nbooks,books,,300\n"
    )
    said = mixlab(capsys, "thresholds", *tables, "--pools", "pools.csv", "--budget", "500")
    assert said["cuts"] == {"web": "web@2", "books": "books"}
    asked = ["thresholds", *tables, "--pools", "pools.csv", "--budget", "500"]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "beats natural under web@0, books" in shown and "today" not in shown
    Path("pools.csv").write_text(
        "pool,source,threshold,unique\nweb@0,web,none,900\nweb@2,web,5o,400\nbooks,books,,300\n"
    )
    assert main(asked) == 1
    assert "5o" in capsys.readouterr().err
    z = np.hstack([0.8 * weights[:, :2] / weights[:, :2].sum(axis=1, keepdims=True),
                   0.2 * rng.dirichlet(np.ones(2), 30)])  # fmt: skip
    columns = ("early:web", "early:books", "late:web", "late:books")
    loss = 2 - z @ [1.0, 0.2, 0.2, 4.0] + rng.normal(0, 0.002, 30)
    pl.DataFrame(ids | dict(zip(columns, z.T, strict=True))).write_csv("ratios.csv")
    pl.DataFrame(ids | {"loss": loss}).write_csv("metrics.csv")
    said = mixlab(capsys, "phases", *tables, "--kl", "0")
    assert said["advice"]["verdict"] == "better"
    assert said["advice"]["weights"]["early"]["web"]["value"] > 0.9
    assert any("mean of the runs" in note for note in said["notes"])


@pytest.mark.parametrize(
    "line",
    [
        ("phases",),
        ("phases", "two", "--natural", "x.csv"),
        ("thresholds", "two", "--budget", "5"),
        ("thresholds", "two", "--save", "x", "--detach"),
        ("thresholds", "--ratios", "r.csv", "--metrics", "m.csv"),
        ("thresholds", "two", "--ratios", "r.csv", "--metrics", "m.csv"),
        ("thresholds", *TABLES, "--by", "gopher.word_count@web"),
        ("phases", *TABLES, "--save", "x"),
        ("phases", *TABLES, "--detach"),
        ("phases", "two", "--model", "linear"),
        ("thresholds", "two", "--model", "linear"),
        ("sweep", "two", "--single-source", "--phases"),
    ],
)
def test_wrong_usage_is_status_two(line: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*line])
    assert end.value.code == 2
