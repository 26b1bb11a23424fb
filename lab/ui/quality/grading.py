"""Grade documents blind: nothing is shown but the text, a key stores the grade and shows the next.

The documents are those that a model would be asked about (`lab.curation.labels.draw`), in the same
order, so that both can be compared. A grade is the tag NAME-GRADE, yes and no are votes on NAME;
both stand in the workspace's journal of tags and can be taken back. Source, score and other labels
of a document stay hidden until it is graded. Cost of a key: 40 ms, of which the journal takes most.
"""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from lab.core.errors import LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.curation.labels.draw import draw
from lab.curation.tags.checks import check_tag
from lab.curation.tags.store import grades, state_of, tag, tags_of, undo, vote, votes_of
from lab.ui.components import link, table
from lab.ui.formats import count
from lab.ui.text import label, show_document, show_plain

GRADES = ("nothing", "a fact", "in passing", "with gaps", "teaches", "excellent")
SCALES = ("0 to 5", "yes or no")
SKIPPED, MESSAGE = "graded_skipped", "grading_message"
SHOWN = 6000  # characters


def show_grading(ws: Workspace, sources: Sequence[str]) -> None:
    """The controls, the document, the grades."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "What is graded", "educational", key="grade_name", bind="query-params", width=200,
            help="The name of the labels; a score can be learned under the same name.",
        ).strip()  # fmt: skip
        scale = st.segmented_control(
            "Scale", SCALES, default=SCALES[0], key="grade_scale", bind="query-params",
            required=True,
        )  # fmt: skip
        wanted = int(
            st.number_input(
                "Documents", 10, 2000, 100, 10, key="grade_count", bind="query-params", width=130
            )
        )
        seed = int(st.number_input("Seed", 0, 9999, 0, key="grade_seed", bind="query-params",
                                   width=100))  # fmt: skip
    check_tag(f"{name}-5")
    graded = scale == SCALES[0]
    drawn = drawn_texts(ws, sources, wanted, seed)
    done = known_grades(ws, name, graded).filter(pl.col("id").is_in(drawn["id"].implode()))
    seen = {*done["id"], *st.session_state.get(SKIPPED, [])}
    left = drawn.filter(~pl.col("id").is_in(list(seen)))
    st.progress(
        min(done.height / max(drawn.height, 1), 1.0),
        text=f"{count(done.height)} of {count(drawn.height)} graded, drawn evenly from "
        f"{count(len(sources))} sources",
    )
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    if left.height:
        show_card(ws, name, left.row(0, named=True), graded)
    else:
        st.caption("All of these are graded. Raise the number, or learn a score from them.")
    undo_line(ws)
    if done.height:
        with st.expander("What you graded"):
            show_done(done)


def drawn_texts(ws: Workspace, sources: Sequence[str], wanted: int, seed: int) -> pl.DataFrame:
    """Columns id, text of the documents to grade, in order."""
    ids = [get_source(ws, name).documents for name in sources]
    return cached_draw(ws, tuple(sources), wanted, seed, digest([str(ws.root), ids]))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached_draw(
    _ws: Workspace, sources: tuple[str, ...], wanted: int, seed: int, key: str
) -> pl.DataFrame:
    """The draw for `key`: one pass over ids and hashes, 1.5 s for a million documents."""
    frame = draw(_ws, sources, wanted, seed)
    return frame.select("id", pl.col("text").str.slice(0, SHOWN))


def known_grades(ws: Workspace, name: str, graded: bool) -> pl.DataFrame:
    """Columns id, label of what people gave under `name`."""
    if graded:
        return grades(tags_of(ws), name).select("id", "label")
    return votes_of(ws, name).select("id", pl.col("keep").cast(pl.Float64).alias("label"))


def show_card(ws: Workspace, name: str, row: dict[str, str], graded: bool) -> None:
    """One document and a button for every grade; the digits are the keys."""
    choices = list(enumerate(GRADES)) if graded else [(1, "yes"), (0, "no")]
    with st.container(horizontal=True, gap="xsmall"):
        for value, words in choices:
            st.button(
                label(words[:1].upper() + words[1:]),
                key=f"grade.{value}",
                shortcut=str(value) if graded else words[0].upper(),
                on_click=give,
                args=(ws, name, row["id"], value, graded),
            )
        st.button("Skip", key="grade_skip", shortcut="S", on_click=skip, args=(row["id"],))
    if graded:
        st.caption(
            "Keys 0 to 5, for somebody at school: 0 nothing of use, 1 some fact of a subject, "
            "2 educational matter in passing, 3 taught coherently with gaps, 4 teaches clearly, "
            "5 excellent. Source and score are hidden."
        )
    else:
        st.caption("Keys Y and N: would you train on it? Source and score are hidden.")
    show_document(row["text"], height=460)
    if len(row["text"]) == SHOWN:
        st.caption(f"Cut after {count(SHOWN)} characters.")


def give(ws: Workspace, name: str, document: str, value: int, graded: bool) -> None:
    """Callback: store a grade or a vote."""
    try:
        if graded:
            tag(ws, [document], f"{name}-{value}")
        else:
            vote(ws, document, name, bool(value))
    except LabError as error:
        st.session_state[MESSAGE] = str(error)


def skip(document: str) -> None:
    """Callback: leave a document out for this session."""
    st.session_state[SKIPPED] = [*st.session_state.get(SKIPPED, []), document]


def take_back(ws: Workspace) -> None:
    """Callback: undo the last event of the journal."""
    undo(ws)


def undo_line(ws: Workspace) -> None:
    """The last event of the journal, and the button that takes it back."""
    last = state_of(ws).last
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Undo", key="grade_undo", shortcut="Backspace", icon=":material/undo:",
            disabled=not last, on_click=take_back, args=(ws,),
        )  # fmt: skip
        st.caption(label(f"Last: {last}") if last else "Nothing to undo.")


def show_done(done: pl.DataFrame) -> None:
    """What was graded, and how often each grade was given."""
    counts = done.group_by("label").len("documents").sort("label")
    left, right = st.columns([1, 2], gap="medium")
    with left:
        table(counts, key="grade_counts", alt="How often each grade was given")
    with right:
        table(done.sort("id"), key="grade_list", alt="Documents graded, with their grades")
    link("browse", "Read them in Browse", doc=str(done["id"][0]))
