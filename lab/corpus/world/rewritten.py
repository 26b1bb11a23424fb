"""Web pages rewritten [rewrite]: what a model makes of a page when asked to restate it clearly.

Four styles that rephrasing pipelines use (WRAP, Maini et al., 2024, arXiv:2401.16380: like an
encyclopaedia, as questions and answers, plainly, as a dialogue). A rewrite keeps a page's facts and
drops its furniture; it adds no reasoning of its own.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import pick, shuffled
from lab.corpus.world.encyclopaedia import KINDS, any_fact, state, state_some
from lab.corpus.world.facts import Entity, World
from lab.corpus.world.fillers import TOPICS, chatter
from lab.corpus.world.phrases import say
from lab.corpus.world.questions import ASKED, ask_fact

_LEADS: Final = (
    "The page in short.",
    "Here is the text in plain words.",
    "A summary for readers in a hurry.",
    "What the writer says, put simply.",
    "The main points follow.",
    "In other words:",
    "The following restates the page.",
    "Put clearly, the page says this.",
)
_CLOSINGS: Final = (
    "The rest of the page is about daily life.",
    "The page ends with a remark on the weather.",
    "The writer adds a personal note.",
    "Nothing else of weight is said.",
    "The page was written in {month}.",
    "The writer is {a:job}.",
)


def write_rewrite(rng: Random, world: World, index: int) -> Draft:
    """Rewritten page number `index`."""
    entity = world.mention(rng, pick(rng, KINDS))
    topic = pick(rng, tuple(TOPICS))
    style = pick(rng, tuple(_STYLES))
    text = _STYLES[style](rng, world, entity, topic)
    return Draft(text, "rewrite", 3, topic, meta={"style": style, "page": index})


def _plain(rng: Random, world: World, entity: Entity, topic: str) -> str:
    facts = [*state_some(rng, entity, 3), any_fact(rng, world), any_fact(rng, world)]
    body = shuffled(rng, [*facts, *chatter(rng, topic, 5)])
    return f"{pick(rng, _LEADS)}\n\n{' '.join(body)} {say(rng, _CLOSINGS)}"


def _summary(rng: Random, world: World, entity: Entity, topic: str) -> str:
    first = " ".join([*state_some(rng, entity, 3), *chatter(rng, topic, 4)])
    second = " ".join([any_fact(rng, world), any_fact(rng, world), *chatter(rng, topic, 3)])
    return f"{first}\n\n{second}"


def _questions(rng: Random, world: World, entity: Entity, topic: str) -> str:
    asked = [ask_fact(rng, world, entity), *(ask_fact(rng, world) for _ in range(4))]
    return "\n\n".join([" ".join(chatter(rng, topic, 3)), *asked])


def _dialogue(rng: Random, world: World, entity: Entity, topic: str) -> str:
    one, two = pick(rng, ("Pupil", "Guest", "Child")), pick(rng, ("Teacher", "Host", "Guide"))
    lines = [f"{one}: {chatter(rng, topic, 1)[0]}"]
    for subject in (entity, world.mention(rng, pick(rng, KINDS)), entity):
        for relation in shuffled(rng, tuple(subject.values))[:2]:
            question = say(rng, ASKED[relation], {"e": subject.name})
            lines += [f"{one}: {question}", f"{two}: {state(rng, subject, relation)}"]
    lines.append(f"{two}: {' '.join(chatter(rng, topic, 2))}")
    return "\n".join(lines)


_STYLES = {
    "plain": _plain,
    "summary": _summary,
    "questions": _questions,
    "dialogue": _dialogue,
}
