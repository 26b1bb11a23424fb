"""What numbers of breadth are of, in words that the shell and the pages share.

A `sample` is that of a panel: `n` documents measured, of `embedded` ones, of `documents` that are
kept (without a recipe all), of the `source`'s training documents.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Found = Mapping[str, Any]
SAMPLED = (
    "Of documents: those measured of all training documents of the source, or of those a recipe "
    "keeps; fewer than all are a random sample of embedded ones."
)
NONE_LOST = (
    "No topic is lost: none has less than a quarter of its tokens left, and less than half of what "
    "is left of its source as a whole beyond doubt."
)


def taken(sample: Found) -> str:
    """`97 of 160`, `all 160`, or `none of 160` where nothing is kept."""
    n, of = sample["n"], sample["documents"]
    if not of:
        return f"none of {sample['source']:,}"
    return f"all {of:,}" if n == of else f"{n:,} of {of:,}"


def kept_words(kept: Mapping[str, Found]) -> list[str]:
    """A sentence on every source of which too little is left to measure; `kept` are panels."""
    return [said for source, panel in kept.items() if (said := thin_words(source, panel["sample"]))]


def thin_words(source: str, sample: Found) -> str:
    """Why there are no measures of what is kept of a source; "" where there are."""
    left, seen = sample["documents"], sample["embedded"]
    if not left:
        return f"Nothing of {source} is kept: all its topics are lost."
    if not seen:
        return f"No embedded document of {source} is kept, of others {left:,}: nothing to measure."
    if seen == 1:
        return f"One embedded document of {source} is kept: too few to measure."
    return ""


def mixture_words(emptied: Sequence[str], few: Sequence[str], missing: Sequence[str]) -> list[str]:
    """Sentences on the sources of a recipe that have no part in its mixture's breadth."""
    said = [f"Nothing of {name} is kept, so the mixture has no text of it." for name in emptied]
    if few:
        said.append(
            f"Fewer than two embedded documents of {', '.join(few)} are left: too few to measure."
        )
    if missing:
        said.append(f"Not measured and left out: {', '.join(missing)}.")
    return said


def alone_words(of: Sequence[str]) -> str:
    """Why there are no gains; "" where there are."""
    if len(of) != 1:
        return ""
    return (
        f"The numbers are of {of[0]} alone, so there is no other source to shrink: one per cent "
        "more of it changes nothing."
    )


def reference_words(reference: str) -> str:
    """What coverage is of."""
    return f"Coverage is of {reference}." if reference else "Coverage is of all sources on the map."
