"""The live view of the Mixture page: choice of metric and map, the panel, and its tables."""

import numpy as np
import polars as pl
import streamlit as st

from lab.advice.proposing.live import LiveSurface, moved, triangle
from lab.core.workspace import Workspace
from lab.diversity.breadth.closed import Closed
from lab.mixture.recipe import Mixture, Recipe
from lab.ui.components import empty, link, table
from lab.ui.formats import percent
from lab.ui.live import history
from lab.ui.live.evidence import Evidence
from lab.ui.live.ground import Ground
from lab.ui.live.panel import show_panel
from lab.ui.live.payload import payload
from lab.ui.live.scene import Scene
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_plain

EVERY = tuple(np.linspace(0, 1, 11))  # shares of the tables


def scene_of(
    ws: Workspace,
    recipe: Recipe,
    mixture: Mixture,
    number: int,
    ground: Ground,
    evidence: Evidence | None,
    breadth: Closed | None,
) -> Scene:
    """What the panel is about."""
    locked = history.locks(recipe, recipe.mixture.phases[number].name)
    return Scene(ws, recipe, mixture, ground, number, locked, evidence, breadth)


def show_live(scene: Scene, doubts: list[str]) -> None:
    """Choices, panel and tables; without a fit the panel alone, and what to do about it."""
    surface = scene.surface
    metric, pair = choices(scene, surface) if surface else ("", None)
    recipe, phase = scene.recipe, scene.phase.name
    show_panel(
        payload(scene, metric, pair),
        scene.sources,
        lambda found: history.set_weights(recipe, phase, found),
        lambda names: history.set_locks(recipe, phase, names),
    )
    if surface is None:
        why_nothing(scene)
        return
    if scene.unknown:
        st.warning("Part of this mixture is in sources that no run used.", icon=":material/help:")
        show_plain(
            f"{', '.join(scene.unknown)}: {percent(1 - scene.known_share)} of the tokens. The "
            "predictions are for the rest, in proportion."
        )
    if doubts:
        st.warning("The predictions rest on older evidence.", icon=":material/history:")
        show_plain("\n".join(doubts))
    tables = st.expander(
        "The pictures as tables, and what the intervals mean", key="live_tables", on_change="rerun"
    )
    if tables.open:
        with tables:
            show_tables(scene, surface.only(metric), pair)


def choices(scene: Scene, surface: LiveSurface) -> tuple[str, tuple[int, int] | None]:
    """The metric of the pictures and, with more than three sources, two corners of the map."""
    names, metrics = scene.sources, list(surface.fit.metrics)
    forget_unknown("metric", metrics)
    several = len(names) > 3
    cells = st.columns([2, 1, 1]) if several else st.columns([2, 2])
    metric = str(cells[0].selectbox("Metric of the pictures", metrics, key="metric",
                                    bind="query-params"))  # fmt: skip
    if len(names) < 3:
        return metric, None
    if not several:
        return metric, (0, 1)
    heavy = sorted(names, key=lambda n: -scene.recipe.average_weights()[n])
    picked = []
    for cell, key, words, start in zip(
        cells[1:], ("map_a", "map_b"), ("Map: one source", "and another"), heavy, strict=False
    ):
        options = [name for name in names if name not in picked]
        forget_unknown(key, options)
        index = options.index(start) if start in options else 0
        picked.append(
            cell.selectbox(label(words), options, index=index, key=key, bind="query-params")
        )
    return metric, (names.index(picked[0]), names.index(picked[1]))


def why_nothing(scene: Scene) -> None:
    """Why no score is predicted, and what to do."""
    if scene.evidence is None:
        with empty("No scores are predicted: no runs were fitted yet."):
            st.caption(
                "Weights, epochs and worth follow at once all the same. For predictions train a "
                "sweep of mixtures and fit it: on the Advice page, or `mixlab sweep` and "
                f"`mixlab advise` with {label(scene.recipe.name)}."
            )
            link("advice", "Train a sweep and fit it", recipe=scene.recipe.name)
    elif scene.evidence.surface is None:
        with empty("No scores are predicted: this fit was stored without its replicates."):
            st.caption("Fit the runs once more on the Advice page; it takes seconds.")
            link("advice", "Fit the runs", recipe=scene.recipe.name)
    else:
        with empty("No scores are predicted: no run used any source of this mixture."):
            st.caption("Give weight to a source that was in the runs, or train a sweep of these.")
            link("advice", "Train a sweep and fit it", recipe=scene.recipe.name)


def show_tables(scene: Scene, surface: LiveSurface, pair: tuple[int, int] | None) -> None:
    """One-source paths and the map as numbers."""
    st.caption(
        f"Intervals hold {100 * surface.level:.0f} % of what the runs could have said "
        f"({surface.posterior.replicates:d} replicates of the fit), for the mean of many runs at "
        "the size that was trained; one new run scatters more. Differences are taken inside each "
        "replicate. *Better* and *worse* mean that the interval leaves out zero, *unresolved* that "
        "it does not. While you drag, numbers lie between two computed ones; let go, and the "
        "server has computed them for exactly this mixture."
    )
    paths = [
        moved(scene.weights, scene.free, k, np.array(EVERY)) for k in range(len(scene.sources))
    ]
    found = surface.predict(scene.fitted(np.concatenate(paths)))
    frame = pl.DataFrame(
        {
            "source": np.repeat(scene.sources, len(EVERY)),
            "weight": np.concatenate([path[:, k] for k, path in enumerate(paths)]),
            "predicted": found.value[:, 0], "low": found.low[:, 0], "high": found.high[:, 0],
        }
    ).unique(maintain_order=True)  # fmt: skip
    share = st.column_config.NumberColumn(format="percent")
    table(frame, key="paths", alt="Prediction with interval as one weight moves, others in "
          "proportion", column_config={"weight": share})  # fmt: skip
    if pair:
        show_map_table(scene, surface, pair)


def show_map_table(scene: Scene, surface: LiveSurface, pair: tuple[int, int]) -> None:
    """The map in steps of a tenth."""
    free = sorted({*scene.free, *pair}) if len(scene.sources) > 3 else [0, 1, 2]
    grid = triangle(scene.weights, free, pair, 10)
    found = surface.predict(scene.fitted(grid))
    columns = {scene.sources[k]: grid[:, k] for k in pair}
    scores = {"predicted": found.value[:, 0], "low": found.low[:, 0], "high": found.high[:, 0]}
    share = st.column_config.NumberColumn(format="percent")
    table(
        pl.DataFrame(columns | scores), key="map_table",
        alt="Prediction with interval over two weights, the others in proportion",
        column_config=dict.fromkeys(columns, share),
    )  # fmt: skip
