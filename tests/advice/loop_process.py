"""A loop in a process of its own, to be killed: `python tests/advice/loop_process.py FOLDER`.

A planted truth of four sources plays the trainer. A run takes a few milliseconds and leaves a file
that appears whole, as a run folder does; what has its file is not trained again.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from lab.advice.design.design import design_mixtures
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.loop.record import Wanted
from lab.advice.loop.rounds import Trained, first_round, run_loop
from lab.advice.loop.terms import Terms
from lab.core.files import write_json
from lab.core.progress import Progress

NATURAL = {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}
SLOPES = np.array([[-1.0, 0.5, 0.0, 1.0], [0.5, -1.5, 0.5, 0.0]])
NOISE, RUN = 0.2, 0.03  # SD of a score; seconds


def main(folder: Path) -> None:
    """Run or continue the loop, and write its proposal."""
    runs = folder / "runs"

    def train(wanted: Sequence[Wanted], progress: Progress) -> Trained:
        for run in wanted:
            path = runs / f"{run.name}-{run.seed}.json"
            if not path.is_file():
                time.sleep(RUN)
                shares = np.array([run.weights[name] for name in NATURAL])
                luck = np.random.default_rng([run.seed, *run.name.encode()]).normal(0, NOISE, 2)
                scores = np.exp(SLOPES @ shares) + luck
                row = {"run": path.stem, **run.weights, "scores": scores.tolist()}
                write_json(path, row | {"trained_by": os.getpid(), "at": time.time_ns()})
        return Trained(float(len(wanted)))

    def refit() -> Fit:
        rows = [json.loads(path.read_text()) for path in sorted(runs.glob("*.json"))]
        weights = pl.DataFrame([{key: row[key] for key in ("run", *NATURAL)} for row in rows])
        scores = [{"run": r["run"], "m0": r["scores"][0], "m1": r["scores"][1]} for r in rows]
        return fit_table(weights, pl.DataFrame(scores), laws=["log_linear"])

    terms = Terms(NATURAL, 60.0, kl=0.005, targets=("m0", "m1"), replicates=40)
    first = first_round(design_mixtures(NATURAL, 7, 0), 0)
    done = run_loop(folder / "loop", terms, first, train, refit)
    write_json(folder / "decision.json", {"proposal": done.advice.proposal, "by": done.verdict})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
