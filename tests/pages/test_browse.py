"""The Browse page as a visitor of an address sees it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from visiting import Open, words_of

from lab.core.workspace import Workspace
from lab.corpus.search import index_documents
from lab.corpus.sources import add_source, scan_documents
from lab.curation.tags.store import notes_of, tag, tags_of, votes_of

HOSTILE = (
    "![x](https://evil.example/a.png) <script>alert(1)</script> <img src=x onerror=alert(2)> "
    "[a](javascript:b) \x1b[31mred \u202egnp.exe <mark>not ours</mark> \x07"
)


def sent(app: AppTest, name: str) -> Any:
    """What a component of the page was given."""
    found = [e.proto for e in app.get("bidi_component")]
    return json.loads(next(p.json for p in found if p.component_name == f"mixlab_{name}"))


def listed(app: AppTest) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = sent(app, "hits")["rows"]
    return rows


def bar(app: AppTest, facet: str, part: str) -> dict[str, Any]:
    rows = next(f["rows"] for f in sent(app, "facets")["facets"] if f["name"] == facet)
    found: dict[str, Any] = next(row for row in rows if row["part"] == part)
    return found


def html_of(app: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(element.proto.body for element in app.get("html"))


def frame(ws: Workspace, source: str) -> pl.DataFrame:
    return scan_documents(ws, source).collect()


@pytest.fixture(scope="module")
def indexed(recipe_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    import shutil

    from lab.core.workspace import open_workspace

    root = tmp_path_factory.mktemp("indexed") / "w"
    shutil.copytree(recipe_workspace.root, root)
    ws = open_workspace(root)
    for source in ("short", "long", "copies"):
        index_documents(ws, source)
    return ws


@pytest.mark.parametrize("address", ["short/{}", "short:{}"])
def test_a_document_by_its_address(
    recipe_workspace: Workspace, open_page: Open, address: str
) -> None:
    row = frame(recipe_workspace, "short").row(7, named=True)
    doc = address.format(row["id"].partition("/")[2])
    app = open_page(recipe_workspace, "browse", source="short", recipe="both", doc=doc)
    assert not app.exception
    for line in row["text"].splitlines():
        assert line in html_of(app)
    assert row["id"] in words_of(app).replace("\\", "")


def test_without_an_address_all_sources_and_the_first_of_the_list(
    indexed: Workspace, open_page: Open
) -> None:
    app = open_page(indexed, "browse")
    assert "870" in words_of(app) and len(listed(app)) == 20
    assert listed(app)[0]["open"] and listed(app)[0]["id"] == "copies/0"
    app.button(key="next").click().run()
    assert app.text_input(key="doc").value == "copies/1"
    assert [row["id"] for row in listed(app) if row["open"]] == ["copies/1"]
    app.button(key="previous").click().run()
    assert app.text_input(key="doc").value == "copies/0"


def test_beyond_the_end_of_a_page_comes_the_next(indexed: Workspace, open_page: Open) -> None:
    app = open_page(indexed, "browse", source="long", doc="long/19")
    app.button(key="next").click().run()
    assert listed(app)[0]["id"] == "long/20" and listed(app)[0]["open"]


def test_keywords_rank_mark_and_count(indexed: Workspace, open_page: Open) -> None:
    app = open_page(indexed, "browse", q='lamp "the river"')
    texts = pl.concat([frame(indexed, s) for s in ("copies", "long", "short")])
    words = texts["text"].str.to_lowercase().str.replace_all(r"\W+", " ")
    both = words.str.contains(r"\bthe river\b") & words.str.contains(r"\blamp\b")
    assert f"**{both.sum()}** of 870" in words_of(app).replace("\\", "")
    values = [float(row["value"]) for row in listed(app)]
    assert values == sorted(values, reverse=True) and len(values) == 20
    marked = [text.lower() for row in listed(app) for text, on in row["pieces"] if on]
    assert marked and {" ".join(text.split()) for text in marked} <= {
        "lamp",
        "the river",
        "the. river",
    }
    for source in ("copies", "long", "short"):
        mine = both.filter(texts["source"] == source).sum()
        assert bar(app, "source", source)["match"] == mine
    assert bar(app, "source", "short")["pool"] == 600


def test_without_an_index_words_are_found_and_indexing_is_offered(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "browse", source="short", q="lamp")
    found = frame(recipe_workspace, "short")["text"].str.contains(r"(?i)\blamp\b").sum()
    assert f"**{found}** of 600" in words_of(app).replace("\\", "")
    assert "without an index" in words_of(app)
    assert app.button(key="index_now").label == "Index the words"


def test_patterns(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "browse", source="short", mode="pattern", q=r"lamp\s+market")
    found = frame(recipe_workspace, "short")["text"].str.contains(r"lamp\s+market").sum()
    assert f"**{found}** of 600" in words_of(app).replace("\\", "")


@pytest.mark.parametrize(
    ("mode", "text", "said"),
    [
        ("pattern", "(", "not a regular expression"),
        ("pattern", "(?=x)", "not a regular expression"),
        ("SQL", "tokens >", "not an SQL condition"),
        ("SQL", "text IN (SELECT content FROM read_text('/etc/passwd'))", "subquery"),
        ("SQL", "1=1; COPY documents TO '/tmp/x'", "not an SQL condition"),
        ("SQL", "read_csv('/etc/passwd') = 1", "is not possible here"),
        ("keywords", "!!", "no word to look for"),
        ("meaning", "rivers", "not been embedded"),
    ],
)
def test_what_cannot_be_searched_is_said_in_words(
    recipe_workspace: Workspace, open_page: Open, mode: str, text: str, said: str
) -> None:
    app = open_page(recipe_workspace, "browse", source="short", mode=mode, q=text)
    assert not app.exception
    assert said in words_of(app)
    app.text_input(key="q").set_value("").run()
    assert len(listed(app)) == 20


def test_conditions_over_signals_and_text(recipe_workspace: Workspace, open_page: Open) -> None:
    condition = "gopher.word_count < 60 AND text ILIKE '%lamp%' AND tokens > 10"
    app = open_page(recipe_workspace, "browse", source="short", mode="SQL", q=condition)
    texts = frame(recipe_workspace, "short")["text"]
    words = texts.str.extract_all(r"\S+").list.len()
    expected = ((words < 60) & texts.str.contains("lamp")).sum()
    assert f"**{expected}** of 600" in words_of(app).replace("\\", "")


def test_filters_narrow_and_bars_keep_the_pool(indexed: Workspace, open_page: Open) -> None:
    app = open_page(indexed, "browse", recipe="both", f="verdict=dropped | kind=organic")
    dropped = bar(app, "verdict", "dropped")
    assert dropped["active"] and f"**{int(dropped['match'])}**" in words_of(app)
    assert all("falls" in dict(map(reversed, row["facts"])) for row in listed(app))  # type: ignore[arg-type]
    assert 0 < bar(app, "verdict", "kept")["match"] < bar(app, "verdict", "kept")["pool"]
    assert bar(app, "kind", "synthetic")["pool"] == 120
    app.text_input(key="f").set_value("").run()
    assert "**870** of 870" in words_of(app).replace("\\", "")
    app.text_input(key="f").set_value("verdict=nonsense | what").run()
    assert not app.exception
    assert "the filter finds nothing" in words_of(app)


def test_a_document_that_falls_shows_value_and_threshold(
    recipe_workspace: Workspace, open_page: Open
) -> None:
    app = open_page(recipe_workspace, "browse", source="short", recipe="both", f="verdict=dropped")
    assert listed(app)
    assert "✕ word count" in html_of(app) and "&lt; 50" in html_of(app)


def test_order_jumps_and_samples(indexed: Workspace, open_page: Open) -> None:
    name = "word count [gopher.word_count@ws1]"
    app = open_page(indexed, "browse", source="short", sort=name, falling="true")
    values = [float(row["value"]) for row in listed(app)]
    assert values == sorted(values, reverse=True)
    app.button(key="jump.50").click().run()
    assert values[-1] >= 0 and float(listed(app)[0]["value"]) < values[0]
    assert app.session_state["page"] == 15, "the median of 600 is the 300th, on page 15 of 20 each"
    sample = open_page(indexed, "browse", sort="random sample", seed="3")
    first = [row["id"] for row in listed(sample)]
    counts = pl.Series([i.partition("/")[0] for i in first]).value_counts()["count"]
    assert counts.len() == 3 and counts.max() - counts.min() <= 1  # type: ignore[operator]
    again = open_page(indexed, "browse", sort="random sample", seed="3")
    assert [row["id"] for row in listed(again)] == first
    sample.button(key="next_sample").click().run()
    assert [row["id"] for row in listed(sample)] != first


def test_tags_votes_notes_and_undo(
    indexed: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(indexed)
    tag(ws, ["short/5"], "spam")
    app = open_page(ws, "browse", source="short", doc="short/1")
    app.button(key="tag.spam").click().run()
    assert tags_of(ws).filter(tag="spam")["id"].to_list() == ["short/1", "short/5"]
    app.button(key="vote.Y").click().run()
    assert votes_of(ws, "keep").rows() == [("short/1", "keep", "", True)]
    app.text_area(key="note.short/1").set_value("*odd*").run()
    app.button(key="save_note").click().run()
    assert notes_of(ws)["note"].to_list() == ["*odd*"]
    for _ in range(3):
        app.button(key="Undo").click().run()
    assert tags_of(ws)["id"].to_list() == ["short/5"] and votes_of(ws).is_empty()
    app.button(key="Redo").click().run()
    assert bar(app, "tag", "spam")["pool"] == 2
    app.text_input(key="f").set_value("tag=spam").run()
    assert [row["id"] for row in listed(app)] == ["short/1", "short/5"]
    app.text_input(key="new_tag").set_value("Not A Tag!").run()
    assert "cannot be the name of a tag" in words_of(app)


def test_everything_found_is_tagged_at_once(
    indexed: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open
) -> None:
    ws = copy_of(indexed)
    app = open_page(ws, "browse", q='"the river"', source="long")
    found = words_of(app).partition("**")[2].partition("**")[0]
    app.text_input(key="bulk_tag").set_value("about-rivers").run()
    app.button(key="bulk.1").click().run()
    assert tags_of(ws).height == int(found) > 20
    app.button(key="Undo").click().run()
    assert tags_of(ws).is_empty()


def test_copies_are_compared(indexed: Workspace, open_page: Open) -> None:
    app = open_page(indexed, "browse", doc="long/0", panel="copies", recipe="both")
    assert app.selectbox(key="copy").value == "copies/0"
    assert "Word for word the same" in words_of(app)


@pytest.mark.parametrize("panel", ["signals", "edits", "meta"])
def test_panels(indexed: Workspace, open_page: Open, panel: str) -> None:
    app = open_page(indexed, "browse", doc="short/3", panel=panel, recipe="both")
    assert not app.exception and not app.error


@pytest.mark.parametrize("address", ["short/nothing", "short/'; DROP TABLE x", "short/"])
def test_an_address_of_nothing(recipe_workspace: Workspace, open_page: Open, address: str) -> None:
    app = open_page(recipe_workspace, "browse", source="short", doc=address)
    assert not app.exception
    assert "No document has this id" in words_of(app)


def test_an_address_in_an_unknown_source(recipe_workspace: Workspace, open_page: Open) -> None:
    app = open_page(recipe_workspace, "browse", source="short", doc="nowhere/1")
    assert not app.exception
    assert "no such source" in words_of(app)


@pytest.fixture
def hostile(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], tmp_path: Path
) -> Workspace:
    ws = copy_of(recipe_workspace)
    path = tmp_path / "hostile.jsonl"
    ids = ["![x](https://evil.example/i.png)", "<b>bold</b>", "plain", "empty", "nul"]
    texts = [f"{HOSTILE} {i}" for i in ids[:3]] + ["", "a\x00b\x00"]
    rows = [{"id": i, "text": t} for i, t in zip(ids, texts, strict=True)]
    path.write_text("\n".join(map(json.dumps, rows)))
    add_source(ws, "hostile", [str(path)], id_column="id")
    return ws


@pytest.mark.parametrize(
    ("mode", "text"), [("keywords", ""), ("keywords", "mark"), ("pattern", "<[^>]*>")]
)
def test_hostile_text_reaches_inert_elements_only(
    hostile: Workspace, open_page: Open, mode: str, text: str
) -> None:
    app = open_page(hostile, "browse", source="hostile", mode=mode, q=text)
    assert not app.exception
    found = html_of(app)
    assert "&lt;script&gt;" in re.sub("</?mark[^>]*>", "", found)
    assert "<script" not in found and "<img" not in found
    assert "\u202e" not in found and "\x1b" not in found and "\u2418" in found
    pieces = "".join(piece for row in listed(app) for piece, _ in row["pieces"])
    assert "\u202e" not in pieces and "\x1b" not in pieces
    for element in [*app.markdown, *app.caption, *app.title, *app.selectbox, *app.button]:
        said = str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        assert "](https" not in said and "<script" not in said, said


def test_a_source_that_is_not_measured_can_be_read(hostile: Workspace, open_page: Open) -> None:
    app = open_page(hostile, "browse", source="hostile")
    assert "have not been measured" in words_of(app)
    assert len(listed(app)) >= 4 and "tokens are not counted" in words_of(app)


def test_a_very_long_document_is_shown_in_parts(
    recipe_workspace: Workspace, copy_of: Callable[[Workspace], Workspace], open_page: Open,
    tmp_path: Path,
) -> None:  # fmt: skip
    ws = copy_of(recipe_workspace)
    path = tmp_path / "huge.jsonl"
    path.write_text(
        json.dumps({"text": "begin " + "x" * 5_000_000 + " middle " + "y " * 100_000 + "end"})
    )
    add_source(ws, "huge", [str(path)])
    app = open_page(ws, "browse", source="huge")
    assert "characters not shown" in words_of(app)
    body = html_of(app)
    assert "begin" in body and "end" in body and len(body) < 50_000
    app.toggle(key="middle.huge/0").set_value(True).run()
    assert not app.exception and len(html_of(app)) < 100_000
