"""Tags, votes and a note on the open document, tags for everything found, and undo.

Every press is one event on the disk (`lab.curation.tags.store`), so undo reaches back as far as one
likes, also after a restart. Tags are columns like any other: filter by them here, use them in a
rule, or learn a quality score from them. Keys: 1 to 9 for the tags in use, Y and N for the vote.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.tags.store import note, redo, state_of, tag, undo, vote
from lab.ui.components import attempt
from lab.ui.formats import count, plural
from lab.ui.text import label, show_error

KEYS = 9  # tags with a digit of their own
QUESTION = "keep"
FAULT = "tag_fault"


def show_tagging(ws: Workspace, document: str) -> None:
    """Buttons for the open document."""
    state = state_of(ws)
    own = set(state.tags.filter(id=document)["tag"])
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="tagging"):
        for number, name in enumerate(state.known[:KEYS], start=1):
            on = name in own
            st.button(
                f"{label(name)} {number:d}", key=f"tag.{name}", shortcut=str(number),
                type="primary" if on else "secondary",
                on_click=tried, args=(tag, ws, [document], name, not on),
            )  # fmt: skip
        new_tag(ws, document, list(state.known[KEYS:]))
        show_vote(ws, document)
        note_box(ws, document)
        undo_buttons(ws)
    for text in state.notes.filter(id=document)["note"]:
        st.text(f"Note: {text}")


def new_tag(ws: Workspace, document: str, others: Sequence[str]) -> None:
    """A box for a tag without a digit."""

    def give() -> None:
        if name := str(st.session_state.get("new_tag") or "").strip():
            tried(tag, ws, [document], name)
            st.session_state["new_tag"] = ""

    with st.popover("Tag", icon=":material/label:"):
        st.text_input("New tag", key="new_tag", on_change=give, placeholder="a-z, 0-9, - and _")
        for name in others:
            st.button(
                label(name), key=f"tag.{name}", on_click=tried, args=(tag, ws, [document], name)
            )


def show_vote(ws: Workspace, document: str) -> None:
    """Keep or drop, in this reader's opinion."""
    question = str(st.session_state.get("question") or QUESTION)
    votes = state_of(ws).votes.filter(id=document, question=question)["keep"].to_list()
    for words, key, keep in (("Keep", "Y", True), ("Drop", "N", False)):
        st.button(
            label(words), key=f"vote.{key}", shortcut=key,
            type="primary" if keep in votes else "secondary",
            icon=":material/thumb_up:" if keep else ":material/thumb_down:",
            on_click=tried, args=(vote, ws, document, question, keep),
        )  # fmt: skip


def note_box(ws: Workspace, document: str) -> None:
    """A note beside the document, and the question that votes answer."""
    held = state_of(ws).notes.filter(id=document)["note"].to_list()
    key = f"note.{document}"
    with st.popover("Note", icon=":material/edit:"):
        st.text_area("Note on this document", value=held[0] if held else "", key=key)

        def save() -> None:
            tried(note, ws, document, str(st.session_state.get(key) or ""))

        st.button("Save the note", key="save_note", on_click=save)
        st.text_input(
            "Votes answer the question", key="question", value=QUESTION, persist_state="session",
            help="A quality score is learned from the votes on one question: "
            "labels `people:QUESTION` on the Quality page.",
        )  # fmt: skip


def undo_buttons(ws: Workspace) -> None:
    """Take back the last event, or restore it."""
    state = state_of(ws)
    with st.container(horizontal=True, gap="xsmall", width="content"):  # wrap together
        for words, function, event in (("Undo", undo, state.last), ("Redo", redo, state.next)):
            st.button(
                label(words), key=words, type="tertiary", disabled=not event,
                help=label(event) or None, on_click=tried, args=(function, ws),
            )  # fmt: skip


def show_bulk(ws: Workspace, ids: Callable[[], Sequence[str]], size: int) -> None:
    """Tag everything that is found, as one event."""
    with st.popover(f"Tag all {count(size)}", icon=":material/label:", disabled=not size):
        st.caption("One event, taken back by one undo.")
        name = st.text_input("Tag for everything found", key="bulk_tag")
        with st.container(horizontal=True):
            for words, on in (("Tag them", True), ("Take the tag from them", False)):
                if st.button(label(words), key=f"bulk.{on:d}", disabled=not name):
                    attempt(tag, ws, ids(), str(name or "").strip(), on)
                    st.toast(f"{plural(size, 'document')} done.")
                    st.rerun()


def tried(function: Callable[..., object], *arguments: object) -> None:
    """Callback: run it; an error is kept for the page to show."""
    try:
        function(*arguments)
    except LabError as error:
        st.session_state[FAULT] = error


def show_fault() -> None:
    """The error of the last press, once."""
    error = st.session_state.pop(FAULT, None)
    if error is not None:
        show_error(error)
