"""The small parts: one form of text, bounded JSON for other columns, unique ids."""

import json
import math
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.corpus.ids import LONGEST, document_id, rename_repeats
from lab.corpus.meta import LEFT_OUT, meta_json
from lab.corpus.normalise import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("nul\0inside", "nulinside"),
        ("e\u0301", "é"),
        ("e\0\u0301", "é"),
        ("ﬁ Ⅳ ｆｕｌｌ  space ", "ﬁ Ⅳ ｆｕｌｌ  space "),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalise(text) == expected


@settings(deadline=None)
@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not {"\0", "\r"} & set(once)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=120), values, max_size=8), st.integers(200, 600))
def test_meta_is_always_a_json_object_within_the_limit(columns: dict[str, Any], limit: int) -> None:
    text = meta_json(columns, limit)
    assert len(text.encode("utf-8")) <= limit
    found = json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} is not JSON"))
    if LEFT_OUT not in found:
        assert len(found) == len(columns)


def test_meta_of_values_that_json_does_not_have() -> None:
    columns = {
        "nan": math.nan,
        "bytes": b"12345",
        "day": date(2026, 1, 2),
        "time": datetime(2026, 1, 2, 3, 4),
        "decimal": Decimal("1.50"),
        "nested": [{"inf": math.inf}],
        "surrogate": "a\ud800b",
        "umlaut": "ü",
    }
    assert json.loads(meta_json(columns, 1000)) == {
        "nan": None,
        "bytes": "<5 bytes>",
        "day": "2026-01-02",
        "time": "2026-01-02T03:04:00",
        "decimal": "1.50",
        "nested": [{"inf": None}],
        "surrogate": "a?b",
        "umlaut": "ü",
    }


def test_meta_names_the_columns_that_do_not_fit() -> None:
    found = json.loads(meta_json({"a": 1, "long": "x" * 500, "b": 2}, 200))
    assert found == {"a": 1, "b": 2, LEFT_OUT: ["long"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "s/x"),
        (17, "s/17"),
        (None, "s/5"),
        ("", "s/5"),
        ({"a": 1}, "s/5"),
        ("ü\ud800", "s/ü?"),
    ],
)
def test_ids_come_from_the_column_or_are_numbers(value: object, expected: str) -> None:
    assert document_id("s", value, 5) == expected


def test_long_ids_are_shortened_without_meeting() -> None:
    first, second = (document_id("s", "x" * 500 + end, 0) for end in "ab")
    assert first != second
    assert len(first) == LONGEST + len("s/")


ids = st.lists(st.sampled_from(["a", "b", "a~2", "b~2", "a~2~2", "a~3", "c"]), max_size=30)


@settings(max_examples=30, deadline=None)
@given(ids, st.integers(4, 12), st.integers(5, 40))
def test_repeated_ids_become_unique_and_first_ones_stay(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], height: int, bucket: int
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    frame = pl.DataFrame(
        {"id": names, "row": range(len(names))}, schema={"id": pl.String, "row": pl.Int64}
    )
    parts = []
    for number, part in enumerate(frame.iter_slices(height)):
        parts.append(folder / f"part-{number:05d}.parquet")
        part.write_parquet(parts[-1])
    if not parts:
        return
    renamed = rename_repeats(parts, bucket)
    after = pl.read_parquet(parts)
    assert after["row"].to_list() == list(range(len(names)))
    found = after["id"].to_list()
    assert len(set(found)) == len(found)
    assert renamed >= sum(old != new for old, new in zip(names, found, strict=True))
    assert (renamed == 0) == (len(set(names)) == len(names))
    for old, new in zip(names, found, strict=True):
        assert new == old or new.startswith(f"{old}~")
    for name in set(names):
        assert found[names.index(name)] == name or "~" in name


def test_the_suffix_counts_the_documents_of_an_id(tmp_path: Path) -> None:
    parts = [tmp_path / "part-00000.parquet", tmp_path / "part-00001.parquet"]
    pl.DataFrame({"id": ["x", "y", "x"]}).write_parquet(parts[0])
    pl.DataFrame({"id": ["x", "z"]}).write_parquet(parts[1])
    assert rename_repeats(parts) == 2
    assert pl.read_parquet(parts)["id"].to_list() == ["x", "y", "x~2", "x~3", "z"]
