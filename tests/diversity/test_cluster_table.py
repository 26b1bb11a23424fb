"""The table of clusters: odds by hand, sums that add up, means that leave out what is unknown."""

import math

import polars as pl
import pytest

from lab.diversity.layout.table import clearest, cluster_table, representation, scale_tokens


def placed() -> pl.DataFrame:
    rows = [("a", 0)] * 6 + [("a", 1)] * 2 + [("b", 0)] * 1 + [("b", 1)] * 11
    return pl.DataFrame(
        {
            "source": [source for source, _ in rows],
            "cluster": pl.Series([cluster for _, cluster in rows], dtype=pl.UInt16),
            "margin": [0.0] + [0.5] * 19,
        }
    )


LABELS = pl.DataFrame({"cluster": pl.Series([0, 1], dtype=pl.UInt16), "label": ["fish", "proof"]})
IN_FIRST = pl.col("cluster") == 0


def test_documents_tokens_and_texts_between_clusters() -> None:
    found = cluster_table(
        placed().with_columns(tokens=pl.when(IN_FIRST).then(30).otherwise(10)), LABELS
    )
    assert found["label"].to_list() == ["fish", "proof"]
    assert found["documents"].to_list() == [7, 13]
    assert found["share"].to_list() == pytest.approx([0.35, 0.65])
    assert found["tokens"].to_list() == [210, 130]
    assert found["token_share"].sum() == pytest.approx(1)
    assert found["unclear"].to_list() == pytest.approx([1 / 7, 0])
    plain = cluster_table(placed().drop("margin"), LABELS)
    assert plain.columns == ["cluster", "label", "documents", "share"]


def test_a_cluster_without_documents_is_not_in_the_table() -> None:
    assert cluster_table(placed().filter(IN_FIRST), LABELS)["cluster"].to_list() == [0]


def test_means_of_signals_and_truths_leave_out_what_is_unknown() -> None:
    frame = placed().with_columns(
        kept=pl.when(IN_FIRST).then(pl.col("source") == "a"),
        value=pl.when(pl.col("source") == "a").then(float("nan")).otherwise(5.0),
    )
    found = cluster_table(frame, LABELS, ["kept", "value"])
    assert found["kept"].to_list() == [pytest.approx(6 / 7), None]
    assert found["value"].to_list() == [5.0, 5.0]


def test_tokens_of_a_sample_stand_for_their_source() -> None:
    frame = placed().with_columns(tokens=pl.lit(2.0))
    scaled = scale_tokens(frame, {"a": 80, "b": 12, "absent": 5})
    sums = dict(scaled.group_by("source").agg(pl.col("tokens").sum()).iter_rows())
    assert sums == {"a": pytest.approx(160), "b": pytest.approx(24)}


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
    assert clearest(alone).is_empty()


def test_the_clearest_come_first_and_the_unresolved_not_at_all() -> None:
    found = clearest(representation(pl.concat([placed()] * 3)))
    away = [max(low, -high) for low, high in found.select("low", "high").iter_rows()]
    assert found.height == 4 and away == sorted(away, reverse=True) and min(away) > 0
    mixed = pl.DataFrame({"cluster": [0, 1] * 40, "source": (["a"] * 2 + ["b"] * 2) * 20})
    assert clearest(representation(mixed)).is_empty(), "evenly mixed: nothing stands out"
