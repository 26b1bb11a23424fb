"""How far a score can be trusted: error, calibration, learning curve, bias, and its worst misses.

Every figure is of documents held out of the fit, with a 95 % interval and its n, and stands beside
a table. Nothing is computed here: the head stores these tables when it is learned.
"""

from typing import Any

import polars as pl
import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.curation.quality import read_evaluation
from lab.ui.columns import share
from lab.ui.components import link, metrics, table
from lab.ui.figures import GREY, blank, draw, ink, palette
from lab.ui.formats import count, number, plural
from lab.ui.quality.labels_panel import show_agreement
from lab.ui.tables import texts
from lab.ui.text import figure_text, label, show_document

MEASURES = ("spearman", "f1", "rmse", "r2", "precision", "recall")
NAMES = {"spearman": "Spearman", "f1": "F1", "rmse": "RMSE", "r2": "R2"}
MISSES = 10


def show_evaluation(ws: Workspace, name: str, head: Artifact) -> None:
    """All of it, one question after the other."""
    st.subheader("Do the numbers mean what they say?", anchor=False)
    show_calibration(read_evaluation(ws, name, "calibration"))
    st.subheader("Would more labels help?", anchor=False)
    show_curve(read_evaluation(ws, name, "learning_curve"))
    st.subheader("Whom does it favour?", anchor=False)
    show_bias(read_evaluation(ws, name, "bias"), head)
    st.subheader("Do those who labelled agree?", anchor=False)
    show_agreement(read_evaluation(ws, name, "agreement"))
    st.subheader("Where is it most wrong?", anchor=False)
    show_misses(ws, read_evaluation(ws, name, "predictions"))


def show_error(ws: Workspace, name: str, head: Artifact) -> None:
    """The headline figures with intervals."""
    rows = {row["measure"]: row for row in read_evaluation(ws, name, "errors").to_dicts()}
    cut, spread = float(head.manifest["threshold"]), float(head.manifest["label_sd"])
    about = {
        "spearman": "rank correlation of score and label; an interval that holds 0 ranks nothing",
        "f1": f"of label at least {cut:g}, foretold by score at least {cut:g}",
        "rmse": f"in labels; always guessing the mean makes {spread:.2f}",
    }
    figures: list[tuple[str, str, str]] = []
    for measure, words in about.items():
        value = number(rows[measure]["value"], 2) if measure in rows else "-"
        figures.append((NAMES[measure], value, words))
    metrics([*figures, ("Labels", count(head.manifest["labels"]), learned_words(head))])
    said = [f"{NAMES[m]} {rows[m]['low']:.2f} to {rows[m]['high']:.2f}" for m in about if m in rows]
    st.caption(
        f"On {count(head.manifest['labels'])} documents held out of the fit, 95 % intervals: "
        f"{label(', '.join(said))}. {label(learned_words(head))}."
    )


def learned_words(head: Artifact) -> str:
    """Which head, with which setting."""
    chosen = ", ".join(f"{k} {v:g}" for k, v in head.manifest["chosen"].items())
    return f"Head {head.manifest['head']}, {chosen} by nested cross-validation"


def show_calibration(found: pl.DataFrame) -> None:
    """Mean label against mean score, in bins of equal size."""
    both = pl.concat([found["predicted"], found["label"]]).to_numpy()
    ends = [float(both.min()), float(both.max())]
    figure = blank(330, x="predicted score", y="mean label")
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="perfect", line={"color": GREY, "dash": "dash"},
        hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=found["predicted"], y=found["label"], mode="markers+lines", name="bins of equal size",
        line={"color": palette()[0]}, marker={"size": 8},
        error_y=interval(found, "label"), hovertemplate="score %{x:.2f}: label %{y:.2f}",
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw(figure, "calibration", "Mean label against predicted score, with the diagonal")
    with right:
        table(
            found.select(
                "from", "to", pl.col("predicted").alias("score"), "label", "low", "high", "n"
            ),
            key="calibration_table",
            alt="Calibration bins: score, mean label, interval, documents",
            column_config=decimals("from", "to", "score", "label", "low", "high"),
        )
        off = found.filter(
            (pl.col("low") > pl.col("predicted")) | (pl.col("high") < pl.col("predicted"))
        )
        st.caption(
            f"In {count(off.height)} of {count(found.height)} bins the interval misses the "
            "diagonal. Above it the score is too low, below too high: a cut at 3 is then not a "
            "cut at what the labellers call 3."
        )


def interval(
    found: pl.DataFrame, value: str, low: str = "low", high: str = "high"
) -> dict[str, Any]:
    """Error bars from columns of bounds."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (found[high] - found[value]).to_list(),
        "arrayminus": (found[value] - found[low]).to_list(),
        "thickness": 1.2,
    }


def decimals(*names: str) -> dict[str, Any]:
    """Columns with two decimals."""
    return {
        n: st.column_config.NumberColumn(n.rpartition("_")[2], format="%.2f", width=52)
        for n in names
    }


def show_curve(found: pl.DataFrame) -> None:
    """One measure over the number of labels that the fit saw."""
    known = [m for m in MEASURES if m in found["measure"].to_list()]
    measure = st.segmented_control(
        "Measure", known, default=known[0], key="curve_measure", bind="query-params",
        required=True, format_func=lambda m: NAMES.get(m, m),
    )  # fmt: skip
    rows = found.filter(measure=measure).sort("labels")
    figure = blank(300, x="labels in the fit", y=figure_text(NAMES.get(str(measure), measure)))
    figure.add_scatter(
        x=rows["labels"], y=rows["value"], mode="markers+lines", line={"color": palette()[0]},
        error_y=interval(rows, "value"), hovertemplate="%{x} labels: %{y:.3f}",
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw(figure, "learning_curve", "Held-out error over the number of labels")
    with right:
        table(
            rows.select("labels", "value", "low", "high", "n"),
            key="learning_table", alt="The learning curve as a table",
            column_config=decimals("value", "low", "high"),
        )  # fmt: skip
        if rows.height > 1:
            st.caption(label(curve_words(rows)))


def curve_words(rows: pl.DataFrame) -> str:
    """Whether the last step still moved the measure by more than chance."""
    before, last = rows.row(-2, named=True), rows.row(-1, named=True)
    step = f"From {before['labels']:,} to {last['labels']:,} labels it moved by "
    step += f"{last['value'] - before['value']:+.3f}. "
    if last["low"] > before["high"] or last["high"] < before["low"]:
        return step + "That is more than chance: more labels would help."
    return step + "The intervals overlap: whether more labels help is unresolved."


def show_bias(found: pl.DataFrame, head: Artifact) -> None:
    """Score minus label per group, and what the cut selects against what the labels select."""
    st.info(
        "Scores like this over-select technical vocabulary: phi-4's authors found that small "
        "classifiers on a model's labels favour science and mathematics words, and lifted other "
        "subjects by a path of their own (arXiv:2412.08905, 2.3). Look at the groups before "
        "cutting; a quota per source or topic keeps what the score overlooks.",
        icon=":material/science:",
    )
    groupings = found["grouping"].unique(maintain_order=True).to_list()
    grouping = st.selectbox("Groups", groupings, key="bias_by", bind="query-params")
    rows = found.filter(grouping=grouping).sort("residual", descending=True)
    left, right = st.columns([3, 4], gap="medium")
    with left:
        draw(bias_figure(rows), "bias", "Score minus label per group, with intervals")
    with right:
        table(
            rows.select("name", "n", "residual", "residual_low", "residual_high",
                        judged().alias("verdict"), "selected", "labelled"),
            key="bias_table",
            alt="Per group: residual with interval, verdict, and selection rates",
            column_config=decimals("residual", "residual_low", "residual_high")
            | {
                "name": st.column_config.TextColumn("group", width=105),
                "n": st.column_config.NumberColumn(width=45),
                "verdict": st.column_config.TextColumn(width=85),
                "selected": share("by score", width=65),
                "labelled": share("by label", width=65),
            },
        )  # fmt: skip
        st.caption(
            f"Selected at {float(head.manifest['threshold']):g}: the share of a group that the "
            f"score keeps, and that its labels would keep. Of {plural(rows.height, 'group')} one "
            "in twenty looks biased by chance."
        )


def bias_figure(rows: pl.DataFrame) -> object:
    """A point with its interval for each group."""
    figure = blank(90 + 30 * rows.height, x="score minus label")
    figure.add_scatter(
        x=rows["residual"], y=[figure_text(name) for name in rows["name"]], mode="markers",
        marker={"size": 9, "color": palette()[0]},
        error_x=interval(rows, "residual", "residual_low", "residual_high"),
        hovertemplate="%{y}: %{x:+.2f}",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink(), "width": 1, "dash": "dash"})
    figure.update_yaxes(autorange="reversed")
    return figure


def judged() -> pl.Expr:
    """Overrated, underrated, or unresolved where the interval holds zero."""
    over, under = pl.col("residual_low") > 0, pl.col("residual_high") < 0
    said = pl.when(over).then(pl.lit("overrated")).when(under).then(pl.lit("underrated"))
    return said.otherwise(pl.lit("unresolved"))


def show_misses(ws: Workspace, found: pl.DataFrame) -> None:
    """The documents whose score is furthest from their label; a click opens one."""
    miss = (pl.col("predicted") - pl.col("label")).alias("miss")
    rows = (
        found.with_columns(miss)
        .sort(pl.col("miss").abs(), "id", descending=[True, False])
        .head(MISSES)
    )
    ids = rows["id"].to_list()

    def open_row() -> None:
        selected = st.session_state["misses"].selection.rows
        if selected and selected[0] < len(ids):
            st.session_state["doc"] = ids[selected[0]]

    left, right = st.columns([2, 3], gap="medium")
    with left:
        table(
            rows.select("id", "label", pl.col("predicted").alias("score"), "miss"),
            key="misses",
            alt="Documents whose held-out score is furthest from their label; select one",
            on_select=open_row,
            selection_mode="single-row",
            column_config=decimals("label", "score", "miss")
            | {"id": st.column_config.TextColumn("document", width=150)},
        )
    with right:
        typed = st.text_input("Document", key="doc", bind="query-params", placeholder=ids[0])
        document = (typed or "").strip() or ids[0]
        source = document.partition("/")[0]
        body = texts(documents(ws, get_source(ws, source).name), [document], 4000).get(document)
        if body is None:
            st.caption("No document has this id.")
            return
        show_document(body, height=330)
        link("browse", "Open in Browse", source=source, doc=document)
