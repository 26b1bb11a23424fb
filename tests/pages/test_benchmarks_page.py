"""The benchmarks page: registering, reading the exact prompt, twins, removal and its undoing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.workspace import Workspace, create, open_workspace
from lab.evaluation.benchmarks.prompts import render_benchmark
from lab.evaluation.benchmarks.registry import (
    BenchmarkSummary,
    Choice,
    add_benchmark,
    list_benchmarks,
    read_summary,
)
from lab.jobs.store import list_jobs
from lab.ui.benchmarks.listing import twin_words

Copy = Callable[[Workspace], Workspace]
HOSTILE = "![x](https://evil.example/a.png) <script>alert(1)</script> $x$ :red[y]"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An empty workspace with a benchmark of hostile text in letters with a shot, and a cloze."""
    root = tmp_path_factory.mktemp("asked")
    ws = create(root / "w")
    rows = [
        {"id": f"q{k}", "question": f"{HOSTILE} number {k}?", "choices": ["a", " b", HOSTILE],
         "answer": k % 3, "split": "test" if k else "train"}
        for k in range(30)
    ]  # fmt: skip
    (root / "exam.jsonl").write_text("\n".join(map(json.dumps, rows)))
    add_benchmark(ws, "exam", root / "exam.jsonl", choice=Choice(form="letters", shots=1))
    (root / "words.jsonl").write_text(json.dumps({"question": "The lamp is ", "answer": "green"}))
    add_benchmark(ws, "words", root / "words.jsonl")
    return ws


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    def make(ws: Workspace) -> Workspace:
        shutil.copytree(ws.root, tmp_path / "copy")
        return open_workspace(tmp_path / "copy")

    return make


def codes(app: AppTest) -> list[str]:
    return [str(code.value) for code in app.code]


def test_a_link_opens_an_item_and_shows_what_the_scorer_gets(
    asked: Workspace, open_page: Open
) -> None:
    app = open_page(asked, "benchmarks", benchmark="exam", item="q7")
    assert not app.exception
    _, items, table = render_benchmark(asked, "exam")
    context = table.filter(item=items["id"].to_list().index("q7"))["context"][0]
    shown = codes(app)
    plain = shown[0].replace("⏎\n", "\n").replace("·", " ")
    assert plain == context
    assert "number 0?" in plain and "number 7?" in plain  # the shot, then the item
    assert shown[1] == "  ·A\n+ ·B\n  ·C"
    said = words_of(app)
    assert "letters, 1 fixed shot, temperature 0, chance 33.3 %" in said


def test_items_are_filtered_and_an_unknown_one_is_said(asked: Workspace, open_page: Open) -> None:
    app = open_page(asked, "benchmarks", benchmark="exam")
    assert "29 items" in [c.value for c in app.caption]
    app.text_input(key="contains").set_value("number 12?").run()
    assert "1 item" in [c.value for c in app.caption]
    assert "number 12?" in codes(app)[0]
    app.text_input(key="contains").set_value("nothing like it").run()
    assert "No item fits these filters" in words_of(app).replace("\\", "")
    app = open_page(asked, "benchmarks", benchmark="exam", item="q99")
    assert "q99" in codes(app) and not app.exception


def test_white_space_at_the_seam_is_marked(asked: Workspace, open_page: Open) -> None:
    app = open_page(asked, "benchmarks", benchmark="words")
    assert codes(app)[:2] == ["The lamp is", "+ ·green"]


def test_hostile_text_stays_inert(asked: Workspace, open_page: Open) -> None:
    app = open_page(asked, "benchmarks", benchmark="exam", item="q2")
    for element in [*app.markdown, *app.caption]:
        assert "![x](https" not in str(element.value)


def test_a_twin_is_made_and_named(asked: Workspace, copy: Copy, open_page: Open) -> None:
    ws = copy(asked)
    app = open_page(ws, "benchmarks", benchmark="exam")
    app.radio(key="twin_by").set_value("permuted")
    app.button(key="make_twin").click().run()
    assert not app.exception
    assert {b.name: b.twin_by for b in list_benchmarks(ws)} == {
        "exam": "", "exam_twin": "permuted", "words": ""}  # fmt: skip
    assert "exam_twin" in app.success[0].value.replace("\\", "")


def test_a_twin_that_was_registered_is_never_replaced(
    asked: Workspace, copy: Copy, open_page: Open
) -> None:
    ws = copy(asked)
    (ws.root / "own.jsonl").write_text(json.dumps({"question": "My own twin is", "answer": "x"}))
    own = add_benchmark(ws, "exam_twin", ws.root / "own.jsonl")
    app = open_page(ws, "benchmarks", benchmark="exam")
    app.button(key="make_twin").click().run()
    assert "holds other items" in "".join(codes(app))
    assert read_summary(ws, "exam_twin") == own


def test_the_twin_of_earlier_items_is_named_so() -> None:
    known: dict[str, Any] = {"chance": None, "items": 1, "kinds": {}, "split": "", "source": ""}
    known |= {"other_splits": 0, "ambiguous": 0, "skipped": 0, "source_sha256": ""}
    base = BenchmarkSummary(name="exam", hash="new", **known)
    made = {"twin_of": "exam", "twin_by": "letters"}
    for made_from, words in (("new", "by letters"), ("old", "by letters, of earlier items")):
        twin = BenchmarkSummary(name="exam_twin", hash="t", twin_of_hash=made_from, **known, **made)
        assert twin_words(twin, [base, twin]) == words


def test_a_rule_that_gives_no_other_format_is_not_offered(
    asked: Workspace, open_page: Open
) -> None:
    app = open_page(asked, "benchmarks", benchmark="words")
    assert app.radio(key="twin_by").options == ["the same items in other words"]


def test_removal_can_be_undone(asked: Workspace, copy: Copy, open_page: Open) -> None:
    ws = copy(asked)
    before = list_benchmarks(ws)
    app = open_page(ws, "benchmarks", benchmark="words")
    app.button(key="remove_benchmark").click().run()
    assert [b.name for b in list_benchmarks(ws)] == ["exam"]
    assert "words was removed" in words_of(app)
    app.button(key="undo_remove").click().run()
    assert list_benchmarks(ws) == before
    assert not app.exception


def test_the_form_starts_the_job_with_what_was_chosen(
    tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = create(tmp_path / "w")
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"question": "q?", "choices": ["a", "b"], "answer": 0}))
    app = open_page(ws, "benchmarks")
    app.text_input(key="new_name").set_value(" quiz ")
    app.text_input(key="new_path").set_value(str(path))
    app.selectbox(key="new_group").set_value("language")
    app.button[0].click().run()
    job = list_jobs(ws)[0]
    assert job.action == "benchmark"
    assert job.params == {
        "name": "quiz", "path": str(path), "form": "cloze", "shots": 0, "group": "language",
        "skip_invalid": False}  # fmt: skip


def test_quoted_items_are_counted_and_marked(
    recipe_workspace: Workspace, copy: Copy, tmp_path: Path, open_page: Open
) -> None:
    from lab.core.progress import SILENT
    from lab.corpus.sources import add_source
    from lab.jobs import actions
    from lab.jobs.steps.curation import decontaminate, measure

    ws = copy(recipe_workspace)
    question = " ".join(f"question{k}" for k in range(24))
    (tmp_path / "exam.jsonl").write_text(
        "\n".join(json.dumps({"id": f"e{k}", "question": q, "answer": "one"})
                  for k, q in enumerate([question, "never asked anywhere"])))  # fmt: skip
    add_benchmark(ws, "exam", tmp_path / "exam.jsonl")
    (tmp_path / "quotes.jsonl").write_text(json.dumps({"id": "d", "text": f"before {question}"}))
    add_source(ws, "quotes", [str(tmp_path / "quotes.jsonl")], id_column="id")
    app = open_page(ws, "benchmarks", benchmark="exam")
    assert "Not known which items the text quotes" in words_of(app)
    measure(ws, actions.Measure(workers=1), SILENT)
    decontaminate(ws, actions.Decontaminate(), SILENT)
    app = open_page(ws, "benchmarks", benchmark="exam")
    assert not app.exception
    assert app.dataframe[0].value.set_index("benchmark").loc["exam", "quoted"] == 1
    assert "1 document in this workspace quote it" in app.warning[0].value
    app.toggle(key="quoted_only").set_value(True).run()
    assert "1 item" in [c.value for c in app.caption]
