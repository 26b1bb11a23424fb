"""What is known about a head, as tables beside it: error, calibration, learning curve, bias.

Every number is from held-out folds and has an interval and the number of documents behind it.

- Calibration: documents in ten bins of equal size by predicted score; the mean label of a bin with
  Student's interval. Above the diagonal the head is too low.
- Bias: for every source, every key of `meta` with 2 to 30 values, and for heads on embeddings every
  cluster of the labelled documents: the mean of predicted - label (above zero: overrated), the
  share that the cut selects by score and by label. Twenty groups at 95 % make one false alarm.
  phi-4's report (Abdin et al. 2024, section 2.3) found such scores to over-select technical
  vocabulary: look here before cutting.
- Agreement between labellers, which bounds what a head can reach (`lab.curation.labels.agreement`).
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.estimate import Estimate
from lab.diversity.breadth.measures import wilson

F64 = NDArray[np.float64]
BINS = 10
SMALLEST_BIN = 10  # documents; below, intervals are wider than the scale
META_VALUES = (2, 30)
META_SHARE = 0.9  # of the labelled documents that must have the key
INTERVAL = ["value", "low", "high"]


def error_table(error: dict[str, Estimate]) -> pl.DataFrame:
    """Columns measure, value, low, high, n, unit."""
    rows = [(name, e.value, e.low, e.high, e.n, e.unit) for name, e in error.items()]
    return pl.DataFrame(rows, schema=["measure", *INTERVAL, "n", "unit"], orient="row")


def calibration_table(labels: F64, predicted: F64) -> pl.DataFrame:
    """Columns bin, from, to, predicted, label, low, high, n, by rising score."""
    bins = max(1, min(BINS, len(labels) // SMALLEST_BIN))
    rows = []
    for number, rows_in in enumerate(np.array_split(np.argsort(predicted, kind="stable"), bins)):
        own, given = predicted[rows_in], labels[rows_in]
        label = mean_estimate(given)
        ends = float(own.min()), float(own.max()), float(own.mean())
        rows.append((number, *ends, label.value, label.low, label.high, label.n))
    columns = ["bin", "from", "to", "predicted", "label", "low", "high", "n"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def mean_estimate(values: F64) -> Estimate:
    """A mean with Student's interval; of a single value, without bounds."""
    from scipy.stats import t

    n, mean = len(values), float(values.mean())
    half = float("inf") if n < 2 else float(t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5)
    return Estimate(mean, mean - half, mean + half, n, "label")


def bias_table(groupings: pl.DataFrame, labels: F64, predicted: F64, cut: float) -> pl.DataFrame:
    """One row a group of every column of `groupings`; see `store.TABLES` for the columns."""
    rows: list[dict[str, Any]] = []
    for grouping in groupings.columns:
        names = groupings[grouping]
        for name in names.drop_nulls().unique().sort():
            own = (names == name).fill_null(False).to_numpy()
            rows.append({"grouping": grouping, "name": name, "n": int(own.sum())})
            rows[-1] |= group_bias(labels[own], predicted[own], cut)
    return pl.DataFrame(rows, infer_schema_length=None)


def group_bias(labels: F64, predicted: F64, cut: float) -> dict[str, float]:
    """Residual and selection rates of one group, with intervals."""
    estimates = {
        "residual": mean_estimate(predicted - labels),
        "selected": wilson(int((predicted >= cut).sum()), len(labels)),
        "labelled": wilson(int((labels >= cut).sum()), len(labels)),
    }
    values: dict[str, float] = {}
    for name, e in estimates.items():
        values |= {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high}
    return values


def find_groupings(frame: pl.DataFrame, vectors: NDArray[np.float32] | None) -> pl.DataFrame:
    """Columns of group names for the labelled documents: source, meta.KEY, cluster."""
    columns = {"source": frame["source"]}
    columns |= {f"meta.{key}": values for key, values in meta_groups(frame["meta"]).items()}
    if vectors is not None:
        columns["cluster"] = cluster_names(vectors, frame["text"])
    return pl.DataFrame(columns)


def meta_groups(meta: pl.Series) -> dict[str, pl.Series]:
    """Values of the keys of `meta` that most documents have and that take few values."""
    import json

    # a loop: keys differ by document; 2 us each, for labelled documents only
    values = pl.DataFrame(
        [
            {
                k: str(v)
                for k, v in json.loads(text or "{}").items()
                if isinstance(v, str | int | bool)
            }
            for text in meta
        ],
        infer_schema_length=None,
        strict=False,
    )
    fewest, most = META_VALUES
    return {
        column.name: column.cast(pl.String)
        for column in values.get_columns()
        if column.len() - column.null_count() >= META_SHARE * column.len()
        and fewest <= column.drop_nulls().n_unique() <= most
    }


def cluster_names(vectors: NDArray[np.float32], text: pl.Series) -> pl.Series:
    """The label of each document's cluster among these documents, with its number."""
    from lab.diversity.layout.cluster import choose_k, find_clusters, label_clusters

    numbers = find_clusters(vectors, choose_k(len(vectors))).numbers
    labels = label_clusters(text, numbers)
    names = {row["cluster"]: f"{row['cluster']}: {row['label']}" for row in labels.to_dicts()}
    return pl.Series("cluster", [names[int(number)] for number in numbers], pl.String)
