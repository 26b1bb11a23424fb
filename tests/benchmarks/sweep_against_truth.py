"""Does the advice find the best mixture? A sweep, the loop, and a dense grid, all really trained.

    python -m tests.benchmarks.sweep_against_truth --folder DIR --recipe three
    python -m tests.benchmarks.sweep_against_truth --folder DIR --recipe seven

On the sample world, through the same commands as a user's: a sweep of 24 runs and its proposal; the
unattended loop in a workspace without runs, and its proposal; then, in a copy of the sweep's, for
three sources every mixture of a grid with step 1/8, and for both recipes the proposals, natural,
uniform and the best of all that was trained, each with three seeds that no fit has seen. What is
minimised is what the advice minimised: the mean of its targets, in bits per byte.

Regret is the mean of a mixture over its three seeds less that of the best mixture, with a t
interval from the seeds' pooled SD. The best was chosen among many noisy runs and is judged here by
fresh ones, so no luck is left in it, and a regret may be negative.

Writes report.json, points.parquet (predicted and measured of every mixture that the fit has not
seen) and points.html, the picture. Stopped, it goes on where it was. Half an hour to an hour.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from lab.advice.design.swarm import unique_tokens, with_weights
from lab.advice.evidence.evidence import metric_table, weight_table
from lab.core.files import write_json
from lab.core.workspace import Workspace, create, open_workspace
from lab.evaluation.runs.trajectories import scored_runs
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe, save_recipe

RECIPES = {
    "three": ("web", "encyclopaedia", "exercises"),
    "seven": (
        *("web", "forum", "encyclopaedia", "code"),
        *("web_rewritten", "textbooks", "exercises"),
    ),
}
BUDGET = 1_000_000  # tokens of the real run: every share keeps within four epochs, no cap binds
STEP = 8  # the grid's shares are multiples of one eighth
FRESH = 100  # first of the three seeds that no fit has seen
RUNS, REPEATS = 21, 3  # 24 runs: 21 mixtures, the first of them four times


def main() -> None:
    """All stages of one recipe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--recipe", choices=list(RECIPES), default="three")
    parser.add_argument("--tokens", type=int, default=600_000, help="of a run")
    parser.add_argument("--minutes", type=int, default=60, help="budget of the loop")
    parser.add_argument("--until", choices=("sweep", "loop", "grid", "report"), default="report")
    options = parser.parse_args()
    name, tokens = options.recipe, ("--tokens", str(options.tokens))
    swept, looped = (
        workspace(options.folder, f"{name}-{part}", name) for part in ("sweep", "loop")
    )
    mixlab(swept, "sweep", name, "--runs", str(RUNS), "--repeats", str(REPEATS), *tokens)
    if options.until == "sweep":
        return
    advice = mixlab(swept, "advise", name)
    write_json(options.folder / f"{name}.advice.json", advice)
    loop = mixlab(looped, "loop", name, "--budget", str(options.minutes), *tokens)
    if options.until == "loop":
        return
    truth = copied(swept, options.folder / f"{name}-truth")
    if len(RECIPES[name]) == 3:
        train_grid(truth, name, tokens)
    if options.until == "grid":
        return
    report(options.folder, swept, truth, name, advice, loop, options.tokens)


def workspace(folder: Path, part: str, name: str) -> Workspace:
    """A copy of the sample world with the recipe; built once."""
    base = folder / "base"
    if not (base / "done").is_file():
        from lab.jobs.sample import build_sample

        shutil.rmtree(base, ignore_errors=True)
        build_sample(create(base))
        (base / "done").touch()
    ws = copied(open_workspace(base), folder / part)
    natural = load_recipe(ws, "natural")
    own = replace(
        natural,
        sources={source: natural.sources[source] for source in RECIPES[name]},
        mixture=replace(natural.mixture, tokens=BUDGET),
    )
    even = with_weights(own, name, {source: 1 / len(own.sources) for source in own.sources})
    save_recipe(ws, with_weights(even, name, shares(unique_tokens(ws, even))))
    return ws


def copied(ws: Workspace, folder: Path) -> Workspace:
    """A copy of a workspace, made once."""
    if not folder.exists():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(ws.root, half)
        half.rename(folder)
    return open_workspace(folder)


def shares(amounts: Mapping[str, float]) -> dict[str, float]:
    """Amounts as shares of one."""
    total = sum(amounts.values())
    return {name: value / total for name, value in amounts.items()}


def mixlab(ws: Workspace, command: str, *words: str) -> dict[str, Any]:
    """A command's JSON; its progress goes to this terminal."""
    argv = [sys.executable, "-m", "lab.cli", command, *words, "-w", str(ws.root), "--json"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{command} {words[0]}: done", flush=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def simplex(parts: int, total: int) -> Iterator[tuple[int, ...]]:
    """All ways to give `total` eighths to so many sources."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in simplex(parts - 1, total - first):
            yield (first, *rest)


def train_grid(ws: Workspace, name: str, tokens: Sequence[str]) -> None:
    """Every mixture of the grid under one seed."""
    base = load_recipe(ws, name)
    names = []
    for point in simplex(len(base.sources), STEP):
        weights = {s: k / STEP for s, k in zip(base.sources, point, strict=True)}
        names.append(saved(ws, base, f"{name}-grid-" + "-".join(map(str, point)), weights))
    mixlab(ws, "train", *names, *tokens)


def saved(ws: Workspace, base: Recipe, name: str, weights: Mapping[str, float]) -> str:
    """The recipe with these weights, saved under its name."""
    save_recipe(ws, with_weights(base, name, weights))
    return name


def report(
    folder: Path,
    swept: Workspace,
    ws: Workspace,
    name: str,
    advice: dict[str, Any],
    loop: dict[str, Any],
    tokens: int,
) -> None:
    """Train what is judged under fresh seeds, and say what each lost to the best."""
    from lab.advice.proposing.store import latest

    base = load_recipe(ws, name)
    found = latest(swept)
    assert found is not None
    fit, targets = found[0], list(advice["targets"])
    even = dict.fromkeys(base.sources, 1 / len(base.sources))
    judged = {
        "proposal": {s: w["value"] for s, w in advice["weights"].items()},
        "loop": loop["proposal"],
        "natural": advice["natural"],
        "uniform": even,
    }
    before = measured(ws, name, targets, seeds=(0,))
    judged["best"] = {s: float(before[s][0]) for s in base.sources}
    names = [saved(ws, base, f"{name}-fresh-{key}", w) for key, w in judged.items()]
    mixlab(
        *(ws, "train", *names, "--tokens", str(tokens)),
        *("--seed", str(FRESH), "--seeds", "3"),
    )
    after = measured(ws, name, targets, seeds=range(FRESH, FRESH + 3))
    rows = after.filter(pl.col("name").is_in(names))
    points = unseen(ws, name, fit, targets)
    points.write_parquet(folder / f"{name}.points.parquet")
    picture(points).write_html(folder / f"{name}.points.html")
    told = {
        "recipe": name,
        "targets": targets,
        "verdict": advice["verdict"],
        "p_better": advice["p_better"],
        "gain": advice["gain"],
        "weights": advice["weights"],
        "judged": judged,
        "regret": regrets(rows, name),
        "loop": {key: loop[key] for key in ("ended", "runs", "minutes", "verdict", "p_better")},
        "unseen": quality(points),
    }
    write_json(folder / f"{name}.report.json", told)
    print(json.dumps(told, indent=1))


def measured(
    ws: Workspace, name: str, targets: Sequence[str], seeds: Sequence[int]
) -> pl.DataFrame:
    """Runs of these seeds: run, name, sources, seed and cost, the mean of the targets; best first.

    Of the sweep's repeats only those seeds are taken, so all mixtures have the same number.
    """
    runs = [r for r in scored_runs(ws) if r.spec["seed"] in seeds and ours(r.spec["recipe"], name)]
    weights = weight_table(runs, list(RECIPES[name]))
    values = metric_table(runs, list(targets))
    cost = values.select("run", cost=pl.mean_horizontal(list(targets)))
    seed = pl.Series("seed", [r.spec["seed"] for r in runs])
    return weights.with_columns(seed).join(cost, on="run").sort("cost")


def ours(recipe: str, name: str) -> bool:
    """True for runs of the experiment's recipe and its variants."""
    return recipe == name or recipe.startswith(f"{name}-")


def regrets(rows: pl.DataFrame, name: str) -> dict[str, Any]:
    """Mean over seeds less the best mixture's, with a 90 % t interval from the pooled SD."""
    from scipy.special import stdtrit

    own = rows.group_by("name").agg(pl.col("cost").mean().alias("mean"), pl.len())
    freedom = rows.height - own.height
    pooled = rows.with_columns(off=pl.col("cost") - pl.col("cost").mean().over("name"))
    sd = float(np.sqrt((pooled["off"].to_numpy() ** 2).sum() / freedom))
    means = dict(own.select("name", "mean").iter_rows())
    best = means[f"{name}-fresh-best"]
    half = float(stdtrit(freedom, 0.95)) * sd * float(np.sqrt(2 / 3))
    found: dict[str, Any] = {"sd_of_seeds": sd}
    for key, mean in means.items():
        off = mean - best
        found[key.removeprefix(f"{name}-fresh-")] = {
            "measured": mean,
            "regret": off,
            "interval": [off - half, off + half],
        }
    return found


def unseen(ws: Workspace, name: str, fit: Any, targets: Sequence[str]) -> pl.DataFrame:
    """Predicted and measured mean of the targets for every mixture that the fit has not seen."""
    from lab.advice.fitting.bootstrap import bootstrap

    rows = measured(ws, name, targets, seeds=range(FRESH + 3))
    rows = rows.filter(~pl.col("run").is_in(list(fit.runs)))
    weights = rows.select(fit.sources).to_numpy()
    columns = [fit.metrics.index(target) for target in targets]
    signs = np.array([fit.signs[c] for c in columns])
    value = (fit.surface.predict(weights)[0][:, columns] * signs).mean(axis=1)
    drawn = (bootstrap(fit, 200).predict(weights)[:, :, columns] * signs).mean(axis=2)
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    kind = pl.col("name").str.extract(rf"^{name}-(grid|fresh|sweep)", 1).fill_null("sweep")
    return rows.select(
        "run", "name", "seed", kind=kind, measured="cost",
        predicted=pl.Series(value), low=pl.Series(low), high=pl.Series(high),
    )  # fmt: skip


def quality(points: pl.DataFrame) -> dict[str, Any]:
    """Spearman's rho and RMSE of the predictions on mixtures that the fit has not seen."""
    if points.is_empty():
        return {}
    off = (points["measured"] - points["predicted"]).to_numpy()
    rho = points.select(pl.corr("measured", "predicted", method="spearman")).item()
    return {"n": points.height, "spearman": rho, "rmse": float(np.sqrt((off**2).mean()))}


def picture(points: pl.DataFrame) -> go.Figure:
    """Predicted against measured, with the predictions' intervals and the line of equality."""
    figure = go.Figure()
    ends = [points["measured"].min(), points["measured"].max()]
    figure.add_scatter(x=ends, y=ends, mode="lines", name="equal", line={"dash": "dot"})
    for (kind,), own in points.group_by("kind", maintain_order=True):
        figure.add_scatter(
            x=own["predicted"], y=own["measured"], mode="markers", name=str(kind),
            text=own["name"],
            error_x={"type": "data", "symmetric": False, "thickness": 0.7,
                     "array": own["high"] - own["predicted"],
                     "arrayminus": own["predicted"] - own["low"]},
        )  # fmt: skip
    # at a corner without runs an interval can reach hundreds: the points set the frame
    near, far = points["predicted"].min(), points["predicted"].max()
    edge = 0.05 * (far - near)
    figure.update_layout(
        xaxis={"title": "predicted, bits per byte", "range": [near - edge, far + edge]},
        yaxis_title="measured, bits per byte",
    )
    return figure


if __name__ == "__main__":
    main()
