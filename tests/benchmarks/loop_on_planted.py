"""The loop against a fixed sweep on planted worlds, where the best mixture is known.

    python tests/benchmarks/loop_on_planted.py --seeds 20

A trainer that draws scores from a planted truth stands where real training does; everything else is
`run_loop` as it ships. Worlds: `log_linear`, which a law matches exactly, and `saturating`,

    cost_t = 1 / (sum_j a_tj r_j^.4 + sum_jk b_tjk sqrt(r_j r_k)),      a > 0, b >= 0 (complements),

which none does; three metrics each, scaled so that the blended cost of mixtures from a flat
Dirichlet has SD .1 and one run of them the noise SD .1 / --ratio, half of its variance shared by
the metrics (signal to noise of useful held-out scores is 5-13: `lab.evaluation.gate`). In worlds
named `... null` the natural mixture is the optimum itself, in `... near` the optimum gains half a
noise SD over it, and `flat` is noise alone: there "better" is false unless the proposal's true gain
is positive.

Regret is what the proposal's true objective (blended cost + kl KL to natural) lacks to the best
mixture's, in noise SDs of one run. Loops may train --most runs, in null, near and flat worlds
--most-null, which is what tempts them to look until they see something.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import polars as pl

from lab.advice.design.design import design_mixtures
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.laws import candidates
from lab.advice.loop.record import Wanted
from lab.advice.loop.rounds import Trained, first_round, judge, run_loop
from lab.advice.loop.terms import Terms
from lab.advice.proposing.advise import KL
from lab.advice.simplex import Array, divergence
from lab.core.progress import Progress

METRICS = 3
TARGETS = tuple(f"m{t}" for t in range(METRICS))
SPREAD = 0.1  # SD of the blended cost over mixtures of a flat Dirichlet
SWEEP = 24
BETTER = "better"
NIL = 1e-9  # gains up to here are none
EXTRA = 3
NULL = ("flat", "null", "near")
KINDS = ("log_linear", "saturating", "log_linear null", "saturating null", "log_linear near")
KINDS += ("saturating near", "flat")


@dataclass(frozen=True, slots=True)
class World:
    """A truth over m sources: costs of mixtures [n, m] -> [n, T], and the noise SD of one run."""

    natural: Array
    costs: Callable[[Array], Array]
    noise: float

    @property
    def sources(self) -> list[str]:
        """s0, s1, ..."""
        return [f"s{j}" for j in range(len(self.natural))]

    def blended(self, mixtures: Array) -> Array:
        """Mean true cost of mixtures [n, m]."""
        return self.costs(mixtures).mean(axis=1)

    def objective(self, mixtures: Array) -> Array:
        """What a proposal is to make small."""
        return self.blended(mixtures) + KL * divergence(mixtures, self.natural)


def plant(kind: str, sources: int, seed: int, ratio: float) -> World:
    """The world of that kind and seed."""
    rng = np.random.default_rng([seed, sources, *kind.encode()])
    natural = rng.dirichlet(np.full(sources, 3.0)) * 0.8 + 0.2 / sources
    noise = SPREAD / ratio
    if kind == "flat":
        return World(natural, lambda r: np.ones((len(r), METRICS)), noise)
    family, _, rest = kind.partition(" ")
    truth = log_linear(rng, natural, rest) if family == "log_linear" else saturating(rng, sources)
    if rest and family == "saturating":
        truth = tilted(truth, natural)
    flat = rng.dirichlet(np.ones(sources), 4000)
    scale = SPREAD / truth(flat).mean(axis=1).std()
    base = float(truth(natural[None, :]).mean())

    def costs(r: Array) -> Array:
        return 1.0 + scale * (truth(r) - base)

    if rest == "near":
        natural = beside(natural, costs, noise / 2, rng)
    return World(natural, costs, noise)


def log_linear(rng: np.random.Generator, natural: Array, rest: str) -> Callable[[Array], Array]:
    """exp(t.r) with random slopes; with `rest` the last slope makes `natural` the optimum."""
    slopes = rng.normal(0, 1.5, (METRICS, len(natural)))
    if rest:
        slopes -= slopes.mean(axis=1, keepdims=True)
        last = -(np.exp(slopes[:-1] @ natural)[:, None] * slopes[:-1]).sum(axis=0)
        slopes[-1] = last / max(1.0, np.abs(last).max() / 3)
        level = np.ones(METRICS)
        level[-1] = np.abs(last).max() / np.abs(slopes[-1]).max() / np.exp(slopes[-1] @ natural)
        return lambda r: level * np.exp(r @ slopes.T)
    return lambda r: np.exp(r @ slopes.T)


def saturating(rng: np.random.Generator, sources: int) -> Callable[[Array], Array]:
    """Diminishing returns and complements: no law's own form."""
    own = np.exp(rng.normal(0, 1.0, (METRICS, sources)))
    pairs = np.triu_indices(sources, 1)
    both = rng.exponential(1.0, (METRICS, len(pairs[0]))) * (rng.random(len(pairs[0])) < 0.4)

    def truth(r: Array) -> Array:
        crossed = np.sqrt(r[:, pairs[0]] * r[:, pairs[1]])
        return 1 / (r**0.4 @ own.T + crossed @ both.T)

    return truth


def tilted(truth: Callable[[Array], Array], natural: Array) -> Callable[[Array], Array]:
    """A convex truth less its slope at `natural`, whose optimum that is then."""
    steps = 1e-5 * np.eye(len(natural))
    slope = (truth(natural + steps) - truth(natural - steps)) / 2e-5  # [m, T]
    return lambda r: truth(r) - r @ slope


def beside(
    natural: Array, costs: Callable[[Array], Array], gap: float, rng: np.random.Generator
) -> Array:
    """The mixture on the way from the optimum to a drawn one that costs `gap` more."""
    there = rng.dirichlet(np.full(len(natural), 2.0))
    low, high = 0.0, 1.0
    at = costs(natural[None, :]).mean()
    for _ in range(40):
        half = (low + high) / 2
        worse = costs(((1 - half) * natural + half * there)[None, :]).mean() - at
        low, high = (half, high) if worse < gap else (low, half)
    return (1 - low) * natural + low * there


def optimum(world: World) -> Array:
    """The best mixture of a world by gradient steps on soft weights from several starts."""
    from scipy.optimize import minimize

    def soft(z: Array) -> Array:
        e = np.exp(z - z.max())
        return e / e.sum()

    rng = np.random.default_rng(0)
    starts = [np.log(world.natural), *rng.normal(0, 2, (5, len(world.natural)))]
    found = [
        minimize(lambda z: float(world.objective(soft(z)[None, :])[0]), z, method="BFGS")
        for z in starts
    ]
    return soft(min(found, key=lambda f: f.fun).x)


class Trainer:
    """Trains by asking the planted truth: a run's luck is that of the world's seed and its own."""

    def __init__(self, world: World, seed: int, laws: tuple[str, ...]) -> None:
        self.world, self.seed, self.laws = world, seed, laws
        self.rows: list[tuple[str, Array, Array]] = []

    def __call__(self, wanted: Sequence[Wanted], progress: Progress) -> Trained:
        """One minute a run."""
        for run in wanted:
            shares = np.array([run.weights[n] for n in self.world.sources])
            rng = np.random.default_rng([self.seed, run.seed, len(self.rows)])
            shared, own = rng.normal(0, 1), rng.normal(0, 1, METRICS)
            luck = (shared + own) / np.sqrt(1 + 1 / METRICS) * self.world.noise
            values = self.world.costs(shares[None, :])[0] + luck
            self.rows.append((f"{run.name}-{run.seed}", shares, values))
        return Trained(float(len(wanted)))

    def refit(self) -> Fit:
        """What the runs so far say."""
        names, weights, values = zip(*self.rows, strict=True)
        shares, scores = np.stack(weights), np.stack(values)
        ids = {"run": list(names)}
        return fit_table(
            pl.DataFrame(ids | {n: shares[:, j] for j, n in enumerate(self.world.sources)}),
            pl.DataFrame(ids | {f"m{t}": scores[:, t] for t in range(METRICS)}),
            laws=self.laws,
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One decision in one world."""

    kind: str
    sources: int
    seed: int
    method: str
    runs: int
    ended: str
    verdict: str
    regret: float  # noise SDs
    gain: float  # true gain over natural of the proposal, noise SDs
    best: float  # that of the optimum
    plain: float | None  # of the first proposal with odds of .9 in two rounds running


def decide(
    kind: str, sources: int, seed: int, options: argparse.Namespace, folder: Path
) -> Iterator[Case]:
    """The loop's decision in one world, and the sweep's."""
    world = plant(kind, sources, seed, options.ratio)
    natural = dict(zip(world.sources, world.natural.tolist(), strict=True))
    most = options.most_null if kind.split()[-1] in NULL else options.most
    terms = Terms(natural, float(most), targets=TARGETS, batch=options.batch)
    best = optimum(world)

    def row(shares: Mapping[str, float]) -> Array:
        return np.array([shares[n] for n in world.sources])

    def case(
        method: str, runs: int, ended: str, verdict: str, chosen: Array, plain: float | None = None
    ) -> Case:
        rows = np.stack([world.natural, best, chosen])
        cost, value = world.blended(rows) / world.noise, world.objective(rows) / world.noise
        figures = (float(value[2] - value[1]), float(cost[0] - cost[2]), float(cost[0] - cost[1]))
        return Case(kind, sources, seed, method, runs, ended, verdict, *figures, plain)

    trainer = Trainer(world, seed, candidates(options.law))
    design = design_mixtures(natural, sources + 1 + EXTRA, seed)
    done = run_loop(folder, terms, first_round(design, 0), trainer, trainer.refit)
    lucky = [b for a, b in pairwise(done.record.rounds) if a.verdict == b.verdict == BETTER]
    plain = None
    if lucky:
        both = np.stack([world.natural, row(lucky[0].proposal or {})])
        plain = float(-np.diff(world.blended(both))[0] / world.noise)
    proposal = row(done.advice.proposal)
    yield case("loop", done.record.runs, done.record.ended, done.verdict, proposal, plain)
    sweep = Trainer(world, seed + 10_000, candidates(options.law))
    sweep(first_round(design_mixtures(natural, SWEEP, seed), 0), Progress())
    _, advice = judge(terms, sweep.refit())
    yield case("sweep", SWEEP, "", advice.verdict, row(advice.proposal))


def table(cases: Sequence[Case], rng: np.random.Generator) -> pl.DataFrame:
    """One row a kind of world, number of sources and method; intervals at 95 %."""
    frame = pl.DataFrame([asdict(case) for case in cases])
    rows = []
    for (kind, sources, method), own in frame.group_by(
        "kind", "sources", "method", maintain_order=True
    ):
        better = (own["verdict"] == BETTER).to_numpy()
        wrong = better & (own["gain"].to_numpy() <= NIL)
        regret = own["regret"].to_numpy()
        rows.append(
            {
                "world": kind,
                "m": sources,
                "method": method,
                "n": own.height,
                "runs": mean_words(own["runs"].to_numpy(), rng),
                "best gain": f"{own['best'].mean():.1f}",
                "regret": mean_words(regret, rng),
                "median": f"{np.median(regret):.2f}",
                "p90": f"{np.quantile(regret, 0.9):.2f}",
                "better": share_words(better),
                "false better": share_words(wrong),
                "false at plain .9": share_words((own["plain"] <= NIL).fill_null(False).to_numpy()),
                "ended": " ".join(
                    f"{name} {part:.0%}"
                    for name, part in sorted(
                        (e, (own["ended"] == e).mean()) for e in own["ended"].unique() if e
                    )
                ),
            }
        )
    return pl.DataFrame(rows)


def mean_words(values: Array, rng: np.random.Generator) -> str:
    """A mean with its bootstrap interval."""
    drawn = rng.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def share_words(yes: Array) -> str:
    """A share with Wilson's interval."""
    n, p, z = len(yes), float(yes.mean()), 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{p:.0%} [{max(centre - half, 0):.0%}, {min(centre + half, 1):.0%}]"


def main() -> None:
    """Decide in every world and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="worlds of each kind and size")
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--sources", type=int, nargs="+", default=[3, 5, 7])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--law", default="auto", help="to fit: auto or a law's name")
    parser.add_argument("--ratio", type=float, default=8.0, help="signal to noise")
    parser.add_argument("--most", type=int, default=SWEEP, help="runs a loop may train")
    parser.add_argument("--most-null", type=int, default=40)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--output", type=Path, help="all cases as JSON")
    options = parser.parse_args()
    began, cases = time.process_time(), []
    with tempfile.TemporaryDirectory() as scratch:
        seeds = range(options.seed, options.seed + options.seeds)
        for seed, kind, sources in product(seeds, options.kinds, options.sources):
            folder = Path(scratch) / f"{kind}-{sources}-{seed}"
            cases += decide(kind, sources, seed, options, folder)
            if options.output:
                options.output.write_text(json.dumps([asdict(case) for case in cases]))
            used = time.process_time() - began
            print(f"{kind}, {sources} sources, seed {seed}: {used:.0f} CPU-seconds", flush=True)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=220,
                   fmt_str_lengths=60, tbl_hide_column_data_types=True):  # fmt: skip
        print(table(cases, np.random.default_rng(0)))


if __name__ == "__main__":
    main()
