import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.progress import SILENT
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import add_source
from lab.curation.attributes import contaminated
from lab.curation.contamination import decisions
from lab.curation.contamination.report import report
from lab.curation.contamination.verdicts import Thresholds
from lab.evaluation.benchmarks.registry import add_benchmark
from lab.jobs import actions
from lab.jobs.steps.curation import decontaminate, measure
from lab.jobs.store import list_jobs
from lab.mixture.recipe import Decontaminate
from lab.mixture.recipe_files import history, load_recipe, save_recipe
from lab.ui.contamination.draft import with_benchmarks

Copy = Callable[[Workspace], Workspace]
HOSTILE = "![x](https://evil.example/a.png) <script>alert(1)</script>"
QUESTION = " ".join(f"question{k}" for k in range(24))
OTHER = " ".join(f"other{k}" for k in range(24))
FILLER = " ".join(f"filler{k}" for k in range(40))


@pytest.fixture(scope="module")
def unsearched(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A source that quotes a benchmark: whole, re-wrapped, with hostile text, in part, not."""
    root = tmp_path_factory.mktemp("contamination")
    shutil.copytree(recipe_workspace.root, root / "w")
    ws = open_workspace(root / "w")
    items = [
        {"question": QUESTION, "answer": "one"},
        {"question": OTHER, "answer": "two"},
        {"question": "too short", "answer": "x"},
    ]
    add_benchmark(ws, "exam", jsonl(root / "exam.jsonl", items))
    part = " ".join(OTHER.split()[:12])  # no run of 13, but six runs of 7
    texts = {
        "whole": f"{FILLER} {QUESTION} {FILLER}",
        "wrapped": QUESTION.replace(" ", "\n"),
        "hostile": f"{HOSTILE} {QUESTION} {HOSTILE}",
        "part": f"{part} {FILLER}",
        "clean": FILLER,
    }
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    add_source(ws, "quotes", [str(jsonl(root / "quotes.jsonl", rows))], id_column="id")
    measure(ws, actions.Measure(source="quotes", workers=1), SILENT)
    return ws


@pytest.fixture(scope="module")
def ws(unsearched: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same, searched; recipe `guarded` protects `exam` and uses the source."""
    from dataclasses import replace

    root = tmp_path_factory.mktemp("searched") / "w"
    shutil.copytree(unsearched.root, root)
    searched = open_workspace(root)
    decontaminate(searched, actions.Decontaminate(workers=1), SILENT)
    plain = load_recipe(searched, "long-only")
    phase = replace(plain.mixture.phases[0], weights={"long": 0.5, "quotes": 0.5})
    guarded = replace(
        plain,
        name="guarded",
        sources={"long": (), "quotes": ()},
        mixture=replace(plain.mixture, phases=(phase,)),
    )
    save_recipe(searched, with_benchmarks(guarded, ["exam"], 13))
    return searched


def jsonl(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def metric(app: AppTest, name: str) -> str:
    return next(m.value for m in app.metric if m.label.replace("\\", "").startswith(name))


def html_of(app: AppTest) -> str:
    """Everything shown with marks."""
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def removed(ws: Workspace) -> int:
    return int(contaminated(ws, "quotes", ["exam"], 13).sum())


def test_without_a_benchmark_one_can_be_registered(
    plain_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(plain_workspace)
    app = open_page(own, "contamination")
    assert "No benchmark is registered" in words_of(app)
    app.text_input(key="benchmark_name").set_value("exam")
    app.text_input(key="benchmark_path").set_value("/nowhere/exam.jsonl")
    app.button[0].click().run()
    job = list_jobs(own)[0]
    assert (job.action, job.params) == (
        "benchmark", {"name": "exam", "path": "/nowhere/exam.jsonl"},
    )  # fmt: skip


def test_text_that_was_not_searched_is_offered_and_started(
    unsearched: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(unsearched)
    app = open_page(own, "contamination")
    assert "has not been searched" in words_of(app)
    assert not app.metric, "no number before there is one"
    app.button(key="search_text").click().run()
    job = list_jobs(own)[0]
    assert (job.action, job.params["ngram"]) == ("decontaminate", 13)


def test_the_figures_are_those_of_the_report(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "contamination", recipe="guarded")
    assert not app.exception and not app.error
    found = report(ws, benchmarks=None, tokenizer="plain")
    exam = next(row for row in found.benchmarks.to_dicts() if row["benchmark"] == "exam")
    shown = next(d.value for d in app.dataframe if "uncheckable_long" in d.value.columns)
    assert {k: shown.iloc[0][k] for k in shown.columns} == {k: exam[k] for k in shown.columns}
    sources = next(d.value for d in app.dataframe if "tokens_removed" in d.value.columns)
    theirs = {r["source"]: r for r in found.sources.to_dicts()}
    for row in sources.to_dict("records"):
        for column in ("documents", "documents_13", "documents_removed", "tokens_removed"):
            assert row[column] == theirs[row["source"]][column]
    assert metric(app, "Items quoted") == "1"


def test_the_page_says_what_it_cannot_see(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "contamination", recipe="guarded")
    said = app.info[0].value
    assert "rephrased" in said and "1 are shorter than 7 words" in said


def test_limits_move_partial_matches_without_another_search(ws: Workspace, open_page: Open) -> None:
    app = open_page(ws, "contamination", recipe="guarded")
    ratio = next(
        row["ratio"] for row in report(ws).matches.to_dicts() if row["id"] == "quotes/part"
    )
    assert Thresholds().info < ratio < 0.5
    assert (metric(app, "By 7"), metric(app, "Partial")) == ("0", "1")
    app.slider(key="limits").set_value((0.1, 0.2)).run()
    assert (metric(app, "By 7"), metric(app, "Partial")) == ("1", "0")


def test_a_match_by_its_address_shows_both_texts_marked(ws: Workspace, open_page: Open) -> None:
    items = report(ws).matches.filter(id="quotes/wrapped").row(0, named=True)
    address = f"quotes/wrapped exam/{items['item_id']}"
    app = open_page(ws, "contamination", recipe="guarded", doc=address)
    assert not app.exception and not app.error
    html = html_of(app)
    marks = [piece.split("</mark>")[0] for piece in html.split("<mark")[1:]]
    assert len(marks) == 2, "one in the document, one in the item"
    assert all("question0" in mark and "question23" in mark for mark in marks)
    app = open_page(ws, "contamination", recipe="guarded", doc="quotes/none exam/1")
    assert not app.exception
    assert "No match of this name" in words_of(app)


def test_hostile_text_is_escaped(ws: Workspace, open_page: Open) -> None:
    item = report(ws).matches.filter(id="quotes/hostile").row(0, named=True)["item_id"]
    app = open_page(ws, "contamination", recipe="guarded", doc=f"quotes/hostile exam/{item}")
    html = html_of(app)
    assert "&lt;script&gt;alert(1)" in html and "<script" not in html
    for element in [*app.markdown, *app.caption, *app.text_input, *app.button]:
        words = str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        assert "](https" not in words and "<script" not in words


def test_a_reviewer_keeps_and_takes_it_back(ws: Workspace, open_page: Open, copy_of: Copy) -> None:
    own = copy_of(ws)
    item = report(own).matches.filter(id="quotes/whole").row(0, named=True)["item_id"]
    app = open_page(own, "contamination", recipe="guarded", doc=f"quotes/whole exam/{item}")
    before = metric(app, "Documents by 13")
    assert removed(own) == 3
    note = next(t for t in app.text_input if t.label == "Note")
    note.set_value("a textbook definition").run()
    app.button(key="review_keep").click().run()
    assert metric(app, "Documents by 13") != before
    assert removed(own) == 2, "every recipe that protects the benchmark"
    made = decisions(own).row(0, named=True)
    assert (made["decision"], made["note"]) == ("keep", "a textbook definition")
    assert "a reviewer said keep" in words_of(app)
    app.button(key="review_undo").click().run()
    assert metric(app, "Documents by 13") == before
    assert removed(own) == 3


def test_saving_protects_benchmarks_and_none_removes_the_check(
    ws: Workspace, open_page: Open, copy_of: Copy
) -> None:
    own = copy_of(ws)
    app = open_page(own, "contamination", recipe="guarded")
    assert app.button(key="cont_save").disabled
    app.multiselect(key="protect.guarded").set_value(["exam", "words"]).run()
    app.button(key="cont_save").click().run()
    saved = load_recipe(own, "guarded").decontaminate
    assert saved == Decontaminate(("exam", "words"), 13)
    assert app.button(key="cont_save").disabled
    app.multiselect(key="protect.guarded").set_value([]).run()
    assert not app.exception and not app.error
    app.button(key="cont_save").click().run()
    assert load_recipe(own, "guarded").decontaminate is None
    assert len(history(own, "guarded")) == 2


def test_matches_of_one_item(ws: Workspace, open_page: Open) -> None:
    row = report(ws).matches.filter(id="quotes/part").row(0, named=True)
    app = open_page(ws, "contamination", recipe="guarded", item=f"exam/{row['item_id']}")
    assert any("1 of 4 matches" in caption.value for caption in app.caption)
