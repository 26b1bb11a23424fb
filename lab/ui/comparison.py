"""Two mixtures side by side: differences with intervals, verdicts in words, and what would help.

The numbers and verdicts are those of `lab.evaluation.compare`; this module draws them. A forest
plot shows B - A with its interval: the filled side says who is better, an open grey circle that the
interval holds zero, which is *unresolved* and not "no difference".
"""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.evaluation.choose import compare_named
from lab.evaluation.compare import Comparison
from lab.evaluation.metrics import MEAN
from lab.evaluation.verdicts import Difference
from lab.proxy.runs import load_run, run_folders
from lab.ui.components import table
from lab.ui.figures import GREY, blank, draw, ink, palette
from lab.ui.formats import plural, signed
from lab.ui.text import figure_text, label, show_plain

SCOPES = {
    "heldout": "Held-out text, by source",
    "benchmark": "Benchmarks",
    "twin": "Twins: the same content in another format",
}
METRIC_WORDS = {
    "bpb": "bits per byte",
    "accuracy": "accuracy",
    "gold_bpb": "bits per byte of the right answer",
    "margin": "margin of the right answer, nats",
}
SYMBOLS = {"A better": "triangle-left", "B better": "triangle-right", "unresolved": "circle-open"}


def compared_names(ws: Workspace) -> list[str]:
    """Recipes that have at least one scored run."""
    scored = [f for f in run_folders(ws) if (f / "scores" / "summary.json").is_file()]
    return sorted({load_run(folder).recipe for folder in scored})


def comparison_of(ws: Workspace, a: str, b: str) -> Comparison:
    """B against the baseline A; recomputed when a run or score appears."""
    stamps = [
        (path.parent.parent.name, path.stat().st_mtime_ns)
        for path in sorted(ws.runs.glob("*/scores/summary.json"))
    ]
    return cached_comparison(ws, a, b, digest([str(ws.root), stamps]))


@st.cache_resource(max_entries=16, show_spinner=False)
def cached_comparison(_ws: Workspace, a: str, b: str, key: str) -> Comparison:
    """The comparison for `key`."""
    return compare_named(_ws, [a, b])


def show_summary(found: Comparison, a: str, b: str) -> None:
    """How many verdicts of each kind, leaving means and twins aside."""
    rows = [r for r in found.rows if r.metric.scope != "twin" and r.metric.on != MEAN]
    grid = st.grid(3, min_column_width=180, gap="small")
    for verdict, words in (
        ("A better", f"{a} better"),
        ("B better", f"{b} better"),
        ("unresolved", "Unresolved"),
    ):
        amount = sum(row.verdict == verdict for row in rows)
        grid.metric(label(words), label(f"{amount} of {len(rows)}"), border=True)
    for note in found.notes:
        st.caption(label(note))


def show_scope(found: Comparison, scope: str, a: str, b: str) -> None:
    """Forest plot and table of one scope."""
    rows = [row for row in found.rows if row.metric.scope == scope]
    if not rows:
        return
    st.subheader(label(SCOPES[scope]), anchor=False)
    metrics = list(dict.fromkeys(row.metric.metric for row in rows))
    chosen = metrics[0]
    if len(metrics) > 1:
        chosen = str(
            st.segmented_control(
                "Measure",
                metrics,
                default=metrics[0],
                key=f"metric_{scope}",
                bind="query-params",
                required=True,
                format_func=lambda m: METRIC_WORDS.get(m, m),
            )
        )
    shown = sorted(
        (r for r in rows if r.metric.metric == chosen), key=lambda r: r.metric.on == MEAN
    )
    draw(
        forest(shown, a, b),
        f"forest_{scope}",
        f"Differences of {b} minus {a} with 95 percent intervals: "
        + ", ".join(f"{row.metric.on} {row.verdict}" for row in shown),
    )
    difference_table(shown, f"table_{scope}", a, b)


def forest(rows: Sequence[Difference], a: str, b: str) -> go.Figure:
    """One line per metric: B - A with its interval."""
    first = rows[0].metric
    better = "below" if first.better_is == "lower" else "above"
    words = METRIC_WORDS.get(first.metric, first.metric)
    title = f"{b} minus {a}, {words} ({better} zero: {b} better)"
    figure = blank(90 + 30 * len(rows), x=figure_text(title))
    paint = {"A better": palette()[1], "B better": palette()[0], "unresolved": GREY}
    for verdict in ("A better", "B better", "unresolved"):
        mine = [row for row in rows if row.verdict == verdict]
        if not mine:
            continue
        low = [finite(r.difference.value - r.difference.low) for r in mine]
        high = [finite(r.difference.high - r.difference.value) for r in mine]
        name = {"A better": f"{a} better", "B better": f"{b} better"}.get(verdict, verdict)
        figure.add_scatter(
            x=[r.difference.value for r in mine], y=[figure_text(r.metric.on) for r in mine],
            mode="markers", name=figure_text(name),
            marker={"symbol": SYMBOLS[verdict], "size": 11, "color": paint[verdict]},
            error_x={"type": "data", "array": high, "arrayminus": low, "symmetric": False,
                     "color": paint[verdict], "thickness": 2, "width": 5},
            hovertemplate="%{y}: %{x:.4f}",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink(), "width": 1})
    order = [figure_text(row.metric.on) for row in rows]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    return figure


def finite(half: float) -> float:
    """Half an interval for the figure; an unknown one is not drawn."""
    return half if math.isfinite(half) else 0.0


def difference_table(rows: Sequence[Difference], key: str, a: str, b: str) -> None:
    """The same numbers as text."""
    frame = pl.DataFrame(
        [
            {
                "on": row.metric.on,
                a: row.a.value,
                f"{b} ": row.b.value,  # the space keeps two columns apart if A and B are the same
                "difference": row.difference.value,
                "interval": interval_words(row),
                "verdict": verdict_words(row, a, b),
                "chance": row.chance,
                "n": row.difference.n,
                "seeds": row.seeds,
                "why": row.reason,
                "twin": row.twin,
            }
            for row in rows
        ]
    )
    said = [c for c in ("chance", "twin") if any(v not in (None, "") for v in frame[c])]
    frame = frame.drop({"chance", "twin"} - set(said))
    config = st.column_config.NumberColumn
    table(
        frame,
        key=key,
        alt="Both values, their difference with its interval, and the verdict",
        column_config={a: config(format="%.4f"), f"{b} ": config(b, format="%.4f")}
        | {"difference": config(format="%+.4f"), "interval": "95 % interval"}
        | {"chance": config(format="%.3f")},
    )


def interval_words(row: Difference) -> str:
    """The interval, or that it is not known."""
    low, high = row.difference.low, row.difference.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return "unknown"
    return f"{signed(low, 4)} to {signed(high, 4)}"


def verdict_words(row: Difference, a: str, b: str) -> str:
    """The verdict with the recipe's name."""
    return {"A better": f"{a} better", "B better": f"{b} better"}.get(row.verdict, row.verdict)


def show_advice(found: Comparison) -> None:
    """What would change the conclusion."""
    st.subheader("What would change the conclusion", anchor=False)
    unresolved = [row for row in found.rows if row.verdict == "unresolved"]
    if not unresolved:
        st.markdown("Every difference is resolved at this size and budget.")
        return
    kinds = [obstacle(row) for row in unresolved]
    for kind, words in OBSTACLES.items():
        if kind in kinds:
            st.markdown(f"{plural(kinds.count(kind), 'difference')}: {label(words)}")


OBSTACLES = {
    "one seed": "with one seed in a group, the noise of training is unknown. Train at least two "
    "seeds of each recipe, better three.",
    "chance": "both recipes are at chance. The benchmark is too hard for models of this size and "
    "budget; train longer or larger ones.",
    "seeds": "most of the noise is between seeds. More seeds would narrow the interval most.",
    "items": "most of the noise is between items. More items or held-out text would narrow it.",
}


def obstacle(row: Difference) -> str:
    """The key of OBSTACLES that says why a difference is not resolved."""
    if row.seed_share is None:
        return "one seed"
    if row.chance is not None and all(e.low <= row.chance <= e.high for e in (row.a, row.b)):
        return "chance"
    return "seeds" if row.seed_share > 0.5 else "items"


def show_nothing_scored(names: Sequence[str]) -> None:
    """Why there is nothing to compare."""
    st.caption("A comparison needs scored runs of two recipes at one size and token budget.")
    if names:
        show_plain("Scored so far: " + ", ".join(names))
