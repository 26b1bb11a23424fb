"""The written world: same arguments, same bytes; files that readers can open; refusals."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ConfigError
from lab.corpus.world import SOURCES, documents, write_world
from lab.corpus.world.sources import counts

DOCUMENTS = 400


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_rows(path: Path) -> list[dict]:
    if path.suffix == ".parquet":
        rows = pl.read_parquet(path).to_dicts()
        return [{**row, "meta": json.loads(row["meta"])} for row in rows]
    with pa.input_stream(str(path), compression="zstd") as stream:
        return [json.loads(line) for line in stream.read().split(b"\n") if line]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "w"
    write_world(folder, documents=DOCUMENTS, seed=3)
    return folder


def test_same_arguments_give_same_bytes_in_another_process(world, tmp_path):
    code = (
        "from pathlib import Path; from lab.corpus.world import write_world; "
        f"write_world(Path({str(tmp_path / 'again')!r}), documents={DOCUMENTS}, seed=3)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert fingerprint(tmp_path / "again") == fingerprint(world)


def test_another_seed_gives_another_world(world, tmp_path):
    write_world(tmp_path / "other", documents=DOCUMENTS, seed=4)
    one, two = fingerprint(world), fingerprint(tmp_path / "other")
    same = {name for name in one if one[name] == two[name]}
    assert not [name for name in same if name.startswith(("sources/", "benchmarks/"))]


def test_files_hold_what_the_stream_yields(world):
    for path in (world / "sources").iterdir():
        source = path.name.split(".")[0]
        rows = read_rows(path)
        assert rows == list(documents(source, len(rows), 3))
        assert len(rows) == counts(DOCUMENTS)[source]


def test_both_readers_have_work(world):
    assert {path.suffix for path in (world / "sources").iterdir()} == {".zst", ".parquet"}


def test_sources_are_described(world):
    described = yaml.safe_load((world / "sources.yaml").read_text())
    assert list(described) == list(SOURCES)
    assert {about["kind"] for about in described.values()} == {
        "organic", "code", "rewrite", "synthetic",
    }  # fmt: skip
    assert all(about.keys() == {"kind", "licence", "provenance", "description"}
               for about in described.values())  # fmt: skip


def test_ids_are_unique_and_texts_are_not_empty(world):
    rows = [row for path in (world / "sources").iterdir() for row in read_rows(path)]
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["text"].strip() for row in rows)


def test_summary_counts_what_was_written(tmp_path):
    summary = write_world(tmp_path / "w", documents=DOCUMENTS)
    for source, count in summary.documents.items():
        rows = list(documents(source, count))
        assert summary.text_bytes[source] == sum(len(row["text"].encode()) for row in rows)
    for name, count in summary.truth.items():
        assert pl.read_parquet(tmp_path / "w" / "truth" / f"{name}.parquet").height == count


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(list(SOURCES)), st.integers(1, 60), st.integers(0, 5))
def test_a_longer_stream_begins_with_the_shorter(source, count, seed):
    longer = itertools.islice(documents(source, 10**9, seed), count)
    assert list(longer) == list(documents(source, count, seed))


def test_refuses_a_folder_that_holds_something(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        write_world(tmp_path, documents=10)
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_refuses_no_documents(tmp_path):
    with pytest.raises(ConfigError, match="needs documents"):
        write_world(tmp_path / "w", documents=0)


def test_unknown_source_names_the_nearest():
    with pytest.raises(ConfigError) as caught:
        documents("textbook", 1)
    assert "textbooks" in str(caught.value.next_step)


def test_nothing_is_left_beside_the_world(world):
    assert [path.name for path in world.parent.iterdir()] == [world.name]
