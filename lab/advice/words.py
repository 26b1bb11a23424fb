"""Names in a sentence: a note stays readable however many sources or metrics it is about."""

from collections.abc import Sequence

LONGEST = 200  # characters of a note
ROOM = 80  # characters that names may take in it


def few(names: Sequence[str], room: int = ROOM, between: str = ", ") -> str:
    """As many of `names` as `room` characters hold, the first in any case, and how many more."""
    kept = list(names[:1])
    for name in names[1:]:
        if len(between.join([*kept, name])) > room:
            break
        kept.append(name)
    left = len(names) - len(kept)
    return between.join(kept) + (f" and {left} more" if left else "")
