import threading
from pathlib import Path

import polars as pl
import pytest

from lab.core.errors import ConfigError, DataError
from lab.core.query import ask, isolated, parquet, parse_condition, query


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    path = tmp_path / "docs" / "it's.parquet"
    pl.DataFrame({"id": ["a", "b", "c"], "n": [1, 2, 3]}).write_parquet(path)
    return path


def test_bound_parameters_and_frames(docs: Path) -> None:
    frame = pl.DataFrame({"id": ["b", "c"]})
    sql = f"SELECT id, n FROM {parquet([docs])} JOIN wanted USING (id) WHERE n > ? ORDER BY id"
    assert query(sql, [2], {"wanted": frame}).rows() == [("c", 3)]


def test_threads_do_not_disturb_each_other(docs: Path) -> None:
    found: list[int] = []

    def ask() -> None:
        for _ in range(20):
            answer = query(f"SELECT sum(n)::BIGINT AS s FROM {parquet([docs])}")
            found.append(answer["s"][0])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6] * 120


def test_an_isolated_connection_sees_its_frame_only(docs: Path, tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, 2, 3]})
    with isolated() as con:
        asked = ask(con, "SELECT n > ? AS hit FROM documents", frame, [1], seconds=5)
        assert asked is not None and asked["hit"].to_list() == [False, True, True]
        for sql in (
            f"SELECT * FROM {parquet([docs])}",
            "SELECT * FROM frame",
            f"COPY documents TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.db'",
            "SET memory_limit = '9TB'",
        ):
            with pytest.raises(DataError):
                ask(con, sql, frame, seconds=5)
        again = ask(con, "SELECT count(*) AS n FROM documents", frame, seconds=5)
        assert again is not None and again["n"].to_list() == [3]
    assert not (tmp_path / "out.csv").exists()


def test_an_isolated_query_that_takes_too_long_is_nothing() -> None:
    endless = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    with isolated() as con:
        assert ask(con, endless, pl.DataFrame({"n": [1]}), seconds=0.2) is None
        assert ask(con, "SELECT 1 AS one", pl.DataFrame({"n": [1]}), seconds=5) is not None


def test_a_condition_is_one_expression() -> None:
    assert parse_condition("n > 1 -- a comment")["type"] == "COMPARE_GREATERTHAN"
    assert parse_condition("(flag)")["class"] == "COLUMN_REF"
    for text in (
        "n > 1; n < 2",
        "n > 1) UNION SELECT (2",
        "n > 1 ORDER BY n",
        "n > 1) LIMIT (1",
        "n >",
    ):
        with pytest.raises(ConfigError, match="condition"):
            parse_condition(text)
