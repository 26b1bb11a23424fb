"""Temperature sampling: the planted distribution comes out, and the draw can be repeated."""

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.attributes import attribute_names, locate
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule
from lab.curation.quality import require_quality, score
from lab.curation.sampling import parse_column, sample_column, sampling_keys
from lab.diversity.embedding.embed import mix


def hashes(count: int) -> pl.Series:
    """Content hashes of `count` different texts."""
    return pl.Series([hashlib.sha256(str(k).encode()).hexdigest()[:32] for k in range(count)])


def test_the_first_draw_follows_the_softmax() -> None:
    """Of every three texts with scores 0, 2, 5 the one with the largest key: p = softmax(s / T)."""
    score_of = np.tile([0.0, 2.0, 5.0], 20_000)
    keys = sampling_keys(score_of, hashes(60_000), 2.0, 0)
    won = np.bincount(keys.reshape(-1, 3).argmax(axis=1), minlength=3) / 20_000
    weights = np.exp(np.array([0.0, 2.0, 5.0]) / 2)
    expected = weights / weights.sum()
    assert np.abs(won - expected).max() < 4 * np.sqrt(0.25 / 20_000)


def test_the_top_share_is_a_draw_without_replacement() -> None:
    """Two of three: P(pair) = sum over orders of p_i p_j / (1 - p_i), by hand."""
    p = np.exp([0.0, 1.0, 2.0])
    p = p / p.sum()
    expected = {
        k: sum(p[i] * p[j] / (1 - p[i]) for i, j in ((a, b), (b, a)))
        for k, (a, b) in {0: (1, 2), 1: (0, 2), 2: (0, 1)}.items()  # by who is left out
    }
    keys = sampling_keys(np.tile([0.0, 1.0, 2.0], 20_000), hashes(60_000), 1.0, 3)
    left_out = np.bincount(keys.reshape(-1, 3).argmin(axis=1), minlength=3) / 20_000
    assert left_out == pytest.approx([expected[k] for k in range(3)], abs=0.015)


def test_a_percentile_rule_draws_as_numpy_does() -> None:
    """The share of each grade among the 30 % kept, against weighted draws without replacement."""
    grades = np.arange(6000) % 6
    keys = sampling_keys(grades.astype(float), hashes(6000), 2.0, 1)
    column = sample_column("edu", 2.0, 1)
    rule = Rule(column, min_percentile=70)
    kept = (fail_mask(pl.DataFrame({column: keys}), [rule]) == 0).to_numpy()
    assert kept.sum() == 1800
    rng = np.random.default_rng(0)
    p = np.exp(grades / 2) / np.exp(grades / 2).sum()
    draws = [rng.choice(6000, 1800, replace=False, p=p) for _ in range(20)]
    expected = np.mean([np.bincount(grades[d], minlength=6) for d in draws], axis=0)
    found = np.bincount(grades[kept], minlength=6)
    assert (np.abs(found - expected) < 4 * np.sqrt(expected) + 5).all()
    assert found[5] > 3 * found[0] > 0


def test_temperature_goes_from_the_best_to_any() -> None:
    scores, names = np.linspace(0, 5, 3000), hashes(3000)
    cold = sampling_keys(scores, names, 1e-4, 0)
    assert np.corrcoef(cold, scores)[0, 1] > 0.999
    hot = sampling_keys(scores, names, 1e4, 0)
    assert abs(np.corrcoef(hot, scores)[0, 1]) < 0.06
    other = sampling_keys(scores, names, 1e4, 1)
    assert abs(np.corrcoef(hot, other)[0, 1]) < 0.06


def test_the_draw_does_not_avoid_the_embedded_sample() -> None:
    names = hashes(3000)
    embedded = mix(names, 0).to_numpy().astype(float)
    keys = sampling_keys(np.zeros(3000), names, 1.0, 0)
    assert abs(np.corrcoef(embedded, keys)[0, 1]) < 0.06


@pytest.mark.parametrize(
    "column",
    ["sample.edu", "sample.edu@T0-seed0", "sample.edu@T-1-seed0", "sample.edu@Tnan-seed0",
     "sample.edu@T2.0", "sample.../x@T2.0-seed0", "sample.edu@T2.0-seed0\n"],
)  # fmt: skip
def test_impossible_columns_are_refused(column: str) -> None:
    with pytest.raises(ConfigError):
        parse_column(column)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = create(tmp_path / "workspace")
    path = tmp_path / "web.jsonl"
    texts = [f"{'good' if k % 2 else 'bad'} text number {k}" for k in range(80)]
    rows = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate([*texts, texts[3]])]
    path.write_text("\n".join(rows))
    add_source(ws, "web", [str(path)], id_column="key")
    return ws


def test_keys_are_a_column_of_every_scored_source(ws: Workspace, tmp_path: Path) -> None:
    assert parse_column(sample_column("edu")) == ("edu", 2.0, 0)
    with pytest.raises(ArtifactMissing, match=r"quality\.edu"):
        locate(ws, "web", ["sample.edu@T2.0-seed0"])
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "".join(json.dumps({"id": f"web/{k}", "label": k % 2}) + "\n" for k in range(60))
    )
    score(ws, "edu", labels, ["web"])
    assert "sample.edu@T2.0-seed0" in attribute_names(ws, "web")
    (column,) = locate(ws, "web", ["sample.edu@T0.5-seed7"])
    keys = column.artifact.scan().collect()["sample.edu@T0.5-seed7"]
    assert keys[80] == keys[3]  # an exact copy shares the key
    scores = require_quality(ws, "web", "quality.edu").scan().collect()["quality.edu"].to_numpy()
    text_hash = pl.concat(
        [pl.read_parquet(p) for p in ws.artifacts.glob("documents/*/part-*.parquet")]
    )["content_hash"]
    assert keys.to_list() == sampling_keys(scores, text_hash, 0.5, 7).tolist()
    assert locate(ws, "web", ["sample.edu@T0.5-seed7"])[0].artifact.id == column.artifact.id
