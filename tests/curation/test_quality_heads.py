"""Heads on embeddings, and what is said about any head: planted truth, hand counts, peers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import cohen_kappa_score

from lab.core.artifacts import build
from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source, documents
from lab.curation.duplicates import DedupConfig, MinHash, find_duplicates
from lab.curation.labels.agreement import agreement, kappa, krippendorff
from lab.curation.quality import (
    Learning,
    find_head,
    quality_columns,
    read_evaluation,
    require_quality,
    score,
)
from lab.curation.quality.dense import fit_linear
from lab.curation.quality.evaluation import bias_table, calibration_table, meta_groups
from lab.curation.quality.forest import Forest, fit_forest, from_sklearn
from lab.curation.quality.measures import held_out_error
from lab.curation.quality.nested import learning_curve, nested
from lab.curation.quality.ngrams import NGRAMS, features
from lab.curation.quality.store import load_head, save_head
from lab.diversity.embedding import embed
from lab.diversity.embedding.encoder import DEFAULT

RNG = np.random.default_rng(0)
COUNT, SIZE = 200, 16


def texts(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    words = [f"word{k}" for k in range(300)]
    return [" ".join(rng.choice(words, 30)) + f" ending {k}" for k in range(count)]


def source(ws: Workspace, name: str, own: list[str]) -> None:
    path = ws.root / f"{name}.jsonl"
    rows = [
        {"key": str(k), "text": text, "topic": "stem" if k % 4 == 0 else "arts"}
        for k, text in enumerate(own)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    add_source(ws, name, [str(path)], id_column="key")


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Sources `web` and `books` of 200 texts each, nothing embedded."""
    ws = create(tmp_path / "workspace")
    for seed, name in enumerate(["web", "books"]):
        source(ws, name, texts(COUNT, seed))
    return ws


def planted(name: str) -> NDArray[np.float64]:
    """Unit vectors of a source whose first coordinate decides the label."""
    vectors = np.random.default_rng(len(name)).normal(size=(COUNT, SIZE))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def grades(name: str) -> NDArray[np.float64]:
    return np.clip(np.round(2.5 + 5 * planted(name)[:, 0]), 0, 5)


def store_embeddings(ws: Workspace, name: str, sample: int) -> None:
    """An embeddings artifact as `mixlab embed` writes it, with the planted vectors."""
    found = documents(ws, name)
    chosen = embed.choose(found, sample, 0)
    vectors = planted(name)[chosen["row"].to_numpy()].astype(np.float16)

    def make(folder: Path) -> dict[str, Any]:
        embed.write_parts(folder, found, chosen, vectors)
        return {"embedded": chosen.height, "documents": COUNT}

    settings = {"encoder": DEFAULT, "sample": sample, "seed": 0}
    build(ws, embed.STEP, embed.VERSION, settings, [found.id], make)


def write_labels(path: Path, labels: Mapping[str, float], **more: str) -> Path:
    rows = [json.dumps({"id": k, "label": v, **more}) for k, v in labels.items()]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Planted grades of 150 texts of `web`."""
    given = {f"web/{k}": float(y) for k, y in enumerate(grades("web")[:150])}
    return write_labels(tmp_path / "labels.jsonl", given)


def test_forest_predicts_what_sklearn_predicts(tmp_path: Path) -> None:
    x = RNG.normal(size=(300, 8)).astype(np.float32)
    y = np.round(2 + x[:, 0] + 0.3 * RNG.normal(size=300))
    model = RandomForestRegressor(30, min_samples_leaf=2, random_state=1).fit(x, y)
    forest = from_sklearn(model)
    save_head(forest, tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors", "embedding-forest")
    assert isinstance(loaded, Forest)
    fresh = RNG.normal(size=(500, 8)).astype(np.float32)
    edges = x[:50].copy()
    edges[:, 0] = model.estimators_[0].tree_.threshold[0]  # exactly on the first cut
    for rows in (fresh, x, edges, fresh[:0]):
        expected = model.predict(rows) if len(rows) else []
        assert loaded.predict(rows).tolist() == list(expected)
    again = fit_forest(x, y, 4.0)
    assert again.predict(fresh).tolist() == fit_forest(x, y, 4.0).predict(fresh).tolist()


def test_linear_head_is_ridge_regression(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(80, 12)), RNG.normal(size=80)
    for penalty in (0.03, 1.0, 30.0):
        head, peer = fit_linear(x, y, penalty), Ridge(alpha=penalty).fit(x, y)
        assert head.predict(x) == pytest.approx(peer.predict(x), abs=1e-10)
    save_head(head, tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors", "embedding-ridge")
    assert loaded.predict(x).tolist() == head.predict(x).tolist()


def test_ridge_on_embeddings_finds_the_planted_quality(ws: Workspace, labels: Path) -> None:
    for name in ("web", "books"):
        store_embeddings(ws, name, COUNT)
    facts = score(ws, "edu", labels, ["web", "books"], learning=Learning("embedding-ridge"))
    assert facts["error"]["spearman"]["low"] > 0.9
    assert (facts["head"], facts["threshold"]) == ("embedding-ridge", 2.5)
    scores = require_quality(ws, "books", "quality.edu").scan().collect()
    assert scores["id"].to_list() == [f"books/{k}" for k in range(COUNT)]
    assert np.corrcoef(scores["quality.edu"].to_numpy(), grades("books"))[0, 1] > 0.95
    names = {path.name for path in ws.artifacts.glob("quality-head/*/*") if path.is_file()}
    assert names == {"head.safetensors", "manifest.json"}  # no pickle, no code
    before = require_quality(ws, "books", "quality.edu").id
    store_embeddings(ws, "books", COUNT + 1)  # embedding again makes nothing stale
    assert require_quality(ws, "books", "quality.edu").id == before


def test_forest_on_embeddings_finds_the_planted_quality(ws: Workspace, labels: Path) -> None:
    store_embeddings(ws, "web", COUNT)
    few = labels.with_name("few.jsonl")
    few.write_text("\n".join(labels.read_text().splitlines()[:60]))
    facts = score(ws, "edu", few, ["web"], learning=Learning("embedding-forest"))
    assert facts["error"]["spearman"]["low"] > 0.5
    scores = require_quality(ws, "web", "quality.edu").scan().collect()["quality.edu"].to_numpy()
    assert np.corrcoef(scores[60:], grades("web")[60:])[0, 1] > 0.7
    assert set(facts["chosen"]) == {"leaf"}
    names = set(read_evaluation(ws, "edu", "bias")["grouping"])
    assert names == {"source", "meta.topic", "cluster"}


def test_missing_embeddings_are_named_with_the_command(ws: Workspace, labels: Path) -> None:
    learning = Learning("embedding-ridge")
    with pytest.raises(ArtifactMissing, match="web") as caught:
        score(ws, "edu", labels, [], learning=learning)
    needed = int(caught.value.next_step.split("--sample ")[1].split("`")[0])
    store_embeddings(ws, "web", needed - 1)
    with pytest.raises(ArtifactMissing):
        score(ws, "edu", labels, [], learning=learning)
    assert not ws.folder("labels", "edu.yaml").exists()
    store_embeddings(ws, "web", needed)
    assert score(ws, "edu", labels, [], learning=learning)["labels"] == 150  # exactly enough
    with pytest.raises(ArtifactMissing, match="all documents of 'books'") as caught:
        score(ws, "edu", labels, ["books"], learning=learning)
    assert "--sample 200" in caught.value.next_step
    assert quality_columns(ws, "web") == []


def test_impossible_settings_are_refused(ws: Workspace, labels: Path) -> None:
    for learning in (Learning("neural"), Learning(groups="similar")):
        with pytest.raises(ConfigError):
            score(ws, "edu", labels, [], learning=learning)
    with pytest.raises(ArtifactMissing, match="uplicates"):
        score(ws, "edu", labels, [], learning=Learning(groups="near"))


def test_near_copies_do_not_help_to_predict_each_other(tmp_path: Path) -> None:
    """Each text twice, one word apart, random labels: only grouping by near copies sees through."""
    ws = create(tmp_path / "workspace")
    own = texts(60, 3)
    own = [f"{t} {t[::-1]} {t.upper()} extra{k}" for t in own for k in range(2)]
    source(ws, "web", own)
    find_duplicates(ws, ["web"], DedupConfig(exact=True, minhash=MinHash()))
    noise = np.repeat(np.random.default_rng(1).normal(size=60), 2)
    labels = write_labels(tmp_path / "l.jsonl", {f"web/{k}": y for k, y in enumerate(noise)})
    fooled = score(ws, "a", labels, [])["error"]["r2"]["value"]
    honest = score(ws, "b", labels, [], learning=Learning(groups="near"))["error"]["r2"]["value"]
    assert fooled > 0.5
    assert honest < 0.2


def test_several_labellers_agree_as_planted(ws: Workspace, tmp_path: Path) -> None:
    truth = grades("web")[:120]
    noisy = np.clip(truth + np.random.default_rng(4).integers(-1, 2, 120), 0, 5)
    ann = write_labels(tmp_path / "ann.jsonl", {f"web/{k}": y for k, y in enumerate(truth)})
    bob = write_labels(tmp_path / "bob.jsonl", {f"web/{k}": y for k, y in enumerate(noisy)})
    facts = score(ws, "edu", [ann, bob], [])
    alpha, pair = facts["agreement"]
    assert (alpha["measure"], pair["measure"], pair["a"], pair["b"]) == (
        "alpha", "kappa", "ann", "bob",
    )  # fmt: skip
    peer = cohen_kappa_score(truth, noisy, weights="quadratic", labels=range(6))
    assert pair["value"] == pytest.approx(peer)
    assert pair["low"] < peer < pair["high"]
    assert alpha["n"] == 120
    kept = pl.read_ndjson(ws.folder("labels", "edu.jsonl"))
    assert kept["by"].value_counts(sort=True)["count"].to_list() == [120, 120]
    predictions = read_evaluation(ws, "edu", "predictions").sort("id")
    means = dict(zip([f"web/{k}" for k in range(120)], (truth + noisy) / 2, strict=True))
    assert predictions["label"].to_list() == [means[i] for i in predictions["id"]]


def test_krippendorffs_own_example() -> None:
    """Krippendorff 2011, four observers and twelve units with gaps: interval alpha .849."""
    table = {
        "a": "1 2 3 3 2 1 4 1 2 . . .", "b": "1 2 3 3 2 2 4 1 2 5 . 3",
        "c": ". 3 3 3 2 3 4 2 2 5 1 .", "d": "1 2 3 3 2 4 4 1 2 5 1 .",
    }  # fmt: skip
    rows = [
        (str(unit), by, float(value))
        for by, line in table.items()
        for unit, value in enumerate(line.split())
        if value != "."
    ]
    ratings = pl.DataFrame(rows, schema=["id", "by", "label"], orient="row")
    found = krippendorff(ratings)
    assert found is not None
    assert found.value == pytest.approx(0.849, abs=5e-4)
    assert found.n == 11
    assert agreement(ratings).height == 7
    assert agreement(ratings.filter(pl.col("by") == "a")).is_empty()
    assert agreement(ratings.with_columns(label=pl.lit(1.0))).is_empty()
    assert kappa(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == -1


def test_calibration_and_f1_by_hand() -> None:
    labels, predicted = np.repeat([0.0, 4.0], 10), np.linspace(0, 4, 20)
    table = calibration_table(labels, predicted)
    assert table["label"].to_list() == [0.0, 4.0]
    assert table["n"].to_list() == [10, 10]
    assert table["predicted"].to_list() == pytest.approx(
        [predicted[:10].mean(), predicted[10:].mean()]
    )
    error = held_out_error(np.array([0.0, 3, 3, 0]), np.array([2.5, 2.4, 3, 0]), 2.5)
    assert error["f1"].value == error["precision"].value == error["recall"].value == 0.5
    assert "f1" not in held_out_error(np.array([0.0, 1, 2]), np.zeros(3), 2.5)


def test_a_planted_bias_is_found_and_nothing_else() -> None:
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 6, 400).astype(float)
    topic = pl.Series(
        ["stem" if k % 4 == 0 else None if k % 4 == 1 else "arts" for k in range(400)]
    )
    predicted = labels + rng.normal(0, 0.5, 400) + (topic == "stem").fill_null(False).to_numpy()
    groupings = pl.DataFrame({"topic": topic})
    table = {row["name"]: row for row in bias_table(groupings, labels, predicted, 2.5).to_dicts()}
    assert table["stem"]["n"] == 100
    assert 0.8 < table["stem"]["residual_low"] < 1 < table["stem"]["residual_high"] < 1.2
    assert table["arts"]["residual_low"] < 0 < table["arts"]["residual_high"]
    assert table["stem"]["selected"] > table["stem"]["labelled"]
    assert set(table) == {"stem", "arts"}


def test_meta_keys_that_group_are_found() -> None:
    meta = [
        json.dumps({"topic": f"t{k % 3}", "url": f"u{k}", "same": 1, "n": [k]}) for k in range(50)
    ]
    groups = meta_groups(pl.Series([*meta, "{}"]))
    assert list(groups) == ["topic"]
    assert meta_groups(pl.Series(["{}", "{}"])) == {}


def test_the_learning_curve_falls_and_every_head_is_evaluated(ws: Workspace, labels: Path) -> None:
    score(ws, "edu", labels, [])
    head = find_head(ws, "edu")
    assert head is not None
    errors = {r["measure"]: r for r in read_evaluation(ws, "edu", "errors").to_dicts()}
    assert errors["rmse"]["value"] == head.manifest["error"]["rmse"]["value"]
    predictions = read_evaluation(ws, "edu", "predictions")
    assert predictions["fold"].n_unique() == 5
    rmse = float(((predictions["label"] - predictions["predicted"]) ** 2).mean()) ** 0.5
    assert rmse == pytest.approx(errors["rmse"]["value"])
    assert read_evaluation(ws, "edu", "calibration")["n"].sum() == 150
    assert read_evaluation(ws, "edu", "agreement").is_empty()
    with pytest.raises(ConfigError):
        read_evaluation(ws, "edu", "erorrs")
    with pytest.raises(ArtifactMissing):
        read_evaluation(ws, "absent", "errors")
    rng = np.random.default_rng(8)
    good = rng.integers(0, 6, 200)
    own = pl.Series(
        [" ".join(["fine"] * g + ["poor"] * (5 - g)) + f" {k}" for k, g in enumerate(good)]
    )
    noisy = good + rng.normal(0, 0.5, 200)
    x = features(own).x
    curve = learning_curve(x, noisy, own, NGRAMS, nested(x, noisy, own, NGRAMS).choice, 2.5)
    points = curve.filter(pl.col("measure") == "rmse")
    assert points["labels"].to_list() == [16, 32, 64, 112, 160]
    assert points["value"][-1] < points["value"][0]
