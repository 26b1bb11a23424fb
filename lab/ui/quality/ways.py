"""The three ways to use a score, as rules of a recipe, and what each keeps of every source.

A *threshold* keeps what a grade promises and shifts the mixture towards sources that score high. A
*top share* takes the best of every source. *Temperature sampling* (QuRating, Wettig et al. 2024,
arXiv:2402.09739) draws with probability proportional to exp(score / T), so that what the score
overlooks keeps a chance. Cost at a million documents: 30 ms, 120 ms and 170 ms.
"""

import polars as pl
import streamlit as st

from lab.curation.filters.mask import percentile
from lab.curation.sampling import sample_column, sampling_keys

QURATING = 2.0  # temperature for scores of standard deviation 1 (arXiv:2402.09739)


def by_threshold(frame: pl.DataFrame, column: str, usual: float) -> tuple[str, pl.DataFrame, float]:
    """Documents with at least a score: the rule, what stays per source, the cut."""
    cut = float(
        st.number_input(
            "Keep from score",
            None,
            None,
            usual,
            0.1,
            key="cut",
            bind="query-params",
            format="%.2f",
            width=180,
        )
    )
    st.caption(
        "FineWeb-Edu keeps grades of 3 and more, that is scores from 2.5. One threshold for all "
        "sources asks the same of each and changes how much of each is left."
    )
    return f"{column}={cut:.10g}..", kept_frame(frame, pl.col("score") >= cut), cut


def by_share(frame: pl.DataFrame, column: str) -> tuple[str, pl.DataFrame]:
    """The best documents of every source: the rule, what stays."""
    part = pick_part()
    st.caption(
        "The best of every source by its own measure. The weights of the mixture stay; a poor "
        "source keeps poor documents. phi-1 kept a sixth, DCLM a tenth."
    )
    kept = top_part(frame, "score", part)
    return f"{column}=p{100 - part:.10g}..", kept_frame(frame, kept)


def by_sampling(frame: pl.DataFrame, name: str, spread: float) -> tuple[str, pl.DataFrame]:
    """Drawn in proportion to exp(score / T): the rule on the stored keys, what stays."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        part = pick_part()
        temperature = float(
            st.number_input(
                "Temperature",
                0.01,
                1000.0,
                round(QURATING * spread, 1),
                0.1,
                key="temperature",
                bind="query-params",
                format="%.4g",
                width=150,
                help="In units of the score. Towards 0 it keeps the best, towards infinity it "
                "draws evenly.",
            )
        )
        seed = int(st.number_input("Seed", 0, 9999, 0, key="draw_seed", bind="query-params",
                                   width=110))  # fmt: skip
    st.caption(
        f"QuRating's T = 2 is for scores that spread by 1; these spread by {spread:.2f}, so the "
        f"same is {QURATING * spread:.2g}. The key of a document is stored as a column, so a "
        "larger share contains the smaller one."
    )
    column = sample_column(name, temperature, seed)
    keys = sampling_keys(frame["score"].to_numpy(), frame["content_hash"], temperature, seed)
    ranked = frame.with_columns(key=pl.Series(keys))
    kept = top_part(ranked, "key", part)
    return f"{column}=p{100 - part:.10g}..", kept_frame(ranked, kept)


def top_part(frame: pl.DataFrame, column: str, part: float) -> pl.Expr:
    """The test that `min_percentile` makes of every source: at or above its own percentile."""
    cuts = {
        str(source): percentile(own[column].to_numpy(), 100 - part, "min")
        for (source,), own in frame.select("source", column)
        .partition_by("source", as_dict=True)
        .items()
    }
    cut = pl.col("source").replace_strict(cuts, return_dtype=pl.Float64)
    return pl.col(column) >= cut


def pick_part() -> float:
    """The share of every source that is kept."""
    return float(
        st.number_input(
            "Keep of every source, %",
            0.1,
            100.0,
            20.0,
            5.0,
            key="part",
            bind="query-params",
            format="%.4g",
            width=190,
        )
    )


def kept_frame(frame: pl.DataFrame, kept: pl.Expr) -> pl.DataFrame:
    """Per source: documents, kept documents and tokens, mean score before and after, and the
    source's share of all tokens before and after.
    """
    tokens, score = pl.col("tokens").cast(pl.Int64), pl.col("score")
    marked = frame.with_columns(kept.alias("kept"))
    found = marked.group_by("source").agg(
        documents=pl.len(),
        kept=pl.col("kept").sum(),
        tokens=tokens.sum(),
        kept_tokens=tokens.filter("kept").sum(),
        mean=score.mean(),
        kept_mean=score.filter("kept").mean(),
    )
    return found.sort("source").select(
        "source",
        "documents",
        kept=pl.col("kept") / pl.col("documents"),
        kept_tokens="kept_tokens",
        before=pl.col("tokens") / pl.col("tokens").sum().clip(1),
        after=pl.col("kept_tokens") / pl.col("kept_tokens").sum().clip(1),
        mean="mean",
        kept_mean="kept_mean",
    )
