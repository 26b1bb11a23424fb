"""`mixlab fit` and `mixlab advise` on tables alone: no workspace, no corpus."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.cli.main import main

SOURCES = ["train_the_pile_arxiv", "train_the_pile_pile_cc", "train_the_pile_github"]
TARGET = "metric/the_pile_pile_cc_val_loss"
OTHER = "metric/the_pile_github_val_loss"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RegMix's layout: index alone, weights of three decimals that miss one by a little."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, count in (("train", 40), ("test", 10)):
        weights = rng.dirichlet(np.ones(3), count).round(3)
        ids = {"index": range(count)}
        loss = 2 + 0.5 * np.exp(weights @ [0.5, -1.5, 0.3]) + rng.normal(0, 0.005, count)
        code = 1 + 0.5 * np.exp(weights @ [0.2, 1.0, -2.0]) + rng.normal(0, 0.005, count)
        table = pl.DataFrame(ids | {s: weights[:, j] for j, s in enumerate(SOURCES)})
        table.write_csv(f"{name}_mixture.csv")
        pl.DataFrame(ids | {TARGET: loss, OTHER: code}).write_csv(f"{name}_loss.csv")
    return tmp_path


def mixlab(capsys: pytest.CaptureFixture[str], *line: str) -> dict:
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


TABLES = ("--ratios", "train_mixture.csv", "--metrics", "train_loss.csv", "--target", TARGET)
FAST = ("--model", "log_linear")


@pytest.mark.usefixtures("folder")
def test_fit_predicts_unseen_mixtures_with_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    said = mixlab(capsys, "fit", *TABLES, *FAST, "--predict", "test_mixture.csv", "-o", "p.csv")
    assert said["predicted"] == 10
    assert {row["law"] for row in said["scores"]} == {"log_linear"}
    assert any("renormalised" in note for note in said["notes"])
    found = pl.read_csv("p.csv")
    assert found.columns == ["run", TARGET, "low", "high"]
    truth = pl.read_csv("test_loss.csv")[TARGET]
    assert found[TARGET].to_numpy() == pytest.approx(truth.to_numpy(), abs=0.03)
    assert truth.is_between(found["low"], found["high"]).sum() >= 7


@pytest.mark.usefixtures("folder")
def test_fit_writes_olmix_tables_that_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    first = mixlab(capsys, "fit", *TABLES, *FAST, "--tables", "olmix")
    again = mixlab(
        capsys, "fit", "--ratios", "olmix/ratios.csv", "--metrics", "olmix/metrics.csv",
        "--target", TARGET, *FAST,
    )  # fmt: skip
    assert again["scores"] == first["scores"]
    assert again["notes"] == []


@pytest.mark.usefixtures("folder")
def test_advise_prints_weights_with_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    Path("natural.csv").write_text(
        "source,weight\n" + "\n".join(f"{s},1" for s in SOURCES), "utf-8"
    )
    Path("caps.yaml").write_text(f"{SOURCES[1]}: 0.6\n", "utf-8")
    said = mixlab(
        capsys, "advise", *TABLES, *FAST, "--natural", "natural.csv", "--kl", "0.01",
        "--cap", "caps.yaml", "-o", "next.csv",
    )  # fmt: skip
    weights = said["weights"]
    assert sum(w["value"] for w in weights.values()) == pytest.approx(1)
    assert all(w["low"] <= w["value"] <= w["high"] for w in weights.values())
    assert weights[SOURCES[1]]["value"] == pytest.approx(0.6)
    assert said["verdict"] == "better"
    assert said["free"][SOURCES[1]] == pytest.approx(1, abs=1e-3)
    assert set(said["distances"]) == {"proposal", "free", "runs"}
    assert pl.read_csv("next.csv")["run"][0] == "proposal"


@pytest.mark.usefixtures("folder")
def test_advise_with_guard_supply_front_and_current(capsys: pytest.CaptureFixture[str]) -> None:
    Path("supply.yaml").write_text("".join(f"{s}: 1e9\n" for s in SOURCES), "utf-8")
    Path("now.yaml").write_text(f"{SOURCES[0]}: 1\n", "utf-8")
    said = mixlab(
        capsys, "advise", *TABLES, *FAST, "--guard", f"{OTHER}=0.05", "--supply", "supply.yaml",
        "--budget", "5e9", "--repeat-cap", "3", "--current", "now.yaml",
        "--group", f"web={TARGET}", "--group", f"code={OTHER}",
    )  # fmt: skip
    assert said["guards"][0]["metric"] == OTHER
    assert said["guards"][0]["met"]
    assert max(w["value"] for w in said["weights"].values()) <= 0.6 + 1e-9  # 3 x 1e9 / 5e9
    assert said["p_current"] > 0.9
    assert {"gain_web", "gain_code"} <= set(said["front"][0])
    assert [row["epochs"] for row in said["supply"]] == pytest.approx(
        [5 * w["value"] for w in said["weights"].values()]
    )
    assert any("mean of the runs" in note for note in said["notes"])
    assert main(["advise", *TABLES, *FAST]) == 0
    shown = capsys.readouterr().out
    assert "Proposed shares" in shown and "unconstrained" in shown


@pytest.mark.usefixtures("folder")
def test_what_is_impossible_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("caps.yaml").write_text("".join(f"{s}: 0.2\n" for s in SOURCES), "utf-8")
    assert main(["advise", *TABLES, *FAST, "--cap", "caps.yaml"]) == 1
    assert "0.4 too little" in capsys.readouterr().err
    Path("supply.yaml").write_text("".join(f"{s}: 1e9\n" for s in SOURCES), "utf-8")
    supply = ("--supply", "supply.yaml", "--budget", "5e9", "--repeat-cap", "0")
    assert main(["advise", *TABLES, *FAST, *supply]) == 1
    assert "must be positive" in capsys.readouterr().err
    assert main(["fit", *TABLES, "--model", "power_lwa"]) == 1
    assert "power_law" in capsys.readouterr().err
    for wrong in (
        ["fit", *TABLES, "-o", "p.csv"],
        ["fit", "--ratios", "a.csv", "--metrics", "b.csv", "--predict", "c.csv"],
        ["advise", *TABLES, "--budget", "5"],
        ["advise", *TABLES, "--guard", "loss"],
        ["advise", "natural", "--natural", "natural.csv"],
        ["advise", "natural", "--model", "linear"],
        ["advise", *TABLES, "--detach"],
        ["advise", *TABLES, "--sizes", "nano"],
        ["advise", "natural", "--recipe", "other"],
        ["advise", "natural", *TABLES],
        ["advise", *TABLES, "--repeat-cap", "3"],
        ["advise", *TABLES, "--matched"],
        ["advise", "natural", "--repeat-cap", "0"],
        ["advise", "natural", "--metrics", "train_loss.csv"],
        ["advise", "natural", "--guard", "a=0.1", "--guard", "a=0.2"],
        ["advise", "natural", "--group", "a=x", "--group", "a=y"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


@pytest.mark.usefixtures("folder")
def test_fit_shows_the_learning_curve_of_the_target(capsys: pytest.CaptureFixture[str]) -> None:
    curve = mixlab(capsys, "fit", *TABLES, *FAST, "--learning-curve")["learning_curve"]
    assert [row["k"] for row in curve] == [8, 14, 22, 32]
    assert all(row["low"] <= row["rho"] <= row["high"] for row in curve)
    assert curve[-1]["rho"] > 0.9
    assert main(["fit", *TABLES, *FAST, "--learning-curve"]) == 0
    assert "Rank correlation with runs left out" in capsys.readouterr().out
    for name in ("mixture", "loss"):
        pl.read_csv(f"train_{name}.csv").head(6).write_csv(f"train_{name}.csv")
    assert mixlab(capsys, "fit", *TABLES, *FAST, "--learning-curve")["learning_curve"] == []
    assert main(["fit", *TABLES, *FAST, "--learning-curve"]) == 0
    assert "6 runs are too few for a learning curve" in capsys.readouterr().out
