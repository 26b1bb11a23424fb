import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.core.errors import ConfigError, DataError, LabError
from lab.core.files import (
    clear_halves,
    confined,
    digest,
    disk_error,
    new_folder,
    read_json,
    read_yaml,
    write_bytes,
    write_json,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(plain.filter(lambda v: "Infinity" not in json.dumps(v)))
def test_json_round_trip(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "v.json"
    write_json(path, value)
    assert read_json(path) == value


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_digest_ignores_key_order_and_sees_values(value: dict[str, int]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))
    key = next(iter(value))
    assert digest(value) != digest(value | {key: value[key] + 1})


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"new": float("nan")})
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said_with_place_space_and_next_step(tmp_path: Path) -> None:
    with pytest.raises(OSError) as full, Path("/dev/full").open("wb", buffering=0) as handle:
        handle.write(b"x")
    assert full.value.errno == errno.ENOSPC
    error = disk_error(full.value, tmp_path / "x")
    assert "No space left" in str(error)
    assert "GB free" in str(error)
    assert str(tmp_path / "x") in str(error)
    assert "nothing that was finished is lost" in str(error)


def test_an_unwritable_place_is_a_lab_error(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("not a folder")
    with pytest.raises(LabError, match="Writing failed"):
        write_bytes(target / "below", b"x")
    with pytest.raises(LabError, match="Writing failed"), new_folder(target / "below"):
        pass
    refused = disk_error(OSError(errno.EROFS, "Read-only file system"), target)
    assert "make the folder writable" in str(refused)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with pytest.raises(RuntimeError), new_folder(final) as temp:
        (temp / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_folder(final) as temp:
        (temp / "whole").write_text("x")
        assert not final.exists()
    assert [p.name for p in final.iterdir()] == ["whole"]


def test_what_is_in_a_folder_is_on_the_disk_before_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = tmp_path / "final"
    synced: dict[int, bool] = {}  # inode -> whether the folder had its name by then

    def sync(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        real(descriptor)
        synced.setdefault(os.fstat(descriptor).st_ino, final.exists())

    monkeypatch.setattr(os, "fsync", sync)
    with new_folder(final) as temp:
        (temp / "inner").mkdir()
        (temp / "inner" / "plain").write_text("written by a library that does not sync")
    inside = [final, final / "inner", final / "inner" / "plain"]
    assert [synced[path.stat().st_ino] for path in inside] == [False] * 3
    assert synced[tmp_path.stat().st_ino]


def test_what_a_killed_process_left_can_be_cleared(tmp_path: Path) -> None:
    (tmp_path / ".run.0123abcd.tmp" / "data").mkdir(parents=True)
    (tmp_path / ".status.json.0123abcd.tmp").write_text("somebody writes this now")
    (tmp_path / "run").mkdir()
    clear_halves(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"run", ".status.json.0123abcd.tmp"}
    clear_halves(tmp_path / "nowhere")


def test_broken_json_and_yaml_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    (tmp_path / "x.yaml").write_text("a: [")
    with pytest.raises(DataError, match=r"x\.json"):
        read_json(tmp_path / "x.json")
    with pytest.raises(ConfigError, match="column"):
        read_yaml(tmp_path / "x.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.yaml"):
        read_yaml(tmp_path / "folder.yaml")
    for content in (b"date: 2026-13-45", b"name: \xff"):
        (tmp_path / "x.yaml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"x\.yaml"):
            read_yaml(tmp_path / "x.yaml")


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", ".", "", "a/../../b"])
def test_names_cannot_leave_their_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        confined(tmp_path, name)


def test_links_cannot_leave_their_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link").symlink_to("/etc")
    with pytest.raises(ConfigError):
        confined(tmp_path / "inside", "link/passwd")


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("a:\n  - {web: 0.5, forum: 0.2}\n  - {web: 0.5, web: 0.3}\n")
    with pytest.raises(ConfigError, match="'web' is written twice") as error:
        read_yaml(tmp_path / "r.yaml")
    assert "line 3" in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 12)),
        "a: &a [*a]",
        "? [a]\n: 1",
    ],
)
def test_yaml_that_grows_without_end_or_has_lists_as_keys_is_refused(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        read_yaml(tmp_path / "r.yaml")
    assert error.value.next_step


@pytest.mark.parametrize("key", ["no", "Yes", "on", "true"])
def test_a_key_that_yaml_takes_for_a_truth_value_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"- {{signal: x, {key}: true}}\n")
    with pytest.raises(ConfigError, match=f"the key '{key}' as true or false"):
        read_yaml(path)
    path.write_text("- {signal: x, off: true, 'no': 1}\n")
    assert read_yaml(path) == [{"signal": "x", False: True, "no": 1}]
