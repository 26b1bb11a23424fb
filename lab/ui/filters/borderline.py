"""Is the cut in the right place? Twenty documents around it, read blind, and what they say.

Ten documents on each side of the threshold are shuffled and shown one at a time without their side.
Votes are stored with the workspace's other labels, under a question that names the rule. The
*precision* of the cut on the dropped side is the share of dropped documents that readers would drop
too, on the kept side the share they would keep, each with Wilson's 95 % interval (1927).

    dropped side surely under one half   readers keep what falls      loosen
    kept side surely under one half      readers drop what stays      tighten
    both sides surely over one half      the cut stands
    otherwise                            unresolved; how many more labels would settle it

Half is the natural mark near a threshold, where a signal that says nothing gives one half. The
twenty lie close to the cut, so this is about its place, not about the rule's precision overall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st

from lab.core.estimate import Estimate
from lab.corpus.sources import documents
from lab.curation.tags.store import undo, vote, votes_of
from lab.diversity.breadth.measures import wilson
from lab.ui.components import empty
from lab.ui.cuts import bounds_of
from lab.ui.filters.reading import sides_of
from lab.ui.filters.samples import Side, draw_sample
from lab.ui.filters.scene import Scene
from lab.ui.formats import count, percent
from lab.ui.highlight import show_marked
from lab.ui.tables import texts
from lab.ui.text import label

ROUND = 20  # documents of one round, half of them on either side
LONGEST = 4000  # characters shown
FEWEST = 5  # votes on a side before it may say anything
HOPELESS = 200  # labels beyond which a side is called even


@dataclass(frozen=True, slots=True)
class Finding:
    """What the votes say: precision on the dropped and on the kept side, and what follows."""

    dropped: Estimate | None
    kept: Estimate | None
    verdict: str  # loosen, tighten, stands or unresolved
    more: int  # labels that would settle it at the shares seen so far; 0 if settled


def judge_votes(dropped: tuple[int, int], kept: tuple[int, int]) -> Finding:
    """From (agreeing, votes) on each side: agreeing readers drop what falls, keep what stays."""
    sides = [wilson(*side) if side[1] >= FEWEST else None for side in (dropped, kept)]
    below = [side is not None and side.high < 0.5 for side in sides]
    above = [side is not None and side.low > 0.5 for side in sides]
    if below[0] != below[1]:
        verdict = "loosen" if below[0] else "tighten"
    else:
        verdict = "stands" if all(above) else "unresolved"
    more = 0
    if verdict == "unresolved":
        open_sides = [s for s, up, down in zip((dropped, kept), above, below, strict=True)
                      if not up and not down]  # fmt: skip
        more = max((needed(*side) for side in open_sides), default=0)
    return Finding(sides[0], sides[1], verdict, more)


def needed(agreeing: int, votes: int) -> int:
    """Further votes after which the interval leaves one half, if the share stays as it is."""
    share = agreeing / votes if votes >= FEWEST else 0.75  # of a handful the share says nothing
    for n in range(max(votes + 1, FEWEST), HOPELESS + 1):
        found = wilson(round(share * n), n)
        if found.low > 0.5 or found.high < 0.5:
            return n - votes
    return HOPELESS


def question_of(scene: Scene) -> str:
    """Under which question votes are kept: one for each scope and rule."""
    return f"keep at {scene.scope} {scene.key}"[:200]


def round_of(sides: Sequence[Side], seed: int) -> pl.DataFrame:
    """ROUND documents around the threshold in an order that says nothing of their side."""
    chosen = draw_sample(sides, "borderline", ROUND, seed)
    return chosen.sample(fraction=1.0, shuffle=True, seed=seed)


def show_borderline(scene: Scene) -> None:
    """One round: read, vote, and see what the votes so far say."""
    if '"' in scene.key or bounds_of(scene.after(scene.sources[0]).rules, scene.key) == (
        None,
        None,
    ):
        with empty("There is no threshold to look at."):
            st.caption("Choose a rule with numbers above, or move a line into the picture.")
        return
    sides = sides_of(scene)
    seed = int(st.number_input("Round", 0, 9999, 0, key="round", bind="query-params", width=110))
    chosen = round_of(sides, seed)
    ids = [str(scene.after(s).pool.ids[r]) for s, r in chosen.select("source", "row").iter_rows()]
    question = question_of(scene)
    votes = dict(votes_of(scene.ws, question).select("id", "keep").iter_rows())
    show_finding(judge_votes(*tally(scene, sides, votes)))
    open_ids = [i for i in ids if i not in votes]
    st.caption(
        f"{count(len(ids) - len(open_ids))} of {count(len(ids))} of this round read. The side of a "
        "document is not shown until you have voted on all."
    )
    if open_ids:
        show_ballot(scene, open_ids[0], question)
    else:
        st.caption("This round is done. Take another one above, or move the line.")
    if votes:
        st.button("Undo the last vote", key="undo_vote", on_click=take_back, args=(scene,))


def take_back(scene: Scene) -> None:
    """Callback: the last vote, tag or note is undone."""
    undo(scene.ws)


def tally(
    scene: Scene, sides: Sequence[Side], votes: dict[str, bool]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """(agreeing, votes) on the dropped and on the kept side, of all votes on this question."""
    dropped, kept = [], []
    for side in sides:
        ids = scene.after(side.source).pool.ids
        rows = np.flatnonzero(ids.is_in(list(votes)).to_numpy())
        for row in rows:  # as many as people have voted on
            if side.fails[row]:
                dropped.append(not votes[ids[int(row)]])
            elif side.kept[row]:
                kept.append(votes[ids[int(row)]])
    return (sum(dropped), len(dropped)), (sum(kept), len(kept))


def show_ballot(scene: Scene, document: str, question: str) -> None:
    """One document and the two buttons."""
    source = document.partition("/")[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        for words, keep, key in (("Keep", True, "Y"), ("Drop", False, "N")):
            st.button(
                label(words), key=f"vote_{key}", shortcut=key, on_click=vote,
                args=(scene.ws, document, question, keep),
            )  # fmt: skip
        st.caption("Would you train on it? Keys Y and N.")
    body = texts(documents(scene.ws, source), [document], LONGEST)[document]
    show_marked(body, [], limit=LONGEST, lines=60)


def show_finding(found: Finding) -> None:
    """Both precisions with their intervals, and what follows."""
    grid = st.grid(2, min_column_width=220, gap="small")
    for name, side in (("Rightly dropped", found.dropped), ("Rightly kept", found.kept)):
        value = (
            f"{percent(side.value, 0)} ({percent(side.low, 0)} to {percent(side.high, 0)})"
            if side
            else f"fewer than {FEWEST} votes"
        )
        grid.metric(label(name), label(value), help=f"n = {side.n if side else 0:d}", border=True)
    if found.verdict == "loosen":
        st.caption("Readers keep most of what falls here: **loosen** the threshold.")
    elif found.verdict == "tighten":
        st.caption("Readers drop most of what stays here: **tighten** the threshold.")
    elif found.verdict == "stands":
        st.caption("Readers agree with the cut on both sides: it **stands**.")
    elif found.more >= HOPELESS:
        st.caption("*Unresolved*: readers are divided; this signal may not separate here at all.")
    else:
        st.caption(f"*Unresolved*: label about {count(found.more)} more.")
