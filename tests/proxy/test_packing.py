import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import DataError
from lab.core.files import read_json
from lab.proxy import reading
from lab.proxy.packing import PhasePlan, pack
from lab.proxy.reading import Parts
from lab.proxy.shards import open_rows

EOT = 0
WIDTH = 8


def corpus(lengths: list[int], first: int = 1, parts: int = 1, dtype: type = np.uint16) -> Parts:
    """Documents of these lengths; token values count up from `first`, so each says where it is."""
    groups = np.array_split(np.array(lengths), parts)
    out, value = [], first
    for group in groups:
        total = int(group.sum())
        offsets = np.concatenate([[0], np.cumsum(group)]).astype(np.int64)
        out.append((np.arange(value, value + total).astype(dtype), offsets))
        value += total
    return out


def phase(name: str = "all", share: float = 1.0, **rows: object) -> PhasePlan:
    """A phase with equal weights."""
    return PhasePlan(name, share, dict.fromkeys(rows, 1 / len(rows)), rows)  # type: ignore[arg-type]


def packed(folder: Path, phases: list[PhasePlan], tokens: dict, sequences: int, seed: int = 0):
    pack(
        folder,
        phases,
        tokens,
        sequences=sequences,
        sequence_length=WIDTH,
        eot_id=EOT,
        seed=seed,
    )
    rows = open_rows(folder)
    return rows.rows(0, len(rows)), rows.sources


def stream(rows: np.ndarray) -> list[int]:
    """The tokens that `rows` of one source predict, with the first input."""
    return [int(rows[0, 0]), *rows[:, 1:].ravel().tolist()]


def split_documents(tokens: list[int]) -> list[list[int]]:
    out: list[list[int]] = []
    for token in tokens:
        if token == EOT:
            out.append([])
        else:
            out[-1].append(token)
    return out


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(1, 4), st.integers(1, 12))
def test_every_token_is_predicted_once_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], parts: int, sequences: int
) -> None:
    folder = tmp_path_factory.mktemp("p")
    tokens = corpus(lengths, parts=parts)
    whole = {tuple(flat[a:b]) for flat, o in tokens for a, b in pairwise(o)}
    rows, _ = packed(folder, [phase(a=np.arange(len(lengths)))], {"a": tokens}, sequences)
    assert (rows[1:, 0] == rows[:-1, -1]).all()  # the last target is the next first input
    found = split_documents(stream(rows))
    for document in found[:-1]:
        assert tuple(document) in whole
    assert any(tuple(found[-1]) == document[: len(found[-1])] for document in whole)
    epoch = len(lengths)
    for start in range(0, len(found) - epoch, epoch):  # no document twice before each once
        assert len({tuple(d) for d in found[start : start + epoch]}) == epoch


def test_small_blocks_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = {"a": corpus([7, 3, 50, 1, 20] * 20, parts=3)}
    plan = [phase(a=np.arange(100))]
    whole, _ = packed(tmp_path / "whole", plan, tokens, 300)
    monkeypatch.setattr(reading, "BLOCK", 64)
    blocks, _ = packed(tmp_path / "blocks", plan, tokens, 300)
    assert (whole == blocks).all()


def test_two_mixtures_read_shared_documents_in_the_same_order(tmp_path: Path) -> None:
    """Weights, filters and other sources change, the order within a source does not."""
    a, b = corpus([11] * 60), corpus([9] * 60, first=5000)
    one, _ = packed(tmp_path / "1", [phase(a=np.arange(60))], {"a": a}, 40)
    kept = np.flatnonzero(np.arange(60) % 3 != 0)
    rows, source = packed(tmp_path / "2", [phase(a=kept, b=np.arange(60))], {"a": a, "b": b}, 60)
    all_documents = split_documents(stream(one))[:-1]
    some = split_documents(stream(rows[source == 0]))[:-1]
    fallen = {tuple(a[0][0][11 * d : 11 * d + 11]) for d in range(0, 60, 3)}
    shared = [d for d in all_documents if tuple(d) not in fallen]
    length = min(len(shared), len(some))
    assert length > 15
    assert shared[:length] == some[:length]


def test_another_seed_is_another_order(tmp_path: Path) -> None:
    tokens = {"a": corpus([11] * 60)}
    plan = [phase(a=np.arange(60))]
    first, _ = packed(tmp_path / "0", plan, tokens, 40, seed=0)
    again, _ = packed(tmp_path / "0b", plan, tokens, 40, seed=0)
    other, _ = packed(tmp_path / "1", plan, tokens, 40, seed=1)
    assert (first == again).all()
    assert (first != other).any()


def test_a_later_phase_goes_on_where_the_earlier_stopped(tmp_path: Path) -> None:
    tokens = {"a": corpus([7] * 100)}  # 8 tokens with end-of-text: one row a document
    rows = np.arange(100)
    plans = [phase("broad", 0.75, a=rows), phase("sharp", 0.25, a=rows)]
    table, _ = packed(tmp_path, plans, tokens, 80)
    assert len({tuple(row[1:]) for row in table}) == 80
    account = read_json(tmp_path / "packing.json")
    assert account["sources"]["a"]["documents_read"] == 80
    assert account["sources"]["a"]["epochs"] == pytest.approx(0.8)
    assert [p["sequences"] for p in account["phases"]] == [60, 20]


def test_a_sharper_phase_reads_its_own_documents_only(tmp_path: Path) -> None:
    tokens = {"a": corpus([7] * 100)}
    chosen = np.arange(0, 100, 5)
    plans = [phase("broad", 0.5, a=np.arange(100)), phase("sharp", 0.5, a=chosen)]
    table, _ = packed(tmp_path, plans, tokens, 80)
    allowed = {tuple(tokens["a"][0][0][7 * d : 7 * d + 7]) for d in chosen}
    read = [tuple(d) for d in split_documents(stream(table[40:])) if d]
    assert set(read) == allowed
    everything = [tuple(d) for d in split_documents(stream(table)) if d]
    repeats = [everything.count(d) for d in allowed]
    assert max(repeats) - min(repeats) <= 1  # those the first phase read come later in the second


def test_the_account_by_hand(tmp_path: Path) -> None:
    tokens = {"a": corpus([15] * 4), "b": corpus([7] * 10, first=200)}
    plan = PhasePlan("all", 1.0, {"a": 0.75, "b": 0.25}, {"a": np.arange(4), "b": np.arange(5)})
    account = pack(tmp_path, [plan], tokens, sequences=16, sequence_length=8, eot_id=EOT, seed=0)
    assert account == read_json(tmp_path / "packing.json")
    assert account["tokens"] == 128
    a, b = account["sources"]["a"], account["sources"]["b"]
    assert (a["sequences"], a["share"], a["unique_tokens"], a["epochs"]) == (12, 0.75, 64, 1.5)
    assert (b["sequences"], b["documents"], b["unique_tokens"], b["epochs"]) == (4, 5, 40, 0.8)


def test_a_large_vocabulary_keeps_its_ids(tmp_path: Path) -> None:
    tokens = {"a": corpus([30] * 3, first=70_000, dtype=np.uint32)}
    table, _ = packed(tmp_path, [phase(a=np.arange(3))], tokens, 5)
    assert table.max() >= 70_000


def test_a_source_that_keeps_nothing_is_an_error(tmp_path: Path) -> None:
    plan = phase("sharp", a=np.arange(0))
    with pytest.raises(DataError, match="'a' keeps no training document"):
        packed(tmp_path, [plan], {"a": corpus([3])}, 4)


def test_memory_does_not_grow_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 10_000)
    tokens = {"a": [(np.ones(400_000, np.uint16), np.arange(0, 400_001, 400))]}
    plan = [phase(a=np.arange(1000))]
    tracemalloc.start()
    pack(tmp_path, plan, tokens, sequences=10_000, sequence_length=256, eot_id=EOT, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000 * 257 * 2 / 2  # bytes
