"""A threshold moved: kept documents and tokens per source, beside the same question in DuckDB.

    python tests/benchmarks/threshold_moved.py [--documents 1_000_000] [--moves 50]

Generated documents in 12 sources under 8 rules. Ours: `lab.curation.effect.cube.count_cells` as the
Filters page calls it, over values sorted once and running sums of what the other rules keep.
DuckDB (2 threads): one grouped query, over a table in memory and over a Parquet file, (a) with all
eight predicates and (b) with the other rules' verdict stored as a column, as ours has it. Both take
turns, move by move, and must agree to the token. Then
full attribution (first, only, any, fair share, per source): ours from the masks through the mask
cube; DuckDB's query gives first and only. Prints medians, 95th percentiles and ratios.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.curation.effect.accounting import account
from lab.curation.effect.cube import Ordered, count_cells, in_order, running_sums
from lab.curation.effect.sensitivity import other_rules
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule

SOURCES, RULES, SEED, MOVING = 12, 8, 20261101, 2


def generated(documents: int) -> tuple[pl.DataFrame, list[Rule]]:
    """Documents with one uniform value per rule; every rule drops 3 to 10 %, some of them alike."""
    rng = np.random.default_rng(SEED)
    common = rng.random(documents)
    values = {f"s{k}": 0.3 * common + 0.7 * rng.random(documents) for k in range(RULES)}
    source = np.sort(rng.integers(0, SOURCES, documents))
    frame = pl.DataFrame(
        {
            "source": pl.Series([f"source{k:02d}" for k in range(SOURCES)]).gather(source),
            "tokens": rng.integers(20, 3000, documents),
            "bytes": rng.integers(80, 12000, documents),
            "content_hash": rng.integers(0, documents * 10, documents),
            **values,
        }
    )
    shares = np.linspace(0.03, 0.10, RULES)
    rules = [Rule(f"s{k}", float(frame[f"s{k}"].quantile(shares[k]) or 0)) for k in range(RULES)]
    return frame, rules


def grouped(table: str, test: str) -> str:
    """The question in SQL."""
    return (
        f"SELECT source, count(*) AS documents, sum(tokens) AS tokens FROM {table} "
        f"WHERE {test} GROUP BY source ORDER BY source"
    )


def attribution_sql(table: str) -> str:
    """First failures and failures of one rule alone, in tokens per source."""
    picked = [
        f"sum(tokens) FILTER (mask & {(2 << k) - 1}::UBIGINT = {1 << k}) AS first{k}, "
        f"sum(tokens) FILTER (mask = {1 << k}) AS only{k}"
        for k in range(RULES)
    ]
    return f"SELECT source, {', '.join(picked)} FROM {table} GROUP BY source ORDER BY source"


def clocked(call: Callable[[], object], times: list[float]) -> object:
    """The result of `call`; its milliseconds are added to `times`."""
    start = time.perf_counter()
    result = call()
    times.append((time.perf_counter() - start) * 1e3)
    return result


def pool_of(own: pl.DataFrame) -> tuple[Ordered, NDArray[np.int64]]:
    """One source: values of the moving rule in order, sums of what the other rules keep."""
    ordered = in_order(own[f"s{MOVING}"].to_numpy(), own["tokens"].to_numpy())
    return ordered, running_sums(ordered, own["others"].to_numpy())


def moved(
    pools: dict[object, tuple[Ordered, NDArray[np.int64]]], low: float
) -> list[tuple[object, int, int]]:
    """Source, documents and tokens kept from `low` on."""
    cells = {name: count_cells(*pools[name], [low])[2:, 1:].sum(axis=1) for name in sorted(pools)}
    return [(name, int(documents), int(tokens)) for name, (documents, tokens) in cells.items()]


def main() -> None:
    """Generate, move, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--moves", type=int, default=50)
    options = parser.parse_args()
    frame, rules = generated(options.documents)
    mask = fail_mask(frame, rules)
    judged = frame.with_columns(mask, others=pl.Series(other_rules(mask.to_numpy(), MOVING)))
    pools = {name: pool_of(own) for (name,), own in judged.group_by("source")}
    con = duckdb.connect(config={"threads": 2})
    con.register("frame", judged.to_arrow())
    con.execute("CREATE TABLE documents AS SELECT * FROM frame")
    column = frame[f"s{MOVING}"]
    thresholds = [float(column.quantile(q) or 0) for q in np.linspace(0.01, 0.5, options.moves)]
    fixed = [f"{r.signal} >= {r.min!r}" for k, r in enumerate(rules) if k != MOVING]
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "documents.parquet"
        judged.write_parquet(file)
        for low in thresholds:
            move = f"s{MOVING} >= {low!r}"
            ours = clocked(lambda low=low: moved(pools, low), times.setdefault("ours", []))
            for name, table, tests in (
                ("DuckDB, table, 8 predicates", "documents", [*fixed, move]),
                ("DuckDB, table, others stored", "documents", ["others", move]),
                ("DuckDB, Parquet, 8 predicates", f"'{file}'", [*fixed, move]),
            ):
                sql = grouped(table, " AND ".join(tests))
                peer = clocked(lambda sql=sql: con.sql(sql).fetchall(), times.setdefault(name, []))
                assert peer == ours, name
        report(times, "threshold moved", options.documents)
    times = {}
    reasons = [rule.words() for rule in rules]
    small = judged.select("source", "tokens", "bytes", "mask")
    for _ in range(max(options.moves // 5, 5)):
        clocked(lambda: account(small, reasons).by_source_and_rule(), times.setdefault("ours", []))
        clocked(
            lambda: con.sql(attribution_sql("documents")).fetchall(),
            times.setdefault("DuckDB, table, first and only", []),
        )
    report(times, "full attribution", options.documents)


def report(times: dict[str, list[float]], work: str, documents: int) -> None:
    """One line per way of asking."""
    ours = float(np.median(times["ours"]))
    print(f"{work}, {documents:,} documents x {SOURCES} sources x {RULES} rules")
    for name, taken in times.items():
        p50, p95 = np.percentile(taken, [50, 95])
        print(f"  {name:32s} p50 {p50:8.2f} ms  p95 {p95:8.2f} ms  {p50 / ours:6.1f} x ours")


if __name__ == "__main__":
    main()
