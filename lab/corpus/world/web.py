"""Raw web pages: about three in five good, the rest what every crawl contains.

Good pages state facts of the world in passing, between ordinary sentences: travel notes, local
news, guides, reviews, diaries, pages of questions and answers. Levels: guides and explainers 3,
news, travel and questions 2 or 3, diaries 1 or 2. Some carry a line or two of page furniture, as
real extractions do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick, shuffled
from lab.corpus.world.encyclopaedia import KINDS, any_fact, state_some
from lab.corpus.world.facts import World
from lab.corpus.world.fillers import TOPICS, chatter
from lab.corpus.world.junk import JUNK
from lab.corpus.world.languages import foreign_page
from lab.corpus.world.personal import make_personal, personal_line
from lab.corpus.world.phrases import say
from lab.corpus.world.questions import ask_fact

_SHARES: Final[tuple[tuple[str, float], ...]] = (
    ("good", 0.62), ("shop", 0.05), ("talk", 0.05), ("spam", 0.06), ("menu", 0.05),
    ("results", 0.04), ("list", 0.03), ("stub", 0.03), ("teasers", 0.02), ("notice", 0.02),
    ("foreign", 0.03),
)  # fmt: skip
_KINDS: Final = tuple(name for name, _ in _SHARES)
_WEIGHTS: Final = tuple(accumulate(share for _, share in _SHARES))
_TOPICS: Final = tuple(TOPICS)
_TITLES: Final[dict[str, tuple[str, ...]]] = {
    "travel": ("A walk to the {noun}", "Notes from the road", "{number} days on foot",
               "Where to sleep and what to eat", "The {adj} road", "To the {noun} and back"),
    "news": ("News of the week", "The {noun} reopens", "{^people} meet {time}", "Local notes",
             "Trouble at the {noun}", "What was decided {time}"),
    "guide": ("How to work with {stuff}", "A short guide to {food}", "Choosing {a:tool}",
              "What every {job} should know", "Caring for {a:thing}", "First steps for {group}"),
    "review": ("Read {time}", "On the shelf", "A {adj} book", "Three books for the winter",
               "What the {group} read"),
    "diary": ("Dear all", "My week", "From my window", "{month}, late", "Thoughts {time}"),
    "faq": ("Questions and answers", "You asked, we answer", "Good to know", "Asked {time}"),
}  # fmt: skip
_FURNITURE: Final = (
    "Share this page with a friend.",
    "Posted in {month} by {name}.",
    "Leave a comment below.",
    "{number} comments",
    "Updated {time}.",
    "Filed under {food}, {noun}",
    "Written by {name}.",
)
_LEVELS: Final[dict[str, int]] = {
    "travel": 2, "news": 2, "guide": 3, "review": 3, "diary": 1, "faq": 3,
}  # fmt: skip


def write_page(rng: Random, world: World, index: int) -> Draft:
    """Page number `index` of the crawl."""
    kind = rng.choices(_KINDS, cum_weights=_WEIGHTS)[0]
    return _WRITERS[kind](rng, world)


def _good(rng: Random, world: World) -> Draft:
    kind = pick(rng, tuple(_TITLES))
    topic = pick(rng, _TOPICS)
    body = _questions(rng, world, topic) if kind == "faq" else _prose(rng, world, topic, kind)
    lines = [say(rng, _TITLES[kind]), body]
    if chance(rng, 0.3):
        lines.append(say(rng, _FURNITURE))
    personal = (make_personal(rng),) if chance(rng, 0.04) else ()
    lines += [personal_line(rng, item) for item in personal]
    level = _LEVELS[kind] + (1 if chance(rng, 0.25) else 0)
    return Draft("\n\n".join(lines), "good", level, topic, personal=personal)


def _prose(rng: Random, world: World, topic: str, kind: str) -> str:
    subject = world.mention(rng, "work" if kind == "review" else pick(rng, KINDS))
    facts = [*state_some(rng, subject, 4), *(any_fact(rng, world) for _ in range(6))]
    lines = shuffled(rng, [*facts, *chatter(rng, topic, 5 + int(rng.random() * 4))])
    third = len(lines) // 3
    parts = (lines[:third], lines[third : 2 * third], lines[2 * third :])
    return "\n\n".join(" ".join(part) for part in parts)


def _questions(rng: Random, world: World, topic: str) -> str:
    parts = [" ".join(chatter(rng, topic, 3))]
    for _ in range(5 + int(rng.random() * 4)):
        parts.append(ask_fact(rng, world))
        if chance(rng, 0.4):
            parts.append(chatter(rng, topic, 1)[0])
    return "\n\n".join(parts)


def _foreign(rng: Random, _: World) -> Draft:
    return foreign_page(rng)


_WRITERS: Final[dict[str, Callable[[Random, World], Draft]]] = {
    "good": _good, "foreign": _foreign, **JUNK,
}  # fmt: skip
