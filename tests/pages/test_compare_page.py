"""Compare: the verdict on top, guardrails, greyed metrics, and runs that cannot be compared yet."""

import shutil
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.workspace import Workspace

Copy = Callable[[Workspace], Workspace]
VIEWS = (
    "Benchmarks",
    "Is it real?",
    "Held-out text",
    "Other sizes",
    "Can these metrics be trusted?",
)


def tables(app: AppTest, column: str) -> list[object]:
    return [d.value for d in app.dataframe if column in d.value.columns]


def test_the_verdict_and_four_guardrails_stand_on_top(
    trained_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(trained_workspace, "compare", a="both", b="long-only")
    assert not app.exception and not app.error
    said = "\n".join(str(e.value) for e in [*app.info, *app.warning]).replace("\\", "")
    assert "both" in said and "long-only" in said
    lines = app.dataframe[0].value
    assert lines["guardrail"].tolist()[:4] == ["knowledge", "reasoning", "language", "code"]
    assert set(lines["verdict"][:4]) == {"not measured"}, "nothing guards a benchmark of no group"
    assert "Nothing guards" in words_of(app)


def test_every_view_opens_and_speaks(trained_workspace: Workspace, open_page: Open) -> None:
    for view in VIEWS:
        app = open_page(trained_workspace, "compare", a="both", b="long-only", compare_view=view)
        assert not app.exception and not app.error, view
    found = open_page(trained_workspace, "compare", a="both", b="long-only")
    [words, twin] = tables(found, "gate")
    assert words["on"].tolist() == ["words"] and twin["on"].tolist() == ["words_twin"]  # type: ignore[index]
    assert set(words["verdict"]) <= {"both better", "long-only better", "unresolved"}  # type: ignore[index]
    real = open_page(
        trained_workspace, "compare", a="both", b="long-only", compare_view="Is it real?"
    )
    [checks] = tables(real, "quoted")
    assert checks["benchmark"].tolist() == ["words"]  # type: ignore[index]
    assert "mixlab decontaminate" in words_of(real).replace("\\", ""), "the search is not made here"


def test_metrics_that_cannot_be_judged_say_which_run_would_settle_it(
    trained_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(trained_workspace, "compare", a="both", b="long-only", compare_view=VIEWS[-1])
    [gate] = tables(app, "signal to noise")
    assert "passed" not in set(gate["gate"]), "two mixtures are no spread"  # type: ignore[index]
    assert any("degrees of freedom" in why for why in gate["why"])  # type: ignore[index]
    assert "mixlab train" in words_of(app)
    accuracy = gate[gate["metric"].str.contains("accuracy")]  # type: ignore[index]
    assert all(word != "no chance line" for word in accuracy["SD from chance"])


def test_a_recipe_is_never_compared_with_itself(
    trained_workspace: Workspace, open_page: Open
) -> None:
    for query in ({"a": "both", "b": "both"}, {"a": "long-only"}, {"b": "both"}, {}):
        app = open_page(trained_workspace, "compare", **query)
        assert not app.exception and not app.error
        assert app.selectbox(key="a").value != app.selectbox(key="b").value
        assert app.selectbox(key="a").value not in app.selectbox(key="b").options


def test_runs_that_are_not_scored_are_named_with_a_button(
    trained_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(trained_workspace)
    [late, *_] = sorted(ws.runs.glob("both-*"))
    shutil.rmtree(late / "scores")
    app = open_page(ws, "compare", a="both", b="long-only")
    assert not app.exception and not app.error
    assert any(f"mixlab evaluate {late.name}" in c.value for c in app.code)
    assert app.button(key="score_runs")
    for folder in ws.runs.glob("both-*"):
        shutil.rmtree(folder / "scores", ignore_errors=True)
    app = open_page(ws, "compare")
    assert not app.exception and "Two recipes with scored runs are needed" in words_of(app)
    assert "2 finished runs" in words_of(app)


@pytest.mark.parametrize("metric", ["accuracy", "margin"])
def test_benchmarks_by_another_measure(
    trained_workspace: Workspace, open_page: Open, metric: str
) -> None:
    app = open_page(trained_workspace, "compare", a="both", b="long-only", metric=metric)
    assert not app.exception and not app.error
    [words, _] = tables(app, "gate")
    assert ("chance" in words.columns) == (metric == "accuracy")  # type: ignore[attr-defined]
