"""The table of clusters: odds by hand, sums that add up, columns that callers join."""

import math

import polars as pl
import pytest

from lab.diversity.layout.table import cluster_means, cluster_table, representation


def placed() -> pl.DataFrame:
    rows = [("a", 0)] * 6 + [("a", 1)] * 2 + [("b", 0)] * 1 + [("b", 1)] * 11
    return pl.DataFrame(
        {
            "id": [f"{source}/{k}" for k, (source, _) in enumerate(rows)],
            "source": [source for source, _ in rows],
            "cluster": pl.Series([cluster for _, cluster in rows], dtype=pl.UInt16),
            "margin": [0.0] + [0.5] * 19,
        }
    )


LABELS = pl.DataFrame({"cluster": pl.Series([0, 1], dtype=pl.UInt16), "label": ["fish", "proof"]})


def test_documents_tokens_and_texts_between_clusters() -> None:
    tokens = placed().select("id", tokens=pl.when(pl.col("cluster") == 0).then(30).otherwise(10))
    found = cluster_table(placed(), LABELS, tokens)
    assert found["label"].to_list() == ["fish", "proof"]
    assert found["documents"].to_list() == [7, 13]
    assert found["tokens"].to_list() == [210, 130]
    assert found["token_share"].sum() == pytest.approx(1)
    assert found["unclear"].to_list() == pytest.approx([1 / 7, 0])
    assert "tokens" not in cluster_table(placed(), LABELS).columns


def test_log_odds_by_hand() -> None:
    found = representation(placed())
    row = found.row(by_predicate=(pl.col("cluster") == 0) & (pl.col("source") == "a"), named=True)
    odds = math.log(6.5 * 11.5 / (2.5 * 1.5))
    half = 1.959964 * math.sqrt(1 / 6.5 + 1 / 11.5 + 1 / 2.5 + 1 / 1.5)
    assert (row["documents"], row["share"]) == (6, 0.75)
    assert row["log_odds"] == pytest.approx(odds)
    assert (row["low"], row["high"]) == pytest.approx((odds - half, odds + half))
    mirrored = found.filter(source="b", cluster=0)["log_odds"][0]
    assert mirrored == pytest.approx(-odds), "two sources: what one has more of, the other has less"


def test_an_empty_cell_is_wide_and_one_source_says_nothing() -> None:
    lacking = representation(placed().filter((pl.col("source") == "a") | (pl.col("cluster") == 1)))
    row = lacking.filter(source="b", cluster=0).row(0, named=True)
    assert row["documents"] == 0
    assert math.isfinite(row["log_odds"]) and row["high"] - row["low"] > 4
    alone = representation(placed().filter(source="a"))
    assert alone["log_odds"].null_count() == alone.height


def test_any_column_of_documents_joins_as_a_mean() -> None:
    kept = placed().filter(cluster=0).select("id", kept=pl.col("source") == "a")
    found = cluster_means(placed(), kept)
    assert found["cluster"].to_list() == [0, 1]
    assert found["kept"].to_list() == [pytest.approx(6 / 7), None]
