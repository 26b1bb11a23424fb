"""The verdict in words, the odds, what was asked, and what stands in the way."""

import streamlit as st

from lab.advice.fitting.fit import Fit
from lab.advice.proposing.advise import Advice
from lab.ui.formats import count, number, percent, plural
from lab.ui.text import label

VERDICTS = {
    "better": "The proposal is probably better than the natural mixture.",
    "same": "The proposal is the natural mixture: nothing better was found.",
    "unresolved": "The runs do not tell whether the proposal is better.",
    "unmet": "No mixture meets all guards: this is the one nearest to them.",
}
NAMED = 3  # targets that are named, beyond it they are counted


def show_verdict(fit: Fit, advice: Advice) -> None:
    """Verdict, odds and gain, what would resolve it, and the trade between guards."""
    st.markdown(f"**{label(VERDICTS.get(advice.verdict, advice.verdict))}**")
    for words in advice.trade:
        st.markdown(label(words))
    gain = advice.gain
    grid = st.grid(4, min_column_width=160, gap="small")
    grid.metric("Better than natural", label(percent(advice.p_better, 0)), border=True,
                help="Odds of it. Below 90 % the verdict is unresolved.")  # fmt: skip
    grid.metric("Better than current", label(percent(advice.p_current, 0)), border=True,
                help="Odds of it, against the weights it was compared with.")  # fmt: skip
    grid.metric(
        label(f"Gain{unit_words(advice)}"),
        label(number(gain.value, 3)), border=True,
        help=label(f"{number(gain.low, 3)} to {number(gain.high, 3)} at {percent(gain.level, 0)}, "
                   "over natural, mean of the targets; positive is better"),
    )  # fmt: skip
    grid.metric("Runs it rests on", label(count(len(fit.runs))), border=True)
    st.caption(label(asked_words(advice)))
    if advice.run_more:
        st.caption(f"About {plural(advice.run_more, 'more run')} would probably resolve it.")


def unit_words(advice: Advice) -> str:
    """The unit of the gain, if the names of the targets tell it."""
    return ", bits per byte" if all(name.endswith("bpb") for name in advice.targets) else ""


def asked_words(advice: Advice) -> str:
    """What the proposal was asked for, in a sentence."""
    targets = list(advice.targets)
    of = ", ".join(targets) if len(targets) <= NAMED else f"{len(targets)} metrics"
    guards = f", {plural(advice.guards.height, 'guard')}" if advice.guards.height else ""
    return f"Asked for the least mean of {of}, KL {number(advice.kl, 3)}{guards}."


def show_notes(advice: Advice) -> None:
    """What a reader must know before trusting it."""
    if advice.notes:
        with st.expander(f"{plural(len(advice.notes), 'note')} on this advice"):
            for note in advice.notes:
                st.markdown(f"- {label(note)}")
