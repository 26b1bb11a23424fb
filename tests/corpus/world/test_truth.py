"""Planted truth is true: copies, quotes, personal data, levels and labels, checked on the texts."""

import ipaddress
import json
import re

import polars as pl
import pytest

from lab.corpus.world import write_world
from lab.corpus.world.benchmarks import build_benchmarks
from lab.corpus.world.quotes import item_text

from .conftest import SEED

RESERVED = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
EMAIL = re.compile(r"[a-z]+[._]?\d+@(example\.(com|org|net)|\w+\.test)")
PHONE = re.compile(r"\+1 \d{3}-555-01\d\d|07700 900\d{3}")


def five_grams(text):
    words = text.lower().split()
    return {" ".join(words[i : i + 5]) for i in range(len(words) - 4)}


def copies(corpus, kind):
    return [r for r in corpus.values() if r.copy and r.copy.kind == kind]


def test_exact_copies_equal_their_original(corpus):
    found = copies(corpus, "exact")
    assert len(found) > 30
    assert all(r.draft.text == corpus[r.copy.original].draft.text for r in found)


def test_near_copies_are_as_near_as_stated(corpus):
    found = copies(corpus, "near")
    assert len(found) > 50
    for record in found:
        text, original = record.draft.text, corpus[record.copy.original].draft.text
        one, two = five_grams(text), five_grams(original)
        assert text != original
        if one and two:
            assert record.copy.jaccard == pytest.approx(len(one & two) / len(one | two), abs=1e-4)


def test_most_near_copies_are_within_reach_of_minhash(corpus):
    strengths = pl.Series([r.copy.jaccard for r in copies(corpus, "near")])
    assert 0.7 < strengths.median() < 0.9
    assert (strengths > 0.5).mean() > 0.9


def test_copies_are_of_originals_within_and_across_sources(corpus):
    found = [r for r in corpus.values() if r.copy]
    assert all(corpus[r.copy.original].copy is None for r in found)
    across = {r.id for r in found if r.source != corpus[r.copy.original].source}
    assert across == {r.id for r in found if r.copy.scope == "across"}
    assert 0 < len(across) < len(found)


def test_texts_that_are_equal_are_known_to_be(corpus):
    groups = {}
    for record in corpus.values():
        group = record.copy.original if record.copy and record.copy.kind == "exact" else record.id
        groups.setdefault(record.draft.text, set()).add(group)
    assert all(len(group) == 1 for group in groups.values())


def test_quoted_items_stand_in_their_documents(corpus):
    items = {i["id"]: i for group in build_benchmarks(SEED).values() for i in group}
    quoting = [r for r in corpus.values() if r.quotes]
    assert len({r.source for r in quoting}) >= 3
    for record in quoting:
        for benchmark, item in record.quotes:
            assert items[item]["benchmark"] == benchmark
            assert item_text(items[item]) in record.draft.text


def test_personal_data_is_where_the_spans_say_and_reserved(corpus):
    checks = {
        "email": EMAIL.fullmatch,
        "phone": PHONE.fullmatch,
        "ip": lambda value: any(ipaddress.ip_address(value) in net for net in RESERVED),
    }
    seen = set()
    for record in corpus.values():
        for start, end, kind in record.personal:
            assert checks[kind](record.draft.text[start:end])
            seen.add(kind)
    assert seen == set(checks)


def test_no_personal_data_is_missed(corpus):
    for record in corpus.values():
        marked = {(start, end) for start, end, _ in record.personal}
        for pattern in (EMAIL, PHONE):
            assert {m.span() for m in pattern.finditer(record.draft.text)} <= marked


def test_levels_rank_the_sources_as_an_annotator_would(corpus):
    frame = pl.DataFrame(
        [(r.source, r.draft.quality, r.draft.level) for r in corpus.values()],
        schema=["source", "quality", "level"],
        orient="row",
    )
    assert set(frame["level"].unique()) <= set(range(6))
    means = dict(frame.group_by("source").agg(pl.col("level").mean()).iter_rows())
    assert means["web"] < means["encyclopaedia"] < means["textbooks"]
    quality = dict(frame.group_by("quality").agg(pl.col("level").mean()).iter_rows())
    assert quality["spam"] == 0 < quality["small talk"] < quality["good"]


def test_labels_follow_the_levels_with_a_little_noise(tmp_path):
    write_world(tmp_path / "w", documents=4000)
    lines = (tmp_path / "w/labels/educational.jsonl").read_text().splitlines()
    labels = pl.DataFrame([json.loads(line) for line in lines])
    joined = labels.join(pl.read_parquet(tmp_path / "w/truth/documents.parquet"), on="id")
    assert joined.height == len(lines) == labels["id"].n_unique()
    assert 550 <= joined.height <= 620
    difference = (joined["label"] - joined["level"]).abs()
    assert difference.max() == 1
    assert 0.05 < (difference == 1).mean() < 0.2
