"""A document of your own under the rules: paste it, and see every signal, verdict and place.

Signals are computed by the same code as in a measurement, on one text. What compares a document
with others (duplicates, contamination, learned scores) cannot be known for a pasted text; rules on
it are named and not judged. Cost: 1.2 s for the first text of a server, which loads the compiled
loops, then 25 ms a text (70 ms for 200,000 characters).
"""

import polars as pl
import streamlit as st

from lab.curation.filters.mask import fail_mask
from lab.curation.filters.rule import Rule
from lab.curation.signals import BY_ID
from lab.curation.signals import compute as compute_signals
from lab.ui.components import table
from lab.ui.filters.evidence import columns_of
from lab.ui.filters.reading import marks_of
from lab.ui.filters.scene import Scene
from lab.ui.formats import number, percent
from lab.ui.highlight import Chip, show_verdict
from lab.ui.text import label

LONGEST = 200_000  # characters
EXCERPT = 6000
LOADED = "bench_loaded"


def show_bench(scene: Scene) -> None:
    """The box, the verdict, and the table of all signals."""
    with st.form("bench", border=False):
        st.text_area(
            "Text", key="paste", height=180, max_chars=LONGEST,
            placeholder="Paste a document. It is measured here and not stored.",
        )  # fmt: skip
        st.form_submit_button("Judge it")
    text = str(st.session_state.get("paste") or "")
    if not text.strip():
        st.caption("Nothing is pasted yet.")
        return
    first = "" if st.session_state.get(LOADED) else " (the first time takes a second or two)"
    with st.spinner(f"Measuring{label(first)}"):
        values = measured(text)
    st.session_state[LOADED] = True
    rules = scene.after(scene.sources[0]).rules
    chips, failing, unknown = verdicts(values, rules)
    if unknown:
        words = ", ".join(rule.words() for rule in unknown)
        st.caption(f"Not judged, because it needs the other documents: {label(words)}")
    columns = [c for rule in failing for c in rule.columns()]
    head = Chip("falls" if failing else "kept", "says")
    show_verdict([head, *chips], text, marks_of(text, columns), limit=EXCERPT, lines=80)
    table(
        bench_table(scene, values, rules), key="bench_table", height=380,
        alt="Every signal of the pasted text, its place in the source, and the rule on it",
        column_config={"signal": st.column_config.TextColumn(width=280)},
    )  # fmt: skip


@st.cache_data(max_entries=8, show_spinner=False)
def measured(text: str) -> pl.DataFrame:
    """All signals of one text, one row."""
    return compute_signals(pl.DataFrame({"text": [text]}), list(BY_ID))


def verdicts(
    values: pl.DataFrame, rules: tuple[Rule, ...]
) -> tuple[list[Chip], list[Rule], list[Rule]]:
    """Chips of the rules that can be judged, those that fail, and those that cannot be judged."""
    known = [r for r in rules if all(c in values.columns for c in r.columns())]
    mask = int(fail_mask(values, known)[0])
    chips = []
    for i, rule in enumerate(known):
        held = ", ".join(f"{name_of(c)} {shown(values[c][0])}" for c in rule.columns())
        state = "fails" if mask >> i & 1 else "passes"
        limit = f", {rule.bound_words()}" if rule.bounded else ""
        chips.append(Chip(held + limit, state, f"demanded: {rule.words()}"))
    failing = [rule for i, rule in enumerate(known) if mask >> i & 1]
    return chips, failing, [rule for rule in rules if rule not in known]


def name_of(column: str) -> str:
    """A column as people name it."""
    return BY_ID[column].label if column in BY_ID else column


def shown(value: object) -> str:
    """A value of any column."""
    return number(float(value)) if isinstance(value, int | float) else str(value)


def bench_table(scene: Scene, values: pl.DataFrame, rules: tuple[Rule, ...]) -> pl.DataFrame:
    """signal, value, percentile in the source, demand and verdict, rules first."""
    demands = {rule.signal: rule for rule in rules if not rule.where}
    judged_now = verdicts(values, tuple(demands.values()))[1]
    rows = []
    for column in sorted(values.columns, key=lambda c: c not in demands):
        rule, value = demands.get(column), values[column][0]
        rows.append(
            {
                "signal": name_of(column),
                "value": shown(value),
                "below it in the source": below(scene, column, value) if rule else "",
                "demanded": rule.bound_words() if rule and rule.bounded else "",
                "verdict": "" if rule is None else "fails" if rule in judged_now else "passes",
                "definition": column,
            }
        )
    return pl.DataFrame(rows)


def below(scene: Scene, column: str, value: object) -> str:
    """The share of the source's documents with a smaller value."""
    held = columns_of(scene.ws, scene.new, scene.sources[0], [column])[column]
    if not isinstance(value, int | float) or not held.dtype.is_numeric() or held.is_empty():
        return ""
    return percent(float((held < value).sum()) / held.len(), 0)
