"""When a source changes: keep what was learned about the others, and learn the rest anew.

Mixture reuse (Olmix, arXiv:2602.12237, section on evolving domain sets). Split the sources into
those that are as they were and those that changed or came in. The last proposal says in which
ratios u the untouched ones are best mixed; freeze these and treat them as one virtual source,

    q_kept = r_0 u,    q_changed = r_1 ... r_a,    r_0 + ... + r_a = 1,

so that a mixture r of a + 1 sources is left to learn: 3 (a + 2) runs instead of 3 (m + 1). Over
five updates to 64 domains Olmix kept 95 % of the gain with 216 runs instead of 832 (its figures,
not checked here). What is lost is bounded by how strongly the best ratios among the untouched
sources depend on the rest, the coupling. `coupling` gives a hint of it from the old fit: by how
much, in total variation, u would move if the changed sources had no weight at all. Where that is
large, name untouched sources as changed too (partial reuse); which ones is the user's choice.

Runs that are not stale and lie on the frozen ray, within `OFF_RAY`, count as evidence and are not
trained again. Baseline and reference of the restored advice have the frozen ratios too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lab.advice.design.design import Design, design_mixtures
from lab.advice.fitting.fit import Fit
from lab.advice.optimising.optimise import optimise
from lab.advice.proposing.advise import Advice
from lab.advice.simplex import distribution, variation
from lab.core.errors import ConfigError
from lab.core.estimate import Estimate

KEPT = "(kept)"  # the virtual source; no source may have parentheses in its name
OFF_RAY = 0.02  # total variation from the frozen ratios that a run may have


@dataclass(frozen=True, slots=True)
class Frozen:
    """Ratios of the untouched sources (they sum to one), and the sources to learn anew."""

    ratios: Mapping[str, float]
    changed: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The virtual source and the changed ones."""
        return (KEPT, *self.changed)

    def collapse(self, shares: Mapping[str, float]) -> dict[str, float]:
        """Shares of all sources as shares of the virtual and the changed ones."""
        kept = sum(shares.get(name, 0.0) for name in self.ratios)
        return {KEPT: kept} | {name: shares.get(name, 0.0) for name in self.changed}

    def expand(self, shares: Mapping[str, float]) -> dict[str, float]:
        """Shares of the virtual and the changed sources as shares of all."""
        kept = {name: shares[KEPT] * ratio for name, ratio in self.ratios.items()}
        return kept | {name: shares[name] for name in self.changed}

    def caps(self, caps: Mapping[str, float]) -> dict[str, float]:
        """The same for largest shares: the virtual source is full when its first member is."""
        full = [caps.get(n, 1.0) / ratio for n, ratio in self.ratios.items() if ratio > 0]
        return {KEPT: min(1.0, *full)} | {name: caps.get(name, 1.0) for name in self.changed}


def freeze(proposal: Mapping[str, float], sources: Sequence[str], changed: Sequence[str]) -> Frozen:
    """The untouched of `sources` in the ratios of `proposal`, beside the `changed` ones.

    Sources that the proposal does not know count as changed. ConfigError if nothing changed, or if
    nothing that has weight is untouched.
    """
    new = tuple(n for n in sources if n in changed or n not in proposal)
    kept = {name: proposal[name] for name in sources if name not in new}
    if not new:
        raise ConfigError(
            "No source has changed since the last advice, so there is nothing to restore.",
            next_step="`mixlab advise --recipe RECIPE` uses the evidence as it is",
        )
    total = sum(kept.values())
    if total <= 0:
        raise ConfigError(
            "Every source that the last proposal uses has changed: nothing can be reused.",
            value=list(new),
            next_step="`mixlab sweep RECIPE` trains a new swarm",
        )
    return Frozen({name: share / total for name, share in kept.items()}, new)


def plan_reuse(
    frozen: Frozen,
    natural: Mapping[str, float],
    proposal: Mapping[str, float],
    runs: int = 0,
    *,
    before: Mapping[str, Mapping[str, float]] | None = None,
    seed: int = 0,
) -> Design:
    """The runs that restore the decision, as mixtures of all sources.

    `runs` in all (0: 3 (a + 2) for a changed sources), those `before` among them, mixtures of the
    frozen sources' coordinates. The old proposal is an anchor. Rank, distance and `needed` are
    those of the a + 1 coordinates. The design is empty if `before` is enough.
    """
    own = frozen.collapse(natural)
    total = runs or 3 * (len(frozen.sources) + 1)
    old = frozen.collapse(proposal)
    known = dict(before or {})
    lacking = max(total - len(known), 0)
    design = design_mixtures(
        own,
        max(lacking, 2),
        seed,
        anchors={"old-proposal": old} if sum(old.values()) > 0 else {},
        before=known,
    )
    rows = design.weights[:lacking].tolist()
    everything = [frozen.expand(dict(zip(design.sources, row, strict=True))) for row in rows]
    names = list(frozen.ratios) + list(frozen.changed)
    weights = np.array([[mix[name] for name in names] for mix in everything])
    return replace(
        design,
        sources=tuple(names),
        names=design.names[:lacking],
        weights=weights.reshape(-1, len(names)),
        nearest=design.nearest[:lacking],
    )


def on_ray(ratios: pl.DataFrame, frozen: Frozen) -> pl.DataFrame:
    """A table of weights in the frozen coordinates: run, name, one column each; others left out."""
    given = [name for name in ratios.columns if name not in ("run", "name", "index")]
    rows = []
    for row in ratios.iter_rows(named=True):  # at most some hundred runs
        shares = {name: float(row[name]) for name in given}
        near = frozen.collapse(shares)
        full = frozen.expand(near)
        names = sorted({*full, *shares})
        apart = variation(
            np.array([[shares.get(n, 0.0) for n in names]]),
            np.array([[full.get(n, 0.0) for n in names]]),
        )
        if float(apart[0, 0]) <= OFF_RAY:
            total = sum(near.values())
            scaled = {name: share / total for name, share in near.items()}
            rows.append({"run": row["run"], "name": row.get("name", row["run"])} | scaled)
    schema = {"run": pl.String, "name": pl.String} | dict.fromkeys(frozen.sources, pl.Float64)
    return pl.DataFrame(rows, schema=schema)


def coupling(
    fit: Fit,
    natural: Mapping[str, float],
    caps: Mapping[str, float],
    kl: float,
    frozen: Frozen,
) -> float | None:
    """How far the best ratios of the untouched sources move if the changed ones get no weight.

    Total variation from the ratios of the fit's optimum, 0 to 1; None if the fit knows no changed
    source, or if the caps leave no mixture without them.
    """
    names = list(fit.sources)
    changed = np.array([name in frozen.changed for name in names])
    if not changed.any() or changed.all():
        return None
    base = distribution({n: natural.get(n, 0.0) for n in names}, names, "natural")
    limits = np.minimum([caps.get(n, 1.0) for n in names], 1.0)
    without = np.where(changed, 0.0, limits)
    if without.sum() < 1:
        return None
    blend = np.full(len(fit.metrics), 1 / len(fit.metrics))
    ratios = []
    for walls in (limits, without):
        best = optimise(fit.surface, blend, base, walls, kl, names).mixtures[0]
        kept = np.where(changed, 0.0, best)
        if kept.sum() <= 0:
            return None
        ratios.append(kept / kept.sum())
    return float(variation(ratios[0][None, :], ratios[1][None, :])[0, 0])


def restored_weights(advice: Advice, frozen: Frozen) -> dict[str, Estimate]:
    """The weights of an advice over the frozen coordinates as those of all sources.

    The interval of an untouched source is that of the virtual one; that of its ratio is not known.
    """
    kept = advice.weights[KEPT]
    scaled = {
        name: replace(kept, value=kept.value * u, low=kept.low * u, high=kept.high * u)
        for name, u in frozen.ratios.items()
    }
    return scaled | {name: advice.weights[name] for name in frozen.changed}
