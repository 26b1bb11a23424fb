"""Read what is called a copy: groups, pairs on either side of the threshold, and their difference.

The two documents compared are in the address (`a`, `b`), so a doubtful pair can be sent to somebody
else. A click on a row writes them there.
"""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.errors import DataError
from lab.core.workspace import Workspace
from lab.corpus.sources import documents, get_source
from lab.ui.components import link, table
from lab.ui.duplicates import effect
from lab.ui.duplicates.draft import NEAR, Policy
from lab.ui.duplicates.pool import Pool, holdings_at, members_at
from lab.ui.formats import count, number
from lab.ui.tables import texts
from lab.ui.text import label, show_diff, show_document, show_plain
from lab.ui.word_diff import diff_lines

GROUPS, ABOVE, BELOW = "largest groups", "just above", "just below"
PAGE = 10
READ = 500_000  # characters of a text that are compared and shown
EDGE = 50  # pairs shown on either side of the threshold
FIRST, SECOND = "a", "b"


def show_pairs(ws: Workspace, pool: Pool, policy: Policy) -> None:
    """The list on the left, the two texts on the right."""
    near = policy.falls == NEAR and pool.stored.pairs is not None
    modes = [GROUPS, ABOVE, BELOW] if near else [GROUPS]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        mode = st.segmented_control(
            "Look at", modes, default=GROUPS, key="look", bind="query-params", required=True,
            format_func=label, on_change=close_pair,
            help="Pairs just above or just below the threshold show what it decides.",
        )  # fmt: skip
        if mode == GROUPS:
            pair = group_list(pool, policy)
        else:
            pair = edge_list(pool, policy.threshold, str(mode))
    with right:
        first, second = chosen(pair)
        if first and second:
            show_pair(ws, first, second, alike(pool, first, second))


def close_pair() -> None:
    """Callback: another list opens on its own first pair."""
    st.session_state[FIRST] = st.session_state[SECOND] = ""


def chosen(default: tuple[str, str]) -> tuple[str, str]:
    """The two documents named in the address, or the first of the list."""
    one, two = st.columns(2)
    first = one.text_input("First document", key=FIRST, bind="query-params", placeholder=default[0])
    second = two.text_input(
        "Second document", key=SECOND, bind="query-params", placeholder=default[1]
    )
    typed = (first or "").strip(), (second or "").strip()
    return typed if all(typed) else default


def group_list(pool: Pool, policy: Policy) -> tuple[str, str]:
    """Groups, the largest first, and the members of the one that is open."""
    cut = policy.cut() if pool.stored.pairs else None
    order = effect.full_order(policy.keep, pool.stored.sources())
    held = holdings_at(pool, cut)
    groups = effect.largest(held)
    if groups.is_empty():
        st.caption("No group of copies among these documents at this setting.")
        return "", ""
    pages = -(-groups.height // PAGE)
    page = st.pagination(pages, key="group_page", bind="query-params", max_visible_pages=5)
    rows_of_page = groups.slice((min(page, pages) - 1) * PAGE, PAGE)
    shown = effect.with_sources(rows_of_page, held, order)
    rows = members_at(pool, cut)
    table(
        shown.select(
            "documents",
            "tokens",
            pl.col("sources").list.first().alias("stays in"),
            pl.col("sources").list.join(", ").alias("found in"),
        ),
        key="groups",
        alt="Groups of copies, the largest first; select a row to read two of them",
        on_select=lambda: open_group(rows, shown["group"].to_list(), order),
        selection_mode="single-row",
        column_config={
            "documents": st.column_config.NumberColumn("copies", format="localized", width=60),
            "tokens": st.column_config.NumberColumn(format="compact", width=60),
            "stays in": st.column_config.TextColumn(width=90),
        },
    )
    opened = group_of(rows, st.session_state.get(FIRST) or "") or shown["group"][0]
    members = ordered(rows, opened, order)
    member_list(members)
    return members["id"][0], members["id"][1]


def group_of(rows: pl.DataFrame, document: str) -> int | None:
    """The group that a document is in, if it is in one."""
    found = rows.filter(pl.col("id") == document)["group"]
    return int(found[0]) if found.len() else None


def ordered(rows: pl.DataFrame, group: int, order: Sequence[str]) -> pl.DataFrame:
    """Members of a group, the one that stays first."""
    own = rows.filter(pl.col("group") == group)
    return own.with_columns(rank=effect.rank_of(order)).sort("rank", maintain_order=True)


def open_group(rows: pl.DataFrame, groups: Sequence[int], order: Sequence[str]) -> None:
    """Callback of the list of groups: compare the copy that stays with the next one."""
    selected = st.session_state["groups"].selection.rows
    if selected and selected[0] < len(groups):
        members = ordered(rows, groups[selected[0]], order)
        st.session_state[FIRST], st.session_state[SECOND] = members["id"][0], members["id"][1]


def member_list(members: pl.DataFrame) -> None:
    """The documents of a group; a click compares one with the copy that stays."""
    pages = -(-members.height // PAGE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key="member_page", max_visible_pages=5)
    shown = members.slice((min(page, pages) - 1) * PAGE, PAGE)
    keeper = members["id"][0]

    def open_member() -> None:
        selected = st.session_state["members"].selection.rows
        if selected and selected[0] < shown.height:
            st.session_state[FIRST] = keeper
            st.session_state[SECOND] = shown["id"][selected[0]]

    stays = pl.when(pl.col("id") == keeper).then(pl.lit("stays")).otherwise(pl.lit("falls"))
    table(
        shown.select(stays.alias("verdict"), "id", "tokens"),
        key="members",
        alt="Documents of the open group; select a row to compare it with the copy that stays",
        on_select=open_member,
        selection_mode="single-row",
        column_config={
            "verdict": st.column_config.TextColumn("", width=60),
            "id": st.column_config.TextColumn(f"{count(members.height)} documents of the group"),
            "tokens": st.column_config.NumberColumn(format="localized", width=60),
        },
    )


def edge_pairs(pool: Pool, threshold: float, above: bool) -> pl.DataFrame:
    """The stored pairs nearest to the threshold on one side of it: jaccard, a, b."""
    assert pool.stored.pairs is not None
    pairs = pl.scan_parquet(pool.stored.pairs.path / "pairs.parquet")
    limit = pl.lit(threshold, pl.Float32)
    side = pl.col("jaccard") >= limit if above else pl.col("jaccard") < limit
    found = pairs.filter(side).sort("jaccard", "a", "b", descending=[not above, False, False])
    return found.head(EDGE).collect()


def edge_list(pool: Pool, threshold: float, mode: str) -> tuple[str, str]:
    """Pairs that the threshold only just calls copies, or only just does not."""
    found = edge_pairs(pool, threshold, mode == ABOVE)
    if found.is_empty():
        st.caption("No stored pair on this side of the threshold.")
        return "", ""

    def open_pair() -> None:
        selected = st.session_state["edge"].selection.rows
        if selected and selected[0] < found.height:
            row = found.row(selected[0], named=True)
            st.session_state[FIRST], st.session_state[SECOND] = row["a"], row["b"]

    table(
        found.select("jaccard", "a", "b"),
        key="edge",
        alt="Pairs near the threshold; select a row to compare the two texts",
        height=420,
        on_select=open_pair,
        selection_mode="single-row",
        column_config={
            "jaccard": st.column_config.NumberColumn("similarity", format="%.3f", width=70),
            "a": st.column_config.TextColumn("first", width=170),
            "b": st.column_config.TextColumn("second", width=170),
        },
    )
    return found["a"][0], found["b"][0]


def texts_of(ws: Workspace, ids: Sequence[str]) -> dict[str, str]:
    """Texts of documents of any sources, by id; of very long ones the start."""
    by_source: dict[str, list[str]] = {}
    for document in dict.fromkeys(ids):
        by_source.setdefault(document.partition("/")[0], []).append(document)
    found: dict[str, str] = {}
    for source, own in by_source.items():
        found |= texts(documents(ws, get_source(ws, source).name), own, READ)
    return found


def show_pair(ws: Workspace, first: str, second: str, words: str) -> None:
    """How alike two documents are (`words`), ways to their readers, and where they differ."""
    found = texts_of(ws, [first, second])
    for document in (first, second):
        if document not in found:
            raise DataError("No document has this id.", value=document, next_step="choose a row")
    a, b = found[first], found[second]
    said = "word for word the same." if a == b else words
    st.markdown(f"**{label(first)}** beside **{label(second)}**: {label(said)}")
    with st.container(horizontal=True):
        link("browse", "Read the first", source=first.partition("/")[0], doc=first)
        link("browse", "Read the second", source=second.partition("/")[0], doc=second)
    if a == b:
        show_document(a, height=420 if len(a) > 1200 else None)
        return
    lines = diff_lines(a, b)
    if not lines.strip() or all(line.startswith("  ") for line in lines.splitlines()):
        show_plain("The words are the same; only white space differs.")
    st.caption("Lines with - are in the first only, with + in the second only.")
    show_diff(lines, height=420 if lines.count("\n") > 18 else None)


def alike(pool: Pool, first: str, second: str) -> str:
    """The similarity of two documents in words."""
    low, high = sorted((first, second))
    if pool.stored.pairs is not None:
        pairs = pl.scan_parquet(pool.stored.pairs.path / "pairs.parquet")
        stored = pairs.filter((pl.col("a") == low) & (pl.col("b") == high)).collect()
        if stored.height:
            return f"similarity {number(stored['jaccard'][0], 3)}."
    return "not measured against each other; a group joins them through other copies, if at all."
