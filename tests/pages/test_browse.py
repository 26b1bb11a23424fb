import pytest
from visiting import Open, words_of

from lab.core.workspace import Workspace
from lab.corpus.sources import add_source, scan_documents

HOSTILE = "![x](https://evil.example/a.png) <script>alert(1)</script> [a](javascript:b)"


def test_a_document_by_its_address(recipe_workspace: Workspace, open_page: Open) -> None:
    row = scan_documents(recipe_workspace, "short").collect().row(7, named=True)
    app = open_page(recipe_workspace, "browse", source="short", recipe="both", doc=row["id"])
    assert app.code[0].value == row["text"]
    assert row["id"] in words_of(app).replace("\\", "")


def test_without_an_address_the_first_of_the_list_is_open(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "browse", source="long")
    first = scan_documents(recipe_workspace, "long").head(1).collect()
    assert app.code[0].value == first["text"][0]
    app.button(key="next").click().run()
    assert app.text_input(key="doc").value == "long/1"
    app.button(key="previous").click().run()
    assert app.text_input(key="doc").value == "long/0"


def test_a_document_that_falls_says_every_reason(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    reason = "word count between 50 and 100000"
    app = open_page(
        recipe_workspace, "browse", source="short", recipe="both", show=f"fails: {reason}"
    )
    rows = app.dataframe[0].value
    assert len(rows) > 0
    assert any(
        "fails: word count between 50" in str(m.value).replace("\\", "") for m in app.markdown
    )


def test_sorting_shows_the_signal(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(
        recipe_workspace,
        "browse",
        source="short",
        sort="word count [gopher.word_count@ws1]",
        falling="true",
    )
    values = app.dataframe[0].value["value"].tolist()
    assert values == sorted(values, reverse=True)


def test_a_pattern_that_is_none_is_an_error_in_words(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "browse", source="short", q="(", regex="true")
    assert not app.exception
    assert "not a regular expression" in words_of(app)
    app.toggle(key="regex").set_value(False).run()
    assert "0 of 600 documents match" in words_of(app)


@pytest.mark.parametrize("address", ["short/nothing", "short/'; DROP TABLE x", "short/"])
def test_an_address_of_nothing(recipe_workspace: Workspace, open_page: Open, address: str) -> None:
    app = open_page(recipe_workspace, "browse", source="short", doc=address)
    assert not app.exception
    assert "No document has this id" in words_of(app)


def test_an_address_in_an_unknown_source(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "browse", source="short", doc="nowhere/1")
    assert not app.exception
    assert "no such source" in words_of(app)


def test_hostile_text_reaches_inert_elements_only(
    recipe_workspace: Workspace, open_page: Open, copy_of: object, tmp_path: object
) -> None:
    import json
    from pathlib import Path

    ws = copy_of(recipe_workspace)  # type: ignore[operator]
    path = Path(str(tmp_path)) / "hostile.jsonl"
    ids = ["![x](https://evil.example/i.png)", "<b>bold</b>", "plain"]
    path.write_text("\n".join(json.dumps({"id": i, "text": f"{HOSTILE} {i}"}) for i in ids))
    add_source(ws, "hostile", [str(path)], id_column="id")
    from lab.core.progress import SILENT
    from lab.jobs import actions
    from lab.jobs.steps.curation import measure

    measure(ws, actions.Measure(source="hostile", workers=1), SILENT)
    app = open_page(ws, "browse", source="hostile")
    assert not app.exception
    assert HOSTILE in app.code[0].value
    for element in [*app.markdown, *app.caption, *app.title, *app.selectbox, *app.button]:
        text = str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        assert "](https" not in text and "<script" not in text, text
