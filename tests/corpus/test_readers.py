"""Each format gives back the rows that were written to it, and sets aside what it cannot read."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError
from lab.corpus.readers.delimited import read_delimited
from lab.corpus.readers.dispatch import read_rows
from lab.corpus.readers.locate import locate
from lab.corpus.readers.rows import (
    BAD_VALUE,
    BINARY,
    NOT_CSV,
    NOT_JSON,
    NOT_OBJECT,
    NOT_UTF8,
    TEXT_TOO_LONG,
    TOO_LONG,
    UNREADABLE,
    WRONG_FIELDS,
    BadRow,
    ReadSettings,
    Row,
)

ROWS = [
    {"text": "plain", "n": "1"},
    {"text": 'quotes "and" commas, too', "n": "2"},
    {"text": "two\nlines\r\nthree", "n": "3"},
    {"text": "größer 日本 😀 \u2028 \x0c", "n": "4"},
]


def rows_in(path: Path | str, settings: ReadSettings | None = None) -> list[Row | BadRow]:
    return [row for file in locate([str(path)]).files for row in read_rows(file, settings)]


def values_in(path: Path | str) -> list[dict[str, Any]]:
    rows = rows_in(path)
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.values for row in rows if isinstance(row, Row)]


def bad_in(path: Path, settings: ReadSettings | None = None) -> list[tuple[int, str]]:
    return [(r.line, r.reason) for r in rows_in(path, settings) if isinstance(r, BadRow)]


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in rows)


def table(delimiter: str) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, ["text", "n"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return sink.getvalue().encode()


FILES = {
    "x.jsonl": jsonl(ROWS),
    "x.json": jsonl(ROWS),
    "no-final-newline.ndjson": jsonl(ROWS)[:-1],
    "bom.jsonl": b"\xef\xbb\xbf" + jsonl(ROWS),
    "x.jsonl.gz": gzip.compress(jsonl(ROWS)),
    "x.jsonl.zst": pa.compress(jsonl(ROWS), "zstd", asbytes=True),
    "x.csv": table(","),
    "semicolons.csv": table(";"),
    "bom.csv": b"\xef\xbb\xbf" + table(","),
    "x.tsv": table("\t"),
    "x.csv.gz": gzip.compress(table(",")),
}


@pytest.mark.parametrize("name", FILES)
def test_text_formats_give_back_their_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    assert values_in(tmp_path / name) == ROWS


def test_parquet_gives_back_its_rows_across_row_groups(tmp_path: Path) -> None:
    frame = pl.DataFrame(ROWS * 300)
    frame.write_parquet(tmp_path / "x.parquet", row_group_size=70)
    rows = rows_in(tmp_path / "x.parquet")
    assert [row.line for row in rows] == list(range(1, 1201))
    assert values_in(tmp_path / "x.parquet") == ROWS * 300


def test_a_saved_dataset_gives_back_its_rows(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "one")
    assert values_in(tmp_path / "one") == ROWS


def test_a_saved_dictionary_is_read_split_by_split_and_names_them(tmp_path: Path) -> None:
    parts = {
        "train": datasets.Dataset.from_list(ROWS),
        "test": datasets.Dataset.from_list(ROWS[:1]),
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "two", num_proc=None)
    found = values_in(tmp_path / "two")
    assert [row.pop("split") for row in found] == ["train"] * 4 + ["test"]
    assert found == [*ROWS, ROWS[0]]


def test_a_saved_dataset_with_a_foreign_file_name_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "one")
    state = json.loads((tmp_path / "one/state.json").read_text())
    state["_data_files"] = [{"filename": "../../secret.arrow"}]
    (tmp_path / "one/state.json").write_text(json.dumps(state))
    with pytest.raises(ConfigError, match="outside"):
        rows_in(tmp_path / "one")


def test_bad_lines_of_json_are_set_aside_with_line_and_reason(tmp_path: Path) -> None:
    lines = [
        b'{"text": "good"}',
        b'{"text": "caf\xe9"}',
        b"{broken",
        b"",
        b"[1, 2]",
        b"   \t",
        b'"text"',
        b"[" * 100_000,
        b'{"text": "' + b"long" * 300 + b'"}',
        b'{"text": "also good"}\r',
    ]
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    assert bad_in(tmp_path / "x.jsonl", ReadSettings(max_line_bytes=1000)) == [
        (2, NOT_UTF8),
        (3, NOT_JSON),
        (5, NOT_OBJECT),
        (7, NOT_OBJECT),
        (8, TOO_LONG),
        (9, TOO_LONG),
    ]
    assert (8, NOT_JSON) in bad_in(tmp_path / "x.jsonl")  # nested too deeply to be parsed


def test_numbers_that_json_does_not_have_become_null(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"text": NaN, "a": [Infinity, -Infinity, 1]}\n')
    assert values_in(tmp_path / "x.jsonl") == [{"text": None, "a": [None, None, 1]}]


def test_bad_records_of_csv_are_set_aside_and_reading_goes_on(tmp_path: Path) -> None:
    lines = [
        b"text,n",
        b"good,1",
        b"short",
        b"one,two,three",
        b'"a quoted',
        b'record",2',
        b"caf\xe9,3",
        b'"broken" quote,4',
        b"x" * 2000 + b",5",
        b"",
        b'"holds a line too long',
        b"y" * 2000,
        b'",6',
        b"good again,7",
    ]
    (tmp_path / "x.csv").write_bytes(b"\n".join(lines))
    settings = ReadSettings(max_line_bytes=1000)
    assert bad_in(tmp_path / "x.csv", settings) == [
        (3, WRONG_FIELDS),
        (4, WRONG_FIELDS),
        (7, NOT_UTF8),
        (8, NOT_CSV),
        (9, TOO_LONG),
        (12, TOO_LONG),
    ]
    good = [row for row in rows_in(tmp_path / "x.csv", settings) if isinstance(row, Row)]
    assert [(row.line, row.values["n"]) for row in good] == [(2, "1"), (5, "2"), (14, "7")]


def test_a_quote_never_closed_costs_one_row_of_bounded_size(tmp_path: Path) -> None:
    lines = [b"text,n", b'"opened,1', *[b"a line of thirty characters...,2"] * 50]
    (tmp_path / "x.csv").write_bytes(b"\n".join(lines))
    rows = rows_in(tmp_path / "x.csv", ReadSettings(max_line_bytes=1000))
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].reason) == (2, TOO_LONG)
    assert len([row for row in rows if isinstance(row, Row)]) > 40


def test_a_field_of_megabytes_is_read(tmp_path: Path) -> None:
    text = "long text\n" * 300_000
    (tmp_path / "x.csv").write_text(f'text,n\n"{text}",1\n')
    assert values_in(tmp_path / "x.csv") == [{"text": text, "n": "1"}]


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"text,text\na,b\n")
    with pytest.raises(ConfigError, match="same name"):
        rows_in(tmp_path / "x.csv")


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=8), st.sampled_from(",;\t"))
def test_csv_reads_what_the_standard_library_writes(rows: list[tuple[str, str]], mark: str) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=mark).writerows([("a", "b"), *rows])
    source = io.BytesIO(sink.getvalue().encode())
    found = list(read_delimited(lambda: source.read(7), "csv", "x", ReadSettings()))
    assert [(r.values["a"], r.values["b"]) for r in found if isinstance(r, Row)] == rows
    assert len(found) == len(rows)


def test_parquet_strings_that_are_not_utf8_cost_only_their_row(tmp_path: Path) -> None:
    values = [b"good", b"caf\xe9", b"also good"]
    raw = pa.Array.from_buffers(pa.string(), 3, pa.array(values, pa.binary()).buffers())
    pq.write_table(pa.table({"text": raw}), tmp_path / "x.parquet")
    assert [
        r.values if isinstance(r, Row) else r.reason for r in rows_in(tmp_path / "x.parquet")
    ] == [
        {"text": "good"},
        NOT_UTF8,
        {"text": "also good"},
    ]


def test_a_date_that_python_cannot_hold_costs_only_its_row(tmp_path: Path) -> None:
    days = pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"text": ["a", "b"], "day": days}), tmp_path / "x.parquet")
    assert bad_in(tmp_path / "x.parquet") == [(2, BAD_VALUE)]


def test_a_parquet_file_cut_short_is_one_bad_row(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "x.parquet")
    content = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(content[: len(content) // 2])
    assert bad_in(tmp_path / "x.parquet") == [(1, UNREADABLE)]


def test_a_damaged_page_of_parquet_ends_the_file_there(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": [f"row {n} {n * 7919 % 10007}" for n in range(2000)]})
    frame.write_parquet(tmp_path / "x.parquet", row_group_size=1000)
    second = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(1).column(0)
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    begin = second.dictionary_page_offset or second.data_page_offset
    content[begin + 20 : begin + 400] = b"\xff" * 380
    (tmp_path / "x.parquet").write_bytes(bytes(content))
    *kept, last = rows_in(tmp_path / "x.parquet")
    assert isinstance(last, BadRow)
    assert last.reason == UNREADABLE
    assert last.line == len(kept) + 1 <= 1001


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x7fELF\0\0\0", BINARY),
        ("utf-16".encode("utf-16"), BINARY),
        (b"caf\xe9", NOT_UTF8),
        (b"x" * 2000, TEXT_TOO_LONG),
    ],
)
def test_files_that_are_no_text_are_set_aside(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    assert bad_in(tmp_path, ReadSettings(max_line_bytes=1000)) == [(1, reason)]


def test_a_text_file_is_one_row_with_path_and_extension(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/main.py").write_text("print(1)\n")
    expected = {"text": "print(1)\n", "path": "a/b/main.py", "extension": ".py"}
    assert values_in(tmp_path) == [expected]


def test_a_missing_file_is_no_silent_nothing(tmp_path: Path) -> None:
    file = locate([str(write(tmp_path / "x.jsonl", b"{}\n"))]).files[0]
    (tmp_path / "x.jsonl").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(file))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_an_index_that_reorders_rows_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "one")
    state = json.loads((tmp_path / "one/state.json").read_text())
    state["_indices_data_files"] = [{"filename": "indices.arrow"}]
    (tmp_path / "one/state.json").write_text(json.dumps(state))
    with pytest.raises(DataError, match="reorders"):
        rows_in(tmp_path / "one")
