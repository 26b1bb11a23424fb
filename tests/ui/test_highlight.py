"""Marks never let a character of a document become markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ui.highlight import PICTURES, STATES, Chip, Mark, chip_row, marked

HOSTILE = [
    "<script>window.PWN=1</script>",
    "<img src=x onerror=alert(1)>",
    "![b](http://evil.example/x.png) [a](javascript:alert(1))",
    '"></mark><iframe src=//evil.example>',
    "' style=background:url(//evil.example) x='",
    "&lt;b&gt; &amp;amp; &#x3c;svg/onload=alert(1)&#x3e;",
    "a\x00b\x1b[31mred\x07 \u202egnp.exe",
    "```mermaid\ngraph TD; A-->B\n``` $x^2$ {{7*7}} :material/home:",
    "</div></body></html><base href=//evil.example>",
]


class Reader(HTMLParser):
    """Collects the tags, their attributes and the text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def spans_in(size: int) -> st.SearchStrategy[list[Mark]]:
    place = st.integers(0, size)
    return st.lists(
        st.builds(
            lambda a, b, what: Mark(min(a, b), max(a, b), what),
            place, place, st.sampled_from(HOSTILE),
        ),
        max_size=5,
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("marks", [[], [Mark(3, 9, HOSTILE[3])]])
def test_hostile_text_is_text(text: str, marks: list[Mark]) -> None:
    found = read(marked(text, marks))
    assert {tag for tag, _ in found.tags} <= {"div", "mark"}
    assert all(set(attrs) <= {"dir", "style", "title"} for _, attrs in found.tags)
    assert all("evil" not in (attrs.get("style") or "") for _, attrs in found.tags)
    assert found.text == text.translate(PICTURES)


@given(st.text(max_size=60).flatmap(lambda t: st.tuples(st.just(t), spans_in(len(t)))))
def test_whatever_is_marked_the_words_stay_the_same(case: tuple[str, list[Mark]]) -> None:
    text, marks = case
    found = read(marked(text, marks))
    assert found.text == text.translate(PICTURES)
    assert {tag for tag, _ in found.tags} <= {"div", "mark"}


def test_an_excerpt_begins_near_the_first_mark_and_counts_what_it_leaves_out() -> None:
    text = "word " * 1000
    html = marked(text, [Mark(2500, 2504, "here")], limit=400)
    found = read(html)
    assert "characters before" in found.text and "characters more" in found.text
    assert html.count("<mark") == 1 and len(found.text) < 500
    assert [a["title"] for t, a in found.tags if t == "mark"] == ["here"]


def test_an_excerpt_has_few_lines() -> None:
    found = read(marked("text\n" * 50, [Mark(0, 4, "x")], limit=700))
    assert found.text.count("text") == 9 and "[206 characters more]" in found.text


def test_a_document_of_marks_stays_bounded() -> None:
    text = "# " * 5000
    html = marked(text, [Mark(2 * i, 2 * i + 1, "hash") for i in range(5000)], limit=10_000)
    assert html.count("<mark") == 300


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("state", STATES)
def test_hostile_words_of_a_verdict_are_text(text: str, state: str) -> None:
    found = read(chip_row([Chip(text, state, help=text)]))
    ((tag, attrs),) = found.tags
    assert tag == "span" and set(attrs) == {"title", "style"}
    assert attrs["title"] == text.translate(PICTURES)
    assert found.text.endswith(text.translate(PICTURES))


def test_verdicts_come_in_the_order_in_which_they_matter() -> None:
    row = read(chip_row([Chip("a", "passes"), Chip("b", "fails"), Chip("c", "near")])).text
    assert row == "✕ b! c✓ a"
