"""Does the order hold at other sizes?"""

import polars as pl
import streamlit as st

from lab.evaluation.comparing.scale import Scale
from lab.ui.components import table
from lab.ui.formats import plural
from lab.ui.text import label, show_plain


def show_scale(found: Scale) -> None:
    """Warnings, agreement of every metric, and the commands for runs that are missing."""
    if found.rows:
        flips = found.warnings
        if flips:
            st.warning(
                label(f"{plural(len(flips), 'metric')} in another order at another size."),
                icon=":material/swap_vert:",
            )
        table(
            pl.DataFrame(
                [
                    {
                        "metric": f"{row.metric.scope} {row.metric.on} {row.metric.metric}",
                        "sizes": f"{row.small} to {row.large}",
                        "same order": f"{row.agreement.value:.0%} of {row.agreement.n}",
                        "between": f"{row.agreement.low:.0%} and {row.agreement.high:.0%}",
                        "verdict": row.verdict,
                    }
                    for row in found.rows
                ]
            ),
            key="table_scale",
            alt="Share of pairs in the same order at two sizes, its bounds, and the verdict",
            column_config={"same order": "pairs in the same order"},
        )
        st.caption(
            "A pair counts as holding or flipping only if it is resolved at both sizes; the bounds "
            "are what the unresolved pairs leave open."
        )
    if found.missing:
        st.markdown("Runs that would answer this:")
        show_plain("\n".join(command for _, _, command in found.missing))
    for note in found.notes:
        st.caption(label(note))
    if not found.missing and not found.rows:
        st.caption("Train both recipes at a second size, with two seeds each:")
        show_plain("mixlab train A B --size micro --seeds 2")
