"""A first answer for a recipe from one run per source, with what it was worth where it is known.

MixMin solves for the weights; merged weights score a design of mixtures like runs, fit the laws to
it and propose. Both predict every mixture that was really trained at the same size and budget, and
the agreement with what those runs scored is part of the answer: without it a proposal of this kind
is a guess. Metrics are those that a fit would use: in bits per byte, through the signal gate.

Every answer is stored (`answers`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from lab.advice.cheap.agreement import agreement_table
from lab.advice.cheap.answers import FirstAnswer, save
from lab.advice.cheap.merged_weights import merged_scores
from lab.advice.cheap.mixmin import Target, blended, costs, mixmin, resampled
from lab.advice.cheap.source_runs import SourceRuns, find_source_runs, single_source
from lab.advice.cheap.target_text import samples, stored_targets, token_targets
from lab.advice.design.design import design_mixtures
from lab.advice.design.swarm import unique_tokens
from lab.advice.evidence.evidence import Evidence, tables_from_runs
from lab.advice.fitting.fit import fit_table
from lab.advice.optimising.region import simplex
from lab.advice.proposing.advise import advise
from lab.advice.proposing.from_runs import admitted
from lab.advice.simplex import Array, distribution, supply_caps, vector
from lab.core.errors import ConfigError, nearest
from lab.core.estimate import Estimate
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.evaluation.gate.gate import gate
from lab.evaluation.runs.trajectories import scored_runs, usual_budget
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe

METHODS: Final = ("mixmin", "merged")
PIECES: Final = ("sequences", "tokens")
REPLICATES: Final = 100
LEVEL: Final = 0.9
FEW: Final = 8  # real mixtures below which an order is hardly evidence
WORDS: Final = {
    "mixmin": "MixMin takes every source as learnt in full, whatever its weight: it does not see "
    "budget, repetition, or what sources teach each other.",
    "merged": "Merged weights stand for a short last phase after a shared beginning; values are "
    "too high, and without a shared beginning the order is wrong.",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What both methods are asked: sources, natural shares, caps, metrics, real mixtures."""

    recipe: Recipe
    runs: SourceRuns
    natural: Array
    caps: Array
    own: Array
    metrics: tuple[str, ...]
    higher: tuple[str, ...]
    mixtures: Array  # really trained, [n, m], without the source runs
    measured: Array  # costs, [n, B]
    notes: tuple[str, ...]

    def named(self, weights: Array) -> dict[str, float]:
        """Weights by source."""
        return dict(zip(self.runs.sources, weights.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says: weights, the uncapped optimum, and how it predicts costs [k, B]."""

    weights: Mapping[str, Estimate]
    free: Array
    predict: Callable[[Array], Array]
    gap: float | None = None


def first_answer(
    ws: Workspace,
    recipe: str,
    method: str,
    *,
    metric: str | None = None,
    size: str | None = None,
    tokens: int | None = None,
    seed: int | None = None,
    pieces: str = "sequences",
    progress: Progress = SILENT,
) -> FirstAnswer:
    """The proposal of `method` (one of METHODS) for the recipe named `recipe`, stored.

    `metric` is the one to propose for, by default all in bits per byte that passed the gate;
    `pieces` (one of PIECES) matters to MixMin. Raises ConfigError for unknown names,
    ArtifactMissing if a source has no run of its own, DataError if the runs do not fit together.
    """
    for value, known in ((method, METHODS), (pieces, PIECES)):
        if value not in known:
            raise ConfigError("Unknown method.", value=value, next_step=nearest(value, known))
    base = load_recipe(ws, recipe)
    runs = find_source_runs(
        ws, base, branched=method == "merged", size=size, tokens=tokens, seed=seed
    )
    asked = question(ws, base, runs, metric)
    if method == "mixmin":
        answer = by_mixmin(ws, asked, pieces, progress)
    else:
        answer = by_merging(ws, asked, progress)
    told = describe(asked, answer, method, pieces)
    save(ws, base, told)
    progress(1, 1, "first answer stored")
    return told


def question(ws: Workspace, recipe: Recipe, runs: SourceRuns, metric: str | None) -> Question:
    """Everything that is asked; real mixtures are those of the budget at which most were trained.

    That budget may be another than that of the source runs: small ones foretell large ones, or not.
    """
    real = [run for run in scored_runs(ws) if not single_source(run.spec)]
    size, tokens = usual_budget(real, None, None)[:2] if real else (runs.size, runs.tokens)
    evidence = tables_from_runs(ws, size, tokens, recipe)
    judged = gate(ws, size=size, tokens=tokens)
    names, notes = admitted(judged, (metric,) if metric else evidence.default, named=bool(metric))
    known = [name for name in evidence.metrics.columns if name != "run"]
    for name in names:
        if name not in known:
            raise ConfigError(f"Unknown metric {name!r}.", next_step=nearest(name, known))
    supply = {name: n for name, n in unique_tokens(ws, recipe).items() if name in runs.sources}
    caps = supply_caps(supply, recipe.mixture.tokens, recipe.mixture.repeat_cap)
    own = {name: recipe.average_weights().get(name, 0.0) for name in runs.sources}
    mixtures, measured = trained_mixtures(ws, evidence, runs, names)
    return Question(
        recipe,
        runs,
        distribution(supply, runs.sources, "natural"),
        vector(caps, runs.sources, "caps"),
        distribution(own, runs.sources, "recipe"),
        tuple(names),
        tuple(name for name in names if name in evidence.higher),
        mixtures,
        measured,
        (*budget_notes(runs, evidence), *evidence.notes, *notes),
    )


def budget_notes(runs: SourceRuns, evidence: Evidence) -> list[str]:
    """What to say where real runs were trained otherwise than the source runs."""
    if (runs.size, runs.tokens) == (evidence.size, evidence.tokens):
        return []
    return [
        f"Source runs: {runs.size} on {runs.tokens:,} tokens; agreement is with runs of "
        f"{evidence.size} on {evidence.tokens:,} tokens."
    ]


def trained_mixtures(
    ws: Workspace, evidence: Evidence, runs: SourceRuns, names: Sequence[str]
) -> tuple[Array, Array]:
    """(mixtures [n, m], mean costs over seeds [n, B]) of runs of at least two of the sources.

    Runs that end on one source are of the predictor's own kind, not evidence about it.
    """
    sources = list(runs.sources)
    own = [run.spec["id"] for run in scored_runs(ws) if single_source(run.spec)]
    table = evidence.ratios.filter(~pl.col("run").is_in(own)).join(
        evidence.metrics, on="run", maintain_order="left"
    )
    inside = table.filter(pl.sum_horizontal(sources) > 1 - 1e-6)
    grouped = (
        inside.with_columns(pl.col(sources).round(6))
        .group_by(sources, maintain_order=True)
        .agg(pl.col(list(names)).mean())
    )
    signs = np.array([-1.0 if name in evidence.higher else 1.0 for name in names])
    values = grouped.select(names).to_numpy().astype(np.float64).reshape(-1, len(names))
    return grouped.select(sources).to_numpy().astype(np.float64), values * signs


def by_mixmin(ws: Workspace, asked: Question, pieces: str, progress: Progress) -> Answer:
    """MixMin's weights under the caps, with a bootstrap over the text."""
    folders, names = asked.runs.folders, asked.metrics
    targets: list[Target]
    if pieces == "sequences":
        targets = stored_targets(folders, names)
    else:
        texts = samples(ws, names)
        targets = token_targets(folders, texts, names, progress.part(0.0, 0.8))
    sources = asked.runs.sources
    target = blended(targets, np.full(len(targets), 1.0 / len(targets)))
    region = simplex(np.minimum(asked.caps, 1.0), sources, asked.natural)
    solved = mixmin(target, sources, region)
    free = mixmin(target, sources, simplex(np.ones(len(sources)), sources))
    # tokens of one text hang together: resampling them one by one would claim too much
    count = REPLICATES if pieces == "sequences" else 0
    spread = resampled(target, sources, region, solved, count, seed=0)
    weights = estimates(sources, solved.weights, spread)
    return Answer(weights, free.weights, lambda points: costs(targets, points), solved.gap)


def estimates(sources: Sequence[str], weights: Array, spread: Array) -> dict[str, Estimate]:
    """An Estimate per source from replicates [r, m]; without any the interval is everything."""
    if len(spread) == 0:
        return {
            name: Estimate(value, 0.0, 1.0, 0, "share", LEVEL)
            for name, value in zip(sources, weights.tolist(), strict=True)
        }
    low, high = np.quantile(spread, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
    low, high = np.minimum(low, weights), np.maximum(high, weights)
    rows = zip(sources, weights.tolist(), low.tolist(), high.tolist(), strict=True)
    return {n: Estimate(w, lo, hi, len(spread), "share", LEVEL) for n, w, lo, hi in rows}


def by_merging(ws: Workspace, asked: Question, progress: Progress) -> Answer:
    """The advice of the laws fitted to merged models of a design of 3 (m + 1) mixtures."""
    sources = list(asked.runs.sources)
    design = design_mixtures(
        asked.named(asked.natural),
        3 * (len(sources) + 1),
        seed=0,
        anchors={"recipe": asked.named(asked.own)},
    )
    signs = np.array([-1.0 if name in asked.higher else 1.0 for name in asked.metrics])
    scored: dict[tuple[float, ...], Array] = {}

    def predict(points: Array) -> Array:
        keys = [tuple(row) for row in np.round(points, 9).tolist()]
        new = [key for key in dict.fromkeys(keys) if key not in scored]
        if new:
            part = progress.part(0.0, 0.9) if not scored else progress.part(0.9, 0.99)
            table = merged_scores(ws, asked.runs, np.array(new), asked.metrics, part)
            scored.update(zip(new, table.to_numpy() * signs, strict=True))
        return np.array([scored[key] for key in keys])

    everything = np.vstack([design.weights, asked.mixtures, asked.natural, asked.own])
    points = np.unique(np.round(everything, 9), axis=0)
    values = predict(points) * signs
    ids = {"run": [f"merged-{k:03d}" for k in range(len(points))]}
    ratios = pl.DataFrame(ids | {name: points[:, j] for j, name in enumerate(sources)})
    metrics = pl.DataFrame(ids | {name: values[:, t] for t, name in enumerate(asked.metrics)})
    fit = fit_table(ratios, metrics, higher=asked.higher)
    caps = asked.named(np.minimum(asked.caps, 1.0))
    advice = advise(fit, asked.named(asked.natural), caps=caps, current=asked.named(asked.own))
    free = vector(advice.free, sources, "free", 0.0)
    return Answer(advice.weights, free, predict)


def describe(asked: Question, answer: Answer, method: str, pieces: str) -> FirstAnswer:
    """The answer with predictions and agreement."""
    runs = asked.runs
    proposal = np.array([answer.weights[name].value for name in runs.sources])
    shown = answer.predict(np.stack([asked.natural, asked.own, proposal]))
    predictions = pl.DataFrame(
        {"metric": asked.metrics}
        | {name: shown[k] for k, name in enumerate(("natural", "recipe", "proposal"))}
    )
    predicted = answer.predict(asked.mixtures) if len(asked.mixtures) else asked.measured
    both = [np.hstack([c, c.mean(axis=1, keepdims=True)]) for c in (predicted, asked.measured)]
    table = agreement_table([*asked.metrics, "(mean)"], both[0], both[1], LEVEL)
    return FirstAnswer(
        method,
        pieces if method == "mixmin" else "",
        runs.size,
        runs.tokens,
        runs.seed,
        runs.shared,
        tuple(folder.name for folder in runs.folders),
        asked.metrics,
        answer.weights,
        asked.named(asked.natural),
        asked.named(np.minimum(asked.caps, 1.0)),
        asked.named(answer.free),
        predictions,
        table,
        answer.gap,
        (WORDS[method], *remarks(asked, method), *asked.notes),
    )


def remarks(asked: Question, method: str) -> list[str]:
    """What a reader should know of this answer in particular."""
    said, count = [], len(asked.mixtures)
    if count < FEW:
        said.append(
            f"Agreement rests on {count} trained mixtures"
            + (": the order of so few is hardly evidence." if count else ": it is unknown.")
        )
    if method == "merged" and asked.runs.shared == 0:
        said.append(
            "The source runs share only their initialisation: train runs that branch off, "
            f"`mixlab sweep {asked.recipe.name} --single-source --shared 0.5`."
        )
    if method == "mixmin" and asked.runs.shared > 0:
        said.append(
            f"The source runs share {asked.runs.shared:.0%} of their training, so that MixMin "
            "mixes models that are all mixtures: weights are too extreme."
        )
    return said
