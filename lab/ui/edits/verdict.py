"""Is the text better for it? Votes on the documents read, and the share that says so.

A vote is kept with the workspace's tags and votes, under a question that names the edits, so that
it outlives the session and can be taken back. The share has Wilson's 95 % interval (1927): edits
whose interval holds one half are *unresolved*, never equal.
"""

from collections.abc import Sequence

import streamlit as st

from lab.core.errors import LabError
from lab.core.workspace import Workspace
from lab.curation.tags.store import undo, vote, votes_of
from lab.diversity.breadth.measures import wilson
from lab.ui.formats import count, percent
from lab.ui.text import label, show_plain

DOCUMENT, MESSAGE = "doc", "verdict_message"


def question_of(edits: Sequence[str]) -> str:
    """Under which question votes are kept."""
    return f"better after {', '.join(edits)}"[:200]


def show_ballot(
    ws: Workspace, source: str, document: str, ids: Sequence[str], edits: Sequence[str]
) -> None:
    """Two buttons for the open document, and what the votes on this source say so far."""
    message = st.session_state.pop(MESSAGE, "")
    if message:
        show_plain(message)
    question = question_of(edits)
    votes = dict(votes_of(ws, question).select("id", "keep").iter_rows())
    with st.container(horizontal=True, vertical_alignment="center"):
        for words, better, key in (("Better", True, "B"), ("Worse", False, "W")):
            st.button(
                label(words),
                key=f"verdict_{key}",
                shortcut=key,
                type="primary" if votes.get(document) is better else "secondary",
                on_click=give,
                args=(ws, document, question, better, list(ids)),
            )
        st.button(
            "Undo", key="verdict_undo", icon=":material/undo:", disabled=not votes,
            on_click=take_back, args=(ws,),
        )  # fmt: skip
        st.caption(label(tally_words([v for i, v in votes.items() if i.startswith(f"{source}/")])))


def tally_words(votes: Sequence[bool]) -> str:
    """The share that found the text better, and whether that is resolved."""
    if not votes:
        return "Is the text better for it? Votes are kept; n = 0."
    found = wilson(sum(votes), len(votes))
    resolved = "better" if found.low > 0.5 else "worse" if found.high < 0.5 else "unresolved"
    return (
        f"Better in {percent(found.value, 0)} of {count(len(votes))} votes "
        f"({percent(found.low, 0)} to {percent(found.high, 0)}): {resolved}."
    )


def give(ws: Workspace, document: str, question: str, better: bool, ids: Sequence[str]) -> None:
    """Callback: store a vote and open the next document of the list."""
    try:
        vote(ws, document, question, better)
    except LabError as error:
        st.session_state[MESSAGE] = str(error)
        return
    place = ids.index(document) if document in ids else -1
    if 0 <= place < len(ids) - 1:
        st.session_state[DOCUMENT] = ids[place + 1]


def take_back(ws: Workspace) -> None:
    """Callback: undo the last event of the journal."""
    undo(ws)
