"""Repeated lines and paragraphs: by hand, against a plain search, and free of parts and order."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.core.errors import ArtifactMissing
from lab.core.schema import content_hash
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.duplicates import repeated
from lab.curation.duplicates.repeated import (
    COLUMNS,
    find_repeated,
    repeated_columns,
    require_repeated,
    seen_before,
)
from lab.curation.duplicates.units import hash_units

NAV = "Home | About us | Contact the keeper"  # 36 characters
OWN = "The harbour of Ostrel has one lighthouse"  # 40 characters


def source(ws: Workspace, name: str, texts: Sequence[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def shares(ws: Workspace, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    made = find_repeated(ws, names)
    frames = [artifact.scan().collect() for artifact in made.values()]
    return {row[0]: (row[1], row[2]) for row in pl.concat(frames).rows()}


def test_the_first_by_content_hash_owns_the_line(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    texts = [f"{NAV}\n{OWN} {k}\nHome" for k in range(3)]
    source(ws, "web", texts)
    source(ws, "books", [f"  {NAV}\t\nHome\n\nHome"])
    everything = {f"web/{k}": t for k, t in enumerate(texts)}
    everything["books/0"] = f"  {NAV}\t\nHome\n\nHome"
    owner = min(everything, key=lambda name: content_hash(everything[name]))
    found = shares(ws, ["web", "books"])
    for name in everything:
        whole = 36 + 42 + 4 if name.startswith("web") else 36 + 4 + 4
        assert found[name][0] == pytest.approx(0 if name == owner else 36 / whole)
        assert found[name][1] == 0, "no paragraph is the same"


def test_exact_copies_and_whole_paragraphs(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    shared = f"{OWN}\n{NAV}"
    source(ws, "a", [f"{shared}\n\nOne more line that nobody else has", "", f"{shared}"])
    source(ws, "b", [f"Another line of its own, quite long\n\n  \n{shared}\n\n"])
    found = shares(ws, ["a", "b"])
    paragraph = len(OWN) + len(NAV)
    texts = {"a/0": f"{shared}\n\nOne more line that nobody else has", "a/2": shared}
    texts["b/0"] = f"Another line of its own, quite long\n\n  \n{shared}\n\n"
    owner = min(texts, key=lambda name: content_hash(texts[name]))
    for name, text in texts.items():
        total = sum(len(line.strip()) for line in text.split("\n"))
        expected = 0 if name == owner else paragraph / total
        assert found[name] == pytest.approx((expected, expected))


def test_copies_score_one_and_the_first_of_them_nothing(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    source(ws, "a", [OWN, OWN, OWN])
    source(ws, "b", [OWN])
    assert shares(ws, ["a", "b"]) == {"a/0": (0, 0), "a/1": (1, 1), "a/2": (1, 1), "b/0": (1, 1)}


def test_a_new_source_makes_the_columns_missing(tmp_path: Path) -> None:
    ws = create(tmp_path / "ws")
    source(ws, "a", [OWN])
    with pytest.raises(ArtifactMissing, match="Repeated lines") as caught:
        require_repeated(ws, "a")
    assert "mixlab dedup --lines" in caught.value.next_step
    made = find_repeated(ws, ["a"])["a"]
    assert require_repeated(ws, "a").id == made.id
    assert repeated_columns(ws, "a") == list(COLUMNS)
    source(ws, "b", [OWN])
    assert repeated_columns(ws, "a") == []


line = st.sampled_from(
    ["x" * 19, "y" * 20, "z" * 41, "é" * 20, " " * 3, "", "\t" + "y" * 20, "\x85w"]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(line, max_size=6), min_size=1, max_size=5), st.booleans())
def test_units_as_a_plain_reading_finds_them(texts: list[list[str]], paragraphs: bool) -> None:
    least = 40 if paragraphs else 20
    joined = ["\n".join(lines) for lines in texts]
    found, totals = hash_units(pl.Series(joined, dtype=pl.String), paragraphs, least)
    expected = []
    for k, text in enumerate(joined):
        units = [""]
        for piece in text.split("\n"):
            stripped = piece.strip(" \t\n\v\f\r")
            if not paragraphs:
                units.append(stripped)
            elif stripped:
                units[-1] += ("\n" if units[-1] else "") + stripped
            else:
                units.append("")
        sizes = [len(u.replace("\n", "")) for u in units]
        assert totals[k] == sum(sizes)
        expected += [(k, u, s) for u, s in zip(units, sizes, strict=True) if s >= least]
    assert sorted(zip(found.rows.tolist(), found.characters.tolist(), strict=True)) == sorted(
        (k, s) for k, _, s in expected
    )
    assert len(set(found.hashes.tolist())) == len({u for _, u, _ in expected})
    assert (np.diff(found.hashes.astype(object)) >= 0).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=30))
def test_seen_before(entries: list[tuple[int, int]]) -> None:
    hashes = np.array([h for h, _ in entries], np.uint64)
    order = np.array([o for _, o in entries], np.uint32)
    expected = [any(h == g and p < o for g, p in entries) for h, o in entries]
    assert seen_before(hashes, order).tolist() == expected


@pytest.mark.parametrize("shard", [1, 3, 1000])
def test_ranges_of_hashes_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    rng = np.random.default_rng(1)
    lines = [f"line number {k} of the shared pool" for k in range(40)]
    texts = ["\n".join(rng.choice(lines, 6)) for _ in range(30)]
    one, two = create(tmp_path / "one"), create(tmp_path / "two")
    source(one, "a", texts)
    source(two, "a", texts)
    whole = find_repeated(one, ["a"])["a"]
    monkeypatch.setattr(repeated, "SHARD", shard)
    cut = find_repeated(two, ["a"])["a"]
    assert [p.read_bytes() for p in cut.parts] == [p.read_bytes() for p in whole.parts]
