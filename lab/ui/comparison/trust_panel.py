"""Can these metrics be trusted? Noise, signal and the gate's verdict on every metric."""

import math

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from lab.evaluation.gate.criteria import DEFAULT, Thresholds
from lab.evaluation.gate.gate import Gate, GateRow
from lab.ui.comparison.scores_panel import grey_table
from lab.ui.figures import GREY, add_cut, blank, draw, palette
from lab.ui.formats import compact, plural
from lab.ui.text import figure_text, label


def pick_limits() -> Thresholds:
    """The gate's thresholds; the sources of the defaults are in the help texts."""
    with st.expander("Thresholds"):
        first, second, third, fourth = st.columns(4)
        snr = first.number_input(
            "Signal to noise, at least", 0.0, 1000.0, DEFAULT.snr, 0.5, key="gate_snr",
            bind="query-params",
            help="Spread between mixtures over noise of one. Above 5 a law can be fitted, below 2 "
            "not: bands of a swarm of 240 mixtures (marin-community).",
        )  # fmt: skip
        monotone = second.number_input(
            "Monotonicity, at least", 0.0, 1.0, DEFAULT.monotonicity, 0.1, key="gate_monotone",
            bind="query-params",
            help="Mean Spearman correlation of step and score over training (FineTasks).",
        )  # fmt: skip
        chance = third.number_input(
            "SD above chance", 0.0, 100.0, DEFAULT.chance, 0.5, key="gate_chance",
            bind="query-params", help="Of the best mixture (FineTasks).",
        )  # fmt: skip
        ranks = fourth.number_input(
            "Rank stability, at least", 0.0, 1.0, DEFAULT.ranks, 0.1, key="gate_ranks",
            bind="query-params",
            help="Kendall's tau between two sizes; 0.6 is a decision accuracy of .8 (DataDecide).",
        )  # fmt: skip
        st.caption("Advice always uses the defaults: 5, 0.5, 3 and 0.6.")
    return Thresholds(snr, monotone, chance, ranks)


def show_trust(gate: Gate) -> None:
    """Counts, the figure of signal to noise, and the table of all metrics."""
    verdicts = [row.verdict for row in gate.rows]
    counts = [
        f"{verdicts.count(kind)} {words}"
        for kind, words in (
            ("passed", "passed"),
            ("failed", "failed"),
            ("not judged", "not judged"),
        )
    ]
    st.markdown(
        f"At {label(gate.size)} and {label(compact(gate.tokens))} tokens, from all scored runs "
        f"there: {label(', '.join(counts))}."
    )
    st.caption(
        "Noise comes from repeats of one mixture and from the last checkpoints of a run, never "
        "from the spread between mixtures. A metric that failed cannot be optimised for."
    )
    measured = [row for row in gate.rows if row.snr is not None]
    if measured:
        draw(
            snr_figure(measured, gate.thresholds.snr),
            "snr",
            "Signal to noise of every metric with its interval, and the threshold",
        )
    grey_table(
        pl.DataFrame([row_of(row) for row in gate.rows]),
        [row.failed for row in gate.rows],
        key="table_gate",
        alt="Every metric with noise, signal, the four questions and the verdict",
        column_config={"why": st.column_config.TextColumn(width="large")},
    )
    settle = list(dict.fromkeys(row.settle for row in gate.rows if row.settle))
    if settle:
        with st.expander(label(f"What would settle the rest ({plural(len(settle), 'way')})")):
            for words in settle:
                st.markdown(label(words))
    for note in gate.notes:
        st.caption(label(note))


def snr_figure(rows: list[GateRow], least: float) -> go.Figure:
    """One line per metric on a logarithmic axis, the best first."""
    ordered = sorted(rows, key=lambda row: row.snr or 0.0)
    figure = blank(100 + 22 * len(ordered), x="signal to noise, 95 % interval")
    for kind, colour in (("passed", palette()[0]), ("failed", GREY)):
        mine = [row for row in ordered if row.verdict == kind]
        if not mine:
            continue
        bounds = [limits(row) for row in mine]
        figure.add_scatter(
            x=[value for value, _, _ in bounds], y=[figure_text(name_of(row)) for row in mine],
            mode="markers", name=kind,
            marker={"size": 9, "color": colour, "symbol": "circle" if kind == "passed" else "x"},
            error_x={"type": "data", "symmetric": False, "color": colour,
                     "array": [high - value for value, _, high in bounds],
                     "arrayminus": [value - low for value, low, _ in bounds]},
            hovertemplate="%{y}: %{x:.2f}",
        )  # fmt: skip
    figure.update_xaxes(type="log", range=[math.log10(FLOOR), 2.5])
    figure.update_yaxes(
        categoryorder="array", categoryarray=[figure_text(name_of(row)) for row in ordered]
    )
    add_cut(figure, least, f"{least:g}")
    return figure


FLOOR = 0.1  # what is smaller, zero included, is drawn here


def limits(row: GateRow) -> tuple[float, float, float]:
    """Value, low and high for a logarithmic axis."""
    first = row.criteria[0]
    value = max(first.value or 0.0, FLOOR)
    high = first.high if first.high is not None else value
    return value, max(first.low or 0.0, FLOOR), max(high, value)


def name_of(row: GateRow) -> str:
    """A metric in words."""
    words = "" if row.metric.scope == "heldout" else f" {row.metric.metric}"
    return f"{row.metric.scope} {row.metric.on}{words}"


def row_of(row: GateRow) -> dict[str, object]:
    """One row of the table."""
    found = {criterion.name: criterion for criterion in row.criteria}

    def text(name: str, digits: int = 2) -> str:
        one = found.get(name)
        if one is None:
            return "no chance line"
        return one.state if one.value is None else f"{one.value:.{digits}f} {one.state}"

    sd = [noise and f"{noise.sd:.4f}" for noise in (row.noise_seeds, row.noise_checkpoints)]
    return {
        "metric": name_of(row),
        "gate": row.verdict,
        "signal to noise": text("signal to noise", 1),
        "noise, seeds": sd[0] or "unknown",
        "noise, checkpoints": sd[1] or "unknown",
        "monotonicity": text("monotonicity"),
        "SD from chance": text("distance from chance", 1),
        "rank stability": text("rank stability"),
        "why": row.reason,
        "mixtures": row.mixtures,
        "runs": row.runs,
    }
