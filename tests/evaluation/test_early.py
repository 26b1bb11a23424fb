"""Early stopping judged on runs whose order on the way and at the end is planted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.core.engine import Engine
from lab.core.errors import ConfigError, DataError
from lab.core.files import write_json
from lab.core.workspace import Workspace, create
from lab.evaluation.comparing.early import early, rank_correlation, spearman, words
from lab.proxy.record import new_record, write_record

STEPS = 100


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return create(tmp_path / "w")


def summary(value: float) -> dict[str, Any]:
    row = {"scope": "heldout", "on": "web", "metric": "bpb", "unit": "bits/byte"}
    row |= {"better_is": "lower", "value": value, "se": 0.01, "n": 9, "chance": None}
    mean = row | {"on": "(mean)"}
    entry = {"hash": "h", "documents": 9}
    return {"scorer": 1, "benchmarks": {}, "heldout": {"web": entry}, "metrics": [row, mean]}


def plant(ws: Workspace, recipe: str, values: dict[int, float], seed: int = 0) -> str:
    """A scored run: bits per byte at each step, the last of which is the finished model's."""
    name = f"{recipe}-s{seed}"
    folder = ws.runs / name
    spec = {"id": name, "recipe": recipe, "recipe_id": recipe, "size": "nano", "tokens": 1000}
    write_json(folder / "run.json", spec | {"seed": seed, "steps": STEPS, "sources": ["web"]})
    for step, value in values.items():
        inner = "" if step == STEPS else f"snapshots/step-{step:08d}/"
        write_json(folder / f"scores/{inner}summary.json", summary(value))
    return name


def test_an_order_that_holds_and_one_that_turns_round(ws: Workspace) -> None:
    final = {"a": 2.0, "b": 2.1, "c": 2.3, "d": 2.6}
    for recipe, value in final.items():
        plant(ws, recipe, {25: 5 - value, 50: value + 1, STEPS: value})
    found = early(ws, list(final))
    assert found.best == "a"
    turned, held = found.stops
    assert (turned.share, held.share) == (0.25, 0.5)
    assert turned.correlation.value == pytest.approx(-1)
    assert not turned.kept_best
    assert turned.leader == "d"
    assert turned.regret_of_leader == pytest.approx(0.6)
    assert turned.regret_of_halving == pytest.approx(0.3)  # c is the best of c and d
    assert held.correlation.value == pytest.approx(1)
    assert held.kept_best and held.regret_of_halving == 0 and held.leader == "a"
    assert found.frame()["saved"].to_list() == [0.375, 0.25]
    assert "would have dropped a" in words(found)[0.25]


def test_seeds_are_averaged_and_a_step_counts_only_where_all_have_it(ws: Workspace) -> None:
    for k, recipe in enumerate("abc"):
        for seed in (0, 1):
            noise = 10.0 if (recipe, seed) == ("a", 0) else 0.0
            values = {50: k + noise, STEPS: float(k)}
            if (recipe, seed) != ("b", 1):
                values[75] = 1.0
            plant(ws, recipe, values, seed)
    found = early(ws, ["a", "b", "c"])
    assert [stop.share for stop in found.stops] == [0.5]
    assert found.stops[0].leader == "b"  # a is 5 in the mean
    assert found.stops[0].correlation.n == 3


def test_a_sweep_is_named_by_its_id(ws: Workspace) -> None:
    names = [plant(ws, r, {50: float(k), STEPS: float(k)}) for k, r in enumerate("abcd")]
    record = new_record(Engine(), 1, "", names[:3])
    write_record(ws.root, record)
    assert early(ws, [record.id]).stops[0].correlation.n == 3
    assert early(ws, [record.id, "d"]).stops[0].correlation.n == 4


def test_what_cannot_be_judged_is_refused(ws: Workspace) -> None:
    for recipe in "ab":
        plant(ws, recipe, {50: 1.0, STEPS: 1.0})
    plant(ws, "c", {STEPS: 1.0})
    with pytest.raises(DataError, match="Too little is scored"):
        early(ws, ["a", "b"])
    with pytest.raises(DataError, match="--snapshots"):
        early(ws, ["a", "b", "c"])
    with pytest.raises(ConfigError, match="no finished and scored run"):
        early(ws, ["nobody"])
    with pytest.raises(ConfigError, match="heldout web bpb"):
        early(ws, ["a"], ("benchmark", "arc", "accuracy"))


def test_spearman_is_scipys_with_ties_and_says_nothing_where_all_tie() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 20)).astype(float)
    assert spearman(a[None], b[None])[0] == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(spearman(np.ones((1, 4)), np.arange(4.0)[None])[0])


def test_the_interval_is_wide_for_few_and_narrower_for_many() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=200)
    seen = true + rng.normal(size=200)
    few = rank_correlation(true[:8], seen[:8], np.random.default_rng(0))
    many = rank_correlation(true, seen, np.random.default_rng(0))
    assert few.high - few.low > 2 * (many.high - many.low)
    assert many.low < 0.69 < many.high  # of normal pairs with correlation 1/sqrt(2)
    again = rank_correlation(true, seen, np.random.default_rng(0))
    assert again == many
