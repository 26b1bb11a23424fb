"""Is a set that was chosen for breadth better to train on? Every method, by proxy runs.

    python -m tests.benchmarks.selections_by_proxy_run --folder DIR [--seeds 5]

Breadth is no end in itself: what counts is the model that is trained on the set. On the `web`
source of the sample world (5,760 pages, two in five of them spam, menus, stubs and the like), by
the commands of a user: all pages are embedded, each method of `mixlab select` keeps the same share
of the tokens, one recipe a selection trains on nothing else, one on all of web. All train on
equally many tokens, so selections are repeated equally often; all of web is seen less than once.

Judged are bits per byte on held-out text (of web, of its good pages alone, of the encyclopaedia,
the mean of the six other sources), bits per byte of the benchmarks' right answers, and accuracy.
All arms share the initial weights of a seed, so means have a t interval from the seeds' pooled
SD, differences from what is left of it after each seed's own effect (randomised blocks, Fisher
1935). A difference to `random` whose 95 % interval holds zero is unresolved; of twenty without any
effect one is not. `random again` is another draw, no broader: it shows what choosing by chance
alone moves, which no interval holds. `quality alone` is MMR with hardly any weight on distance.

Beside this stands what a selection reports of its breadth, and its share of junk by the planted
truth; rho says whether that ordered the selections as training did (of eleven, beyond .62 is
resolved; near-duplicates are mostly zero, so theirs only parts the methods that drop copies).

Where it fails: one source, one share, one small model; sets differ in topics and junk at once.
Writes report.json. Stopped, it goes on where it was. A quarter of an hour on two cores.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lab.core.files import write_json, write_yaml
from lab.core.workspace import Workspace, open_workspace
from lab.corpus.tokenizer import default_tokenizer
from lab.curation.attributes import attributes
from lab.diversity.selecting.methods import METHODS
from lab.evaluation.runs.trajectories import ScoredRun, scored_runs

SOURCE, DOCUMENTS, QUALITY = "web", 5760, "quality.educational"
BASE, ALL = "random", "all of web"
GOOD = ("good", "article")  # kinds of pages by the planted truth; the rest is junk
ARMS = {
    name: ("--method", name, *(("--quality", QUALITY) if entry.needs_quality else ()))
    for name, entry in METHODS.items()
} | {
    "random again": ("--method", BASE, "--seed", "1"),
    "mmr, quality": ("--method", "mmr", "--quality", QUALITY),
    "quality alone": ("--method", "mmr", "--quality", QUALITY, "--balance", "0.999"),
}
METRICS = {  # in the table -> as scored; those without a name are computed here
    "web": "heldout/web/bpb",
    "good pages": "",
    "encyclopaedia": "heldout/encyclopaedia/bpb",
    "others": "",
    "facts": "benchmark/facts/gold_bpb",
    "answers": "benchmark/(mean)/gold_bpb",
    "accuracy": "benchmark/(mean)/accuracy",  # the one of which more is better
}
PREDICTORS = ("vendi_1", "near_duplicates", "junk")


def main() -> None:
    """All stages: workspace, selections, runs, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--keep", type=float, default=0.3, help="share of the tokens of web")
    parser.add_argument("--tokens", type=int, default=550_000, help="of a run")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    ws = workspace(options.folder / "w")
    found = {
        name: mixlab(ws.root, "select", SOURCE, *words, "--keep", str(options.keep))
        for name, words in ARMS.items()
    }
    truth = pages(ws)
    sets = described(ws, found, truth)
    recipes = {name: recipe(ws, name, sets[name]["column"], options.tokens) for name in sets}
    budget = ("--tokens", str(options.tokens), "--seeds", str(options.seeds))
    trained = mixlab(ws.root, "train", *recipes.values(), *budget, "--no-snapshots")
    runs = [run for run in scored_runs(ws) if run.folder.name in trained["runs"]]
    names = {recipe: name for name, recipe in recipes.items()}
    scores = pl.DataFrame([measured(run, names, truth) for run in runs])
    judged = {metric: compared(scores, metric) for metric in METRICS}
    report = {
        **{key: getattr(options, key) for key in ("keep", "tokens", "seeds")},
        "sets": sets,
        "metrics": judged,
        "rho": agreement(judged, sets),
        "runs": scores.sort("arm", "seed").to_dicts(),
    }
    write_json(options.folder / "report.json", report)
    show(report)


def workspace(root: Path) -> Workspace:
    """The sample world with all of the source embedded; made once."""
    if not (root / "world" / "done.json").is_file():
        mixlab(root, "init", "--sample")
    mixlab(root, "embed", "--source", SOURCE, "--sample", str(DOCUMENTS))
    return open_workspace(root)


def mixlab(root: Path, command: str, *words: str) -> dict[str, Any]:
    """A command's JSON; its progress goes to this terminal."""
    argv = [sys.executable, "-m", "lab.cli", command, *words, "-w", str(root), "--json"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{command} {' '.join(words)}: done", flush=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def pages(ws: Workspace) -> pl.DataFrame:
    """The planted truth of the source: id as in the workspace, good."""
    truth = pl.read_parquet(ws.root / "world" / "truth" / "documents.parquet")
    return truth.filter(source=SOURCE).select(
        id=pl.col("source") + "/" + pl.col("id"), good=pl.col("quality").is_in(GOOD)
    )


def described(
    ws: Workspace, found: Mapping[str, dict[str, Any]], truth: pl.DataFrame
) -> dict[str, dict[str, Any]]:
    """Of every arm its column, what the selection reports of breadth, and its share of junk."""
    columns = [one["column"] for one in found.values()]
    frame = attributes(ws, SOURCE, columns, default_tokenizer(ws)).filter(~pl.col("heldout"))
    frame = frame.join(truth, on="id", how="left", validate="1:1")
    sets = {
        name: about(one["column"], frame.filter(pl.col(one["column"]) == "kept"), one["after"])
        for name, one in found.items()
    }
    return sets | {ALL: about(None, frame, found[BASE]["before"])}


def about(column: str | None, frame: pl.DataFrame, panel: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a set of training documents; junk is a share of its tokens."""
    tokens = int(frame["tokens"].sum())
    return {
        "column": column,
        "documents": frame.height,
        "tokens": tokens,
        "junk": int(frame.filter(~pl.col("good"))["tokens"].sum()) / tokens,
        **{name: value["value"] for name, value in panel.items()},
    }


def recipe(ws: Workspace, name: str, column: str | None, tokens: int) -> str:
    """A recipe that trains on the selection alone, as many tokens as the proxy: no document is left
    out to match the repetition of a longer run.
    """
    key = f"chosen-{name.replace(',', '').replace(' ', '-')}"
    filters = [{"signal": column, "in": ["kept"]}] if column else []
    phase = {"name": "all", "share": 1.0, "weights": {SOURCE: 1.0}}
    mapping = {
        "version": 1,
        "name": key,
        "tokenizer": default_tokenizer(ws),
        "sources": {SOURCE: {"filters": filters}},
        "mixture": {"tokens": tokens, "repeat_cap": 4.0, "phases": [phase]},
    }
    write_yaml(ws.recipes / f"{key}.yaml", mapping)
    return key


def measured(run: ScoredRun, names: Mapping[str, str], truth: pl.DataFrame) -> dict[str, Any]:
    """One run: arm, seed, the metrics, and bits per byte of every source."""
    scored = {
        f"{row['scope']}/{row['on']}/{row['metric']}": float(row["value"])
        for row in run.summary["metrics"]
    }
    apart = {key: value for key, value in scored.items() if key.startswith("heldout/")}
    others = [v for k, v in apart.items() if k.split("/")[1] not in (SOURCE, "(mean)")]
    own = pl.read_parquet(run.folder / "scores" / "heldout.parquet").filter(source=SOURCE)
    good = own.join(truth.filter("good"), on="id", how="semi")
    computed = {
        "good pages": good["nats"].sum() / np.log(2) / good["bytes"].sum(),
        "others": float(np.mean(others)),
    }
    table = {name: scored[key] if key else computed[name] for name, key in METRICS.items()}
    return {"arm": names[run.spec["recipe"]], "seed": run.spec["seed"], **table, **apart}


def compared(scores: pl.DataFrame, metric: str) -> dict[str, dict[str, Any]]:
    """Mean of every arm and its gain on `random`, positive if better, each with its interval."""
    wide = scores.pivot(on="seed", index="arm", values=metric)
    values = wide.drop("arm").to_numpy()  # [arms, seeds]
    arms, seeds = values.shape
    mean = values.mean(axis=1)
    off = values - mean[:, None]
    half = spread(off, arms * (seeds - 1)) * (1 / seeds) ** 0.5
    reach = spread(off - off.mean(axis=0), (arms - 1) * (seeds - 1)) * (2 / seeds) ** 0.5
    gains = (mean - mean[wide["arm"].to_list().index(BASE)]) * (1 if metric == "accuracy" else -1)
    return {
        arm: {"mean": value, "half": half, "gain": gain, "interval": [gain - reach, gain + reach]}
        for arm, value, gain in zip(wide["arm"], mean.tolist(), gains.tolist(), strict=True)
    }


def spread(rest: NDArray[np.float64], freedom: int) -> float:
    """SD of residuals times the t quantile of a 95 % interval."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975) * np.sqrt((rest**2).sum() / freedom))


def agreement(
    judged: Mapping[str, dict[str, Any]], sets: Mapping[str, dict[str, Any]]
) -> dict[str, dict[str, float]]:
    """Spearman's rho over the selections between what is known of a set and its gain."""
    gains = pl.DataFrame({key: [arms[arm]["gain"] for arm in ARMS] for key, arms in judged.items()})
    known = {key: pl.Series([float(sets[arm][key]) for arm in ARMS]) for key in PREDICTORS}
    rho = {
        key: gains.select(pl.corr(pl.all(), pl.lit(values), method="spearman"))
        for key, values in known.items()
    }
    return {key: found.row(0, named=True) for key, found in rho.items()}


def show(report: Mapping[str, Any]) -> None:
    """The table: what the sets are, then every metric with its gain on the base."""
    print(f"{'':18}{'documents':>10}{'tokens':>9}{'junk':>7}{'Vendi':>8}{'copies':>8}")
    for arm, own in report["sets"].items():
        print(
            f"{arm:18}{own['documents']:>10,}{own['tokens']:>9,}{own['junk']:>7.1%}"
            f"{own['vendi_1']:>8.1f}{own['near_duplicates']:>8.1%}"
        )
    for metric, arms in report["metrics"].items():
        print(f"\n{metric} {METRICS[metric]}")
        for arm in report["sets"]:
            one = arms[arm]
            low, high = one["interval"]
            verdict = "better" if low > 0 else "worse" if high < 0 else "unresolved"
            told = "" if arm == BASE else f"{one['gain']:+.4f} [{low:+.4f}, {high:+.4f}]  {verdict}"
            print(f"  {arm:18}{one['mean']:.4f} ± {one['half']:.4f}  {told}")
        told = ", ".join(f"{key} {rho[metric]:+.2f}" for key, rho in report["rho"].items())
        print(f"  rho of the gain over {len(ARMS)} selections with {told}")


if __name__ == "__main__":
    main()
