"""Every law and `auto` on RegMix's published runs: rank correlation, coverage, time.

    python tests/benchmarks/advice_on_published_runs.py [--runs 32,64,128,512] [--subsets 20]
                                                        [--first 0] [--no-trees] [--no-auto]

Fitted on random subsets of the 512 runs of 1M, `default_rng(s).choice(512, K, replace=False)` for s
= first ... first + subsets - 1, judged on mixtures never fitted: 256 at 1M, the same 256 at 60M, 64
at 1B. All 512 runs are one subset only. Printed per K and law:

- Pile-CC: mean of Spearman's rho at 1M / 60M / 1B and its standard deviation over subsets;
- all 13 metrics: mean rho, and the least of any metric and subset at 1B;
- for `auto`: coverage of unseen 1M runs by 90 % intervals over all metrics, and laws chosen;
- the proposal for Pile-CC: its predicted loss among the 256 observed ones (share that are lower);
- seconds of this process (CPU) for fit and proposal from all runs, 17 sources, 13 metrics.

What was looked at when the laws were designed: exponents, transformations and the rule of the
combination were tried on subsets 100-104 of all 13 metrics, with the unseen rows in view, and then
fixed for all metrics and all K; the choice within `auto` sees fitted rows only.
"""

# ruff: noqa: E402 (NumPy and Polars read their numbers of threads when they are imported)
import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np
import polars as pl

from lab.advice.fitting.crossval import fit_laws
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.fitting.predict import half_width
from lab.advice.fitting.scores import spearman
from lab.advice.laws import AUTO, get_law
from lab.advice.proposing.advise import advise

FIXTURES = ROOT / "tests" / "advice" / "fixtures" / "regmix"
UNSEEN = ("test_1m", "test_60m", "test_1B")
TARGET = "pile_cc"
PILE = (
    0.113285, 0.079609, 0.003913, 0.185376, 0.051081, 0.015963, 0.101751, 0.003708, 0.066529,
    0.001751, 0.027085, 0.236869, 0.01184346, 0.007930, 0.008033, 0.038826, 0.046447,
)  # fmt: skip


def tables(name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ratios and metrics of one of the four files."""
    frame = pl.read_parquet(FIXTURES / f"regmix_{name}.parquet")
    parts = (frame.select("run", pl.col(f"^{kind}/.*$")) for kind in ("mix", "loss"))
    ratios, metrics = (part.rename(lambda column: column.split("/")[-1]) for part in parts)
    return ratios, metrics


def arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights that sum to one, and losses."""
    ratios, metrics = tables(name)
    weights = ratios.drop("run").to_numpy()
    return weights / weights.sum(axis=1, keepdims=True), metrics.drop("run").to_numpy()


def correlations(predict: object, unseen: list) -> np.ndarray:
    """Rho per metric and size, [13, 3]."""
    found = []
    for weights, losses in unseen:
        pairs = zip(predict(weights).T, losses.T, strict=True)
        found.append([spearman(one, other)[0] for one, other in pairs])
    return np.array(found).T


def coverage(fit: Fit, weights: np.ndarray, losses: np.ndarray) -> float:
    """Share of unseen runs inside their 90 % interval, over all metrics."""
    errors = fit.costs - fit.heldout
    widths = np.array([half_width(column, 0.9) for column in errors.T])
    return float((np.abs(fit.predict(weights) - losses) <= widths).mean())


def line(runs: int, name: str, found: list, column: int) -> str:
    """One row of the table from a list of [13, 3]."""
    stack = np.array(found)
    mean, spread = stack[:, column].mean(axis=0), stack[:, column].std(axis=0)
    cells = " ".join(f"{m:.4f}±{s:.4f}" for m, s in zip(mean, spread, strict=True))
    every = " ".join(f"{m:.4f}" for m in stack.mean(axis=(0, 1)))
    return f"{runs:4} {name:11} {cells}   {every}  {stack[:, :, 2].min():.3f}"


def standing(ratios: pl.DataFrame, metrics: pl.DataFrame, observed: np.ndarray) -> str:
    """Fit and propose for the target alone; where its prediction lies among observed losses."""
    fit = fit_table(ratios, metrics, only=[TARGET])
    advice = advise(fit, dict(zip(fit.sources, PILE, strict=True)))
    loss = advice.scores["proposal"][0]
    lower = float((observed < loss).mean())
    share = advice.proposal[TARGET]
    return f"{TARGET} {share:.3f}, predicted {loss:.3f}, {lower:.1%} of unseen runs are lower"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", default="32,64,128,512")
    parser.add_argument("--subsets", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--no-trees", action="store_true")
    parser.add_argument("--no-auto", action="store_true")
    options = parser.parse_args()
    weights, losses = arrays("train_1m")
    ratios, metrics = tables("train_1m")
    column = metrics.columns.index(TARGET) - 1
    unseen = [arrays(name) for name in UNSEEN]
    print("   K law         Pile-CC 1M / 60M / 1B, sd over subsets    13 metrics: mean, worst 1B")
    for runs in map(int, options.runs.split(",")):
        found: dict[str, list[np.ndarray]] = {}
        covered, chosen = [], Counter[str]()
        for number in range(options.subsets if runs < len(weights) else 1):
            seed = options.first + number
            rows = np.random.default_rng(seed).choice(len(weights), runs, replace=False)
            fits = fit_laws(AUTO, weights[rows], losses[rows])
            if runs >= 64 and not options.no_trees:
                fits["lightgbm"] = get_law("lightgbm").fit(weights[rows], losses[rows])
            for law, fit in fits.items():
                found.setdefault(law, []).append(correlations(fit.predict, unseen))
            if not options.no_auto:
                auto = fit_table(ratios[rows.tolist()], metrics[rows.tolist()])
                found.setdefault("auto", []).append(correlations(auto.predict, unseen))
                covered.append(coverage(auto, *unseen[0]))
                chosen.update(auto.scores.filter("chosen")["law"].to_list())
        for law, each in found.items():
            print(line(runs, law, each, column), flush=True)
        if covered:
            least, most = min(covered), max(covered)
            print(f"     auto: coverage {np.mean(covered):.3f} ({least:.3f}-{most:.3f}); {chosen}")
    if options.no_auto:
        return
    rows = np.random.default_rng(options.first).choice(len(weights), 64, replace=False).tolist()
    print("64 runs:", standing(ratios[rows], metrics[rows], unseen[0][1][:, column]), flush=True)
    start = time.process_time(), time.perf_counter()
    fit = fit_table(ratios, metrics)
    middle = time.process_time()
    advise(fit, dict(zip(fit.sources, PILE, strict=True)))
    end = time.process_time(), time.perf_counter()
    print(
        f"512 runs, 13 metrics: fit {middle - start[0]:.1f} s and proposal {end[0] - middle:.1f} s "
        f"of CPU, {end[1] - start[1]:.1f} s on the clock"
    )


if __name__ == "__main__":
    main()
