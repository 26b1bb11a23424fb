"""The reader: items of one benchmark, and the exact text that every model is shown.

What stands in the block is what the scorer gets, from the same function, with white space marked.
"""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.workspace import Workspace
from lab.evaluation.benchmarks.reading import ItemPrompt, item_list, marked, read_prompt
from lab.evaluation.benchmarks.registry import BenchmarkSummary
from lab.evaluation.benchmarks.templates import load_template
from lab.ui.benchmarks.listing import BENCHMARK, ITEM
from lab.ui.components import empty, table
from lab.ui.formats import count, percent, plural
from lab.ui.state import forget_unknown
from lab.ui.text import label, show_diff, show_document, show_plain, snippet

ROWS = 12  # of the list of items, a page
TAIL = 160  # characters shown of a context that differs between the choices
ALL = "all kinds"


def pick_benchmark(found: Sequence[BenchmarkSummary]) -> BenchmarkSummary:
    """The benchmark in view; the choice is in the URL."""
    named = {bench.name: bench for bench in found}
    forget_unknown(BENCHMARK, named)

    def first_item() -> None:
        st.session_state[ITEM] = ""

    chosen = st.selectbox(
        "Benchmark", list(named), key=BENCHMARK, bind="query-params", on_change=first_item,
        format_func=str, width=280,
    )  # fmt: skip
    return named[chosen]


def show_facts(bench: BenchmarkSummary) -> None:
    """How the benchmark is put to every model, where it came from."""
    template = load_template(bench.template, bench.form)
    st.caption(
        f"{plural(bench.items, 'item')}, {label(bench.form)}, "
        + (plural(bench.shots, "fixed shot") if bench.shots else "no shots")
        + ", temperature 0, "
        + ("nothing to choose" if bench.chance is None else f"chance {percent(bench.chance)}")
        + f". Template {label(bench.template)}: {label(template.source)}."
    )
    if template.harness:
        st.caption(f"Same prompts as lm-evaluation-harness 0.4.13: {label(template.harness)}.")
    if bench.skipped:
        with st.expander(f"{plural(bench.skipped, 'invalid item')} set aside"):
            show_plain("\n".join(f"{n} x {reason}" for reason, n in bench.reasons.items()))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached_items(_ws: Workspace, name: str, key: str) -> pl.DataFrame:
    """The items of `name`, by the benchmark's hash."""
    return item_list(_ws, name)


def show_reader(ws: Workspace, bench: BenchmarkSummary, quoted: pl.DataFrame | None) -> None:
    """Filters and the list on the left, the prompt on the right."""
    items = cached_items(ws, bench.name, bench.hash)
    left, right = st.columns([5, 7], gap="medium")
    with left:
        shown = filtered(bench, items, quoted)
        opened = show_list(shown)
    with right:
        if not opened:
            empty("No item fits these filters.")
            return
        if opened not in items["id"]:
            with empty("No item of this benchmark has this id."):
                show_plain(opened)
            return
        show_prompt(read_prompt(ws, bench.name, opened), quoted, bench)


def filtered(
    bench: BenchmarkSummary, items: pl.DataFrame, quoted: pl.DataFrame | None
) -> pl.DataFrame:
    """The items that the filters leave."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input("Contains", key="contains", placeholder="in question or answer")
        kinds = [ALL, *bench.kinds]
        kind = ALL
        if len(bench.kinds) > 1:
            forget_unknown("kind", kinds)
            kind = st.selectbox(
                "Kind", kinds, key="kind", format_func=lambda k: k.replace("_", " ")
            )
        only = quoted is not None and st.toggle("Quoted only", key="quoted_only")
    if words:
        low = words.lower()
        inside = [pl.col(c).str.to_lowercase().str.contains(low, literal=True) for c in
                  ("question", "answer", "id")]  # fmt: skip
        items = items.filter(pl.any_horizontal(inside))
    if kind != ALL:
        items = items.filter(kind=kind)
    if only and quoted is not None:
        own = quoted.filter(benchmark=bench.name)["item_id"]
        items = items.filter(pl.col("id").is_in(own.implode()))
    return items


def show_list(items: pl.DataFrame) -> str:
    """The list, a page at a time; the id of the open item: the URL's, else the first."""
    pages = max(-(-items.height // ROWS), 1)
    page = st.pagination(pages, key="page", max_visible_pages=5) if pages > 1 else 1
    part = items.slice((min(page, pages) - 1) * ROWS, ROWS)
    starts = [snippet(question or answer, 120) for question, answer in
              part.select("question", "answer").iter_rows()]  # fmt: skip

    def open_row() -> None:
        rows = st.session_state["item_list"].selection.rows
        if rows and rows[0] < part.height:
            st.session_state[ITEM] = part["id"][rows[0]]

    table(
        pl.DataFrame({"item": part["id"], "starts with": pl.Series(starts, dtype=pl.String)}),
        key="item_list",
        alt="Items; select one to read its prompt",
        on_select=open_row,
        selection_mode="single-row",
        height="content",
        column_config={
            "item": st.column_config.TextColumn(width=160),
            "starts with": st.column_config.TextColumn(width=300),
        },
    )
    st.caption(plural(items.height, "item"))
    asked = st.text_input("Item", key=ITEM, bind="query-params", placeholder="id")
    return (asked or "").strip() or (part["id"][0] if part.height else "")


def show_prompt(prompt: ItemPrompt, quoted: pl.DataFrame | None, bench: BenchmarkSummary) -> None:
    """What the model is shown, then what is scored with the right one marked."""
    item = prompt.item
    st.markdown(f"**{label(item['id'])}**")
    say_quoted(item["id"], quoted, bench)
    context = prompt.contexts[prompt.gold]
    st.caption(
        f"The model is shown ({count(len(context))} characters); ⏎ is a line end, · a blank "
        "easily overlooked."
    )
    show_document(marked(context) or "(nothing: the whole sentence is scored)")
    st.caption(
        "Scored after it, the blank before it included; + marks the right one."
        if prompt.one_context
        else "The choices stand in the prompt; between ⟦ ⟧ what is scored. + marks the right one."
    )
    show_diff("\n".join(choice_lines(prompt)))
    if item["meta"] != "{}":
        with st.expander("What else the file says of this item"):
            show_plain(item["meta"])


def choice_lines(prompt: ItemPrompt) -> list[str]:
    """The scored texts as lines of a difference: `+` before the right one."""
    lines = []
    for place, (context, text) in enumerate(
        zip(prompt.contexts, prompt.continuations, strict=True)
    ):
        shown = marked(text)
        if not prompt.one_context:
            shown = f"{marked(context[-TAIL:])}⟦{shown}⟧"
        sign = "+" if place == prompt.gold else " "
        lines += [f"{sign} {line}" for line in shown.split("\n")]
    return lines


def say_quoted(item_id: str, quoted: pl.DataFrame | None, bench: BenchmarkSummary) -> None:
    """A warning if documents quote this item."""
    if quoted is None:
        return
    hit = quoted.filter(benchmark=bench.name, item_id=item_id)
    if hit.height:
        st.warning(
            f"{plural(int(hit['documents'][0]), 'document')} in this workspace quote it.",
            icon=":material/coronavirus:",
        )
