"""The Quality page: labels, blind grading, asking a model, learning, evaluation, and use."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from visiting import ROOT, Open, words_of

from lab.core.workspace import Workspace, open_workspace
from lab.corpus.sources import scan_documents
from lab.curation.labels.draw import draw
from lab.curation.quality import find_head, read_evaluation, score
from lab.curation.tags.store import tag, tags_of, votes_of
from lab.jobs.store import get_job, list_jobs
from lab.ui.quality.evaluation_panel import curve_words
from lab.ui.quality.found import agreement_between, label_sets
from lab.ui.quality.ways import kept_frame

Copy = Callable[[Workspace], Workspace]
TRUST, USE, LABELS = "How far to trust it", "Use it", "Labels"
GRADE, ASK, LEARN = "Grade by hand", "Ask a model", "Learn a score"


def planted_labels(ws: Workspace, path: Path) -> Path:
    """Labels of 200 documents of `short`: how often they say lamp, river or stone, at most 5."""
    frame = scan_documents(ws, "short").head(200).collect()
    label = frame["text"].str.count_matches("lamp|river|stone").clip(0, 10) / 2
    rows = zip(frame["id"], label.round(0).to_list(), strict=True)
    path.write_text("\n".join(json.dumps({"id": i, "label": value}) for i, value in rows))
    return path


@pytest.fixture(scope="module")
def scored(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace with a score `lamps` on `short` and `long`. Read only."""
    import shutil

    folder = tmp_path_factory.mktemp("scored")
    shutil.copytree(recipe_workspace.root, folder / "w")
    ws = open_workspace(folder / "w")
    score(ws, "lamps", planted_labels(ws, folder / "lamps.jsonl"), ["short", "long"])
    return ws


def figure(app: AppTest, name: str) -> str:
    return next(m.value for m in app.metric if m.label == name).replace("\\", "")


def said(app: AppTest) -> str:
    return words_of(app).replace("\\", "")


def wait_for_jobs(ws: Workspace) -> None:
    deadline = time.monotonic() + 60
    while any(job.active for job in list_jobs(ws)) and time.monotonic() < deadline:
        time.sleep(0.2)


def test_without_labels_the_three_ways_are_said(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "quality")
    assert not app.exception and not app.error
    assert app.segmented_control(key="quality_view").value == LABELS
    assert "No document has been labelled yet." in said(app)


def test_the_figures_are_those_of_the_evaluation(scored: Workspace, open_page: Open) -> None:
    app = open_page(scored, "quality")
    errors = {row["measure"]: row for row in read_evaluation(scored, "lamps", "errors").to_dicts()}
    assert figure(app, "Spearman") == f"{errors['spearman']['value']:.2g}"
    assert figure(app, "Labels") == "200"
    low, high = errors["rmse"]["low"], errors["rmse"]["high"]
    assert f"RMSE {low:.2f} to {high:.2f}" in said(app)
    bins = next(d.value for d in app.dataframe if "from" in d.value.columns)
    assert bins["n"].sum() == 200
    assert "technical vocabulary" in " ".join(i.value for i in app.info)


def test_the_bias_table_says_when_it_is_unresolved(scored: Workspace, open_page: Open) -> None:
    app = open_page(scored, "quality")
    rows = next(d.value for d in app.dataframe if "verdict" in d.value.columns)
    (row,) = rows.to_dict("records")
    assert (row["name"], row["n"]) == ("short", 200)
    inside = row["residual_low"] <= 0 <= row["residual_high"]
    assert (row["verdict"] == "unresolved") == inside


def test_the_worst_misses_can_be_read(scored: Workspace, open_page: Open) -> None:
    app = open_page(scored, "quality")
    rows = next(d.value for d in app.dataframe if "miss" in d.value.columns)
    assert rows["miss"].abs().is_monotonic_decreasing
    document = rows["id"].iloc[0]
    text = scan_documents(scored, "short").filter(pl.col("id") == document).collect()["text"][0]
    assert text in [code.value for code in app.code]


def test_a_learning_curve_promises_only_what_it_shows() -> None:
    def rows(low: float) -> pl.DataFrame:
        return pl.DataFrame(
            {"labels": [50, 100], "value": [0.5, 0.6], "low": [0.4, low], "high": [0.55, 0.7]}
        )

    assert "more labels would help" in curve_words(rows(0.56))
    assert "unresolved" in curve_words(rows(0.5))


def test_grading_is_blind_and_can_be_undone(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    expected = draw(ws, ["short", "long", "copies"], 100)
    app = open_page(ws, "quality", quality_view=GRADE)
    assert app.code[0].value == expected["text"][0][:6000]
    assert expected["id"][0] not in said(app) and "short/" not in said(app)
    app.button(key="grade.4").click().run()
    assert tags_of(ws).rows() == [(expected["id"][0], "educational-4")]
    assert app.code[0].value == expected["text"][1][:6000]
    app.button(key="grade_skip").click().run()
    assert app.code[0].value == expected["text"][2][:6000]
    app.button(key="grade_undo").click().run()
    assert tags_of(ws).is_empty()
    assert app.code[0].value == expected["text"][0][:6000]


def test_yes_and_no_are_votes(recipe_workspace: Workspace, open_page: Open, copy_of: Copy) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "quality", quality_view=GRADE)
    app.segmented_control(key="grade_scale").set_value("yes or no").run()
    app.button(key="grade.0").click().run()
    assert votes_of(ws, "educational")["keep"].to_list() == [False]
    assert [(s.origin, s.ratings.height) for s in label_sets(ws)] == [("people", 1)]


def test_an_impossible_name_is_an_error_in_words(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "quality", quality_view=GRADE, grade_name="![x](http://e)")
    assert not app.exception
    assert "cannot be the name" in words_of(app)


def test_labels_of_people_and_of_a_file_are_compared(
    scored: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(scored)
    rows = planted_labels(ws, ws.root / "again.jsonl").read_text().splitlines()[:60]
    for value in range(6):
        ids = [row["id"] for row in map(json.loads, rows) if row["label"] == value]
        tag(ws, ids, f"lamps-{value}")
    found = agreement_between(label_sets(ws))
    assert found["value"].to_list() == [1.0, 1.0], "the same labels agree"
    assert found["n"].to_list() == [60, 60]
    app = open_page(ws, "quality", quality_view=LABELS)
    frame = next(d.value for d in app.dataframe if "origin" in d.value.columns)
    assert dict(zip(frame["origin"], frame["labels"], strict=True)) == {"in use": 200, "people": 60}
    assert "this is **good**" in said(app)


def test_the_cost_is_shown_before_anything_is_sent(
    recipe_workspace: Workspace, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXLAB_LLM_API_KEY", "sk-secret-value")
    app = open_page(recipe_workspace, "quality", quality_view=ASK)
    assert figure(app, "Questions") == "300"
    assert app.button(key="ask").disabled, "no model is named"
    app.text_input(key="ask_model").set_value("m").run()
    assert not app.button(key="ask").disabled
    app.number_input(key="ask_budget").set_value(2.0).run()
    assert app.button(key="ask").disabled, "a budget in money needs prices"
    app.number_input(key="ask_price_in").set_value(1000.0).run()
    assert not app.button(key="ask").disabled
    assert float(figure(app, "Cost, likely")) < float(figure(app, "At most"))
    everything = words_of(app) + str([t.value for t in app.text_input])
    assert "MIXLAB_LLM_API_KEY in the environment" in said(app)
    assert "sk-secret" not in everything
    app.text_input(key="ask_url").set_value("https://models.example/v1").run()
    assert "leave this machine for models.example" in said(app)
    assert not list_jobs(recipe_workspace)


def test_an_address_that_is_none_is_said(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "quality", quality_view=ASK)
    app.text_input(key="ask_url").set_value("ftp://x").run()
    assert not app.exception
    assert "not the address of an endpoint" in words_of(app)


def test_a_model_is_asked_and_its_labels_appear(
    recipe_workspace: Workspace,
    open_page: Open,
    copy_of: Copy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests/curation")
    from llm_server import completion, serving

    monkeypatch.delenv("MIXLAB_LLM_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ws = copy_of(recipe_workspace)
    with serving(lambda number, _: completion(f"Educational score: {number % 6}")) as server:
        app = open_page(ws, "quality", quality_view=ASK)
        app.text_input(key="ask_url").set_value(server.url)
        app.text_input(key="ask_model").set_value("m")
        app.number_input(key="ask_count").set_value(12)
        area = next(a for a in app.text_area)
        area.set_value("Grade this. {text} Educational score?").run()
        app.button(key="ask").click().run()
        assert not app.exception
        wait_for_jobs(ws)
    job = list_jobs(ws)[0]
    assert get_job(ws, job.id).state == "done", job.log_tail()
    assert len(server.questions) == 12
    assert all(question.startswith("Grade this.") for question in server.questions)
    app = open_page(ws, "quality", quality_view=LABELS)
    frame = next(d.value for d in app.dataframe if "origin" in d.value.columns)
    assert frame[["origin", "labels"]].values.tolist() == [["language model", 12]]
    app = open_page(ws, "quality", quality_view=ASK)
    assert figure(app, "Questions") == "300", "another question: nothing of it is answered"
    assert "tokens, cost" in said(app) and "The limits count it" in said(app)


def test_a_score_is_learned_from_a_file(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy, tmp_path: Path
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "quality", quality_view=LEARN)
    assert app.button(key="learn").disabled
    app.text_input(key="score_file").set_value(str(planted_labels(ws, tmp_path / "l.jsonl")))
    app.text_input(key="score_name").set_value("lamps").run()
    app.button(key="learn").click().run()
    assert not app.exception
    wait_for_jobs(ws)
    assert list_jobs(ws)[0].state == "done", list_jobs(ws)[0].log_tail()
    assert find_head(ws, "lamps") is not None
    assert open_page(ws, "quality").segmented_control(key="quality_view").value == TRUST


def test_labels_of_the_sample_world_are_offered(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    folder = ws.folder("world", "labels")
    folder.mkdir(parents=True)
    planted_labels(ws, folder / "lamps.ids.jsonl")
    app = open_page(ws, "quality")
    app.button(key="world.lamps").click().run()
    wait_for_jobs(ws)
    assert list_jobs(ws)[0].state == "done", list_jobs(ws)[0].log_tail()
    assert find_head(ws, "lamps") is not None
    assert not any(b.key == "world.lamps" for b in open_page(ws, "quality").button)


def test_too_few_labels_cannot_be_learned_from(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    tag(ws, [f"short/{k}" for k in range(49)], "educational-3")
    app = open_page(ws, "quality", quality_view=LEARN)
    assert "49 labelled documents chosen" in said(app)
    assert app.button(key="learn").disabled
    tag(ws, ["short/49"], "educational-1")
    app.run()
    assert not app.button(key="learn").disabled


def test_a_head_on_embeddings_says_what_it_needs(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "quality", quality_view=LEARN, head="embedding-ridge")
    assert "870 documents are not embedded" in said(app)
    assert app.button(key="embed_all")
    assert app.toggle(key="fit_only.embedding-ridge").value, "scoring is not offered as the default"


def kept(app: AppTest) -> pl.DataFrame:
    frame = next(d.value for d in app.dataframe if "kept_tokens" in d.value.columns)
    return pl.DataFrame(frame.to_dict("list"))


def test_a_cut_shows_what_stays_of_each_source(scored: Workspace, open_page: Open) -> None:
    app = open_page(scored, "quality", quality_view=USE, recipe="both")
    app.number_input(key="cut").set_value(-100.0).run()
    assert kept(app)["kept"].to_list() == [1.0, 1.0]
    assert kept(app)["before"].to_list() == kept(app)["after"].to_list()
    app.number_input(key="cut").set_value(100.0).run()
    assert kept(app)["kept_tokens"].to_list() == [0, 0]
    app.segmented_control(key="way").set_value("top share").run()
    app.number_input(key="part").set_value(25.0).run()
    assert kept(app)["kept"].to_list() == pytest.approx([0.25, 0.25], abs=0.01)


def test_the_rule_opens_on_the_filters_page(scored: Workspace, open_page: Open) -> None:
    for way, signal in (
        ("threshold", "quality.lamps"),
        ("temperature sampling", "sample.lamps@T2.5-seed0"),
    ):
        app = open_page(scored, "quality", quality_view=USE, recipe="both", way=way)
        if way == "temperature sampling":
            app.number_input(key="temperature").set_value(2.5).run()
        link = next(p for p in app.get("page_link") if "Open as a rule" in p.proto.label)
        query = dict(pair.split("=", 1) for pair in link.proto.query_string.split("&"))
        from urllib.parse import unquote_plus

        opened = {name: unquote_plus(value) for name, value in query.items()}
        filters = open_page(scored, "filters", **opened)
        assert not filters.exception and not filters.error
        assert filters.selectbox(key="signal").value == signal
        assert f"long {signal}" in filters.text_input(key="cuts.both").value


def test_what_is_kept_is_counted_by_hand() -> None:
    frame = pl.DataFrame(
        {"source": ["a", "a", "b"], "tokens": [10, 30, 60], "score": [1.0, 3.0, 2.0]}
    )
    found = kept_frame(frame, pl.col("score") >= 2)
    assert found["kept"].to_list() == [0.5, 1.0]
    assert found["before"].to_list() == [0.4, 0.6]
    assert found["after"].to_list() == pytest.approx([1 / 3, 2 / 3])
    assert found["kept_mean"].to_list() == [3.0, 2.0]


def test_a_damaged_file_of_labels_is_an_error_in_words(
    scored: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(scored)
    ws.folder("labels", "llm", "x").mkdir(parents=True)
    ws.folder("labels", "llm", "x", "labels.jsonl").write_text('{"id": "short/1"}\n')
    app = open_page(ws, "quality", quality_view=LABELS)
    assert not app.exception
    assert "A label needs a text `id`" in words_of(app)
