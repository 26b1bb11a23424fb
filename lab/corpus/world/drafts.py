"""The value every writer returns: a text and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has an id.

    `quality` names what sort of page it is, `level` its educational level 0-5, `personal` the
    (kind, value) pairs of personal data in `text`, `meta` what a crawler would have noted.
    """

    text: str
    quality: str
    level: int
    topic: str
    language: str = "en"
    personal: tuple[tuple[str, str], ...] = ()
    meta: dict[str, str | int] = field(default_factory=dict)


def spans(text: str, personal: tuple[tuple[str, str], ...]) -> list[tuple[int, int, str]]:
    """(start, end, kind) in characters of every occurrence of the personal values in `text`."""
    found: list[tuple[int, int, str]] = []
    for kind, value in dict.fromkeys(personal):
        start = text.find(value)
        while start >= 0:
            found.append((start, start + len(value), kind))
            start = text.find(value, start + len(value))
    return sorted(found)
