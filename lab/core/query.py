"""The lens: DuckDB in memory over Parquet. The only module that imports duckdb.

One connection per process; every call takes its own cursor, runs one statement with bound
parameters and returns a finished Polars frame, because DuckDB 2 connections neither share between
threads nor allow a second query while a result is open. `isolated` is for a condition that a person
typed: a connection that reads no file at all, only the frames given with each query (`ask`), under
limits of time and memory.

A limit of time interrupts DuckDB between blocks of 2,048 rows; whoever evaluates something slow on
long texts gives it few rows at a time.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

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


@contextmanager
def time_limit(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt whatever `con` does after `seconds`, again and again until the block ends: a single
    interrupt that arrives between two statements would be forgotten.
    """
    over = threading.Event()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        while not over.wait(max(0.02, deadline - time.monotonic())):
            con.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def isolated(memory: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection without any file, for expressions that a person typed; closed at the end."""
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        con.execute(f"SET memory_limit = {quote(memory)}")
        con.execute("SET max_temp_directory_size = '0GB'")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()


def ask(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    frame: pl.DataFrame,
    parameters: Sequence[object] = (),
    *,
    seconds: float,
) -> pl.DataFrame | None:
    """Run one statement over `frame`, named `documents`, on an `isolated` connection; None if it
    took longer than `seconds`. DataError if it fails.
    """
    con.register("documents", frame)
    try:
        with time_limit(con, seconds):
            return con.sql(sql, params=list(parameters) or None).pl()
    except duckdb.InterruptException:
        return None
    except duckdb.Error as error:
        raise DataError(
            "The search failed.", value=first_line(error), next_step="correct the condition"
        ) from error
    finally:
        con.unregister("documents")


def first_line(error: Exception) -> str:
    """What DuckDB complains of, without its stack."""
    return (str(error).strip().splitlines() or [""])[0]


def parse_condition(condition: str) -> dict[str, Any]:
    """The syntax tree of one Boolean expression over the rows of `documents`.

    ConfigError if it is not exactly one: several statements, a UNION or a second clause.
    """
    sql = f"SELECT 1 FROM documents WHERE (\n{condition}\n)"
    asked = connection().cursor()
    try:
        written = asked.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]
    finally:
        asked.close()
    try:
        parsed = json.loads(written)
    except RecursionError as error:
        raise ConfigError(
            "This condition is nested too deeply.",
            next_step="make it shorter: `a + b + c` nests too",
        ) from error
    if parsed["error"]:
        raise ConfigError(
            "This is not an SQL condition.",
            value=parsed.get("error_message", condition),
            next_step="write what could stand after WHERE, for example tokens > 100",
        )
    nodes = [statement["node"] for statement in parsed["statements"]]
    extra = ("group_expressions", "having", "qualify", "sample", "modifiers")
    if len(nodes) != 1 or nodes[0]["type"] != "SELECT_NODE" or any(nodes[0][k] for k in extra):
        raise ConfigError(
            "Only one condition is allowed here.",
            value=condition,
            next_step="write what could stand after WHERE, and nothing after it",
        )
    tree: dict[str, Any] = nodes[0]["where_clause"]
    return tree
