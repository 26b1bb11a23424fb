"""The lens: DuckDB in memory over Parquet. The only module that imports duckdb.

One connection per process; every call takes its own cursor, runs one statement with bound
parameters and returns a finished Polars frame, because DuckDB 2 connections neither share between
threads nor allow a second query while a result is open. `select_only` is for SQL that a person
typed: exactly one SELECT, on a connection that can read the given files and nothing else, with a
time limit and a row cap.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from lab.core.errors import ConfigError, DataError


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """This process's in-memory database."""
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})


def query(
    sql: str,
    parameters: Sequence[object] = (),
    frames: Mapping[str, pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """Run one statement; `frames` are visible as tables under their names."""
    cursor = connection().cursor()
    try:
        for name, frame in (frames or {}).items():
            cursor.register(name, frame)
        return cursor.sql(sql, params=list(parameters) or None).pl()
    finally:
        cursor.close()


def parquet(paths: Sequence[Path]) -> str:
    """A table expression that reads `paths` in order, quoted for SQL."""
    quoted = ", ".join(quote(str(path)) for path in paths)
    return f"read_parquet([{quoted}])"


def quote(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def select_only(
    sql: str, views: Mapping[str, Sequence[Path]], *, limit: int = 10_000, seconds: float = 5.0
) -> pl.DataFrame:
    """Run a person's SELECT over `views` (name -> Parquet files) on a locked connection.

    Raises ConfigError if it is not exactly one SELECT, DataError if it fails or exceeds `seconds`.
    """
    require_one_select(sql)
    con = locked(views)
    timer = threading.Timer(seconds, con.interrupt)
    timer.start()
    try:
        return con.sql(f"SELECT * FROM ({sql.rstrip().rstrip(';')}) LIMIT {int(limit)}").pl()
    except duckdb.InterruptException as error:
        raise DataError(
            f"The query ran longer than {seconds:g} s and was stopped.",
            next_step="narrow it with a WHERE clause",
        ) from error
    except duckdb.Error as error:
        raise DataError("The query failed.", value=str(error), next_step="correct it") from error
    finally:
        timer.cancel()
        con.close()


def require_one_select(sql: str) -> None:
    """ConfigError unless `sql` is exactly one SELECT statement."""
    try:
        kinds = [s.type.name for s in connection().cursor().extract_statements(sql)]
    except duckdb.Error as error:
        raise ConfigError("This is not SQL.", value=str(error), next_step="correct it") from error
    if kinds != ["SELECT"]:
        raise ConfigError(
            "Only one SELECT is allowed here.", value=kinds, next_step="remove the rest"
        )


def locked(views: Mapping[str, Sequence[Path]]) -> duckdb.DuckDBPyConnection:
    """A fresh connection that sees `views`, no other file, and cannot be reconfigured."""
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    folders = sorted({str(path.parent) for paths in views.values() for path in paths})
    con.execute(f"SET allowed_directories = [{', '.join(map(quote, folders))}]")
    for view, paths in views.items():
        con.execute(f"CREATE VIEW {name(view)} AS SELECT * FROM {parquet(paths)}")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
