from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from visiting import ROOT, Open, words_of

from lab.core.workspace import Workspace
from lab.curation.tags.store import votes_of
from lab.mixture.recipe_files import history, load_recipe

WORDS = "gopher.word_count@ws1"
LENGTH = "gopher.mean_word_length@ws1"
Copy = Callable[[Workspace], Workspace]


@pytest.fixture
def page(recipe_workspace: Workspace, open_page: Open) -> AppTest:
    return open_page(recipe_workspace, "filters", recipe="both", source="short")


def kept(app: AppTest) -> str:
    return next(m.value for m in app.metric if m.label.startswith("Documents kept"))


def draft(app: AppTest) -> str:
    return str(app.text_input(key="cuts.both").value)


def write(app: AppTest, text: str) -> None:
    app.text_input(key="cuts.both").set_value(text).run()
    assert not app.exception


def look_at(app: AppTest, view: str) -> None:
    """Choose a view of the lower half."""
    app.session_state["view"] = view
    app.run()
    assert not app.exception


def shown_html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_the_rule_of_the_recipe_is_in_the_hand(page: AppTest) -> None:
    assert not page.exception
    assert page.selectbox(key="signal").value == WORDS
    assert "nothing" not in words_of(page)


def test_the_page_opens_on_the_rule_that_drops_most(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    from lab.mixture.parsing import parse_recipe
    from lab.mixture.recipe_files import save_recipe

    ws = copy_of(recipe_workspace)
    rules = [{"signal": "gopher.hash_ratio", "max": 1}, {"signal": "gopher.word_count", "min": 60}]
    body = {
        "name": "idle-first",
        "tokenizer": "plain",
        "sources": {"short": {"filters": rules}},
        "mixture": {"tokens": 1000, "phases": [{"name": "all", "weights": {"short": 1}}]},
    }
    save_recipe(ws, parse_recipe(body, "r"))
    app = open_page(ws, "filters", recipe="idle-first", source="short")
    assert app.selectbox(key="signal").value == WORDS
    look_at(app, "Rules")
    assert any("drops nothing" in warning.value for warning in app.warning)


def test_a_draft_changes_what_is_kept_and_nothing_on_disk(
    page: AppTest, recipe_workspace: Workspace
) -> None:
    before = kept(page)
    write(page, f"short {WORDS}=70..")
    assert kept(page) != before
    assert load_recipe(recipe_workspace, "both").sources["short"][0].min == 50
    page.button(key="undo_cuts").click().run()
    assert (kept(page), draft(page)) == (before, "")
    page.button(key="redo_cuts").click().run()
    assert draft(page) == f"short {WORDS}=70.."


def test_percentiles_are_resolved_on_the_source(page: AppTest) -> None:
    box = next(n for n in page.number_input if n.label == "Minimum percentile")
    box.set_value(50.0).run()
    assert draft(page) == f"short {WORDS}=p50..100000"
    documents = next(m for m in page.metric if m.label.startswith("Documents kept"))
    share = float(documents.value.split("(")[1].split(" ")[0])
    assert 45 < share < 60


def test_a_threshold_for_all_sources_and_one_for_a_phase(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    query = {"recipe": "both", "source": "*", "signal": WORDS}
    app = open_page(recipe_workspace, "filters", **query, **{"cuts.both": f"* {WORDS}=65.."})
    assert not app.exception
    look_at(app, "Sources")
    frame = app.dataframe[0].value
    assert (frame["kept documents"] < frame["documents"]).iloc[0]
    phase = {"recipe": "both", "source": "sharpen/short", "signal": WORDS}
    app = open_page(
        recipe_workspace, "filters", **phase, **{"cuts.both": f"sharpen/short {WORDS}=70.."}
    )
    assert not app.exception
    assert "from saved" in str([m.delta for m in app.metric])


def test_a_link_reopens_an_unsaved_threshold(recipe_workspace: Workspace, open_page: Open) -> None:
    query = {"recipe": "both", "source": "short", "cuts.both": f"short {WORDS}=60..70"}
    app = open_page(recipe_workspace, "filters", **query)
    look_at(app, "Rules")
    assert "word count between 60 and 70" in str(app.dataframe[0].value)


@pytest.mark.parametrize("text", ["![x](http://evil)", "elsewhere a=1..", "short nope=1.."])
def test_nonsense_in_the_link_is_an_error_in_words(
    recipe_workspace: Workspace, open_page: Open, text: str
) -> None:
    query = {"recipe": "both", "source": "short", "cuts.both": text}
    app = open_page(recipe_workspace, "filters", **query)
    assert not app.exception
    assert [*app.error, *app.warning]
    assert text.split("=")[0].split(" ")[-1] in words_of(app)


def test_saving_keeps_the_version_before(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "filters", recipe="both", source="short")
    write(app, f"short {WORDS}=66..")
    app.button(key="save_cuts").click().run()
    assert "Saved both.yaml" in words_of(app)
    assert load_recipe(ws, "both").sources["short"][0].min == 66
    assert draft(app) == "" and app.button(key="save_cuts").disabled
    old = history(ws, "both")[0]
    app.button(key=f"restore.{old.name}").click().run()
    assert load_recipe(ws, "both").sources["short"][0].min == 50


def test_saving_under_another_name_switches_to_it(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "filters", recipe="both", source="short")
    write(app, f"short {WORDS}=66..")
    app.text_input(key="save_as.both").set_value("stricter").run()
    app.button(key="save_cuts").click().run()
    assert app.selectbox(key="recipe").value == "stricter"
    assert load_recipe(ws, "both").sources["short"][0].min == 50
    assert load_recipe(ws, "stricter").sources["short"][0].min == 66


def test_an_impossible_name_is_refused_and_the_draft_kept(page: AppTest) -> None:
    write(page, f"short {WORDS}=66..")
    page.text_input(key="save_as.both").set_value("../x").run()
    page.button(key="save_cuts").click().run()
    assert "plain word" in words_of(page)
    assert draft(page)


def test_a_preset_becomes_a_draft_and_can_be_discarded(page: AppTest) -> None:
    page.selectbox(key="preset").set_value("gopher-datatrove").run()
    page.button(key="use_preset").click().run()
    assert not page.exception
    assert draft(page).count(";") >= 5
    page.button(key="drop_cuts").click().run()
    assert draft(page) == ""


def test_an_expression_becomes_a_rule(page: AppTest) -> None:
    page.text_area(key="where_text").set_value("gopher.word_count > 60").run()
    page.button(key="add_where").click().run()
    assert not page.exception
    assert draft(page) == f'short where "{WORDS}" > 60'
    page.text_area(key="where_text").set_value("SELECT 1").run()
    page.button(key="add_where").click().run()
    assert "subquery" in words_of(page).lower()


def test_documents_carry_every_reason_and_the_next_sample_differs(page: AppTest) -> None:
    write(page, f"short {WORDS}=62..; short {LENGTH}=..4.6")
    first = shown_html(page)
    assert first.count("falls, ") == 6 and "✕ word count" in first
    assert "mean word length" in first
    page.button(key="next_sample").click().run()
    assert shown_html(page) != first
    page.session_state["read"] = "changed"
    page.run()
    assert "falls, " in shown_html(page)


def test_order_and_switches_of_rules(page: AppTest) -> None:
    write(page, f"short {LENGTH}=..4.6")
    look_at(page, "Rules")
    first = page.dataframe[0].value["reason"].to_list()
    page.button(key="up.1").click().run()
    assert page.dataframe[0].value["reason"].to_list() == first[::-1]
    page.button(key="off.1").click().run()
    assert f"{WORDS}=off" in draft(page)
    page.button(key=f"on.{WORDS}").click().run()
    assert f"{WORDS}=off" not in draft(page)


def test_a_suggestion_goes_into_the_draft(page: AppTest) -> None:
    look_at(page, "Suggest")
    page.session_state["suggest"] = "keep N tokens"
    page.run()
    assert not page.exception
    page.button(key="use_solver").click().run()
    assert draft(page).startswith(f"short {WORDS}=")
    page.session_state["suggest"] = "k standard deviations"
    page.run()
    page.button(key="use_sigma").click().run()
    assert not page.exception and draft(page).count(";") >= 3


def test_voting_on_the_borderline_and_taking_a_vote_back(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    query = {"recipe": "both", "source": "short", "cuts.both": f"short {WORDS}=65.."}
    app = open_page(ws, "filters", **query)
    look_at(app, "Label the borderline")
    assert "Unresolved" in words_of(app) and "falls" not in shown_html(app)
    for _ in range(20):
        app.button(key="vote_N").click().run()
    votes = votes_of(ws)
    assert votes.height == 20 and not votes["keep"].any()
    assert "tighten" in words_of(app) and "This round is done" in words_of(app)
    app.button(key="undo_vote").click().run()
    assert votes_of(ws).height == 19


def test_a_pasted_document_is_judged(page: AppTest) -> None:
    look_at(page, "Paste a document")
    page.text_area(key="paste").set_value("<b>Too short</b> ![x](http://evil)")
    next(b for b in page.button if b.label == "Judge it").click().run()
    assert not page.exception
    body = shown_html(page)
    assert "✕ word count 3" in body and "&lt;b&gt;Too short" in body and "<b>" not in body
    table = page.dataframe[0].value
    assert table["verdict"].to_list()[0] == "fails" and len(table) > 40


def test_the_draft_beside_a_saved_recipe(page: AppTest) -> None:
    look_at(page, "Compare recipes")
    assert "Both keep the same documents" in words_of(page)
    write(page, f"short {WORDS}=70..")
    frame = page.dataframe[0].value
    assert frame["documents only A"].sum() == 0 and frame["documents only B"].sum() > 0
    assert "falls, " in shown_html(page)
    assert "By language" in words_of(page)


def test_a_draft_waits_while_another_page_is_open(page: AppTest) -> None:
    write(page, f"short {WORDS}=70..")
    page.switch_page(str(ROOT / "pages" / "mixture.py")).run()
    page.switch_page(str(ROOT / "pages" / "filters.py")).run()
    assert not page.exception
    assert draft(page) == f"short {WORDS}=70.."


def test_a_source_that_is_not_measured_offers_to_measure_it(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    import shutil

    ws = copy_of(recipe_workspace)
    shutil.rmtree(ws.artifacts / "signals")
    app = open_page(ws, "filters", recipe="both", source="short")
    assert not app.exception
    assert "have not been measured" in words_of(app)
    assert app.button(key="measure_source")


def test_a_list_of_languages(recipe_workspace: Workspace, open_page: Open) -> None:
    query = {"recipe": "both", "source": "long", "signal": "language.code@ft1"}
    app = open_page(recipe_workspace, "filters", **query)
    assert not app.exception
    box = next(m for m in app.multiselect if m.label == "Values")
    box.set_value([box.options[0]]).run()
    assert not app.exception
    assert draft(app).startswith('long language.code@ft1=in ["')
    app.session_state["value_kind"] = "drop"
    app.run()
    write(app, draft(app).replace("=in", "=not_in"))
    assert "Documents kept" in str([m.label for m in app.metric])


def test_a_signal_with_one_value_says_so(recipe_workspace: Workspace, open_page: Open) -> None:
    query = {"recipe": "both", "source": "long", "signal": "pii.iban@lab1"}
    app = open_page(recipe_workspace, "filters", **query)
    assert "documents have the value 0: no threshold can tell them apart" in words_of(app)


def test_a_rule_on_all_sources_where_they_differ(page: AppTest) -> None:
    """Only `short` has the rule: the picture shows each source under its own until a line moves."""
    page.selectbox(key="source").set_value("*").run()
    assert not page.exception
    totals = [m.value for m in page.metric]
    write(page, f"* {WORDS}=off")
    assert [m.value for m in page.metric] != totals
    assert kept(page).endswith("(100.0 %)")


def test_unsaved_cuts_are_mentioned_on_the_mixture_page(page: AppTest) -> None:
    page.switch_page(str(ROOT / "pages" / "mixture.py")).run()
    assert "not saved" not in words_of(page)
    page.switch_page(str(ROOT / "pages" / "filters.py")).run()
    write(page, f"short {WORDS}=70..")
    page.switch_page(str(ROOT / "pages" / "mixture.py")).run()
    assert "1 cut made on the Filters page not saved" in words_of(page)


def test_a_pasted_document_says_value_and_limit(page: AppTest) -> None:
    look_at(page, "Paste a document")
    page.text_area(key="paste").set_value("Too short")
    next(b for b in page.button if b.label == "Judge it").click().run()
    assert "✕ word count 2, between 50 and 100000" in shown_html(page)
