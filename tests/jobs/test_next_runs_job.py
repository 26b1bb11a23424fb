"""`mixlab sweep --next`: the runs that an advice names, trained each at its size."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lab.advice.evidence.stale import weights_of
from lab.advice.fitting.fit import fit_table
from lab.advice.proposing.advise import advise
from lab.advice.proposing.next_runs import columns
from lab.advice.proposing.store import save
from lab.core.errors import ConfigError
from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.evaluation.runs.trajectories import scored_runs
from lab.jobs.actions import run_action
from lab.mixture.recipe import Mixture, Phase, Recipe
from lab.mixture.recipe_files import save_recipe

PHASES = (Phase("all", 1.0, {"short": 0.5, "long": 0.5}),)
RECIPE = Recipe("two", "plain", {"short": (), "long": ()}, Mixture(60_000, PHASES))


@pytest.mark.slow
def test_next_runs_are_trained_at_the_sizes_that_the_advice_names(
    plain_workspace: Workspace, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(plain_workspace)
    save_recipe(ws, RECIPE)
    params = {"recipe": "two", "next_runs": True}
    with pytest.raises(ConfigError, match="No advice"):
        run_action(ws, "sweep", params, SILENT)
    share = np.linspace(0, 1, 8)
    names = [f"r{k}" for k in range(8)]
    fit = fit_table(
        pl.DataFrame({"run": names, "short": share, "long": 1 - share}),
        pl.DataFrame({"run": names, "loss": 2 + (share - 0.3) ** 2}),
        laws=["log_linear"],
    )
    wanted = [
        ["next-1", "nano", 1024, 1.0, 0.1, 0.1, 0.1, 0.25, 0.75],
        ["next-2", "micro", 2048, 4.0, 0.1, 0.1, 0.1, 1.0, 0.0],
    ]
    rows = pl.DataFrame(wanted, schema=columns(["short", "long"]), orient="row")
    told = advise(fit, {"short": 1.0, "long": 1.0}, replicates=20)
    save(ws, fit, replace(told, next_runs=rows), RECIPE)
    alone = Mixture(60_000, (Phase("all", 1.0, {"short": 1.0}),))
    save_recipe(ws, Recipe("two", "plain", {"short": ()}, alone))
    with pytest.raises(ConfigError, match="no longer has sources"):
        run_action(ws, "sweep", params, SILENT)
    save_recipe(ws, RECIPE)
    done = run_action(ws, "sweep", params, SILENT)
    assert not done["failed"] and len(done["runs"]) == 2
    trained = {(run.spec["size"], run.spec["tokens"]): weights_of(run) for run in scored_runs(ws)}
    assert trained == {
        ("nano", 1024): pytest.approx({"short": 0.25, "long": 0.75}),
        ("micro", 2048): pytest.approx({"short": 1.0}),
    }
