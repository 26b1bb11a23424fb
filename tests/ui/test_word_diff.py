from hypothesis import given
from hypothesis import strategies as st

from lab.ui.word_diff import CONTEXT, LIMIT, diff_lines

texts = st.text(alphabet="ab c\n\t!é", max_size=200)


def side(lines: str, mark: str) -> list[str]:
    """The words of one text, as the difference shows them."""
    kept = [line[2:] for line in lines.split("\n") if line[:2] in ("  ", mark)]
    return " ".join(kept).split()


@given(texts, texts)
def test_both_texts_can_be_read_back(first: str, second: str) -> None:
    """Short texts are not folded, so nothing is hidden and nothing invented."""
    if max(len(first.split()), len(second.split())) > 2 * CONTEXT:
        return
    lines = diff_lines(first, second)
    assert side(lines, "- ") == first.split()
    assert side(lines, "+ ") == second.split()


@given(texts)
def test_equal_texts_have_no_difference(text: str) -> None:
    assert all(line.startswith("  ") for line in diff_lines(text, text).split("\n") if line)


def test_one_changed_word_in_a_long_text_is_found_and_the_rest_folded() -> None:
    words = [f"w{k}" for k in range(400)]
    changed = [*words[:200], "other", *words[201:]]
    lines = diff_lines(" ".join(words), " ".join(changed)).split("\n")
    assert "- w200" in lines and "+ other" in lines
    assert sum("equal words" in line for line in lines) == 2
    assert f"[... {200 - CONTEXT} equal words ...]" in lines[0]


def test_very_long_texts_are_compared_in_part_and_it_says_so() -> None:
    text = "word " * (LIMIT + 1)
    assert diff_lines(text, text).endswith(f"compared up to word {LIMIT:,} ...]")


def test_a_line_of_a_document_cannot_pose_as_a_mark() -> None:
    """Words keep their place behind the mark, whatever they begin with."""
    lines = diff_lines("+ + - -", "+ + x")
    assert all(line[:2] in ("  ", "- ", "+ ") for line in lines.split("\n"))
    assert "  + +" in lines
