"""The report: figures, benchmarks, sources, the curve over the 7-gram threshold, leaked items."""

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.curation.contamination.verdicts import Thresholds
from lab.ui.columns import share, whole
from lab.ui.components import link, metrics, table
from lab.ui.contamination.evidence import Findings
from lab.ui.figures import GREY, add_cut, blank, draw, ink
from lab.ui.formats import compact, count, percent
from lab.ui.text import figure_text, snippet

KINDS = {"13": "long run", "7": "7-word runs", "partial": "partial: stays"}
SHADES = {"13": "#bd1f01", "7": "#c97a00", "partial": GREY}
PATTERNS = {"13": "", "7": "/", "partial": "."}
ITEMS = 12


def show_figures(found: Findings, ngram: int) -> None:
    """Items quoted, documents by verdict, tokens removed."""
    sums = found.sources.sum()
    items, hit = int(found.benchmarks["items"].sum()), int(found.benchmarks["items_hit"].sum())
    tokens, removed = int(sums["tokens"][0]), int(sums["tokens_removed"][0])
    metrics(
        [
            ("Items quoted", count(hit), f"of {count(items)} items of these benchmarks"),
            (
                f"Documents by {ngram} words",
                count(sums["documents_13"][0]),
                "training documents that hold a run of this many words of an item",
            ),
            ("By 7-word runs", count(sums["documents_7"][0]), "not by the longer run"),
            ("Partial", count(sums["documents_partial"][0]), "information only: never removed"),
            (
                "Tokens removed",
                compact(removed),
                f"{percent(removed / max(tokens, 1), 3)} of {compact(tokens)}; by both rules and "
                "reviewers. A recipe removes by the longer run and by reviewers.",
            ),
        ]
    )


def show_benchmarks(found: Findings, ngram: int) -> None:
    """One row a benchmark."""
    table(
        found.benchmarks.select(
            "benchmark", "items", "items_hit", "uncheckable", "uncheckable_long",
            "documents_13", "documents_7", "documents_partial",
        ),
        key="benchmarks",
        alt="Items quoted and documents that quote them, per benchmark",
        column_config={
            "items": whole(),
            "items_hit": whole("quoted"),
            "uncheckable": whole("uncheckable", explain="Under 7 words: not the same as clean"),
            "uncheckable_long": whole(
                f"under {ngram} words", explain="Looked for by 7-word runs only"
            ),
            "documents_13": whole(f"documents by {ngram}"),
            "documents_7": whole("by 7"),
            "documents_partial": whole("partial"),
        },
    )  # fmt: skip


def show_sources(found: Findings, ngram: int) -> None:
    """Documents and tokens each source loses."""
    left, right = st.columns([4, 7], gap="medium")
    with left:
        draw(source_bars(found.sources), "source_bars", "Documents of each source by verdict")
    part = (pl.col("tokens_removed") / pl.col("tokens").clip(1)).alias("share")
    with right:
        table(
            found.sources.select(
                "source", "documents", "documents_13", "documents_7", "documents_partial",
                "documents_removed", "tokens_removed", part,
            ),
            key="contaminated_sources",
            alt="Training documents and tokens that each source loses",
            column_config={
                "documents": whole(width=75),
                "documents_13": whole(f"by {ngram}", width=60),
                "documents_7": whole("by 7", width=50),
                "documents_partial": whole("partial", width=55),
                "documents_removed": whole("removed", width=65),
                "tokens_removed": whole("tokens", width=75),
                "share": share("share", width=60),
            },
        )  # fmt: skip
        st.caption(
            "Training documents; each counts once, under its worst verdict. Removed: by a long "
            "run, by 7-word runs, or by a reviewer."
        )


def source_bars(sources: pl.DataFrame) -> object:
    """Share of each source's documents, by verdict; patterns say what colours say."""
    names = [figure_text(source) for source in sources["source"]]
    figure = blank(90 + 34 * len(names), x="share of the source's documents")
    for kind, words in KINDS.items():
        amount = sources[f"documents_{kind}"]
        figure.add_bar(
            y=names, x=amount / sources["documents"].clip(1), orientation="h", name=words,
            marker={"color": SHADES[kind], "pattern": {"shape": PATTERNS[kind]}},
            customdata=amount, hovertemplate="%{y}: %{customdata:,} documents (%{x:.2%})",
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(tickformat=".2~%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def show_curve(curve: pl.DataFrame, limits: Thresholds) -> None:
    """Documents removed over the threshold on 7-word runs, together with the rule on long runs."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure = blank(300, x="threshold on the share of 7-word runs", y="documents removed")
        figure.add_scatter(
            x=curve["threshold"], y=curve["documents"], mode="lines+markers", name="documents",
            line={"color": ink()}, hovertemplate="%{x:.2f}: %{y:,} documents<extra></extra>",
        )  # fmt: skip
        add_cut(figure, limits.contaminated, f"{limits.contaminated:.2f}")
        figure.update_yaxes(rangemode="tozero")
        figure.update_layout(showlegend=False)
        draw(figure, "sensitivity", "Documents that a 7-gram threshold would remove")
        st.caption(
            "All registered benchmarks, before any decision of a reviewer. At 1 only long runs "
            "and texts quoted whole are left. To remove by 7-word runs in a recipe, cut the signal "
            "contamination.ratio7 on the Filters page."
        )
        link("filters", "Cut by 7-word runs", signal="contamination.ratio7")
    with right:
        columns = {
            "threshold": st.column_config.NumberColumn(format="%.2f"),
            "documents": st.column_config.NumberColumn(format="localized"),
            "tokens": st.column_config.NumberColumn(format="localized"),
        }
        table(curve, key="curve_table", alt="Removed per threshold", column_config=columns)


def show_items(ws: Workspace, found: Findings) -> None:
    """Items by verdict and by documents that quote them; a click narrows the matches to one."""
    leaked = found.items.filter(pl.col("documents") > 0).sort(
        "status", "documents", "item_id", descending=[False, True, False]
    )
    if leaked.is_empty():
        st.caption("No item of these benchmarks is quoted at these limits.")
        return
    pages = -(-leaked.height // ITEMS)
    page = st.pagination(pages, key="item_page", bind="query-params", max_visible_pages=5)
    shown = leaked.slice((min(page, pages) - 1) * ITEMS, ITEMS)

    def narrow() -> None:
        rows = st.session_state["items"].selection.rows
        if rows and rows[0] < shown.height:
            row = shown.row(rows[0], named=True)
            st.session_state["item"] = f"{row['benchmark']}/{row['item_id']}"
            st.session_state["doc"] = ""

    starts = questions(ws, shown)
    table(
        shown.select(
            "benchmark",
            "item_id",
            pl.Series("question", starts, pl.String),
            "documents",
            "sources",
            "ratio",
            "status",
        ),
        key="items",
        alt="Items that documents quote, most documents first; select one to read its matches",
        on_select=narrow,
        selection_mode="single-row",
        column_config={
            "benchmark": st.column_config.TextColumn(width=90),
            "item_id": st.column_config.TextColumn("item", width=140),
            "question": st.column_config.TextColumn("starts with", width=380),
            "documents": whole(width=75),
            "sources": whole(width=60),
            "ratio": st.column_config.NumberColumn("largest r", format="%.2f", width=70),
        },
    )


def questions(ws: Workspace, items: pl.DataFrame) -> list[str]:
    """The start of each item's question, in the order of `items`."""
    found: dict[tuple[str, str], str] = {}
    for benchmark in items["benchmark"].unique():
        own = items.filter(pl.col("benchmark") == benchmark)["item_id"]
        path = ws.benchmarks / benchmark / "items.parquet"
        rows = pl.scan_parquet(path).filter(pl.col("id").is_in(own.implode()))
        for name, question in rows.select("id", "question").collect().iter_rows():
            found[benchmark, name] = snippet(question or "", 140)
    return [found.get(key, "") for key in items.select("benchmark", "item_id").iter_rows()]
