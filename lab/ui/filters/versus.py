"""The draft beside another recipe: which documents flip, how many tokens, in what they differ.

A is what the page shows, B a saved recipe (the one being edited, for what the draft changes, or any
other). For every source both have, the two masks are laid side by side; nothing is sampled. Where
languages are measured or a map has clusters, the tokens that each side keeps are split by them: a
filter that deletes a topic changes the mixture without saying so (Wettig et al. 2025,
arXiv:2502.10341). Rules only: duplicates and contamination are decided later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.curation.topics import common_column
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import list_recipes
from lab.ui.components import table
from lab.ui.filters.effect import whole
from lab.ui.filters.evidence import Judged, columns_of, judged
from lab.ui.filters.reading import show_documents
from lab.ui.filters.samples import Side, draw_sample
from lab.ui.filters.scene import Scene
from lab.ui.formats import compact, count
from lab.ui.text import label

LANGUAGE = "language.code@ft1"
SHOWN = 6
WAYS = ("kept only by A", "kept only by B")
GROUPS = 20  # rows of a table by language or topic


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One source under A and under B."""

    a: Judged
    b: Judged


def show_versus(scene: Scene) -> None:
    """Choose B, and see the difference."""
    recipes = {r.name: r.recipe for r in list_recipes(scene.ws) if r.recipe}
    names = [scene.saved.name, *(n for n in recipes if n != scene.saved.name)]
    chosen = st.selectbox(
        "A is what this page shows; B is the saved recipe", names, key="versus", bind="query-params"
    )
    other = recipes[str(chosen)]
    assert other is not None
    pairs, missing = pairs_of(scene, other)
    if missing:
        st.caption(f"Not compared, because only one has it or it is not measured: "
                   f"{label(', '.join(missing))}.")  # fmt: skip
    if not pairs:
        st.caption("The two recipes have no measured source in common.")
        return
    frame = flips_frame(pairs)
    if frame.select(pl.sum_horizontal("documents only A", "documents only B").sum()).item() == 0:
        st.caption("Both keep the same documents. Move a line, or choose another recipe.")
        return
    table(frame, key="versus_sources", alt="Documents and tokens that only one recipe keeps",
          column_config={n: whole(n) for n in frame.columns if n != "source"})  # fmt: skip
    topic = common_column(scene.ws, [pair.a.pool.source for pair in pairs])
    for name, column in (("language", LANGUAGE), ("topic", topic)):
        split = split_by_column(scene, pairs, column)
        if split is not None:
            st.markdown(f"**By {label(name)}**")
            table(split, key=f"versus_{name}", alt="Tokens kept by each recipe",
                  column_config={n: whole(n) for n in split.columns[1:]})  # fmt: skip
    show_flips(scene, pairs)


def pairs_of(scene: Scene, other: Recipe) -> tuple[list[Pair], list[str]]:
    """Sources that both have, and those that cannot be compared."""
    pairs, missing = [], []
    for source in dict.fromkeys((*scene.new.sources, *other.sources)):
        if source not in scene.new.sources or source not in other.sources:
            missing.append(source)
            continue
        try:
            mine = judged(scene.ws, scene.new, source, scene.new.sources[source])
            pairs.append(Pair(mine, judged(scene.ws, scene.new, source, other.sources[source])))
        except ArtifactMissing:
            missing.append(source)
    return pairs, missing


def flips_frame(pairs: Sequence[Pair]) -> pl.DataFrame:
    """Per source: documents and tokens that only A keeps and that only B keeps."""
    rows = []
    for pair in pairs:
        only_a, only_b = pair.a.kept & ~pair.b.kept, pair.b.kept & ~pair.a.kept
        tokens = pair.a.pool.tokens
        rows.append(
            {
                "source": pair.a.pool.source,
                "documents only A": int(only_a.sum()),
                "tokens only A": int(tokens[only_a].sum()),
                "documents only B": int(only_b.sum()),
                "tokens only B": int(tokens[only_b].sum()),
                "tokens A": int(tokens[pair.a.kept].sum()),
                "tokens B": int(tokens[pair.b.kept].sum()),
            }
        )
    return pl.DataFrame(rows)


def split_by(groups: Sequence[pl.Series], pairs: Sequence[Pair], name: str) -> pl.DataFrame:
    """Tokens kept by A and B for each value of a column, the largest change first."""
    frames = [
        pl.DataFrame(
            {
                name: group.cast(pl.String),
                "tokens A": pair.a.pool.tokens * pair.a.kept,
                "tokens B": pair.a.pool.tokens * pair.b.kept,
            }
        )
        for group, pair in zip(groups, pairs, strict=True)
    ]
    summed = pl.concat(frames).drop_nulls(name).group_by(name).agg(pl.all().sum())
    changed = summed.with_columns((pl.col("tokens A") - pl.col("tokens B")).alias("A minus B"))
    return changed.sort(pl.col("A minus B").abs(), pl.col(name), descending=[True, False]).head(
        GROUPS
    )


def split_by_column(scene: Scene, pairs: Sequence[Pair], name: str) -> pl.DataFrame | None:
    """The split by a column of texts, over the sources that have it; None where none has."""
    groups, found = [], []
    for pair in pairs:
        try:
            columns = columns_of(scene.ws, scene.new, pair.a.pool.source, [name] if name else [])
        except ArtifactMissing:
            continue
        if name in columns:
            groups.append(columns[name])
            found.append(pair)
    return split_by(groups, found, name.partition(".")[0]) if found else None


def show_flips(scene: Scene, pairs: Sequence[Pair]) -> None:
    """Documents that flip, drawn in proportion to tokens, with A's verdicts."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Read", WAYS, default=WAYS[1], key="flip", bind="query-params", required=True
        )
        seed = int(st.number_input("Sample", 0, 9999, 0, key="flip_seed", width=110))
    sides = []
    for pair in pairs:
        one, two = (pair.a.kept, pair.b.kept) if way == WAYS[0] else (pair.b.kept, pair.a.kept)
        stays = ~(one & ~two)
        sides.append(
            Side(pair.a.pool.source, None, (None, None), ~stays, stays, stays, pair.a.pool.tokens)
        )
    chosen = draw_sample(sides, "dropped overall", SHOWN, seed)
    total = sum(int((~side.kept).sum()) for side in sides)
    tokens = sum(int(np.sum(side.tokens[~side.kept])) for side in sides)
    st.caption(
        f"{count(total)} documents, {compact(tokens)} tokens; drawn in proportion to tokens. Chips "
        "are the verdicts of A."
    )
    if chosen.is_empty():
        st.caption("No document of this kind. Choose the other direction.")
        return
    show_documents(scene, chosen)
