"""Memory does not depend on the size of a line or a file: peaks of processes that add both."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

GROWTH = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    from lab.core.workspace import create
    from lab.corpus import documents
    from lab.corpus.sources import add_source

    documents.PART_DOCUMENTS = 1000
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    ws = create(Path(sys.argv[1]))
    add_source(ws, "small", [sys.argv[2]])
    before = peak()
    summary = add_source(ws, "big", [sys.argv[3]])
    print(summary.documents, list(summary.by_reason.items()), peak() - before, sep="\\t")
""")


def growth(small: Path, big: Path) -> tuple[int, str, float]:
    """(documents, bad rows) of `big`, and the MB by which it raised the peak of `small`."""
    command = [sys.executable, "-c", GROWTH, str(big.parent / "w"), str(small), str(big)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    documents, bad, megabytes = done.stdout.strip().split("\t")
    return int(documents), bad, float(megabytes)


def texts(count: int) -> Iterator[str]:
    """Texts of 1 kB that do not compress well."""
    rng = np.random.default_rng(0)
    return (rng.bytes(500).hex() for _ in range(count))


def write_jsonl(path: Path, count: int) -> Path:
    with pa.CompressedOutputStream(str(path), "zstd") as sink:
        for text in texts(count):
            sink.write(json.dumps({"text": text}).encode() + b"\n")
    return path


def write_parquet(path: Path, count: int) -> Path:
    pq.write_table(pa.table({"text": list(texts(count))}), path, row_group_size=count)
    return path


@pytest.mark.parametrize(
    ("write", "suffix"), [(write_jsonl, "jsonl.zst"), (write_parquet, "parquet")]
)
def test_thirteen_times_the_documents_take_no_more_memory(
    tmp_path: Path, write, suffix: str
) -> None:
    small = write(tmp_path / f"small.{suffix}", 3_000)
    big = write(tmp_path / f"big.{suffix}", 40_000)
    documents, _, megabytes = growth(small, big)
    assert documents == 40_000
    assert megabytes < 20  # the file holds 40 MB of text, in one row group where there are any


def test_a_line_of_200_mb_costs_no_more_than_the_limit_on_lines(tmp_path: Path) -> None:
    row = b'{"text": "a row of ordinary length"}\n'
    (tmp_path / "small.jsonl").write_bytes(row)
    with pa.CompressedOutputStream(str(tmp_path / "big.jsonl.zst"), "zstd") as sink:
        sink.write(row + b'{"text": "')
        for _ in range(200):
            sink.write(b"a" * 1_000_000)
        sink.write(b'"}\n' + row)
    documents, bad, megabytes = growth(tmp_path / "small.jsonl", tmp_path / "big.jsonl.zst")
    assert (documents, bad) == (2, "[('line is too long', 1)]")
    assert megabytes < 100  # the limit is 64 MB; the line and its copies would take 600
