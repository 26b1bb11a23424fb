"""Mixtures and runs as files that other tools read and write.

Runs are Olmix's two tables, `ratios.csv` (run,name,index,<source...>) and `metrics.csv`
(run,name,index,<metric...>; allenai/olmix, `olmix fit`), which `lab.advice.evidence.tables` also
reads; CSV holds every float in its shortest form that reads back as itself, so a round trip changes
nothing. A single mixture, supply or set of caps is a table of two columns (source and number), a
table of one row in the layout of ratios, or a YAML or JSON mapping.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lab.advice.evidence.tables import KEYS, read_table
from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.core.errors import DataError
from lab.core.files import read_yaml, write_text

MAPPINGS = (".yaml", ".yml", ".json")


def run_tables(fit: Fit) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ratios and metrics of the runs that were fitted, in Olmix's layout."""
    ids = {"run": list(fit.runs), "name": list(fit.runs), "index": list(range(len(fit.runs)))}
    shares = {name: fit.weights[:, j] for j, name in enumerate(fit.sources)}
    values = fit.costs * fit.signs
    return (
        pl.DataFrame(ids | shares),
        pl.DataFrame(ids | {name: values[:, t] for t, name in enumerate(fit.metrics)}),
    )


def proposed_runs(advice: Advice) -> pl.DataFrame:
    """The proposal, the natural mixture and the next runs as ratios in Olmix's layout."""
    rows = [{"run": "proposal", **advice.proposal}, {"run": "natural", **advice.natural}]
    rows += advice.next_runs.select("run", *advice.weights).to_dicts()
    ids = [{"run": row["run"], "name": row["run"], "index": k} for k, row in enumerate(rows)]
    return pl.DataFrame([own | row for own, row in zip(ids, rows, strict=True)])


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """A frame as CSV, written beside its place and then renamed."""
    text = io.StringIO()
    frame.write_csv(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text.getvalue())


def write_tables(fit: Fit, folder: Path) -> tuple[Path, Path]:
    """`ratios.csv` and `metrics.csv` of the fitted runs in `folder`; the paths."""
    paths = folder / "ratios.csv", folder / "metrics.csv"
    for frame, path in zip(run_tables(fit), paths, strict=True):
        write_table(frame, path)
    return paths


def read_shares(path: Path) -> dict[str, float]:
    """One number per source; DataError if the file holds anything else."""
    if path.suffix in MAPPINGS:
        found = read_yaml(path)
        if not isinstance(found, Mapping) or not found:
            raise bad(path, type(found).__name__)
        return {str(name): number(path, name, value) for name, value in found.items()}
    frame = read_table(path)
    texts = [c for c, kind in frame.schema.items() if kind == pl.String and c != "name"]
    if frame.width == 2 and len(texts) == 1:
        return pairs(path, frame[texts[0]].to_list(), frame.drop(texts).to_series().to_list())
    wide = frame.drop([column for column in KEYS if column in frame.columns])
    if frame.height != 1 or not wide.width:
        raise bad(path, f"{frame.height} rows of {frame.width} columns")
    return pairs(path, wide.columns, list(wide.row(0)))


def pairs(path: Path, names: Sequence[str], values: Sequence[Any]) -> dict[str, float]:
    """Names with their numbers; DataError for a name that comes twice."""
    if len(set(names)) < len(names):
        raise bad(path, "a source is named twice")
    return {name: number(path, name, value) for name, value in zip(names, values, strict=True)}


def number(path: Path, name: object, value: object) -> float:
    """`value` as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise bad(path, f"{name}: {value!r}")
    try:
        return float(value)  # YAML takes 1e9, without a point, for text
    except ValueError as error:
        raise bad(path, f"{name}: {value!r}") from error


def bad(path: Path, value: str) -> DataError:
    """What is wrong with a file of shares."""
    return DataError(
        "This file does not hold one number per source.",
        where=str(path),
        value=value,
        next_step="give two columns (source,weight), one row in the layout of ratios.csv, or a "
        "YAML or JSON mapping",
    )
