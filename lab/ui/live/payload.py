"""What the browser gets to answer for itself while a weight is dragged.

Moving one weight with the others in proportion is a path through mixtures. Along the path of every
source the server predicts all metrics with intervals and differences (`slices`), so that a drag is
a look-up between two stored points whatever law was fitted, and its end is confirmed by exact
numbers (`now`). Arrays travel as base64 of 32-bit floats: 7 sources with 10 metrics are 90 kB, 17
with 13 are 190 kB. Names go down as they are and become text nodes.
"""

import base64
from typing import Any

import numpy as np

from lab.advice.proposing.live import LiveSurface, Predicted, moved, triangle
from lab.advice.simplex import Array
from lab.mixture.repetition import R_STAR
from lab.ui.advice.evidence import unforeseen_of
from lab.ui.figures import GREY, source_colours
from lab.ui.live.evidence import onto
from lab.ui.live.scene import Scene, total_weights

FEW = 8  # sources up to which a path has the finer grid
POINTS = (25, 17)  # mixtures of a path, with few sources and with more
STEPS = 24  # of the map's grid: 325 mixtures
GROUPS = {
    "heldout": "Held-out loss by domain",
    "benchmark": "Benchmarks",
    "twin": "Twins of benchmarks",
}


def payload(scene: Scene, metric: str, pair: tuple[int, int] | None) -> dict[str, Any]:
    """All that the panel shows, with predictions if there is a fit."""
    mixture, phase = scene.mixture, scene.phase
    surface = scene.surface
    return {
        "of": scene.of,
        "title": "" if len(mixture.phases) == 1 else f"phase {phase.name}",
        "sources": source_rows(scene),
        "share": phase.share,
        "draw": mixture.tokens * phase.share,
        "cap": mixture.repeat_cap,
        "decay": R_STAR,
        "prediction": prediction(scene, surface, metric, pair) if surface else None,
        "breadth": breadth(scene) if scene.breadth else None,
    }


def breadth(scene: Scene) -> dict[str, Any]:
    """What breadth is computed of while a weight moves, and which source each row is."""
    of = scene.breadth
    assert of is not None
    numbers = {name: getattr(of, name) for name in ("trace", "mean", "second", "form", "shares")}
    return {
        "index": [scene.sources.index(name) for name in of.sources],
        **{name: packed(values) for name, values in numbers.items()},
    }


def source_rows(scene: Scene) -> list[dict[str, Any]]:
    """Weight, references, and the pools whose repetition a weight decides, per source."""
    colours = source_colours(scene.ws)
    by_size = scene.ground.natural(scene.number)
    saved = scene.recipe.mixture.phases[scene.number].weights
    whole = total_weights(scene.recipe.mixture, scene.sources)
    rows = []
    for k, name in enumerate(scene.sources):
        before, trained, empty = elsewhere(scene, name)
        mine = 1 << scene.number
        rows.append(
            {
                "name": name,
                "colour": colours.get(name, GREY),
                "weight": float(scene.weights[k]),
                "natural": by_size[name],
                "saved": saved.get(name, 0.0),
                "whole": float(whole[k]),
                "locked": name in scene.locked,
                "rest": float(scene.rest[k]),
                "pool": scene.ground.pool(name, scene.number),
                "patterns": [
                    [tokens, before(pattern), bool(pattern & mine)]
                    for pattern, tokens in scene.ground.pools[name]
                ],
                "trained": trained,
                "empty": empty,
            }
        )
    return rows


def elsewhere(scene: Scene, source: str) -> tuple[Any, float, bool]:
    """What the other phases do to a source: epochs by pattern of pools, tokens drawn, and whether
    one of them draws from an empty pool.
    """
    epochs: dict[int, float] = {}
    trained, empty = 0.0, False
    for k, phase in enumerate(scene.mixture.phases):
        drawn = scene.mixture.tokens * phase.share * phase.weights.get(source, 0.0)
        if k == scene.number or not drawn:
            continue
        pool = scene.ground.pool(source, k)
        trained += drawn
        empty |= not pool
        epochs[k] = drawn / pool if pool else 0.0
    return (lambda pattern: sum(e for k, e in epochs.items() if pattern >> k & 1)), trained, empty


def prediction(
    scene: Scene, surface: LiveSurface, metric: str, pair: tuple[int, int] | None
) -> dict[str, Any]:
    """Numbers of the mixture, of the path of every source, and of the map."""
    fit, number = surface.fit, len(scene.sources)
    shares = np.stack([path_shares(scene, k) for k in range(number)])
    paths = np.concatenate(
        [moved(scene.weights, scene.free, k, shares[k]) for k in range(number)]
        + [scene.weights[None, :]]
    )
    found = surface.against(scene.fitted(paths), scene.references())
    blind = unforeseen_of(fit)
    numbers = joined(found)
    return {
        "level": round(100 * surface.level),
        "metrics": [
            metric_row(name, sign, blind.get(name, ""))
            for name, sign in zip(fit.metrics, fit.signs, strict=True)
        ],
        "metric": fit.metrics.index(metric),
        "shares": packed(shares),
        "slices": packed(numbers[:-1]),
        "now": packed(numbers[-1]),
        "runs": packed(fit.weights),
        "names": list(fit.runs),
        "columns": len(fit.sources),
        "index": scene.columns,
        "usual": surface.usual,
        "map": map_of(scene, surface.only(metric), pair) if pair else None,
    }


def joined(found: list[Predicted]) -> Array:
    """[n, T, 9]: value, low, high of the mixture, then of its difference to each reference."""
    return np.stack([part for one in found for part in (one.value, one.low, one.high)], axis=-1)


def path_shares(scene: Scene, source: int) -> Array:
    """Shares of a source along its path, closer together near zero, where laws bend most; the
    share it has is one of them.
    """
    fixed = sum(scene.weights[k] for k in range(len(scene.weights)) if k not in scene.free)
    own = 0.0 if source in scene.free else float(scene.weights[source])
    count = POINTS[len(scene.sources) > FEW]
    grid = (1.0 - fixed + own) * np.linspace(0, 1, count) ** 2
    return np.sort(np.append(grid, scene.weights[source]))


def metric_row(name: str, sign: float, blind: str = "") -> dict[str, Any]:
    """A metric as people read it: SCOPE/ON/METRIC in its group, any other name as it is; `blind`
    says why there is no forecast of it.
    """
    parts = name.split("/")
    scope, on, metric = parts if len(parts) == 3 else ("", name, "")
    group = GROUPS.get(scope, "Metrics")
    row = {"name": name, "group": group, "on": on, "metric": metric, "lower": bool(sign > 0)}
    return row | {"blind": blind}


def map_of(scene: Scene, surface: LiveSurface, pair: tuple[int, int]) -> dict[str, Any]:
    """One metric over three sources, or over two with the others in proportion."""
    three = len(scene.sources) == 3
    free = [0, 1, 2] if three else sorted({*scene.free, *pair})
    rest = [k for k in free if k not in pair]
    if three:
        fitted = onto(
            triangle(np.ones(3), free, pair, STEPS), scene.columns, surface_width(surface)
        )
    else:
        fitted = scene.fitted(triangle(scene.weights, free, pair, STEPS))
    found = surface.predict(fitted)
    names = [scene.sources[k] for k in pair]
    third = scene.sources[rest[0]] if three else "the others in proportion"
    closed = "Unlock all weights to choose by a click." if scene.locked else ""
    if three and len(scene.mixture.phases) > 1:
        closed = "It shows the whole run, so a click would not say which phase to change."
    value = found.value[:, 0]
    best = int(np.argmin(value * surface.fit.signs[0]))
    return {
        "steps": STEPS,
        "corners": [*names, third],
        "pair": list(pair),
        "rest": rest,
        "three": three,
        "room": 1.0 if three else float(scene.weights[free].sum()),
        "open": not closed,
        "closed": closed,
        "value": packed(value),
        "low": packed(found.low),
        "high": packed(found.high),
        "points": [*points_of(scene, surface, pair, rest, three), best_point(best)],
    }


def surface_width(surface: LiveSurface) -> int:
    """How many sources the fit has."""
    return len(surface.fit.sources)


def best_point(best: int) -> dict[str, Any]:
    """Where the best value of the grid lies."""
    places = [(i, j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]
    i, j = places[best]
    at = [i / STEPS, j / STEPS, (STEPS - i - j) / STEPS]
    return {"kind": "best", "name": "best on this map", "at": at}


def points_of(
    scene: Scene, surface: LiveSurface, pair: tuple[int, int], rest: list[int], three: bool
) -> list[dict[str, Any]]:
    """Runs, natural and last proposal, where the map can hold them: with three sources exactly."""
    if not three or not scene.evidence or min(scene.columns) < 0:
        return []
    order = [scene.columns[k] for k in (*pair, *rest)]
    by_size, _ = scene.references()
    proposal = scene.evidence.advice.proposal
    proposed = np.array([proposal.get(name, 0.0) for name in surface.fit.sources])
    rows = [*zip(surface.fit.weights, surface.fit.runs, strict=True)]
    named = [("run", run, row) for row, run in rows]
    named += [("natural", "natural", by_size), ("proposal", "last proposal", proposed)]
    return [
        {"kind": kind, "name": name, "at": row[order].round(4).tolist()}
        for kind, name, row in named
    ]


def packed(values: Array) -> str:
    """Numbers as base64 of little-endian 32-bit floats, in row order."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
