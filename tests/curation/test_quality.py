"""Learned scores: they find a planted quality, know when there is none, and can be recomputed."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lab.core.errors import ArtifactMissing, ConfigError, DataError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.quality import find_quality, quality_columns, require_quality, score
from lab.curation.quality.measures import held_out_error
from lab.curation.quality.nested import nested
from lab.curation.quality.ngrams import BITS, NGRAMS, count_buckets, features
from lab.curation.quality.store import load_head

GOOD = np.array(["therefore", "because", "theorem", "explain", "lesson", "example", "measure"])
BAD = np.array(["click", "subscribe", "buy", "now", "cheap", "deal", "free", "win"])
FILLER = np.array([f"word{k}" for k in range(200)])


def corpus(count: int, seed: int) -> tuple[list[str], list[float]]:
    """Texts whose label is 5 x the share of good words among the 10 that matter."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        good = int(rng.integers(0, 11))
        words = [*rng.choice(GOOD, good), *rng.choice(BAD, 10 - good), *rng.choice(FILLER, 40)]
        texts.append(" ".join(rng.permutation(words)))
        labels.append(good / 2)
    return texts, labels


def source(ws: Workspace, name: str, texts: list[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    lines = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(texts)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


def write_labels(path: Path, labels: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps({"id": k, "label": v}) + "\n" for k, v in labels.items()))
    return path


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Sources `web` and `books` of 150 texts each."""
    ws = create(tmp_path / "workspace")
    for seed, name in enumerate(["web", "books"]):
        source(ws, name, corpus(150, seed)[0])
    return ws


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """True labels of the first 100 texts of `web`."""
    truth = corpus(150, 0)[1][:100]
    return write_labels(tmp_path / "edu.jsonl", {f"web/{k}": y for k, y in enumerate(truth)})


def test_planted_quality_is_found_on_unlabelled_documents(ws: Workspace, labels: Path) -> None:
    facts = score(ws, "edu", labels, ["web", "books"])
    assert facts["documents"] == {"web": 150, "books": 150}
    assert facts["labels"] == 100
    error = facts["error"]
    assert error["spearman"]["low"] > 0.6
    assert error["rmse"]["value"] < 0.85 * facts["label_sd"]
    assert error["r2"]["low"] < error["r2"]["value"] < error["r2"]["high"] < 1
    scores = require_quality(ws, "books", "quality.edu").scan().collect()
    assert scores.columns == ["id", "quality.edu"]
    assert scores["id"].to_list() == [f"books/{k}" for k in range(150)]
    truth = corpus(150, 1)[1]
    assert np.corrcoef(scores["quality.edu"].to_numpy(), truth)[0, 1] > 0.8


def test_labels_that_mean_nothing_are_seen_through(ws: Workspace, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(size=120).tolist()
    path = write_labels(tmp_path / "noise.jsonl", {f"web/{k}": y for k, y in enumerate(noise)})
    error = score(ws, "noise", path, ["web"])["error"]
    # below zero rather than around it: a fold's own mean is missing from what predicts it
    assert error["spearman"]["low"] < 0
    assert error["r2"]["value"] < 0


def test_score_is_recomputed_from_stored_arrays(ws: Workspace, labels: Path) -> None:
    score(ws, "edu", labels, ["web"])
    (head_path,) = ws.artifacts.glob("quality-head/*/head.safetensors")
    head = load_head(head_path, "ngrams")
    text = "Click now! Because a theorem, therefore a theorem."
    counts = dict(zip(*count_row(text), strict=True))
    weights = {b: (1 + math.log(c)) * head.idf[b] for b, c in counts.items()}
    norm = math.sqrt(sum(w * w for w in weights.values()))
    by_hand = head.intercept + sum(head.coefficients[b] * w / norm for b, w in weights.items())
    assert head.predict(pl.Series([text, ""])).tolist() == pytest.approx([by_hand, head.intercept])


def count_row(text: str) -> tuple[list[int], list[float]]:
    """Buckets of one text and their counts."""
    row = count_buckets(pl.Series([text]))
    return row.indices.tolist(), row.data.tolist()


def test_buckets_count_words_and_pairs() -> None:
    buckets, counts = count_row("a b a b a")
    assert sorted(counts) == [2, 2, 2, 3]  # ab, ba, b; a
    assert max(buckets) < 1 << BITS
    empty = count_buckets(pl.Series(["", "a", "?!"]))
    assert empty.indptr.tolist() == [0, 0, 1, 1]


def test_result_does_not_depend_on_the_order_of_labels(
    ws: Workspace, labels: Path, tmp_path: Path
) -> None:
    lines = labels.read_text().splitlines(keepends=True)
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("".join(reversed(lines)))
    first, second = score(ws, "edu", labels, ["web"]), score(ws, "edu", shuffled, ["web"])
    assert first == second
    one, two = ws.artifacts.glob("quality-head/*/head.safetensors")
    assert one.read_bytes() == two.read_bytes()


def test_held_out_error_by_hand() -> None:
    labels = np.array([0.0, 1.0, 2.0, 3.0])
    found = held_out_error(labels, np.array([0.0, 1.0, 3.0, 2.0]), 2.5)
    assert found["rmse"].value == pytest.approx(math.sqrt(2 / 4))
    assert found["r2"].value == pytest.approx(1 - 2 / 5)
    assert found["spearman"].value == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert found["spearman"].n == 4
    flat = held_out_error(labels, np.full(4, 1.5), 2.5)
    assert (flat["r2"].value, flat["spearman"].value) == (0.0, 0.0)


def test_exact_copies_do_not_help_to_predict_each_other() -> None:
    """Every text twice, labels random: were copies split over folds, r2 would be near 1."""
    rng = np.random.default_rng(2)
    texts = [" ".join(rng.choice(FILLER, 30)) for _ in range(60)]
    labels = rng.normal(size=60)
    y = np.tile(labels, 2)
    fit = nested(features(pl.Series(texts * 2)).x, y, pl.Series(texts * 2), NGRAMS)
    assert held_out_error(y, fit.predicted, 0.5)["r2"].value < 0.2


def test_new_labels_replace_old_ones_and_lose_nothing(
    ws: Workspace, labels: Path, tmp_path: Path
) -> None:
    score(ws, "edu", labels, ["web"])
    before = require_quality(ws, "web", "quality.edu")
    assert find_quality(ws, "edu", "books") is None
    assert quality_columns(ws, "web") == ["quality.edu"]
    more = corpus(150, 0)[1][:120]
    score(ws, "edu", write_labels(tmp_path / "more.jsonl", dict(zip_ids(more))), ["web"])
    assert require_quality(ws, "web", "quality.edu").id != before.id
    kept = [p.read_text() for p in ws.folder("labels").glob("edu.*.jsonl")]
    assert kept == [labels.read_text()]


def zip_ids(labels: list[float]) -> list[tuple[str, float]]:
    return [(f"web/{k}", y) for k, y in enumerate(labels)]


def test_changed_documents_or_labels_make_the_score_missing(ws: Workspace, labels: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"quality\.edu"):
        require_quality(ws, "web", "quality.edu")
    score(ws, "edu", labels, ["web", "books"])
    source(ws, "books", ["another text entirely"])
    assert quality_columns(ws, "books") == []
    assert quality_columns(ws, "web") == ["quality.edu"]
    own = ws.folder("labels", "edu.jsonl")
    own.write_text(own.read_text() + '{"id": "web/100", "label": 1}\n')
    assert quality_columns(ws, "web") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json\n", "line is not JSON"),
        ('{"id": "web/1"}\n', "finite number"),
        ('{"id": "web/1", "label": true}\n', "finite number"),
        ('{"id": "web/1", "label": NaN}\n', "finite number"),
        ('{"id": 3, "label": 1}\n', "text `id`"),
        ("[1, 2]\n", "text `id`"),
        ('{"id": "web/1", "label": 1}\n', "too few"),
        ("", "too few"),
        ('\n\n{"id": "web/999", "label": 1}\n', "not here"),
        ('{"id": "wbe/1", "label": 1}\n', "not here"),
        ("".join(f'{{"id": "web/{k}", "label": 2}}\n' for k in range(60)), "All labels are equal"),
    ],
)
def test_unusable_labels_are_refused(
    ws: Workspace, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        score(ws, "edu", path, ["web"])
    assert caught.value.where
    assert not ws.folder("labels", "edu.yaml").exists()


def test_impossible_names_and_files_are_refused(ws: Workspace, labels: Path) -> None:
    with pytest.raises(ConfigError, match="name of a score"):
        score(ws, "../edu", labels, ["web"])
    with pytest.raises(DataError, match="no such file"):
        score(ws, "edu", labels.with_name("absent.jsonl"), ["web"])
