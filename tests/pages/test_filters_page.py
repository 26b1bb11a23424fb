from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.workspace import Workspace
from lab.mixture.recipe_files import history, load_recipe

WORDS = "gopher.word_count@ws1"
Copy = Callable[[Workspace], Workspace]


@pytest.fixture
def page(recipe_workspace: Workspace, open_page: Open) -> AppTest:
    return open_page(recipe_workspace, "filters", recipe="both", source="short")


def kept(app: AppTest) -> str:
    return next(m.value for m in app.metric if m.label.startswith("Documents kept"))


def number(app: AppTest, name: str) -> object:
    return next(n for n in app.number_input if n.label == name)


def test_the_rule_of_the_recipe_is_shown(page: AppTest) -> None:
    assert page.selectbox(key="signal").value == WORDS
    assert number(page, "Minimum").value == 50
    assert "nothing" not in words_of(page)


def test_moving_the_minimum_changes_what_is_kept_and_nothing_on_disk(
    page: AppTest, recipe_workspace: Workspace
) -> None:
    before = kept(page)
    number(page, "Minimum").set_value(70).run()
    assert kept(page) != before
    assert page.text_input(key="cuts.both.short").value == f"{WORDS}=70..100000"
    assert load_recipe(recipe_workspace, "both").sources["short"][0].min == 50
    number(page, "Minimum").set_value(50).run()
    assert kept(page) == before
    assert page.text_input(key="cuts.both.short").value == ""


def test_the_slider_moves_one_bound(page: AppTest) -> None:
    slider = next(s for s in page.select_slider if s.label == "Keep documents between")
    low, high = slider.options[10], slider.options[-1]
    slider.set_range(float(low), float(high)).run()
    assert number(page, "Minimum").value == float(low)
    assert number(page, "Maximum").value == 100_000, "the other bound stays as it was"


def test_a_link_reopens_an_unsaved_threshold(recipe_workspace: Workspace, open_page: Open) -> None:
    query = {"recipe": "both", "source": "short", "cuts.both.short": f"{WORDS}=60..70"}
    app = open_page(recipe_workspace, "filters", **query)
    assert (number(app, "Minimum").value, number(app, "Maximum").value) == (60, 70)
    assert "word count between 60 and 70" in str(app.dataframe[0].value)


def test_nonsense_in_the_link_is_an_error_in_words(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    query = {"recipe": "both", "source": "short", "cuts.both.short": "![x](http://evil)"}
    app = open_page(recipe_workspace, "filters", **query)
    assert not app.exception
    assert app.error[0].value == "A setting does not work as written."
    assert "![x](http://evil)" in app.code[0].value


def test_a_minimum_above_the_maximum_moves_it_along(page: AppTest) -> None:
    number(page, "Maximum").set_value(60).run()
    number(page, "Minimum").set_value(65).run()
    assert number(page, "Maximum").value == 65


def test_saving_keeps_the_version_before(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "filters", recipe="both", source="short")
    number(app, "Minimum").set_value(66).run()
    app.button(key="save_cuts").click().run()
    assert "Saved both.yaml" in words_of(app)
    assert load_recipe(ws, "both").sources["short"][0].min == 66
    assert app.text_input(key="cuts.both.short").value == ""
    assert app.button(key="save_cuts").disabled
    old = history(ws, "both")[0]
    app.button(key=f"restore.{old.name}").click().run()
    assert load_recipe(ws, "both").sources["short"][0].min == 50


def test_saving_under_another_name_switches_to_it(
    recipe_workspace: Workspace, open_page: Open, copy_of: Copy
) -> None:
    ws = copy_of(recipe_workspace)
    app = open_page(ws, "filters", recipe="both", source="short")
    number(app, "Minimum").set_value(66).run()
    app.text_input(key="save_as.both").set_value("stricter").run()
    app.button(key="save_cuts").click().run()
    assert app.selectbox(key="recipe").value == "stricter"
    assert load_recipe(ws, "both").sources["short"][0].min == 50
    assert load_recipe(ws, "stricter").sources["short"][0].min == 66


def test_an_impossible_name_is_refused_and_the_draft_kept(page: AppTest) -> None:
    number(page, "Minimum").set_value(66).run()
    page.text_input(key="save_as.both").set_value("../x").run()
    page.button(key="save_cuts").click().run()
    assert "plain word" in words_of(page)
    assert page.text_input(key="cuts.both.short").value


def test_a_preset_becomes_a_draft_and_can_be_discarded(page: AppTest) -> None:
    page.selectbox(key="preset").set_value("gopher-datatrove").run()
    page.button(key="use_preset").click().run()
    assert not page.exception
    draft = page.text_input(key="cuts.both.short").value
    assert draft.count(";") >= 5
    page.button(key="drop_cuts").click().run()
    assert page.text_input(key="cuts.both.short").value == ""


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
