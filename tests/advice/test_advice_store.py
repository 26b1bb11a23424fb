"""Fits and advice as JSON: what is read back is what was written."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lab.advice.fitting.fit import fit_table
from lab.advice.proposing.advise import advise
from lab.advice.proposing.store import (
    advice_mapping,
    fit_mapping,
    latest,
    read_advice,
    read_fit,
    save,
)
from lab.core.workspace import create


def test_a_fit_survives_json_to_the_last_bit(planted: Callable) -> None:
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics)
    again = read_fit(json.loads(json.dumps(fit_mapping(fit), allow_nan=False)))
    unseen = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    assert (again.predict(unseen) == fit.predict(unseen)).all()
    assert again.scores.equals(fit.scores)
    assert (again.runs, again.metrics, again.notes) == (fit.runs, fit.metrics, fit.notes)


@pytest.mark.parametrize("count", [0, 3])
def test_advice_survives_json(planted: Callable, count: int) -> None:
    world = planted(3, 9, 0.05, 0)
    fit = fit_table(world.ratios, world.metrics)
    advice = advise(fit, world.natural, kl=0.01, replicates=20, count=count)
    assert advice.next_runs.height == count
    text = json.dumps(advice_mapping(advice), allow_nan=False)
    again = read_advice(json.loads(text))
    assert json.dumps(advice_mapping(again)) == text
    assert again.weights == advice.weights
    assert again.next_runs.equals(advice.next_runs)


def test_the_same_advice_is_one_artifact_and_the_latest_is_found(
    planted: Callable, tmp_path: Path
) -> None:
    ws = create(tmp_path / "w")
    assert latest(ws) is None
    world = planted(3, 20, 0.01, 0)
    fit = fit_table(world.ratios, world.metrics)
    advice = advise(fit, world.natural, replicates=20)
    one, two = save(ws, fit, advice), save(ws, fit, advise(fit, world.natural, replicates=20))
    assert one.path == two.path
    assert one.manifest["runs"] == 20
    found = latest(ws)
    assert found is not None
    assert found[1].proposal == advice.proposal
    other = save(ws, fit, advise(fit, world.natural, kl=0.5, replicates=20))
    assert other.path != one.path
