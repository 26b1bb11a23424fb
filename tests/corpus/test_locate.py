"""What a person typed leads to the right files, in a fixed order, or to an error that helps."""

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from lab.core.errors import ConfigError, DataError
from lab.corpus.readers.locate import LocalFile, locate
from lab.corpus.readers.rows import NOT_A_FILE, OUTSIDE

ROW = b'{"text": "a"}\n'


def write(path: Path, content: bytes = ROW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(*paths: Path | str) -> list[str]:
    return [file.name for file in locate([str(path) for path in paths]).files]


def forms(path: Path) -> list[tuple[str, str]]:
    return [(f.form, f.compression) for f in locate([str(path)]).files]


def test_a_folder_of_data_files_is_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/1.jsonl", "a.jsonl.gz", "c.csv"):
        write(tmp_path / name, gzip.compress(ROW, mtime=0) if name.endswith("gz") else ROW[1:])
    write(tmp_path / "README.md")
    write(tmp_path / ".hidden/x.jsonl")
    assert names(tmp_path) == ["a.jsonl.gz", "b/1.jsonl", "b/2.jsonl", "c.csv"]


def test_globs_take_files_at_any_depth(tmp_path: Path) -> None:
    for name in ("x/1.jsonl", "x/y/2.jsonl", "x/y/z.txt"):
        write(tmp_path / name)
    assert names(tmp_path / "x/**/*.jsonl") == ["1.jsonl", "y/2.jsonl"]
    assert names(tmp_path / "*/*.jsonl") == ["x/1.jsonl"]


def test_a_name_with_glob_characters_is_itself_first(tmp_path: Path) -> None:
    write(tmp_path / "x[1].jsonl")
    write(tmp_path / "x1.jsonl")
    assert names(tmp_path / "x[1].jsonl") == ["x[1].jsonl"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl")
    assert names(path, tmp_path, tmp_path / "*.jsonl") == ["x.jsonl"]


def test_a_folder_that_mixes_data_and_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv")
    write(tmp_path / "notes.md")
    with pytest.raises(ConfigError, match="mixes 1 data files with 1 text files"):
        names(tmp_path)


def test_a_folder_of_texts_leaves_hidden_files_out(tmp_path: Path) -> None:
    for name in ("a.md", "src/b.py", ".git/config", "src/.cache/c.py", ".env"):
        write(tmp_path / name)
    assert names(tmp_path) == ["a.md", "src/b.py"]


def test_links_that_leave_a_folder_are_set_aside_and_inner_ones_read_once(tmp_path: Path) -> None:
    write(tmp_path / "secret.txt")
    folder = tmp_path / "folder"
    inner = write(folder / "inner/a.txt")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "out").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder)
    (folder / "again.txt").symlink_to(inner)
    os.mkfifo(folder / "pipe")
    found = locate([str(folder)])
    assert [file.name for file in found.files] == ["inner/a.txt"]
    assert sorted((name, bad.reason) for name, bad in found.skipped) == [
        ("out", OUTSIDE),
        ("out.txt", OUTSIDE),
        ("pipe", NOT_A_FILE),
    ]


def test_globs_do_not_follow_links_out_of_their_folder_either(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt")
    write(tmp_path / "folder/a.txt")
    (tmp_path / "folder/b.txt").symlink_to(secret)
    found = locate([str(tmp_path / "folder/*.txt")])
    assert [file.name for file in found.files] == ["a.txt"]
    assert [(name, bad.reason) for name, bad in found.skipped] == [("b.txt", OUTSIDE)]


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    first, second = write(tmp_path / "2025/x.jsonl"), write(tmp_path / "2026/x.jsonl")
    assert names(first, second) == ["2025/x.jsonl", "2026/x.jsonl"]
    write(tmp_path / "2026/deep/y.jsonl")
    assert names(first, second.parent) == ["2025/x.jsonl", "2026/deep/y.jsonl", "2026/x.jsonl"]


def test_a_file_that_is_named_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(write(tmp_path / "blobs/1234"))
    assert forms(tmp_path / "link.jsonl") == [("jsonl", "")]


@pytest.mark.parametrize("number", [b"\x50", b"\x5f"])
def test_a_skippable_frame_is_the_start_of_zstd(tmp_path: Path, number: bytes) -> None:
    path = write(tmp_path / "x.jsonl.zst", number + b"\x2a\x4d\x18" + bytes(4))
    assert forms(path) == [("jsonl", "zstd")]


@pytest.mark.parametrize(
    ("name", "content", "held"),
    [
        ("x.jsonl", gzip.compress(ROW, mtime=0), "the content is gzip"),
        ("x.jsonl.gz", ROW, "the content is something else"),
        ("x.jsonl.zst", gzip.compress(ROW, mtime=0), "the content is gzip"),
        ("x.parquet", ROW, "the content is something else"),
        ("x.csv", b"PAR1....", "the content is parquet"),
        ("x.csv", b'{"text": "a"}\n', "the content is jsonl"),
        ("x.json", b'\n [{"text": "a"}]', "one JSON array"),
        ("x.jsonl", b"PK\x03\x04", "the content is zip"),
        ("x.parquet.gz", gzip.compress(b"PAR1", mtime=0), "the content is gzip"),
    ],
)
def test_a_mistaken_extension_is_a_clear_error(
    tmp_path: Path, name: str, content: bytes, held: str
) -> None:
    with pytest.raises(ConfigError, match=held) as caught:
        names(write(tmp_path / name, content))
    assert name in caught.value.where


@pytest.mark.parametrize("typed", ["webb.jsonl", "data/webb", "*.tsv", ""])
def test_a_path_that_leads_nowhere_names_what_is_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    write(tmp_path / "web.jsonl")
    write(tmp_path / "data/web")
    monkeypatch.chdir(tmp_path)
    if not typed:
        with pytest.raises(ConfigError, match="No path"):
            locate([])
        return
    with pytest.raises(ConfigError) as caught:
        names(typed)
    assert "web" in caught.value.next_step or "check it" in caught.value.next_step


def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = write(tmp_path / "x.jsonl")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be opened"):
        names(path)


def test_the_form_of_parquet_needs_no_name_beside_its_extension(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a"]}).write_parquet(tmp_path / "x.parquet")
    (file,) = locate([str(tmp_path / "x.parquet")]).files
    assert isinstance(file, LocalFile)
    assert file.form == "parquet"
