"""Text edits: the reference's lines to the letter, originals untouched, every row in its place."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.curation.edits import EDITS, apply_edits, edit_documents, require_edits
from lab.curation.pii import find_personal

GOLDEN = Path(__file__).parent / "golden"  # texts of our own, edited by the reference
WORDS = [
    "the",
    "mill",
    "turns",
    "[1]",
    "[edit]",
    "{x}",
    "javascript",
    "I",
    "use",
    "cookies",
    ".",
    "!",
]
WORDS += ["…", "'", "so,", "well.", "漢", "é"]
GAPS = [
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    ".\n",
    "!\r\n",
    "\t",
    "\u2028",
    "\x85",
    "\x1f",
    "\u00a0",
    "...",
]
texts = st.lists(st.sampled_from(WORDS + GAPS), max_size=50).map("".join) | st.text(max_size=60)


def edit(text: str, *names: str) -> str:
    return apply_edits(pl.Series([text]), names).item()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("c4-lines", "c4_lines.json"),
        ("c4-lines-fineweb", "c4_lines.json"),
        ("refinedweb-lines", "refinedweb_lines.json"),
    ],
)
def test_lines_are_kept_as_the_reference_keeps_them(name: str, file: str) -> None:
    pairs = json.loads((GOLDEN / file).read_text("utf-8"))["pairs"]
    edited = apply_edits(pl.Series([pair["text"] for pair in pairs]), [name]).to_list()
    assert edited == [pair[name] for pair in pairs]
    assert sum(pair["text"] != pair[name] != "" for pair in pairs) > 50


def test_what_the_line_rules_say() -> None:
    text = (
        "Menu | Home\nThe mill [12] turns by day. \nToo short.\nPlease turn on JavaScript now.\n"
        "We use cookies on this site.\nlorem ipsum dolor { sit.\nIt goes on and on..."
    )
    kept = ["The mill  turns by day.", "lorem ipsum dolor { sit."]
    assert edit(text, "c4-lines").split("\n") == kept
    unended = ["Menu | Home", *kept, "It goes on and on..."]
    assert edit(text, "c4-lines-fineweb").split("\n") == unended
    assert edit("one two " + "x" * 1001 + ".", "c4-lines") == ""
    assert edit("one two " + "x" * 999 + ".", "c4-lines") != ""


def test_what_refinedweb_corrects() -> None:
    text = (
        "THE MILL OF OLD\n1234\n3 likes\n(1,204 Views)\nOne\n\nThe mill turns. Read more...\n"
        "Sign-in to see more\n2 items in cart\nThe mill TURNS and it is told in a long line here. "
        "Read more..."
    )
    kept = (
        "The mill turns.\nto see more\n2\n"
        "The mill TURNS and it is told in a long line here. Read more..."
    )
    assert edit(text, "refinedweb-lines") == kept


@given(st.lists(texts, max_size=6))
@settings(max_examples=40)
def test_a_document_is_edited_alone_and_by_lines(batch: list[str]) -> None:
    assert apply_edits(pl.Series(batch, dtype=pl.String), list(EDITS)).to_list() == [
        edit(text, *EDITS) for text in batch
    ]
    for name in ("c4-lines", "c4-lines-fineweb"):
        edited = apply_edits(pl.Series(batch, dtype=pl.String), [name]).to_list()
        assert edited == [edit(text, name) for text in batch]
        for text, after in zip(batch, edited, strict=True):
            lines = iter([line.strip() for line in text.splitlines()])
            if "[" not in text:  # without citations
                assert all(line in lines for line in after.split("\n") if after)  # in this order
                assert edit(after, name) == after


def test_a_long_line_and_many_lines_are_edited() -> None:
    line = "the mill turns all day " * 50_000
    assert edit(line, "c4-lines") == ""
    assert edit(line, "c4-lines-fineweb") == line.strip()
    assert edit("The mill turns.\n\u2028" * 50_000, "c4-lines").count("\n") == 49_999


def test_personal_data_become_tokens_and_the_rest_stays() -> None:
    text = "Write to ann@example.org, call +1 212-555-0123;\nfrom 203.0.113.7: 4111 1111 1111 1111."
    masked = edit(text, "mask-pii")
    assert masked == (
        "Write to |||EMAIL_ADDRESS|||, call |||PHONE_NUMBER|||;\n"
        "from |||IP_ADDRESS|||: |||CARD_NUMBER|||."
    )
    assert find_personal(masked) == []
    assert edit(masked, "mask-pii") == masked


def test_edits_follow_each_other_and_leave_null_and_the_input_alone() -> None:
    original = pl.Series("body", ["Mail ann@example.org today.\nHome", None, ""])
    edited = apply_edits(original, ["c4-lines", "mask-pii"])
    assert edited.name == "body"
    assert edited.to_list() == ["Mail |||EMAIL_ADDRESS||| today.", None, ""]
    assert original[0] == "Mail ann@example.org today.\nHome"
    assert apply_edits(pl.Series([], dtype=pl.String), ["mask-pii"]).to_list() == []


@pytest.mark.parametrize("names", [[], ["c4-line"], ["mask-pii", "mask-pii"]])
def test_unknown_repeated_or_no_edits_are_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="edit"):
        apply_edits(pl.Series(["a"]), names)


def test_every_edit_says_what_it_does_and_whose_it_is() -> None:
    for name, made in EDITS.items():
        assert made.words and made.source and made.version >= 1, name


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = create(tmp_path / "w")
    rows = [
        "The mill turns by day.\nHome | About",
        "Nothing here but a menu",
        "Write to ann@example.org for bread.",
        "The lamp burns all night.",
    ]
    lines = [json.dumps({"id": f"d{i}", "text": text}) for i, text in enumerate(rows)]
    (tmp_path / "s.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, "s", [str(tmp_path / "s.jsonl")])
    return ws


def test_edited_texts_lie_beside_the_documents(ws: Workspace) -> None:
    before = documents(ws, "s").scan().collect()
    made = edit_documents(ws, "s", ["c4-lines", "mask-pii"])
    frame = made.scan().collect()
    assert [part.name for part in made.parts] == [part.name for part in documents(ws, "s").parts]
    assert frame.schema == {
        "id": pl.String(),
        "text": pl.String(),
        "removed_chars": pl.UInt32(),
        "changed": pl.Boolean(),
    }
    assert frame["id"].to_list() == before["id"].to_list()
    assert frame["text"].to_list() == [
        "The mill turns by day.",
        "",
        "Write to |||EMAIL_ADDRESS||| for bread.",
        "The lamp burns all night.",
    ]
    assert frame["removed_chars"].to_list() == [13, 23, 0, 0]
    assert frame["changed"].to_list() == [True, True, True, False]
    counts = {"documents": 4, "changed": 3, "emptied": 1, "removed_chars": 36, "source": "s"}
    assert counts.items() <= made.manifest.items()
    assert made.manifest["config"] == {"edits": ["c4-lines@1", "mask-pii@1"]}
    assert documents(ws, "s").scan().collect().equals(before)


def test_edits_are_known_by_name_order_and_version(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ArtifactMissing, match="mixlab edit --source s --edits mask-pii c4-lines"):
        require_edits(ws, "s", ["mask-pii", "c4-lines"])
    first = edit_documents(ws, "s", ["mask-pii", "c4-lines"])
    assert require_edits(ws, "s", ["mask-pii", "c4-lines"]).id == first.id
    with pytest.raises(ArtifactMissing):
        require_edits(ws, "s", ["c4-lines", "mask-pii"])
    newer = type(EDITS["mask-pii"])(EDITS["mask-pii"].apply, "masks", "here", 2)
    monkeypatch.setitem(EDITS, "mask-pii", newer)
    with pytest.raises(ArtifactMissing):
        require_edits(ws, "s", ["mask-pii", "c4-lines"])
