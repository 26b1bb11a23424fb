"""The Text edits page: what it says of edits, the difference it shows, and what it saves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.progress import SILENT
from lab.core.workspace import Workspace
from lab.corpus.sources import add_source, scan_documents
from lab.curation.edits import apply_edits, require_edits
from lab.curation.tags.store import votes_of
from lab.jobs import actions
from lab.jobs.steps.curation import edit
from lab.mixture.ledger import compute_ledger
from lab.mixture.recipe_files import history, load_recipe
from lab.ui.edits.verdict import tally_words
from lab.ui.highlight import changed

Copy = Callable[[Workspace], Workspace]
CHOICE = "edits.both.notes"
READ = "Read the changes"
NOTE = "A line that stays as it is.\nmenu\nWrite to ann@example.org for more."
HOSTILE = "<script>alert(1)</script> ![x](http://e/a.png)\nA line that ends with a mark."


@pytest.fixture
def noted(recipe_workspace: Workspace, copy_of: Copy, tmp_path: Path) -> Workspace:
    """The workspace with a source of sixty notes, in the recipe `both`."""
    from dataclasses import replace

    from lab.jobs.steps.curation import measure
    from lab.mixture.recipe_files import save_recipe

    ws = copy_of(recipe_workspace)
    path = tmp_path / "notes.jsonl"
    texts = [NOTE, HOSTILE, "menu", *(f"This is sentence number {k}." for k in range(57))]
    path.write_text("\n".join(json.dumps({"id": f"n{k}", "text": t}) for k, t in enumerate(texts)))
    add_source(ws, "notes", [str(path)], id_column="id")
    measure(ws, actions.Measure(source="notes", workers=1), SILENT)
    recipe = load_recipe(ws, "both")
    save_recipe(ws, replace(recipe, sources={**recipe.sources, "notes": ()}))
    return ws


def open_notes(open_page: Open, ws: Workspace, **query: str) -> AppTest:
    return open_page(ws, "edits", source="notes", recipe="both", **query)


def figure(app: AppTest, name: str) -> str:
    return next(m.value for m in app.metric if m.label == name).replace("\\", "")


def html_of(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def test_every_edit_is_named_with_its_source_and_its_effect(
    noted: Workspace, open_page: Open
) -> None:
    said = words_of(open_notes(open_page, noted)).replace("\\", "")
    assert not open_notes(open_page, noted).exception
    for words in ("c4-lines", "arXiv:1910.10683", "mask-pii", "arXiv:2402.00159"):
        assert words in said
    assert "Counted over all 60 documents" in said


def test_figures_of_the_chosen_edits_are_those_of_the_texts(
    noted: Workspace, open_page: Open
) -> None:
    app = open_notes(open_page, noted)
    app.multiselect(key=CHOICE).set_value(["c4-lines"]).run()
    texts = scan_documents(noted, "notes").collect()["text"]
    edited = apply_edits(texts, ["c4-lines"])
    fewer = texts.str.len_chars().sum() - edited.str.len_chars().sum()
    assert figure(app, "Documents changed") == f"{100 * (edited != texts).sum() / 60:.1f} %"
    assert figure(app, "Left empty") == f"{100 * (edited == '').sum() / 60:.2f} %"
    part = 100 * fewer / texts.str.len_chars().sum()
    assert figure(app, "Characters removed") == f"{part:.2f} %"
    assert figure(app, "Tokens removed") == "not counted"


def test_the_difference_marks_what_goes_and_what_comes(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted, doc="notes/n0", edits_view=READ)
    app.multiselect(key=CHOICE).set_value(["c4-lines", "mask-pii"]).run()
    shown = html_of(app)
    assert "A line that stays as it is." in shown
    assert "menu" in shown.partition("<del")[2].partition("</del>")[0]
    assert "EMAIL_ADDRESS" in shown.partition("<ins")[2].partition("</ins>")[0]


def test_hostile_text_stays_text(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted, doc="notes/n1", edits_view=READ)
    app.multiselect(key=CHOICE).set_value(["c4-lines"]).run()
    assert not app.exception
    assert "<script" not in html_of(app) and "&lt;script&gt;" in html_of(app)
    for element in [*app.markdown, *app.caption]:
        assert "](http" not in str(element.value)


def test_saving_keeps_order_and_history_and_the_ledger_follows(
    noted: Workspace, open_page: Open
) -> None:
    plain = compute_ledger(noted, load_recipe(noted, "both")).sources
    app = open_notes(open_page, noted, edits_view="Ledger")
    app.multiselect(key=CHOICE).set_value(["mask-pii", "c4-lines"]).run()
    assert "mixlab edit --source notes" in words_of(app), "not made yet: said, not guessed"
    edit(noted, actions.Edit(["mask-pii", "c4-lines"], source="notes", workers=1), SILENT)
    app.run()
    app.button(key="edits_save").click().run()
    assert load_recipe(noted, "both").edits == {"notes": ("mask-pii", "c4-lines")}
    assert len(history(noted, "both")) == 2, "the version before is kept"
    found = compute_ledger(noted, load_recipe(noted, "both")).sources
    frame = next(d.value for d in app.dataframe if "chosen" in d.value.columns)
    rows = {row["source"]: row for row in frame.to_dict("records")}
    for name, before, after in zip(
        plain["source"], plain["unique_tokens"], found["unique_tokens"], strict=True
    ):
        assert (rows[name]["plain"], rows[name]["chosen"]) == (before, after)
    assert rows["notes"]["chosen"] < rows["notes"]["plain"]
    app.multiselect(key=CHOICE).set_value([]).run()
    app.button(key="edits_drop").click().run()
    assert app.multiselect(key=CHOICE).value == ["mask-pii", "c4-lines"]


def test_edits_for_every_source_of_the_recipe(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted)
    app.button(key="toggle.mask-pii").click().run()
    app.toggle(key="edits_everywhere").set_value(True).run()
    app.button(key="edits_save").click().run()
    edits = load_recipe(noted, "both").edits
    assert edits == dict.fromkeys(("short", "long", "notes"), ("mask-pii",))


def test_a_made_edit_is_counted_over_all(noted: Workspace, open_page: Open) -> None:
    edit(noted, actions.Edit(["c4-lines"], source="notes", workers=1), SILENT)
    made = require_edits(noted, "notes", ["c4-lines"]).manifest
    app = open_notes(open_page, noted, edits_view="Sources", **{CHOICE: "c4-lines"})
    rows = app.dataframe[0].value.set_index("source")
    assert rows.loc["notes", "emptied"] == made["emptied"] / 60
    assert rows.loc["notes", "looked at"] == "all documents"
    assert rows.loc["short", "looked at"] == "sample of 300"
    assert rows.loc["short", "from"] <= rows.loc["short", "changed"] <= rows.loc["short", "to"]


def test_another_sample_of_changed_documents(noted: Workspace, open_page: Open) -> None:
    app = open_page(noted, "edits", source="short", recipe="both", edits_view=READ)
    app.multiselect(key="edits.both.short").set_value(["c4-lines"]).run()
    first = app.dataframe[0].value["id"].tolist()
    app.button(key="next_edits").click().run()
    assert app.number_input(key="edit_sample").value == 1
    assert app.dataframe[0].value["id"].tolist() != first


def test_votes_on_a_change_are_kept_and_taken_back(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted, doc="notes/n0", edits_view=READ)
    app.multiselect(key=CHOICE).set_value(["mask-pii"]).run()
    app.button(key="verdict_B").click().run()
    votes = votes_of(noted, "better after mask-pii")
    assert votes.select("id", "keep").rows() == [("notes/n0", True)]
    assert "Better in 100 % of 1 votes" in words_of(app).replace("\\", "")
    app.button(key="verdict_undo").click().run()
    assert votes_of(noted, "better after mask-pii").is_empty()


def test_a_share_is_resolved_only_if_its_interval_leaves_one_half() -> None:
    assert tally_words([True] * 9 + [False]).endswith("better.")
    assert tally_words([True] * 3 + [False]).endswith("unresolved.")
    assert tally_words([False] * 12).endswith("worse.")


def test_personal_data_is_counted_per_kind(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted, edits_view="Personal data")
    rows = app.dataframe[0].value.set_index("source")
    assert rows.loc["notes", "pii.email@lab1"] == 1
    assert rows.loc["notes", "pii.count@lab1"] == 1
    assert rows.loc["short", "pii.count@lab1"] == 0
    assert "1 document of notes hold" in words_of(app)
    assert "ann@example.org" in html_of(app).partition("<mark")[2].partition("</mark>")[0]


def test_a_document_that_is_not_there_is_said(noted: Workspace, open_page: Open) -> None:
    app = open_notes(open_page, noted, doc="notes/none", edits_view=READ, **{CHOICE: "mask-pii"})
    assert not app.exception
    assert "No document has this id" in words_of(app)


def test_a_changed_text_shows_every_piece_or_counts_it() -> None:
    pieces = [("equal", "a" * 5000), ("delete", " \n"), ("equal", "b" * 5000), ("insert", "<b>")]
    shown = changed(pieces)
    assert "4,780 characters not shown" in shown
    assert "4,560 characters not shown" in shown
    assert "↵" in shown and "&lt;b&gt;" in shown and "<b>" not in shown


def test_the_page_opens_on_a_source_that_the_recipe_uses(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    ws = copy_of(recipe_workspace)
    mixture = {"tokens": 1000, "phases": [{"name": "all", "weights": {"short": 1}}]}
    body = {"name": "shorts", "tokenizer": "plain", "sources": {"short": {}}, "mixture": mixture}
    save_recipe(ws, parse_recipe(body, "r"))
    app = open_page(ws, "edits", recipe="shorts")
    assert app.selectbox(key="source").value == "short"
    app = open_page(ws, "edits", recipe="shorts", source="long")
    assert app.selectbox(key="source").value == "long", "the address decides"
