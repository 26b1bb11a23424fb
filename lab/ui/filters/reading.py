"""Documents to read beside a threshold, each with every rule's verdict and the words it counts.

A chip per rule: red fails, amber passes by less than one step of the slider, grey passes. Its help
says where the value lies among the source's documents. Text is shown by `lab.ui.highlight`, with
the places that the failing rules (or the rule in the hand) count marked.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.curation.effect.sensitivity import step_at
from lab.curation.filters.rule import Rule
from lab.curation.filters.rule import label as column_words
from lab.mixture.recipe import Recipe
from lab.ui.components import link
from lab.ui.cuts import bounds_of
from lab.ui.filters.evidence import Judged, columns_of
from lab.ui.filters.samples import WHICH, Side, draw_sample
from lab.ui.filters.scene import Scene
from lab.ui.formats import count, number, percent
from lab.ui.highlight import Chip, Mark, show_verdict
from lab.ui.tables import texts
from lab.ui.text import label

SHOWN = 6  # documents to read at once
STEP_SAMPLE = 10_000  # values that a step is taken from
READ = 20_000  # characters of each that marks are looked for in
KINDS = {
    "just dropped": "Drawn evenly from the documents nearest to the threshold that fail this rule, "
    "the same number from every source.",
    "just kept": "Drawn evenly from the documents nearest to the threshold that pass every rule.",
    "borderline": "Both sides of the threshold in equal numbers.",
    "dropped overall": "Drawn from all that any rule drops, in proportion to tokens.",
    "changed": "Drawn from what the draft drops or rescues, in proportion to tokens.",
}


def sides_of(scene: Scene) -> list[Side]:
    """The sources of the scope as the sampler sees them."""
    return [side_of(scene, source) for source in scene.sources]


def side_of(scene: Scene, source: str) -> Side:
    """One source on both sides of the rule in the hand."""
    found, saved = scene.after(source), scene.before(source)
    values = None
    if '"' not in scene.key:
        column = columns_of(scene.ws, scene.new, source, [scene.key])[scene.key]
        if column.dtype.is_numeric():
            values = column.cast(pl.Float64).to_numpy()
    return Side(
        source=source,
        values=values,
        bounds=bounds_of(found.rules, scene.key),
        fails=found.mask & found.bits(scene.key) != 0,
        kept=found.kept,
        saved=saved.kept,
        tokens=found.pool.tokens,
    )


def show_samples(scene: Scene) -> None:
    """The panels: choose one, read, take the next sample."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = str(
            st.segmented_control(
                "Read", WHICH, default=WHICH[0], key="read", bind="query-params", required=True
            )
        )
        seed = int(
            st.number_input("Sample", 0, 9999, 0, key="sample", bind="query-params", width=110)
        )
        st.button("Next sample", key="next_sample", icon=":material/casino:", on_click=next_sample)
    chosen = draw_sample(sides_of(scene), which, SHOWN, seed)
    st.caption(label(KINDS[which]))
    if chosen.is_empty():
        st.caption(
            "No document of this kind. Move a line in the picture so that it drops something, or "
            "choose another kind above."
        )
        return
    show_documents(scene, chosen)


def next_sample() -> None:
    """Callback: another seed."""
    st.session_state["sample"] = (int(st.session_state.get("sample", 0)) + 1) % 10_000


def show_documents(scene: Scene, chosen: pl.DataFrame) -> None:
    """Documents of `chosen` (source, row), with chips and marks."""
    cards = st.grid(2, min_column_width=420, gap="small")
    for source in dict.fromkeys(chosen["source"]):
        found = scene.after(source)
        rows = chosen.filter(source=source)["row"].to_list()
        chips = chips_of(scene.ws, scene.new, found, rows)
        ids = [found.pool.ids[row] for row in rows]
        bodies = texts(documents(scene.ws, source), ids, READ)
        for row, document, verdict in zip(rows, ids, chips, strict=True):
            kept = "kept" if found.mask[row] == 0 else "falls"
            failing = [r for i, r in enumerate(found.rules) if int(found.mask[row]) >> i & 1]
            columns = [c for rule in failing for c in rule.columns()] or [scene.key]
            head = Chip(f"{kept}, {count(found.pool.tokens[row])} tokens", "says")
            body = bodies[document]
            with cards.container(border=True):
                link("browse", document, doc=document, source=source, recipe=scene.saved.name)
                show_verdict([head, *verdict], body, marks_of(body, columns))


def marks_of(text: str, columns: Sequence[str]) -> list[Mark]:
    """The places that columns count, a colour for each column."""
    from lab.curation.reading.spans import spans

    return [
        Mark(span.start, span.end, f"{span.what} ({column_words(column)})", place)
        for place, column in enumerate(dict.fromkeys(columns))
        for span in spans(text, column)
    ]


def chips_of(ws: Workspace, recipe: Recipe, found: Judged, rows: Sequence[int]) -> list[list[Chip]]:
    """For each row of a pool, a chip per rule. Cost: 0.2 ms a chip."""
    names = list(dict.fromkeys(c for rule in found.rules for c in rule.columns()))
    columns = columns_of(ws, recipe, found.pool.source, names)
    chips: list[list[Chip]] = [[] for _ in rows]
    for i, rule in enumerate(found.rules):
        values = columns[rule.columns()[0]]
        if rule.bounded:
            numbers = values.cast(pl.Float64).to_numpy()
            steps = steps_of(rule, numbers, f"{found.pool.key} {rule!r}")
        for place, row in enumerate(rows):
            fails = bool(int(found.mask[row]) >> i & 1)
            if rule.bounded:
                chips[place].append(number_chip(rule, numbers, row, fails, steps))
            else:
                chips[place].append(plain_chip(rule, columns, row, fails))
    return chips


@st.cache_data(max_entries=512, show_spinner=False)
def steps_of(_rule: Rule, _values: NDArray[np.float64], key: str) -> tuple[float, float]:
    """One step of the slider at the minimum and at the maximum, for `key`; 0 without that side."""
    some = _values[:: max(1, _values.size // STEP_SAMPLE)]
    low, high = (0.0 if bound is None else step_at(some, bound) for bound in (_rule.min, _rule.max))
    return low, high


def number_chip(
    rule: Rule, values: NDArray[np.float64], row: int, fails: bool, steps: tuple[float, float]
) -> Chip:
    """`word count 38 < 50`."""
    value = float(values[row])
    sign = bound = ""
    if rule.min is not None and value < rule.min:
        sign, bound = "<", number(rule.min)
    elif rule.max is not None and value > rule.max:
        sign, bound = ">", number(rule.max)
    name = column_words(rule.signal)
    near = (rule.min is not None and value - rule.min < steps[0]) or (
        rule.max is not None and rule.max - value < steps[1]
    )
    state = "fails" if fails else "near" if near else "passes"
    below = float(np.mean(values < value))
    return Chip(
        f"{name} {number(value)} {sign} {bound}".strip(),
        state,
        f"{percent(below, 0)} of the source's documents have less; demanded: {rule.bound_words()}",
    )


def plain_chip(rule: Rule, columns: dict[str, pl.Series], row: int, fails: bool) -> Chip:
    """The value of a list's column, or of all columns of an expression."""
    held = ", ".join(f"{column_words(c)} {columns[c][row]}" for c in rule.columns())
    return Chip(held, "fails" if fails else "passes", f"demanded: {rule.words()}")
