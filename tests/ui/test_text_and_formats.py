import math
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ui import formats
from lab.ui.text import MARKUP, figure_text, label, snippet

HOSTILE = "![x](https://evil.example/a.png) [a](javascript:b) <b> **c** `d` :red[e] $f$ ~g~ |"


def test_a_label_keeps_no_markup() -> None:
    escaped = label(HOSTILE)
    for position, character in enumerate(escaped):
        if MARKUP.match(character) and character != "\\":
            assert escaped[position - 1] == "\\", (position, escaped)
    assert escaped.replace("\\", "") == HOSTILE


@given(st.text())
def test_a_label_is_one_line_and_reversible(text: str) -> None:
    escaped = label(text)
    assert "\n" not in escaped
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())


def test_figure_text_has_no_tags() -> None:
    assert "<" not in figure_text("<a href='x'>y</a>")


@given(st.text(), st.integers(1, 50))
def test_a_snippet_is_short_and_flat(text: str, limit: int) -> None:
    short = snippet(text, limit)
    assert len(short) <= limit + 3
    assert "\n" not in short


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1k"),
        (1_234_567, "1.23M"),
        (999_999, "1M"),
        (100_000_000_000, "100B"),
        (float("inf"), "unbounded"),
        (float("nan"), "-"),
        (None, "-"),
    ],
)
def test_compact(value: float | None, words: str) -> None:
    assert formats.compact(value) == words


@given(st.floats(1, 1e14))
def test_compact_is_within_half_a_percent(value: float) -> None:
    words = formats.compact(value)
    factor = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(words[-1], 1.0)
    shown = float(words.rstrip("kMBT")) * factor
    assert math.isclose(shown, value, rel_tol=0.0051)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.4, "under 1 s"), (59.4, "59 s"), (95, "1 min 35 s"), (3720, "1 h 2 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert formats.duration(seconds) == words


def test_epochs_in_words() -> None:
    words = [formats.epochs_words(e, cap=8) for e in (0, 0.5, 1, 3, 6, 8, 8.1, math.inf)]
    assert words == [
        "unused", "fresh", "fresh", "as good as fresh", "decaying", "decaying",
        "over the cap", "no text left",
    ]  # fmt: skip


def test_plural_and_percent() -> None:
    assert formats.plural(1, "copy", "copies") == "1 copy"
    assert formats.plural(2000, "copy", "copies") == "2,000 copies"
    assert formats.percent(0.1234) == "12.3 %"


def test_no_module_of_the_room_hides_another() -> None:
    """The main script's folder is first on `sys.path`: a module named like one of Python's wins."""
    from importlib.metadata import packages_distributions
    from pathlib import Path

    own = {path.stem for path in Path(formats.__file__).parent.glob("*.py")} - {"__init__"}
    assert not own & set(sys.stdlib_module_names)
    assert not own & set(packages_distributions())
