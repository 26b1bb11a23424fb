"""Lines: split on LF only, whatever the buffers; limits and breaks are told, not fatal."""

import gzip
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.corpus.readers.lines import Line, decompressed, split_lines
from lab.corpus.readers.rows import TOO_LONG, UNREADABLE, BadRow


def reader(chunks: list[bytes]):
    stream = iter(chunks)
    return lambda: next(stream, b"")


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=9), max_size=20), st.integers(1, 12))
def test_any_buffering_gives_the_lines_of_the_whole(chunks: list[bytes], limit: int) -> None:
    expected = b"".join(chunks).split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(split_lines(reader(chunks), limit))
    assert len(found) == len(expected)
    for number, (line, content) in enumerate(zip(found, expected, strict=True), start=1):
        if len(content) <= limit:
            assert line == Line(number, content)
        else:
            assert isinstance(line, BadRow)
            assert (line.line, line.reason) == (number, TOO_LONG)
            assert content.decode("utf-8", "replace").startswith(line.excerpt.rstrip("�"))


def test_only_lf_ends_a_line() -> None:
    line = "a\u2028b\x85c\x0cd\x1ce\rf".encode()
    assert list(split_lines(reader([line + b"\n"]), 99)) == [Line(1, line)]


def compressed(content: bytes, kind: str) -> bytes:
    return gzip.compress(content) if kind == "gzip" else pa.compress(content, kind, asbytes=True)


def read_all(content: bytes, kind: str) -> list[Line | BadRow]:
    return list(split_lines(decompressed(io.BytesIO(content), kind), 1000))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_members_written_one_after_another_are_one_stream(kind: str) -> None:
    content = compressed(b"one\ntwo\n", kind) + compressed(b"three\n", kind)
    assert [line.content for line in read_all(content, kind)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize(("kind", "lost"), [("gzip", 0), ("zstd", (1 << 17) + (1 << 14))])
def test_a_truncated_stream_keeps_what_came_before_the_break(kind: str, lost: int) -> None:
    lines = [f"{n} {n * 7919 % 104729} {n * 15485863 % 32452843}".encode() for n in range(50_000)]
    content = compressed(b"\n".join(lines), kind)
    *kept, last = read_all(content[:-1], kind)
    assert isinstance(last, BadRow)
    assert (last.line, last.reason) == (len(kept) + 1, UNREADABLE)
    assert [line.content for line in kept] == lines[: len(kept)]
    assert sum(map(len, lines[len(kept) :])) + 50_000 - len(kept) <= lost + 40


def test_bytes_after_the_end_are_reported_and_nothing_before_them_is_lost() -> None:
    *kept, last = read_all(gzip.compress(b"one\ntwo\n") + b"garbage", "gzip")
    assert [line.content for line in kept] == [b"one", b"two"]
    assert last.reason == UNREADABLE
