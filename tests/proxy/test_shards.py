"""Packed rows against a plain reading of the definition, through caches that others use too."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.proxy import reading
from lab.proxy.packing import Cache, PhasePlan, pack
from lab.proxy.reading import Parts
from lab.proxy.schedule import draw_schedule, split_phases
from lab.proxy.shards import Batch, batches, link, next_shard, open_rows

EOT, WIDTH, MASK = 0, 8, (1 << 64) - 1
IDS = {"a": "artifact-a", "b": "artifact-b"}


def corpus(lengths: list[int], first: int = 1) -> Parts:
    """Two parts of documents of these lengths; token values count up from `first`."""
    out = []
    for group in np.array_split(np.array(lengths), 2):
        offsets = np.concatenate([[0], np.cumsum(group)]).astype(np.int64)
        out.append((np.arange(first, first + offsets[-1]).astype(np.uint16), offsets))
        first += int(offsets[-1])
    return out


def sort_key(seed: int, source: str, nth: int, row: int) -> int:
    """SplitMix64 in plain integers."""
    start = hashlib.sha256(f"{seed}/{source}/{nth}".encode()).digest()[:8]
    z = (int.from_bytes(start, "little") + row * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def plain_rows(phases: list[PhasePlan], tokens: dict[str, Parts], sequences: int, seed: int):
    """The definition without a thought of speed: one document, one row after another."""
    names = sorted({n for phase in phases for n, w in phase.weights.items() if w > 0})
    texts = {
        n: [flat[a:b].tolist() for flat, o in tokens[n] for a, b in pairwise(o)] for n in names
    }
    read = {n: [0] * len(texts[n]) for n in names}

    def documents(name: str, rows: list[int]) -> Iterator[list[int]]:
        while True:
            nth = min(read[name][r] for r in rows)
            due = [r for r in rows if read[name][r] == nth]
            row = min(due, key=lambda r: sort_key(seed, name, nth, r))
            read[name][row] += 1
            yield texts[name][row]

    out = []
    for phase, count in zip(
        phases, split_phases([p.share for p in phases], sequences), strict=True
    ):
        drawn = draw_schedule([phase.weights.get(n, 0.0) for n in names], count)
        streams = {n: [EOT] for n in names}
        sources = {n: documents(n, phase.rows[n].tolist()) for n in names if n in phase.rows}
        for k in drawn.tolist():
            flat = streams[names[k]]
            while len(flat) < WIDTH + 1:
                flat += [*next(sources[names[k]]), EOT]
            out.append(flat[: WIDTH + 1])
            del flat[:WIDTH]
    return np.array(out)


lengths = st.lists(st.integers(1, 30), min_size=2, max_size=12)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[PhasePlan], dict[str, Parts]]:
    """One to three phases over two sources, with weights and rows of their own."""
    tokens = {"a": corpus(draw(lengths)), "b": corpus(draw(lengths), first=1000)}
    sizes = {name: sum(len(o) - 1 for _, o in parts) for name, parts in tokens.items()}
    phases = []
    for k in range(draw(st.integers(1, 3))):
        weight = draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))
        rows = {
            name: np.array(sorted(draw(st.sets(st.integers(0, n - 1), min_size=1))), np.int64)
            for name, n in sizes.items()
        }
        weights = {"a": 1.0 - weight, "b": weight}
        used = {name: r for name, r in rows.items() if weights[name] > 0}
        phases.append(PhasePlan(f"p{k}", draw(st.sampled_from([1.0, 2.0])), weights, used))
    total = sum(p.share for p in phases)
    return [PhasePlan(p.name, p.share / total, p.weights, p.rows) for p in phases], tokens


def packed(
    folder: Path, phases: list[PhasePlan], tokens, sequences: int, cache: Path | None, seed: int = 0
) -> np.ndarray:
    shared = Cache(cache, IDS) if cache else None
    pack(
        folder, phases, tokens, sequences=sequences, sequence_length=WIDTH, eot_id=EOT, seed=seed,
        cache=shared,
    )  # fmt: skip
    return open_rows(folder).rows(0, sequences)


@settings(max_examples=40)
@given(plans(), st.integers(1, 40), st.integers(0, 3))
def test_rows_are_those_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, plan, sequences: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("p")
    phases, tokens = plan
    found = packed(folder / "run", phases, tokens, sequences, None, seed)
    assert (found == plain_rows(phases, tokens, sequences, seed)).all()


@settings(max_examples=25)
@given(plans(), st.lists(st.integers(1, 60), min_size=2, max_size=5), st.integers(2, 50))
def test_a_cache_that_other_runs_filled_changes_no_row(
    tmp_path_factory: pytest.TempPathFactory, plan, asked: list[int], block: int
) -> None:
    folder = tmp_path_factory.mktemp("p")
    phases, tokens = plan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        for k, sequences in enumerate(asked):
            found = packed(folder / f"run{k}", phases, tokens, sequences, folder / "cache")
            assert (found == plain_rows(phases, tokens, sequences, 0)).all()


def one_source(count: int = 50) -> tuple[list[PhasePlan], dict[str, Parts]]:
    return [PhasePlan("all", 1.0, {"a": 1.0}, {"a": np.arange(count)})], {"a": corpus([7] * count)}


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*.npy"))


def test_runs_share_one_stream_and_a_longer_one_adds_only_its_rest(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    phases, tokens = one_source()
    for k, sequences in enumerate((20, 5, 30, 30)):
        packed(tmp_path / f"run{k}", phases, tokens, sequences, cache)
    (stream,) = cache.iterdir()
    assert files(stream) == ["000000000000-000000000020.npy", "000000000020-000000000030.npy"]
    shared = stream / "000000000000-000000000020.npy"
    assert shared.stat().st_nlink == 5, "the cache and four runs"
    assert np.load(shared).shape == (20 * WIDTH + 1,)
    assert files(tmp_path / "run1" / "rows") == ["000000000000-000000000020.npy"]


def test_what_a_stream_depends_on_names_it(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    phases, tokens = one_source()
    fewer, _ = one_source(49)

    def run(number: int, phases: list[PhasePlan], seed: int = 0, eot: int = EOT, ids=IDS) -> None:
        pack(
            tmp_path / str(number), phases, tokens, sequences=8, sequence_length=WIDTH,
            eot_id=eot, seed=seed, cache=Cache(cache, ids),
        )  # fmt: skip

    run(0, phases)
    run(1, fewer)  # other documents, as another filter or repetition matching leaves them
    run(2, phases, seed=1)
    run(3, phases, eot=9)
    run(4, phases, ids={"a": "after an edit"})
    assert len(list(cache.iterdir())) == 5
    run(5, phases)
    assert len(list(cache.iterdir())) == 5


def test_a_later_phase_is_shared_only_by_runs_with_the_same_past(tmp_path: Path) -> None:
    tokens = {"a": corpus([7] * 50), "b": corpus([7] * 50, first=1000)}
    rows = {"a": np.arange(50), "b": np.arange(50)}

    def phases(first: float) -> list[PhasePlan]:
        return [
            PhasePlan("broad", 0.5, {"a": first, "b": 1 - first}, rows),
            PhasePlan("sharp", 0.5, {"a": 1.0}, {"a": rows["a"]}),
        ]

    for k, first in enumerate((0.5, 0.25, 0.5)):
        found = packed(tmp_path / str(k), phases(first), tokens, 16, tmp_path / "cache")
        assert (found == plain_rows(phases(first), tokens, 16, 0)).all()
    assert len(list((tmp_path / "cache").iterdir())) == 4  # a, b, and a after 4 rows and after 2


def test_a_run_keeps_its_rows_whatever_happens_to_the_cache(tmp_path: Path) -> None:
    phases, tokens = one_source()
    before = packed(tmp_path / "run", phases, tokens, 20, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert (open_rows(tmp_path / "run").rows(0, 20) == before).all()
    again = packed(tmp_path / "again", phases, tokens, 20, tmp_path / "cache")
    assert (again == before).all()


def test_a_damaged_shard_is_packed_anew(tmp_path: Path) -> None:
    phases, tokens = one_source()
    before = packed(tmp_path / "run", phases, tokens, 20, tmp_path / "cache")
    (shard,) = (tmp_path / "cache").rglob("*.npy")
    cut = shard.read_bytes()[:-4]
    shard.unlink()
    shard.write_bytes(cut)
    assert (packed(tmp_path / "again", phases, tokens, 20, tmp_path / "cache") == before).all()
    assert next_shard(shard.parent, 0, WIDTH) == shard


def test_another_file_system_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        if not Path(source).exists():
            raise FileNotFoundError(errno.ENOENT, "no such file")
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    phases, tokens = one_source()
    first = packed(tmp_path / "0", phases, tokens, 20, tmp_path / "cache")
    longer = packed(tmp_path / "1", phases, tokens, 30, tmp_path / "cache")
    assert (longer[:20] == first).all()
    assert (longer == plain_rows(phases, tokens, 30, 0)).all()
    assert {p.stat().st_nlink for p in tmp_path.rglob("*.npy")} == {1}
    assert not list(tmp_path.rglob(".*"))


def test_a_copied_shard_is_on_the_disk_before_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "fsync", lambda handle: synced.add(os.fstat(handle).st_ino))
    (tmp_path / "shard.npy").write_bytes(b"tokens")
    assert link(tmp_path / "shard.npy", tmp_path / "copy.npy")
    assert (tmp_path / "copy.npy").stat().st_ino in synced


def pack_often(folder: Path, name: str) -> None:
    phases, tokens = one_source()
    for k, sequences in enumerate((3, 11, 7, 29, 40, 17)):
        packed(folder / f"{name}-{k}", phases, tokens, sequences, folder / "cache")


def test_two_sweeps_at_once_make_the_same_rows(tmp_path: Path) -> None:
    call = "import sys; from pathlib import Path; from test_shards import pack_often; "
    call += "pack_often(Path(sys.argv[1]), sys.argv[2])"
    command = [sys.executable, "-c", call, str(tmp_path)]
    workers = [subprocess.Popen([*command, name], cwd=Path(__file__).parent) for name in "xy"]
    assert [worker.wait() for worker in workers] == [0, 0]
    phases, tokens = one_source()
    expected = plain_rows(phases, tokens, 40, 0)
    for folder in tmp_path.glob("[xy]-*"):
        rows = open_rows(folder)
        assert (rows.rows(0, len(rows)) == expected[: len(rows)]).all()


def two_sources(folder: Path) -> Path:
    tokens = {"a": corpus([5, 9, 20, 3]), "b": corpus([12, 7], first=1000)}
    rows = {"a": np.arange(4), "b": np.arange(2)}
    weights = {"a": 0.7, "b": 0.3}
    phases = [PhasePlan("p", 0.6, weights, rows), PhasePlan("q", 0.4, {"b": 1.0}, {"b": rows["b"]})]
    packed(folder, phases, tokens, 22, None)
    return folder


@settings(max_examples=30)
@given(batch=st.integers(1, 9), stop=st.integers(0, 22))
def test_batches_go_on_from_any_state_with_the_very_next_row(
    tmp_path_factory: pytest.TempPathFactory, batch: int, stop: int
) -> None:
    data = two_sources(tmp_path_factory.mktemp("d") / "data")
    whole = list(batches(data, batch))
    assert [len(b.source) for b, _ in whole[:-1]] == [batch] * (len(whole) - 1)
    assert whole[-1][1] == 22
    table = np.concatenate([b.rows for b, _ in whole])
    assert (table == open_rows(data).rows(0, 22)).all()
    assert table.dtype == np.int64
    states = [0, *(state for _, state in whole)]
    at = min(range(len(states)), key=lambda k: abs(states[k] - stop))
    rest = list(batches(data, batch, states[at]))
    assert [state for _, state in rest] == states[at + 1 :]
    for (one, _), (other, _) in zip(rest, whole[at:], strict=True):
        same(one, other)


def same(one: Batch, other: Batch) -> None:
    assert (one.rows == other.rows).all()
    assert (one.source == other.source).all()
    assert (one.phase == other.phase).all()


def test_a_batch_says_where_its_rows_come_from(tmp_path: Path) -> None:
    data = two_sources(tmp_path / "data")
    for batch, _ in batches(data, 5):
        for row, source in zip(batch.rows, batch.source, strict=True):
            tokens = row[row != EOT]
            assert ((tokens >= 1000) == (source == 1)).all()
    rows = open_rows(data)
    assert rows.phases.tolist() == [0] * 13 + [1] * 9
    assert (rows.source(13, 22) == 1).all()


def test_a_state_beyond_the_data_is_refused(tmp_path: Path) -> None:
    data = two_sources(tmp_path / "data")
    assert list(batches(data, 4, 22)) == []
    for state in (-1, 23):
        with pytest.raises(DataError, match="not in the training data"):
            next(batches(data, 4, state))


def test_missing_rows_are_named(tmp_path: Path) -> None:
    data = two_sources(tmp_path / "data")
    shard = next((data / "rows" / "0-0").glob("*.npy"))
    with shard.open("r+b") as handle:
        handle.truncate(shard.stat().st_size - 2)
    with pytest.raises(DataError, match="missing or cut off"):
        next(batches(data, 4))
    shutil.rmtree(data / "rows")
    with pytest.raises(DataError, match="no packed rows"):
        next(batches(data, 4))
