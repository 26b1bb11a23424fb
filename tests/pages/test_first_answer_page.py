"""The advice page offers a first answer, and shows the last one with what it was worth."""

from collections.abc import Callable

import polars as pl
from visiting import Open, words_of

from lab.advice.cheap.agreement import AGREEMENT
from lab.advice.cheap.answers import FirstAnswer, save
from lab.core.estimate import Estimate
from lab.core.workspace import Workspace
from lab.mixture.recipe_files import load_recipe
from lab.proxy.runs import run_folders


def answer(runs: tuple[str, ...]) -> FirstAnswer:
    weights = {"short": Estimate(0.25, 0.2, 0.3, 100), "long": Estimate(0.75, 0.7, 0.8, 100)}
    even = {"short": 0.5, "long": 0.5}
    row = {"metric": "(mean)", "mixtures": 5, "rho": 0.9, "low": -0.12, "high": 0.99,
           "chance": 0.04, "regret": 0.0}  # fmt: skip
    return FirstAnswer(
        "mixmin", "sequences", "nano", 8192, 0, 0.0, runs, ("heldout/long/bpb",), weights, even,
        even, even, pl.DataFrame({"metric": ["heldout/long/bpb"], "natural": [1.0]}),
        pl.DataFrame([row], AGREEMENT), 1e-7, ("It does not see budget.",),
    )  # fmt: skip


def test_without_runs_it_says_what_a_method_needs(
    trained_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(trained_workspace, "advice", recipe="both")
    assert not app.exception
    assert "Mixes the predictions of a model per source" in words_of(app)
    assert app.button(key="source_runs") and app.button(key="first_answer")


def test_the_last_answer_is_shown_with_its_agreement_and_limits(
    trained_workspace: Workspace, open_page: Open, copy_of: Callable[[Workspace], Workspace]
) -> None:
    ws = copy_of(trained_workspace)
    runs = tuple(folder.name for folder in run_folders(ws)[:2])
    save(ws, load_recipe(ws, "both"), answer(runs))
    app = open_page(ws, "advice", recipe="both")
    assert not app.exception
    assert "It does not see budget" in words_of(app)
    assert "From 2 runs of nano" in words_of(app)
    shown = [frame.value for frame in app.dataframe]
    assert any("rho" in frame.columns and 0.9 in frame["rho"].to_list() for frame in shown)
    other = open_page(ws, "advice", recipe="both", first_method="Merged weights")
    assert "It does not see budget" not in words_of(other)
